"""The directory audit log: what was written, by whom (learn.microsoft.com graph/api/resources/directoryaudit)."""

import json
import uuid

import entra_sample as sample
import pytest

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"
LOG = "/auditLogs/directoryAudits"


@pytest.fixture
def log(clock):
    """Read the log of a client some minutes later: it is late, and asked five times in ten seconds at most."""

    def read(client, query=""):
        clock.pass_(180)
        return client.value(f"{LOG}{query}")

    return read


def test_an_assignment_names_principal_resource_and_role(writer, tenant, log):
    """entra-docs reference-audit-activities."""
    mine = str(uuid.uuid4())
    body = {"principalId": sample.AUDITORS, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}
    writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body, client_request_id=mine)
    entry = log(writer)[0]
    assert entry["activityDisplayName"] == "Add app role assignment to group"
    assert (entry["correlationId"], entry["result"], entry["activityDateTime"]) == (mine, "success", "2026-11-24T06:00:00.0000000Z")
    app = {"appId": None, "displayName": "awsfed writer", "servicePrincipalName": None}
    assert entry["initiatedBy"]["app"] == app | {"servicePrincipalId": tenant.client_credentials(sample.WRITER).principal_id}
    assert [target["id"] for target in entry["targetResources"]] == [sample.AWS, sample.AUDITORS]
    values = {one["displayName"]: one["newValue"] for one in entry["targetResources"][0]["modifiedProperties"]}
    assert json.loads(values["AppRole.Value"]) == sample.ADMIN["value"]


def test_changed_roles_come_as_json_text_before_and_after(writer, log):
    """graph/api/resources/modifiedproperty: values are text that holds JSON."""
    entries = writer.get(PRINCIPAL).json["appRoles"]
    writer.patch(PRINCIPAL, {"appRoles": [entry for entry in entries if entry["id"] != sample.OLD["id"]]})
    entry = log(writer)[0]
    changed = entry["targetResources"][0]["modifiedProperties"]
    names = [one["displayName"] for one in changed]
    assert (entry["activityDisplayName"], names) == ("Update service principal", ["AppRole", "Included Updated Properties"])
    before, after = (json.loads(changed[0][name]) for name in ("oldValue", "newValue"))
    assert (len(before), len(after)) == (4, 3)
    assert {"Id", "Value", "DisplayName", "IsEnabled"} <= set(before[0])
    assert json.loads(changed[1]["newValue"]) == "AppRole"


def test_a_person_is_named_as_a_person(person, log):
    client = person("62e90394-69f5-4237-9190-012177145e10")
    client.patch(f"/groups/{sample.ADMINS}", {"description": "x"})
    by = log(client)[0]["initiatedBy"]
    assert (by["app"], by["user"]["id"], by["user"]["userPrincipalName"]) == (None, sample.ANNA, "anna.admin@contoso.example")


def test_the_log_is_some_minutes_late(writer, clock):
    """entra-docs reference-audit-log-latency."""
    writer.patch(f"/groups/{sample.ADMINS}", {"description": "x"})
    assert writer.value(LOG) == []
    clock.pass_(180)
    assert len(writer.value(LOG)) == 1


def test_refused_writes_and_reads_leave_no_entry(writer, log):
    writer.patch(PRINCIPAL, {"appRoles": []})
    writer.get(PRINCIPAL)
    assert log(writer) == []


def test_the_activities_have_the_service_s_names(writer, log):
    """entra-docs reference-audit-activities."""
    made = writer.post("/groups", {"displayName": "x", "mailEnabled": False, "mailNickname": "x", "securityEnabled": True}).json["id"]
    writer.post(f"/groups/{made}/members/$ref", {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{sample.ANNA}"})
    writer.delete(f"/groups/{made}/members/{sample.ANNA}/$ref")
    body = {"principalId": made, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}
    key = writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body).json["id"]
    writer.delete(f"{PRINCIPAL}/appRoleAssignedTo/{key}")
    writer.patch(f"/applications/{sample.AWS_APPLICATION}", {"notes": "x"})
    writer.delete(f"/groups/{made}")
    assert [entry["activityDisplayName"] for entry in log(writer)] == [
        "Delete group",
        "Update application",
        "Remove app role assignment from group",
        "Add app role assignment to group",
        "Remove member from group",
        "Add member to group",
        "Add group",
    ]


def test_the_log_is_filtered_by_activity_time_and_target(writer, clock, log):
    """docs-contrib directoryaudit-list: the filters that are documented."""
    writer.patch(f"/groups/{sample.ADMINS}", {"description": "x"})
    clock.pass_(60)
    writer.patch(f"/groups/{sample.EMPTY}", {"description": "x"})
    assert len(log(writer, "?$filter=activityDisplayName eq 'Update group' and activityDateTime ge 2026-11-24T06:00:30Z")) == 1
    assert len(log(writer, f"?$filter=targetResources/any(t:t/id eq '{sample.ADMINS}')")) == 1
    assert len(log(writer, "?$filter=initiatedBy/app/displayName eq 'awsfed writer'&$top=1000")) == 2
    entry = log(writer)[0]
    assert writer.get(f"{LOG}/{entry['id']}").json["activityDisplayName"] == "Update group"
    assert writer.get(f"{LOG}/none").status == 404
