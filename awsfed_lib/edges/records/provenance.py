"""What a run was made of: version, commit, packages, the notebook's own digest; and who ran it, on which host. No paths."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("boto3", "botocore", "ipykernel", "msal", "nbclient", "nbconvert", "pandas", "papermill", "pydantic", "requests")
_GIT_SECONDS = 5


# docs.github.com actions/reference/variables-reference, docs.gitlab.com ci/variables/predefined_variables,
# learn.microsoft.com azure/devops/pipelines/build/variables, jupyterhub.readthedocs.io reference/services
ACTORS = {
    "GITHUB_ACTIONS": ("GitHub Actions", ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR")),
    "GITLAB_CI": ("GitLab CI", ("GITLAB_USER_LOGIN",)),
    "TF_BUILD": ("Azure Pipelines", ("BUILD_REQUESTEDFOREMAIL", "BUILD_REQUESTEDFOR")),
    "JUPYTERHUB_USER": ("JupyterHub", ("JUPYTERHUB_USER",)),
}
"""By the variable that a system sets for every job: its name, and the variables that name the person who started it."""


def ran_by(environment: Mapping[str, str]) -> dict[str, str]:
    """Return who runs this process: `user` of the operating system, `host`, and `actor` where a CI system or JupyterHub names one."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        user = str(getattr(os, "getuid", lambda: "")())
    actors = [
        f"{environment[name]} ({system})"
        for mark, (system, names) in ACTORS.items()
        if environment.get(mark)
        for name in names
        if environment.get(name)
    ]
    return {"user": user, "host": platform.node()} | ({"actor": actors[0]} if actors else {})


def version() -> str:
    """Return the version of awsfed; that of the sources when it is not installed."""
    return _version("awsfed") or "sources"


def packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that did the work."""
    found = {name: _version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **{name: version for name, version in found.items() if version}}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def commit(root: Path) -> dict[str, Any] | None:
    """Return the commit of the clone at `root` and whether anything differs from it; None outside of a clone."""
    if not (root / ".git").exists():
        return None
    sha, changed = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--untracked-files=no")
    return None if sha is None or changed is None else {"commit": sha, "dirty": bool(changed)}


def _git(root: Path, *arguments: str) -> str | None:
    """Ask git, without locks, hooks or prompts; None when it has no answer."""
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_SECONDS, env=quiet, check=True)  # noqa: S603  fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return asked.stdout.strip()


def notebook_digest(path: Path) -> str:
    """Return the SHA-256 of the sources of all cells: what was executed, whatever outputs or metadata say."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()
