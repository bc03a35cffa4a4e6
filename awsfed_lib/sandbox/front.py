"""The front of the Entra ID side: one WSGI application for sign-in, Graph and the sandbox's own endpoints, with a log of what came."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from awsfed_lib.sandbox.control import Control
from awsfed_lib.sandbox.entra import managed
from awsfed_lib.sandbox.entra.wire import Ask, body_of
from awsfed_lib.sandbox.graph import VERSIONS, GraphApp
from awsfed_lib.sandbox.login import LoginApp
from awsfed_lib.sandbox.store import Tenant

MANAGED_IDENTITY_PATH = "/msi/token"


class Front:
    """Everything of one tenant. `graph` and `login` can be replaced by wrapped ones: a fault injector is a WSGI middleware there."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.graph: WSGIApplication = GraphApp(tenant)
        self.sign_in = LoginApp(tenant)
        self.login: WSGIApplication = self.sign_in
        self.control = Control(tenant)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI: reads the body whole, hands the request on, notes it in the log with the status of its answer."""
        body = body_of(environ)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
        environ.pop("wsgi.input_terminated", None)
        noted = self._note(environ, body)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            noted["status"] = int(status.split(" ", 1)[0])
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return self._app(environ)(environ, start)

    def _note(self, environ: WSGIEnvironment, body: bytes) -> dict[str, Any]:
        ask = Ask.of({**environ, "wsgi.input": io.BytesIO(body)})
        noted = {
            "method": ask.method,
            "path": ask.target,
            "status": 0,
            "body_sha256": hashlib.sha256(body).hexdigest() if body else "",
            "authorization": bool(ask.headers.get("authorization")),
            "client_request_id": ask.headers.get("client-request-id", ""),
        }
        if not ask.path.startswith("/sandbox/"):
            self.tenant.requests.append(noted)
        return noted

    def _app(self, environ: WSGIEnvironment) -> WSGIApplication:
        path = environ.get("PATH_INFO", "/")
        if path.lstrip("/").split("/", 1)[0] in VERSIONS:
            return self.graph
        return self._own if path.startswith("/sandbox/") or path == MANAGED_IDENTITY_PATH else self.login

    def _own(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        ask = Ask.of(environ)
        answer = managed.answer(self.tenant, ask) if ask.path == MANAGED_IDENTITY_PATH else self.control.answer(ask)
        return answer.to_wsgi(start_response)
