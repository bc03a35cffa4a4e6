"""Access paths: user, group, appRole, IAM role, one row each, with a verdict on whether it lets the person in.

Entra ID gives a role to direct members only: "nested group memberships aren't supported" for assigned groups
(learn.microsoft.com entra/identity/enterprise-apps/assign-user-or-group-access-portal). A disabled appRole is still
emitted for those who have it (learn.microsoft.com graph/api/resources/approle).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.review.links import BROKEN, CONDITIONAL, UNKNOWN, Keys, Link, of_everybody, of_person, of_role, worst
from awsfed_lib.core.tables import PATHS, frame

Row = Mapping[str, Any]
EFFECTIVE = ("effective", "effective (appRole disabled)")
POSSIBLE = (*EFFECTIVE, "conditional", "unknown", "unread")
"""Verdicts of paths by which somebody gets in, or may, best first."""
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"  # an assignment without a role (graph/api/resources/approleassignment)
_ELIGIBLE = (
    "Eligible members (Privileged Identity Management) were not read: they get in once they activate. If there are none, see 05-groups."
)
_OF_LINK = {"role": "dangling", "value": "dangling", "appRole": "dangling", "trust": "untrusted", "provider": "untrusted"}
_ORDER = ("account_id", "role_arn", "app_role_id", "group_name", "user_name")


class End(NamedTuple):
    """Who is at the end of an assignment: the name, "" for nobody that is known; the MEMBERS row, and what the membership lacks."""

    name: str
    person: Row | None
    links: tuple[Link, ...] = ()
    verdict: str = ""


def paths(evidence: Evidence, keys: Keys) -> pd.DataFrame:
    """Give the PATHS of every assigned appRole that Entra ID emits; msiam_access has no value, and so no path.

    A user has one path through a group, the direct one where there is one. Who is assigned as a service principal, or
    is a member as a device, gets no role. What was not read says `unread` or `unknown`, never less.
    """
    known = [row for row in followed(evidence, keys) if row["app_role_id"] in evidence.app_role_rows]
    return frame(
        PATHS, [{name: row[name] for name in PATHS.columns} for row in sorted(known, key=lambda row: [row[name] for name in _ORDER])]
    )


def followed(evidence: Evidence, keys: Keys) -> Iterator[dict[str, Any]]:
    """Follow every assignment to each person at its end: a row of PATHS with its `state`, `link`, `remedy` and `principal`."""
    everybody = of_everybody(keys)
    role = cache(lambda app_role_id, needs: of_role(evidence, keys, app_role_id, needs))
    for app_role_id, assigned in evidence.assigned.items():
        if not _emits(evidence, app_role_id):
            continue
        for assignment in assigned:
            for end in _ends(evidence, assignment):
                person = of_person(keys, end.person) if end.person else []
                needs = keys.sent.of(end.person).actions if end.person else frozenset()
                found = worst([*everybody, *end.links, *person, *role(app_role_id, needs)])
                yield _row(evidence, assignment, end, found)


def _emits(evidence: Evidence, app_role_id: str) -> bool:
    role = evidence.app_role_rows.get(app_role_id)
    return bool(role["value"]) if role else app_role_id != DEFAULT_ACCESS


def _row(evidence: Evidence, assignment: Row, end: End, found: Link) -> dict[str, Any]:
    app_role_id = assignment["app_role_id"]
    role, pair = evidence.app_role_rows.get(app_role_id), evidence.pairs.get(app_role_id)
    account = evidence.account_rows.get(pair.account_id) if pair else None
    group = evidence.group_rows.get(assignment["principal_id"])
    direct = assignment["principal_type"] == "User"
    return {
        "user_name": end.name,
        "group_name": "" if direct else group["group_name"] if group else assignment["principal_name"],
        "app_role_id": app_role_id,
        "account_id": pair.account_id if pair else "",
        "account_name": account["account_name"] if account else "",
        "role_arn": pair.role_arn if pair else "",
        "policies": next((str(row["policies"]) for row in evidence.role_rows.get(pair.role_arn, [])), "") if pair else "",
        "verdict": _verdict(found, end, enabled=role is None or role["is_enabled"]),
        "state": found.state,
        "link": found.name,
        "cause": found.cause,
        "remedy": found.remedy,
        "principal": (group["group_name"] if group else assignment["principal_name"]) or assignment["principal_id"],
        "principal_id": assignment["principal_id"],
    }


def _verdict(found: Link, end: End, *, enabled: bool) -> str:
    if found.state == UNKNOWN:
        return "unread" if found.name in ("account", "group") else "unknown"
    if found.state == CONDITIONAL:
        return "conditional"
    if found.state != BROKEN:
        return EFFECTIVE[0] if enabled else EFFECTIVE[1]
    if found.name == "members":
        return end.verdict or "user disabled"
    return _OF_LINK.get(found.name, "refused")


def _ends(evidence: Evidence, assignment: Row) -> list[End]:
    kind, identity = assignment["principal_type"], assignment["principal_id"]
    if kind == "User":
        person = evidence.people.get(identity)
        if person:
            return [End(called(person), person)]
        unread = Link(
            "members", UNKNOWN, "The user was not read.", "Grant this sign-in User.Read.All (00-preflight); the user may be deleted."
        )
        return [End(assignment["principal_name"], None, (unread,))]
    if kind != "Group":
        words = f"A {kind} is assigned, and does not sign in to the console."
        return [_nobody(words, "Assign a group: 06-assignments.")]
    group = evidence.group_rows.get(identity)
    if group is None:
        return [_unread("The group was not read.", "Read it again; it may have been deleted (09-audit).")]
    return _in_group(evidence, group)


def _in_group(evidence: Evidence, group: Row) -> list[End]:
    listed = evidence.members_of.get(group["group_id"], [])
    direct = {called(row): End(called(row), row) for row in listed if row["member_type"] == "User"}
    inside = {called(row): _nested(called(row)) for row in evidence.inside(group["group_id"])}
    hidden = [_unread(group["problem"], "Grant this sign-in Member.Read.Hidden: 00-preflight.")] if group.get("problem") else []
    ends = [*(inside | direct).values(), *hidden]
    if ends:
        return ends
    if any(row["member_type"] == "Group" for row in listed):
        return [_nested("")]
    return [_nobody("It has no members.", _ELIGIBLE)]


def _nested(name: str) -> End:
    words = "Only members of a nested group: they get nothing."
    return End(name, None, (Link("members", BROKEN, words, "Add them as direct members: 05-groups."),), "nested")


def _nobody(cause: str, remedy: str) -> End:
    return End("", None, (Link("members", BROKEN, cause, remedy),), "nobody")


def _unread(cause: str, remedy: str) -> End:
    return End("", None, (Link("group", UNKNOWN, cause, remedy),))


def called(member: Row) -> str:
    """Give the name that tells a row of MEMBERS apart."""
    return str(member["user_name"] or member["member_name"] or member["member_id"])
