"""One group a role: which groups are wanted, which of them are there, and a plan that makes the missing ones.

A display name is not unique in Entra ID, and in many tenants anybody may create a security group. So a group is used when the
group map names it by its id, or when it has the uniqueName under which 05-groups creates it. One that has only the display name is a
problem for a person, as are two hits: `candidates` lists them as lines for the group map.

New groups are made by `PATCH /groups(uniqueName='…')` with `Prefer: create-if-missing`, which can be sent twice and still makes
one (learn.microsoft.com graph/api/group-upsert).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import TableError
from awsfed_lib.core.label import check_template, fill
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles.assigned import in_waves
from awsfed_lib.core.roles.mapping import read_mapping, resolve, unused
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.roles.trust import USABLE
from awsfed_lib.core.tables import GROUPS, MATCHED_GROUPS, ROLES, WANTED_GROUPS, canonical, check, frame, rows
from awsfed_lib.core.view.safe_csv import csv_text

NAME = "AWS-{account_id}-{role_name}"
LONGEST_NAME, LONGEST_NICKNAME, LONGEST_DESCRIPTION = 256, 64, 1024
TABLE = "groups"
ONLY_BY_NAME = "a group with this name is there, and anybody may have made it: name it by its id in group_map (05-groups exports the lines)"
Row = Mapping[str, Any]

__all__ = ["NAME", "candidates", "desired", "match", "nickname", "plan", "read_mapping", "unused"]


def desired(roles: pd.DataFrame, *, name: str = NAME, mapping: pd.DataFrame | None = None) -> pd.DataFrame:
    """Make WANTED_GROUPS, a row a taken role of ROLES, sorted by value: by the GROUP_MAP where it names the role, else by name.

    Raises ParameterError for a wrong template or a mapping that names a role twice.
    """
    check_template(name)
    taken = sorted((row for row in rows(check(ROLES, roles)) if row["verdict"] in USABLE), key=lambda row: row["value"])
    mapped = resolve(mapping, taken)
    return frame(WANTED_GROUPS, [_wanted(row, name, mapped.get(row["value"])) for row in taken])


def _wanted(row: Row, template: str, line: Row | None) -> dict[str, str]:
    pair = parse(row["value"])
    if pair is None:
        raise TableError(f"The value {row['value']!r} is not a role ARN and a provider ARN of one account.", where=row["role_arn"])
    if line is None:
        name = fill(template, {**pair._asdict(), "account_name": row["account_name"]}, limit=LONGEST_NAME)
    else:
        name = line["group_name"]
    return {
        "value": pair.value,
        "group_name": name,
        "unique_name": nickname(name) if name else "",
        "group_id": line["group_id"] if line else "",
        "source": "mapping" if line else "template",
    }


def nickname(name: str) -> str:
    r"""Make the mailNickname and uniqueName of a group: at most 64 plain ASCII letters; where that loses something, a digest.

    mailNickname may hold no `@ ( ) \ [ ] " ; : < > ,` and no space (learn.microsoft.com graph/api/group-post-groups).
    """
    plain = re.sub(r"[^0-9A-Za-z._-]", "-", name).strip(".")
    if plain == name and len(name) <= LONGEST_NICKNAME:
        return name
    return f"{plain[: LONGEST_NICKNAME - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def match(wanted: pd.DataFrame, live: pd.DataFrame) -> pd.DataFrame:
    """Find the live GROUPS of WANTED_GROUPS: MATCHED_GROUPS, with how each was found, or why it cannot be used."""
    index = _index(rows(check(GROUPS, live)))
    matched = [_matched(row, *_find(row, index)) for row in rows(check(WANTED_GROUPS, wanted))]
    return frame(MATCHED_GROUPS, _mark_shared(matched))


def _index(groups: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Index the groups by everything that they are found by: display names as Graph compares them, without regard to case."""
    index: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for group in sorted(groups, key=lambda group: group["group_id"]):
        index["id", group["group_id"].lower()].append(group)
        index["uniqueName", group["unique_name"]].append(group)
        index["name", group["group_name"].casefold()].append(group)
    return index


def _find(row: Row, index: Mapping[tuple[str, str], list[Row]]) -> tuple[str, list[Row]]:
    tries = [("id", row["group_id"])] if row["group_id"] else [("uniqueName", row["unique_name"]), ("name", row["group_name"].casefold())]
    return next(((how, found) for how, text in tries if (found := index.get((how, text)))), ("", []))


def _matched(row: Row, how: str, found: Sequence[Row]) -> dict[str, Any]:
    ids = ", ".join(group["group_id"] for group in found)
    problem, origin = "", "; ".join(_described(group, len(found)) for group in found)
    if row["group_id"] and not found:
        problem = f"the mapping names the group {row['group_id']}, and the tenant has none such"
    elif len(found) > 1:
        problem = f"{len(found)} groups have this {how}: {ids}; name one by its id in the group map"
    elif found and not found[0]["security_enabled"]:
        problem = f"the group {ids} is not security-enabled: it cannot be assigned"
    elif how == "name":
        problem, origin = ONLY_BY_NAME, _described(found[0], 2)
    if problem or not found:
        return {**row, "group_id": "", "how": how, "problem": problem, "origin": origin}
    name = row["group_name"] or found[0]["group_name"]
    return {**row, "group_id": ids, "group_name": name, "how": how, "problem": "", "origin": origin}


