"""Direct memberships of one person in groups, as facts and requests.

Only direct members of an assigned group get its roles (learn.microsoft.com entra/identity/enterprise-apps/
assign-user-or-group-access-portal), so leaving the group ends the path. `/$ref` at the end of the path is the law:
without it the person is deleted, not the membership (learn.microsoft.com graph/api/group-delete-members).
"""

from __future__ import annotations

from collections.abc import Iterable

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject

TABLE = "memberships"


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
    return Change("remove", "membership", f"{person.id} in {group_id}", f"{person.name} in {group_name or group_id}", why=why)
