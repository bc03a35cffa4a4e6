"""SAML responses and their judgement: each way of failing that the IAM User Guide names, with a real signature, and the demo's before and after."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import granting
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from awsfed_lib.sandbox import emission, saml
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.amazon.assertion import ATTRIBUTES, SAML, SamlRefused
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.store import Tenant, Write

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GUIDE = "docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_saml.html"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return world(515)


@pytest.fixture(scope="module")
def tenant(made) -> Tenant:
    return Tenant(made["tenant"], clock=lambda: NOW)


@pytest.fixture(scope="module")
def _org(made, tenant) -> Org:
    return Org(made["org"], tenant.metadata, clock=lambda: NOW)


@pytest.fixture
def org(_org, tenant) -> Org:
    _org.reset()
    yield _org
    tenant.reset()


@pytest.fixture
def grant(made, tenant):
    """Give the demo's group its role, as the runbooks do: an appRole, then an assignment. Britta Simon is a direct member."""

    def give(principal: str = made["demo"]["group"], value: str = made["demo"]["value"], app: str = made["demo"]["application"]) -> None:
        granting.grant(tenant, principal, value, app)

    return give


@pytest.fixture
def britta(made, tenant, org, grant) -> dict[str, Any]:
    """Britta Simon with her role, and what she would show to AWS."""
    grant()
    demo = made["demo"]
    recipient = org.cloud.place.recipient
    text = saml.response(tenant, demo["application"], demo["user"], recipient=recipient, now=NOW)
    return {"saml_response": text, "role_arn": demo["role_arn"], "provider_arn": demo["provider_arn"]}


