"""An Executor that carries out each task in a process of its own: one that dies takes no other with it.

On Linux each is forked of one process that has imported what runs need and does nothing else (multiprocessing's forkserver); it has one
thread, and its environment holds no credentials. Elsewhere a process that has loaded libraries may not be forked safely
(docs.python.org/3/library/os.html#os.fork), and each is started anew.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from awsfed_lib.doors.stoppable import stoppable

Found = TypeVar("Found")
LONGEST_SOCKET = 90  # a socket's path has 104 bytes on macOS, 108 on Linux (unix(7))
PRELOADED = "awsfed_lib.doors.preloaded"
BEFORE_IMPORTS = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # as ipykernel sets it for a kernel, before matplotlib is there
    "OPENBLAS_NUM_THREADS": "1",  # a process with threads cannot be forked safely
}


class Processes(ThreadPoolExecutor):
    """Carries out tasks, `workers` at a time, each with the environment that this process has when it begins.

    `environment`: what all processes are forked with, which must hold no credentials.
    """

    def __init__(self, workers: int, environment: Mapping[str, str]) -> None:
        super().__init__(workers, thread_name_prefix="awsfed-batch")
        self._running: set[BaseProcess] = set()
        self._interrupted, self._starting = threading.Event(), threading.Lock()
        self._context: Any = _context(environment)

    def submit(self, work: Callable[..., Found], /, *given: Any, **named: Any) -> Future[Found]:
        """Carry out `work(*given, **named)`; all of it must be picklable. BrokenExecutor is raised when its process dies."""
        return super().submit(self._carried_out, work, given, named)

    def interrupt(self) -> None:
        """Tell what runs to end; what has not begun is not begun any more."""
        self._interrupted.set()
        for process in list(self._running):
            process.terminate()

    def _carried_out(self, *task: Any) -> Any:
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_carry_out, args=(there, dict(os.environ), *task))
        with here:
            with there, self._starting:
                process.start()
            try:
                return self._result(process, here)
            finally:
                self._running.discard(process)
                process.join()

    def _result(self, process: BaseProcess, here: Connection) -> Any:
        try:
            here.recv()  # it has begun, and can be interrupted
        except EOFError:
            raise CancelledError if self._interrupted.is_set() else BrokenExecutor("The process died.") from None
        self._running.add(process)
        if self._interrupted.is_set():
            process.terminate()
        try:
            result, error = here.recv()
        except EOFError:
            raise BrokenExecutor("The process died.") from None
        if error is not None:
            raise error
        return result


def _carry_out(there: Connection, environment: dict[str, str], work: Callable[..., Any], given: Any, named: Any) -> None:
    """Carry out a task in this new process, and tell its result, or what it raised."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(environment)
    environment.clear()  # a kernel that is forked of this process must not find it in its memory
    with stoppable(lambda _: None):
        told: tuple[Any, BaseException | None]
        try:
            there.send(None)
            told = work(*given, **named), None
        except KeyboardInterrupt:
            told = None, CancelledError()
        except BaseException as error:  # noqa: BLE001  it is raised again where the result is waited for
            told = None, error
        there.send(told)


def _context(environment: Mapping[str, str]) -> multiprocessing.context.BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    usual = tempfile.tempdir
    tempfile.tempdir = folder_for_sockets()
    try:
        with _only({**environment, **BEFORE_IMPORTS}):
            forkserver.ensure_running()
    finally:
        tempfile.tempdir = usual
    return context


def folder_for_sockets() -> str:
    """Return the folder for temporary files, or /tmp where its path leaves no room for the name of a socket."""
    usual = tempfile.gettempdir()
    return "/tmp" if len(usual) > LONGEST_SOCKET - 30 and Path("/tmp").is_dir() else usual  # noqa: S108  mkdtemp makes it private


@contextmanager
def _only(environment: Mapping[str, str]) -> Iterator[None]:
    """Let what is started have this environment alone. Nothing else may run in this process meanwhile."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
