"""Who an AWS request acts as, and what it may do. One shared client serves every account of an organization.

A session or a client for each account costs time and memory that are never given back (github.com/boto/boto3 issues 1592
and 4568), so there is one, and each request is signed with the credentials of the account that it is for: botocore signs
with `request.context["signing"]["request_credentials"]` where a `before-sign` hook has put them (botocore/signers.py,
RequestSigner.sign). Should a later botocore drop that, `refuse_other_key` sees the wrong key in the signature and stops
the request before it leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from botocore.credentials import Credentials

from awsfed_lib.core.errors import AwsError, SignInError

KEY_ID = re.compile(rb"Credential=([^/,\s]+)/")


class Acting(NamedTuple):
    """The account that requests are for, the credentials that sign them, and their role; "" where they are no role's of the account."""

    account_id: str
    credentials: Credentials
    role: str = ""


# No default: a request outside of any account must fail, and never fall back to the credentials of the hub.
_ACTING: ContextVar[Acting] = ContextVar("acting")


@contextmanager
def acting_in(account_id: str, credentials: Credentials, role: str = "") -> Iterator[None]:
    """Sign the requests of this context, in this thread, with `credentials`, which belong to `account_id`."""
    token = _ACTING.set(Acting(account_id, credentials, role))
    try:
        yield
    finally:
        _ACTING.reset(token)


def acting() -> Acting:
    """Tell who acts now; raises SignInError outside of `acting_in`."""
    try:
        return _ACTING.get()
    except LookupError:
        raise SignInError(
            "A request to AWS was stopped: it is for no account.", remedy="This is a mistake in awsfed; please report it."
        ) from None


def sign_for_account(request: Any, **_: Any) -> None:
    """`before-sign` hook of a shared client: sign with the credentials of the account that is acted for."""
    request.context.setdefault("signing", {})["request_credentials"] = acting().credentials


def refuse_other_key(request: Any, **_: Any) -> None:
    """`before-send` hook of a shared client: stop a request that other credentials than those of the account have signed."""
    signed = request.headers.get("Authorization", b"")
    found = KEY_ID.search(signed if isinstance(signed, bytes) else signed.encode())
    expected = acting()
    if found is None or found[1].decode() != expected.credentials.get_frozen_credentials().access_key:
        raise AwsError(
            "A request was stopped before it left: it was signed with credentials of another account.",
            account_id=expected.account_id,
            operation="signing",
            remedy="This botocore does not take credentials for single requests; install the pinned version, and report it.",
        )
