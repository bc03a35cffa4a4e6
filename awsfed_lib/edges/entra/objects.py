"""Objects of Graph as rows of our tables. A key that must be there and is not makes the whole read unread."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.recovery_shapes import MEMBERSHIPS
from awsfed_lib.core.tables import ASSIGNMENTS, GROUPS, MEMBERS, frame

GROUP_KEYS = ("id", "displayName", "uniqueName", "securityEnabled", "mailEnabled", "groupTypes", "visibility")
HIDDEN = "Its membership is hidden (HiddenMembership), and this sign-in lacks Member.Read.Hidden: who is in it is not known."
ORIGIN_KEYS = ("id", "createdDateTime", "visibility", "groupTypes", "membershipRule", "isAssignableToRole", "onPremisesSyncEnabled")
MEMBER_KEYS = ("id", "displayName", "userPrincipalName", "accountEnabled")
MEMBERSHIP_KEYS = ("id", "displayName", "groupTypes", "mailEnabled", "securityEnabled", "onPremisesSyncEnabled", "isAssignableToRole")
ASSIGNMENT_KEYS = ("id", "appRoleId", "principalId", "principalType", "resourceId")
TYPES = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal", "device": "Device"}


def need(wire: Mapping[str, Any], key: str, what: str) -> str:
    """Return the text under `key`, or UnreadError: half an object is not an object."""
    value = wire.get(key)
    if not isinstance(value, str) or not value:
        raise UnreadError(f"{what} came without {key}: the answer is not whole.", where=str(wire.get("id") or ""), remedy="Run it again.")
    return value


def groups(wire: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make GROUPS, one row a group, sorted by id."""
    by_id = {need(group, "id", "A group"): group for group in wire}
    return frame(GROUPS, [_group(by_id[key]) for key in sorted(by_id)])


def _group(wire: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "group_id": need(wire, "id", "A group"),
        "group_name": need(wire, "displayName", "A group"),
        "unique_name": wire.get("uniqueName"),
        "security_enabled": wire.get("securityEnabled") is True,
        "kind": _kind(wire),
        "visibility": wire.get("visibility"),
    }


def origin(wire: Mapping[str, Any], owners: Iterable[Mapping[str, Any]] | None, members: int | None) -> str:
    """Tell what a person must know before a group gets a role: its age, owners, members, and what fills it. None: could not be read."""
    named = sorted(str(one.get("userPrincipalName") or one.get("displayName") or one.get("id")) for one in owners or ())
    return ", ".join(filter(None, (
        f"created {str(wire.get('createdDateTime') or 'at an unknown time')[:10]}",
        "owners not known" if owners is None else f"owners: {' '.join(named) or 'none'}",
        "members not known" if members is None else f"{members} direct members",
        f"visibility {wire['visibility']}" if wire.get("visibility") else "",
        f"dynamic by the rule {wire.get('membershipRule')}" if "DynamicMembership" in (wire.get("groupTypes") or []) else "",
        "role-assignable" if wire.get("isAssignableToRole") else "",
        "synchronized from Active Directory" if wire.get("onPremisesSyncEnabled") else "",
    )))  # fmt: skip


def _kind(wire: Mapping[str, Any]) -> str:
    """learn.microsoft.com graph/api/resources/groups-overview: groupTypes, mailEnabled and securityEnabled together."""
    types = wire.get("groupTypes") or []
    if "DynamicMembership" in types:
        return "dynamic"
    if "Unified" in types:
        return "microsoft365"
    return "distribution" if wire.get("mailEnabled") and not wire.get("securityEnabled") else "security"


def assignments(service_principal: str, wire: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make ASSIGNMENTS: assignment_id app_role_id principal_id principal_type principal_name, in the order of Graph.

    Raises UnreadError when one belongs to another service principal than the one that was asked for.
    """
    return frame(ASSIGNMENTS, [_assignment(service_principal, item) for item in wire])


def _assignment(service_principal: str, wire: Mapping[str, Any]) -> dict[str, Any]:
    identity, role, principal, kind, resource = (need(wire, key, "An assignment") for key in ASSIGNMENT_KEYS)
    if resource != service_principal:
        raise UnreadError("An assignment of another service principal came back.", where=f"{resource} instead of {service_principal}")
    return {
        "assignment_id": identity,
        "app_role_id": role,
        "principal_id": principal,
        "principal_type": kind,
        "principal_name": wire.get("principalDisplayName"),
    }


def memberships(wire: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make MEMBERSHIPS: group_id group_name kept_by, one row a group, sorted by id."""
    by_id = {need(group, "id", "A group"): group for group in wire}
    return frame(MEMBERSHIPS, [_membership(by_id[key]) for key in sorted(by_id)])


def _membership(wire: Mapping[str, Any]) -> dict[str, Any]:
    return {"group_id": wire["id"], "group_name": wire.get("displayName"), "kept_by": _kept_by(wire)}


def _kept_by(wire: Mapping[str, Any]) -> str:
    """Say what keeps the members of a group, "" for Graph (learn.microsoft.com graph/api/resources/groups-overview)."""
    if wire.get("onPremisesSyncEnabled"):
        return "Active Directory"
    kind = _kind(wire)
    if kind == "dynamic":
        return "a rule"
    if wire.get("mailEnabled") and kind != "microsoft365":
        return "Exchange"
    return "role administrators" if wire.get("isAssignableToRole") else ""


def members(wire: Iterable[tuple[str, Mapping[str, Any]]], attributes: Iterable[str] = ()) -> pd.DataFrame:
    """Make MEMBERS from pairs of group id and member: group_id member_id member_type member_name user_name enabled.

    The extra column `attributes` is a JSON object of the user's `attributes`, by their names in lower case.
    """
    listed, names = list(wire), tuple(attributes)
    texts = [json.dumps({name.lower(): item.get(name) for name in names}) for _, item in listed]
    return frame(MEMBERS, [_member(group, item) for group, item in listed]).assign(attributes=pd.Series(texts, dtype="str"))


def _member(group: str, wire: Mapping[str, Any]) -> dict[str, Any]:
    """Leave `enabled` empty for a user whose accountEnabled is not shown, as to a token without User.Read.All: it is not known.

    microsoft-graph-docs #2833: User.ReadBasic.All gives null.
    """
    kind = str(wire.get("@odata.type") or "").rpartition(".")[2]
    return {
        "group_id": group,
        "member_id": need(wire, "id", "A member"),
        "member_type": TYPES.get(kind, kind[:1].upper() + kind[1:]),
        "member_name": wire.get("displayName"),
        "user_name": wire.get("userPrincipalName"),
        "enabled": wire.get("accountEnabled") if kind in ("user", "") else True,
    }
