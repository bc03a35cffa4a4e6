"""Schedules are tested, not only described: parsed by what reads them, and every command line by the real command."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import click
import pytest
import yaml

from awsfed_lib import __main__
from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.edges.alerts.targets import NAMES, PREFIX
from awsfed_lib.edges.records import leaks, runbooks
from awsfed_lib.edges.records.needles import Needles

ROOT = Path(__file__).parents[1]
SCHEDULES = ROOT / "schedules"
FILES = ("README.md", "airflow_dag.py", "awsfed-audit.service", "awsfed-audit.timer", "crontab", "github-actions.yml")


def workflow():
    return yaml.safe_load((SCHEDULES / "github-actions.yml").read_text())


def unit(name):
    """Read a unit file; a name that stands several times is a list (systemd.syntax)."""
    found = {}
    section = ""
    for line in (SCHEDULES / name).read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.strip() and not line.startswith(("#", ";")):
            key, _, value = line.partition("=")
            found.setdefault(section, {}).setdefault(key, []).append(value)
    return found


def commands():
    """List every command line of awsfed in the folder, with the file that it stands in."""
    for name in FILES:
        for raw in re.findall(
            r"(?<![\w/.-])(?:/srv/awsfed/\.venv/bin/)?awsfed (?:run|runs|batch|alerts|list|init|demo|sandbox)\b[^\n`|;&]*",
            (SCHEDULES / name).read_text(),
        ):
            yield name, re.sub(r"\s*(?:>|2>).*", "", raw).strip()


COMMANDS = sorted(set(commands()))


def test_there_are_no_others():
    assert sorted(path.name for path in SCHEDULES.iterdir() if path.is_file()) == sorted(FILES)
    assert {name for name, _ in COMMANDS} >= {"crontab", "awsfed-audit.service", "github-actions.yml", "README.md"}


@pytest.mark.parametrize(("name", "line"), COMMANDS)
def test_command_is_one_that_the_command_takes(name, line):
    """Each option and argument is parsed by click's own command; nothing is executed. Prose may name a command alone."""
    command, rest = __main__.main, shlex.split(line)[1:]
    while rest and isinstance(command, click.Group):
        _, command, rest = command.resolve_command(click.Context(command), rest)
    context = command.make_context(command.name, list(rest)) if rest else click.Context(command)
    if command.name == "run" and context.params.get("runbook"):
        book = runbooks.find(context.params["runbook"])
        given = {pair.partition("=")[0] for pair in context.params["pairs"]}
        assert given <= set(book.names)
        assert book.changes == "nothing", "a schedule reads; what is sent is approved by a person"


@pytest.mark.parametrize("name", FILES)
def test_no_schedule_holds_a_secret(name):
    assert leaks.find((SCHEDULES / name).read_bytes().replace(b"smtp://user:password@mail.example.org", b""), Needles(())) == []


# --- cron ---


def entries():
    lines = (SCHEDULES / "crontab").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line)]


@pytest.mark.parametrize("line", entries())
def test_line_of_the_crontab(line):
    """crontab(5): five fields, then the command; a percent sign in it would end it."""
    minute, hour, day, month, weekday, command = line.split(None, 5)
    for field, least, most in ((minute, 0, 59), (hour, 0, 23), (day, 1, 31), (month, 1, 12), (weekday, 0, 7)):
        assert field == "*" or least <= int(field) <= most
    assert "%" not in command
    assert command.startswith("cd /srv/awsfed && ")
    said = subprocess.run(["sh", "-n"], input=command, text=True, capture_output=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_line_of_the_crontab_is_silent_after_success_only(tmp_path):
    """cron mails what is written: a run that ends with another code than 0 must not be silent, its progress must be."""
    for code, said in ((0, ""), (2, "progress\n"), (4, "progress\n")):
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "awsfed").write_text(f"#!/bin/sh\necho progress >&2\necho verdict\nexit {code}\n")
        (tmp_path / "awsfed").chmod(0o755)
        line = next(line for line in entries() if "run 09" in line).split(None, 5)[5]
        line = line.replace("/srv/awsfed", str(tmp_path)).replace("set -a && . /etc/awsfed/environment && ", "")
        told = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
        assert told.stdout == said


