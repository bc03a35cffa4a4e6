"""`awsfed batch`: many targets at a time, and none that hides another. Real processes, real kernels, a real dask cluster."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from small_root import PARAMETERS, make

from awsfed_lib.__main__ import main
from awsfed_lib.doors import batch, batch_record
from awsfed_lib.doors.batch import Ended, Order
from awsfed_lib.edges.records import catalogue, parquet, proof, where

pytestmark = pytest.mark.kernel


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = make(tmp_path / "root")
    for name in "abc":
        (folder / "parameters" / f"{name}.yml").write_text(PARAMETERS)
    (folder / "parameters" / "wrong.yml").write_text(PARAMETERS.replace("workers: 7", "workres: 7"))
    monkeypatch.setenv(where.ROOT_VARIABLE, str(folder))
    return folder


def test_targets_run_at_a_time_and_a_wrong_file_hides_none(root):
    told = CliRunner().invoke(main, ["batch", "10", "-f", "a.yml", "-f", "wrong.yml", "-f", "b.yml", "-f", "missing.yml", "--workers", "2"])
    assert told.exit_code == 2
    record = catalogue.find(root / "runs", "batch")
    rows = {row["file"]: row for row in parquet.read(record.folder / "tables" / "targets.parquet").to_dict(orient="records")}
    assert {name: (row["verdict"], row["exit_code"]) for name, row in rows.items()} == {
        "a.yml": ("done", 0), "b.yml": ("done", 0), "wrong.yml": ("failed", 2), "missing.yml": ("failed", 2),
    }  # fmt: skip
    assert "Did you mean workers?" in rows["wrong.yml"]["problem"]
    assert record.run()["verdict"] == "failed"
    page = (record.folder / "record.html").read_text()
    assert f'href="../{rows["a.yml"]["run"]}/record.html"' in page
    assert "<script" not in page
    assert page.index("wrong.yml") < page.index("a.yml")
    assert proof.prove(root / "runs").broken == ()
    assert proof.prove(root / "runs").records == 3


def test_kernel_that_dies_is_one_row(root):
    ended = batch.on_this_machine(Order("13-killed"), ["a.yml", "b.yml"], workers=2, say=lambda _: None)
    assert [(each.verdict, each.code) for each in ended] == [("failed", 1)] * 2
    assert all("The kernel died" in each.problem for each in ended)


def test_process_that_dies_takes_nobody_with_it(root, monkeypatch):
    """A target whose process is killed is run once more; the others do not notice."""
    said = []

    def say(text):
        said.append(text)

    monkeypatch.setattr(batch, "alone", _dies_once)
    marker = root / "died"
    monkeypatch.setenv("MARKER", str(marker))
    ended = batch.on_this_machine(Order("10-done"), ["a.yml", "b.yml", "c.yml"], workers=2, say=say)
    assert [each.verdict for each in ended] == ["done"] * 3
    assert marker.exists()
    assert any("once more" in text for text in said)


def _dies_once(order, file):
    marker = os.environ["MARKER"]
    if file == "b.yml" and not os.path.exists(marker):  # noqa: PTH110
        with open(marker, "w"):  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGKILL)
    return batch.one(order, file)


def test_ctrl_c_seals_what_runs_and_leaves_out_what_has_not_begun(root):
    command = [sys.executable, "-m", "awsfed_lib", "batch", "14", "-f", "a.yml", "-f", "b.yml", "-f", "c.yml", "--workers", "1"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list((root / "runs").glob("*14-slow*/record.partial.ipynb")) and time.monotonic() < deadline:
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    out, _ = started.communicate(timeout=120)
    assert started.returncode == 130, out
    runs = [record.run() for record in catalogue.records(root / "runs")]
    assert sorted((run["runbook"], run["verdict"]) for run in runs) == [("14-slow", "interrupted"), ("batch", "interrupted")]
    assert out.count("interrupted") >= 3


def test_the_same_on_workers_of_dask(root):
    """A real scheduler and real processes; what is sent to them are names and plain values only."""
    from distributed import LocalCluster

    from awsfed_lib.doors import fleet

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        ended = fleet.run(Order("10-done", {"workers": 3}), ["a.yml", "wrong.yml", "b.yml"], scheduler=cluster.scheduler_address, say=print)
    assert [each.verdict for each in ended] == ["done", "failed", "done"]
    run = json.loads((root / "runs" / ended[0].run / "run.json").read_bytes())
    assert run["parameters"]["workers"] == 3
    assert proof.prove(root / "runs").broken == ()


def test_no_scheduler_is_told():
    from awsfed_lib.core.errors import ParameterError
    from awsfed_lib.doors import fleet

    with pytest.raises(ParameterError, match="No dask scheduler answers"):
        fleet.run(Order("10-done"), ["a.yml"], scheduler="no address", say=print)


@pytest.mark.parametrize(
    ("codes", "worst"), [((0, 0), 0), ((0, 3), 3), ((3, 4), 4), ((4, 130), 130), ((130, 2), 2), ((2, 1, 0), 1), ((), 0)]
)
def test_worst_code_counts(codes, worst):
    assert batch.code([Ended("f", "x", number) for number in codes]) == worst


def test_a_batch_began_when_its_first_target_did(root):
    ended = [Ended("a.yml", "done", 0, seconds=60.0), Ended("b.yml", "failed", 1, "It broke.\n  next:  Mend it.", seconds=1.0)]
    began = datetime(2026, 11, 24, 8, tzinfo=UTC)
    record = batch_record.keep(Order("10-done"), ended, began=began, clock=lambda: began + timedelta(seconds=61))
    page = (record.folder / "record.html").read_text()
    for words in ("1 min 01 s", "targets: 1 done, 1 failed", "<td>It broke. next: Mend it</td>"):
        assert words in page


def test_targets_with_hostile_names_stay_text(root):
    order = Order("10-done")
    record = batch_record.keep(order, [Ended("<img src=x onerror=alert(1)>", "done", 0, '"><script>', "../../x", "=1+1", 1.0)])
    page = (record.folder / "record.html").read_text()
    assert "<img" not in page
    assert "<script" not in page
    assert 'href="../..%2F..%2Fx/record.html"' in page
