"""The first thing that a reader of the report sees: the verdict, and how many findings of which severity are open."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from awsfed_lib.core.review.accepted import open_findings
from awsfed_lib.core.settings.verdict import SEVERITIES, reaches
from awsfed_lib.core.tables import FACTS, JUDGED, check, frame


def summary(judged: pd.DataFrame, accounts: pd.DataFrame, drift: str, *, fail_on: str) -> pd.DataFrame:
    """Sum up JUDGED findings, the accounts that were read, and the `drift` in words: FACTS."""
    return frame(FACTS, [{"fact": name, "value": value} for name, value in _told(check(JUDGED, judged), accounts, drift, fail_on)])


def _told(judged: pd.DataFrame, accounts: pd.DataFrame, drift: str, fail_on: str) -> Iterator[tuple[str, str]]:
    left = open_findings(judged)
    unread = int((accounts["problem"] != "").sum())
    of = " in what was read" if unread or not len(accounts) else ""
    over = int(left["severity"].map(lambda severity: reaches(severity, fail_on)).sum()) if len(left) else 0
    yield "verdict", f"{over} open findings at or above {fail_on}" if over else f"no open finding at or above {fail_on}{of}"
    for severity in SEVERITIES:
        number, accepted = ((table["severity"] == severity).sum() for table in (left, judged[judged["accepted"] != ""]))
        yield severity, f"{number} open" + (f", {accepted} accepted" if accepted else "")
    yield "accounts", f"{len(accounts) - unread} of {len(accounts)} were read in full" + (f"; {unread} are not known" if unread else "")
    yield "since the last run", drift
