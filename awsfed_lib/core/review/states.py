"""The words of the drift: what a side says of what it does not show, and how three sides stand to each other."""

from __future__ import annotations

from collections.abc import Mapping

ABSENT, UNREAD, NO_RULE = "absent", "unread", "no rule"
WORDS = frozenset({ABSENT, UNREAD, NO_RULE})
AS_DESIRED, NOW_AS_DESIRED, DRIFTED, STILL = "as desired", "now as desired", "drifted since the record", "still drifted"
CHANGED, DESIRED_CHANGED, NEVER = "changed since the record", "desired changed", "never was as desired"
BACK = "back to what was recorded"
NOT_AS_DESIRED, AS_RECORDED, NO_RECORD = "not as desired", "as recorded", "no record to compare with"
STATES: Mapping[str, str] = {
    DRIFTED: "it was changed since the record, and is not what the rules give",
    STILL: "it was changed before the last record by nobody who was approved, and still is so",
    CHANGED: "it was changed since the record; the rules say nothing of it, or are not known",
    NOW_AS_DESIRED: "it was changed since the record, and is what the rules give",
    BACK: "a drift was undone since the last record: it is what it was before",
    DESIRED_CHANGED: "the rules give something else than at the last record, and nothing followed yet",
    NEVER: "it is not what the rules give, and was not at the last record either",
    NOT_AS_DESIRED: "it is not what the rules give; since when, no record says",
    UNREAD: "it was not read, so nothing is said of it",
    AS_DESIRED: "it is what the rules give",
    AS_RECORDED: "it is as it was; the rules say nothing of it, or are not known",
    NO_RECORD: "no record knows it, and no rule speaks of it",
}
MOVED = frozenset({DRIFTED, CHANGED, NOW_AS_DESIRED, BACK})
HELD = ("critical", "high", "medium")
"""Severities of a drift that stays in sight, run after run, until it is undone or accepted; what is less is told once."""
QUIET = frozenset({AS_DESIRED, AS_RECORDED, NO_RECORD})
