"""What differs in the twin of a national cloud: the gallery, what Graph lacks, and who issues.

Sources: learn.microsoft.com graph/deployments, graph/api/applicationtemplate-instantiate; entra-docs federation-metadata.
"""

import entra_sample as sample
import pytest
from defusedxml.ElementTree import fromstring
from werkzeug.test import Client

from awsfed_lib.sandbox import saml

METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
CUSTOM = {
    "global": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621",
    "usgov": "4602d0b4-76bb-404b-bca9-2652e1a39c6d",
    "china": "5a532e38-1581-4918-9658-008dc27c1d68",
}


def switch(tenant, cloud):
    tenant.switches = tenant.switches.changed({"cloud": cloud})


@pytest.mark.parametrize("cloud", list(CUSTOM))
def test_template_ids_are_per_cloud(reader, tenant, cloud):
    """applicationtemplate-instantiate lists one id a cloud for non-gallery applications; a template of another cloud is unknown."""
    switch(tenant, cloud)
    found = {row["displayName"]: row["id"] for row in reader.value("/applicationTemplates")}
    assert found["Custom"] == CUSTOM[cloud]
    other = CUSTOM["usgov" if cloud == "global" else "global"]
    assert reader.get(f"/applicationTemplates/{other}").status == 404


def test_the_aws_template_has_to_be_looked_up_by_name(reader, tenant):
    """Its id outside the global cloud was not found, so that the twin's is invented; China has none ("not AWS China")."""
    by_name = "/applicationTemplates?$filter=displayName eq 'AWS Single-Account Access'"
    assert [row["id"] for row in reader.value(by_name)] == [sample.TEMPLATE]
    switch(tenant, "usgov")
    assert [row["id"] == sample.TEMPLATE for row in reader.value(by_name)] == [False]
    switch(tenant, "china")
    assert reader.value(by_name) == []


@pytest.mark.parametrize("cloud", list(CUSTOM))
def test_instantiate_is_in_every_cloud(writer, tenant, cloud):
    switch(tenant, cloud)
    assert writer.post(f"/applicationTemplates/{CUSTOM[cloud]}/instantiate", {"displayName": "AWS"}).status == 201


@pytest.mark.parametrize(
    ("cloud", "issuer", "login"),
    [
        ("global", "sts.windows.net", "login.microsoftonline.com"),
        ("usgov", "sts.windows.net", "login.microsoftonline.us"),
        ("china", "sts.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
    ],
)
def test_metadata_and_responses_name_the_same_issuer(front, tenant, cloud, issuer, login):
    """AWS compares the Issuer of a response with the entityID of the provider's metadata."""
    switch(tenant, cloud)
    path = f"/{sample.TENANT}/federationmetadata/2007-06/federationmetadata.xml"
    root = fromstring(Client(front).get(path, query_string={"appid": sample.AWS_APP}).data)
    assert root.get("entityID") == f"https://{issuer}/{sample.TENANT}/" == saml.claims(tenant, sample.AWS, sample.ANNA).issuer
    assert {node.get("Location") for node in root.iter(f"{METADATA}SingleSignOnService")} == {f"https://{login}/{sample.TENANT}/saml2"}


def test_national_clouds_lack_properties_of_applications(writer, tenant):
    """msgraph-metadata: in v1.0-Prod.csdl, not in v1.0-Fairfax.csdl and v1.0-Mooncake.csdl."""
    only = {"certification", "samlMetadataUrl", "verifiedPublisher"}
    assert only <= writer.get(f"/applications/{sample.AWS_APPLICATION}").json.keys()
    switch(tenant, "usgov")
    made = writer.post(f"/applicationTemplates/{CUSTOM['usgov']}/instantiate", {"displayName": "AWS"}).json["application"]
    listed = writer.value("/applications")
    assert not any(only & row.keys() for row in (made, *listed, writer.get(f"/applications/{sample.AWS_APPLICATION}").json))


def test_an_unknown_cloud_is_no_value_of_the_switch(tenant):
    with pytest.raises(ValueError, match="cloud"):
        switch(tenant, "germany")
