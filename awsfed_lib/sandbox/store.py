"""The tenant: every object of the directory, one lock, one place where a write is applied."""

from __future__ import annotations

import random
import secrets
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from awsfed_lib.sandbox.entra import certificates, claims, federation, hosts, loading, signins, tokens
from awsfed_lib.sandbox.entra.loading import Registration, Tables
from awsfed_lib.sandbox.entra.replicas import Channel, Replicas
from awsfed_lib.sandbox.entra.schema import KINDS, Record
from awsfed_lib.sandbox.entra.throttle import Meter
from awsfed_lib.sandbox.keys import KeyPair, KeyRing, Validity
from awsfed_lib.sandbox.switches import Switches

Clock = Callable[[], datetime]


class Write(NamedTuple):
    """One object as it is to be; `value` None removes it."""

    table: str
    key: str
    value: Any


Hook = Callable[["Tenant", Sequence[Write]], None]


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class Tenant:
    """One Entra ID tenant, made from the `tenant` part of a world.

    Records are never changed in place: a write replaces them, so that what was read before stays as it was read.
    `before_write` and `after_write` hold functions that are called around every write, with the lock held: a fault injector or a
    concurrent editor hooks in there. An exception from `before_write` keeps the write from being applied.
    """

    def __init__(
        self, world: Mapping[str, Any], switches: Switches | None = None, clock: Clock = utc_now, *, keys: KeyRing | None = None
    ) -> None:
        self.world, self.keys = world, keys or KeyRing()
        self._clock, self._passed = clock, timedelta()
        self.lock = RLock()
        self.born = clock()
        self.identity_header = secrets.token_hex(16)  # IDENTITY_HEADER of the managed identity
        self.first_switches = self.switches = switches or Switches()
        self.before_write: list[Hook] = []
        self.after_write: list[Hook] = []
        self.requests: deque[dict[str, Any]] = deque(maxlen=20_000)
        self.reset()

    def clock(self) -> datetime:
        """The time in the tenant, UTC: that of its clock, and what was passed."""
        return self._clock() + self._passed

    @property
    def logged_until(self) -> datetime:
        """Until when the logs of audits and sign-ins are complete: what happened later is not in them yet."""
        return self.clock() - timedelta(minutes=self.switches.log_minutes)

    def pass_time(self, seconds: float) -> datetime:
        """Let time pass in the tenant without waiting, and return what it is then: replicas catch up, tokens run out."""
        self._passed += timedelta(seconds=seconds)
        return self.clock()

    def reset(self) -> None:
        """The tenant as its world describes it; keys and certificates stay, so that clients can go on signing in."""
        with self.lock:
            self.switches = self.first_switches
            loaded = loading.load(self.world, self.keys, self.born)
            self.tables: Tables = loaded.tables
            self.clients: dict[str, Registration] = loaded.registrations
            self.vault: dict[str, KeyPair] = loaded.vault
            self.audits: list[dict[str, Any]] = []
            self.sign_ins = signins.past(self.world, self.tables, self.born)
            self.sessions: dict[str, dict[str, Any]] = {}
            self.chance = random.Random(f"tenant/{self.switches.seed}")
            self.replicas = Replicas(self.switches.seed)
            self.meter = Meter()
            self.requests.clear()
            self._index()

    @property
    def id(self) -> str:
        """The tenant id."""
        return str(self.world["id"])

    @property
    def domain(self) -> str:
        """The tenant's domain name."""
        return str(self.world.get("domain", "contoso.example"))

    @property
    def entity_id(self) -> str:
        """Who issues the SAML responses."""
        return hosts.entity_id(self.id, self.switches.cloud)

    def mint(self) -> str:
        """A new version 4 GUID; the seed decides which."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def view(self, *, through_replicas: bool) -> View:
        """The directory as one request sees it."""
        return View(self, lagging=through_replicas and bool(self.switches.lag_reads or self.switches.lag_minutes))

    @property
    def now_view(self) -> View:
        """The directory as it is."""
        return View(self, lagging=False)

    def commit(self, writes: Sequence[Write]) -> None:
        """Apply writes together. The only place where the directory changes."""
        with self.lock:
            for hook in self.before_write:
                hook(self, writes)
            for write in writes:
                self._apply(write)
            for hook in self.after_write:
                hook(self, writes)

    def metadata(self, app_id: str, which: federation.Which = "current") -> str:
        """Federation metadata of the application (appId or object id); `stale`: before its certificate was renewed.

        `tenant`: the tenant-wide document. Raises KeyError for an unknown application.
        """
        with self.lock:
            text = federation.document(self.id, self._certificates(app_id, which), self.switches.cloud)
        return f"\ufeff{text}" if self.switches.metadata_bom else text

    def signing_key(self, app_id: str) -> tuple[RSAPrivateKey, x509.Certificate]:
        """Private key and certificate that sign SAML responses of the application now; the tenant's where it has none of its own."""
        with self.lock:
            principal = self.principal(app_id)
            own = certificates.held(principal, self.vault)
            pair = certificates.active(principal, self.vault, self.clock()) if own else self._certificates("", "tenant")[0]
            return pair.key, pair.certificate

    def signed_in(self, user_id: str, app_id: str, code: int = 0) -> None:
        """Write into the sign-in log that the user signed in to the application, or was refused with an AADSTS number."""
        with self.lock:
            user = self.tables["users"].get(user_id, {"id": user_id})
            self.sign_ins.append(signins.entry(self.id, user, self.principal(app_id), self.clock(), code))

    def role_values(self, user_id: str, app_id: str) -> list[str]:
        """The values that a SAML response for that user carries in the Role claim of the application."""
        with self.lock:
            return claims.role_values(self.now_view, user_id, self.principal(app_id))

    def principal(self, app_id: str) -> Record:
        """The service principal with that object id or appId. Raises KeyError."""
        found: Record | None = self.tables["servicePrincipals"].get(app_id)
        other: Record = found or self.tables["servicePrincipals"][self.alternate[("servicePrincipals", "appId", app_id.lower())]]
        return other

    def client_credentials(self, app_id: str) -> Registration:
        """Certificate (`.pair.pem`) and secret with which that client signs in. Raises KeyError for an unknown client."""
        return self.clients[app_id.lower()]

    def permit(self, client: str, permissions: Iterable[str]) -> None:
        """Give that client (by name or appId) these permissions and no others; tokens that it has already keep theirs. Raises KeyError."""
        named = {one.name: one.app_id for one in self.clients.values()}
        self.clients[named.get(client, client).lower()].permissions = frozenset(permissions)

    def workload_assertion(self, app_id: str) -> str:
        """A token of the outside workload that may sign in as that client: what AZURE_FEDERATED_TOKEN_FILE holds. Valid for an hour."""
        trusted = self.clients[app_id.lower()].federated[0]
        claims = {"iss": trusted["issuer"], "sub": trusted["subject"], "aud": trusted["audience"]}
        return tokens.signed(self.keys.key("workload"), {**claims, **tokens.lifetime(self.clock(), 3600)})

    def _certificates(self, app_id: str, which: federation.Which) -> list[KeyPair]:
        if which == "current":
            return certificates.published(self.principal(app_id), self.vault, self.clock())
        name = "tenant-wide" if which == "tenant" else f"stale/{self.principal(app_id)['id']}"
        return [self.keys.pair(name, "accounts.accesscontrol.windows.net", _former(self.born))]

    def _apply(self, write: Write) -> None:
        table = self.tables[write.table]
        before = table.get(write.key)
        self.replicas.note((write.table, write.key), before, self.switches.lag_reads)
        minutes, now = self.switches.minutes_behind(write.table), self.clock()
        if minutes:
            until: dict[Channel, datetime] = {"object": now + minutes, "list": now + minutes * self.switches.list_lag}
            self.replicas.keep((write.table, write.key), before, now, until)
        self._forget(write.table, write.key, before)
        if write.value is None:
            table.pop(write.key, None)
        else:
            table[write.key] = write.value
            self._remember(write.table, write.key, write.value)

    def _index(self) -> None:
        self.alternate: dict[tuple[str, str, str], str] = {}
        self.assigned: dict[tuple[str, str], dict[str, None]] = {}  # (resourceId | principalId, id) → assignment ids
        for name, table in self.tables.items():
            for key, record in table.items():
                self._remember(name, key, record)

    def _remember(self, table: str, key: str, record: Any) -> None:
        for place in _alternates(table, record):
            self.alternate[place] = key
        for side in _sides(table, record):
            self.assigned.setdefault(side, {})[key] = None

    def _forget(self, table: str, key: str, record: Any) -> None:
        if record is None:
            return
        for place in _alternates(table, record):
            self.alternate.pop(place, None)
        for side in _sides(table, record):
            self.assigned.get(side, {}).pop(key, None)


