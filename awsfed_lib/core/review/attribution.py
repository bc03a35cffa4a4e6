"""Who made a change: an approved run of awsfed by its own record, somebody by Entra ID's log, or nobody known, and then why.

An approved run is recognised by its plan, which names the object: that holds where the log cannot be read, and for AWS. An entry
of the log counts for it when the same application or person made it while that run lasted. The log has one entry for the whole
collection of appRoles, so an entry that does not say which of them differ is named for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.drift_shapes import AUTHORS, DRIFT
from awsfed_lib.core.review.observed import APP_ROLE, ASSIGNMENT, CERTIFICATE, CLAIM, MEMBER, PROVIDER, ROLE
from awsfed_lib.core.review.sides import both
from awsfed_lib.core.review.states import ABSENT, MOVED, STILL
from awsfed_lib.core.tables import check, frame, rows

KEPT = timedelta(days=30)
SLACK = timedelta(minutes=2)  # between the clock of this machine and that of Microsoft
IN_PLANS: Mapping[str, tuple[str, ...]] = {
    APP_ROLE: ("appRole",), ASSIGNMENT: ("assignment",), MEMBER: ("membership",), PROVIDER: ("provider",),
    ROLE: ("role", "trust", "policy", "tag"), CLAIM: ("claims policy", "assigned claims policy"), CERTIFICATE: ("signing certificate",),
}  # fmt: skip
"""What plans call the changes of each kind."""
UNKNOWN = "unknown: "
OLDER, UNREADABLE, LATE = (UNKNOWN + why for why in (
    "older than the log (30 days)", "the log could not be read",
    "the log names nobody yet (it is minutes late, and is asked about ten groups at most)",
))  # fmt: skip
IN_AWS = UNKNOWN + "changed in AWS; CloudTrail of the account names who"
WHOLE = "the whole collection"
"""What `touched` says of an entry that does not tell which appRoles differ."""
_PART: Mapping[str, str] = {"trust": "trust"}  # how plans call a change of this part of a role; "role" is all others but its policies
_KEYS = ("credential", "certificate", "thumbprint")
Row = Mapping[str, Any]


class OwnRun(NamedTuple):
    """A run that sent an approved plan: its record, when it began and ended, who it was, and what its plan changed."""

    run: str
    runbook: str
    plan: str
    begun: datetime
    ended: datetime
    app_id: str
    user_name: str
    changes: tuple[Row, ...]

    def made(self, row: Row) -> bool:
        """Whether its plan changed this object the way it is now."""
        goes = json.loads(row["basis"])["live"] == ABSENT
        kinds = IN_PLANS.get(row["kind"], ())
        fitting = (one for one in self.changes if one["kind"] in kinds and one["action"] != "keep")
        return any(_names(one, row) and (row["kind"] == ROLE or goes == (one["action"] == "remove")) for one in fitting)

    def logged(self, event: Row) -> bool:
        """Whether an entry of the log is one of its own."""
        same = self.app_id == event["app_id"] if event["app_id"] else bool(self.user_name) and self.user_name == event["who"]
        return same and self.begun - SLACK <= event["at"] <= self.ended + SLACK

    def is_before(self, event: Row) -> bool:
        """Whether an entry of somebody else came after it, or while it lasted and names somebody else for sure."""
        another = bool(event["app_id"]) and event["app_id"] != self.app_id
        person = not event["app_id"] and "@" in event["who"] and event["who"] != self.user_name
        return bool(event["at"] > (self.begun if another or person else self.ended))


def _covers(changes: Sequence[Row], row: Row) -> bool:
    """Whether the changes of plans name every part of an IAM role that differs: no log here tells what else was done to it."""
    sides = json.loads(row["basis"])
    shown = both(sides["recorded"], sides["live"])
    if row["kind"] != ROLE or shown is None:
        return True
    before, after = shown
    ours = [change for change in changes if change["action"] != "keep" and _names(change, row)]
    differ = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    kinds = {_PART.get(name, "role") for name in differ - {"policies"}}
    moved = set.symmetric_difference(*(set(side["policies"].split("; ")) for side in (before, after))) if "policies" in differ else set()
    return kinds <= {change["kind"] for change in ours} and moved - {"none"} <= {change["key"].partition(" ")[2] for change in ours}


def _names(change: Row, row: Row) -> bool:
    if row["kind"] in (CLAIM, CERTIFICATE):  # a policy holds all claims, and to activate one certificate is to rest another
        return True
    key = row["key"].partition(" ")[0] if row["kind"] == ROLE else row["key"]
    return bool(change["key"] == key or (row["kind"] == ROLE and change["key"].startswith(f"{key} ")))


def attribute(drift: pd.DataFrame, authors: pd.DataFrame, own: Sequence[OwnRun], *, client_id: str, now: datetime) -> pd.DataFrame:
    """Fill in changed_by, changed_at, run and plan of every row of DRIFT that was changed. `authors`: AUTHORS since the last record.

    `client_id`: the application that awsfed signs in as; when it changed something outside every run, that is said.
    """
    apps = {client_id, *(run.app_id for run in own)} - {""}
    entries = (row for row in rows(check(AUTHORS, authors)) if row["result"] in ("", "success"))
    events = [{**row, "named": frozenset(row["touched"].split("; "))} for row in entries]
    return frame(DRIFT, [{**row, **_author(row, events, own, now, apps)} if _is_asked(row) else row for row in rows(check(DRIFT, drift))])


def _is_asked(row: Row) -> bool:
    """Ask of what was changed, and once more where the log named nobody yet when it was asked."""
    return row["state"] in MOVED or (row["state"] == STILL and row["changed_by"].startswith(UNKNOWN))


def _author(row: Row, events: Sequence[Row], own: Sequence[OwnRun], now: datetime, apps: Collection[str]) -> dict[str, Any]:
    made = [run for run in own if run.made(row)]
    made = made if _covers([change for run in made for change in run.changes], row) else []
    logged = [event for event in events if event["at"] and tells(event, row)]
    others = [event for event in logged if not any(run.logged(event) for run in made)]
    last = max(others, key=lambda event: event["at"], default=None)
    run = max(made, key=lambda run: run.ended, default=None)
    if run and not any(run.is_before(event) for event in others):
        own_entries = [event["at"] for event in logged if run.logged(event)]
        words = f"awsfed {run.runbook} ({run.plan} in {run.run})"
        return {"changed_by": words, "changed_at": max(own_entries, default=run.ended), "run": run.run, "plan": run.plan}
    if last:
        outside = " (the application of awsfed, in no run that is recorded here)" if last["app_id"] in apps else ""
        return {"changed_by": f"{last['who']}{outside}", "changed_at": last["at"]}
    return {"changed_by": _why(row, events, now)}


def _why(row: Row, events: Sequence[Row], now: datetime) -> str:
    if row["kind"] in (PROVIDER, ROLE):
        return IN_AWS
    if any(event["at"] is None for event in events):
        return UNREADABLE
    return OLDER if row["recorded_at"] and row["recorded_at"] < now - KEPT else LATE


def tells(event: Row, row: Row) -> bool:
    """Whether an entry of AUTHORS can be the change of a row of DRIFT, by the ids that it names (`named`) and the properties it changed.

    Names of activities: learn.microsoft.com entra/identity/monitoring-health/reference-audit-activities.
    """
    touched, activity, changed = event["named"], event["activity"].lower(), event["changed"].lower()
    if row["kind"] == APP_ROLE:
        return "approle" in changed and "assignment" not in activity and (WHOLE in touched or bool(touched & _ids(row)))
    if row["kind"] == ASSIGNMENT:
        principal, _, role = row["key"].partition(" → ")
        return role in touched and (principal in touched or "approle" in changed.split(", "))
    if row["kind"] == MEMBER:
        return set(row["key"].split(" in ")) <= touched and "member" in activity
    if row["kind"] == CLAIM:
        return "policy" in activity or "claimspolicy" in changed
    return row["kind"] == CERTIFICATE and any(word in f"{activity} {changed}" for word in _KEYS)


def _ids(row: Row) -> set[str]:
    sides = json.loads(row["basis"])
    return {row["key"], *(json.loads(side).get("id", "") for side in (sides["recorded"], sides["live"]) if side.startswith("{"))} - {""}
