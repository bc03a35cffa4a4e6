import base64
import json
import pickle
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from made import MSIAM, account, accounts, arn, assignment, assignments, group, groups, live, member, members, provider, role, roles, wire
from saml_made import ENTITY, NOW, certificate, key
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner
from signxml.algorithms import CanonicalizationMethod

from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.review.links import Link
from awsfed_lib.core.saml import signin
from awsfed_lib.core.saml.claims import effective
from awsfed_lib.core.saml.pasted_response import normalised
from awsfed_lib.core.saml.saml_attributes import NAMESPACE, PRINCIPAL_TAG, ROLE, SESSION_DURATION, SESSION_NAME, SOURCE_IDENTITY
from awsfed_lib.core.saml.saml_response import open_response
from awsfed_lib.core.saml.signer import roles_of
from awsfed_lib.core.saml.signin import Expected, Keys
from awsfed_lib.core.saml.signin_findings import findings
from awsfed_lib.core.saml.troubles import explain, table
from awsfed_lib.core.shapes import CLAIMS, SESSIONS
from awsfed_lib.core.tables import PROVIDERS, frame

ONE = certificate()
OTHER = certificate("CN=other", private=key(1), serial=6)
A, B = "000000000001", "000000000002"
SAML_URL = "https://signin.aws.amazon.com/saml"
ADMIN = f"arn:aws:iam::{A}:role/Admin,arn:aws:iam::{A}:saml-provider/WAAD"
AUDIT = f"arn:aws:iam::{A}:role/Audit,arn:aws:iam::{A}:saml-provider/WAAD"
SECRETS = ("name-id-CANARY@x.example", "display-CANARY", "mail-CANARY@x.example", "_assertion-CANARY")
EXPECTED = Expected(
    ENTITY, (SAML_URL,), frozenset((SAML_URL, "urn:amazon:webservices")), (ONE,), (ONE.thumbprint,), (ADMIN, AUDIT), "ben@contoso.example"
)


# --- responses -----------------------------------------------------------------------------------------------------------


