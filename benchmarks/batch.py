"""The scheduled run of all audits: eight targets, by `awsfed batch` and by papermill one after another.

    python benchmarks/batch.py [TARGETS] [SECONDS AN ANSWER]

Both run 09-audit against the sandbox on this machine, on the same parameter files, and both make a record of each run. papermill's
side is its own command as people use it: a process a notebook, TCP kernel, graceful shutdown.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from awsfed_lib.sandbox.faults.injector import Injector
from awsfed_lib.sandbox.serve import Sandbox, Size

ROOT = Path(__file__).parents[1]
RUNBOOK = "09-audit"


def lay_out(folder: Path, targets: int) -> list[str]:
    """Make a root with one parameter file a target: the same application, another part of the accounts."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name)
    given = yaml.safe_load((folder / "parameters" / "sandbox.yml").read_text())
    declared = "".join(line for cell in _cells(folder) for line in cell)
    names = []
    for number in range(targets):
        names.append(f"t{number}.yml")
        own = {name: value for name, value in given.items() if f"{name}:" in declared} | {"exclude_accounts": [f"*{number}"]}
        (folder / "parameters" / names[-1]).write_text(yaml.safe_dump(own))
    return names


def _cells(folder: Path) -> list[list[str]]:
    import json

    cells = json.loads((folder / "notebooks" / f"{RUNBOOK}.ipynb").read_text())["cells"]
    return [cell["source"] for cell in cells if cell["metadata"].get("tags") == ["parameters"]]


def by_batch(folder: Path, names: list[str]) -> float:
    """Run all targets by `awsfed batch`, and return the seconds that it takes."""
    files = [part for name in names for part in ("-f", name)]
    return _timed([sys.executable, "-m", "awsfed_lib", "batch", RUNBOOK, *files, "--workers", "8"], folder, {0, 4})


def by_papermill(folder: Path, names: list[str]) -> float:
    """Run all targets by papermill, one after another, and return the seconds that it takes."""
    notebook = str(folder / "notebooks" / f"{RUNBOOK}.ipynb")
    command = [sys.executable, "-m", "papermill", notebook, "--no-progress-bar"]
    return sum(_timed([*command, f"out-{name}.ipynb", "-f", f"parameters/{name}"], folder, {0}) for name in names)


def _timed(command: list[str], folder: Path, codes: set[int]) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "AWSFED_ROOT": str(folder)})
    if done.returncode not in codes:
        raise SystemExit(f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - began


def slowly(seconds: float) -> None:
    """Let every answer of the sandbox take `seconds`, as services do that are not on this machine."""
    at_once = Injector.__call__

    def later(self: Injector, *given: Any) -> Any:
        time.sleep(seconds)
        return at_once(self, *given)

    Injector.__call__ = later  # type: ignore[method-assign]  # in this process only


def main() -> None:
    """Measure both, batch first and last, so that neither has the warmer machine."""
    targets, latency = int((sys.argv[1:] or ["8"])[0]), float((sys.argv[2:] or ["0.1"])[0])
    slowly(latency)
    with tempfile.TemporaryDirectory(prefix="awsfed-bench-") as name:
        folder = Path(name)
        names = lay_out(folder, targets)
        with Sandbox(folder / ".sandbox", Size()):
            first = by_batch(folder, names)
            theirs = by_papermill(folder, names)
            second = by_batch(folder, names)
    print(f"{targets} targets of {RUNBOOK}, {latency * 1000:.0f} ms an answer: awsfed batch {first:.1f} s and {second:.1f} s")
    print(f"papermill one after another {theirs:.1f} s: {theirs / (first + second) * 2:.1f} x")


if __name__ == "__main__":
    main()
