"""The end of a run: its record is sealed, takes its place in the chain, and the catalogue shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import chain
from awsfed_lib.edges.records.catalogue import write_catalogue
from awsfed_lib.edges.records.chain import Clock
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.signing import Signer


def seal(record: Record, *, clock: Clock, signer: Signer | None, **fields: object) -> dict[str, Any]:
    """Seal `record` with `fields`, append it to the chain beside it, and write the catalogue anew; returns its run.json.

    The chain is first, so that no sealed record is ever unknown to it: who is killed in between leaves a sealed run.json that
    the chain vouches for and that waits for its place. Raises RecordError when one of them cannot be written.
    """
    runs = record.folder.parent
    run = record.finished(**fields)
    with chain.lock(runs):
        catch_up(runs)
        digest = record.prepare(run)
        chain.append(runs, chain.SEALED, entry(record, run, digest), clock=clock, signer=signer)
        record.complete(digest)
        write_catalogue(runs)
    return run


def take_up(record: Record, *, clock: Clock, signer: Signer | None) -> None:
    """Give a record that was fetched from elsewhere its place in the chain beside it. Raises RecordError when it is not as sealed."""
    problems = record.changed()
    if problems:
        raise RecordError(f"The record is not as it was sealed: {problems[0]}.", where=str(record.folder), remedy="Take it away.")
    runs = record.folder.parent
    with chain.lock(runs):
        catch_up(runs)
        chain.append(runs, chain.FETCHED, entry(record, record.run(), record.digest), clock=clock, signer=signer)
        write_catalogue(runs)


def catch_up(runs: Path) -> None:
    """Put the last run.json in its place whose sealing was cut off behind the chain. The caller holds the lock of the chain."""
    last = chain.last(runs)
    if last and last.event == chain.SEALED:
        Record(runs / str(last.fields["run"])).complete(str(last.fields["sha256"]))


def entry(record: Record, run: dict[str, Any], digest: str) -> dict[str, object]:
    """Return what the chain says of a sealed record whose run.json has this SHA-256."""
    said = {name: run.get(name, "") for name in ("runbook", "verdict", "started")}
    return {"run": record.folder.name, "sha256": digest, **said}
