"""Token-signing certificates: one that Entra ID makes, one of one's own, and taking them away.

Sources: learn.microsoft.com graph/api/serviceprincipal-addtokensigningcertificate, graph/application-saml-sso-configure-api; entra-docs
tutorial-manage-certificates-for-federated-single-sign-on; the issues named at the tests.
"""

import base64
import hashlib
import uuid
from datetime import timedelta

import entra_sample as sample
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.keys import Validity

AWS, OTHER = f"/servicePrincipals/{sample.AWS}", f"/servicePrincipals/{sample.OTHER}"
ADD = f"{AWS}/addTokenSigningCertificate"
KEYS = "?$select=keyCredentials,passwordCredentials,preferredTokenSigningKeyThumbprint"


def signs_with(tenant, app=sample.AWS):
    return tenant.signing_key(app)[1].fingerprint(x509.base.hashes.SHA1()).hex().upper()


def listed(tenant, app=sample.AWS):
    """Thumbprints in the metadata of the application, in order, each once."""
    from defusedxml.ElementTree import fromstring

    nodes = fromstring(tenant.metadata(app).encode()).iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    return list(dict.fromkeys(hashlib.sha1(base64.b64decode(node.text)).hexdigest().upper() for node in nodes))


@pytest.fixture
def own(ring, clock):
    """A certificate of the client's own as Microsoft's tutorial puts it into a PATCH."""
    pair = ring.pair("own", "awsAPI", Validity(clock.now - timedelta(days=1), clock.now + timedelta(days=365)))
    pfx = pkcs12.serialize_key_and_certificates(b"own", pair.key, pair.certificate, None, BestAvailableEncryption(b"secret"))
    mark = base64.b64encode(hashlib.sha256(pair.sha1.hex().upper().encode()).digest()).decode()
    sign_id = sample.guid("own sign")
    shared = {"customKeyIdentifier": mark, "startDateTime": seconds(clock.now), "endDateTime": seconds(clock.now + timedelta(days=365))}
    named = {**shared, "displayName": "CN=awsAPI"}
    return {
        "keyCredentials": [
            {**named, "keyId": sign_id, "type": "X509CertAndPassword", "usage": "Sign", "key": base64.b64encode(pfx).decode()},
            {**named, "keyId": sample.guid("own verify"), "type": "AsymmetricX509Cert", "usage": "Verify", "key": pair.base64},
        ],
        "passwordCredentials": [{**shared, "keyId": sign_id, "secretText": "secret"}],
    }, pair.sha1.hex().upper()


def together(writer, new):
    """The PATCH that adds `new` and carries over what is there."""
    before = writer.get(AWS + KEYS).json
    return {name: before[name] + new[name] for name in new}


def test_the_answer_is_the_public_part(writer, tenant, clock):
    """customKeyIdentifier is the base64 of the thumbprint; the subject is constant whatever the name."""
    answer = writer.post(ADD, {"displayName": "CN=AWS 2026", "endDateTime": "2029-11-01T00:00:00Z"})
    assert answer.status == 200
    found = answer.json
    assert found["@odata.context"].endswith("$metadata#microsoft.graph.selfSignedCertificate")
    certificate = x509.load_der_x509_certificate(base64.b64decode(found["key"]))
    assert base64.b64decode(found["customKeyIdentifier"]).hex().upper() == found["thumbprint"]
    assert hashlib.sha1(base64.b64decode(found["key"])).hexdigest().upper() == found["thumbprint"]
    assert (found["type"], found["usage"], found["displayName"]) == ("AsymmetricX509Cert", "Verify", "CN=AWS 2026")
    assert certificate.subject.rfc4514_string() == "CN=Microsoft Azure Federated SSO Certificate"
    assert seconds(certificate.not_valid_after_utc) == found["endDateTime"] == "2029-11-01T00:00:00Z"
    assert certificate.not_valid_before_utc == clock.now
    assert found["startDateTime"].endswith(".0000000Z")