def instant(minutes=0):
    return (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.123Z")


def attribute(name, *values, namespace="https://aws.amazon.com/SAML/Attributes/"):
    return f'<Attribute Name="{namespace}{name}">{"".join(f"<AttributeValue>{value}</AttributeValue>" for value in values)}</Attribute>'


def assertion(
    *, issuer=ENTITY, audience=SAML_URL, recipient=SAML_URL, name="ben@contoso.example", duration=("3600",), values=(ADMIN, AUDIT), **more
):
    start, end = more.get("times", (instant(-5), instant(60)))
    named = more.get("name_id", f"<NameID>{SECRETS[0]}</NameID>")
    names = () if name is None else (name,)
    return (
        f'<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="{more.get("id", SECRETS[3])}" IssueInstant="{instant()}" Version="2.0"><Issuer>{issuer}</Issuer>'
        f'<Subject>{named}<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{recipient}"/>'
        f'</SubjectConfirmation></Subject><Conditions NotBefore="{start}" NotOnOrAfter="{end}"><AudienceRestriction><Audience>{audience}</Audience></AudienceRestriction></Conditions>'
        f"<AttributeStatement>{attribute('displayname', SECRETS[1], namespace='http://schemas.microsoft.com/identity/claims/')}"
        f"{attribute('emailaddress', SECRETS[2], namespace='http://schemas.xmlsoap.org/ws/2005/05/identity/claims/')}"
        f"{attribute('RoleSessionName', *names)}{attribute('SessionDuration', *duration)}{attribute('Role', *values)}</AttributeStatement></Assertion>"
    )


class Signer(XMLSigner):
    def check_deprecated_methods(self):
        """Let SHA-1 through: that it is refused on reading is the point."""


def signed(text, private=None, cert=None, **how):
    signer = Signer(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0, **how)
    node = etree.fromstring(text)
    place = etree.Element("{http://www.w3.org/2000/09/xmldsig#}Signature", Id="placeholder")
    node.insert(1, place)
    made = signer.sign(node, key=private or key(), cert=[x509.load_der_x509_certificate((cert or ONE).der)], reference_uri=node.get("ID"))
    return etree.tostring(made).decode()


def wrapped(*inner, status="Success"):
    return (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_response" Version="2.0"><samlp:Status>'
        f'<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>{"".join(inner)}</samlp:Response>'
    )


def encoded(text):
    return base64.b64encode(text.encode()).decode()


GOOD = encoded(wrapped(signed(assertion())))


def judged(saml, expected=EXPECTED, now=NOW):
    checked = signin.response(saml, expected, now)
    return {row["check"]: row["verdict"] for row in checked.rows}


def failed(saml, expected=EXPECTED, now=NOW):
    return [name for name, verdict in judged(saml, expected, now).items() if verdict == "failed"]


def of(private=None, cert=None, **how):
    return encoded(wrapped(signed(assertion(**how), private, cert)))


def test_a_good_response_passes_every_check():
    assert set(judged(GOOD).values()) == {"passed"}
    checked = signin.response(GOOD, EXPECTED, NOW)
    assert checked.works
    assert list(checked.roles["verdict"]) == ["as expected"] * 2
    assert checked.proof.thumbprint == ONE.thumbprint
    assert checked.proof.at.replace(microsecond=0) == NOW


def test_a_response_whose_assertion_is_not_signed_is_refused():
    """Entra's signing option "Sign SAML response" (entra certificate-signing-options): AWS was recorded to require the assertion's."""
    checked = signin.response(encoded(signed(wrapped(assertion()))), EXPECTED, NOW)
    (row,) = [row for row in checked.rows if row["check"] == "signature"]
    assert (row["seen"], row["verdict"]) == ("of the response only", "failed")
    assert "Sign SAML response and assertion" in row["remedy"]
    assert checked.proof is None


def test_a_response_with_both_signatures_passes_unless_one_is_broken():
    both = signed(wrapped(signed(assertion())))
    assert failed(encoded(both)) == []
    assert "signature" in failed(encoded(both.replace('Version="2.0"><', 'Version="2.0" Destination="x"><', 1)))


def _har(text):
    post = {"mimeType": "application/x-www-form-urlencoded", "text": f"RelayState=&SAMLResponse={quote(text, safe='')}"}
    post["params"] = [{"name": "RelayState", "value": ""}, {"name": "SAMLResponse", "value": quote(text, safe="")}]
    return json.dumps({"log": {"version": "1.2", "entries": [{"request": {"url": SAML_URL, "postData": post}}]}})


LINES = "\n".join(re.findall(".{1,76}", GOOD))
FORMS = {
    "value": GOOD,
    "wrapped into lines": f" {LINES}\r\n",
    "form body": f"SAMLResponse={quote(GOOD, safe='')}",
    "form body, not encoded": f"SAMLResponse={GOOD}&RelayState=",
    "RelayState first": f"RelayState=https%3A%2F%2Fx&SAMLResponse={quote(GOOD, safe='')}",
    "lines of headers": f"RelayState: https://console.aws.amazon.com/\nSAMLResponse: {GOOD}\nContent-Length: 9",
    "lines of headers, RelayState last": f"SAMLResponse: {LINES}\nRelayState: ",
    "curl": f"curl '{SAML_URL}' --data-raw 'SAMLResponse={quote(GOOD, safe='')}&RelayState='",
    "HTML form": f'<html><form><input type="hidden" name="SAMLResponse" value="{GOOD}"/></form></html>',
    "HAR": _har(GOOD),
    "JSON": json.dumps({"saml_response": GOOD}),
    "decoded XML": base64.b64decode(GOOD).decode(),
    "base64url": GOOD.replace("+", "-").replace("/", "_").rstrip("="),
    "byte order mark": f"\ufeff{GOOD}",
    "quotes": f'"{GOOD}"',
    "typographic quotes": f"\u201c{GOOD}\u201d",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_that_people_have_is_taken_and_is_one_to_aws(form):
    assert normalised(form) == GOOD
    assert failed(form) == []


@pytest.mark.parametrize(
    ("saml", "reason"),
    [
        ("", "not-xml"),
        ("%%%", "not-base64"),
        ("<samlp:Response/>", "not-xml"),
        ('{"log": {"entries": []}}', "no-response"),
        ('{"log": ', "not-json"),
        ("SAMLRequest=fZJNT%2B", "saml-request"),
        (json.dumps([{"SAMLResponse": GOOD}, {"SAMLResponse": encoded("<b/>")}]), "several-responses"),
        (encoded("hello"), "not-xml"),
        (encoded("<a/>"), "not-a-response"),
        (encoded(assertion()), "not-a-response"),
        (encoded("<!DOCTYPE x><x/>"), "dtd"),
        (encoded('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'), "dtd"),
        (encoded('<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'), "dtd"),
        (base64.b64encode(wrapped(assertion()).encode("utf-16")).decode(), "not-xml"),
        (encoded(wrapped()), "no-assertion"),
        (encoded(wrapped('<EncryptedAssertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>')), "encrypted"),
        (encoded(wrapped(assertion(), assertion(id="_b"))), "several-assertions"),
        ("A" * 400_004, "too-long"),
        (GOOD[:-400], "not-xml"),
    ],
)
def test_what_cannot_be_opened_is_one_failed_check(saml, reason):
    with pytest.raises(DocumentError) as caught:
        open_response(saml, (ONE,))
    assert caught.value.reason == reason
    checked = signin.response(saml, EXPECTED, NOW)
    assert [(row["check"], row["verdict"], row["seen"]) for row in checked.rows] == [("readable", "failed", reason)]
    assert checked.proof is None


def test_a_refusal_of_entra_shows_its_status_only():
    text = encoded(wrapped(status="Requester"))
    assert failed(text) == ["status", "signature", "certificate"]


@pytest.mark.parametrize(
    ("how", "check"),
    [
        ({"issuer": ENTITY.replace("11111111", "21111111")}, ["issuer"]),
        ({"recipient": "https://eu-west-1.signin.aws.amazon.com/saml"}, ["recipient"]),
        ({"audience": "https://signin.aws.amazon.com/saml#1"}, ["audience"]),
        ({"times": (instant(1), instant(60))}, ["times"]),
        ({"times": ("yesterday", instant(60))}, ["times"]),
        ({"name_id": ""}, ["name id"]),
        ({"name": None}, ["session name"]),
        ({"name": "a#EXT#@b"}, ["session name"]),
        ({"name": "eve@contoso.example"}, ["session name"]),
        ({"duration": ("899",)}, ["session duration"]),
        ({"duration": ("3600", "7200")}, ["session duration"]),
        ({"values": ()}, ["roles", "roles expected"]),
        ({"values": (ADMIN,)}, ["roles expected"]),
        ({"values": (ADMIN, AUDIT, AUDIT.replace("Audit", "Other"))}, ["roles expected"]),
        ({"values": (ADMIN, AUDIT.replace("Audit", "audit"))}, ["roles expected"]),
        ({"values": (ADMIN, AUDIT, "msiam_access")}, ["roles expected"]),
    ],
)
def test_each_thing_that_aws_looks_at(how, check):
    """IAM id_roles_providers_create_saml_assertions; SAML:aud is compared with the Recipient (reference_policies_iam-condition-keys)."""
    assert failed(of(**how)) == check


def test_a_misnamed_role_attribute_is_named_and_sends_to_the_claims():
    text = assertion().replace('Attributes/Role"', 'Attributes/Roles"')
    (row,) = [row for row in signin.response(encoded(wrapped(signed(text))), EXPECTED, NOW).rows if row["check"] == "roles"]
    assert row["verdict"] == "failed"
    assert f"{NAMESPACE}/Roles" in row["remedy"]
    assert "01-application" in row["remedy"]


def test_no_duration_is_one_hour():
    assert failed(of(duration=())) == []


def test_a_response_that_has_ended_since_is_no_failure():
    """Nobody copies it within its minutes; that it is over is as well."""
    checked = signin.response(GOOD, EXPECTED, NOW + timedelta(days=1))
    assert checked.works
    assert "ended since" in checked.table.set_index("check")["seen"]["times"]


def test_a_response_from_the_future_is_a_clock():
    assert failed(GOOD, now=NOW - timedelta(hours=1)) == ["times"]


def test_too_many_roles_for_a_response():
    many = tuple(f"arn:aws:iam::{A}:role/R{n:04d}-{'x' * 40},arn:aws:iam::{A}:saml-provider/WAAD" for n in range(500))
    assert "size" in failed(of(values=many))


def test_expected_roles_are_not_judged_when_unknown():
    open_ended = Expected(ENTITY, (SAML_URL,), EXPECTED.audiences, (ONE,), (ONE.thumbprint,))
    assert judged(GOOD, open_ended)["roles expected"] == "not checked"


# --- the signature -------------------------------------------------------------------------------------------------------


def test_trap_a_certificate_that_is_not_the_applications():
    """ "Response signature invalid" in AWS: the signature is right, and nobody knows its certificate."""
    saml = of(key(1), OTHER)
    assert failed(saml) == ["certificate"]
    assert signin.response(saml, EXPECTED, NOW).proof is None


def test_an_old_certificate_of_the_application_is_no_proof_for_the_new_one():
    both = Expected(ENTITY, (SAML_URL,), EXPECTED.audiences, (OTHER, ONE), (OTHER.thumbprint,), (ADMIN, AUDIT))
    checked = signin.response(GOOD, both, NOW)
    assert [row["check"] for row in checked.rows if row["verdict"] == "failed"] == ["certificate"]
    assert checked.proof.thumbprint == ONE.thumbprint


def test_an_unsigned_response():
    assert failed(encoded(wrapped(assertion()))) == ["signature", "certificate"]


@pytest.mark.parametrize("change", [("Admin", "Owner"), ("ben@", "eve@"), ("3600", "7200"), (SAML_URL, SAML_URL + "x")])
def test_a_changed_response_is_invalid(change):
    text = wrapped(signed(assertion())).replace(*change)
    assert "signature" in failed(encoded(text))
    assert signin.response(encoded(text), EXPECTED, NOW).proof is None


def test_sha1_is_named():
    text = wrapped(signed(assertion(), signature_algorithm=SignatureMethod.RSA_SHA1, digest_algorithm=DigestAlgorithm.SHA1))
    checked = signin.response(encoded(text), EXPECTED, NOW)
    (row,) = [row for row in checked.rows if row["check"] == "signature"]
    assert (row["seen"], row["verdict"]) == ("sha1", "failed")


def test_an_expired_certificate_still_verifies_and_its_days_are_not_the_question():
    expired = certificate("CN=expired", NOW - timedelta(days=900), 100, serial=44)
    saml = of(cert=expired)
    assert failed(saml, Expected(ENTITY, (SAML_URL,), EXPECTED.audiences, (expired,), (expired.thumbprint,), (ADMIN, AUDIT))) == []


def instead(text, old, new):
    assert old in text, f"the attack is out of step with the document: {old}"
    return text.replace(old, new, 1)


EVIL = assertion(
    values=("arn:aws:iam::000000000009:role/Evil,arn:aws:iam::000000000009:saml-provider/WAAD",), id="_evil", name="eve@contoso.example"
)
SIGNED = signed(assertion())


@pytest.mark.parametrize(
    "text",
    [
        wrapped(instead(EVIL, "</Assertion>", f"{SIGNED}</Assertion>")),
        wrapped(instead(EVIL, "<Subject>", f"<Advice>{SIGNED}</Advice><Subject>")),
        wrapped(f"<samlp:Extensions>{SIGNED}</samlp:Extensions>", EVIL),
        wrapped(f"<samlp:Extensions>{EVIL}</samlp:Extensions>", SIGNED),
        wrapped(EVIL, f'<Object xmlns="x">{SIGNED}</Object>'),
        wrapped(instead(EVIL, "_evil", SECRETS[3]), f"<x>{SIGNED}</x>"),
        wrapped(instead(SIGNED, "</ns0:Signature>", f"<ns0:Object>{EVIL}</ns0:Object></ns0:Signature>")),
        wrapped(instead(SIGNED, "ben@contoso", "<!-- -->eve@contoso")),
    ],
    ids=range(8),
)
def test_trap_wrapped_assertions_are_never_believed(text):
    """usenix.org usenixsecurity12, Somorovsky et al.; CVE-2024-45409, CVE-2025-25291: what was not signed is not read as signed."""
    checked = signin.response(encoded(text), EXPECTED, NOW)
    if checked.proof:
        assert "eve" not in str(checked.rows)
        assert "000000000009" not in str(checked.role_rows)
    else:
        assert not checked.works


def test_trap_a_comment_inside_a_value_cuts_nothing():
    """CVE-2017-11428: `ben@contoso.example<!---->.evil` was signed as one text, and is read as one."""
    text = signed(assertion(name="ben@contoso.example<!---->.evil"))
    checked = signin.response(encoded(wrapped(text)), EXPECTED, NOW)
    seen = checked.table.set_index("check")["seen"]["session name"]
    assert seen == "ben@contoso.example.evil"


# --- nothing stays -------------------------------------------------------------------------------------------------------


def test_nothing_of_the_assertion_stays():
    checked = signin.response(GOOD, EXPECTED, NOW)
    kept = str(pickle.loads(pickle.dumps(checked)).__dict__) + checked.table.to_json() + checked.roles.to_json() + repr(checked)
    raw = base64.b64decode(GOOD).decode()
    signature = re.search(r"<ns0:SignatureValue>(.*?)</ns0:SignatureValue>", raw, re.DOTALL)[1]
    digest = re.search(r"<\w+:DigestValue>(.*?)</\w+:DigestValue>", raw)[1]
    for secret in (*SECRETS, signature, signature[:30], digest, GOOD[:60], "<Assertion", "SignatureValue"):
        assert secret not in kept


@pytest.mark.parametrize("cut", [10, 500, 3000])
def test_a_refusal_repeats_nothing(cut):
    with pytest.raises(DocumentError) as caught:
        open_response(GOOD[:-cut] + "!", (ONE,))
    assert GOOD[:40] not in str(caught.value)
    assert caught.value.__cause__ is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.characters(codec="utf-8"))
def test_one_changed_character_never_crashes_and_never_passes_for_signed(at, character):
    text = wrapped(SIGNED)
    at %= len(text)
    changed = text[:at] + character + text[at + 1 :]
    checked = signin.response(encoded(changed), EXPECTED, NOW)
    if checked.proof:
        assert [row for row in checked.role_rows if row["verdict"] != "as expected"] == []


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_no_text_is_a_crash(text):
    assert not signin.response(text, EXPECTED, NOW).works


# --- the chain -----------------------------------------------------------------------------------------------------------

ROLE_ID = wire(A, "Admin")["id"]
KEYS = [{"account_id": A, "provider_arn": provider(A), "provider_name": "WAAD", "entity_id": ENTITY, "thumbprints": ONE.thumbprint}]


def keys_of(**fields):
    return frame(PROVIDERS, [KEYS[0] | fields])


def chain(**broken):
    """Follow one group with one member, one appRole and one role, all in order; `broken` replaces parts."""
    parts = {
        "app_roles": live(wire(A, "Admin")),
        "assignments": assignments(assignment(ROLE_ID, "Admins")),
        "members": members(member("Admins", "ben")),
        "groups": groups(group("Admins")),
        "roles": roles(role(A, "Admin", max_session=3600)),
        "accounts": accounts(A, B),
    }
    evidence = Evidence(**{name: broken.get(name, table) for name, table in parts.items()})
    read = broken.get("accounts_of_providers", accounts(A, B))
    signs, sent, links = broken.get("signs", (ONE.thumbprint,)), broken.get("claims", effective((), None)), broken.get("everybody", ())
    return signin.proof(evidence, Keys(read, broken.get("providers", keys_of()), signs, ENTITY, sent, links))


def sending(*entries):
    """CLAIMS of a policy with these entries, (claim, source, attribute or constant), beside roles and user name."""
    own = {claim: (claim, "user", attribute) for claim, attribute in ((ROLE, "assignedroles"), (SESSION_NAME, "userprincipalname"))}
    own |= {claim: (claim, source, what) for claim, source, what in entries}
    listed = (
        {"claim": claim, "source": source, "value" if source == "constant" else "attribute": what} for claim, source, what in own.values()
    )
    return frame(CLAIMS, [row for row in listed if row["source"] != "not sent"])


WITHOUT_NUMBER = members(member("Admins", "ben")).assign(attributes='{"employeeid": null}')
TAGS = sending((f"{PRINCIPAL_TAG}Team", "constant", "cloud"))


def test_a_chain_that_holds():
    (row,) = chain().to_dict("records")
    assert (row["verdict"], row["link"], row["cause"], row["remedy"]) == ("works", "", "", "")
    assert (row["account_id"], row["principal"], row["role_arn"]) == (A, "Admins", arn(A, "Admin"))


@pytest.mark.parametrize(
    ("broken", "verdict", "link"),
    [
        ({"everybody": (Link("application", "broken", "It is disabled.", "Enable it."),)}, "broken", "application"),
        ({"everybody": (Link("claims", "unknown", "They were not read.", "Read them."),)}, "unknown", "claims"),
        ({"claims": sending((ROLE, "not sent", ""))}, "broken", "claims"),
        ({"claims": sending((ROLE, "not sent", ""), (f"{NAMESPACE}/role", "user", "assignedroles"))}, "broken", "claims"),
        ({"claims": sending((ROLE, "constant", ADMIN))}, "unknown", "claims"),
        ({"claims": sending((SESSION_NAME, "not sent", ""))}, "broken", "claims"),
        ({"claims": sending((SESSION_NAME, "user", "displayname"))}, "works", ""),
        ({"claims": sending((SESSION_NAME, "user", "employeeid"))}, "unknown", "claims"),
        ({"claims": sending((SESSION_NAME, "user", "employeeid")), "members": WITHOUT_NUMBER}, "broken", "claims"),
        ({"claims": sending((SESSION_NAME, "transformation", "Join"))}, "unknown", "claims"),
        ({"claims": sending((SESSION_DURATION, "constant", "60"))}, "broken", "claims"),
        ({"claims": sending((f"{PRINCIPAL_TAG}aws:Team", "constant", "cloud"))}, "broken", "claims"),
        ({"claims": sending((SOURCE_IDENTITY, "constant", "aws:me"))}, "broken", "claims"),
        ({"claims": sending((f"{NAMESPACE}/TransitiveTagKeys", "constant", "Team"))}, "broken", "claims"),
        ({"members": members()}, "broken", "members"),
        ({"members": members(member("Admins", "ben", enabled=False))}, "broken", "members"),
        ({"members": members(member("Admins", "Inner", "Group"), member("Inner", "ben"))}, "broken", "members"),
        ({"groups": groups()}, "unknown", "group"),
        ({"assignments": assignments(assignment(ROLE_ID, "robot", "ServicePrincipal"))}, "broken", "members"),
        ({"assignments": assignments(assignment("gone", "Admins"))}, "broken", "appRole"),
        ({"app_roles": live(wire(A, "Admin", value="arn:aws:iam::1:role/x"))}, "broken", "value"),
        ({"accounts": accounts(B)}, "unknown", "account"),
        ({"accounts": accounts(account(A, "AccessDenied"))}, "unknown", "account"),
        ({"accounts": accounts(account(A, state="SUSPENDED"))}, "unknown", "account"),
        ({"accounts_of_providers": accounts(account(A, "AccessDenied"))}, "unknown", "account"),
        ({"accounts_of_providers": accounts(B)}, "unknown", "account"),
        ({"roles": roles()}, "broken", "role"),
        ({"roles": roles(role(A, "admin"))}, "broken", "role"),
        ({"providers": frame(PROVIDERS, [])}, "broken", "provider"),
        ({"providers": keys_of(entity_id="")}, "unknown", "certificate"),
        ({"providers": keys_of(entity_id="https://sts.windows.net/other/")}, "broken", "certificate"),
        ({"providers": keys_of(thumbprints=OTHER.thumbprint)}, "broken", "certificate"),
        ({"providers": keys_of().assign(encryption="Required")}, "broken", "encryption"),
        ({"signs": ()}, "broken", "certificate"),
        ({"signs": (ONE.thumbprint, OTHER.thumbprint)}, "broken", "certificate"),
        ({"roles": roles(role(A, "Admin", verdict="skipped", reason="no SAML:aud"))}, "broken", "trust"),
        ({"roles": roles(role(A, "Admin", of="Okta"))}, "broken", "trust"),
        ({"roles": roles(role(A, "Admin", verdict="conditional", reason="only from the office"))}, "conditional", "trust"),
        ({"claims": TAGS, "roles": roles(role(A, "Admin")).assign(tag_session="allowed")}, "works", ""),
        ({"claims": TAGS, "roles": roles(role(A, "Admin")).assign(tag_session="conditional")}, "conditional", "trust"),
        ({"claims": TAGS, "roles": roles(role(A, "Admin")).assign(tag_session="refused")}, "broken", "trust"),
        ({"claims": TAGS}, "unknown", "trust"),
        ({"claims": sending((SESSION_DURATION, "constant", "7200"))}, "console only", "duration"),
    ],
)
def test_the_first_link_that_does_not_hold(broken, verdict, link):
    (row,) = chain(**broken).to_dict("records")
    assert (row["verdict"], row["link"]) == (verdict, link)
    assert bool(row["cause"]) == (verdict != "works")
    assert bool(row["remedy"]) == (verdict != "works")


def test_people_in_nested_groups_are_counted():
    """entra assign-user-or-group-access-portal: nested group memberships aren't supported."""
    table = chain(members=members(member("Admins", "Inner", "Group"), member("Inner", "ben"), member("Inner", "eve")))
    assert list(zip(table.verdict, table.link, table.people, strict=True)) == [
        ("broken", "members", "ben@contoso.example; eve@contoso.example")
    ]


def test_trap_a_disabled_app_role_still_lets_people_in():
    """graph/api/resources/approle: a disabled role is still emitted to those who have it."""
    assert chain(app_roles=live(wire(A, "Admin", isEnabled=False)))["verdict"][0] == "works"


def test_a_direct_assignment_is_a_path():
    assert chain(assignments=assignments(assignment(ROLE_ID, "ben", "User")), groups=groups())["verdict"][0] == "works"


def test_msiam_access_is_no_path():
    assert chain(assignments=assignments(assignment(MSIAM["id"], "Everybody"))).empty


def test_the_proof_is_of_every_person():
    """Whoever lacks what AWS requires is named beside those who get in."""
    team = members(member("Admins", "ben", enabled=False), member("Admins", "eve"), member("Admins", "x"), member("Admins", "o'neill"))
    found = chain(members=team, claims=sending((SESSION_NAME, "user", "displayname")))
    assert list(zip(found.verdict, found.link, found.people, strict=True)) == [
        ("broken", "claims", "o'neill@contoso.example"),
        ("broken", "claims", "x@contoso.example"),
        ("broken", "members", "ben@contoso.example"),
        ("works", "", "eve@contoso.example"),
    ]


def test_an_attribute_that_a_person_lacks_is_told_from_one_that_nobody_may_see():
    team = [member("Admins", "ben"), member("Admins", "eve"), member("Admins", "amy", enabled=None)]
    known = ['{"employeeid": "E1"}', '{"employeeid": null}', '{"employeeid": null}']
    found = chain(members=members(*team).assign(attributes=known), claims=sending((SESSION_NAME, "user", "employeeid")))
    assert {row.people.partition("@")[0]: row.verdict for row in found.itertuples()} == {"ben": "works", "eve": "broken", "amy": "unknown"}


def test_counts_are_worst_first():
    table = chain(assignments=assignments(assignment(ROLE_ID, "Admins"), assignment("gone", "Admins")))
    assert list(signin.counts(table)) == [("broken", 1), ("unknown", 0), ("conditional", 0), ("console only", 0), ("works", 1)]


# --- messages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Your request included an invalid SAML response. To logout, click here.", "Role"),
        ("RoleSessionName is required in AuthnResponse (service: AWSSecurityTokenService; status code: 400)", "not sent"),
        ("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}", "#EXT#"),
        ('Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"', "SourceIdentity"),
        ("Not authorized to perform sts:AssumeRoleWithSAML (service: AWSSecurityTokenService; status code: 403)", "trust policy"),
        ("Response signature invalid (service: AWSSecurityTokenService; error code: InvalidIdentityToken)", "certificate"),
        ("Failed to assume role: Issuer not present in specified provider", "another tenant"),
        ("Specified provider doesn\u2019t exist.", "does not have"),
        ("Could not parse metadata", "byte order mark"),
        ("An error occurred (InvalidInput): Unable to parse metadata", "small key"),
        ("Response does not contain the required audience.", "identifier"),
        ("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "longer session"),
        ("Token must be redeemed within 5 minutes of issuance", "clock"),
        ("Member must have length less than or equal to 100000", "too many roles"),
        ("AADSTS50105: Your administrator has configured the application AWS to block users", "nested"),
        ("aadsts700016: Application with identifier 'https://x' was not found", "identifier"),
    ],
)
def test_messages_are_explained(message, words):
    """IAM troubleshoot_saml; entra reference-error-codes."""
    found = explain(message)
    assert len(found) == 1
    assert words in found["cause"][0]
    assert found["remedy"][0]


