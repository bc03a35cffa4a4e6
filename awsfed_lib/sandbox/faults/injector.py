"""Stands before an application and lets the planned faults come about; `/sandbox/faults` is where they are planned from outside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from awsfed_lib.sandbox.entra.wire import JSON, Answer, Ask
from awsfed_lib.sandbox.faults import actors, aws_refusals, bodies, items, refusals, wire_faults
from awsfed_lib.sandbox.faults.passage import Passage
from awsfed_lib.sandbox.faults.plan import Faults
from awsfed_lib.sandbox.store import Tenant

OWN, PATH = "/sandbox/", "/sandbox/faults"


def entra_faults(tenant: Tenant) -> Faults:
    """Every fault of the Entra ID side; those that act as somebody else act on `tenant`."""
    faults = Faults({**wire_faults.MODES, **refusals.MODES, **bodies.MODES, **items.MODES})
    faults.modes |= actors.modes(tenant)
    return faults


def aws_faults() -> Faults:
    """Every fault of the AWS side."""
    return Faults({**wire_faults.MODES, **aws_refusals.MODES, "twice": bodies.MODES["twice"]})


class Injector:
    """A WSGI application before another one. The sandbox's own paths meet no faults.

    GET /sandbox/faults: plan and what came about. POST: a plan, as a list of {mode, match, nth, times} and
    {seed, rate, modes, match, times}, or one of them alone. DELETE: no faults.
    """

    def __init__(self, app: WSGIApplication, faults: Faults) -> None:
        self.app, self.faults = app, faults

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI. Raises Broken, which the sandbox's server turns into the end of the connection."""
        path = environ.get("PATH_INFO", "/")
        if path == PATH:
            return self._own(Ask.of(environ)).to_wsgi(start_response)
        if path.startswith(OWN) or not (self.faults.rules or self.faults.ended):
            return self.app(environ, start_response)
        passage = Passage(environ, self.app, self.faults)
        reply = refusals.ended(passage) or self.faults.modes[self.faults.take(passage.line) or "f"](passage)
        start_response(reply.status, reply.headers)
        return [reply.content]

    def _own(self, ask: Ask) -> Answer:
        try:
            if ask.method == "POST":
                given = json.loads(ask.body)
                self.faults.plan(*(given if isinstance(given, list) else [given]))
            elif ask.method == "DELETE":
                self.faults.clear()
        except ValueError as wrong:
            return Answer(400, {"problem": str(wrong)}, {"Content-Type": JSON})
        return Answer(200, self.faults.state, {"Content-Type": JSON})
