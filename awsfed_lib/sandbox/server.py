"""A small server for WSGI applications on loopback: threads, HTTP/1.1 with keep-alive, no Nagle delay, silent."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from wsgiref.types import WSGIApplication

from werkzeug.exceptions import BadRequest
from werkzeug.serving import WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

from awsfed_lib.sandbox.faults.broken import Broken

HOST = "127.0.0.1"
ABORT = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST (socket(7))
FAREWELL = 0.2  # seconds in which a client may take notice of a FIN before its unread bytes turn it into a RST


class _Handler(WSGIRequestHandler):
    """Answers requests of one connection. Werkzeug's own handler closes the connection after each; this one keeps it open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the whole answer in one write
    timeout = 60

    def setup(self) -> None:
        """Finish the handshake in this thread, so that a slow client holds up nobody else."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(self.timeout)
            self.request.do_handshake()
        super().setup()

    def run_wsgi(self) -> None:
        """One request: what the application leaves of the body is read after it, the answer is sent with its length."""
        environ = self.make_environ()
        if not environ.get("wsgi.input_terminated"):
            environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0))
        try:
            answer = _run(self.server.app, environ)
        except Broken as broken:
            return self._break(broken)
        except BadRequest:
            raise ConnectionAbortedError("The client went away in the middle of its request.") from None
        while environ["wsgi.input"].read(65536):
            pass
        return self._send(*answer)

    def _break(self, broken: Broken) -> None:
        """End the connection as the application asks for."""
        self.close_connection = True
        if broken.part:
            self._head(broken.part.status, broken.part.headers, broken.part.content)
            self.wfile.write(broken.part.content[: len(broken.part.content) // 2])
            self.wfile.flush()
        if broken.ending == "hang":
            time.sleep(broken.seconds)
        if broken.ending == "fin":
            return self._finish()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        return os.close(self.connection.detach())

    def _finish(self) -> None:
        """Send FIN, and read on for a moment: closing with unread bytes would send RST instead."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(FAREWELL)
        with suppress(OSError):
            while self.connection.recv(65536):
                pass

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        self._head(status, headers, content)
        self.wfile.write(content if self.command != "HEAD" else b"")
        self.wfile.flush()

    def _head(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if code != "204":
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  the name is werkzeug's
        """Say nothing."""


def _run(app: WSGIApplication, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and content of the application's answer; its crash is a 500, and a ConnectionError of its ends the connection."""
    told: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], object]:
        told[:] = [status, headers]
        return lambda _: None

    try:
        content = b"".join(app(environ, start_response))
    except ConnectionError:
        raise
    except Exception:  # noqa: BLE001  whatever the application did: the connection must be answered
        traceback.print_exc(file=sys.stderr)
        return "500 Internal Server Error", [("Content-Type", "text/plain")], b"The sandbox failed; see its standard error."
    return told[0], told[1], content


class _Server(ThreadingHTTPServer):
    """What werkzeug's handler expects of its server, and the open connections, so that closing ends them too."""

    daemon_threads = True
    request_queue_size = 128
    multithread, multiprocess, passthrough_errors = True, False, False
    _server_version = "awsfed-sandbox"

    def __init__(self, app: WSGIApplication, context: ssl.SSLContext | None, port: int) -> None:
        self.app, self.ssl_context = app, context
        self.connections: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind without asking the name service for a host name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a new connection to its thread."""
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """A connection is done."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not trust the certificate, is no news."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  the name is werkzeug's
        """Say nothing."""


class Server:
    """A served application: `url`, and `close()`; also a context manager."""

    def __init__(self, app: WSGIApplication, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        """Serve on loopback; `port` 0 takes a free one. Raises OSError when the port is taken."""
        self._server = _Server(app, context, port)
        self.port = self._server.server_port
        self.url = f"{'https' if context else 'http'}://{HOST}:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end the connections that are open."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in list(self._server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
