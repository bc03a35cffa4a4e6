"""Microsoft Graph as awsfed sees it: reads that give whole tables, and the service that plans are applied to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import pandas as pd

from awsfed_lib.core import apply
from awsfed_lib.core.change import Request, Subject
from awsfed_lib.core.coverage import MEMBERS, Coverage
from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.roles import approles
from awsfed_lib.core.roles.sign_in_endpoints import is_endpoint
from awsfed_lib.edges.entra import auth, batch, live_tables, mistaken, objects, pages
from awsfed_lib.edges.entra.auth import Session, granted
from awsfed_lib.edges.entra.clouds import SANDBOX
from awsfed_lib.edges.entra.gate import Gate, PlanGate
from awsfed_lib.edges.entra.live_tables import guid, listed
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.entra.transport import Budget, Transport
from awsfed_lib.edges.entra.writes import Delivery

IN_FILTER = 15  # values of one `in` filter
PAUSES = (1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0)  # 70 s in all
READS = 3
FORBIDDEN = 403
WRITES_GROUPS = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})
LOG_PAUSE = 2.0  # seconds: logs answer five requests in ten (learn.microsoft.com graph/throttling-limits)
LOGS = {"/auditLogs/signIns": "sign-in log", "/auditLogs/directoryAudits": "audit log"}
UNWRITTEN = 4  # pauses for a lagging replica when this session wrote nothing that could lag


class Directory(NamedTuple):
    """The tenant: id, name, verified domains, and the service plans of its licences (AAD_PREMIUM, …)."""

    tenant_id: str
    name: str
    domains: tuple[str, ...]
    plans: frozenset[str]


class Graph:
    """Graph of one tenant over one signed-in session. Made by `reading` or `writing`; implements `apply.Service`.

    Reads raise GraphError when Graph refuses, UnreadError when an answer is not whole, SignInError without a token.
    """

    def __init__(self, session: Session, gate: Gate, clock: Clock, coverage: Coverage | None = None) -> None:
        self.realm = session.tenant_id
        self.coverage = coverage or Coverage()
        scale = 0.001 if session.cloud.name == SANDBOX else 1.0
        self.patience = apply.Patience(READS, tuple(pause * scale for pause in PAUSES), apply.LAG_BOUND * scale)
        self._log_pause = LOG_PAUSE * scale
        self._transport = Transport(session.cloud, session.source, gate, clock)
        self._wrote, self._log_due = False, float("-inf")
        self._session = session

    @classmethod
    def reading(cls, session: Session, *, clock: Clock = Clock(), coverage: Coverage | None = None) -> Self:  # noqa: B008  frozen
        """Make a Graph that only reads; nothing can permit it a write. `coverage`: where what it read is noted."""
        return cls(session, Gate(), clock, coverage)

    @classmethod
    def writing(cls, session: Session, *, clock: Clock = Clock(), coverage: Coverage | None = None) -> Self:  # noqa: B008  frozen
        """Make a Graph that can carry out plans; outside of one it only reads."""
        return cls(session, PlanGate(), clock, coverage)

    @property
    def url(self) -> str:
        """The address of Graph in this cloud, which references in bodies need whole."""
        return self._transport.cloud.graph_url

    @property
    def budget(self) -> Budget:
        """What this session has used so far: requests, throttled, retried, units, waited seconds."""
        return self._transport.budget

    def read(self, path: str) -> list[dict[str, Any]]:
        """Every object of the collection at `path`, over all pages."""
        return pages.every(self._transport, path)

    def log(self, path: str) -> list[dict[str, Any]]:
        """Every entry of a log below /auditLogs, over all pages; no request of this session comes faster than logs answer."""
        with self.coverage.reading(LOGS[path.partition("?")[0]]):
            return pages.every(self._transport, path, ready=self._log_ready)

    def _log_ready(self) -> None:
        """Wait until logs may be asked again."""
        clock = self._transport.clock
        wait = self._log_due - clock.ticks()
        if wait > 0:
            clock.sleep(wait)
        self._log_due = clock.ticks() + self._log_pause

    def one(self, path: str) -> dict[str, Any]:
        """Read the one object at `path`."""
        return pages.one(self._transport, path)

    def service_principal(self, service_principal: str, *keys: str) -> dict[str, Any]:
        """Read the service principal as Graph sends it, reduced to `id` and `keys` when there are any.

        The GraphError names the mistake when the id is another one of the same application.
        """
        select = f"?$select={','.join(dict.fromkeys(('id', *keys)))}" if keys else ""
        try:
            wire = self.one(f"/servicePrincipals/{guid(service_principal)}{select}")
        except GraphError as refusal:
            raise mistaken.explained(self, service_principal, refusal) from None
        if wire.get("id") != service_principal:
            raise UnreadError("Another service principal came back than the one that was asked for.", where=service_principal)
        return wire

    def application(self, service_principal: str) -> Subject:
        """Read the enterprise application, as the subject of a plan."""
        return self._subject(self.service_principal(service_principal, "displayName"))

    def recipients(self, service_principal: str) -> tuple[str, ...]:
        """Read the default reply URL, the Recipient of what My Apps sends; none when it is no sign-in endpoint of AWS."""
        urls = self.service_principal(service_principal, "replyUrls").get("replyUrls") or []
        return tuple(url for url in urls[:1] if is_endpoint(url))

    def _subject(self, wire: dict[str, Any]) -> Subject:
        name = objects.need(wire, "displayName", "A service principal")
        return Subject("servicePrincipal", objects.need(wire, "id", "A service principal"), name, self.realm)

    def app_roles(self, service_principal: str) -> pd.DataFrame:
        """APP_ROLES of the service principal, in the order of Graph, each entry kept whole."""
        found = approles.entries(live_tables.app_roles(self, service_principal))
        self.coverage.read("appRoles", service_principal, found=len(found))
        return found

    def scopes(self, service_principal: str) -> int:
        """How many permission scopes count against the limit of 700 beside the appRoles (ids of both count once)."""
        wire = self.service_principal(service_principal, "appRoles", "oauth2PermissionScopes")
        roles, scopes = ({entry.get("id") for entry in listed(wire, key)} for key in ("appRoles", "oauth2PermissionScopes"))
        return len(scopes - roles)

    def assignments(self, service_principal: str) -> pd.DataFrame:
        """Read ASSIGNMENTS of the service principal: users, groups and service principals."""
        found = objects.assignments(service_principal, live_tables.assignments(self, service_principal))
        self.coverage.read("assignments", service_principal, found=len(found))
        return found

    def groups(self, *, names: Iterable[str] = (), unique_names: Iterable[str] = (), ids: Iterable[str] = ()) -> pd.DataFrame:
        """Read GROUPS that have one of the display names, unique names or ids. A name may find several; one that finds none has no row."""
        return objects.groups(self.find_groups(*(sorted(set(given) - {""}) for given in (names, unique_names, ids))))

    def creator(self) -> str:
        """Return the reference of this client where it must own the groups that it creates; "" where it may write all groups.

        With Group.Create alone, which only applications can have, a group without owner can never be changed by its creator.
        """
        held = granted(self._session)
        if "Group.Create" not in held or held & WRITES_GROUPS:
            return ""
        return f"{self.url}/v1.0/servicePrincipals/{guid(auth.held(self._session).object_id)}"

    def origins(self, groups: pd.DataFrame) -> pd.DataFrame:
        """Fill the column `origin` of GROUPS: what a person must know of a group before it gets a role; three reads a group, batched.

        Owners and members that this sign-in may not read are said to be not known.
        """
        ids = sorted(set(groups["group_id"]))
        wire = {one["id"]: one for one in self.existing("groups", ids, objects.ORIGIN_KEYS)}
        owners = self._of_each(ids, "owners?$select=id,displayName,userPrincipalName")
        seen = sorted(set(ids) - set(self._with_problems(groups).query("problem != ''")["group_id"]))
        members = self._of_each(seen, "members?$select=id&$top=999")
        told = {
            key: objects.origin(wire[key], owners.get(key), len(members[key]) if key in members else None) for key in ids if key in wire
        }
        return groups.assign(origin=[told.get(key, "") for key in groups["group_id"]])

    def _of_each(self, group_ids: Sequence[str], what: str) -> dict[str, list[dict[str, Any]]]:
        """Read a collection of each group; nothing when this sign-in may not."""
        try:
            found = batch.gather(self._transport, [f"/groups/{guid(group)}/{what}" for group in group_ids])
        except GraphError as refusal:
            if refusal.status != FORBIDDEN:
                raise
            return {}
        return dict(zip(group_ids, found, strict=True))

    def find_groups(self, names: Sequence[str], unique_names: Sequence[str], ids: Sequence[str]) -> list[dict[str, Any]]:
        """Read the groups that have one of these, as Graph sends them; a group that has several may come several times."""
        select = f"$select={','.join(objects.GROUP_KEYS)}"
        found = self.gather(_filters("groups", "displayName", names, objects.GROUP_KEYS))
        by_key = [f"/groups(uniqueName={pages.quoted(name)})?{select}" for name in unique_names]
        return [*found, *batch.present(self._transport, by_key), *self.existing("groups", ids, objects.GROUP_KEYS)]

    def gather(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        """Read every object of many collections."""
        return [wire for table in batch.gather(self._transport, paths) for wire in table]

    def existing(self, kind: str, ids: Iterable[str], keys: Sequence[str]) -> list[dict[str, Any]]:
        """Read `keys` of those of these users, groups or servicePrincipals that exist; a deleted one is in no list.

        By `in` on the collection: directoryObjects/getByIds is documented for Directory.Read.All alone.
        """
        return self.gather(_filters(kind, "id", [guid(one) for one in sorted(set(ids))], keys))

    def users(self, ids: Iterable[str], attributes: Iterable[str] = ()) -> dict[str, dict[str, Any] | GraphError]:
        """Read users by id, with these `attributes`: what Graph shows of each, or why not. Only a 404 says that somebody is gone."""
        asked = sorted(set(ids))
        select = ",".join((*objects.MEMBER_KEYS, *attributes))
        return dict(zip(asked, batch.single(self._transport, [f"/users/{guid(one)}?$select={select}" for one in asked]), strict=True))

    def members(self, group_ids: Iterable[str], attributes: Iterable[str] = ()) -> pd.DataFrame:
        """MEMBERS: the direct members of each group, users and others. Only these get the roles of the group.

        `attributes`: properties of users that claims name, such as employeeId; they make the extra column `attributes`.
        """
        ids, more = list(dict.fromkeys(group_ids)), tuple(attributes)
        select = ",".join((*objects.MEMBER_KEYS, *more))
        found = batch.gather(self._transport, [f"/groups/{guid(group)}/members?$select={select}&$top=999" for group in ids])
        for group, table in zip(ids, found, strict=True):
            self.coverage.read(MEMBERS, group, found=len(table))
        return objects.members(((group, member) for group, table in zip(ids, found, strict=True) for member in table), more)

    def present(self, ids: Iterable[str]) -> frozenset[str]:
        """Read which of these users, groups and service principals exist; of deleted ones Graph sends nothing."""
        asked = list(ids)
        found = (one for kind in ("users", "groups", "servicePrincipals") for one in self.existing(kind, asked, ("id",)))
        return frozenset(objects.need(one, "id", "An object") for one in found)

    def memberships(self, user_id: str) -> pd.DataFrame:
        """MEMBERSHIPS: the groups that a user is a direct member of, in one read."""
        return objects.memberships(live_tables.memberships(self, user_id))

    def user(self, name: str) -> tuple[Subject, str]:
        """Read the user with this user name or object id, and the display name; raises GraphError when there is none."""
        wire = self.one(f"/users/{quote(name, safe='')}?$select=id,displayName,userPrincipalName")
        user = Subject("user", objects.need(wire, "id", "A user"), objects.need(wire, "userPrincipalName", "A user"), self.realm)
        return user, str(wire.get("displayName") or "")

    def membership(self, group_ids: Iterable[str], attributes: Iterable[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Read GROUPS and MEMBERS of these groups and of all groups inside them, so that nested members can be told from direct ones.

        A group whose members this sign-in may not see has a `problem`; one that does not exist any more has no row.
        """
        waiting, known = set(group_ids), set[str]()
        groups, members = [objects.groups([])], [objects.members([])]
        while waiting:
            groups.append(self._with_problems(self._groups_or_gone(waiting)))
            members.append(self.members(groups[-1].loc[groups[-1].problem == "", "group_id"], attributes))
            known |= waiting
            waiting = set(members[-1].loc[members[-1].member_type == "Group", "member_id"]) - known
        return pd.concat(groups, ignore_index=True), pd.concat(members, ignore_index=True)

    def _groups_or_gone(self, ids: set[str]) -> pd.DataFrame:
        """Read GROUPS by id; one that the list leaves out is asked for itself, since only a 404 says that a group is gone."""
        listed = self.groups(ids=ids)
        select = f"$select={','.join(objects.GROUP_KEYS)}"
        left_out = sorted(ids - set(listed["group_id"]))
        found = batch.present(self._transport, [f"/groups/{guid(one)}?{select}" for one in left_out])
        return pd.concat([listed, objects.groups(found)], ignore_index=True) if found else listed

    def unseen(self, group_ids: Iterable[str]) -> pd.DataFrame:
        """Read GROUPS: those of these groups whose members this sign-in may not see, each with its `problem`."""
        groups = self._with_problems(self.groups(ids=group_ids))
        return groups[groups.problem != ""].reset_index(drop=True)

    def _with_problems(self, groups: pd.DataFrame) -> pd.DataFrame:
        """Say of GROUPS with hidden membership that their members are not known, unless the token holds Member.Read.Hidden.

        Without it Graph leaves them out in silence (learn.microsoft.com graph/api/group-list-members, group-list-transitivemembers).
        """
        hidden = (groups.visibility == "HiddenMembership") & ("Member.Read.Hidden" not in granted(self._session))
        for row in groups[hidden].itertuples():
            self.coverage.not_read(MEMBERS, objects.HIDDEN, str(row.group_id), str(row.group_name))
        return groups.assign(problem=groups.problem.mask(hidden, objects.HIDDEN))

    def sign_on_mode(self, service_principal: str) -> str:
        """Read how the application signs people in: saml, or another mode, "" when none is set."""
        return str(self.service_principal(service_principal, "preferredSingleSignOnMode").get("preferredSingleSignOnMode") or "")

    def jobs(self, service_principal: str) -> list[dict[str, Any]]:
        """Read the synchronization jobs; an active one imports roles by itself, and then nobody else may write appRoles."""
        return self.read(f"/servicePrincipals/{guid(service_principal)}/synchronization/jobs")

    def directory(self) -> Directory:
        """Read the tenant and its licences, for preflight."""
        tenant = next(iter(self.read("/organization?$select=id,displayName,verifiedDomains")), {})
        skus = [sku for sku in self.read("/subscribedSkus") if sku.get("capabilityStatus") == "Enabled"]
        plans = {str(plan.get("servicePlanName")) for sku in skus for plan in sku.get("servicePlans") or []}
        domains = tuple(sorted(str(domain.get("name")) for domain in tenant.get("verifiedDomains") or []))
        return Directory(objects.need(tenant, "id", "The tenant"), str(tenant.get("displayName") or ""), domains, frozenset(plans))

    def tenant(self) -> Subject:
        """Read the tenant, as the subject of a plan."""
        found = next(iter(self.read("/organization?$select=id,displayName")), {})
        return Subject("tenant", objects.need(found, "id", "The tenant"), str(found.get("displayName") or ""), self.realm)

    # apply.Service

    def live(self, table: str, of: str) -> tuple[str, ...]:
        """Read the facts of one of `live_tables.TABLES`."""
        known = live_tables.named(table)
        return known.facts(known.read(self, of))

    def snapshot(self, table: str, of: str) -> bytes:
        """Read the live table as Graph sends it: {"table", "of", "value": [...]}, to restore from."""
        wire = live_tables.named(table).read(self, of)
        return json.dumps({"table": table, "of": of, "value": wire}, ensure_ascii=False, indent=1).encode()

    def permit(self, requests: Sequence[Request]) -> AbstractContextManager[None]:
        """Let exactly these requests through while the context is open. Raises WriteForbidden when this session only reads."""
        context: AbstractContextManager[None] = self._transport.gate.permit(requests)
        return context

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests that do not depend on each other; one answer each, in order. Never raises for an answer."""
        lag = self.patience.pauses if self._wrote else self.patience.pauses[:UNWRITTEN]
        answers = Delivery(self._transport, lag, self._still).send(requests)
        self._wrote = self._wrote or any(answer.fate == "done" for answer in answers)
        return answers

    def _still(self, request: Request) -> bool:
        return apply.as_expected(request, self)

    def wait(self, seconds: float) -> None:
        """Wait."""
        self._transport.clock.sleep(seconds)


def _filters(kind: str, key: str, values: Sequence[str], keys: Sequence[str]) -> list[str]:
    """Paths that find objects by `key`, IN_FILTER values each (graph/aad-advanced-queries: `in` works where `eq` does)."""
    chunks = (values[start : start + IN_FILTER] for start in range(0, len(values), IN_FILTER))
    select = ",".join(keys)
    return [f"/{kind}?$filter={key}%20in%20({','.join(map(pages.quoted, chunk))})&$select={select}&$top=999" for chunk in chunks]
