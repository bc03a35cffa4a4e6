"""What becomes of every row of a review: what goes, what stays and why, who loses which role, and what nobody decided. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.access_shapes import DECIDED
from awsfed_lib.core.finding import finding
from awsfed_lib.core.recovery_shapes import LOST_PATHS
from awsfed_lib.core.review.review_sheet import Mark
from awsfed_lib.core.review.ways import Way
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.roles.reviewed import Review
from awsfed_lib.core.roles.revoke import REMEDIES
from awsfed_lib.core.tables import FINDINGS, frame, rows

Row = Mapping[str, Any]


def table(review: Review) -> pd.DataFrame:
    """Say what becomes of every row of the sheet, and of every path that is not in it: DECIDED, what needs a look first."""
    by_path: dict[str, list[Way]] = defaultdict(list)
    for way in review.ways:
        by_path[way.path_id].append(way)
    marks = {mark.path_id: mark for mark in review.marks}
    found = [_decided(review, mark, by_path.get(mark.path_id, [])) for mark in review.marks]
    found += [_unseen(review, listed[0]) for path, listed in by_path.items() if path not in marks]
    return frame(DECIDED, sorted(found, key=lambda row: (_STATES.index(row["state"]), row["user_name"], row["group_name"], row["role"])))


_STATES = (
    "not removed", "gone already", "not in the sheet", "undecided", "assignment goes", "leaves the group", "kept",
)  # fmt: skip


def _decided(review: Review, mark: Mark, ways: list[Way]) -> dict[str, str]:
    known = {name: getattr(mark, name) for name in ("user_name", "group_name", "decision", "reviewer", "comment", "path_id")}
    state, why = _state(review, mark, ways)
    return {"state": state, **known, "role": review.names.get(mark.app_role_id, mark.app_role_id), "why": why}


def _state(review: Review, mark: Mark, ways: list[Way]) -> tuple[str, str]:
    if not ways and mark.group_name in review.unseen:
        return "not removed", "who is in the group is not known"
    if not ways:
        return "gone already", "this path is not live any more"
    if mark.decision != "remove":
        return ("kept" if mark.decision else "undecided"), ""
    staying = [way for way in ways if review.state(way) == "stays"]
    return ("not removed", _why(review, staying[0])) if staying else (review.state(ways[0]), "")


def _why(review: Review, way: Way) -> str:
    """Say what keeps a marked way: what else the group gives to the person, or what keeps the members of the group."""
    same = [other for other in review.ways if (other.user_id, other.group_id) == (way.user_id, way.group_id)]
    also = sorted({review.names[other.app_role_id] for other in same if other.path_id not in review.marked})
    if also:
        return f"the group also gives {', '.join(also[:5])}, which nobody marked: leaving it would end that as well"
    keeper = review.kept_by.get((way.user_id, way.group_id))
    return f"{keeper} keeps the members of the group" if keeper else "the membership was not read"


def _unseen(review: Review, way: Way) -> dict[str, str]:
    known = {"user_name": way.user_name, "group_name": way.group_name, "path_id": way.path_id}
    return {"state": "not in the sheet", **known, "role": review.names[way.app_role_id], "why": "it came after the sheet was written"}


def findings(review: Review) -> pd.DataFrame:
    """Say what somebody has to look at: FINDINGS, high where a marked path stays."""
    listed = [row for row in rows(table(review)) if row["state"] in _FOUND]
    return frame(FINDINGS, [_finding(row) for row in listed])


_FOUND: Mapping[str, tuple[str, str]] = {
    "not removed": ("high", "Mark all its paths, or give each role its own group (05-groups)."),
    "gone already": ("note", "Nothing has to be done."),
    "not in the sheet": ("low", "Run 10-access and review the new rows."),
    "undecided": ("low", "Write keep or remove into the sheet."),
}


def _finding(row: Row) -> dict[str, str]:
    severity, remedy = _FOUND[row["state"]]
    subject = f"{row['user_name']} → {row['role']} through {row['group_name'] or 'a direct assignment'}"
    keeper = next((word for word in REMEDIES if row["why"].startswith(f"{word} keeps")), "")
    cause = f"{row['state']}: {row['why']}" if row["why"] else f"{row['state']}"
    return finding(severity, "review", subject, cause=cause, remedy=REMEDIES.get(keeper, remedy))


def lost(review: Review) -> pd.DataFrame:
    """LOST_PATHS: every path that goes, by person, with what still gives the same role."""
    staying: dict[tuple[str, str], set[str]] = defaultdict(set)
    for way in review.ways:
        if review.state(way) == "stays":
            staying[way.user_id, way.app_role_id].add(way.group_name or "directly")
    values = {row["app_role_id"]: row["value"] for row in rows(review.app_roles)}
    gone = [way for way in review.ways if review.state(way) != "stays"]
    return frame(LOST_PATHS, [_lost(review, way, values[way.app_role_id], staying[way.user_id, way.app_role_id]) for way in gone])


def _lost(review: Review, way: Way, value: str, still: set[str]) -> dict[str, str]:
    pair = parse(value)
    return {
        "person": way.user_name,
        "role": review.names[way.app_role_id],
        "account_id": pair.account_id if pair else "",
        "role_arn": pair.role_arn if pair else value,
        "through": way.group_name,
        "still": ", ".join(sorted(still)),
    }
