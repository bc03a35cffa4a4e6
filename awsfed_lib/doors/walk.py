"""A walk through runbooks with one parameter file: each is run, and sent by the id of its plan, until it plans nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from awsfed_lib.core.errors import OutcomeError
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.doors import runner
from awsfed_lib.doors.runner import Result
from awsfed_lib.edges.records import parameter_file, runbooks

WAITS = "planned"
MOST_PLANS = 5  # of one runbook; more in a row means that they do not come to an end
Say = Callable[[str], None]


@dataclass
class Walk:
    """`file`: the parameter file, read anew by each run. `say` takes a line a run; `results` gathers them all."""

    file: Path
    say: Say
    results: list[Result] = field(default_factory=list)

    def run(self, number: str, approved: str = "") -> Result:
        """Run one runbook. Raises OutcomeError unless it was done, waits for approval, or only found something."""
        began = time.monotonic()
        book = runbooks.find(number)
        given = {"approved": approved} if approved else {}
        result = runner.execute(runner.Task(book, parameter_file.load(self.file), given), out=StringIO())
        if result.code not in (CODES["done"], CODES[WAITS], CODES["findings"]):
            raise OutcomeError(f"{book.id}: {result.problem}", where=str(result.record.folder))
        detail = f", waits for {result.plans[0]}" if result.plans else f" ({approved})" if approved else ""
        self.say(f"{book.id:<15}{result.verdict}{detail}, {time.monotonic() - began:.1f} s")
        self.results.append(result)
        return result

    def send(self, number: str) -> Result:
        """Run one runbook, and send what it plans by the id that its record shows; give the last run."""
        result = self.run(number)
        return self.run(number, result.plans[0]) if result.verdict == WAITS else result

    def carry_out(self, number: str) -> Result:
        """Run one runbook and send its plans until it plans nothing; give the last run."""
        for _ in range(MOST_PLANS):
            result = self.send(number)
            if result.verdict != "applied":
                return result
        raise OutcomeError(f"{number} still plans something after {MOST_PLANS} plans.", where=str(result.record.folder))

    def last(self, number: str) -> Result:
        """Give the last run of a runbook."""
        return next(result for result in reversed(self.results) if result.record.folder.name.split("-")[1] == number)

    @property
    def sent(self) -> int:
        """How many plans were sent."""
        return sum(result.verdict == "applied" for result in self.results)
