"""One writer per object among the runs of one folder: a lock of the operating system, held by the process that writes.

The kernel holds it, not the runner: papermill can be killed while its kernel is still sending. The system releases the
lock when its holder dies, whatever the reason, so there is nothing to break, to time out or to delete (`exclusive`). It
does not reach another clone or another machine: there, Graph's answer to a changed table and the drift check before each
send remain. A machine-wide lock would need a place that every user of the machine may write to.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from awsfed_lib.core.errors import LockedError
from awsfed_lib.edges.records import durable, exclusive

PAUSE = 0.05


@dataclass(frozen=True)
class Locks:
    """The locks below `folder`.

    `holder` is what others are told about us (runbook, record; no secrets). `patience`: seconds to wait for a holder
    that is just going: an orphaned kernel notices within a second or two that its parent is gone.
    """

    folder: Path
    holder: dict[str, str] = field(default_factory=dict)
    patience: float = 5.0

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        """Hold the lock of `key`, the key of a subject, while the context is open.

        Raises LockedError when another has it for longer than our patience, RecordError when there can be no lock.
        """
        descriptor = self._open(key)
        try:
            self._take(key, descriptor)
            self._sign(key, descriptor)
            yield
        finally:
            os.close(descriptor)

    def path(self, key: str) -> Path:
        """Return the lock file of `key`; it stays there for ever, since removing it would let two hold one lock."""
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.lock"

    def _open(self, key: str) -> int:
        path = self.path(key)
        durable.folder(self.folder)
        try:
            return durable.opened(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise durable.not_recorded(path, error) from error

    def _take(self, key: str, descriptor: int) -> None:
        deadline = time.monotonic() + self.patience
        while not exclusive.taken(descriptor):
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"Another run holds this object{_told(descriptor)}; nothing was sent.",
                    where=key,
                    remedy="Wait for it to end, then run again: the plan is made anew from what is live.",
                )
            time.sleep(PAUSE)

    def _sign(self, key: str, descriptor: int) -> None:
        """Leave word of who holds the lock; only for people, so a full disk is no reason to stop here."""
        words = json.dumps({"key": key, "pid": os.getpid(), **self.holder}, ensure_ascii=False).encode()
        try:
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, words)
        except OSError:
            return


def _told(descriptor: int) -> str:
    """Say who holds the lock, as far as the holder left word."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        told = json.loads(os.read(descriptor, 4096))
        words = [f"{name} {told[name]}" for name in ("runbook", "record", "pid") if name in told]
    except (OSError, ValueError, TypeError):
        words = []
    return f" ({', '.join(words)})" if words else ""
