"""Could this person reach this role on that day? As far as the records tell, with the runs that tell it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.tables import FACTS, frame
from awsfed_lib.edges.records.past import Past

YES, NO, NOT_KNOWN = "yes", "no", "not known"
EFFECTIVE = "effective"
_WAY = ("group_name", "role_arn", "verdict")


class Answer(NamedTuple):
    """What one run says: yes, no or not known, and why."""

    word: str
    why: str


def reached(runs: Sequence[Past], *, user: str, role: str, day: str) -> pd.DataFrame:
    """Answer whether `user` (user name) could reach `role` (ARN, or name of the IAM role) at the end of `day`: FACTS.

    `day`: YYYY-MM-DD in UTC, "" for that of the newest run. The last run up to that moment answers; the next one afterwards
    is asked too, since the state between two runs is not known. Without a user or a role there is no question.
    """
    if not (user and role):
        return frame(FACTS, [{"fact": "answer", "value": "nothing was asked: give user, role and day"}])
    return _answered(runs, user, role, date.fromisoformat(day) if day else max((one.at.date() for one in runs), default=date.min))


def _answered(runs: Sequence[Past], user: str, role: str, day: date) -> pd.DataFrame:
    end = datetime.combine(day, time.max, tzinfo=UTC)
    evidence = [one for one in runs if not one.problem]
    before = [one for one in evidence if one.at <= end][-1:]
    after = [one for one in evidence if one.at > end][:1]
    then = _asked(before[0], user, role) if before else Answer(NOT_KNOWN, "no run was made up to that day")
    said = [("answer", then.word), ("why", then.why), *_told("by the run", before)]
    if after:
        later = _asked(after[0], user, role)
        said += [("the next run says", f"{later.word}: {later.why}"), *_told("the next run", after), *_between(then, later, before + after)]
    asked = [("user", user), ("role", role), ("at the end of", f"{day:%Y-%m-%d} UTC")]
    return frame(FACTS, [{"fact": name, "value": value} for name, value in asked + said])


def _told(name: str, runs: Sequence[Past]) -> list[tuple[str, str]]:
    return [(name, f"{one.run}, begun {one.at:%Y-%m-%d %H:%M} UTC") for one in runs]


def _between(then: Answer, later: Answer, runs: Sequence[Past]) -> list[tuple[str, str]]:
    if then.word == later.word or NOT_KNOWN in (then.word, later.word):
        return []
    return [("it changed", f"between {runs[0].at:%Y-%m-%d %H:%M} and {runs[-1].at:%Y-%m-%d %H:%M} UTC; when exactly, no run tells")]


def _asked(run: Past, user: str, role: str) -> Answer:
    paths = run.table("paths")
    mine = paths[(paths["user_name"].str.casefold() == user.casefold()) & _is(paths["role_arn"], role)]
    ways = [(group or "a direct assignment", arn, word) for group, arn, word in zip(*(mine[name] for name in _WAY), strict=True)]
    open_ = sorted({f"by {group} to {arn}" for group, arn, word in ways if word.startswith(EFFECTIVE)})
    if open_:
        return Answer(YES, "; ".join(open_))
    blind = _unread(run, role)
    if blind:
        return Answer(NOT_KNOWN, f"that run could not read {', '.join(blind)}")
    if ways:
        return Answer(NO, "; ".join(sorted({f"the path by {group} is {word}" for group, _, word in ways})))
    return Answer(NO, "no path from this person to this role stood in the record")


def _is(arns: pd.Series[str], role: str) -> pd.Series[bool]:
    return arns == role if role.startswith("arn:") else arns.str.replace(r"^.*/", "", regex=True) == role


def _unread(run: Past, role: str) -> list[str]:
    """Return the accounts that the run could not read, and in which the role may lie."""
    accounts = run.table("accounts")
    account = role.split(":")[4] if role.startswith("arn:") and role.count(":") >= 5 else ""  # noqa: PLR2004  fields of an ARN
    unread = accounts[(accounts["problem"] != "") & ((accounts["account_id"] == account) | (account == ""))]
    return sorted(unread["account_id"])
