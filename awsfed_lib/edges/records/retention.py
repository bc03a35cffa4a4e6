"""Taking old records away, so that the chain stays whole: each goes with a line of its own, written before it goes.

What goes is named by an id, like a plan: shown first, and taken away only when that id is approved.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from awsfed_lib.core.errors import NotApproved, RecordError
from awsfed_lib.core.tables import canonical
from awsfed_lib.edges.records import catalogue, chain, durable
from awsfed_lib.edges.records.chain import Clock
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.signing import Signer


class Retiring(NamedTuple):
    """The records that would be taken away, oldest first, and those that stay although they are old, with the reason."""

    before: str
    records: tuple[Record, ...]
    kept: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """`retire-` and 16 hexadecimal digits over the digests of what goes."""
        said = canonical([self.before, [[record.folder.name, record.digest] for record in self.records]])
        return f"retire-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def plan(runs: Path, before: datetime) -> Retiring:
    """Choose the sealed records that started before `before`; what is damaged or unfinished stays, for somebody to look at.

    The newest record of each runbook and target stays too: drift is measured against it.
    """
    found = catalogue.records(runs)
    old = [record for record in found if _started(record) and datetime.fromisoformat(_started(record)) < before]
    newest = {_what(record): record for record in found}
    kept = {record.folder.name: why for record in old if (why := _stays(record, newest.get(_what(record))))}
    return Retiring(
        before.isoformat(timespec="seconds"),
        tuple(record for record in old if record.folder.name not in kept),
        tuple(sorted(kept.items())),
    )


def _started(record: Record) -> str:
    try:
        return str(record.run().get("started", ""))
    except RecordError:
        return ""


def _what(record: Record) -> str:
    """Return runbook and target, as the name of the folder has them behind the time."""
    return record.folder.name.partition("-")[2]


def _stays(record: Record, newest: Record | None) -> str:
    if newest == record:
        return "the newest of its runbook and target"
    problems = record.changed()
    return problems[0] if problems else ""


def carry_out(runs: Path, retiring: Retiring, *, approved: str, clock: Clock, signer: Signer | None) -> int:
    """Take the records away, each after its line in the chain is on disk; returns how many.

    Raises NotApproved when `approved` is not the id, RecordError when a folder cannot be taken away.
    """
    if approved != retiring.id:
        raise NotApproved(f"The approved id {approved} is not the id of this selection, {retiring.id}; nothing was taken away.")
    with chain.lock(runs):
        for record in retiring.records:
            fields = {"run": record.folder.name, "sha256": record.digest, "reason": f"started before {retiring.before}"}
            chain.append(runs, chain.RETIRED, fields, clock=clock, signer=signer)
            _remove(record.folder)
        catalogue.write_catalogue(runs)
    return len(retiring.records)


def _remove(folder: Path) -> None:
    """Take a folder away in one step first, so that a half of it is never taken for a record."""
    gone = folder.with_name(f".{folder.name}.retired")
    try:
        folder.rename(gone)
        durable.sync_folder(folder.parent)
        shutil.rmtree(gone)
    except OSError as error:
        raise RecordError(f"The record cannot be taken away: {error.strerror}.", where=str(folder)) from error


def leftovers(runs: Path) -> Sequence[Path]:
    """Return what a removal left that was interrupted."""
    return sorted(runs.glob(".*.retired"))
