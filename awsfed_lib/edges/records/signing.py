"""Ed25519 over lines of the chain: who holds only the records cannot make a chain that the public key accepts.

The key comes from a file that the environment names, never from a parameter, and it is for the runner alone: kernels do
not get these variables. The public half is meant for `parameters/signing.pub`, where it is reviewed like everything else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import durable, where

KEY_VARIABLE, PASSWORD_VARIABLE = "AWSFED_SIGNING_KEY_PATH", "AWSFED_SIGNING_KEY_PASSWORD"
PUBLIC_FILE = "signing.pub"
_PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----\s*", re.DOTALL)


@dataclass(frozen=True)
class Signer:
    """Signs; shown, it tells the name of its key only."""

    name: str
    _key: Ed25519PrivateKey = field(repr=False)

    def sign(self, content: bytes) -> str:
        """Return the signature of `content` as base64."""
        return base64.b64encode(self._key.sign(content)).decode()


def signer(environment: Mapping[str, str] = os.environ) -> Signer | None:
    """Return who signs, by the environment; None when it names no key. Raises RecordError for a key that cannot be used."""
    named = environment.get(KEY_VARIABLE, "")
    if not named:
        return None
    password = environment.get(PASSWORD_VARIABLE, "")
    try:
        key = serialization.load_pem_private_key(Path(named).expanduser().read_bytes(), password.encode() or None)
    except (OSError, ValueError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no PEM file, or its password is wrong"
        raise _unusable(f"cannot be read: {reason}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable("is no Ed25519 key")
    return Signer(name_of(key.public_key()), key)


def _unusable(why: str) -> RecordError:
    remedy = "Make one with `awsfed runs key FILE`, or unset the variable: records are then chained and not signed."
    return RecordError(f"The key that {KEY_VARIABLE} names {why}.", remedy=remedy)


def name_of(key: Ed25519PublicKey) -> str:
    """Name a public key: the first 16 hexadecimal digits of its SHA-256."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def public_keys(path: Path | None = None) -> tuple[Ed25519PublicKey, ...]:
    """Return the public keys in `path`, by default parameters/signing.pub; none when there is no such file there.

    A key that is replaced stays in the file beside the new one, for the lines that it signed. Raises RecordError for a file without keys.
    """
    file = path or where.parameters() / PUBLIC_FILE
    if path is None and not file.is_file():
        return ()
    remedy = "Name the .pub file of `awsfed runs key`."
    try:
        keys = [serialization.load_pem_public_key(pem) for pem in _PEM.findall(file.read_bytes())]
    except (OSError, ValueError):
        keys = []
    ours = tuple(key for key in keys if isinstance(key, Ed25519PublicKey))
    if not ours or len(ours) < len(keys):
        raise RecordError("The file does not hold Ed25519 public keys alone.", code="public-key", where=str(file), remedy=remedy)
    return ours


def holds(key: Ed25519PublicKey, signature: str, content: bytes) -> bool:
    """Tell whether `signature` (base64) is that of `key` over `content`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def make(path: Path, *, password: str) -> Path:
    """Write a new key to `path`, for its owner only, and its public half beside it; return the latter's path.

    Raises RecordError when a file is there already, or cannot be written.
    """
    beside = path.with_name(f"{path.stem}.pub")
    for file in (path, beside):
        if file.exists() or file == path == beside:
            raise RecordError(
                "A file is there already, and no key is overwritten.", where=str(file), remedy="Take another name for the key."
            )
    if not path.parent.is_dir():
        raise RecordError("There is no such folder.", where=str(path.parent), remedy="Make it, for its owner only, or take another.")
    key = Ed25519PrivateKey.generate()
    closed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    durable.write_new(path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, closed))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    durable.write_new(beside, public)
    return beside
