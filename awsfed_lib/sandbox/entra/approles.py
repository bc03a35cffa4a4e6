"""What Entra ID refuses in a PATCH of appRoles. The PATCH replaces the collection.

Sources: learn.microsoft.com graph/api/resources/approle, graph/api/serviceprincipal-update and application-update; entra-docs
enterprise-app-role-management and howto-add-app-roles-in-apps (limits); the issues named at each rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsfed_lib.sandbox.entra.identifiers import is_guid
from awsfed_lib.sandbox.entra.refusals import (
    bad_request,
    duplicate_value,
    enabled_entitlement,
    invalid_values,
    not_the_application,
    too_many_definitions,
)
from awsfed_lib.sandbox.switches import Switches

AppRole = dict[str, Any]
MOST_DEFINITIONS = 700
LONGEST_VALUE = 249  # documented 120; the service takes about 240 for AWS, and other clients send up to 249
VALUE = re.compile(r"[A-Za-z0-9:!#$%&'()*+,\-./;<=>?@\[\]^_`{|}~]*")
# Everything of a role but the flag that may be switched, and `origin`, which the service keeps itself.
CONTENT = ("allowedMemberTypes", "description", "displayName", "value")
SHARED_WITH_SCOPES = (
    ("description", "adminConsentDescription"),
    ("displayName", "adminConsentDisplayName"),
    ("isEnabled", "isEnabled"),
    ("value", "value"),
)


@dataclass(frozen=True)
class Held:
    """What the object has now: all its roles, those of them it inherits, and its scopes."""

    roles: Sequence[AppRole]
    inherited: Sequence[AppRole]
    scopes: Sequence[Mapping[str, Any]]
    on_application: bool = False


def replaced(held: Held, wanted: Any, switches: Switches) -> list[AppRole]:
    """The collection after a PATCH with `wanted`. Raises Refusal (400) for what the service does not take."""
    roles = [_read(entry, held, switches) for entry in _entries(wanted)]
    _refuse_duplicates(roles, held)
    _refuse_change_of_inherited(roles, held)
    _refuse_change_of_enabled(roles, held, switches)
    _refuse_growth(roles, held)
    return roles


def _entries(wanted: Any) -> list[dict[str, Any]]:
    if not isinstance(wanted, list) or not all(isinstance(entry, dict) for entry in wanted):
        raise invalid_values()
    return wanted


def _read(entry: dict[str, Any], held: Held, switches: Switches) -> AppRole:
    """One entry as it is kept: defaults filled in, `origin` the service's own; keys that it does not know stay."""
    if "origin" in entry and switches.origin == "refuse":
        raise invalid_values()
    if not is_guid(entry.get("id")) or not isinstance(entry.get("isEnabled", True), bool):
        raise invalid_values()
    _refuse_texts(entry)
    _refuse_member_types(entry, held)
    origin = "Application" if held.on_application or _is_inherited(entry, held) else "ServicePrincipal"
    return {**_blank(), **entry, "id": entry["id"].lower(), "origin": origin}


def _blank() -> AppRole:
    """A role with defaults, its keys in the order in which Graph answers them."""
    names = ("allowedMemberTypes", "description", "displayName", "id", "isEnabled", "origin", "value")
    return dict.fromkeys(names) | {"isEnabled": True}


def _is_inherited(entry: Mapping[str, Any], held: Held) -> bool:
    return any(role["id"] == entry["id"].lower() for role in held.inherited)


def _refuse_texts(entry: Mapping[str, Any]) -> None:
    """Charset and length of `value` (graph/api/resources/approle; a space: azure-docs#22360; `User`: terraform-provider-azuread#721)."""
    if not all(isinstance(entry.get(name), str | None) for name in ("value", "displayName", "description")):
        raise invalid_values()
    value = entry.get("value") or ""
    if not VALUE.fullmatch(value) or value.startswith(".") or len(value) > LONGEST_VALUE or value == "User":
        raise invalid_values()


