"""Who has entered which role lately: a sign-in to the application goes on into one of the roles that it offers."""

import re
from typing import Any

from awsfed_lib.sandbox.population import seeds

Entry = dict[str, Any]


def entries(seed: int, tenant: dict[str, Any], org: dict[str, Any]) -> list[Entry]:
    """The entries of the last month, each roleArn, providerArn, userName and hoursAgo; made of the tenant's `signIns`.

    Only roles that are there, in accounts that work, and that the world calls used: who never used a role did not enter it. And only
    people whose name AWS takes as RoleSessionName.
    """
    offered, used = _offered(tenant), _used(org)
    people = {user["id"]: user["userPrincipalName"] for user in tenant["users"] if user["accountEnabled"]}
    people = {user: name for user, name in people.items() if re.fullmatch(r"[\w+=,.@-]{2,64}", name, re.ASCII)}
    made = []
    for visit in tenant["signIns"]:
        pairs = [pair for pair in offered.get(visit["userId"], []) if pair[0] in used] if not visit["errorCode"] else []
        if pairs and visit["userId"] in people:
            role, provider = seeds.pick(pairs, seed, "enters", visit["userId"], visit["hoursAgo"])
            made.append({"roleArn": role, "providerArn": provider, "userName": people[visit["userId"]], "hoursAgo": visit["hoursAgo"]})
    return made


def _offered(tenant: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """The pairs of role and provider that each person is offered, directly or as a direct member of a group."""
    members = {group["id"]: group["members"] for group in tenant["groups"]}
    values = {role["id"]: role["value"] for one in tenant["servicePrincipals"] if one["id"] == tenant["main"] for role in one["appRoles"]}
    found: dict[str, list[tuple[str, str]]] = {}
    for one in tenant["assignments"]:
        pairs = _pairs(values.get(one["appRoleId"])) if one["resourceId"] == tenant["main"] else []
        for user in members.get(one["principalId"], [one["principalId"]]):
            found.setdefault(user, []).extend(pairs)
    return found


def _pairs(value: str | None) -> list[tuple[str, str]]:
    """The pair that a value holds, if it holds one."""
    parts = [part.strip() for part in (value or "").split(",")]
    roles, providers = ([part for part in parts if kind in part] for kind in (":role/", ":saml-provider/"))
    return [(roles[0], providers[0])] if roles and providers else []


def _used(org: dict[str, Any]) -> set[str]:
    working = [account for account in org["accounts"] if account["state"] == "ACTIVE"]
    return {
        f"arn:{org['partition']}:iam::{account['id']}:role{role['path']}{role['name']}"
        for account in working
        for role in account["roles"]
        if role["last_used"]
    }
