"""App role assignments: who holds which role of which application.

Sources: learn.microsoft.com graph/api/serviceprincipal-post-approleassignedto (shape, ids), graph-docs#5869 (methods, ids), #12385 (deletion
of a missing one), #20133 and #4628 (references), entra-service-limits (1,500 of one principal).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit, inheritance, loading, relations
from awsfed_lib.sandbox.entra.identifiers import assignment_id, is_assignment_id, is_guid
from awsfed_lib.sandbox.entra.query import Shape, collection, count, single
from awsfed_lib.sandbox.entra.refusals import (
    bad_request,
    invalid_reference,
    invalid_values,
    not_found,
    quota_exceeded,
)
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import ASSIGNMENT, NULL_GUID, PRINCIPALS
from awsfed_lib.sandbox.entra.wire import Answer

MOST_OF_ONE_PRINCIPAL = 1500
RESOURCE, PRINCIPAL = "resourceId", "principalId"
COLLECTIONS = {RESOURCE: "appRoleAssignedTo", PRINCIPAL: "appRoleAssignments"}


def list_side(call: Call, table: str, side: str) -> Answer:
    """GET of the assignments in which the addressed object is resource or principal."""
    record = call.addressed(table)
    return collection(call, _shape(table, record["id"], side), call.view.assignments(side, record["id"]))


def count_side(call: Call, table: str, side: str) -> Answer:
    """GET …/$count."""
    record = call.addressed(table)
    return count(call, _shape(table, record["id"], side), call.view.assignments(side, record["id"]))


def get_one(call: Call, table: str, side: str) -> Answer:
    """GET …/{assignment id}."""
    record, key = call.addressed(table), _assignment_key(call)
    found = call.view.get("assignments", key)
    if found is None or found[side] != record["id"]:
        raise not_found(key)
    return single(call, _shape(table, record["id"], side), found)


def create(call: Call, table: str, side: str) -> Answer:
    """POST. A resource answers to both collections: Microsoft's tutorial posts a user's assignment to its appRoleAssignments."""
    record = call.addressed(table)
    given = _given(call)
    if record["id"] not in ((given[RESOURCE],) if side == RESOURCE else (given[RESOURCE], given[PRINCIPAL])):
        raise invalid_reference()
    _refuse(call, given)
    key = assignment_id(given[PRINCIPAL], call.tenant.mint())
    made = loading.assignment(call.tenant.tables, given, key, call.tenant.clock())
    audit.commit(call, audit.assigned(call, made), [("assignments", key, made)])
    shape = _shape(table, record["id"], side)
    answer = single(call, shape, made, status=201)
    location = f"{call.base}/{table}/{record['id']}/{COLLECTIONS[side]}/{key}"
    return Answer(201, answer.body, {**answer.headers, "Location": location})


def delete(call: Call, table: str, side: str) -> Answer:  # noqa: ARG001  one shape for every route
    """DELETE …/{assignment id}; a missing one is 400, not 404 (graph-docs#12385)."""
    record, key = call.addressed(table), _assignment_key(call)
    found = call.view.get("assignments", key) and call.tenant.now_view.get("assignments", key)
    if found is None or record["id"] not in (found[RESOURCE], found[PRINCIPAL]):
        raise bad_request("EntitlementGrant being updated or deleted is not found.")
    audit.commit(call, audit.unassigned(call, found), [("assignments", key, None)])
    return Answer(204)


def at_root(_call: Call) -> Answer:
    """`/appRoleAssignments/{id}` (graph-docs#5869; the code is assumed)."""
    raise bad_request("Direct queries to this resource type are not supported.", "Request_UnsupportedQuery")


def _assignment_key(call: Call) -> str:
    key = str(call.keys[1])
    if not is_assignment_id(key):
        raise bad_request("Invalid resource identifier for EntitlementGrant.")
    return key


def _shape(table: str, object_id: str, side: str) -> Shape:
    return Shape(ASSIGNMENT, f"{table}('{object_id}')/{COLLECTIONS[side]}", {})


def _given(call: Call) -> dict[str, str]:
    """The three ids of the body, lower case. Raises Refusal when one is missing or no GUID."""
    body = call.body
    ids = {name: body.get(name) for name in (PRINCIPAL, RESOURCE, "appRoleId")}
    if not all(is_guid(value) for value in ids.values()):
        raise invalid_values()
    return {name: str(value).lower() for name, value in ids.items()}


def _refuse(call: Call, given: Mapping[str, str]) -> None:
    """Raise Refusal for an assignment that cannot be: first by what the replica knows, then by what is."""
    for view in (call.view, call.tenant.now_view):
        table = next((name for name in relations.TABLES if view.get(name, given[PRINCIPAL]) is not None), "")
        resource = view.get("servicePrincipals", given[RESOURCE])
        if not table or resource is None or not _assignable(table, view.get(table, given[PRINCIPAL])):
            raise invalid_reference()
        _refuse_role(inheritance.app_roles(view, resource), given["appRoleId"], table)
    held = call.tenant.now_view.assignments(PRINCIPAL, given[PRINCIPAL])
    if any(one[RESOURCE] == given[RESOURCE] and one["appRoleId"] == given["appRoleId"] for one in held):
        raise bad_request("Permission being assigned already exists on the object")
    if len(held) >= MOST_OF_ONE_PRINCIPAL:
        raise quota_exceeded()


def _assignable(table: str, record: Mapping[str, Any]) -> bool:
    """Groups must be security-enabled (entra-docs assign-user-or-group-access-portal)."""
    return table != "groups" or bool(record["securityEnabled"])


def _refuse_role(roles: list[dict[str, Any]], role_id: str, table: str) -> None:
    """Unknown, disabled (the doc says "not assignable"; the body is assumed), or not for this kind of principal (body assumed)."""
    if role_id == NULL_GUID and not roles:
        return
    role = next((one for one in roles if one["id"].lower() == role_id), None)
    kind = "Application" if PRINCIPALS[table] == "ServicePrincipal" else "User"
    if role is None or not role.get("isEnabled") or kind not in role["allowedMemberTypes"]:
        raise bad_request("Permission being assigned was not found on application")


def _routes(table: str, side: str, reading: str) -> tuple[Route, ...]:
    many = f"{table}/{{}}/{COLLECTIONS[side]}"
    units = 2 if side == PRINCIPAL else 1
    return (
        Route("GET", many, lambda call: list_side(call, table, side), reading, units),
        Route("POST", many, lambda call: create(call, table, side), "assigned.add"),
        Route("GET", f"{many}/$count", lambda call: count_side(call, table, side), reading),
        Route("GET", f"{many}/{{}}", lambda call: get_one(call, table, side), reading),
        Route("DELETE", f"{many}/{{}}", lambda call: delete(call, table, side), "assigned.delete"),
    )


ROUTES = (
    *_routes("servicePrincipals", RESOURCE, "assigned.read"),
    *_routes("servicePrincipals", PRINCIPAL, "assigned.read"),
    *_routes("groups", PRINCIPAL, "held.read"),
    *_routes("users", PRINCIPAL, "held.read"),
    Route("GET", "appRoleAssignments/{}", at_root),
    Route("PATCH", "appRoleAssignments/{}", at_root),
)
