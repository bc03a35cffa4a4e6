"""Desired, recorded, live: three sides of every object, put beside each other, and said in words how they stand.

Unknown is never absent. A side that did not read an account says "unread" of what it does not show; the rules say "no rule"
of what they do not speak about. A value is a JSON object of texts; only parts that both sides know are compared.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.drift_shapes import DRIFT, SIDE
from awsfed_lib.core.review.states import (
    ABSENT,
    AS_DESIRED,
    AS_RECORDED,
    BACK,
    CHANGED,
    DESIRED_CHANGED,
    DRIFTED,
    HELD,
    MOVED,
    NEVER,
    NO_RECORD,
    NO_RULE,
    NOT_AS_DESIRED,
    NOW_AS_DESIRED,
    QUIET,
    STATES,
    STILL,
    UNREAD,
    WORDS,
)
from awsfed_lib.core.tables import check, frame, rows

BELIEVED = frozenset({"certificates", "issuer"})  # parts of a provider
_ORDER = {state: place for place, state in enumerate(STATES)}


def parts(**given: str) -> str:
    """Write a value: its parts in order; an empty one is not known, and left out."""
    return json.dumps({name.replace("_", " "): text for name, text in given.items() if text}, ensure_ascii=False)


@dataclass(frozen=True, eq=False)
class Side:
    """What one side says. `table`: SIDE of what it shows, or has a word for.

    `knows`: kind → what it read in full, by account, members by group (`within`); None says everything. `silent`: its word for a
    kind that it does not know. `words`: `within` → its word for what it cannot speak of there.
    """

    table: pd.DataFrame
    knows: Mapping[str, frozenset[str] | None]
    silent: str = UNREAD
    words: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def listed(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Its rows by kind and key."""
        return {(row["kind"], row["key"]): row for row in rows(check(SIDE, self.table))}

    def value(self, row: Mapping[str, Any]) -> str:
        """Return what it says of the object that another side shows as `row`; "" when nobody asked it."""
        shown = self.listed.get((row["kind"], row["key"]))
        if shown:
            return str(shown["value"])
        known = self.knows.get(row["kind"], frozenset())
        if row["kind"] not in self.knows:
            return self.silent
        if row["within"] in self.words:
            return self.words[row["within"]]
        if row["kind"] == "member":
            return ABSENT if known is None or row["within"] in known else ""
        return ABSENT if known is None or row["account_id"] in known else UNREAD


