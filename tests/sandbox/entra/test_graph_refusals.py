"""What Graph refuses around appRoles, assignments and groups, with its own status, code and words."""

import base64
import uuid
from email.utils import parsedate_to_datetime

import entra_sample as sample
import pytest

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"
DISABLE_FIRST = "Permission (scope or role) cannot be deleted or updated unless disabled first."


def live(client):
    return client.get(f"{PRINCIPAL}?$select=appRoles").json["appRoles"]


def patched(client, entries):
    return client.patch(PRINCIPAL, {"appRoles": entries})


def new(name="New", **more):
    made = {key: value for key, value in sample.role(name).items() if key != "origin"}
    return made | more


# appRoles


def test_a_patch_replaces_the_collection_and_answers_204_without_a_body(writer):
    """learn.microsoft.com graph/api/serviceprincipal-update; entra-docs enterprise-app-role-management."""
    answer = patched(writer, [*live(writer), new()])
    assert (answer.status, answer.text) == (204, "")
    assert live(writer)[-1] == {**new(), "origin": "ServicePrincipal"}


def test_an_enabled_role_cannot_be_left_out(writer):
    """Microsoft365DSC #5524, msgraph-sdk-powershell #1211."""
    entries = [entry for entry in live(writer) if entry["id"] != sample.ADMIN["id"]]
    assert patched(writer, entries).error == (400, "CannotDeleteOrUpdateEnabledEntitlement", DISABLE_FIRST)
    assert sample.ADMIN["id"] in [entry["id"] for entry in live(writer)]


def test_lenient_removes_an_enabled_role_without_a_word(writer, tenant):
    """The other reading of entra-docs enterprise-app-role-management: "Failure to include any existing roles … removes them"."""
    tenant.switches = tenant.switches.changed({"strict": False})
    assert patched(writer, [entry for entry in live(writer) if entry["id"] != sample.ADMIN["id"]]).status == 204
    assert sample.ADMIN["id"] not in [entry["id"] for entry in live(writer)]


def test_a_disabled_role_is_removed_and_its_assignments_go_with_it(writer):
    """microsoft-graph-docs #5338."""
    assert any(row["appRoleId"] == sample.OLD["id"] for row in writer.value(f"{PRINCIPAL}/appRoleAssignedTo"))
    assert patched(writer, [entry for entry in live(writer) if entry["id"] != sample.OLD["id"]]).status == 204
    assert not any(row["appRoleId"] == sample.OLD["id"] for row in writer.value(f"{PRINCIPAL}/appRoleAssignedTo"))


def test_disabling_a_role_keeps_its_assignments(writer):
    """azure-docs #111697: the role goes on being emitted."""
    assert (
        patched(writer, [{**entry, "isEnabled": entry["isEnabled"] and entry["id"] != sample.ADMIN["id"]} for entry in live(writer)]).status
        == 204
    )
    assert any(row["appRoleId"] == sample.ADMIN["id"] for row in writer.value(f"{PRINCIPAL}/appRoleAssignedTo"))


def test_the_value_of_an_enabled_role_cannot_be_changed(writer):
    """hashicorp/terraform-provider-azuread applications.go disables first."""
    entries = [{**entry, "value": sample.pair("Renamed")} if entry["id"] == sample.ADMIN["id"] else entry for entry in live(writer)]
    assert patched(writer, entries).error == (400, "CannotDeleteOrUpdateEnabledEntitlement", DISABLE_FIRST)


@pytest.mark.parametrize("change", [{"displayName": "mine"}, {"value": "mine"}, {"isEnabled": False}])
def test_inherited_roles_must_come_back_as_they_are(writer, change):
    """azure-docs #78297, microsoft-graph-docs-contrib #8801."""
    entries = [{**entry, **change} if entry["origin"] == "Application" else entry for entry in live(writer)]
    status, _code, message = patched(writer, entries).error
    assert status == 400
    assert "does not match the application object" in message


def test_inherited_roles_must_come_back_at_all(writer):
    """See above: a body rendered from nothing loses msiam_access."""
    status, _code, message = patched(writer, [entry for entry in live(writer) if entry["origin"] != "Application"]).error
    assert status == 400
    assert "does not match the application object" in message


def test_a_value_stands_once(writer):
    """microsoft-graph-docs #21667."""
    answer = patched(writer, [*live(writer), new(), {**new(), "id": str(uuid.uuid4())}])
    assert answer.error == (400, "DuplicateValue", "Request contains a property with duplicate values.")
    assert answer.json["error"]["details"][0]["target"] == "appRoles"


