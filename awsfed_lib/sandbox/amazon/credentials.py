"""Who calls: access keys of users, temporary credentials of role sessions, and what happens to a key that nobody issued."""

import base64
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from awsfed_lib.sandbox.amazon import signature
from awsfed_lib.sandbox.amazon.wire import AwsError, Call


@dataclass(frozen=True)
class Identity:
    """A caller: a user with long-term keys, or the session of a role (`role` and `session` are set, and `token` and `expires`).

    `documents` are a user's policies (a session's are read from its role), `limits` the session policies that take away from them.
    """

    account_id: str
    arn: str
    user_id: str
    access_key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires: datetime | None = None
    role: str = ""
    session: str = ""
    documents: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    limits: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def chained(self) -> bool:
        """True for a role session: assuming a further role from it is role chaining."""
        return bool(self.role)


class Keys:
    """All credentials that were issued and not forgotten."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._known: dict[str, Identity] = {}
        self._lock = threading.Lock()

    def user(self, account_id: str, arn: str, *documents: Mapping[str, Any]) -> Identity:
        """Issue long-term keys to a user with these policies."""
        return self._keep(
            Identity(account_id, arn, "AIDA" + _letters(17), "AKIA" + _letters(16), secrets.token_urlsafe(30), documents=documents)
        )

    def session(self, role: Any, session: str, expires: datetime, limits: tuple[Mapping[str, Any], ...] = ()) -> Identity:
        """Issue temporary credentials for a role, as STS does."""
        return self._keep(
            Identity(
                account_id=role.account_id,
                arn=f"arn:{role.partition}:sts::{role.account_id}:assumed-role/{role.name}/{session}",
                user_id=f"{role.id}:{session}",
                access_key="ASIA" + _letters(16),
                secret=secrets.token_urlsafe(30),
                token=base64.b64encode(secrets.token_bytes(240)).decode(),
                expires=expires,
                role=role.name,
                session=session,
                limits=limits,
            ),
        )

    def _keep(self, identity: Identity) -> Identity:
        with self._lock:
            self._known[identity.access_key] = identity
        return identity

    def forget_sessions(self) -> None:
        """Drop every temporary credential."""
        with self._lock:
            self._known = {key: one for key, one in self._known.items() if one.token is None}

    def caller(self, call: Call) -> Identity:
        """The caller of a signed request.

        Raises AwsError: MissingAuthenticationToken, InvalidClientTokenId (unknown key, or a token that does not belong to it),
        ExpiredToken, SignatureDoesNotMatch (docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html).
        """
        if call.signature is None:
            raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        identity = self._known.get(call.signature.access_key)
        if identity is None or (identity.token or "") != call.environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""):
            raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        signature.require(call, call.signature, identity.secret)
        if identity.expires is not None and identity.expires <= self.clock():
            raise AwsError("ExpiredToken", "The security token included in the request is expired", 403)
        return identity


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(count))
