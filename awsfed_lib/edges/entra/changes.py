"""Who changed the application: Entra ID's directory audit log, newest first.

GET /auditLogs/directoryAudits (learn.microsoft.com graph/api/directoryaudit-list): AuditLog.Read.All; the log keeps 30 days
(7 without P1), is minutes late, and answers five requests in ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import pandas as pd

from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.tables import AUTHORS, frame
from awsfed_lib.edges.entra.live_tables import guid

KEPT = timedelta(days=30)
Wire = Mapping[str, Any]


class Reader(Protocol):
    """What reads logs of Graph."""

    def log(self, path: str) -> list[dict[str, Any]]:
        """Read every entry of a log, as slowly as its limit asks."""


def authors(graph: Reader, service_principal: str, *, since: datetime | None, now: datetime) -> pd.DataFrame:
    """Tell who changed the application, its appRoles and its assignments since then: AUTHORS, newest first.

    `since`: None for all that the log keeps. When the log cannot be read, one row says why: nobody known is not nobody.
    """
    begin = max(filter(None, (since, now - KEPT)))
    stamp = begin.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = f"activityDateTime ge {stamp} and targetResources/any(t:t/id eq '{guid(service_principal)}')"
    try:
        events = graph.log(f"/auditLogs/directoryAudits?$filter={quote(wanted)}")
    except AwsfedError as error:
        return frame(AUTHORS, [{"who": "not known", "activity": error.what, "target": error.remedy}])
    return frame(AUTHORS, [_row(event) for event in events])


def _row(event: Wire) -> dict[str, Any]:
    names = [str(target.get("displayName") or target.get("userPrincipalName") or target.get("id")) for target in event["targetResources"]]
    return {
        "at": datetime.fromisoformat(event["activityDateTime"]),
        "who": _who(event.get("initiatedBy") or {}),
        "activity": event["activityDisplayName"],
        "result": event.get("result") or "",
        "target": ", ".join(names),
        "changed": ", ".join(sorted(set(_changed(event["targetResources"])))),
    }


def _who(initiated: Wire) -> str:
    user, app = initiated.get("user") or {}, initiated.get("app") or {}
    return str(user.get("userPrincipalName") or user.get("id") or app.get("displayName") or app.get("appId") or "not told")


def _changed(targets: Sequence[Wire]) -> Iterator[str]:
    for target in targets:
        changed = [one for one in target.get("modifiedProperties") or () if one.get("oldValue") != one.get("newValue")]
        yield from (str(one.get("displayName")) for one in changed)
