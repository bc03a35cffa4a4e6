"""Members of groups: read them, add and remove references (learn.microsoft.com/graph/api/group-post-members, group-delete-members)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awsfed_lib.sandbox.entra import audit, deletion, relations
from awsfed_lib.sandbox.entra.filtering import Rows
from awsfed_lib.sandbox.entra.query import collection
from awsfed_lib.sandbox.entra.refusals import (
    Refusal,
    bad_request,
    denied,
    invalid_reference,
    invalid_values,
    mail_enabled,
    no_such_reference,
    not_found,
    on_premises,
)
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.schema import GROUP, USER
from awsfed_lib.sandbox.entra.wire import Answer

MOST_BOUND = 20  # relations that one request may set


def list_members(call: Call) -> Answer:
    """GET /groups/{id}/members: direct ones."""
    return collection(call, relations.SHAPE, _direct(call))


def list_transitive(call: Call) -> Answer:
    """GET /groups/{id}/transitiveMembers."""
    return collection(call, relations.SHAPE, _all(call))


def add_member(call: Call) -> Answer:
    """POST /groups/{id}/members/$ref: 204."""
    try:
        group, new = _group(call), referred(call, call.body.get("@odata.id"))
    except Refusal as refused:
        raise no_such_reference() if refused.status == 404 else refused from None
    refuse_foreign(call, group)
    refuse_present(call, group["id"], [new])
    held = call.tenant.now_view.related("members", group["id"])
    event = audit.member_changed(group, _member(call, new), added=True)
    audit.commit(call, event, [("members", group["id"], (*held, new))])
    return Answer(204)


def remove_member(call: Call) -> Answer:
    """DELETE /groups/{id}/members/{id}/$ref: 204."""
    group, gone = _group(call), str(call.keys[1]).lower()
    refuse_foreign(call, group)
    held = call.tenant.now_view.related("members", group["id"])
    if gone not in held or gone not in call.view.related("members", group["id"]):
        raise not_found(gone)
    event = audit.member_changed(group, _member(call, gone), added=False)
    audit.commit(call, event, [("members", group["id"], tuple(one for one in held if one != gone))])
    return Answer(204)


def delete_member_object(call: Call) -> Answer:
    """DELETE /groups/{id}/members/{id} without `/$ref`: the member itself goes, if the caller may (graph/api/group-delete-members)."""
    gone = str(call.keys[1]).lower()
    table = relations.table_of(call, gone)
    if table not in ("users", "groups"):
        raise denied()
    call.require("user.delete" if table == "users" else "group.write")
    record = call.tenant.tables[table][gone]
    audit.commit(call, audit.changed(record, table.removesuffix("s"), "Delete", ()), deletion.removal(call, gone))
    return Answer(204)


def bound(call: Call, body: Mapping[str, Any], name: str) -> list[str]:
    """Ids that `{name}@odata.bind` refers to. Raises Refusal for more than 20 and for references that lead nowhere."""
    urls = body.get(f"{name}@odata.bind", [])
    if not isinstance(urls, list):
        raise invalid_values()
    refuse_many(urls)
    return [referred(call, url) for url in urls]


def refuse_many(bound_ids: Sequence[Any]) -> None:
    """At most 20 relations in one request (graph/api/group-post-groups; the text is assumed)."""
    if len(bound_ids) > MOST_BOUND:
        raise bad_request(f"The number of relations that can be set in one request is limited to {MOST_BOUND}.")


def referred(call: Call, url: Any) -> str:
    """The id in `@odata.id`. Raises Refusal unless it is a user, group or service principal that the replica knows."""
    if not isinstance(url, str) or "/" not in url:
        raise invalid_values()
    key = url.rstrip("/").rsplit("/", 1)[-1].lower()
    if not relations.table_of(call, key):
        raise not_found(key)
    return key


def refuse_present(call: Call, group_id: str, new: Sequence[str]) -> None:
    """A member cannot be added twice (hashicorp/go-azure-sdk); a group is no member of itself (text assumed)."""
    if group_id in new:
        raise invalid_reference()
    if set(new) & set(call.tenant.now_view.related("members", group_id)) or len(set(new)) < len(new):
        raise bad_request("One or more added object references already exist for the following modified properties: 'members'.")


def refuse_foreign(call: Call, group: Mapping[str, Any]) -> None:
    """Members of a group that something else keeps cannot be changed here, and role-assignable groups ask for more.

    A rule keeps those of a dynamic group (graph/api/resources/groups-overview), Active Directory those of a synchronized one,
    Exchange those of a mail-enabled one (microsoft-graph-docs#14827, #15612); graph/api/group-delete-members for the rest.
    """
    if group.get("onPremisesSyncEnabled"):
        raise on_premises()
    if "DynamicMembership" in (group.get("groupTypes") or ()):
        raise denied()
    if group.get("mailEnabled") and "Unified" not in (group.get("groupTypes") or ()):
        raise mail_enabled()
    if group.get("isAssignableToRole"):
        call.require("member.privileged")


def _group(call: Call) -> Mapping[str, Any]:
    return call.to_write("groups")


def _member(call: Call, object_id: str) -> Mapping[str, Any]:
    return next(iter(relations.objects(call, [object_id])), {"id": object_id, "@odata.type": "#microsoft.graph.user"})


def _direct(call: Call) -> Rows:
    return relations.members(call, call.addressed("groups")["id"])


def _all(call: Call) -> Rows:
    return relations.transitive_members(call, call.addressed("groups")["id"])


ROUTES = (
    Route("GET", "groups/{}/members", list_members, "member.read", 3),
    Route("GET", "groups/{}/members/$count", lambda call: relations.count_of(call, _direct(call)), "member.read", 3),
    Route("GET", "groups/{}/members/microsoft.graph.user", lambda call: relations.cast(call, _direct(call), USER), "member.read", 3),
    Route("GET", "groups/{}/members/microsoft.graph.group", lambda call: relations.cast(call, _direct(call), GROUP), "member.read", 3),
    Route("GET", "groups/{}/transitiveMembers", list_transitive, "member.read", 5),
    Route("GET", "groups/{}/transitiveMembers/$count", lambda call: relations.count_of(call, _all(call)), "member.read", 5),
    Route("GET", "groups/{}/transitiveMembers/microsoft.graph.user", lambda call: relations.cast(call, _all(call), USER), "member.read", 5),
    Route("POST", "groups/{}/members/$ref", add_member, "member.write"),
    Route("DELETE", "groups/{}/members/{}/$ref", remove_member, "member.write"),
    Route("DELETE", "groups/{}/members/{}", delete_member_object),
)
