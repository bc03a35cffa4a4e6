"""`awsfed lab`: JupyterLab on this machine only, with its start page open, and the sandbox beside it when asked for.

It is this Python's JupyterLab, with the person's own settings and JupyterLab's own token. What it must not do stands in a
folder of configuration, which another server can be given as well (JUPYTER_CONFIG_PATH): no news, no look for updates, no
extensions from a registry (jupyterlab.readthedocs.io privacy_policies and extensions), no readable traffic between server and
kernel, and scheduled jobs pass the same gate as `awsfed run`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.doors.lean import quick_imports
from awsfed_lib.edges.lab.filled import VARIABLE, named_file
from awsfed_lib.edges.records import where

CONFIG = Path(__file__).parents[1] / "templates" / "lab"
CONFIG_PATH = "JUPYTER_CONFIG_PATH"  # its folders go before the person's own (jupyter-core.readthedocs.io paths)
SANDBOX_FILE = "sandbox.yml"
PATIENCE = 10.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Desk:
    """How to open JupyterLab. `file`: the parameter file that notebooks take what they lack from, "" for none.

    `port`: 0 takes JupyterLab's own, or the next free one. `more`: further arguments for JupyterLab.
    """

    file: str = ""
    port: int = 0
    more: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """The command line of JupyterLab."""
        from awsfed_lib.edges.lab import start

        page = f"{where.runs().name}/{start.FILE}"
        options = [f"--ServerApp.root_dir={where.root()}", f"--LabApp.default_url=/lab/tree/{page}"]
        port = [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"] if self.port else []
        root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        return [sys.executable, "-m", "jupyterlab", "--log-level=WARN", "-y", *options, *port, *root, *self.more]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of JupyterLab and of its kernels. Raises ParameterError when the parameter file cannot be read."""
        own = {where.ROOT_VARIABLE: str(where.root()), **({VARIABLE: self.file} if self.file else {})}
        named_file(own)
        config = os.pathsep.join(filter(None, (str(CONFIG), os.environ.get(CONFIG_PATH, ""))))
        return {**os.environ, **own, CONFIG_PATH: config}


@contextmanager
def opened(desk: Desk) -> Iterator[subprocess.Popen[bytes]]:
    """Write the start page and run JupyterLab; it is ended afterwards, and its kernels with it."""
    from awsfed_lib.edges.lab import start

    environment = desk.environment
    _refuse_without_folder()
    with quick_imports():
        start.write(desk.file)
    with subprocess.Popen(desk.command, env=environment, cwd=where.root()) as server:  # noqa: S603  this Python, and options of ours
        try:
            yield server
        finally:
            _end(server)


def _refuse_without_folder() -> None:
    """Raise ParameterError where JupyterLab cannot keep the address and token of its server."""
    from jupyter_core.paths import jupyter_runtime_dir

    folder = Path(jupyter_runtime_dir())
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        words = f"JupyterLab needs a folder that it can write to, and this one cannot be made: {error.strerror}."
        remedy = "Set HOME, or JUPYTER_DATA_DIR, JUPYTER_CONFIG_DIR and JUPYTER_RUNTIME_DIR, to folders of your own."
        raise ParameterError(words, code="home-not-writable", where=str(folder), remedy=remedy) from None


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask JupyterLab to end, which ends its kernels; then insist."""
    server.terminate()
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


def lab(desk: Desk, say: Say) -> int:
    """Open JupyterLab until it ends or is interrupted; returns its exit code."""
    with opened(desk) as server:
        say(f"JupyterLab opens {where.root()} in your browser; its address stands below. Stop with Ctrl-C.")
        return server.wait()
