"""appRoles of the application: from the roles of AWS to the collection that Entra ID emits, as a plan."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from io import StringIO
from typing import Any

import pandas as pd

from awsfed_lib.core.change import SIGNS, Basis, Change, Guards, Loss, Request, Subject
from awsfed_lib.core.errors import TableError, UnreadError
from awsfed_lib.core.guard import covered, protected_losses, too_many
from awsfed_lib.core.label import LONGEST, check_template, fill, told_apart
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import assigned, collection
from awsfed_lib.core.roles.body import Capacity, capacity
from awsfed_lib.core.roles.collection import active_imports
from awsfed_lib.core.roles.pair import Pair, parse
from awsfed_lib.core.roles.stages import Absence, Bounds, Entry, Stages, stages
from awsfed_lib.core.roles.trust import USABLE
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, ROLES, check, frame, read_in_full, rows

LABEL = "{account_name} / {role_name}"

__all__ = ["LABEL", "Capacity", "Pair", "active_imports", "capacity", "entries", "inventoried", "leaving", "parse", "plan"]
__all__ += ["providers", "render", "tutorial_csv"]


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


def providers(live: pd.DataFrame) -> Counter[str]:
    """Count the live APP_ROLES that name each SAML provider, by its ARN: disabled ones too, since Entra ID goes on emitting them."""
    return Counter(pair.provider_arn for value in live["value"] if (pair := parse(value)))


def render(roles: pd.DataFrame, *, label: str = LABEL) -> pd.DataFrame:
    """Make the desired APP_ROLES of the taken ROLES, sorted by value, without ids: `plan` adopts or makes them.

    A label that the roles of several accounts would have gets the account id.
    Raises ParameterError for a wrong template, TableError for a taken role whose value is not its own pair of ARNs.
    """
    check_template(label)
    taken = [row for row in rows(check(ROLES, roles)) if row["verdict"] in USABLE]
    made = frame(APP_ROLES, [_rendered(row, label) for row in sorted(taken, key=lambda row: row["value"])])
    accounts = made["value"].str.split(":").str[4]
    shared = accounts.groupby(made["display_name"].str.casefold()).transform("nunique") > 1
    for place in made.index[shared]:
        name = told_apart(made.loc[place, "display_name"], made.loc[place, "value"])
        made.loc[place, ["display_name", "description"]] = name
    return made


def _rendered(row: Mapping[str, Any], label: str) -> dict[str, Any]:
    pair = parse(row["value"])
    if pair is None or (pair.role_arn, pair.account_id) != (row["role_arn"], row["account_id"]):
        raise TableError(f"The value {row['value']!r} does not name the role and a provider of its account.", where=row["role_arn"])
    name = fill(label, {**pair._asdict(), "account_name": row["account_name"]}, limit=LONGEST)
    return {"value": pair.value, "display_name": name, "description": name, "is_enabled": True}


def tutorial_csv(roles: pd.DataFrame) -> str:
    """Write the list that the tutorial keeps in a notepad: "Role ARN,Trusted entities", a line a taken role, sorted."""
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("Role ARN", "Trusted entities"))
    pairs = [parse(value) for value in sorted(render(roles)["value"])]
    lines.writerows((pair.role_arn, pair.provider_arn) for pair in pairs if pair)
    return text.getvalue()


def inventoried(accounts: pd.DataFrame, roles: pd.DataFrame) -> Absence:
    """Judge by one reading: an appRole may go when its account was read in full (ACCOUNTS) and its role is not there (ROLES).

    A role that is skipped in ROLES exists: its appRole stays, with the reason of the inventory.
    """
    read, found = read_in_full(accounts), defaultdict[str, list[dict[str, Any]]](list)
    for row in rows(check(ROLES, roles)):
        found[row["role_arn"]].append(row)

    def stays(pair: Pair) -> str:
        if pair.account_id not in read:
            return f"account {pair.account_id} was not read in full: nothing of it is removed"
        listed = found.get(pair.role_arn, [])
        usable = any(row["verdict"] in USABLE for row in listed)  # then only through the providers of its rows
        same = [row for row in listed if row["provider_arn"] == pair.provider_arn or not usable]
        return f"the role exists in AWS: {same[0]['reason'] or 'it is none of those that this run is about'}" if same else ""

    return Absence(stays, "dangling: its account was read in full and has no such role for this provider")


def leaving(account_id: str) -> Absence:
    """Judge by the decision of a person: every appRole of this account may go, whatever the account answers, and no other."""
    return Absence(
        lambda pair: "" if pair.account_id == account_id else "of another account",
        f"account {account_id} is taken out of the federation",
    )


def plan(  # noqa: PLR0913  three tables in, two beside them, the limits, and a number
    application: Subject,
    live: pd.DataFrame,
    desired: pd.DataFrame,
    *,
    within: Absence,
    assignments: pd.DataFrame,
    guards: Guards = Guards(),  # noqa: B008  frozen
    scopes: int = 1,
    jobs: Sequence[Mapping[str, Any]] = (),
    mode: str = "",
) -> Plan:
    """Plan how the live APP_ROLES become the desired ones; entries that are not ours stay exactly as they are.

    Ours are those whose value is a role and a provider, and that the application registration did not bring. Removed are
    only those that may be called absent (`within`: of `inventoried` or `leaving`), and only when `guards.max_removed` is
    not 0: additions come first, then the `assignments` go, then the entries are disabled, then they are left out. An
    entry whose role gets one for another provider stays until its holders are assigned to that. `scopes`:
    oauth2PermissionScopes that count against the limit. `jobs`: synchronization jobs of the application; beside an
    active one the plan is refused. `mode`: its preferredSingleSignOnMode.
    Raises PlanError when the live collection is not that of a SAML application, TableError when the result breaks a rule
    of Entra ID.
    """
    known, entries = rows(check(ASSIGNMENTS, assignments)), rows(check(APP_ROLES, live))
    collection.refuse_wrong_object(application, entries, mode)
    bounds = Bounds(application.id, within, guards.max_removed > 0, scopes, _holders(known))
    course = stages(entries, rows(check(APP_ROLES, desired)), bounds)
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
        refusals=(*collection.importing(jobs), *_refusals(guards, course, losses)),
        guards=guards,
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


def _bases(application: Subject, state: Sequence[Entry], known: Sequence[Mapping[str, Any]]) -> tuple[Basis, ...]:
    return collection.basis(application, state), assigned.basis(application, assigned.facts_of(known))


def _requests(application: Subject, course: Stages, lost: Sequence[tuple[Mapping[str, Any], str]], remaining: Basis) -> tuple[Request, ...]:
    """PATCH what is added, DELETE assignments, PATCH what is disabled, PATCH without what goes if nobody was assigned meanwhile.

    Without assignments to delete, what is added and what is disabled go in one PATCH.
    """
    grown = course.grown if lost else course.live
    requests = collection.patches(application, course.live, grown)
    requests += assigned.in_waves((assigned.revoke(application, row, role) for row, role in lost), collection.next_wave(requests))
    requests += collection.patches(application, grown, course.disabled, wave=collection.next_wave(requests))
    beside = (remaining,) if course.removed else ()
    return (*requests, *collection.patches(application, course.disabled, course.final, wave=collection.next_wave(requests), beside=beside))


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


def _names(change: Change) -> tuple[str, ...]:
    pair = parse(change.key)
    return (change.key, change.label, pair.role_name if pair else "")
