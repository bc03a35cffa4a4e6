"""Run the nightly DAG of schedules/ in a real Airflow, against the sandbox; `make airflow` gives it an environment of its own.

Airflow parses the file, papermill executes 09-audit, and the verdict of its record decides: first of a world without findings at or
above `fail_on`, which must succeed, then of one with such findings, which must fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DAGS = ROOT / "schedules"


def prepare(folder: Path) -> None:
    """Lay out a root with notebooks and parameters, and an Airflow with a database of its own."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name)
    os.environ |= {
        "AWSFED_ROOT": str(folder),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
    subprocess.run([str(Path(sys.executable).with_name("airflow")), "db", "migrate"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603  the airflow beside this Python


def parsed() -> Any:
    """Let Airflow parse the folder; return the DAG of it, or end with what Airflow says of the file."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS)
    if bag.import_errors:
        raise SystemExit(f"Airflow cannot parse it: {bag.import_errors}")
    return bag.dags["awsfed_audit"]


def state(dag: Any, folder: Path, fail_on: str) -> str:
    """Run the DAG as a whole on the sandbox; return how Airflow calls its end."""
    from awsfed_lib.edges.records import runbooks

    given = yaml.safe_load((folder / "parameters" / "sandbox.yml").read_text()) | {"fail_on": fail_on}
    audit = dag.get_task("audit")
    audit.retries, audit.parameters = 0, {name: given[name] for name in runbooks.find("09-audit").names if name in given}
    return str(dag.test().state)


def main() -> None:
    """Run the DAG for both ends; the exit code is 1 unless Airflow came to both."""
    with tempfile.TemporaryDirectory(prefix="awsfed-airflow-") as name:
        folder = Path(name)
        prepare(folder)
        from awsfed_lib.sandbox.serve import Sandbox

        dag = parsed()
        with Sandbox(folder / ".sandbox"):
            ended = {fail_on: state(dag, folder, fail_on) for fail_on in ("never", "low")}
    print(f"with no finding that counts: {ended['never']}; with findings: {ended['low']}")
    sys.exit(ended != {"never": "success", "low": "failed"})


if __name__ == "__main__":
    main()
