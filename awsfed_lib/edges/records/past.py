"""What the records say about the past: DuckDB over their Parquet tables, with no index beside them that could be wrong.

Only sealed records count, and of those only the runs of one runbook on one target, oldest first. A run that was not
made says nothing: between two runs the state is not known, and the answers say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import AwsfedError, RecordError
from awsfed_lib.edges.records import catalogue, parquet, where
from awsfed_lib.edges.records.proof import Vouching
from awsfed_lib.edges.records.record import Record

SOURCE = "09-audit"


class Target(NamedTuple):
    """What the runs were made on. Empty: any."""

    application_id: str = ""
    tenant_id: str = ""
    cloud: str = ""


class Past(NamedTuple):
    """One run of the past: its name, when it began (UTC), its verdict, and its folder.

    `problem`: why its record is no evidence, "" when it is; nothing is read of one that is none.
    """

    run: str
    at: datetime
    verdict: str
    folder: Path
    problem: str = ""

    def file(self, table: str) -> Path:
        """Return where its table `table` is kept."""
        return self.folder / "tables" / f"{table}.parquet"

    def table(self, name: str) -> pd.DataFrame:
        """Read one of its tables; raises RecordError when it has none, or when it cannot be read."""
        return Record(self.folder).table(name)


def past(target: Target, *, runbook: str = SOURCE, runs: Path | None = None) -> tuple[Past, ...]:
    """Return the sealed runs of `runbook` on `target`, oldest first. `runs`: the folder of records, by default ROOT/runs."""
    return tuple(sorted(newest_first(target, runbook=runbook, runs=runs or where.runs()), key=lambda one: (one.at, one.run)))


def newest_first(target: Target, *, runbook: str, runs: Path) -> Iterator[Past]:
    """Yield the sealed runs of `runbook` on `target`, the newest first; those that nobody asks for any more are never opened."""
    # By the name of the folder first, which begins with when a run began: thousands of other records are never opened.
    named = (record for record in reversed(catalogue.records(runs)) if f"-{runbook}-" in record.folder.name)
    known = _knowledge(runs)
    return (one for record in named if (one := _past(record, target, known)) is not None)


def _knowledge(folder: Path) -> Callable[[Record], str]:
    """Return what says why a record is no evidence by the chain beside it; where there is none, and no key, it vouches for itself."""
    try:
        vouching = Vouching.of(folder)
    except RecordError as error:
        damaged = error.what
        return lambda _: damaged
    return vouching.denied if vouching.lines or vouching.keys else lambda _: ""


def _past(record: Record, target: Target, known: Callable[[Record], str]) -> Past | None:
    """Give a record as a run of the past; None when it is not sealed, not on `target`, or cannot be read."""
    try:
        run = record.run()
        at = datetime.fromisoformat(str(run.get("started", ""))).astimezone(UTC)
    except (AwsfedError, ValueError):
        return None
    given = run.get("parameters", {})
    if not run.get("sealed") or any(wanted not in ("", given.get(name, "")) for name, wanted in target._asdict().items()):
        return None
    return Past(record.folder.name, at, str(run.get("verdict", "")), record.folder, known(record))


def counts(table: str, runs: Sequence[Past], *, where_sql: str = "true") -> pd.DataFrame:
    """Count the rows of `table` in each run that kept it: run, at, rows; none when no run did.

    `where_sql`: which rows, as DuckDB writes conditions.
    """
    kept = _with(table, runs)
    if not kept:
        return dated(pd.DataFrame({"number": [], "rows": []}, dtype="int64"), [])[["run", "at", "rows"]]
    asked = f"SELECT file_index AS number, count(*) FILTER ({where_sql}) AS rows FROM read_parquet($files, union_by_name=true) GROUP BY ALL"  # noqa: S608  words of this program
    return dated(query(asked, {"files": files(table, kept)}), kept)[["run", "at", "rows"]]


def listed(runs: Sequence[Past]) -> pd.DataFrame:
    """Return the runs as a table: run, at (UTC), verdict, problem (why the record is no evidence); the newest first."""
    newest = list(reversed(runs))
    names = {"run": [one.run for one in newest], "verdict": [one.verdict for one in newest], "problem": [one.problem for one in newest]}
    return pd.DataFrame(names).astype("str").assign(at=moments(newest))[["run", "at", "verdict", "problem"]]


def with_table(table: str, runs: Sequence[Past]) -> list[Past]:
    """Choose the runs that kept `table`. Raises RecordError when none did."""
    kept = _with(table, runs)
    if not kept:
        raise RecordError(f"No run kept the table {table} yet.", remedy=f"Run {SOURCE} first, then again: history begins with it.")
    return kept


def _with(table: str, runs: Sequence[Past]) -> list[Past]:
    return [one for one in runs if not one.problem and one.file(table).is_file()]


def files(table: str, runs: Sequence[Past]) -> list[str]:
    """Return where `runs` keep `table`, in their order: DuckDB's file_index counts along it."""
    return [str(one.file(table)) for one in runs]


def query(asked: str, given: Mapping[str, object]) -> pd.DataFrame:
    """Ask DuckDB. Raises RecordError when a file of a record cannot be read."""
    import duckdb

    try:
        with parquet.connect() as connection:
            found: pd.DataFrame = connection.execute(asked, dict(given)).df()
    except duckdb.Error as error:
        raise RecordError(f"The records cannot be read: {error}", remedy="`awsfed runs verify` says which one is changed.") from None
    return found


def dated(found: pd.DataFrame, runs: Sequence[Past]) -> pd.DataFrame:
    """Put run and at before the rows of `found`, by its column `number`, in order."""
    ordered = found.sort_values("number").reset_index(drop=True)
    about = pd.DataFrame({"run": [one.run for one in runs], "at": moments(runs)})
    return pd.concat([about.loc[ordered["number"]].reset_index(drop=True), ordered], axis=1)


def moments(runs: Sequence[Past]) -> pd.Series[Any]:
    """Return when each run began."""
    return pd.Series([one.at for one in runs], dtype="datetime64[us, UTC]")
