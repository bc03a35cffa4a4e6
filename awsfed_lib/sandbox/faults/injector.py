"""Stands before an application and lets the planned faults come about; `/sandbox/faults` is where they are planned from outside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from awsfed_lib.sandbox.entra.tokens import LOOPBACK
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
        if path.startswith(OWN):
            return self._of_the_sandbox(environ, start_response)
        if not (self.faults.rules or self.faults.ended):
            return self.app(environ, start_response)
        passage = Passage(environ, self.app, self.faults)
        reply = refusals.ended(passage) or self.faults.modes[self.faults.take(passage.line) or "f"](passage)
        start_response(reply.status, reply.headers)
        return [reply.content]

    def _of_the_sandbox(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Control of this sandbox, for programs of this machine: a page of another origin that a browser shows here has no say."""
        ask = Ask.of(environ)
        strange = _strange(ask)
        if strange:
            return Answer(403, {"problem": strange}, {"Content-Type": JSON}).to_wsgi(start_response)
        if ask.path == PATH:
            return self._own(ask).to_wsgi(start_response)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(ask.body), str(len(ask.body))
        environ.pop("wsgi.input_terminated", None)
        return self.app(environ, start_response)

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


def _strange(ask: Ask) -> str:
    """Why a request to the sandbox's own paths is refused, "" when it is not.

    A name that leads here without being loopback is how a web page reaches a server of this machine (DNS rebinding), an Origin is how its
    requests are marked, and a body that is not told as JSON is one that browsers send without asking first.
    """
    if urlsplit(ask.root).hostname not in LOOPBACK:
        return f"The sandbox is controlled as {' or '.join(sorted(LOOPBACK))}, not as {urlsplit(ask.root).hostname}."
    if ask.headers.get("origin", ask.root) != ask.root:
        return f"The sandbox is not controlled from {ask.headers['origin']}."
    return "" if not ask.body or JSON in ask.headers["content-type"] else f"The body must come as {JSON}."
