"""Which roles Entra ID puts into a SAML response.

Sources: entra-docs enterprise-app-role-management and assign-user-or-group-access-portal: direct members of an assigned group count,
members of a group in that group do not; a disabled role "will continue to pass in the token(s)" of those assigned.
"""

from __future__ import annotations

from typing import Any, Protocol

from awsfed_lib.sandbox.entra.inheritance import app_roles
from awsfed_lib.sandbox.entra.schema import Record


class Directory(Protocol):
    """What is read here: a view of the directory."""

    def by_alternate(self, table: str, name: str, value: str) -> Any:
        """The record with that alternate key, or None."""

    def assignments(self, side: str, object_id: str) -> list[Any]:
        """The assignments of a resource or principal."""

    def related(self, table: str, key: str) -> tuple[str, ...]:
        """Ids that a relation holds."""


def role_values(view: Directory, user_id: str, record: Record) -> list[str]:
    """Values of the roles that the user holds directly or as a direct member of a group, each once, in the order of the roles."""
    given = {
        one["appRoleId"]
        for one in view.assignments("resourceId", record["id"])
        if one["principalId"] == user_id or user_id in view.related("members", one["principalId"])
    }
    values = [role.get("value") for role in app_roles(view, record) if role["id"] in given]
    return list(dict.fromkeys(value for value in values if value is not None))
