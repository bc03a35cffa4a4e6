"""SAML responses as Entra ID sends them, signed with the active certificate, and what they are for: can she sign in.

Shape: Microsoft's "SAML token claims reference" and "Single sign-on SAML protocol" (learn.microsoft.com/entra/identity-platform); the
attributes are those of the AWS tutorial (Role, RoleSessionName, SessionDuration under https://aws.amazon.com/SAML/Attributes).
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from lxml import etree
from lxml.builder import ElementMaker
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from awsfed_lib.sandbox.amazon.assertion import SAML, SAMLP, SamlRefused
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.emission import Claims, attributes, name_id, policy_of
from awsfed_lib.sandbox.entra import inheritance
from awsfed_lib.sandbox.switches import Signs

ASSERTION = ElementMaker(namespace=SAML[1:-1], nsmap={None: SAML[1:-1]})
PROTOCOL = ElementMaker(namespace=SAMLP[1:-1], nsmap={"samlp": SAMLP[1:-1]})


class Directory(Protocol):
    """What is needed of the tenant (`store.Tenant` has it)."""

    @property
    def id(self) -> str:
        """The tenant's id."""

    @property
    def domain(self) -> str:
        """The tenant's verified domain."""

    @property
    def entity_id(self) -> str:
        """Who issues the responses."""

    @property
    def tables(self) -> Mapping[str, Mapping[str, Any]]:
        """Objects by collection and id; asked for `users`, `applications`, `policies`, `portalClaims` and `claimsMappingPolicies`."""

    @property
    def now_view(self) -> Any:
        """The directory as it is."""

    def principal(self, app_id: str) -> Mapping[str, Any]:
        """The application's service principal."""

    def role_values(self, user_id: str, app_id: str) -> list[str]:
        """The values of the Role claim."""

    def signing_key(self, app_id: str) -> tuple[RSAPrivateKey, x509.Certificate]:
        """The key that signs now."""