def test_three_entries_share_one_identifier(writer):
    """serviceprincipal-addtokensigningcertificate; the keyId in the answer is the Sign key's (terraform-provider-azuread)."""
    made = writer.post(ADD, {"displayName": "CN=New"}).json
    found = writer.get(AWS + KEYS).json
    keys = [one for one in found["keyCredentials"] if one["customKeyIdentifier"] == made["customKeyIdentifier"]]
    password = next(one for one in found["passwordCredentials"] if one["customKeyIdentifier"] == made["customKeyIdentifier"])
    assert [(one["usage"], one["type"]) for one in keys] == [("Sign", "X509CertAndPassword"), ("Verify", "AsymmetricX509Cert")]
    assert keys[0]["keyId"] == password["keyId"] == made["keyId"]
    assert (keys[0]["key"], keys[1]["key"], password["secretText"]) == (None, made["key"], None)
    assert {one["displayName"] for one in keys} == {"CN=New"}


def test_a_second_certificate_is_inactive_and_in_the_metadata(writer, tenant):
    """tutorial-manage-certificates: a new certificate is inactive; both are published, the active one first."""
    before = signs_with(tenant)
    made = writer.post(ADD, {"displayName": "CN=New"}).json
    assert signs_with(tenant) == before == writer.get(AWS + KEYS).json["preferredTokenSigningKeyThumbprint"]
    assert listed(tenant) == [before, made["thumbprint"]]
    assert writer.patch(AWS, {"preferredTokenSigningKeyThumbprint": made["thumbprint"]}).status == 204
    assert signs_with(tenant) == made["thumbprint"]
    assert listed(tenant) == [made["thumbprint"], before]


def test_a_first_certificate_signs_at_once(writer, tenant):
    """There is nothing else to sign with; the property is set by a PATCH of its own (application-saml-sso-configure-api)."""
    made = writer.post(f"{OTHER}/addTokenSigningCertificate", {}).json
    assert signs_with(tenant, sample.OTHER) == made["thumbprint"]
    assert made["displayName"] == "CN=Microsoft Azure Federated SSO Certificate"
    assert writer.get(OTHER + KEYS).json["preferredTokenSigningKeyThumbprint"] is None


def test_when_the_active_one_has_run_out_a_new_one_signs_at_once(writer, tenant, clock):
    """The trap of tutorial-manage-certificates: no account holds the new certificate yet, and everyone is locked out."""
    before = signs_with(tenant)
    clock.pass_(900 * 86400)
    tenant.switches = tenant.switches.changed({"token_seconds": 10**9})
    made = writer.post(ADD, {"displayName": "CN=Late"})
    assert made.status == 401  # the token of the fixture has run out as well: sign in again
    from awsfed_lib.sandbox.entra import issuing

    writer.token = issuing.for_application(tenant, tenant.client_credentials(sample.WRITER), "https://graph.microsoft.com")["access_token"]
    late = writer.post(ADD, {"displayName": "CN=Late"}).json
    assert signs_with(tenant) == late["thumbprint"] != before
    assert listed(tenant)[0] == late["thumbprint"]


