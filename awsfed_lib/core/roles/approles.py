"""appRoles of the application: from the roles of AWS to the collection that Entra ID emits, as a plan."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from copy import deepcopy
from io import StringIO
from typing import Any
from urllib.parse import quote

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.change import SIGNS, Basis, Change, Guards, Loss, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import PlanError, TableError, UnreadError
from awsfed_lib.core.guard import covered, protected_losses, too_many
from awsfed_lib.core.label import check_template, fill
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import assigned
from awsfed_lib.core.roles.body import DEFAULT_ROLE, Capacity, capacity, check_ids
from awsfed_lib.core.roles.pair import Pair, parse
from awsfed_lib.core.roles.stages import Bounds, Entry, Stages, stages
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, ROLES, check, frame, read_in_full, rows

LABEL = "{account_name} / {role_name}"
LONGEST_LABEL = 120  # the page names no limit; 120 is what Entra ID allows the display name of an application
TABLE = "app_roles"

__all__ = ["LABEL", "Capacity", "Pair", "active_imports", "capacity", "entries", "parse", "plan", "render", "tutorial_csv"]


def entries(wire: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Turn appRoles as Graph sends them into APP_ROLES, each entry kept whole for the way back.

    Raises UnreadError for an entry without id or isEnabled: such an answer is broken, and broken is not empty.
    """
    return frame(APP_ROLES, [_row(entry) for entry in wire])


def _row(entry: Mapping[str, Any]) -> dict[str, Any]:
    if not (isinstance(entry.get("id"), str) and isinstance(entry.get("isEnabled"), bool)):
        raise UnreadError("An appRole came without id or isEnabled: the answer is not whole.", remedy="Run again; nothing was sent.")
    return {
        "app_role_id": entry["id"],
        "value": entry.get("value"),
        "display_name": entry.get("displayName"),
        "description": entry.get("description"),
        "is_enabled": entry["isEnabled"],
        "origin": entry.get("origin"),
        "entry": deepcopy(dict(entry)),
    }


def render(roles: pd.DataFrame, *, label: str = LABEL) -> pd.DataFrame:
    """Make the desired APP_ROLES of the taken ROLES, sorted by value, without ids: `plan` adopts or makes them.

    Raises ParameterError for a wrong template, TableError for a taken role whose value is not its own pair of ARNs.
    """
    check_template(label)
    taken = [row for row in rows(check(ROLES, roles)) if row["verdict"] == "taken"]
    return frame(APP_ROLES, [_rendered(row, label) for row in sorted(taken, key=lambda row: row["value"])])


def _rendered(row: Mapping[str, Any], label: str) -> dict[str, Any]:
    pair = parse(row["value"])
    if pair is None or (pair.role_arn, pair.account_id) != (row["role_arn"], row["account_id"]):
        raise TableError(f"The value {row['value']!r} does not name the role and a provider of its account.", where=row["role_arn"])
    name = fill(label, {**pair._asdict(), "account_name": row["account_name"]}, limit=LONGEST_LABEL)
    return {"value": pair.value, "display_name": name, "description": name, "is_enabled": True}


def tutorial_csv(roles: pd.DataFrame) -> str:
    """Write the list that the tutorial keeps in a notepad: "Role ARN,Trusted entities", a line a taken role, sorted."""
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("Role ARN", "Trusted entities"))
    pairs = [parse(value) for value in sorted(render(roles)["value"])]
    lines.writerows((pair.role_arn, pair.provider_arn) for pair in pairs if pair)
    return text.getvalue()


def plan(  # noqa: PLR0913  three tables in, two beside them, the limits, and a number
    application: Subject,
    live: pd.DataFrame,
    desired: pd.DataFrame,
    *,
    within: pd.DataFrame,
    assignments: pd.DataFrame,
    guards: Guards = Guards(),  # noqa: B008  frozen
    scopes: int = 1,
    jobs: Sequence[Mapping[str, Any]] = (),
) -> Plan:
    """Plan how the live APP_ROLES become the desired ones; entries that are not ours stay exactly as they are.

    Ours are those whose value is a role and a provider, and that the application registration did not bring. Only those
    of accounts read in full (`within`: ACCOUNTS) are removed, and only when `guards.max_removed` is not 0: additions come
    first, then the `assignments` go, then the entries are disabled, then they are left out. An entry whose role gets one
    for another provider stays until its holders are assigned to that. `scopes`: oauth2PermissionScopes that count against
    the limit. `jobs`: synchronization jobs of the application; beside an active one the plan is refused.
    Raises PlanError when the live collection is not that of a SAML application, TableError when the result breaks a rule
    of Entra ID.
    """
    known, roles = rows(check(ASSIGNMENTS, assignments)), rows(check(APP_ROLES, live))
    _refuse_wrong_object(application, roles)
    bounds = Bounds(application.id, read_in_full(within), guards.max_removed > 0, scopes, _holders(known))
    course = stages(roles, rows(check(APP_ROLES, desired)), bounds)
    lost = _lost(course, known)
    basis, goal = _bases(application, course.live, known), _bases(application, course.final, _without(known, lost))
    touched = slice(None) if course.removed else slice(1)
    losses = tuple(assigned.loss(row, role) for row, role in lost)
    return Plan(
        title=f"appRoles of {application.name}",
        subject=application,
        changes=_changes(course, lost),
        requests=_requests(application, course, lost, goal[1]),
        basis=basis[touched],
        goal=goal[touched],
        losses=losses,
        refusals=(*_importing(jobs), *_refusals(guards, course, losses)),
        guards=guards,
    )