@pytest.mark.parametrize("message", ["", "AADSTS7000112", "AADSTS5001", "AADSTS501050", "everything is fine", "x" * 100_000])
def test_other_messages_are_not_guessed(message):
    assert len(explain(message)) == (1 if message == "AADSTS7000112" else 0)


def test_every_known_message_finds_itself():
    for text in table()["text"]:
        assert text in set(explain(f"prefix: {text} (suffix)")["text"]), text


# --- whose response it is, and what is found -------------------------------------------------------------------------------


def evidence_of(*assigned, member_rows=(), app_roles=None):
    named = live(wire(A, "Admin"), wire(A, "Audit", isEnabled=False)) if app_roles is None else app_roles
    return Evidence(named, assignments(*assigned), members(*member_rows), groups(group("Admins")), roles(), accounts(A))


def test_values_of_a_user_are_those_of_direct_groups_and_of_direct_assignments():
    """A disabled appRole is emitted; a nested group gives nothing (entra assign-user-or-group-access-portal)."""
    audit = wire(A, "Audit")["id"]
    rows = (member("Admins", "ben"), member("Admins", "Inner", "Group"), member("Inner", "eve"))
    evidence = evidence_of(assignment(ROLE_ID, "Admins"), assignment(audit, "ben", "User"), member_rows=rows)
    names = {row["member_name"]: row["user_name"].casefold() for row in evidence.people.values()}
    found = roles_of(evidence)
    assert found[names["ben"]] == (ADMIN, AUDIT)
    assert found[names["eve"]] == ()


