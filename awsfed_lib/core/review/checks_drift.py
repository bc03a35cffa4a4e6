"""Drift as findings: what was changed, and by no approved run of awsfed, with the runbook that undoes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.drift_shapes import DRIFT
from awsfed_lib.core.finding import finding
from awsfed_lib.core.review import states
from awsfed_lib.core.review.attribution import UNKNOWN
from awsfed_lib.core.review.observed import APP_ROLE, ASSIGNMENT, CERTIFICATE, CLAIM, MEMBER, PROVIDER, ROLE
from awsfed_lib.core.review.sides import both
from awsfed_lib.core.review.states import ABSENT, MOVED, NO_RULE, NOW_AS_DESIRED, QUIET, STILL, UNREAD
from awsfed_lib.core.tables import FINDINGS, check, frame, rows

SEVERITY: Mapping[str, str] = {
    APP_ROLE: "high", ASSIGNMENT: "high", CLAIM: "high", CERTIFICATE: "high", PROVIDER: "high", ROLE: "low", MEMBER: "note",
}  # fmt: skip
"""How bad a change is that no approved run made; what is as desired all the same is a note. Roles have their owners in AWS,
and groups theirs in Entra ID: other checks judge what became of them."""
RESTORE = "14-restore brings it back from the record of {when}."
BACK: Mapping[str, str] = {
    APP_ROLE: "04-approles makes what is desired, or " + RESTORE,
    ASSIGNMENT: "06-assignments makes what is desired, or " + RESTORE,
    CLAIM: "01-application sets the claims that are desired.",
    CERTIFICATE: "08-certificates says which one signs, and rolls over.",
    PROVIDER: "02-accounts makes the provider as it should be. A certificate that the application does not have: delete it in the account.",
    ROLE: "Ask the owner of the account; 03-inventory shows the role, 02-accounts makes those of the families again.",
    MEMBER: "10-access shows what it gives; 16-revoke or the owner of the group takes it back.",
}
"""How a change is undone, where a rule says what should be."""
UNRULED: Mapping[str, str] = {
    APP_ROLE: RESTORE,
    ASSIGNMENT: RESTORE,
    CLAIM: "Set them back, or name a claims_policy: 01-application.",
}
AWAY: Mapping[str, str] = {
    APP_ROLE: "04-approles removes it where max_removed allows that.",
    ASSIGNMENT: "06-assignments removes it where max_removed allows that.",
}
FORWARD: Mapping[str, str] = {
    APP_ROLE: "04-approles makes it so.",
    ASSIGNMENT: "05-groups where the group is missing, then 06-assignments.",
    PROVIDER: "02-accounts, or 08-certificates while certificates are rolled over.",
}
FINE = frozenset({NOW_AS_DESIRED, states.BACK})
"""Changes that need no mending: whoever made them, they are a note."""
ALL = ":policy/AdministratorAccess"
READ = "02-accounts says why the account cannot be read."
Row = Mapping[str, Any]


def marked(drift: pd.DataFrame) -> pd.DataFrame:
    """Give every row of DRIFT its remedy, and its severity and finding_id where it is a finding; what approved runs made goes last."""
    told = ({**row, **_mark(row)} for row in rows(check(DRIFT, drift)))
    return frame(DRIFT, sorted(told, key=lambda row: bool(row["run"])))


def _mark(row: Row) -> dict[str, str]:
    if row["state"] not in MOVED | {STILL} or row["run"]:
        return {"remedy": _remedy(row)}
    severity = "note" if row["state"] in FINE else "medium" if _grave(row) else SEVERITY[row["kind"]]
    return {"remedy": _remedy(row), "severity": severity, "finding_id": _finding(row, severity)["finding_id"]}


def _grave(row: Row) -> bool:
    """Whether who may enter an IAM role changed, or whether it lets them do everything now."""
    sides = json.loads(row["basis"])
    shown = both(sides["recorded"], sides["live"])
    if row["kind"] != ROLE or shown is None:
        return False
    before, after = shown
    return bool(before.get("trust") != after.get("trust") or (ALL in after.get("policies", "") and ALL not in before.get("policies", "")))


def _remedy(row: Row) -> str:
    if row["state"] in QUIET | FINE or row["run"]:
        return "Nothing has to be done."
    if row["state"] == UNREAD:
        return READ
    if row["state"] in MOVED | {STILL}:
        said = UNRULED if row["desired"] in (NO_RULE, UNREAD) else BACK
    else:
        said = AWAY if row["desired"] == ABSENT else FORWARD
    when = f"{row['recorded_at']:%Y-%m-%d %H:%M} UTC" if row["recorded_at"] else "an earlier run"
    return said.get(row["kind"], BACK[row["kind"]]).format(when=when)


def findings(drift: pd.DataFrame) -> pd.DataFrame:
    """Give the rows of DRIFT that no approved run made, as FINDINGS; `marked` has given them their severity."""
    return frame(FINDINGS, [_finding(row, row["severity"]) for row in rows(check(DRIFT, drift)) if row["finding_id"]])


def _finding(row: Row, severity: str) -> dict[str, str]:
    """Name it by its kind and key: ids and ARNs stay when names change."""
    since = f" on {row['recorded_at']:%Y-%m-%d %H:%M} UTC" if row["recorded_at"] else ""
    at = f" at {row['changed_at']:%Y-%m-%d %H:%M} UTC" if row["changed_at"] else ""
    by = f"whom is {row['changed_by']}" if row["changed_by"].startswith(UNKNOWN) else f"{row['changed_by']}{at}"
    cause = f"recorded{since}: {row['recorded']}; live: {row['live']}; desired: {row['desired']}. Changed in no approved run, by {by}"
    made = finding(severity, f"drift of {row['kind']}", row["key"], cause=cause, remedy=f"{_remedy(row)} Right as it is? Accept it.")
    return {**made, "subject": f"{row['subject']} ({row['account_id']})" if row["account_id"] else row["subject"]}
