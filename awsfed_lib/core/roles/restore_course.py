"""How the live appRoles become those of a record: entry by entry, by id, and through which states.

Laws (learn.microsoft.com graph/api/resources/approle): an enabled entry can be switched off and nothing else, neither edited nor
left out; a new one is created enabled. So an entry whose text changed is disabled first, and comes back whole with the last PATCH.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from awsfed_lib.core import facts
from awsfed_lib.core.change import Action, Change, Guards
from awsfed_lib.core.guard import covered
from awsfed_lib.core.roles.body import check_growth, check_values, fits
from awsfed_lib.core.roles.pair import parse

Entry = Mapping[str, Any]
Row = Mapping[str, Any]
INHERITED = "Application"


class Step(NamedTuple):
    """What becomes of one live entry: `into` is what it is in the end; of a removed one, what it was."""

    entry: Entry
    into: Entry
    action: Action
    why: str = ""


@dataclass(frozen=True)
class Course:
    """The states of the collection, in order; the steps of live entries; what is added; and what cannot be, with the reason.

    `ids`: the live (or new) id for each id of the record.
    """

    live: list[Entry]
    grown: list[Entry]
    disabled: list[Entry]
    final: list[Entry]
    steps: tuple[Step, ...]
    added: tuple[Entry, ...]
    missing: tuple[Row, ...]
    ids: Mapping[str, str]

    @property
    def removed(self) -> list[Entry]:
        """The entries that go."""
        return [step.entry for step in self.steps if step.action == "remove"]


def course(live: Sequence[Row], recorded: Sequence[Row], held: Mapping[str, Sequence[Row]], guards: Guards, *, scopes: int) -> Course:
    """Walk from the live rows of APP_ROLES to the recorded ones; `held`: rows of ASSIGNMENTS by appRole id.

    Raises TableError when the result breaks a rule of Entra ID.
    """
    wanted = {row["app_role_id"]: row for row in recorded}
    values = {row["value"].casefold(): row["app_role_id"] for row in recorded if row["value"]}
    steps = tuple(_step(row, wanted, values, _removable(row, held, guards)) for row in live)
    there = {row["app_role_id"]: row["app_role_id"] for row in live if row["app_role_id"] in wanted}
    there |= {
        old: row["app_role_id"] for row in live if (old := values.get(row["value"].casefold(), "")) and old not in there and row["value"]
    }
    absent = [row for row in recorded if row["app_role_id"] not in there]
    added = [_new(row) for row in absent if row["origin"] != INHERITED]
    check_values(entry["value"] for entry in added if entry["value"])
    entries = [row["entry"] for row in live]
    grown, disabled, final = _states(entries, steps, added, scopes)
    check_growth(entries, final, scopes)
    ids = there | {entry["id"]: entry["id"] for entry in added}
    return Course(entries, grown, disabled, final, steps, tuple(added), tuple(row for row in absent if row["origin"] == INHERITED), ids)


def _removable(row: Row, held: Mapping[str, Sequence[Row]], guards: Guards) -> str:
    """Say why an entry that the record does not hold stays; "" when it may go."""
    pair = parse(row["value"])
    if pair is None:
        return "not in the record; not a role of AWS, so it stays"
    protected = covered(guards.protected_roles, row["value"], pair.role_name, row["display_name"])
    holders = [name for one in held.get(row["app_role_id"], ()) for name in (one["principal_id"], one["principal_name"])]
    reasons = {
        f"not in the record; protected ({protected})": bool(protected),
        "not in the record; somebody who is protected or break-glass holds it": bool(
            covered((*guards.protected_groups, *guards.break_glass), *holders)
        ),
        "not in the record; max_removed is 0": not guards.max_removed,
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _step(row: Row, wanted: Mapping[str, Row], values: Mapping[str, str], stays: str) -> Step:
    entry, want = row["entry"], wanted.get(row["app_role_id"])
    if row["origin"] == INHERITED:
        same = want is None or facts.app_role(want["entry"]) == facts.app_role(entry)
        return Step(entry, entry, "keep", "" if same else "otherwise in the record; it comes from the app registration: change it there")
    if want is None:
        return _unrecorded(row, values, stays)
    if row["value"] != want["value"]:
        why = f"in the record its value is {want['value'] or '(none)'}; a value is never edited: remove it, then restore again"
        return Step(entry, entry, "keep", why)
    into = {**entry, **{key: want["entry"].get(key) for key in facts.APP_ROLE_KEYS}}
    if facts.app_role(into) == facts.app_role(entry):
        return Step(entry, entry, "keep")
    switched = facts.app_role({**entry, "isEnabled": into["isEnabled"]}) == facts.app_role(into)
    action: Action = "disable" if switched and not into["isEnabled"] else "update"
    return Step(entry, into, action, "as in the record")


def _unrecorded(row: Row, values: Mapping[str, str], stays: str) -> Step:
    entry, other = row["entry"], values.get(row["value"].casefold(), "") if row["value"] else ""
    if other:
        return Step(entry, entry, "keep", f"in the record it has the id {other}; its assignments come back onto this one")
    return Step(entry, entry, "keep" if stays else "remove", stays or "not in the record")


def _new(row: Row) -> Entry:
    """Make the entry again under its id: enabled, since only such can be created, and without origin, which Graph writes."""
    return {key: row["entry"].get(key) for key in facts.APP_ROLE_KEYS} | {"isEnabled": True, "recorded": row["is_enabled"]}


def _states(live: list[Entry], steps: Sequence[Step], added: list[Entry], scopes: int) -> tuple[list[Entry], list[Entry], list[Entry]]:
    grown = [step.into if not step.entry["isEnabled"] and step.action == "update" else step.entry for step in steps]
    off = [_off(entry, step) for entry, step in zip(grown, steps, strict=True)]
    final = [step.into for step in steps if step.action != "remove"]
    new = [{key: entry[key] for key in facts.APP_ROLE_KEYS} for entry in added]
    early = new if fits(live, [*grown, *new], scopes) else []
    last = [{**entry, "isEnabled": old["recorded"]} if early else entry for entry, old in zip(new, added, strict=True)]
    return [*grown, *early], [*off, *early], [*final, *last]


def _off(entry: Entry, step: Step) -> Entry:
    """Switch an enabled entry off that will be edited, disabled or left out."""
    moves = step.action == "remove" or facts.app_role(step.into) != facts.app_role(entry)
    return {**entry, "isEnabled": False} if entry["isEnabled"] and moves else entry


def changes(path: Course) -> list[Change]:
    """Say what becomes of each entry, for people."""
    found = [_change(step) for step in path.steps]
    found += [
        Change("add", "appRole", entry["value"] or entry["id"], entry["displayName"] or "", "", entry["value"] or "")
        for entry in path.added
    ]
    lost = "inherited from the app registration, and gone there: put it back there"
    return found + [Change("keep", "appRole", row["value"] or row["app_role_id"], row["display_name"], why=lost) for row in path.missing]


def _change(step: Step) -> Change:
    entry, into = step.entry, step.into
    before, after = ("", "")
    if step.action == "remove":
        before = entry["value"] or ""
    elif step.action != "keep":
        before, after = _told(entry), _told(into)
    return Change(step.action, "appRole", entry.get("value") or entry["id"], entry.get("displayName") or "", before, after, step.why)


def _told(entry: Entry) -> str:
    return f"{entry.get('displayName')} ({'enabled' if entry['isEnabled'] else 'disabled'}): {entry.get('description')}"
