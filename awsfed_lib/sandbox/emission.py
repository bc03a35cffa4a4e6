"""Which claims a SAML response carries: the gallery application's own, or those of its claims mapping policy.

Sources: Microsoft's AWS tutorial (Role, RoleSessionName, SessionDuration by default); learn.microsoft.com/entra/identity-platform,
reference-claims-customization (a policy's ClaimsSchema: Source and ID, or a constant Value; IncludeBasicClaimSet).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsfed_lib.sandbox.amazon.assertion import ATTRIBUTES
from awsfed_lib.sandbox.entra import portal

BASIC = "http://schemas.microsoft.com/identity/claims/"
NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"

Emitted = list[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Claims:
    """What Entra ID knows of a user for one application; `policy` is its claims mapping policy, None for none.

    `issuer`: the entity id of the tenant.
    """

    tenant_id: str
    user: Mapping[str, Any]
    audience: str
    roles: tuple[str, ...]
    policy: Mapping[str, Any] | None = None
    issuer: str = ""


def policy_of(tables: Mapping[str, Mapping[str, Any]], principal_id: str) -> Mapping[str, Any] | None:
    """The ClaimsMappingPolicy that is assigned to the service principal, or what the portal says; None for none, or where it is no such JSON.

    The mapping policy wins whole (learn.microsoft.com graph/api/resources/customclaimspolicy).
    """
    for key in tables.get("policies", {}).get(principal_id, ()):
        record = tables["claimsMappingPolicies"].get(key, {})
        try:
            found: Mapping[str, Any] = json.loads(record["definition"][0])["ClaimsMappingPolicy"]
        except (KeyError, IndexError, TypeError, ValueError):
            continue
        return found
    portal_claims = tables.get("portalClaims", {}).get(principal_id)
    return None if portal_claims is None else portal.as_mapping(portal_claims)


def name_id(said: Claims) -> str:
    """The subject: the user principal name, unless the policy says otherwise."""
    mapped = [values[0] for name, values in _mapped(said) if name == NAME_ID and values]
    return mapped[0] if mapped else str(said.user["userPrincipalName"])


def attributes(said: Claims, session_duration: int) -> Emitted:
    """Name and values of every attribute; one without a value is not sent at all."""
    if said.policy is None:
        return _sent([*_basic(said), *_of_the_gallery(said, session_duration)])
    basic = _basic(said) if str(said.policy.get("IncludeBasicClaimSet", "false")).lower() == "true" else []
    return _sent([*basic, *((name, values) for name, values in _mapped(said) if name != NAME_ID)])


def _sent(claims: Emitted) -> Emitted:
    return [(name, values) for name, values in claims if values]


def _basic(said: Claims) -> Emitted:
    return [
        (BASIC + "tenantid", [said.tenant_id]),
        (BASIC + "objectidentifier", [said.user["id"]]),
        (BASIC + "displayname", [said.user["displayName"]]),
        (BASIC + "identityprovider", [said.issuer]),
    ]


def _of_the_gallery(said: Claims, session_duration: int) -> Emitted:
    return [
        (ATTRIBUTES + "Role", said.roles),
        (ATTRIBUTES + "RoleSessionName", [said.user["userPrincipalName"]]),
        (ATTRIBUTES + "SessionDuration", [str(session_duration)]),
    ]


def _mapped(said: Claims) -> Emitted:
    entries = said.policy.get("ClaimsSchema", []) if said.policy else []
    return [(entry["SamlClaimType"], _values(said, entry)) for entry in entries if entry.get("SamlClaimType")]


def _values(said: Claims, entry: Mapping[str, Any]) -> Sequence[str]:
    """A constant, the assigned roles, or a property of the user; nothing for what the sandbox does not know."""
    if "Value" in entry:
        return [str(entry["Value"])]
    if entry.get("Source") != "user":
        return []
    wanted = str(entry.get("ID", "")).lower()
    if wanted == "assignedroles":
        return said.roles
    known = {name.lower(): value for name, value in said.user.items()} | {"objectid": said.user["id"]}
    return [str(known[wanted])] if known.get(wanted) else []
