"""Text in the cells of a workbook: every character can be seen, and the exact text can be had back.

XML cannot hold control characters and halves of surrogate pairs, it turns a carriage return into a line feed, and `_x0041_` is an A to
every spreadsheet (ECMA-376 part 1, 22.9.2.19, ST_Xstring). A character like these, and one that turns the writing direction, stands as
its code point: [U+202E].
"""

from __future__ import annotations

import re

LONGEST = 32_767  # learn.microsoft.com: Excel specifications and limits, characters that a cell can contain; counted in UTF-16
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
    r"|\[(?=U\+[0-9A-F]{4}\])|_(?=x[0-9A-Fa-f]{4}_)|x(?=005F_)"  # and what would be taken for either way to write one
)
_SHOWN = re.compile(r"\[U\+([0-9A-F]{4})\]")


def cell_text(text: str) -> str:
    """Return `text` as a cell shows it; one that no cell can hold is cut, and says by how much."""
    shown = _HIDDEN.sub(lambda hidden: f"[U+{ord(hidden[0]):04X}]", text)
    return shown if len(shown) <= LONGEST // 2 else _cut(shown)


def exact(cell: str) -> str:
    """Return the text that `cell_text` made a cell of, unless it was cut."""
    return _SHOWN.sub(lambda code: chr(int(code[1], 16)), cell)


def _cut(shown: str) -> str:
    units = shown.encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return shown
    note = f" … cut: {len(shown):,} characters do not fit into a cell; review.csv has them all"
    return units[: 2 * (LONGEST - len(note))].decode("utf-16-le", "ignore") + note
