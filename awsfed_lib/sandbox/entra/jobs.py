"""Provisioning jobs of an application: for AWS, the import of roles, which undoes what is patched by hand.

Sources: entra-docs application-provisioning-configuration-api; learn.microsoft.com graph/api/resources/synchronization-synchronizationjob,
synchronization-synchronization-post-jobs, synchronization-synchronizationjob-start, -pause, -restart, -validatecredentials. The job does
not run here: no role is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit
from awsfed_lib.sandbox.entra.catalogue import kind
from awsfed_lib.sandbox.entra.loading import named
from awsfed_lib.sandbox.entra.query import Shape, collection, single
from awsfed_lib.sandbox.entra.refusals import bad_request, invalid_values, not_found
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.templates import is_aws
from awsfed_lib.sandbox.entra.wire import Answer

JOB = Shape(kind("synchronizationJob", "id templateId schedule status synchronizationJobSettings"), "synchronizationJobs", {})
SYNC_TEMPLATE = Shape(
    kind("synchronizationTemplate", "id applicationId default description discoverable factoryTag metadata"), "templates", {}
)
CREDENTIALS = frozenset({"ClientSecret", "SecretToken"})  # access key id and secret, as the AWS connector calls them


def list_jobs(call: Call) -> Answer:
    """GET /servicePrincipals/{id}/synchronization/jobs."""
    return collection(call, JOB, _jobs(call))


def get_job(call: Call) -> Answer:
    """GET /servicePrincipals/{id}/synchronization/jobs/{id}."""
    found = next((one for one in _jobs(call) if one["id"] == call.keys[1]), None)
    if found is None:
        raise not_found(str(call.keys[1]))
    return single(call, JOB, found)


def list_job_templates(call: Call) -> Answer:
    """GET /servicePrincipals/{id}/synchronization/templates: `aws` for applications made from the AWS template."""
    record = call.addressed("servicePrincipals")
    told = {"id": "aws", "applicationId": named("synchronization", str(record["appId"])), "factoryTag": "aws"}
    rows = [SYNC_TEMPLATE.kind.filled(told | {"default": False, "discoverable": True, "metadata": []})]
    return collection(call, SYNC_TEMPLATE, rows if is_aws(record["applicationTemplateId"]) else [])


def _jobs(call: Call) -> list[dict[str, Any]]:
    record = call.addressed("servicePrincipals")
    return [_job(one) for one in call.view.related("jobs", record["id"])]


def _job(given: Any) -> dict[str, Any]:
    """A job with everything that a new one has (entra-docs application-provisioning-configuration-api)."""
    never = "0001-01-01T00:00:00Z"
    status = {
        "code": "NotConfigured",
        "countSuccessiveCompleteFailures": 0,
        "escrowsPruned": False,
        "lastExecution": None,
        "lastSuccessfulExecution": None,
        "lastSuccessfulExecutionWithExports": None,
        "quarantine": None,
        "steadyStateFirstAchievedTime": never,
        "steadyStateLastAchievedTime": never,
        "synchronizedEntryCountByType": [],
        "troubleshootingUrl": None,
    }
    schedule = {"expiration": None, "interval": "P10675199DT2H48M5.4775807S", "state": "Disabled"}
    settings = [{"name": "QuarantineTooManyDeletesThreshold", "value": "500"}]
    job: Mapping[str, Any] = given
    return {
        "id": job["id"],
        "templateId": job.get("templateId", "aws"),
        "schedule": schedule | job.get("schedule", {}),
        "status": status | job.get("status", {}),
        "synchronizationJobSettings": job.get("synchronizationJobSettings", settings),
    }


def create_job(call: Call) -> Answer:
    """POST …/jobs: 201 with a job that is disabled and not configured. An application has one job here; a second is refused (assumed)."""
    record = call.to_write("servicePrincipals")
    if call.body.get("templateId") != "aws" or not is_aws(record["applicationTemplateId"]):
        raise invalid_values()
    held = _held(call, record)
    if held:
        raise bad_request("A synchronization job for this template exists already.")
    made = {"id": f"aws.{call.tenant.mint().replace('-', '')}.{call.tenant.mint()}", "templateId": "aws"}
    _keep(call, record, (made,), "Add")
    return single(call, JOB, _job(made), status=201)


def start_job(call: Call) -> Answer:
    """POST …/start: 204. It takes a job out of quarantine."""
    return _turned(call, {"state": "Active"}, {"code": "Active", "quarantine": None})


def pause_job(call: Call) -> Answer:
    """POST …/pause: 204."""
    return _turned(call, {"state": "Disabled"}, {"code": "Paused"})


def restart_job(call: Call) -> Answer:
    """POST …/restart: 204; what it had read is forgotten, and it runs."""
    never = "0001-01-01T00:00:00Z"
    fresh = {"code": "Active", "quarantine": None, "steadyStateFirstAchievedTime": never, "steadyStateLastAchievedTime": never}
    return _turned(call, {"state": "Active"}, fresh)


def delete_job(call: Call) -> Answer:
    """DELETE …/jobs/{id}: 204."""
    record, job = _addressed(call)
    held = _held(call, record)
    _keep(call, record, tuple(one for one in held if one is not job), "Delete")
    return Answer(204)


def validate_credentials(call: Call) -> Answer:
    """POST …/validateCredentials: 204 for any pair; it is not looked at, and not kept."""
    _addressed(call)
    return _credentials(call.body.get("credentials"))


def put_secrets(call: Call) -> Answer:
    """PUT …/secrets: 204; write-only, and not kept here."""
    call.to_write("servicePrincipals")
    return _credentials(call.body.get("value"))


def _credentials(entries: Any) -> Answer:
    if not isinstance(entries, list) or not {one.get("key") for one in entries if isinstance(one, dict)} >= CREDENTIALS:
        raise invalid_values()
    return Answer(204)


def _addressed(call: Call) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The service principal and its job. Raises Refusal (404)."""
    record = call.to_write("servicePrincipals")
    found: Any = next((one for one in _held(call, record) if one["id"] == call.keys[1]), None)
    if found is None:
        raise not_found(str(call.keys[1]))
    return record, found


