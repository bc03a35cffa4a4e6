"""What HTML may pass into a record: the vocabulary of our own views and of Markdown, and nothing else.

A record is shown to people who trust it, and what an executed notebook holds is anybody's. So an output passes only
when it calls itself ours, and even then only by this list: whoever forges the mark gets no more than our own tags.
nbconvert's sanitizer (bleach) does the work; whatever is not on the list is shown as text. It takes a record apart letter
by letter, so what is written as our views write, and holds nothing but the list, passes without it.
"""

from __future__ import annotations

import html
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
    "role": re.compile(r"group"),
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
_NEVER_CLOSED = frozenset({"br", "hr", "wbr"})
_ATTRIBUTE = re.compile(r' ([a-z-]+)="([^"<>]*)"')
_PLAIN = r"\x00-\x08\x0b-\x1f<>"  # control letters, which bleach shows as a question mark, and what begins or ends a tag
_TEXT = rf"[^{_PLAIN}&]*(?:&(?:amp|lt|gt|quot|#x27|#39);[^{_PLAIN}&]*)*"
_MARK = re.compile(rf'<(/?)([a-z]+[1-6]?)((?: [a-z-]+="[^{_PLAIN}"]*")*)>')
_WELL_WRITTEN = re.compile(f"{_TEXT}(?:{_MARK.pattern.replace('(/?)', '/?')}{_TEXT})*")


def allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute may stay: its name, where it stands, and its whole value."""
    pattern = _VALUES.get(name)
    return pattern is not None and tag in _ON.get(name, TAGS) and pattern.fullmatch(value) is not None


def sanitizer() -> Callable[[str], str]:
    """Make the filter; the style sheet that our outputs bring along is left out, since the page has it."""
    bleach = bleached()

    def sanitized(markup: str) -> str:
        unstyled = _STYLE.sub("", markup)
        return unstyled if clean(unstyled) else bleach(unstyled)

    return sanitized


def bleached() -> Callable[[str], str]:
    """Make the filter that takes any markup apart, and leaves of it what is on the list."""
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    strict = SanitizeHTML(tags=sorted(TAGS), attributes=allowed, styles=[], strip=False, strip_comments=True)  # type: ignore[no-untyped-call]

    def bleach(markup: str) -> str:
        return str(strict.sanitize_html_tags(markup))  # type: ignore[no-untyped-call]

    return bleach


def clean(markup: str) -> bool:
    """Whether markup is nothing but text and tags of the list, each in its plainest form, and every tag is closed in its turn.

    No tag of the list changes how the text behind it is read (as script, style, svg or textarea do), so a reader of HTML
    sees the tags that stand here, and no other (html.spec.whatwg.org/multipage/parsing.html#parsing-main-inbody).
    """
    if not _WELL_WRITTEN.fullmatch(markup):
        return False
    still_open: list[str] = []
    for closes, tag, attributes in _MARK.findall(markup):
        if closes:
            if attributes or not still_open or still_open.pop() != tag:
                return False
        elif not _may_open(tag, attributes):
            return False
        elif tag not in _NEVER_CLOSED:
            still_open.append(tag)
    return not still_open


def _may_open(tag: str, attributes: str) -> bool:
    return tag in TAGS and all(allowed(tag, name, html.unescape(value)) for name, value in _ATTRIBUTE.findall(attributes))
