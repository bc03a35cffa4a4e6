"""SAML federation metadata of Entra ID: read strictly, refused with a name, composed for several signing keys.

What is checked is what is uploaded: `Metadata.document` is the text that was parsed, without a byte order mark, and
`compose` reads back what it wrote. IAM's limits: docs.aws.amazon.com IAM/latest/APIReference/API_CreateSAMLProvider.html,
…/UserGuide/reference_iam-quotas.html (10 keys a provider), …/UserGuide/troubleshoot_saml.html (byte order mark, key size).
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.saml import x509
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.tables import canonical

MD, DS = "urn:oasis:names:tc:SAML:2.0:metadata", "http://www.w3.org/2000/09/xmldsig#"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
SHORTEST, LONGEST = 1_000, 10_000_000  # characters of SAMLMetadataDocument
MOST_KEYS, SMALLEST_KEY = 10, 1024
# China: only indirect evidence of its host (sts.chinacloudapi.cn); US Government clouds use the global one.
ENTITY = re.compile(r"https://sts\.(?:windows\.net|chinacloudapi\.cn)/(?P<tenant>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/", re.ASCII)
_ENCODING = re.compile(r"""^<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)["']""")


class Service(NamedTuple):
    """An address in the metadata: `kind` is SingleSignOnService or SingleLogoutService."""

    kind: str
    binding: str
    location: str


