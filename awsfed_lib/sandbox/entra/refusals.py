"""What Microsoft Graph says when it refuses: status, code and message of each documented or observed answer.

Sources are named per entry; those without one are our assumption where nothing was found, and say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Refusal(Exception):
    """An answer of the service that is not what was asked for."""

    status: int
    code: str
    message: str
    details: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    inner: Mapping[str, str] = field(default_factory=dict)

    def body(self, request: Mapping[str, str]) -> dict[str, Any]:
        """The error envelope (docs-contrib concepts/errors.md); `request` holds date and ids of the request."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details:
            error["details"] = [dict(detail) for detail in self.details]
        error["innerError"] = {**self.inner, **request}
        return {"error": error}


def bad_request(message: str, code: str = "Request_BadRequest", *, detail: Mapping[str, str] | None = None) -> Refusal:
    """400 with the code that most directory refusals carry; `detail` is the one entry of the list of details."""
    return Refusal(400, code, message, [detail] if detail else ())


def invalid_values() -> Refusal:
    """A property does not fit its rules (azure-docs#22360)."""
    return bad_request("One or more properties contains invalid values.")


def invalid_value(name: str, resource: str) -> Refusal:
    """One property of a new or changed object does not fit (microsoft-teams-apps-requestateam#265)."""
    text = f"Invalid value specified for property '{name}' of resource '{resource}'."
    return bad_request(text, detail={"target": name, "code": "InvalidValue"})


def value_required(name: str, resource: str) -> Refusal:
    """A property without which the object cannot be made is missing. Text as commonly reported; no page was found."""
    return bad_request(f"A value is required for property '{name}' of resource '{resource}'.")


def read_only(name: str) -> Refusal:
    """The property cannot be written. Text as commonly reported; no page was found."""
    return bad_request(f"Property '{name}' is read-only and cannot be set.")


def unknown_property(name: str, kind: str) -> Refusal:
    """The body names a property that the type does not have. Text as commonly reported; no page was found."""
    return bad_request(f"Invalid property '{name}' specified for type '{kind}'.", "BadRequest")


def already_exists(name: str) -> Refusal:
    """A unique property is taken (graph-docs#5122 for mailNickname; the old code was ObjectConflict)."""
    text = f"Another object with the same value for property {name} already exists."
    return bad_request(text, detail={"code": "ObjectConflict", "message": text, "target": name})


def unverified_host(uri: str) -> Refusal:
    """A new identifier URI with a foreign host, on an application that is not in SAML mode (Azure/Industrial-IoT#1432 for the code).

    Rule: entra-docs identifier-uri-restrictions; applications whose service principal is set to SAML are exempt.
    """
    text = f"Values of identifierUris property must use a verified domain of the organization or its subdomain: '{uri}'"
    return bad_request(text, "HostNameNotOnVerifiedDomain")


def not_found(object_id: str) -> Refusal:
    """No such object, or not yet on the replica that was asked (hashicorp/go-azure-sdk sdk/odata/errors.go)."""
    text = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return Refusal(404, "Request_ResourceNotFound", text)


def invalid_reference() -> Refusal:
    """A reference to an object that is missing, of the wrong kind, or not replicated (graph-docs#20133, #4628)."""
    return bad_request("Not a valid reference update.")


def no_such_reference() -> Refusal:
    """A group or member that is missing, or not replicated, when a reference is made (the wording of 2026; status and code are assumed)."""
    return bad_request("The source resource object or one of the objects being referenced do not exist.")


def no_backing_application(app_id: str) -> Refusal:
    """The service principal is there and its application is not, or not yet (hashicorp/go-azure-sdk; openshift-azure#1534)."""
    text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
    return bad_request(text, "NoBackingApplicationObject")


def denied() -> Refusal:
    """The token lacks the permission (docs-contrib concepts/errors.md)."""
    return Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def on_premises() -> Refusal:
    """The object is kept by Active Directory. Text as commonly reported; no page was found."""
    return bad_request(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."
    )


def mail_enabled() -> Refusal:
    """The group is kept by Exchange (microsoft-graph-docs#14827)."""
    return bad_request("Cannot Update a mail-enabled security groups and or distribution list.")


def unauthenticated(message: str) -> Refusal:
    """401: no token, or one that cannot be read, has run out, or is for somebody else (docs-contrib concepts/errors.md)."""
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000"'
    )
    return Refusal(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})


def enabled_entitlement() -> Refusal:
    """An enabled role or scope would be changed or removed (hashicorp/go-azure-sdk; msgraph-sdk-powershell#1211)."""
    text = "Permission (scope or role) cannot be deleted or updated unless disabled first."
    return bad_request(text, "CannotDeleteOrUpdateEnabledEntitlement")


def duplicate_value(target: str) -> Refusal:
    """Two roles or scopes of one object share a value or an id (graph-docs#21667)."""
    text = "Request contains a property with duplicate values."
    return bad_request(text, "DuplicateValue", detail={"code": "DuplicateValue", "message": text, "target": target})


def too_many_definitions(count: int, limit: int) -> Refusal:
    """More permission definitions than one object may hold (learn … howto-add-app-roles-in-apps, 2026-09-25; the code is assumed)."""
    return bad_request(f"The total count of values: {count} exceeds the set maxValuesCount limit: {limit} for property: Entitlement")


def too_large() -> Refusal:
    """The object is full (openshift-azure#1932, graph-docs#21469)."""
    text = "The size of the object has exceeded its limit. Please reduce the number of values and retry your request."
    return Refusal(403, "Directory_ResourceSizeExceeded", text)


def quota_exceeded() -> Refusal:
    """A principal holds as many assignments as it may (entra-service-limits: 1,500; message observed, code and status assumed)."""
    text = (
        "The directory object quota limit for the Principal has been exceeded. Please ask your administrator to increase the quota limit "
        "or delete objects to reduce the used quota."
    )
    return Refusal(400, "Directory_QuotaExceeded", text)


def not_the_application(what: str = "One or more properties") -> Refusal:
    """A service principal must keep what it inherits (azure-docs#78297, docs-contrib#8801)."""
    return bad_request(f"{what} on the service principal does not match the application object.")


def unsupported_query(message: str = "Unsupported Query.") -> Refusal:
    """The query cannot be answered as asked (docs-contrib concepts/aad-advanced-queries.md and the issues named at the callers)."""
    return bad_request(message, "Request_UnsupportedQuery")


def unknown_segment(segment: str) -> Refusal:
    """The path leads nowhere."""
    return bad_request(f"Resource not found for the segment '{segment}'.", "BadRequest")


def method_not_allowed() -> Refusal:
    """The path exists, the method does not (docs-contrib#5688; the code is assumed)."""
    return Refusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def unreadable_body() -> Refusal:
    """The body is not JSON, or its type is not said. Text as commonly reported."""
    text = "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."
    return bad_request(text, "BadRequest")


def throttled(headers: Mapping[str, str], date: str, request_id: str) -> Refusal:
    """429 in the shape of docs-contrib concepts/throttling.md; `inner` repeats the code, the date and the id as that sample does."""
    inner = {"code": "429", "date": date, "message": "Please retry after", "request-id": request_id, "status": "429"}
    return Refusal(429, "TooManyRequests", "Please retry again later.", headers=headers, inner=inner)
