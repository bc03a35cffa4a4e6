"""The person at the notebook: whether somebody can answer, what is said, and where the person's tokens are kept.

A token cache on disk is encrypted by the system's key store (msal-extensions) or it does not exist; a plaintext file is
never written (learn.microsoft.com entra/msal/python/advanced/msal-python-token-cache-serialization).
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msal
import msal_extensions

from awsfed_lib.edges.entra.clouds import SANDBOX, Cloud
from awsfed_lib.edges.records.progress import TERMINAL


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Person:
    """Somebody who reads what is said and can act on it."""

    say: Callable[[str], None] = _write


def present() -> Person | None:
    """Find the person in front of this process; None when nobody can answer (papermill, cron, a pipe).

    A kernel knows it from its front end: JupyterLab says that it can ask for input, nbclient and papermill say that they
    cannot (jupyter-client.readthedocs.io messaging: allow_stdin). `awsfed run` on a terminal shows what its kernel says, and
    tells the kernel so by TERMINAL: a code and a browser need no input here.
    """
    kernel = _kernel()
    if kernel is not None:
        return Person() if getattr(kernel, "_allow_stdin", False) or os.environ.get(TERMINAL) else None
    return Person() if sys.stdin and sys.stdin.isatty() else None


def _kernel() -> Any:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None)


class Cache(NamedTuple):
    """Where the tokens of a person live, and how that is said."""

    store: msal.TokenCache
    kept: str


def cache(cloud: Cloud, tenant_id: str, client_id: str) -> Cache:
    """Make an encrypted cache for real clouds where the system has a key store; else tokens live in memory only.

    One a tenant and client, so that nobody is taken for the person of another tenant.
    """
    if cloud.name == SANDBOX:
        return Cache(msal.TokenCache(), "in memory only: it is the sandbox")
    folder = _folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = msal_extensions.build_encrypted_persistence(str(folder / f"tokens-{cloud.name}-{_short(tenant_id, client_id)}"))
    except Exception as failure:  # noqa: BLE001  each system's key store fails in its own way, and none of them is a reason to stop
        return Cache(msal.TokenCache(), f"in memory only: this system offers no key store ({type(failure).__name__})")
    if not store.is_encrypted:
        return Cache(msal.TokenCache(), "in memory only: this system offers no encryption")
    return Cache(msal_extensions.PersistedTokenCache(store), f"encrypted, at {folder}")


def _short(*names: str) -> str:
    return hashlib.sha256("/".join(names).encode()).hexdigest()[:16]


def _folder() -> Path:
    """Return the user's cache folder; never a folder of runs or records."""
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "awsfed"
