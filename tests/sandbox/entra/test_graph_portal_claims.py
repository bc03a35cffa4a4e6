"""What the portal's claims blade writes, and which source of claims wins.

Sources: learn.microsoft.com graph/api/resources/customclaimspolicy, serviceprincipal-put-claimspolicy (beta).
"""

import entra_sample as sample
import pytest

from awsfed_lib.sandbox import emission, saml

PATH = f"/beta/servicePrincipals/{sample.OTHER}/claimsPolicy"
AWS = "https://aws.amazon.com/SAML/Attributes"


def claim(name, attribute):
    configuration = {"condition": None, "attribute": attribute, "transformations": []}
    return {
        "@odata.type": "#microsoft.graph.customClaim",
        "name": name,
        "namespace": AWS,
        "tokenFormat": ["saml"],
        "configurations": [configuration],
    }


CLAIMS = [
    claim("RoleSessionName", {"@odata.type": "#microsoft.graph.sourcedAttribute", "id": "userprincipalname", "source": "user"}),
    claim("SessionDuration", {"@odata.type": "#microsoft.graph.valueBasedAttribute", "value": "7200"}),
]


@pytest.fixture(autouse=True)
def in_saml_mode(writer):
    writer.patch(f"/servicePrincipals/{sample.OTHER}", {"preferredSingleSignOnMode": "saml"})


def test_it_is_not_there_until_the_blade_was_saved(writer):
    assert writer.get(PATH).error[:2] == (404, "Request_ResourceNotFound")
    assert writer.patch(PATH, {"claims": []}).status == 404
    assert writer("PUT", PATH, {"claims": CLAIMS}).status == 201
    assert writer.get(PATH).json["claims"] == CLAIMS


def test_only_beta_has_it(writer):
    """Absent from the v1.0 metadata."""
    text = "Resource not found for the segment 'claimsPolicy'."
    assert writer.get(PATH.replace("beta", "v1.0")).error == (400, "BadRequest", text)


def test_a_put_that_leaves_it_out_changes_the_issuer(writer, tenant):
    """The trap: includeApplicationIdInIssuer is true by default, and AWS knows the tenant's issuer only."""
    assert writer("PUT", PATH, {"claims": CLAIMS}).json["includeApplicationIdInIssuer"] is True
    assert saml.claims(tenant, sample.OTHER, sample.ANNA).issuer == f"https://sts.windows.net/{sample.TENANT}/{sample.OTHER_APP}"
    assert writer.patch(PATH, {"includeApplicationIdInIssuer": False}).status == 204
    assert saml.claims(tenant, sample.OTHER, sample.ANNA).issuer == f"https://sts.windows.net/{sample.TENANT}/"


def test_the_portal_decides_until_a_mapping_policy_does(writer, tenant):
    """A claims mapping policy wins whole: nothing of the portal's claims is left."""

    def emitted():
        said = saml.claims(tenant, sample.OTHER, sample.ANNA)
        return {name.rpartition("/")[2]: list(values) for name, values in emission.attributes(said, 3600) if name.startswith(AWS)}

    assert emitted()["SessionDuration"] == ["3600"]
    writer("PUT", PATH, {"claims": CLAIMS})
    assert emitted() == {"RoleSessionName": [f"anna.admin@{sample.DOMAIN}"], "SessionDuration": ["7200"]}
    text = '{"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [{"Value": "900", "SamlClaimType": "%s/SessionDuration"}]}}' % AWS
    policy = writer.post("/policies/claimsMappingPolicies", {"definition": [text], "displayName": "x"}).json["id"]
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/policies/claimsMappingPolicies/{policy}"}
    assert writer.post(f"/servicePrincipals/{sample.OTHER}/claimsMappingPolicies/$ref", reference).status == 204
    assert emitted() == {"SessionDuration": ["900"]}
    assert saml.claims(tenant, sample.OTHER, sample.ANNA).issuer == f"https://sts.windows.net/{sample.TENANT}/"


@pytest.mark.parametrize("body", [{"claims": "none"}, {"Claims": []}], ids=["no list", "unknown"])
def test_what_is_refused(writer, body):
    assert writer("PUT", PATH, body).status == 400


def test_reading_and_writing_have_their_permissions(reader, writer, signed_in):
    """There is no permission that only reads it (permissions-reference)."""
    writer("PUT", PATH, {"claims": CLAIMS})
    assert writer.get(PATH).status == 200
    assert reader.get(PATH).status == reader("PUT", PATH, {"claims": []}).status == signed_in(sample.POOR).get(PATH).status == 403
