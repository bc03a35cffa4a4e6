"""The runner, through real kernels: its verdict is true whatever becomes of the kernel, and nothing leaks into a record.

Each case is one small notebook of tests/notebooks; they run a few at a time, since kernels mostly wait.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import nbformat
import pytest
from small_root import CLIENT, TENANT, make

from awsfed_lib.core.errors import LockedError, ParameterError
from awsfed_lib.doors import judging, kernel, lean, runner
from awsfed_lib.edges.records import opening, parameter_file, runbooks, signing, where
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.record import Record

CASES = (
    "10-done",
    "11-exit",
    "12-error",
    "13-killed",
    "14-slow",
    "15-silent",
    "16-skipped",
    "17-environment",
    "18-overridden",
    "19-after",
    "20-plan",
)
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2ln"  # what 12-error prints and raises
CANARY = "a-value-of-another-tool"
kernels = pytest.mark.kernel


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = make(tmp_path_factory.mktemp("root {x}"))  # a brace: papermill takes paths for templates
        patch.setenv(where.ROOT_VARIABLE, str(folder))
        patch.setenv("SOME_TOKEN", CANARY)
        patch.setenv("AWS_PROFILE", "hub")
        patch.delenv(opening.FOLDER_VARIABLE, raising=False)
        yield folder


def execute(root, name, **given):
    log = io.StringIO()
    file = parameter_file.load(root / "parameters" / "p.yml")
    task = runner.Task(runbooks.find(name), file, given, deadline=6 if name == "14-slow" else 120)
    return SimpleNamespace(result=runner.execute(task, out=log), log=log)


@pytest.fixture(scope="module")
def ran(root):
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(CASES, pool.map(lambda name: execute(root, name), CASES), strict=True))


def steps(case):
    book = nbformat.read(case.result.record.folder / "record.ipynb", as_version=4)
    return [cell for cell in book.cells if cell.cell_type == "code"]


def statuses(case):
    return [cell.metadata.papermill.status for cell in steps(case)]


@kernels
@pytest.mark.parametrize(
    ("name", "verdict", "code", "words"),
    [
        ("10-done", "done", 0, ""),
        ("11-exit", "failed", 1, "Step 4 of 5 did not run to its end: it ended with SystemExit"),
        ("12-error", "failed", 1, "RuntimeError: refused: [a token (JWT), removed]"),
        ("13-killed", "failed", 1, "The kernel died"),
        ("14-slow", "failed", 1, "before its deadline"),
        ("15-silent", "unfinished", 1, "must call run.finish"),
        ("16-skipped", "failed", 1, "it was skipped"),
        ("17-environment", "done", 0, ""),
        ("18-overridden", "failed", 1, "changed workers after the parameters were checked"),
        ("19-after", "failed", 1, "ValueError: too late"),
        ("20-plan", "planned", 3, ""),
    ],
)
def test_verdict_is_true(ran, name, verdict, code, words):
    """sys.exit(0), a dead kernel, a cell that timed out or was skipped: papermill 2.7 calls their cells completed."""
    result = ran[name].result
    assert (result.verdict, result.code) == (verdict, code)
    assert words in result.problem
    said = result.record.run()
    assert (said["verdict"], said["exit_code"], said["sealed"]) == (verdict, code, True)
    assert said["problem"] == result.problem


@kernels
@pytest.mark.parametrize("name", CASES)
def test_every_record_is_whole(ran, root, name):
    folder = ran[name].result.record.folder
    assert Record(folder).changed() == []
    assert {"record.ipynb", "record.html", "run.json"} <= {path.name for path in folder.iterdir()}
    assert not list(folder.rglob("*partial*"))
    nbformat.validate(nbformat.read(folder / "record.ipynb", as_version=4))


@kernels
@pytest.mark.parametrize("name", CASES)
def test_no_record_names_this_machine(ran, root, name):
    """papermill notes the paths of input and output, home directory and all."""
    for path in ran[name].result.record.folder.rglob("*"):
        if path.is_file() and path.name != "environment.json":
            text = path.read_text()
            assert str(root) not in text, path.name
            assert sys.prefix not in text, path.name
            assert "widget-state" not in text, path.name


@kernels
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("10-done", ["completed"] * 5),
        ("11-exit", ["completed"] * 3 + ["failed", "pending"]),
        ("13-killed", ["completed"] * 3 + ["failed", "pending"]),
        ("14-slow", ["completed"] * 3 + ["failed", "pending"]),
    ],
)
def test_cells_are_marked_as_they_are(ran, name, expected):
    """After kill -9 of the kernel papermill 2.7 writes completed for all of them, and no exception."""
    assert statuses(ran[name]) == [*expected[:2], *expected[2:]]


@kernels
def test_no_secret_reaches_a_file_or_the_log(ran):
    """The token is printed, and stands in the exception and in its traceback."""
    case = ran["12-error"]
    for path in case.result.record.folder.rglob("*"):
        assert path.is_dir() or TOKEN not in path.read_text(), path.name
    assert TOKEN not in case.log.getvalue()
    assert "[a token (JWT), removed]" in case.log.getvalue()


@kernels
def test_only_what_the_notebook_declares_is_passed_and_ids_stay_text(ran):
    injected = next(cell.source for cell in steps(ran["10-done"]) if "injected-parameters" in cell.metadata.get("tags", []))
    assert 'include_accounts = ["012345678901"]' in injected
    assert CLIENT not in injected
    assert json.loads((ran["10-done"].result.record.folder / "seen.json").read_bytes()) == [TENANT, 7]


@kernels
def test_log_tells_how_far_it_is_and_what_the_notebook_says(ran):
    log = ran["10-done"].log.getvalue()
    assert "10-done  4/5  Step 1\nread\n" in log
    assert log.startswith(f"10-done  record {ran['10-done'].result.record.folder.name}\n")


@kernels
def test_kernel_is_private(ran, root):
    """Ports of TCP kernels collide, and others on the machine may read them (jupyter_client issue 487, ipykernel pull request 1515)."""
    folder = ran["17-environment"].result.record.folder
    seen = json.loads((folder / "environment.json").read_bytes())
    assert (seen["kernel"], seen["python"]) == ("ipc", sys.executable)
    assert (seen["AWSFED_HEADLESS"], seen["AWSFED_ROOT"], seen["AWS_PROFILE"]) == ("1", str(root), "hub")
    assert CANARY not in seen.values()
    assert not where.Path(seen["IPYTHONDIR"]).exists()


@kernels
def test_approval_carries_exactly_the_plan_of_the_preview(ran, root):
    [plan] = ran["20-plan"].result.plans
    with ThreadPoolExecutor(2) as pool:
        right, wrong = pool.map(
            lambda identity: execute(root, "20-plan", approved=identity), [plan, "plan-00000000000000000000000000000000"]
        )
    assert (right.result.verdict, right.result.code) == ("applied", 0)
    assert (wrong.result.verdict, wrong.result.code) == ("failed", 1)
    assert "NotApproved" in wrong.result.problem
    assert not (wrong.result.record.folder / "snapshots").exists()


@kernels
def test_plain_papermill_passes_the_same_gate(root, tmp_path):
    """`papermill -f` reads the same file and injects every name of it, those included that the notebook does not declare."""

    def papermill(*more):
        command = [
            sys.executable,
            "-m",
            "papermill",
            "20-plan.ipynb",
            str(tmp_path / "out.ipynb"),
            "-f",
            str(root / "parameters" / "p.yml"),
            "--no-progress-bar",
            *more,
        ]
        package = {"PYTHONPATH": str(where.Path(runner.__file__).parents[1])}
        return subprocess.Popen(command, cwd=root / "notebooks", env={**os.environ, **package}, stderr=subprocess.PIPE, text=True)

    before = set((root / "runs").iterdir()) if (root / "runs").exists() else set()
    good, bad = papermill(), papermill("-r", "dry_run", "False")
    (_, _), (_, told) = good.communicate(), bad.communicate()
    assert good.returncode == 0
    assert bad.returncode == 1
    assert "dry_run was injected, and is no parameter" in told
    [folder] = set((root / "runs").iterdir()) - before - {root / "runs" / ".locks"}
    assert (Record(folder).run()["verdict"], Record(folder).run()["executed_by"]) == ("planned", "notebook")
    assert Record(folder).changed() == []


# --- before a kernel starts ---


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"include_accounts": ["12345678901"]}, "lost a leading zero"),
        ({"aproved": "x"}, "20-plan has no parameter aproved. Did you mean approved"),
        ({"max_removed": 3}, "20-plan has no parameter max_removed"),
        ({"tenant_id": ""}, "tenant_id is empty"),
        ({"approved": "yes"}, "a yes approves nothing"),
        ({"workers": 0}, "at least 1"),
    ],
)
def test_wrong_parameter_is_refused_before_anything_starts(tmp_path, monkeypatch, given, words):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path / "r")))
    with pytest.raises(ParameterError, match=words):
        execute(tmp_path / "r", "20-plan", **given)
    assert not (tmp_path / "r" / "runs").exists()


def test_defaults_of_the_notebook_hold_where_nothing_is_given(root):
    checked, passed = runner.values(runner.Task(runbooks.find("20-plan"), None, {"tenant_id": TENANT}))
    assert checked.workers == 4
    assert passed == {"tenant_id": TENANT}


# --- when somebody stops it ---


def started(root, which, until, **variables):
    command = [sys.executable, "-m", "awsfed_lib", "run", which, "-f", "p.yml"]
    process = subprocess.Popen(
        command, cwd=where.Path(runner.__file__).parents[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    folder = root / "runs" / process.stderr.readline().split()[-1]
    while not until(folder):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    return process, folder


def at_step_4(folder):
    return (
        '"status": "running"' in (folder / "record.partial.ipynb").read_text() and (folder / "journal.jsonl").exists()
        if (folder / "record.partial.ipynb").exists()
        else False
    )


@kernels
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_is_sealed_as_interrupted(root, number):
    """SIGTERM kills papermill and leaves its kernel (papermill issue 508); a second signal must not harm the record."""
    process, folder = started(root, "14", at_step_4)
    process.send_signal(number)
    time.sleep(0.05)
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "verdict  interrupted" in said
    assert Record(folder).run()["verdict"] == "interrupted"
    assert Record(folder).changed() == []


@kernels
def test_killed_runner_leaves_an_unsealed_record_and_a_lock_that_comes_free(root):
    """kill -9 of papermill leaves the kernel sending for up to a second; the lock is the kernel's, not papermill's."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        _killed_runner(root, short)


