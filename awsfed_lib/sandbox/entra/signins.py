"""The sign-in log: who signed in to which application, with or without success, at /auditLogs/signIns.

Shape: learn.microsoft.com graph/api/resources/signin. It needs AuditLog.Read.All and a tenant with P1 or P2; the refusal without is the one
that is reported for it (turbot/steampipe-plugin-azuread#98). Newest first, pages of at most 1,000, kept 30 days. Filters are those of
graph/api/signin-list. Inferred: which error a refused sign-in writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from awsfed_lib.sandbox.entra.catalogue import kind
from awsfed_lib.sandbox.entra.identifiers import is_guid
from awsfed_lib.sandbox.entra.query import Shape, collection, single
from awsfed_lib.sandbox.entra.refusals import Refusal, not_found
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.timestamps import parsed, seconds
from awsfed_lib.sandbox.entra.wire import Answer

KEPT = timedelta(days=30)
HOME_OF_GUESTS = str(uuid.uuid5(uuid.NAMESPACE_OID, "the tenant that guests come from"))
PREMIUM = frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"})
KIND = kind(
    "signIn",
    "id createdDateTime userDisplayName userPrincipalName userId appId appDisplayName ipAddress clientAppUsed correlationId "
    "homeTenantId resourceTenantId servicePrincipalId servicePrincipalName userAgent conditionalAccessStatus isInteractive riskDetail riskLevelAggregated riskLevelDuringSignIn riskState riskEventTypes "
    "riskEventTypes_v2 resourceDisplayName resourceId status deviceDetail location appliedConditionalAccessPolicies",
    "id appId appDisplayName createdDateTime userPrincipalName userId userDisplayName ipAddress status conditionalAccessStatus resourceId",
)
SHAPE = Shape(KIND, "auditLogs/signIns", {}, top=1000)
SUCCESS = (0, "Other.")
REASONS = {
    50034: "The user account does not exist in the directory.",
    50057: "The user account is disabled.",
    50105: "The signed in user is not assigned to a role for the application.",
}


def entry(tenant_id: str, user: Mapping[str, Any], principal: Mapping[str, Any], at: datetime, code: int = 0) -> dict[str, Any]:
    """One row of the log: `user` at the service principal `principal`; `code` 0 is a success, another one the AADSTS number."""
    reason, guest = REASONS.get(code, "Other."), "#ext#" in str(user.get("userPrincipalName")).lower()
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{user['id']}/{principal['id']}/{at.isoformat()}/{code}")),
        "createdDateTime": seconds(at),
        "userDisplayName": user.get("displayName"),
        "userPrincipalName": _shown_name(user),
        "userId": user["id"],
        "appId": principal["appId"],
        "appDisplayName": principal.get("displayName"),
        "ipAddress": "127.0.0.1",
        "clientAppUsed": "Browser",
        "servicePrincipalId": "",
        "servicePrincipalName": None,
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chromium",
        "homeTenantId": HOME_OF_GUESTS if guest else tenant_id,
        "resourceTenantId": tenant_id,
        "correlationId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"correlation/{user['id']}/{at.isoformat()}")),
        "conditionalAccessStatus": "notApplied",
        "isInteractive": True,
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes": [],
        "riskEventTypes_v2": [],
        "resourceDisplayName": principal.get("displayName"),
        "resourceId": principal["appId"],
        "status": {"errorCode": code, "failureReason": reason, "additionalDetails": None},
        "deviceDetail": {"deviceId": "", "displayName": None, "operatingSystem": "Linux", "browser": "Chromium"},
        "location": {"city": "", "state": "", "countryOrRegion": "", "geoCoordinates": {}},
        "appliedConditionalAccessPolicies": [],
    }


def _shown_name(user: Mapping[str, Any]) -> str:
    """In lower case, and of a guest the address at home, without #EXT# and this tenant's domain (splunk/security_content, a guest's record)."""
    name = str(user.get("userPrincipalName")).lower()
    home, guest, _ = name.partition("#ext#@")
    return "@".join(home.rsplit("_", 1)) if guest else name


def past(world: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], born: datetime) -> list[dict[str, Any]]:
    """Write the log that a world begins with: its `signIns`, each userId, resourceId, hoursAgo and errorCode."""
    found: Iterable[Mapping[str, Any]] = world.get("signIns", ())
    return [
        entry(
            world["id"],
            tables["users"][one["userId"]],
            tables["servicePrincipals"][one["resourceId"]],
            born - timedelta(hours=one["hoursAgo"]),
            one.get("errorCode", 0),
        )
        for one in found
    ]


def list_sign_ins(call: Call) -> Answer:
    """GET /auditLogs/signIns, newest first."""
    return collection(call, SHAPE, _kept(call))


def get_sign_in(call: Call) -> Answer:
    """GET /auditLogs/signIns/{id}."""
    key = str(call.keys[0])
    found = next((one for one in _kept(call) if one["id"] == key), None)
    if found is None or not is_guid(key):
        raise not_found(key)
    return single(call, SHAPE, found)


def _kept(call: Call) -> list[dict[str, Any]]:
    skus = (sku for sku in call.tenant.world.get("subscribedSkus", ()) if sku["capabilityStatus"] == "Enabled")
    if PREMIUM.isdisjoint(plan["servicePlanName"] for sku in skus for plan in sku["servicePlans"]):
        text = "Neither tenant is B2C or tenant doesn't have premium license"
        raise Refusal(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", text)
    oldest, newest = call.tenant.clock() - KEPT, call.tenant.logged_until
    kept = [one for one in call.tenant.sign_ins if oldest <= (parsed(one["createdDateTime"]) or oldest) <= newest]
    return sorted(kept, key=lambda one: (one["createdDateTime"], one["id"]), reverse=True)


ROUTES = (
    Route("GET", "auditLogs/signIns", list_sign_ins, "signins"),
    Route("GET", "auditLogs/signIns/{}", get_sign_in, "signins"),
)
