"""Federation metadata: the XML that AWS keeps as the SAML provider of an account.

Shape: entra-docs federation-metadata; entityID `https://sts.windows.net/{tenant}/`, one KeyDescriptor per signing certificate.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Literal

from awsfed_lib.sandbox.entra.hosts import HOSTS, entity_id
from awsfed_lib.sandbox.keys import KeyPair

Which = Literal["current", "stale", "tenant"]

_FEDERATION = "http://docs.oasis-open.org/wsfed/federation/200706"
_SAML = "urn:oasis:names:tc:SAML:2.0"


def document(tenant_id: str, pairs: Sequence[KeyPair], cloud: str = "global") -> str:
    """The metadata document with these certificates, in order, and the addresses of that cloud."""
    keys = "".join(_key_descriptor(pair) for pair in pairs)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<EntityDescriptor ID="_{_document_id(pairs)}" entityID="{entity_id(tenant_id, cloud)}" xmlns="{_SAML}:metadata">'
        f"{_role_descriptor('SecurityTokenServiceType', keys)}"
        f"{_role_descriptor('ApplicationServiceType', keys)}"
        f"{_idp_descriptor(tenant_id, keys, cloud)}"
        "</EntityDescriptor>"
    )


def _document_id(pairs: Sequence[KeyPair]) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, "".join(pair.base64 for pair in pairs))


def _key_descriptor(pair: KeyPair) -> str:
    return (
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
        f"<X509Certificate>{pair.base64}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
    )


def _role_descriptor(kind: str, keys: str) -> str:
    return (
        f'<RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:fed="{_FEDERATION}" xsi:type="fed:{kind}" '
        f'protocolSupportEnumeration="{_FEDERATION}">{keys}</RoleDescriptor>'
    )


def _idp_descriptor(tenant_id: str, keys: str, cloud: str) -> str:
    at = f"https://{HOSTS[cloud].login}/{tenant_id}/saml2"
    return (
        f'<IDPSSODescriptor protocolSupportEnumeration="{_SAML}:protocol">{keys}'
        f'<SingleLogoutService Binding="{_SAML}:bindings:HTTP-Redirect" Location="{at}" />'
        f'<SingleSignOnService Binding="{_SAML}:bindings:HTTP-Redirect" Location="{at}" />'
        f'<SingleSignOnService Binding="{_SAML}:bindings:HTTP-POST" Location="{at}" />'
        "</IDPSSODescriptor>"
    )
