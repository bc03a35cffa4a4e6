"""Microsoft Graph over one session: a fresh token on every request, retries for reads, and never a guess about a write.

`attempt` sends once (twice when the token was not accepted, which means that nothing was carried out). `fetch` is for
reads and tries again on 429, 5xx and broken connections. What to do about a write is decided above, by `writes`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import requests
import urllib3.exceptions as u3
from requests.structures import CaseInsensitiveDict

from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.edges.entra import permissions
from awsfed_lib.edges.entra.clouds import SANDBOX, Cloud
from awsfed_lib.edges.entra.connection import Lost, connect, lost
from awsfed_lib.edges.entra.gate import Gate, versioned
from awsfed_lib.edges.entra.pace import Clock, Exhausted, Limits, Pace, retry_after
from awsfed_lib.edges.entra.refusals import explain
from awsfed_lib.edges.entra.tokens import Token

FORBIDDEN = 403
BUSY = frozenset({429, 500, 502, 503, 504})
CHALLENGE = re.compile(r'claims="([A-Za-z0-9+/=_-]+)"')
SANDBOX_LIMITS = Limits(first=0.02, longest=0.5)


class Source(Protocol):
    """Where tokens come from."""

    def token(self) -> Token:
        """Return a token that is good for some minutes. Raises SignInError."""

    def renew(self, claims: str) -> Token:
        """Return a new token, although the last has not expired; `claims` is the challenge of the service or "". Raises SignInError."""


class Call(NamedTuple):
    """One HTTP request: `path` below the version, `body` as JSON text or ""."""

    method: str
    path: str
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Reply(NamedTuple):
    """One HTTP answer, whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def request_id(self) -> str:
        """What Microsoft's support asks for."""
        return self.headers.get("request-id", "")

    @property
    def document(self) -> dict[str, Any] | None:
        """The JSON object of the answer; None for anything else (half a document, half a character, HTML, a list)."""
        try:
            document = json.loads(self.content)
        except ValueError:
            return None
        return document if isinstance(document, dict) and not self._halved(document) else None

    def _halved(self, document: dict[str, Any]) -> bool:
        """Whether a text holds half a character (one of a surrogate pair): it is cut, and has no bytes to send or to hash."""
        if b"\\ud" not in self.content.lower() and b"\xed" not in self.content:
            return False
        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return True
        return False


class Budget(NamedTuple):
    """What one Graph session has used: requests sent, answers "too many", tries again, resource units, seconds waited.

    Units are x-ms-resource-unit (learn.microsoft.com graph/throttling-limits), as far as answers named them.
    """

    requests: int = 0
    throttled: int = 0
    retried: int = 0
    units: int = 0
    waited: float = 0.0


