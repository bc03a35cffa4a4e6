"""Writing claims mapping policies, and saying to which application they apply.

Sources: learn.microsoft.com graph/api/claimsmappingpolicy-post-claimsmappingpolicies, -update, -delete,
serviceprincipal-post-claimsmappingpolicies, serviceprincipal-delete-claimsmappingpolicies; entra-docs reference-claims-customization; the
issues named at the rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit
from awsfed_lib.sandbox.entra.patching import changed
from awsfed_lib.sandbox.entra.policies import SHAPE
from awsfed_lib.sandbox.entra.query import single
from awsfed_lib.sandbox.entra.refusals import bad_request, invalid_reference, invalid_values, not_found, value_required
from awsfed_lib.sandbox.entra.relations import table_of
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import POLICY
from awsfed_lib.sandbox.entra.wire import Answer

TABLE = "claimsMappingPolicies"
SOURCES = frozenset({"user", "application", "resource", "audience", "company", "transformation"})
POLICY_KEYS = frozenset({"Version", "IncludeBasicClaimSet", "ClaimsSchema", "ClaimsTransformation", "ClaimsTransformations"})
ENTRY_KEYS = frozenset(
    {"Source", "ID", "Value", "SamlClaimType", "JwtClaimType", "SamlNameIdFormat", "TransformationID", "TransformationId", "ExtensionID"}
)
BOOLEANS = (True, False, "true", "false", "True", "False")


def create_policy(call: Call) -> Answer:
    """POST /policies/claimsMappingPolicies: 201. Names are not unique: the same POST again makes another policy."""
    body = call.body
    if "description" in body:
        raise not_found("description")  # observed: 404 with a description, 201 without (docs-contrib#1929); the text is assumed
    for name in ("definition", "displayName"):
        if not body.get(name):
            raise value_required(name, "Policy")
    refuse_definition(body["definition"])
    made = changed(POLICY, POLICY.filled({"id": call.tenant.mint()}), body)
    audit.commit(call, _event(made, "Add", body), [(TABLE, made["id"], made)])
    answer = single(call, SHAPE, made, status=201)
    return Answer(201, answer.body, {**answer.headers, "Location": f"{call.base}/policies/{TABLE}/{made['id']}"})


def patch_policy(call: Call) -> Answer:
    """PATCH: 204."""
    record, body = _policy(call), call.body
    if "definition" in body:
        refuse_definition(body["definition"])
    after = changed(POLICY, record, body)
    audit.commit(call, _event(record, "Update", body), [(TABLE, record["id"], after)])
    return Answer(204)


def delete_policy(call: Call) -> Answer:
    """DELETE: 204. That it leaves the applications to which it applied is inferred: no page says that a policy in use is refused."""
    record = _policy(call)
    held = call.tenant.tables["policies"]
    left = [("policies", key, tuple(one for one in ids if one != record["id"])) for key, ids in held.items() if record["id"] in ids]
    audit.commit(call, _event(record, "Delete", {}), [*left, (TABLE, record["id"], None)])
    return Answer(204)


def refuse_definition(definition: Any) -> None:
    """An array of exactly one JSON text; keys are case-sensitive. The message names nothing further (entra-docs#121, graph-docs#9732)."""
    try:
        (text,) = definition
        policy = json.loads(text)["ClaimsMappingPolicy"]
        fits = not isinstance(definition, str) and _fits(policy)
    except (TypeError, ValueError, KeyError):
        fits = False
    if not fits:
        raise bad_request("Property definition has an invalid value.")


def _fits(policy: Any) -> bool:
    """Version 1, a flag in text or not, and claims of a known source or a constant (reference-claims-customization)."""
    if not isinstance(policy, dict) or policy.keys() - POLICY_KEYS or policy.get("Version") != 1:
        return False
    schema = policy.get("ClaimsSchema", [])
    return policy.get("IncludeBasicClaimSet", "false") in BOOLEANS and isinstance(schema, list) and all(map(_entry_fits, schema))


def _entry_fits(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.keys() - ENTRY_KEYS or not all(isinstance(one, str) for one in entry.values()):
        return False
    constant, sourced = "Value" in entry, entry.get("Source") in SOURCES and bool(entry.get("ID") or entry.get("ExtensionID"))
    return constant != ("Source" in entry) and (constant or sourced)


def apply_policy(call: Call) -> Answer:
    """POST /servicePrincipals/{id}/claimsMappingPolicies/$ref: 204. An application has one policy of a kind at most."""
    principal = call.to_write("servicePrincipals")
    key = _referred(call)
    held = call.tenant.now_view.related("policies", principal["id"])
    if key in held:
        raise bad_request("One or more added object references already exist for the following modified properties: 'policies'.")
    if held:
        raise bad_request("A conflicting object with one or more of the specified property values is present in the directory.")
    event = _applied(call, principal, key, "Add policy to service principal")
    audit.commit(call, event, [("policies", principal["id"], (key,))])
    return Answer(204)


def withdraw_policy(call: Call) -> Answer:
    """DELETE /servicePrincipals/{id}/claimsMappingPolicies/{id}/$ref: 204."""
    principal, key = call.to_write("servicePrincipals"), str(call.keys[1]).lower()
    held = call.tenant.now_view.related("policies", principal["id"])
    if key not in held:
        raise not_found(key)
    event = _applied(call, principal, key, "Remove policy from service principal")
    audit.commit(call, event, [("policies", principal["id"], tuple(one for one in held if one != key))])
    return Answer(204)


def refuse_without_ref(call: Call) -> Answer:
    """POST without `/$ref`, as when a shell takes it for a variable (graph-docs#18898)."""
    del call
    raise bad_request("Write requests are only supported on contained entities or navigation properties with bindings.", "BadRequest")


def _referred(call: Call) -> str:
    """The policy in `@odata.id`: by its own collection, or by directoryObjects as Terraform writes it. Raises Refusal."""
    url = call.body.get("@odata.id")
    if not isinstance(url, str) or "/" not in url:
        raise invalid_values()
    key = url.rstrip("/").rsplit("/", 1)[-1].lower()
    if call.view.get(TABLE, key) is None:
        raise invalid_reference() if table_of(call, key) else not_found(key)
    return key


def _policy(call: Call) -> Mapping[str, Any]:
    key = str(call.keys[0]).lower()
    if call.view.get(TABLE, key) is None:
        raise not_found(key)
    record: Mapping[str, Any] = call.tenant.tables[TABLE][key]
    return record


def _event(record: Mapping[str, Any], verb: str, body: Mapping[str, Any]) -> audit.Event:
    return audit.changed(record, "policy", verb, [(name, record.get(name) if verb == "Update" else None, body[name]) for name in body])


def _applied(call: Call, principal: Mapping[str, Any], key: str, activity: str) -> audit.Event:
    """`Add policy to service principal` names both (entra-docs reference-audit-activities)."""
    policy = call.tenant.tables[TABLE][key]
    changes: list[audit.Change] = [("Policy.Id", None, key), ("Policy.DisplayName", None, policy.get("displayName"))]
    event = audit.changed(principal, "service principal", "Update", changes)
    return audit.Event(activity, "Assign" if activity.startswith("Add") else "Unassign", event.category, event.targets)


_PATH, _OF = f"policies/{TABLE}", f"servicePrincipals/{{}}/{TABLE}"
ROUTES = (
    Route("POST", _PATH, create_policy, "mapping.write"),
    Route("PATCH", _PATH + "/{}", patch_policy, "mapping.write"),
    Route("DELETE", _PATH + "/{}", delete_policy, "mapping.write"),
    Route("POST", _OF, refuse_without_ref),
    Route("POST", _OF + "/$ref", apply_policy, "sp.mapping.write"),
    Route("DELETE", _OF + "/{}/$ref", withdraw_policy, "sp.mapping.write"),
)
