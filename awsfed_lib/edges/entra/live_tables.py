"""The live tables of Graph by name: how each is read, whole, and the facts that plans compare.

One place for both, so that a plan, its drift check, its snapshot and its verification read the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from awsfed_lib.core import facts
from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.errors import GraphError, ParameterError, UnreadError
from awsfed_lib.core.saml import application, claim_plan, gallery
from awsfed_lib.edges.entra import objects, pages

Wire = list[dict[str, Any]]
SIGNING = ("displayName", "preferredTokenSigningKeyThumbprint", certificates.KEYS, certificates.PASSWORDS)
POLICIES = "/policies/claimsMappingPolicies"
NOT_FOUND = 404


class Reader(Protocol):
    """What is needed of Graph."""

    def read(self, path: str) -> Wire:
        """Read every object of a collection."""

    def one(self, path: str) -> dict[str, Any]:
        """Read one object."""

    def service_principal(self, service_principal: str, *keys: str) -> dict[str, Any]:
        """Read a service principal."""

    def find_groups(self, names: Sequence[str], unique_names: Sequence[str], ids: Sequence[str]) -> Wire:
        """Read the groups that have one of these."""


class LiveTable(NamedTuple):
    """`read`: the wire objects of the table for `of`; `facts`: theirs, in that order."""

    read: Callable[[Reader, str], Wire]
    facts: Callable[[Wire], tuple[str, ...]]


def named(table: str) -> LiveTable:
    """Return the live table called `table`. Raises ParameterError when Graph has none such."""
    if table not in TABLES:
        raise ParameterError(f"Graph has no table {table!r}.", remedy=f"It has {', '.join(sorted(TABLES))}.")
    return TABLES[table]


def guid(text: str) -> str:
    """Return `text` when it can stand in a path as it is; raise ParameterError else."""
    if not text or not all(char.isalnum() or char in "-_" for char in text):
        raise ParameterError(f"{text!r} is not an object id.", remedy="Take the object id from the portal: a GUID.")
    return text


def listed(wire: Mapping[str, Any], key: str) -> Wire:
    """Return the list under `key`, or raise UnreadError: a service principal without one was not read whole."""
    found = wire.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UnreadError(f"The service principal came without its list of {key}.", where=str(wire.get("id")), remedy="Run it again.")
    return found


def app_roles(graph: Reader, of: str) -> Wire:
    """Read the appRoles of a service principal."""
    return listed(graph.service_principal(of, "appRoles"), "appRoles")


def assignments(graph: Reader, of: str) -> Wire:
    """Read the assignments of a service principal, over all pages."""
    return graph.read(f"/servicePrincipals/{guid(of)}/appRoleAssignedTo?$top=999")


def memberships(graph: Reader, of: str) -> Wire:
    """Read the groups that a user is a direct member of; directory roles and administrative units come along, and are left out.

    Half-told groups are kept: a token that may not read groups gets their ids only (learn.microsoft.com graph/api/user-list-memberof).
    """
    found = graph.read(f"/users/{guid(of)}/memberOf?$select={','.join(objects.MEMBERSHIP_KEYS)}&$top=999")
    return [wire for wire in found if wire.get("@odata.type") == "#microsoft.graph.group"]


def _groups(graph: Reader, of: str) -> Wire:
    """`of` is a JSON list of unique names and display names, which are looked up as both."""
    names = [str(name) for name in json.loads(of)]
    return list({objects.need(group, "id", "A group"): group for group in graph.find_groups(names, names, [])}.values())


def registration(graph: Reader, of: str) -> Wire:
    """Read the application object with this object id."""
    wire = graph.one(f"/applications/{guid(of)}")
    if wire.get("id") != of:
        raise UnreadError("Another application came back than the one that was asked for.", where=of)
    return [wire]


def signing(graph: Reader, of: str) -> Wire:
    """Read a service principal with its keys; they come only with $select on a single object (graph/api/resources/keycredential)."""
    wire = graph.service_principal(of, *SIGNING)
    for key in (certificates.KEYS, certificates.PASSWORDS):
        listed(wire, key)
    return [wire]


def policies(graph: Reader, of: str) -> Wire:
    """Read the claims mapping policies of the tenant that are called `of`; there are few, so all are read."""
    return [policy for policy in graph.read(POLICIES) if policy.get("displayName") == of]


def assigned_policies(graph: Reader, of: str) -> Wire:
    """Read the claims mapping policies that a service principal has: none or one.

    From the policies' side: to read them at the service principal takes a permission to write applications (graph/permissions-reference).
    """
    return [policy for policy, holders in policies_in_use(graph) if of in holders]


def policies_in_use(graph: Reader) -> list[tuple[dict[str, Any], frozenset[str]]]:
    """Read every claims mapping policy of the tenant, and the ids of what has it (graph/api/claimsmappingpolicy-list-appliesto)."""
    return [(policy, _holders(graph, objects.need(policy, "id", "A claims policy"))) for policy in graph.read(POLICIES)]


def _holders(graph: Reader, policy_id: str) -> frozenset[str]:
    try:
        found = graph.read(f"{POLICIES}/{guid(policy_id)}/appliesTo?$select=id")
    except GraphError as refusal:
        if refusal.status != NOT_FOUND:
            raise
        return frozenset()  # just deleted, or just made and not at every replica: no application has it there
    return frozenset(objects.need(one, "id", "A holder of a claims policy") for one in found)


def instances(graph: Reader, of: str) -> Wire:
    """Read the service principals with this display name; Graph compares without case, and names are told apart by it."""
    path = f"/servicePrincipals?$filter=displayName%20eq%20{pages.quoted(of)}&$top=999"
    return [wire for wire in graph.read(path) if wire.get("displayName") == of]


def _by_id(collection: str) -> Callable[[Reader, str], Wire]:
    """Read one object of `collection` by its id; none when Graph has no such id, or not at every replica yet."""

    def read(graph: Reader, of: str) -> Wire:
        try:
            return [graph.one(f"{collection}/{guid(of)}")]
        except GraphError as refusal:
            if refusal.status != NOT_FOUND:
                raise
            return []

    return read


def _each(fact: Callable[[dict[str, Any]], str]) -> Callable[[Wire], tuple[str, ...]]:
    return lambda wire: tuple(fact(item) for item in wire)


def _assignment(wire: Mapping[str, Any]) -> str:
    return facts.assignment(*(objects.need(wire, key, "An assignment") for key in ("appRoleId", "principalId")))


def _group(wire: Mapping[str, Any]) -> str:
    return facts.group(wire.get("uniqueName") or "", objects.need(wire, "displayName", "A group"))


def _tags(wire: Wire) -> tuple[str, ...]:
    tags = wire[0].get("tags")
    if not isinstance(tags, list):
        raise UnreadError("The service principal came without its tags.", where=str(wire[0].get("id")), remedy="Run it again.")
    return tuple(facts.setting("tag", tag) for tag in tags)


TABLES: Mapping[str, LiveTable] = MappingProxyType(
    {
        "app_roles": LiveTable(app_roles, _each(facts.app_role)),
        "assignments": LiveTable(assignments, _each(_assignment)),
        "groups": LiveTable(_groups, _each(_group)),
        "memberships": LiveTable(memberships, _each(lambda wire: facts.membership(objects.need(wire, "id", "A group")))),
        application.SERVICE_PRINCIPAL: LiveTable(
            lambda graph, of: [graph.service_principal(of)], lambda wire: application.settings_facts(application.SERVICE_PRINCIPAL, wire[0])
        ),
        application.APPLICATION: LiveTable(registration, lambda wire: application.settings_facts(application.APPLICATION, wire[0])),
        "certificates": LiveTable(signing, lambda wire: certificates.certificate_facts(certificates.read(wire[0]))),
        "certificate_names": LiveTable(signing, lambda wire: certificates.name_facts(certificates.read(wire[0]))),
        "credentials": LiveTable(signing, lambda wire: certificates.credential_facts(wire[0])),
        "instance": LiveTable(_by_id("/servicePrincipals"), gallery.instance_facts),
        "claims_policy": LiveTable(_by_id(POLICIES), lambda wire: claim_plan.policy_facts(tuple(wire))),
        "group": LiveTable(_by_id("/groups"), _each(_group)),
        "claims_policies": LiveTable(policies, lambda wire: claim_plan.policy_facts(tuple(wire))),
        "assigned_policies": LiveTable(
            assigned_policies, _each(lambda wire: facts.assigned_policy(objects.need(wire, "id", "A claims policy")))
        ),
        "instances": LiveTable(instances, gallery.instance_facts),
        "tags": LiveTable(lambda graph, of: [graph.service_principal(of, "tags")], _tags),
    }
)
