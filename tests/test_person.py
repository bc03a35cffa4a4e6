import stat
import sys
from types import SimpleNamespace

import msal
import pytest

from awsfed_lib.edges.entra import person
from awsfed_lib.edges.entra.clouds import CLOUDS, Cloud


def kernel(monkeypatch, *, can_ask):
    """Play a kernel whose front end can ask for input, or cannot."""
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=can_ask))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def terminal(monkeypatch, *, tty):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: tty) if tty is not None else None)


def test_front_end_that_can_ask_has_somebody(monkeypatch):
    kernel(monkeypatch, can_ask=True)
    assert person.present()


def test_papermill_has_nobody(monkeypatch):
    """nbclient executes with allow_stdin off (nbclient's client.py)."""
    kernel(monkeypatch, can_ask=False)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert person.present() is None


def test_run_that_somebody_started_on_a_terminal_has_somebody(monkeypatch):
    """The kernel cannot ask, and a device code needs no answer: the terminal shows it."""
    kernel(monkeypatch, can_ask=False)
    monkeypatch.setenv("AWSFED_TERMINAL", "1")
    assert person.present()


@pytest.mark.parametrize(("tty", "somebody"), [(True, True), (False, False), (None, False)])
def test_terminal_has_somebody_and_a_pipe_nobody(monkeypatch, tty, somebody):
    terminal(monkeypatch, tty=tty)
    assert (person.present() is not None) is somebody


def test_what_is_said_is_seen_at_once(capsys):
    person.Person().say("Open the page")
    assert capsys.readouterr().out == "Open the page\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


class Store:
    """A key store of the system that works, or claims to."""

    is_encrypted = True

    def __init__(self, location):
        self.location, self.saved = location, "{}"

    def get_location(self):
        return self.location

    def time_last_modified(self):
        return 1

    def load(self):
        return self.saved

    def save(self, content):
        self.saved = content


def test_without_a_key_store_tokens_stay_in_memory_and_it_says_so(home, monkeypatch):
    """msal's own recipe of a serialised cache is a plaintext file."""

    def fail(location):
        raise ImportError("no gi")

    monkeypatch.setattr(person.msal_extensions, "build_encrypted_persistence", fail)
    found = person.cache(CLOUDS["global"], "t", "c")
    assert type(found.store) is msal.TokenCache
    assert found.kept == "in memory only: this system offers no key store (ImportError)"
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_key_store_without_encryption_is_not_used(home, monkeypatch):
    monkeypatch.setattr(person.msal_extensions, "build_encrypted_persistence", type("Plain", (Store,), {"is_encrypted": False}))
    assert person.cache(CLOUDS["global"], "t", "c").kept.startswith("in memory only")


def test_encrypted_cache_is_one_a_tenant_and_client_in_a_private_folder(home, monkeypatch):
    monkeypatch.setattr(person.msal_extensions, "build_encrypted_persistence", Store)
    one, other = (person.cache(CLOUDS["global"], tenant, "c") for tenant in ("t", "u"))
    assert one.kept == f"encrypted, at {home / 'awsfed'}"
    assert one.store._persistence.location != other.store._persistence.location
    assert stat.S_IMODE((home / "awsfed").stat().st_mode) == 0o700


def test_sandbox_leaves_nothing_on_disk(home):
    cloud = Cloud("sandbox", "https://127.0.0.1:1", "https://127.0.0.1:1", "aws", "", "ca.pem")
    assert "sandbox" in person.cache(cloud, "t", "c").kept
    assert list(home.iterdir()) == []
