"""The record that a run is compared with: the newest good one of its runbook on the same application and accounts, if it is as sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import proof
from awsfed_lib.edges.records.past import Past, Target, newest_first
from awsfed_lib.edges.records.proof import Vouching
from awsfed_lib.edges.records.record import Record

GOOD = frozenset({"done", "findings"})
READ_ENOUGH = GOOD | {"planned", "applied", "nothing to do"}
COVERAGE = "coverage"
SCOPE = ("partition", "provider", "accounts_file", "include_accounts", "exclude_accounts", "account_id")
"""Parameters that say of which accounts and roles a run speaks."""


class Baseline(NamedTuple):
    """The record, None when there is none that counts, and what is to be said of those that were passed over."""

    past: Past | None
    remark: str = ""


def choose(past: Sequence[Past], given: Mapping[str, Any]) -> Baseline:
    """Choose among the runs, oldest first, for a run with the parameters `given` (as run.json holds them).

    A record that is not as it was sealed, or that the chain does not know so, is passed over, and the remark says so.
    """
    damaged: list[str] = []
    for one in reversed(past):  # the newest is nearly always the one: those before it are not opened
        if one.verdict in GOOD and _scope(Record(one.folder).run().get("parameters", {})) == _scope(given):
            problem = _problem(one.folder)
            if not problem:
                return Baseline(one, _passed(damaged))
            damaged.append(f"{one.run} ({problem})")
    others = f"{len(past)} runs with other accounts, or not good, do not count." if past else ""
    return Baseline(None, _passed(damaged) or others)


def coverage_before(target: Target, record: Record) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Read COVERAGE of the last good run of the runbook of `record`, on the same target and accounts, and of the last one at all.

    None where there is none. A record that is not as it was sealed does not count.
    """
    run, last = record.run(), None
    for one in newest_first(target, runbook=run["runbook"], runs=record.folder.parent):
        then = Record(one.folder)
        if COVERAGE not in then.tables() or _scope(then.run().get("parameters", {})) != _scope(run["parameters"]) or _problem(one.folder):
            continue
        if last is None:
            last = then.table(COVERAGE)
        if one.verdict in READ_ENOUGH:
            return then.table(COVERAGE), last
    return None, last


def _scope(given: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(sorted(value) if isinstance(value, list | tuple) else value for value in (given.get(name) or "" for name in SCOPE))


def _passed(damaged: Sequence[str]) -> str:
    more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
    return f"NOT COMPARED WITH {damaged[0]}{more}: not as sealed; `awsfed runs verify` says more." if damaged else ""


def _problem(folder: Path) -> str:
    """Say why a record does not count as it stands; "" when it does."""
    try:
        proof.read_sealed(Record(folder), Vouching.of(folder.parent))
    except RecordError as error:
        return error.what.removeprefix("The record does not count: ").rstrip(".")
    return ""
