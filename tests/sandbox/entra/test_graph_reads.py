import uuid

import entra_sample as sample
import pytest


def test_service_principal_by_id_and_by_app_id_is_the_same(reader):
    by_id = reader.get(f"/servicePrincipals/{sample.AWS}")
    by_app_id = reader.get(f"/servicePrincipals(appId='{sample.AWS_APP}')")
    assert by_id.status == by_app_id.status == 200
    assert by_id.json == by_app_id.json
    assert by_id.json["@odata.context"].endswith("/v1.0/$metadata#servicePrincipals/$entity")


def test_ids_and_entity_sets_are_found_whatever_their_case(reader):
    """Seen in microsoft-graph-explorer-v4#1085: `/v1.0/serviceprincipals?…` is served."""
    assert reader.get(f"/serviceprincipals/{sample.AWS.upper()}").json["id"] == sample.AWS


def test_beta_serves_the_same_objects(reader):
    found = reader.get(f"/beta/servicePrincipals/{sample.AWS}").json
    assert "/beta/$metadata" in found["@odata.context"]
    assert len(found["appRoles"]) == 4


def test_service_principal_shows_what_it_inherits(reader):
    """learn.microsoft.com graph/api/serviceprincipal-update: properties are synchronized from the application."""
    found = reader.get(f"/servicePrincipals/{sample.AWS}").json
    assert found["servicePrincipalNames"] == [sample.AWS_APP, "https://signin.aws.amazon.com/saml"]
    assert found["replyUrls"] == ["https://signin.aws.amazon.com/saml"]
    assert [scope["value"] for scope in found["oauth2PermissionScopes"]] == ["user_impersonation"]
    assert next((one["displayName"], one["origin"]) for one in found["appRoles"]) == ("msiam_access", "Application")


def test_app_roles_come_byte_for_byte_with_null_values_and_unknown_keys(world, ring):
    """graph/api/resources/approle; `isPrivate` and the like appear in payloads of other clients and must survive."""
    from awsfed_lib.sandbox.front import Front
    from awsfed_lib.sandbox.store import Tenant

    world["servicePrincipals"][0]["appRoles"][1]["isPrivate"] = False
    found = Front(Tenant(world, keys=ring)).tenant.now_view.get("servicePrincipals", sample.AWS)
    assert found["appRoles"][1]["isPrivate"] is False
    assert found["appRoles"][0]["value"] is None


def test_a_missing_object_is_404_with_its_id(reader):
    """hashicorp/go-azure-sdk sdk/odata/errors.go."""
    missing = str(uuid.uuid4())
    text = f"Resource '{missing}' does not exist or one of its queried reference-property objects are not present."
    assert reader.get(f"/servicePrincipals/{missing}").error == (404, "Request_ResourceNotFound", text)


def test_every_answer_carries_its_identity(reader):
    """learn.microsoft.com graph/best-practices-concept: request-id, client-request-id, Date, x-ms-ags-diagnostic."""
    mine = str(uuid.uuid4())
    for path in (f"/servicePrincipals/{sample.AWS}", f"/servicePrincipals/{uuid.uuid4()}"):
        found = reader.get(path, client_request_id=mine)
        assert uuid.UUID(found.headers["request-id"])
        assert found.headers["client-request-id"] == mine
        assert found.headers["Date"] == "Tue, 24 Nov 2026 06:00:00 GMT"
        assert "ServerInfo" in found.headers["x-ms-ags-diagnostic"]
    inner = found.json["error"]["innerError"]
    assert inner == {"date": "2026-11-24T06:00:00", "request-id": found.headers["request-id"], "client-request-id": mine}


def test_a_stranger_in_the_path_is_named(reader):
    assert reader.get("/servicePrincipals/x/nothing").error == (400, "BadRequest", "Resource not found for the segment 'nothing'.")
    assert reader.get("/cats").error == (400, "BadRequest", "Resource not found for the segment 'cats'.")


def test_a_method_that_is_not_served_is_405(writer):
    """docs-contrib#5688 and graph-docs#5869: PATCH of an assignment."""
    found = writer.get(f"/servicePrincipals/{sample.AWS}/appRoleAssignedTo").json["value"][0]
    for path in (f"/servicePrincipals/{sample.AWS}/appRoleAssignedTo", f"/groups/{sample.ADMINS}/appRoleAssignments"):
        answer = writer.patch(f"{path}/{found['id']}", {"appRoleId": sample.AUDITOR["id"]})
        assert (answer.status, answer.json["error"]["message"]) == (405, "Specified HTTP method is not allowed for the request target.")


