"""The command: exit codes as documented, errors as what, where and next, and a start that keeps nobody waiting."""

import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_root import TENANT, make

from awsfed_lib import __main__
from awsfed_lib.core import errors
from awsfed_lib.core.settings.verdict import CODES, MEANING
from awsfed_lib.doors import runner
from awsfed_lib.edges.records import layout, opening, record, runbooks, where

ROOT = Path(__file__).parents[1]
PLAN = "plan-0123456789abcdef0123456789abcdef"


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = make(tmp_path / "root")
    monkeypatch.setenv(where.ROOT_VARIABLE, str(folder))
    return folder


@pytest.fixture
def tasks(root, monkeypatch):
    """No kernel: what the command asks of the runner, and a runner that answers with a verdict."""
    asked = []

    def execute(task):
        runner.values(task)
        asked.append(task)
        made = record.create(root / "runs", "20261124T075100Z-20-plan-x", {"runbook": task.runbook.id})
        made.seal(verdict=execute.verdict, counts=execute.counts)
        return runner.Result(made, execute.verdict, execute.problem, (PLAN,) if execute.verdict == "planned" else ())

    execute.verdict, execute.problem, execute.counts = "done", "", {}
    monkeypatch.setattr(runner, "execute", execute)
    return asked, execute


def awsfed(*arguments):
    return CliRunner().invoke(__main__.main, arguments, prog_name="awsfed")


def test_help_documents_every_exit_code():
    said = awsfed("--help").stdout
    assert awsfed("--help").exit_code == 0
    for code in sorted(set(CODES.values()) | {2}):
        assert f"  {code:<4} " in said
    assert "Exit codes" in awsfed("run", "--help").stdout


def test_start_imports_nothing_heavy():
    """papermill, pandas, boto3 and Jupyter take seconds; none is needed to parse a command line."""
    code = "import sys; sys.argv = ['awsfed', '--help']; import atexit; atexit.register(lambda: print(sorted({'pandas', 'boto3', 'msal', 'papermill', 'pydantic', 'nbformat', 'requests', 'yaml'} & set(sys.modules)))); from awsfed_lib.__main__ import main; main()"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


def test_version():
    assert awsfed("--version").stdout.startswith("awsfed ")


def test_list_tells_what_each_runbook_changes(root):
    said = awsfed("list")
    assert said.exit_code == 0
    assert re.search("^20-plan +changes entra +Plans and sends$", said.stdout, re.MULTILINE)
    assert len(said.stdout.splitlines()) == len(runbooks.catalogue())


@pytest.mark.parametrize("verdict", CODES)
def test_exit_code_is_that_of_the_verdict(tasks, verdict):
    _, execute = tasks
    execute.verdict = verdict
    said = awsfed("run", "20", "-f", "p.yml")
    assert said.exit_code == CODES[verdict]
    assert f"verdict  {verdict}: {MEANING[verdict]}" in said.stdout


def test_plan_that_waits_is_told_with_the_command_that_approves_it(tasks, root):
    _, execute = tasks
    execute.verdict = "planned"
    said = awsfed("run", "plan", "-f", "p.yml", "-p", "include_accounts=Sales & Co,012345678901").stdout
    assert f"awsfed run 20 -f p.yml -p 'include_accounts=Sales & Co,012345678901' --approved {PLAN}" in said
    assert str(root / "runs") in said


def test_what_waits_for_another_runbook_is_told(tasks, root):
    """Nothing to send is not nothing left to do; a name in it may hold anything."""
    _, execute = tasks
    execute.verdict, execute.counts = "nothing to do", {"waiting": ["2 roles not assigned: \x1b[2Jthe group is not there yet (05-groups)"]}
    assert "not yet  2 roles not assigned: ␛[2Jthe group is not there yet (05-groups)" in awsfed("run", "20", "-f", "p.yml").stdout


def test_problem_is_told(tasks):
    _, execute = tasks
    execute.verdict, execute.problem = "failed", "StalePlan: The live app_roles changed."
    assert "problem  StalePlan: The live app_roles changed." in awsfed("run", "20", "-f", "p.yml").stdout