def test_a_value_is_not_that_of_a_scope_either(writer):
    """azure-docs #81899: roles and scopes share one name space."""
    assert patched(writer, [*live(writer), new(value="user_impersonation")]).error[:2] == (400, "DuplicateValue")


@pytest.mark.parametrize("value", ["with space", ".leading"])
def test_a_value_has_its_characters(writer, value):
    """learn.microsoft.com graph/api/resources/approle, value; azure-docs #22360."""
    assert patched(writer, [*live(writer), new(value=value)]).error == (
        400,
        "Request_BadRequest",
        "One or more properties contains invalid values.",
    )


def test_seven_hundred_definitions_and_not_one_more(writer):
    """learn.microsoft.com entra/identity-platform/howto-add-app-roles-in-apps: 700, scopes and disabled roles included."""
    room = 700 - len(live(writer)) - 1
    fits = [*live(writer), *(new(f"R{number}") for number in range(room))]
    assert patched(writer, [*fits, new("OneMore")]).error[2] == (
        "The total count of values: 701 exceeds the set maxValuesCount limit: 700 for property: Entitlement"
    )
    assert patched(writer, fits).status == 204


# Assignments


def assigned(client, role=sample.AUDITOR, principal=sample.ADMINS, resource=sample.AWS):
    return client.post(f"{PRINCIPAL}/appRoleAssignedTo", {"principalId": principal, "resourceId": resource, "appRoleId": role["id"]})


def test_an_assignment_has_the_id_that_the_documentation_shows(writer):
    """Six samples of graph/api/serviceprincipal-post-approleassignedto: 32 bytes, the first 16 the principal's GUID, little-endian."""
    answer = assigned(writer)
    assert answer.status == 201
    content = base64.urlsafe_b64decode(answer.json["id"] + "=")
    assert (len(answer.json["id"]), len(content)) == (43, 32)
    assert str(uuid.UUID(bytes_le=content[:16])) == sample.ADMINS


def test_the_same_assignment_twice_is_refused(writer):
    """hashicorp/terraform-provider-azuread PR #1896: not idempotent."""
    assert assigned(writer).status == 201
    assert assigned(writer).error == (400, "Request_BadRequest", "Permission being assigned already exists on the object")


@pytest.mark.parametrize("role", [{"id": str(uuid.uuid4())}, sample.OLD])
def test_an_unknown_or_disabled_role_cannot_be_assigned(writer, role):
    """learn.microsoft.com graph/api/resources/approle, isEnabled; the words are those seen for an unknown role."""
    assert assigned(writer, role).error == (400, "Request_BadRequest", "Permission being assigned was not found on application")


def test_a_missing_principal_is_no_valid_reference(writer):
    """microsoft-graph-docs #20133."""
    assert assigned(writer, principal=str(uuid.uuid4())).status in (400, 404)


def test_deleting_an_assignment_twice_is_400_and_not_404(writer):
    """microsoft-graph-docs #12385."""
    path = f"{PRINCIPAL}/appRoleAssignedTo/{assigned(writer).json['id']}"
    assert writer.delete(path).status == 204
    assert writer.delete(path).error == (400, "Request_BadRequest", "EntitlementGrant being updated or deleted is not found.")


def test_an_assignment_cannot_be_patched(writer):
    """microsoft-graph-docs #5869."""
    answer = writer.patch(f"{PRINCIPAL}/appRoleAssignedTo/{assigned(writer).json['id']}", {})
    assert (answer.status, answer.error[2]) == (405, "Specified HTTP method is not allowed for the request target.")


# Groups

SECURITY = {"displayName": "AWS", "mailEnabled": False, "mailNickname": "aws", "securityEnabled": True}
UPSERT = "/groups(uniqueName='aws-admin')"


def test_upsert_makes_a_group_once(writer):
    """learn.microsoft.com graph/api/group-upsert: 201 with the group, then 204."""
    first = writer.patch(UPSERT, SECURITY, Prefer="create-if-missing")
    assert (first.status, first.json["uniqueName"]) == (201, "aws-admin")
    assert writer.patch(UPSERT, SECURITY, Prefer="create-if-missing").status == 204
    assert writer.get("/groups(uniqueName='aws-admin')").json["id"] == first.json["id"]
    assert writer.get("/groups?$filter=uniqueName in ('aws-admin')").error[1] == "Request_UnsupportedQuery"


def test_without_prefer_it_is_an_update_of_what_must_be_there(writer):
    """learn.microsoft.com graph/api/group-upsert."""
    assert writer.patch(UPSERT, SECURITY).status == 404


@pytest.mark.parametrize("nickname", ["has space", "a@b", "a:b", "x" * 65])
def test_a_nickname_has_its_characters(writer, nickname):
    """learn.microsoft.com graph/api/group-post-groups, mailNickname."""
    assert writer.post("/groups", {**SECURITY, "mailNickname": nickname}).status == 400


