"""A review as a plan: what reviewers marked "remove" goes, and nothing else does.

A row of the sheet is a path. A direct assignment is deleted. Through a group the person leaves the group, as in an emergency
revocation; but only when every path of the person through that group is marked, since leaving ends them all. Where that cannot
be, the assignment of the group goes when every path that it makes is marked. What remains is a finding, never a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from awsfed_lib.core.change import SIGNS, Basis, Change, Guards, Loss, Request, Subject
from awsfed_lib.core.guard import covered
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.recovery_shapes import MEMBERSHIPS
from awsfed_lib.core.review.review_sheet import Mark
from awsfed_lib.core.review.ways import Way
from awsfed_lib.core.roles import assigned as edges
from awsfed_lib.core.roles import membership
from awsfed_lib.core.roles.revoke import LAST, REMEDIES, role_names, too_many
from awsfed_lib.core.tables import check, rows

Row = Mapping[str, Any]
Pair = tuple[str, str]  # person and group, by id


@dataclass(frozen=True, eq=False)
class Review:
    """A sheet and the live state that it is held against.

    `memberships`: MEMBERSHIPS of each person with a marked path through a group, by the id of the person. `unseen`: names of the
    assigned groups whose members are not known.
    """

    application: Subject
    app_roles: pd.DataFrame
    assigned: pd.DataFrame
    ways: tuple[Way, ...]
    marks: tuple[Mark, ...]
    memberships: Mapping[str, pd.DataFrame]
    unseen: frozenset[str] = frozenset()

    @cached_property
    def marked(self) -> frozenset[str]:
        """Paths that are to go, by path_id."""
        return frozenset(mark.path_id for mark in self.marks if mark.decision == "remove")

    @cached_property
    def going(self) -> tuple[Way, ...]:
        """Live ways that are to go."""
        return tuple(way for way in self.ways if way.path_id in self.marked)

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of the appRoles, by id."""
        return role_names(self.app_roles)

    @cached_property
    def kept_by(self) -> dict[Pair, str]:
        """What keeps the members of a group that a person is in; a pair that was not read is missing."""
        tables = ((person, rows(check(MEMBERSHIPS, table))) for person, table in self.memberships.items())
        return {(person, row["group_id"]): row["kept_by"] for person, listed in tables for row in listed}

    @cached_property
    def leaving(self) -> tuple[Pair, ...]:
        """Memberships that end: all paths through the group are marked, and Graph can end it. What role administrators keep is last."""
        pairs = _all_marked(self, lambda way: (way.user_id, way.group_id) if way.group_id else None)
        able = [pair for pair in pairs if self.kept_by.get(pair, "not read") not in (*REMEDIES, "not read")]
        return tuple(sorted(able, key=lambda pair: (self.kept_by[pair] == LAST, pair)))

    @cached_property
    def deleted(self) -> frozenset[str]:
        """Assignments that are deleted, by id: the direct ones, and those of groups that leaving does not empty."""
        direct = {way.assignment_id for way in self.going if not way.group_id}
        left = {way.assignment_id for way in self.going if way.group_id and (way.user_id, way.group_id) not in self._left}
        return frozenset(direct | (left & set(_all_marked(self, lambda way: way.assignment_id))))

    def state(self, way: Way) -> str:
        """Say what becomes of a live way."""
        if way.assignment_id in self.deleted:
            return "assignment goes"
        return "leaves the group" if (way.user_id, way.group_id) in self._left else "stays"

    @cached_property
    def _left(self) -> frozenset[Pair]:
        return frozenset(self.leaving)

    @cached_property
    def people(self) -> dict[str, Subject]:
        """Everybody with a live way, by id."""
        return {way.user_id: Subject("user", way.user_id, way.user_name, self.application.realm) for way in self.ways}

    @cached_property
    def groups(self) -> dict[str, str]:
        """Names of the groups of live ways, by id."""
        return {way.group_id: way.group_name or way.group_id for way in self.ways}


def _all_marked(review: Review, key: Callable[[Way], Any]) -> list[Any]:
    """Keys whose every live way is marked."""
    kept = {key(way) for way in review.ways if way.path_id not in review.marked}
    return sorted({key(way) for way in review.going} - kept - {None})