def _killed_runner(root, short):
    process, folder = started(root, "21", lambda folder: (folder / "held.json").exists(), TMPDIR=short)
    process.kill()
    process.wait()
    with pytest.raises(LockedError, match="21-holds"), Locks(root / "runs" / ".locks", patience=0).hold("one object"):
        pass
    with Locks(root / "runs" / ".locks", patience=10).hold("one object"):
        pass
    assert Record(folder).run()["sealed"] is False
    assert Record(folder).changed() == ["run.json: the run was never sealed"]
    process.stdout.close()
    process.stderr.close()


# --- pieces ---


def test_sandbox_kernel_gets_no_real_credentials():
    given = {
        "AWS_SECRET_ACCESS_KEY": "a", "AZURE_CLIENT_SECRET": "b", "IDENTITY_HEADER": "c", "HTTPS_PROXY": "d", "https_proxy": "e", "REQUESTS_CA_BUNDLE": "f",
        "GITHUB_TOKEN": "g", "PATH": "h", "LC_ALL": "i", "AWSFED_ROOT": "j", "SSH_AUTH_SOCK": "k", "PYTHONSTARTUP": "l", "PYTHONINSPECT": "m",
    }  # fmt: skip
    assert set(kernel.environment(given, "sandbox").values()) == set("hij")
    assert set(kernel.environment(given, "global").values()) == set("abcdefhij")


