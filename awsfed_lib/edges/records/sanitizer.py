"""What HTML may pass into a record: the vocabulary of our own views and of Markdown, and nothing else.

A record is shown to people who trust it, and what an executed notebook holds is anybody's. So an output passes only
when it calls itself ours, and even then only by this list: whoever forges the mark gets no more than our own tags.
nbconvert's sanitizer (bleach) does the work; whatever is not on the list is shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TAGS = frozenset(
    {"a", "b", "bdi", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3"}
    | {"h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "section", "span", "strong", "sub", "summary", "sup"}
    | {"table", "tbody", "td", "th", "thead", "tr", "ul", "wbr"}
)
_OWN_CLASSES = re.compile(r"(?:awsfed(?:-[a-z]+)?|log)(?: awsfed-[a-z]+)*")
_VALUES: dict[str, re.Pattern[str]] = {
    "class": _OWN_CLASSES,
    "scope": re.compile(r"row|col"),
    "role": re.compile(r"region"),
    "tabindex": re.compile(r"0"),
    "aria-label": re.compile(r".*", re.DOTALL),
    "open": re.compile(r".*"),
    "href": re.compile(r"https://[^\s]+|#[A-Za-z0-9_=.-]+"),
}
_ON: dict[str, frozenset[str]] = {
    "href": frozenset({"a"}),
    "scope": frozenset({"th"}),
    "open": frozenset({"details"}),
}
_STYLE = re.compile(r"<style>[^<]*</style>")


def allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute may stay: its name, where it stands, and its whole value."""
    pattern = _VALUES.get(name)
    return pattern is not None and tag in _ON.get(name, TAGS) and pattern.fullmatch(value) is not None


def sanitizer() -> Callable[[str], str]:
    """Make the filter; the style sheet that our outputs bring along is left out, since the page has it."""
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    strict = SanitizeHTML(tags=sorted(TAGS), attributes=allowed, styles=[], strip=False, strip_comments=True)  # type: ignore[no-untyped-call]

    def sanitized(markup: str) -> str:
        return str(strict.sanitize_html_tags(_STYLE.sub("", markup)))  # type: ignore[no-untyped-call]

    return sanitized