def _refuse_wrong_object(application: Subject, live: Sequence[Mapping[str, Any]]) -> None:
    check_ids([row["entry"] for row in live])
    if not any(row["display_name"] == DEFAULT_ROLE for row in live):
        raise PlanError(
            f"The live appRoles hold no {DEFAULT_ROLE}: this is not a SAML application of the gallery, or it was not read whole.",
            where=f"{application.name} ({application.id})",
            remedy="Take the object id of the enterprise application (not of the app registration) as application_id. Nothing was sent.",
        )


def _holders(known: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Map the id of each appRole to the principals that are assigned to it, with their names."""
    holders: dict[str, dict[str, str]] = {}
    for row in known:
        holders.setdefault(row["app_role_id"], {})[row["principal_id"]] = row["principal_name"]
    return holders


def _lost(course: Stages, known: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], str]]:
    """List the assignments of the entries that go, with the name of their role, in a fixed order."""
    names = {entry["id"]: entry.get("displayName") or entry["value"] for entry in course.removed}
    lost = [(row, names[row["app_role_id"]]) for row in known if row["app_role_id"] in names]
    return sorted(lost, key=lambda item: (item[1], item[0]["principal_name"], item[0]["assignment_id"]))


def _without(known: Sequence[Mapping[str, Any]], lost: Sequence[tuple[Mapping[str, Any], str]]) -> list[Mapping[str, Any]]:
    gone = {row["assignment_id"] for row, _ in lost}
    return [row for row in known if row["assignment_id"] not in gone]


def _bases(application: Subject, collection: Sequence[Entry], known: Sequence[Mapping[str, Any]]) -> tuple[Basis, ...]:
    return _basis(application, collection), assigned.basis(application, assigned.facts_of(known))


def _basis(application: Subject, collection: Sequence[Entry]) -> Basis:
    return Basis.over(TABLE, application.id, tuple(facts.app_role(entry) for entry in collection))


def _requests(application: Subject, course: Stages, lost: Sequence[tuple[Mapping[str, Any], str]], remaining: Basis) -> tuple[Request, ...]:
    """PATCH what is added, DELETE assignments, PATCH what is disabled, PATCH without what goes if nobody was assigned meanwhile.

    Without assignments to delete, what is added and what is disabled go in one PATCH.
    """
    grown = course.grown if lost else course.live
    requests = _patches(application, course.live, grown)
    requests += assigned.in_waves((assigned.revoke(application, row, role) for row, role in lost), _next_wave(requests))
    requests += _patches(application, grown, course.disabled, wave=_next_wave(requests))
    beside = (remaining,) if course.removed else ()
    return (*requests, *_patches(application, course.disabled, course.final, wave=_next_wave(requests), beside=beside))


def _next_wave(requests: Sequence[Request]) -> int:
    return requests[-1].wave + 1 if requests else 0


def _patches(
    application: Subject, before: Sequence[Entry], after: Sequence[Entry], *, wave: int = 0, beside: tuple[Basis, ...] = ()
) -> list[Request]:
    """One PATCH where the two states differ, none where they are the same."""
    return [_patch(application, before, after, wave=wave, beside=beside)] if before != after else []


def _patch(application: Subject, before: Sequence[Entry], after: Sequence[Entry], *, wave: int, beside: tuple[Basis, ...]) -> Request:
    old, new = ({facts.app_role(entry) for entry in state} for state in (before, after))
    return Request(
        "PATCH",
        f"/servicePrincipals/{quote(application.id, safe='')}",
        as_json({"appRoles": list(after)}),
        _purpose(before, after),
        Settled(TABLE, application.id, present=tuple(sorted(new - old)), absent=tuple(sorted(old - new))),
        expects=_basis(application, before),
        wave=wave,
        beside=beside,
    )


def _purpose(before: Sequence[Entry], after: Sequence[Entry]) -> str:
    old, new = ({entry["id"]: entry["isEnabled"] for entry in state} for state in (before, after))
    numbers = {
        "add": len(new.keys() - old.keys()),
        "enable": sum(new[name] and not old[name] for name in new.keys() & old.keys()),
        "disable": sum(old[name] and not new[name] for name in new.keys() & old.keys()),
        "remove": len(old.keys() - new.keys()),
    }
    numbers["keep"] = sum(new[name] == old.get(name) for name in new)
    return f"appRoles: {', '.join(f'{verb} {number}' for verb, number in numbers.items() if number)}"


def _changes(course: Stages, lost: Sequence[tuple[Mapping[str, Any], str]]) -> tuple[Change, ...]:
    changes = course.changes + [assigned.edge(row, role).change("remove", "its appRole is removed") for row, role in lost]
    order = list(SIGNS)
    return tuple(sorted(changes, key=lambda change: (order.index(change.action), change.kind, change.label, change.key)))


def _refusals(guards: Guards, course: Stages, losses: Sequence[Loss]) -> tuple[str, ...]:
    refusals = too_many(guards, len(course.removed), len(losses)) if course.removed else []
    for change in course.changes:
        if change.action in ("remove", "disable") and (pattern := covered(guards.protected_roles, *_names(change))):
            refusals.append(f"The plan would {change.action} {change.label}, which is protected ({pattern}).")
    return (*refusals, *protected_losses(guards, losses))


def active_imports(jobs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the role imports among the synchronization jobs that run by themselves.

    Such a job disables what is patched by hand, and brings back what was removed: MicrosoftDocs/azure-docs #23162 and #23165;
    entra saas-apps/amazon-web-service-tutorial says the two must not mix.
    """
    return [job for job in jobs if (job.get("schedule") or {}).get("state") == "Active"]


def _importing(jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    advice = "is active and would undo this: pause provisioning of the application first."
    return [f"The role import {job.get('id', '')} {advice}" for job in active_imports(jobs)]


def _names(change: Change) -> tuple[str, ...]:
    pair = parse(change.key)
    return (change.key, change.label, pair.role_name if pair else "")
