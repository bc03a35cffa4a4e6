"""Drift of one run: what its runbook read, beside the rules and the last record, with who changed what."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from awsfed_lib.core import coverage
from awsfed_lib.core.coverage import Coverage
from awsfed_lib.core.drift_shapes import DRIFT
from awsfed_lib.core.errors import RecordError, TableError
from awsfed_lib.core.review import attribution, checks_drift, observed, ruled
from awsfed_lib.core.review.checks_drift import findings
from awsfed_lib.core.review.observed import CLAIM, MEMBER, Seen
from awsfed_lib.core.review.ruled import Rules
from awsfed_lib.core.review.sides import Before, compare
from awsfed_lib.core.review.since import Drift
from awsfed_lib.core.review.states import MOVED, STILL
from awsfed_lib.core.saml.claims import Claims
from awsfed_lib.core.settings.parameters import Parameters, plain
from awsfed_lib.core.tables import check, rows
from awsfed_lib.edges.entra import changes
from awsfed_lib.edges.records import baseline, own_runs, past
from awsfed_lib.edges.records.past import Past, Target

__all__ = ["Drift", "Rules", "Seen", "claims", "findings", "since_last"]


class Running(Protocol):
    """What is needed of a run."""

    @property
    def parameters(self) -> Parameters:
        """Give the checked parameters."""

    @property
    def target(self) -> Target:
        """Say what it is about."""

    @property
    def coverage(self) -> Coverage:
        """Say what it read so far."""

    @property
    def folder(self) -> Path:
        """Give the folder of its record."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """Give its clock."""


def claims(policy: str, session_duration: int, session_name: str) -> pd.DataFrame | None:
    """Give the CLAIMS that 01-application would set; None where no policy is named, and then no rule speaks of claims."""
    return Claims(session_duration, session_name).table if policy else None


def since_last(run: Running, graph: changes.Reader, seen: Seen, rules: Rules) -> Drift:
    """Compare what was `seen` with the rules and with the last record that counts, and ask the log who changed what."""
    now, runs = run.clock(), run.folder.parent
    base = baseline.choose(past.past(run.target, runs=runs), plain(run.parameters))
    before = _before(base.past) if base.past else None
    recorded = observed.side(_kept(base.past) if base.past else Seen())
    table = compare(ruled.side(seen, rules), recorded, observed.side(seen), before=before)
    begin = _begin(table, before)
    authors = changes.authors(
        graph, (run.parameters.application_id, *_groups(table)), since=begin, now=now, also=changes.POLICY if _moved(table, CLAIM) else ""
    )
    own = own_runs.since(run.target, begin, runs) if begin else ()
    known = attribution.attribute(table, authors, own, client_id=run.parameters.client_id, now=now)
    at = base.past.at if base.past else None
    read = run.coverage.table
    only = "" if coverage.whole(read) else coverage.sentence(read)
    return Drift(checks_drift.marked(known), authors, base.past.run if base.past else "", at, base.remark, only)


def _kept(one: Past) -> Seen:
    """Read the tables that the record kept; one that it did not keep is not known."""
    found: dict[str, pd.DataFrame] = {}
    for field in fields(Seen):
        with suppress(RecordError):
            found[field.name] = one.table(field.name)
    return Seen(**found)


def _before(one: Past) -> Before:
    try:
        kept: pd.DataFrame | None = check(DRIFT, one.table("drift"))
    except (RecordError, TableError):  # of an earlier awsfed, which kept another table under this name
        kept = None
    try:
        judged = one.table("findings")
        accepted = frozenset(judged.loc[judged["accepted"] != "", "finding_id"])
    except (RecordError, KeyError):
        accepted = frozenset[str]()
    return Before(one.at, kept, accepted)


def _moved(table: pd.DataFrame, kind: str) -> list[dict[str, Any]]:
    return [row for row in rows(table) if row["kind"] == kind and row["state"] in MOVED]


def _groups(table: pd.DataFrame) -> list[str]:
    """List the groups whose members changed."""
    return list(dict.fromkeys(row["key"].rpartition(" in ")[2] for row in _moved(table, MEMBER)))


def _begin(table: pd.DataFrame, before: Before | None) -> datetime | None:
    """Say since when the log is asked: the last record, or an older one with which a change is compared that nobody is named for."""
    if before is None:
        return None
    asked = table[table["state"].isin(MOVED) | ((table["state"] == STILL) & table["changed_by"].str.startswith(attribution.UNKNOWN))]
    times: list[datetime] = [before.at, *(at.to_pydatetime() for at in asked["recorded_at"].dropna())]
    return min(times)
