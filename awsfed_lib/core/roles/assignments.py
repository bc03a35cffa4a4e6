"""Assignments: one group a role, added where missing; extras are shown, and go only where the parameter file allows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.change import SIGNS, Basis, Change, Guards, Request, Subject
from awsfed_lib.core.guard import covered, too_many
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import assigned
from awsfed_lib.core.roles.assigned import Edge
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, MATCHED_GROUPS, check, read_in_full, rows

MOST_OF_A_PRINCIPAL = 1500  # learn.microsoft.com entra/identity/users/directory-service-limits-restrictions
MOST_REASONS = 8

Row = Mapping[str, Any]


class Wanted(NamedTuple):
    """The wanted assignments: those that can be, and for the others why not, by value."""

    edges: tuple[Edge, ...]
    held: tuple[Change, ...]
    origins: Mapping[str, str]  # of the groups, by id
    unsettled: frozenset[str]  # appRole ids whose group is not known yet: nothing of them is an extra
    usable: frozenset[str]  # values of the roles that are there and usable; of others nothing is an extra


EXTRA = "extra: not the group of this role"


class Extra(NamedTuple):
    """A live assignment that is not wanted, and why it stays; "" when it may go."""

    row: Row
    role: str
    why: str


def plan(  # noqa: PLR0913  three live tables, the wanted one, and the limits
    application: Subject,
    app_roles: pd.DataFrame,
    matched: pd.DataFrame,
    live: pd.DataFrame,
    *,
    within: pd.DataFrame,
    guards: Guards = Guards(),  # noqa: B008  frozen
) -> Plan:
    """Plan how the live ASSIGNMENTS of the application become those of MATCHED_GROUPS: additions first, then removals.

    Removed are only assignments of groups, to AWS roles of accounts read in full (`within`: ACCOUNTS) that have a row in
    MATCHED_GROUPS, whose own group is known and assigned, not protected, and only when `guards.max_removed` is not 0.
    Users are never touched.
    """
    roles = {row["app_role_id"]: row for row in rows(check(APP_ROLES, app_roles))}
    known = rows(check(ASSIGNMENTS, live))
    wanted = _wanted(roles, rows(check(MATCHED_GROUPS, matched)))
    have = {(row["app_role_id"], row["principal_id"]) for row in known}
    new = [edge for edge in wanted.edges if (edge.app_role_id, edge.principal_id) not in have]
    extras = _extras(known, roles, wanted, read_in_full(within), guards)
    gone = [extra for extra in extras if not extra.why]
    return Plan(
        title=f"Assignments of {application.name}",
        subject=application,
        changes=_changes(wanted, have, extras),
        requests=_requests(application, new, gone),
        basis=(_app_roles_basis(application, roles), assigned.basis(application, assigned.facts_of(known))),
        goal=(assigned.basis(application, _after(known, new, gone)),),
        losses=tuple(assigned.loss(extra.row, extra.role) for extra in gone),
        refusals=(*(too_many(guards, 0, len(gone)) if gone else ()), *_overfull(known, new)),
        guards=guards,
        waiting=_waiting(wanted.held),
    )


def _waiting(held: Sequence[Change]) -> tuple[str, ...]:
    """Count the roles that cannot be assigned yet, by reason, the most first: the reason names the runbook that helps."""
    counts = Counter(change.why.removeprefix("not assigned: ") for change in held)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    said = [f"{number:,} {'role' if number == 1 else 'roles'} not assigned: {why}" for why, number in ranked[:MOST_REASONS]]
    rest = sum(number for _, number in ranked[MOST_REASONS:])
    return (*said, *([f"{rest:,} roles not assigned for other reasons; the plan shows them"] if rest else []))


def _wanted(roles: Mapping[str, Row], matched: Sequence[Row]) -> Wanted:
    by_value: dict[str, Row] = {}
    for row in sorted(roles.values(), key=lambda row: not row["is_enabled"]):
        if pair := parse(row["value"]):
            by_value.setdefault(pair.value, row)
    edges, held, unsettled = set(), set(), set()
    for row in matched:
        role = by_value.get(row["value"])
        if why := _obstacle(row, role):
            label = f"{row['group_name']} → {_name(role) or row['value']}"
            held.add(Change("keep", "assignment", row["value"], label, before=row["origin"], why=why))
            unsettled |= {role["app_role_id"]} if role else set()
        elif role:
            edges.add(Edge(role["app_role_id"], row["group_id"], _name(role), row["group_name"]))
    origins = {row["group_id"]: row["origin"] for row in matched}
    usable = frozenset(row["value"] for row in matched)
    return Wanted(tuple(sorted(edges)), tuple(sorted(held)), origins, frozenset(unsettled), usable)


def _obstacle(row: Row, role: Row | None) -> str:
    """Say why a wanted assignment cannot be made now, and which runbook makes it possible; "" when it can."""
    if row["problem"]:
        return str(row["problem"])
    if role is None:
        return "not assigned: the application has no such appRole yet (04-approles)"
    if not row["group_id"]:
        return "not assigned: the group is not there yet (05-groups)"
    if not role["is_enabled"]:
        return "not assigned: a disabled appRole cannot be assigned (04-approles enables it)"
    return ""


def _extras(known: Sequence[Row], roles: Mapping[str, Row], wanted: Wanted, read: Collection[str], guards: Guards) -> list[Extra]:
    edges = {(edge.app_role_id, edge.principal_id) for edge in wanted.edges}
    unwanted = [row for row in known if (row["app_role_id"], row["principal_id"]) not in edges]
    extras = []
    for row in sorted(unwanted, key=lambda row: (row["app_role_id"], row["principal_id"], row["assignment_id"])):
        role = roles.get(row["app_role_id"])
        extras.append(Extra(row, _name(role) or row["app_role_id"], _reason_to_keep(row, role, wanted, read, guards)))
    return extras


def _reason_to_keep(row: Row, role: Row | None, wanted: Wanted, read: Collection[str], guards: Guards) -> str:
    """Say why an assignment that is not wanted stays; "" when it may go."""
    pair = parse(role["value"]) if role else None
    if role is None or pair is None:
        return "not of an AWS role"
    if row["principal_type"] != "Group":
        return f"a {row['principal_type']} assigned directly, not through a group"
    principal = covered((*guards.protected_groups, *guards.break_glass), row["principal_id"], row["principal_name"])
    protected = principal or covered(guards.protected_roles, role["value"], pair.role_name, _name(role))
    reasons = {
        f"account {pair.account_id} was not read in full: nothing of it is removed": pair.account_id not in read,
        "its role is not usable, or gone: see 04-approles": pair.value not in wanted.usable,
        "stays until the group of this role is there and assigned": row["app_role_id"] in wanted.unsettled,
        f"protected ({protected})": bool(protected),
        f"{EXTRA}; max_removed is 0": not guards.max_removed,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _name(role: Row | None) -> str:
    return str(role["display_name"] or role["value"]) if role else ""


def _requests(application: Subject, new: Sequence[Edge], gone: Sequence[Extra]) -> tuple[Request, ...]:
    grants = assigned.in_waves(assigned.grant(application, edge) for edge in new)
    first = grants[-1].wave + 1 if grants else 0
    return (*grants, *assigned.in_waves((assigned.revoke(application, extra.row, extra.role) for extra in gone), first))


def _after(known: Sequence[Row], new: Sequence[Edge], gone: Sequence[Extra]) -> list[str]:
    removed = {extra.row["assignment_id"] for extra in gone}
    return [*assigned.facts_of(row for row in known if row["assignment_id"] not in removed), *(edge.fact for edge in new)]


def _app_roles_basis(application: Subject, roles: Mapping[str, Row]) -> Basis:
    return Basis.over("app_roles", application.id, tuple(facts.app_role(row["entry"]) for row in roles.values()))


def _overfull(known: Sequence[Row], new: Sequence[Edge]) -> list[str]:
    """Refuse to give a principal more assignments than a principal may hold."""
    names = {edge.principal_id: edge.principal for edge in new}
    held = Counter(row["principal_id"] for row in known) + Counter(edge.principal_id for edge in new)
    over = [(names[name], held[name]) for name in sorted(names) if held[name] > MOST_OF_A_PRINCIPAL]
    return [f"{name} would hold {number} assignments; a principal may hold {MOST_OF_A_PRINCIPAL}." for name, number in over]


def _changes(wanted: Wanted, have: Collection[tuple[str, str]], extras: Sequence[Extra]) -> tuple[Change, ...]:
    new = [edge for edge in wanted.edges if (edge.app_role_id, edge.principal_id) not in have]
    changes = [edge.change("keep") for edge in wanted.edges if edge not in new]
    changes += [edge.change("add", before=wanted.origins[edge.principal_id]) for edge in new]
    changes += [assigned.edge(extra.row, extra.role).change("keep" if extra.why else "remove", extra.why or EXTRA) for extra in extras]
    order = list(SIGNS)
    return tuple(sorted((*changes, *wanted.held), key=lambda change: (order.index(change.action), change.label, change.key)))