def test_the_call_is_not_idempotent(writer):
    made = [writer.post(ADD, {"displayName": "CN=Same"}).json["thumbprint"] for _ in range(2)]
    assert len(set(made)) == 2
    assert [one["displayName"] for one in writer.get(AWS + KEYS).json["keyCredentials"]].count("CN=Same") == 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"displayName": "AWS"}, "The 'displayName' parameter must start with 'CN='."),
        ({"displayName": "CN="}, "The 'displayName' parameter must start with 'CN='."),
        ({"endDateTime": "2030-01-01T00:00:00Z"}, "The 'endDateTime' parameter must be at most 3 years from now."),
        ({"endDateTime": "2026-01-01T00:00:00Z"}, "The 'endDateTime' parameter must be at most 3 years from now."),
        (
            {"endDateTime": "2027-01-01T00:00:00+00:00"},
            "The 'endDateTime' parameter is not in correct format. It is expected to be UTC DateTime.",
        ),
        ({"endDateTime": 3}, "The 'endDateTime' parameter is not in correct format. It is expected to be UTC DateTime."),
    ],
    ids=["no CN", "only CN", "over three years", "in the past", "with an offset", "no text"],
)
def test_certificates_that_are_refused(writer, body, message):
    """The rules: serviceprincipal-addtokensigningcertificate; the text about the form: msgraph-sdk-dotnet#1428; the others are assumed."""
    assert writer.post(ADD, body).error == (400, "Request_BadRequest", message)


def test_other_parameters_are_refused(writer):
    assert writer.post(ADD, {"keyId": str(uuid.uuid4())}).error[:2] == (400, "BadRequest")


@pytest.mark.parametrize("cloud", ["usgov", "china"])
def test_national_clouds_do_not_have_the_action(writer, tenant, cloud):
    """Absent from the Fairfax and Mooncake metadata: a Graph without the action knows no such segment."""
    tenant.switches = tenant.switches.changed({"cloud": cloud})
    text = "Resource not found for the segment 'addTokenSigningCertificate'."
    assert writer.post(ADD, {"displayName": "CN=New"}).error == (400, "BadRequest", text)


def test_it_needs_the_right_to_write_applications(reader, signed_in):
    assert reader.post(ADD, {}).status == 403
    assert signed_in(sample.OWNER).post(ADD, {}).status == 403


def test_a_certificate_of_ones_own(writer, tenant, own):
    """application-saml-sso-configure-api, "Add a custom signing key": PFX, public part and password in one PATCH; the way of all clouds."""
    tenant.switches = tenant.switches.changed({"cloud": "china"})
    body, thumbprint = own
    before = signs_with(tenant)
    assert writer.patch(AWS, together(writer, body)).status == 204
    assert signs_with(tenant) == before
    assert listed(tenant) == [before, thumbprint]
    assert writer.patch(AWS, {"preferredTokenSigningKeyThumbprint": thumbprint}).status == 204
    assert signs_with(tenant) == thumbprint


def test_a_custom_key_can_be_added_and_activated_in_one_patch(writer, tenant, own):
    body, thumbprint = own
    assert writer.patch(AWS, {**together(writer, body), "preferredTokenSigningKeyThumbprint": thumbprint}).status == 204
    assert signs_with(tenant) == thumbprint


def test_private_parts_are_never_shown(writer, own):
    body, _ = own
    writer.patch(AWS, together(writer, body))
    found = writer.get(AWS + KEYS).json
    assert [one["key"] for one in found["keyCredentials"] if one["usage"] == "Sign"] == [None, None]
    assert [one["secretText"] for one in found["passwordCredentials"]] == [None, None]


def test_a_patch_that_leaves_the_others_out_removes_them(writer, tenant, own):
    """The trap: PATCH replaces the collection, and what signed is gone."""
    body, thumbprint = own
    assert writer.patch(AWS, body).status == 204
    assert listed(tenant) == [thumbprint] == [signs_with(tenant)]
    assert writer.get(AWS + KEYS).json["preferredTokenSigningKeyThumbprint"] is None


