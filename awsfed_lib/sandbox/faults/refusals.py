"""Answers that refuse: throttling in every form of Retry-After, gateways that give up, a token that has run out, a concurrent write.

Forms and sources: learn.microsoft.com graph/throttling (429, Retry-After), graph/errors (codes), RFC 9110 10.2.3 (a date),
nais/azurerator issue 448 (409 Directory_ConcurrencyViolation), microsoftgraph/microsoft-graph-docs 5122 (already exists).
A mode called `…-applied` carries the request out first: what came back is not what happened.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http.client import responses
from types import MappingProxyType
from typing import Any

from awsfed_lib.sandbox.entra.timestamps import bare, http_date
from awsfed_lib.sandbox.faults.broken import Reply
from awsfed_lib.sandbox.faults.passage import Passage
from awsfed_lib.sandbox.faults.plan import Mode

JSON = "application/json"
GATEWAY_PAGE = b"<!DOCTYPE html><html><body><h2>Our services aren't available right now</h2></body></html>"
RETRY_AFTER = {"int": "2", "fraction": "2.128", "none": "", "malformed": "soon", "huge": "86400"}
WORDS: Mapping[str, tuple[int, str, str]] = MappingProxyType({
    "429": (429, "TooManyRequests", "Please retry again later."),
    "500": (500, "Service_InternalServerError", "Encountered an internal server error."),
    "503": (503, "serviceNotAvailable", "The service is temporarily unavailable."),
    "504": (504, "UnknownError", "The server, while acting as a proxy, did not receive a timely response from the upstream server."),
    "409": (409, "Directory_ConcurrencyViolation", "Unable to complete the request due to a concurrent write. Please retry."),
    "409-exists": (409, "Request_MultipleObjectsWithSameKeyValue", "A conflicting object with one or more of the specified property values is present."),
    "401": (401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    "404": (404, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present."),
    "expired-page": (400, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request."),
    "403": (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
})  # fmt: skip


def refusal(name: str, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    """The refusal of that name in the envelope of Graph (learn.microsoft.com graph/errors)."""
    status, code, message = WORDS[name]
    identity = str(uuid.uuid4())
    inner = {"date": bare(datetime.now(UTC)), "request-id": identity, "client-request-id": identity}
    error = {"code": code, "message": message, "innerError": inner}
    return _json(status, {"error": error}, {"request-id": identity, "Date": http_date(datetime.now(UTC)), **headers})


def sign_in_refusal(name: str, headers: Mapping[str, str] = MappingProxyType({})) -> Reply:
    """That refusal as the sign-in service words it (entra/identity-platform/reference-error-codes: AADSTS90033 is worth another try)."""
    passing = WORDS[name][0] in (429, *range(500, 600))
    code, words = ("temporarily_unavailable", "AADSTS90033: A transient error has occurred. Please try again.")
    if not passing:
        code, words = "invalid_client", "AADSTS7000222: The provided client secret keys for app are expired."
    body = {"error": code, "error_description": f"{words} Trace ID: {uuid.uuid4()}", "error_codes": [int(words[6:].partition(":")[0])]}
    return _json(WORDS[name][0], body, headers)


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
    content = json.dumps(body).encode()
    told = {"Content-Type": JSON, "Content-Length": str(len(content)), **headers}
    return Reply(f"{status} {responses[status]}", list(told.items()), content)


def throttled(form: str, refuse: Callable[[str, Mapping[str, str]], Reply] = refusal) -> Reply:
    """429 with that form of Retry-After."""
    text = http_date(datetime.now(UTC) + timedelta(seconds=3)) if form == "date" else RETRY_AFTER[form]
    return refuse("429", {"Retry-After": text} if text else {})


def gateway_page() -> Reply:
    """502 as an HTML page of a gateway."""
    return Reply("502 Bad Gateway", [("Content-Type", "text/html"), ("Content-Length", str(len(GATEWAY_PAGE)))], GATEWAY_PAGE)


def ended(passage: Passage) -> Reply | None:
    """The refusal of a token that has ended; None for every other request."""
    return refusal("401") if passage.token in passage.faults.ended else None


def _form(passage: Passage) -> Callable[[str, Mapping[str, str]], Reply]:
    return refusal if passage.to_graph else sign_in_refusal


def _throttle(form: str) -> Mode:
    return lambda passage: throttled(form, _form(passage))


def _instead(name: str) -> Mode:
    return lambda passage: _form(passage)(name, {})


def _after(name: str) -> Mode:
    def mode(passage: Passage) -> Reply:
        passage.forward()
        return _form(passage)(name, {})

    return mode


def _expired_page(passage: Passage) -> Reply:
    """The service forgot the list between two pages (AzureHound#189): refused is only a request for a further page."""
    return refusal("expired-page") if "skiptoken" in passage.line else passage.forward()


def _gateway_applied(passage: Passage) -> Reply:
    passage.forward()
    return gateway_page()


def _token_ends(passage: Passage) -> Reply:
    """This token is not accepted from now on, whatever it says itself; a new one is."""
    if not passage.token:
        return passage.forward()
    passage.faults.ended.add(passage.token)
    return refusal("401")


MODES: Mapping[str, Mode] = MappingProxyType(
    {f"429-{form}": _throttle(form) for form in (*RETRY_AFTER, "date")}
    | {name: _instead(name) for name in WORDS if name != "429"}
    | {f"{name}-applied": _after(name) for name in ("500", "503", "504", "409-exists")}
    | {"expired-page": _expired_page}
    | {"502": lambda _: gateway_page(), "502-applied": _gateway_applied, "token-ends": _token_ends}
)
