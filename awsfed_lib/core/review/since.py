"""What changed since the last record, in one line that nobody overlooks, and in figures for run.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from awsfed_lib.core.review.states import ABSENT, MOVED, STILL, UNREAD
from awsfed_lib.core.tables import rows
from awsfed_lib.core.view.escape import escaped
from awsfed_lib.core.view.markup import box, counted, output
from awsfed_lib.core.view.style import Tone
from awsfed_lib.core.view.table_view import bare_html, table_text

MOST_LINES, MOST_REMEDIES = 5, 3
SHOWN = ("state", "kind", "account_id", "subject", "desired", "recorded", "live", "changed_by", "changed_at", "remedy")


@dataclass(frozen=True, eq=False)
class Drift:
    """The three sides of a run. `table`: DRIFT; `authors`: AUTHORS; `run`, `at`: the record compared with, "" and None for none.

    `remark`: why another record, or none, was taken; "" when there is nothing to say. `only`: how much was read where it was not
    everything, such as "19 of 24 accounts read"; nothing is said of the rest.
    """

    table: pd.DataFrame
    authors: pd.DataFrame
    run: str
    at: datetime | None
    remark: str = ""
    only: str = ""

    @property
    def moved(self) -> pd.DataFrame:
        """Rows of what was changed since the last record."""
        return self.table[self.table["state"].isin(MOVED)]

    @property
    def strange(self) -> pd.DataFrame:
        """Those of them that no approved run made."""
        return self.moved[self.moved["run"] == ""]

    @property
    def still(self) -> pd.DataFrame:
        """Rows of what was changed before that, by no approved run, and is neither undone nor accepted."""
        return self.table[self.table["state"] == STILL]

    @property
    def by(self) -> pd.DataFrame:
        """Who changed how many of what: approved, changed_by, kind, changes, last; what nobody approved first."""
        told = pd.concat([self.moved, self.still]) if len(self.still) else self.moved
        told = told.assign(approved=(told["run"] != "").map({True: "yes", False: "no"}))
        grouped = told.groupby(["approved", "changed_by", "kind"], sort=True)
        return grouped.agg(changes=("key", "size"), last=("changed_at", "max")).reset_index()

    @property
    def headline(self) -> str:
        """The one line."""
        return " ".join(self._said())

    def _said(self) -> Iterator[str]:
        if self.at is None:
            yield "NOTHING TO COMPARE WITH: no earlier run of this runbook with the same application and accounts counts."
        elif not len(self.moved):
            said = f"No change in what was read ({self.only})" if self.only else "NO CHANGE"
            yield f"{said} since {_when(self.at)} (record {self.run})."
        else:
            number = counted(len(self.moved), "change")
            yield f"{number} since {_when(self.at)}, {self._approved()} (record {self.run})."
        if len(self.still):
            stand = "stands" if len(self.still) == 1 else "stand"
            yield f"{counted(len(self.still), 'older change')} that no approved run made still {stand}."
        unread = int((self.table["state"] == UNREAD).sum())
        if unread:
            yield f"{counted(unread, 'object')} could not be read, and count as not known."
        if self.remark:
            yield self.remark

    def _approved(self) -> str:
        if len(self.strange) == len(self.moved):
            return "not by an approved run"
        return f"{len(self.strange)} of them not by an approved run" if len(self.strange) else "all by approved runs"

    @property
    def told(self) -> dict[str, Any]:
        """What run.json counts of it: what is told of the run without its tables."""
        return {
            "drift": {
                "headline": self.headline,
                "tone": self.tone,
                "lines": list(self._lines()),
                "since": self.at.isoformat() if self.at else "",
                "record": self.run,
                "changes": len(self.moved),
                "not_approved": len(self.strange),
                "still": len(self.still),
            }
        }

    def _lines(self) -> Iterator[str]:
        """Say who changed what, and what to do; what no approved run made comes first, and is told one by one."""
        listed = rows(pd.concat([self.strange, self.still]))
        for row in listed[:MOST_LINES]:
            at = f" at {_when(row['changed_at'])}" if row["changed_at"] else ""
            yield f"{row['changed_by']}{at}: {row['kind']} {row['subject']}: {_change(row)}"
        if len(listed) > MOST_LINES:
            yield f"and {len(listed) - MOST_LINES:,} more that no approved run made"
        approved = self.moved[self.moved["run"] != ""]
        for who, number in approved["changed_by"].value_counts(sort=False).items():
            yield f"{who}: {counted(number, 'change')}"
        for remedy, number in Counter(row["remedy"] for row in listed).most_common(MOST_REMEDIES):
            yield f"What to do{f' ({number})' if len(listed) > 1 else ''}: {remedy}"

    @property
    def tone(self) -> Tone:
        """The colour of the line."""
        return "bad" if len(self.strange) or len(self.still) else "warn" if self.at is None or self.remark or self.only else "good"

    def _shown(self) -> Iterator[tuple[pd.DataFrame, str]]:
        """Yield the tables for people: who, what was changed, and what else is not as it should be."""
        changed = self.table["state"].isin({*MOVED, STILL})
        yield self.by, "who changed it"
        yield self._part(changed), f"what was changed: {counted(int(changed.sum()), 'object')}"
        left = int((~changed).sum())
        yield self._part(~changed), f"not changed since, and not as desired, or not read: {counted(left, 'object')}"

    def _part(self, chosen: pd.Series[bool]) -> pd.DataFrame:
        shown = self.table.loc[chosen, list(SHOWN)].reset_index(drop=True)
        shown.attrs = self.table.attrs
        return shown

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        tables = [(table, title) for table, title in self._shown() if len(table)]
        html = "".join(f'<div class="awsfed-tall">{bare_html(table, title)}</div>' for table, title in tables)
        return {
            "text/html": output(box(f"<p><strong>{escaped(self.headline)}</strong></p>", self.tone) + html),
            "text/plain": "\n".join([self.headline, *(table_text(table, title) for table, title in tables)]),
        }

    def __str__(self) -> str:
        return self.headline


def _change(row: Mapping[str, Any]) -> str:
    if row["recorded"] == ABSENT:
        return f"new ({row['live']})"
    return f"gone (was {row['recorded']})" if row["live"] == ABSENT else f"{row['recorded']} → {row['live']}"


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
