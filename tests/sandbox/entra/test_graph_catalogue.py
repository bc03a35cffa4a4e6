"""What can be read about the tenant itself."""

import uuid

import entra_sample as sample


def test_templates_by_name_and_id(reader):
    """entra-docs application-provisioning-configuration-api: the id of "AWS Single-Account Access"."""
    found = reader.value("/applicationTemplates?$filter=displayName eq 'AWS Single-Account Access'")
    assert [row["id"] for row in found] == [sample.TEMPLATE]
    assert "saml" in reader.get(f"/applicationTemplates/{sample.TEMPLATE}").json["supportedSingleSignOnModes"]
    assert reader.get(f"/applicationTemplates/{uuid.uuid4()}").status == 404


def test_policies_and_the_applications_that_they_apply_to(reader, writer):
    """graph/api/serviceprincipal-list-claimsmappingpolicies: even to read, it asks for a permission to write applications."""
    assert [row["id"] for row in writer.value(f"/servicePrincipals/{sample.AWS}/claimsMappingPolicies")] == [sample.POLICY]
    assert writer.value(f"/servicePrincipals/{sample.OTHER}/claimsMappingPolicies") == []
    assert reader.get(f"/servicePrincipals/{sample.AWS}/claimsMappingPolicies").status == 403
    assert reader.get(f"/policies/claimsMappingPolicies/{sample.POLICY}").json["definition"] == ["{}"]
    assert reader.get(f"/policies/claimsMappingPolicies/{uuid.uuid4()}").status == 404


def test_what_a_policy_applies_to_needs_the_right_to_read_it(reader):
    rows = reader.value(f"/policies/claimsMappingPolicies/{sample.POLICY}/appliesTo")
    assert [(row["id"], row["displayName"]) for row in rows] == [(sample.AWS, "AWS")]


def test_provisioning_jobs(writer):
    """entra-docs application-provisioning-configuration-api: an active job means that roles must not be edited by hand."""
    path = f"/servicePrincipals/{sample.AWS}/synchronization"
    job = writer.value(f"{path}/jobs")[0]
    assert (job["templateId"], job["status"]["code"], job["schedule"]["state"]) == ("aws", "Paused", "Disabled")
    assert writer.get(f"{path}/jobs/{job['id']}").json["id"] == job["id"]
    assert writer.get(f"{path}/jobs/none").status == 404
    assert [row["factoryTag"] for row in writer.value(f"{path}/templates")] == ["aws"]
    assert writer.value(f"/servicePrincipals/{sample.OTHER}/synchronization/jobs") == []


def test_licences_and_the_organization(reader):
    assert [row["skuPartNumber"] for row in reader.value("/subscribedSkus")] == ["AAD_PREMIUM"]
    row = reader.value("/organization")[0]
    assert (row["id"], row["verifiedDomains"][0]["name"]) == (sample.TENANT, sample.DOMAIN)


def test_objects_by_their_ids(reader):
    """graph/api/directoryobject-getbyids: unknown ids are left out; at most 1,000."""
    path = "/directoryObjects/getByIds"
    wanted = {"ids": [sample.ANNA, sample.ADMINS, sample.AWS, str(uuid.uuid4())]}
    kinds = [row["@odata.type"].rpartition(".")[2] for row in reader.post(path, wanted).json["value"]]
    assert kinds == ["user", "group", "servicePrincipal"]
    assert len(reader.post("/directoryObjects/microsoft.graph.getByIds", {**wanted, "types": ["group"]}).json["value"]) == 1
    assert reader.post(path, {"ids": [sample.ANNA] * 1001}).status == 400
    assert reader.post(path, {"ids": "all"}).status == 400
