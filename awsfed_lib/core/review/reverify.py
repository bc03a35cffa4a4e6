"""Does what a plan made still hold? Read some time after it was sent, and compared with the goal that the record holds.

A role import turns patched appRoles off some fifteen minutes later (MicrosoftDocs/azure-docs #23162), and replicas of
Entra ID may show an old state for longer than a run waits (hashicorp/terraform-provider-azuread #1802, #1811): what was
read back at once is not yet what stays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.apply import Service
from awsfed_lib.core.change import Basis, Subject
from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.outcome import Outcome, Verdict
from awsfed_lib.core.recovery_shapes import DIFFERENCES
from awsfed_lib.core.tables import frame

Facts = tuple[str, ...]
Wire = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Sent:
    """A plan that was sent, from its record: its id and content, its verdict, when it ended, and the tables as they were before.

    `held`: the last moment at which its goal was seen to hold.
    """

    run: str
    plan_id: str
    content: Mapping[str, Any]
    verdict: str
    at: datetime
    before: Mapping[str, Wire]
    held: str

    @property
    def subject(self) -> Subject:
        """What it changed."""
        return Subject(**self.content["subject"])

    @property
    def goal(self) -> tuple[Basis, ...]:
        """The live tables as the plan wanted them."""
        return tuple(Basis(**basis) for basis in self.content["goal"])


def minutes_left(sent: Sent, now: datetime, wait_minutes: int) -> int:
    """Whole minutes, rounded up, until enough time has passed; 0 when it has."""
    left = sent.at + timedelta(minutes=wait_minutes) - now
    return max(0, -(-int(left.total_seconds()) // 60)) if left > timedelta() else 0


def readings(service: Service, sent: Sent, left: int) -> list[dict[Basis, Facts]]:
    """Read every table of the goal, as often as the service's replicas ask for; none while minutes are `left`.

    Raises RecordError for a plan of another realm or one that failed, UnreadError when a table does not come back whole.
    """
    if sent.subject.realm != service.realm:
        raise RecordError(f"That plan is of {sent.subject.realm}, and this session is in {service.realm}.", where=sent.run)
    if sent.verdict not in ("applied", "unverified"):
        raise RecordError(
            f"The verdict of that run was {sent.verdict!r}: it did not reach its goal, so there is nothing to verify.",
            where=sent.run,
            remedy="Run its runbook again: it plans from what is live.",
        )
    found: list[dict[Basis, Facts]] = []
    for pause in () if left else (0.0, *service.patience.pauses[: service.patience.reads - 1]):
        service.wait(pause)
        found.append({basis: service.live(basis.table, basis.of) for basis in sent.goal})
    return found


def differences(sent: Sent, seen: Sequence[Mapping[Basis, Facts]]) -> pd.DataFrame:
    """DIFFERENCES: what is planned and not live, and live and not planned; in how many of the readings; and since when."""
    found: list[dict[str, str]] = []
    for basis in sent.goal:
        if all(_holds(basis, reading[basis]) for reading in seen):
            continue
        expected = planned(sent, basis)
        found += _numbers(sent, basis, seen) if expected is None else _named(sent, basis, expected, [set(one[basis]) for one in seen])
    return frame(DIFFERENCES, found)


def _holds(basis: Basis, live: Facts) -> bool:
    return Basis.over(basis.table, basis.of, live) == basis


def _named(sent: Sent, basis: Basis, expected: Facts, seen: Sequence[set[str]]) -> list[dict[str, str]]:
    missing = Counter(fact for live in seen for fact in set(expected) - live)
    foreign = Counter(fact for live in seen for fact in live - set(expected))
    named = [("missing", fact, count) for fact, count in sorted(missing.items())]
    named += [("foreign", fact, count) for fact, count in sorted(foreign.items())]
    labels = _labels(sent)
    return [
        _row(sent, basis, what, label=_label(fact, labels), fact=fact, readings=f"{count} of {len(seen)}") for what, fact, count in named
    ]


def _numbers(sent: Sent, basis: Basis, seen: Sequence[Mapping[Basis, Facts]]) -> list[dict[str, str]]:
    """Say in numbers what the record does not let us name."""
    others = [reading[basis] for reading in seen if not _holds(basis, reading[basis])]
    label = f"{len(others[-1])} live, {basis.count} planned, and not the same"
    return [_row(sent, basis, "other", label=label, fact="", readings=f"{len(others)} of {len(seen)}")]


def _row(sent: Sent, basis: Basis, what: str, **cells: str) -> dict[str, str]:
    return {"table": basis.table, "what": what, "since": sent.held, **cells}


def planned(sent: Sent, basis: Basis) -> Facts | None:
    """Work out the facts of the goal from the snapshot and the requests; None when they are not those of its digest."""
    wire = sent.before.get(basis.table)
    makers = {"app_roles": _app_roles, "assignments": _assignments, "memberships": _memberships}
    if wire is None or basis.table not in makers:
        return None
    made = tuple(makers[basis.table](wire, sent.content["requests"]))
    return made if _holds(basis, made) else None


def _app_roles(wire: Wire, requests: Wire) -> Iterable[str]:
    bodies = [json.loads(request["body"]) for request in requests if request["method"] == "PATCH"]
    last = next((body["appRoles"] for body in reversed(bodies) if "appRoles" in body), wire)
    return [facts.app_role(entry) for entry in last]


def _assignments(wire: Wire, requests: Wire) -> Iterable[str]:
    deleted = {request["path"].rpartition("/appRoleAssignedTo/")[2] for request in requests if request["method"] == "DELETE"}
    posted = [json.loads(request["body"]) for request in requests if request["method"] == "POST"]
    stay = [facts.assignment(row["appRoleId"], row["principalId"]) for row in wire if row["id"] not in deleted]
    return stay + [facts.assignment(body["appRoleId"], body["principalId"]) for body in posted if "appRoleId" in body]


def _memberships(wire: Wire, requests: Wire) -> Iterable[str]:
    paths = [request["path"].split("/") for request in requests if request["method"] == "DELETE"]
    left = {parts[2] for parts in paths if parts[1] == "groups"}
    return [facts.membership(row["id"]) for row in wire if row["id"] not in left]


def _labels(sent: Sent) -> dict[str, str]:
    """Say what people call the objects of the facts, as far as the record tells."""
    roles = {entry["id"]: entry.get("displayName") or entry.get("value") for entry in sent.before.get("app_roles", ())}
    bodies = [json.loads(request["body"]) for request in sent.content["requests"] if request["body"]]
    roles |= {entry["id"]: entry.get("displayName") for body in bodies for entry in body.get("appRoles", ())}
    people = {row["principalId"]: row.get("principalDisplayName") for row in sent.before.get("assignments", ())}
    groups = {row["id"]: row.get("displayName") for row in sent.before.get("memberships", ())}
    return {key: str(name) for key, name in (roles | people | groups).items() if name}


def _label(fact: str, labels: Mapping[str, str]) -> str:
    said = json.loads(fact)
    if "principalId" in said:
        return f"{labels.get(said['principalId'], said['principalId'])} → {labels.get(said['appRoleId'], said['appRoleId'])}"
    if "memberOf" in said:
        return labels.get(said["memberOf"], said["memberOf"])
    state = "enabled" if said.get("isEnabled") else "disabled"
    return f"{said.get('displayName') or said.get('value') or said.get('id')} ({state})"


def outcome(sent: Sent, left: int, found: pd.DataFrame) -> Outcome:
    """Give the verdict on that plan today: too early, differs, or nothing to do, since what is live is what it made."""
    said = {
        "too early": f"too early: {left} minutes",
        "differs": f"{len(found)} differences from what {sent.run} made",
        "nothing to do": "",
    }
    verdict: Verdict = "too early" if left else "differs" if len(found) else "nothing to do"
    title = f"Verify {sent.content['title']}"
    return Outcome(sent.plan_id, title, sent.subject, verdict, (), said[verdict])
