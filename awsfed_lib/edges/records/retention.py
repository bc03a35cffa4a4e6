"""Taking away old records, and old files with secrets in them: each with a line of its own in the chain, written before it goes.

What goes is named by an id, like a plan: shown first, and taken away only when that id is approved. Of files with secrets,
neither the id nor the chain holds a digest: beside the record, which has all but the secret, it would tell a guess right or wrong.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from awsfed_lib.core.errors import NotApproved, RecordError
from awsfed_lib.core.tables import canonical
from awsfed_lib.edges.records import approval, catalogue, chain, durable, put_away, sealing
from awsfed_lib.edges.records.baseline import GOOD
from awsfed_lib.edges.records.chain import Clock
from awsfed_lib.edges.records.leaks import QUARANTINE
from awsfed_lib.edges.records.put_away import PutAway
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.signing import Signer


class Retiring(NamedTuple):
    """What would be taken away, oldest first, and which records stay although they are old, with the reason.

    `put_away`: folders of runs/.quarantine; `leftovers`: halves of records whose removal was interrupted, and is in the chain.
    """

    before: str
    records: tuple[Record, ...]
    kept: tuple[tuple[str, str], ...]
    put_away: tuple[PutAway, ...] = ()
    leftovers: tuple[Path, ...] = ()

    @property
    def id(self) -> str:
        """`retire-` and 16 hexadecimal digits over the digests of the records that go, and the names and sizes of all else."""
        away = [[one.name, one.files, one.size] for one in self.put_away]
        left = [path.name for path in self.leftovers]
        said = canonical([self.before, [[record.folder.name, record.digest] for record in self.records], away, left])
        return f"retire-{hashlib.sha256(said.encode()).hexdigest()[:16]}"

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that would go, by its place below runs/."""
        return (
            *(record.folder.name for record in self.records),
            *(one.name for one in self.put_away),
            *(path.name for path in self.leftovers),
        )


def plan(runs: Path, before: datetime) -> Retiring:
    """Choose the sealed records that started before `before`; what is damaged or unfinished stays, for somebody to look at.

    The newest record of each runbook and target stays too, and the newest good one: drift is measured against that.
    Of files with secrets go those of runs that began before `before`, whether their record goes or stays.
    """
    found = catalogue.records(runs)
    old = [record for record in found if (began := _started(record)) and began < before]
    newest, good = ({_what(record): record for record in some} for some in (found, filter(_good, found)))
    kept = {record.folder.name: why for record in old if (why := _stays(record, newest[_what(record)], good.get(_what(record))))}
    return Retiring(
        before.isoformat(timespec="seconds"),
        tuple(record for record in old if record.folder.name not in kept),
        tuple(sorted(kept.items())),
        tuple(one for one in put_away.listed(runs) if one.began and one.began < before),
        tuple(sorted((*runs.glob(".*.retired"), *runs.glob(f"{QUARANTINE}/.*.retired")))),
    )


def _started(record: Record) -> datetime | None:
    """Return when the run began; None where run.json does not say, or says it without a time zone."""
    try:
        began = datetime.fromisoformat(str(record.run().get("started")))
    except (RecordError, ValueError):
        return None
    return began if began.tzinfo else None


def _what(record: Record) -> str:
    """Return runbook and target, as the name of the folder has them behind the time."""
    return record.folder.name.partition("-")[2]


def _good(record: Record) -> bool:
    try:
        run = record.run()
    except RecordError:
        return False
    return bool(run.get("sealed")) and run.get("verdict") in GOOD


def _stays(record: Record, newest: Record, good: Record | None) -> str:
    if record == newest:
        return "the newest of its runbook and target"
    if record == good:
        return "the newest good one of its runbook and target"
    problems = record.changed()
    return problems[0] if problems else ""


def carry_out(runs: Path, retiring: Retiring, *, approved: str, clock: Clock, signer: Signer | None) -> int:
    """Take away what was chosen, each after its line in the chain is on disk; returns how many records and others.

    Raises NotApproved when `approved` is not the id, RecordError when a folder cannot be taken away.
    """
    if approved != retiring.id:
        raise NotApproved(f"The approved id {approved} is not the id of this selection, {retiring.id}; nothing was taken away.")
    with chain.lock(runs):
        sealing.catch_up(runs)
        for record in retiring.records:
            fields = {"run": record.folder.name, "sha256": record.digest, "reason": f"started before {retiring.before}"}
            ended: dict[str, object] = {approval.ENDED: approval.of_record(record.folder, clock())}
            chain.append(runs, chain.RETIRED, fields | ended, clock=clock, signer=signer)
            _remove(record.folder)
        for one in retiring.put_away:
            said = {"quarantine": one.folder.name, "files": one.files, "bytes": one.size, "reason": f"began before {retiring.before}"}
            chain.append(runs, chain.EMPTIED, said, clock=clock, signer=signer)
            _remove(one.folder)
        for path in retiring.leftovers:
            with _told(path):
                shutil.rmtree(path)
        catalogue.write_catalogue(runs)
    return len(retiring.names)


def _remove(folder: Path) -> None:
    """Take a folder away in one step first, so that a half of it is never taken for a record."""
    gone = folder.with_name(f".{folder.name}.retired")
    with _told(folder):
        folder.rename(gone)
        durable.sync_folder(folder.parent)
        shutil.rmtree(gone)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordError(f"{folder.name} cannot be taken away: {error.strerror}.", where=str(folder)) from error
