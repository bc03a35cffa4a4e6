"""`awsfed batch`: one runbook on many targets at a time, each in a run of its own with a record of its own.

Targets are carried out by an Executor: processes of this machine, or dask's workers on others. A target that fails, or
takes its process with it, hides no other: it is a row like the rest.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from dataclasses import dataclass, field
from io import StringIO
from typing import NamedTuple

from awsfed_lib.core.errors import AwsfedError, ParameterError
from awsfed_lib.core.settings.secrecy import redacted
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.doors.sown import Sown, sown
from awsfed_lib.doors.stoppable import stoppable

USAGE, FAILED, INTERRUPTED, NOT_READ = 2, 1, 130, CODES["not read"]
LOST, NOT_BEGUN = "unfinished", "It was interrupted before it began."
WORST_FIRST = (FAILED, USAGE, INTERRUPTED, NOT_READ, 4, 5, 3, 0)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What every target is to be run with: the runbook, values that win over each file, and seconds for each run."""

    runbook: str
    given: Mapping[str, object] = field(default_factory=dict)
    deadline: float = 7200.0


class Ended(NamedTuple):
    """How the run of one target ended. `run`: name of its record, "" when nothing was started. `read`: how much was read, "" for all."""

    file: str
    verdict: str
    code: int
    problem: str = ""
    run: str = ""
    came_out: str = ""
    seconds: float = 0.0
    read: str = ""


@dataclass(frozen=True)
class Way:
    """How targets are carried out: by what, the work for one of them, and what tells those that run to seal their record and end."""

    executor: Executor
    work: Callable[[Order, str], Ended]
    interrupt: Callable[[], None]


def alone(order: Order, file: str) -> Ended:
    """Run one target in a process that has nothing else to do, whose kernel is forked of it."""
    with sown() as kernel:
        return one(order, file, kernel)


def one(order: Order, file: str, kernel: Sown | None = None) -> Ended:
    """Run one target, in whichever process this is called; never raises for what goes wrong with it."""
    began = time.monotonic()
    with _stoppable():
        try:
            ended = _run(order, file, kernel)
        except KeyboardInterrupt:
            ended = Ended(file, "interrupted", INTERRUPTED, NOT_BEGUN)
        except AwsfedError as error:
            ended = Ended(file, "failed", USAGE if isinstance(error, ParameterError) else FAILED, redacted(str(error)))
        except Exception as error:  # noqa: BLE001  one target must not end the others
            ended = Ended(file, "failed", FAILED, redacted(f"{type(error).__name__}: {error}"))
    return ended._replace(seconds=round(time.monotonic() - began, 1))


def _stoppable() -> contextlib.AbstractContextManager[None]:
    """Signals reach the main thread of a process only; dask runs its tasks in others, and stops them by itself."""
    if threading.current_thread() is threading.main_thread():
        return stoppable(lambda _: None)
    return contextlib.nullcontext()


def _run(order: Order, file: str, kernel: Sown | None) -> Ended:
    from awsfed_lib.core.view.record_page import came_out, not_whole
    from awsfed_lib.doors import runner
    from awsfed_lib.doors.alerts import tell
    from awsfed_lib.edges.records import parameter_file, runbooks

    parameters = parameter_file.load(parameter_file.found(file))
    task = runner.Task(runbooks.find(order.runbook), parameters, order.given, order.deadline, kernel)
    result = runner.execute(task, out=StringIO())
    tell(result.record.folder)
    said = result.record.run()
    problem = "\n".join(filter(None, (result.problem, result.unkept)))
    name, told = result.record.folder.name, "; ".join(came_out(said))
    return Ended(file, result.verdict, result.code, problem, name, told, read=not_whole(said))


def run_all(way: Way, order: Order, files: Sequence[str], *, say: Say) -> list[Ended]:
    """Run every target, and say how each ended as soon as it did. The result has the order of `files`.

    When this is interrupted, what has not begun is left out, and what runs seals its record and ends.
    """
    waiting = {way.executor.submit(way.work, order, file): file for file in files}
    ended: dict[str, Ended] = {}

    def gather() -> None:
        for future in as_completed(future for future, file in waiting.items() if file not in ended):
            ended[waiting[future]] = _result(future, waiting[future])
            say(line(ended[waiting[future]]))

    try:
        gather()
    except KeyboardInterrupt:
        for future in waiting:
            future.cancel()
        way.interrupt()
        gather()
    return [ended[file] for file in files]


def _result(future: Future[Ended], file: str) -> Ended:
    try:
        return future.result()
    except CancelledError:
        return Ended(file, "interrupted", INTERRUPTED, NOT_BEGUN)
    except BrokenExecutor:
        return Ended(file, LOST, FAILED, "The process that ran it died.")
    except Exception as error:  # noqa: BLE001  dask raises what its workers raise
        return Ended(file, "failed", FAILED, redacted(f"{type(error).__name__}: {error}"))


def on_this_machine(order: Order, files: Sequence[str], *, workers: int, say: Say) -> list[Ended]:
    """Run every target in processes of this machine, `workers` at a time; what a dying process left undone is run once more, alone."""
    ended = _in_processes(order, files, workers, say)
    return [_again(order, each, say) if each.verdict == LOST else each for each in ended]


def _again(order: Order, lost: Ended, say: Say) -> Ended:
    say(f"{lost.file}: once more, in a process of its own")
    return _in_processes(order, [lost.file], 1, say)[0]


def _in_processes(order: Order, files: Sequence[str], workers: int, say: Say) -> list[Ended]:
    from awsfed_lib.doors import kernel
    from awsfed_lib.doors.processes import Processes

    with Processes(workers, kernel.common(os.environ)) as executor:
        return run_all(Way(executor, alone, executor.interrupt), order, files, say=say)


def line(ended: Ended) -> str:
    """Say in one line how a target ended."""
    problem = f"  {ended.problem.splitlines()[0]}" if ended.problem else ""
    read = f"  {ended.read}" if ended.read else ""
    return f"{ended.file}  {ended.verdict}  {ended.seconds:.1f} s  {ended.run}{read}{problem}"


def code(ended: Sequence[Ended]) -> int:
    """Return the worst exit code: failed, then wrong parameters, interrupted, not read, findings, too early, waiting for approval."""
    codes = {each.code for each in ended}
    return next((number for number in WORST_FIRST if number in codes), FAILED if codes else 0)
