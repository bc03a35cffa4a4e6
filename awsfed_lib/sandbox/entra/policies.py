"""Claims mapping policies (learn.microsoft.com/graph/api/resources/claimsmappingpolicy): what an application puts into its tokens."""

from __future__ import annotations

from awsfed_lib.sandbox.entra import relations
from awsfed_lib.sandbox.entra.query import Shape, collection, single
from awsfed_lib.sandbox.entra.refusals import not_found
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import POLICY
from awsfed_lib.sandbox.entra.wire import Answer

SHAPE = Shape(POLICY, "policies/claimsMappingPolicies", {})


def list_policies(call: Call) -> Answer:
    """GET /policies/claimsMappingPolicies."""
    return collection(call, SHAPE, call.view.rows("claimsMappingPolicies"))


def get_policy(call: Call) -> Answer:
    """GET /policies/claimsMappingPolicies/{id}."""
    key = str(call.keys[0])
    found = call.view.get("claimsMappingPolicies", key)
    if found is None:
        raise not_found(key)
    return single(call, SHAPE, found)


def list_applied_to(call: Call) -> Answer:
    """GET /policies/claimsMappingPolicies/{id}/appliesTo."""
    key = str(call.keys[0])
    users = [object_id for object_id in call.tenant.tables["policies"] if key in call.view.related("policies", object_id)]
    return collection(call, relations.SHAPE, relations.objects(call, users))


def list_of_principal(call: Call, principal_id: str) -> Answer:
    """GET /servicePrincipals/{id}/claimsMappingPolicies: none or one."""
    found = (call.view.get("claimsMappingPolicies", key) for key in call.view.related("policies", principal_id))
    return collection(call, SHAPE, [one for one in found if one is not None])


ROUTES = (
    Route("GET", "policies/claimsMappingPolicies", list_policies, "mapping.read"),
    Route("GET", "policies/claimsMappingPolicies/{}", get_policy, "mapping.read"),
    Route("GET", "policies/claimsMappingPolicies/{}/appliesTo", list_applied_to, "mapping.applies"),
)
