"""The lock: two real processes, and one that is killed."""

import fcntl
import signal
import subprocess
import sys
import threading

import pytest

from awsfed_lib.core.errors import LockedError, RecordError
from awsfed_lib.edges.records.lock import Locks

HOLDER = """
import sys, time
from pathlib import Path
from awsfed_lib.edges.records.lock import Locks
with Locks(Path(sys.argv[1]), {"runbook": "04-approles"}).hold("tenant/servicePrincipal/x"):
    print("held", flush=True)
    time.sleep(60)
"""
KEY = "tenant/servicePrincipal/x"


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "held"
        yield process
        process.kill()


def test_another_process_is_refused_and_told_who_holds_it(tmp_path, holder):
    with pytest.raises(LockedError, match="04-approles"), Locks(tmp_path, patience=0.1).hold(KEY):
        pass


def test_another_object_is_free(tmp_path, holder):
    with Locks(tmp_path, patience=0.1).hold("tenant/servicePrincipal/y"):
        pass


def test_kill_9_releases_it(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Locks(tmp_path, patience=1).hold(KEY):
        pass


def test_it_is_released_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), Locks(tmp_path, patience=0.1).hold(KEY):
        raise ZeroDivisionError
    with Locks(tmp_path, patience=0.1).hold(KEY):
        pass


def test_holder_that_is_just_going_is_waited_for(tmp_path, holder):
    """papermill killed, its kernel still ends: a second run started at once waits for the lock, not for a pid file."""
    threading.Timer(0.15, holder.kill).start()
    with Locks(tmp_path, patience=5).hold(KEY):
        pass


def test_same_process_is_refused_too(tmp_path):
    with Locks(tmp_path).hold(KEY), pytest.raises(LockedError, match="nothing was sent"), Locks(tmp_path, patience=0).hold(KEY):
        pass


def test_lock_is_not_inherited_by_children(tmp_path):
    with Locks(tmp_path).hold(KEY):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    try:
        with Locks(tmp_path, patience=1).hold(KEY):  # the child may still be on its way through exec(2)
            pass
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("told", [b"", b"{", b"[1]", b"\xff", b"null", b'{"pid": {"a": 1}}'])
def test_holder_s_words_are_only_words(tmp_path, holder, told):
    Locks(tmp_path).path(KEY).write_bytes(told)
    with pytest.raises(LockedError, match="Another run holds this object"), Locks(tmp_path, patience=0).hold(KEY):
        pass


def test_link_in_the_place_of_a_lock_is_refused(tmp_path):
    Locks(tmp_path).path(KEY).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError), Locks(tmp_path).hold(KEY):
        pass


def test_file_system_without_locks_stops_the_run(tmp_path, monkeypatch):
    def none(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(RecordError, match="nothing was sent"), Locks(tmp_path).hold(KEY):
        pass
