"""Names the id that was mistaken for the object id of the enterprise application: an application has three that look alike.

The app registration and the enterprise application (its service principal) are two objects with an object id each, and
share the application (client) id (learn.microsoft.com entra/identity-platform/app-objects-and-service-principals).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.edges.entra import pages
from awsfed_lib.edges.entra.live_tables import guid

NOT_FOUND = 404


class Reader(Protocol):
    """What is needed of Graph."""

    def read(self, path: str) -> list[dict[str, Any]]:
        """Read every object of a collection."""

    def one(self, path: str) -> dict[str, Any]:
        """Read one object."""


def explained(graph: Reader, given: str, refusal: GraphError) -> GraphError:
    """Return what to raise when Graph refused to read the service principal `given`: the refusal, with the mistake where it is one."""
    if refusal.status != NOT_FOUND:
        return refusal
    registration = _registration(graph, given)
    shared = str(registration.get("appId") or given)
    enterprise = _enterprise(graph, shared)
    if registration:
        return _mistake("the object id of the app registration", registration, enterprise, refusal)
    return _mistake("the application (client) id", enterprise, enterprise, refusal) if enterprise else refusal


def _mistake(what: str, known: Mapping[str, Any], enterprise: Mapping[str, Any], refusal: GraphError) -> GraphError:
    name = known.get("displayName") or "without a name"
    remedy = (
        f"Set application_id to {enterprise.get('id')}, the object id of the enterprise application."
        if enterprise
        else "It has no enterprise application in this tenant: make it from the gallery, and take the Object ID of its Properties page."
    )
    said = f"application_id is {what} of {name}, not the object id of its enterprise application."
    return GraphError(said, status=refusal.status, code=refusal.code, request_id=refusal.request_id, where=refusal.where, remedy=remedy)


def _registration(graph: Reader, object_id: str) -> Mapping[str, Any]:
    try:
        return graph.one(f"/applications/{guid(object_id)}?$select=id,appId,displayName")
    except (GraphError, UnreadError):  # it was only a guess
        return {}


def _enterprise(graph: Reader, app_id: str) -> Mapping[str, Any]:
    same = f"appId%20eq%20{pages.quoted(app_id)}"
    try:
        return next(iter(graph.read(f"/servicePrincipals?$filter={same}&$select=id,displayName")), {})
    except (GraphError, UnreadError):  # as above
        return {}
