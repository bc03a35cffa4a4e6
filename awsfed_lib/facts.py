"""A fact is one live object as a canonical JSON line, without what the service makes up (ids of assignments, origin).

Plans compare facts, never wire bytes: Graph may add a key or change an order without anything having changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.tables import canonical

APP_ROLE_KEYS = ("allowedMemberTypes", "description", "displayName", "id", "isEnabled", "value")


def app_role(entry: Mapping[str, Any]) -> str:
    """Write an appRole by the six keys of the v1.0 type that a client may send.

    `origin` is left out: it "must not be included in any POST or PATCH", and Graph adds it on reading
    (learn.microsoft.com graph/api/resources/approle). The member types are a set, in any order.
    """
    kinds = entry.get("allowedMemberTypes")
    fields = {key: entry.get(key) for key in APP_ROLE_KEYS}
    return canonical(fields | {"allowedMemberTypes": sorted(kinds) if isinstance(kinds, list) else kinds})


def assignment(app_role_id: str, principal_id: str) -> str:
    """Write an assignment by its natural key; the service makes up its id."""
    return canonical({"appRoleId": app_role_id, "principalId": principal_id})


def group(unique_name: str, display_name: str) -> str:
    """Write a group by its alternate key and its name; the service makes up its id."""
    return canonical({"displayName": display_name, "uniqueName": unique_name})
