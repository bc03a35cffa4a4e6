"""The write-ahead journal of one run: what is about to be sent is on disk before it is sent.

One JSON object a line. Each line holds its number, a CRC-32 of itself and the SHA-256 of the line before, so that a
flipped byte, a line that is gone from the middle and two lines in another order are all found; what is cut off at the
end is found because the last line of a finished run is its seal. A line without its end is what a power cut leaves: it
was never acted upon, and is passed over.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from awsfed_lib.core.apply import Approval, Sending
from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.tables import canonical
from awsfed_lib.edges.records import approval, durable
from awsfed_lib.edges.records.lock import Locks

FILE, SNAPSHOTS = "journal.jsonl", "snapshots"
BEFORE_THE_FIRST = "0" * 64
SEAL = "seal"
_SAFE = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)
_LONGEST_NAME = 80


class Line(NamedTuple):
    """One line of a journal as read: its number, time, event and fields, and the SHA-256 of its bytes."""

    number: int
    at: str
    event: str
    fields: Mapping[str, Any]
    digest: str


class Journal:
    """The open journal of one run; implements `apply.Journal`. Safe to call from several threads."""

    def __init__(self, folder: Path, locks: Locks, clock: Callable[[], datetime], runbook: str = "") -> None:
        """Open a new journal in `folder`; raises RecordError when there is one, or when it cannot be written."""
        self.path, self.runbook = folder / FILE, runbook
        self._locks, self._clock, self.began = locks, clock, clock()
        self._number, self._previous, self._length, self._ended = 0, BEFORE_THE_FIRST, 0, ""
        self._turn = threading.Lock()
        try:
            self._descriptor = durable.opened(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            durable.sync_folder(folder)
        except FileExistsError:
            raise RecordError(
                "This run has a journal already.", where=str(self.path), remedy="Begin a new run: run the first cell."
            ) from None
        except OSError as error:
            raise durable.not_recorded(self.path, error) from error

    def note(self, event: str, **fields: object) -> None:
        """Append one line, and return when it is on disk. Raises RecordError, and from then on takes no more lines."""
        with self._turn:
            if self._ended:
                raise RecordError(
                    f"{self._ended}; nothing more is noted.", where=str(self.path), remedy="Begin a new run: run the first cell."
                )
            line = sealed_line(self._number + 1, _moment(self._clock()), event, fields, self._previous)
            self._append(line)
            self._number += 1
            self._previous = hashlib.sha256(line).hexdigest()
            self._length += len(line) + 1
            self._ended = "This run is finished" if event == SEAL else ""

    def _append(self, line: bytes) -> None:
        """Write behind the last whole line: an interrupted write before this one must not stand in the middle."""
        try:
            os.ftruncate(self._descriptor, self._length)
            os.lseek(self._descriptor, self._length, os.SEEK_SET)
            rest = line + b"\n"
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            self._ended = "The journal could not be written"
            raise durable.not_recorded(self.path, error) from error

    def keep(self, name: str, content: bytes) -> None:
        """Keep a snapshot in a file of its own, with its digest in the journal. A name that is there gets a number."""
        folder = durable.folder(self.path.parent / SNAPSHOTS)
        path = _free(folder, _file_name(name))
        durable.write_new(path, content)
        self.note("snapshot", name=name, file=f"{SNAPSHOTS}/{path.name}", sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))

    def approval(self, plan_id: str) -> Approval:
        """Tell how long ago the id was shown, where no journal says so since this run began; and the run that used it."""
        return approval.read(self.path.parent.parent, self._clock()).approval(plan_id, self.began)

    def sent_before(self, realm: str, creates: str) -> list[Sending]:
        """Find the earlier sendings of what a request `creates` in `realm`, this run's included; raises RecordError as `read` does."""
        found = [sending for folder in _creating(self.path.parent.parent) for sending in _sendings(folder, realm, creates)]
        return [Sending(run, self._clock() - datetime.fromisoformat(at), object_id) for run, at, object_id in found]

    def hold(self, key: str) -> AbstractContextManager[None]:
        """Hold the lock of one subject; raises LockedError when another run has it."""
        return self._locks.hold(key)

    def seal(self, verdict: str, **fields: object) -> None:
        """Append the last line, with the verdict of the run."""
        self.note(SEAL, verdict=verdict, **fields)

    def close(self) -> None:
        """Close the file; a journal that is closed without a seal is that of an unfinished run."""
        self._ended = self._ended or "This run is closed"
        os.close(self._descriptor)

    @property
    def head(self) -> str:
        """The SHA-256 of the last line: who keeps it elsewhere can tell later whether lines are gone."""
        return self._previous


