"""Adding an application from the gallery: one POST makes an application and its service principal, each time another pair.

Sources: learn.microsoft.com graph/api/applicationtemplate-instantiate (both bodies), graph/application-saml-sso-configure-api (poll until
the pair can be read). That the caller becomes owner of both is inferred: the permission Application.ReadWrite.OwnedBy would be of no use
without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import applications, audit, inheritance, principals
from awsfed_lib.sandbox.entra.catalogue import template_of
from awsfed_lib.sandbox.entra.query import ODATA
from awsfed_lib.sandbox.entra.refusals import invalid_value, unknown_property, value_required
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import APPLICATION
from awsfed_lib.sandbox.entra.templates import contents
from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.entra.wire import Answer

LONGEST_NAME = 120  # entra-docs supported-accounts-validation
IN_THE_PORTAL = "WindowsAzureActiveDirectoryIntegratedApp"


def instantiate(call: Call) -> Answer:
    """POST /applicationTemplates/{id}/instantiate: 201 with both objects. A name that is taken already is no obstacle."""
    template = template_of(call)
    name = _name(call.body)
    application = _application(call, template, name)
    principal = _principal(call, application)
    who = (call.caller.user_id or call.caller.principal_id,)
    owned = [("owners", one["id"], who) for one in (application, principal)]
    writes = [("applications", application["id"], application), ("servicePrincipals", principal["id"], principal), *owned]
    audit.commit(call, audit.changed(application, "application", "Add", [("DisplayName", None, name)]), writes)
    audit.note(call, audit.changed(principal, "service principal", "Add", [("DisplayName", None, name)]))
    return Answer(201, _body(call, application, principal), ODATA)


def _name(body: Mapping[str, Any]) -> str:
    for given in body:
        if given not in ("displayName", "serviceManagementReference"):
            raise unknown_property(given, "applicationTemplate")
    name = body.get("displayName")
    if not name:
        raise value_required("displayName", "Application")
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise invalid_value("displayName", "Application")
    return name


def _application(call: Call, template: Mapping[str, Any], name: str) -> dict[str, Any]:
    brought = contents(template)
    fresh = APPLICATION.filled({})
    return fresh | {
        "id": call.tenant.mint(),
        "appId": call.tenant.mint(),
        "applicationTemplateId": template["id"],
        "createdDateTime": seconds(call.tenant.clock()),
        "displayName": name,
        "publisherDomain": call.tenant.domain,
        "serviceManagementReference": call.body.get("serviceManagementReference"),
        "api": {**fresh["api"], "oauth2PermissionScopes": [_scope(call.tenant.mint(), name)]},
        "appRoles": [dict(role) for role in brought.app_roles],
        "web": {**fresh["web"], "homePageUrl": brought.home, "redirectUris": list(brought.replies)},
    }


def _scope(scope_id: str, name: str) -> dict[str, Any]:
    """The one permission that every instance exposes; it takes a place among the 700 definitions."""
    return {
        "adminConsentDescription": f"Allow the application to access {name} on behalf of the signed-in user.",
        "adminConsentDisplayName": f"Access {name}",
        "id": scope_id,
        "isEnabled": True,
        "type": "User",
        "userConsentDescription": f"Allow the application to access {name} on your behalf.",
        "userConsentDisplayName": f"Access {name}",
        "value": "user_impersonation",
    }


def _principal(call: Call, application: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: application[name] for name in ("appId", "displayName", "applicationTemplateId", "signInAudience")}
    return principals.SHAPE.kind.filled(shared) | {
        "id": call.tenant.mint(),
        "appOwnerOrganizationId": call.tenant.id,
        "appRoleAssignmentRequired": True,
        "appRoles": [dict(role) for role in application["appRoles"]],
        "homepage": application["web"]["homePageUrl"],
        "replyUrls": list(application["web"]["redirectUris"]),
        "servicePrincipalNames": [application["appId"]],
        "tags": [IN_THE_PORTAL],
    }


def _body(call: Call, application: Mapping[str, Any], principal: Mapping[str, Any]) -> dict[str, Any]:
    """Both objects as a GET answers them, were a replica as new as this answer."""
    context = {"@odata.context": f"{call.base}/$metadata#microsoft.graph.applicationServicePrincipal"}
    return {
        **context,
        "application": applications.shown(call, application),
        "servicePrincipal": inheritance.shown(call.tenant.now_view, principal),
    }


ROUTES = (Route("POST", "applicationTemplates/{}/instantiate", instantiate, "template.make"),)
