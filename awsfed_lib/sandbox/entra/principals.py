"""Service principals: the enterprise applications (learn.microsoft.com/graph/api/resources/serviceprincipal)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit, certificates, inheritance, relations, roleholders, signing, singlesignon
from awsfed_lib.sandbox.entra.patching import changed
from awsfed_lib.sandbox.entra.policies import list_of_principal
from awsfed_lib.sandbox.entra.query import Shape, collection, count, single
from awsfed_lib.sandbox.entra.refusals import invalid_values, not_the_application
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import ASSIGNMENT, SERVICE_PRINCIPAL
from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.entra.wire import Answer

FOLLOWS_APPLICATION = ("displayName", "homepage", "servicePrincipalNames")


def shown(call: Call, record: Mapping[str, Any]) -> dict[str, Any]:
    """The service principal as a GET answers it, with what can only be filtered or selected."""
    full = inheritance.shown(call.view, record)
    for pair in certificates.held(record, call.tenant.vault):
        if certificates.thumbprint(pair) == full["preferredTokenSigningKeyThumbprint"]:
            full["preferredTokenSigningKeyEndDateTime"] = seconds(pair.certificate.not_valid_after_utc)
    return full


def _assigned_to(call: Call, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [ASSIGNMENT.filled(row) for row in call.view.assignments("resourceId", record["id"])]


SHAPE = Shape(
    SERVICE_PRINCIPAL,
    "servicePrincipals",
    {
        "appRoleAssignedTo": _assigned_to,
        "memberOf": lambda call, record: relations.containers(call, record["id"]),
        "owners": lambda call, record: relations.objects(call, call.view.related("owners", record["id"])),
    },
)


def list_principals(call: Call) -> Answer:
    """GET /servicePrincipals."""
    return collection(call, SHAPE, [shown(call, row) for row in call.view.rows("servicePrincipals")])


def count_principals(call: Call) -> Answer:
    """GET /servicePrincipals/$count."""
    return count(call, SHAPE, [shown(call, row) for row in call.view.rows("servicePrincipals")])


def get_principal(call: Call) -> Answer:
    """GET /servicePrincipals/{id} and (appId='…')."""
    return single(call, SHAPE, shown(call, call.addressed("servicePrincipals")))


def patch_principal(call: Call) -> Answer:
    """PATCH /servicePrincipals/{id}: 204 without a body."""
    record = call.to_write("servicePrincipals")
    body = call.body
    before = inheritance.shown(call.tenant.now_view, record)
    _refuse(call, before, body)
    after = changed(SERVICE_PRINCIPAL, {**before, "keyCredentials": record["keyCredentials"]}, body)
    after |= signing.replaced(call, record, body)
    _refuse_unknown_certificate(call, after, body.get("preferredTokenSigningKeyThumbprint"))
    writes: list[tuple[str, str, Any]] = []
    if "appRoles" in body:
        after["appRoles"] = _next_roles(call, record["id"], body["appRoles"])
        writes = list(roleholders.lost_assignments(call, record["id"], before["appRoles"], after["appRoles"]))
    event = audit.changed(record, "service principal", "Update", _changes(before, after, body))
    audit.commit(call, event, [*writes, ("servicePrincipals", record["id"], after)])
    return Answer(204)


def _next_roles(call: Call, key: str, wanted: Any) -> list[dict[str, Any]]:
    views = (call.view, call.tenant.now_view)
    return roleholders.next_roles(call, [roleholders.held_by_principal(view, view.get("servicePrincipals", key)) for view in views], wanted)


def _refuse(call: Call, before: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """What must follow the application, and single sign-on settings."""
    singlesignon.refuse(call, body)
    if inheritance.application_of(call.tenant.now_view, before) is not None and (
        any(name in body and body[name] != before.get(name) for name in FOLLOWS_APPLICATION)
    ):
        raise not_the_application()


def _refuse_unknown_certificate(call: Call, after: Mapping[str, Any], wanted: Any) -> None:
    """Only a certificate that the object has, or gets by the same PATCH, can be activated. The text is assumed."""
    if wanted is not None and wanted not in [certificates.thumbprint(pair) for pair in certificates.held(after, call.tenant.vault)]:
        raise invalid_values()


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], body: Mapping[str, Any]) -> list[audit.Change]:
    names = {"appRoles": "AppRole"}
    return [(names.get(name, name), before.get(name), after.get(name)) for name in body if before.get(name) != after.get(name)]


ROUTES = (
    Route("GET", "servicePrincipals", list_principals, "sp.read"),
    Route("GET", "servicePrincipals/$count", count_principals, "sp.read"),
    Route("GET", "servicePrincipals/{}", get_principal, "sp.read"),
    Route("PATCH", "servicePrincipals/{}", patch_principal, "sp.write"),
    Route(
        "GET",
        "servicePrincipals/{}/owners",
        lambda call: relations.list_owners(call, call.addressed("servicePrincipals")["id"]),
        "sp.owners",
    ),
    Route(
        "GET",
        "servicePrincipals/{}/memberOf",
        lambda call: relations.list_containers(call, call.addressed("servicePrincipals")["id"]),
        "sp.groups",
        2,
    ),
    Route(
        "GET",
        "servicePrincipals/{}/claimsMappingPolicies",
        lambda call: list_of_principal(call, call.addressed("servicePrincipals")["id"]),
        "sp.mapping.read",
    ),
)
