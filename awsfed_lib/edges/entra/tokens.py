"""An access token that shows itself to nobody.

Notebooks echo values, tracebacks show locals, records are archived: so the text of a token lives in a type that prints
as `***` and refuses to be copied, pickled or written. The transport alone puts it into the one header it is made for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from awsfed_lib.edges.records import held

HIDDEN = "***"


class Header(str):
    """The value of an Authorization header: the wire gets the text, a person gets `***`.

    A str, because http.client encodes it; everything that prints or formats it is overridden.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __mod__(self, values: object) -> str:
        return HIDDEN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("An access token is not written down.")


class Token:
    """One access token. `header` is for the transport; `claims` are what the token says about itself."""

    __slots__ = ("_header",)

    def __init__(self, text: str) -> None:
        held.hold(text)
        self._header = Header(f"Bearer {text}")

    @property
    def header(self) -> Header:
        """What goes into the Authorization header."""
        return self._header

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of a JWT, unverified; empty for a token of another form.

        Only for telling a person what a sign-in may do. Graph's tokens are formally opaque to clients
        (learn.microsoft.com entra/identity-platform/access-tokens), so nothing is decided by them alone.
        """
        parts = str.__str__(self._header).removeprefix("Bearer ").split(".")
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except (IndexError, ValueError, binascii.Error):
            return {}
        return claims if isinstance(claims, dict) else {}

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("An access token is not copied and not written down.")