class Transport:
    """Requests to the Graph of one cloud, through one gate. Not for several threads at once."""

    def __init__(self, cloud: Cloud, source: Source, gate: Gate, clock: Clock) -> None:
        self.cloud, self.gate, self.clock = cloud, gate, clock
        self.limits = SANDBOX_LIMITS if cloud.name == SANDBOX else Limits()
        self.budget = Budget()
        self._source = source
        self._http = connect(cloud.graph_url, cloud, gate.check)

    def attempt(self, call: Call) -> Reply | Lost:
        """Send once; a token that is not accepted is renewed once. Raises SignInError and WriteForbidden, else nothing."""
        answer = self._once(call, self._source.token())
        if isinstance(answer, Lost) or answer.status != 401:  # noqa: PLR2004  HTTP: unauthorised, so nothing was done
            return answer
        return self._once(call, self._source.renew(_challenge(answer)))

    def fetch(self, call: Call) -> Reply:
        """Read, trying again while that makes sense. Raises GraphError for a refusal, UnreadError for no answer at all."""
        pace = Pace(self.clock, self.limits)
        while True:
            answer = self.attempt(call)
            if isinstance(answer, Reply) and answer.status < 300:  # noqa: PLR2004  HTTP: success
                return answer
            self.pause(pace, [(call, answer)])

    def pause(self, pace: Pace, failed: Sequence[tuple[Call, Reply | Lost]]) -> None:
        """Wait as long as the longest Retry-After of the failed reads; raise GraphError or UnreadError when waiting is of no use."""
        for call, answer in failed:
            if not passing(answer):
                raise failure(call, answer)
        try:
            seconds = pace.pause(self.asked(answer for _, answer in failed))
        except Exhausted as over:
            reason = str(over)
        else:
            return self.wait(seconds)
        raise failure(*failed[0], reason)

    def asked(self, answers: Iterable[Reply | Lost]) -> float | None:
        """Return the longest Retry-After among `answers` in seconds; None when none says."""
        now = self.clock.now()
        waits = (retry_after(answer.headers, now) for answer in answers if isinstance(answer, Reply))
        return max((wait for wait in waits if wait is not None), default=None)

    def wait(self, seconds: float) -> None:
        """Wait, and count it as a try again."""
        self.budget = self.budget._replace(retried=self.budget.retried + 1, waited=self.budget.waited + seconds)
        self.clock.sleep(seconds)

    def count(self, status: int, headers: Mapping[str, str]) -> None:
        """Add one answer to the budget."""
        units = headers.get("x-ms-resource-unit", "0")
        self.budget = self.budget._replace(
            throttled=self.budget.throttled + (status == 429),  # noqa: PLR2004  HTTP: too many requests
            units=self.budget.units + (int(units) if units.isdecimal() else 0),
        )

    def _once(self, call: Call, token: Token) -> Reply | Lost:
        request = self._prepared(call)
        request.headers["Authorization"] = token.header
        answer = self._sent(request)
        self.budget = self.budget._replace(requests=self.budget.requests + 1)
        if isinstance(answer, Reply):
            self.count(answer.status, answer.headers)
        return answer

    def _sent(self, request: requests.PreparedRequest) -> Reply | Lost:
        """End the failure here, in words: its frames hold headers, and nobody may see them as the cause of ours."""
        try:
            response = self._http.send(request, allow_redirects=False)
        except (OSError, u3.HTTPError) as failure:  # requests' own errors are OSErrors
            return lost(failure)
        return Reply(response.status_code, response.headers, response.content)

    def _prepared(self, call: Call) -> requests.PreparedRequest:
        headers = {"Accept": "application/json", "client-request-id": str(uuid.uuid4()), "return-client-request-id": "true"}
        if call.body:
            headers["Content-Type"] = "application/json"
        request = requests.Request(call.method, f"{self.cloud.graph_url}{versioned(call.path)}", headers=headers | dict(call.headers))
        request.data = call.body.encode() if call.body else None
        return self._http.prepare_request(request)


def passing(answer: Reply | Lost) -> bool:
    """Whether a read may go better the next time."""
    if isinstance(answer, Lost):
        return answer.stage != "barred"
    return answer.status in BUSY or explain(answer.status, *words(answer)).kind == "busy"


def words(reply: Reply) -> tuple[str, str]:
    """Code and message of an error answer; "" where it has none.

    The envelope is `{"error": {code, message, innerError}}` (learn.microsoft.com graph/errors); gateways answer HTML,
    old back ends `odata.error` with the message as an object.
    """
    document = reply.document or {}
    error = document.get("error") or document.get("odata.error")
    if not isinstance(error, dict):
        return "", ""
    message = error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    return str(error.get("code") or ""), str(message or "")


def failure(call: Call, answer: Reply | Lost, stopped: str = "") -> GraphError | UnreadError:
    """Return the error of a read that was refused or got no answer; `stopped`: why it is not tried again."""
    path = call.path.split("?")[0]
    if isinstance(answer, Lost):
        return UnreadError(f"{path} could not be read. {answer.reason} {stopped}".strip(), remedy="Run it again once Graph can be reached.")
    code, message = words(answer)
    known = explain(answer.status, code, message)
    what = " ".join(filter(None, (f"Graph refused {call.method} {path} ({answer.status} {code}): {message}", known.cause, stopped)))
    needed = permissions.wanted(call.method, call.path) if answer.status == FORBIDDEN else ""
    remedy = f"{needed} {known.remedy}".strip()
    return GraphError(what, status=answer.status, code=code, request_id=answer.request_id, where=path, remedy=remedy)


def _challenge(reply: Reply) -> str:
    """Return the claims that the service wants in the token, as JSON; "" for none.

    learn.microsoft.com entra/identity-platform/claims-challenge.
    """
    header = CaseInsensitiveDict(reply.headers).get("WWW-Authenticate", "")
    found = CHALLENGE.search(header)
    if "insufficient_claims" not in header or not found:
        return ""
    with suppress(binascii.Error, ValueError):
        text = base64.urlsafe_b64decode(found[1].replace("+", "-").replace("/", "_") + "=" * (-len(found[1]) % 4)).decode()
        return text if isinstance(json.loads(text), dict) else ""
    return ""
