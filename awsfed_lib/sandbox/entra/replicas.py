"""Replicas that are behind: after a write, reads of an object still show what was there before, for some reads or for some minutes.

Deterministic: which reads are stale follows from the seed, the object and how often it was written or read, not from threads.
The rule is Microsoft's own description: app-only tokens have no consistency across requests, newly created objects may be
missing, and a fresh answer can be followed by a stale one (devblogs.microsoft.com/identity/
designing-for-eventual-consistency-for-microsoft-entra, 2026-03-24). Minutes are those of the tenant's own clock, which tests move
(`Tenant.pass_time`, POST /sandbox/time): the real directory needs up to twelve (terraform-provider-azuread waits that long).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True)
class _Past:
    """What replicas still show of one object, since when, and until when per channel."""

    before: Any
    since: datetime
    until: Mapping[Channel, datetime]

    def shown(self, channel: Channel, now: datetime, chance: float) -> bool:
        """Always in the first half of the time; in the second half some replicas are up to date."""
        half = self.since + (self.until[channel] - self.since) / 2
        return now < half or (now < self.until[channel] and chance < 0.5)


@dataclass
class Replicas:
    """The objects of which replicas are still behind."""

    seed: int
    _past: dict[Ref, list[_Past]] = field(default_factory=dict)  # oldest first
    _reads: dict[Ref, int] = field(default_factory=dict)
    _lags: dict[Ref, _Lag] = field(default_factory=dict)
    _writes: dict[Ref, int] = field(default_factory=dict)

    def note(self, ref: Ref, before: Any, reads: int) -> None:
        """An object was written; `before` is what it was (None: it did not exist), `reads` how many stale reads follow."""
        if reads == 0:
            return
        nth = self._writes[ref] = self._writes.get(ref, 0) + 1
        channels: tuple[Channel, Channel] = ("object", "list")
        self._lags[ref] = _Lag(before, {one: _pattern(f"{self.seed}/{ref}/{nth}/{one}", reads) for one in channels})

    def keep(self, ref: Ref, before: Any, since: datetime, until: Mapping[Channel, datetime]) -> None:
        """An object was written; `before` is shown until those times."""
        self._past.setdefault(ref, []).append(_Past(before, since, until))

    def read(self, channel: Channel, ref: Ref, current: Any, now: datetime) -> Any:
        """What this read sees of the object: the oldest state that its replica still shows."""
        if ref in self._past:
            self._past[ref] = [one for one in self._past[ref] if now < max(one.until.values())]
            self._reads[ref] = self._reads.get(ref, 0) + 1
            chance = random.Random(f"{self.seed}/{ref}/{self._reads[ref]}").random()
            shown = [past.before for past in self._past[ref] if past.shown(channel, now, chance)]
            if shown:
                return shown[0]
        return self._counted(channel, ref, current)

    def _counted(self, channel: Channel, ref: Ref, current: Any) -> Any:
        lag = self._lags.get(ref)
        if lag is None:
            return current
        seen = lag.before if lag.take(channel) else current
        if lag.over:
            del self._lags[ref]
        return seen

    def lagging(self, table: str) -> Iterator[tuple[str, Any]]:
        """Keys of that table whose replicas are behind, with what they still show."""
        yield from ((ref[1], lag.before) for ref, lag in list(self._lags.items()) if ref[0] == table)
        yield from ((ref[1], past.before) for ref, held in list(self._past.items()) if ref[0] == table for past in held)


def _pattern(seed: str, stale: int) -> list[bool]:
    """`stale` stale reads; now and then a fresh one between two of them."""
    chance = random.Random(seed)
    pattern = [True]
    for _ in range(stale - 1):
        pattern += [False, True] if chance.random() < 0.4 else [True]
    return pattern
