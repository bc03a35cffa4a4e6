"""The certificates with which Entra ID signs for one application, and the plans that add, activate and remove one.

The trap that everything here is built around: while the active certificate is valid a new one stays inactive, but once
the active one has expired, Entra signs with any valid other at once, without anybody activating it
(learn.microsoft.com entra/identity/enterprise-apps/tutorial-manage-certificates-for-federated-single-sign-on).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.errors import DocumentError, UnreadError
from awsfed_lib.core.saml import x509
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.shapes import CERTIFICATES
from awsfed_lib.core.tables import frame

KEYS, PASSWORDS = "keyCredentials", "passwordCredentials"
_SHA1 = 20  # bytes


@dataclass(frozen=True)
class SigningCertificate:
    """One signing certificate of a service principal.

    `thumbprint`: "" when Graph did not tell. `certificate`: its public part, None when Graph did not send it.
    `identifier`: the customKeyIdentifier that its key, its certificate and its password share.
    """

    thumbprint: str
    name: str
    not_before: datetime
    not_after: datetime
    is_active: bool
    identifier: str
    certificate: Certificate | None = field(default=None, repr=False)

    def valid(self, now: datetime) -> bool:
        """Whether `now` is between its first and its last moment."""
        return self.not_before <= now <= self.not_after


def read(service_principal: Mapping[str, Any]) -> tuple[SigningCertificate, ...]:
    """Read the signing certificates of a service principal as Graph sends it with $select=…,keyCredentials, oldest first.

    A signing certificate is a pair of keyCredentials, usage Sign and usage Verify, with one customKeyIdentifier
    (graph/api/serviceprincipal-addtokensigningcertificate); other keyCredentials are for signing in, or encryption.
    Raises UnreadError when the answer has no keyCredentials, which is not the same as having none.
    """
    if not isinstance(service_principal.get(KEYS), list):
        raise UnreadError("The key credentials of the service principal were not read.", where=str(service_principal.get("id", "")))
    entries = service_principal[KEYS]
    signing = dict.fromkeys(identifier_of(entry) for entry in entries if str(entry.get("usage")).lower() == "sign")
    active = str(service_principal.get("preferredTokenSigningKeyThumbprint") or "").upper()
    found = (_certificate([entry for entry in entries if identifier_of(entry) == identifier]) for identifier in signing)
    marked = (replace(one, is_active=bool(active) and one.thumbprint == active) for one in found)
    return tuple(sorted(marked, key=lambda one: (one.not_before, one.thumbprint)))


def identifier_of(entry: Mapping[str, Any]) -> str:
    """Return the customKeyIdentifier of a key credential, or its own keyId where it has none."""
    return str(entry.get("customKeyIdentifier") or f"keyId {entry.get('keyId')}")


def _certificate(entries: Sequence[Mapping[str, Any]]) -> SigningCertificate:
    public = next((found for entry in entries if (found := _public(entry))), None)
    first, identifier = entries[0], identifier_of(entries[0])
    return SigningCertificate(
        thumbprint=public.thumbprint if public else _thumbprint(identifier),
        name=next((str(entry["displayName"]) for entry in entries if entry.get("displayName")), public.subject if public else ""),
        not_before=public.not_before if public else datetime.fromisoformat(first["startDateTime"]),
        not_after=public.not_after if public else datetime.fromisoformat(first["endDateTime"]),
        is_active=False,
        identifier=identifier,
        certificate=public,
    )


def _public(entry: Mapping[str, Any]) -> Certificate | None:
    """Take the public certificate of a Verify entry; Graph never sends the private part of a Sign entry."""
    if str(entry.get("usage")).lower() != "verify" or not entry.get("key"):
        return None
    try:
        return x509.from_base64(str(entry["key"]))
    except DocumentError:
        return None


def _thumbprint(identifier: str) -> str:
    """SHA-1 thumbprint out of customKeyIdentifier; with one's own certificate it is a SHA-256 of text, and says nothing."""
    try:
        raw = base64.b64decode(identifier, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex().upper() if len(raw) == _SHA1 else ""


def signing(certificates: Collection[SigningCertificate], now: datetime) -> tuple[SigningCertificate, ...]:
    """Which certificates Entra may sign with at `now`: more than one when it cannot be told which; none when there is none.

    The active one while it has not expired; then any valid other; then the expired one still, as long as it is alone.
    """
    active = tuple(one for one in certificates if one.is_active)
    if active and now <= active[0].not_after:
        return active
    return tuple(one for one in certificates if one.valid(now)) or active


def timeline(certificates: Collection[SigningCertificate], now: datetime) -> pd.DataFrame:
    """Show the signing certificates as CERTIFICATES, with what follows from each."""
    signs = signing(certificates, now)
    return frame(CERTIFICATES, [_row(one, (signs, now)) for one in certificates])


def _row(one: SigningCertificate, at: tuple[tuple[SigningCertificate, ...], datetime]) -> dict[str, Any]:
    signs, now = at
    expired, status = now > one.not_after, "inactive"
    if one in signs:
        status = "signs"
    elif one.is_active:
        status = "active"
    elif expired or now < one.not_before:
        status = "expired" if expired else "not yet valid"
    return {
        "thumbprint": one.thumbprint, "name": one.name, "status": status, "not_before": one.not_before,
        "not_after": one.not_after, "days_left": (one.not_after - now).days, "note": _note(one, signs, now),
    }  # fmt: skip


def _note(one: SigningCertificate, signs: tuple[SigningCertificate, ...], now: datetime) -> str:
    if one.is_active and now > one.not_after:
        return "Expired while active: any valid other certificate signs at once, activated or not."
    if one in signs and not one.is_active:
        return "Signs although it is not active, because the active certificate has expired or there is none."
    if not one.thumbprint:
        return "Graph did not tell its thumbprint; it was uploaded, not made by Entra ID."
    if not one.is_active and one.valid(now):
        return "Would sign at once if the active certificate expired."
    return ""


def certificate_facts(certificates: Iterable[SigningCertificate]) -> tuple[str, ...]:
    """Write the facts of the live table "certificates": each thumbprint, and which is active."""
    listed = list(certificates)
    active = (facts.active_certificate(one.thumbprint) for one in listed if one.is_active)
    return (*(facts.certificate(one.thumbprint or one.identifier) for one in listed), *active)


def name_facts(certificates: Iterable[SigningCertificate]) -> tuple[str, ...]:
    """Write the facts of the live table "certificate_names": what is known of a certificate before it is made."""
    return tuple(facts.certificate_name(one.name) for one in certificates)


def credential_facts(service_principal: Mapping[str, Any]) -> tuple[str, ...]:
    """Write the facts of the live table "credentials": every key and password, signing or not, by keyId."""
    kinds = (KEYS, PASSWORDS)
    return tuple(facts.credential(kind, str(entry.get("keyId"))) for kind in kinds for entry in service_principal.get(kind) or [])
