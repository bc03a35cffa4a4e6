"""Jobs that are made in JupyterLab with jupyter-scheduler: a runbook among them is executed as `awsfed run` does it.

jupyter-scheduler pastes the text of a parameter into the notebook as code, executes it without a deadline, and calls a
failed notebook a completed job (github.com/jupyter-server/jupyter-scheduler issue 565). Here the parameters pass the gate
first, the kernel is a private one, the record is sealed, and the job is as good as the verdict. Any other notebook is
executed as jupyter-scheduler does it.
"""

from __future__ import annotations

import ast
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from jupyter_scheduler.executors import DefaultExecutionManager
from jupyter_scheduler.orm import Job

from awsfed_lib.core.errors import OutcomeError
from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.verdict import CODES, MEANING
from awsfed_lib.doors import runner
from awsfed_lib.doors.alerts import tell
from awsfed_lib.doors.keeper import NOTEBOOK
from awsfed_lib.doors.runner import PAGE, Result, Task
from awsfed_lib.edges.lab.filled import VARIABLE, named_file
from awsfed_lib.edges.records import runbooks, where
from awsfed_lib.edges.records.runbooks import Runbook

FILE = "parameter_file"  # the parameter of a job that names a parameter file; no parameter of a runbook is called so
GIVER = "the job"
GOOD = (CODES["done"], CODES["planned"])
OUTPUTS = {"ipynb": NOTEBOOK, "html": PAGE}


class RunbookExecution(DefaultExecutionManager):  # type: ignore[misc]  # jupyter-scheduler has no types
    """Executes the notebook of a job; one that calls itself a runbook by the runner, with its gate, its record and its verdict."""

    def execute(self) -> None:
        """Execute; what it raises becomes the message of the failed job."""
        os.environ.setdefault(where.ROOT_VARIABLE, str(where.root(start=Path(self.root_dir))))
        book = runbooks.read(Path(self.staging_paths["input"]))
        if book is None:
            super().execute()
            return
        result = runner.execute(task(book, self.model.parameters or {}, os.environ))
        self._hand_over(result)
        tell(result.record.folder)
        self._judge(result)

    def _hand_over(self, result: Result) -> None:
        """Give the job the executed notebook and the page of the record, as they were sealed."""
        for kind, name in OUTPUTS.items():
            path = result.record.folder / name
            if kind in self.staging_paths and path.exists():
                shutil.copyfile(path, self.staging_paths[kind])

    def _judge(self, result: Result) -> None:
        said = f"{result.verdict}: {result.problem or MEANING[result.verdict]}"
        if result.code not in GOOD:
            raise OutcomeError(said, where=f"record {result.record.folder.name}")
        waits = "".join(f" To send it, give the job approved = {plan}." for plan in result.plans)
        with self.db_session() as session:
            words = {"status_message": f"{said.removesuffix('.')}.{waits} Record {result.record.folder.name}."}
            session.query(Job).filter(Job.job_id == self.job_id).update(words)
            session.commit()


def task(book: Runbook, given: Mapping[str, str], environment: Mapping[str, str]) -> Task:
    """Return what a job asks for: its parameters as texts, over those of the file that it or `awsfed lab` names."""
    texts = {name.strip(): _unquoted(text) for name, text in given.items()}
    named = texts.pop(FILE, "") or environment.get(VARIABLE, "")
    values = {name: parameters.from_text(name, text, GIVER) for name, text in texts.items()}
    return Task(book, named_file({VARIABLE: named}), values, giver=GIVER)


def _unquoted(text: str) -> str:
    """Return a text without the quotes of Python, which jupyter-scheduler's own jobs need around it."""
    plain = text.strip()
    if plain[:1] in ("'", '"'):
        try:
            value = ast.literal_eval(plain)
        except (ValueError, SyntaxError):
            return plain
        return value if isinstance(value, str) else plain
    return plain
