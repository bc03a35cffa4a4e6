"""What is other than in the last run: this run's tables against those of the last good one of the same runbook and target.

Roles of an account that one of the two runs could not read are left out: not known is no change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import pandas as pd

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.review.difference import difference, key_named
from awsfed_lib.core.tables import DRIFT, frame
from awsfed_lib.edges.records.past import Past
from awsfed_lib.edges.records.spans import BY_ACCOUNT

GOOD = frozenset({"done", "findings"})
PASSING = {"roles": ("last_used",)}
"""Columns that change by use alone, and are no drift."""


def last(past: Sequence[Past]) -> Past | None:
    """Return the newest run that read everything it had to; None when there is none."""
    return next((one for one in reversed(past) if one.verdict in GOOD), None)


def at(before: Past | None) -> datetime | None:
    """Return when that run began (UTC), None when there is none."""
    return before.at if before else None


def since(before: Past | None, accounts: pd.DataFrame, **now: pd.DataFrame) -> pd.DataFrame:
    """Compare tables of this run, by the names under which the last run kept them: DRIFT. `accounts`: ACCOUNTS of this run."""
    return frame(DRIFT, [row for name, table in now.items() for row in _of_table(before, name, table, accounts)] if before else [])


def _of_table(before: Past, name: str, table: pd.DataFrame, accounts: pd.DataFrame) -> Iterator[Mapping[str, str]]:
    try:
        then = before.table(name)
    except RecordError:
        yield {"table": name, "change": "not known", "row": "the last run kept no such table"}
        return
    kept = [column for column in table.columns if column not in PASSING.get(name, ())]
    pair = [one.reindex(columns=kept) for one in (then, table)]
    if name in BY_ACCOUNT:
        blind = _unread(accounts) | _unread(before.table("accounts"))
        pair = [one[~one["account_id"].isin(blind)] for one in pair]
    key = [column for column in key_named(name) if column in kept]
    for row in difference(*pair, key=key).to_dict(orient="records"):
        yield {"table": name, **{str(column): str(value) for column, value in row.items()}}


def _unread(accounts: pd.DataFrame) -> set[str]:
    return set(accounts.loc[accounts["problem"] != "", "account_id"])


def sentence(before: Past | None, drift: pd.DataFrame) -> str:
    """Say it in one line, and loudly when nothing changed."""
    if before is None:
        return "There is no earlier run of this runbook on this application to compare with."
    when = f"{before.at:%Y-%m-%d %H:%M} UTC ({before.run})"
    if drift.empty:
        return f"NO CHANGE since {when}."
    said = ", ".join(f"{number} in {name}" for name, number in drift["table"].value_counts().items())
    return f"{len(drift)} changes since {when}: {said}."
