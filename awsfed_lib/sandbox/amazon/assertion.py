"""A SAML response as AWS reads it: nothing in it is believed before its signature has been checked with the provider's certificates.

Sources: docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html and troubleshoot_saml.html.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.x509 import Certificate
from lxml import etree
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from awsfed_lib.sandbox.amazon.wire import AwsError

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"


class SamlRefused(AwsError):
    """A sign-in that AWS refuses; `code` and `message` are AWS's own."""


def invalid(message: str) -> SamlRefused:
    """The refusal of a response that is not as it should be."""
    return SamlRefused("InvalidIdentityToken", message)


@dataclass(frozen=True)
class Assertion:
    """What the signed assertion says."""

    issuer: str
    issued: datetime
    subject: str
    subject_format: str
    recipient: str
    confirmed_until: datetime
    not_before: datetime | None
    not_after: datetime | None
    session_until: datetime | None
    audiences: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]]

    def one(self, name: str) -> str | None:
        """The only value of one of AWS's attributes, such as `RoleSessionName`."""
        values = self.attributes.get(ATTRIBUTES + name, ())
        return values[0] if values else None


def opened(text: str) -> Any:
    """The response's XML, not believed yet; raises SamlRefused when it is none."""
    if not 4 <= len(text) <= 100_000:
        bound = "less than or equal to 100000" if len(text) > 4 else "greater than or equal to 4"
        raise SamlRefused(
            "ValidationError",
            f"1 validation error detected: Value at 'sAMLAssertion' failed to satisfy constraint: Member must have length {bound}",
        )
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
        root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (binascii.Error, ValueError, etree.XMLSyntaxError):
        raise invalid("Invalid base64 SAMLResponse") from None
    if root.tag != SAMLP + "Response" or _has_doctype(root):
        raise invalid("Invalid base64 SAMLResponse")
    return root


def _has_doctype(root: Any) -> bool:
    return bool(root.getroottree().docinfo.doctype)


def claimed_issuer(root: Any) -> str:
    """The issuer that the response names, to choose the keys by."""
    return (root.findtext(f"{SAML}Assertion/{SAML}Issuer") or root.findtext(f"{SAML}Issuer") or "").strip()


def require_one(root: Any, *, encrypted_only: bool) -> None:
    """Raise SamlRefused unless the response holds one assertion with a signature of its own.

    A recording of AWS: a response of which only the Response element is signed is refused; the text is AWS's. A provider whose
    AssertionEncryptionMode is Required takes no plain assertion, and says so as of any response that it cannot read.
    """
    if encrypted_only or root.find(f"{SAML}EncryptedAssertion") is not None:  # nobody here holds a key that decrypts
        raise invalid("Invalid base64 SAMLResponse")
    assertions = root.findall(f"{SAML}Assertion")
    if len(assertions) != 1 or assertions[0].find(DS + "Signature") is None:
        raise invalid("Response (with optional signature) must contain an assertion with a mandatory signature")


def verified(root: Any, certificates: tuple[Certificate, ...]) -> Assertion:
    """What one of the certificates has signed; raises SamlRefused when none has, or when the Response has a broken signature besides."""
    locations = [f"./{SAML}Assertion/", *(["./"] if root.find(DS + "Signature") is not None else [])]
    for certificate in certificates:
        signed = [_signed(root, certificate, location) for location in locations]
        if None not in signed:
            return _read(signed[0])
    raise invalid("Response signature invalid")


def _signed(root: Any, certificate: Certificate, location: str) -> Any | None:
    # A recording of AWS: it does not mind a certificate that has expired.
    config = SignatureConfiguration(location=location, verification_time=certificate.not_valid_before_utc)
    try:
        result = XMLVerifier().verify(etree.tostring(root), x509_cert=certificate, expect_config=config)
    except (SignXMLException, ValueError):
        return None
    found = result.signed_xml if isinstance(result, VerifyResult) else None
    wanted = SAMLP + "Response" if location == "./" else SAML + "Assertion"
    return found if found is not None and found.tag == wanted else None


def _read(signed: Any) -> Assertion:
    name_id = signed.find(f"{SAML}Subject/{SAML}NameID")
    confirmation = signed.find(f"{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData")
    if name_id is None or not (name_id.text or "").strip():
        raise SamlRefused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML", 403)
    if confirmation is None or not confirmation.get("Recipient") or not confirmation.get("NotOnOrAfter"):
        raise invalid("Responses must contain SubjectConfirmatonData with a Recipient and NotOnOrAfter")
    conditions, statement = signed.find(f"{SAML}Conditions"), signed.find(f"{SAML}AuthnStatement")
    return Assertion(
        issuer=(signed.findtext(f"{SAML}Issuer") or "").strip(),
        issued=_required_time(signed, "IssueInstant"),
        subject=name_id.text.strip(),
        subject_format=name_id.get("Format", ""),
        recipient=confirmation.get("Recipient"),
        confirmed_until=_required_time(confirmation, "NotOnOrAfter"),
        not_before=_time(conditions, "NotBefore"),
        not_after=_time(conditions, "NotOnOrAfter"),
        session_until=_time(statement, "SessionNotOnOrAfter"),
        audiences=tuple((node.text or "").strip() for node in signed.iter(f"{SAML}Audience")),
        attributes=_attributes(signed),
    )


def _attributes(signed: Any) -> dict[str, tuple[str, ...]]:
    return {
        str(node.get("Name")): tuple((value.text or "").strip() for value in node.findall(f"{SAML}AttributeValue"))
        for node in signed.iter(f"{SAML}Attribute")
    }


def _time(node: Any | None, name: str) -> datetime | None:
    text = None if node is None else node.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"Invalid {name} in SAMLResponse") from None


def _required_time(node: Any, name: str) -> datetime:
    found = _time(node, name)
    if found is None:
        raise invalid(f"Missing {name} in SAMLResponse")
    return found
