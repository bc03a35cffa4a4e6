"""Who changed the application, its groups and its claims: Entra ID's directory audit log, newest first.

GET /auditLogs/directoryAudits (learn.microsoft.com graph/api/directoryaudit-list): AuditLog.Read.All; the log keeps 30 days
(7 without P1), is minutes late, and answers five requests in ten seconds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

import pandas as pd

from awsfed_lib.core.drift_shapes import AUTHORS
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.review.attribution import KEPT, WHOLE
from awsfed_lib.core.tables import canonical, frame
from awsfed_lib.edges.entra.live_tables import guid

MOST_GROUPS = 10
"""Groups that are asked for one by one, two seconds each; of more, changes of members stay without a name."""
POLICY = "activityDisplayName eq 'Update policy'"
Wire = Mapping[str, Any]


class Reader(Protocol):
    """What reads logs of Graph."""

    def log(self, path: str) -> list[dict[str, Any]]:
        """Read every entry of a log, as slowly as its limit asks."""


def authors(graph: Reader, objects: Collection[str], *, since: datetime | None, now: datetime, also: str = "") -> pd.DataFrame:
    """Tell who changed the objects since then: AUTHORS, newest first. `objects`: ids, of the application first and of groups.

    `since`: None for all that the log keeps. `also`: a filter for entries that name none of them, such as POLICY. When the
    log cannot be read, one row says why: nobody known is not nobody.
    """
    begin = max(filter(None, (since, now - KEPT))).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = [f"targetResources/any(t:t/id eq '{guid(name)}')" for name in list(objects)[: MOST_GROUPS + 1]]
    try:
        found = [event for one in filter(None, (*wanted, also)) for event in graph.log(_path(f"activityDateTime ge {begin} and {one}"))]
    except AwsfedError as error:
        return frame(AUTHORS, [{"who": "not known", "activity": error.what, "target": error.remedy}])
    once = {event.get("id") or canonical(event): event for event in found}.values()
    return frame(AUTHORS, sorted(map(_row, once), key=lambda row: row["at"], reverse=True))


def _path(wanted: str) -> str:
    return f"/auditLogs/directoryAudits?$filter={quote(wanted)}"


def _row(event: Wire) -> dict[str, Any]:
    targets = event["targetResources"]
    names = [str(target.get("displayName") or target.get("userPrincipalName") or target.get("id")) for target in targets]
    initiated = event.get("initiatedBy") or {}
    return {
        "at": datetime.fromisoformat(event["activityDateTime"]),
        "who": _who(initiated),
        "activity": event["activityDisplayName"],
        "result": event.get("result") or "",
        "target": ", ".join(names),
        "changed": ", ".join(sorted({str(one.get("displayName")) for one in _changed(targets)})),
        "app_id": (initiated.get("app") or {}).get("appId"),
        "touched": "; ".join(dict.fromkeys(_touched(targets))),
    }


def _who(initiated: Wire) -> str:
    user, app = initiated.get("user") or {}, initiated.get("app") or {}
    return str(user.get("userPrincipalName") or user.get("id") or app.get("displayName") or app.get("appId") or "not told")


def _changed(targets: Sequence[Wire]) -> Iterator[Wire]:
    for target in targets:
        yield from (one for one in target.get("modifiedProperties") or () if one.get("oldValue") != one.get("newValue"))


def _touched(targets: Sequence[Wire]) -> Iterator[str]:
    """Yield the ids of the targets, and the ids and values that the properties hold now or held before."""
    yield from (str(target["id"]) for target in targets if target.get("id"))
    for one in _changed(targets):
        old, new = (_value(one.get(name)) for name in ("oldValue", "newValue"))
        if str(one.get("displayName")).lower() in ("approle", "approles"):
            yield from _different(old, new)
        else:
            yield from (value for value in (old, new) if isinstance(value, str) and value)


def _value(text: object) -> object:
    """Read a property: JSON as text; what is cut off, as a long collection is, cannot be read."""
    try:
        return json.loads(str(text)) if text else None
    except ValueError:
        return None


def _different(old: object, new: object) -> Iterator[str]:
    """Yield id and value of the entries that are in one collection only."""
    if not isinstance(old, list) or not isinstance(new, list):
        yield WHOLE
        return
    before, after = ({canonical(entry): entry for entry in entries if isinstance(entry, dict)} for entries in (old, new))
    for entry in (*(before[name] for name in before.keys() - after.keys()), *(after[name] for name in after.keys() - before.keys())):
        yield from (str(entry[name]) for name in ("id", "value") if entry.get(name))
