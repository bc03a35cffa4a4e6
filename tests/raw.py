"""A client that sees the bytes: one TLS connection, one request, and how the connection ended."""

import json
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Heard:
    """What came back: the raw bytes, and the end of it: `open` (nothing more in time), `fin` or `rst`."""

    raw: bytes
    ending: str

    @property
    def status(self):
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def headers(self):
        lines = self.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def content(self):
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def promised(self):
        return int(self.headers["content-length"])

    @property
    def json(self):
        return json.loads(self.content)


def ask(url, request, *, ca_file="", patience=0.15):
    """Send the bytes of `request`, and listen until the connection ends or nothing came for `patience` seconds."""
    place = urlsplit(url)
    plain = socket.create_connection((place.hostname, place.port), timeout=5)
    with plain if not ca_file else _trusting(ca_file).wrap_socket(plain, server_hostname=place.hostname) as connection:
        connection.sendall(request)
        connection.settimeout(patience)
        return _heard(connection)


def _trusting(ca_file):
    return ssl.create_default_context(cafile=ca_file)


def _heard(connection):
    raw = b""
    while True:
        try:
            more = connection.recv(65536)
        except TimeoutError:
            return Heard(raw, "open")
        except ConnectionResetError:
            return Heard(raw, "rst")
        except ssl.SSLEOFError:  # the TCP FIN without TLS's own farewell
            return Heard(raw, "fin")
        if not more:
            return Heard(raw, "fin")
        raw += more


def text(method, path, body=b"", **headers):
    """The bytes of a request."""
    told = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    if body:
        told["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
