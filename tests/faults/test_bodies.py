"""PATCH bodies over generated collections, by the raw text that leaves: what the service would make of each is judged here anew.

AWSFED_BODIES: how many generated plans (2,000 by default; `make faults` asks for 100,000). The generator is a seeded
random of its own instead of hypothesis: a hundred thousand bodies in minutes, and a failure names its seed.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from made import APPLICATION, MSIAM, account, accounts, assignment, assignments, guid, provider, role, roles, value, wire

from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import TableError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import approles
from awsfed_lib.core.tables import APP_ROLES, frame

BODIES = int(os.environ.get("AWSFED_BODIES", "2000"))
PARTS = 4
ACCOUNTS = ("000000012345", "111111111111", "222222222222")
NAMES = ("Admin", "admin", "Ops", "Read/Only", "a-very.long+name=of,a@role_" + "x" * 30)
ODD: tuple[Any, ...] = (None, "", "an.app.role", "arn:aws:iam::12345:role/x,arn:aws:iam::12345:saml-provider/WAAD")
UNKNOWN: tuple[Any, ...] = (None, False, 0, 1e3, "\u202ex</script>\u0000", [1, {"b": None, "a": []}], {"z": 1, "a": "ä"})


@dataclass(frozen=True)
class Made:
    """One generated collection as raw JSON texts, in the order of the service, what is wanted of it, and its plan."""

    seed: int
    live: tuple[str, ...]
    wanted: tuple[tuple[str, str, str], ...]
    read: frozenset[str]
    held: tuple[dict[str, Any], ...]
    limit: int
    scopes: int

    @property
    def plan(self) -> Plan:
        return planned(self, self.live, self.wanted)


def planned(of: Made, live, wanted) -> Plan:
    return approles.plan(
        APPLICATION,
        approles.entries([json.loads(text) for text in live]),
        rendered(tuple(sorted(wanted))),
        within=approles.inventoried(read_of(of.read), roles()),
        assignments=assignments(*of.held),
        guards=Guards(max_removed=of.limit),
        scopes=of.scopes,
    )


@cache
def read_of(read):
    return accounts(*(account(name, "" if name in read else "AccessDenied") for name in ACCOUNTS))


def rendered(wanted):
    rows = [row(*name) for name in wanted]
    return frame(APP_ROLES, rows)


@cache
def row(account_id, name, of):
    (made,) = approles.render(roles(role(account_id, name, of))).to_dict("records")
    return made


def generate(seed: int) -> Made:
    chance = random.Random(seed)
    keys = [(account_id, name, of) for account_id in ACCOUNTS for name in NAMES for of in ("WAAD", "Entra")]
    entries, wanted, spelled = [], [], set()
    for key in chance.sample(keys, chance.randint(2, 14)):
        where = chance.choice(("live", "wanted", "both"))
        if value(*key).casefold() in spelled:
            continue
        if where != "wanted":
            entries.append(entry(chance, key))
        if where != "live":
            wanted.append(key)
        spelled.add(value(*key).casefold())
    entries += [odd(chance, place) for place in range(chance.randint(0, 3))]
    entries.append(MSIAM | ({chance.choice("xyz"): chance.choice(UNKNOWN)} if chance.random() < 0.5 else {}))
    chance.shuffle(entries)
    held = [assignment(one["id"], chance.choice(("group-a", "group-b", "group-c"))) for one in entries if chance.random() < 0.4]
    read = frozenset(name for name in ACCOUNTS if chance.random() < 0.9)
    return Made(
        seed,
        tuple(map(spell, entries)),
        tuple(wanted),
        read,
        tuple(held),
        chance.choice((0, 1000, 1000, 1000, 1000, 1000)),
        chance.randint(0, 3),
    )


def entry(chance, key):
    made = wire(key[0], key[1], id=guid(" ".join(key)), value=value(*key), isEnabled=chance.random() < 0.7)
    if chance.random() < 0.2:
        made["value"] = f"{provider(key[0], key[2])}, {made['value'].split(',arn:')[0]}"
    if chance.random() < 0.15:
        made["origin"] = "Application"
    made |= {chance.choice(("zz", "isPreAuthorizationRequired", "lang", "@odata.x")): chance.choice(UNKNOWN)}
    made |= {
        "displayName": chance.choice((made["displayName"], "Anders", "", "\u202e<b>")),
        "description": chance.choice((None, "", "ä\n")),
    }
    names = list(made)
    chance.shuffle(names)
    return {name: made[name] for name in names}


def odd(chance, place):
    made = wire(ACCOUNTS[0], "x", id=guid(f"odd {place}"), value=chance.choice(ODD) if place else None, displayName=f"Odd {place}")
    return made | {"value": made["value"] and f"{made['value']}{place}", "origin": chance.choice(("Application", "ServicePrincipal"))}


def spell(one):
    return json.dumps(one, ensure_ascii=False, separators=(", ", ": "))


def items(body: str) -> list[str]:
    """The entries of a body as the literal texts in it, found by a scanner and not by writing them again."""
    text = body.removeprefix('{"appRoles": [').removesuffix("]}")
    assert text != body
    scan, found, at = json.JSONDecoder().raw_decode, [], 0
    while at < len(text):
        _, end = scan(text, at)
        found.append(text[at:end])
        at = end + 2
    return found


def judge(of: Made, plan: Plan) -> None:
    patches = [items(request.body) for request in plan.requests if request.method == "PATCH"]
    states = [list(of.live), *patches]
    for before, after in pairwise(states):
        kept_entries_go_back_byte_for_byte(before, after)
        entries_of_the_application_stay(before, after)
        ids_and_values_are_unique(after)
        values_never_change_under_an_id(before, after)
        what_goes_was_disabled_and_listed(of, plan, before, after)
        what_comes_is_whole_and_enabled(before, after)
        limits_are_kept(of, before, after)
    what_goes_had_its_assignments_revoked_first(of, plan)
    the_two_last_differ_by_what_goes(plan, patches)


def by_id(state):
    return {json.loads(text)["id"]: text for text in state}


def kept_entries_go_back_byte_for_byte(before, after):
    """I3: in live order, unknown keys and nulls and their order included; only isEnabled may be turned."""
    old, new = by_id(before), by_id(after)
    assert [name for name in new if name in old] == [name for name in old if name in new]
    assert list(new)[: sum(name in old for name in new)] == [name for name in old if name in new]
    for name in new.keys() & old.keys():
        if old[name] != new[name]:
            turned = json.loads(old[name]) | {"isEnabled": not json.loads(old[name])["isEnabled"]}
            assert new[name] == spell(turned)


def entries_of_the_application_stay(before, after):
    """I1: msiam_access and all that the registration brought, byte for byte, exactly once."""
    theirs = [text for text in before if json.loads(text).get("origin") == "Application"]
    assert all(after.count(text) == 1 for text in theirs)
    assert sum(json.loads(text)["displayName"] == "msiam_access" for text in after) == 1


def ids_and_values_are_unique(after):
    """I5: ids, and values without regard to case."""
    parsed = [json.loads(text) for text in after]
    assert max(Counter(one["id"] for one in parsed).values()) == 1
    assert max(Counter(one["value"].casefold() for one in parsed if one["value"]).values(), default=1) == 1


def values_never_change_under_an_id(before, after):
    """I4b: a changed pair is a new entry."""
    old, new = by_id(before), by_id(after)
    assert all(json.loads(new[name])["value"] == json.loads(old[name])["value"] for name in new.keys() & old.keys())


def what_goes_was_disabled_and_listed(of, plan, before, after):
    """I2, I6, F23: disabled in the state before, named in the changes, of an account read in full, and allowed at all."""
    gone = [json.loads(text) for name, text in by_id(before).items() if name not in by_id(after)]
    listed = {change.key for change in plan.changes if change.action == "remove" and change.kind == "appRole"}
    for one in gone:
        assert one["isEnabled"] is False
        assert one["value"] in listed
        assert any(f"::{name}:role/" in one["value"] for name in of.read)
        assert of.limit


def what_comes_is_whole_and_enabled(before, after):
    """The six keys of the tutorial without origin; an id that is a GUID; a value of role ARN, comma, provider ARN."""
    for name in by_id(after).keys() - by_id(before).keys():
        one = json.loads(by_id(after)[name])
        assert list(one) == ["allowedMemberTypes", "description", "displayName", "id", "isEnabled", "value"]
        assert one["isEnabled"] is True
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one["id"])
        assert re.fullmatch(r"arn:aws:iam::(\d{12}):role/\S+,arn:aws:iam::\1:saml-provider/(WAAD|Entra)", one["value"])


def limits_are_kept(of, before, after):
    """700 definitions with the scopes, or no growth."""
    assert len(after) + of.scopes <= max(700, len(before) + of.scopes)


def what_goes_had_its_assignments_revoked_first(of, plan):
    """I7: each assignment of what goes is a request before the entry goes, and a loss by name."""
    ids = {name for name in by_id(of.live) if plan.requests and name not in by_id(items(plan.requests[-1].body))}
    due = {one["assignment_id"] for one in of.held if one["app_role_id"] in ids}
    sent = {request.path.rsplit("/", 1)[1] for request in plan.requests if request.method == "DELETE"}
    assert sent == due
    assert len(plan.losses) == sum(one["app_role_id"] in ids for one in of.held)
    assert not due or plan.requests[-1].method == "PATCH"


def the_two_last_differ_by_what_goes(plan, patches):
    """I6: the removing body is the disabling one without the entries that go, plus what had no room before."""
    removed = {change.key for change in plan.changes if change.action == "remove" and change.kind == "appRole"}
    if len(patches) > 1 and removed:
        before, after = patches[-2], patches[-1]
        left = [text for text in before if json.loads(text)["value"] not in removed]
        assert after[: len(left)] == left


@pytest.mark.parametrize("part", range(PARTS))
def test_b5_every_generated_body_keeps_every_law(part):
    """I1 to I7 over raw texts."""
    bodies, seeds = 0, 0
    while bodies < BODIES // PARTS:
        of = generate(part + PARTS * seeds)
        seeds += 1
        try:
            plan = of.plan
        except TableError as refusal:
            raise AssertionError(f"seed {of.seed}: {refusal}") from refusal
        try:
            judge(of, plan)
        except AssertionError as broken:
            raise AssertionError(f"seed {of.seed}: {broken}") from broken
        bodies += sum(request.method == "PATCH" for request in plan.requests)
    print(f"{bodies} bodies of {seeds} plans keep every law")  # pytest -rP shows it


@pytest.mark.parametrize("part", range(PARTS))
def test_b5_equal_collections_give_equal_bodies_and_ids_are_stable(part):
    """I4, I13: the order of what is wanted does not matter, and the id of a new entry depends on application and value only."""
    for place in range(max(5, BODIES // 80)):
        of = generate(part + PARTS * place)
        chance = random.Random(place)
        plan = of.plan
        again = planned(of, of.live, tuple(chance.sample(of.wanted, len(of.wanted))))
        assert again.id == plan.id
        assert [request.body for request in again.requests] == [request.body for request in plan.requests]
        if plan.requests and of.limit:
            end = tuple(items(plan.requests[-1].body))
            stand = {one["value"]: one["id"] for one in map(json.loads, end) if one["value"]}
            fewer = planned(of, of.live, tuple(chance.sample(of.wanted, len(of.wanted) // 2)))
            for text in items(fewer.requests[-1].body) if fewer.requests else ():
                one = json.loads(text)
                assert stand.get(one["value"], one["id"]) == one["id"]
