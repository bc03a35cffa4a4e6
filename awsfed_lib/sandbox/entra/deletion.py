"""Deleting a user or group: what refers to it goes with it, and it can be restored (learn.microsoft.com/graph/api/group-delete)."""

from __future__ import annotations

from typing import Any

from awsfed_lib.sandbox.entra.routing import Call
from awsfed_lib.sandbox.entra.timestamps import seconds


def removal(call: Call, object_id: str) -> list[tuple[str, str, Any]]:
    """The writes that take a group or user out of the directory, with all that refers to it."""
    tables = call.tenant.tables
    table = "groups" if object_id in tables["groups"] else "users"
    held = [("assignments", one["id"], None) for one in call.tenant.now_view.assignments("principalId", object_id)]
    left = [("members", key, tuple(one for one in ids if one != object_id)) for key, ids in tables["members"].items() if object_id in ids]
    own = [("members", object_id, None)] if object_id in tables["members"] else []
    kept = {"table": table, "record": {**tables[table][object_id], "deletedDateTime": seconds(call.tenant.clock())}}
    members = tables["members"].get(object_id, ())
    return [*held, *left, *own, (table, object_id, None), ("deleted", object_id, {**kept, "members": members})]
