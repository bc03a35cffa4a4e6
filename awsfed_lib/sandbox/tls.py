"""A throw-away certification authority, so that clients run their real TLS code against the sandbox."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

NAMES = ("127.0.0.1", "localhost", "::1")


class Authority:
    """A CA that exists for as long as the process does, and one server certificate for loopback."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="awsfed sandbox (throw-away)")
        self._server = self._ca.issue_cert(*NAMES)

    @property
    def pem(self) -> bytes:
        """The CA certificate that clients have to trust."""
        return self._ca.cert_pem.bytes()

    def write(self, path: Path) -> Path:
        """Write the CA certificate to a file; returns the path."""
        path.write_bytes(self.pem)
        return path

    def server_context(self) -> ssl.SSLContext:
        """TLS settings of the server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """TLS settings of a client that trusts this CA and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        return context
