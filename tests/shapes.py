"""Kinds of plans for the fault suites: a world made from a seed, how its plan is made from readings, and what must stay."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pandas as pd
from fake_service import World
from made import APPLICATION, DIRECTORY, MSIAM, TENANT, accounts, assignment, desired, guid, reading, role, roles, wire

from awsfed_lib.core.change import Guards
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import approles, assignments, groups
from awsfed_lib.core.roles import restore as restoring
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, GROUPS, frame

A, B, UNREAD = "000000012345", "111111111111", "222222222222"
ALL = Guards(max_removed=10_000)
Wire = list[dict[str, Any]]
Edge = tuple[str, str]  # appRole id, principal id


@dataclass(frozen=True)
class Tables:
    """One reading of the live tables, of any replica."""

    app_roles: Wire
    assignments: Wire
    groups: Wire

    @property
    def roles(self) -> pd.DataFrame:
        return approles.entries(self.app_roles) if self.app_roles else frame(APP_ROLES, [])

    @property
    def assigned(self) -> pd.DataFrame:
        return frame(ASSIGNMENTS, self.assignments)

    @property
    def grouped(self) -> pd.DataFrame:
        return frame(GROUPS, self.groups)


@dataclass(frozen=True)
class Case:
    """A world, the plan that a run makes from one reading of it, and the edges that no request may take away."""

    world: World
    plan: Callable[[Tables], Plan]
    stay: frozenset[Edge] = field(default=frozenset())

    def again(self) -> Case:
        """Give the same case with a world of its own."""
        world = World()
        world.tables = deepcopy(self.world.tables)
        return replace(self, world=world)


def remembered(plan: Callable[[Tables], Plan]) -> Callable[[Tables], Plan]:
    """Make each plan once: it is a value, and equal readings give equal plans (tests/test_plan.py)."""
    known: dict[bytes, Plan] = {}

    def found(seen: Tables) -> Plan:
        key = sha256(json.dumps(vars(seen), sort_keys=True).encode()).digest()
        if key not in known:
            known[key] = plan(seen)
        return known[key]

    return found


def _names(chance: random.Random, most: int, prefix: str) -> list[tuple[str, str]]:
    return [(chance.choice((A, B)), f"{prefix}{place}") for place in range(chance.randint(1, most))]


def _id(name: tuple[str, str]) -> str:
    return guid("/".join(name))


def _held(chance: random.Random, names: list[tuple[str, str]], most: int = 3) -> Wire:
    """Assign up to `most` principals to each of the appRoles."""
    return [assignment(_id(name), f"group-{place}") for name in names for place in range(chance.randint(0, most))]


def _edges(rows: Wire) -> frozenset[Edge]:
    return frozenset((row["app_role_id"], row["principal_id"]) for row in rows)


def _app_roles(live: Wire, held: Wire, wanted: pd.DataFrame, gone: list[tuple[str, str]]) -> Case:
    """Plan from appRoles: what stays is every assignment but those of what goes."""
    ids = {_id(name) for name in gone}

    def plan(seen: Tables) -> Plan:
        return approles.plan(APPLICATION, seen.roles, wanted, within=reading(A, B), assignments=seen.assigned, guards=ALL)

    return Case(World(live, held), plan, _edges([row for row in held if row["app_role_id"] not in ids]))


def add(seed: int) -> Case:
    """New roles beside those that are there, assigned or not."""
    chance = random.Random(seed)
    kept, new = _names(chance, 4, "Kept"), _names(chance, 4, "New")
    return _app_roles([wire(*name) for name in kept], _held(chance, kept), desired(*kept, *new), [])


def update(seed: int) -> Case:
    """Roles that a provisioning job disabled are enabled again."""
    chance = random.Random(seed)
    names = _names(chance, 6, "Off")
    live = [wire(*name, isEnabled=place > 0 and chance.random() < 0.5) for place, name in enumerate(names)]
    return _app_roles(live, _held(chance, names), desired(*names), [])


def remove(seed: int) -> Case:
    """Roles that AWS no longer has go with their assignments; those of an account that was not read stay."""
    chance = random.Random(seed)
    kept, gone = [*_names(chance, 3, "Kept"), (UNREAD, "Unread")], _names(chance, 3, "Gone")
    live = [wire(*name, isEnabled=chance.random() < 0.8) for name in (*kept[:-1], *gone)] + [wire(*kept[-1])]
    return _app_roles(live, _held(chance, [*kept, *gone]), desired(*kept[:-1]), gone)


def mixed(seed: int) -> Case:
    """Some come, some are enabled, some go; in another order than sorted."""
    chance = random.Random(seed)
    kept, gone, new = (_names(chance, 3, prefix) for prefix in ("Kept", "Gone", "New"))
    live = [wire(*name, isEnabled=chance.random() < 0.7) for name in (*kept, *gone)]
    chance.shuffle(live)
    return _app_roles(live, _held(chance, [*kept, *gone], 2), desired(*kept, *new), gone)


def big(seed: int) -> Case:
    """More than a hundred roles, and more revocations than one wave holds."""
    chance = random.Random(seed)
    kept = [(chance.choice((A, B)), f"Kept{place:03}") for place in range(120)]
    gone = [(A, f"Gone{place:02}") for place in range(8)]
    held = [*_held(chance, kept[:20], 1), *(assignment(_id(name), f"group-{place}") for name in gone for place in range(3))]
    return _app_roles([wire(*name) for name in (*kept, *gone)], held, desired(*kept, (B, "New")), gone)


def group(seed: int) -> Case:
    """Groups that are missing are made, beside one that is there."""
    chance = random.Random(seed)
    names = [(A, "There"), *_names(chance, 5, "New")]
    wanted = groups.desired(roles(*(role(*name) for name in names)))
    world = World()
    world.tables["groups"] = [_group(f"AWS-{A}-There")]

    def plan(seen: Tables) -> Plan:
        return groups.plan(DIRECTORY, groups.match(wanted, seen.grouped), seen.grouped)

    return Case(world, plan)


def _group(name: str) -> dict[str, Any]:
    return {"group_id": guid(f"made {name}"), "group_name": name, "unique_name": name, "security_enabled": True, "kind": "security"}


def assign(seed: int) -> Case:
    """Every role gets its group, and extras go afterwards; people and other accounts keep what they have."""
    chance = random.Random(seed)
    names = list(dict.fromkeys(_names(chance, 6, "R")))
    own = {name: f"AWS-{name[0]}-{name[1]}" for name in names}
    there = [name for name in names if chance.random() < 0.4]
    extra = [assignment(_id(name), "group-of-old") for name in names if chance.random() < 0.5]
    held = [assignment(_id(name), f"made {own[name]}") | {"principal_name": own[name]} for name in there]
    people = [assignment(_id(names[0]), "ursula", "User"), assignment(_id((UNREAD, "X")), "group-of-old")]
    world = World([wire(*name) for name in (*names, (UNREAD, "X"))], [*held, *extra, *people])
    world.tables["groups"] = [_group(name) for name in own.values()]
    wanted = groups.desired(roles(*(role(*name) for name in names)))

    def plan(seen: Tables) -> Plan:
        matched = groups.match(wanted, seen.grouped)
        return assignments.plan(APPLICATION, seen.roles, matched, seen.assigned, within=accounts(A, B), guards=ALL)

    return Case(world, plan, _edges([*held, *people]))


def restore(seed: int) -> Case:
    """A recorded collection, disabled entries and their ids included, is the desired side again."""
    chance = random.Random(seed)
    kept, back, late = _names(chance, 3, "Kept"), _names(chance, 3, "Back"), _names(chance, 2, "Late")
    recorded = [wire(*name, isEnabled=chance.random() < 0.6) for name in (*kept, *back)]
    live = [entry | {"isEnabled": True} for entry in recorded[: len(kept)]] + [wire(*name) for name in late]
    return _app_roles(live, _held(chance, [*kept, *late]), approles.entries(recorded), late)


def undo(seed: int) -> Case:
    """After a wipe: roles and assignments of a record come back, and what is new since then goes."""
    chance = random.Random(seed)
    kept, wiped, late = _names(chance, 3, "Kept"), _names(chance, 3, "Wiped"), _names(chance, 2, "Late")
    recorded = [wire(*name, isEnabled=chance.random() < 0.8) for name in (*kept, *wiped)]
    held, new = _held(chance, [*kept, *wiped], 2), _held(chance, late, 2)
    left = [row for row in held if row["app_role_id"] in {_id(name) for name in kept} and chance.random() < 0.7]
    taken = restoring.Snapshot("a-run", TENANT, APPLICATION.id, approles.entries([MSIAM, *recorded]), frame(ASSIGNMENTS, held))
    people = frozenset(row["principal_id"] for row in (*held, *new))

    def plan(seen: Tables) -> Plan:
        return restoring.plan(APPLICATION, restoring.Live(seen.roles, seen.assigned, people), taken, guards=ALL)

    return Case(World([*recorded[: len(kept)], *(wire(*name) for name in late)], [*left, *new]), plan, _edges(left))


SHAPES: dict[str, Callable[[int], Case]] = {
    "add": add, "update": update, "remove": remove, "mixed": mixed, "groups": group, "assignments": assign, "restore": restore, "undo": undo, "big": big,
}  # fmt: skip
