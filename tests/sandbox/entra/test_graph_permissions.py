"""Whose token opens which door: 401 and 403."""

import entra_sample as sample
import jwt
import pytest

from awsfed_lib.sandbox.entra import issuing
from awsfed_lib.sandbox.entra.permissions import OWNER, RULES
from awsfed_lib.sandbox.entra.tokens import GLOBAL_ADMINISTRATOR
from awsfed_lib.sandbox.graph import FAMILIES
from awsfed_lib.sandbox.keys import KeyRing
from awsfed_lib.sandbox.store import Write

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
REPORTS_READER, APPLICATION_ADMINISTRATOR = "4a5d8f65-41da-4de4-8968-e035b65339cf", "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
BODY = {"principalId": sample.BEN, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}


@pytest.fixture
def holding(tenant, signed_in):
    """A client with exactly these permissions."""

    def sign_in(*permissions):
        tenant.permit("poor", permissions)
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


OWNED = {"servicePrincipals": sample.AWS, "applications": sample.AWS_APPLICATION, "groups": sample.EMPTY}
KEYS = OWNED | {"users": sample.GONE, "policies": sample.POLICY}
ROUTES = [route for family in FAMILIES for route in family.ROUTES if RULES[route.rule].application]


def _denied(client, route):
    """Send the call of that route, with nothing in it, and tell whether it was refused for lack of a permission."""
    family = route.pattern.partition("/")[0]
    path = route.pattern.replace("{}", KEYS.get(family, sample.POLICY), 1).replace("{}", sample.POLICY)
    version = "/beta" if "claimsPolicy" in path else "/v1.0"
    answer = client(route.method, f"{version}/{path}", None if route.method in ("GET", "DELETE") else {})
    return answer.status == 403 and answer.error == DENIED


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.pattern}")
def test_every_call_needs_what_the_table_says_and_no_more(route, tenant, holding):
    """graph_permissions.yml, other_permissions.yml."""
    rule = RULES[route.rule]
    assert _denied(holding("Mail.Read"), route)
    for alternative in rule.application:
        tenant.reset()
        client = holding(*(name.removesuffix(OWNER) for name in alternative))
        if any(name.endswith(OWNER) for name in alternative):
            assert _denied(client, route)
            own = tenant.client_credentials(sample.POOR).principal_id
            tenant.commit([Write("owners", key, (own,)) for key in OWNED.values()])
        assert not _denied(client, route)
        for one in alternative if len(alternative) > 1 else ():
            assert _denied(holding(*(name.removesuffix(OWNER) for name in alternative - {one})), route)
    for alternative in rule.unsure:
        assert _denied(holding(*alternative), route)
        tenant.switches = tenant.switches.changed({"permissions": "lenient"})
        assert not _denied(holding(*alternative), route)
        tenant.reset()


def test_user_read_basic_shows_names_and_hides_the_rest(holding):
    """permissions-reference, the description of User.ReadBasic.All: accountEnabled and userPrincipalName are not in it."""
    basic = holding("User.ReadBasic.All", "GroupMember.Read.All")
    keys = "id,displayName,userPrincipalName,accountEnabled,userType"
    hidden = {"userPrincipalName": None, "accountEnabled": None, "userType": None}
    (found,) = [row for row in basic.value(f"/users?$select={keys}") if row["id"] == sample.GONE]
    assert found == {"id": sample.GONE, "displayName": "gone"} | hidden
    member = basic.value(f"/groups/{sample.AUDITORS}/members?$select={keys}")[0]
    assert member == {"@odata.type": "#microsoft.graph.user", "id": sample.BEN, "displayName": "ben.auditor"} | hidden
    assert basic.get(f"/users/{sample.GONE}?$select=accountEnabled").json["accountEnabled"] is None