def test_a_member_is_added_once(writer):
    """hashicorp/go-azure-sdk sdk/odata/errors.go."""
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{sample.BEN}"}
    assert writer.post(f"/groups/{sample.EMPTY}/members/$ref", body).status == 204
    status, _code, message = writer.post(f"/groups/{sample.EMPTY}/members/$ref", body).error
    assert (status, "already exist" in message) == (400, True)


# Reading


def test_a_page_has_at_most_999(reader):
    """As steampipe and entra-powershell saw it."""
    assert reader.get("/users?$top=1000").error == (
        400,
        "Request_UnsupportedQuery",
        "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.",
    )


def test_pages_are_followed_to_the_end_and_no_object_comes_twice(reader):
    """learn.microsoft.com graph/paging: the link is opaque and carries the query."""
    found, path = [], "/users?$top=1&$select=id"
    while path:
        page = reader.get(path).json
        found += [row["id"] for row in page["value"]]
        path = page.get("@odata.nextLink", "").partition("//")[2].partition("/")[2]
        path = f"/{path}" if path else ""
    assert len(found) == len(set(found)) > 2


def test_advanced_queries_need_the_header(reader):
    """learn.microsoft.com graph/aad-advanced-queries."""
    assert reader.get("/groups?$filter=displayName ne 'x'").status == 400
    assert reader.get("/groups?$filter=displayName ne 'x'&$count=true", ConsistencyLevel="eventual").status == 200


# Who may


def test_no_token_and_no_permission(front, signed_in, reader):
    """learn.microsoft.com graph/errors."""
    assert type(reader)(front, "").get(PRINCIPAL).error[:2] == (401, "InvalidAuthenticationToken")
    assert signed_in(sample.POOR).get(PRINCIPAL).error == (
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
    assert patched(reader, live(reader)).error[:2] == (403, "Authorization_RequestDenied")


def test_an_expired_token_says_so(reader, clock):
    """learn.microsoft.com graph/resolve-auth-errors."""
    clock.pass_(2 * 3600)
    assert "expired" in reader.get(PRINCIPAL).error[2]


# Batches, throttling, replicas


def batch(client, *requests):
    return client.post("/$batch", {"requests": list(requests)})


def test_a_batch_has_at_most_twenty(reader):
    """learn.microsoft.com graph/json-batching."""
    steps = [{"id": str(number), "method": "GET", "url": PRINCIPAL} for number in range(21)]
    assert batch(reader, *steps).error[1] == "MaximumValueExceeded"
    assert {one["status"] for one in batch(reader, *steps[:20]).json["responses"]} == {200}


def test_what_depends_on_a_failure_fails(reader):
    """learn.microsoft.com graph/json-batching: 424."""
    missing = {"id": "1", "method": "GET", "url": f"/servicePrincipals/{uuid.uuid4()}"}
    after = {"id": "2", "method": "GET", "url": PRINCIPAL, "dependsOn": ["1"]}
    assert {one["id"]: one["status"] for one in batch(reader, missing, after).json["responses"]} == {"1": 404, "2": 424}


@pytest.mark.parametrize("form", ["int", "fraction", "date"])
def test_throttled_answers_say_when_to_come_again(reader, tenant, clock, form):
    """learn.microsoft.com graph/throttling: 429, Retry-After in seconds (a sample shows 2.128) or as a date."""
    tenant.switches = tenant.switches.changed({"throttle": 3, "retry_after": form})
    answers = [reader.get(PRINCIPAL) for _ in range(8)]
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.error[1] == "TooManyRequests"
    said = refused.headers["Retry-After"]
    seconds = (parsedate_to_datetime(said) - clock.now).total_seconds() if form == "date" else float(said)
    assert 0 <= seconds < 60
    assert (form == "fraction") == ("." in said)
    clock.pass_(61)
    assert reader.get(PRINCIPAL).status == 200


def test_replicas_lag_for_applications_and_not_for_people(writer, person, tenant):
    """devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra."""
    tenant.switches = tenant.switches.changed({"lag_reads": 3})
    assert patched(writer, [*live(writer), new()]).status == 204
    seen = [len(live(writer)) for _ in range(12)]
    assert seen[-1] == 5
    assert 4 in seen
    anna = person("62e90394-69f5-4237-9190-012177145e10")
    assert anna.patch(PRINCIPAL, {"appRoles": [*live(anna), new("Second")]}).status == 204
    assert [len(live(anna)) for _ in range(3)] == [6, 6, 6]
