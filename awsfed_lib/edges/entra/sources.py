"""Where tokens come from: MSAL's clients behind one shape. Their errors end here, in Entra's words and ours.

MSAL returns errors as dicts and raises half a dozen unrelated exceptions, from frames that hold assertions, secrets and
tokens. So each call is made in one place that turns every failure into text, and raises from outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msal
import requests
import urllib3.exceptions as u3

from awsfed_lib.core.errors import AwsfedError, SignInError
from awsfed_lib.edges.entra.connection import lost
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.entra.person import Person
from awsfed_lib.edges.entra.refusals import AADSTS, explain_sign_in
from awsfed_lib.edges.entra.tokens import Token
from awsfed_lib.edges.records import held

TAIL = re.compile(r"[\r\n]| Trace ID:")  # what follows is for support: ids and times
KEPT = ("refresh_token", "id_token")  # what MSAL gets beside the access token
Result = Mapping[str, Any] | None


def ask(call: Callable[[], Any], where: str) -> Any:
    """Return the result of `call`, which is MSAL's; whatever it raises becomes a SignInError of words alone."""
    result = _tried(call, where)
    if isinstance(result, SignInError):
        raise result
    return result


def _tried(call: Callable[[], Any], where: str) -> Any:
    try:
        return call()
    except AwsfedError as failure:
        return SignInError(failure.what, where=failure.where or where, remedy=failure.remedy)
    except (requests.RequestException, u3.HTTPError) as failure:
        return SignInError(f"Entra ID gave no answer. {lost(failure).reason}", where=where, remedy="Check network, proxy and cloud.")
    except Exception as failure:  # noqa: BLE001  MSAL raises ValueError, RuntimeError, KeyError, … without a common base
        return _refused(_chain(failure), where)


def _chain(failure: BaseException) -> str:
    """Find the first words in the chain of causes that hold a code of Entra; MSAL hides them behind a general sentence."""
    inner: BaseException | None = failure
    while inner is not None:
        if AADSTS.search(str(inner)):
            return str(inner)
        inner = inner.__context__
    return f"{type(failure).__name__} from MSAL"


def token(result: Result, where: str) -> Token:
    """Return the token of a result of MSAL, or SignInError with Entra's words, the cause and the next step."""
    held.hold(*(value for name, value in (result or {}).items() if name in KEPT and isinstance(value, str)))
    if result and isinstance(result.get("access_token"), str):
        return Token(result["access_token"])
    said = result or {}
    raise _refused(str(said.get("error_description") or said.get("error") or "no token"), where, str(said.get("correlation_id") or ""))


def _refused(words: str, where: str, correlation: str = "") -> SignInError:
    known = explain_sign_in(words)
    start = AADSTS.search(words)
    told = TAIL.split(words[start.start() if start else 0 :], maxsplit=1)[0][:500]
    place = f"{where}, correlation id {correlation}" if correlation else where
    return SignInError(f"Entra ID refused the sign-in: {told} {known.cause}".strip(), where=place, remedy=known.remedy)


@dataclass(frozen=True)
class Application:
    """Tokens of an application that signs in as itself: certificate, federated assertion, secret."""

    client: msal.ConfidentialClientApplication
    scope: str
    where: str

    def token(self) -> Token:
        """From MSAL's cache while it is good for five minutes, else from Entra."""
        return self._acquire("")

    def renew(self, claims: str) -> Token:
        """From Entra, whatever the cache holds."""
        ask(self.client.remove_tokens_for_client, self.where)
        return self._acquire(claims)

    def _acquire(self, claims: str) -> Token:
        result = ask(lambda: self.client.acquire_token_for_client([self.scope], claims_challenge=claims or None), self.where)
        return token(result, self.where)


@dataclass(frozen=True)
class Managed:
    """Tokens of a managed identity of Azure; `make` gives a client with an empty cache."""

    make: Callable[[], msal.ManagedIdentityClient]
    resource: str
    where: str
    clients: list[msal.ManagedIdentityClient]

    def token(self) -> Token:
        """From MSAL's cache, else from the machine's endpoint."""
        return self._acquire("")

    def renew(self, claims: str) -> Token:
        """From the endpoint: with the challenge, or with an empty cache."""
        if not claims:
            self.clients[:] = [self.make()]
        return self._acquire(claims)

    def _acquire(self, claims: str) -> Token:
        client = self.clients[0]
        result = ask(lambda: client.acquire_token_for_client(resource=self.resource, claims_challenge=claims or None), self.where)
        return token(result, self.where)


@dataclass(frozen=True)
class Delegated:
    """Tokens of a person: from the cache or a refresh token when there is one, else the person is asked."""

    client: msal.PublicClientApplication
    scope: str
    where: str
    ask_person: Callable[[str], Result]

    def token(self) -> Token:
        """Without a question when the cache allows it."""
        return token(self._silent(claims="", kind="cached") or ask(lambda: self.ask_person(""), self.where), self.where)

    def renew(self, claims: str) -> Token:
        """By the refresh token; the person is asked when Entra wants more (a claims challenge often does)."""
        return token(self._silent(claims=claims, kind="fresh") or ask(lambda: self.ask_person(claims), self.where), self.where)

    def _silent(self, *, claims: str, kind: str) -> Result:
        account = next(iter(ask(self.client.get_accounts, self.where)), None)
        if account is None:
            return None
        fresh = {"force_refresh": kind == "fresh", "claims_challenge": claims or None}
        result: Result = ask(lambda: self.client.acquire_token_silent([self.scope], account, **fresh), self.where)
        return result


@dataclass(frozen=True)
class DeviceCode:
    """The device-code flow: the person opens a page on any device and enters a code (RFC 8628)."""

    client: msal.PublicClientApplication
    scope: str
    person: Person
    clock: Clock

    def __call__(self, claims: str) -> Result:
        """Say Entra's message, and ask until the code was entered, was declined, or is too old."""
        flow = self.client.initiate_device_flow([self.scope], claims_challenge=claims or None)
        if "user_code" not in flow:
            return dict(flow)
        self.person.say(str(flow["message"]))
        started = self.clock.ticks()
        while True:
            self.clock.sleep(flow["interval"])
            flow.pop("latest_attempt_at", None)  # MSAL's own pacing by wall clock, which would sleep and warn beside ours
            result: Result = self.client.acquire_token_by_device_flow(flow, claims_challenge=claims or None, exit_condition=lambda _: True)
            waiting = (result or {}).get("error") in ("authorization_pending", "slow_down")
            if not waiting or self.clock.ticks() - started > flow["expires_in"]:
                return result


@dataclass(frozen=True)
class Browser:
    """The interactive flow: a browser on this machine, and an address of this machine to come back to."""

    client: msal.PublicClientApplication
    scope: str
    person: Person

    def __call__(self, claims: str) -> Result:
        """Open the browser and wait for it, ten minutes at most."""
        self.person.say("A browser window opens on this machine: sign in there.")
        result: Result = self.client.acquire_token_interactive([self.scope], claims_challenge=claims or None, timeout=600)
        return result
