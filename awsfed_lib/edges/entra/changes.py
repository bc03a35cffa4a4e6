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
IDENTITIES = ("id", "value", "entitlementid")
"""Keys of an appRole in the log, where they are written in PascalCase, that say which one it is."""
POLICY = "activityDisplayName eq 'Update policy'"
Wire = Mapping[str, Any]


class Reader(Protocol):
    """What reads logs of Graph."""

    def log(self, path: str) -> list[dict[str, Any]]:
        """Read every entry of a log, as slowly as its limit asks."""

    def one(self, path: str) -> dict[str, Any]:
        """Read one object."""


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
    unnamed = [app for app in map(_app, once) if app.get("servicePrincipalId") and not app.get("appId")]
    app_ids = _app_ids(graph, {str(app["servicePrincipalId"]) for app in unnamed})
    return frame(AUTHORS, sorted((_row(event, app_ids) for event in once), key=lambda row: row["at"], reverse=True))


def _app(event: Wire) -> Wire:
    """Return the application that did it, {} for a person."""
    return (event.get("initiatedBy") or {}).get("app") or {}


def _app_ids(graph: Reader, principals: Collection[str]) -> dict[str, str]:
    """Look up the appId of service principals: real entries (splunk/security_content) leave it out. Gone ones are left out."""
    found: dict[str, str] = {}
    for principal in principals:
        try:
            found[principal] = str(graph.one(f"/servicePrincipals/{guid(principal)}?$select=id,appId").get("appId") or "")
        except AwsfedError:
            continue
    return found


def _path(wanted: str) -> str:
    return f"/auditLogs/directoryAudits?$filter={quote(wanted)}"


def _row(event: Wire, app_ids: Mapping[str, str]) -> dict[str, Any]:
    targets, app = event.get("targetResources") or [], _app(event)
    names = [str(target.get("displayName") or target.get("userPrincipalName") or target.get("id")) for target in targets]
    initiated = event.get("initiatedBy") or {}
    return {
        "at": datetime.fromisoformat(event["activityDateTime"]),
        "who": _who(initiated),
        "activity": event["activityDisplayName"],
        "result": event.get("result") or "",
        "target": ", ".join(names),
        "changed": ", ".join(sorted({str(one.get("displayName")) for one in _changed(targets)})),
        "app_id": app.get("appId") or app_ids.get(app.get("servicePrincipalId") or ""),
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
        yield from (str(value) for name, value in entry.items() if name.casefold() in IDENTITIES and value)
