"""What preflight judges, read from Entra ID: whatever cannot be read is noted with its reason, and the rest is read all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pandas as pd

from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.core.review.permits import table
from awsfed_lib.core.review.preflight import Ground, Unread
from awsfed_lib.core.roles import approles
from awsfed_lib.edges.entra.auth import Held
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records import runbooks
from awsfed_lib.edges.records.runbooks import Runbook

Fact = TypeVar("Fact")
NO_APPLICATION = Unread(
    "no application is named: application_id is empty", "Make or adopt it with 01-application, and note its Object ID down."
)
OF_APPLICATION = ("application", "capacity", "jobs")
KEYS = ("appId", "displayName", "accountEnabled", "preferredSingleSignOnMode", "appRoleAssignmentRequired")


def permits(held: Held, *, reach: pd.DataFrame, writing: pd.DataFrame) -> pd.DataFrame:
    """Judge every runbook of the catalogue by what this sign-in has: PERMITS. Its roles in AWS are those that it declares as parameters."""
    return table(held, {book.id: _acting(book) for book in runbooks.catalogue()}, reach, writing)


def _acting(book: Runbook) -> set[str]:
    return {"via", *(("writer", "remover") if "aws" in book.changes else ())} & set(book.names)


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
    )
