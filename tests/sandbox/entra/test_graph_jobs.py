"""Writing provisioning jobs: what has to be paused before roles are patched by hand.

Sources: entra-docs application-provisioning-configuration-api; learn.microsoft.com graph/api/synchronization-synchronization-post-jobs,
synchronization-synchronizationjob-start, -pause, -restart.
"""

import entra_sample as sample
import pytest

OF_AWS = f"/servicePrincipals/{sample.AWS}/synchronization"
JOB = f"{OF_AWS}/jobs/aws.123"


@pytest.fixture
def world():
    made = sample.world()
    next(one for one in made["clients"] if one["name"] == "writer")["permissions"].append("Synchronization.ReadWrite.All")
    return made


def state(client):
    found = client.get(JOB).json
    return found["schedule"]["state"], found["status"]["code"]


def test_a_job_is_started_and_paused(writer):
    """204 each; `pause` is what makes hand-patched roles safe."""
    assert state(writer) == ("Disabled", "Paused")
    assert writer.post(f"{JOB}/start", {}).status == 204
    assert state(writer) == ("Active", "Active")
    assert writer.post(f"{JOB}/pause", {}).status == 204
    assert state(writer) == ("Disabled", "Paused")
    assert writer.post(f"{JOB}/restart", {"criteria": {"resetScope": "Full"}}).status == 204
    assert state(writer) == ("Active", "Active")


def test_start_takes_a_job_out_of_quarantine(writer, tenant):
    from awsfed_lib.sandbox.store import Write

    jammed = {"id": "aws.123", "status": {"code": "Quarantine", "quarantine": {"reason": "EncounteredBaseEscrowThreshold"}}}
    tenant.commit([Write("jobs", sample.AWS, (jammed,))])
    assert writer.post(f"{JOB}/start", {}).status == 204
    assert writer.get(JOB).json["status"]["quarantine"] is None


def test_a_job_is_deleted_and_made_again(writer):
    """A new one is disabled and not configured (application-provisioning-configuration-api)."""
    assert writer.post(f"{OF_AWS}/jobs", {"templateId": "aws"}).status == 400
    assert writer.delete(JOB).status == 204
    assert writer.delete(JOB).status == writer.post(f"{JOB}/start", {}).status == 404
    made = writer.post(f"{OF_AWS}/jobs", {"templateId": "aws"})
    assert (made.status, made.json["schedule"]["state"], made.json["status"]["code"]) == (201, "Disabled", "NotConfigured")
    assert [row["id"] for row in writer.value(f"{OF_AWS}/jobs")] == [made.json["id"]]


def test_only_the_aws_template_has_the_connector(writer):
    assert writer.post(f"/servicePrincipals/{sample.OTHER}/synchronization/jobs", {"templateId": "aws"}).status == 400


def test_credentials_are_taken_and_never_shown(writer, tenant):
    """The connector wants the keys of an IAM user; they are write-only."""
    pair = [{"key": "ClientSecret", "value": "AKIAEXAMPLE"}, {"key": "SecretToken", "value": "hidden"}]
    assert writer.post(f"{JOB}/validateCredentials", {"credentials": pair}).status == 204
    assert writer("PUT", f"{OF_AWS}/secrets", {"value": pair}).status == 204
    assert writer.post(f"{JOB}/validateCredentials", {"credentials": pair[:1]}).status == 400
    assert "hidden" not in writer.get(JOB).text + str(tenant.tables["jobs"])


def test_reading_is_not_enough(reader, person):
    """Synchronization.ReadWrite.All, or Application.ReadWrite.OwnedBy for an owner."""
    denied = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    for verb in ("start", "pause", "restart"):
        assert reader.post(f"{JOB}/{verb}", {}).error == denied
    assert person().post(f"{JOB}/pause", {}).error == denied
