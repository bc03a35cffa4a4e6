"""The lock: two real processes, and one that is killed."""

import signal
import subprocess
import sys

import pytest

from awsfed_lib.errors import LockedError
from awsfed_lib.lock import Locks

HOLDER = """
import sys, time
from pathlib import Path
from awsfed_lib.lock import Locks
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
