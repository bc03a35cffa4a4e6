"""One request on its way to the application: read in part or whole, handed on once, twice or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from awsfed_lib.sandbox.entra.wire import body_of
from awsfed_lib.sandbox.faults.broken import Broken, Ending, Reply

if TYPE_CHECKING:
    from awsfed_lib.sandbox.faults.plan import Faults

VERSIONS = ("/v1.0/", "/beta/")


class Passage:
    """One request, the application behind it, and the faults it belongs to. `line` is what rules match: `METHOD path?query`."""

    def __init__(self, environ: WSGIEnvironment, app: WSGIApplication, faults: Faults) -> None:
        self._environ, self._app, self.faults = environ, app, faults
        self._body: bytes | None = None
        self.method, self.path = str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "/"))
        query = environ.get("QUERY_STRING", "")
        self.line = f"{self.method} {self.path}{'?' if query else ''}{query}"

    @property
    def to_graph(self) -> bool:
        """Whether it goes to Microsoft Graph."""
        return self.path.startswith(VERSIONS)

    @property
    def writes(self) -> bool:
        """Whether it may change something: no GET, no read by POST, no sign-in."""
        return self.method not in ("GET", "HEAD") and self.to_graph and not self.path.endswith("/getByIds")

    @property
    def token(self) -> str:
        """The Authorization header, "" for none."""
        return str(self._environ.get("HTTP_AUTHORIZATION", ""))

    @property
    def root(self) -> str:
        """Scheme and host as the client sees them."""
        return f"{self._environ['wsgi.url_scheme']}://{self._environ.get('HTTP_HOST', 'localhost')}"

    @property
    def body(self) -> bytes:
        """The body, read whole."""
        if self._body is None:
            self._body = body_of(self._environ)
        return self._body

    def read_half(self) -> None:
        """Read the first half of the body, and leave the rest on the wire."""
        self._environ["wsgi.input"].read(int(self._environ.get("CONTENT_LENGTH") or 0) // 2)

    def forward(self, body: bytes | None = None) -> Reply:
        """Hand the request on and return the answer; `body` takes the place of its own. Can be called again: it then arrives twice."""
        content = self.body if body is None else body
        given = {**self._environ, "wsgi.input": BytesIO(content), "CONTENT_LENGTH": str(len(content))}
        given.pop("wsgi.input_terminated", None)
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], object]:
            told[:] = [status, headers]
            return lambda _: None

        answer = b"".join(self._app(given, start))
        return Reply(told[0], told[1], answer)

    def broken(self, ending: Ending, part: Reply | None = None) -> Broken:
        """The end of the connection, to be raised."""
        return Broken(ending, part, seconds=self.faults.hang)


def replaced(reply: Reply, content: bytes) -> Reply:
    """The answer with another content, and the length that fits it."""
    headers = [(name, value) for name, value in reply.headers if name.lower() != "content-length"]
    return Reply(reply.status, [*headers, ("Content-Length", str(len(content)))], content)


def document(reply: Reply) -> dict[str, Any] | None:
    """The JSON object of an answer, or None."""
    try:
        found = json.loads(reply.content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
