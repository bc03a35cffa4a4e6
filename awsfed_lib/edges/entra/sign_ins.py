"""Who signed in to the application, by Entra ID's sign-in log.

GET /auditLogs/signIns (learn.microsoft.com graph/api/signin-list): AuditLog.Read.All and a tenant with P1 or P2. It keeps 30 days, is
minutes late, gives at most 1,000 rows a page, and answers five requests in ten seconds (graph/throttling-limits). It names the person
and the application, not the role.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pandas as pd

from awsfed_lib.core.access_shapes import SIGNED_IN
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.review.use import Log, unread
from awsfed_lib.core.tables import frame
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.objects import need

NAME = "Sign-in log of Entra ID"
KEPT = timedelta(days=30)
PAGE = 1000  # rows, the most there are
Wire = Mapping[str, Any]


def read(graph: Graph, service_principal: str, *, days: int, now: datetime) -> Log:
    """Read the log of the application for the last `days`, at most the 30 that it keeps: a Log of SIGNED_IN.

    What cannot be read is a Log that says why: then nobody is called unused by it.
    """
    begin = now - min(timedelta(days=days), KEPT)
    try:
        app_id = need(graph.service_principal(service_principal, "appId"), "appId", "The service principal")
        stamp = begin.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = quote(f"appId eq '{app_id}' and createdDateTime ge {stamp}")
        events = graph.log(f"/auditLogs/signIns?$filter={wanted}&$top={PAGE}")
        return Log(NAME, by_person(_named_here(graph, events)), begin, now)
    except AwsfedError as error:
        return unread(NAME, error.what, error.remedy)


def _named_here(graph: Graph, events: Sequence[Wire]) -> list[Wire]:
    """Give people the name that they have in this tenant now, by their id: of a guest the log tells the address at home.

    Somebody who is gone keeps the id as name, since another person may have the user name now.
    """
    known = {str(one["userId"]) for one in events if one.get("userId")}
    users = graph.existing("users", known, ("id", "userPrincipalName"))
    names = {need(user, "id", "A user"): user.get("userPrincipalName") for user in users}
    return [{**one, "userPrincipalName": names.get(one["userId"])} if one.get("userId") else dict(one) for one in events]


def by_person(events: Iterable[Wire]) -> pd.DataFrame:
    """Count the events by person: SIGNED_IN. An interrupted sign-in (an error code that is not 0) is no success."""
    found: dict[str, dict[str, Any]] = {}
    for event in sorted(events, key=lambda one: need(one, "createdDateTime", "A sign-in")):
        name = str(event.get("userPrincipalName") or event.get("userId") or "").casefold()
        blank = {"user_name": name, "last_success": None, "successes": 0, "failures": 0, "last_error": ""}
        _count(found.setdefault(name, blank), event)
    return frame(SIGNED_IN, [found[name] for name in sorted(found)])


def _count(row: dict[str, Any], event: Wire) -> None:
    status = event.get("status") or {}
    if status.get("errorCode") == 0:
        row["successes"] += 1
        row["last_success"] = datetime.fromisoformat(event["createdDateTime"])
    else:
        row["failures"] += 1
        row["last_error"] = f"{status.get('errorCode')}: {status.get('failureReason') or 'no reason told'}"
