"""What the sign-in service says when it refuses: the AADSTS codes (learn.microsoft.com entra/identity-platform/reference-error-codes).

Texts are as the service and its clients report them; `error` is the OAuth word.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass
class SignInRefused(Exception):
    """No token."""

    error: str
    code: int
    text: str
    status: int = 400

    def body(self, moment: datetime, correlation_id: str) -> dict[str, Any]:
        """The error answer of the token endpoint."""
        stamp, trace = moment.strftime("%Y-%m-%d %H:%M:%SZ"), str(uuid.uuid4())
        description = f"AADSTS{self.code}: {self.text} Trace ID: {trace} Correlation ID: {correlation_id} Timestamp: {stamp}"
        return {
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def unknown_tenant(name: str) -> SignInRefused:
    """The authority names another tenant."""
    return SignInRefused(
        "invalid_tenant",
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with "
        "your subscription administrator, this may happen if there are no active subscriptions for the tenant.",
    )


def unknown_client(client_id: str, tenant: str) -> SignInRefused:
    """No such application in this tenant."""
    return SignInRefused(
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not "
        "been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your "
        "authentication request to the wrong tenant.",
    )


def missing(parameter: str) -> SignInRefused:
    """A form field is missing."""
    return SignInRefused("invalid_request", 900144, f"The request body must contain the following parameter: '{parameter}'.")


def no_credential() -> SignInRefused:
    """A confidential client sent neither assertion nor secret."""
    text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return SignInRefused("invalid_client", 7000218, text, 401)


def bad_secret(client_id: str) -> SignInRefused:
    """The secret is not the right one."""
    return SignInRefused(
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, "
        f"for a secret added to app '{client_id}'.",
        401,
    )


def bad_certificate(reason: str, thumbprint: str, client_id: str) -> SignInRefused:
    """The assertion is not signed by a certificate of the application that is valid now (msal-js#8339, azure-sdk-for-net#29007)."""
    return SignInRefused(
        "invalid_client",
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - {reason}, Thumbprint of key used by client: '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly "
        f"use MS Graph to see configured keys for app Id '{client_id}'.].",
        401,
    )


def malformed_assertion(why: str) -> SignInRefused:
    """The assertion is no token, or lacks what it must have (msal-dotnet#124)."""
    return SignInRefused("invalid_client", 50027, f"JWT token is invalid or malformed. {why}", 401)


def assertion_for_another(what: str) -> SignInRefused:
    """Issuer or subject of the assertion is not the client."""
    return SignInRefused(
        "invalid_client", 700021, f"Client assertion application identifier doesn't match 'client_id' parameter. {what}", 401
    )


def assertion_audience(audience: object) -> SignInRefused:
    """The assertion was made for another endpoint."""
    text = f"Client assertion audience claim does not match Realm issuer. Review the documentation. Audience: '{audience}'."
    return SignInRefused("invalid_client", 700023, text, 401)


def assertion_time(now: datetime, claims: Mapping[str, Any]) -> SignInRefused:
    """The assertion has run out, or is not valid yet."""
    text = (
        f"Client assertion is not within its valid time range. Current time: {now.isoformat()}, assertion valid from "
        f"{claims.get('nbf')}, expiry time of assertion {claims.get('exp')}."
    )
    return SignInRefused("invalid_client", 700024, text, 401)


def untrusted_workload(code: int, what: str, value: object) -> SignInRefused:
    """No federated identity credential fits: 700211 issuer, 700212 audience, 700213 subject."""
    text = f"No matching federated identity record found for presented assertion {what} '{value}'."
    return SignInRefused("invalid_client", code, text, 401)


def bad_scope(scope: str) -> SignInRefused:
    """An application asks for its permissions by `/.default`, not one by one."""
    return SignInRefused(
        "invalid_scope",
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the "
        "resource identifier (application ID URI).",
    )


def unknown_resource(resource: str, tenant: str) -> SignInRefused:
    """The scope names an API that the tenant does not have."""
    return SignInRefused(
        "invalid_resource",
        500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not "
        "been installed by the administrator of the tenant or consented to by any user in the tenant.",
    )


def not_consented(client_id: str, name: str) -> SignInRefused:
    """A delegated permission that nobody has consented to."""
    return SignInRefused(
        "invalid_grant",
        65001,
        f"The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'. Send an interactive "
        "authorization request for this user and resource.",
    )


def unsupported_grant(grant: str) -> SignInRefused:
    """A grant type that is not served."""
    return SignInRefused("unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")


def pending() -> SignInRefused:
    """Device code: the person has not finished yet (RFC 8628)."""
    text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return SignInRefused("authorization_pending", 70016, text)


def device_code_expired() -> SignInRefused:
    """Device code: too late (RFC 8628)."""
    return SignInRefused(
        "expired_token", 70020, "The provided value for the input parameter 'device_code' is not valid. This device code has expired."
    )


def declined() -> SignInRefused:
    """Device code: the person said no (RFC 8628)."""
    return SignInRefused("authorization_declined", 70018, "The user declined the sign-in request.")


def bad_grant(code: int, text: str) -> SignInRefused:
    """A code or refresh token that is none (70008, 9002313) or does not fit its verifier (501481)."""
    return SignInRefused("invalid_grant", code, text)
