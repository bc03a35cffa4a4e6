"""Direct memberships of people in groups, as facts and requests.

Only direct members of an assigned group get its roles (learn.microsoft.com entra/identity/enterprise-apps/
assign-user-or-group-access-portal), so leaving the group ends the path. `/$ref` at the end of the path is the law:
without it the person is deleted, not the membership (learn.microsoft.com graph/api/group-delete-members).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject, as_json

TABLE = "memberships"
_LEAVES = re.compile(r"/groups/([^/]+)/members/([^/]+)/\$ref")
_JOINS = re.compile(r"/groups/[^/]+/members/\$ref")


def basis(person: Subject, group_ids: Iterable[str]) -> Basis:
    """Make the basis of the person's direct groups."""
    return Basis.over(TABLE, person.id, tuple(facts.membership(group) for group in group_ids))


def leave(person: Subject, group_id: str, group_name: str) -> Request:
    """Take the person out of the group."""
    return Request(
        "DELETE",
        f"/groups/{group_id}/members/{person.id}/$ref",
        "",
        f"Take {person.name} out of {group_name or group_id}",
        Settled(TABLE, person.id, absent=(facts.membership(group_id),)),
    )


def left(person: Subject, group_id: str, group_name: str, why: str) -> Change:
    """Say that the person leaves the group."""
    return Change("remove", "membership", key(person.id, group_id), f"{person.name} in {group_name or group_id}", why=why)


def key(person_id: str, group_id: str) -> str:
    """Name a membership by its ids."""
    return f"{person_id} in {group_id}"


def join(person: Subject, group: Mapping[str, Any], *, graph_url: str) -> Request:
    """Put the person into the group of a row of MEMBERSHIPS; the reference names the cloud's Graph (graph/api/group-post-members)."""
    return Request(
        "POST",
        f"/groups/{group['group_id']}/members/$ref",
        as_json({"@odata.id": f"{graph_url}/v1.0/directoryObjects/{person.id}"}),
        f"Put {person.name} into {group['group_name'] or group['group_id']}",
        Settled(TABLE, person.id, present=(facts.membership(group["group_id"]),)),
    )


def ended_by(method: str, path: str) -> tuple[str, str] | None:
    """Return the person and the group whose membership a request ends; None for any other request."""
    found = _LEAVES.fullmatch(path) if method == "DELETE" else None
    return (found[2], found[1]) if found else None


def joins(method: str, path: str) -> bool:
    """Whether a request puts somebody into a group."""
    return method == "POST" and _JOINS.fullmatch(path) is not None
