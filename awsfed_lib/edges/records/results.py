"""What came out of a run, as JSON values for its record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from awsfed_lib.core.outcome import Outcome
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.settings.verdict import SEVERITIES, reaches, worst


def of_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan with its id and everything that the id stands for."""
    return {"id": plan.id, **plan.content}


def of_outcome(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome, one entry a request. The bodies stand in the plan of the same id."""
    return outcome.content


def word(outcomes: Sequence[Outcome], findings: pd.DataFrame | None, fail_on: str) -> str:
    """Return the verdict of the run: the worst of its outcomes and of its findings at or above `fail_on`."""
    severities = [] if findings is None else findings["severity"].tolist()
    judged = ["findings"] if any(reaches(severity, fail_on) for severity in severities) else []
    return worst([*(outcome.verdict for outcome in outcomes), *judged])


def counts(outcomes: Sequence[Outcome], findings: pd.DataFrame | None) -> dict[str, Any]:
    """Return the figures of a run: each plan with its verdict and number of requests, and findings by severity."""
    plans = [{"plan": one.plan_id, "title": one.title, "verdict": one.verdict, "requests": len(one.sent)} for one in outcomes]
    found = {} if findings is None else {severity: int((findings["severity"] == severity).sum()) for severity in SEVERITIES}
    return {"plans": plans, "findings": found}
