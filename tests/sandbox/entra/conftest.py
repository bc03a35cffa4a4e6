"""The sample tenant in process: a client per registration, a clock that tests move."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import entra_sample
import pytest
import requests
from werkzeug.test import Client, TestResponse

from awsfed_lib.sandbox.entra import interactive, issuing
from awsfed_lib.sandbox.front import Front
from awsfed_lib.sandbox.keys import KeyRing
from awsfed_lib.sandbox.server import Server
from awsfed_lib.sandbox.store import Tenant
from awsfed_lib.sandbox.tls import Authority


class Clock:
    """The time, as the test wants it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Reply:
    """Status, decoded JSON (None without a body) and headers."""

    status: int
    json: Any
    headers: dict[str, str]
    text: str

    @property
    def error(self) -> tuple[int, str, str]:
        return self.status, self.json["error"]["code"], self.json["error"]["message"]


class GraphClient:
    """Requests to /v1.0 with the token of one client, or of a person."""

    def __init__(self, front: Front, token: str) -> None:
        self.http, self.token = Client(front), token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        kind = "application/json" if body is not None else None
        full = path if path.startswith(("/v1.0", "/beta", "http")) else f"/v1.0{path}"
        return reply(self.http.open(full, method=method, data=content, content_type=kind, headers=sent))

    def get(self, path: str, **headers: str) -> Reply:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Reply:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str) -> Reply:
        return self("DELETE", path)

    def value(self, path: str, **headers: str) -> list[dict[str, Any]]:
        found = self.get(path, **headers)
        assert found.status == 200, found.text
        return list(found.json["value"])


def reply(response: TestResponse) -> Reply:
    text = response.get_data(as_text=True)
    value = json.loads(text) if text and "json" in (response.content_type or "") else None
    return Reply(response.status_code, value, dict(response.headers), text)


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    return KeyRing()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world() -> dict[str, Any]:
    return entra_sample.world()


@pytest.fixture
def tenant(world: dict[str, Any], clock: Clock, ring: KeyRing) -> Tenant:
    return Tenant(world, clock=clock, keys=ring)


@pytest.fixture
def front(tenant: Tenant) -> Front:
    return Front(tenant)


As = Callable[[str], GraphClient]


@pytest.fixture
def signed_in(front: Front, tenant: Tenant) -> As:
    """A client by appId."""

    def sign_in(app_id: str) -> GraphClient:
        made = issuing.for_application(tenant, tenant.client_credentials(app_id), "https://graph.microsoft.com")
        return GraphClient(front, made["access_token"])

    return sign_in


@pytest.fixture
def reader(signed_in: As) -> GraphClient:
    return signed_in(entra_sample.READER)


@pytest.fixture
def writer(signed_in: As) -> GraphClient:
    return signed_in(entra_sample.WRITER)


Person = Callable[..., GraphClient]


@pytest.fixture
def person(front: Front, tenant: Tenant) -> Person:
    """Anna, signed in with the writer registration; `wids` are her directory roles."""

    def sign_in(*wids: str, app_id: str = entra_sample.WRITER) -> GraphClient:
        anna = interactive.person(tenant, entra_sample.ANNA, wids)
        scope = issuing.Scope.parse("https://graph.microsoft.com/.default", "")
        made = issuing.for_person(tenant, tenant.client_credentials(app_id), anna, scope, "issuer")
        return GraphClient(front, made["access_token"])

    return sign_in


@dataclass(frozen=True)
class Served:
    """The tenant behind real TLS, on the real clock, with a requests session that trusts its CA and no environment."""

    tenant: Tenant
    url: str
    ca_file: Path
    http: requests.Session

    @property
    def authority(self) -> str:
        return f"{self.url}/{self.tenant.id}"


@pytest.fixture
def served(world: dict[str, Any], ring: KeyRing, tmp_path: Path) -> Iterator[Served]:
    authority, tenant = Authority(), Tenant(world, keys=ring)
    with Server(Front(tenant), authority.server_context()) as server, requests.Session() as http:
        http.trust_env, http.verify = False, str(authority.write(tmp_path / "ca.pem"))
        yield Served(tenant, server.url, tmp_path / "ca.pem", http)
