"""How the live appRoles become the desired ones: four states of one collection, and why each entry goes where it goes.

A PATCH replaces the whole collection, and an enabled entry cannot be left out of it: "Permission (scope or role) cannot
be deleted or updated unless disabled first" (learn.microsoft.com graph/api/resources/approle, isEnabled). So a removal
walks through two states, `disabled` and `final` (gone), and what is added is there before them, in `grown`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from awsfed_lib.core.change import Action, Change
from awsfed_lib.core.errors import TableError
from awsfed_lib.core.label import told_apart
from awsfed_lib.core.roles.body import caution, check_growth, check_values, fits
from awsfed_lib.core.roles.pair import Pair, parse

NAMED = 3  # principals that a reason names; it counts the others
NAMESPACE = UUID("5a1c1f1e-7d0b-5c43-9a55-5a5f0d3f8f27")  # any fixed one: it makes the ids of two kernels equal

Entry = Mapping[str, Any]
Row = Mapping[str, Any]


class Absence(NamedTuple):
    """What may be called absent: `stays` says why the entry of a pair must not go, "" when it may, and `cause` why it goes then."""

    stays: Callable[[Pair], str]
    cause: str


@dataclass(frozen=True)
class Bounds:
    """What a plan may touch: what may be called absent, whether it may remove at all, and the definitions that are scopes.

    `holders`: the principals of each appRole by id, with their names.
    """

    application_id: str
    absence: Absence
    removing: bool
    scopes: int
    holders: Mapping[str, Mapping[str, str]]


class Stages(NamedTuple):
    """The live collection, with what is added and enabled, with what is disabled, the final one; the changes; the entries that go."""

    live: list[Entry]
    grown: list[Entry]
    disabled: list[Entry]
    final: list[Entry]
    changes: list[Change]
    removed: list[Entry]


class Decision(NamedTuple):
    """What becomes of one live entry."""

    entry: Entry
    action: Action
    why: str = ""


def stages(live: Sequence[Row], desired: Sequence[Row], bounds: Bounds) -> Stages:
    """Merge the desired rows onto the live ones (rows of APP_ROLES), in live order, the new ones after, sorted by value.

    Raises TableError when the result breaks a rule of Entra ID.
    """
    wanted = _by_pair(desired)
    owners = _owners(live)
    decisions = [_decide(row, owners, wanted, bounds) for row in live]
    entries = [row["entry"] for row in live]
    removed = [decision.entry for decision in decisions if decision.action == "remove"]
    missing = [row for value, row in sorted(wanted.items()) if value not in owners]
    added = _added(missing, entries, removed, bounds)
    grown, disabled, final = _walk(decisions, [entry for _, entry in added], bounds.scopes)
    final = _disable(final, {entry["id"] for row, entry in added if not row["is_enabled"]} & {entry["id"] for entry in grown})
    check_growth(entries, final, bounds.scopes)
    changes = [_change(decision) for decision in decisions] + [_addition(entry) for _, entry in added]
    return Stages(entries, grown, disabled, final, changes, removed)


def _by_pair(desired: Sequence[Row]) -> dict[str, Row]:
    """Desired rows by their pair. Rows of a recorded collection that name no AWS role are not ours, and are left out."""
    wanted: dict[str, Row] = {}
    for row in desired:
        pair = parse(row["value"])
        if pair is None and not row["app_role_id"]:
            raise TableError(f"The desired value {row['value']!r} is not a role ARN and a provider ARN of one account.")
        if pair is None or row["origin"] == "Application":
            continue
        if pair.value in wanted:
            raise TableError(f"The role {pair.role_arn} with {pair.provider_arn} is desired twice.")
        wanted[pair.value] = row
    return wanted


def _owners(live: Sequence[Row]) -> dict[str, str]:
    """Map each pair to the id of the live entry that stands for it; of several, an enabled one, then the first."""
    owners: dict[str, str] = {}
    for row in sorted(live, key=lambda row: not row["is_enabled"]):
        pair = parse(row["value"])
        if pair:
            owners.setdefault(pair.value, row["app_role_id"])
    return owners


def _decide(row: Row, owners: Mapping[str, str], wanted: Mapping[str, Row], bounds: Bounds) -> Decision:
    entry, pair = row["entry"], parse(row["value"])
    if pair is None:
        return Decision(entry, "keep")
    want = wanted.get(pair.value)
    if row["origin"] == "Application":
        disabled = bool(want) and not row["is_enabled"]
        return Decision(entry, "keep", f"of the application registration{', and disabled there' if disabled else ''}")
    if owners[pair.value] != row["app_role_id"]:
        return Decision(entry, "keep", f"names the same role and provider as {owners[pair.value]}")
    if want is None:
        return _unwanted(entry, owners, wanted, bounds)
    return _wanted(row, want)


def _wanted(row: Row, want: Row) -> Decision:
    if row["is_enabled"] != want["is_enabled"]:
        return Decision(row["entry"], "update" if want["is_enabled"] else "disable")
    if row["display_name"] not in (want["display_name"], told_apart(want["display_name"], want["value"])):
        return Decision(row["entry"], "keep", f"named otherwise: the template gives “{want['display_name']}”; names are not edited")
    return Decision(row["entry"], "keep")


def _unwanted(entry: Entry, owners: Mapping[str, str], wanted: Mapping[str, Row], bounds: Bounds) -> Decision:
    pair = parse(entry["value"])
    if pair is None:
        return Decision(entry, "keep")
    if stays := bounds.absence.stays(pair):
        return Decision(entry, "keep", stays)
    spelled = next((value for value in wanted if value.casefold() == pair.value.casefold()), "")
    why = bounds.absence.cause
    if spelled:
        why = f"dangling: AWS spells it {spelled}, and sign-in minds the case; the right one cannot be added beside it"
    if not bounds.removing:
        return Decision(entry, "keep", f"{why}; max_removed is 0")
    if waiting := _without_successor(entry, pair, _ids_of_successors(pair, owners, wanted), bounds):
        return Decision(entry, "keep", waiting)
    return Decision(entry, "remove", why)


def _ids_of_successors(pair: Pair, owners: Mapping[str, str], wanted: Mapping[str, Row]) -> list[str]:
    """Ids of the entries for the same role through another provider, "" for one that is still to be added.

    A value is never edited in place, so a role whose provider changed gets a new entry. Values that differ in case only
    cannot stand beside each other, and are no successors.
    """
    others = [other for value in wanted if (other := parse(value)) and other.role_arn == pair.role_arn]
    return [owners.get(other.value, "") for other in others if other.value.casefold() != pair.value.casefold()]


def _without_successor(entry: Entry, pair: Pair, successors: Sequence[str], bounds: Bounds) -> str:
    """Say who would lose the role until its successor is assigned; "" when nobody would, or when there is no successor."""
    if not successors:
        return ""
    moved = {principal for name in successors for principal in bounds.holders.get(name, {})}
    waiting = sorted(name or key for key, name in bounds.holders.get(entry["id"], {}).items() if key not in moved)
    names = ", ".join(waiting[:NAMED]) + (f" and {len(waiting) - NAMED} more" if len(waiting) > NAMED else "")
    return f"stays until {names} is assigned to the entry of {pair.role_name} for the new provider (06-assignments)" if waiting else ""


def _added(missing: Sequence[Row], live: Sequence[Entry], removed: Sequence[Entry], bounds: Bounds) -> list[tuple[Row, Entry]]:
    """Make entries for the missing rows: all but those whose value stays taken in another spelling."""
    gone = {entry["id"] for entry in removed}
    stay = [entry for entry in live if entry["id"] not in gone]
    staying = {entry["value"].casefold() for entry in stay if entry.get("value")}
    rows = [row for row in missing if row["value"].casefold() not in staying]
    check_values(row["value"] for row in rows)
    rows = _told_apart(rows, {(entry.get("displayName") or "").casefold() for entry in stay})
    taken = {entry["id"] for entry in live}
    added = []
    for row in rows:
        new = _new_id(row, taken, bounds.application_id)
        taken.add(new)
        added.append((row, _new(row, new)))
    return added


def _told_apart(rows: Sequence[Row], named: Collection[str]) -> list[Row]:
    """Put the account id into the names of new entries that a live entry, which this run may not have looked at, has already."""
    return [
        {**row, "display_name": (name := told_apart(row["display_name"], row["value"])), "description": name}
        if not row["app_role_id"] and row["display_name"].casefold() in named
        else row
        for row in rows
    ]


def _new_id(row: Row, taken: set[str], application_id: str) -> str:
    """Choose the id of the recorded collection, where free; else one that every kernel makes alike."""
    if row["app_role_id"] and row["app_role_id"] not in taken:
        return str(row["app_role_id"])
    name = f"{application_id}/{row['value']}"
    while (new := str(uuid5(NAMESPACE, name))) in taken:
        name += "+"
    return new


def _new(row: Row, new: str) -> Entry:
    """Make an entry: enabled, since only such can be created, and without origin, which only the service writes."""
    recorded = row["entry"] or {}
    return {
        "allowedMemberTypes": recorded.get("allowedMemberTypes", ["User"]),
        "description": recorded.get("description", row["description"]),
        "displayName": recorded.get("displayName", row["display_name"]),
        "id": new,
        "isEnabled": True,
        "value": row["value"],
    }


def _walk(decisions: Sequence[Decision], added: list[Entry], scopes: int) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """Give the collection grown, disabled, and final; additions wait for the last if there is no room before."""
    live = [decision.entry for decision in decisions]
    gone = {decision.entry["id"] for decision in decisions if decision.action == "remove"}
    enabled = _switched(decisions, {"update": True})
    early = added if fits(live, [*enabled, *added], scopes) else []
    disabled = _switched(decisions, {"update": True, "disable": False, "remove": False})
    return [*enabled, *early], [*disabled, *early], [entry for entry in disabled if entry["id"] not in gone] + added


def _switched(decisions: Sequence[Decision], states: Mapping[str, bool]) -> list[Entry]:
    """Give the live entries, with `isEnabled` set where their action says so; others stay the very same objects."""
    return [
        {**decision.entry, "isEnabled": states[decision.action]} if decision.action in states else decision.entry for decision in decisions
    ]


def _disable(entries: Iterable[Entry], ids: set[str]) -> list[Entry]:
    return [{**entry, "isEnabled": False} if entry["id"] in ids else entry for entry in entries]


def _change(decision: Decision) -> Change:
    entry, action = decision.entry, decision.action
    value = entry.get("value") or ""
    state = "enabled" if entry["isEnabled"] else "disabled"
    before, after = {"keep": ("", ""), "update": (state, "enabled"), "disable": (state, "disabled"), "remove": (value, "")}[action]
    return Change(action, "appRole", value or entry["id"], entry.get("displayName") or "", before, after, decision.why)


def _addition(entry: Entry) -> Change:
    return Change("add", "appRole", entry["value"], entry["displayName"] or "", "", entry["value"], caution(entry["value"]))
