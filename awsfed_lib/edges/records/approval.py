"""Which ids of plans were shown, and which were used: read from the journals of all runs, and from the chain for retired ones.

The id of a plan holds no time, so that two kernels agree on it. What grows old, and what is used once, is the approval: a
text that may be left in a parameter file until the world happens to be in that state again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from awsfed_lib.core.apply import Approval

SHOWN = "planned"  # the event of a run that plans and has no approval to send
SENT = frozenset({"applied", "unverified"})
ENDED = "ended"  # in the chain's line of a retired record: the ids that it showed or used
_EVENTS = (b'"planned"', b'"plan"', b'"intent"', b'"outcome"')


@dataclass(frozen=True)
class Ids:
    """`shown`: when an id was shown, by run. `spent`: the run that used it: something was sent under it. `now`: the time of reading."""

    now: datetime
    shown: dict[str, dict[str, datetime]] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)

    def approval(self, plan_id: str, began: datetime) -> Approval:
        """Tell of one id; one that no journal shows is as old as the run that `began`."""
        times = self.shown.get(plan_id, {"": min(self.now, began)}).values()
        return Approval(self.now - min(times), self.now - max(times), self.spent.get(plan_id, ""))


def read(runs: Path, now: datetime) -> Ids:
    """Read the journals below `runs`, those put away because of a secret included, and the ids of retired records.

    A line from the future (a clock that was wrong, or a forgery) shows nothing: it would make an approval younger.
    """
    ids = Ids(now)
    for path in sorted((*runs.glob("*/journal.jsonl"), *runs.glob(".quarantine/*/journal.jsonl"))):
        _read_journal(path, ids)
    for line in _lines(runs / "chain.jsonl", (b'"ended"',)):
        for plan_id in line["fields"].get(ENDED, ()):
            ids.spent.setdefault(plan_id, str(line["fields"].get("run")))
    return ids


def of_record(folder: Path, now: datetime) -> list[str]:
    """List the ids that the journal of one record showed or used."""
    ids = Ids(now)
    _read_journal(folder / "journal.jsonl", ids)
    return sorted(ids.shown.keys() | ids.spent.keys())


def _read_journal(path: Path, ids: Ids) -> None:
    run, sending = path.parent.name, ""
    for line in _lines(path, _EVENTS):
        event, fields = line["event"], line["fields"]
        if event == SHOWN:
            at = _moment(line.get("at"))
            if at and at <= ids.now:
                ids.shown.setdefault(str(fields.get("id")), {}).setdefault(run, at)
        elif event == "plan":
            sending = str(fields.get("id"))
        elif event == "intent" and sending:
            ids.spent.setdefault(sending, run)
        elif event == "outcome" and fields.get("verdict") in SENT:
            ids.spent.setdefault(str(fields.get("plan")), run)


def _lines(path: Path, signs: tuple[bytes, ...]) -> Iterator[Mapping[str, Any]]:
    """Give the lines that hold one of `signs` and can be read; a damaged line says nothing, and those after it still do."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    for raw in content.split(b"\n"):
        if any(sign in raw for sign in signs):
            try:
                line = json.loads(raw)
                if isinstance(line["fields"], dict) and isinstance(line["event"], str):
                    yield line
            except (ValueError, TypeError, KeyError, RecursionError):
                continue


def _moment(said: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return at if at.tzinfo else None