class SignInRefused(Exception):
    """Entra ID does not send a response at all: `code` is its AADSTS number."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Delivery:
    """Where a response goes (the AWS sign-in endpoint), what SessionDuration it asks for (seconds), and when it is issued."""

    recipient: str
    session_duration: int
    now: datetime


def response(  # noqa: PLR0913  the contract of the sandbox
    tenant: Directory,
    app_id: str,
    user_id: str,
    *,
    recipient: str = "",
    session_duration: int = 3600,
    now: datetime,
    signs: Signs = "assertion",
) -> str:
    """Return the SAMLResponse (base64) that the user's browser would carry to `recipient`, the application's first reply URL where none is said.

    `signs`: the signing option of the application (entra-docs certificate-signing-options); AWS wants the assertion signed.
    Raises SignInRefused when Entra ID would not send one, and KeyError for an unknown application.
    """
    said = claims(tenant, app_id, user_id)
    urls = principal_of(tenant, app_id)["replyUrls"]
    if not urls and not recipient:
        raise SignInRefused("AADSTS500113", "No reply address is registered for the application.")
    key, certificate = tenant.signing_key(app_id)
    if said.policy is not None:
        _refuse_mapped(tenant, said, tenant.principal(app_id), holds=_own(tenant.principal(app_id), certificate, now))
    made = assertion(said, Delivery(recipient or urls[0], session_duration, now))
    whole = wrapped(made if signs == "response" else signed(made, key, certificate))
    return _text(whole if signs == "assertion" else signed(whole, key, certificate))


def principal_of(tenant: Directory, app_id: str) -> Mapping[str, Any]:
    """The service principal as Graph shows it: reply URLs and identifiers are those of the application object."""
    return inheritance.shown(tenant.now_view, dict(tenant.principal(app_id)))


def _own(principal: Mapping[str, Any], certificate: x509.Certificate, now: datetime) -> bool:
    """Whether the application has a signing certificate of its own, and that one is valid."""
    return bool(principal.get("keyCredentials")) and certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _refuse_mapped(tenant: Directory, said: Claims, principal: Mapping[str, Any], *, holds: bool) -> None:
    """Mapped claims need a key of the application's own, or acceptMappedClaims and an audience that the tenant answers for.

    Source: entra-docs jwt-claims-customization ("Validate token signing key", AADSTS50146) and reference-error-codes (AADSTS501461).
    """
    if holds:
        return
    application: Mapping[str, Any] = next(
        (one for one in tenant.tables.get("applications", {}).values() if one["appId"] == principal["appId"]), {}
    )
    if not (application.get("api") or {}).get("acceptMappedClaims"):
        raise SignInRefused(
            "AADSTS50146",
            "This application is required to be configured with an application-specific signing key. It is either not configured with one, "
            "or the key has expired or is not yet valid.",
        )
    if tenant.domain.lower() not in said.audience.lower() and str(principal["appId"]).lower() not in said.audience.lower():
        raise SignInRefused(
            "AADSTS501461",
            "AcceptMappedClaims is only supported for a token audience matching the application GUID or an audience within the tenant's "
            "verified domains.",
        )


def claims(tenant: Directory, app_id: str, user_id: str) -> Claims:
    """Look up what is said of that user; raises SignInRefused for one who is unknown, disabled, or not assigned to the application."""
    user, principal = tenant.tables["users"].get(user_id), principal_of(tenant, app_id)
    if user is None:
        raise SignInRefused("AADSTS50034", f"The user account {user_id} does not exist in the directory {tenant.id}.")
    if not user.get("accountEnabled", True):
        raise SignInRefused("AADSTS50057", "The user account is disabled.")
    app = f"'{principal['appId']}' ({principal['displayName']})"
    if not principal.get("accountEnabled", True):
        raise SignInRefused("AADSTS7000112", f"Application {app} is disabled.")
    if principal.get("preferredSingleSignOnMode") != "saml":  # the code is inferred: the reference has none for a missing mode
        raise SignInRefused("AADSTS650056", f"Misconfigured application: {app} is not configured for SAML.")
    roles = tuple(tenant.role_values(user_id, app_id))
    if not roles and principal.get("appRoleAssignmentRequired"):
        raise SignInRefused(
            "AADSTS50105", f"The signed in user {user['userPrincipalName']} is not assigned to a role for the application {app}."
        )
    return Claims(tenant.id, user, audience(principal), roles, policy_of(tenant.tables, principal["id"]), _issuer(tenant, principal))


def _issuer(tenant: Directory, principal: Mapping[str, Any]) -> str:
    """The tenant, with the application behind it where the portal's claims say so and no claims mapping policy takes their place.

    Source: learn.microsoft.com graph/api/resources/customclaimspolicy, includeApplicationIdInIssuer; how it is written is inferred. AWS
    refuses such a response: the metadata of the provider names the tenant alone.
    """
    said = tenant.tables.get("portalClaims", {}).get(principal["id"])
    mapped = tenant.tables.get("policies", {}).get(principal["id"])
    appended = said is not None and not mapped and said.get("includeApplicationIdInIssuer")
    return f"{tenant.entity_id}{principal['appId']}" if appended else tenant.entity_id


def audience(principal: Mapping[str, Any]) -> str:
    """The identifier URI without its `#…`; Entra ID cuts that off (Microsoft's AWS tutorial, several instances)."""
    uris = [name for name in principal.get("servicePrincipalNames", ()) if name != principal.get("appId")]
    return str(uris[0]).partition("#")[0] if uris else f"spn:{principal.get('appId')}"


def assertion(said: Claims, delivery: Delivery) -> etree._Element:
    """Write the unsigned assertion: valid from five minutes ago for an hour."""
    now, start, end = (_instant(delivery.now + timedelta(minutes=minutes)) for minutes in (0, -5, 60))
    named = ASSERTION.NameID(name_id(said), Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
    data = ASSERTION.SubjectConfirmationData(NotOnOrAfter=end, Recipient=delivery.recipient)
    confirmation = ASSERTION.SubjectConfirmation(data, Method="urn:oasis:names:tc:SAML:2.0:cm:bearer")
    restriction = ASSERTION.AudienceRestriction(ASSERTION.Audience(said.audience))
    context = ASSERTION.AuthnContext(ASSERTION.AuthnContextClassRef("urn:oasis:names:tc:SAML:2.0:ac:classes:Password"))
    identifier = f"_{uuid.uuid4()}"
    whole: etree._Element = ASSERTION.Assertion(
        ASSERTION.Issuer(said.issuer),
        ASSERTION.Subject(named, confirmation),
        ASSERTION.Conditions(restriction, NotBefore=start, NotOnOrAfter=end),
        _statement(said, delivery.session_duration),
        ASSERTION.AuthnStatement(context, AuthnInstant=now, SessionIndex=identifier),
        ID=identifier,
        IssueInstant=now,
        Version="2.0",
    )
    return whole


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _statement(said: Claims, session_duration: int) -> etree._Element:
    made = [
        ASSERTION.Attribute(*(ASSERTION.AttributeValue(value) for value in values), Name=name)
        for name, values in attributes(said, session_duration)
    ]
    statement: etree._Element = ASSERTION.AttributeStatement(*made)
    return statement


def signed(unsigned: etree._Element, key: RSAPrivateKey, certificate: x509.Certificate) -> etree._Element:
    """The assertion, or the whole response, with an enveloped signature after its Issuer: RSA-SHA256, exclusive canonicalization."""
    place = etree.Element(
        "{http://www.w3.org/2000/09/xmldsig#}Signature", Id="placeholder", nsmap={"ds": "http://www.w3.org/2000/09/xmldsig#"}
    )
    unsigned.insert(1, place)
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    made: etree._Element = signer.sign(unsigned, key=key, cert=[certificate], reference_uri=unsigned.get("ID"))
    return made


def encode(one: etree._Element) -> str:
    """The assertion in a successful response, in base64."""
    return _text(wrapped(one))


def _text(whole: etree._Element) -> str:
    return base64.b64encode(etree.tostring(whole)).decode()


def wrapped(one: etree._Element) -> etree._Element:
    """The assertion in a successful response."""
    confirmation = one.find(f"{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData")
    whole: etree._Element = PROTOCOL.Response(
        ASSERTION.Issuer(one.findtext(f"{SAML}Issuer") or ""),
        PROTOCOL.Status(PROTOCOL.StatusCode(Value="urn:oasis:names:tc:SAML:2.0:status:Success")),
        one,
        ID=f"_{uuid.uuid4()}",
        Version="2.0",
        IssueInstant=one.get("IssueInstant"),
        Destination="" if confirmation is None else confirmation.get("Recipient", ""),
    )
    return whole


def can_sign_in(  # noqa: PLR0913  the contract of the sandbox
    tenant: Directory, org: Org, user_id: str, app_id: str, role_arn: str, *, signs: Signs = "assertion"
) -> tuple[bool, str]:
    """Whether this user could sign in to that role at this moment, and if not, why: the words of Entra ID or of AWS.

    A real response is signed and judged as AssumeRoleWithSAML would, but nothing changes: no credentials, no last use.
    """
    try:
        text = response(tenant, app_id, user_id, now=org.clock(), signs=signs)
        provider_arn = _provider_of(tenant.role_values(user_id, app_id), role_arn)
        org.check(text, role_arn, provider_arn)
    except (SignInRefused, SamlRefused) as refused:
        return False, f"{refused.code}: {refused.message}"
    return True, ""


def _provider_of(values: Sequence[str], role_arn: str) -> str:
    for value in values:
        parts = [part.strip() for part in value.split(",")]
        if role_arn in parts and len(parts) == 2:
            return next(part for part in parts if part != role_arn)
    raise SamlRefused("InvalidIdentityToken", "SAML Assertion doesn't contain the requested Role and Metadata in the attributes")
