"""When a plan was last shown to somebody who could approve it, as the journals of the runs tell.

The id of a plan holds no time: it stands for a state and its change, so that two kernels agree on it. What grows old is
the approval, a text that may be left in a parameter file until the world happens to be in that state again.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

SHOWN = "planned"  # the event of a run that plans and has no approval to send


def last_shown(runs: Path, plan_id: str) -> datetime | None:
    """Return when a run below `runs` last showed the plan without sending it; None when no journal there says so.

    The folders of runs begin with their time, so that the first journal found from the end is the youngest.
    """
    for path in sorted(runs.glob("*/journal.jsonl"), reverse=True):
        if found := _shown_in(path, plan_id):
            return max(found)
    return None


def _shown_in(path: Path, plan_id: str) -> list[datetime]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    needle = plan_id.encode()
    return [at for line in lines if needle in line if (at := _moment(line, plan_id))]


def _moment(line: bytes, plan_id: str) -> datetime | None:
    try:
        said = json.loads(line)
        shown = said["event"] == SHOWN and said["fields"].get("id") == plan_id
        return datetime.fromisoformat(said["at"]) if shown else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
