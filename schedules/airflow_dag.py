"""The nightly audit as a DAG of Airflow 3: papermill executes the runbook, and its verdict decides.

Needs apache-airflow-providers-papermill beside awsfed in the environment of the workers. The notebook checks its parameters, signs in
from the worker's environment and writes a record of its own to AWSFED_ROOT/runs; a copy with outputs is kept by Airflow. papermill
knows no verdicts, so the second task reads the record: findings, drift and a plan that waits fail it.
"""  # noqa: INP001  Airflow reads a folder of files

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException

RUNBOOK = "09-audit"
ROOT = Path(os.environ.get("AWSFED_ROOT", "/srv/awsfed"))
COPIES = ROOT / "runs" / ".airflow"
GOOD = ("done", "nothing to do", "applied")
PARAMETERS = {
    "tenant_id": "00000000-0000-0000-0000-000000000001",
    "client_id": "00000000-0000-0000-0000-000000000002",
    "sign_in": "certificate",
    "application_id": "00000000-0000-0000-0000-000000000003",
    "via": "awsfed-audit",
    "provider": "WAAD",
    "fail_on": "high",
}


@task(task_id="verdict", retries=0)
def verdict(begun: str) -> str:
    """Return the verdict of the newest record of the runbook since `begun`; fail unless it is a good one."""
    found = [path for path in sorted(ROOT.glob(f"runs/*-{RUNBOOK}-*/run.json")) if path.parent.name >= begun]
    if not found:
        raise AirflowFailException(f"{RUNBOOK} left no record since {begun}.")
    run = json.loads(found[-1].read_bytes())
    if run["verdict"] not in GOOD:
        raise AirflowFailException(f"{run['verdict']}: {run['problem']} ({found[-1].parent.name})")
    return str(run["verdict"])


with DAG(
    dag_id="awsfed_audit",
    schedule="15 3 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["awsfed"],
) as dag:
    audit = PapermillOperator(
        task_id="audit",
        input_nb=str(ROOT / "notebooks" / f"{RUNBOOK}.ipynb"),
        output_nb=str(COPIES / f"{RUNBOOK}-{{{{ ts_nodash }}}}.ipynb"),
        parameters=PARAMETERS,
        kernel_name="python3",
        pre_execute=lambda _: COPIES.mkdir(parents=True, exist_ok=True),  # papermill makes no folder
        retries=1,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(minutes=75),
    )
    audit >> verdict("{{ dag_run.start_date.strftime('%Y%m%dT%H%M%SZ') }}")
