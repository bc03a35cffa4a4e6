"""Assignments beyond the everyday ones: both sides, all principals, and the odd answers."""

import uuid

import entra_sample as sample
import pytest

from awsfed_lib.sandbox.entra.identifiers import assignment_id
from awsfed_lib.sandbox.entra.schema import NULL_GUID
from awsfed_lib.sandbox.store import Write

TO = f"/servicePrincipals/{sample.AWS}/appRoleAssignedTo"
NOT_FOUND_ROLE = (400, "Request_BadRequest", "Permission being assigned was not found on application")
NO_REFERENCE = (400, "Request_BadRequest", "Not a valid reference update.")


def body(principal=sample.BEN, role=sample.ADMIN["id"], resource=sample.AWS):
    return {"principalId": principal, "resourceId": resource, "appRoleId": role}


def test_the_answer_is_the_documented_one(writer):
    """graph/api/serviceprincipal-post-approleassignedto."""
    made = writer.post(TO, body())
    assert made.status == 201
    assert made.json["@odata.context"].endswith(f"/v1.0/$metadata#servicePrincipals('{sample.AWS}')/appRoleAssignedTo/$entity")
    assert made.headers["Location"].endswith(f"{TO}/{made.json['id']}")
    shown = {name: value for name, value in made.json.items() if name not in ("@odata.context", "id")}
    assert shown == {
        "deletedDateTime": None,
        "appRoleId": sample.ADMIN["id"],
        "createdDateTime": "2026-11-24T06:00:00.0000000Z",
        "principalDisplayName": "ben.auditor",
        "principalId": sample.BEN,
        "principalType": "User",
        "resourceDisplayName": "AWS",
        "resourceId": sample.AWS,
    }


@pytest.mark.parametrize(
    "path", [f"/users/{sample.BEN}/appRoleAssignments", f"/servicePrincipals(appId='{sample.AWS_APP}')/appRoleAssignedTo"]
)
def test_both_sides_give_the_same_assignment(writer, path):
    made = writer.post(path, body())
    assert made.status == 201
    for side in (TO, f"/users/{sample.BEN}/appRoleAssignments"):
        assert writer.get(f"{side}/{made.json['id']}").json["appRoleId"] == sample.ADMIN["id"]


def test_the_resource_takes_assignments_of_users_on_its_own_side_too(writer):
    """Microsoft's tutorial (application-saml-sso-configure-api) posts a user's to /servicePrincipals/{resource}/appRoleAssignments: 201."""
    assert writer.post(f"/servicePrincipals/{sample.AWS}/appRoleAssignments", body()).status == 201


def test_a_group_is_listed_on_both_sides(writer):
    assert [row["principalType"] for row in writer.value(f"/groups/{sample.ADMINS}/appRoleAssignments")] == ["Group"]
    assert sample.ADMINS in [row["principalId"] for row in writer.value(TO)]


def test_names_are_those_of_the_time(writer):
    """Assumed: principalDisplayName is a copy."""
    writer.patch(f"/groups/{sample.ADMINS}", {"displayName": "Renamed"})
    assert "AWS-123456789012-Admin" in [row["principalDisplayName"] for row in writer.value(TO)]


@pytest.mark.parametrize("principal", [sample.guid("nobody"), sample.OFFICE])
def test_unknown_principals_and_groups_without_security_are_no_reference(writer, principal):
    """graph-docs#20133; entra-docs assign-user-or-group-access-portal: Microsoft 365 groups need securityEnabled."""
    assert writer.post(TO, body(principal)).error == NO_REFERENCE


def test_a_resource_that_is_not_in_the_path_is_no_reference(writer):
    assert writer.post(TO, body(resource=sample.OTHER, role=sample.guid("role Traveller"))).error == NO_REFERENCE


def test_an_unknown_resource_in_the_path_is_404(writer):
    assert writer.post(f"/servicePrincipals/{uuid.uuid4()}/appRoleAssignedTo", body()).status == 404


@pytest.mark.parametrize("broken", [{"appRoleId": None}, {"principalId": "x"}, {"resourceId": 3}])
def test_three_guids_are_needed(writer, broken):
    assert writer.post(TO, {**body(), **broken}).error[2] == "One or more properties contains invalid values."


def test_service_principals_need_a_role_for_applications(writer):
    """graph/api/resources/approle, allowedMemberTypes; the words are assumed."""
    assert writer.post(TO, body(sample.OTHER)).error == NOT_FOUND_ROLE


def test_default_access_is_for_applications_without_roles(writer):
    """graph/api/resources/approleassignment: all zeros only when the resource declares no roles."""
    assert writer.post(TO, body(role=NULL_GUID)).error == NOT_FOUND_ROLE
    path = f"/servicePrincipals/{sample.PLAIN}/appRoleAssignedTo"
    assert writer.post(path, body(role=NULL_GUID, resource=sample.PLAIN)).status == 201


def test_ids_that_are_none_are_told(writer):
    """graph-docs#5869."""
    text = "Invalid resource identifier for EntitlementGrant."
    for method in ("GET", "DELETE"):
        assert writer(method, f"{TO}/{uuid.uuid4()}").error == (400, "Request_BadRequest", text)


def test_reading_a_missing_one_is_404(writer):
    assert writer.get(f"{TO}/{assignment_id(sample.ANNA, str(uuid.uuid4()))}").status == 404


def test_at_the_root_there_is_nothing(writer):
    """graph-docs#5869."""
    assert writer.get("/appRoleAssignments/x").error[2] == "Direct queries to this resource type are not supported."


def test_one_principal_holds_fifteen_hundred(writer, tenant):
    """entra-service-limits; code and words are assumed."""
    held = [assignment_id(sample.BEN, str(uuid.UUID(int=nth))) for nth in range(1500)]
    row = {**body(role=sample.AUDITOR["id"], resource=sample.OTHER), "principalDisplayName": "ben", "principalType": "User"}
    tenant.commit([Write("assignments", key, {**row, "id": key}) for key in held])
    assert writer.post(TO, body()).error[1] == "Directory_QuotaExceeded"
    writer.delete(f"/users/{sample.BEN}/appRoleAssignments/{held[0]}")
    assert writer.post(TO, body()).status == 201


def test_filters_on_the_names_and_the_resource(writer):
    """graph/api/resources/approleassignment: principalDisplayName eq and startswith, resourceId eq; nothing on appRoleId."""
    found = writer.value(f"{TO}?$filter=startswith(principalDisplayName,'AWS-123456789012-A')")
    assert len(found) == 2
    assert len(writer.value(f"/users/{sample.ANNA}/appRoleAssignments?$filter=resourceId eq {sample.AWS}")) == 1
    assert writer.get(f"{TO}?$filter=appRoleId eq {sample.ADMIN['id']}").error[:2] == (400, "Request_UnsupportedQuery")


def test_role_values_are_those_that_a_response_would_carry(tenant, writer):
    """entra-docs: direct assignments and direct membership count, nested does not, disabled roles go on, null is nothing."""
    assert tenant.role_values(sample.ANNA, sample.AWS) == [sample.ADMIN["value"], sample.OLD["value"]]
    assert tenant.role_values(sample.GUEST, sample.AWS) == []
    writer.post(TO, body(sample.GUEST, sample.MSIAM_ACCESS["id"]))
    assert tenant.role_values(sample.GUEST, sample.AWS_APP) == []
