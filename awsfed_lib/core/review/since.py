"""What changed since the last record, in one line that nobody overlooks, and in figures for run.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from awsfed_lib.core.review.states import MOVED, STILL, UNREAD
from awsfed_lib.core.tables import rows
from awsfed_lib.core.view.escape import escaped
from awsfed_lib.core.view.markup import box, counted, output
from awsfed_lib.core.view.style import Tone
from awsfed_lib.core.view.table_view import bare_html, table_text

MOST_LINES = 5
SHOWN = ("state", "kind", "account_id", "subject", "desired", "recorded", "live", "changed_by", "changed_at", "remedy")


@dataclass(frozen=True, eq=False)
class Drift:
    """The three sides of a run. `table`: DRIFT; `authors`: AUTHORS; `run`, `at`: the record compared with, "" and None for none.

    `remark`: why another record, or none, was taken; "" when there is nothing to say.
    """

    table: pd.DataFrame
    authors: pd.DataFrame
    run: str
    at: datetime | None
    remark: str = ""

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
            yield f"NO CHANGE since {_when(self.at)} (record {self.run})."
        else:
            number = counted(len(self.moved), "change")
            yield f"{number} since {_when(self.at)}, {self._approved()} (record {self.run})."
        if len(self.still):
            yield f"{counted(len(self.still), 'older change')} of no approved run {'stands' if len(self.still) == 1 else 'stand'} still."
        unread = int((self.table["state"] == UNREAD).sum())
        if unread:
            yield f"{counted(unread, 'object')} could not be read, and count as not known."
        if self.remark:
            yield self.remark

    def _approved(self) -> str:
        if len(self.strange) == len(self.moved):
            return "in no approved run"
        return f"{len(self.strange)} of them in no approved run" if len(self.strange) else "all in approved runs"

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
        """Say of the first changes what, by whom, and what to do; what no approved run made comes first, and is told one by one."""
        listed = rows(pd.concat([self.strange, self.still]))
        for row in listed[:MOST_LINES]:
            at = f" at {_when(row['changed_at'])}" if row["changed_at"] else ""
            said = f"{row['kind']} {row['subject']}: {row['recorded']} → {row['live']}"
            yield f"{said}; by {row['changed_by']}{at}. {row['remedy']}"
        if len(listed) > MOST_LINES:
            yield f"and {len(listed) - MOST_LINES:,} more in no approved run"
        approved = self.moved[self.moved["run"] != ""]
        for who, number in approved["changed_by"].value_counts(sort=False).items():
            yield f"{counted(number, 'change')} by {who}"

    @property
    def tone(self) -> Tone:
        """The colour of the line."""
        return "bad" if len(self.strange) or len(self.still) else "warn" if self.at is None or self.remark else "good"

    @property
    def caption(self) -> str:
        """What stands above the table."""
        return f"what is not simply as it should be, or as it was: {counted(len(self.table), 'object')}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        shown = self.table[list(SHOWN)]
        shown.attrs = self.table.attrs
        by = self.by
        tables = [(by, "who changed it"), (shown, self.caption)]
        html = "".join(f'<div class="awsfed-tall">{bare_html(table, title)}</div>' for table, title in tables if len(table))
        text = [table_text(table, title) for table, title in tables if len(table)]
        return {
            "text/html": output(box(f"<p><strong>{escaped(self.headline)}</strong></p>", self.tone) + html),
            "text/plain": "\n".join([self.headline, *text]),
        }

    def __str__(self) -> str:
        return self.headline


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
