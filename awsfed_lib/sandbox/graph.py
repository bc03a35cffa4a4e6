"""Microsoft Graph as a WSGI application: where a request enters, is identified, charged, permitted and answered."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from wsgiref.types import StartResponse, WSGIEnvironment

from awsfed_lib.sandbox.entra import (
    applications,
    assignments,
    audit,
    batch,
    catalogue,
    groups,
    instantiating,
    jobs,
    members,
    people,
    policies,
    policywriting,
    portal,
    principals,
    signing,
    signins,
)
from awsfed_lib.sandbox.entra.identifiers import is_guid
from awsfed_lib.sandbox.entra.query import ODATA
from awsfed_lib.sandbox.entra.refusals import Refusal, bad_request, throttled
from awsfed_lib.sandbox.entra.routing import Call, Route, Router
from awsfed_lib.sandbox.entra.timestamps import bare, http_date
from awsfed_lib.sandbox.entra.tokens import Caller, TokenReader
from awsfed_lib.sandbox.entra.wire import Answer, Ask, Segment
from awsfed_lib.sandbox.store import Tenant

VERSIONS = ("v1.0", "beta")
FAMILIES = (
    principals,
    signing,
    applications,
    instantiating,
    assignments,
    groups,
    members,
    people,
    policies,
    policywriting,
    portal,
    catalogue,
    jobs,
    audit,
    signins,
    batch,
)
DIAGNOSTIC = {"ServerInfo": {"DataCenter": "Sandbox", "Slice": "E", "Ring": "1", "ScaleUnit": "000", "RoleInstance": "SANDBOX0000"}}


@dataclass(frozen=True)
class Identity:
    """The ids of one request, and when it came."""

    request_id: str
    client_request_id: str
    moment: datetime

    @classmethod
    def of(cls, ask: Ask, moment: datetime) -> Identity:
        """A new id; the client's own when it sent a GUID, otherwise the same one (learn.microsoft.com/graph/best-practices-concept)."""
        own, theirs = str(uuid.uuid4()), ask.headers.get("client-request-id", "")
        return cls(own, theirs if is_guid(theirs) else own, moment)

    @property
    def in_error(self) -> dict[str, str]:
        """What an innerError repeats."""
        return {"date": bare(self.moment), "request-id": self.request_id, "client-request-id": self.client_request_id}

    @property
    def headers(self) -> dict[str, str]:
        """What every answer carries."""
        return {
            "request-id": self.request_id,
            "client-request-id": self.client_request_id,
            "Date": http_date(self.moment),
            "x-ms-ags-diagnostic": json.dumps(DIAGNOSTIC, separators=(",", ":")),
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
        }


class GraphApp:
    """Serves /v1.0 and /beta of one tenant. `answer` is the one place where a request enters, from the wire or from a batch."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._tokens = TokenReader(tenant.keys.key("token").public_key(), tenant.id)
        self._router = Router(route for family in FAMILIES for route in family.ROUTES)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        return self.answer(Ask.of(environ)).to_wsgi(start_response)

    def answer(self, ask: Ask) -> Answer:
        """The answer to one request; a refusal becomes the error envelope."""
        identity = Identity.of(ask, self.tenant.clock())
        try:
            with self.tenant.lock:
                answer = self._answer(ask, identity)
        except Refusal as refusal:
            answer = Answer(refusal.status, refusal.body(identity.in_error), {**ODATA, **refusal.headers})
        return Answer(answer.status, answer.body, {**answer.headers, **identity.headers})

    def _answer(self, ask: Ask, identity: Identity) -> Answer:
        version, route, keys, caller = self._identify(ask, identity)
        metered = self._charge(ask, route, caller, identity)
        call = Call(self.tenant, ask, caller, keys, route.pattern.partition("/")[0], version, identity.request_id, self.answer)
        try:
            call.require(route.rule)
            answer = route.handler(call)
        except Refusal as refusal:
            refusal.headers = {**metered, **refusal.headers}
            raise
        return Answer(answer.status, answer.body, {**answer.headers, **metered})

    def _identify(self, ask: Ask, identity: Identity) -> tuple[str, Route, tuple[Segment, ...], Caller]:
        """Version, route, keys and caller: a bad token is told before a bad path."""
        segments = ask.segments
        version = str(segments[0]) if segments else ""
        if version not in VERSIONS:
            raise bad_request(f"Invalid version: {version}", "BadRequest")
        caller = self._tokens.caller(ask.headers.get("authorization", ""), identity.moment)
        route, keys = self._router.find(ask.method, segments[1:])
        return version, route, keys, caller

    def _charge(self, ask: Ask, route: Route, caller: Caller, identity: Identity) -> Mapping[str, str]:
        """Headers about the price. Raises Refusal (429) when the budget is used up; an envelope is free, its requests are not."""
        if route.pattern == "$batch":
            return {}
        who, switches = (caller.app_id, self.tenant.id), self.tenant.switches
        verdict = self.tenant.meter.charge(who, route.charge(ask), switches, identity.moment)
        if verdict.refused:
            raise throttled(verdict.headers, bare(identity.moment), identity.request_id)
        return verdict.headers
