"""Which memberships a run ended, by the journal of its record: what it meant to send, and what was answered.

A request that was refused ended nothing. One without an answer may have, and then somebody else may have ended it too: that is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from awsfed_lib.core.roles import membership
from awsfed_lib.core.roles.rejoin import Ended
from awsfed_lib.edges.records.journal import Line

DOUBT = "that run had no answer whether it ended it; before it, the person was a member"
SENT, NO_ANSWER = "sent", "no answer"


def ended(lines: Sequence[Line]) -> tuple[Ended, ...]:
    """Return the memberships that the run ended, each once, in the order of its plans."""
    applied = {line.fields["plan"] for line in lines if line.event == "outcome" and line.fields["verdict"] == "applied"}
    fates = _fates(lines)
    found: dict[tuple[str, str], Ended] = {}
    for plan in (line.fields for line in lines if line.event == "plan"):
        labels = {change["key"]: change["label"] for change in plan["content"]["changes"] if change["kind"] == "membership"}
        for path, pair in _leaving(plan["content"]["requests"]):
            if fates[path] - {"refused"}:
                doubt = "" if SENT in fates[path] or plan["id"] in applied else DOUBT
                found[pair] = Ended(*pair, labels.get(membership.key(*pair), membership.key(*pair)), doubt)
    return tuple(found.values())


def _leaving(requests: Iterable[dict[str, Any]]) -> Iterator[tuple[str, tuple[str, str]]]:
    for request in requests:
        if pair := membership.ended_by(request["method"], request["path"]):
            yield request["path"], pair


def _fates(lines: Iterable[Line]) -> defaultdict[str, set[str]]:
    """Give what was answered to each path that somebody leaves a group by; an intent that nothing follows has no answer."""
    open_, fates = defaultdict[str, int](int), defaultdict[str, set[str]](set)
    for line in lines:
        path = line.fields.get("path", "")
        if line.event == "intent" and membership.ended_by(line.fields["method"], path):
            open_[path] += 1
        elif line.event == "answer" and path in open_:
            open_[path] -= 1
            fates[path].add(line.fields["fate"])
    for path, left in open_.items():
        fates[path] |= {NO_ANSWER} if left else set()
    return fates


def added(lines: Iterable[Line]) -> tuple[str, ...]:
    """Name the memberships that the run made, which nothing takes away again here."""
    intents = [line.fields for line in lines if line.event == "intent"]
    sent = {(one["path"], one["body"]) for one in intents if membership.joins(one["method"], one["path"])}
    plans = [line.fields["content"]["requests"] for line in lines if line.event == "plan"]
    said = {request["purpose"] for plan in plans for request in plan if (request["path"], request["body"]) in sent}
    return (f"memberships that it made: {'; '.join(sorted(said)[:10])}",) if said else ()
