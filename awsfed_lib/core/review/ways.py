"""The live paths of an application by the ids that a request needs: who, through which group, to which appRole.

They are the paths of paths.py that end at a person, before AWS is asked: a path can be taken away although its role is dangling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.review import review_sheet
from awsfed_lib.core.review.paths import called
from awsfed_lib.core.roles.revoke import emitted
from awsfed_lib.core.tables import ASSIGNMENTS, GROUPS, MEMBERS, check, rows

Row = Mapping[str, Any]


class Way(NamedTuple):
    """One path: the person, the group (both "" for a direct assignment), the appRole, and the assignment that makes it."""

    path_id: str
    user_id: str
    user_name: str
    shown: str  # display name, "" where it is not known
    group_id: str
    group_name: str
    app_role_id: str
    assignment_id: str

    @property
    def names(self) -> set[str]:
        """What the person is called, for the list of break-glass principals."""
        return {self.user_id, self.user_name, self.shown} - {""}


def live(
    application_id: str, app_roles: pd.DataFrame, assigned: pd.DataFrame, *, groups: pd.DataFrame, members: pd.DataFrame
) -> tuple[Way, ...]:
    """Give every live way, sorted. Two groups of one name make two ways with one path_id: a sheet cannot tell them apart."""
    giving = emitted(app_roles)
    users = [row for row in rows(check(MEMBERS, members)) if row["member_type"] == "User"]
    held = [row for row in rows(check(ASSIGNMENTS, assigned)) if row["app_role_id"] in giving]
    names = {row["group_id"]: row["group_name"] for row in rows(check(GROUPS, groups))}
    inside = _People({row["member_id"]: row for row in users}, _by_group(users), names)
    found = [way for row in held for way in _of(application_id, row, inside)]
    return tuple(sorted(found, key=lambda way: (way.user_name, way.group_name, way.app_role_id, way.assignment_id)))


class _People(NamedTuple):
    """Rows of MEMBERS that are users, each by id and those of each group; and the names that groups have now."""

    known: Mapping[str, Row]
    of: Mapping[str, list[Row]]
    groups: Mapping[str, str]


def _by_group(users: Iterable[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in users:
        grouped[row["group_id"]].append(row)
    return grouped


def _of(application_id: str, assignment: Row, people: _People) -> Iterator[Way]:
    principal, name = assignment["principal_id"], assignment["principal_name"]
    if assignment["principal_type"] == "User":
        row = people.known.get(principal)
        yield _way(application_id, assignment, (principal, called(row) if row else name, name), ("", ""))
    if assignment["principal_type"] == "Group" and principal in people.groups:
        group = (principal, people.groups[principal])
        for row in people.of.get(principal, []):
            yield _way(application_id, assignment, (row["member_id"], called(row), row["member_name"]), group)


def _way(application_id: str, assignment: Row, person: tuple[str, str, str], group: tuple[str, str]) -> Way:
    facts = {"user_name": person[1], "group_name": group[1], "app_role_id": assignment["app_role_id"]}
    identity = review_sheet.path_id(application_id, facts)
    return Way(identity, *person, *group, assignment["app_role_id"], assignment["assignment_id"])