def test_variables_named_in_the_parameter_file_reach_a_kernel_and_those_of_the_runner_never():
    """The credential_process of an AWS profile may need variables of its own."""
    given = {"VAULT_ADDR": "a", "SSH_AUTH_SOCK": "b", "AWSFED_ALERT_TEAMS": "c", "AWSFED_SIGNING_KEY_PATH": "d"}
    named = ("VAULT_ADDR", "AWSFED_ALERT_TEAMS", "AWSFED_SIGNING_KEY_PATH")
    assert kernel.environment(given, "global", named) == {"VAULT_ADDR": "a"}
    assert kernel.environment(given, "sandbox", named) == {}


@pytest.mark.parametrize("cloud", ["sandbox", "global"])
def test_no_kernel_gets_the_key_that_signs_records(cloud):
    assert kernel.environment({signing.KEY_VARIABLE: "/keys/records.key", signing.PASSWORD_VARIABLE: "p"}, cloud) == {}


def test_socket_folder_is_private_short_and_gone_afterwards(monkeypatch):
    monkeypatch.setattr(kernel.tempfile, "tempdir", None)
    with kernel.private({}) as manager:
        folder = manager.folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert len(str(folder / "s-12345")) < 104
        assert manager(kernel_name="anything").kernel_spec.argv[0] == sys.executable
    assert not folder.exists()


def test_long_temporary_folder_is_not_used(tmp_path, monkeypatch):
    """A socket's path has 104 bytes on macOS, whose temporary folders are long (unix(7))."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(kernel.tempfile, "tempdir", str(deep))
    with kernel.private({}) as manager:
        assert len(str(manager.folder)) < 60


def test_quick_imports_leave_everything_in_working_order():
    """jsonschema builds 35 parsers on import where its extra `format-nongpl` is installed, as JupyterLab does (jsonschema issue 1428)."""
    code = """
import sys
from awsfed_lib.doors.lean import quick_imports
with quick_imports():
    import nbformat, papermill.execute, nbconvert
assert "lark" not in sys.modules, "the parsers were built"
assert not {"rfc3987_syntax", "azure.storage.blob", "boto3"} & set(sys.modules)
good = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
nbformat.validate(good)
good.cells[0].cell_type = "nonsense"
try:
    nbformat.validate(good)
except nbformat.ValidationError:
    import azure.storage.blob, boto3, rfc3987_syntax
    print(rfc3987_syntax.is_valid_syntax("iri", "https://example.org/"))
"""
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert (said.stdout.strip(), said.stderr) == ("True", "")


def test_quick_imports_leave_what_is_imported_alone(monkeypatch):
    real = object()
    monkeypatch.setitem(sys.modules, "rfc3987_syntax", real)
    with lean.quick_imports():
        assert sys.modules["rfc3987_syntax"] is real
    assert sys.modules["rfc3987_syntax"] is real


def test_damaged_journal_is_never_a_success(tmp_path):
    (tmp_path / "journal.jsonl").write_text("{}\n")
    assert judging.judge(Record(tmp_path), None, None)[0] == "failed"
