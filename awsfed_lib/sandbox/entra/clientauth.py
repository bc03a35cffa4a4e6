"""Who a client is: a secret, an assertion signed with its certificate, or a token of a workload issuer that it trusts. Verified for real.

Assertion format: learn.microsoft.com entra/identity-platform/certificate-credentials (RS256 with x5t, PS256 with x5t#S256); workload
federation: entra/workload-id/workload-identity-federation.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from awsfed_lib.sandbox.entra import aadsts
from awsfed_lib.sandbox.entra.loading import Registration
from awsfed_lib.sandbox.keys import KeyPair

ALGORITHMS = ("RS256", "PS256")
SKEW = 300  # seconds
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Desk:
    """What is known where a client shows its credential: the registrations, accepted audiences, the workload issuer's key, the time."""

    registrations: Mapping[str, Registration]
    tenant: str
    audiences: Collection[str]
    workload_key: Callable[[], RSAPublicKey]
    now: datetime


def known_client(form: Mapping[str, str], desk: Desk) -> Registration:
    """The registration that the form names, without a proof. Raises SignInRefused."""
    client_id = form.get("client_id", "")
    if not client_id:
        raise aadsts.missing("client_id")
    if client_id.lower() not in desk.registrations:
        raise aadsts.unknown_client(client_id, desk.tenant)
    return desk.registrations[client_id.lower()]


def authenticated(form: Mapping[str, str], desk: Desk) -> Registration:
    """The registration whose credential the form shows. Raises SignInRefused."""
    client = known_client(form, desk)
    if form.get("client_assertion"):
        _check_assertion(form, client, desk)
    elif form.get("client_secret"):
        if not hmac.compare_digest(form["client_secret"].encode(), client.secret.encode()):
            raise aadsts.bad_secret(client.app_id)
    else:
        raise aadsts.no_credential()
    return client


def _check_assertion(form: Mapping[str, str], client: Registration, desk: Desk) -> None:
    if form.get("client_assertion_type") != JWT_BEARER:
        raise aadsts.malformed_assertion("The parameter client_assertion_type is not supported.")
    token = form["client_assertion"]
    header, claims = _unverified(token)
    if str(claims.get("iss", "")).startswith("https://"):
        _check_workload(token, claims, client, desk)
    else:
        _check_certificate(token, header, claims, client, desk)
    _check_time(claims, desk.now)


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise aadsts.malformed_assertion(str(error)) from None
    if header.get("alg") not in ALGORITHMS:
        raise aadsts.malformed_assertion(f"The algorithm {header.get('alg')} is not supported.")
    return header, claims


def _check_certificate(token: str, header: Mapping[str, Any], claims: Mapping[str, Any], client: Registration, desk: Desk) -> None:
    for name in ("iss", "sub"):
        if claims.get(name) != client.app_id:
            raise aadsts.assertion_for_another(f"Claim '{name}'.")
    pair = _signer(header, client)
    shown = pair.sha1.hex().upper()
    if not pair.certificate.not_valid_before_utc <= desk.now <= pair.certificate.not_valid_after_utc:
        raise aadsts.bad_certificate("The key used is expired.", shown, client.app_id)
    if not _signed_by(token, pair.key.public_key()):
        raise aadsts.bad_certificate("The provided signature value did not match the expected signature value.", shown, client.app_id)
    if not _audiences(claims) & set(desk.audiences):
        raise aadsts.assertion_audience(claims.get("aud"))


def _signer(header: Mapping[str, Any], client: Registration) -> KeyPair:
    """The registered certificate whose thumbprint the header names."""
    named = header.get("x5t#S256") or header.get("x5t")
    if not isinstance(named, str):
        raise aadsts.malformed_assertion("No certificate thumbprint specified in token header.")
    wanted = _bytes(named)
    for pair in client.certificates:
        if wanted in (pair.sha1, pair.sha256):
            return pair
    raise aadsts.bad_certificate("The key was not found.", wanted.hex().upper(), client.app_id)


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "==")
    except ValueError:
        return b""


def _signed_by(token: str, key: RSAPublicKey) -> bool:
    unchecked = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
    try:
        jwt.decode(token, key, list(ALGORITHMS), options=unchecked)  # type: ignore[arg-type]
    except jwt.PyJWTError:
        return False
    return True


def _audiences(claims: Mapping[str, Any]) -> set[str]:
    audience = claims.get("aud")
    return set(audience) if isinstance(audience, list) else {str(audience)}


def _check_workload(token: str, claims: Mapping[str, Any], client: Registration, desk: Desk) -> None:
    """Issuer, subject and audience must be those of one federated identity credential, and the issuer must have signed."""
    trusted = list(client.federated)
    for code, what, claim in ((700211, "issuer", "iss"), (700213, "subject", "sub"), (700212, "audience", "aud")):
        presented = _audiences(claims) if claim == "aud" else {str(claims.get(claim))}
        trusted = [one for one in trusted if one[what] in presented]
        if not trusted:
            raise aadsts.untrusted_workload(code, what, claims.get(claim))
    if not _signed_by(token, desk.workload_key()):
        raise aadsts.bad_certificate("The provided signature value did not match the expected signature value.", "", client.app_id)


def _check_time(claims: Mapping[str, Any], now: datetime) -> None:
    """Five minutes of difference between two clocks are let pass."""
    moment = now.timestamp()
    times = [claims.get("exp"), claims.get("nbf", 0)]
    if not all(isinstance(value, int | float) for value in times):
        raise aadsts.assertion_time(now, claims)
    if moment > float(claims["exp"]) + SKEW or moment < float(claims.get("nbf", 0)) - SKEW:
        raise aadsts.assertion_time(now, claims)
