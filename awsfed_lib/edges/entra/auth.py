"""Signing in to Entra ID by MSAL: who, by which method, and what the session may do. Tokens never leave as text.

Methods, in the order in which to prefer them for scheduled runs: managed identity and federated workload (nothing to
keep), certificate, and last a secret; for people the device code and the browser. Entra's continuous access evaluation
is on (client capability CP1, learn.microsoft.com entra/identity-platform/app-resilience-continuous-access-evaluation).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, get_args

import msal
import requests

from awsfed_lib.core.errors import ParameterError, SignInError, UnreadError
from awsfed_lib.edges.entra import clouds, credentials, person, sources
from awsfed_lib.edges.entra.clouds import Cloud
from awsfed_lib.edges.entra.connection import connect, refuse_redirect, trusted
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.entra.person import Person
from awsfed_lib.edges.entra.tokens import Token
from awsfed_lib.edges.entra.transport import Source

Method = Literal["certificate", "managed-identity", "workload", "device-code", "interactive", "secret"]
CAPABILITIES = ["CP1"]


@dataclass(frozen=True)
class SignIn:
    """Who signs in where, and how: the four parameters of a parameter file. Holds no secret.

    `resource`: the API that the tokens are for, by default the Graph of the cloud.
    """

    cloud: str
    tenant_id: str
    client_id: str
    method: str = "certificate"
    resource: str = ""

    @property
    def where(self) -> str:
        """For messages."""
        who = f"tenant {self.tenant_id or 'its own'}, client {self.client_id or 'system-assigned'}, {self.method}, cloud {self.cloud}"
        return f"{who}, for {self.resource}" if self.resource else who

    def audience(self, cloud: Cloud) -> str:
        """Return the resource that the tokens are for."""
        return self.resource or cloud.graph_url

    def scope(self, cloud: Cloud) -> str:
        """Return the scope that asks for every permission that was consented to."""
        return f"{self.audience(cloud)}/.default"


class Held(NamedTuple):
    """What a session may do, by its token. `kind`: application or delegated; `permissions`: its roles or scopes.

    `directory_roles`: template ids of the person's roles (claim wids), None when the token does not tell. `object_id`: of the service
    principal or the person.
    """

    kind: Literal["application", "delegated"]
    permissions: frozenset[str]
    tenant_id: str
    client_id: str
    user_name: str
    expires: datetime
    directory_roles: frozenset[str] | None = None
    object_id: str = ""


@dataclass(frozen=True)
class Session:
    """A signed-in session: hand it to `Graph.reading` or `Graph.writing`.

    `kept`: where its tokens are kept. `certificate_ends`: the last moment of the certificate it signs in with, if any.
    """

    cloud: Cloud
    tenant_id: str
    client_id: str
    method: str
    source: Source = field(repr=False)
    kept: str = "in memory only"
    certificate_ends: datetime | None = None

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A signed-in session is not copied and not written down.")


@dataclass(frozen=True)
class Surroundings:
    """What signing in takes from outside: environment variables, time, the person, and the sandbox's description."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    clock: Clock = field(default_factory=Clock)
    person: Person | None = field(default_factory=person.present)
    sandbox_file: Path | None = None


def sign_in(who: SignIn, *, around: Surroundings | None = None) -> Session:
    """Sign in, and get the first token, so that whatever is wrong is told here.

    Raises ParameterError for a wrong cloud or method, and SignInError with Entra's own words, the cause and the next step.
    """
    if who.method not in _METHODS:
        raise ParameterError(f"There is no sign-in {who.method!r}.", remedy=f"Take one of {', '.join(get_args(Method))}.")
    around = around or Surroundings()
    cloud = clouds.named(who.cloud, around.sandbox_file)
    session = _METHODS[who.method](who, cloud, around)
    return replace(session, tenant_id=_realm(who, session.source.token()))


def _realm(who: SignIn, token: Token) -> str:
    """Return the id of the tenant that the token is of, also when it was named by its domain: plans never cross it."""
    tenant = str(token.claims.get("tid") or who.tenant_id)
    if _is_guid(who.tenant_id) and tenant.lower() != who.tenant_id.lower():
        raise SignInError(f"The token is of tenant {tenant}, and not of the one that was asked for.", where=who.where)
    return tenant


def held(session: Session) -> Held:
    """Tell what the session may do. Raises UnreadError when its token does not tell."""
    claims = session.source.token().claims
    if "exp" not in claims or not ({"roles", "scp", "idtyp", "appid"} & claims.keys()):
        raise UnreadError("The access token does not tell its permissions.", remedy="Look at the permissions in the portal.")
    scopes = str(claims.get("scp") or "").split()
    return Held(
        "delegated" if scopes else "application",
        frozenset(scopes or map(str, claims.get("roles") or [])),
        str(claims.get("tid") or session.tenant_id),
        str(claims.get("appid") or claims.get("azp") or session.client_id),
        str(claims.get("upn") or claims.get("unique_name") or claims.get("preferred_username") or ""),
        datetime.fromtimestamp(float(claims["exp"]), UTC),
        frozenset(map(str, claims["wids"])) if isinstance(claims.get("wids"), list) else None,
        str(claims.get("oid") or ""),
    )


