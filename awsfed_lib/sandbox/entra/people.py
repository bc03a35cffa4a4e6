"""Users (learn.microsoft.com/graph/api/resources/user): read by id or principal name, eleven properties unless more are selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import relations
from awsfed_lib.sandbox.entra.permissions import READ_USERS
from awsfed_lib.sandbox.entra.query import Shape, collection, count, single
from awsfed_lib.sandbox.entra.refusals import not_found
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
    return collection(call, SHAPE, call.view.rows("users"))


def count_users(call: Call) -> Answer:
    """GET /users/$count."""
    return count(call, SHAPE, call.view.rows("users"))


def get_user(call: Call) -> Answer:
    """GET /users/{id or principal name}."""
    return single(call, SHAPE, user_of(call))


ROUTES = (
    Route("GET", "users", list_users, READ_USERS, 2),
    Route("GET", "users/$count", count_users, READ_USERS),
    Route("GET", "users/{}", get_user, READ_USERS),
    Route("GET", "users/{}/memberOf", lambda call: relations.list_containers(call, user_of(call)["id"]), READ_USERS, 2),
    Route("GET", "users/{}/transitiveMemberOf", lambda call: relations.list_all_containers(call, user_of(call)["id"]), READ_USERS, 2),
)
