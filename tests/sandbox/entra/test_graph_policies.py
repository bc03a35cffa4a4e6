"""Claims mapping policies: made, changed, applied to the application, taken away.

Sources: learn.microsoft.com graph/api/claimsmappingpolicy-post-claimsmappingpolicies, serviceprincipal-post-claimsmappingpolicies;
graph/application-saml-sso-configure-api; entra-docs reference-claims-customization; the issues named at the tests.
"""

import json
import uuid

import entra_sample as sample
import pytest

POLICIES = "/policies/claimsMappingPolicies"
OF_AWS, OF_OTHER = (f"/servicePrincipals/{one}/claimsMappingPolicies" for one in (sample.AWS, sample.OTHER))
AWS = "https://aws.amazon.com/SAML/Attributes/"
SCHEMA = [
    {"Source": "user", "ID": "assignedroles", "SamlClaimType": f"{AWS}Role"},
    {"Source": "user", "ID": "userprincipalname", "SamlClaimType": f"{AWS}RoleSessionName"},
    {"Value": "900", "SamlClaimType": f"{AWS}SessionDuration"},
]
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def definition(**changes):
    return [json.dumps({"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": SCHEMA} | changes})]


def reference(key):
    return {"@odata.id": f"https://graph.microsoft.com/v1.0{POLICIES}/{key}"}


@pytest.fixture
def policy(writer):
    found = writer.post(POLICIES, {"definition": definition(), "displayName": "AWS Claims", "isOrganizationDefault": False})
    assert found.status == 201, found.text
    return found.json


def test_a_new_policy_can_be_read_back(writer, policy):
    """application-saml-sso-configure-api: 201 with the definition letter for letter."""
    assert (policy["definition"], policy["displayName"], policy["isOrganizationDefault"]) == (definition(), "AWS Claims", False)
    found = writer.get(f"{POLICIES}/{policy['id']}").json
    assert {name: found[name] for name in found if name != "@odata.context"} == {
        name: policy[name] for name in policy if name != "@odata.context"
    }


def test_names_are_not_unique(writer, policy):
    """The trap: a POST whose answer was lost makes a second policy when it is sent again."""
    again = writer.post(POLICIES, {"definition": definition(), "displayName": "AWS Claims"}).json
    assert again["id"] != policy["id"]
    assert len(writer.value(f"{POLICIES}?$filter=displayName eq 'AWS Claims'")) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        definition() * 2,
        "{}",
        ["no json"],
        ["{}"],
        ['{"claimsMappingPolicy": {"Version": 1}}'],
        definition(Version=2),
        definition(version=1),
        definition(IncludeBasicClaimSet="yes"),
        definition(ClaimsSchema=[{"Source": "user", "Id": "mail", "SamlClaimType": "x"}]),
        definition(ClaimsSchema=[{"Source": "everyone", "ID": "mail", "SamlClaimType": "x"}]),
        definition(ClaimsSchema=[{"Value": 900, "SamlClaimType": "x"}]),
        definition(ClaimsSchema=[{"SamlClaimType": "x"}]),
        definition(ClaimsSchema=[{"Value": "900", "samlClaimType": "x"}]),
        definition(ClaimsSchema={}),
        [1],
        [{"ClaimsMappingPolicy": {}}],
    ],
    ids=["none", "two", "text", "no json", "empty", "case of the root", "version", "case of a key", "flag", "case of ID", "source",
         "number", "nothing", "case of the type", "no list", "no text", "no string"],
)  # fmt: skip
def test_definitions_that_are_refused(writer, policy, wrong):
    """One text, case-sensitive keys; the message never tells which (entra-docs#121; graph-docs#9732)."""
    expected = (400, "Request_BadRequest", "Property definition has an invalid value.")
    if wrong:
        assert writer.post(POLICIES, {"definition": wrong, "displayName": "x"}).error == expected
    assert writer.patch(f"{POLICIES}/{policy['id']}", {"definition": wrong}).error == expected


def test_what_a_new_policy_needs(writer):
    assert writer.post(POLICIES, {"displayName": "x"}).error[2] == "A value is required for property 'definition' of resource 'Policy'."
    assert (
        writer.post(POLICIES, {"definition": definition()}).error[2]
        == "A value is required for property 'displayName' of resource 'Policy'."
    )


def test_a_description_is_a_404(writer):
    """docs-contrib#1929: with a description the same POST is answered 404."""
    assert writer.post(POLICIES, {"definition": definition(), "displayName": "x", "description": "y"}).status == 404