def test_select_keeps_the_named_properties_and_says_so_in_the_context(reader):
    found = reader.get(f"/servicePrincipals/{sample.AWS}?$select=id,displayName").json
    assert found.pop("@odata.context").endswith("#servicePrincipals(id,displayName)/$entity")
    assert found == {"id": sample.AWS, "displayName": "AWS"}


def test_select_without_the_dollar_sign(reader):
    """learn.microsoft.com graph/query-parameters: the $ prefix is optional."""
    assert set(reader.get(f"/servicePrincipals/{sample.AWS}?select=id").json) == {"@odata.context", "id"}


def test_select_of_an_unknown_property_is_refused(reader):
    answer = reader.get("/servicePrincipals?$select=colour")
    assert answer.error[:2] == (400, "BadRequest")
    assert "Could not find a property named 'colour' on type 'microsoft.graph.servicePrincipal'" in answer.error[2]


def test_key_of_a_credential_only_comes_when_selected_on_one_object(reader):
    """graph/api/resources/keycredential: `key` is returned only with $select=keyCredentials on a single object."""
    plain = reader.get(f"/servicePrincipals/{sample.AWS}").json["keyCredentials"]
    selected = reader.get(f"/servicePrincipals/{sample.AWS}?$select=keyCredentials").json["keyCredentials"]
    listed = reader.value("/servicePrincipals?$select=keyCredentials")[0]["keyCredentials"]
    assert {one["usage"] for one in plain} == {"Sign", "Verify"}
    assert not any(one["key"] for one in [*plain, *listed])
    assert [one["usage"] for one in selected if one["key"]] == ["Verify"]


def test_users_answer_eleven_properties_unless_more_are_selected(reader):
    """graph/api/resources/user: only a default set is returned; userType and accountEnabled are not in it."""
    found = reader.get(f"/users/{sample.GONE}").json
    assert len(found) == 12  # eleven and the context
    assert "accountEnabled" not in found
    selected = reader.get(f"/users/{sample.GONE}?$select=id,accountEnabled,userType").json
    assert (selected["accountEnabled"], selected["userType"]) == (False, "Member")
    assert all("userType" not in row for row in reader.value("/users"))


def test_a_user_is_found_by_principal_name_even_with_a_hash_in_it(reader):
    assert reader.get("/users/anna.admin@contoso.example").json["id"] == sample.ANNA
    assert reader.get("/users/maria_fabrikam.example%23EXT%23@contoso.example").json["id"] == sample.GUEST


def test_applications_by_id_app_id_and_filter(reader):
    assert reader.get(f"/applications/{sample.AWS_APPLICATION}").json["appId"] == sample.AWS_APP
    assert reader.get(f"/applications(appId='{sample.AWS_APP}')").json["id"] == sample.AWS_APPLICATION
    found = reader.value("/applications?$filter=identifierUris/any(u:u eq 'https://signin.aws.amazon.com/saml')")
    assert [row["id"] for row in found] == [sample.AWS_APPLICATION]


def test_expand_gives_at_most_twenty_and_one_relation(reader, tenant):
    """docs-contrib concepts/query-parameters: 20 items, no nextLink, one $expand a request."""
    from awsfed_lib.sandbox.store import Write

    many = [sample.guid(f"extra {nth}") for nth in range(30)]
    extra = [Write("users", key, {"id": key, "displayName": key, "userPrincipalName": f"{key}@x"}) for key in many]
    tenant.commit([*extra, Write("members", sample.EMPTY, tuple(many))])
    assert len(reader.get(f"/groups/{sample.EMPTY}?$expand=members($select=id)").json["members"]) == 20
    assert reader.get(f"/groups/{sample.EMPTY}?$expand=members,owners").status == 400


@pytest.mark.parametrize("table", ["servicePrincipals", "applications", "groups", "users"])
def test_count_segment_needs_the_header(reader, table):
    """docs-contrib concepts/aad-advanced-queries.md: `/$count` needs ConsistencyLevel: eventual."""
    assert reader.get(f"/{table}/$count").error == (400, "Request_BadRequest", "$count is not currently supported.")
    answer = reader.get(f"/{table}/$count", ConsistencyLevel="eventual")
    assert (answer.status, answer.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert int(answer.text) == len(reader.value(f"/{table}"))
