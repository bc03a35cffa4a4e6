"""What came out of a run, as JSON values for its record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from awsfed_lib.core.change import SIGNS
from awsfed_lib.core.outcome import Outcome
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.review.accepted import open_findings
from awsfed_lib.core.settings.verdict import SEVERITIES, reaches, worst
from awsfed_lib.core.tables import FINDINGS, frame


def of_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan with its id and everything that the id stands for."""
    return {"id": plan.id, **plan.content}


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome, one entry a request. The bodies stand in the plan of the same id."""
    return outcome.content


def word(outcomes: Sequence[Outcome], findings: pd.DataFrame | None, fail_on: str, gaps: Sequence[str] = ()) -> str:
    """Return the verdict of the run: the worst of its outcomes, of its findings at or above `fail_on` that nobody accepted, of `gaps`.

    `gaps`: what was not read although it should have been (`coverage.gaps`); neither `fail_on` nor an accepted finding excuses it.
    """
    found = _open(findings)
    kept = bool((found["check"] == "not revoked").any())  # somebody may still get in who was to lose it: whatever `fail_on` says
    reached = kept or any(reaches(severity, fail_on) for severity in found["severity"])
    also = [word for word, holds in (("findings", reached), ("not read", gaps)) if holds]
    return worst([*(outcome.verdict for outcome in outcomes), *also])


Plans = Mapping[str, Mapping[str, Any]]
NO_PLANS: Plans = MappingProxyType({})


def counts(outcomes: Sequence[Outcome], findings: pd.DataFrame | None, kept: Plans = NO_PLANS) -> dict[str, Any]:
    """Return the figures of a run: its plans, what waits for another runbook, open findings.

    A plan has its verdict, its number of requests and, where it is among `kept` (by id), how many changes of each action.
    """
    plans = [
        {"plan": one.plan_id, "title": one.title, "verdict": one.verdict, "requests": len(one.sent)} | _changes(kept, one.plan_id)
        for one in outcomes
    ]
    found = _open(findings)["severity"].value_counts()
    waiting = [line for one in outcomes for line in one.waiting]
    said = {"waiting": waiting} if waiting else {}
    return said | {
        "plans": plans,
        "findings": {} if findings is None else {severity: int(found.get(severity, 0)) for severity in SEVERITIES},
    }


def _changes(kept: Plans, plan_id: str) -> dict[str, dict[str, int]]:
    number = Counter(str(change["action"]) for change in kept.get(plan_id, {}).get("changes", ()))
    return {"changes": {action: number[action] for action in SIGNS if number[action]}} if number else {}


def _open(findings: pd.DataFrame | None) -> pd.DataFrame:
    """Leave out what was accepted (JUDGED); FINDINGS are all open."""
    if findings is None:
        return frame(FINDINGS, [])
    return open_findings(findings) if "accepted" in findings else findings