def plan(review: Review, *, guards: Guards = Guards()) -> Plan:  # noqa: B008  frozen
    """Plan the removal of what is marked. `guards.max_removed`, break-glass principals and protected groups refuse it whole."""
    ends = [way for way in review.ways if review.state(way) != "stays"]
    gone = [row for row in rows(review.assigned) if row["assignment_id"] in review.deleted]
    losses = tuple(Loss(way.user_id, way.user_name, _lost(review, way)) for way in ends)
    basis, goal = _bases(review)
    return Plan(
        title=f"Remove what the review decided: {len(ends)} paths",
        subject=review.application,
        changes=_changes(review, gone),
        requests=_requests(review, gone),
        basis=basis,
        goal=goal,
        losses=losses,
        refusals=(*too_many(guards, len(gone), len(review.leaving)), *_guarded(guards, ends, gone)),
        guards=guards,
    )


def _lost(review: Review, way: Way) -> str:
    return f"{review.names[way.app_role_id]} (through {way.group_name})" if way.group_id else review.names[way.app_role_id]


def _bases(review: Review) -> tuple[tuple[Basis, ...], tuple[Basis, ...]]:
    known = rows(review.assigned)
    before = [edges.basis(review.application, edges.facts_of(known))]
    after = [edges.basis(review.application, edges.facts_of(row for row in known if row["assignment_id"] not in review.deleted))]
    left: dict[str, set[str]] = defaultdict(set)
    for user_id, group_id in review.leaving:
        left[user_id].add(group_id)
    for user_id, groups in sorted(left.items()):
        person, held = review.people[user_id], set(review.memberships[user_id]["group_id"])
        before.append(membership.basis(person, held))
        after.append(membership.basis(person, held - groups))
    return tuple(before), tuple(after)


def _requests(review: Review, gone: Iterable[Row]) -> tuple[Request, ...]:
    requests = edges.in_waves(edges.revoke(review.application, row, review.names[row["app_role_id"]]) for row in gone)
    for late in (False, True):
        pairs = [pair for pair in review.leaving if (review.kept_by[pair] == LAST) is late]
        first = requests[-1].wave + 1 if requests else 0
        leave = (membership.leave(review.people[user], group, review.groups[group]) for user, group in pairs)
        requests += edges.in_waves(leave, first)
    return tuple(requests)


def _changes(review: Review, gone: Iterable[Row]) -> tuple[Change, ...]:
    changes = [_deleted(review, row) for row in gone]
    changes += [_left(review, user, group) for user, group in review.leaving]
    order = list(SIGNS)
    return tuple(sorted(changes, key=lambda change: (order.index(change.action), change.kind, change.label, change.key)))


def _deleted(review: Review, row: Row) -> Change:
    who = _by(review, lambda way: way.assignment_id == row["assignment_id"])
    return edges.edge(row, review.names[row["app_role_id"]]).change("remove", who)


def _left(review: Review, user_id: str, group_id: str) -> Change:
    who = _by(review, lambda way: (way.user_id, way.group_id) == (user_id, group_id))
    why = f"{who}; whatever else the group gives to the person ends as well"
    return membership.left(review.people[user_id], group_id, review.groups[group_id], why)


def _by(review: Review, meant: Callable[[Way], bool]) -> str:
    """Say who decided about the ways that are meant."""
    paths = {way.path_id for way in review.going if meant(way)}
    return f"decided by {', '.join(sorted({mark.reviewer for mark in review.marks if mark.path_id in paths}))}"


def _guarded(guards: Guards, ends: Iterable[Way], gone: Iterable[Row]) -> list[str]:
    """Refuse when somebody who is break-glass would lose a path, or a protected or break-glass group its assignment."""
    groups = {row["principal_name"] or row["principal_id"]: row for row in gone if row["principal_type"] == "Group"}
    called = {way.user_name: way.names for way in ends} | {name: {name, row["principal_id"]} for name, row in groups.items()}
    glass = ((name, covered(guards.break_glass, *sorted(names))) for name, names in sorted(called.items()))
    kept = ((name, covered(guards.protected_groups, name, row["principal_id"])) for name, row in sorted(groups.items()))
    return [
        *(f"{name} is break-glass ({pattern}), and no plan takes a role from it." for name, pattern in glass if pattern),
        *(f"{name} is a protected group ({pattern}): no plan removes its assignments." for name, pattern in kept if pattern),
    ]
