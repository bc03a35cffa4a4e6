"""One output of an executed cell, as HTML for a record: ours as it is, everything else as text, and nothing that runs."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from awsfed_lib.core.view.escape import visible, visible_lines
from awsfed_lib.core.view.markup import block, box, folded, scroll
from awsfed_lib.core.view.notice_view import in_words

OURS = '<div class="awsfed">'
WIDGET = "application/vnd.jupyter.widget-view+json"
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_STARTS = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}
_LONG_TRACE, _LONG_ALT = 3, 1_000


class _Size(NamedTuple):
    """So much text is always on the screen, on a phone too."""

    lines: int
    letters: int


_SHORT = _Size(10, 500)


def output_html(output: Mapping[str, Any], sanitized: Callable[[str], str]) -> str:
    """Draw an output of nbformat 4: stream, error, display_data or execute_result; HTML that it brings goes through `sanitized`."""
    kind = output.get("output_type")
    if kind == "stream":
        text = text_of(output.get("text", ""))
        return _printed(text) if output.get("name") == "stdout" else f'<div class="log">{_printed(text)}</div>'
    if kind == "error":
        return _error(output)
    return _bundle(output.get("data", {}), sanitized)


def _bundle(found: Mapping[str, Any], sanitized: Callable[[str], str]) -> str:
    """Our own HTML first, then pictures, then the text that every output has."""
    markup = _joined(found.get("text/html", ""))
    if markup.startswith(OURS):
        return sanitized(markup)
    if WIDGET in found:
        return '<pre class="log">A live widget stood here; a record holds only what stays.</pre>'
    picture = _picture(found)
    if picture:
        return f"{OURS}{scroll('plot', picture)}</div>"
    text = _joined(found.get("text/plain", "")) or markup
    return _printed(text_of(text)) if text else ""


def _printed(inner: str) -> str:
    """Lines as they are; what may not fit on a small screen scrolls in a box that the keyboard reaches."""
    return block("what was printed", inner) if inner.count("\n") > _SHORT.lines or len(inner) > _SHORT.letters else f"<pre>{inner}</pre>"


def _picture(found: Mapping[str, Any]) -> str:
    """Draw a picture: in an img element it runs no script and loads nothing, an SVG included."""
    alt = _attribute(_joined(found.get("text/plain", "picture")))
    if "image/svg+xml" in found:
        encoded = base64.b64encode(_joined(found["image/svg+xml"]).encode("utf-8", "replace")).decode()
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{encoded}">'
    for kind, start in _STARTS.items():
        content = "".join(_joined(found.get(kind, "")).split())
        if _decoded(content).startswith(start):
            return f'<img alt="{alt}" src="data:{kind};base64,{content}">'
    return ""


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return b""


def _error(output: Mapping[str, Any]) -> str:
    """Our errors say everything in their message; the stack of any other is folded below it."""
    said = text_of(output.get("evalue", ""))
    trace = text_of("\n".join(output.get("traceback", [])))
    stack = block("stack", trace) if trace.count("\n") > said.count("\n") + _LONG_TRACE else ""
    title = text_of(in_words(str(output.get("ename", "Error"))))
    inner = box(f"<p><strong>✕ {title}</strong></p><pre>{said}</pre>", "bad")
    return f"{OURS}{inner}{folded('where in the code', stack) if stack else ''}</div>"


def text_of(text: object) -> str:
    """Text for the inside of a pre element: no terminal codes, nothing hidden."""
    plain = visible_lines(_TERMINAL.sub("", _joined(text)))
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return text_of(visible(text, _LONG_ALT)).replace('"', "&quot;")


def _joined(text: object) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)
