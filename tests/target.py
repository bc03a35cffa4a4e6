"""What runs are made on in tests of kernels: a root with our runbooks, and a sandbox of its own beside it."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from awsfed_lib.core.tables import rows
from awsfed_lib.doors import runner
from awsfed_lib.edges.records import parameter_file, runbooks, where
from awsfed_lib.sandbox.serve import Sandbox, Size

CLONE = Path(__file__).parents[1]


class Target:
    """A root, the sandbox that its parameter file names, and runs of both by the real runner."""

    def __init__(self, root, sandbox):
        self.root, self.sandbox = root, sandbox
        self.file = root / "parameters/sandbox.yml"

    def run(self, number, **given):
        """Execute a runbook in a kernel; what it logs goes to log.txt of the root."""
        with (self.root / "log.txt").open("a") as log:
            return runner.execute(runner.Task(runbooks.find(number), parameter_file.load(self.file), given), out=log)

    def table(self, result, name):
        """The rows of a table as that run kept it."""
        return rows(result.record.table(name))


@contextmanager
def served(root, size=Size(), *, books="*"):
    """Lay our runbooks `books` and parameter files out in `root`, make it the root, and serve a sandbox there."""
    shutil.copytree(CLONE / "parameters", root / "parameters")
    (root / "notebooks").mkdir()
    for path in (CLONE / "notebooks").glob(f"{books}.ipynb"):
        shutil.copy(path, root / "notebooks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(where.ROOT_VARIABLE, str(root))
        with Sandbox(root / ".sandbox", size) as sandbox:
            yield sandbox
