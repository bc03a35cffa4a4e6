"""Who loses what by a revocation, person by person, and what still gives them the same role. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.recovery_shapes import LOST_PATHS
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.roles.revoke import Cut, taken
from awsfed_lib.core.tables import APP_ROLES, check, frame, rows

Row = Mapping[str, Any]
NOBODY = "(nobody: the group has no members)"
NOT_KNOWN = "(not known: the membership of the group is hidden)"


class Path(NamedTuple):
    """A person, an appRole, and the group between them, "" for none."""

    person: str
    app_role_id: str
    through: str


def lost(app_roles: pd.DataFrame, assigned: pd.DataFrame, cut: Cut) -> pd.DataFrame:
    """LOST_PATHS: every path that goes, by person; a group without members is a row that says so.

    `still`: only what was read counts, so of other applications nothing is known.
    """
    going, known = taken(app_roles, assigned, cut), rows(assigned)
    gone, left = {row["assignment_id"] for row in going.assignments}, {row["group_id"] for row in going.left}
    members = _members(cut)
    before = _paths([row for row in known if row["app_role_id"] in cut.app_role_ids], members, cut)
    fewer = {group: people for group, people in members.items() if group not in left}
    after = _paths([row for row in known if row["assignment_id"] not in gone], fewer, cut)
    roles = {row["app_role_id"]: row for row in rows(check(APP_ROLES, app_roles)) if row["value"]}
    ends = sorted(path for path in before - after if path.app_role_id in roles)
    return frame(LOST_PATHS, [_row(path, roles[path.app_role_id], after) for path in ends])


def _members(cut: Cut) -> dict[str, list[str]]:
    """People by group id: users who are direct members, by the name that tells them apart."""
    found = {row["group_id"]: [NOT_KNOWN] for row in rows(cut.unseen) if cut.subject.kind != "user"}
    for row in rows(cut.members):
        if row["member_type"] == "User":
            found.setdefault(row["group_id"], []).append(row["user_name"] or row["member_name"] or row["member_id"])
    return found


def _paths(assigned: list[Row], members: Mapping[str, list[str]], cut: Cut) -> set[Path]:
    """Paths of the assignments; of a user, only the own ones."""
    paths = set()
    for row in assigned:
        direct = row["principal_type"] != "Group"
        name = row["principal_name"] or row["principal_id"]
        alone = cut.subject.kind == "user"
        if direct and (not alone or row["principal_id"] == cut.subject.id):
            paths.add(Path(cut.subject.name if alone else name, row["app_role_id"], ""))
        if not direct:
            people = members.get(row["principal_id"], [] if alone else [NOBODY])
            paths |= {Path(person, row["app_role_id"], name) for person in people}
    return paths


def _row(path: Path, role: Row, after: set[Path]) -> dict[str, str]:
    pair = parse(role["value"])
    still = sorted(other.through or "directly" for other in after if other[:2] == path[:2] and path.person not in (NOBODY, NOT_KNOWN))
    return {
        "person": path.person,
        "role": role["display_name"] or role["value"],
        "account_id": pair.account_id if pair else "",
        "role_arn": pair.role_arn if pair else role["value"],
        "through": path.through,
        "still": ", ".join(still),
    }
