"""A whole sandbox: the Entra ID side over HTTPS, the AWS side over HTTP, and the file by which clients find both.

Everything listens on 127.0.0.1 only, is made from a seed, and is gone when the process ends; the file is written for its
owner only, and is taken away again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.entra import aadsts, interactive
from awsfed_lib.sandbox.entra.templates import is_aws
from awsfed_lib.sandbox.faults.injector import Injector, aws_faults, entra_faults
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.org import Kind, world
from awsfed_lib.sandbox.server import Server
from awsfed_lib.sandbox.store import Tenant
from awsfed_lib.sandbox.switches import Cloud, Switches
from awsfed_lib.sandbox.tls import Authority

FILE = "sandbox.json"
SEED, ACCOUNTS = 1, 24


@dataclass(frozen=True)
class Size:
    """What world to serve: same size, same world. `ports`: Entra ID and AWS; 0 takes a free one.

    `world`: "messy", or "empty" before the first step of the tutorial. `cloud`: Microsoft's, see `Switches`.
    """

    seed: int = SEED
    accounts: int = ACCOUNTS
    partition: str = "aws"
    ports: tuple[int, int] = (0, 0)
    world: Kind = "messy"
    cloud: Cloud = "global"


class Sandbox:
    """A running sandbox; a context manager. `tenant` and `org` are its two sides, in process, with `entra_faults` and `aws_faults` before them."""

    def __init__(self, folder: Path, size: Size = Size()) -> None:
        """Serve the world of `size`, and describe it in `folder`/sandbox.json. Raises OSError when a port is taken."""
        self.world = world(size.seed, size.accounts, partition=size.partition, kind=size.world)
        self.tenant = Tenant(self.world["tenant"], Switches(cloud=size.cloud))
        issued = self.tenant.metadata
        self.org = Org(
            self.world["org"], lambda app, which: issued(app, "stale" if which == "stale" else "current"), clock=self.tenant.clock
        )
        self.folder = folder
        authority = Authority()
        self.entra_faults, self.aws_faults = entra_faults(self.tenant), aws_faults()
        front = Front(self.tenant)
        front.control.before_reset.append(self.entra_faults.clear)
        front.control.offer("saml-response", self._response)
        front.sign_in.issue_with(self._issued)
        self.entra = Server(Injector(front, self.entra_faults), authority.server_context(), size.ports[0])
        self.aws = Server(Injector(self.org.app, self.aws_faults), port=size.ports[1])
        self.own = folder / f"{os.getpid()}-{self.entra.port}"
        self.own.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority.write(self.own / "ca.pem")
        self._described, self._before = json.dumps(self._description(), indent=1).encode(), _content(folder / FILE)
        self.file = _private(folder / FILE, self._described)

    def _description(self) -> dict[str, Any]:
        hub = self.org.credentials["hub"]
        return {
            "tenant_id": self.tenant.id,
            "login_url": self.entra.url,
            "graph_url": self.entra.url,
            "aws_url": self.aws.url,
            "ca_file": str(self.own / "ca.pem"),
            "clients": {client["displayName"].removeprefix("awsfed "): self._client(client["appId"]) for client in self._clients},
            "aws": {
                "access_key_id": hub.access_key,
                "secret_access_key": hub.secret,
                "region": self.org.cloud.place.region,
            },
            "application_id": self.world["tenant"]["main"],
            "management": self.world["org"]["management"],
            "partition": self.world["org"]["partition"],
            "cloud_like": self.tenant.switches.cloud,
        }

    @property
    def _clients(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.world["tenant"]["clients"]
        return found

    def _client(self, app_id: str) -> dict[str, str]:
        pem = self.tenant.client_credentials(app_id).pair.pem
        return {"client_id": app_id, "certificate_file": str(_private(self.own / f"{app_id}.pem", pem))}

    @property
    def application_id(self) -> str:
        """The service principal of the world's main application; where it had none, of the first that was set to SAML or made for AWS."""
        principals = self.tenant.tables["servicePrincipals"]
        added = (
            key
            for key, record in principals.items()
            if record["preferredSingleSignOnMode"] == "saml" or is_aws(record["applicationTemplateId"])
        )
        return str(self.world["tenant"]["main"] or next(added, ""))

    def can_sign_in(self, user_id: str, role_arn: str, application_id: str = "") -> tuple[bool, str]:
        """Whether the user can sign in to that role now, by a signed SAML response; and if not, why not."""
        application = application_id or self.application_id
        if not application:
            return False, "The tenant has no application for AWS."
        return saml.can_sign_in(self.tenant, self.org, user_id, application, role_arn, signs=self.tenant.switches.saml_signs)

    def _response(self, body: Mapping[str, Any]) -> dict[str, str]:
        """POST /sandbox/saml-response {"user": id or principal name}: the SAMLResponse that My Apps would post to AWS now."""
        user = interactive.person(self.tenant, str(body.get("user", "")), ()).record["id"]
        try:
            return {"saml_response": self._issued(self.application_id, user)}
        except aadsts.SignInRefused as refused:
            raise ValueError(f"AADSTS{refused.code}: {refused.text}") from None

    def _issued(self, application: str, user: str, recipient: str = "") -> str:
        """The SAMLResponse for that user, and the entry in the sign-in log. Raises aadsts.SignInRefused."""
        signs = self.tenant.switches.saml_signs
        try:
            made = saml.response(self.tenant, application, user, recipient=recipient, now=self.tenant.clock(), signs=signs)
        except saml.SignInRefused as refused:
            code = int(refused.code.removeprefix("AADSTS"))
            self.tenant.signed_in(user, application, code)
            raise aadsts.SignInRefused("interaction_required", code, refused.message) from None
        self.tenant.signed_in(user, application)
        return made

    def close(self) -> None:
        """Stop serving, and take the throw-away keys and the description away, unless it is that of another sandbox in this folder by now.

        One that was described there before, and still runs, is described again.
        """
        self.entra.close()
        self.aws.close()
        shutil.rmtree(self.own, ignore_errors=True)
        if _content(self.file) != self._described:
            return
        if self._before and Path(json.loads(self._before)["ca_file"]).exists():
            _private(self.file, self._before)
        else:
            self.file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _private(path: Path, content: bytes) -> Path:
    """Write a file that only its owner can read, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return path
