"""Tokens for clients and for people, with the resource and the permissions that their scope asks for."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from awsfed_lib.sandbox.entra import aadsts, tokens
from awsfed_lib.sandbox.entra.loading import Registration

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import Tenant

DEFAULT = "/.default"
OPENID = frozenset({"openid", "profile", "offline_access", "email"})
OTHER_RESOURCES = frozenset(
    {
        "https://management.azure.com",
        "https://management.core.windows.net",
        "https://vault.azure.net",
        "https://storage.azure.com",
        "e406a681-f3d4-42a8-90b6-c2b029497af1",  # Azure Storage by its id
    }
)
OF_OTHERS = frozenset({"user_impersonation"})  # the one delegated permission that each of these has


@dataclass(frozen=True)
class Scope:
    """What was asked for: the API, single permissions (none: all that are granted), and whether a refresh token is wanted."""

    resource: str
    names: frozenset[str]
    offline: bool
    text: str

    @classmethod
    def parse(cls, text: str, tenant: str) -> Scope:
        """The scope in a form field. Raises SignInRefused for an API that the tenant does not know."""
        wanted = [one for one in text.split() if one not in OPENID]
        resources = {_resource(one) for one in wanted} or {"https://graph.microsoft.com"}
        resource = resources.pop()
        if resources or not known(resource):
            raise aadsts.unknown_resource(resource, tenant)
        names = frozenset(one.rsplit("/", 1)[-1] for one in wanted) - {".default"}
        return cls(resource, names, "offline_access" in text.split(), text)


def _resource(scope: str) -> str:
    if scope.endswith(DEFAULT):
        return scope.removesuffix(DEFAULT)
    return scope.rsplit("/", 1)[0] if "://" in scope else "https://graph.microsoft.com"


def known(resource: str) -> bool:
    """Whether the tenant has that API."""
    return tokens.is_graph(resource) or resource.rstrip("/") in OTHER_RESOURCES


@dataclass(frozen=True)
class Person:
    """Who signed in: a user record, the directory roles that the token tells, and the nonce that the id token repeats."""

    record: Mapping[str, Any]
    roles: tuple[str, ...]
    nonce: str = ""


def for_application(tenant: Tenant, client: Registration, resource: str) -> dict[str, Any]:
    """An app-only token: `roles` are the application permissions, of which the clients here have some of Graph only."""
    claims = {
        **tokens.shared_claims(tenant.id, resource),
        **tokens.lifetime(tenant.clock(), tenant.switches.token_seconds),
        "appid": client.app_id,
        "app_displayname": client.display_name,
        "appidacr": "2",
        "idtyp": "app",
        "oid": client.principal_id,
        "sub": client.principal_id,
        **({"roles": sorted(client.permissions)} if tokens.is_graph(resource) else {}),
    }
    seconds = tenant.switches.token_seconds
    token = tokens.signed(tenant.keys.key("token"), claims)
    return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def for_person(tenant: Tenant, client: Registration, person: Person, scope: Scope, issuer: str) -> dict[str, Any]:
    """A delegated token with its id token, and a refresh token when asked for. Raises SignInRefused without consent."""
    consented = client.permissions if tokens.is_graph(scope.resource) else OF_OTHERS
    granted = scope.names or consented
    if not granted <= consented | {"User.Read"}:
        raise aadsts.not_consented(client.app_id, client.display_name)
    now, seconds = tenant.clock(), tenant.switches.token_seconds
    claims = {
        **tokens.shared_claims(tenant.id, scope.resource),
        **tokens.lifetime(now, seconds),
        "appid": client.app_id,
        "app_displayname": client.display_name,
        "app_oid": client.principal_id,
        "idtyp": "user",
        "scp": " ".join(sorted(granted)),
        "wids": list(person.roles),
        **_identity(tenant, person),
    }
    key = tenant.keys.key("token")
    answer = {
        "token_type": "Bearer",
        "scope": " ".join(f"{scope.resource}/{name}" for name in sorted(granted)),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": tokens.signed(key, claims),
        "id_token": tokens.signed(key, _id_claims(tenant, client, person, issuer)),
        "client_info": _client_info(tenant, person),
    }
    return answer | ({"refresh_token": _refresh_token(tenant, client, person, scope)} if scope.offline else {})


def _identity(tenant: Tenant, person: Person) -> dict[str, Any]:
    name = person.record["userPrincipalName"]
    shown = {"name": person.record.get("displayName"), "upn": name, "unique_name": name}
    return {"oid": person.record["id"], "sub": person.record["id"], "tid": tenant.id, **shown}


def _id_claims(tenant: Tenant, client: Registration, person: Person, issuer: str) -> dict[str, Any]:
    identity = _identity(tenant, person)
    return {
        **tokens.lifetime(tenant.clock(), tenant.switches.token_seconds),
        **{name: identity[name] for name in ("oid", "sub", "tid", "name")},
        "aud": client.app_id,
        "iss": issuer,
        "preferred_username": identity["upn"],
        "ver": "2.0",
        **({"nonce": person.nonce} if person.nonce else {}),
    }


def _client_info(tenant: Tenant, person: Person) -> str:
    raw = json.dumps({"uid": person.record["id"], "utid": tenant.id}).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _refresh_token(tenant: Tenant, client: Registration, person: Person, scope: Scope) -> str:
    token = f"0.{secrets.token_urlsafe(48)}"
    tenant.sessions[token] = {"kind": "refresh", "client": client.app_id, "person": person, "scope": scope.text}
    return token
