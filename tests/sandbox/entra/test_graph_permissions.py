"""Whose token opens which door: 401 and 403."""

import entra_sample as sample
import jwt
import pytest

from awsfed_lib.sandbox.entra import issuing
from awsfed_lib.sandbox.entra.tokens import GLOBAL_ADMINISTRATOR
from awsfed_lib.sandbox.keys import KeyRing
from awsfed_lib.sandbox.store import Write

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
BODY = {"principalId": sample.BEN, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}


@pytest.fixture
def holding(tenant, signed_in):
    """A client with exactly these permissions."""

    def sign_in(*permissions):
        tenant.client_credentials(sample.POOR).permissions = frozenset(permissions)
        return signed_in(sample.POOR)

    return sign_in


def forged(tenant, **claims):
    token = issuing.for_application(tenant, tenant.client_credentials(sample.READER), "https://graph.microsoft.com")["access_token"]
    return jwt.decode(token, options={"verify_signature": False}) | claims


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "https://management.azure.com"}, "Access token validation failure. Invalid audience."),
        ({"tid": sample.guid("another tenant")}, "Access token validation failure. Invalid issuer."),
        ({"exp": 1}, "Lifetime validation failed, the token is expired."),
    ],
)
def test_tokens_for_others_and_old_ones(reader, tenant, claims, words):
    """docs-contrib concepts/errors.md."""
    reader.token = jwt.encode(forged(tenant, **claims), tenant.keys.key("token"), "RS256")
    answer = reader.get(PRINCIPAL)
    assert answer.error == (401, "InvalidAuthenticationToken", words)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json["error"]["innerError"]["request-id"] == answer.headers["request-id"]


def test_a_token_signed_by_somebody_else(reader, tenant):
    reader.token = jwt.encode(forged(tenant), KeyRing().key("mine"), "RS256")
    assert reader.get(PRINCIPAL).error == (401, "InvalidAuthenticationToken", "Access token validation failure. Invalid signature.")


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", ""])
def test_tokens_that_are_none(reader, token):
    """docs-contrib concepts/errors.md: empty, or CompactToken parsing."""
    reader.token = token
    words = "CompactToken parsing failed with error code: 80049217" if token else "Access token is empty."
    assert reader.get(PRINCIPAL).error == (401, "InvalidAuthenticationToken", words)


def test_a_bad_token_is_told_before_a_bad_path(reader):
    reader.token = ""
    assert reader.get("/nothing").status == 401


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        (PRINCIPAL, "Application.Read.All"),
        (f"/applications/{sample.AWS_APPLICATION}", "Application.ReadWrite.OwnedBy"),
        (f"{PRINCIPAL}/appRoleAssignedTo", "Directory.Read.All"),
        ("/groups", "GroupMember.Read.All"),
        (f"/groups/{sample.ADMINS}/members", "GroupMember.ReadBasic.All"),
        (f"/groups/{sample.ADMINS}/appRoleAssignments", "Group.Read.All"),
        ("/users", "User.ReadBasic.All"),
        ("/policies/claimsMappingPolicies", "Policy.Read.All"),
        ("/auditLogs/directoryAudits", "AuditLog.Read.All"),
        ("/organization", "Organization.Read.All"),
        ("/subscribedSkus", "LicenseAssignment.Read.All"),
        (f"{PRINCIPAL}/synchronization/jobs", "Synchronization.Read.All"),
    ],
)
def test_the_least_permission_of_every_read(holding, path, permission):
    """microsoft-graph-devx-content permissions/new/permissions.json."""
    assert holding("Mail.Read").get(path).error == DENIED
    assert holding(permission).get(path).status == 200


def test_templates_need_only_a_valid_token(holding):
    """graph/api/applicationtemplate-get."""
    assert holding().get("/applicationTemplates").status == 200


def test_assigning_needs_two_permissions(holding):
    """graph-docs#12833, #20368: AppRoleAssignment.ReadWrite.All alone is 403."""
    path = f"{PRINCIPAL}/appRoleAssignedTo"
    assert holding("AppRoleAssignment.ReadWrite.All").post(path, BODY).error == DENIED
    made = holding("AppRoleAssignment.ReadWrite.All", "Application.Read.All").post(path, BODY)
    assert made.status == 201
    assert holding("AppRoleAssignment.ReadWrite.All").delete(f"{path}/{made.json['id']}").status == 204


def test_a_group_can_be_made_by_one_who_can_change_none(holding):
    """graph/api/group-post-groups: Group.Create."""
    creator = holding("Group.Create")
    body = {"displayName": "x", "mailEnabled": False, "mailNickname": "x", "securityEnabled": True}
    assert creator.post("/groups", body).status == 201
    assert creator.patch("/groups(uniqueName='new')", body, Prefer="create-if-missing").status == 201
    assert creator.patch("/groups(uniqueName='new')", body, Prefer="create-if-missing").error == DENIED
    assert creator.delete(f"/groups/{sample.ADMINS}").error == DENIED


def test_owned_by_is_for_owned_objects(tenant, signed_in):
    """graph/permissions-reference: Application.ReadWrite.OwnedBy writes only what the calling application owns, and lists all."""
    owner = signed_in(sample.OWNER)
    assert len(owner.value("/servicePrincipals")) > 3
    assert owner.patch(PRINCIPAL, {"notes": "x"}).error == DENIED
    tenant.commit([Write("owners", sample.AWS, (tenant.client_credentials(sample.OWNER).principal_id,))])
    assert owner.patch(PRINCIPAL, {"notes": "x"}).status == 204
    assert owner.get(f"{PRINCIPAL}/synchronization/jobs").status == 200
    assert owner.patch(f"/servicePrincipals/{sample.OTHER}", {"notes": "x"}).error == DENIED


def test_a_person_needs_a_directory_role_to_write_and_none_to_read(person):
    """graph/api/serviceprincipal-update: delegated calls also need an Entra role."""
    assert person().get(PRINCIPAL).status == 200
    assert person().patch(PRINCIPAL, {"notes": "x"}).error == DENIED
    assert person(GLOBAL_ADMINISTRATOR).patch(PRINCIPAL, {"notes": "x"}).status == 204


def test_the_permission_of_an_application_is_none_of_a_person(person, tenant):
    """Delegated scopes and application roles are two lists (identity-platform/permissions-consent-overview)."""
    tenant.client_credentials(sample.WRITER).permissions = frozenset({"Application.ReadWrite.OwnedBy"})
    assert person(GLOBAL_ADMINISTRATOR).get(PRINCIPAL).error == DENIED
