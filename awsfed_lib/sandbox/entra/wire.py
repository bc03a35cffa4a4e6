"""A request and an answer, free of WSGI: what the routes of Graph and of the sign-in service work with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

JSON = "application/json"


class AlternateKey(NamedTuple):
    """`(appId='…')` behind an entity set."""

    name: str
    value: str


Segment = str | AlternateKey


@dataclass(frozen=True)
class Ask:
    """One request. `target` is the raw path and query as sent; `root` is scheme and host; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    root: str = "http://localhost"

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> Ask:
        """The request that a WSGI server hands over; reads the body whole, so that the connection can be kept."""
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        root = f"{environ['wsgi.url_scheme']}://{host}"
        return cls(environ["REQUEST_METHOD"], _target(environ), headers, body_of(environ), root)

    @property
    def path(self) -> str:
        """The raw path."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query options, decoded; the `$` of OData options is optional (learn.microsoft.com/graph/query-parameters)."""
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True)
        return {_option(name): value for name, value in pairs}

    @property
    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def segments(self) -> list[Segment]:
        """The path, decoded after it was split, with keys in parentheses as segments of their own."""
        raw = [part for part in self.path.split("/") if part]
        return [segment for part in raw for segment in _cut(unquote(part))]


@dataclass(frozen=True)
class Answer:
    """Status, body (JSON value, text, bytes or None) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as it goes over the wire."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()

    def to_wsgi(self, start_response: StartResponse) -> Iterable[bytes]:
        """Hand the answer to the server. A 204 has no content and no length (RFC 9110, 15.3.5)."""
        content = self.content
        headers = list(self.headers.items())
        if self.status != 204:
            headers.append(("Content-Length", str(len(content))))
        start_response(f"{self.status} {responses.get(self.status, 'Unknown')}", headers)
        return [content]


def body_of(environ: WSGIEnvironment) -> bytes:
    """The request body; a server that has read it already leaves a stream that ends by itself."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return bytes(stream.read())
    return bytes(stream.read(int(environ.get("CONTENT_LENGTH") or 0)))


def _target(environ: WSGIEnvironment) -> str:
    """The path as it was sent where the server tells it, so that a percent-encoded slash in a key is no separator; and the query."""
    raw = urlsplit(environ.get("REQUEST_URI") or "")
    path = raw.path or quote(environ.get("PATH_INFO", "/").encode("latin-1"), safe="/(),='$.@:!*~")
    query = raw.query or environ.get("QUERY_STRING", "")
    return f"{path}?{query}" if query else path


def _option(name: str) -> str:
    odata = {"select", "filter", "top", "count", "search", "expand", "orderby", "skip", "skiptoken"}
    return f"${name.lower()}" if name.lower() in odata else (name.lower() if name.startswith("$") else name)


def _cut(part: str) -> Iterator[Segment]:
    """`groups(uniqueName='x')` is two segments, and so is `groups('id')`; `delta()` is one."""
    name, bracket, rest = part.partition("(")
    if not bracket or not rest.endswith(")") or part.startswith("("):
        yield part
        return
    yield name
    inside = rest[:-1]
    if inside:
        key, equals, value = inside.partition("=")
        yield AlternateKey(key, literal(value)) if equals else literal(inside)


def literal(quoted: str) -> str:
    """The text in an OData string literal: quotes off, doubled quotes single."""
    text = quoted.strip()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text
