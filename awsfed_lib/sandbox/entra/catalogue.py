"""What can be read about the tenant itself: gallery templates, licences, the organization, objects by id.

Shapes: learn.microsoft.com graph/api/resources/applicationtemplate, subscribedsku, organization; graph/api/directoryobject-getbyids.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import relations
from awsfed_lib.sandbox.entra.query import Shape, collection, single
from awsfed_lib.sandbox.entra.refusals import bad_request, invalid_values, not_found
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import Kind
from awsfed_lib.sandbox.entra.templates import GALLERIES
from awsfed_lib.sandbox.entra.wire import Answer

MOST_BY_IDS = 1000


def kind(name: str, properties: str, filters: str = "", contains: str = "") -> Kind:
    """Something that is read only: its properties and those of them that can be filtered, separated by spaces."""
    return Kind(
        name, name, dict.fromkeys(properties.split()), plain_filters=frozenset(filters.split()), contains=frozenset(contains.split())
    )


TEMPLATE = Shape(
    kind(
        "applicationTemplate",
        "id displayName homePageUrl supportedSingleSignOnModes supportedProvisioningTypes logoUrl categories publisher description "
        "deprecationDate endpoints isEntraIntegrated lastModifiedDateTime riskFactors riskScore",
        "id displayName publisher categories supportedSingleSignOnModes supportedProvisioningTypes",
        "displayName",
    ),
    "applicationTemplates",
    {},
)
SKU = Shape(
    kind(
        "subscribedSku",
        "id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits servicePlans skuId skuPartNumber subscriptionIds",
    ),
    "subscribedSkus",
    {},
)
ORGANIZATION = Shape(
    kind("organization", "id displayName tenantType verifiedDomains assignedPlans countryLetterCode createdDateTime deletedDateTime"),
    "organization",
    {},
)


def list_templates(call: Call) -> Answer:
    """GET /applicationTemplates: needs no permission, only a valid token (graph/api/applicationtemplate-get)."""
    return collection(call, TEMPLATE, [TEMPLATE.kind.filled(one) for one in GALLERIES[call.tenant.switches.cloud]])


def get_template(call: Call) -> Answer:
    """GET /applicationTemplates/{id}."""
    return single(call, TEMPLATE, TEMPLATE.kind.filled(template_of(call)))


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


ROUTES = (
    Route("GET", "applicationTemplates", list_templates, "template.read"),
    Route("GET", "applicationTemplates/{}", get_template, "template.read"),
    Route("GET", "subscribedSkus", list_skus, "licences"),
    Route("GET", "organization", list_organization, "tenant"),
    Route("POST", "directoryObjects/getByIds", get_by_ids, "byids", 5),
)
