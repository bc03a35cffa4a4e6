"""A hostile or broken Graph on loopback: answers what a script says, over real HTTPS, and remembers what came.

The sandbox is honest; what a proxy, a gateway or an attacker answers is played here.
"""

import json
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

from awsfed_lib.edges.entra.auth import Session
from awsfed_lib.edges.entra.clouds import Cloud
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.entra.tokens import Token

TENANT = "11111111-2222-3333-4444-555555555555"
CANARY = "eyJCANARYheader.eyJCANARYpayload.CANARYsignature"


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict
    body: str

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Says:
    """One answer. `cut`: this many bytes are missing at the end, then the connection closes; `drop`: no answer at all."""

    status: int = 200
    body: object = None
    headers: dict = field(default_factory=dict)
    cut: int = 0
    drop: bool = False

    @property
    def raw(self):
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Scripted:
    """The server: set `script` to a function of an Asked that returns a Says; `asked` is what came."""

    def __init__(self, url, ca_file):
        self.url, self.ca_file = url, ca_file
        self.asked = []
        self.script = lambda asked: Says(404)

    @property
    def cloud(self):
        return Cloud("sandbox", self.url, self.url, "aws", "api://AzureADTokenExchange", self.ca_file)

    @property
    def writes(self):
        return [asked for asked in self.asked if asked.method != "GET"]

    def play(self, *answers):
        """Give these answers one after the other; the last one stays."""
        left = list(answers)
        self.script = lambda asked: left.pop(0) if len(left) > 1 else left[0]

    def session(self, source=None):
        return Session(self.cloud, TENANT, "client", "certificate", source or Source())


class Source:
    """A source of tokens without a sign-in; counts, and keeps the challenges."""

    def __init__(self, text=CANARY):
        self.text, self.asked, self.renewed = text, 0, []

    def token(self):
        self.asked += 1
        return Token(self.text)

    def renew(self, claims):
        self.renewed.append(claims)
        return Token(f"{self.text}{len(self.renewed)}")


class Hours:
    """A virtual clock: sleeping costs nothing and moves all hands."""

    def __init__(self, jitter=0.5):
        self.slept = []
        self.jitter = jitter
        self.start = datetime(2026, 11, 24, 12, tzinfo=UTC)

    @property
    def clock(self):
        return Clock(self.now, self.ticks, self.slept.append, lambda: self.jitter)

    def ticks(self):
        return sum(self.slept)

    def now(self):
        return self.start + timedelta(seconds=self.ticks())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, dict(self.headers), self.rfile.read(length).decode())
        self.server.scripted.asked.append(asked)
        says = self.server.scripted.script(asked)
        if says.drop:
            self.close_connection = True
            return
        self._say(says)

    def _say(self, says):
        raw = says.raw
        self.send_response_only(says.status)
        headers = {"Content-Type": "application/json", "request-id": "rid-1"} | says.headers
        if says.status != 204:
            headers["Content-Length"] = str(len(raw))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw[: len(raw) - says.cut])
        self.close_connection = self.close_connection or bool(says.cut)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815  the base class's names


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: a client that hangs up is part of the play."""


@contextmanager
def serve(folder):
    """Serve over TLS on a free port of loopback; the CA file lies in `folder`."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _running(server, f"https://127.0.0.1:{server.server_address[1]}", str(ca_file)) as scripted:
        yield scripted


@contextmanager
def serve_plain():
    """Serve without TLS, as the endpoint of a managed identity does on its own machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    with _running(server, f"http://127.0.0.1:{server.server_address[1]}", "") as scripted:
        yield scripted


@contextmanager
def _running(server, url, ca_file):
    server.scripted = Scripted(url, ca_file)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
