"""PATCH of appRoles on a service principal or application: what the replica and the directory allow, and what goes with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from awsfed_lib.sandbox.entra import inheritance
from awsfed_lib.sandbox.entra.approles import AppRole, Held, replaced
from awsfed_lib.sandbox.entra.routing import Call

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import View


def held_by_principal(view: View, record: Mapping[str, Any]) -> Held:
    """Roles and scopes of a service principal."""
    return Held(inheritance.app_roles(view, record), inheritance.inherited_roles(view, record), inheritance.scopes(view, record))


def held_by_application(record: Mapping[str, Any]) -> Held:
    """Roles and scopes of an application object."""
    scopes = (record.get("api") or {}).get("oauth2PermissionScopes", ())
    return Held(record.get("appRoles", ()), (), scopes, on_application=True)


def next_roles(call: Call, helds: Iterable[Held], wanted: Any) -> list[AppRole]:
    """The collection after the PATCH, judged by each of the states: a replica that is behind refuses as well. Raises Refusal."""
    judged = [replaced(held, wanted, call.tenant.switches) for held in helds]
    return judged[-1]


def lost_assignments(call: Call, principal_id: str, before: Iterable[AppRole], after: Iterable[AppRole]) -> list[tuple[str, str, None]]:
    """Removals of the assignments to roles that are gone (graph-docs#5338: "deletes the association on the Enterprise app")."""
    gone = {role["id"] for role in before} - {role["id"] for role in after}
    held = call.tenant.now_view.assignments("resourceId", principal_id)
    return [("assignments", one["id"], None) for one in held if one["appRoleId"] in gone]
