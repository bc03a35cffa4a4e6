"""What a revocation cuts off, read from Entra ID: as few requests as there can be, and nothing of AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.change import Subject
from awsfed_lib.core.errors import GraphError, ParameterError
from awsfed_lib.core.roles import revoke
from awsfed_lib.core.roles.asked import Asked, app_roles_in, app_roles_of
from awsfed_lib.core.roles.revoke import Cut
from awsfed_lib.core.tables import MEMBERS, frame, rows
from awsfed_lib.edges.entra import objects
from awsfed_lib.edges.entra.graph import Graph

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def read(graph: Graph, app_roles: pd.DataFrame, assigned: pd.DataFrame, asked: Asked) -> Cut:
    """Read what `asked` names, and who is behind it. Raises ParameterError when the name fits nothing, or several things."""
    if asked.kind == "user":
        return _user(graph, app_roles, assigned, asked.name)
    if asked.kind == "group":
        subject = _group(graph, assigned, asked.name)
        ids = frozenset(row["app_role_id"] for row in rows(assigned) if row["principal_id"] == subject.id)
    else:
        subject = Subject(asked.kind, asked.name, asked.name, graph.realm)
        ids = (app_roles_in if asked.kind == "account" else app_roles_of)(asked.name, app_roles)
    holding = _holding(assigned, ids)
    unseen = graph.unseen(holding)
    members = graph.members(sorted(set(holding) - set(unseen["group_id"])))
    return Cut(subject, ids, objects.memberships([]), members, unseen=unseen)


def _user(graph: Graph, app_roles: pd.DataFrame, assigned: pd.DataFrame, name: str) -> Cut:
    user, shown = _known_user(graph, name)
    memberships, ids = graph.memberships(user.id), revoke.emitted(app_roles)
    known = {"member_id": user.id, "member_type": "User", "member_name": shown, "user_name": user.name}
    members = frame(MEMBERS, [{"group_id": group, **known} for group in memberships["group_id"]])
    unseen = graph.unseen(_holding(assigned, ids))
    return Cut(user, ids, memberships, members, (shown,), unseen)


def _holding(assigned: pd.DataFrame, app_role_ids: frozenset[str]) -> list[str]:
    """List the groups that hold one of the appRoles, by id."""
    held = assigned[assigned["app_role_id"].isin(app_role_ids) & (assigned["principal_type"] == "Group")]
    return sorted(set(held["principal_id"]))


def _known_user(graph: Graph, name: str) -> tuple[Subject, str]:
    try:
        return graph.user(name)
    except GraphError as error:
        if error.status != 404:  # noqa: PLR2004  HTTP: not found
            raise
        remedy = "Give the user name as Entra ID has it, a guest's with #EXT#, or the object id. Somebody deleted has no path."
        raise ParameterError(f"There is no user {name!r}. Nothing was sent.", remedy=remedy) from None


def _group(graph: Graph, assigned: pd.DataFrame, name: str) -> Subject:
    """Find the group: of several with one name, the one that is assigned here."""
    by_id = GUID.fullmatch(name)
    found = graph.groups(ids=[name.lower()]) if by_id else graph.groups(names=[name])
    known = {row["group_id"]: row["group_name"] for row in rows(found)}
    known |= {row["principal_id"]: row["principal_name"] for row in _assigned_groups(assigned) if name in _names(row)}
    holding = sorted(set(known) & set(assigned["principal_id"])) or sorted(known)
    if len(holding) == 1:
        return Subject("group", holding[0], known[holding[0]], graph.realm)
    if not holding:
        raise ParameterError(
            f"There is no group {name!r}. Nothing was sent.", remedy="Give its display name as it is written, or its object id."
        )
    raise ParameterError(
        f"{len(holding)} groups are called {name!r}: {', '.join(holding)}. Nothing was sent.", remedy="Give the object id."
    )


def _assigned_groups(assigned: pd.DataFrame) -> list[dict[str, Any]]:
    return [row for row in rows(assigned) if row["principal_type"] == "Group"]


def _names(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["principal_name"], row["principal_id"]
