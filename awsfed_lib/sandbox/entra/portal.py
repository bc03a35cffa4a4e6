"""What the portal's blade "Attributes & Claims" writes: a customClaimsPolicy, which only the beta version of Graph shows.

Sources: learn.microsoft.com graph/api/resources/customclaimspolicy and customclaimbase, serviceprincipal-put-claimspolicy (beta). A claims
mapping policy takes its place whole. Inferred: 404 where the blade was never saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit
from awsfed_lib.sandbox.entra.query import ODATA
from awsfed_lib.sandbox.entra.refusals import invalid_values, not_found, unknown_property, unknown_segment
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.wire import Answer

TABLE = "portalClaims"
# The trap: includeApplicationIdInIssuer is true unless it is said otherwise, and then the issuer is another one.
BLANK: Mapping[str, Any] = {
    "includeBasicClaimSet": True,
    "includeApplicationIdInIssuer": True,
    "audienceOverride": None,
    "groupFilter": None,
    "claims": [],
}


def get_claims(call: Call) -> Answer:
    """GET /beta/servicePrincipals/{id}/claimsPolicy."""
    key = _of(call)
    found = call.view.get(TABLE, key)
    if found is None:
        raise not_found(key)
    return Answer(200, _shown(call, key, found), ODATA)


def put_claims(call: Call) -> Answer:
    """PUT: 201 with the policy, which replaces what was there."""
    key, after = _of(call), {**BLANK, **_read(call.body)}
    _keep(call, key, after)
    return Answer(201, _shown(call, key, after), ODATA)


def patch_claims(call: Call) -> Answer:
    """PATCH: 204."""
    key = _of(call)
    before = call.tenant.now_view.get(TABLE, key)
    if before is None:
        raise not_found(key)
    _keep(call, key, {**before, **_read(call.body)})
    return Answer(204)


def _of(call: Call) -> str:
    """The service principal; the version 1.0 has no such segment."""
    if call.version != "beta":
        raise unknown_segment("claimsPolicy")
    return str(call.addressed("servicePrincipals")["id"])


def _read(body: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in body.items() if not name.startswith("@odata.") and name != "id"}
    for name in given:
        if name not in BLANK:
            raise unknown_property(name, "customClaimsPolicy")
    if not isinstance(given.get("claims", []), list):
        raise invalid_values()
    return given


def _keep(call: Call, key: str, policy: Mapping[str, Any]) -> None:
    principal = call.tenant.tables["servicePrincipals"][key]
    audit.commit(
        call, audit.changed(principal, "service principal", "Update", [("ClaimsPolicy", None, dict(policy))]), [(TABLE, key, policy)]
    )


def _shown(call: Call, key: str, policy: Mapping[str, Any]) -> dict[str, Any]:
    return {"@odata.context": f"{call.base}/$metadata#servicePrincipals('{key}')/claimsPolicy/$entity", "id": key, **policy}


def as_mapping(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The same claims in the words of a claims mapping policy: constants and sourced attributes, the first configuration of each."""
    entries = [entry for claim in policy.get("claims", ()) for entry in _entries(claim)]
    return {"Version": 1, "IncludeBasicClaimSet": str(policy.get("includeBasicClaimSet", True)).lower(), "ClaimsSchema": entries}


def _entries(claim: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = "/".join(part for part in (claim.get("namespace"), claim.get("name")) if part)
    attribute = next((one.get("attribute") or {} for one in claim.get("configurations", ())), {})
    if "value" in attribute:
        return [{"Value": attribute["value"], "SamlClaimType": name}]
    return [{"Source": attribute.get("source"), "ID": attribute.get("id"), "SamlClaimType": name}] if attribute else []


_PATH = "servicePrincipals/{}/claimsPolicy"
ROUTES = (
    Route("GET", _PATH, get_claims, "sp.claims"),
    Route("PUT", _PATH, put_claims, "sp.claims"),
    Route("PATCH", _PATH, patch_claims, "sp.claims"),
)