def test_a_policy_is_changed_and_deleted(writer, policy):
    path = f"{POLICIES}/{policy['id']}"
    assert writer.patch(path, {"definition": definition(Version=1, ClaimsSchema=SCHEMA[:1])}).status == 204
    assert json.loads(writer.get(path).json["definition"][0])["ClaimsMappingPolicy"]["ClaimsSchema"] == SCHEMA[:1]
    assert writer.delete(path).status == 204
    assert writer.get(path).status == writer.delete(path).status == writer.patch(path, {"displayName": "x"}).status == 404


def test_a_deleted_policy_applies_to_nothing(writer, policy):
    """Inferred: no page says that a policy in use cannot be deleted. It leaves room for another."""
    assert writer.delete(f"{POLICIES}/{sample.POLICY}").status == 204
    assert writer.value(OF_AWS) == []
    assert writer.post(f"{OF_AWS}/$ref", reference(policy["id"])).status == 204


def test_a_policy_is_applied_and_withdrawn(writer, policy):
    """serviceprincipal-post-claimsmappingpolicies: POST …/$ref, 204."""
    assert writer.post(f"{OF_OTHER}/$ref", reference(policy["id"])).status == 204
    assert [row["id"] for row in writer.value(OF_OTHER)] == [policy["id"]]
    assert [row["id"] for row in writer.value(f"{POLICIES}/{policy['id']}/appliesTo")] == [sample.OTHER]
    assert writer.delete(f"{OF_OTHER}/{policy['id']}/$ref").status == 204
    assert writer.value(OF_OTHER) == []
    assert writer.delete(f"{OF_OTHER}/{policy['id']}/$ref").error[:2] == (404, "Request_ResourceNotFound")


def test_the_reference_may_go_through_directory_objects(writer, policy):
    """As Terraform writes it (hashicorp/terraform-provider-azuread)."""
    found = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{policy['id']}"}
    assert writer.post(f"{OF_OTHER}/$ref", found).status == 204


def test_an_application_has_one_policy(writer, policy):
    """One at most (reference-claims-customization); what Graph answers was not found, so that the texts are assumed."""
    text = "A conflicting object with one or more of the specified property values is present in the directory."
    assert writer.post(f"{OF_AWS}/$ref", reference(policy["id"])).error == (400, "Request_BadRequest", text)
    text = "One or more added object references already exist for the following modified properties: 'policies'."
    assert writer.post(f"{OF_AWS}/$ref", reference(sample.POLICY)).error == (400, "Request_BadRequest", text)
    assert [row["id"] for row in writer.value(OF_AWS)] == [sample.POLICY]


def test_without_ref_nothing_is_applied(writer, policy):
    """graph-docs#18898: what is sent when a shell has eaten `$ref`."""
    text = "Write requests are only supported on contained entities or navigation properties with bindings."
    assert writer.post(OF_OTHER, reference(policy["id"])).error == (400, "BadRequest", text)


def test_references_that_lead_nowhere(writer):
    assert writer.post(f"{OF_OTHER}/$ref", reference(uuid.uuid4())).error[:2] == (404, "Request_ResourceNotFound")
    assert writer.post(f"{OF_OTHER}/$ref", {"@odata.id": f"https://x/v1.0/users/{sample.ANNA}"}).error[2] == "Not a valid reference update."
    assert writer.post(f"{OF_OTHER}/$ref", {"id": sample.POLICY}).status == 400


def test_who_may(reader, signed_in, person):
    """Policy.ReadWrite.ApplicationConfiguration for policies; to apply one, the application has to be writable as well."""
    body = {"definition": definition(), "displayName": "x"}
    assert reader.post(POLICIES, body).error == DENIED
    assert reader.post(f"{OF_OTHER}/$ref", reference(sample.POLICY)).error == DENIED
    assert signed_in(sample.OWNER).post(f"{OF_OTHER}/$ref", reference(sample.POLICY)).error == DENIED
    assert person().post(POLICIES, body).error == DENIED


def test_a_replica_does_not_know_the_new_policy_yet(writer, tenant, policy):
    """An app-only reference to what was just made may be refused; the same request works later."""
    tenant.switches = tenant.switches.changed({"lag_reads": 1})
    made = writer.post(POLICIES, {"definition": definition(), "displayName": "x"}).json
    assert writer.post(f"{OF_OTHER}/$ref", reference(made["id"])).status == 404
    assert writer.post(f"{OF_OTHER}/$ref", reference(made["id"])).status == 204
    assert policy


def test_the_log_tells_of_policies(writer, policy, tenant):
    """entra-docs reference-audit-activities."""
    writer.post(f"{OF_OTHER}/$ref", reference(policy["id"]))
    writer.delete(f"{OF_OTHER}/{policy['id']}/$ref")
    tenant.pass_time(180)
    names = [row["activityDisplayName"] for row in writer.value("/auditLogs/directoryAudits")]
    assert names[:3] == ["Remove policy from service principal", "Add policy to service principal", "Add policy"]
