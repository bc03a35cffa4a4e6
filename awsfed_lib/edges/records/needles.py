"""Finds many known values at once in a large file: every form of every secret, in one pass over the bytes.

Each value is entered by its first eight bytes; all windows of eight bytes of the file are looked up in a table of bits,
and only where one is set are the values compared. Thousands of values over ten megabytes take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from awsfed_lib.core.settings.disguises import disguises

WINDOW = 8
_BITS = 20
_ODD = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash: 2^64 over the golden ratio
_SHIFT = np.uint64(64 - _BITS)


class Span(NamedTuple):
    """Where something stands: the first byte, and the one behind the last."""

    start: int
    end: int


class Needles:
    """All forms of `secrets`, ready to be looked for."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._by_head: dict[bytes, list[bytes]] = {}
        for form in sorted({form for secret in secrets for form in disguises(secret)}):
            self._by_head.setdefault(form[:WINDOW], []).append(form)
        self._table = np.zeros(1 << _BITS, dtype=bool)
        heads = np.frombuffer(b"".join(self._by_head), dtype="<u8")
        self._table[(heads * _ODD) >> _SHIFT] = True

    def spans(self, content: bytes) -> list[Span]:
        """Return where any of them stands in `content`, in order; those that touch are one."""
        return joined(self._found(content)) if self._by_head else []

    def _found(self, content: bytes) -> Iterator[Span]:
        for offset in range(min(WINDOW, max(0, len(content) - WINDOW + 1))):
            words = np.frombuffer(content, dtype="<u8", count=(len(content) - offset) // WINDOW, offset=offset)
            for at in np.flatnonzero(self._table[(words * _ODD) >> _SHIFT]).tolist():
                start = offset + at * WINDOW
                yield from self._at(content, start)

    def _at(self, content: bytes, start: int) -> Iterator[Span]:
        for form in self._by_head.get(content[start : start + WINDOW], ()):
            if content.startswith(form, start):
                yield Span(start, start + len(form))

    def __repr__(self) -> str:
        return f"Needles({len(self._by_head)})"


def joined(spans: Iterator[Span] | list[Span]) -> list[Span]:
    """Return `spans` in order, with those that overlap or touch as one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged
