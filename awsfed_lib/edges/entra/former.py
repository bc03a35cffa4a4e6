"""Former members, as they are now: whether they and their groups still exist, where they are members, and what keeps the groups."""

from __future__ import annotations

from collections.abc import Sequence

from awsfed_lib.core.change import Subject
from awsfed_lib.core.roles.rejoin import NOBODY, Ended, Former
from awsfed_lib.edges.entra import objects
from awsfed_lib.edges.entra.graph import Graph


def read(graph: Graph, ended: Sequence[Ended]) -> Former:
    """Read the people and groups of memberships that a run ended; nothing is asked when there are none."""
    if not ended:
        return NOBODY
    users = graph.existing("users", {one.person_id for one in ended}, ("id", "userPrincipalName"))
    groups = graph.existing("groups", {one.group_id for one in ended}, objects.MEMBERSHIP_KEYS)
    names = {objects.need(user, "id", "A user"): str(user.get("userPrincipalName") or user["id"]) for user in users}
    people = {key: Subject("user", key, name, graph.realm) for key, name in sorted(names.items())}
    held = {key: frozenset(graph.memberships(key)["group_id"]) for key in people}
    return Former(people, held, objects.memberships(groups), graph.url)