@dataclass(frozen=True)
class Metadata:
    """What a metadata document says about one identity provider.

    `certificates`: those that may sign, in the order of the document. `document`: the text itself, without a byte order
    mark. `had_bom`: it began with one, which IAM does not read. `others`: entityIDs of the other identity providers in it.
    """

    entity_id: str
    certificates: tuple[Certificate, ...]
    services: tuple[Service, ...]
    name_id_formats: tuple[str, ...]
    has_signature: bool
    had_bom: bool
    document: str = field(repr=False)
    others: tuple[str, ...] = ()

    @property
    def sso_urls(self) -> tuple[str, ...]:
        """Where to sign in, each address once, sorted."""
        return tuple(sorted({service.location for service in self.services if service.kind == "SingleSignOnService"}))

    @property
    def thumbprints(self) -> frozenset[str]:
        """Thumbprints of the certificates that may sign."""
        return frozenset(certificate.thumbprint for certificate in self.certificates)

    @property
    def tenant_id(self) -> str:
        """The tenant in the entityID; "" when it is none of Entra ID's."""
        found = ENTITY.fullmatch(self.entity_id)
        return found["tenant"] if found else ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what counts: entityID, certificates, sign-in addresses; not over ids, order or white space.

        With other identity providers beside, over the whole text.
        """
        if self.others:
            return hashlib.sha256(self.document.encode(errors="surrogatepass")).hexdigest()
        keys = sorted({certificate.sha256 for certificate in self.certificates})
        text = canonical({"certificates": keys, "entityId": self.entity_id, "sso": self.sso_urls})
        return hashlib.sha256(text.encode()).hexdigest()


def parse(document: bytes | str) -> Metadata:
    """Read metadata that is fit for upload to IAM.

    Raises DocumentError whose `reason` is one of: encoding, too-long, too-short, dtd, not-xml, several-entities,
    not-metadata, no-idp, several-idp, certificate, certificate-extension, no-key, too-many-keys, key-kind, key-size,
    entity, sso.
    """
    found = read(document)
    for reason, broken, words in _RULES:
        if broken(found):
            raise DocumentError(words, reason=reason, where=found.entity_id[:200])
    return found


def read(document: bytes | str) -> Metadata:
    """Read any SAML 2.0 identity provider's metadata, fit for upload or not; raises DocumentError when it is none.

    IAM takes documents with several EntityDescriptors (EntitiesDescriptor): all those of the one issuer of Entra ID are read as one,
    and the issuers beside it are `others`.
    """
    text, had_bom = _text(document)
    entities = _entities(_root(text))
    root, others = _of_entra(entities)
    idps = [_only_idp(one) for one in entities if one.get("entityID") == root.get("entityID")]
    idp = idps[0]
    services = (child for one in idps for child in one if child.tag in (f"{{{MD}}}SingleSignOnService", f"{{{MD}}}SingleLogoutService"))
    return Metadata(
        entity_id=root.get("entityID", ""),
        certificates=tuple(key for one in idps for key in _certificates(one)),
        services=tuple(Service(child.tag.rpartition("}")[2], child.get("Binding", ""), child.get("Location", "")) for child in services),
        name_id_formats=tuple((child.text or "").strip() for child in idp.findall(f"{{{MD}}}NameIDFormat")),
        has_signature=root.find(f".//{{{DS}}}Signature") is not None,
        had_bom=had_bom,
        document=text,
        others=others,
    )


def fingerprint_of(document: str) -> str:
    """Return the fingerprint of a document whatever it is: of what it says where it can be read, else of its text."""
    try:
        return read(document).fingerprint
    except DocumentError:
        return f"text-{hashlib.sha256(document.encode(errors='surrogatepass')).hexdigest()}"


def refusals(found: Metadata, *, tenant_id: str, thumbprints: Collection[str], now: datetime) -> tuple[str, ...]:
    """Why this metadata must not be given to accounts as that of one application; none when it may.

    `thumbprints`: of the application's own signing certificates. Metadata downloaded without `?appid=` lists the keys of
    the tenant, by which the application never signs (learn.microsoft.com entra/identity-platform/federation-metadata).
    """
    words = []
    if found.tenant_id != tenant_id.lower():
        words.append(f"foreign-tenant: its entityID is {found.entity_id}, and the tenant is {tenant_id}.")
    if not found.thumbprints & set(thumbprints):
        words.append(
            "not-this-application: it holds no signing certificate of the application; it is the tenant's own metadata, or another"
            " application's. Download it with ?appid= and the application id."
        )
    if not any(certificate.valid(now) for certificate in found.certificates):
        words.append("expired: none of its certificates is valid now.")
    return tuple(words)


def compose(base: Metadata, certificates: Iterable[Certificate]) -> Metadata:
    """Write the metadata of `base` with exactly these signing certificates, oldest first: equal input gives equal text.

    Ids, the enveloped signature (it no longer matches) and the WS-Federation descriptors are left out: IAM reads the
    SAML identity provider. Raises DocumentError as `parse` does, so what comes back is fit for upload.
    """
    unique = {certificate.sha256: certificate for certificate in certificates}
    keys = sorted(unique.values(), key=lambda certificate: (certificate.not_before, certificate.sha256))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<EntityDescriptor xmlns="{MD}" entityID="{html.escape(base.entity_id)}">',
        f'<IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}">',
        *(_key_descriptor(key) for key in keys),
        *(_service(service) for service in base.services if service.kind == "SingleLogoutService"),
        *(f"<NameIDFormat>{html.escape(form)}</NameIDFormat>" for form in base.name_id_formats),
        *(_service(service) for service in base.services if service.kind == "SingleSignOnService"),
        "</IDPSSODescriptor>",
        "</EntityDescriptor>",
    ]
    return parse("\n".join(lines))


def _key_descriptor(key: Certificate) -> str:
    inner = f"<X509Data><X509Certificate>{key.base64}</X509Certificate></X509Data>"
    return f'<KeyDescriptor use="signing"><KeyInfo xmlns="{DS}">{inner}</KeyInfo></KeyDescriptor>'


def _service(service: Service) -> str:
    return f'<{service.kind} Binding="{html.escape(service.binding)}" Location="{html.escape(service.location)}" />'


def _text(document: bytes | str) -> tuple[str, bool]:
    """Take the text without its byte order mark; only UTF-8 is read, in the bytes and in the XML declaration."""
    try:
        text = document.decode("utf-8") if isinstance(document, bytes) else document
    except UnicodeDecodeError:
        raise DocumentError("The metadata is not UTF-8, the only encoding that IAM reads.", reason="encoding") from None
    had_bom = text.startswith("\ufeff")
    text = text.lstrip("\ufeff")
    if len(text) > LONGEST:
        raise DocumentError(f"The metadata has {len(text)} characters; IAM takes {LONGEST}.", reason="too-long")
    if "\0" in text:  # UTF-16 of plain letters is UTF-8, too, and the parser would find out: another text than is uploaded
        raise DocumentError("The metadata holds NUL characters; it is UTF-16, or broken.", reason="encoding")
    declared = _ENCODING.match(text)
    if declared and declared[1].lower() not in ("utf-8", "utf8"):
        raise DocumentError(f"The metadata declares the encoding {declared[1][:40]}; IAM reads UTF-8 only.", reason="encoding")
    return text, had_bom


def _root(text: str) -> Element:
    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException:
        raise DocumentError("The metadata holds a DTD or entities; no identity provider needs them.", reason="dtd") from None
    except (ParseError, ValueError, LookupError):
        raise DocumentError("The metadata is not well-formed XML.", reason="not-xml") from None
    if root.tag not in (f"{{{MD}}}EntitiesDescriptor", f"{{{MD}}}EntityDescriptor"):
        raise DocumentError("The document is XML, but not SAML 2.0 metadata.", reason="not-metadata")
    return root


def _entities(root: Element) -> list[Element]:
    return [root] if root.tag == f"{{{MD}}}EntityDescriptor" else list(root.iter(f"{{{MD}}}EntityDescriptor"))


def _of_entra(entities: list[Element]) -> tuple[Element, tuple[str, ...]]:
    """Choose the entity that Entra ID issues as, with the entityIDs of the others; a single entity is the one, whosever it is."""
    if len(entities) == 1:
        return entities[0], ()
    ours = {name: one for one in entities if ENTITY.fullmatch(name := one.get("entityID", ""))}
    if len(ours) != 1:
        words = f"The metadata describes {len(entities)} entities, and {len(ours)} of them are tenants of Entra ID, not one."
        raise DocumentError(words, reason="several-entities")
    (name, one), *_ = ours.items()
    return one, tuple(sorted({entity.get("entityID", "") for entity in entities} - {name}))


def _only_idp(root: Element) -> Element:
    found = root.findall(f"{{{MD}}}IDPSSODescriptor")
    if not found:
        raise DocumentError("The metadata describes no identity provider (IDPSSODescriptor).", reason="no-idp")
    if len(found) > 1:
        raise DocumentError("The metadata describes several identity providers (IDPSSODescriptor).", reason="several-idp")
    return found[0]


def _certificates(idp: Element) -> Iterable[Certificate]:
    """One certificate a key; a KeyDescriptor without `use` is for signing too (saml-metadata-2.0-os 2.4.1.1)."""
    for descriptor in idp.findall(f"{{{MD}}}KeyDescriptor"):
        if descriptor.get("use", "signing") != "signing":
            continue
        texts = descriptor.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
        if len(texts) != 1 or len(texts[0]):
            raise DocumentError("A signing key of the metadata does not hold exactly one certificate.", reason="certificate")
        yield x509.from_base64(texts[0].text or "")


def _locations(found: Metadata) -> list[str]:
    return [service.location for service in found.services if service.kind == "SingleSignOnService"]


_RULES: tuple[tuple[str, Callable[[Metadata], bool], str], ...] = (
    ("several-entities", lambda m: bool(m.others), "The metadata describes other identity providers too; awsfed uploads one."),
    ("no-key", lambda m: not m.certificates, "The metadata holds no signing key."),
    ("too-many-keys", lambda m: len(m.certificates) > MOST_KEYS, f"The metadata holds more than {MOST_KEYS} signing keys, IAM's quota."),
    ("key-kind", lambda m: any(c.key_bits == 0 for c in m.certificates), "A signing key is not RSA; Entra ID signs with RSA."),
    (
        "key-size",
        lambda m: any(0 < c.key_bits < SMALLEST_KEY for c in m.certificates),
        f"A signing key has fewer than {SMALLEST_KEY} bits; IAM refuses it.",
    ),
    (
        "entity",
        lambda m: not m.tenant_id,
        "The entityID is not https://sts.windows.net/<tenant id>/: not Entra ID's, or the application id is appended to the issuer.",
    ),
    (
        "sso",
        lambda m: not _locations(m) or not all(url.startswith("https://") for url in _locations(m)),
        "The metadata names no https address to sign in at.",
    ),
    ("too-short", lambda m: len(m.document) < SHORTEST, f"The metadata has fewer than the {SHORTEST} characters that IAM asks for."),
)
