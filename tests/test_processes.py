"""Each task of a batch has a process of its own, and its kernel is forked of it: nothing passes from one to the next, each ends alone."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, CancelledError, wait
from pathlib import Path

import pytest

from awsfed_lib.doors import kernel
from awsfed_lib.doors.processes import Processes
from awsfed_lib.doors.sown import sown

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes and kernels are started")


@pytest.fixture
def executor():
    with Processes(2, kernel.common(os.environ)) as processes:
        yield processes


def as_asked(environment):
    return os.getpid(), os.environ.get(environment)


def failing():
    raise ValueError("so it went")


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def slow(marker):
    Path(marker).touch()
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        return "sealed"
    return "done"


def test_each_task_has_a_process_of_its_own_and_the_environment_of_its_batch(executor, monkeypatch):
    monkeypatch.setenv("GIVEN", "first")
    first = executor.submit(as_asked, "GIVEN").result()
    monkeypatch.setenv("GIVEN", "second")
    second = executor.submit(as_asked, "GIVEN").result()
    assert (first[1], second[1]) == ("first", "second")
    assert len({first[0], second[0], os.getpid()}) == 3


def test_a_long_temporary_folder_is_no_place_for_sockets(tmp_path):
    """The path of a socket has 104 bytes on macOS and 108 on Linux (unix(7)); company machines have long TMPDIRs."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    code = "from awsfed_lib.doors.processes import Processes; import os; print(Processes(1, dict(os.environ)).submit(str, 42).result())"
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(deep)}, capture_output=True, text=True, check=False
    )
    assert told.stdout == "42\n", told.stderr


def test_what_a_task_raises_is_raised(executor):
    with pytest.raises(ValueError, match="so it went"):
        executor.submit(failing).result()


def test_a_process_that_dies_takes_no_other_with_it(executor):
    tasks = [executor.submit(work, *given) for work, *given in [(killed,), (as_asked, "PATH"), (killed,), (as_asked, "PATH")]]
    wait(tasks)
    assert [type(task.exception()) for task in tasks] == [BrokenExecutor, type(None), BrokenExecutor, type(None)]


def test_an_interrupt_reaches_what_runs_and_what_begins_too_late(executor, tmp_path):
    running = executor.submit(slow, str(tmp_path / "began"))
    while not (tmp_path / "began").exists():
        time.sleep(0.02)
    executor.interrupt()
    late = executor.submit(slow, str(tmp_path / "late"))
    assert running.result(timeout=20) == "sealed"
    assert isinstance(late.exception(timeout=20), CancelledError) or late.result() == "sealed"


def in_a_kernel(code, folder):
    """Run code in a kernel that is forked of this process; what it says, the process that was sown, and that of the runner."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    variables = {**kernel.common(os.environ), "ONLY": "this"}
    with sown() as forked, kernel.private(variables, forked) as manager:
        NotebookClient(
            notebook, kernel_manager_class=manager, resources={"metadata": {"path": folder}}, shutdown_kernel="immediate"
        ).execute()
    return eval("".join(output["text"] for output in notebook.cells[0].outputs)), forked and forked.pid, os.getpid()


WHO = """
import os, random, sys, numpy
print([os.getpid(), os.getppid(), os.getsid(0), os.getcwd(), dict(os.environ).get("TOKEN"), os.environ["ONLY"], "left" in globals(),
       random.random(), float(numpy.random.random()), len(os.listdir("/proc/self/fd")), "pandas" in sys.modules, sys.stdin.read()])
left = 1
"""


@LINUX
def test_a_forked_kernel_is_like_a_started_one(executor, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "canary")
    tasks = [executor.submit(in_a_kernel, WHO, str(tmp_path)) for _ in range(3)]
    answers = [task.result() for task in tasks]
    for (pid, parent, session, folder, token, only, left, *_, _, imported, typed), forked, runner in answers:
        assert (pid, parent, session) == (forked, runner, forked)
        assert (folder, token, only, left, typed) == (str(tmp_path), None, "this", False, "")
        assert imported
    assert len({answer[0] for answer, *_ in answers}) == 3
    assert len({answer[7] for answer, *_ in answers}) == len({answer[8] for answer, *_ in answers}) == 3, (
        "each draws its own random numbers"
    )


SEARCHED = """
import sys, multiprocessing
frame, held = sys._getframe(), [multiprocessing.current_process()._args]
while frame := frame.f_back:
    held.append(dict(frame.f_locals))
print(["can" "ary" in str(held), "in_a_kernel" in str(held)])
"""


@LINUX
def test_a_forked_kernel_has_no_copy_of_the_environment_of_its_runner(executor, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "canary")
    found, forked, _ = executor.submit(in_a_kernel, SEARCHED, str(tmp_path)).result()
    assert forked
    assert found == [False, True], "the frames were searched, and hold nothing of the runner's environment"


@LINUX
def test_a_kernel_ends_with_its_runner(executor, tmp_path):
    code = f"import os, pathlib, time\npathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    task = executor.submit(in_a_kernel, code, str(tmp_path))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    (runner,) = [process.pid for process in executor._running]
    os.kill(runner, signal.SIGKILL)
    with pytest.raises(BrokenExecutor):
        task.result(timeout=20)
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


@LINUX
def test_what_others_are_forked_of_holds_no_credentials():
    """The environment that a process began with is readable for all of its user: /proc/PID/environ (proc(5))."""
    program = (
        "import os\nfrom awsfed_lib.doors import kernel\nfrom awsfed_lib.doors.processes import Processes\n"
        "from test_processes import began_with\nif __name__ == '__main__':\n"
        "    with Processes(1, kernel.common(os.environ)) as executor:\n        print(executor.submit(began_with).result())"
    )
    given = {
        **os.environ,
        "AZURE_CLIENT_SECRET": "canary",
        "AWSFED_ALERT_JSON": "canary",
        "SOME_TOKEN": "canary",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    said = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=True)
    assert "PATH=" in said.stdout
    assert "canary" not in said.stdout


def began_with():
    return Path("/proc/self/environ").read_text()


def test_no_kernel_is_forked_of_a_process_with_threads(executor):
    import threading

    stop = threading.Event()
    threading.Thread(target=stop.wait).start()
    with sown() as forked:
        stop.set()
        assert forked is None
