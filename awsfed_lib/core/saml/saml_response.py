"""A SAML response opened: only what a signature covers is read as signed, and only what is compared is kept.

The signature is checked by signxml, and then the bytes that it covers are read, never the document around them: an
assertion that was wrapped around or put beside the signed one is not seen (usenix.org usenixsecurity12, Somorovsky et
al., "On Breaking SAML"). This is a diagnosis for administrators; no access depends on it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from cryptography.x509 import load_der_x509_certificate
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.saml import x509
from awsfed_lib.core.saml.metadata import DS
from awsfed_lib.core.saml.pasted_response import normalised
from awsfed_lib.core.saml.saml_attributes import ROLE, SESSION_DURATION, SESSION_NAME
from awsfed_lib.core.saml.x509 import Certificate

SAML, PROTOCOL = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
_PLACES = (f"./{{{SAML}}}Assertion/", "./")


class Seal(NamedTuple):
    """The signature. `state`: valid, invalid, missing, sha1, of the response only; `certificate`: what it was checked with, or names."""

    state: str
    certificate: Certificate | None
    known: bool


@dataclass(frozen=True)
class Response:
    """What a response says. No raw XML, no signature, no NameID and no other attribute is kept but its name."""

    length: int
    status: str
    seal: Seal
    issuer: str
    recipients: tuple[str, ...]
    audiences: tuple[str, ...]
    issued: datetime | None
    not_before: datetime | None
    not_after: datetime | None
    has_name_id: bool
    session_names: tuple[str, ...]
    durations: tuple[str, ...]
    role_values: tuple[str, ...]
    attribute_names: tuple[str, ...] = ()


def open_response(saml: str, certificates: Iterable[Certificate]) -> Response:
    """Open what a browser posted to AWS, in whatever form it was copied (pasted_response.py).

    `certificates`: those that may have signed it. Raises DocumentError, which repeats nothing of the text: as `normalised`, and
    dtd, not-xml, not-a-response, encrypted, no-assertion, several-assertions.
    """
    text = normalised(saml)
    raw = base64.b64decode(text)
    root = _root(raw)
    seal, signed = _seal(raw, root, tuple(certificates))
    assertion = _assertion(root if signed is None else signed)
    return _read(root, assertion, (len(text), seal))


def _root(raw: bytes) -> Element:
    if b"\0" in raw:
        raise DocumentError("The response is not UTF-8.", reason="not-xml")
    try:
        root = fromstring(raw, forbid_dtd=True)
    except DefusedXmlException:
        raise DocumentError("The response holds a DTD or entities; Entra ID sends none.", reason="dtd") from None
    except (ParseError, ValueError, LookupError):
        raise DocumentError("The response is not well-formed XML.", reason="not-xml") from None
    if root.tag != f"{{{PROTOCOL}}}Response":
        raise DocumentError("The text is XML, but no SAML response.", reason="not-a-response")
    return root


def _assertion(node: Element) -> Element | None:
    """Take the one assertion of a response, or of what was signed; None for a response that says an error instead."""
    if node.tag == f"{{{SAML}}}Assertion":
        return node
    found = node.findall(f"{{{SAML}}}Assertion")
    if len(found) == 1:
        return found[0]
    if found:
        raise DocumentError("The response holds several assertions; it was tampered with.", reason="several-assertions")
    if node.find(f"{{{SAML}}}EncryptedAssertion") is not None:
        words = "The assertion is encrypted: only the holder of the private key can look into it."
        remedy = "Give every SAML provider the private key (one key can go to all of them); AWS then decrypts it."
        raise DocumentError(words, reason="encrypted", remedy=remedy)
    if _status(node) == "Success":
        raise DocumentError("The response holds no assertion.", reason="no-assertion")
    return None


def _status(root: Element) -> str:
    code = root.find(f"{{{PROTOCOL}}}Status/{{{PROTOCOL}}}StatusCode")
    return "" if code is None else code.get("Value", "").rpartition(":")[2]


def _seal(raw: bytes, root: Element, certificates: tuple[Certificate, ...]) -> tuple[Seal, Element | None]:
    """Check the signatures with every known certificate, then with the one inside; give the assertion that is covered.

    AWS requires the signature of the assertion; that of the response is optional, and must hold where there is one.
    """
    inside = _embedded(root)
    signed = [place for place in _PLACES if root.find(f"{place}{{{DS}}}Signature") is not None]
    if not signed:
        anywhere = root.find(f".//{{{DS}}}Signature") is not None
        return Seal("invalid" if anywhere else "missing", inside, known=False), None
    if _PLACES[0] not in signed:
        return Seal("of the response only", inside, inside in certificates), None
    for certificate in dict.fromkeys((*certificates, *((inside,) if inside else ()))):
        covered = [_covered(raw, certificate, place) for place in signed]
        if None not in covered:
            return Seal("valid", certificate, known=certificate in certificates), covered[0]
    return Seal("sha1" if _is_sha1(root) else "invalid", inside, inside in certificates), None


def _embedded(root: Element) -> Certificate | None:
    node = root.find(f".//{{{DS}}}Signature/{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
    try:
        return None if node is None else x509.from_base64(node.text or "")
    except DocumentError:
        return None


def _covered(raw: bytes, certificate: Certificate, place: str) -> Element | None:
    """Give the element at `place` that the signature there covers when `certificate` made it. Its days are no question here."""
    key = load_der_x509_certificate(certificate.der)
    config = SignatureConfiguration(location=place, verification_time=certificate.not_before)
    try:
        result = XMLVerifier().verify(raw, x509_cert=key, expect_config=config)
    except Exception:  # noqa: BLE001  whatever stopped it, the signature was not verified: it fails closed
        return None
    if not isinstance(result, VerifyResult):
        return None
    found: Element = fromstring(result.signed_data, forbid_dtd=True)
    return found if found.tag == (f"{{{SAML}}}Assertion" if place == _PLACES[0] else f"{{{PROTOCOL}}}Response") else None


def _is_sha1(root: Element) -> bool:
    methods = (node.get("Algorithm", "") for node in root.iter() if node.tag in (f"{{{DS}}}SignatureMethod", f"{{{DS}}}DigestMethod"))
    return any(method.lower().endswith("sha1") for method in methods)


def _read(root: Element, assertion: Element | None, known: tuple[int, Seal]) -> Response:
    empty = Element("nothing") if assertion is None else assertion
    confirmations = empty.findall(f"{{{SAML}}}Subject/{{{SAML}}}SubjectConfirmation/{{{SAML}}}SubjectConfirmationData")
    conditions = empty.find(f"{{{SAML}}}Conditions")
    ends = [time for node in (*confirmations, conditions) if (time := _time(node, "NotOnOrAfter"))]
    name_id = empty.find(f"{{{SAML}}}Subject/{{{SAML}}}NameID")
    return Response(
        length=known[0],
        status=_status(root),
        seal=known[1],
        issuer=(empty.findtext(f"{{{SAML}}}Issuer") or "").strip(),
        recipients=tuple(node.get("Recipient", "") for node in confirmations),
        audiences=tuple((node.text or "").strip() for node in empty.iter(f"{{{SAML}}}Audience")),
        issued=_time(empty, "IssueInstant"),
        not_before=_time(conditions, "NotBefore"),
        not_after=min(ends, default=None),
        has_name_id=name_id is not None and bool((name_id.text or "").strip()),
        session_names=tuple(_attribute(empty, SESSION_NAME)),
        durations=tuple(_attribute(empty, SESSION_DURATION)),
        role_values=tuple(_attribute(empty, ROLE)),
        attribute_names=tuple(node.get("Name", "") for node in empty.iter(f"{{{SAML}}}Attribute")),
    )


def _attribute(assertion: Element, name: str) -> Iterator[str]:
    for node in assertion.iter(f"{{{SAML}}}Attribute"):
        if node.get("Name") == name:
            yield from ((value.text or "").strip() for value in node.findall(f"{{{SAML}}}AttributeValue"))


def _time(node: Element | None, name: str) -> datetime | None:
    text = "" if node is None else node.get(name, "")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", text, re.ASCII):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
