"""Private keys and self-signed certificates of the sandbox, made when first asked for and kept by name."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.x509.oid import NameOID

K = TypeVar("K")
V = TypeVar("V")


class Validity(NamedTuple):
    """From when to when a certificate holds, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class KeyPair:
    """A private key with its certificate."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def sha1(self) -> bytes:
        """The thumbprint as Entra ID shows it, 20 bytes."""
        return self.certificate.fingerprint(hashes.SHA1())

    @property
    def sha256(self) -> bytes:
        """The newer thumbprint, 32 bytes."""
        return self.certificate.fingerprint(hashes.SHA256())

    @property
    def der(self) -> bytes:
        """The certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def base64(self) -> str:
        """The certificate as XML and Graph carry it."""
        return base64.b64encode(self.der).decode()

    @property
    def pem(self) -> bytes:
        """Private key and certificate in one PEM file, as AZURE_CLIENT_CERTIFICATE_PATH wants it."""
        key = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return key + self.certificate.public_bytes(serialization.Encoding.PEM)


def self_signed(key: RSAPrivateKey, common_name: str, validity: Validity) -> x509.Certificate:
    """A certificate that the key signs for itself, as Entra ID makes them for signing."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.start)
        .not_valid_after(validity.end)
        .sign(key, hashes.SHA256())
    )


class KeyRing:
    """Keys and certificates by name: the same name gives the same one for as long as the ring lives. Safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: dict[str, RSAPrivateKey] = {}
        self._pairs: dict[tuple[str, str, Validity], KeyPair] = {}

    def key(self, name: str) -> RSAPrivateKey:
        """The RSA key (2,048 bits) of that name."""
        with self._lock:
            return _kept(self._keys, name, lambda: generate_private_key(65537, 2048))

    def pair(self, name: str, common_name: str, validity: Validity) -> KeyPair:
        """Key and self-signed certificate of that name."""
        key = self.key(name)
        with self._lock:
            return _kept(self._pairs, (name, common_name, validity), lambda: KeyPair(key, self_signed(key, common_name, validity)))


def _kept(kept: dict[K, V], name: K, make: Callable[[], V]) -> V:
    if name not in kept:
        kept[name] = make()
    return kept[name]
