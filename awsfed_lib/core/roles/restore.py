"""A recorded snapshot as the desired side of a plan: appRoles back as they were, assignments by principal and role, memberships that went.

Additions come first, and nothing is removed unless `max_removed` allows it. What cannot come back is said, row by row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.change import SIGNS, Change, Guards, Request, Subject
from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.guard import covered, too_many
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.recovery_shapes import NOT_RESTORED
from awsfed_lib.core.roles import assigned, collection, rejoin
from awsfed_lib.core.roles.assigned import Edge
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.roles.rejoin import NOBODY, Ended, Former
from awsfed_lib.core.roles.restore_course import Course, changes, course
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, check, frame, rows

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """What a record kept: APP_ROLES and ASSIGNMENTS, None for a table that it does not hold; and whose they are.

    `application_id`, `tenant_id`: of the application that it was taken of. `others`: tables that this runbook does not restore.
    `ended`: the memberships that the run took away itself; the only ones that come back.
    """

    run: str
    tenant_id: str
    application_id: str
    app_roles: pd.DataFrame | None
    assignments: pd.DataFrame | None
    others: tuple[str, ...] = ()
    ended: tuple[Ended, ...] = ()


class Live(NamedTuple):
    """What is there now: APP_ROLES, ASSIGNMENTS, ids of recorded principals that still exist, scopes, role imports, former members, `mode`.

    `mode`: preferredSingleSignOnMode of the application.
    """

    app_roles: pd.DataFrame
    assignments: pd.DataFrame
    principals: Collection[str]
    scopes: int = 1
    jobs: Sequence[Mapping[str, Any]] = ()
    former: Former = NOBODY
    mode: str = ""


class Parts(NamedTuple):
    """The assignments: to be made before and after the last PATCH, to be taken, and those that are neither, with the reason."""

    early: list[Edge]
    late: list[Edge]
    gone: list[tuple[Row, str]]
    kept: list[Change]


def plan(application: Subject, live: Live, snapshot: Snapshot, *, guards: Guards = Guards()) -> Plan:  # noqa: B008  frozen
    """Plan how the application becomes what it was in the snapshot.

    Raises RecordError for the snapshot of another tenant or application, PlanError when the live collection is not that of
    a SAML application, TableError when the result breaks a rule of Entra ID.
    """
    refuse_foreign(application, snapshot)
    roles, known = rows(check(APP_ROLES, live.app_roles)), rows(check(ASSIGNMENTS, live.assignments))
    collection.refuse_wrong_object(application, roles, live.mode)
    path = course(roles, roles if snapshot.app_roles is None else rows(snapshot.app_roles), _held(known), guards, scopes=live.scopes)
    parts, back = _parts(path, known, live, snapshot, guards), rejoin.back(snapshot.ended, live.former)
    gone = {row["assignment_id"] for row, _ in parts.gone}
    remaining = [*assigned.facts_of(row for row in known if row["assignment_id"] not in gone), *(edge.fact for edge in parts.early)]
    after = assigned.basis(application, [*remaining, *(edge.fact for edge in parts.late)])
    order = list(SIGNS)
    return Plan(
        title=f"Restore {application.name} from {snapshot.run}",
        subject=application,
        changes=tuple(
            sorted(
                (*_changes(path, parts), *back.changes),
                key=lambda change: (order.index(change.action), change.kind, change.label, change.key),
            )
        ),
        requests=rejoin.after(_requests(application, path, parts, remaining), back),
        basis=(collection.basis(application, path.live), assigned.basis(application, assigned.facts_of(known)), *back.basis),
        goal=(collection.basis(application, path.final), after, *back.goal),
        losses=tuple(assigned.loss(row, role) for row, role in parts.gone),
        refusals=(*collection.importing(live.jobs), *(too_many(guards, len(path.removed), len(gone)) if path.removed or gone else ())),
        guards=guards,
    )


def refuse_foreign(application: Subject, snapshot: Snapshot) -> None:
    """Raise RecordError when the snapshot is that of another tenant or application."""
    for what, theirs, ours in (("tenant", snapshot.tenant_id, application.realm), ("application", snapshot.application_id, application.id)):
        if theirs != ours:
            raise RecordError(
                f"The record is of another {what}: {theirs or '(none)'}, and this run is for {ours}. Nothing was sent.",
                where=snapshot.run,
                remedy="Take a record of this application, or the parameter file of that one.",
            )


def principals(snapshot: Snapshot) -> list[str]:
    """Ids of everybody whom the snapshot has assigned."""
    return [] if snapshot.assignments is None else sorted(set(snapshot.assignments["principal_id"]))


def _held(known: Sequence[Row]) -> dict[str, list[Row]]:
    held: dict[str, list[Row]] = {}
    for row in known:
        held.setdefault(row["app_role_id"], []).append(row)
    return held


def _parts(path: Course, known: Sequence[Row], live: Live, snapshot: Snapshot, guards: Guards) -> Parts:
    recorded = [] if snapshot.assignments is None else rows(check(ASSIGNMENTS, snapshot.assignments))
    names = {entry["id"]: entry.get("displayName") or entry.get("value") or entry["id"] for entry in (*path.live, *path.final)}
    early, late, kept = [], [], []
    have = {(row["app_role_id"], row["principal_id"]) for row in known}
    for edge in sorted({_edge(row, path.ids, names) for row in recorded}):
        if (edge.app_role_id, edge.principal_id) in have:
            continue
        why = _obstacle(edge, path, live.principals)
        if why:
            kept.append(edge.change("keep", why))
        elif _enabled(path.grown, edge.app_role_id):
            early.append(edge)
        else:
            late.append(edge)
    wanted = None if snapshot.assignments is None else {(path.ids.get(row["app_role_id"], ""), row["principal_id"]) for row in recorded}
    gone, stay = _extras(path, known, wanted, names, guards)
    return Parts(early, late, gone, kept + stay)


def _edge(row: Row, ids: Mapping[str, str], names: Mapping[str, str]) -> Edge:
    role = ids.get(row["app_role_id"], row["app_role_id"])
    return Edge(role, row["principal_id"], names.get(role, role), row["principal_name"])


def _obstacle(edge: Edge, path: Course, principals: Collection[str]) -> str:
    """Say why a recorded assignment cannot come back; "" when it can."""
    if edge.principal_id not in principals:
        return "not restored: this group or person does not exist any more; restore it in Entra ID (30 days), then run again"
    if not (_enabled(path.grown, edge.app_role_id) or _enabled(path.final, edge.app_role_id)):
        return "not restored: its appRole is disabled or missing, and such a one cannot be assigned"
    return ""


def _enabled(state: Sequence[Mapping[str, Any]], app_role_id: str) -> bool:
    return any(entry["id"] == app_role_id and entry["isEnabled"] for entry in state)


def _extras(
    path: Course, known: Sequence[Row], wanted: set[tuple[str, str]] | None, names: Mapping[str, str], guards: Guards
) -> tuple[list[tuple[Row, str]], list[Change]]:
    """Sort the live assignments that the record does not hold into those that go and those that stay, with the reason."""
    removed = {entry["id"] for entry in path.removed}
    gone, stay = [], []
    for row in sorted(known, key=lambda row: (row["app_role_id"], row["principal_id"], row["assignment_id"])):
        role = names.get(row["app_role_id"], row["app_role_id"])
        extra = wanted is not None and (row["app_role_id"], row["principal_id"]) not in wanted
        why = "" if row["app_role_id"] in removed else _stays(row, path, guards)
        if row["app_role_id"] in removed or (extra and not why):
            gone.append((row, role))
        elif extra:
            stay.append(assigned.edge(row, role).change("keep", f"not in the record; {why}"))
    return gone, stay


def _stays(row: Row, path: Course, guards: Guards) -> str:
    values = {entry["id"]: entry.get("value") or "" for entry in path.live}
    protected = covered((*guards.protected_groups, *guards.break_glass), row["principal_id"], row["principal_name"])
    reasons = {
        "not of an AWS role": parse(values.get(row["app_role_id"], "")) is None,
        f"protected ({protected})": bool(protected),
        "max_removed is 0": not guards.max_removed,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _requests(application: Subject, path: Course, parts: Parts, remaining: Sequence[str]) -> tuple[Request, ...]:
    """PATCH what comes back, assign, take away, PATCH what is disabled, PATCH the recorded collection, assign the rest."""
    between = bool(parts.early or parts.gone)
    grown = path.grown if between else path.live
    requests = collection.patches(application, path.live, grown)
    requests += assigned.in_waves((assigned.grant(application, edge) for edge in parts.early), collection.next_wave(requests))
    revokes = (assigned.revoke(application, row, role) for row, role in parts.gone)
    requests += assigned.in_waves(revokes, collection.next_wave(requests))
    requests += collection.patches(application, grown, path.disabled, wave=collection.next_wave(requests))
    beside = (assigned.basis(application, remaining),) if path.removed else ()
    requests += collection.patches(application, path.disabled, path.final, wave=collection.next_wave(requests), beside=beside)
    return (*requests, *assigned.in_waves((assigned.grant(application, edge) for edge in parts.late), collection.next_wave(requests)))


def _changes(path: Course, parts: Parts) -> list[Change]:
    added = [edge.change("add", "as in the record") for edge in (*parts.early, *parts.late)]
    removed = [assigned.edge(row, role).change("remove", "not in the record") for row, role in parts.gone]
    return [*changes(path), *added, *removed, *parts.kept]


def not_restored(made: Plan, snapshot: Snapshot) -> pd.DataFrame:
    """NOT_RESTORED: what does not come back, or not as it was; from the plan, and what no plan can bring back."""
    held = [change for change in made.changes if change.action == "keep" and change.why and not change.why.startswith("not in the record")]
    listed = [_row(change.kind, change.label, change.why, "") for change in held]
    new = sum(change.action == "add" and change.kind == "assignment" for change in made.changes)
    if new:
        ids = f"{new} come back with new ids and new creation times"
        listed.append(_row("assignment", "ids of assignments", ids, "nothing: nobody's access rests on them"))
    unheld = {"appRole": snapshot.app_roles, "assignment": snapshot.assignments}
    listed += [
        _row(part, "all", "not restored: the record does not hold them", "take another record")
        for part, table in unheld.items()
        if table is None
    ]
    listed += [
        _row("other", name, "not restored by this runbook", "bring it back by hand, by its snapshot in the record")
        for name in snapshot.others
    ]
    sessions = "live sessions are neither ended nor brought back: people sign in again"
    return frame(NOT_RESTORED, [*listed, _row("session", "all", sessions, "16-revoke renders the policy that ends sessions")])


def _row(part: str, label: str, problem: str, remedy: str) -> dict[str, str]:
    return {"part": part, "label": label, "problem": problem, "remedy": remedy}
