"""What a system that is not Linux lacks: no module needs it to be imported, and a lock is had another way.

None of this ran on Windows: the modules and names that it lacks are taken away here, and `msvcrt` is a stand-in.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import role, seal_one

from awsfed_lib.core.errors import LockedError, RecordError
from awsfed_lib.edges.records import chain, durable, exclusive, proof
from awsfed_lib.edges.records.lock import Locks

PACKAGE = Path(__file__).parents[1] / "awsfed_lib"
KEY = "tenant/servicePrincipal/x"
# What the pages of docs.python.org call "Availability: Unix".
MODULES = {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "crypt", "spwd", "readline", "curses"}
NAMES = {
    "os": (
        "pread", "pwrite", "fchmod", "fchown", "chown", "lchown", "killpg", "getuid", "geteuid", "getgid", "getegid", "getgroups", "setuid",
        "setgid", "setsid", "setpgrp", "getpgid", "getpgrp", "getsid", "fork", "forkpty", "wait", "wait3", "wait4", "WNOHANG", "O_NOFOLLOW",
        "O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK", "O_SYNC", "O_DSYNC", "mkfifo", "mknod", "statvfs", "fstatvfs", "sched_getaffinity",
        "sched_setaffinity", "getloadavg", "sync", "fdatasync", "uname", "nice", "getpriority", "lockf", "posix_fallocate", "sendfile",
        "openpty", "chroot", "sysconf", "ctermid", "pipe2", "dup3", "mkfifoat", "fchdir", "getxattr", "setxattr", "memfd_create",
    ),
    "signal": (
        "SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGSTOP", "SIGCONT", "SIGTSTP", "SIGWINCH",
        "alarm", "pause", "setitimer", "getitimer", "pthread_kill", "pthread_sigmask", "sigwait", "sigwaitinfo", "sigtimedwait", "siginterrupt",
    ),
    "socket": ("AF_UNIX", "socketpair"),
    "time": ("clock_gettime", "clock_settime", "tzset", "pthread_getcpuclockid"),
}  # fmt: skip
LOOK_FIRST = {"sown.py": "if not THREADS.exists()"}  # forked kernels, where a kernel can be forked; else each is started
WITHOUT = f"""
import builtins, importlib, pkgutil, sys
given = builtins.__import__
def poorer(name, names=None, *more, **others):
    if name.partition(".")[0] in {MODULES} and str((names or {{}}).get("__name__", "")).startswith("awsfed_lib"):
        raise ImportError(name)
    return given(name, names, *more, **others)
builtins.__import__ = poorer
import awsfed_lib
found = [found.name for found in pkgutil.walk_packages(awsfed_lib.__path__, "awsfed_lib.") if not found.name.endswith("__main__")]
for name in [*found, "awsfed_lib.__main__"]:
    importlib.import_module(name)
print(len(found))
"""


def test_every_module_is_imported_without_what_only_unix_has():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 200


def test_nothing_is_called_that_only_unix_has():
    """A name that is asked for with getattr, and a default, is fine, and so is a module that looks first and has another way."""
    used = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.value.id}.{node.attr}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in LOOK_FIRST or LOOK_FIRST[path.name] not in path.read_text()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in NAMES.get(node.value.id, ())
    ]
    assert used == []


def test_no_file_is_opened_where_windows_would_change_its_line_ends():
    """os.open without O_BINARY writes \\r\\n for \\n there (docs.python.org/3/library/os.html#os.O_BINARY)."""
    places = {
        path.name
        for path in (PACKAGE / "edges").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.open"
    }
    assert places == {"durable.py"}


class Msvcrt:
    """`msvcrt.locking` as Microsoft describes it, on flock: one byte at the place of the file pointer, EACCES when another has it."""

    LK_NBLCK = 2

    def __init__(self):
        import fcntl

        self.flock, self.how, self.asked = fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB, 0

    def locking(self, descriptor, mode, count):
        assert (mode, count, os.lseek(descriptor, 0, os.SEEK_CUR)) == (self.LK_NBLCK, 1, exclusive.HELD_BYTE)
        self.asked += 1
        try:
            self.flock(descriptor, self.how)
        except BlockingIOError:
            raise PermissionError(13, "Permission denied") from None


@pytest.fixture
def windows(monkeypatch):
    fake = Msvcrt()
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setitem(sys.modules, "msvcrt", fake)
    for name in ("pread", "pwrite", "O_NOFOLLOW"):
        monkeypatch.delattr(os, name)
    return fake


def test_lock_by_the_other_way_is_for_one_and_says_who(tmp_path, windows):
    with Locks(tmp_path, {"runbook": "04-approles"}).hold(KEY):
        assert Locks(tmp_path).path(KEY).stat().st_size < 200
        with pytest.raises(LockedError, match="04-approles"), Locks(tmp_path, patience=0).hold(KEY):
            pass
    with Locks(tmp_path, patience=0).hold(KEY):
        pass
    assert windows.asked == 3


def test_record_is_sealed_and_chained_by_the_other_way(tmp_path, windows):
    for day in (0, 1):
        seal_one(tmp_path / "runs", day, roles=[role(1)])
    assert windows.asked == 2
    proven = proof.prove(tmp_path / "runs")
    assert (proven.records, proven.lines, proven.broken) == (2, 2, ())


def test_two_in_turn_see_one_chain(tmp_path, windows):
    with chain.lock(tmp_path), pytest.raises(LockedError), Locks(tmp_path / ".locks", patience=0).hold(chain.LOCK):
        pass


@pytest.mark.parametrize("problem", [OSError(36, "Resource deadlock avoided"), OSError(22, "Invalid argument")])
def test_system_that_can_give_no_lock_stops_the_run(tmp_path, windows, monkeypatch, problem):
    def none(*_):
        raise problem

    monkeypatch.setattr(windows, "locking", none)
    with pytest.raises(RecordError, match="nothing was sent"), Locks(tmp_path).hold(KEY):
        pass


def test_system_without_any_lock_stops_the_run(tmp_path, windows, monkeypatch):
    monkeypatch.setitem(sys.modules, "msvcrt", None)
    with pytest.raises(RecordError, match="nothing was sent"), Locks(tmp_path).hold(KEY):
        pass


@pytest.mark.parametrize("refusal", [NotImplementedError(), OSError(95, "Operation not supported")])
def test_file_is_written_where_there_are_no_hard_links(tmp_path, monkeypatch, refusal):
    def none(*_, **__):
        raise refusal

    monkeypatch.setattr(os, "link", none)
    durable.write_new(tmp_path / "a", b"1")
    with pytest.raises(RecordError, match="never overwritten"):
        durable.write_new(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"1"