class Before(NamedTuple):
    """The last record: when its run began, the DRIFT that it kept (None when it kept none), and the findings accepted since."""

    at: datetime
    drift: pd.DataFrame | None
    accepted: Collection[str] = ()

    def rows(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return its rows by kind and key, each with its three sides."""
        kept = rows(self.drift) if self.drift is not None else []
        return {(row["kind"], row["key"]): {**row, "sides": json.loads(row["basis"])} for row in kept}

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether what it compared with still counts: a drift that nobody accepted, or an object that it could not read."""
        unread = row["state"] == UNREAD and row["sides"]["recorded"] != UNREAD
        return unread or (row["severity"] in HELD and row["finding_id"] not in self.accepted)


Row = Mapping[str, Any]


class Sides(NamedTuple):
    """The three values of one object, and what was desired at the last record; "" when that is not known."""

    desired: str
    recorded: str
    live: str
    wanted_then: str = ""


def compare(desired: Side, recorded: Side, live: Side, *, before: Before | None) -> pd.DataFrame:
    """Put the three sides together: DRIFT, a row for every object that is not simply as desired or as recorded, the worst first.

    A drift that no approved run made, and that nobody accepted, is compared with the record before it until it is gone.
    """
    kept = before.rows() if before else {}
    objects = {name: row for side in (recorded, desired, live) for name, row in side.listed.items()}
    objects |= {
        name: {**row, "within": row["account_id"]} for name, row in kept.items() if before and before.holds(row) and name not in objects
    }
    found = [line for name, row in objects.items() if (line := _line(row, (desired, recorded, live), before, kept.get(name)))]
    return frame(
        DRIFT, sorted(found, key=lambda line: (_ORDER[line["state"]], line["kind"], line["account_id"], line["subject"], line["key"]))
    )


class Ground(NamedTuple):
    """What the live value is compared with, of when, and what is known of the drift that stood there already: STILL, or BACK."""

    recorded: str
    at: datetime | None
    word: str = ""
    carried: Mapping[str, Any] = {}


def _line(row: Row, sides: tuple[Side, Side, Side], before: Before | None, last: Row | None) -> dict[str, Any] | None:
    desired, recorded, live = (side.value(row) for side in sides)
    if "" in (recorded, live):
        return None
    ground = _ground(recorded, live, before, last)
    then = "" if before is None or before.drift is None else last["sides"]["desired"] if last else recorded
    known = Sides(desired, ground.recorded, live, then)
    state = _state(known, ground.word)
    if state in QUIET or (state == UNREAD and ground.recorded in WORDS and desired in WORDS):
        return None
    shown = dict(zip(Sides._fields, _shown(*known[:3]), strict=False))
    about = {name: row[name] for name in ("kind", "account_id", "subject", "key")}
    at = ground.at if ground.recorded != UNREAD else None
    basis = json.dumps({name: getattr(known, name) for name in Sides._fields[:3]}, ensure_ascii=False)
    return {**about, **shown, **ground.carried, "state": state, "recorded_at": at, "basis": basis}


def _ground(recorded: str, live: str, before: Before | None, last: Row | None) -> Ground:
    at = before.at if before else None
    if last is None or before is None or not before.holds(last):
        return Ground(recorded, at)
    held, seen = last["sides"]["recorded"], last["sides"]["live"]
    if last["finding_id"] and agree(seen, live):
        return Ground(held, last["recorded_at"], STILL, {name: last[name] for name in ("changed_by", "changed_at")})
    if last["finding_id"] and agree(held, live):
        return Ground(seen, at, BACK)
    return Ground(held, last["recorded_at"])


def _state(sides: Sides, word: str) -> str:
    state = state_of(sides)
    if word == STILL:
        return STILL if state in (DRIFTED, CHANGED) else AS_DESIRED if state == NOW_AS_DESIRED else state
    return BACK if word == BACK and state in MOVED else state


def state_of(sides: Sides) -> str:
    """Say how the three sides stand to each other: one of STATES."""
    desired, recorded, live, then = sides
    if live == UNREAD:
        return UNREAD
    right = fits(desired, live)
    if recorded == UNREAD:
        return AS_DESIRED if right else NO_RECORD if right is None else NOT_AS_DESIRED
    if not agree(recorded, live):
        return CHANGED if right is None or (right and _lets_in(sides)) else NOW_AS_DESIRED if right else DRIFTED
    if right is not False:
        return AS_DESIRED if right else AS_RECORDED
    if not then:
        return NOT_AS_DESIRED
    return NEVER if agree(then, desired) else DESIRED_CHANGED


def _lets_in(sides: Sides) -> bool:
    """Whether a signature is believed now that was not: the rules want one certificate in a provider, and say nothing of others."""
    shown = both(sides.recorded, sides.live)
    if shown is None:
        return False
    before, after = shown
    return any(set(after.get(name, "").split("; ")) - set(before[name].split("; ")) - {""} for name in BELIEVED & before.keys())


def both(recorded: str, live: str) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return the parts of the record's value and of the live one; None where one of them has a word instead."""
    return None if {recorded, live} & WORDS else (json.loads(recorded), json.loads(live))


def fits(desired: str, live: str) -> bool | None:
    """Tell whether `live` is as desired; None when no rule speaks of it, or it cannot be told."""
    if desired in (UNREAD, NO_RULE):
        return None
    unknown = desired not in WORDS and live not in WORDS and not json.loads(desired).keys() <= json.loads(live).keys()
    return None if unknown else agree(desired, live)


def agree(one: str, other: str) -> bool:
    """Tell whether two values say the same, in the parts that both know."""
    if one == other or one in WORDS or other in WORDS:
        return one == other
    first, second = json.loads(one), json.loads(other)
    return all(first[name] == second[name] for name in first.keys() & second.keys())


def _shown(*values: str) -> Iterator[str]:
    """Write the three values for people: the parts that differ where record and live show the object, else the first one."""
    known = [{} if value in WORDS else json.loads(value) for value in values]
    whole = not (known[1] and known[2])
    for value, said in zip(values, known, strict=True):
        wanted = [name for name in said if not whole and any(said[name] != other[name] for other in known if name in other)]
        yield value if value in WORDS else "; ".join(f"{name}: {said[name]}" for name in wanted or list(said)[:1])