def _alternates(table: str, record: Any) -> Iterator[tuple[str, str, str]]:
    kind = KINDS.get(table)
    for name in kind.alternate_keys if kind else ():
        if record.get(name):
            yield table, name, str(record[name]).lower()


def _sides(table: str, record: Any) -> Iterator[tuple[str, str]]:
    if table == "assignments":
        yield "resourceId", record["resourceId"]
        yield "principalId", record["principalId"]


def _former(now: datetime) -> Validity:
    """Valid before and now: a certificate that was replaced before it ran out."""
    return Validity(now - timedelta(days=900), now + timedelta(days=195))


class View:
    """The directory as one request sees it: what was read once in a request stays so for that request."""

    def __init__(self, tenant: Tenant, *, lagging: bool) -> None:
        self.tenant = tenant
        self._lagging = lagging
        self._seen: dict[tuple[Channel, str, str], Any] = {}

    def get(self, table: str, key: str) -> Any:
        """One record, or None."""
        return self._read("object", table, key)

    def by_alternate(self, table: str, name: str, value: str) -> Any:
        """The record with that alternate key, or None."""
        key = self.tenant.alternate.get((table, name, value.lower()))
        return None if key is None else self.get(table, key)

    def rows(self, table: str) -> list[Any]:
        """All records of a table."""
        keys = dict.fromkeys(self.tenant.tables[table])
        if self._lagging:
            keys |= dict.fromkeys(key for key, _ in self.tenant.replicas.lagging(table))
        return self._present(table, keys)

    def assignments(self, side: str, object_id: str) -> list[Any]:
        """The assignments in which `side` (resourceId or principalId) is that object."""
        keys = dict(self.tenant.assigned.get((side, object_id), {}))
        if self._lagging:
            lagging = self.tenant.replicas.lagging("assignments")
            keys |= dict.fromkeys(key for key, before in lagging if before and before[side] == object_id)
        return self._present("assignments", keys)

    def related(self, table: str, key: str) -> tuple[str, ...]:
        """Ids that a relation holds for an object: members, owners, policies."""
        return self._read("list", table, key) or ()

    def _present(self, table: str, keys: Mapping[str, None]) -> list[Any]:
        if not self._lagging:
            return [self.tenant.tables[table][key] for key in keys]
        rows = (self._read("list", table, key) for key in keys)
        return [row for row in rows if row is not None]

    def _read(self, channel: Channel, table: str, key: str) -> Any:
        current = self.tenant.tables[table].get(key)
        if not self._lagging:
            return current
        place = (channel, table, key)
        if place not in self._seen:
            self._seen[place] = self.tenant.replicas.read(channel, (table, key), current, self.tenant.clock())
        return self._seen[place]
