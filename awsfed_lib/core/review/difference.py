"""Two versions of one table: which rows were added, which removed, and which cells changed; of what was not read, neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from awsfed_lib.core import drift_shapes, shapes, tables
from awsfed_lib.core.coverage import NOT_READ
from awsfed_lib.core.tables import DIFFERENCES, Schema, canonical, frame, rows

Row = Mapping[str, Any]


"""Names under which runbooks keep a table, where they are not the table's own."""


def schemas() -> tuple[Schema, ...]:
    """Return every written shape."""
    return tuple(value for module in (tables, shapes, drift_shapes) for value in vars(module).values() if isinstance(value, Schema))


def key_of(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that name a row of `table`: those of the schema with exactly its columns, else all of them."""
    columns = list(map(str, table.columns))
    fitting = [schema.key for schema in schemas() if list(schema.columns) == columns]
    return fitting[0] if fitting else tuple(columns)


Known = frozenset[str] | None
"""Accounts that a run read in full; None where that is not known."""


def difference(
    before: pd.DataFrame, after: pd.DataFrame, *, key: Sequence[str] = (), known: tuple[Known, Known] = (None, None)
) -> pd.DataFrame:
    """Compare two versions of one table: DIFFERENCES, rows that were added or removed once, and one row for every other cell.

    `key`: the columns that name a row; by default those of the table's schema. Rows that share a key are compared in order.
    `known`: the accounts that were read before and after. A row of an account that one of them lacks is `not read`, never removed
    or added.
    """
    named = tuple(key) or key_of(after if len(after.columns) else before)
    then, now = _by_key(before, named), _by_key(after, named)
    found = [change for name in sorted(then.keys() | now.keys()) for change in _of_row(name, then.get(name), now.get(name), known)]
    return frame(DIFFERENCES, found)


def _by_key(table: pd.DataFrame, key: Sequence[str]) -> dict[tuple[str, int], Row]:
    found: dict[tuple[str, int], Row] = {}
    seen: Counter[str] = Counter()
    for row in rows(table):
        name = " ".join(_text(row.get(column)) for column in key)
        found[name, seen[name]] = row
        seen[name] += 1
    return found


def _of_row(name: tuple[str, int], then: Row | None, now: Row | None, known: tuple[Known, Known]) -> Iterator[dict[str, str]]:
    if then is None or now is None:
        yield _whole_row(name[0], now if then is None else then, "added" if then is None else "removed", known[0 if then is None else 1])
        return
    for column in dict.fromkeys((*then, *now)):
        before, after = _text(then.get(column)), _text(now.get(column))
        if before != after:
            yield {"row": name[0], "change": "changed", "column": str(column), "before": before, "after": after}


def _whole_row(name: str, row: Row | None, change: str, lacking: Known) -> dict[str, str]:
    """Tell of a row that one version has; its account was not read in the version that lacks it unless it is in `lacking`."""
    account = str((row or {}).get("account_id") or "")
    unread = bool(account) and lacking is not None and account not in lacking
    side = "before" if change == "added" else "after"
    blank = {"row": name, "change": change, "column": "", "before": "", "after": ""}
    return blank | ({"change": NOT_READ, side: NOT_READ} if unread else {})


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else canonical(cell) if isinstance(cell, Mapping | list | tuple) else str(cell)
