"""From the `tenant` part of a world to the tables of the twin: defaults filled in, relations apart, certificates made."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization

from awsfed_lib.sandbox.entra import certificates
from awsfed_lib.sandbox.entra.identifiers import assignment_id
from awsfed_lib.sandbox.entra.schema import KINDS, PRINCIPALS
from awsfed_lib.sandbox.entra.timestamps import parsed, ticks
from awsfed_lib.sandbox.keys import KeyPair, KeyRing, Validity

Tables = dict[str, dict[str, Any]]
World = Mapping[str, Any]
RELATIONS = ("members", "owners", "policies", "jobs", "portalClaims", "deleted")
SIGNING_NAME = "Microsoft Azure Federated SSO Certificate"


@dataclass
class Registration:
    """An app registration that signs in: with its certificate (`pair`), its secret, or a token of a trusted workload issuer.

    `certificates` are those registered on the application; `federated` holds issuer, subject and audience of trusted workloads.
    """

    app_id: str
    name: str
    display_name: str
    principal_id: str
    permissions: frozenset[str]
    pair: KeyPair
    secret: str
    certificates: list[KeyPair] = field(default_factory=list)
    federated: tuple[Mapping[str, str], ...] = ()


@dataclass
class Loaded:
    """A world, ready to be served."""

    tables: Tables
    registrations: dict[str, Registration] = field(default_factory=dict)
    vault: dict[str, KeyPair] = field(default_factory=dict)


def load(world: World, keys: KeyRing, now: datetime) -> Loaded:
    """The tables, clients and signing keys of a world. `now` is the time the world was made: certificates are valid around it."""
    loaded = Loaded({table: {} for table in (*KINDS, *RELATIONS)})
    for table in ("applications", "servicePrincipals", "users", "groups", "claimsMappingPolicies"):
        for record in world.get(table, ()):
            _put(loaded.tables, table, record)
    _names(loaded.tables)
    _sign_ins(loaded, world, keys, now)
    _signing(loaded, keys, now)
    _assignments(loaded.tables, world, now)
    loaded.tables["portalClaims"] |= world.get("portalClaims", {})
    loaded.tables["jobs"] |= {key: tuple(jobs) for key, jobs in world.get("synchronizationJobs", {}).items()}
    return loaded


def _put(tables: Tables, table: str, record: Mapping[str, Any]) -> None:
    """Keep one record; what Graph holds as a relation goes to a table of its own."""
    apart = {"members": "members", "owners": "owners", "claimsMappingPolicies": "policies"}
    for name, relation in apart.items():
        if record.get(name):
            tables[relation][record["id"]] = tuple(record[name])
    hidden = {"accountEnabled": True, "userType": "Member"} if table == "users" else {}
    kept = {name: value for name, value in record.items() if name not in apart}
    tables[table][record["id"]] = KINDS[table].filled(hidden | kept)


def _names(tables: Tables) -> None:
    """A service principal answers to its appId and to the identifier URIs of its application, which a SAML audience is taken from."""
    uris = {one["appId"]: one["identifierUris"] for one in tables["applications"].values()}
    for key, record in tables["servicePrincipals"].items():
        if record["appId"] in uris:
            tables["servicePrincipals"][key] = {**record, "servicePrincipalNames": [record["appId"], *uris[record["appId"]]]}


def named(*words: str) -> str:
    """A GUID that follows from words."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(words)))


def _sign_ins(loaded: Loaded, world: World, keys: KeyRing, now: datetime) -> None:
    """Every client is a registration, and an application and service principal of the directory as well."""
    known = {record.get("appId"): record["id"] for record in loaded.tables["servicePrincipals"].values()}
    for client in world.get("clients", ()):
        app_id = client["appId"]
        principal_id = known.get(app_id) or named("client", app_id)
        if app_id not in known:
            shared = {"appId": app_id, "displayName": client["displayName"]}
            _put(loaded.tables, "applications", {"id": named("registration", app_id), **shared})
            _put(loaded.tables, "servicePrincipals", {"id": principal_id, "appOwnerOrganizationId": world["id"], **shared})
        loaded.registrations[app_id.lower()] = _registration(client, principal_id, keys, now)


