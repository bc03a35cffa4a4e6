"""A file as a reader puts it together again: what encoders and views put between the letters of a text is left out.

Wide tables break long values by `<wbr>`, terminals colour them, notebooks keep a text as a list of lines, UTF-16 puts a
zero between two letters. Every place in such a view is known as a place in the file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from awsfed_lib.edges.records.needles import Span

_MEANING: Mapping[bytes, bytes] = {
    b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&#34;": b'"', b"&#x27;": b"'", b"&#39;": b"'", b"&amp;": b"&",
    b"\\u003c": b"<", b"\\u003e": b">", b"\\u0026": b"&",
}  # fmt: skip
_BETWEEN = rb"<wbr>|\x1b\[[0-?]{0,16}[ -/]{0,4}[@-~]|\\u001b\[[0-9;]{0,16}[A-Za-z]|\x00"
_LINES = rb'|\\n",\s{0,40}"|\\[nrt]|\s+'


@dataclass(frozen=True)
class View:
    """`content` is what is read; `starts` and `origins`: where its pieces begin, in it and in the file."""

    content: bytes
    starts: tuple[int, ...] = (0,)
    origins: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, content: bytes) -> View:
        """View the file as it is."""
        return cls(content)

    def place(self, span: Span) -> Span:
        """Return where a span of this view stands in the file."""
        return Span(self._origin(span.start), self._origin(span.end - 1) + 1)

    def _origin(self, at: int) -> int:
        piece = bisect_right(self.starts, at) - 1
        return self.origins[piece] + at - self.starts[piece]


@dataclass(frozen=True)
class Seams:
    """What stands between the letters, and what stands for a letter."""

    form: re.Pattern[bytes]

    def view(self, content: bytes) -> View | None:
        """Return the file without these; None when it has none, and is its own view."""
        parts, starts, origins, at, length = list[bytes](), [0], [0], 0, 0
        for seam in self.form.finditer(content):
            piece = content[at : seam.start()] + _MEANING.get(seam[0], b"")
            at = seam.end()
            parts.append(piece)
            length += len(piece)
            starts.append(length)
            origins.append(at)
        return View(b"".join([*parts, content[at:]]), tuple(starts), tuple(origins)) if parts else None


PLAIN = Seams(re.compile(b"|".join([_BETWEEN, *map(re.escape, _MEANING)])))
FLAT = Seams(re.compile(_BETWEEN + _LINES))
