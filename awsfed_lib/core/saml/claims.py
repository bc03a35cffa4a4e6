"""The claims that Entra puts into the SAML response for AWS: desired, in effect, and simulated for one user.

A claims mapping policy wins over what the portal's "Attributes & Claims" says, whole, and makes that blade read-only
(learn.microsoft.com entra/identity-platform/reference-claims-customization); without either the gallery template's own
claims are sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.saml.claim_definition import ASSIGNED_ROLES, Claims, claim_rows, text_of
from awsfed_lib.core.saml.claim_plan import LivePolicies, plan
from awsfed_lib.core.saml.claim_rules import lint
from awsfed_lib.core.saml.saml_attributes import (
    NAME_ID,
    ROLE,
    SESSION_DURATION,
    SESSION_NAME,
    duration_problem,
    session_name_problem,
)
from awsfed_lib.core.shapes import ATTRIBUTES, CLAIMS
from awsfed_lib.core.tables import frame, rows

TEMPLATE = "template"
UNREAD = "template, unless a policy or the portal says otherwise; that was not read"
# What the gallery template sends on its own (learn.microsoft.com entra saas-apps/amazon-web-service-tutorial).
_TEMPLATE_CLAIMS = (
    (ROLE, "user", ASSIGNED_ROLES, ""),
    (SESSION_NAME, "user", "userprincipalname", ""),
    (SESSION_DURATION, "user", "sessionduration", ""),
    (NAME_ID, "user", "userprincipalname", ""),
)


def effective(policies: Sequence[Mapping[str, Any]], portal: Mapping[str, Any] | None, problem: str = "") -> pd.DataFrame:
    """CLAIMS that Entra sends: of the assigned claims mapping policy, else of the portal's blade, else of the template.

    `policies`: claimsMappingPolicies of the service principal, as Graph sends them; `portal`: its claimsPolicy (beta),
    None when it has none; `problem`: why one of them could not be read, and then the template's claims are a guess, whose origin
    says so. Raises TableError for a policy whose definition cannot be read.
    """
    if policies:
        first = policies[0]
        return frame(CLAIMS, claim_rows(text_of(first), f"policy {first.get('displayName') or first.get('id')}"))
    if portal and portal.get("claims"):
        return frame(CLAIMS, _portal_rows(portal["claims"]))
    columns = ("claim", "source", "attribute", "value")
    origin = UNREAD if problem else TEMPLATE
    return frame(CLAIMS, [dict(zip(columns, claim, strict=True)) | {"origin": origin} for claim in _TEMPLATE_CLAIMS])


def doubt(policies: Sequence[Mapping[str, Any]], portal: Mapping[str, Any] | None) -> str:
    """Why the claims of the portal's blade do not tell what is sent; "" when they do, or when a policy takes their place.

    includeApplicationIdInIssuer makes another issuer, by default (graph/api/resources/customclaimspolicy, beta).
    """
    if policies or portal is None:
        return ""
    if portal.get("includeApplicationIdInIssuer") is not False:
        return "The portal's claims put the application's id into the issuer (includeApplicationIdInIssuer): providers may not know it."
    return "" if portal.get("claims") else "The portal's claims are empty: whether the template's are sent instead is not documented."


def _portal_rows(claims: Sequence[Mapping[str, Any]]) -> Iterable[dict[str, str]]:
    """One row a claim of a customClaimsPolicy (learn.microsoft.com graph/api/resources/customclaimbase, beta)."""
    for claim in claims:
        name, namespace = claim.get("name") or "", claim.get("namespace") or ""
        is_name_id = "samlnameidclaim" in str(claim.get("@odata.type", "")).lower()
        configurations = claim.get("configurations") or [{}]
        attribute = configurations[0].get("attribute") or {}
        constant = attribute.get("value")
        transformed = len(configurations) > 1 or configurations[0].get("transformations") or configurations[0].get("condition")
        yield {
            "claim": NAME_ID if is_name_id else f"{namespace}/{name}" if namespace else name,
            "source": "transformation" if transformed else "constant" if constant is not None else str(attribute.get("source", "")),
            "attribute": str(attribute.get("id") or ""),
            "value": str(constant or ""),
            "origin": "portal",
        }


class People(NamedTuple):
    """Who may sign in: MEMBERS of the assigned groups, and one `user` (attributes by name, {} for nobody) with their role `values`."""

    members: pd.DataFrame
    user: Mapping[str, str]
    values: tuple[str, ...]


def emitted(user_id: str, app_roles: pd.DataFrame, assigned: pd.DataFrame, members: pd.DataFrame) -> tuple[str, ...]:
    """Values that the Role claim of one user holds: of direct assignments and of those to groups of which they are a direct member.

    A disabled appRole is emitted as well (graph/api/resources/approle). Takes APP_ROLES, ASSIGNMENTS and MEMBERS.
    """
    holders = {user_id, *members.loc[members.member_id == user_id, "group_id"]}
    given = set(assigned.loc[assigned.principal_id.isin(holders), "app_role_id"])
    return tuple(dict.fromkeys(value for value in app_roles.loc[app_roles.app_role_id.isin(given), "value"] if value))


def simulate(claims: pd.DataFrame, user: Mapping[str, str], values: Sequence[str]) -> pd.DataFrame:
    """ATTRIBUTES that the response for one user would carry.

    `user`: source attribute → value, such as userprincipalname, {} for nobody; `values`: the appRole values assigned to the user.
    """
    if not user:
        return frame(ATTRIBUTES, [{"attribute": "none", "problem": "Nobody is named: set test_user to see what a sign-in would carry."}])
    return frame(ATTRIBUTES, [attribute for claim in rows(claims) for attribute in _simulated(claim, user, values)])


def _simulated(claim: Mapping[str, str], user: Mapping[str, str], values: Sequence[str]) -> Iterable[dict[str, str]]:
    name = claim["claim"]
    if claim["source"] == "transformation":
        yield {"attribute": name, "problem": "Made by a transformation, which is not simulated."}
    elif claim["source"] == "constant":
        yield {"attribute": name, "value": claim["value"], "problem": _problem(name, claim["value"])}
    elif claim["attribute"].lower() == ASSIGNED_ROLES:
        none = "No role is assigned: the response carries no Role, and AWS calls it invalid." if name == ROLE else ""
        yield from ({"attribute": name, "value": value} for value in values) if values else ({"attribute": name, "problem": none},)
    else:
        found = {key.lower(): text for key, text in user.items()}.get(claim["attribute"].lower(), "")
        missing = "" if found else f"The user has no {claim['attribute']}; Entra leaves the attribute out."
        yield {"attribute": name, "value": found, "problem": missing or _problem(name, found)}


def _problem(name: str, value: str) -> str:
    if name == SESSION_NAME:
        return session_name_problem(value)
    return duration_problem(value) if name == SESSION_DURATION else ""


__all__ = ["Claims", "LivePolicies", "People", "effective", "emitted", "lint", "plan", "simulate"]
