"""Assignments of an application as facts, requests and changes: what both plans that touch them have in common.

Only the resource side is used: POST and DELETE on `/servicePrincipals/{id}/appRoleAssignedTo`, which Microsoft
recommends (learn.microsoft.com graph/api/serviceprincipal-post-approleassignedto). A repeated POST is refused there,
and so is the DELETE of what is gone: neither can be sent blindly twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

from awsfed_lib.core import facts
from awsfed_lib.core.change import Action, Basis, Change, Loss, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import UnreadError

TABLE = "assignments"
WAVE = 20  # one JSON batch holds 20 requests (learn.microsoft.com graph/json-batching)

Row = Mapping[str, Any]


class Edge(NamedTuple):
    """A principal and an appRole, with what people call them."""

    app_role_id: str
    principal_id: str
    role: str
    principal: str

    @property
    def fact(self) -> str:
        """The assignment as a fact."""
        return facts.assignment(self.app_role_id, self.principal_id)

    def change(self, action: Action, why: str = "", before: str = "") -> Change:
        """Say that the assignment is added, kept or removed. `before`: what is known of the principal."""
        key, label = f"{self.principal_id} → {self.app_role_id}", f"{self.principal or self.principal_id} → {self.role}"
        return Change(action, "assignment", key, label, before=before, why=why)


def edge(row: Row, role: str) -> Edge:
    """Make the edge of a row of ASSIGNMENTS, with the name of its role."""
    return Edge(row["app_role_id"], row["principal_id"], role, row["principal_name"])


def loss(row: Row, role: str) -> Loss:
    """Say who loses which role with a row of ASSIGNMENTS."""
    return Loss(row["principal_id"], row["principal_name"], role)


def facts_of(assignments: Iterable[Row]) -> tuple[str, ...]:
    """Give the facts of rows of ASSIGNMENTS, as `Service.live` gives them."""
    return tuple(facts.assignment(row["app_role_id"], row["principal_id"]) for row in assignments)


def basis(application: Subject, assigned: Iterable[str]) -> Basis:
    """Make the basis of these assignment facts of the application."""
    return Basis.over(TABLE, application.id, tuple(assigned))


def grant(application: Subject, new: Edge) -> Request:
    """Assign the appRole to the principal."""
    return Request(
        "POST",
        f"/servicePrincipals/{quote(application.id, safe='')}/appRoleAssignedTo",
        as_json({"principalId": new.principal_id, "resourceId": application.id, "appRoleId": new.app_role_id}),
        f"Assign {new.role} to {new.principal}",
        Settled(TABLE, application.id, present=(new.fact,)),
    )


def revoke(application: Subject, row: Row, role: str) -> Request:
    """Delete the assignment of a row. Raises UnreadError when its id was not read: the path would name them all."""
    if not row["assignment_id"]:
        raise UnreadError(f"The assignment of {row['principal_id']} to {role} was read without its id.", where=application.name)
    old = edge(row, role)
    return Request(
        "DELETE",
        f"/servicePrincipals/{quote(application.id, safe='')}/appRoleAssignedTo/{quote(row['assignment_id'], safe='')}",
        "",
        f"Take {role} from {old.principal or old.principal_id}",
        Settled(TABLE, application.id, absent=(old.fact,)),
    )


def in_waves(requests: Iterable[Request], first: int = 0) -> list[Request]:
    """Give the requests their wave, 20 in each, from `first` on."""
    return [replace(request, wave=first + place // WAVE) for place, request in enumerate(requests)]
