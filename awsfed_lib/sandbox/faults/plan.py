"""Which request meets which fault: rules that count, chances that are drawn from a seed, and what has happened so far."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from awsfed_lib.sandbox.faults.broken import Reply
from awsfed_lib.sandbox.faults.passage import Passage

Mode = Callable[[Passage], Reply]
HANG = 0.5
FOR_EVER = 10**9


@dataclass
class Rule:
    """From the `nth` request that `match` finds in `METHOD path?query`, `times` of them meet `mode`."""

    mode: str
    match: str = ""
    nth: int = 1
    times: int = 1
    seen: int = field(default=0, init=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The modes that it can bring."""
        return (self.mode,)

    def take(self, line: str) -> str:
        """The mode for this request; "" for none."""
        if not re.search(self.match, line):
            return ""
        self.seen += 1
        return self.mode if self.nth <= self.seen < self.nth + self.times else ""


@dataclass
class Chance:
    """Every request that `match` finds meets one of `modes` with probability `rate`, `times` at most; `seed` decides."""

    seed: int
    rate: float
    modes: list[str]
    match: str = ""
    times: int = FOR_EVER
    drawn: random.Random = field(default_factory=random.Random, init=False)

    def __post_init__(self) -> None:
        self.drawn.seed(f"faults/{self.seed}")

    @property
    def names(self) -> tuple[str, ...]:
        """The modes that it can bring."""
        return tuple(self.modes)

    def take(self, line: str) -> str:
        """The mode for this request; "" for none."""
        if self.times <= 0 or not re.search(self.match, line) or self.drawn.random() >= self.rate:
            return ""
        self.times -= 1
        return self.drawn.choice(self.modes)


class Faults:
    """The plan of faults of one side, and the list of those that came about (`fired`).

    `modes`: what each name does; a test may add its own. `hang`: seconds of silence before a connection that hangs is reset.
    `acting`: the name of the mode that is at work as somebody else, "" otherwise: who watches the directory can tell by it.
    """

    def __init__(self, modes: Mapping[str, Mode]) -> None:
        self.modes = dict(modes)
        self.hang, self.acting = HANG, ""
        self.rules: list[Rule | Chance] = []
        self.fired: list[dict[str, Any]] = []
        self.ended: set[str] = set()  # Authorization headers that are not accepted any more
        self.count = 0
        self._lock = threading.Lock()

    def plan(self, *content: Mapping[str, Any]) -> None:
        """Take these rules and chances instead of those before. Raises ValueError for what is neither, or for an unknown mode."""
        rules = [_read(one) for one in content]
        unknown = sorted({name for rule in rules for name in rule.names} - set(self.modes))
        if unknown:
            raise ValueError(f"There is no fault {unknown[0]!r}; there are {', '.join(sorted(self.modes))}.")
        with self._lock:
            self.rules = rules

    def clear(self) -> None:
        """No faults from now on, and an empty list of what came about."""
        with self._lock:
            self.rules, self.fired, self.count = [], [], 0
            self.ended.clear()

    def take(self, line: str) -> str:
        """The mode for this request, noted; "" for none. The first rule that has one wins, and all of them count."""
        with self._lock:
            self.count += 1
            found = [mode for mode in [rule.take(line) for rule in self.rules] if mode]
            if not found:
                return ""
            self.fired.append({"number": self.count, "mode": found[0], "request": line})
            return found[0]

    @property
    def state(self) -> dict[str, Any]:
        """What `GET /sandbox/faults` answers."""
        shown = [{one.name: getattr(rule, one.name) for one in fields(rule) if one.name != "drawn"} for rule in self.rules]
        return {"plan": shown, "fired": list(self.fired), "requests": self.count, "modes": sorted(self.modes), "hang": self.hang}


def _read(given: Any) -> Rule | Chance:
    if not isinstance(given, Mapping):
        raise ValueError(f"A fault is an object, not {given!r}.")  # noqa: TRY004  answered as a wrong value
    try:
        made = Chance(**given) if "rate" in given else Rule(**given)
        re.compile(made.match)
    except (TypeError, re.error) as wrong:
        raise ValueError(f"{given!r} is no fault: {wrong}") from None
    if not all(isinstance(name, str) for name in made.names) or not _counts(made):
        raise ValueError(f"{given!r} is no fault: names are text, nth and times whole numbers from 1, and rate is between 0 and 1.")
    return made


def _counts(made: Rule | Chance) -> bool:
    if isinstance(made, Chance):
        return bool(made.modes) and type(made.times) is int and isinstance(made.rate, int | float) and 0 <= made.rate <= 1
    return all(type(number) is int and number >= 1 for number in (made.nth, made.times))
