"""Memberships that a run ended, brought back: exactly those, of people and groups that still exist, through Graph alone.

What a rule, Active Directory or Exchange keeps cannot be joined through Graph (learn.microsoft.com graph/api/resources/groups-overview).
A role-assignable group may give directory roles, and is left to those who answer for these (graph/api/group-post-members asks for
RoleManagement.ReadWrite.Directory). Such a membership is a row with its reason, and nothing of it is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.change import Basis, Change, Request, Subject
from awsfed_lib.core.recovery_shapes import MEMBERSHIPS
from awsfed_lib.core.roles import membership
from awsfed_lib.core.roles.assigned import in_waves
from awsfed_lib.core.roles.collection import next_wave
from awsfed_lib.core.roles.revoke import LAST
from awsfed_lib.core.tables import check, frame, rows

Row = Mapping[str, Any]
_AGAIN = "restore it in Entra ID (30 days), then run again"
_KEEPERS: Mapping[str, str] = {
    "a rule": "a rule keeps the members of this group; change what it looks at, or the rule",
    "Active Directory": "Active Directory keeps the members of this group; put the person back there, and start a synchronization",
    "Exchange": "Exchange keeps the members of this group; put the person back in the Exchange admin centre",
    LAST: "the group is role-assignable, and may give directory roles; a Privileged Role Administrator puts the person back",
}


class Ended(NamedTuple):
    """A membership that a run ended: ids, its label, and `doubt`: why it may have been somebody else, "" when it was the run."""

    person_id: str
    group_id: str
    label: str
    doubt: str = ""


@dataclass(frozen=True)
class Former:
    """The people of such memberships and their groups, as they are now.

    `people`: those who still exist, by id; `held`: the ids of the groups that each is a direct member of; `groups`: MEMBERSHIPS of the
    groups that still exist; `graph_url`: of the cloud, such as https://graph.microsoft.com.
    """

    people: Mapping[str, Subject]
    held: Mapping[str, frozenset[str]]
    groups: pd.DataFrame = field(default_factory=lambda: frame(MEMBERSHIPS, []), compare=False)
    graph_url: str = ""


class Back(NamedTuple):
    """What comes back: requests; a change for each membership that the run ended; the live tables before and after."""

    requests: tuple[Request, ...]
    changes: tuple[Change, ...]
    basis: tuple[Basis, ...]
    goal: tuple[Basis, ...]


NOBODY = Former({}, {})


def back(ended: Sequence[Ended], former: Former) -> Back:
    """Plan how the memberships come back; each that cannot is kept as it is, with the reason."""
    groups = {row["group_id"]: row for row in rows(check(MEMBERSHIPS, former.groups))}
    changes = {one: _change(one, former, groups) for one in sorted(ended)}
    coming = [one for one, change in changes.items() if change.action == "add"]
    requests = [membership.join(former.people[one.person_id], groups[one.group_id], graph_url=former.graph_url) for one in coming]
    return Back(tuple(requests), tuple(changes.values()), *_bases(coming, former))


def _change(one: Ended, former: Former, groups: Mapping[str, Row]) -> Change:
    why, group = _obstacle(one, former, groups), groups.get(one.group_id)
    if why or group is None or one.group_id in former.held[one.person_id]:
        return Change("keep", "membership", membership.key(one.person_id, one.group_id), one.label, why=why)
    made = membership.left(former.people[one.person_id], one.group_id, group["group_name"], one.doubt or "that run ended it")
    return made._replace(action="add")


def _obstacle(one: Ended, former: Former, groups: Mapping[str, Row]) -> str:
    """Say why a membership cannot come back; "" when it can, or when it is there."""
    if one.person_id not in former.people:
        return f"not restored: this person does not exist any more; {_AGAIN}"
    if one.group_id in former.held[one.person_id]:
        return ""
    if one.group_id not in groups:
        return f"not restored: this group does not exist any more; {_AGAIN}"
    keeper = _KEEPERS.get(groups[one.group_id]["kept_by"], "")
    return f"not restored: {keeper}" if keeper else ""


def _bases(coming: Iterable[Ended], former: Former) -> tuple[tuple[Basis, ...], tuple[Basis, ...]]:
    joined: dict[str, set[str]] = defaultdict(set)
    for one in coming:
        joined[one.person_id].add(one.group_id)
    people = [(former.people[person], former.held[person], more) for person, more in sorted(joined.items())]
    before = tuple(membership.basis(person, held) for person, held, _ in people)
    return before, tuple(membership.basis(person, held | more) for person, held, more in people)


def after(requests: tuple[Request, ...], coming: Back) -> tuple[Request, ...]:
    """Put what comes back behind the other requests: were it refused, these have gone through."""
    return (*requests, *in_waves(coming.requests, next_wave(requests)))
