"""What can be read about the tenant itself: gallery templates, licences, the organization, objects by id, provisioning jobs.

Shapes: learn.microsoft.com graph/api/resources/applicationtemplate, subscribedsku, organization; graph/api/directoryobject-getbyids;
graph/api/resources/synchronization-synchronizationjob.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import permissions, relations
from awsfed_lib.sandbox.entra.loading import named
from awsfed_lib.sandbox.entra.query import Shape, collection, single
from awsfed_lib.sandbox.entra.refusals import bad_request, invalid_values, not_found
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import Kind
from awsfed_lib.sandbox.entra.templates import GALLERIES, is_aws
from awsfed_lib.sandbox.entra.wire import Answer

MOST_BY_IDS = 1000


def _kind(name: str, properties: str, filters: str = "") -> Kind:
    return Kind(name, name, dict.fromkeys(properties.split()), plain_filters=frozenset(filters.split()))


TEMPLATE = Shape(
    _kind(
        "applicationTemplate",
        "id displayName homePageUrl supportedSingleSignOnModes supportedProvisioningTypes logoUrl categories publisher description",
        "id displayName publisher categories supportedSingleSignOnModes supportedProvisioningTypes",
    ),
    "applicationTemplates",
    {},
)
SKU = Shape(
    _kind(
        "subscribedSku",
        "id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits servicePlans skuId skuPartNumber subscriptionIds",
    ),
    "subscribedSkus",
    {},
)
ORGANIZATION = Shape(
    _kind("organization", "id displayName tenantType verifiedDomains assignedPlans countryLetterCode createdDateTime deletedDateTime"),
    "organization",
    {},
)
JOB = Shape(_kind("synchronizationJob", "id templateId schedule status synchronizationJobSettings"), "synchronizationJobs", {})
SYNC_TEMPLATE = Shape(
    _kind("synchronizationTemplate", "id applicationId default description discoverable factoryTag metadata"), "templates", {}
)


def list_templates(call: Call) -> Answer:
    """GET /applicationTemplates: needs no permission, only a valid token (graph/api/applicationtemplate-get)."""
    return collection(call, TEMPLATE, list(GALLERIES[call.tenant.switches.cloud]))


def get_template(call: Call) -> Answer:
    """GET /applicationTemplates/{id}."""
    return single(call, TEMPLATE, template_of(call))


def template_of(call: Call) -> Mapping[str, Any]:
    """The template that the path names. Raises Refusal (404) for one that this cloud's gallery does not have."""
    key = str(call.keys[0])
    found = next((one for one in GALLERIES[call.tenant.switches.cloud] if one["id"] == key.lower()), None)
    if found is None:
        raise not_found(key)
    return found


def list_skus(call: Call) -> Answer:
    """GET /subscribedSkus."""
    return collection(call, SKU, [SKU.kind.filled(one) for one in call.tenant.world.get("subscribedSkus", ())])


def list_organization(call: Call) -> Answer:
    """GET /organization: one row, the tenant."""
    domain = {"capabilities": "", "isDefault": True, "isInitial": True, "name": call.tenant.domain, "type": "Managed"}
    known = {"id": call.tenant.id, "displayName": call.tenant.world.get("displayName", "Contoso"), "tenantType": "AAD"}
    row = ORGANIZATION.kind.filled({**known, "verifiedDomains": [domain], "assignedPlans": []})
    return collection(call, ORGANIZATION, [row])


def get_by_ids(call: Call) -> Answer:
    """POST /directoryObjects/getByIds: up to 1,000 ids, unknown ones left out."""
    ids, types = call.body.get("ids"), call.body.get("types")
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        raise invalid_values()
    if len(ids) > MOST_BY_IDS:
        raise bad_request(f"Too many ids specified: {len(ids)}. The maximum is {MOST_BY_IDS}.")
    rows = relations.objects(call, [one.lower() for one in ids])
    wanted = {f"#microsoft.graph.{one}" for one in types} if isinstance(types, list) else None
    return collection(call, relations.SHAPE, [row for row in rows if wanted is None or row["@odata.type"] in wanted])


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
    rows = [{"id": "aws", "applicationId": named("synchronization", str(record["appId"])), "factoryTag": "aws"}]
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


_SYNC = "servicePrincipals/{}/synchronization"
ROUTES = (
    Route("GET", "applicationTemplates", list_templates),
    Route("GET", "applicationTemplates/{}", get_template),
    Route("GET", "subscribedSkus", list_skus, permissions.READ_LICENSES),
    Route("GET", "organization", list_organization, permissions.READ_ORGANIZATION),
    Route("POST", "directoryObjects/getByIds", get_by_ids, permissions.READ_OBJECTS, 5),
    Route("GET", f"{_SYNC}/jobs", list_jobs, permissions.READ_JOBS),
    Route("GET", f"{_SYNC}/jobs/{{}}", get_job, permissions.READ_JOBS),
    Route("GET", f"{_SYNC}/templates", list_job_templates, permissions.READ_JOBS),
)
