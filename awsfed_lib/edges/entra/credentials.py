"""What an application signs in with: a certificate, a federated assertion or, last, a secret. Read, checked, never shown.

What can be told here is told before anything is sent: no file, a wrong passphrase, a key without its certificate, a
certificate that has expired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key, pkcs12

from awsfed_lib.core.errors import SignInError
from awsfed_lib.edges.records import held

CERTIFICATE = "AZURE_CLIENT_CERTIFICATE_PATH"
PASSWORD = "AZURE_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105  the name of a variable
ASSERTION = "AZURE_FEDERATED_TOKEN_FILE"
SECRET = "AZURE_CLIENT_SECRET"  # noqa: S105  the name of a variable


class Certificate(NamedTuple):
    """A private key with its certificate, as PEM text; `ends` is the last moment at which Entra accepts it."""

    key: str
    certificate: str
    ends: datetime

    def __repr__(self) -> str:
        return f"Certificate(***, ends={self.ends:%Y-%m-%d})"

    @property
    def credential(self) -> dict[str, str]:
        """As MSAL takes it: signed with PS256, named by its SHA-256 thumbprint."""
        return {"private_key": self.key, "public_certificate": self.certificate}


def certificate(file: str, password: str, now: datetime) -> Certificate:
    """Read key and certificate from a PEM or PFX `file`, and check that they can be used at `now`.

    Raises SignInError: no file, wrong passphrase, no key, no certificate of that key, expired, not yet valid, no RSA key.
    """
    held.hold(password)
    blob = _content(file)
    found = _parsed(blob, password.encode() or None)
    if isinstance(found, str):
        raise SignInError(found, where=file, remedy=f"A key and its certificate, PEM or PFX; the passphrase in {PASSWORD}.")
    key, own = found
    _check_time(own, file, now)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    held.hold(text)
    return Certificate(text, own.public_bytes(Encoding.PEM).decode(), own.not_valid_after_utc)


def _content(file: str) -> bytes:
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as failure:
        reason = failure.strerror or "it cannot be read"
    raise SignInError(f"The certificate file cannot be read: {reason}.", where=file, remedy=f"Correct {CERTIFICATE}.")


def _parsed(blob: bytes, password: bytes | None) -> tuple[RSAPrivateKey, x509.Certificate] | str:
    """Key and certificate, or what is wrong. The parsers' own errors end here: their frames hold the passphrase."""
    if b"-----END CERTIFICATE" in blob and b"PRIVATE KEY-----" not in blob:
        return "The file holds a certificate and no private key."
    try:
        key, certificates = _pem(blob, password) if b"-----BEGIN" in blob else _pfx(blob, password)
    except (ValueError, TypeError):
        return "The private key cannot be read: the passphrase is wrong or missing, or the file is damaged."
    if not isinstance(key, RSAPrivateKey):
        return "The file holds no RSA private key, and Entra takes no other."
    public = key.public_key()
    own = next((one for one in certificates if one.public_key() == public), None)
    return (key, own) if own else "The file holds no certificate of its private key."


def _pem(blob: bytes, password: bytes | None) -> tuple[object, list[x509.Certificate]]:
    certificates = x509.load_pem_x509_certificates(blob) if b"BEGIN CERTIFICATE" in blob else []
    locked = b"ENCRYPTED" in blob
    return load_pem_private_key(blob, password if locked else None), certificates


def _pfx(blob: bytes, password: bytes | None) -> tuple[object, list[x509.Certificate]]:
    key, own, others = pkcs12.load_key_and_certificates(blob, password)
    return key, [*([own] if own else []), *others]


def _check_time(own: x509.Certificate, file: str, now: datetime) -> None:
    if now >= own.not_valid_after_utc:
        what = f"The certificate of this sign-in expired on {own.not_valid_after_utc:%Y-%m-%d %H:%MZ}; nothing was sent."
    elif now < own.not_valid_before_utc:
        what = f"The certificate of this sign-in is valid from {own.not_valid_before_utc:%Y-%m-%d %H:%MZ} on, not yet by the clock here."
    else:
        return
    raise SignInError(what, where=file, remedy="Make a new one, upload it to the app registration, replace the file; check the clock too.")


def assertion(environment: Mapping[str, str], audience: str) -> Callable[[], str]:
    """Return the assertion of a federated workload, read anew whenever MSAL asks for it, since the platform renews the file.

    Raises SignInError when the environment names no file.
    """
    file = named(environment, ASSERTION, f"The platform sets it; the token in the file must be for the audience {audience}.")

    def fresh() -> str:
        text = _content(file).decode().strip()
        held.hold(text)
        return text

    return fresh


def secret(environment: Mapping[str, str]) -> str:
    """Return the client secret of the environment. Raises SignInError when there is none."""
    found = named(environment, SECRET, "Better: a certificate, a managed identity or a federated credential.")
    held.hold(found)
    return found


def certificate_file(environment: Mapping[str, str]) -> str:
    """Return the certificate file that the environment names. Raises SignInError when it names none."""
    return named(environment, CERTIFICATE, "Set it to a PEM or PFX file with the private key and the certificate.")


def named(environment: Mapping[str, str], variable: str, remedy: str) -> str:
    """Return the value of `variable`. Raises SignInError when it is not set."""
    value = environment.get(variable, "")
    if not value:
        raise SignInError(f"The environment variable {variable} is not set.", remedy=remedy)
    return value
