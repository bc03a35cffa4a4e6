"""The end of a run: its record is sealed, takes its place in the chain, and the catalogue shows it."""

from __future__ import annotations

from typing import Any

from awsfed_lib.edges.records import chain
from awsfed_lib.edges.records.catalogue import write_catalogue
from awsfed_lib.edges.records.chain import Clock
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.signing import Signer


def seal(record: Record, *, clock: Clock, signer: Signer | None, **fields: object) -> dict[str, Any]:
    """Seal `record` with `fields`, append it to the chain beside it, and write the catalogue anew; returns its run.json.

    Raises RecordError when one of them cannot be written.
    """
    runs = record.folder.parent
    run = record.seal(**fields)
    with chain.lock(runs):
        chain.append(runs, chain.SEALED, entry(record, run), clock=clock, signer=signer)
        write_catalogue(runs)
    return run


def entry(record: Record, run: dict[str, Any]) -> dict[str, object]:
    """Return what the chain says of a sealed record."""
    said = {name: run.get(name, "") for name in ("runbook", "verdict", "started")}
    return {"run": record.folder.name, "sha256": record.digest, **said}
