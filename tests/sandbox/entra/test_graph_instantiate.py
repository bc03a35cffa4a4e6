"""Adding the application from the gallery, and its single sign-on settings in Microsoft's order.

Sources: learn.microsoft.com graph/api/applicationtemplate-instantiate, graph/application-saml-sso-configure-api,
graph/api/serviceprincipal-update; entra-docs identifier-uri-restrictions.
"""

import uuid

import entra_sample as sample
import pytest

PATH = f"/applicationTemplates/{sample.TEMPLATE}/instantiate"
SAML = "https://signin.aws.amazon.com/saml"


@pytest.fixture
def made(writer):
    found = writer.post(PATH, {"displayName": "AWS of the tutorial"})
    assert found.status == 201, found.text
    return found.json


def test_one_post_makes_an_application_and_its_service_principal(writer, made):
    """graph/api/applicationtemplate-instantiate: both bodies, and both can be read afterwards."""
    application, principal = made["application"], made["servicePrincipal"]
    assert made["@odata.context"].endswith("$metadata#microsoft.graph.applicationServicePrincipal")
    assert application["appId"] == principal["appId"]
    assert {application["id"], principal["id"]}.isdisjoint({application["appId"]})
    assert (application["applicationTemplateId"], principal["applicationTemplateId"]) == (sample.TEMPLATE, sample.TEMPLATE)
    assert (application["signInAudience"], application["identifierUris"], application["tags"]) == ("AzureADMyOrg", [], [])
    assert application["web"]["redirectUris"] == [SAML] == principal["replyUrls"]
    assert principal["homepage"] == f"{SAML}?metadata=aws|ISV9.1|primary|z"
    assert writer.get(f"/applications/{application['id']}").json["displayName"] == "AWS of the tutorial"
    assert writer.get(f"/servicePrincipals/{principal['id']}").json["servicePrincipalNames"] == [application["appId"]]


def test_the_instance_comes_with_msiam_access_and_one_scope(made):
    """entra-docs enterprise-app-role-management: the template's own role, value null; user_impersonation takes a place among the 700."""
    roles = made["servicePrincipal"]["appRoles"]
    assert [(role["displayName"], role["value"], role["origin"]) for role in roles] == [("msiam_access", None, "Application")]
    scope = made["application"]["api"]["oauth2PermissionScopes"][0]
    assert (scope["value"], scope["adminConsentDisplayName"]) == ("user_impersonation", "Access AWS of the tutorial")
    assert made["servicePrincipal"]["oauth2PermissionScopes"] == [scope]


def test_a_new_instance_is_not_ready_for_saml(made):
    """Assignment is required from the start; mode, certificate and settings are empty until they are written."""
    principal = made["servicePrincipal"]
    assert principal["appRoleAssignmentRequired"] is True
    assert principal["tags"] == ["WindowsAzureActiveDirectoryIntegratedApp"]
    empty = ("preferredSingleSignOnMode", "preferredTokenSigningKeyThumbprint", "samlSingleSignOnSettings", "loginUrl")
    assert [principal[name] for name in empty] == [None] * 4
    assert principal["keyCredentials"] == principal["passwordCredentials"] == []


def test_a_second_post_makes_a_second_pair_of_the_same_name(writer, made):
    """The trap: the call is not idempotent, and names are not unique."""
    again = writer.post(PATH, {"displayName": "AWS of the tutorial"})
    assert again.status == 201
    found = writer.value("/servicePrincipals?$filter=displayName eq 'AWS of the tutorial'")
    assert {one["id"] for one in found} == {made["servicePrincipal"]["id"], again.json["servicePrincipal"]["id"]}


def test_a_replica_does_not_know_the_new_pair_yet(writer, tenant):
    """devblogs designing-for-eventual-consistency: what was just created may be missing to app-only callers."""
    tenant.switches = tenant.switches.changed({"lag_reads": 2})
    path = f"/servicePrincipals/{writer.post(PATH, {'displayName': 'New'}).json['servicePrincipal']['id']}"
    refused = writer.get(path)
    assert refused.error[:2] == (404, "Request_ResourceNotFound")
    assert 200 in [writer.get(path).status for _ in range(4)]


def test_who_may_add_applications(reader, signed_in, person):
    """Application.ReadWrite.OwnedBy is enough, because the caller becomes the owner; a person needs a directory role."""
    denied = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    assert reader.post(PATH, {"displayName": "X"}).error == denied
    assert person().post(PATH, {"displayName": "X"}).error == denied
    owner = signed_in(sample.OWNER)
    made = owner.post(PATH, {"displayName": "Owned"}).json["servicePrincipal"]
    assert owner.patch(f"/servicePrincipals/{made['id']}", {"preferredSingleSignOnMode": "saml"}).status == 204
    assert owner.patch(f"/servicePrincipals/{sample.AWS}", {"notes": "not mine"}).error == denied


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "Request_BadRequest"), ({"displayName": "x" * 121}, "Request_BadRequest"), ({"displayName": "x", "tags": []}, "BadRequest")],
    ids=["no name", "long name", "unknown parameter"],
)
def test_what_cannot_be_instantiated(writer, body, code):
    assert writer.post(PATH, body).error[:2] == (400, code)


