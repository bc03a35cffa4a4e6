"""Token-signing certificates of an application: how Graph shows them, and which one signs now.

Shapes: learn.microsoft.com graph/api/serviceprincipal-addtokensigningcertificate. A certificate is three entries on the service
principal (a Sign key, a Verify key and a password) that share one customKeyIdentifier, the base64 of the SHA-1 thumbprint.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from awsfed_lib.sandbox.entra.schema import Record
from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.keys import KeyPair

Vault = Mapping[str, KeyPair]  # customKeyIdentifier → key pair


def identifier(pair: KeyPair) -> str:
    """CustomKeyIdentifier of the certificate."""
    return base64.b64encode(pair.sha1).decode()


def thumbprint(pair: KeyPair) -> str:
    """The thumbprint as preferredTokenSigningKeyThumbprint has it."""
    return pair.sha1.hex().upper()


def credentials(pair: KeyPair, mint: Callable[[], str], named: str = "") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """KeyCredentials and passwordCredentials that one signing certificate adds to the service principal; `named`: not by its subject."""
    name = named or pair.certificate.subject.rfc4514_string()
    sign_id, shared = mint(), _shared(pair)
    sign = {**shared, "displayName": name, "key": None, "keyId": sign_id, "type": "X509CertAndPassword", "usage": "Sign"}
    verify = {**shared, "displayName": name, "key": pair.base64, "keyId": mint(), "type": "AsymmetricX509Cert", "usage": "Verify"}
    password = {**shared, "displayName": name, "hint": None, "keyId": sign_id, "secretText": None}
    return [sign, verify], [password]


def _shared(pair: KeyPair) -> dict[str, Any]:
    return {
        "customKeyIdentifier": identifier(pair),
        "endDateTime": seconds(pair.certificate.not_valid_after_utc),
        "startDateTime": seconds(pair.certificate.not_valid_before_utc),
    }


def held(record: Record, vault: Vault) -> list[KeyPair]:
    """The key pairs of the application's Sign credentials, in order."""
    signing = [entry for entry in record.get("keyCredentials", ()) if entry.get("usage") == "Sign"]
    return [vault[entry["customKeyIdentifier"]] for entry in signing if entry["customKeyIdentifier"] in vault]


def active(record: Record, vault: Vault, now: datetime) -> KeyPair:
    """The one that signs: the preferred one, or a valid one when the preferred one has run out.

    Source: entra-docs tutorial-manage-certificates-for-federated-single-sign-on ("uses the valid one automatically").
    Raises KeyError when the application has no signing certificate.
    """
    pairs = held(record, vault)
    if not pairs:
        raise KeyError(f"The application {record.get('displayName')} ({record['id']}) has no signing certificate.")
    preferred = next((pair for pair in pairs if thumbprint(pair) == record.get("preferredTokenSigningKeyThumbprint")), pairs[0])
    usable = [pair for pair in pairs if _valid(pair, now)]
    return preferred if _valid(preferred, now) or not usable else max(usable, key=lambda pair: pair.certificate.not_valid_after_utc)


def published(record: Record, vault: Vault, now: datetime) -> list[KeyPair]:
    """What federation metadata lists: the active one first."""
    first = active(record, vault, now)
    return [first, *(pair for pair in held(record, vault) if pair is not first)]


def _valid(pair: KeyPair, now: datetime) -> bool:
    return pair.certificate.not_valid_before_utc <= now <= pair.certificate.not_valid_after_utc
