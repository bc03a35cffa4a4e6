"""Checks of assignments, groups and people, one small function each; the table of them is in audit.py."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from awsfed_lib.core.review.evidence import Evidence, Item
from awsfed_lib.core.review.links import Terms
from awsfed_lib.core.review.paths import EFFECTIVE, POSSIBLE

MANY_ROLES = 300  # about 430 to 540 Role values fit into the 100,000 characters of an assertion (AssumeRoleWithSAML)
MANY_ASSIGNMENTS, MOST_ASSIGNMENTS = 1350, 1500
ADMINISTRATOR = "policy/AdministratorAccess"
NOT_EMITTED = ("nested", "user disabled", "nobody")


def nobody_assigned(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find appRoles that work, and that nobody has."""
    for name, pair in evidence.pairs.items():
        if not evidence.states[name] and not evidence.assigned.get(name):
            yield Item(name, pair.value, f"Nobody is assigned to “{evidence.name(name)}”.")


def assigned_directly(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find access that no group shows."""
    for name, pair in evidence.pairs.items():
        for row in evidence.assigned.get(name, []):
            if row["principal_type"] != "Group":
                cause = f"A {row['principal_type']} is assigned to “{evidence.name(name)}” directly, not through a group."
                yield Item(f"{name} {row['principal_id']}", f"{row['principal_name']} → {pair.value}", cause)


def assigned_to_what_is_gone(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find assignments that give nothing, and count for the principal."""
    for app_role_id in sorted(evidence.assigned.keys() - evidence.app_role_rows.keys()):
        number = len(evidence.assigned[app_role_id])
        yield Item(app_role_id, app_role_id, f"{number} assignments are to an appRole that the application does not have.")


def many_assignments(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find principals near the 1,500 assignments that one may hold over all applications."""
    listed = [row for several in evidence.assigned.values() for row in several]
    names = {row["principal_id"]: row["principal_name"] for row in listed}
    for principal_id, number in sorted(Counter(row["principal_id"] for row in listed).items()):
        if number >= MANY_ASSIGNMENTS:
            cause = f"{number} assignments in this application alone; a principal may hold {MOST_ASSIGNMENTS} over all."
            yield Item(principal_id, names[principal_id], cause)


def one_group_many_roles(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find groups that give several roles; the tutorial maps one group to one role."""
    held: dict[str, set[str]] = defaultdict(set)
    for name in evidence.pairs:
        for row in evidence.assigned.get(name, []):
            if row["principal_type"] == "Group":
                held[row["principal_id"]].add(evidence.name(name))
    for group_id, names in sorted(held.items()):
        if len(names) > 1:
            yield Item(group_id, _group(evidence, group_id), f"It gives {len(names)} roles: {', '.join(sorted(names)[:10])}.")


def nested_group(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find groups inside groups: their members think that they have access."""
    for group_id in _assigned_groups(evidence):
        for member in evidence.members_of.get(group_id, []):
            if member["member_type"] == "Group":
                cause = f"The group {member['member_name'] or member['member_id']} is inside it, and its members get nothing."
                yield Item(f"{group_id} {member['member_id']}", _group(evidence, group_id), cause)


def empty_group(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find assigned groups that were read and have no member."""
    for group_id in _assigned_groups(evidence):
        group = evidence.group_rows.get(group_id)
        if group and not group["problem"] and not evidence.members_of.get(group_id):
            yield Item(group_id, _group(evidence, group_id), "It is assigned, and has no members.")


def members_not_known(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find assigned groups whose members could not be read: nobody can tell who has their roles."""
    for group_id in _assigned_groups(evidence):
        group = evidence.group_rows.get(group_id)
        if group is None or group["problem"]:
            yield Item(group_id, _group(evidence, group_id), group["problem"] if group else "The group was not read, or is gone.")


def user_state_not_known(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find people of whom Graph did not show whether they are enabled: a leaver looks like anybody else."""
    users = {row["member_id"]: row for listed in evidence.members_of.values() for row in listed if row["member_type"] == "User"}
    unknown = [row for row in users.values() if row["enabled"] is None]
    if unknown:
        cause = f"Of {len(unknown)} of {len(users)} users it is not known whether they are enabled (accountEnabled was not shown)."
        yield Item("", "users", cause)


def group_not_for_security(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find groups that cannot be assigned."""
    for group_id, row in evidence.group_rows.items():
        if not row["security_enabled"]:
            yield Item(group_id, _group(evidence, group_id), f"It is a group of kind {row['kind'] or 'unknown'}, not security-enabled.")


def same_group_name(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find groups that one name finds together."""
    ids: dict[str, list[str]] = defaultdict(list)
    for group_id, row in evidence.group_rows.items():
        ids[row["group_name"].casefold()].append(group_id)
    for several in ids.values():
        if len(several) > 1:
            name = evidence.group_rows[several[0]]["group_name"]
            yield Item(name.casefold(), name, f"{len(several)} groups have this name: {', '.join(sorted(several))}.")


def disabled_member(evidence: Evidence, _: Terms) -> Iterator[Item]:
    """Find members who cannot sign in, and would get the role back when enabled."""
    for group_id in _assigned_groups(evidence):
        for member in evidence.members_of.get(group_id, []):
            if member["member_type"] == "User" and member["enabled"] is False:
                cause = f"{member['user_name'] or member['member_name']} is a member, and the user is disabled."
                yield Item(f"{group_id} {member['member_id']}", _group(evidence, group_id), cause)


def many_roles(_: Evidence, terms: Terms) -> Iterator[Item]:
    """Find users whose SAML response may exceed the 100,000 characters of AssumeRoleWithSAML."""
    emitted: dict[str, set[str]] = defaultdict(set)
    for path in terms.paths:
        if path["user_name"] and path["verdict"] not in NOT_EMITTED:
            emitted[path["user_name"]].add(path["app_role_id"])
    for user, roles in sorted(emitted.items()):
        if len(roles) >= MANY_ROLES:
            yield Item(user, user, f"{len(roles)} roles are emitted for this user: the SAML response may grow too long for AWS.")


def administrators(evidence: Evidence, terms: Terms) -> Iterator[Item]:
    """Count the people who reach AdministratorAccess, and the accounts."""
    given = [path for path in terms.paths if path["user_name"] and path["verdict"] in POSSIBLE and ADMINISTRATOR in path["policies"]]
    reached = [path for path in given if path["verdict"] in EFFECTIVE]
    people, accounts = {path["user_name"] for path in reached}, {path["account_id"] for path in reached}
    may = {path["user_name"] for path in given} - people
    unread = sum(bool(account["problem"]) for account in evidence.account_rows.values())
    counted = f"{len(people)} people reach AdministratorAccess, in {len(accounts)} accounts"
    counted += f"; {len(may)} more may (conditional, or not known)" if may else ""
    known = f"{counted}{f'; unknown in {unread} accounts that were not read' if unread else ''}" if evidence.read else "Unknown who does"
    yield Item("", "AdministratorAccess", f"{known}.")


def _assigned_groups(evidence: Evidence) -> list[str]:
    emitted = [name for name, row in evidence.app_role_rows.items() if row["value"]]
    assigned = {row["principal_id"] for name in emitted for row in evidence.assigned.get(name, []) if row["principal_type"] == "Group"}
    return sorted(assigned)


def _group(evidence: Evidence, group_id: str) -> str:
    row = evidence.group_rows.get(group_id)
    return f"{row['group_name']} ({group_id})" if row else group_id