def _turned(call: Call, schedule: Mapping[str, Any], status: Mapping[str, Any]) -> Answer:
    record, job = _addressed(call)
    after = {**job, "schedule": {**job.get("schedule", {}), **schedule}, "status": {**job.get("status", {}), **status}}
    held = _held(call, record)
    _keep(call, record, tuple(after if one is job else one for one in held), "Update")
    return Answer(204)


def _held(call: Call, record: Mapping[str, Any]) -> tuple[Any, ...]:
    return call.tenant.now_view.related("jobs", record["id"])


def _keep(call: Call, record: Mapping[str, Any], jobs: tuple[Any, ...], verb: str) -> None:
    event = audit.changed(record, "synchronization job", verb, ())
    audit.commit(call, event, [("jobs", record["id"], jobs)])


_SYNC = "servicePrincipals/{}/synchronization"
_JOB = f"{_SYNC}/jobs/{{}}"
ROUTES = (
    Route("GET", f"{_SYNC}/jobs", list_jobs, "jobs.read"),
    Route("POST", f"{_SYNC}/jobs", create_job, "jobs.write"),
    Route("GET", _JOB, get_job, "jobs.read"),
    Route("DELETE", _JOB, delete_job, "jobs.write"),
    Route("POST", f"{_JOB}/start", start_job, "jobs.write"),
    Route("POST", f"{_JOB}/pause", pause_job, "jobs.write"),
    Route("POST", f"{_JOB}/restart", restart_job, "jobs.write"),
    Route("POST", f"{_JOB}/validateCredentials", validate_credentials, "jobs.write"),
    Route("PUT", f"{_SYNC}/secrets", put_secrets, "jobs.write"),
    Route("GET", f"{_SYNC}/templates", list_job_templates, "jobs.read"),
)
