"""Federation metadata and the certificates in it.

Sources: entra-docs federation-metadata and tutorial-manage-certificates-for-federated-single-sign-on.
"""

import base64
from datetime import timedelta

import entra_sample as sample
import pytest
from cryptography import x509
from defusedxml.ElementTree import fromstring
from werkzeug.test import Client

from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.store import Tenant

PATH = f"/{sample.TENANT}/federationmetadata/2007-06/federationmetadata.xml"
METADATA, SIGNATURE = "{urn:oasis:names:tc:SAML:2.0:metadata}", "{http://www.w3.org/2000/09/xmldsig#}"


def certificates(text):
    root = fromstring(text.encode())
    found = [node.text for node in root.find(f"{METADATA}IDPSSODescriptor").iter(f"{SIGNATURE}X509Certificate")]
    return [x509.load_der_x509_certificate(base64.b64decode(one)) for one in found]


@pytest.fixture
def rolled(world, ring, clock):
    """The application with three certificates: an expired one, the active one, a new one that waits."""
    moments = [(-900, -5), (-400, 20), (-1, 1095)]
    world["servicePrincipals"][0]["signingCertificates"] = [
        {
            "startDateTime": seconds(clock.now + timedelta(days=start)),
            "endDateTime": seconds(clock.now + timedelta(days=end)),
            "active": nth == 1,
        }
        for nth, (start, end) in enumerate(moments)
    ]
    return Tenant(world, clock=clock, keys=ring)


def test_the_document_is_that_of_the_application(front, tenant):
    found = Client(front).get(PATH, query_string={"appid": sample.AWS_APP})
    assert found.content_type.startswith("application/xml")
    root = fromstring(found.data)
    assert root.get("entityID") == f"https://sts.windows.net/{sample.TENANT}/"
    assert certificates(found.text) == [tenant.signing_key(sample.AWS_APP)[1]]
    assert found.text == tenant.metadata(sample.AWS)
    bindings = [node.get("Binding").rpartition(":")[2] for node in root.iter(f"{METADATA}SingleSignOnService")]
    assert bindings == ["HTTP-Redirect", "HTTP-POST"]


def test_without_appid_it_holds_the_keys_of_the_tenant(front, tenant):
    """The trap: a provider made from the tenant-wide document trusts a key that does not sign this application's responses."""
    found = Client(front).get(PATH)
    assert certificates(found.text) != [tenant.signing_key(sample.AWS)[1]]
    assert found.text == tenant.metadata("", "tenant")


def test_a_stale_document_holds_a_certificate_that_no_longer_signs(tenant):
    assert certificates(tenant.metadata(sample.AWS, "stale")) != certificates(tenant.metadata(sample.AWS))
    assert tenant.metadata(sample.AWS, "stale") == tenant.metadata(sample.AWS, "stale")


def test_an_unknown_application_and_one_without_a_certificate(front, tenant):
    """The trap: metadata that was fetched before the certificate was made holds the tenant's keys (inferred: access-tokens, `appid`)."""
    assert Client(front).get(PATH, query_string={"appid": sample.guid("nobody")}).json["error_codes"] == [700016]
    assert Client(front).get(PATH, query_string={"appid": sample.OTHER_APP}).text == tenant.metadata("", "tenant")
    assert certificates(tenant.metadata("", "tenant")) == [tenant.signing_key(sample.OTHER)[1]]
    with pytest.raises(KeyError, match="no signing certificate"):
        tenant.metadata(sample.OTHER)


def test_the_byte_order_mark_switch(tenant):
    tenant.switches = tenant.switches.changed({"metadata_bom": True})
    assert tenant.metadata(sample.AWS).startswith("\ufeff<?xml")


def test_the_active_certificate_comes_first_and_the_others_follow(rolled):
    found = certificates(rolled.metadata(sample.AWS))
    assert len(found) == 3
    assert found[0] == rolled.signing_key(sample.AWS)[1]
    assert found[0].not_valid_after_utc < found[2].not_valid_after_utc


def test_an_expired_active_certificate_gives_way_to_a_valid_one(rolled, clock):
    """entra-docs: "If the active certificate is expired and a valid inactive one exists, it is used automatically"."""
    before = rolled.signing_key(sample.AWS)[1]
    clock.pass_(21 * 86400)
    after = rolled.signing_key(sample.AWS)[1]
    assert before != after
    assert after.not_valid_after_utc > clock.now


def test_credentials_of_one_certificate_belong_together(reader):
    """graph/api/serviceprincipal-addtokensigningcertificate: three entries, one customKeyIdentifier, the base64 of the thumbprint."""
    found = reader.get(
        f"/servicePrincipals/{sample.AWS}?$select=keyCredentials,passwordCredentials,preferredTokenSigningKeyThumbprint"
    ).json
    sign, verify = found["keyCredentials"]
    password = found["passwordCredentials"][0]
    assert {sign["customKeyIdentifier"], verify["customKeyIdentifier"], password["customKeyIdentifier"]} == {sign["customKeyIdentifier"]}
    assert base64.b64decode(sign["customKeyIdentifier"]).hex().upper() == found["preferredTokenSigningKeyThumbprint"]
    assert (sign["type"], verify["type"]) == ("X509CertAndPassword", "AsymmetricX509Cert")
    assert sign["keyId"] == password["keyId"] != verify["keyId"]
    assert password["secretText"] is None


def test_activation_changes_what_signs_and_what_metadata_lists_first(rolled):
    """Microsoft's tutorial: PATCH preferredTokenSigningKeyThumbprint activates."""
    from awsfed_lib.sandbox.entra import certificates as held
    from awsfed_lib.sandbox.entra import issuing
    from awsfed_lib.sandbox.front import Front

    waiting = held.held(rolled.principal(sample.AWS), rolled.vault)[2]
    made = issuing.for_application(rolled, rolled.client_credentials(sample.WRITER), "https://graph.microsoft.com")
    headers = {"Authorization": f"Bearer {made['access_token']}"}
    body = {"preferredTokenSigningKeyThumbprint": held.thumbprint(waiting)}
    found = Client(Front(rolled)).patch(f"/v1.0/servicePrincipals/{sample.AWS}", json=body, headers=headers)
    assert found.status_code == 204
    assert rolled.signing_key(sample.AWS)[1] == waiting.certificate == certificates(rolled.metadata(sample.AWS))[0]
