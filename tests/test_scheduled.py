"""Jobs of jupyter-scheduler: made by its own REST API's scheduler with its SQLite, executed by our runner with its gate and its record."""

import json
import time
from pathlib import Path

import pytest
import small_root

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.lab.filled import VARIABLE
from awsfed_lib.edges.records import runbooks, where

pytest.importorskip("jupyter_scheduler")
from awsfed_lib.doors import runner, scheduled

ROOT = Path(__file__).parents[1]
CONFIG = json.loads((ROOT / "awsfed_lib/templates/lab/jupyter_server_config.json").read_bytes())
ENDED = ("COMPLETED", "FAILED")  # a job begins as STOPPED


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scheduled")
    small_root.make(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(where.ROOT_VARIABLE, str(folder))
        patch.delenv(VARIABLE, raising=False)
        yield folder


@pytest.fixture(scope="module")
def scheduler(root):
    """The scheduler as JupyterLab makes it from the configuration that `awsfed lab` gives."""
    from jupyter_scheduler.environments import CondaEnvironmentManager
    from jupyter_scheduler.orm import create_tables
    from jupyter_scheduler.scheduler import Scheduler
    from traitlets.config import Config

    url = f"sqlite:///{root}/jobs.sqlite"
    create_tables(url)
    more = {"staging_path": str(root / "staging"), "task_runner_class": None}
    return Scheduler(
        root_dir=str(root),
        environments_manager=CondaEnvironmentManager(),
        db_url=url,
        config=Config(CONFIG | {"Scheduler": CONFIG["Scheduler"] | more}),
    )


def job(scheduler, notebook, **given):
    """Make a job as the dialog of JupyterLab does, and wait for its end."""
    from jupyter_scheduler.models import CreateJob

    asked = CreateJob(
        input_uri=notebook,
        name="nightly",
        runtime_environment_name="python3",
        output_formats=["ipynb", "html"],
        parameters=given,
    )
    identity = scheduler.create_job(asked)
    for _ in range(1200):
        made = scheduler.get_job(identity, job_files=False)
        if str(made.status) in ENDED:
            return made, scheduler.get_staging_paths(made)
        time.sleep(0.1)
    return pytest.fail("the job did not end")


@pytest.mark.kernel
def test_a_job_is_executed_by_the_runner_and_has_its_record(root, scheduler):
    made, outputs = job(scheduler, "notebooks/10-done.ipynb", parameter_file="p.yml", workers="'5'")
    (record,) = where.runs().glob("*-10-done-*")
    said = json.loads((record / "run.json").read_bytes())
    assert (said["executed_by"], said["parameter_file"]["name"], said["parameters"]["workers"]) == ("awsfed run", "p.yml", 5)
    assert said["sealed"]
    assert (record / "record.html").read_bytes() == Path(outputs["html"]).read_bytes()
    assert (record / "record.ipynb").read_bytes() == Path(outputs["ipynb"]).read_bytes()
    assert str(made.status) == "COMPLETED", made.status_message
    assert made.status_message.endswith(f" it changes nothing. Record {record.name}.")


@pytest.mark.kernel
def test_a_runbook_that_fails_is_a_failed_job_with_its_record(root, scheduler):
    """jupyter-scheduler issue 565 (github.com/jupyter-server): a failed notebook was shown as completed. Here sys.exit(0) fails too."""
    made, outputs = job(scheduler, "notebooks/11-exit.ipynb", parameter_file="p.yml")
    (record,) = where.runs().glob("*-11-exit-*")
    assert str(made.status) == "FAILED"
    assert made.status_message.startswith("failed: Step ")
    assert record.name in made.status_message
    assert Path(outputs["html"]).exists()


@pytest.mark.kernel
def test_a_bad_parameter_fails_the_job_with_our_words_before_a_kernel(root, scheduler):
    """jupyter-scheduler pastes `worker = none` as code; here the gate knows no such name, and leaves no record."""
    made, outputs = job(scheduler, "notebooks/20-plan.ipynb", parameter_file="p.yml", worker="none")
    assert str(made.status) == "FAILED"
    assert "worker" in made.status_message
    assert "workers" in made.status_message
    assert not list(where.runs().glob("*-20-plan-*"))
    assert not Path(outputs["html"]).exists()


@pytest.mark.kernel
def test_another_notebook_is_executed_as_the_scheduler_does_it(root, scheduler):
    notebook = {
        "cells": [{"cell_type": "code", "id": "one", "source": "print(6 * 7)", "outputs": [], "metadata": {}, "execution_count": None}],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (root / "notebooks/other.ipynb").write_text(json.dumps(notebook))
    made, outputs = job(scheduler, "notebooks/other.ipynb")
    assert str(made.status) == "COMPLETED", made.status_message
    assert "42" in Path(outputs["ipynb"]).read_text()


def test_the_parameters_of_a_job_are_texts_with_or_without_the_quotes_of_python(root):
    book = runbooks.find("16", ROOT / "notebooks")
    given = {"parameter_file": '"p.yml"', "account_id": "'012345678901'", " user ": "it's", "max_removed": "3"}
    task = scheduled.task(book, given, {})
    assert task.file.name == "p.yml"
    assert dict(task.given) == {"account_id": "012345678901", "user": "it's", "max_removed": 3}
    assert scheduled.task(book, {}, {}).file is None
    assert scheduled.task(book, {}, {VARIABLE: "p.yml"}).file.name == "p.yml"
    with pytest.raises(ParameterError, match="no such parameter file"):
        scheduled.task(book, {"parameter_file": "none.yml"}, {})


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"worker": "3"}, "the job"),
        ({"user": "x"}, "the job"),
        ({"workers": "0"}, "the job"),
        ({"parameter_file": "p.yml"}, "p.yml and the job"),
    ],
    ids=["no parameter", "of another runbook", "too few", "beside a file"],
)
def test_what_is_wrong_in_a_job_is_said_to_be_in_the_job(root, given, place):
    book = runbooks.find("03", ROOT / "notebooks")
    with pytest.raises(ParameterError) as refused:
        runner.values(scheduled.task(book, {**given, **({"workers": "0"} if "parameter_file" in given else {})}, {}))
    assert refused.value.where.rpartition("/")[2] == place