def _described(group: Row, several: int) -> str:
    """Tell about a group that was found; with its id where the row does not give it."""
    return ": ".join(filter(None, (group["group_id"] if several > 1 else "", group["origin"])))


def candidates(matched: pd.DataFrame, live: pd.DataFrame) -> str:
    """Write the groups that were found by their display name only as a CSV for the parameter group_map: role_arn, group_id, note.

    One line a group: of a role with several lines, all but one are to be deleted. The note tells what is known of the group.
    """
    index = _index(rows(check(GROUPS, live)))
    unclear = [row for row in rows(check(MATCHED_GROUPS, matched)) if row["problem"] and row["how"] == "name"]
    lines = [
        {"role_arn": row["value"].split(",")[0], "group_id": group["group_id"], "note": group["origin"]}
        for row in unclear
        for group in _find({**row, "group_id": ""}, index)[1]
    ]
    return csv_text(pd.DataFrame(lines, columns=["role_arn", "group_id", "note"]))


def _mark_shared(matched: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One group for two roles is taken only when the mapping says so for both: a template that gives one name is a slip."""
    shared = Counter(_target(row) for row in matched)
    for row in matched:
        if not row["problem"] and row["source"] == "template" and shared[_target(row)] > 1:
            row["problem"] = f"{shared[_target(row)]} roles would share the group {row['group_name']}: one group gives one role"
    return matched


def _target(row: Row) -> str:
    return str(row["group_id"] or row["unique_name"])


def plan(tenant: Subject, matched: pd.DataFrame, live: pd.DataFrame, *, creator: str = "") -> Plan:
    """Plan the groups of MATCHED_GROUPS that are not there; `live` are the GROUPS that were looked up for them.

    `creator`: reference of the service principal that must own what it creates, since it holds Group.Create alone; "" where groups
    may be written. Nothing is renamed, changed or deleted. A row with a problem makes no group, and its change says why.
    """
    matched_rows = rows(check(MATCHED_GROUPS, matched))
    missing = [row for row in matched_rows if not row["group_id"] and not row["problem"]]
    new = sorted({(row["unique_name"], row["group_name"]) for row in missing})
    of = canonical(sorted({name for names in new for name in names}))
    before = [facts.group(group["unique_name"], group["group_name"]) for group in _looked_up(rows(check(GROUPS, live)), new)]
    after = [*before, *(facts.group(unique_name, name) for unique_name, name in new)]
    gives: dict[str, list[str]] = defaultdict(list)
    for row in missing:
        gives[row["unique_name"]].append(row["value"])
    requests = [_create(unique_name, name, of, gives[unique_name]) for unique_name, name in new]
    if creator:
        requests = [_owned(request, unique_name, creator) for request, (unique_name, _) in zip(requests, new, strict=True)]
    return Plan(
        title=f"Groups of {tenant.name}",
        subject=tenant,
        changes=_changes(matched_rows),
        requests=tuple(in_waves(requests)),
        basis=(Basis.over(TABLE, of, tuple(before)),),
        goal=(Basis.over(TABLE, of, tuple(after)),),
    )


def _looked_up(groups: Iterable[Row], new: Sequence[tuple[str, str]]) -> list[Row]:
    names = {name.casefold() for pair in new for name in pair}
    return [group for group in groups if {group["unique_name"].casefold(), group["group_name"].casefold()} & names]


def _create(unique_name: str, name: str, of: str, values: Sequence[str]) -> Request:
    arns = [pair.role_arn for value in sorted(values) if (pair := parse(value))]
    body = {
        "displayName": name,
        "description": f"Gives {', '.join(arns)}"[:LONGEST_DESCRIPTION],
        "mailEnabled": False,
        "mailNickname": unique_name,
        "securityEnabled": True,
    }
    return Request(
        "PATCH",
        f"/groups(uniqueName='{quote(unique_name, safe='')}')",
        as_json(body),
        f"Create the group {name}",
        Settled(TABLE, of, present=(facts.group(unique_name, name),)),
        headers=(("Prefer", "create-if-missing"),),
    )


def _owned(upsert: Request, unique_name: str, creator: str) -> Request:
    """Create the group by POST, with its creator as owner: Group.Create is documented for that alone (graph/api/group-post-groups).

    Without an owner the application could never change the group that it created.
    """
    body = upsert.content | {"uniqueName": unique_name, "owners@odata.bind": [creator]}
    return replace(upsert, method="POST", path="/groups", body=as_json(body), headers=(), creates=f"group {unique_name}", by_id="group")


def _changes(matched: Sequence[Row]) -> tuple[Change, ...]:
    changes = {_change(row) for row in matched}
    return tuple(sorted(changes, key=lambda change: (change.action, change.label, change.key, change.why)))


def _change(row: Row) -> Change:
    label = row["group_name"] or row["value"]
    if row["problem"]:
        return Change("keep", "group", row["value"], label, before=row["origin"], why=row["problem"])
    if row["group_id"]:
        return Change("keep", "group", row["group_id"], label, before=row["origin"], why=f"found by {row['how']}")
    return Change("add", "group", row["unique_name"], label, after=f"uniqueName {row['unique_name']}")
