"""Since when, until when, and what came and went: every row that ever stood in a table of the records.

An account that a run could not read in full says nothing about its roles: such a run is left out for that account, so
that a lost permission is never told as roles that went. DuckDB gives a string of bits for each row, one a run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.review.difference import schemas
from awsfed_lib.edges.records.past import Past, dated, files, moments, query, with_table

BY_ACCOUNT = frozenset({"roles", "providers"})
"""Tables that are read account by account; of the others a run has all or fails."""
_GAP = re.compile("0+")
_PAST = "read_parquet($files, union_by_name=true)"


class Stay(NamedTuple):
    """The numbers of the first and last run of one uninterrupted stay of a row."""

    first: int
    last: int


class Blind(NamedTuple):
    """The runs that could not read an account, of `total` runs."""

    missed: frozenset[int]
    total: int

    def seeing(self, runs: range) -> int | None:
        """Return the first of `runs` that could read it, None for none."""
        return next((run for run in runs if run not in self.missed), None)

    def after(self, run: int) -> int | None:
        """Return the first run after `run` that could read it."""
        return self.seeing(range(run + 1, self.total))


def spans(table: str, runs: Sequence[Past]) -> pd.DataFrame:
    """Tell of every row that ever was in `table` when it was first and last seen.

    The columns of its key, then first_seen, last_seen (UTC), runs (in how many), and present: yes, no, or unread when no
    later run could read its account. Raises RecordError when no run kept the table.
    """
    kept, key = _kept(table, runs), _key(table)
    rows, blind, moment = _rows(table, kept), _blind(table, kept), moments(kept)
    first, last = ([find(seen) for seen in rows["seen"]] for find in (_first, _last))
    present = [_present(run, blind.get(account, Blind(frozenset(), len(kept)))) for run, account in zip(last, rows["account"], strict=True)]
    times = {"first_seen": moment.loc[first].array, "last_seen": moment.loc[last].array}
    return rows[list(key)].assign(**times, runs=rows["seen"].str.count("1"), present=present)


def _first(seen: str) -> int:
    return seen.index("1")


def _last(seen: str) -> int:
    return seen.rindex("1")


def _present(last: int, blind: Blind) -> str:
    if last == blind.total - 1:
        return "yes"
    return "unread" if blind.after(last) is None else "no"


def churn(table: str, runs: Sequence[Past]) -> pd.DataFrame:
    """Count what came and went from run to run: run, at, came, went. The first run has nothing before it, and no row."""
    kept = _kept(table, runs)
    rows, blind = _rows(table, kept), _blind(table, kept)
    everywhere = Blind(frozenset(), len(kept))
    came: Counter[int] = Counter()
    went: Counter[int] = Counter()
    for seen, account in zip(rows["seen"], rows["account"], strict=True):
        sight = blind.get(account, everywhere)
        for stay in _stays(seen, sight):
            came.update([stay.first] if sight.seeing(range(stay.first)) is not None else [])
            went.update([gone] if (gone := sight.after(stay.last)) is not None else [])
    counted = [{"number": run, "came": came[run], "went": went[run]} for run in range(1, len(kept))]
    return dated(pd.DataFrame(counted, columns=["number", "came", "went"]), kept)[["run", "at", "came", "went"]]


def _stays(seen: str, blind: Blind) -> Iterator[Stay]:
    """Split the bits of a row into stays: only a run that could read the account, and did not see the row, ends one."""
    first = _first(seen)
    for gap in _GAP.finditer(seen, first, _last(seen)):
        if blind.seeing(range(*gap.span())) is not None:
            yield Stay(first, gap.start() - 1)
            first = gap.end()
    yield Stay(first, _last(seen))


def _rows(table: str, kept: Sequence[Past]) -> pd.DataFrame:
    """Return every row by its key: account, and seen, a character a run, 1 where the run saw it."""
    named = _quoted(_key(table))
    asked = f"""SELECT {named}, any_value({_account(table)}) AS account,
        bitstring_agg(file_index::INTEGER, 0, {len(kept) - 1})::VARCHAR AS seen FROM {_PAST} GROUP BY {named} ORDER BY {named}"""  # noqa: S608  names of our own columns
    return query(asked, {"files": files(table, kept)})


def _blind(table: str, kept: Sequence[Past]) -> dict[str, Blind]:
    """Return the runs that could not read an account, by account; only those of which there are any."""
    if table not in BY_ACCOUNT:
        return {}
    asked = f"SELECT account_id, list(DISTINCT file_index::BIGINT) AS missed FROM {_PAST} WHERE problem <> '' GROUP BY ALL"  # noqa: S608  as above
    found = query(asked, {"files": files("accounts", kept)})
    missed = dict(zip(found["account_id"], found["missed"], strict=True))
    return {account: Blind(frozenset(map(int, runs)), len(kept)) for account, runs in missed.items()}


def _kept(table: str, runs: Sequence[Past]) -> list[Past]:
    kept = with_table(table, runs)
    return with_table("accounts", kept) if table in BY_ACCOUNT else kept


def _account(table: str) -> str:
    return "account_id" if table in BY_ACCOUNT else "''"


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _key(table: str) -> tuple[str, ...]:
    shape: Any = next((schema for schema in schemas() if schema.name == table), None)
    if shape is None:
        raise RecordError(f"There is no table {table!r}.", remedy=f"One of: {', '.join(sorted(schema.name for schema in schemas()))}.")
    return tuple(shape.key)
