"""What preflight judges, read from Entra ID: whatever cannot be read is noted with its reason, and the rest is read all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import pandas as pd

from awsfed_lib.core.coverage import ACCOUNTS_LIST
from awsfed_lib.core.errors import AwsError, GraphError, SignInError, UnreadError
from awsfed_lib.core.review.permits import Asked, table
from awsfed_lib.core.review.preflight import Ground, Probe, Unread
from awsfed_lib.core.roles import approles
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.entra import permissions
from awsfed_lib.edges.entra.auth import Held
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records import runbooks
from awsfed_lib.edges.records.runbooks import Runbook

Fact = TypeVar("Fact")
Answer = list[dict[str, Any]] | GraphError | UnreadError
NOT_FOUND = 404
NO_APPLICATION = Unread(
    "no application is named: application_id is empty", "Make or adopt it with 01-application, and note its Object ID down."
)
OF_APPLICATION = ("application", "capacity", "jobs")
KEYS = ("appId", "displayName", "accountEnabled", "preferredSingleSignOnMode", "appRoleAssignmentRequired")


def permits(held: Held, *, reach: pd.DataFrame, writing: pd.DataFrame) -> pd.DataFrame:
    """Judge every runbook of the catalogue by what this sign-in has: PERMITS. Its roles in AWS are those that it declares as parameters."""
    return table(held, {book.id: Asked(book.graph, _acting(book)) for book in runbooks.catalogue()}, reach, writing)


def _acting(book: Runbook) -> frozenset[str]:
    return frozenset({"via", *(("writer", "remover") if "aws" in book.changes else ())} & set(book.names))


def reach(organization: Organization, *, through: str = "") -> pd.DataFrame:
    """Ask in every account who awsfed is there, as `aws.reach`; where not even the accounts can be listed, one row says why."""
    try:
        return aws.reach(organization, through=through)
    except (AwsError, SignInError, UnreadError) as error:
        organization.coverage.not_read(ACCOUNTS_LIST, error.what)
        row = {"account_id": "", "account_name": "all accounts", "reach": "", "problem": f"{error.what} {error.remedy}".strip()}
        return pd.DataFrame([row]).astype("str")


def survey(graph: Graph, application_id: str) -> Ground:
    """Read the enterprise application, its role import, its room, the tenant and its licences.

    Without an id there is no application yet. A refusal of Graph (GraphError) or half an answer (UnreadError) becomes a reason
    in `Ground.unread`; any other error is raised.
    """
    unread: dict[str, Unread] = {}

    def tried(fact: str, read: Callable[[], Fact]) -> Fact | None:
        if fact in OF_APPLICATION and not application_id:
            unread[fact] = NO_APPLICATION
            return None
        try:
            with graph.coverage.reading(f"preflight: {fact}"):
                return read()
        except (GraphError, UnreadError) as error:
            unread[fact] = Unread(error.what, error.remedy)
            return None

    def application() -> Mapping[str, Any]:
        return graph.service_principal(application_id, *KEYS)

    return Ground(
        application=tried("application", application),
        capacity=tried("capacity", lambda: approles.capacity(graph.app_roles(application_id), graph.scopes(application_id))),
        jobs=tried("jobs", lambda: graph.jobs(application_id)),
        plans=tried("plans", lambda: graph.directory().plans),
        tenant=tried("tenant", lambda: graph.tenant().name),
        unread=unread,
        probes=tuple(_probes(graph, application_id)),
    )


def _probes(graph: Graph, application_id: str) -> Iterator[Probe]:
    """Send the reads that a token can be refused although its permissions look right, one object each, and go on after a refusal."""
    assigned = _one(graph, f"/servicePrincipals/{application_id}/appRoleAssignedTo?$top=20") if application_id else []
    group = next((str(row["principalId"]) for row in _found(assigned) if row.get("principalType") == "Group"), "")
    users = _one(graph, "/users?$top=1&$select=id,accountEnabled,userPrincipalName")
    user = next((str(row["id"]) for row in _found(users)), "")
    policies = _one(graph, "/policies/claimsMappingPolicies?$top=1")
    policy = next((str(row["id"]) for row in _found(policies)), "")
    asked: dict[str, str | Answer] = {
        "assigned.read": assigned if application_id else "",
        "group.read": "/groups?$top=1&$select=id,displayName,visibility",
        "member.read": f"/groups/{group}/members?$top=1&$select=id" if group else "",
        "user.full": users,
        "user.groups": f"/users/{user}/memberOf?$top=1&$select=id" if user else "",
        "mapping.read": policies,
        "mapping.applies": f"/policies/claimsMappingPolicies/{policy}/appliesTo?$top=1&$select=id" if policy else "",
        "sp.claims": f"/beta/servicePrincipals/{application_id}/claimsPolicy" if application_id else "",
        "audits": "/auditLogs/directoryAudits?$top=1",
        "signins": "/auditLogs/signIns?$top=1",
    }
    for name, how in asked.items():
        if how != "":
            yield _probe(name, _one(graph, how) if isinstance(how, str) else how)


def _one(graph: Graph, path: str) -> Answer:
    """Read one page, or why not; an object stands for a list of one."""
    try:
        found = graph.one(path)
    except (GraphError, UnreadError) as error:
        return error
    listed = found.get("value")
    return listed if isinstance(listed, list) else [found]


def _found(answer: Answer) -> list[dict[str, Any]]:
    return answer if isinstance(answer, list) else []


def _probe(name: str, answer: Answer) -> Probe:
    call = permissions.known()[name].call
    if isinstance(answer, GraphError) and answer.status == NOT_FOUND:
        return Probe(call, "ok", "allowed; there is none")
    if not isinstance(answer, list):
        return Probe(call, "look", f"refused, so that what it shows is unknown: {answer.what}", answer.remedy)
    if name == "user.full" and any(row.get("accountEnabled") is None for row in answer):
        return Probe(call, "look", "whether users are enabled is not shown", "Grant User.Read.All.")
    return Probe(call, "ok", "allowed")
