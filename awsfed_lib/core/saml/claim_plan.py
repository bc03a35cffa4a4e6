"""The plan that makes the desired claims mapping policy and assigns it to the application.

Two runs: POST makes a policy whose id Entra chooses, and no plan holds an id that is not known yet. Neither POST is
idempotent, so both are recognised by what they make (learn.microsoft.com graph/api/claimsmappingpolicy-post-claimsmappingpolicies,
serviceprincipal-post-claimsmappingpolicies).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Guards, Request, Settled, Subject, as_json
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.saml.claim_definition import Claims, in_words, merged, text_of
from awsfed_lib.core.tables import canonical

TITLE = "Claims of the application"
POLICIES = "/policies/claimsMappingPolicies"


@dataclass(frozen=True)
class LivePolicies:
    """Claims mapping policies as Graph sends them.

    `assigned`: those of the service principal; `named`: those of the tenant with the desired display name; `shared`: ids
    of policies that other applications use as well (GET …/claimsMappingPolicies/{id}/appliesTo).
    """

    assigned: tuple[Mapping[str, Any], ...] = ()
    named: tuple[Mapping[str, Any], ...] = ()
    shared: tuple[str, ...] = ()


def plan(  # noqa: PLR0913  the application, both sides, and the limits
    application: Subject,
    live: LivePolicies,
    desired: Claims,
    *,
    name: str,
    graph_url: str,
    guards: Guards = Guards(),  # noqa: B008  frozen
) -> Plan:
    """Make, correct or assign the policy called `name`, whichever is next; nothing when it is in effect.

    A live policy is merged, never rendered: what goes is a change of its own, and counts against `max_removed`.

    `graph_url`: of the cloud, such as https://graph.microsoft.com; the reference in the body needs it whole. A foreign
    policy that is assigned, or ours when others use it, is a refusal: taking it away changes what is not ours.
    """
    foreign = [policy for policy in live.assigned if policy.get("displayName") != name]
    if live.assigned and (not foreign or _same(live.assigned[0], desired)):
        return _corrected(application, live, desired, name, guards)
    found = sorted((policy for policy in live.named if _same(policy, desired)), key=lambda policy: str(policy["id"]))
    following = _assigned(application, found[0], (live, graph_url)) if found else _made(application, live, desired, name)
    why = tuple(
        f"Another claims mapping policy is assigned: {_label(policy)}. Only one has effect: name it in claims_policy to correct it, or"
        " unassign it first."
        for policy in foreign
    )
    return replace(following, refusals=why)


def _same(policy: Mapping[str, Any], desired: Claims) -> bool:
    live = text_of(policy)
    return _canonical(live) == _canonical(merged(live, desired)[0])


def _canonical(definition: str) -> str:
    try:
        return canonical(json.loads(definition))
    except ValueError:
        return definition


def policy_facts(policies: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    """Write the facts of the live table "claims_policies" of one display name."""
    return tuple(facts.claims_policy(str(policy.get("displayName")), _canonical(text_of(policy))) for policy in policies)


def _label(policy: Mapping[str, Any]) -> str:
    return f"{policy.get('displayName')} ({policy.get('id')})"


def _corrected(application: Subject, live: LivePolicies, desired: Claims, name: str, guards: Guards) -> Plan:
    policy = live.assigned[0]
    if _same(policy, desired):
        keep = Change("keep", "claims policy", name, _label(policy), why="It says what is desired.")
        return Plan(TITLE, application, (keep,), (), (), ())
    shared = f"{_label(policy)} is also the policy of other applications; give this one its own name."
    definition, gone = merged(text_of(policy), desired)
    before, after = policy_facts((policy,))[0], facts.claims_policy(name, _canonical(definition))
    whole = live.named or (policy,)
    basis = Basis.over("claims_policies", name, policy_facts(whole))
    goal = tuple(after if item["id"] == policy["id"] else fact for item, fact in zip(whole, policy_facts(whole), strict=True))
    body = as_json({"definition": [definition]})
    settled = Settled("claims_policies", name, (after,), () if goal.count(before) else (before,))
    request = Request("PATCH", f"{POLICIES}/{policy['id']}", body, f"Correct the claims policy {name}", settled, basis)
    change = Change("update", "claims policy", name, _label(policy), in_words(text_of(policy)), in_words(definition))
    losses = tuple(Change("remove", "claim", text, text, before=text, why="The desired claims take its place.") for text in gone)
    too_many = f"The plan removes {len(gone)} claims of the policy, and max_removed of the parameter file is {guards.max_removed}."
    refusals = (*((shared,) if policy["id"] in live.shared else ()), *((too_many,) if len(gone) > guards.max_removed else ()))
    expected = Basis.over("claims_policies", name, goal)
    return Plan(TITLE, application, (change, *losses), (request,), (basis,), (expected,), refusals=refusals, guards=guards)


def _made(application: Subject, live: LivePolicies, desired: Claims, name: str) -> Plan:
    body = as_json({"definition": [desired.definition], "displayName": name, "isOrganizationDefault": False})
    made = facts.claims_policy(name, _canonical(desired.definition))
    before = policy_facts(live.named)
    basis = Basis.over("claims_policies", name, before)
    settled = Settled("claims_policies", name, (made,))
    request = Request(
        "POST", POLICIES, body, f"Make the claims policy {name}", settled, basis, creates=f"claims policy {name}", by_id="claims_policy"
    )
    why = "Run again afterwards: it is assigned once its id is known."
    other = "Has the same name, and says something else."
    others = tuple(Change("keep", "claims policy", str(policy["id"]), _label(policy), why=other) for policy in live.named)
    change = Change("add", "claims policy", name, name, after=in_words(desired.definition), why=why)
    return Plan(TITLE, application, (change, *others), (request,), (basis,), (Basis.over("claims_policies", name, (*before, made)),))


def _assigned(application: Subject, policy: Mapping[str, Any], where: tuple[LivePolicies, str]) -> Plan:
    live, graph_url = where
    path = f"/servicePrincipals/{application.id}/claimsMappingPolicies/$ref"
    body = as_json({"@odata.id": f"{graph_url}/v1.0{POLICIES}/{policy['id']}"})
    fact = facts.assigned_policy(str(policy["id"]))
    before = tuple(facts.assigned_policy(str(item["id"])) for item in live.assigned)
    basis = Basis.over("assigned_policies", application.id, before)
    request = Request("POST", path, body, "Assign the claims policy", Settled("assigned_policies", application.id, (fact,)), basis)
    why = "From then on it wins over the portal's Attributes & Claims, whole, and makes that blade read-only."
    change = Change("add", "assigned claims policy", str(policy["id"]), _label(policy), after=in_words(text_of(policy)), why=why)
    return Plan(TITLE, application, (change,), (request,), (basis,), (Basis.over("assigned_policies", application.id, (*before, fact)),))
