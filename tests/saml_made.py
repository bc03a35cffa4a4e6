"""Certificates and metadata documents for tests, in the shape in which Entra ID publishes them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from awsfed_lib.core.saml import x509 as ours
from awsfed_lib.core.saml.metadata import DS, MD, Metadata, parse
from awsfed_lib.core.saml.x509 import Certificate

TENANT = "11111111-2222-3333-4444-555555555555"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ENTITY = f"https://sts.windows.net/{TENANT}/"
LOGIN = f"https://login.microsoftonline.com/{TENANT}/saml2"
WSFED = "http://docs.oasis-open.org/wsfed/federation/200706"


@lru_cache
def key(number: int = 0, bits: int = 2048) -> Any:
    """Make a private RSA key, the same for the same number in one process."""
    return rsa.generate_private_key(65537, bits)


@lru_cache
def curve_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


@lru_cache(maxsize=4096)
def certificate(
    name: str = "CN=AWS 2024", start: datetime = NOW - timedelta(days=600), days: float = 1095, private: Any = None, serial: int = 1
) -> Certificate:
    """Make a self-signed certificate; equal words give equal bytes in one process."""
    signer = private or key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name.removeprefix("CN="))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(signer.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .sign(signer, hashes.SHA256())
    )
    return ours.read(made.public_bytes(serialization.Encoding.DER))


def key_descriptor(one: Certificate, use: str = ' use="signing"') -> str:
    return f'<KeyDescriptor{use}><KeyInfo xmlns="{DS}"><X509Data><X509Certificate>{one.base64}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>'


def document(*certificates: Certificate, entity: str = ENTITY, login: str = LOGIN) -> str:
    """Write metadata as Entra does: signed, with two WS-Federation roles beside the SAML one."""
    keys = "".join(map(key_descriptor, certificates or (certificate(),)))
    wsfed = "".join(
        f'<RoleDescriptor xsi:type="fed:{kind}" protocolSupportEnumeration="{WSFED}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xmlns:fed="{WSFED}">{keys}<fed:ClaimTypesOffered /></RoleDescriptor>'
        for kind in ("SecurityTokenServiceType", "ApplicationServiceType")
    )
    services = (
        f'<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{login}" />'
        f'<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{login}" />'
        f'<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{login}" />'
    )
    signature = (
        f'<Signature xmlns="{DS}"><SignedInfo /><SignatureValue>{base64.b64encode(b"s" * 256).decode()}</SignatureValue></Signature>'
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><EntityDescriptor ID="_6a2f1b1c-0001-4d3e-9a57-0c8a5b1f2d3e" entityID="{entity}" xmlns="{MD}">'
        f'{signature}{wsfed}<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}{services}'
        "</IDPSSODescriptor></EntityDescriptor>"
    )


def made(*certificates: Certificate, **how: str) -> Metadata:
    return parse(document(*certificates, **how))


def credentials(*certificates: Certificate, active: Certificate | None = None, names: Iterable[str] = ()) -> dict[str, Any]:
    """Write a service principal with these signing certificates, as Graph answers $select=keyCredentials,passwordCredentials."""
    listed = list(names)
    entry: dict[str, Any] = {
        "id": "sp-1", "appId": "app-1", "keyCredentials": [], "passwordCredentials": [],
        "preferredTokenSigningKeyThumbprint": active.thumbprint if active else None,
    }  # fmt: skip
    for index, one in enumerate(certificates):
        name = listed[index] if index < len(listed) else one.subject
        shared = {
            "customKeyIdentifier": base64.b64encode(bytes.fromhex(one.thumbprint)).decode(), "displayName": name,
            "startDateTime": one.not_before.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"), "endDateTime": one.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }  # fmt: skip
        entry["keyCredentials"] += [
            shared | {"keyId": f"sign-{one.thumbprint[:8]}", "type": "X509CertAndPassword", "usage": "Sign", "key": None},
            shared | {"keyId": f"verify-{one.thumbprint[:8]}", "type": "AsymmetricX509Cert", "usage": "Verify", "key": one.base64},
        ]
        entry["passwordCredentials"].append(shared | {"keyId": f"sign-{one.thumbprint[:8]}", "secretText": None, "hint": None})
    return entry
