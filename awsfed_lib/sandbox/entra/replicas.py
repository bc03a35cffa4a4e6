"""Replicas that are behind: after a write, some of the next reads of an object still show what was there before.

Deterministic: which reads are stale follows from the seed, the object and how often it was written, not from threads or time.
The rule is Microsoft's own description: app-only tokens have no consistency across requests, newly created objects may be
missing, and a fresh answer can be followed by a stale one (devblogs.microsoft.com/identity/
designing-for-eventual-consistency-for-microsoft-entra, 2026-03-24).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Channel = Literal["object", "list"]
Ref = tuple[str, str]  # table, key


@dataclass
class _Lag:
    """What a replica still shows of one object, and for which of the next reads; lists lag on their own."""

    before: Any
    reads: dict[Channel, list[bool]]

    def take(self, channel: Channel) -> bool:
        coming = self.reads[channel]
        return coming.pop() if coming else False

    @property
    def over(self) -> bool:
        return not any(self.reads.values())


@dataclass
class Replicas:
    """The objects of which replicas are still behind."""

    seed: int
    _lags: dict[Ref, _Lag] = field(default_factory=dict)
    _writes: dict[Ref, int] = field(default_factory=dict)

    def note(self, ref: Ref, before: Any, reads: int) -> None:
        """An object was written; `before` is what it was (None: it did not exist), `reads` how many stale reads follow."""
        if reads == 0:
            return
        nth = self._writes[ref] = self._writes.get(ref, 0) + 1
        channels: tuple[Channel, Channel] = ("object", "list")
        self._lags[ref] = _Lag(before, {one: _pattern(f"{self.seed}/{ref}/{nth}/{one}", reads) for one in channels})

    def read(self, channel: Channel, ref: Ref, current: Any) -> Any:
        """What this read sees of the object."""
        lag = self._lags.get(ref)
        if lag is None:
            return current
        seen = lag.before if lag.take(channel) else current
        if lag.over:
            del self._lags[ref]
        return seen

    def lagging(self, table: str) -> Iterator[tuple[str, Any]]:
        """Keys of that table whose replicas are behind, with what they still show."""
        return ((ref[1], lag.before) for ref, lag in list(self._lags.items()) if ref[0] == table)


def _pattern(seed: str, stale: int) -> list[bool]:
    """`stale` stale reads; now and then a fresh one between two of them."""
    chance = random.Random(seed)
    pattern = [True]
    for _ in range(stale - 1):
        pattern += [False, True] if chance.random() < 0.4 else [True]
    return pattern
