"""Several plans in order, one a run: each run shows the first that is not carried out, and its id is what is approved.

A later plan is only true once the earlier ones are carried out (an appRole needs its role), so it is never sent with them.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.apply import Service
from awsfed_lib.core.errors import UnsafePlan
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.shapes import STEPS
from awsfed_lib.core.tables import frame


class Step(NamedTuple):
    """One plan of the course. `blocked`: why it cannot be planned as it should be; "" when it can."""

    name: str
    plan: Plan
    blocked: str = ""

    @property
    def done(self) -> bool:
        """Whether nothing is left to do in it."""
        return not self.plan and not self.blocked


class Course(NamedTuple):
    """The steps in their order."""

    steps: tuple[Step, ...]

    @property
    def finished(self) -> bool:
        """Whether every step is done."""
        return all(step.done for step in self.steps)

    @property
    def next(self) -> Step:
        """The first step that is not done; the last one when all are."""
        return next((step for step in self.steps if not step.done), self.steps[-1])

    @property
    def plan(self) -> Plan:
        """The plan of the next step."""
        return self.next.plan

    @property
    def table(self) -> pd.DataFrame:
        """STEPS: where each step is."""
        return frame(STEPS, [self._row(number, step) for number, step in enumerate(self.steps, 1)])

    def _row(self, number: int, step: Step) -> dict[str, object]:
        state = "done" if step.done else "blocked" if step.blocked else "next"
        later = self.steps.index(self.next) < number - 1
        return {
            "step": number,
            "name": step.name,
            "state": "later" if later else state,
            "requests": None if later else len(step.plan.requests),
            "problem": "" if later else step.blocked,
        }

    def service(self, *services: Service) -> Service:
        """Choose the service that the next plan is for. Raises UnsafePlan when the next step is blocked, or none of them fits."""
        if self.next.blocked and not self.plan:
            raise UnsafePlan(f"{self.next.name}: {self.next.blocked}", remedy="Mend that, and run the runbook again. Nothing was sent.")
        found = [service for service in services if service.realm == self.plan.subject.realm]
        if not found:
            raise UnsafePlan(f"The plan is for {self.plan.subject.realm}, and nothing here can reach that.")
        return found[0]
