"""The grants of the token endpoint (learn.microsoft.com entra/identity-platform v2-oauth2-*): which proof gives which token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from awsfed_lib.sandbox.entra import aadsts, issuing
from awsfed_lib.sandbox.entra.clientauth import Desk, authenticated, known_client
from awsfed_lib.sandbox.entra.issuing import Scope

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import Tenant

Form = Mapping[str, str]
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def token(tenant: Tenant, form: Form, desk: Desk, issuer: str) -> dict[str, Any]:
    """The answer of the token endpoint. Raises SignInRefused."""
    grants: dict[str, Callable[[], dict[str, Any]]] = {
        "client_credentials": lambda: _client_credentials(tenant, form, desk),
        DEVICE_CODE: lambda: _device_code(tenant, form, desk, issuer),
        "authorization_code": lambda: _authorization_code(tenant, form, desk, issuer),
        "refresh_token": lambda: _refresh(tenant, form, desk, issuer),
    }
    wanted = form.get("grant_type", "")
    if not wanted:
        raise aadsts.missing("grant_type")
    if wanted not in grants:
        raise aadsts.unsupported_grant(wanted)
    return grants[wanted]()


def _client_credentials(tenant: Tenant, form: Form, desk: Desk) -> dict[str, Any]:
    client = authenticated(form, desk)
    text = form.get("scope", "")
    if not text.endswith(issuing.DEFAULT) or len(text.split()) > 1:
        raise aadsts.bad_scope(text)
    return issuing.for_application(tenant, client, Scope.parse(text, desk.tenant).resource)


def _device_code(tenant: Tenant, form: Form, desk: Desk, issuer: str) -> dict[str, Any]:
    """Until the person has finished: authorization_pending (RFC 8628, 3.5)."""
    client = known_client(form, desk)
    session = _session(tenant, form.get("device_code", ""), "device", client.app_id)
    if session["state"] == "pending" and tenant.clock().timestamp() >= session["expires"]:
        raise aadsts.device_code_expired()
    if session["state"] == "pending":
        raise aadsts.pending()
    del tenant.sessions[form["device_code"]]
    if session["state"] == "declined":
        raise aadsts.declined()
    return issuing.for_person(tenant, client, session["person"], Scope.parse(session["scope"], desk.tenant), issuer)


def _authorization_code(tenant: Tenant, form: Form, desk: Desk, issuer: str) -> dict[str, Any]:
    """A code is good once, with the verifier that fits its challenge (RFC 7636)."""
    client = _public_or_authenticated(form, desk)
    session = _session(tenant, form.get("code", ""), "code", client.app_id)
    del tenant.sessions[form["code"]]
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if base64.urlsafe_b64encode(digest).decode().rstrip("=") != session["challenge"]:
        text = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
        raise aadsts.bad_grant(501481, text)
    return issuing.for_person(tenant, client, session["person"], Scope.parse(session["scope"], desk.tenant), issuer)


def _refresh(tenant: Tenant, form: Form, desk: Desk, issuer: str) -> dict[str, Any]:
    client = _public_or_authenticated(form, desk)
    session = _session(tenant, form.get("refresh_token", ""), "refresh", client.app_id)
    text = form.get("scope") or session["scope"]
    return issuing.for_person(tenant, client, session["person"], Scope.parse(text, desk.tenant), issuer)


def _public_or_authenticated(form: Form, desk: Desk) -> Any:
    shows = form.get("client_assertion") or form.get("client_secret")
    return authenticated(form, desk) if shows else known_client(form, desk)


def _session(tenant: Tenant, name: str, kind: str, app_id: str) -> dict[str, Any]:
    session = tenant.sessions.get(name)
    if session is None or session["kind"] != kind or session["client"] != app_id:
        raise aadsts.bad_grant(9002313, f"Invalid request. The {kind} that was sent is malformed, not of this client, or was used before.")
    return session
