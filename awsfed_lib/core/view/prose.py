"""Prose of a runbook as it stands in a page: its headings, and tables that a screen reader can read."""

from __future__ import annotations

import re

_HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
_MARKS = re.compile(r"[`*]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_EMPTY_HEAD = re.compile(r"<thead>\s*<tr>\s*(?:<th></th>\s*)+</tr>\s*</thead>\s*")
_FIRST_CELL = re.compile(r"(<tr>\s*)<td>(.*?)</td>", re.DOTALL)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)


def heading(markdown: str) -> str:
    """Return the first heading below the title, without marks of Markdown; "" for none."""
    found = _HEADING.search(markdown)
    return _MARKS.sub("", found[1]).strip() if found else ""


def headed(markup: str) -> str:
    """Give the tables of sanitized prose their heads: Markdown cannot leave a head out, nor say that a row has one.

    An empty head goes, and then the first cell of every row is its head (WCAG 2.2, success criterion 1.3.1).
    """
    return _TABLE.sub(_with_heads, markup)


def _with_heads(table: re.Match[str]) -> str:
    without, number = _EMPTY_HEAD.subn("", table[0])
    if number:
        return _FIRST_CELL.sub(r'\1<th scope="row">\2</th>', without)
    return table[0].replace("<th>", '<th scope="col">')
