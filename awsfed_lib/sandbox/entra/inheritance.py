"""What a service principal takes from its application object, recomputed whenever it is read.

Source: learn.microsoft.com graph/api/serviceprincipal-update ("Service principals inherit specific properties from their associated
app registrations"), graph/api/approle (`origin`).
"""

from __future__ import annotations

from typing import Any, Protocol

from awsfed_lib.sandbox.entra.schema import SERVICE_PRINCIPAL, Record

AppRole = dict[str, Any]


class Directory(Protocol):
    """What is read here: a view of the directory."""

    def by_alternate(self, table: str, name: str, value: str) -> Any:
        """The record with that alternate key, or None."""


def application_of(view: Directory, record: Record) -> Record | None:
    """The application object behind a service principal, if it is in this tenant."""
    found: Record | None = view.by_alternate("applications", "appId", str(record.get("appId")))
    return found


def inherited_roles(view: Directory, record: Record) -> list[AppRole]:
    """The roles that the service principal has from its application, `origin` Application."""
    application = application_of(view, record)
    if application is None:
        return [dict(role) for role in record.get("appRoles", ()) if role.get("origin") == "Application"]
    return [{**role, "origin": "Application"} for role in application.get("appRoles", ())]


def app_roles(view: Directory, record: Record) -> list[AppRole]:
    """All roles of the service principal in the order in which they were written; inherited ones as the application has them now."""
    inherited = {role["id"]: role for role in inherited_roles(view, record)}
    own = record.get("appRoles", ())
    written = [inherited.get(role["id"]) or (role if role.get("origin") != "Application" else None) for role in own]
    new = [role for key, role in inherited.items() if key not in {one["id"] for one in own}]
    return [*new, *(role for role in written if role is not None)]


def scopes(view: Directory, record: Record) -> list[dict[str, Any]]:
    """oauth2PermissionScopes: the application's own list."""
    application = application_of(view, record)
    if application is None:
        return list(record.get("oauth2PermissionScopes", ()))
    return list((application.get("api") or {}).get("oauth2PermissionScopes", ()))


def shown(view: Directory, record: Record) -> dict[str, Any]:
    """The service principal as a GET answers it."""
    full = SERVICE_PRINCIPAL.filled(record)
    application = application_of(view, record)
    if application is not None:
        full["appDisplayName"] = application.get("displayName")
        full["oauth2PermissionScopes"] = scopes(view, record)
        full["replyUrls"] = list((application.get("web") or {}).get("redirectUris", full["replyUrls"]))
        full["servicePrincipalNames"] = [full["appId"], *application.get("identifierUris", ())]
    full["appRoles"] = app_roles(view, record)
    return full