def test_command_line_wins_over_the_file_and_stays_text(tasks):
    asked, _ = tasks
    assert (
        awsfed(
            "run", "20", "-f", "p.yml", "-p", "workers=9", "-p", "include_accounts=012345678901", "--approved", PLAN, "--deadline", "5"
        ).exit_code
        == 0
    )
    checked, _ = runner.values(asked[0])
    assert (checked.tenant_id, checked.workers, checked.include_accounts, checked.approved) == (TENANT, 9, ("012345678901",), PLAN)
    assert asked[0].deadline == 300


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "99", "-f", "p.yml"], "There is no runbook '99'"),
        (["run", "20", "-f", "none.yml"], "no such parameter file"),
        (["run", "20"], "tenant_id is empty"),
        (["run", "20", "-f", "p.yml", "-p", "workers"], "NAME=VALUE"),
        (["run", "20", "-f", "p.yml", "-p", "worker=3"], "Did you mean workers"),
        (["run", "20", "-f", "p.yml", "-p", "workers=3", "-p", "workers=4"], "given twice"),
        (["run", "20", "-f", "p.yml", "-p", "workers=many"], "whole number"),
        (["run", "20", "-f", "p.yml", "-p", "max_removed=3"], "20-plan has no parameter max_removed"),
        (["run", "20", "-f", "p.yml", "-p", "client_secret=hunter2"], "is the name of a secret"),
        (["run", "20", "-f", "p.yml", "--approved", "yes"], "a yes approves nothing"),
        (["run", "20", "-f", "p.yml", "--deadline", "0"], "not in the range"),
        (["run", "20", "-f", "p.yml", "--dry-run"], "No such option"),
        (["run"], "Missing argument"),
        (["nonsense"], "No such command"),
        (["init"], "Missing argument"),
        ([], "Usage"),
    ],
)  # fmt: skip
def test_wrong_usage_is_2_and_starts_nothing(tasks, arguments, words):
    asked, _ = tasks
    said = awsfed(*arguments)
    assert said.exit_code == 2
    assert words in said.stderr
    assert "hunter2" not in said.output
    assert "Traceback" not in said.output
    assert asked == []


def test_error_is_what_where_and_next(root):
    (root / "parameters" / "p.yml").write_text(f"tenant_id: {TENANT}\ninclude_accounts: [012345670123]\naproved: x\n")
    said = awsfed("run", "20", "-f", "p.yml")
    assert said.exit_code == 2
    assert said.stdout == ""
    assert "line 2: include_accounts is 012345670123 without quotes" in said.stderr
    assert "line 3: aproved is no parameter. Did you mean approved?" in said.stderr
    assert "  where: " in said.stderr
    assert "  next:  " in said.stderr


@pytest.mark.parametrize(
    ("raised", "code", "words"),
    [
        (errors.RecordError("The disk is full.", remedy="Make room."), 1, "next:  Make room."),
        (errors.SignInError("No credentials."), 1, "No credentials."),
        (KeyboardInterrupt(), 130, "Run it again"),
    ],
)
def test_what_is_raised_becomes_words_and_a_code(tasks, monkeypatch, raised, code, words):
    def execute(_):
        raise raised

    monkeypatch.setattr(runner, "execute", execute)
    said = awsfed("run", "20", "-f", "p.yml")
    assert said.exit_code == code
    assert words in said.stderr
    assert "Traceback" not in said.output


