"""A kernel of one's own: private sockets, this very Python, and of the environment only what a runbook needs.

TCP ports are chosen before they are bound, so kernels that start together collide, and other users of the machine may
read what passes (github.com/jupyter/jupyter_client issue 487, ipykernel pull request 1515); sockets in a folder of mode
0700 have neither fault. A kernel inherits every variable of its parent otherwise, tokens of other tools included.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from awsfed_lib.doors.processes import folder_for_sockets
from awsfed_lib.doors.sown import Sown
from awsfed_lib.edges.alerts.targets import without
from awsfed_lib.edges.records.signing import KEY_VARIABLE, PASSWORD_VARIABLE

ALWAYS = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SYSTEMDRIVE",
    "USERPROFILE", "APPDATA", "LOCALAPPDATA", "COMSPEC", "PATHEXT", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONUTF8", "PYTHONIOENCODING", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER",
    "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR",
})  # fmt: skip
PROXIES = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
})  # fmt: skip
SIGN_IN = ("AWS_", "AZURE_", "IDENTITY_", "IMDS_", "MSI_", "ACTIONS_ID_TOKEN_REQUEST_")
_OURS = ("AWSFED_", "LC_")


def environment(given: Mapping[str, str], cloud: str, named: Collection[str] = ()) -> dict[str, str]:
    """Return the variables of `given` that a kernel gets: those of the system and ours, and for real clouds more.

    Real clouds get sign-in, proxies, and what the parameter file has `named`, such as for the credential helper of an AWS profile.
    A run against the sandbox gets no real credentials, so that it cannot reach anything real. No kernel gets the addresses of
    alerts, which are passwords, nor the key that signs records: both are for the runner, after it.
    """
    real = cloud != "sandbox"
    return {
        name: value
        for name, value in without(given).items()
        if name not in (KEY_VARIABLE, PASSWORD_VARIABLE)
        and (name.upper() in ALWAYS
        or name.startswith(_OURS)
        or (real and (name.upper() in PROXIES or name in named or name.startswith(SIGN_IN))))
    }  # fmt: skip


def common(given: Mapping[str, str]) -> dict[str, str]:
    """Return what all kernels have alike: the variables of the system, none for sign-in and none of ours, and where awsfed lies."""
    system = {name: value for name, value in environment(given, "sandbox").items() if not name.startswith("AWSFED_")}
    return {**system, **own_package(given)}


def own_package(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variable by which a kernel finds the same awsfed as is running here."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), given.get("PYTHONPATH", ""))))}


class PrivateKernelManager(AsyncKernelManager):
    """Starts kernels of this Python, over sockets in `folder`, with `variables` as their whole environment; or lets `sown` become one."""

    folder: ClassVar[Path]
    variables: ClassVar[Mapping[str, str]]
    sown: ClassVar[Sown | None] = None

    def __init__(self, **options: Any) -> None:
        place = {"connection_file": str(self.folder / "kernel.json")}
        ipc = {} if sys.platform == "win32" else {"transport": "ipc", "ip": str(self.folder / "s")}
        super().__init__(**{**options, **place, **ipc})

    @property
    def kernel_spec(self) -> KernelSpec:
        """This Python, whatever kernel of that name is installed for the user: the runner and the kernel are one version."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", metadata={"supported_encryption": "curve"})

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        return await super()._async_pre_start_kernel(**{**options, "env": dict(self.variables)})

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        if self.sown is None:
            await super()._async_launch_kernel(kernel_cmd, **options)
            return
        self.sown.grow(kernel_cmd[kernel_cmd.index("-m") + 1 :], options["cwd"], options["env"])
        local: Any = self.provisioner
        local.process = self.sown
        local.pid = local.pgid = self.sown.pid
        self._reconcile_connection_info(local.connection_info)


@contextmanager
def private(variables: Mapping[str, str], sown: Sown | None = None) -> Iterator[type[PrivateKernelManager]]:
    """Give a kernel manager class with a folder of its own, which is gone afterwards with everything IPython left in it."""
    with tempfile.TemporaryDirectory(prefix="awsfed-", dir=folder_for_sockets(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        own = {**variables, "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": name}
        yield type("OwnKernelManager", (PrivateKernelManager,), {"folder": folder, "variables": own, "sown": sown})
