"""Access and id tokens: signed for real, read back strictly.

Claims: learn.microsoft.com entra/identity-platform/access-token-claims-reference. The audience of Microsoft Graph is its URL, its
appId, or, in this twin, any loopback origin.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from awsfed_lib.sandbox.entra.refusals import unauthenticated

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
GRAPH_HOSTS = frozenset({"graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"})
LOOPBACK = frozenset({"localhost", "127.0.0.1"})
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


@dataclass(frozen=True)
class Caller:
    """Who a request comes from, as its token says."""

    app_id: str
    principal_id: str
    name: str
    permissions: frozenset[str]
    user_id: str = ""
    user_name: str = ""
    directory_roles: frozenset[str] = frozenset()

    @property
    def app_only(self) -> bool:
        """True without a signed-in user."""
        return not self.user_id


def is_graph(resource: str) -> bool:
    """Whether that audience is Microsoft Graph."""
    host = urlsplit(resource).hostname
    return resource == GRAPH_APP_ID or host in GRAPH_HOSTS or host in LOOPBACK


def key_id(key: RSAPrivateKey) -> str:
    """`kid` of the key that signs tokens."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("=")


def public_jwk(key: RSAPrivateKey) -> dict[str, str]:
    """The public key as the keys document lists it."""
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "use": "sig", "kid": key_id(key), "n": _number(numbers.n), "e": _number(numbers.e)}


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(key: RSAPrivateKey, claims: Mapping[str, Any]) -> str:
    """The claims as a signed token."""
    return jwt.encode(dict(claims), key, "RS256", headers={"kid": key_id(key), "x5t": key_id(key)})


def lifetime(now: datetime, seconds: int) -> dict[str, int]:
    """`iat`, `nbf` and `exp`; Entra ID dates tokens five minutes back."""
    moment = int(now.timestamp())
    return {"iat": moment - 300, "nbf": moment - 300, "exp": moment + seconds}


def shared_claims(tenant_id: str, audience: str) -> dict[str, Any]:
    """What every access token carries."""
    return {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "tid": tenant_id,
        "ver": "1.0",
        "uti": uuid.uuid4().hex[:22],
    }


class TokenReader:
    """Reads bearer tokens of one tenant; a token that was verified once is only checked for its lifetime again."""

    def __init__(self, key: RSAPublicKey, tenant_id: str) -> None:
        self._key, self._tenant_id = key, tenant_id
        self._verified: dict[str, dict[str, Any]] = {}

    def caller(self, header: str, now: datetime) -> Caller:
        """Who sends this Authorization header. Raises Refusal (401) with the words of docs-contrib concepts/errors.md."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthenticated("Access token is empty.")
        claims = self._verified.get(token) or self._verify(token)
        if now.timestamp() >= claims["exp"]:
            raise unauthenticated("Lifetime validation failed, the token is expired.")
        return _caller(claims)

    def _verify(self, token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token, self._key, ["RS256"], options={"verify_exp": False, "verify_aud": False, "verify_nbf": False, "verify_iat": False}
            )
        except jwt.InvalidSignatureError:
            raise unauthenticated("Access token validation failure. Invalid signature.") from None
        except jwt.PyJWTError:
            raise unauthenticated("CompactToken parsing failed with error code: 80049217") from None
        if not is_graph(str(claims.get("aud"))):
            raise unauthenticated("Access token validation failure. Invalid audience.")
        if claims.get("tid") != self._tenant_id:
            raise unauthenticated("Access token validation failure. Invalid issuer.")
        if len(self._verified) > 1000:
            self._verified.clear()
        self._verified[token] = claims
        return claims


def _caller(claims: Mapping[str, Any]) -> Caller:
    user = claims.get("idtyp") == "user"
    return Caller(
        app_id=claims["appid"],
        principal_id=claims["app_oid"] if user else claims["oid"],
        name=claims["app_displayname"],
        permissions=frozenset(claims["scp"].split()) if user else frozenset(claims.get("roles", ())),
        user_id=claims["oid"] if user else "",
        user_name=claims.get("upn", ""),
        directory_roles=frozenset(claims.get("wids", ())),
    )
