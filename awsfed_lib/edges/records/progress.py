"""How far it is: a bar for a person at a live notebook, plain lines for everything else.

A bar in an executed notebook stays at "0%" for ever: tqdm's widget keeps its first text as the only static form
(github.com/nteract/papermill issue 617). So a bar is drawn only where somebody watches; a run without a person gets a
line every few seconds on stderr, and one line at the end, which is what the record keeps.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeVar

from awsfed_lib.core.view.markup import duration

Item = TypeVar("Item")
HEADLESS = "AWSFED_HEADLESS"
EVERY = 5.0


def progress(
    iterable: Iterable[Item],
    label: str,
    total: int | None = None,
    *,
    problem: Callable[[Item], object] = lambda _: False,
) -> Iterator[Item]:
    """Yield the items of `iterable` and show how many of `total` there were: `accounts 212/212 in 41 s, 3 problems`.

    `total` is taken from the iterable where it has a length. `problem(item)` is true for an item that counts as one.
    """
    expected = len(iterable) if total is None and isinstance(iterable, Sized) else total
    if headless():
        return told(iterable, Told(label, expected, sys.stderr), problem)
    return _drawn(iterable, label, expected)


def headless() -> bool:
    """Whether nobody watches. AWSFED_HEADLESS=1 or =0 decides; otherwise a kernel that can ask questions is live.

    papermill and nbclient execute with stdin switched off, JupyterLab with stdin on; ipykernel keeps that in a private
    attribute, and there is no public sign. When in doubt: headless, which never waits.
    """
    said = os.environ.get(HEADLESS, "")
    return said != "0" if said else not _kernel_asks()


def _kernel_asks() -> bool:
    interactive = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return bool(getattr(getattr(interactive, "kernel", None), "_allow_stdin", False))


def _drawn(iterable: Iterable[Item], label: str, total: int | None) -> Iterator[Item]:
    from tqdm.auto import tqdm

    yield from tqdm(iterable, desc=label, total=total)


@dataclass
class Told:
    """Counts items and writes a line now and then; `clock` is in seconds."""

    label: str
    total: int | None
    out: TextIO
    clock: Callable[[], float] = time.monotonic
    every: float = EVERY
    seen: int = 0
    problems: int = 0
    started: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.last = self.clock()

    def count(self, problem: object) -> None:
        """Count one item; write a line when the last one is `every` seconds ago."""
        self.seen += 1
        self.problems += bool(problem)
        now = self.clock()
        if now - self.last >= self.every:
            self.last = now
            self.write("after")

    def write(self, word: str) -> None:
        """Write `accounts 57/212 after 12 s`."""
        of = "" if self.total is None else f"/{self.total}"
        problems = f", {self.problems} problem{'s' * (self.problems != 1)}" if self.problems else ""
        print(f"{self.label} {self.seen}{of} {word} {duration(self.clock() - self.started)}{problems}", file=self.out, flush=True)


def told(iterable: Iterable[Item], teller: Told, problem: Callable[[Item], Any]) -> Iterator[Item]:
    """Yield the items and tell of them; the last line says `in` when all came, `stopped after` when not."""
    ending = "stopped after"
    try:
        for item in iterable:
            teller.count(problem(item))
            yield item
        ending = "in"
    finally:
        teller.write(ending)