def test_the_session_name_tells_which_roles_to_expect():
    known = Expected(
        ENTITY, (SAML_URL,), EXPECTED.audiences, (ONE,), (ONE.thumbprint,), roles_of={"ben@contoso.example": (ADMIN,), "eve@x.example": ()}
    )
    assert [row["verdict"] for row in signin.response(of(name="Ben@Contoso.example"), known, NOW).role_rows] == [
        "as expected",
        "unexpected",
    ]
    assert judged(of(name="somebody@else.example"), known)["roles expected"] == "not checked"


def test_user_names_that_aws_refuses_break_the_path_only_where_they_are_sent():
    rows = members(member("Admins", "Maria", user_name="maria#EXT#@contoso.example"))
    evidence = Evidence(live(wire(A, "Admin")), assignments(assignment(ROLE_ID, "Admins")), rows, groups(group("Admins")),
                        roles(role(A, "Admin", max_session=3600)), accounts(A))  # fmt: skip
    keys = Keys(accounts(A), keys_of(), (ONE.thumbprint,), ENTITY, sending((SESSION_NAME, "user", "displayname")))
    assert list(signin.proof(evidence, keys).verdict) == ["works"]
    (row,) = signin.proof(evidence, replace(keys, claims=effective((), None))).to_dict("records")
    assert (row["verdict"], row["link"]) == ("broken", "claims")
    assert "#EXT#" in row["cause"]


def test_findings_say_the_worst_first_and_keep_their_ids():
    paths = chain(members=members())
    checked = signin.response(of(audience="x"), EXPECTED, NOW)
    refused = frame(SESSIONS, [{"account_id": A, "role_arn": arn(A, "Admin"), "verdict": "unknown", "message": "No answer"}])
    found = findings(paths, checked, refused)
    assert list(found.check) == ["response-audience", "sign-in-members", "sign-in-session"]
    assert list(found.severity) == ["high", "high", "medium"]
    assert list(found.finding_id) == list(findings(paths, checked, refused).finding_id)
    assert findings(chain(), signin.response(GOOD, EXPECTED, NOW), frame(SESSIONS, [])).empty
