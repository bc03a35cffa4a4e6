"""Application objects (learn.microsoft.com/graph/api/resources/application): what service principals inherit from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit, relations, roleholders
from awsfed_lib.sandbox.entra.patching import changed
from awsfed_lib.sandbox.entra.query import Shape, collection, count, single
from awsfed_lib.sandbox.entra.refusals import already_exists, unverified_host
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import APPLICATION
from awsfed_lib.sandbox.entra.wire import Answer

SHAPE = Shape(
    APPLICATION,
    "applications",
    {"owners": lambda call, record: relations.objects(call, call.view.related("owners", record["id"]))},
)


GLOBAL_ONLY = frozenset({"certification", "samlMetadataUrl", "verifiedPublisher"})  # msgraph-metadata: not in v1.0-Fairfax and -Mooncake


def shown(call: Call, record: Mapping[str, Any]) -> dict[str, Any]:
    """The application as a GET answers it: national clouds lack three of its properties."""
    hidden = frozenset() if call.tenant.switches.cloud == "global" else GLOBAL_ONLY
    return {name: value for name, value in record.items() if name not in hidden}


def list_applications(call: Call) -> Answer:
    """GET /applications."""
    return collection(call, SHAPE, [shown(call, row) for row in call.view.rows("applications")])


def count_applications(call: Call) -> Answer:
    """GET /applications/$count."""
    return count(call, SHAPE, call.view.rows("applications"))


def get_application(call: Call) -> Answer:
    """GET /applications/{id}, (appId='…') and (uniqueName='…')."""
    return single(call, SHAPE, shown(call, call.addressed("applications")))


def patch_application(call: Call) -> Answer:
    """PATCH /applications/{id}: 204; appRoles replace, and what the service principal inherits follows."""
    record = call.to_write("applications")
    body = call.body
    after = changed(APPLICATION, record, body)
    _refuse_taken_uris(call, record["id"], body.get("identifierUris", ()))
    _refuse_unverified_uris(call, record, after)
    writes: list[tuple[str, str, Any]] = [("applications", record["id"], after)]
    if "appRoles" in body:
        views = (call.view, call.tenant.now_view)
        helds = [roleholders.held_by_application(view.get("applications", record["id"])) for view in views]
        after["appRoles"] = roleholders.next_roles(call, helds, body["appRoles"])
    writes += _of_the_principal(call, record, after)
    changes = [(name, record.get(name), after.get(name)) for name in body if record.get(name) != after.get(name)]
    audit.commit(call, audit.changed(record, "application", "Update", changes), writes)
    return Answer(204)


def _refuse_taken_uris(call: Call, own_id: str, uris: Any) -> None:
    """IdentifierUris are unique in the tenant (entra-docs supported-accounts-validation)."""
    others = (row for row in call.tenant.now_view.rows("applications") if row["id"] != own_id)
    taken = {uri.lower() for row in others for uri in row.get("identifierUris", ())}
    if any(uri.lower() in taken for uri in uris):
        raise already_exists("identifierUris")


def _refuse_unverified_uris(call: Call, record: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """New identifier URIs need a verified domain, the tenant id or the appId, but for SAML applications and version 2 tokens.

    Source: entra-docs identifier-uri-restrictions. So the SAML mode has to come first. Judged by what is, not by a replica: whether
    the service looks at a replica there was not found.
    """
    principal = call.tenant.now_view.by_alternate("servicePrincipals", "appId", str(record["appId"]))
    exempt = principal is not None and principal.get("preferredSingleSignOnMode") == "saml"
    if exempt or (after.get("api") or {}).get("requestedAccessTokenVersion") == 2:
        return
    own = (call.tenant.domain.lower(), call.tenant.id.lower(), str(record["appId"]).lower())
    for uri in after.get("identifierUris", ()):
        if uri not in record.get("identifierUris", ()) and not any(part in uri.lower() for part in own):
            raise unverified_host(uri)


def _of_the_principal(call: Call, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """The service principal takes over the names; assignments to roles that are gone go with them."""
    principal = call.tenant.now_view.by_alternate("servicePrincipals", "appId", str(before["appId"]))
    if principal is None:
        return []
    lost = roleholders.lost_assignments(call, principal["id"], before.get("appRoles", ()), after.get("appRoles", ()))
    kept = [role for role in principal["appRoles"] if role["id"] not in _gone(before, after)]
    names = [principal["appId"], *after.get("identifierUris", ())]
    renamed = {**principal, "displayName": after.get("displayName"), "appRoles": kept, "servicePrincipalNames": names}
    return [*lost, ("servicePrincipals", principal["id"], renamed)] if renamed != principal else list(lost)


def _gone(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {role["id"] for role in before.get("appRoles", ())} - {role["id"] for role in after.get("appRoles", ())}


ROUTES = (
    Route("GET", "applications", list_applications, "app.read", 2),
    Route("GET", "applications/$count", count_applications, "app.read"),
    Route("GET", "applications/{}", get_application, "app.read", 2),
    Route("PATCH", "applications/{}", patch_application, "app.write"),
    Route(
        "GET",
        "applications/{}/owners",
        lambda call: relations.list_owners(call, call.addressed("applications")["id"]),
        "app.owners",
    ),
)
