"""Users (learn.microsoft.com/graph/api/resources/user): read by id or principal name, eleven properties unless more are selected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import relations
from awsfed_lib.sandbox.entra.query import Shape, collection, count, single
from awsfed_lib.sandbox.entra.refusals import bad_request, not_found
from awsfed_lib.sandbox.entra.routing import Call, Route, lookup
from awsfed_lib.sandbox.entra.schema import USER
from awsfed_lib.sandbox.entra.wire import Answer

SHAPE = Shape(USER, "users", {"memberOf": lambda call, record: relations.containers(call, record["id"])})


def user_of(call: Call) -> Mapping[str, Any]:
    """The user that the path names. Raises Refusal (404)."""
    key = call.keys[0]
    found = lookup(call.view, "users", key) or call.view.by_alternate("users", "userPrincipalName", str(key))
    if found is None:
        raise not_found(str(key))
    record: Mapping[str, Any] = found
    return record


def list_users(call: Call) -> Answer:
    """GET /users."""
    _refuse_unseen(call)
    return collection(call, SHAPE, [relations.user(call, row) for row in call.view.rows("users")])


def count_users(call: Call) -> Answer:
    """GET /users/$count."""
    _refuse_unseen(call)
    return count(call, SHAPE, call.view.rows("users"))


def get_user(call: Call) -> Answer:
    """GET /users/{id or principal name}."""
    return single(call, SHAPE, relations.user(call, user_of(call)))


def _refuse_unseen(call: Call) -> None:
    """What the token may not read of users cannot be filtered, searched or sorted by it either."""
    query = call.ask.query
    asked = " ".join(query.get(option, "") for option in ("$filter", "$search", "$orderby"))
    words = set(re.findall(r"[A-Za-z]+", re.sub(r"'(?:[^']|'')*'", "", asked)))
    if words & (USER.names - relations.BASIC_USER):
        call.require("user.full")


def me(call: Call) -> Mapping[str, Any]:
    """The person who is signed in. Raises Refusal (400) for an application."""
    if call.caller.app_only:
        raise bad_request("/me request is only valid with delegated authentication flow.", "BadRequest")
    record: Mapping[str, Any] | None = call.view.get("users", call.caller.user_id)
    if record is None:
        raise not_found(call.caller.user_id)
    return record


ROUTES = (
    Route("GET", "me", lambda call: single(call, SHAPE, me(call))),
    Route("GET", "me/memberOf", lambda call: relations.list_containers(call, me(call)["id"]), units=2),
    Route("POST", "me/getMemberGroups", lambda call: relations.member_groups(call, me(call)["id"])),
    Route("POST", "users/{}/getMemberGroups", lambda call: relations.member_groups(call, user_of(call)["id"]), "user.groups.ids"),
    Route("GET", "users", list_users, "user.read", 2),
    Route("GET", "users/$count", count_users, "user.read"),
    Route("GET", "users/{}", get_user, "user.read"),
    Route("GET", "users/{}/memberOf", lambda call: relations.list_containers(call, user_of(call)["id"]), "user.groups", 2),
    Route("GET", "users/{}/transitiveMemberOf", lambda call: relations.list_all_containers(call, user_of(call)["id"]), "user.groups", 2),
)
