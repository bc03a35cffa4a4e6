"""One way out: a requests session that reaches one origin, verifies TLS always, and follows no redirect.

Tokens leak by a link or redirect to a foreign host, by `.netrc`, by a CA bundle of the environment that silently
replaces the chosen one, and by exceptions that carry headers. Each of these ends here: `trust_env` is off, the origin is
pinned where the bytes leave, and a failure becomes a few words of our own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as u3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from awsfed_lib.edges.entra.clouds import SANDBOX, Cloud

TIMEOUT = (10.0, 90.0)  # seconds to connect, seconds between two bytes
PORTS = {"http": 80, "https": 443}


class RedirectError(requests.RequestException):
    """The service answered with a redirect; it is not followed."""


class ForeignOriginError(requests.RequestException):
    """A request for another origin than the pinned one; it is not sent."""


FOREIGN = "The address is not of this cloud, so nothing was sent to it."
BARRED: Mapping[type[Exception], str] = {
    RedirectError: "The answer was a redirect, which is not followed.",
    ForeignOriginError: FOREIGN,
    requests.exceptions.InvalidSchema: FOREIGN,  # what requests says when no adapter fits
    requests.exceptions.InvalidURL: FOREIGN,
}


class Lost(NamedTuple):
    """There is no whole answer. `stage`: unsent (never connected), barred (cannot be sent at all), unknown."""

    reason: str
    stage: Literal["unsent", "barred", "unknown"]


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of `url`; a missing port is the scheme's own."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme.lower(), 0)


def connect(base: str, cloud: Cloud, check: Callable[[requests.PreparedRequest], None] | None = None) -> requests.Session:
    """Make a session for the origin of `base` alone; `check` sees every request last and may raise.

    The sandbox is reached directly and by its own authority only. For real clouds the proxies of the environment are
    honoured, and so is REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE (a company's TLS inspection), explicitly rather than by
    `trust_env`, which would let the bundle override `session.verify` and would read `.netrc`.
    """
    session = requests.Session()
    session.trust_env = False
    session.verify = trusted(cloud, os.environ)
    session.proxies = {} if cloud.name == SANDBOX else dict(get_environ_proxies(base))
    session.adapters.clear()
    session.mount(f"{base}/", PinnedAdapter(base, session.verify, check))
    return session


def trusted(cloud: Cloud, environment: Mapping[str, str]) -> str | bool:
    """Return the CA file that is trusted for `cloud`; True for those that requests ships. Never False."""
    return cloud.ca_file or environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE") or True


class PinnedAdapter(HTTPAdapter):
    """Sends to one origin; `verify`, `timeout` and redirects are not the caller's to choose."""

    def __init__(self, base: str, trust: str | bool, check: Callable[[requests.PreparedRequest], None] | None) -> None:  # noqa: FBT001  as requests has it
        self._origin, self._trust, self._check = origin(base), trust, check
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Send `request`. Raises ForeignOriginError before anything leaves, and RedirectError for a redirect."""
        if origin(request.url or "") != self._origin:
            raise ForeignOriginError("another origin than the pinned one")
        if self._check:
            self._check(request)
        options |= {"verify": self._trust, "timeout": TIMEOUT, "stream": False}
        response = super().send(request, **options)
        refuse_redirect(response)
        return response


def refuse_redirect(response: requests.Response, **_: Any) -> None:
    """Raise RedirectError when the answer is one; also a hook for a session that is not pinned."""
    if response.is_redirect:
        response.close()
        raise RedirectError("a redirect")


def lost(failure: OSError | u3.HTTPError) -> Lost:
    """Tell what became of a request that has no whole answer, in words without addresses, headers or bodies."""
    if isinstance(failure, requests.exceptions.SSLError):
        return _lost_tls(failure)
    for kind, reason in BARRED.items():
        if isinstance(failure, kind):
            return Lost(reason, "barred")
    if isinstance(failure, requests.exceptions.ProxyError):
        return Lost("The proxy of the environment (HTTPS_PROXY) gave no connection.", "unsent")
    if isinstance(failure, requests.exceptions.ConnectTimeout) or _never_connected(failure):
        return Lost("No connection: the host did not answer or has no address.", "unsent")
    if isinstance(failure, requests.exceptions.Timeout):
        return Lost("The answer did not come in time.", "unknown")
    return Lost("The connection broke before the whole answer was there.", "unknown")


def _lost_tls(failure: requests.exceptions.SSLError) -> Lost:
    if "CERTIFICATE_VERIFY_FAILED" in str(failure):
        return Lost(
            "The certificate of the host is not trusted (behind a company proxy, set REQUESTS_CA_BUNDLE to its authorities).", "barred"
        )
    return Lost("The TLS connection broke.", "unknown")


def _never_connected(failure: BaseException) -> bool:
    inner = failure.args[0] if failure.args else None
    return isinstance(getattr(inner, "reason", inner), u3.NewConnectionError)