def test_an_old_certificate_is_taken_away_whole(writer, tenant):
    """All entries of its customKeyIdentifier go in one PATCH; what stays is echoed without its key, and keeps it."""
    old = signs_with(tenant)
    new = writer.post(ADD, {"displayName": "CN=New"}).json
    writer.patch(AWS, {"preferredTokenSigningKeyThumbprint": new["thumbprint"]})
    before = writer.get(f"{AWS}?$select=id,keyCredentials,passwordCredentials").json
    names = ("keyCredentials", "passwordCredentials")
    kept = {name: [one | ({"key": None} if name == "keyCredentials" else {}) for one in before[name]] for name in names}
    stay = {name: [one for one in kept[name] if one["customKeyIdentifier"] == new["customKeyIdentifier"]] for name in names}
    assert writer.patch(AWS, stay).status == 204
    assert listed(tenant) == [new["thumbprint"]] == [signs_with(tenant)]
    assert old not in listed(tenant)
    assert next(one for one in writer.get(AWS + KEYS).json["keyCredentials"] if one["usage"] == "Verify")["key"] == new["key"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda body: (body["keyCredentials"][0].update(type="AsymmetricX509Cert"), body["passwordCredentials"].clear()),
            'The value for the property "usage" in one of your credentials is invalid. Acceptable values are Sign, Verify.',
        ),
        (
            lambda body: body["keyCredentials"][1].update(usage="Encrypt"),
            'The value for the property "usage" in one of your credentials is invalid. Acceptable values are Sign, Verify.',
        ),
        (lambda body: body["keyCredentials"].pop(0), "New password credentials must be generated using service actions."),
        (
            lambda body: body["passwordCredentials"][0].update(keyId=sample.guid("another")),
            "New password credentials must be generated using service actions.",
        ),
        (lambda body: body["passwordCredentials"][0].update(secretText="wrong"), "One or more properties contains invalid values."),
        (lambda body: body["passwordCredentials"].clear(), "One or more properties contains invalid values."),
        (lambda body: body["keyCredentials"][1].update(key="no base64!"), "One or more properties contains invalid values."),
        (lambda body: body["keyCredentials"][0].update(keyId=None), "New password credentials must be generated using service actions."),
        (lambda body: body["keyCredentials"][1].update(customKeyIdentifier=None), "One or more properties contains invalid values."),
        (lambda body: body["keyCredentials"][1].update(keyId="1"), "One or more properties contains invalid values."),
        (lambda body: body.update(keyCredentials="none"), "One or more properties contains invalid values."),
    ],
    ids=[
        "sign type",
        "usage",
        "lonely password",
        "other password",
        "wrong password",
        "no password",
        "no key",
        "no id",
        "no mark",
        "other id",
        "no list",
    ],
)
def test_custom_keys_that_are_refused(writer, tenant, own, change, message):
    """Types and usages: azure-docs#56589, graph-docs#11326; passwords: azure-docs#59275; "invalid values" is assumed for the rest."""
    body, _ = own
    change(body)
    assert writer.patch(AWS, body).error == (400, "Request_BadRequest", message)
    assert len(listed(tenant)) == 1


def test_activating_what_is_not_there_is_refused(writer, own):
    body, _ = own
    assert writer.patch(AWS, {"preferredTokenSigningKeyThumbprint": "00" * 20}).status == 400
    assert writer.patch(AWS, {**together(writer, body), "preferredTokenSigningKeyThumbprint": "00" * 20}).status == 400


def test_an_identifier_stands_for_one_certificate(writer, tenant, own):
    """A refused PATCH must not change what signs."""
    body, _ = own
    before = signs_with(tenant)
    mark = writer.get(AWS + KEYS).json["keyCredentials"][0]["customKeyIdentifier"]
    for one in (*body["keyCredentials"], *body["passwordCredentials"]):
        one["customKeyIdentifier"] = mark
    assert writer.patch(AWS, together(writer, body)).status == 400
    assert signs_with(tenant) == before


def test_the_log_tells_of_new_credentials(writer, tenant):
    """entra-docs reference-audit-activities: "Add service principal credentials"."""
    writer.post(ADD, {"displayName": "CN=New"})
    tenant.pass_time(180)
    row = writer.value("/auditLogs/directoryAudits")[0]
    assert row["activityDisplayName"] == "Add service principal credentials"
    assert "CN=New" in row["targetResources"][0]["modifiedProperties"][0]["newValue"]
