"""When to ask again: Retry-After, exponential pauses with jitter, and a deadline. The clock is injected.

learn.microsoft.com graph/throttling: wait what Retry-After says, else back off exponentially; its own sample shows a
fraction (`2.128`), HTTP allows a date, and nothing may be sent before it is due.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Time as the edges see it: `now` (UTC), `ticks` (monotonic seconds), `sleep`, and `jitter` in [0, 1)."""

    now: Callable[[], datetime] = _utc
    ticks: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random


@dataclass(frozen=True)
class Limits:
    """How long one operation may be tried: `attempts`, `deadline` in seconds, first and longest pause of its own."""

    attempts: int = 8
    deadline: float = 300.0
    first: float = 1.0
    longest: float = 30.0


class Exhausted(Exception):  # noqa: N818  it is a state, caught by the transport and told in its own words
    """No further try: says why, and when it is worth while again."""


@dataclass
class Pace:
    """The pauses of one operation."""

    clock: Clock
    limits: Limits
    tries: int = 1
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.clock.ticks()

    def pause(self, asked: float | None) -> float:
        """Seconds until the next try, at least what the service `asked` for. Raises Exhausted when there is none."""
        wait = self._jittered(asked)
        if self.tries >= self.limits.attempts:
            raise Exhausted(f"{self.tries} tries were in vain.")
        if self.clock.ticks() - self.started + wait > self.limits.deadline:
            due = self.clock.now() + timedelta(seconds=min(wait, 10**8))
            raise Exhausted(f"It asks to wait {wait:.0f} s, longer than one run waits; try again after {due:%Y-%m-%d %H:%MZ}.")
        self.tries += 1
        return wait

    def _jittered(self, asked: float | None) -> float:
        own = min(self.limits.first * 2.0 ** (self.tries - 1), self.limits.longest)
        if asked is None:
            return own * (0.5 + self.clock.jitter())
        return asked + min(own, 1.0) * self.clock.jitter()


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that Retry-After asks for: a number, a fraction or a date; None when it is missing or malformed.

    A date is measured against the Date of the same answer, so that a wrong local clock does no harm.
    """
    text = headers.get("Retry-After", "").strip()
    if SECONDS.fullmatch(text):
        return float(text)
    due, sent = _date(text), _date(headers.get("Date", ""))
    return None if due is None else max(0.0, (due - (sent or now)).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