def _registration(client: Mapping[str, Any], principal_id: str, keys: KeyRing, now: datetime) -> Registration:
    app_id = client["appId"]
    validity = Validity(now - timedelta(days=1), now + timedelta(days=365))
    pair = keys.pair(f"client/{app_id}", client["displayName"], validity)
    return Registration(
        app_id,
        client.get("name") or client["displayName"],
        client["displayName"],
        principal_id,
        frozenset(client.get("permissions", ())),
        pair,
        _secret(pair),
        [pair],
        tuple(client.get("federatedIdentityCredentials", (trust(client),))),
    )


def trust(client: Mapping[str, Any]) -> dict[str, str]:
    """The workload that may sign in as this client, when the world names none."""
    return {
        "issuer": "https://workload.sandbox.invalid",
        "subject": f"client:{client['appId']}",
        "audience": "api://AzureADTokenExchange",
    }


def _secret(pair: KeyPair) -> str:
    """A secret nobody can guess, that stays the same for as long as the key does."""
    raw = pair.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return base64.urlsafe_b64encode(hashlib.sha256(b"client secret" + raw).digest()).decode()[:40]


def _signing(loaded: Loaded, keys: KeyRing, now: datetime) -> None:
    """Give every SAML application its signing certificates: those that the world describes, or one that is active."""
    principals = loaded.tables["servicePrincipals"]
    for key, record in list(principals.items()):
        wanted = record.get("signingCertificates") or [{"active": True}]
        if record["preferredSingleSignOnMode"] == "saml" and not record["keyCredentials"]:
            principals[key] = _signed(record, list(_pairs(record, wanted, keys, now)), loaded.vault)


def _pairs(record: Mapping[str, Any], wanted: list[Mapping[str, Any]], keys: KeyRing, now: datetime) -> Iterator[tuple[KeyPair, bool]]:
    for nth, one in enumerate(wanted):
        start = parsed(one.get("startDateTime", "")) or now - timedelta(days=200)
        end = parsed(one.get("endDateTime", "")) or now + timedelta(days=895)
        pair = keys.pair(f"signing/{record['id']}/{nth}", one.get("displayName", SIGNING_NAME), Validity(start, end))
        yield pair, bool(one.get("active"))


def _signed(record: Mapping[str, Any], pairs: list[tuple[KeyPair, bool]], vault: dict[str, KeyPair]) -> dict[str, Any]:
    signed = {name: value for name, value in record.items() if name != "signingCertificates"}
    for nth, (pair, active) in enumerate(pairs):
        vault[certificates.identifier(pair)] = pair
        key_credentials, passwords = certificates.credentials(pair, _minting(str(record["id"]), str(nth)))
        signed["keyCredentials"] = [*signed["keyCredentials"], *key_credentials]
        signed["passwordCredentials"] = [*signed["passwordCredentials"], *passwords]
        if active:
            signed["preferredTokenSigningKeyThumbprint"] = certificates.thumbprint(pair)
    return signed


def _minting(*words: str) -> Callable[[], str]:
    counter = iter(range(100))
    return lambda: named(*words, str(next(counter)))


def _assignments(tables: Tables, world: World, now: datetime) -> None:
    for nth, given in enumerate(world.get("assignments", ())):
        made = assignment(tables, given, assignment_id(given["principalId"], named("assignment", str(world["id"]), str(nth))), now)
        tables["assignments"][made["id"]] = made | {name: given[name] for name in ("id", "createdDateTime") if name in given}


def assignment(tables: Tables, given: Mapping[str, Any], key: str, now: datetime) -> dict[str, Any]:
    """An appRoleAssignment as Graph answers it; both names are the display names at this time.

    Shape: learn.microsoft.com graph/api/serviceprincipal-post-approleassignedto. Raises KeyError for an unknown principal or resource.
    """
    table = next(name for name in (*PRINCIPALS, "") if not name or given["principalId"] in tables[name])
    if not table:
        raise KeyError(f"There is no user, group or service principal {given['principalId']}.")
    return {
        "id": key,
        "deletedDateTime": None,
        "appRoleId": given["appRoleId"],
        "createdDateTime": ticks(now),
        "principalDisplayName": tables[table][given["principalId"]].get("displayName"),
        "principalId": given["principalId"],
        "principalType": PRINCIPALS[table],
        "resourceDisplayName": tables["servicePrincipals"][given["resourceId"]].get("displayName"),
        "resourceId": given["resourceId"],
    }
