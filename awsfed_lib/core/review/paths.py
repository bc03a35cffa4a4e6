"""Access paths: user, group, appRole, IAM role, one row each, with a verdict on whether it gives access.

Entra ID gives a role to direct members only: "nested group memberships aren't supported" for assigned groups
(learn.microsoft.com entra/identity/enterprise-apps/assign-user-or-group-access-portal). A disabled appRole is still
emitted for those who have it (learn.microsoft.com graph/api/resources/approle).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.tables import PATHS, frame

Row = Mapping[str, Any]
STATE_UNKNOWN = "effective (user state not known)"
EFFECTIVE = ("effective", "effective (appRole disabled)", STATE_UNKNOWN)
"""What gives access, as far as was read: whether a user is enabled may be what was not."""


class End(NamedTuple):
    """Who is at the end of an assignment; `verdict` says what stands in the way, "" for nothing."""

    user_name: str
    group_name: str
    verdict: str = ""


def paths(evidence: Evidence) -> pd.DataFrame:
    """Give the PATHS of every assigned appRole that Entra ID emits; msiam_access has no value, and so no path.

    A user has one path through a group, the direct one where there is one. Who is assigned as a service principal, or
    is a member as a device, gets no role. Paths of accounts that were not read say `unread`, never less, and so do groups
    whose members are not known.
    """
    found = [row for app_role_id in evidence.app_role_rows for row in _of_role(evidence, app_role_id)]
    return frame(PATHS, sorted(found, key=lambda row: tuple(row[name] for name in _ORDER)))


_ORDER = ("account_id", "role_arn", "app_role_id", "group_name", "user_name")


def _of_role(evidence: Evidence, app_role_id: str) -> Iterator[dict[str, str]]:
    role, pair = evidence.app_role_rows[app_role_id], evidence.pairs.get(app_role_id)
    if not role["value"]:
        return
    state = evidence.states.get(app_role_id, "dangling")
    given = EFFECTIVE[0] if role["is_enabled"] else EFFECTIVE[1]
    account = evidence.account_rows.get(pair.account_id) if pair else None
    for assignment in evidence.assigned.get(app_role_id, []):
        for end in _ends(evidence, assignment):
            yield {
                "user_name": end.user_name,
                "group_name": end.group_name,
                "app_role_id": app_role_id,
                "account_id": pair.account_id if pair else "",
                "account_name": account["account_name"] if account else "",
                "role_arn": pair.role_arn if pair else "",
                "policies": _policies(evidence, pair.role_arn) if pair else "",
                "verdict": state or end.verdict or given,
            }


def _policies(evidence: Evidence, role_arn: str) -> str:
    return next((str(row["policies"]) for row in evidence.role_rows.get(role_arn, [])), "")


def _ends(evidence: Evidence, assignment: Row) -> list[End]:
    if assignment["principal_type"] == "User":
        return [_alone(assignment, evidence.people.get(assignment["principal_id"]))]
    if assignment["principal_type"] != "Group":
        return [End("", "", "nobody")]
    group = evidence.group_rows.get(assignment["principal_id"])
    if group is None:
        return [End("", assignment["principal_name"], "unread")]
    return _in_group(evidence, group)


def _alone(assignment: Row, user: Row | None) -> End:
    """End at a person without a group, by user name where the person was read: a person has one name, whichever way a role comes."""
    if user is None:
        return End(assignment["principal_name"], "", STATE_UNKNOWN)
    return End(called(user), "", _state(user))


def _state(user: Row) -> str:
    if user["enabled"] is None:
        return STATE_UNKNOWN
    return "" if user["enabled"] else "user disabled"


def _in_group(evidence: Evidence, group: Row) -> list[End]:
    name, members = group["group_name"], evidence.members_of.get(group["group_id"], [])
    direct = {called(row): _state(row) for row in members if row["member_type"] == "User"}
    nested = {called(row): "nested" for row in evidence.inside(group["group_id"])}
    if any(row["member_type"] == "Group" for row in members) and not nested:
        nested = {"": "nested"}
    unknown = {"": "unread"} if group["problem"] else {}
    ends = nested | direct | unknown or {"": "nobody"}
    return [End(user, name, verdict) for user, verdict in ends.items()]


def called(member: Row) -> str:
    """Give the name that tells a row of MEMBERS apart."""
    return str(member["user_name"] or member["member_name"] or member["member_id"])
