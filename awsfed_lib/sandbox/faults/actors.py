"""Somebody else in the tenant: a person at the portal, the provisioning job, the directory itself. Each acts before the request arrives.

Sources: learn.microsoft.com graph/api/serviceprincipal-update ("updating a service principal may prompt the directory to refresh
properties from the app registration"); MicrosoftDocs/azure-docs issues 23162 and 23165 (the AWS provisioning job disables roles that
were patched by hand, and brings removed ones back). A mode called `…-after` acts when the request has been carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from awsfed_lib.sandbox.entra import loading
from awsfed_lib.sandbox.entra.identifiers import assignment_id
from awsfed_lib.sandbox.entra.schema import GROUP
from awsfed_lib.sandbox.faults.broken import Reply
from awsfed_lib.sandbox.faults.passage import Passage
from awsfed_lib.sandbox.faults.plan import Mode
from awsfed_lib.sandbox.store import Tenant, Write

Actor = Callable[[Tenant], None]
PORTAL_VALUE = "arn:aws:iam::999999999999:role/MadeInThePortal,arn:aws:iam::999999999999:saml-provider/WAAD"
STALE_READS = 6


def _principal(tenant: Tenant) -> dict[str, Any]:
    return dict(tenant.tables["servicePrincipals"][tenant.world["main"]])


def _write_roles(tenant: Tenant, roles: list[dict[str, Any]]) -> None:
    """Replace the collection; assignments of roles that are gone go with them (microsoft-graph-docs issue 5338)."""
    principal = _principal(tenant)
    left = {role["id"] for role in roles}
    gone = [one["id"] for one in _assigned(tenant) if one["appRoleId"] in {role["id"] for role in principal["appRoles"]} - left]
    writes = [Write("servicePrincipals", principal["id"], {**principal, "appRoles": roles})]
    tenant.commit([*writes, *(Write("assignments", key, None) for key in gone)])


def _assigned(tenant: Tenant) -> list[dict[str, Any]]:
    return [one for one in tenant.tables["assignments"].values() if one["resourceId"] == tenant.world["main"]]


def _own(tenant: Tenant) -> list[dict[str, Any]]:
    """The roles that were made on the service principal and hold a value: those that a person at the portal would pick."""
    return [role for role in _principal(tenant)["appRoles"] if role.get("value") and role.get("origin") != "Application"]


def add_role(tenant: Tenant) -> None:
    """Add a role of an account that nobody else knows."""
    roles = _principal(tenant)["appRoles"]
    if any(role.get("value") == PORTAL_VALUE for role in roles):
        return
    made = {"allowedMemberTypes": ["User"], "description": "Portal", "displayName": "Portal", "id": tenant.mint(), "isEnabled": True}
    _write_roles(tenant, [*roles, {**made, "origin": "ServicePrincipal", "value": PORTAL_VALUE}])


def switch_role(tenant: Tenant) -> None:
    """Disable the first enabled role, or enable it again."""
    first = next(iter(_own(tenant)), None)
    roles = _principal(tenant)["appRoles"]
    _write_roles(tenant, [{**role, "isEnabled": not role["isEnabled"]} if first and role["id"] == first["id"] else role for role in roles])


def remove_role(tenant: Tenant) -> None:
    """Remove the last role, with its assignments."""
    last = next(iter(reversed(_own(tenant))), None)
    _write_roles(tenant, [role for role in _principal(tenant)["appRoles"] if last is None or role["id"] != last["id"]])


def assign(tenant: Tenant) -> None:
    """Assign the first enabled role to the last user, unless she has it."""
    role = next((one for one in _own(tenant) if one["isEnabled"]), None)
    user = next(reversed(tenant.tables["users"]))
    held = {(one["principalId"], one["appRoleId"]) for one in _assigned(tenant)}
    if role is None or (user, role["id"]) in held:
        return
    key = assignment_id(user, tenant.mint())
    given = {"principalId": user, "resourceId": tenant.world["main"], "appRoleId": role["id"]}
    tenant.commit([Write("assignments", key, loading.assignment(tenant.tables, given, key, tenant.clock()))])


def unassign(tenant: Tenant) -> None:
    """Delete the last assignment."""
    for one in _assigned(tenant)[-1:]:
        tenant.commit([Write("assignments", one["id"], None)])


def make_group(tenant: Tenant) -> None:
    """Make a group that is called as some other one, which the directory allows (microsoft-graph-docs issue 14868)."""
    names = [group["displayName"] for group in tenant.tables["groups"].values() if group["displayName"].startswith("AWS-")]
    key = tenant.mint()
    name = names[-1] if names else "AWS-portal"
    told: dict[str, Any] = {
        "displayName": name,
        "mailNickname": f"portal{key[:8]}",
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
    }
    tenant.commit([Write("groups", key, GROUP.filled({"id": key, **told}))])


def rename_group(tenant: Tenant) -> None:
    """Rename the newest group."""
    for key, group in list(tenant.tables["groups"].items())[-1:]:
        tenant.commit([Write("groups", key, {**group, "displayName": f"{group['displayName']} (renamed)"})])


def provision(tenant: Tenant) -> None:
    """Run the provisioning job: what it did not import itself is disabled, and what it imported and is gone comes back."""
    known = next(one for one in tenant.world["servicePrincipals"] if one["id"] == tenant.world["main"])["appRoles"]
    imported, roles = {role["id"]: role for role in known}, _principal(tenant)["appRoles"]
    kept = [role if role["id"] in imported or role.get("origin") == "Application" else {**role, "isEnabled": False} for role in roles]
    there = {role["id"] for role in roles}
    _write_roles(tenant, [*kept, *(role for key, role in imported.items() if key not in there)])


def refresh(tenant: Tenant) -> None:
    """Change the application object, as its developer would, and let the service principal follow."""
    principal = _principal(tenant)
    key = next(name for name, one in tenant.tables["applications"].items() if one["appId"] == principal["appId"])
    application = tenant.tables["applications"][key]
    roles = [{**role, "description": f"{role.get('description')}, refreshed"} for role in application.get("appRoles", ())]
    tenant.commit([
        Write("applications", key, {**application, "appRoles": roles}),
        Write("servicePrincipals", principal["id"], {**principal, "notes": "refreshed from the application object"}),
    ])  # fmt: skip


def lag(tenant: Tenant) -> None:
    """From now on the next reads after each write come from a replica that is behind."""
    tenant.switches = replace(tenant.switches, lag_reads=STALE_READS)


def lenient(tenant: Tenant) -> None:
    """From now on an enabled role that a PATCH leaves out is removed without a word."""
    tenant.switches = replace(tenant.switches, strict=False)


ACTORS: Mapping[str, Actor] = MappingProxyType({
    "editor-adds-role": add_role,
    "editor-switches-role": switch_role,
    "editor-removes-role": remove_role,
    "editor-assigns": assign,
    "editor-unassigns": unassign,
    "editor-makes-group": make_group,
    "editor-renames-group": rename_group,
    "provisioning": provision,
    "refresh": refresh,
    "lag": lag,
    "lenient": lenient,
})  # fmt: skip


def modes(tenant: Tenant) -> dict[str, Mode]:
    """All of them as modes that act on `tenant`."""
    before = {name: _before(name, actor, tenant) for name, actor in ACTORS.items()}
    return before | {f"{name}-after": _after(name, actor, tenant) for name, actor in ACTORS.items() if name not in ("lag", "lenient")}


def _before(name: str, actor: Actor, tenant: Tenant) -> Mode:
    def mode(passage: Passage) -> Reply:
        act(passage, (name, actor), tenant)
        return passage.forward()

    return mode


def _after(name: str, actor: Actor, tenant: Tenant) -> Mode:
    def mode(passage: Passage) -> Reply:
        reply = passage.forward()
        act(passage, (name, actor), tenant)
        return reply

    return mode


def act(passage: Passage, who: tuple[str, Actor], tenant: Tenant) -> None:
    """Let somebody act, with the directory to themselves, and leave word of who it is for as long as it takes."""
    name, actor = who
    with tenant.lock:
        passage.faults.acting = name
        try:
            actor(tenant)
        finally:
            passage.faults.acting = ""
