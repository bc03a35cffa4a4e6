"""How far it is: a bar for a person at a live notebook, plain lines for everything else.

A bar in an executed notebook stays at "0%" for ever: tqdm's widget keeps its first text as the only static form
(github.com/nteract/papermill issue 617). So a bar is drawn only where somebody watches, and gives way to one line at the
end; a run without a person gets a line every few seconds on stderr, and one at the end, which is what the record keeps.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeVar
from uuid import uuid4

from awsfed_lib.core.view.markup import duration
from awsfed_lib.core.view.notice_view import notice

Item = TypeVar("Item")
HEADLESS = "AWSFED_HEADLESS"
TERMINAL = "AWSFED_TERMINAL"  # whether somebody watches a run that cannot ask, and can sign in elsewhere
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
    return (told if headless() else _drawn)(iterable, Told(label, expected, sys.stderr), problem)


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
        """Count one item."""
        self.seen += 1
        self.problems += bool(problem)

    def write_now_and_then(self) -> None:
        """Write a line when the last one is `every` seconds ago."""
        now = self.clock()
        if now - self.last >= self.every:
            self.last = now
            self.write("after")

    def write(self, word: str) -> None:
        """Write the line."""
        print(self.line(word), file=self.out, flush=True)

    def line(self, word: str) -> str:
        """Say `accounts 57/212 after 12 s`."""
        of = "" if self.total is None else f"/{self.total}"
        problems = f", {self.problems} problem{'s' * (self.problems != 1)}" if self.problems else ""
        return f"{self.label} {self.seen}{of} {word} {duration(self.clock() - self.started)}{problems}"


@dataclass(frozen=True)
class Shown:
    """How it is shown: what is done after each item, and at the end, which is told the word for how it came."""

    step: Callable[[], object]
    end: Callable[[str], object]


def _counted(iterable: Iterable[Item], teller: Told, problem: Callable[[Item], Any], shown: Shown) -> Iterator[Item]:
    """Yield the items, count them and show it; the word for the end is `in` when all came, `stopped after` when not."""
    ending = "stopped after"
    try:
        for item in iterable:
            teller.count(problem(item))
            shown.step()
            yield item
        ending = "in"
    finally:
        shown.end(ending)


def told(iterable: Iterable[Item], teller: Told, problem: Callable[[Item], Any]) -> Iterator[Item]:
    """Yield the items, and write lines of them."""
    return _counted(iterable, teller, problem, Shown(teller.write_now_and_then, teller.write))


def _drawn(iterable: Iterable[Item], teller: Told, problem: Callable[[Item], Any]) -> Iterator[Item]:
    """Yield the items and draw a bar; in its place stands, and is saved, the line that tells how it ended."""
    from IPython.display import display, update_display
    from tqdm.notebook import tqdm

    bar = tqdm(desc=teller.label, total=teller.total, display=False)
    place = uuid4().hex
    display(bar.container, display_id=place)  # type: ignore[no-untyped-call]  # IPython types only a part of itself

    def replaced(ending: str) -> None:
        bar.close()
        update_display(notice(teller.line(ending)), display_id=place)  # type: ignore[no-untyped-call]  # as above

    yield from _counted(iterable, teller, problem, Shown(bar.update, replaced))
