"""SAML metadata documents: what IAM takes and what it refuses, and the entity id and signing certificates in one.

Sources: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html and troubleshoot_saml.html ("Could not parse
metadata"), reference_iam-quotas.html (10 keys a provider), the botocore model (1,000 to 10,000,000 characters).
"""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from awsfed_lib.sandbox.amazon.wire import AwsError

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True)
class Descriptor:
    """What IAM keeps of a document: who issues, and with which keys."""

    entity_id: str
    certificates: tuple[x509.Certificate, ...]


@lru_cache(maxsize=512)
def read(document: str) -> tuple[Descriptor, ...]:
    """Read a metadata document: each identity provider that it describes. Raises AwsError for one that IAM does not take.

    A recording of AWS: several entities in an EntitiesDescriptor are taken, and so is a document with keys for encryption alone;
    reference_iam-quotas.html: 10 identity providers and 10 keys for each provider.
    """
    if not 1000 <= len(document) <= 10_000_000:
        raise AwsError("ValidationError", _length(document))
    if document.startswith("\ufeff") or "<!DOCTYPE" in document:
        raise _unparsable()
    try:
        root = etree.fromstring(document.encode(), etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError:
        raise _unparsable() from None
    entities = [root] if root.tag == f"{MD}EntityDescriptor" else root.findall(f"{MD}EntityDescriptor")
    if root.tag not in (f"{MD}EntityDescriptor", f"{MD}EntitiesDescriptor") or not all(one.get("entityID") for one in entities):
        raise _unparsable()
    issuers = [(one.get("entityID"), idp) for one in entities for idp in one.findall(f"{MD}IDPSSODescriptor")]
    if not issuers:
        raise AwsError("InvalidInput", "SAML Providers must reference at least one SAML assertion issuer.")
    if any(idp.find(f"{MD}SingleSignOnService") is None for _, idp in issuers):
        raise _unparsable()
    if len(issuers) > 10:
        raise AwsError("LimitExceeded", "Cannot exceed quota for IdPsPerSAMLProvider: 10", 409)
    found = tuple(Descriptor(str(entity_id), _keys(idp)) for entity_id, idp in issuers)
    if sum(len(one.certificates) for one in found) > 10:
        raise AwsError("LimitExceeded", "Cannot exceed quota for KeysPerSAMLProvider: 10", 409)
    return found


def _length(document: str) -> str:
    bound = "greater than or equal to 1000" if len(document) < 1000 else "less than or equal to 10000000"
    return f"1 validation error detected: Value at 'sAMLMetadataDocument' failed to satisfy constraint: Member must have length {bound}"


def _unparsable() -> AwsError:
    return AwsError("InvalidInput", "Could not parse metadata")


def _keys(provider: etree._Element) -> tuple[x509.Certificate, ...]:
    signing = [key for key in provider.findall(f"{MD}KeyDescriptor") if key.get("use", "signing") == "signing"]
    texts = ["".join((node.text or "").split()) for key in signing for node in key.iter(f"{DS}X509Certificate")]
    return tuple(_certificate(text) for text in texts)


def _certificate(text: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except ValueError:
        raise _unparsable() from None
    if _bits(certificate.public_key()) < 1024:
        raise _unparsable()
    return certificate


def _bits(key: object) -> int:
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 1024


@lru_cache(maxsize=1)
def foreign() -> str:
    """The metadata of some other identity provider, with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return render("https://idp.fabrikam.example/", [certificate_for(key, "idp.fabrikam.example")], "https://idp.fabrikam.example/sso")


def certificate_for(key: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    """A self-signed certificate that is good for ten years."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2024, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), start, start + timedelta(days=3650))
    return builder.sign(key, hashes.SHA256())


def render(entity_id: str, certificates: list[x509.Certificate], endpoint: str) -> str:
    """The smallest document that an identity provider can publish with these signing certificates."""
    keys = "".join(
        '<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
        f"{base64.b64encode(one.public_bytes(Encoding.DER)).decode()}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        for one in certificates
    )
    service = f'<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{endpoint}"/>'
    descriptor = f'<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}{service}</IDPSSODescriptor>'
    return f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">{descriptor}</EntityDescriptor>'


def name_of(arn: str) -> str:
    """The name of the provider that an ARN names."""
    return re.sub(r"^.*:saml-provider/", "", arn)