@pytest.mark.parametrize(
    "query", ["$filter=accountEnabled eq false", "$filter=startswith(userPrincipalName,'a')", "$orderby=userPrincipalName"]
)
def test_what_user_read_basic_hides_cannot_be_filtered(holding, query):
    assert holding("User.ReadBasic.All").get(f"/users?{query}").error == DENIED
    assert holding("User.ReadBasic.All").get("/users?$filter=displayName eq 'userPrincipalName'").status == 200
    assert holding("User.Read.All").get(f"/users?{query}").status == 200


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
    made = creator.post("/groups", body).json["id"]
    assert creator.patch(f"/groups/{made}", {"description": "x"}).error == DENIED
    assert creator.patch("/groups(uniqueName='new')", body, Prefer="create-if-missing").error == DENIED
    assert creator.delete(f"/groups/{sample.ADMINS}").error == DENIED


def test_a_group_that_was_bound_to_its_maker_can_be_changed(holding, tenant):
    """graph/api/group-post-groups: without an owner, Group.Create makes groups that it cannot change."""
    creator = holding("Group.Create")
    owner = {
        "owners@odata.bind": [f"https://graph.microsoft.com/v1.0/servicePrincipals/{tenant.client_credentials(sample.POOR).principal_id}"]
    }
    body = {"displayName": "x", "mailEnabled": False, "mailNickname": "x", "securityEnabled": True}
    made = creator.post("/groups", body | owner).json["id"]
    assert creator.patch(f"/groups/{made}", {"description": "x"}).status == 204


def test_owned_by_is_for_owned_objects(tenant, signed_in):
    """graph/permissions-reference: Application.ReadWrite.OwnedBy writes only what the calling application owns, and lists all."""
    owner = signed_in(sample.OWNER)
    assert len(owner.value("/servicePrincipals")) > 3
    assert owner.patch(PRINCIPAL, {"notes": "x"}).error == DENIED
    tenant.commit([Write("owners", sample.AWS, (tenant.client_credentials(sample.OWNER).principal_id,))])
    assert owner.patch(PRINCIPAL, {"notes": "x"}).status == 204
    assert owner.get(f"{PRINCIPAL}/synchronization/jobs").status == 200
    assert owner.patch(f"/servicePrincipals/{sample.OTHER}", {"notes": "x"}).error == DENIED


def test_an_application_and_its_service_principal_have_owners_of_their_own(tenant, signed_in):
    owner = signed_in(sample.OWNER)
    tenant.commit([Write("owners", sample.AWS, (tenant.client_credentials(sample.OWNER).principal_id,))])
    assert owner.patch(f"/servicePrincipals(appId='{sample.AWS_APP}')", {"notes": "x"}).status == 204
    assert owner.patch(f"/applications(appId='{sample.AWS_APP}')", {"notes": "x"}).error == DENIED


def test_logs_ask_a_person_for_another_role_than_applications(person):
    """graph/api/signin-list: reports and security readers and above."""
    assert person(REPORTS_READER).get("/auditLogs/directoryAudits").status == 200
    assert person(APPLICATION_ADMINISTRATOR).get("/auditLogs/directoryAudits").error == DENIED
    assert person(REPORTS_READER).patch(PRINCIPAL, {"notes": "x"}).error == DENIED


def test_a_person_needs_a_directory_role_to_write_and_none_to_read(person):
    """graph/api/serviceprincipal-update: delegated calls also need an Entra role."""
    assert person().get(PRINCIPAL).status == 200
    assert person().patch(PRINCIPAL, {"notes": "x"}).error == DENIED
    assert person(GLOBAL_ADMINISTRATOR).patch(PRINCIPAL, {"notes": "x"}).status == 204


def test_the_permission_of_an_application_is_none_of_a_person(person, tenant):
    """Delegated scopes and application roles are two lists (identity-platform/permissions-consent-overview)."""
    tenant.client_credentials(sample.WRITER).permissions = frozenset({"Application.ReadWrite.OwnedBy"})
    assert person(GLOBAL_ADMINISTRATOR).get(PRINCIPAL).error == DENIED