def test_an_unknown_template(writer):
    missing = str(uuid.uuid4())
    text = f"Resource '{missing}' does not exist or one of its queried reference-property objects are not present."
    assert writer.post(f"/applicationTemplates/{missing}/instantiate", {"displayName": "x"}).error == (
        404,
        "Request_ResourceNotFound",
        text,
    )


def test_other_templates_bring_other_roles(writer):
    """The id of msiam_access differs per template: it has to be found by name."""
    found = {}
    for row in writer.value("/applicationTemplates"):
        made = writer.post(f"/applicationTemplates/{row['id']}/instantiate", {"displayName": row["displayName"]}).json
        found[row["displayName"]] = {role["displayName"]: role["id"] for role in made["servicePrincipal"]["appRoles"]}
    assert all("msiam_access" in roles for roles in found.values())
    assert len({roles["msiam_access"] for roles in found.values()}) == 3


def test_saml_mode_comes_before_the_identifier(writer, made):
    """identifier-uri-restrictions: a foreign host needs the SAML exemption (code and text: Azure/Industrial-IoT#1432)."""
    application, principal = f"/applications/{made['application']['id']}", f"/servicePrincipals/{made['servicePrincipal']['id']}"
    body = {"identifierUris": [f"{SAML}#1"]}
    text = f"Values of identifierUris property must use a verified domain of the organization or its subdomain: '{SAML}#1'"
    assert writer.patch(application, body).error == (400, "HostNameNotOnVerifiedDomain", text)
    assert writer.patch(application, {"identifierUris": [f"api://{made['application']['appId']}"]}).status == 204
    assert writer.patch(principal, {"preferredSingleSignOnMode": "saml"}).status == 204
    assert writer.patch(application, body).status == 204
    assert writer.get(principal).json["servicePrincipalNames"] == [made["application"]["appId"], f"{SAML}#1"]


def test_the_identifier_is_unique_in_the_tenant(writer, made):
    """entra-docs supported-accounts-validation: the first instance has `…/saml`, the next needs `…/saml#1` (Microsoft's AWS tutorial)."""
    writer.patch(f"/servicePrincipals/{made['servicePrincipal']['id']}", {"preferredSingleSignOnMode": "saml"})
    text = "Another object with the same value for property identifierUris already exists."
    found = writer.patch(f"/applications/{made['application']['id']}", {"identifierUris": [SAML]})
    assert found.error == (400, "Request_BadRequest", text)


def test_settings_of_single_sign_on(writer, made):
    """graph/api/serviceprincipal-update: what the tutorial sets in the portal."""
    path = f"/servicePrincipals/{made['servicePrincipal']['id']}"
    body = {
        "samlSingleSignOnSettings": {"relayState": "https://console.aws.amazon.com/ec2"},
        "notificationEmailAddresses": ["cloud@contoso.example"],
        "loginUrl": "https://signin.aws.amazon.com/console",
        "accountEnabled": False,
        "appRoleAssignmentRequired": False,
        "notes": "awsfed",
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp", "awsfed"],
    }
    assert writer.patch(path, body).status == 204
    found = writer.get(path).json
    assert {name: found[name] for name in body} == body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"notificationEmailAddresses": [f"{n}@contoso.example" for n in range(6)]}, 400),
        ({"notificationEmailAddresses": ["nobody"]}, 400),
        ({"samlSingleSignOnSettings": {"relay": "x"}}, 400),
        ({"samlSingleSignOnSettings": {"relayState": 1}}, 400),
        ({"samlSingleSignOnSettings": "x"}, 400),
        ({"loginUrl": 1}, 400),
        ({"preferredSingleSignOnMode": "SAML2"}, 400),
        ({"appRoleAssignmentRequired": "yes"}, 400),
        ({"customSecurityAttributes": {"Engineering": {}}}, 403),
    ],
    ids=["six addresses", "no address", "other setting", "number", "text", "login", "mode", "flag", "security attributes"],
)
def test_settings_that_are_refused(writer, body, status):
    assert writer.patch(f"/servicePrincipals/{sample.AWS}", body).status == status


def test_the_log_tells_both_objects(writer, made, tenant):
    """entra-docs reference-audit-activities: "Add application" and "Add service principal"."""
    tenant.pass_time(180)
    names = [row["activityDisplayName"] for row in writer.value("/auditLogs/directoryAudits")]
    assert names[:2] == ["Add service principal", "Add application"]
    assert made
