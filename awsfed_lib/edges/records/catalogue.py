"""All records below runs/: found, listed, and shown as one page that filters without a script and without a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records.record import RUN, Record

PAGE = "index.html"
NEWEST = 2000
"""As many records the page shows; a browser takes about a second for them. `awsfed runs list` knows them all."""


def records(runs: Path) -> list[Record]:
    """Return the records below `runs`, oldest first; folders without a run.json, and hidden ones, are none."""
    return [Record(path.parent) for path in sorted(runs.glob(f"[!.]*/{RUN}"))]


def described(found: list[Record]) -> Mapping[str, Mapping[str, Any]]:
    """Return run.json of each record by the name of its folder; one that is damaged is a row that says so."""
    return {record.folder.name: _described(record) for record in found}


def _described(record: Record) -> Mapping[str, Any]:
    try:
        return record.run()
    except RecordError as error:
        return {"problem": error.what, "verdict": "unfinished"}


def find(runs: Path, name: str) -> Record:
    """Return the record `name` means: the name of its folder, the only beginning of one, or `last`.

    Raises RecordError when there is none, or more than one.
    """
    found = records(runs)
    if name == "last" and found:
        return found[-1]
    near = [record for record in found if record.folder.name == name] or [
        record for record in found if record.folder.name.startswith(name) or f"-{name}-" in record.folder.name
    ]
    if len(near) == 1:
        return near[0]
    if near:
        raise RecordError(f"{len(near)} records are meant by {name!r}; the newest is {near[-1].folder.name}.", remedy="Name it in full.")
    raise RecordError(f"There is no record {name!r}.", where=str(runs), remedy="`awsfed runs list` shows them all.")


def write_catalogue(runs: Path) -> Path:
    """Write runs/index.html anew: the newest records, with filters by verdict and by runbook."""
    from awsfed_lib.edges.records.export import write_index

    return write_index(runs / PAGE, described(records(runs)[-NEWEST:]))
