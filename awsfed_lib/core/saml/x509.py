"""An X.509 certificate as awsfed compares it: its fingerprints, its days, the size of its key."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from awsfed_lib.core.errors import DocumentError


@dataclass(frozen=True)
class Certificate:
    """One certificate. `thumbprint`: SHA-1 of its DER, upper hex, as Entra writes it. `key_bits`: 0 when its key is not RSA."""

    thumbprint: str
    sha256: str
    subject: str
    not_before: datetime
    not_after: datetime
    key_bits: int
    der: bytes = field(repr=False)

    @property
    def base64(self) -> str:
        """The DER as XML documents and Graph carry it."""
        return base64.b64encode(self.der).decode()

    def valid(self, now: datetime) -> bool:
        """Whether `now` is between its first and its last second."""
        return self.not_before <= now <= self.not_after


def read(der: bytes) -> Certificate:
    """Read a DER certificate.

    Raises DocumentError: `certificate` when it is none, `certificate-extension` when an extension stands twice, which
    IAM refuses as "Unable to parse metadata" (docs.aws.amazon.com IAM/latest/UserGuide/troubleshoot_saml.html).
    """
    try:
        found = x509.load_der_x509_certificate(der)
        _ = found.extensions
        key = found.public_key()
        subject = found.subject.rfc4514_string()
        days = found.not_valid_before_utc, found.not_valid_after_utc
    except x509.DuplicateExtension:
        raise DocumentError("A certificate has the same extension twice; IAM cannot read it.", reason="certificate-extension") from None
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType):
        raise DocumentError("What stands as a certificate is no X.509 certificate.", reason="certificate") from None
    return Certificate(
        thumbprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        sha256=hashlib.sha256(der).hexdigest(),
        subject=subject,
        not_before=days[0],
        not_after=days[1],
        key_bits=key.key_size if isinstance(key, RSAPublicKey) else 0,
        der=der,
    )


def from_base64(text: str) -> Certificate:
    """Read a certificate from base64 text, white space allowed; raises DocumentError as `read` does."""
    try:
        der = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise DocumentError("What stands as a certificate is not base64.", reason="certificate") from None
    return read(der)
