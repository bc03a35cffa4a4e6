"""Emergency: a plan that takes exactly the paths of one person, group, role or account, and touches nothing else.

Assignments are deleted, since a disabled appRole is still emitted to those who have it (learn.microsoft.com
graph/api/resources/approle). A person reaches roles through groups as well, so the person leaves the assigned groups;
what a rule, Active Directory or Exchange keeps cannot be left through Graph, and is told with what to do instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from awsfed_lib.core.change import SIGNS, Basis, Change, Guards, Loss, Request, Subject
from awsfed_lib.core.finding import finding
from awsfed_lib.core.guard import covered
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import assigned as edges
from awsfed_lib.core.roles import membership
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, FINDINGS, GROUPS, MEMBERS, check, frame, rows

Row = Mapping[str, Any]
LAST = "role administrators"  # Graph may refuse it, and then it must be the last that is refused
_BLOCK = "At once, and for everything: block the sign-in of the person (accountEnabled) and revoke their sign-in sessions."
REMEDIES: Mapping[str, str] = {
    "a rule": f"Change what the rule of the group looks at, or the rule. {_BLOCK}",
    "Active Directory": f"Take the person out of the group in Active Directory, and start a synchronization. {_BLOCK}",
    "Exchange": f"Take the person out of the group in the Exchange admin centre. {_BLOCK}",
}


@dataclass(frozen=True)
class Cut:
    """What is cut off: `subject` (kind user, group, role or account), and the emitted appRoles that are meant, by id.

    `memberships`: MEMBERSHIPS of a user, empty for the rest. `members`: MEMBERS of the groups that hold the appRoles; of a user,
    the own rows only. `names`: everything that the subject is called, for the list of break-glass principals. `unseen`: GROUPS that
    hold the appRoles and whose members are not known.
    """

    subject: Subject
    app_role_ids: frozenset[str]
    memberships: pd.DataFrame
    members: pd.DataFrame
    names: tuple[str, ...] = ()
    unseen: pd.DataFrame = field(default_factory=lambda: frame(GROUPS, []))


@dataclass(frozen=True)
class Taken:
    """What goes: rows of ASSIGNMENTS, and rows of MEMBERSHIPS that the person leaves; and the memberships that cannot be left."""

    assignments: tuple[Row, ...]
    left: tuple[Row, ...]
    kept: tuple[Row, ...]


def taken(app_roles: pd.DataFrame, assigned: pd.DataFrame, cut: Cut) -> Taken:
    """Find the paths of the cut among the assignments of appRoles that Entra ID emits; msiam_access has no value, and is no path."""
    meant = emitted(app_roles) & cut.app_role_ids
    paths = [row for row in rows(check(ASSIGNMENTS, assigned)) if row["app_role_id"] in meant]
    mine = [row for row in paths if cut.subject.kind not in ("user", "group") or row["principal_id"] == cut.subject.id]
    holding = {row["principal_id"] for row in paths}
    groups = [row for row in rows(cut.memberships) if row["group_id"] in holding]
    left = sorted((row for row in groups if row["kept_by"] not in REMEDIES), key=lambda row: (row["kept_by"] == LAST, row["group_id"]))
    return Taken(
        tuple(sorted(mine, key=lambda row: (row["app_role_id"], row["principal_id"], row["assignment_id"]))),
        tuple(left),
        tuple(row for row in groups if row["kept_by"] in REMEDIES),
    )


def plan(
    application: Subject,
    app_roles: pd.DataFrame,
    assigned: pd.DataFrame,
    cut: Cut,
    *,
    guards: Guards = Guards(),  # noqa: B008  frozen
) -> Plan:
    """Plan the removal of every path of the cut, and of nothing else: direct assignments first, then memberships.

    More than `guards.max_removed` paths, a break-glass principal who would lose one, and a protected group are refused.
    """
    going, names = taken(app_roles, assigned, cut), role_names(app_roles)
    losses = tuple(edges.loss(row, names[row["app_role_id"]]) for row in going.assignments) + _membership_losses(
        going, assigned, cut, names
    )
    basis, goal = _bases(application, assigned, cut, going)
    return Plan(
        title=f"Revoke {cut.subject.kind} {cut.subject.name or cut.subject.id}",
        subject=application,
        changes=_changes(cut, going, names),
        requests=_requests(application, cut, going, names),
        basis=basis,
        goal=goal,
        losses=losses,
        refusals=tuple(_refusals(guards, cut, going, losses)),
        guards=guards,
    )


def role_names(app_roles: pd.DataFrame) -> dict[str, str]:
    """Map the ids of appRoles to what people call them."""
    return {row["app_role_id"]: row["display_name"] or row["value"] for row in rows(app_roles)}


def _membership_losses(going: Taken, assigned: pd.DataFrame, cut: Cut, names: Mapping[str, str]) -> tuple[Loss, ...]:
    left = {row["group_id"]: row["group_name"] for row in going.left}
    through = [row for row in rows(assigned) if row["principal_id"] in left and row["app_role_id"] in cut.app_role_ids]
    pairs = sorted({(names[row["app_role_id"]], left[row["principal_id"]]) for row in through if row["app_role_id"] in names})
    return tuple(Loss(cut.subject.id, cut.subject.name, f"{role} (through {group})") for role, group in pairs)


def _bases(application: Subject, assigned: pd.DataFrame, cut: Cut, going: Taken) -> tuple[tuple[Basis, ...], tuple[Basis, ...]]:
    known, gone = rows(assigned), {row["assignment_id"] for row in going.assignments}
    before = [edges.basis(application, edges.facts_of(known))]
    after = [edges.basis(application, edges.facts_of(row for row in known if row["assignment_id"] not in gone))]
    if cut.subject.kind == "user":
        groups, left = set(cut.memberships["group_id"]), {row["group_id"] for row in going.left}
        before.append(membership.basis(cut.subject, groups))
        after.append(membership.basis(cut.subject, groups - left))
    return tuple(before), tuple(after)


def _requests(application: Subject, cut: Cut, going: Taken, names: Mapping[str, str]) -> tuple[Request, ...]:
    requests = edges.in_waves(edges.revoke(application, row, names[row["app_role_id"]]) for row in going.assignments)
    for late in (False, True):
        groups = [row for row in going.left if (row["kept_by"] == LAST) is late]
        first = requests[-1].wave + 1 if requests else 0
        requests += edges.in_waves((membership.leave(cut.subject, row["group_id"], row["group_name"]) for row in groups), first)
    return tuple(requests)


def _changes(cut: Cut, going: Taken, names: Mapping[str, str]) -> tuple[Change, ...]:
    changes = [edges.edge(row, names[row["app_role_id"]]).change("remove") for row in going.assignments]
    for row in going.left:
        more = "; it is role-assignable: RoleManagement.ReadWrite.Directory is asked for" if row["kept_by"] == LAST else ""
        why = f"ends every role of the group for this person, and whatever else the group gives{more}"
        changes.append(membership.left(cut.subject, row["group_id"], row["group_name"], why))
    for row in going.kept:
        kept = membership.left(cut.subject, row["group_id"], row["group_name"], "")
        changes.append(kept._replace(action="keep", why=f"{row['kept_by']} keeps the members of this group: {REMEDIES[row['kept_by']]}"))
    order = list(SIGNS)
    return tuple(sorted(changes, key=lambda change: (order.index(change.action), change.kind, change.label, change.key)))


def _refusals(guards: Guards, cut: Cut, going: Taken, losses: Sequence[Loss]) -> list[str]:
    refusals = [*too_many(guards, len(going.assignments), len(going.left)), *_break_glass(guards, cut, going, losses)]
    if cut.subject.kind != "user":
        groups = {row["principal_id"]: row["principal_name"] for row in going.assignments if row["principal_type"] == "Group"}
        named = ((name, covered(guards.protected_groups, identity, name)) for identity, name in sorted(groups.items()))
        refusals += [f"{name} is a protected group ({pattern}): no plan removes its assignments." for name, pattern in named if pattern]
    return refusals


def too_many(guards: Guards, assignments: int, memberships: int) -> list[str]:
    """Refuse to take more than `max_removed`, and say how it is raised."""
    paths = assignments + memberships
    if paths <= guards.max_removed:
        return []
    raised = f"If every line above shall go, run again with max_removed={paths} (awsfed run: -p max_removed={paths})."
    what = f"{assignments} assignments and {memberships} memberships"
    return [f"The plan takes {paths} paths ({what}), and max_removed is {guards.max_removed}. {raised}"]


def _break_glass(guards: Guards, cut: Cut, going: Taken, losses: Sequence[Loss]) -> list[str]:
    """Refuse when the subject, who is assigned, or who is in an assigned group is break-glass."""
    groups = {row["principal_id"] for row in going.assignments}
    people = [row for row in rows(check(MEMBERS, cut.members)) if row["group_id"] in groups]
    called = {loss.principal_name or loss.principal_id: {loss.principal_id, loss.principal_name} for loss in losses}
    called |= {row["user_name"] or row["member_id"]: {row["member_id"], row["member_name"], row["user_name"]} for row in people}
    called |= {cut.subject.name: {cut.subject.id, cut.subject.name, *cut.names}} if losses else {}
    found = ((name, covered(guards.break_glass, *sorted(names))) for name, names in sorted(called.items()))
    hidden = [row["group_name"] for row in rows(cut.unseen) if guards.break_glass and row["group_id"] in groups]
    return [
        *(f"{name} is break-glass ({pattern}), and no plan takes a role from it." for name, pattern in found if pattern),
        *(f"Who is in {name} is not known, and a break-glass principal could be: grant Member.Read.Hidden." for name in hidden),
    ]


def stays(app_roles: pd.DataFrame, assigned: pd.DataFrame, cut: Cut) -> pd.DataFrame:
    """Say what the person keeps all the same, or may keep: FINDINGS.

    One row a group that cannot be left through Graph, or whose members are not known.
    """
    names = role_names(app_roles)
    held: dict[str, set[str]] = {}
    for row in rows(assigned):
        if row["app_role_id"] in cut.app_role_ids:
            held.setdefault(row["principal_id"], set()).add(names[row["app_role_id"]])
    kept = [_kept(cut, row, sorted(held[row["group_id"]])) for row in taken(app_roles, assigned, cut).kept]
    unseen = [_unseen(cut, row, sorted(held[row["group_id"]])) for row in rows(cut.unseen) if cut.subject.kind == "user"]
    return frame(FINDINGS, kept + unseen)


def _unseen(cut: Cut, row: Row, roles: Sequence[str]) -> dict[str, str]:
    cause = f"may keep {', '.join(roles)} through {row['group_name']}. {row['problem']}"
    remedy = f"Grant this sign-in Member.Read.Hidden and run again, or revoke the group. {_BLOCK}"
    return finding("critical", "not revoked", f"{cut.subject.name} in {row['group_id']}", cause=cause, remedy=remedy)


def _kept(cut: Cut, row: Row, roles: Sequence[str]) -> dict[str, str]:
    through = f"{row['group_name'] or row['group_id']}, whose members {row['kept_by']} keeps"
    remedy = f"{REMEDIES[row['kept_by']]} Or revoke the group, which takes these roles from everybody in it."
    subject = f"{cut.subject.name} in {row['group_id']}"
    return finding("critical", "not revoked", subject, cause=f"keeps {', '.join(roles)} through {through}", remedy=remedy)


def emitted(app_roles: pd.DataFrame) -> frozenset[str]:
    """Ids of the appRoles that Entra ID emits: all that have a value, disabled ones too."""
    return frozenset(row["app_role_id"] for row in rows(check(APP_ROLES, app_roles)) if row["value"])
