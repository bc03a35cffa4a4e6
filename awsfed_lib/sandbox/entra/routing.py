"""Routes: which function answers which method and path, at what price, for whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from awsfed_lib.sandbox.entra.permissions import ANY_TOKEN, allowed
from awsfed_lib.sandbox.entra.refusals import (
    bad_request,
    denied,
    method_not_allowed,
    no_backing_application,
    not_found,
    unknown_segment,
    unreadable_body,
)
from awsfed_lib.sandbox.entra.throttle import Charge
from awsfed_lib.sandbox.entra.tokens import Caller
from awsfed_lib.sandbox.entra.wire import AlternateKey, Answer, Ask, Segment

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import Tenant, View

OWNED = ("servicePrincipals", "applications", "groups")
CASTS = frozenset({"microsoft.graph.user", "microsoft.graph.group", "microsoft.graph.serviceprincipal"})


@dataclass(frozen=True)
class Call:
    """One request with everything that a route needs to answer it. `keys`: the captured segments of the path; `family`: its first one."""

    tenant: Tenant
    ask: Ask
    caller: Caller
    keys: tuple[Segment, ...]
    family: str
    version: str
    request_id: str
    send: Callable[[Ask], Answer]

    @cached_property
    def view(self) -> View:
        """The directory as this request sees it: app-only tokens read replicas."""
        return self.tenant.view(through_replicas=self.caller.app_only)

    @property
    def base(self) -> str:
        """Scheme, host and version."""
        return f"{self.ask.root}/{self.version}"

    @property
    def advanced(self) -> bool:
        """Whether the advanced query capabilities were asked for (docs-contrib concepts/aad-advanced-queries.md)."""
        return self.eventual and self.ask.query.get("$count", "").lower() == "true"

    @property
    def eventual(self) -> bool:
        """Whether the header `ConsistencyLevel: eventual` came along."""
        return self.ask.headers.get("consistencylevel", "").lower() == "eventual"

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent. Raises Refusal when it is none."""
        if not self.ask.body:
            raise bad_request("Empty Payload. JSON content expected.", "BadRequest")
        try:
            value = json.loads(self.ask.body)
        except ValueError:
            raise unreadable_body() from None
        if not isinstance(value, dict) or "json" not in self.ask.headers.get("content-type", ""):
            raise unreadable_body()
        return value

    def addressed(self, table: str) -> Mapping[str, Any]:
        """The record that the path's first key names, as this request sees it. Raises Refusal (404)."""
        return _found(self.view, table, self.keys[0])

    def to_write(self, table: str) -> Mapping[str, Any]:
        """The record as it is, for a write; a replica that does not know it yet refuses. Raises Refusal (404)."""
        seen, record = self.addressed(table), _found(self.tenant.now_view, table, self.keys[0])
        if table == "servicePrincipals":
            self._refuse_without_application(str(seen.get("appId")))
        return record

    def _refuse_without_application(self, app_id: str) -> None:
        """A replica that knows the service principal may not know its application yet."""
        views = (self.tenant.now_view, self.view)
        there, seen = (view.by_alternate("applications", "appId", app_id) is not None for view in views)
        if there and not seen:
            raise no_backing_application(app_id)

    def require(self, rule: str) -> None:
        """Raise Refusal (403) unless the caller may send the call of that row of the table of permissions."""
        if not self.may(rule):
            raise denied()

    def may(self, rule: str) -> bool:
        """Whether the caller has the permissions of that row."""
        return allowed(rule, self.caller, self._owns, lenient=self.tenant.switches.permissions == "lenient")

    def _owns(self) -> bool:
        """Whether the calling application owns the object that the path names; application and service principal have their own owners."""
        now = self.tenant.now_view
        record = lookup(now, self.family, self.keys[0]) if self.keys and self.family in OWNED else None
        return record is not None and self.caller.principal_id in now.related("owners", record["id"])


def _found(view: View, table: str, key: Segment) -> Mapping[str, Any]:
    record: Mapping[str, Any] | None = lookup(view, table, key)
    if record is None:
        raise not_found(key.value if isinstance(key, AlternateKey) else key)
    return record


def lookup(view: View, table: str, key: Segment) -> Any:
    """The record that a path segment names, by id or alternate key; None when there is none."""
    if isinstance(key, AlternateKey):
        return view.by_alternate(table, key.name, key.value)
    return view.get(table, key.lower())


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One line of the route table. `{}` in the pattern captures a segment.

    `rule`: a row of the table of permissions. `units`: what the call costs before query options.
    """

    method: str
    pattern: str
    handler: Handler
    rule: str = ANY_TOKEN
    units: int = 1

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The pattern, lower case, by segments."""
        return tuple(self.pattern.lower().split("/"))

    def charge(self, ask: Ask) -> Charge:
        """The price of a request (learn.microsoft.com/graph/throttling-limits, "identity and access")."""
        write = ask.method in ("POST", "PATCH", "PUT", "DELETE") and not self.pattern.endswith(("getByIds", "getMemberGroups", "$batch"))
        if write:
            return Charge(1, writes=1)
        query = ask.query
        few = query.get("$top", "999").isdigit() and int(query.get("$top", "999")) < 20
        units = self.units - ("$select" in query) + ("$expand" in query) - few
        return Charge(max(1, units), reports=int(self.pattern.startswith("auditLogs")))


class Router:
    """The route table, ready to be searched."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: route.parts.count("{}"))
        self._by_length: dict[int, list[Route]] = {}
        for route in self._routes:
            self._by_length.setdefault(len(route.parts), []).append(route)

    def find(self, method: str, segments: list[Segment]) -> tuple[Route, tuple[Segment, ...]]:
        """The route and the captured segments. Raises Refusal for a path or method that is not served."""
        words = [_word(segment) for segment in segments]
        matching = [route for route in self._by_length.get(len(words), ()) if _matches(route, words)]
        if not matching:
            raise unknown_segment(self._stranger(segments, words))
        literal = [route for route in matching if route.parts.count("{}") == matching[0].parts.count("{}")]
        for route in literal:
            if route.method == method:
                return route, tuple(seg for seg, part in zip(segments, route.parts, strict=True) if part == "{}")
        raise method_not_allowed()

    def _stranger(self, segments: list[Segment], words: list[str]) -> str:
        """The first segment after which no route goes on."""
        for end in range(1, len(words) + 1):
            if not any(_matches(route, words[:end], prefix=True) for route in self._routes):
                return str(segments[end - 1])
        return str(segments[-1]) if segments else ""


def _word(segment: Segment) -> str:
    """How a segment is compared: names regardless of case, actions with or without their namespace, keys as no name at all."""
    if isinstance(segment, AlternateKey):
        return "("
    word = segment.lower()
    return word if word in CASTS else word.removeprefix("microsoft.graph.")


def _matches(route: Route, words: list[str], *, prefix: bool = False) -> bool:
    parts = route.parts[: len(words)] if prefix else route.parts
    return len(parts) == len(words) and all(part in ("{}", word) for part, word in zip(parts, words, strict=True))