def refused(org: Org, shown: dict[str, Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(SamlRefused) as caught:
        org.sign_in(**(shown | more))
    return caught.value.code, caught.value.message


def resigned(made: dict[str, Any], tenant: Tenant, change: Any, user: str | None = None) -> str:
    """A response whose assertion is changed before the application's own key signs it."""
    demo = made["demo"]
    delivery = saml.Delivery("https://signin.aws.amazon.com/saml", 3600, NOW)
    unsigned = saml.assertion(saml.claims(tenant, demo["application"], user or demo["user"]), delivery)
    changed = change(unsigned)
    unsigned = unsigned if changed is None else changed
    return saml.encode(saml.signed(unsigned, *tenant.signing_key(demo["application"])))


def attribute(unsigned: Any, name: str) -> Any:
    return next(node for node in unsigned.iter(f"{SAML}Attribute") if node.get("Name") == ATTRIBUTES + name)


# --- the demo ---------------------------------------------------------------------------------------------------------------------------


def test_britta_cannot_sign_in_before_and_can_after(made, tenant, org, grant):
    """The tutorial's test user: no access until her group has the role, and then at once."""
    demo = made["demo"]
    before = saml.can_sign_in(tenant, org, demo["user"], demo["application"], demo["role_arn"])
    assert before[0] is False
    assert before[1].startswith("AADSTS50105")
    grant()
    assert saml.can_sign_in(tenant, org, demo["user"], demo["application"], demo["role_arn"]) == (True, "")


def test_asking_whether_she_can_sign_in_changes_nothing(made, tenant, org, grant):
    grant()
    demo = made["demo"]
    role = org.cloud.accounts[demo["account"]].role_by_arn(demo["role_arn"])
    before = (role.last_used, len(org.cloud.keys._known))
    assert saml.can_sign_in(tenant, org, demo["user"], demo["application"], demo["role_arn"])[0]
    assert (role.last_used, len(org.cloud.keys._known)) == before


def test_a_sign_in_gives_credentials_that_work(org, britta):
    answer = org.sign_in(**britta)
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/sales-read-only-user/britta.simon@contoso.example")
    assert answer["Subject"] == "britta.simon@contoso.example"
    assert answer["Audience"] == "https://signin.aws.amazon.com/saml"  # this field is the Recipient
    assert answer["Credentials"]["Expiration"] == NOW + timedelta(hours=1)
    role = org.cloud.accounts[britta["role_arn"].split(":")[4]].role_by_arn(britta["role_arn"])
    assert role.last_used == NOW.replace(tzinfo=None)


def test_the_name_qualifier_is_the_hash_that_sts_documents(org, britta, tenant):
    """API_AssumeRoleWithSAML: BASE64(SHA1("https://example.com/saml" + "123456789012" + "/MySAMLIdP"))."""
    import hashlib

    text = f"https://sts.windows.net/{tenant.id}/{britta['role_arn'].split(':')[4]}/WAAD"
    assert org.sign_in(**britta)["NameQualifier"] == base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()


# --- the shape of the response ------------------------------------------------------------------------------------------------------------


def test_the_response_has_entras_shape(tenant, britta):
    """learn.microsoft.com/entra/identity-platform/single-sign-on-saml-protocol."""
    root = etree.fromstring(base64.b64decode(britta["saml_response"]))
    one = root.find(f"{SAML}Assertion")
    issuer = f"https://sts.windows.net/{tenant.id}/"
    assert [root.findtext(f"{SAML}Issuer"), one.findtext(f"{SAML}Issuer")] == [issuer, issuer]
    assert [child.tag.split("}")[1] for child in one] == [
        "Issuer",
        "Signature",
        "Subject",
        "Conditions",
        "AttributeStatement",
        "AuthnStatement",
    ]
    assert root.get("Destination") == "https://signin.aws.amazon.com/saml"
    assert one.findtext(f"{SAML}Conditions/{SAML}AudienceRestriction/{SAML}Audience") == "https://signin.aws.amazon.com/saml"
    names = [node.get("Name") for node in one.iter(f"{SAML}Attribute")]
    assert {ATTRIBUTES + "Role", ATTRIBUTES + "RoleSessionName", ATTRIBUTES + "SessionDuration"} <= set(names)
    assert b"rsa-sha256" in etree.tostring(root)


def test_several_roles_are_several_values_of_one_attribute(made, tenant, org, grant):
    """moto's AssumeRoleWithSAML fails on more than one; every administrator has several."""
    grant()
    grant(value=made["demo"]["value"].replace("read-only-user", "devops-user"))
    demo = made["demo"]
    text = saml.response(tenant, demo["application"], demo["user"], recipient=org.cloud.place.recipient, now=NOW)
    root = etree.fromstring(base64.b64decode(text))
    assert len(attribute(root, "Role")) == 2
    for name in ("read-only-user", "devops-user"):
        assert saml.can_sign_in(tenant, org, demo["user"], demo["application"], demo["role_arn"].replace("read-only-user", name))[0]


def test_the_audience_has_no_fragment(made, tenant):
    """Microsoft's AWS tutorial: `https://signin.aws.amazon.com/saml#1` identifies an instance; the `#1` is not sent."""
    tutorial = next(one for one in made["tenant"]["servicePrincipals"] if one["displayName"].endswith("Tutorial"))
    assert tutorial["servicePrincipalNames"][1].endswith("/saml#1")
    assert saml.audience(tenant.principal(tutorial["id"])) == "https://signin.aws.amazon.com/saml"


def test_the_tutorials_own_application_signs_in_to_the_tutorials_account(made, tenant, org):
    tutorial = next(one for one in made["tenant"]["servicePrincipals"] if one["displayName"].endswith("Tutorial"))
    dora = next(one["id"] for one in made["tenant"]["users"] if one["userPrincipalName"].startswith("dora.direct"))
    arn = "arn:aws:iam::000000012345:role/"
    assert saml.can_sign_in(tenant, org, dora, tutorial["id"], arn + "Admin") == (True, "")
    assert not saml.can_sign_in(tenant, org, dora, tutorial["id"], arn + "Auditors")[0]


# --- Entra ID does not even answer --------------------------------------------------------------------------------------------------------


def test_a_disabled_user_gets_no_response(made, tenant, org):
    """learn.microsoft.com/entra/identity-platform/reference-error-codes: AADSTS50057."""
    dieter = next(one["id"] for one in made["tenant"]["users"] if not one["accountEnabled"])
    assert saml.can_sign_in(tenant, org, dieter, made["demo"]["application"], "x")[1].startswith("AADSTS50057")


def test_an_unknown_user_gets_no_response(made, tenant, org):
    assert saml.can_sign_in(tenant, org, "nobody", made["demo"]["application"], "x")[1].startswith("AADSTS50034")


def test_a_disabled_application_gives_no_response(made, tenant, org, grant):
    """reference-error-codes: AADSTS7000112."""
    grant()
    app = made["demo"]["application"]
    tenant.commit([Write("servicePrincipals", app, {**tenant.principal(app), "accountEnabled": False})])
    assert saml.can_sign_in(tenant, org, made["demo"]["user"], app, made["demo"]["role_arn"])[1].startswith("AADSTS7000112")


def test_members_of_a_nested_group_get_nothing(made, tenant, org):
    """The tutorial: "Nested groups are not supported when assigning groups"."""
    nadia = next(one["id"] for one in made["tenant"]["users"] if one["userPrincipalName"].startswith("nadia"))
    assert saml.can_sign_in(tenant, org, nadia, made["demo"]["application"], made["demo"]["role_arn"])[1].startswith("AADSTS50105")


def test_a_disabled_role_still_signs_in(made, tenant, org, grant):
    """graph/api/approle: assignments of a disabled role stay and it is still sent: disabling is not revoking."""
    grant()
    app, demo = made["demo"]["application"], made["demo"]
    record = tenant.principal(app)
    roles = [{**role, "isEnabled": role["value"] != demo["value"]} for role in record["appRoles"]]
    tenant.commit([Write("servicePrincipals", app, {**record, "appRoles": roles})])
    assert saml.can_sign_in(tenant, org, demo["user"], app, demo["role_arn"]) == (True, "")


# --- claims mapping policies -----------------------------------------------------------------------------------------------------------

ROLE = {"Source": "user", "ID": "assignedroles", "SamlClaimType": ATTRIBUTES + "Role"}
SESSION = {"Source": "user", "ID": "userprincipalname", "SamlClaimType": ATTRIBUTES + "RoleSessionName"}


@pytest.fixture
def mapped(made, tenant, org, grant):
    """Assign a claims mapping policy with this schema to the application, give Britta her role, and ask."""

    def ask(*schema: dict[str, Any], basic: str = "true") -> tuple[bool, str]:
        grant()
        app = made["demo"]["application"]
        inner = {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": basic, "ClaimsSchema": list(schema)}}
        policy = {"id": "p", "displayName": "AWS", "definition": [json.dumps(inner)], "isOrganizationDefault": False}
        tenant.commit([Write("claimsMappingPolicies", "p", policy), Write("policies", app, ("p",))])
        return saml.can_sign_in(tenant, org, made["demo"]["user"], app, made["demo"]["role_arn"])

    return ask


def test_a_policy_with_the_tutorials_claims_signs_in(mapped):
    """Microsoft Graph's tutorial application-saml-sso-configure-api: the AWS claims policy."""
    assert mapped(ROLE, SESSION, {"Value": "900", "SamlClaimType": ATTRIBUTES + "SessionDuration"}) == (True, "")


def test_a_policy_that_forgets_the_roles_locks_everybody_out(mapped):
    """reference-claims-customization: the policy replaces the application's own claims, so what it leaves out is not sent."""
    assert mapped(SESSION) == (False, "InvalidIdentityToken: Your request included an invalid SAML response")


def test_a_policy_that_forgets_the_session_name(mapped):
    assert mapped(ROLE) == (False, "InvalidIdentityToken: RoleSessionName is required in AuthnResponse")


def test_a_session_name_from_a_property_that_the_user_lacks_is_not_sent(mapped):
    assert mapped(ROLE, SESSION | {"ID": "employeeid"})[1].endswith("RoleSessionName is required in AuthnResponse")


def test_a_constant_written_as_a_users_property_is_not_sent(mapped, made, tenant):
    """The 2021 text of that tutorial has `"Source": "user", "ID": "900"` for the duration: no such property."""
    assert mapped(ROLE, SESSION, {"Source": "user", "ID": "900", "SamlClaimType": ATTRIBUTES + "SessionDuration"}) == (True, "")
    said = saml.claims(tenant, made["demo"]["application"], made["demo"]["user"])
    assert ATTRIBUTES + "SessionDuration" not in dict(emission.attributes(said, 3600))


def test_a_policy_decides_on_the_basic_claims_and_the_subject(mapped, made, tenant):
    subject = {"Source": "user", "ID": "objectid", "SamlClaimType": emission.NAME_ID}
    assert mapped(ROLE, SESSION, subject, basic="false")[0]
    said = saml.claims(tenant, made["demo"]["application"], made["demo"]["user"])
    assert [name for name, _ in emission.attributes(said, 3600)] == [ATTRIBUTES + "Role", ATTRIBUTES + "RoleSessionName"]
    assert emission.name_id(said) == made["demo"]["user"]


# --- AWS refuses the response ---------------------------------------------------------------------------------------------------------------


def test_a_response_that_is_no_base64_or_no_xml(org, britta):
    for text in ("not base64!", base64.b64encode(b"not xml").decode(), base64.b64encode(b"<a/>").decode()):
        assert refused(org, britta, saml_response=text) == ("InvalidIdentityToken", "Invalid base64 SAMLResponse")


def test_a_response_with_a_doctype(org, britta):
    xml = b'<!DOCTYPE x [<!ENTITY e "boom">]>' + base64.b64decode(britta["saml_response"])
    assert refused(org, britta, saml_response=base64.b64encode(xml).decode())[0] == "InvalidIdentityToken"


def test_a_response_over_100000_characters(org, britta):
    """The botocore model of STS: SAMLAssertion 4..100,000; about 430 to 540 roles fit."""
    assert refused(org, britta, saml_response="x" * 100_001)[0] == "ValidationError"


def test_a_changed_assertion(org, britta):
    """ "Response signature invalid": somebody gave himself another session name."""
    xml = base64.b64decode(britta["saml_response"]).replace(b"britta.simon@", b"ceo@")
    answer = refused(org, britta, saml_response=base64.b64encode(xml).decode())
    assert answer == ("InvalidIdentityToken", "Response signature invalid")


def test_an_unsigned_assertion_beside_the_signed_one_is_not_believed(org, britta):
    """Signature wrapping: only what was signed is read."""
    root = etree.fromstring(base64.b64decode(britta["saml_response"]))
    forged = etree.fromstring(etree.tostring(root.find(f"{SAML}Assertion")))
    forged.remove(forged.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    forged.set("ID", "_forged")
    for node in attribute(forged, "Role"):
        node.text = node.text.replace("read-only-user", "aws-admin")
    root.insert(0, forged)
    admin = britta["role_arn"].replace("read-only-user", "aws-admin")
    assert refused(org, britta, saml_response=base64.b64encode(etree.tostring(root)).decode(), role_arn=admin)[0] == "InvalidIdentityToken"


def test_a_key_that_is_not_in_the_providers_metadata(made, tenant, org, britta):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    unsigned = saml.assertion(
        saml.claims(tenant, made["demo"]["application"], made["demo"]["user"]),
        saml.Delivery("https://signin.aws.amazon.com/saml", 3600, NOW),
    )
    text = saml.encode(saml.signed(unsigned, key, metadata.certificate_for(key, "attacker")))
    assert refused(org, britta, saml_response=text) == ("InvalidIdentityToken", "Response signature invalid")


@pytest.mark.parametrize("name", ["HR_Buero_Muenchen", "<b>Legacy</b> ERP"])
def test_an_account_that_missed_the_new_certificate_or_holds_another_applications(made, tenant, org, grant, name):
    """ "Response signature invalid": update the provider's metadata after a certificate was renewed."""
    account = next(one for one in made["org"]["accounts"] if one["name"] == name)
    role = next(one["name"] for one in account["roles"] if one["name"].endswith("-aws-admin"))
    arn, provider = f"arn:aws:iam::{account['id']}:role/{role}", f"arn:aws:iam::{account['id']}:saml-provider/WAAD"
    grant(value=f"{arn},{provider}")
    answer = saml.can_sign_in(tenant, org, made["demo"]["user"], made["demo"]["application"], arn)
    assert answer == (False, "InvalidIdentityToken: Response signature invalid")


def test_old_and_new_certificate_in_one_document_both_sign_in(made, tenant, org, britta):
    """IAM quotas: 10 keys a provider; this is what makes a renewal without an outage possible."""
    app = made["demo"]["application"]
    old = tenant.signing_key(app)[1]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    new = metadata.certificate_for(key, "next year")
    provider = org.cloud.accounts[made["demo"]["account"]].provider(britta["provider_arn"])
    provider.saml_metadata_document = metadata.render(f"https://sts.windows.net/{tenant.id}/", [old, new], "https://x")
    unsigned = saml.assertion(
        saml.claims(tenant, app, made["demo"]["user"]), saml.Delivery("https://signin.aws.amazon.com/saml", 3600, NOW)
    )
    assert org.sign_in(**britta)
    assert org.sign_in(**(britta | {"saml_response": saml.encode(saml.signed(unsigned, key, new))}))


def test_another_tenant(made, tenant, org, britta):
    """ "Issuer not present in specified provider"."""
    provider = org.cloud.accounts[made["demo"]["account"]].provider(britta["provider_arn"])
    provider.saml_metadata_document = provider.saml_metadata_document.replace(tenant.id, "11111111-2222-4333-8444-555555555555")
    assert refused(org, britta) == ("InvalidIdentityToken", "Issuer not present in specified provider")


def test_another_identity_provider_is_told_apart_by_its_issuer_before_its_key(org, britta):
    """An account of an acquired company: neither issuer nor key fit, and the message names the issuer."""
    provider = org.cloud.account_of(britta["provider_arn"]).provider(britta["provider_arn"])
    provider.saml_metadata_document = metadata.foreign()
    assert refused(org, britta) == ("InvalidIdentityToken", "Issuer not present in specified provider")


def test_a_provider_that_does_not_exist(org, britta):
    """ "Specified provider doesn't exist": the name's case counts."""
    answer = refused(org, britta, provider_arn=britta["provider_arn"].replace("WAAD", "waad"))
    assert answer == ("InvalidIdentityToken", "Specified provider doesn't exist")


def test_no_role_attribute(made, tenant, org, britta):
    """ "Your request included an invalid SAML response"."""
    text = resigned(made, tenant, lambda one: attribute(one, "Role").getparent().remove(attribute(one, "Role")))
    assert refused(org, britta, saml_response=text) == ("InvalidIdentityToken", "Your request included an invalid SAML response")


def test_a_role_that_the_response_does_not_name(org, britta):
    answer = refused(org, britta, role_arn=britta["role_arn"].replace("read-only-user", "aws-admin"))
    assert answer == ("InvalidIdentityToken", "SAML Assertion doesn't contain the requested Role and Metadata in the attributes")


@pytest.mark.parametrize("form", ["{1},{0}", "{0}, {1}", " {0} , {1} "])
def test_the_pair_in_either_order_with_or_without_spaces(made, tenant, org, britta, form):
    def change(one: Any) -> None:
        attribute(one, "Role")[0].text = form.format(britta["role_arn"], britta["provider_arn"])

    assert org.sign_in(**(britta | {"saml_response": resigned(made, tenant, change)}))


def test_no_session_name(made, tenant, org, britta):
    """ "RoleSessionName is required in AuthnResponse"."""
    text = resigned(made, tenant, lambda one: attribute(one, "RoleSessionName").getparent().remove(attribute(one, "RoleSessionName")))
    assert refused(org, britta, saml_response=text) == ("InvalidIdentityToken", "RoleSessionName is required in AuthnResponse")


@pytest.mark.parametrize("start", ["maria_fabrikam", "alexandra.", "sean."])
def test_a_guest_a_long_name_and_an_apostrophe(made, tenant, org, grant, start):
    """ "RoleSessionName in AuthnResponse must match …": guests' `#EXT#`, more than 64 characters, O'Neill (azure-docs#45025)."""
    user = next(one["id"] for one in made["tenant"]["users"] if one["userPrincipalName"].startswith(start))
    grant(principal=user)
    answer = saml.can_sign_in(tenant, org, user, made["demo"]["application"], made["demo"]["role_arn"])
    assert answer == (False, "InvalidIdentityToken: RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")


def test_no_recipient(made, tenant, org, britta):
    def change(one: Any) -> None:
        del next(one.iter(f"{SAML}SubjectConfirmationData")).attrib["Recipient"]

    text = resigned(made, tenant, change)
    assert "Recipient and NotOnOrAfter" in refused(org, britta, saml_response=text)[1]


def test_no_name_id(made, tenant, org, britta):
    """ "Not authorized to perform sts:AssumeRoleWithSAML" also when there is no NameID."""

    def change(one: Any) -> None:
        subject = one.find(f"{SAML}Subject")
        subject.remove(subject.find(f"{SAML}NameID"))

    assert refused(org, britta, saml_response=resigned(made, tenant, change))[0] == "AccessDenied"


def test_another_audience(made, tenant, org, britta):
    """ "Response does not contain the required audience"."""

    def change(one: Any) -> None:
        next(one.iter(f"{SAML}Audience")).text = "https://signin.aws.amazon.com/saml#1"

    answer = refused(org, britta, saml_response=resigned(made, tenant, change))
    assert answer == ("InvalidIdentityToken", "Response does not contain the required audience.")


@pytest.mark.parametrize("minutes", [5.1, 60, 1440])
def test_a_response_is_good_for_five_minutes(org, britta, monkeypatch, minutes):
    """API_AssumeRoleWithSAML; "Token must be redeemed within 5 minutes of issuance" (Nike-Inc/gimme-aws-creds#251)."""
    monkeypatch.setattr(org.cloud, "clock", lambda: NOW + timedelta(minutes=minutes))
    assert refused(org, britta) == ("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance")


def test_a_response_from_the_future(org, britta, monkeypatch):
    monkeypatch.setattr(org.cloud, "clock", lambda: NOW - timedelta(minutes=6))
    assert refused(org, britta)[0] == "InvalidIdentityToken"


# --- AWS refuses the role -------------------------------------------------------------------------------------------------------------------

DENIED = ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")


def shown(made, tenant, org, grant, account: dict[str, Any], role: dict[str, Any], provider: str = "WAAD") -> dict[str, Any]:
    """What Britta would show for a role of some account, once she were given it."""
    arn = f"arn:aws:iam::{account['id']}:role{role['path']}{role['name']}"
    pair = {"role_arn": arn, "provider_arn": f"arn:aws:iam::{account['id']}:saml-provider/{provider}"}
    grant(value=f"{pair['role_arn']},{pair['provider_arn']}")
    demo = made["demo"]
    return pair | {"saml_response": saml.response(tenant, demo["application"], demo["user"], recipient=org.cloud.place.recipient, now=NOW)}


def healthy(made, tenant, org, account: dict[str, Any]) -> None:
    """Put the main application's own document into the account's provider, so that only the role's trust decides."""
    provider = next(one for one in org.cloud.accounts[account["id"]].backend.saml_providers.values() if not one.name.startswith("AWSSSO"))
    provider.saml_metadata_document = tenant.metadata(made["demo"]["application"])


ODDITIES = {
    "audience-missing": True,
    "audience-wrong": False,
    "audience-trailing-slash": False,
    "audience-regional": True,
    "audience-list": True,
    "audience-lowercase-key": True,
    "principal-in-a-list": True,
    "two-providers": True,
    "provider-missing": False,
    "provider-of-another-account": False,
    "github-deploy": False,
    "principal-with-service": True,
    "several-statements": True,
    "single-statement-object": True,
    "tag-session": True,
    "wildcard-action": True,
    "denied-for-all": False,
    "denied-for-one-subject": True,
    "Payments-Operators": True,
    "pair-longer-than-120": True,
    "pair-longer-than-239-" + "x" * 40: True,  # AWS does not mind the length; Entra ID does
    "with-a-boundary": True,
    "no-policies-at-all": True,
    "stack-owned": True,
    "ec2-instances": False,
}


@pytest.mark.parametrize("name", sorted(ODDITIES))
def test_every_oddity_of_the_world_is_judged_as_iam_would(made, tenant, org, grant, name):
    """IAM User Guide, id_roles_create_for-idp_saml and reference_policies_iam-condition-keys (saml:aud is the Recipient; keys have no case)."""
    account, role = next((one, role) for one in made["org"]["accounts"] for role in one["roles"] if role["name"] == name)
    healthy(made, tenant, org, account)
    provider = next(one["name"] for one in account["providers"] if not one["name"].startswith("AWSSSO"))
    pair = shown(made, tenant, org, grant, account, role, provider)
    if ODDITIES[name]:
        assert org.sign_in(**pair)
    else:
        assert refused(org, pair) == DENIED


def test_the_trust_policys_audience_is_the_recipient_of_the_response(made, tenant, org, britta):
    """reference_policies_iam-condition-keys: "SAML:aud … comes from the SAML Recipient field"; a regional endpoint must be trusted by name."""
    demo, regional = made["demo"], "https://eu-west-1.signin.aws.amazon.com/saml"
    text = saml.response(tenant, demo["application"], demo["user"], recipient=regional, now=NOW)
    assert refused(org, britta, saml_response=text) == DENIED
    role = org.cloud.account_of(britta["role_arn"]).role_by_arn(britta["role_arn"])
    role.assume_role_policy_document = role.assume_role_policy_document.replace("https://signin.aws.amazon.com/saml", regional)
    assert org.sign_in(**(britta | {"saml_response": text}))["Audience"] == regional


ABSENT = (
    "aws:MultiFactorAuthPresent",
    "sts:ExternalId",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalTag/Team",
    "aws:SourceAccount",
)


@pytest.mark.parametrize("key", ABSENT)
def test_a_key_that_the_request_does_not_carry_is_absent_in_every_operator(org, britta, key):
    """Nobody signs AssumeRoleWithSAML, so keys of the caller are absent; reference_policies_elements_condition_operators."""
    for operator, value, enters in (
        ("StringEquals", "x", False),
        ("StringEqualsIfExists", "x", True),
        ("StringNotEquals", "x", True),
        ("Bool", "true", False),
        ("BoolIfExists", "true", True),
        ("ArnLike", "*:*:*:*:*:*", False),
        ("Null", "true", True),
        ("Null", "false", False),
    ):
        conditioned(org, britta, {operator: {key: value}})
        assert (operator, enters) == (operator, entered(org, britta))


def conditioned(org, pair, condition, *, action="sts:AssumeRoleWithSAML", principal=None) -> None:
    """Give the role a trust with this condition."""
    role = org.cloud.account_of(pair["role_arn"]).role_by_arn(pair["role_arn"])
    statement = {"Effect": "Allow", "Principal": principal or {"Federated": pair["provider_arn"]}, "Action": action, "Condition": condition}
    role.assume_role_policy_document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def entered(org, pair) -> bool:
    try:
        org.check(**pair)
    except SamlRefused as error:
        if (error.code, error.message) != DENIED:
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("condition", "enters"),
    [
        ({"StringEquals": {"saml:doc": "{account}/WAAD"}}, True),
        ({"StringEquals": {"saml:doc": "999999999999/Y"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": "{account}"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": "999999999999"}}, False),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, True),
        ({"ArnLike": {"aws:userid": "arn:aws:iam::*:saml-provider/WAAD"}}, True),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
        ({"StringEquals": {"aws:ResourceTag/Azureadtest": "sales-read-only-user"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "${saml:sub}"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, False),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, False),
        ({"StringEquals": {"aws:RequestTag/Team": "x"}}, False),
        ({"Null": {"aws:TagKeys": "true"}}, True),
    ],
)
def test_the_keys_that_the_request_carries(org, britta, condition, enters):
    account = britta["role_arn"].split(":")[4]
    conditioned(org, britta, json.loads(json.dumps(condition).replace("{account}", account)))
    assert entered(org, britta) is enters


def test_a_star_of_aws_lets_nobody_in_by_saml(org, britta):
    """A recording of AWS: the trust is made, and AssumeRoleWithSAML is AccessDenied."""
    conditioned(org, britta, {}, principal={"AWS": "*"})
    assert entered(org, britta) is False


def tagged(*attributes: tuple[str, ...]) -> Any:
    """Add attributes of AWS, each a name and its values, to an assertion."""

    def change(one: Any) -> None:
        statement = one.find(f"{SAML}AttributeStatement")
        for name, *values in attributes:
            node = etree.SubElement(statement, f"{SAML}Attribute", Name=ATTRIBUTES + name)
            for value in values:
                etree.SubElement(node, f"{SAML}AttributeValue").text = value

    return change


TAG, IDENTITY, TRANSITIVE = ("PrincipalTag:Team", "blue"), ("SourceIdentity", "alice"), ("TransitiveTagKeys", "Team")


@pytest.mark.parametrize(
    ("sent", "actions", "enters"),
    [
        ([TAG], ["sts:AssumeRoleWithSAML"], False),
        ([TAG], ["sts:AssumeRoleWithSAML", "sts:TagSession"], True),
        ([IDENTITY], ["sts:AssumeRoleWithSAML", "sts:TagSession"], False),
        ([IDENTITY], ["sts:AssumeRoleWithSAML", "sts:SetSourceIdentity"], True),
        ([TAG, TRANSITIVE, IDENTITY], ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"], True),
        ([TAG, TRANSITIVE, IDENTITY], "sts:*", True),
    ],
)
def test_tags_and_source_identity_take_actions_of_their_own(made, tenant, org, britta, sent, actions, enters):
    """id_session-tags.html, "Things to know": the trust policy must allow sts:TagSession and sts:SetSourceIdentity."""
    conditioned(org, britta, {}, action=actions)
    assert entered(org, britta | {"saml_response": resigned(made, tenant, tagged(*sent))}) is enters


def test_conditions_on_tags_see_what_was_sent(made, tenant, org, britta):
    text = resigned(made, tenant, tagged(TAG, TRANSITIVE))
    wanted = {"StringEquals": {"aws:RequestTag/team": "blue"}, "ForAllValues:StringEquals": {"sts:TransitiveTagKeys": "Team"}}
    conditioned(org, britta, wanted, action="sts:*")
    assert entered(org, britta | {"saml_response": text})
    assert not entered(org, britta)


@pytest.mark.parametrize(
    "sent", [[TRANSITIVE], [("PrincipalTag:Team", "a", "b")], [("PrincipalTag:aws:x", "a")], [TAG, ("PrincipalTag:team", "a")]]
)
def test_tags_that_sts_does_not_take(made, tenant, org, britta, sent):
    conditioned(org, britta, {}, action="sts:*")
    assert refused(org, britta, saml_response=resigned(made, tenant, tagged(*sent)))[0] in ("InvalidIdentityToken", "InvalidParameterValue")


NO_SIGNATURE = "Response (with optional signature) must contain an assertion with a mandatory signature"


def test_the_assertions_own_signature_is_mandatory(made, tenant, org, britta):
    """A recording of AWS: the signature of the Response element alone is refused, both are taken, a broken one is refused."""
    key, certificate = tenant.signing_key(made["demo"]["application"])
    root = etree.fromstring(base64.b64decode(britta["saml_response"]))

    def shown(one: Any) -> str:
        return base64.b64encode(etree.tostring(saml.signed(one, key, certificate))).decode()

    both = etree.fromstring(etree.tostring(root))
    assert org.sign_in(**(britta | {"saml_response": shown(both)}))
    broken = base64.b64decode(shown(etree.fromstring(etree.tostring(root)))).replace(b"status:Success", b"status:Requester")
    assert refused(org, britta, saml_response=base64.b64encode(broken).decode())[1] == "Response signature invalid"
    own = root.find(f"{SAML}Assertion")
    own.remove(own.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    unsigned = base64.b64encode(etree.tostring(root)).decode()
    for text in (unsigned, shown(root)):
        assert refused(org, britta, saml_response=text) == ("InvalidIdentityToken", NO_SIGNATURE)


def test_a_provider_that_requires_encryption_refuses_plain_assertions(org, britta):
    org.cloud.account_of(britta["provider_arn"]).encryption_of(britta["provider_arn"]).mode = "Required"
    assert refused(org, britta) == ("InvalidIdentityToken", "Invalid base64 SAMLResponse")


@pytest.mark.parametrize("arn", ["nobody", "arn:aws:iam:111122223333:role/audit"])
def test_a_malformed_arn_is_a_validation_error(org, britta, arn):
    assert refused(org, britta, role_arn=arn)[0] == "ValidationError"
    assert refused(org, britta, provider_arn=arn)[0] == "ValidationError"


def test_a_subject_that_the_trust_policy_denies(made, tenant, org, grant):
    """saml:sub in a Deny; an explicit Deny wins."""
    account, role = next(
        (one, role) for one in made["org"]["accounts"] for role in one["roles"] if role["name"] == "denied-for-one-subject"
    )
    healthy(made, tenant, org, account)
    lee = next(one["id"] for one in made["tenant"]["users"] if one["userPrincipalName"].startswith("left.company"))
    provider = next(one["name"] for one in account["providers"] if not one["name"].startswith("AWSSSO"))
    arn = f"arn:aws:iam::{account['id']}:role/{role['name']}"
    grant(principal=lee, value=f"{arn},arn:aws:iam::{account['id']}:saml-provider/{provider}")
    assert saml.can_sign_in(tenant, org, lee, made["demo"]["application"], arn) == (False, ": ".join(DENIED))


def test_a_role_name_in_another_case(made, tenant, org, grant):
    """ "role names are case sensitive" (in the response, although they must be unique without regard to case)."""
    account = next(one for one in made["org"]["accounts"] if one["id"] == made["demo"]["account"])
    role = {"name": "Sales-AWS-Admin", "path": "/"}
    assert refused(org, shown(made, tenant, org, grant, account, role)) == DENIED


def test_a_path_that_was_left_out(made, tenant, org, grant):
    account, role = next((one, role) for one in made["org"]["accounts"] for role in one["roles"] if role["name"] == "Payments-Operators")
    healthy(made, tenant, org, account)
    assert refused(org, shown(made, tenant, org, grant, account, role | {"path": "/"})) == DENIED


def test_a_role_of_one_account_with_the_provider_of_another(made, tenant, org, grant):
    demo = made["demo"]
    other = made["org"]["hub"]
    provider = f"arn:aws:iam::{other}:saml-provider/WAAD"
    grant(value=f"{demo['role_arn']},{provider}")
    text = saml.response(tenant, demo["application"], demo["user"], recipient=org.cloud.place.recipient, now=NOW)
    assert refused(org, {"saml_response": text, "role_arn": demo["role_arn"], "provider_arn": provider}) == DENIED


def test_roles_of_identity_center_are_refused_by_name(made, tenant, org, grant):
    """API_AssumeRoleWithSAML: "will not work on IAM Identity Center managed roles"."""
    account = next(one for one in made["org"]["accounts"] if one["id"] == made["demo"]["account"])
    role = next(one for one in account["roles"] if one["name"].startswith("AWSReservedSSO_"))
    provider = next(one["name"] for one in account["providers"] if one["name"].startswith("AWSSSO_"))
    org.cloud.accounts[account["id"]].backend.saml_providers[provider].saml_metadata_document = tenant.metadata(made["demo"]["application"])
    assert refused(org, shown(made, tenant, org, grant, account, role, provider)) == DENIED


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED"])
def test_an_account_that_is_not_usable(made, tenant, org, grant, state):
    account = next(one for one in made["org"]["accounts"] if one["state"] == state)
    role = {"name": "anything", "path": "/"}
    assert refused(org, shown(made, tenant, org, grant, account, role)) == DENIED


def test_session_tags_need_tag_session_in_the_trust_policy(made, tenant, org, britta):
    """IAM User Guide, id_session-tags: without sts:TagSession the sign-in fails as a whole."""

    def change(one: Any) -> None:
        tag = etree.SubElement(one.find(f"{SAML}AttributeStatement"), f"{SAML}Attribute", Name=ATTRIBUTES + "PrincipalTag:team")
        etree.SubElement(tag, f"{SAML}AttributeValue").text = "sales"

    text = resigned(made, tenant, change)
    assert refused(org, britta, saml_response=text) == DENIED
    role = org.cloud.accounts[made["demo"]["account"]].role_by_arn(britta["role_arn"])
    role.assume_role_policy_document = role.assume_role_policy_document.replace(
        '"sts:AssumeRoleWithSAML"', '["sts:AssumeRoleWithSAML","sts:TagSession"]'
    )
    assert org.sign_in(**(britta | {"saml_response": text}))


def test_a_source_identity_needs_its_own_action(made, tenant, org, britta):
    """IAM User Guide, id_credentials_temp_control-access_monitor: sts:SetSourceIdentity."""

    def change(one: Any) -> None:
        tag = etree.SubElement(one.find(f"{SAML}AttributeStatement"), f"{SAML}Attribute", Name=ATTRIBUTES + "SourceIdentity")
        etree.SubElement(tag, f"{SAML}AttributeValue").text = "britta"

    assert refused(org, britta, saml_response=resigned(made, tenant, change)) == DENIED


# --- how long ---------------------------------------------------------------------------------------------------------------------------------


def test_a_duration_over_the_roles_maximum(org, britta, made):
    """ "Requested DurationSeconds exceeds MaxSessionDuration set for this role"."""
    org.cloud.accounts[made["demo"]["account"]].role_by_arn(britta["role_arn"]).max_session_duration = "3600"
    answer = refused(org, britta, duration=3601)
    assert answer == ("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def test_session_duration_only_shortens(made, tenant, org, britta):
    """API_AssumeRoleWithSAML: the lesser of DurationSeconds and the response's own limits."""

    def change(one: Any) -> None:
        attribute(one, "SessionDuration")[0].text = "900"

    answer = org.sign_in(**(britta | {"saml_response": resigned(made, tenant, change)}))
    assert answer["Credentials"]["Expiration"] == NOW + timedelta(seconds=900)


def test_session_not_on_or_after_shortens_too(made, tenant, org, britta):
    def change(one: Any) -> None:
        one.find(f"{SAML}AuthnStatement").set("SessionNotOnOrAfter", "2026-11-24T09:20:00Z")

    answer = org.sign_in(**(britta | {"saml_response": resigned(made, tenant, change)}))
    assert answer["Credentials"]["Expiration"] == NOW + timedelta(minutes=20)


@pytest.mark.parametrize("text", ["899", "43201", "1h"])
def test_a_session_duration_outside_its_bounds(made, tenant, org, britta, text):
    """IAM User Guide, id_roles_providers_create_saml_assertions: 900 to 43200."""

    def change(one: Any) -> None:
        attribute(one, "SessionDuration")[0].text = text

    assert refused(org, britta, saml_response=resigned(made, tenant, change))[0] == "InvalidIdentityToken"


# --- over HTTP --------------------------------------------------------------------------------------------------------------------------------


def test_assume_role_with_saml_over_http_and_what_its_credentials_are(org, britta, refusal):
    """The request is not signed; the credentials say who signed in."""
    import boto3
    import botocore
    from botocore.config import Config

    from awsfed_lib.sandbox.server import Server

    with Server(org.app) as server:
        config = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1, "mode": "standard"})
        sts = boto3.client("sts", region_name="us-east-1", endpoint_url=server.url, config=config)
        arguments = {"RoleArn": britta["role_arn"], "PrincipalArn": britta["provider_arn"], "SAMLAssertion": britta["saml_response"]}
        answer = sts.assume_role_with_saml(**arguments)
        keys = answer["Credentials"]
        signed_in = boto3.client("sts", "us-east-1", endpoint_url=server.url, aws_access_key_id=keys["AccessKeyId"],
                                 aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"])  # fmt: skip
        identity = signed_in.get_caller_identity()
        denied = refusal(sts.assume_role_with_saml, **(arguments | {"PrincipalArn": britta["provider_arn"] + "x"}))
        assert org.requests[0]["authorization"] is False
        signed_in.close()
        sts.close()
    assert answer["Issuer"].startswith("https://sts.windows.net/")
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert re.fullmatch(r"arn:aws:sts::\d{12}:assumed-role/sales-read-only-user/britta.simon@contoso.example", identity["Arn"])
    assert denied == ("InvalidIdentityToken", "Specified provider doesn't exist", 400)


def test_a_dataclass_of_claims_can_be_varied(made, tenant, org, grant):
    """Tests of other modules build their own claims."""
    grant()
    said = saml.claims(tenant, made["demo"]["application"], made["demo"]["user"])
    assert replace(said, roles=()).roles == ()


@pytest.mark.parametrize(("partition", "host"), [("aws-us-gov", "signin.amazonaws-us-gov.com"), ("aws-cn", "signin.amazonaws.cn")])
def test_other_partitions_sign_in_at_their_own_endpoint(partition, host):
    made = world(516, 5, partition=partition)
    tenant = Tenant(made["tenant"], clock=lambda: NOW)
    org = Org(made["org"], tenant.metadata, clock=lambda: NOW)
    one = next(
        role for role in tenant.principal(made["tenant"]["main"])["appRoles"] if role["value"] and "sales-aws-admin" in role["value"]
    )
    assigned = next(item for item in made["tenant"]["assignments"] if item["appRoleId"] == one["id"])
    group = next(item for item in made["tenant"]["groups"] if item["id"] == assigned["principalId"])
    arn = one["value"].split(",")[0]
    assert arn.startswith(f"arn:{partition}:iam::")
    assert org.cloud.place.recipient == f"https://{host}/saml"
    assert saml.can_sign_in(tenant, org, group["members"][0], made["tenant"]["main"], arn) == (True, "")
