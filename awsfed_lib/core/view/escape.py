"""Text from outside, made harmless: for a terminal, for HTML, and inside a JSON that people copy.

Names in Entra ID and AWS are anybody's text. Whatever is not plainly visible is shown by its code point, so that two
names that differ also look different, and so that nothing moves the cursor, turns the writing direction or ends a tag.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from functools import lru_cache

LIMIT = 2_000
MARKS_IN_A_ROW = 2

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and symbols that draw nothing, and variation selectors but for the two that choose the style of an emoji.
_BLANK = re.compile("[\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]")
_ORDINARY_SPACES = frozenset(" \u3000")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_PILE = re.compile(f"({_MARK}{{{MARKS_IN_A_ROW}}})({_MARK}+)")
_BREAKS = re.compile(r"(?:(?<=[/,])|(?<=[0-9]:))(?=[^/,:\s])")
_LONG = 24


def visible(value: object, limit: int = LIMIT) -> str:
    """`value` as one line of text in which every character can be seen.

    Control characters become their pictures (ESC is shown as ␛), other hidden ones their code point (⟨U+202E⟩), piles
    of combining marks a count. Longer than `limit`, it is cut at the end, and says by how much.
    """
    text = str(value)
    cut = f"… (+{len(text) - limit:,} characters)" if len(text) > limit else ""
    text = text[:limit]
    if not (text.isascii() and text.isprintable()):
        text = _PILE.sub(lambda pile: f"{pile[1]}⟨+{len(pile[2])} marks⟩", "".join(map(_seen, text)))
    return text + cut


def visible_lines(value: object, limit: int = 100 * LIMIT) -> str:
    """Like `visible`, with line ends kept; for logs, tracebacks and tables in text."""
    text = str(value).replace("\r\n", "\n")
    return "\n".join(visible(line, limit) for line in text.expandtabs(4).split("\n"))


def escaped(value: object, limit: int = LIMIT) -> str:
    """`value` for the inside of an HTML element or of a quoted attribute."""
    return html.escape(visible(value, limit))


def breakable(value: object, limit: int = LIMIT) -> str:
    """Like `escaped`, and a long text (an ARN, a pair of them) may wrap after its separators; copying gives the text."""
    text = visible(value, limit)
    if len(text) <= _LONG:
        return html.escape(text)
    return "<wbr>".join(html.escape(part) for part in _BREAKS.split(text))


def json_text(value: object) -> str:
    """Pretty JSON for people to copy: hidden characters stand as JSON escapes, so that a paste sends the same value."""
    pretty = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
    if pretty.isascii():
        return pretty.replace("\x7f", "\\u007f")
    return "".join(char if char == "\n" or not _is_hidden(char) else json.dumps(char)[1:-1] for char in pretty)


@lru_cache(maxsize=4096)
def _seen(char: str) -> str:
    if not _is_hidden(char):
        return char
    if char < " ":
        return chr(0x2400 + ord(char))
    return "␡" if char == "\x7f" else f"⟨U+{ord(char):04X}⟩"


@lru_cache(maxsize=4096)
def _is_hidden(char: str) -> bool:
    if char in _ORDINARY_SPACES:
        return False
    category = unicodedata.category(char)
    return category in _HIDDEN_CATEGORIES or bool(_BLANK.match(char))
