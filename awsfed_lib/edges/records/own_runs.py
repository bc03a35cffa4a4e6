"""Runs of awsfed that sent an approved plan, read from their records: by them a change is told from one that nobody approved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.review.attribution import OwnRun
from awsfed_lib.edges.records import catalogue, proof
from awsfed_lib.edges.records.past import Target
from awsfed_lib.edges.records.proof import Vouching
from awsfed_lib.edges.records.record import Record

LONGEST = timedelta(days=2)
"""As long as a run may last."""
SENT = frozenset({"applied", "unverified", "failed"})


def since(target: Target, begin: datetime, runs: Path) -> tuple[OwnRun, ...]:
    """Return the runs on `target` below `runs` that ended after `begin` and sent a plan, of records that the chain knows so."""
    oldest = f"{begin - LONGEST:%Y%m%dT%H%M%SZ}"  # names begin with when a run began: thousands of older records are never opened
    try:
        vouching = Vouching.of(runs)
    except RecordError:  # a damaged chain vouches for nothing
        return ()
    return tuple(run for record in catalogue.records(runs) if record.folder.name >= oldest for run in _of(record, target, begin, vouching))


def _of(record: Record, target: Target, begin: datetime, vouching: Vouching) -> Iterator[OwnRun]:
    try:
        run = record.run()
        begun, ended = (datetime.fromisoformat(str(run.get(name) or run["started"])).astimezone(UTC) for name in ("started", "finished"))
        plans = [plan for plan in run.get("counts", {}).get("plans", ()) if plan.get("verdict") in SENT]
        if not plans or ended < begin or not _fits(run.get("parameters", {}), target):
            return
        proof.read_sealed(record, vouching)
        yield from (_own(record.folder, run, plan, (begun, ended)) for plan in _sent(record.folder, {plan["plan"] for plan in plans}))
    except (RecordError, ValueError, KeyError, TypeError, OSError):
        return


def _fits(given: Mapping[str, Any], target: Target) -> bool:
    """Take runs that name no application for every one of the tenant: they are about it."""
    return all(wanted in ("", given.get(name) or wanted) for name, wanted in target._asdict().items())


def _sent(folder: Path, ids: set[str]) -> Iterator[Mapping[str, Any]]:
    plans = (json.loads(path.read_bytes()) for path in sorted(folder.glob("*plan*.json")))
    yield from (plan for plan in plans if isinstance(plan, dict) and plan.get("id") in ids)


def _own(folder: Path, run: Mapping[str, Any], plan: Mapping[str, Any], span: tuple[datetime, datetime]) -> OwnRun:
    who = (run.get("who") or {}).get("entra") or {}
    person = str(who.get("user_name") or "")
    app_id = "" if person else str(who.get("client_id") or "")  # the log names the person, where one is signed in
    return OwnRun(folder.name, str(run.get("runbook")), str(plan["id"]), *span, app_id, person, tuple(plan["changes"]))
