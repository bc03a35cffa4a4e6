"""The managed identity endpoint of Azure App Service, as IDENTITY_ENDPOINT and IDENTITY_HEADER name it.

Source: learn.microsoft.com azure/app-service/overview-managed-identity, "REST endpoint reference" (api-version 2019-08-01).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from awsfed_lib.sandbox.entra import issuing
from awsfed_lib.sandbox.entra.loading import Registration
from awsfed_lib.sandbox.entra.wire import JSON, Answer, Ask

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import Tenant


def answer(tenant: Tenant, ask: Ask) -> Answer:
    """A token for `resource`, for the identity `client_id` or, without it, the system-assigned one."""
    query = ask.query
    if ask.headers.get("x-identity-header") != tenant.identity_header:
        return _refused(401, "The X-IDENTITY-HEADER header is missing or wrong.")
    client = _identity(tenant, query.get("client_id", ""))
    resource = query.get("resource", "")
    if client is None or not issuing.known(resource):
        return _refused(400, f"No managed identity or resource found for {query.get('client_id') or 'the system'}, {resource!r}.")
    made = issuing.for_application(tenant, client, resource.rstrip("/"))
    expires = int(tenant.clock().timestamp()) + tenant.switches.token_seconds
    body: dict[str, Any] = {"access_token": made["access_token"], "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
    return Answer(200, {**body, "client_id": client.app_id}, {"Content-Type": JSON})


def _identity(tenant: Tenant, client_id: str) -> Registration | None:
    """The system-assigned identity is the first client of the world."""
    if client_id:
        return tenant.clients.get(client_id.lower())
    return next(iter(tenant.clients.values()), None)


def _refused(status: int, message: str) -> Answer:
    return Answer(status, {"statusCode": status, "message": message}, {"Content-Type": JSON})
