"""Kill a process at a chosen request or moment, and find its kernel: what the tests of killed runs need of the system."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from awsfed_lib.sandbox.faults.broken import Broken

SIGNALS = {"kill": signal.SIGKILL, "int": signal.SIGINT, "term": signal.SIGTERM}
GONE = 20.0  # seconds in which an orphaned kernel must notice that its parent is gone


@dataclass(frozen=True)
class Moment:
    """When: at the `nth` request that `match` finds, before it is carried out or after; or `seconds` after the first request."""

    match: str = ""
    nth: int = 1
    applied: bool = False
    seconds: float = 0.0

    def __str__(self):
        if self.seconds:
            return f"{self.seconds:.2f} s after the first request"
        return f"{'after' if self.applied else 'before'} request {self.nth} of {self.match or 'all'}"


class Victim:
    """A running command and its kernel. `who`: the process itself, or its kernel, that the signal goes to."""

    def __init__(self, command, folder, environment):
        self.log = (folder / "killed.log").open("ab")
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self.log, stderr=self.log, start_new_session=True)
        self.kernel = 0

    def strike(self, who, name):
        """Send the signal; the kernel's id is noted in any case, so that its end can be awaited."""
        self.kernel = self.kernel or _kernel(self.process.pid)
        target = self.kernel if who == "kernel" else self.process.pid
        with suppress(ProcessLookupError):
            if target:
                os.kill(target, SIGNALS[name])

    def ends(self):
        """Wait for the end of both; returns the exit code of the command."""
        code = self.process.wait(120)
        end = time.monotonic() + GONE
        while self.kernel and _alive(self.kernel) and time.monotonic() < end:
            time.sleep(0.02)
        outlived = bool(self.kernel) and _alive(self.kernel)
        if outlived:
            os.kill(self.kernel, signal.SIGKILL)
        self.log.close()
        assert not outlived, "the kernel outlived its parent"
        return code


def _kernel(pid):
    """The process id of the kernel that `pid` started; 0 for none."""
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        for child in (thread / "children").read_text().split():
            with suppress(OSError):
                if b"ipykernel_launcher" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
    return 0


def _alive(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    return False


def awsfed(*arguments):
    """The command line of `awsfed`, of the very package under test."""
    return [sys.executable, "-m", "awsfed_lib", *arguments]


def arm(faults, moment, strike, *, client_dies):
    """Let `strike` happen at that moment. A request of a client that dies is not answered any more."""

    def mode(passage):
        reply = passage.forward() if moment.applied else None
        strike()
        if client_dies:
            raise Broken("rst")
        return reply or passage.forward()

    def later(passage):
        threading.Timer(moment.seconds, strike).start()
        return passage.forward()

    faults.modes["strike"] = later if moment.seconds else mode
    faults.plan({"mode": "strike", "match": moment.match, "nth": moment.nth})