def granted(session: Session) -> frozenset[str]:
    """Return the permissions that the token of the session names; none where it does not tell."""
    try:
        return held(session).permissions
    except UnreadError:
        return frozenset()


def _is_guid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4  # noqa: PLR2004  the form of a GUID


def _session(who: SignIn, cloud: Cloud, source: Source, **kept: Any) -> Session:
    return Session(cloud, who.tenant_id, who.client_id, who.method, source, **kept)


def _client(make: Callable[..., Any], who: SignIn, cloud: Cloud, **more: Any) -> Any:
    """Make a client of MSAL: our pinned session, the tenant's authority, no instance discovery and no regional endpoint.

    Instance discovery asks a host of the global cloud which hosts to trust; the table of clouds answers that already.
    """
    return sources.ask(
        lambda: make(
            who.client_id,
            authority=cloud.authority(who.tenant_id),
            http_client=_login(cloud),
            instance_discovery=False,
            client_capabilities=CAPABILITIES,
            **more,
        ),
        who.where,
    )


def _login(cloud: Cloud) -> requests.Session:
    session = connect(cloud.login_url, cloud)
    session.hooks["response"].append(_refuse_half)
    return session


def _refuse_half(response: requests.Response, **_: Any) -> None:
    """Stop a token answer that is no whole JSON before MSAL sees it: MSAL logs its text, and half of it is a token."""
    if response.status_code >= 500:  # noqa: PLR2004  HTTP: MSAL raises for these, without their text
        return
    try:
        response.json()
    except ValueError:
        whole = False
    else:
        whole = True
    if not whole:
        raise SignInError(
            f"Entra ID's answer is no whole JSON (HTTP {response.status_code}).", remedy="Run it again; look at a proxy in between."
        )


def _application(who: SignIn, cloud: Cloud, credential: Any) -> Source:
    client = _client(msal.ConfidentialClientApplication, who, cloud, client_credential=credential, azure_region=False)
    return sources.Application(client, who.scope(cloud), who.where)


def _by_certificate(who: SignIn, cloud: Cloud, around: Surroundings) -> Session:
    own = clouds.sandbox(around.sandbox_file).certificate_of(who.client_id) if cloud.name == clouds.SANDBOX else ""
    file = own or credentials.certificate_file(around.environment)
    password = "" if own else around.environment.get(credentials.PASSWORD, "")
    found = credentials.certificate(file, password, around.clock.now())
    return _session(who, cloud, _application(who, cloud, found.credential), certificate_ends=found.ends)


def _by_workload(who: SignIn, cloud: Cloud, around: Surroundings) -> Session:
    fresh = credentials.assertion(around.environment, cloud.federation_audience)
    return _session(who, cloud, _application(who, cloud, {"client_assertion": fresh}))


def _by_secret(who: SignIn, cloud: Cloud, around: Surroundings) -> Session:
    return _session(who, cloud, _application(who, cloud, credentials.secret(around.environment)))


def _by_managed_identity(who: SignIn, cloud: Cloud, around: Surroundings) -> Session:
    """Ask this machine's own endpoint (169.254.169.254 or localhost, plain HTTP by design), so no proxy and no pin by cloud."""
    identity = msal.UserAssignedManagedIdentity(client_id=who.client_id) if who.client_id else msal.SystemAssignedManagedIdentity()

    def make() -> msal.ManagedIdentityClient:
        session = requests.Session()
        session.trust_env, session.verify = False, trusted(cloud, around.environment)
        session.hooks["response"].append(refuse_redirect)  # requests takes only Authorization out of what it sends elsewhere
        return msal.ManagedIdentityClient(identity, http_client=session, client_capabilities=CAPABILITIES)

    return _session(who, cloud, sources.Managed(make, who.audience(cloud), who.where, [make()]))


def _by_device_code(who: SignIn, cloud: Cloud, around: Surroundings) -> Session:
    somebody = _somebody(who, around)
    store = person.cache(cloud, who.tenant_id, who.client_id)
    client = _client(msal.PublicClientApplication, who, cloud, token_cache=store.store)
    asking = sources.DeviceCode(client, who.scope(cloud), somebody, around.clock)
    return _session(who, cloud, sources.Delegated(client, who.scope(cloud), who.where, asking), kept=store.kept)


def _by_browser(who: SignIn, cloud: Cloud, around: Surroundings) -> Session:
    somebody = _somebody(who, around)
    store = person.cache(cloud, who.tenant_id, who.client_id)
    client = _client(msal.PublicClientApplication, who, cloud, token_cache=store.store)
    asking = sources.Browser(client, who.scope(cloud), somebody)
    return _session(who, cloud, sources.Delegated(client, who.scope(cloud), who.where, asking), kept=store.kept)


def _somebody(who: SignIn, around: Surroundings) -> Person:
    if around.person is None:
        raise SignInError(
            f"Nobody is here who could answer a sign-in by {who.method}.",
            where=who.where,
            remedy="Take certificate, managed-identity or workload for scheduled runs, or run it in JupyterLab or a terminal.",
        )
    return around.person


_METHODS: Mapping[str, Callable[[SignIn, Cloud, Surroundings], Session]] = {
    "certificate": _by_certificate,
    "managed-identity": _by_managed_identity,
    "workload": _by_workload,
    "device-code": _by_device_code,
    "interactive": _by_browser,
    "secret": _by_secret,
}