def sealed_line(number: int, at: str, event: str, fields: Mapping[str, object], previous: str) -> bytes:
    """Return one line without its end. Raises RecordError for fields that are no JSON values."""
    try:
        line = {"at": at, "event": event, "fields": dict(fields), "number": number, "previous": previous}
        return canonical({**line, "crc": _crc(line)}).encode()
    except (TypeError, ValueError) as error:
        raise RecordError(f"The journal cannot hold the event {event}: {error}.") from None


def _crc(line: Mapping[str, object]) -> str:
    return f"{zlib.crc32(canonical(line).encode()):08x}"


def _moment(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds")


def _file_name(name: str) -> str:
    """Return a file name for any name: readable where it can be, and never the same for two names."""
    plain = _SAFE.sub("-", name).strip("-.")[:_LONGEST_NAME]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _free(folder: Path, stem: str) -> Path:
    taken = {path.name for path in folder.iterdir()}
    names = (f"{stem}{'' if count == 1 else f'-{count}'}.json" for count in range(1, len(taken) + 2))
    return folder / next(name for name in names if name not in taken)


def read(folder: Path) -> list[Line]:
    """Read the journal in `folder`; a last line without its end is passed over.

    Raises RecordError, naming the line, when a line is damaged, missing or out of order.
    """
    path = folder / FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"The journal cannot be read: {error.strerror}.", where=str(path)) from error
    *whole, _torn = content.split(b"\n")
    lines: list[Line] = []
    for raw in whole:
        previous = lines[-1].digest if lines else BEFORE_THE_FIRST
        line = parsed(raw, len(lines) + 1, previous)
        if line is None or (lines and lines[-1].event == SEAL):
            raise RecordError(
                f"Line {len(lines) + 1} of the journal is not as it was written.",
                where=str(path),
                remedy="Do not trust this record. Run the runbook again: it plans from what is live.",
            )
        lines.append(line)
    return lines


def parsed(raw: bytes, number: int, previous: str) -> Line | None:
    """Return the line when its bytes are exactly those that would be written for what it says, else None.

    `number`, `previous`: its place, and the digest of the line before.
    """
    try:
        said = json.loads(raw)
        line = Line(said["number"], said["at"], said["event"], said["fields"], hashlib.sha256(raw).hexdigest())
        expected = sealed_line(number, line.at, line.event, line.fields, previous)
    except (ValueError, TypeError, KeyError, RecursionError, RecordError):
        return None
    return line if raw == expected else None


def _creating(runs: Path) -> Iterator[Path]:
    """Folders of the runs whose journals tell of creations; a journal that cannot be read might, and is read to say why not."""
    for path in sorted(runs.glob(f"*/{FILE}")):
        try:
            creating = b'"creates"' in path.read_bytes()
        except OSError:
            creating = True
        if creating:
            yield path.parent


def _sendings(folder: Path, realm: str, creates: str) -> list[tuple[str, str, str]]:
    """Record, time and object id ("" without an answer) of each sending of this creation that was not refused."""
    found: list[tuple[str, str, str]] = []
    for line in read(folder):
        if (line.fields.get("realm"), line.fields.get("creates")) != (realm, creates):
            continue
        if line.event == "intent":
            found.append((folder.name, line.at, ""))
        elif line.event == "answer" and line.fields["fate"] == "refused":
            found.pop()
        elif line.event == "answer":
            found[-1] = (*found[-1][:2], str(line.fields["object_id"]))
    return found


def verdict(lines: list[Line]) -> str:
    """Return the verdict of the seal; "" when the run never finished."""
    return str(lines[-1].fields.get("verdict", "")) if lines and lines[-1].event == SEAL else ""
