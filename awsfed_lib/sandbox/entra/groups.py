"""Groups (learn.microsoft.com/graph/api/resources/group, group-post-groups, group-upsert, group-delete)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra import audit, deletion, members, relations
from awsfed_lib.sandbox.entra.patching import changed
from awsfed_lib.sandbox.entra.query import Shape, collection, count, single
from awsfed_lib.sandbox.entra.refusals import already_exists, bad_request, invalid_value, not_found, read_only, value_required
from awsfed_lib.sandbox.entra.routing import Call, Route, lookup
from awsfed_lib.sandbox.entra.schema import GROUP
from awsfed_lib.sandbox.entra.timestamps import seconds
from awsfed_lib.sandbox.entra.wire import AlternateKey, Answer

REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
LONGEST_NICKNAME = 64
NOT_IN_NICKNAME = frozenset('@()\\[]";:<>, ')
SHAPE = Shape(
    GROUP,
    "groups",
    {
        "members": lambda call, record: relations.members(call, record["id"]),
        "memberOf": lambda call, record: relations.containers(call, record["id"]),
        "owners": lambda call, record: relations.objects(call, call.view.related("owners", record["id"])),
    },
)


def list_groups(call: Call) -> Answer:
    """GET /groups."""
    return collection(call, SHAPE, call.view.rows("groups"))


def count_groups(call: Call) -> Answer:
    """GET /groups/$count."""
    return count(call, SHAPE, call.view.rows("groups"))


def get_group(call: Call) -> Answer:
    """GET /groups/{id} and (uniqueName='…')."""
    return single(call, SHAPE, call.addressed("groups"))


def create_group(call: Call) -> Answer:
    """POST /groups: 201 with the group."""
    return _created(call, call.body)


def patch_group(call: Call) -> Answer:
    """PATCH: 204. By uniqueName with `Prefer: create-if-missing` a missing group is made: 201 (graph/api/group-upsert)."""
    key = call.keys[0]
    upsert = isinstance(key, AlternateKey) and "create-if-missing" in call.ask.headers.get("prefer", "")
    missing = lookup(call.tenant.now_view, "groups", key) is None
    call.require("group.upsert" if upsert and missing else "group.write")
    if isinstance(key, AlternateKey) and upsert and missing:
        return _created(call, {**call.body, "uniqueName": key.value})
    if upsert and not missing and lookup(call.view, "groups", key) is None:
        raise already_exists("uniqueName")  # assumed: the replica does not know it yet, and the name is taken
    return _patched(call, call.to_write("groups"))


def _patched(call: Call, record: Mapping[str, Any]) -> Answer:
    body = call.body
    plain = {name: value for name, value in body.items() if not name.endswith("@odata.bind")}
    _refuse_nickname(plain.get("mailNickname", "unchanged"))
    _refuse_taken(call, plain.get("uniqueName"), record["id"])
    after = changed(GROUP, record, plain)
    added = members.bound(call, body, "members")
    if added:
        members.refuse_foreign(call, record)
        members.refuse_present(call, record["id"], added)
    changes = [(name, record.get(name), after.get(name)) for name in plain if record.get(name) != after.get(name)]
    writes: list[tuple[str, str, Any]] = [("groups", record["id"], after)]
    if added:
        writes.append(("members", record["id"], (*call.tenant.now_view.related("members", record["id"]), *added)))
    audit.commit(call, audit.changed(record, "group", "Update", changes), writes)
    return Answer(204)


def delete_group(call: Call) -> Answer:
    """DELETE: 204. Its assignments and memberships go with it."""
    record = call.to_write("groups")
    audit.commit(call, audit.changed(record, "group", "Delete", ()), deletion.removal(call, record["id"]))
    return Answer(204)


def list_deleted(call: Call) -> Answer:
    """GET /directory/deletedItems/microsoft.graph.group."""
    return collection(call, SHAPE, [kept["record"] for kept in call.view.rows("deleted") if kept["table"] == "groups"])


def restore(call: Call) -> Answer:
    """POST /directory/deletedItems/{id}/restore: 200 with the group and its members; its assignments stay gone (inferred)."""
    key = str(call.keys[0]).lower()
    kept = call.tenant.now_view.get("deleted", key)
    if kept is None or kept["table"] != "groups":
        raise not_found(key)
    back = {**kept["record"], "deletedDateTime": None}
    members_back = [("members", key, kept["members"])] if kept["members"] else []
    audit.commit(call, audit.changed(back, "group", "Restore", ()), [("groups", key, back), *members_back, ("deleted", key, None)])
    return single(call, Shape(GROUP, "directoryObjects", {}), {"@odata.type": "#microsoft.graph.group", **back})


def _created(call: Call, body: Mapping[str, Any]) -> Answer:
    plain = {name: value for name, value in body.items() if not name.endswith("@odata.bind")}
    _refuse_new(call, plain)
    related = {name: members.bound(call, body, name) for name in ("members", "owners")}
    members.refuse_many([one for ids in related.values() for one in ids])
    fresh = GROUP.filled({"id": call.tenant.mint(), "createdDateTime": seconds(call.tenant.clock())})
    made = changed(GROUP, fresh, plain)
    writes = [(name, made["id"], tuple(ids)) for name, ids in related.items() if ids]
    changes = [(name, None, plain[name]) for name in plain]
    audit.commit(call, audit.changed(made, "group", "Add", changes), [("groups", made["id"], made), *writes])
    answer = single(call, SHAPE, made, status=201)
    return Answer(201, answer.body, {**answer.headers, "Location": f"{call.base}/groups/{made['id']}"})


def _refuse_new(call: Call, plain: Mapping[str, Any]) -> None:
    """What a new group must have, and what must not be there yet."""
    for name in REQUIRED:
        if plain.get(name) is None or plain[name] == "":
            raise value_required(name, "Group")
    if "id" in plain:
        raise read_only("id")
    _refuse_nickname(plain["mailNickname"])
    unified = "Unified" in plain.get("groupTypes", ())
    if not unified and (plain["mailEnabled"] is True or plain["securityEnabled"] is not True):
        raise bad_request(
            "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset "
            "and the security-enablement property is set."
        )
    _refuse_taken(call, plain.get("uniqueName"), "")


def _refuse_taken(call: Call, unique_name: Any, own_id: str) -> None:
    found = call.tenant.now_view.by_alternate("groups", "uniqueName", str(unique_name)) if unique_name else None
    if found is not None and found["id"] != own_id:
        raise already_exists("uniqueName")


def _refuse_nickname(value: Any) -> None:
    r"""ASCII without `@ ( ) \\ [ ] " ; : < > ,` and space, at most 64 (graph/api/resources/group)."""
    fits = isinstance(value, str) and value.isascii() and len(value) <= LONGEST_NICKNAME and not NOT_IN_NICKNAME & set(value)
    if not fits or not value:
        raise invalid_value("mailNickname", "Group")


ROUTES = (
    Route("GET", "groups", list_groups, "group.read"),
    Route("POST", "groups", create_group, "group.create"),
    Route("GET", "groups/$count", count_groups, "group.read"),
    Route("GET", "groups/{}", get_group, "group.read"),
    Route("PATCH", "groups/{}", patch_group),
    Route("DELETE", "groups/{}", delete_group, "group.write"),
    Route("GET", "directory/deletedItems/microsoft.graph.group", list_deleted, "deleted.read"),
    Route("POST", "directory/deletedItems/{}/restore", restore, "deleted.restore"),
    Route("POST", "groups/{}/getMemberGroups", lambda call: relations.member_groups(call, call.addressed("groups")["id"]), "group.groups"),
    Route("GET", "groups/{}/memberOf", lambda call: relations.list_containers(call, call.addressed("groups")["id"]), "group.groups", 2),
    Route("GET", "groups/{}/owners", lambda call: relations.list_owners(call, call.addressed("groups")["id"]), "group.owners"),
    Route(
        "GET",
        "groups/{}/transitiveMemberOf",
        lambda call: relations.list_all_containers(call, call.addressed("groups")["id"]),
        "group.groups",
        2,
    ),
)