def test_signals_are_as_they_were_after_a_run(tasks):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    awsfed("run", "20", "-f", "p.yml")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_file_is_found_here_or_below_parameters(tasks, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = tmp_path / "here.yml"
    here.write_text((root / "parameters" / "p.yml").read_text())
    assert [awsfed("run", "20", "-f", name).exit_code for name in ("p.yml", "here.yml", str(here))] == [0, 0, 0]


# --- verify ---


def test_verify_proves_a_record_by_its_digest(tasks, root):
    said = awsfed("run", "20", "-f", "p.yml").stdout
    digest = next(line.split()[1] for line in said.splitlines() if line.startswith("digest"))
    folder = next(path for path in (root / "runs").iterdir() if path.name != ".locks")
    assert awsfed("runs", "verify", str(folder), "--digest", digest).exit_code == 0
    assert awsfed("runs", "verify", folder.name).exit_code == 0
    (folder / "run.json").write_text((folder / "run.json").read_text().replace('"done"', '"applied"'))
    assert awsfed("runs", "verify", folder.name).exit_code == 0  # nothing inside can tell
    told = awsfed("runs", "verify", folder.name, "--digest", digest)
    assert told.exit_code == 1
    assert "not the file of that digest" in told.stderr


def test_verify_of_nothing(root):
    told = awsfed("runs", "verify", "none")
    assert told.exit_code == 1
    assert "There is no record 'none'" in told.stderr


# --- init ---


def test_init_lays_out_notebooks_parameters_and_schedules(tmp_path, monkeypatch):
    target = tmp_path / "mine"
    said = awsfed("init", str(target))
    assert said.exit_code == 0
    monkeypatch.delenv(where.ROOT_VARIABLE, raising=False)
    assert where.root(start=target) == target
    assert [book.id for book in runbooks.catalogue(target / "notebooks")] == [book.id for book in runbooks.catalogue(ROOT / "notebooks")]
    assert (target / "parameters" / "example.yml").stat().st_mode & 0o777 == 0o644
    assert "new   parameters/example.yml" in said.stdout
    for folder in layout.FOLDERS:
        assert {path.name for path in (target / folder).iterdir()} >= {path.name for path in committed(folder)}
    assert not [path for path in target.rglob("*") if path.name.startswith((".", "__"))]


def committed(folder):
    """The files of a folder of a clone, without what programs leave there."""
    return [path for path in (ROOT / folder).iterdir() if path.is_file() and not path.name.startswith(".")]


def test_wheel_carries_every_folder_that_init_lays_out():
    carried = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert carried == {folder: f"awsfed_lib/{layout.LAID_OUT}/{folder}" for folder in layout.FOLDERS}


def test_init_overwrites_nothing(tmp_path):
    target = tmp_path / "mine"
    (target / "parameters").mkdir(parents=True)
    (target / "parameters" / "example.yml").write_text("mine")
    (target / "parameters" / "sandbox.yml").symlink_to(tmp_path / "elsewhere")
    said = awsfed("init", str(target))
    assert "kept  parameters/example.yml" in said.stdout
    assert (target / "parameters" / "example.yml").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()
    assert "new " not in awsfed("init", str(target)).stdout


def test_init_from_an_installed_package(tmp_path, monkeypatch):
    package = make(tmp_path / "site" / "awsfed_lib" / layout.LAID_OUT).parent
    (package / layout.LAID_OUT / "schedules").mkdir()
    (package / layout.LAID_OUT / "schedules" / "crontab").touch()
    monkeypatch.setattr(layout, "__file__", str(package / "edges" / "records" / "layout.py"))
    assert awsfed("init", str(tmp_path / "mine")).exit_code == 0
    assert (tmp_path / "mine" / "notebooks" / "20-plan.ipynb").exists()
    assert (tmp_path / "mine" / "schedules" / "crontab").exists()


def test_init_where_it_cannot(tmp_path):
    (tmp_path / "file").write_text("x")
    for target, words in ((tmp_path / "file", "a file of that name"), (ROOT, "where the notebooks come from")):
        told = awsfed("init", str(target))
        assert told.exit_code == 2
        assert words in told.stderr


# --- the sandbox is an extra ---


@pytest.mark.parametrize("command", ["sandbox", "demo", "tutorial"])
def test_missing_extra_is_said(root, monkeypatch, command):
    for name in [
        name
        for name in sys.modules
        if name.startswith(("awsfed_lib.sandbox", "awsfed_lib.doors.demo", "awsfed_lib.doors.tutorial", "moto"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "moto", None)
    told = awsfed(command)
    assert told.exit_code == 2
    assert "The sandbox needs moto, which is not installed" in told.stderr
    assert "awsfed[sandbox]" in told.stderr


def test_sandbox_ends_with_ctrl_c_and_takes_its_description_away(root):
    command = [sys.executable, "-m", "awsfed_lib", "sandbox", "--accounts", "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(4)]
        assert where.sandbox_file().exists()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 0, told
    assert "127.0.0.1" in lines[0]
    assert "Traceback" not in told
    assert not where.sandbox_file().exists()


def test_runner_variable_is_not_taken_for_a_parameter(root, monkeypatch):
    monkeypatch.setenv(opening.FOLDER_VARIABLE, "/elsewhere")
    assert awsfed("list").exit_code == 0
