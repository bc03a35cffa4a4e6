"""Findings that somebody has accepted, each with a reason and an end: a reviewed file of the parameter folder, read in git.

An acceptance hides nothing: the finding stays in every report with its reason. It only stops counting for the verdict,
and only until its day. One without a finding any more is told, so that the file does not grow old.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.finding import finding
from awsfed_lib.core.settings.table_file import LINE, read_table
from awsfed_lib.core.tables import ACCEPTED, FINDINGS, JUDGED, check, frame, rows

COLUMNS = tuple(ACCEPTED.columns)
_REMEDY = f"Its first line is {','.join(COLUMNS)}; `until` is a day, YYYY-MM-DD."
LONGEST = 366
"""Days that an acceptance may last from now: what nobody looks at for longer is not accepted, it is forgotten."""


def read(raw: bytes, file: str = "accepted_file") -> pd.DataFrame:
    """Read the CSV into ACCEPTED. Raises ParameterError naming the line."""
    found = [_checked(row) for row in read_table(raw, file, COLUMNS, required=COLUMNS)]
    twice = sorted({line["finding_id"] for line in found if [other["finding_id"] for other in found].count(line["finding_id"]) > 1})
    if twice:
        raise ParameterError(f"Two lines accept the finding {twice[0]}.", code="accepted-twice", remedy="Keep one of them.")
    return frame(ACCEPTED, found)


def _checked(row: Mapping[str, str]) -> dict[str, str]:
    line, cells = row[LINE], {name: row[name] for name in COLUMNS}
    empty = [name for name in COLUMNS if not cells[name]]
    if empty:
        words = f"Line {line} of the accepted findings has no {' and no '.join(empty)}."
        raise ParameterError(words, code="accepted-row", remedy=_REMEDY)
    try:
        date.fromisoformat(cells["until"])
    except ValueError:
        words = f"Line {line} of the accepted findings: {cells['until']!r} is not a date."
        raise ParameterError(words, code="accepted-row", remedy=_REMEDY) from None
    return cells


def judge(findings: pd.DataFrame, accepted: pd.DataFrame | None, *, now: datetime) -> pd.DataFrame:
    """Put the acceptances to the FINDINGS: JUDGED, with `accepted` the reason and its end where one holds today.

    Adds a low finding for each acceptance that ended, lasts too long, or names no finding any more.
    """
    given = {row["finding_id"]: row for row in rows(check(ACCEPTED, accepted))} if accepted is not None else {}
    found = rows(check(FINDINGS, findings))
    told = {row["finding_id"] for row in found}
    judged = [{**row, "accepted": _words(given.get(row["finding_id"]), now.date())} for row in found]
    looked = {name: _stale(row, name in told, now.date()) for name, row in given.items()}
    stale = [finding("low", "acceptance to look at", name, **why) for name, why in looked.items() if why]
    return frame(JUDGED, [*judged, *({**row, "accepted": ""} for row in stale)])


def _words(row: Mapping[str, str] | None, today: date) -> str:
    if row is None or not 0 <= (date.fromisoformat(row["until"]) - today).days <= LONGEST:
        return ""
    return f"until {row['until']} by {row['accepted_by']}: {row['reason']}"


def _stale(row: Mapping[str, str], is_found: bool, today: date) -> dict[str, str]:  # noqa: FBT001  a fact, not a switch
    days = (date.fromisoformat(row["until"]) - today).days
    if not is_found:
        return {"cause": "nothing is found under this id any more", "remedy": "Take the line out of the accepted findings."}
    if days < 0:
        return {"cause": f"its acceptance ended on {row['until']}", "remedy": "Mend the finding, or accept it anew, in review."}
    if days > LONGEST:
        return {"cause": f"it is accepted for {days} days; at most {LONGEST} count", "remedy": "Set an earlier day, in review."}
    return {}


def open_findings(judged: pd.DataFrame) -> pd.DataFrame:
    """Give those of JUDGED that nobody accepted: they make the verdict."""
    return judged[judged["accepted"] == ""].reset_index(drop=True)
