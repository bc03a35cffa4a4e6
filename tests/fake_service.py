"""A service and a journal in memory: Graph's laws for appRoles, assignments and groups, with faults on demand.

The laws, each with its source where the test of it stands: a PATCH replaces the collection; what it leaves out is
removed with its assignments, or refused while enabled (strict); entries of the application must come back unchanged;
ids and values are unique; 700 definitions; a second POST or DELETE has no clear answer.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pandas as pd
from made import APPLICATION, MSIAM, TENANT, guid

from awsfed_lib.core import facts
from awsfed_lib.core.apply import Approval, Patience
from awsfed_lib.core.change import Request
from awsfed_lib.core.errors import LockedError, RecordError, SignInError, UnreadError, WriteForbidden
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.roles import approles
from awsfed_lib.core.tables import ASSIGNMENTS, GROUPS, frame

DONE = Answer("done", 204)


class Stop(BaseException):
    """The run dies here, as by kill -9."""


class Refused(Exception):
    """Graph says no."""


class World:
    """What is true in the cloud, as wire objects."""

    def __init__(self, app_roles: Sequence[dict[str, Any]] = (), assignments: Sequence[dict[str, Any]] = (), *, scopes: int = 1) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {
            "app_roles": [deepcopy(MSIAM), *deepcopy(list(app_roles))],
            "assignments": deepcopy(list(assignments)),
            "groups": [],
        }
        self.scopes, self.strict = scopes, True

    @property
    def app_roles(self) -> pd.DataFrame:
        return approles.entries(self.tables["app_roles"])

    @property
    def assignments(self) -> pd.DataFrame:
        return frame(ASSIGNMENTS, self.tables["assignments"])

    @property
    def groups(self) -> pd.DataFrame:
        return frame(GROUPS, self.tables["groups"])

    def facts(self, table: str) -> tuple[str, ...]:
        return facts_of(table, self.tables[table])

    def carry_out(self, request: Request) -> Answer:
        """Do what the request says, or say why not."""
        body = request.content
        try:
            if request.path == f"/servicePrincipals/{APPLICATION.id}":
                self._replace(body["appRoles"])
            elif request.method == "POST":
                return self._assign(body)
            elif request.method == "DELETE":
                return self._unassign(request.path.rsplit("/", 1)[1])
            else:
                self._upsert(unquote(re.fullmatch(r"/groups\(uniqueName='(.*)'\)", request.path)[1]), body, request)
        except Refused as why:
            return Answer("refused", 400, str(why))
        return DONE

    def _replace(self, entries: list[dict[str, Any]]) -> None:
        live = {entry["id"]: entry for entry in self.tables["app_roles"]}
        new = {entry["id"]: entry for entry in entries}
        self._check(live, new, entries)
        for entry in entries:
            entry["origin"] = live[entry["id"]]["origin"] if entry["id"] in live else "ServicePrincipal"
        self.tables["app_roles"] = entries
        self.tables["assignments"] = [row for row in self.tables["assignments"] if row["app_role_id"] in new]

    def _check(self, live: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]], entries: list[dict[str, Any]]) -> None:
        values = [entry["value"].lower() for entry in entries if entry["value"] is not None]
        if len(new) != len(entries) or len(set(values)) != len(values):
            raise Refused("Request contains a property with duplicate values.")
        if len(new) + self.scopes > max(700, len(live) + self.scopes):
            raise Refused(
                f"The total count of values: {len(new) + self.scopes} exceeds the set maxValuesCount limit: 700 for property: Entitlement"
            )
        for key, old in live.items():
            if old["origin"] == "Application" and new.get(key) != old:
                raise Refused("Property appRoles on the service principal does not match the application object")
            changed = {name for name in old if name not in ("isEnabled", "origin") and new.get(key, {}).get(name) != old[name]}
            if self.strict and old["isEnabled"] and changed:
                raise Refused("Permission (scope or role) cannot be deleted or updated unless disabled first.")
        if any(not entry["isEnabled"] for key, entry in new.items() if key not in live):
            raise Refused("isEnabled must be true when creating")

    def _assign(self, body: dict[str, Any]) -> Answer:
        role = next((entry for entry in self.tables["app_roles"] if entry["id"] == body["appRoleId"]), None)
        if role is None or not role["isEnabled"]:
            raise Refused("Permission being assigned was not found on application")
        if facts.assignment(body["appRoleId"], body["principalId"]) in self.facts("assignments"):
            return Answer("unknown", 400, "Permission being assigned already exists on the object")
        name = next((row["group_name"] for row in self.tables["groups"] if row["group_id"] == body["principalId"]), "somebody")
        row = {"assignment_id": f"made-{guid(str(body))}", "app_role_id": body["appRoleId"], "principal_id": body["principalId"]}
        self.tables["assignments"].append({**row, "principal_type": "Group", "principal_name": name})
        return Answer("done", 201)

    def _unassign(self, assignment_id: str) -> Answer:
        left = [row for row in self.tables["assignments"] if row["assignment_id"] != assignment_id]
        if len(left) == len(self.tables["assignments"]):
            return Answer("unknown", 400, "EntitlementGrant being updated or deleted is not found.")
        self.tables["assignments"] = left
        return DONE

    def _upsert(self, unique_name: str, body: dict[str, Any], request: Request) -> None:
        if dict(request.headers).get("Prefer") != "create-if-missing":
            raise Refused("Resource does not exist")
        found = [row for row in self.tables["groups"] if row["unique_name"] == unique_name]
        if found:
            found[0]["group_name"] = body["displayName"]
        else:
            row = {"group_id": guid(f"made {unique_name}"), "group_name": body["displayName"], "unique_name": unique_name}
            self.tables["groups"].append({**row, "security_enabled": body["securityEnabled"], "kind": "security"})


def facts_of(table: str, rows: list[dict[str, Any]]) -> tuple[str, ...]:
    if table == "app_roles":
        return tuple(facts.app_role(row) for row in rows)
    if table == "assignments":
        return tuple(facts.assignment(row["app_role_id"], row["principal_id"]) for row in rows)
    return tuple(facts.group(row["unique_name"], row["group_name"]) for row in rows)


class FakeService:
    """apply.Service over a World. `faults` by the number of the request, counted over all that were ever sent.

    Faults: lost (carried out, no answer), unsent (not carried out, no answer), refused, no sign-in, die before, die after.
    `before_send`, `after_send` and `before_read` run a function at that number: somebody else at the portal. `lag`: how many reads of a
    table may still show the state before its last write.
    """

    realm = TENANT
    patience = Patience(3, (1.0,) * 24)

    def __init__(self, world: World, *, lag: int = 0, seed: int = 0, events: list[tuple[str, Any]] | None = None) -> None:
        self.world, self.lag, self.chance = world, lag, random.Random(seed)
        self.faults: dict[int, str] = {}
        self.before_send: dict[int, Callable[[], None]] = {}
        self.after_send: dict[int, Callable[[], None]] = {}
        self.before_read: dict[int, Callable[[], None]] = {}
        self.unreadable: set[int] = set()
        self.sent: list[Request] = []
        self.reads, self.waited = 0, 0.0
        self.events = events if events is not None else []
        self._stale: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self._permitted: set[tuple[str, str, str]] = set()

    def live(self, table: str, of: str) -> tuple[str, ...]:
        self.reads += 1
        self.before_read.pop(self.reads, lambda: None)()
        if self.reads in self.unreadable:
            raise UnreadError("The answer broke off.")
        rows = self._replica(table)
        if table == "groups":
            names = {name.casefold() for name in json.loads(of)}
            rows = [row for row in rows if {row["unique_name"].casefold(), row["group_name"].casefold()} & names]
        else:
            assert of == APPLICATION.id
        return facts_of(table, rows)

    def _replica(self, table: str) -> list[dict[str, Any]]:
        left, old = self._stale.get(table, (0, []))
        if left:
            self._stale[table] = (left - 1, old)
            if self.chance.random() < 0.7:
                return old
        return self.world.tables[table]

    def stale(self) -> bool:
        """Whether some replica may still show what was before the last write."""
        return any(left for left, _ in self._stale.values())

    def snapshot(self, table: str, of: str) -> bytes:
        self.events.append(("snapshot", table))
        return json.dumps(self.world.tables[table]).encode()

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Answer:
        if request.literal not in self._permitted:
            raise WriteForbidden("No plan holds this request.")
        number = len(self.sent)
        self.sent.append(request)
        self.events.append(("send", request))
        self.before_send.pop(number, lambda: None)()
        fault = self.faults.pop(number, "")
        if fault in ("refused", "unsent", "die before", "no sign-in"):
            return self._not_carried_out(fault)
        before = deepcopy(self.world.tables)
        answer = self.world.carry_out(request)
        self.after_send.pop(number, lambda: None)()
        for table, rows in before.items():
            if rows != self.world.tables[table]:
                self._stale[table] = (self.lag, rows)
        if fault == "die after":
            raise Stop
        return Answer("unknown", 0, "The connection broke off.") if fault == "lost" else answer

    def _not_carried_out(self, fault: str) -> Answer:
        if fault == "die before":
            raise Stop
        if fault == "no sign-in":
            raise SignInError("AADSTS700082: the credentials have expired.")
        return Answer("refused", 403, "Insufficient privileges") if fault == "refused" else Answer("unknown", 504)

    @contextmanager
    def permit(self, requests: Sequence[Request]) -> Iterator[None]:
        self._permitted = {request.literal for request in requests}
        try:
            yield
        finally:
            self._permitted = set()

    def wait(self, seconds: float) -> None:
        self.waited += seconds


class FakeJournal:
    """apply.Journal in memory. `full_at`: the number of the line at which the disk is full. `shown`: how long ago the plan was."""

    shown, runbook, spent = timedelta(0), "", dict[str, str]()

    def __init__(self, *, events: list[tuple[str, Any]] | None = None, full_at: int = -1) -> None:
        self.lines: list[dict[str, Any]] = []
        self.kept: dict[str, bytes] = {}
        self.held: set[str] = set()
        self.full_at, self.events = full_at, events if events is not None else []

    def note(self, event: str, **fields: object) -> None:
        if len(self.lines) == self.full_at:
            raise RecordError("No space left on the device.")
        json.dumps(fields)  # a line must be JSON
        self.lines.append({"event": event, **fields})
        self.events.append((event, fields))

    def keep(self, name: str, content: bytes) -> None:
        assert re.fullmatch(r"[a-z_]+-[0-9A-Za-z-]+", name), name
        self.kept[name] = content

    def approval(self, plan_id: str) -> Approval:
        return Approval(self.shown, self.shown, self.spent.get(plan_id, ""))

    def sent_before(self, realm: str, creates: str) -> list[Any]:
        return []

    @contextmanager
    def hold(self, key: str) -> Iterator[None]:
        if key in self.held:
            raise LockedError(f"Another run holds {key}.")
        self.held.add(key)
        try:
            yield
        finally:
            self.held.discard(key)
