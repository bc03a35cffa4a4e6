"""The chain over all runs: `runs/chain.jsonl` has one line for every record that was sealed or fetched, and for everything retired.

A line holds the digest of the record's run.json, which holds the digests of all its files, and the digest of the line
before; so no record can be changed, added, taken away or put elsewhere in time without the chain telling. Who keeps the
last line's digest elsewhere (every run prints it), or has the lines signed, also finds a chain that was made anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import durable
from awsfed_lib.edges.records.journal import BEFORE_THE_FIRST, Line, parsed, sealed_line
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.signing import Signer

FILE, SEALED, RETIRED, EMPTIED, FETCHED = "chain.jsonl", "sealed", "retired", "emptied", "fetched"
LOCK = "the chain of the records"
_TAIL = 1 << 16
Clock = Callable[[], datetime]


def lock(runs: Path) -> AbstractContextManager[None]:
    """Hold the lock of the chain: one run appends at a time, and waits for another that does."""
    return Locks(runs / ".locks", patience=30.0).hold(LOCK)


def append(runs: Path, event: str, fields: Mapping[str, object], *, clock: Clock, signer: Signer | None) -> None:
    """Append a line; returns once it is on disk. The caller holds `lock`.

    Raises RecordError when the last line is damaged: what follows it would vouch for it.
    """
    path = runs / FILE
    end, whole = _end(path)
    number, previous = (end.number + 1, end.digest) if end else (1, BEFORE_THE_FIRST)
    line = written(number, clock, event, fields, previous, signer)
    _write(path, line, whole)


def written(number: int, clock: Clock, event: str, fields: Mapping[str, object], previous: str, signer: Signer | None) -> bytes:  # noqa: PLR0913, PLR0917  the parts of a line
    """Return a line as it is written, without its end: dated now, and signed where there is a signer."""
    at = clock().astimezone(UTC).isoformat(timespec="seconds")
    if signer is None:
        return sealed_line(number, at, event, fields, previous)
    named = {**fields, "key": signer.name}
    return sealed_line(number, at, event, {**named, "signature": signer.sign(content(number, at, event, named, previous))}, previous)


def content(number: int, at: str, event: str, fields: Mapping[str, object], previous: str) -> bytes:
    """Return what is signed of a line: all of it but the signature."""
    return sealed_line(number, at, event, {name: value for name, value in fields.items() if name != "signature"}, previous)


def last(runs: Path) -> Line | None:
    """Return the last line, None for none. Raises RecordError when it is damaged."""
    return _end(runs / FILE)[0]


def _end(path: Path) -> tuple[Line | None, int]:
    """Return the last whole line, None for none, and how many bytes are whole lines; a torn end is what a power cut leaves."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - _TAIL))
            tail = file.read()
    except FileNotFoundError:
        return None, 0
    whole = tail.rfind(b"\n") + 1
    if not whole and start:
        raise _damaged(path, "The end")  # more than any line has: what is before it must not be written over
    if not whole:
        return None, 0
    raw = tail[: whole - 1].rpartition(b"\n")[2]
    line = alone(raw)
    if line is None:
        raise _damaged(path, "The last line")
    return line, start + whole


def alone(raw: bytes) -> Line | None:
    """Read one line without those before it; None when it is not as it was written."""
    import json

    try:
        said = json.loads(raw)
        return parsed(raw, said["number"], said["previous"])
    except (ValueError, TypeError, KeyError):
        return None


def _write(path: Path, line: bytes, whole: int) -> None:
    try:
        descriptor = durable.opened(path, os.O_RDWR | os.O_CREAT)
        with os.fdopen(descriptor, "r+b") as file:
            file.truncate(whole)
            file.seek(whole)
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        durable.sync_folder(path.parent)
    except OSError as error:
        raise durable.not_recorded(path, error) from error


def read(runs: Path) -> list[Line]:
    """Read the whole chain, oldest line first. Raises RecordError that names the first line which is not as it was written."""
    path = runs / FILE
    try:
        *whole, _torn = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"The chain cannot be read: {error.strerror}.", where=str(path)) from error
    lines: list[Line] = []
    for raw in whole:
        line = parsed(raw, len(lines) + 1, lines[-1].digest if lines else BEFORE_THE_FIRST)
        if line is None:
            raise _damaged(path, f"Line {len(lines) + 1}")
        lines.append(line)
    return lines


def _damaged(path: Path, which: str) -> RecordError:
    remedy = "Bring chain.jsonl back from a copy. Records after that line are proven by the copy only."
    return RecordError(f"{which} of the chain is not as it was written.", where=str(path), remedy=remedy)
