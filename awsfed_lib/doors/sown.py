"""A kernel forked of its runner before the runner has a thread, so that it need not import again what runbooks import.

A fork copies a process as it is: that is safe only while it has one thread, and pays only where the imports are done, which
is so in a process of a batch that has just begun (see `processes`). The kernel is a process like a started one: a session of its own, the
environment, the folder and the arguments of its run and nothing else, no file of its runner's open, and no random state that another has.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

THREADS = Path("/proc/self/task")
OPEN = Path("/proc/self/fd")
OUTPUTS = (1, 2)


class Sown:
    """A kernel that waits for its orders, and is then what jupyter_client takes for a process: like subprocess.Popen."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, orders: int) -> None:
        self.pid, self._orders = pid, orders
        self.returncode: int | None = None

    def grow(self, arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> None:
        """Let it become a kernel. It ends when this process does, as a started one (ipykernel's parent_handle)."""
        told = [*arguments, f"--IPKernelApp.parent_handle={os.getpid()}"]
        with os.fdopen(self._orders, "w") as orders:
            json.dump([told, folder, dict(environment)], orders)
        self._orders = -1

    def leave(self) -> None:
        """End it, if it was never asked for."""
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1
            self.wait()

    def poll(self) -> int | None:
        """Return how it ended, None while it lives."""
        return self._ended(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for its end."""
        return self._ended(0)

    def _ended(self, how: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, how)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to its session, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


@contextmanager
def sown() -> Iterator[Sown | None]:
    """Fork a kernel that waits; None where this process has a thread beside this one, or the system cannot tell."""
    if not THREADS.exists() or len(list(THREADS.iterdir())) > 1:
        yield None
        return
    kernel = _forked()
    try:
        yield kernel
    finally:
        kernel.leave()


def _forked() -> Sown:
    orders, ours = os.pipe()
    pid = os.fork()
    if pid:
        os.close(orders)
        return Sown(pid, ours)
    os.close(ours)
    try:
        _be_kernel(orders)
    except BaseException:  # noqa: BLE001  never back into the runner
        traceback.print_exc()
    os._exit(1)


def _be_kernel(orders: int) -> None:
    """Wait for the orders, then become the kernel that they ask for; without any, end."""
    os.setsid()
    with os.fdopen(orders) as told:
        _let_go(orders)
        text = told.read()
    if not text:
        return
    arguments, folder, environment = json.loads(text)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    _draw_anew()
    sys.argv = list(arguments)
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def _let_go(kept: int) -> None:
    """Let all that the runner has open lead nowhere, input included: who waits for the runner's end must not wait for the kernel's too.

    Nothing is closed, since what knows a descriptor by its number would then use whatever gets that number next.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in [int(path.name) for path in OPEN.iterdir()]:
        if descriptor not in (*OUTPUTS, kept, nowhere):
            os.dup2(nowhere, descriptor, inheritable=descriptor == 0)


def _draw_anew() -> None:
    import numpy as np

    random.seed()
    np.random.seed()  # noqa: NPY002  the state that whoever does not make a generator draws from
