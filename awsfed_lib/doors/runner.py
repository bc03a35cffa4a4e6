"""`awsfed run`: executes one runbook with papermill, and gives a verdict that can be trusted.

Parameters are checked before a kernel starts, and only those that the notebook declares are passed. The verdict is the
notebook's own, read from the seal of its journal, and it counts only if every cell ran: an executed notebook alone is no
proof (after a dead kernel papermill 2.7 calls all cells completed).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from awsfed_lib.core.errors import AwsfedError, ParameterError
from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.core.settings.secrecy import redacted
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.doors.judging import judge
from awsfed_lib.doors.keeper import NOTEBOOK, RecordKeeper
from awsfed_lib.doors.lean import own_loop, quick_imports, quiet
from awsfed_lib.doors.sown import Sown
from awsfed_lib.edges.records import leaks, mirror, opening, sealing, signing, store, where
from awsfed_lib.edges.records.opening import FOLDER_VARIABLE, RUNNER, Clock
from awsfed_lib.edges.records.parameter_file import ParameterFile
from awsfed_lib.edges.records.progress import HEADLESS, TERMINAL
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.runbooks import Runbook
from awsfed_lib.edges.records.signing import Signer

HOURS = 3600.0
DEADLINE = 2 * HOURS
START_SECONDS = 60
OUTPUT_SECONDS = 60
PAGE = "record.html"
WAITING = ("planned", "not read")  # a plan over what was read can be approved: it leaves alone what was not


@dataclass(frozen=True)
class Task:
    """What to execute. `given`: values by name, from `giver`; they win over those of `file`.

    `deadline`: seconds for the whole run, start of the kernel included. `kernel`: one that waits already; otherwise one is started.
    """

    runbook: Runbook
    file: ParameterFile | None = None
    given: Mapping[str, object] = field(default_factory=dict)
    deadline: float = DEADLINE
    kernel: Sown | None = None
    giver: str = "the command line"


@dataclass(frozen=True)
class Result:
    """How a run ended: its record, its verdict (see `verdict.MEANING`), and the problem in words, "" for none.

    `plans`: the ids that wait for approval. `unkept`: why the record is not in the store, "" when it is, or when there is none.
    """

    record: Record
    verdict: str
    problem: str
    plans: tuple[str, ...] = ()
    unkept: str = ""

    @property
    def code(self) -> int:
        """The exit code."""
        return CODES[self.verdict]


def values(task: Task) -> tuple[Parameters, dict[str, Any]]:
    """Check the parameters of a task. Returns them whole, and as JSON values those that are to be passed to the notebook.

    Raises ParameterError that lists everything wrong, a given value that the runbook does not declare included.
    """
    book, file = task.runbook, task.file
    stray = [name for name in task.given if name not in book.names]
    if stray:
        raise ParameterError(f"{book.id} has no parameter {stray[0]}.{parameters.suggestion(stray[0], book.names)}", where=task.giver)
    said = {**(file.values if file else {}), **task.given}
    checked = opening.check(book, {**book.defaults, **said}, source=_source(task))
    plain = parameters.plain(checked)
    return checked, {name: plain[name] for name in book.names if name in said}


def _source(task: Task) -> parameters.Source:
    """Say where the values come from; what is given beside the file is on no line of the file."""
    if task.file is None:
        return parameters.Source(task.giver)
    source = task.file.source
    lines = {name: line for name, line in source.lines.items() if name not in task.given}
    return source._replace(name=f"{source.name} and {task.giver}" if task.given else source.name, lines=lines)


def execute(task: Task, *, out: TextIO | None = None, clock: Clock = opening.now) -> Result:
    """Execute a runbook and seal its record, whatever happens. `out` gets the progress (standard error by default).

    Raises ParameterError before anything is started; KeyboardInterrupt becomes the verdict `interrupted`.
    """
    checked, passed = values(task)
    signer = signing.signer()
    file = {"name": task.file.name, "sha256": task.file.sha256} if task.file else None
    record = opening.start(task.runbook, checked, clock=clock, executed_by=RUNNER, parameter_file=file)
    keeper = RecordKeeper(record, out or sys.stderr, task.runbook.id)
    keeper.line(f"record {record.folder.name}")
    failure = _executed(task, passed, keeper, checked)
    return _sealed(keeper, failure, clock, signer)


def _executed(task: Task, passed: Mapping[str, Any], keeper: RecordKeeper, checked: Parameters) -> BaseException | None:
    """Execute the notebook in a kernel of its own; returns what went wrong instead of raising it."""
    with quick_imports():
        import nbformat
        from papermill.execute import execute_notebook

        from awsfed_lib.doors import engine, kernel
    engine.register()
    end = time.monotonic() + task.deadline
    variables = {
        **kernel.environment(os.environ, checked.cloud, checked.kernel_variables),
        **kernel.own_package(os.environ),
        **_own_variables(keeper.record),
    }
    try:
        with quiet(), own_loop(), kernel.private(variables, task.kernel) as manager:
            execute_notebook(
                nbformat.read(task.runbook.path, as_version=4),  # type: ignore[no-untyped-call]  # as in keeper
                None,
                parameters=passed,
                engine_name=engine.NAME,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                start_timeout=START_SECONDS,
                keeper=keeper,
                label=task.runbook.path.name,
                kernel_manager_class=manager,
                timeout_func=lambda _: max(0.05, end - time.monotonic()),
                iopub_timeout=OUTPUT_SECONDS,
                shutdown_kernel="immediate",
                coalesce_streams=True,
                store_widget_state=False,
                force_raise_errors=True,
                resources={"metadata": {"path": str(task.runbook.path.parent)}},
            )
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  whatever it was, the record must say so and be sealed
        return error
    return None


def _own_variables(record: Record) -> dict[str, str]:
    """Return what the kernel is told beside the allowed variables: the same root as here, its record, and that nobody can type.

    Somebody who started it on a terminal sees what it says, and can sign in by a device code or in a browser.
    """
    watched = {TERMINAL: "1"} if sys.stdin and sys.stdin.isatty() else {}
    return {where.ROOT_VARIABLE: str(where.root()), FOLDER_VARIABLE: str(record.folder), HEADLESS: "1", **watched}


def _sealed(keeper: RecordKeeper, failure: BaseException | None, clock: Clock, signer: Signer | None) -> Result:
    record = keeper.record
    said = judge(record, keeper.notebook, failure)
    keeper.finish()
    word, problem = leaks.judged(record, keeper.secrets, (said[0], keeper.clean(said[1])))
    run = record.update(verdict=word, problem=problem, exit_code=CODES[word], finished=clock().isoformat(timespec="seconds"))
    if (record.folder / NOTEBOOK).exists():
        _shown(keeper, run["title"])
        word, problem = leaks.judged(record, keeper.secrets, (word, problem), only=(PAGE,))
        run = record.update(verdict=word, problem=problem, exit_code=CODES[word])
    sealing.seal(record, clock=clock, signer=signer)
    unkept = _mirrored(keeper, clock, signer)
    plans = tuple(plan["plan"] for plan in run.get("counts", {}).get("plans", ()) if plan["verdict"] == "planned" and word in WAITING)
    return Result(record, word, problem, plans, unkept)


def _mirrored(keeper: RecordKeeper, clock: Clock, signer: Signer | None) -> str:
    """Put the record into the store where there is one. It is whole without: a store that fails is told, and pushed to later."""
    unkept = ""
    try:
        there = store.named()
        if there is not None:
            mirror.push(keeper.record, there, clock=clock, signer=signer)
            keeper.line(f"record kept in {there.address}")
    except Exception as error:  # noqa: BLE001  the run is over and its record sealed, whatever a library of a store raises
        said = str(error) if isinstance(error, AwsfedError) else f"{type(error).__name__}: {error}"
        unkept = f"record not kept in the store: {redacted(said)}"
        keeper.line(unkept)
    return unkept


def _shown(keeper: RecordKeeper, title: str) -> None:
    """Write the page for people. A page that fails must not undo the verdict of a run, so it is only told."""
    folder = keeper.record.folder
    try:
        with quick_imports():
            from awsfed_lib.edges.records.export import write_html
        write_html(folder / NOTEBOOK, folder / PAGE, title=title)
    except Exception as error:  # noqa: BLE001  see above
        keeper.line(f"{PAGE} could not be written: {type(error).__name__}: {redacted(str(error))}")