def _refuse_member_types(entry: Mapping[str, Any], held: Held) -> None:
    """Not empty (msgraph-sdk-dotnet#2043); "Application" only for roles of application objects (graph/api/resources/approle)."""
    kinds = entry.get("allowedMemberTypes")
    if kinds == []:
        raise bad_request(f"App role with identifier '{entry['id']}' must have at least one value specified for 'allowedMemberTypes'.")
    known = {"User", "Application"} if held.on_application or _is_inherited(entry, held) else {"User"}
    if not isinstance(kinds, list) or not all(isinstance(kind, str) and kind in known for kind in kinds):
        raise invalid_values()


def _refuse_duplicates(roles: Sequence[AppRole], held: Held) -> None:
    """Ids and values are unique over roles and scopes together; null values are not compared (graph-docs#21667)."""
    if len({role["id"] for role in roles}) < len(roles):
        raise duplicate_value("appRoles")
    scopes = {scope["id"]: scope for scope in held.scopes}
    twins = [role for role in roles if role["id"] in scopes]
    for role in twins:
        _refuse_unlike(role, scopes[role["id"]])
    shared = {role["id"] for role in twins}
    values = [role["value"].lower() for role in roles if role["value"] is not None]
    values += [str(scope["value"]).lower() for scope in held.scopes if scope["id"] not in shared and scope.get("value")]
    if any(count > 1 for count in Counter(values).values()):
        raise duplicate_value("appRoles")


def _refuse_unlike(role: AppRole, scope: Mapping[str, Any]) -> None:
    """A role may share the id of a scope when both say the same (azure-docs#81899)."""
    if any(role.get(one) != scope.get(other) for one, other in SHARED_WITH_SCOPES):
        pairs = ",".join(f"({one}, {other})" for one, other in SHARED_WITH_SCOPES)
        raise bad_request(
            "The following values must match for the 'oauth2Permissions' and 'appRoles' properties with identifier "
            f"'{role['id']}': {pairs}. Ensure that you are intending to create a permission that is both a scope and a role."
        )


def _refuse_change_of_inherited(roles: Sequence[AppRole], held: Held) -> None:
    """What comes from the application must be sent back as it is (azure-docs#78297, docs-contrib#8801)."""
    sent = {role["id"]: role for role in roles}
    for role in held.inherited:
        again = sent.get(role["id"])
        if again is None or any(again.get(name) != role.get(name) for name in (*CONTENT, "isEnabled")):
            raise not_the_application()


def _refuse_change_of_enabled(roles: Sequence[AppRole], held: Held, switches: Switches) -> None:
    """An enabled role can be switched off, nothing else (hashicorp/go-azure-sdk; msgraph-sdk-powershell#1211)."""
    sent = {role["id"]: role for role in roles}
    inherited = {role["id"] for role in held.inherited}
    frozen = [name for name in CONTENT if name != "value" or switches.value_change == "strict"]
    for role in held.roles:
        if role["id"] in inherited or not role.get("isEnabled"):
            continue
        again = sent.get(role["id"])
        if again is None and switches.strict:
            raise enabled_entitlement()
        if again is not None and any(again.get(name) != role.get(name) for name in frozen):
            raise enabled_entitlement()


def _refuse_growth(roles: Sequence[AppRole], held: Held) -> None:
    """700 definitions: each distinct id once, over roles and scopes, disabled and inherited ones too; one above may stay or shrink."""
    before, after = definitions(held.roles, held.scopes), definitions(roles, held.scopes)
    if after > MOST_DEFINITIONS and after > before:
        raise too_many_definitions(after, MOST_DEFINITIONS)


def definitions(roles: Sequence[Mapping[str, Any]], scopes: Sequence[Mapping[str, Any]]) -> int:
    """How many permission definitions these are."""
    return len({role["id"] for role in roles} | {scope["id"] for scope in scopes})
