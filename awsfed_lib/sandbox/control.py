"""/sandbox/…: the switches, the log of requests, a fresh start, and the person who completes a device code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from awsfed_lib.sandbox.entra import interactive
from awsfed_lib.sandbox.entra.wire import JSON, Answer, Ask
from awsfed_lib.sandbox.store import Tenant

Body = Mapping[str, Any]


class Control:
    """Answers what is about the sandbox itself. No token is asked for: it listens on loopback only.

    GET, POST /sandbox/switches: the switches, or some of them as a JSON object. GET, DELETE /sandbox/requests: the log of requests.
    POST /sandbox/reset: the world as it was at first. POST /sandbox/device-code: see `interactive.complete_device`. POST
    /sandbox/permissions {client, permissions}: see `Tenant.permit`. POST /sandbox/time {minutes}: lets them pass at once.
    GET /sandbox/health. A whole sandbox offers POST /sandbox/saml-response as well (`serve.Sandbox`).
    `before_reset` holds functions to call when the world starts afresh.
    """

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.before_reset: list[Callable[[], None]] = []
        self._routes: dict[tuple[str, str], Callable[[Body], Any]] = {
            ("GET", "switches"): lambda _: asdict(tenant.switches),
            ("POST", "switches"): self._switch,
            ("GET", "requests"): lambda _: {"requests": list(tenant.requests)},
            ("DELETE", "requests"): lambda _: tenant.requests.clear(),
            ("POST", "reset"): self._reset,
            ("POST", "device-code"): lambda body: interactive.complete_device(tenant, body),
            ("POST", "time"): lambda body: {"now": tenant.pass_time(60.0 * float(body["minutes"])).isoformat()},
            ("POST", "permissions"): lambda body: tenant.permit(str(body["client"]), body["permissions"]),
            ("GET", "health"): lambda _: {"tenant_id": tenant.id},
        }

    def offer(self, name: str, answer: Callable[[Body], Any]) -> None:
        """Answer POST /sandbox/`name` with what `answer` returns for the body. It raises ValueError or KeyError for what is wrong."""
        self._routes["POST", name] = answer

    def answer(self, ask: Ask) -> Answer:
        """The answer to one request: JSON, or 204 when there is nothing to say; 400 names what is wrong."""
        route = self._routes.get((ask.method, ask.path.removeprefix("/sandbox/")))
        if route is None:
            return _problem(404, f"The sandbox does not serve {ask.method} {ask.path}.")
        try:
            with self.tenant.lock:
                value = route(_body(ask))
        except (ValueError, KeyError) as error:
            return _problem(400, str(error.args[0]) if error.args else type(error).__name__)
        return Answer(204) if value is None else Answer(200, value, {"Content-Type": JSON})

    def _switch(self, body: Body) -> Any:
        self.tenant.switches = self.tenant.switches.changed(body)
        return asdict(self.tenant.switches)

    def _reset(self, _body: Body) -> None:
        for function in self.before_reset:
            function()
        self.tenant.reset()


def _body(ask: Ask) -> Body:
    value = json.loads(ask.body) if ask.body else {}
    if not isinstance(value, dict):
        raise ValueError("The body must be a JSON object.")  # noqa: TRY004  answered as a wrong value
    return value


def _problem(status: int, text: str) -> Answer:
    return Answer(status, {"problem": text}, {"Content-Type": JSON})