def test_no_two_runs_begin_together():
    assert len({tuple(line.split()[:2]) for line in entries()}) == len(entries()) >= 3


# --- systemd ---


def test_units_are_taken_by_systemd(tmp_path):
    """systemd-analyze knows every directive; paths and users of this machine are put in the place of those of the unit."""
    if not shutil.which("systemd-analyze"):
        assert unit("awsfed-audit.timer")["Timer"]["OnCalendar"]
        return
    for name in ("awsfed-audit.service", "awsfed-audit.timer"):
        text = (
            (SCHEDULES / name)
            .read_text()
            .replace("/srv/awsfed/.venv/bin/awsfed", sys.executable)
            .replace("User=awsfed", "User=root")
            .replace("Group=awsfed", "Group=root")
        )
        (tmp_path / name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    ours = [line for line in said.stderr.splitlines() if "awsfed" in line]
    assert ours == []
    calendar = subprocess.run(
        ["systemd-analyze", "calendar", unit("awsfed-audit.timer")["Timer"]["OnCalendar"][0]], capture_output=True, text=True, check=False
    )
    assert calendar.returncode == 0, calendar.stderr


def test_unit_goes_by_the_exit_codes():
    """Each code of the command is a success, tried again, or a failure that trying again does not mend."""
    service = unit("awsfed-audit.service")["Service"]
    good, lasting = (set(map(int, service[key][0].split())) for key in ("SuccessExitStatus", "RestartPreventExitStatus"))
    assert {CODES["planned"], CODES["too early"]} == good
    assert {2, CODES["findings"]} == lasting
    again = set(CODES.values()) - {0} - good - lasting
    assert again == {CODES["failed"], CODES["interrupted"], CODES["not read"]}
    assert service["Restart"] == ["on-failure"]


def test_unit_ends_after_the_deadline_of_the_run_and_keeps_its_secrets():
    service = unit("awsfed-audit.service")["Service"]
    deadline = int(re.search(r"--deadline (\d+)", service["ExecStart"][0])[1])
    assert int(service["TimeoutStartSec"][0].removesuffix("min")) > deadline
    assert service["LoadCredential"] == ["certificate.pem:/etc/awsfed/certificate.pem"]
    assert "AZURE_CLIENT_CERTIFICATE_PATH=%d/certificate.pem" in service["Environment"]
    assert service["ReadWritePaths"] == ["/srv/awsfed/runs"]
    assert RawConfigParser(strict=False, interpolation=None).read(SCHEDULES / "awsfed-audit.timer")


# --- GitHub Actions ---


def test_workflow_stores_no_secret_and_may_do_little():
    text = (SCHEDULES / "github-actions.yml").read_text()
    assert "secrets." not in text
    assert workflow()["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow()[True]["schedule"] == [{"cron": "15 3 * * *"}]  # YAML 1.1 reads the name `on` as true; GitHub does not
    assert "api://AzureADTokenExchange" in text


def test_workflow_keeps_the_record_whatever_the_exit_code():
    (job,) = workflow()["jobs"].values()
    steps = {step.get("name", step.get("uses")): step for step in job["steps"]}
    keep = steps["Keep the record"]
    assert keep["if"] == "always()"
    assert keep["with"]["path"] == "runs/"
    assert "continue-on-error" not in json.dumps(job)
    assert list(steps).index("Audit") < list(steps).index("Keep the record")
    assert job["timeout-minutes"] > int(re.search(r"--deadline (\d+)", steps["Audit"]["run"])[1])
    for step in steps.values():
        said = subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, capture_output=True, check=False)
        assert said.returncode == 0, said.stderr


def test_workflow_sets_what_the_sign_in_reads():
    from awsfed_lib.edges.entra import credentials

    assert f"{credentials.ASSERTION}=" in (SCHEDULES / "github-actions.yml").read_text()
    assert credentials.CERTIFICATE in (SCHEDULES / "awsfed-audit.service").read_text()


# --- Airflow ---


@pytest.fixture
def dag(monkeypatch):
    """Execute the DAG with stand-ins for Airflow, which is no dependency of awsfed, and give what it asked of them."""
    asked = {}

    class Chained(SimpleNamespace):
        def __rshift__(self, other):
            asked["then"] = other
            return other

    class FailError(Exception):
        pass

    class Dag:
        def __init__(self, **given):
            asked["dag"] = given

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    def task(**_):
        return lambda function: lambda *given: Chained(function=function, given=given)

    stand_ins = {"airflow.sdk": {"DAG": Dag, "task": task}, "airflow.sdk.exceptions": {"AirflowFailException": FailError},
                 "airflow.providers.papermill.operators.papermill": {"PapermillOperator": lambda **given: asked.update(operator=given) or Chained()}}  # fmt: skip
    for name, holds in stand_ins.items():
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            whole = ".".join(parts[:end])
            monkeypatch.setitem(sys.modules, whole, sys.modules.get(whole) if whole in sys.modules else ModuleType(whole))
        for attribute, value in holds.items():
            setattr(sys.modules[name], attribute, value)
    source = (SCHEDULES / "airflow_dag.py").read_text()
    monkeypatch.setenv("AWSFED_ROOT", str(ROOT))
    scope = {"__name__": "airflow_dag"}
    exec(compile(ast.parse(source), "airflow_dag.py", "exec"), scope)
    return SimpleNamespace(scope=scope, fail=FailError, **asked)


def test_dag_gives_the_runbook_what_it_takes(dag):
    book = runbooks.find(dag.scope["RUNBOOK"])
    given = dag.operator["parameters"]
    assert set(given) <= set(book.names)
    assert parameters.check({**book.defaults, **given}, needed=book.needed)
    assert Path(dag.operator["input_nb"]) == ROOT / "notebooks" / f"{book.id}.ipynb"
    assert dag.operator["kernel_name"] == "python3"
    assert book.changes == "nothing"


def test_dag_keeps_its_copies_out_of_the_records(dag):
    """papermill formats paths as templates; only Airflow's braces are left in it."""
    assert Path(dag.operator["output_nb"]).parent == ROOT / "runs" / ".airflow"
    assert "{{ ts_nodash }}" in dag.operator["output_nb"]
    assert dag.dag["catchup"] is False
    assert dag.dag["max_active_runs"] == 1


def test_verdict_of_the_record_decides(dag, tmp_path):
    judge = dag.then.function
    scope = judge.__globals__
    scope["ROOT"] = tmp_path
    with pytest.raises(dag.fail, match="left no record"):
        judge("20261124T000000Z")
    for verdict in CODES:
        folder = tmp_path / "runs" / f"20261124T03{list(CODES).index(verdict):02d}00Z-09-audit-x"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"verdict": verdict, "problem": ""}))
        if CODES[verdict]:
            with pytest.raises(dag.fail, match=verdict):
                judge("20261124T000000Z")
        else:
            assert judge("20261124T000000Z") == verdict
    with pytest.raises(dag.fail, match="left no record"):
        judge(f"{datetime(2026, 11, 25, tzinfo=UTC):%Y%m%dT%H%M%SZ}")


# --- the page ---


def test_page_explains_every_exit_code_and_every_variable():
    text = (SCHEDULES / "README.md").read_text()
    explained = set(map(int, re.findall(r"^\| (\d+) \|", text, re.MULTILINE)))
    assert explained == set(CODES.values()) | {2}
    assert set(re.findall(rf"{PREFIX}([A-Z]+)", text)) == {name.upper() for name in NAMES}
