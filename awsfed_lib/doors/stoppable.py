"""Ctrl-C and SIGTERM end a run once, and leave it the time to seal its record."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

PATIENCE = 4  # who asks that often wants it to end at once
WORDS = "Stopping; the record is being sealed."


@contextlib.contextmanager
def stoppable(say: Callable[[str], None], words: str = WORDS) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM interrupt the run, once: while the kernel is stopped and the record is sealed, `words` is the answer.

    SIGTERM would otherwise kill the runner with its kernel still sending (github.com/nteract/papermill issue 508).
    """
    asked = 0

    def stop(*_: object) -> None:
        nonlocal asked
        asked += 1
        if asked in (1, PATIENCE):
            raise KeyboardInterrupt
        say(words)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
