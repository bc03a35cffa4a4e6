"""The directory audit log: every write is recorded, and can be read at /auditLogs/directoryAudits.

Names and shapes: entra-docs reference-audit-activities; learn.microsoft.com graph/api/resources/directoryaudit. The modified properties hold
JSON as text, as the service's do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsfed_lib.sandbox.entra import inheritance
from awsfed_lib.sandbox.entra.identifiers import is_guid
from awsfed_lib.sandbox.entra.query import Shape, collection, single
from awsfed_lib.sandbox.entra.refusals import not_found
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import Kind
from awsfed_lib.sandbox.entra.timestamps import parsed, ticks
from awsfed_lib.sandbox.entra.wire import Answer

KIND = Kind(
    "directoryAudits",
    "directoryAudit",
    dict.fromkeys(
        [
            "id",
            "category",
            "correlationId",
            "result",
            "resultReason",
            "activityDisplayName",
            "activityDateTime",
            "loggedByService",
            "operationType",
            "initiatedBy",
            "targetResources",
            "additionalDetails",
        ]
    ),
    plain_filters=frozenset(
        [
            "id",
            "activityDisplayName",
            "activityDateTime",
            "loggedByService",
            "correlationId",
            "initiatedBy",
            "targetResources",
            "category",
            "result",
        ]
    ),
)
SHAPE = Shape(KIND, "auditLogs/directoryAudits", {}, top=1000)
CATEGORIES = {"group": "GroupManagement", "user": "UserManagement"}
Change = tuple[str, Any, Any]  # property, old value, new value


@dataclass(frozen=True)
class Event:
    """What is to be recorded: activity, kind of operation, category, and the objects that it touched."""

    activity: str
    operation: str
    category: str
    targets: Sequence[Mapping[str, Any]]


def commit(call: Call, event: Event, writes: Sequence[tuple[str, str, Any]]) -> None:
    """Apply writes of (table, key, value) and record them."""
    from awsfed_lib.sandbox.store import Write  # the store is above this module

    call.tenant.commit([Write(*write) for write in writes])
    note(call, event)


def note(call: Call, event: Event) -> None:
    """Record what was written already: a write that the log shows as two activities."""
    call.tenant.audits.append(_entry(call, event))


def changed(record: Mapping[str, Any], kind: str, verb: str, changes: Sequence[Change]) -> Event:
    """`Update service principal` and its kin: `kind` in the words of the log, `verb` Add, Update or Delete."""
    category = CATEGORIES.get(kind, "ApplicationManagement")
    updated = [("Included Updated Properties", None, ", ".join(_pascal(name) for name, _, _ in changes))] if verb == "Update" else []
    return Event(f"{verb} {kind}", verb, category, [_target(record, kind.title().replace(" ", ""), [*changes, *updated])])


def member_changed(group: Mapping[str, Any], member: Mapping[str, Any], *, added: bool) -> Event:
    """`Add member to group` and `Remove member from group`."""
    activity = "Add member to group" if added else "Remove member from group"
    ids = [("Group.ObjectID", group["id"]), ("Group.DisplayName", group.get("displayName"))]
    changes: list[Change] = [(name, None, value) if added else (name, value, None) for name, value in ids]
    targets = [_target(member, member["@odata.type"].rsplit(".", 1)[-1].title(), changes), _target(group, "Group", ())]
    return Event(activity, "Assign" if added else "Unassign", "GroupManagement", targets)


def assigned(call: Call, made: Mapping[str, Any]) -> Event:
    """A role was given to a user, group or service principal."""
    names = {
        "User": "Add app role assignment grant to user",
        "Group": "Add app role assignment to group",
        "ServicePrincipal": "Add app role assignment to service principal",
    }
    return _assignment(call, made, names[made["principalType"]], "Assign")


def unassigned(call: Call, lost: Mapping[str, Any]) -> Event:
    """A role was taken from a user, group or service principal."""
    names = {
        "User": "Remove app role assignment from user",
        "Group": "Remove app role assignment from group",
        "ServicePrincipal": "Remove app role assignment from service principal",
    }
    return _assignment(call, lost, names[lost["principalType"]], "Unassign")


def _assignment(call: Call, one: Mapping[str, Any], activity: str, operation: str) -> Event:
    resource = call.tenant.tables["servicePrincipals"].get(one["resourceId"], {"id": one["resourceId"]})
    roles = inheritance.app_roles(call.tenant.now_view, resource)
    role = next((role for role in roles if role["id"] == one["appRoleId"]), {})
    values = {
        "AppRole.Id": one["appRoleId"],
        "AppRole.Value": role.get("value"),
        "AppRole.DisplayName": role.get("displayName"),
        "AppRoleAssignment.CreatedDateTime": one.get("createdDateTime"),
        "AppRoleAssignment.LastModifiedDateTime": one.get("createdDateTime"),
        f"{one['principalType']}.ObjectID": one["principalId"],
        f"{one['principalType']}.DisplayName": one["principalDisplayName"],
        "TargetId.ServicePrincipalNames": ";".join(resource.get("servicePrincipalNames", ())),
    }
    changes: list[Change] = [(name, None, value) if operation == "Assign" else (name, value, None) for name, value in values.items()]
    principal = {"id": one["principalId"], "displayName": one["principalDisplayName"]}
    category = {"User": "UserManagement", "Group": "GroupManagement"}.get(one["principalType"], "ApplicationManagement")
    targets = [_target(resource, "ServicePrincipal", changes), _target(principal, one["principalType"], ())]
    return Event(activity, operation, category, targets)


def _target(record: Mapping[str, Any], kind: str, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "id": record["id"],
        "displayName": record.get("displayName"),
        "type": kind,
        "userPrincipalName": record.get("userPrincipalName"),
        "groupType": None,
        "modifiedProperties": [
            {"displayName": _pascal(name), "oldValue": _text(old), "newValue": _text(new)} for name, old, new in changes
        ],
    }


def _text(value: Any) -> str | None:
    """JSON as text; its keys are PascalCase, as those of the properties (splunk/security_content data_sources, real entries)."""
    return None if value is None else json.dumps(_in_pascal(value), ensure_ascii=False)


def _in_pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {_pascal(name): _in_pascal(part) for name, part in value.items()}
    return [_in_pascal(part) for part in value] if isinstance(value, list | tuple) else value


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]


def _entry(call: Call, event: Event) -> dict[str, Any]:
    correlation = call.ask.headers.get("client-request-id", "")
    now = call.tenant.clock()
    return {
        "id": f"Directory_{call.tenant.mint()}_{len(call.tenant.audits):05d}",
        "category": event.category,
        "correlationId": correlation if is_guid(correlation) else call.request_id,
        "result": "success",
        "resultReason": "",
        "activityDisplayName": event.activity,
        "activityDateTime": ticks(now),
        "loggedByService": "Core Directory",
        "operationType": event.operation,
        "initiatedBy": _initiator(call),
        "targetResources": list(event.targets),
        "additionalDetails": [{"key": "User-Agent", "value": call.ask.headers.get("user-agent", "")}],
    }


def _initiator(call: Call) -> dict[str, Any]:
    """An application is told by its service principal: `appId` is null in real entries (splunk/security_content data_sources)."""
    caller = call.caller
    if caller.app_only:
        app = {
            "appId": None,
            "displayName": caller.name,
            "servicePrincipalId": caller.principal_id,
            "servicePrincipalName": None,
        }
        return {"user": None, "app": app}
    user = {"id": caller.user_id, "displayName": None, "userPrincipalName": caller.user_name, "ipAddress": "127.0.0.1"}
    return {"app": None, "user": user}


def list_audits(call: Call) -> Answer:
    """GET /auditLogs/directoryAudits, newest first."""
    return collection(call, SHAPE, _logged(call)[::-1])


def _logged(call: Call) -> list[dict[str, Any]]:
    until = call.tenant.logged_until
    return [one for one in call.tenant.audits if (parsed(one["activityDateTime"]) or until) <= until]


def get_audit(call: Call) -> Answer:
    """GET /auditLogs/directoryAudits/{id}."""
    key = str(call.keys[0])
    found = next((one for one in _logged(call) if one["id"] == key), None)
    if found is None:
        raise not_found(key)
    return single(call, SHAPE, found)


ROUTES = (
    Route("GET", "auditLogs/directoryAudits", list_audits, "audits"),
    Route("GET", "auditLogs/directoryAudits/{}", get_audit, "audits"),
)
