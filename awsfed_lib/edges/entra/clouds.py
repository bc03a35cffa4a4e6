"""The national clouds of Entra ID, and the sandbox as one more cloud.

Hosts are learn.microsoft.com graph/deployments; tokens of one cloud are worth nothing in another. The sandbox describes
itself in a file that `awsfed sandbox` writes; only loopback addresses are accepted from it, so that a planted file cannot
send a sign-in anywhere else.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError

from awsfed_lib.core.errors import ParameterError

SANDBOX = "sandbox"


@dataclass(frozen=True)
class Cloud:
    """One cloud: where to sign in, where Graph is, and the AWS partition that usually stands on the other side.

    `federation_audience`: the audience that Entra expects in the assertion of a federated workload
    (learn.microsoft.com entra/workload-id/workload-identity-federation-create-trust).
    `ca_file`: the only authority that is trusted, "" for the system's own. `like`: the cloud whose laws a sandbox follows.
    """

    name: str
    login_url: str
    graph_url: str
    partition: str
    federation_audience: str
    ca_file: str = ""
    like: str = ""

    @property
    def laws(self) -> str:
        """The cloud whose laws hold: its own, but for a sandbox."""
        return self.like or self.name

    def authority(self, tenant_id: str) -> str:
        """Return the address at which one tenant signs in."""
        return f"{self.login_url}/{tenant_id}"


def _national(name: str, hosts: tuple[str, str], partition: str, audience: str) -> Cloud:
    return Cloud(name, f"https://{hosts[0]}", f"https://{hosts[1]}", partition, f"api://AzureADTokenExchange{audience}")


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {
        cloud.name: cloud
        for cloud in (
            _national("global", ("login.microsoftonline.com", "graph.microsoft.com"), "aws", ""),
            _national("usgov", ("login.microsoftonline.us", "graph.microsoft.us"), "aws-us-gov", "USGov"),
            _national("usgov-dod", ("login.microsoftonline.us", "dod-graph.microsoft.us"), "aws-us-gov", "USGov"),
            _national("china", ("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"), "aws-cn", "China"),
        )
    }
)


def _loopback(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or parts.username or not (host == "localhost" or _is_loopback(host)):
        raise ValueError("it is not a loopback address")
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _over_tls(url: str) -> str:
    if urlsplit(url).scheme != "https":
        raise ValueError("it is not https")
    return url


Loopback = Annotated[str, AfterValidator(_loopback)]
LoopbackTls = Annotated[Loopback, AfterValidator(_over_tls)]


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, strict=True)


class SandboxClient(_Described):
    """An app registration of the sandbox, and the certificate that it signs in with."""

    client_id: str
    certificate_file: str


class SandboxKeys(_Described):
    """Throw-away AWS credentials of the sandbox; worth nothing anywhere else."""

    access_key_id: str
    secret_access_key: SecretStr
    region: str = "us-east-1"


class Sandbox(_Described):
    """A running sandbox, as `.sandbox/sandbox.json` describes it."""

    tenant_id: str
    login_url: LoopbackTls
    graph_url: LoopbackTls
    aws_url: Loopback
    ca_file: str
    clients: dict[str, SandboxClient]
    aws: SandboxKeys
    application_id: str
    management: str
    partition: str = "aws"
    cloud_like: str = "global"

    @property
    def cloud(self) -> Cloud:
        """The sandbox as a cloud."""
        audience = "api://AzureADTokenExchange"
        return Cloud(SANDBOX, self.login_url, self.graph_url, self.partition, audience, self.ca_file, self.cloud_like)

    def certificate_of(self, client_id: str) -> str:
        """Return the certificate file of one of its app registrations, "" when it is none of them."""
        found = (client.certificate_file for client in self.clients.values() if client.client_id == client_id)
        return next(found, "")


def sandbox(file: Path | None = None) -> Sandbox:
    """Read the description of the running sandbox from `file`, by default the one under the root.

    Raises ParameterError when there is none, when others may write it, or when it names an address off this machine.
    """
    path = file or _default_file()
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise ParameterError(
            "The sandbox is not running: its description is not there.", where=str(path), remedy="Start it: awsfed sandbox"
        ) from None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ParameterError("Others may write the description of the sandbox.", where=str(path), remedy=f"chmod 600 {path}")
    return _described(path, text)


def _described(path: Path, text: str) -> Sandbox:
    try:
        return Sandbox.model_validate_json(text)
    except ValidationError as failure:
        wrong = "; ".join(f"{'.'.join(map(str, error['loc'])) or 'file'}: {error['msg']}" for error in failure.errors(include_input=False))
    raise ParameterError(f"The description of the sandbox cannot be trusted: {wrong}.", where=str(path), remedy="Start the sandbox again.")


def _default_file() -> Path:
    from awsfed_lib.edges.records import where

    return where.sandbox_file()


def named(name: str, file: Path | None = None) -> Cloud:
    """Return the cloud called `name`: global, usgov, usgov-dod, china or sandbox (then `file` describes it).

    Raises ParameterError for any other name.
    """
    if name == SANDBOX:
        return sandbox(file).cloud
    if name not in CLOUDS:
        raise ParameterError(f"There is no cloud {name!r}.", remedy=f"Take one of {', '.join((*CLOUDS, SANDBOX))}.")
    return CLOUDS[name]
