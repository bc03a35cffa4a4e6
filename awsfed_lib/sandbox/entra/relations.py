"""Relations between directory objects: members, containers, owners, read as collections of directoryObject.

What a token may not read of a related object comes as nulls, with type and id only
(learn.microsoft.com/graph/permissions-overview, "limited information returned for inaccessible member objects").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from awsfed_lib.sandbox.entra import inheritance
from awsfed_lib.sandbox.entra.filtering import Rows
from awsfed_lib.sandbox.entra.query import ODATA, Shape, collection, count
from awsfed_lib.sandbox.entra.refusals import bad_request, denied, invalid_values
from awsfed_lib.sandbox.entra.routing import Call
from awsfed_lib.sandbox.entra.schema import GROUP, KINDS, SERVICE_PRINCIPAL, USER, Kind
from awsfed_lib.sandbox.entra.wire import Answer

TABLES = ("users", "groups", "servicePrincipals")
BASIC_USER = frozenset({"id", "displayName", "givenName", "surname", "mail", "securityIdentifier"})
DIRECTORY_OBJECT = Kind(
    "",
    "directoryObject",
    {"id": None, "deletedDateTime": None},
    dict.fromkeys(USER.names | GROUP.names | SERVICE_PRINCIPAL.names),
    advanced_filters=frozenset({"displayName", "id", "userPrincipalName", "mail", "userType", "accountEnabled"}),
)


def table_of(call: Call, object_id: str) -> str:
    """The table that holds the object; "" when no user, group or service principal has that id."""
    return next((table for table in TABLES if call.view.get(table, object_id) is not None), "")


def directory_object(call: Call, table: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The object as an item of a mixed collection: what the token may not read of it is null."""
    shown = inheritance.shown(call.view, record) if table == "servicePrincipals" else KINDS[table].filled(record)
    kind = {"@odata.type": f"#microsoft.graph.{KINDS[table].type}"}
    if table == "users" and call.may("user.read"):
        return kind | user(call, shown)
    return kind | (
        shown if call.may({"groups": "group.read", "servicePrincipals": "sp.read"}.get(table, "user.full")) else _without(shown, {"id"})
    )


def user(call: Call, record: Mapping[str, Any]) -> dict[str, Any]:
    """The user as the token may see it: User.ReadBasic.All covers names, mail and ids (graph/permissions-reference, its description)."""
    return dict(record) if call.may("user.full") else _without(record, BASIC_USER)


def _without(record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The record with nulls and empty lists in place of everything but `names`."""
    return {name: value if name in names else [] if isinstance(value, list) else None for name, value in record.items()}


def objects(call: Call, ids: Iterable[str]) -> Rows:
    """The objects with those ids; ids that lead nowhere (deleted, not replicated) are left out."""
    found = ((table, call.view.get(table, key)) for key in ids for table in [table_of(call, key)] if table)
    return [directory_object(call, table, record) for table, record in found]


def members(call: Call, group_id: str) -> Rows:
    """Direct members. Raises Refusal (403) for hidden ones where the switch `hidden_members` says so."""
    if call.tenant.switches.hidden_members == "denied" and not _members_shown(call, group_id):
        raise denied()
    return objects(call, _members(call, group_id))


def _members(call: Call, group_id: str) -> tuple[str, ...]:
    return call.view.related("members", group_id) if _members_shown(call, group_id) else ()


def _members_shown(call: Call, group_id: str) -> bool:
    """Hidden membership needs Member.Read.Hidden besides, except for a person who is in the group (graph/api/group-list-members)."""
    if (call.view.get("groups", group_id) or {}).get("visibility") != "HiddenMembership" or call.may("member.hidden"):
        return True
    now = call.tenant.now_view
    return bool(call.caller.user_id) and call.caller.user_id in (*now.related("members", group_id), *now.related("owners", group_id))


def transitive_members(call: Call, group_id: str) -> Rows:
    """Members of the group and of the groups in it, each once."""
    found: dict[str, None] = {}
    waiting = [group_id]
    while waiting:
        new = [key for key in _members(call, waiting.pop(0)) if key not in found]
        found |= dict.fromkeys(new)
        waiting += [key for key in new if call.view.get("groups", key) is not None]
    return objects(call, found)


def containers(call: Call, object_id: str) -> Rows:
    """The groups that hold the object directly."""
    return objects(call, _containing(call, object_id))


def all_containers(call: Call, object_id: str) -> Rows:
    """The groups that hold the object directly or through other groups."""
    found: dict[str, None] = {}
    waiting = [object_id]
    while waiting:
        new = [key for key in _containing(call, waiting.pop(0)) if key not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return objects(call, found)


def _containing(call: Call, object_id: str) -> list[str]:
    # A plain scan: it is asked for seldom, and an index would have to lag like the rest.
    held = call.tenant.tables["members"]
    return [group_id for group_id in held if object_id in _members(call, group_id)]


SHAPE = Shape(DIRECTORY_OBJECT, "directoryObjects", {})


def list_containers(call: Call, object_id: str) -> Answer:
    """GET …/memberOf."""
    return collection(call, SHAPE, containers(call, object_id))


def list_all_containers(call: Call, object_id: str) -> Answer:
    """GET …/transitiveMemberOf."""
    return collection(call, SHAPE, all_containers(call, object_id))


def member_groups(call: Call, object_id: str) -> Answer:
    """POST …/getMemberGroups: ids of the groups that hold the object, directly or not (graph/api/directoryobject-getmembergroups)."""
    if not isinstance(call.body.get("securityEnabledOnly"), bool):
        raise invalid_values()
    found = [row for row in all_containers(call, object_id) if row["@odata.type"] == "#microsoft.graph.group"]
    secure = [
        row["id"]
        for row in found
        if not call.body["securityEnabledOnly"] or (call.view.get("groups", row["id"]) or {}).get("securityEnabled")
    ]
    return Answer(200, {"@odata.context": f"{call.base}/$metadata#Collection(Edm.String)", "value": secure}, ODATA)


def list_owners(call: Call, object_id: str) -> Answer:
    """GET …/owners."""
    return collection(call, SHAPE, objects(call, call.view.related("owners", object_id)))


def cast(call: Call, rows: Rows, kind: Kind) -> Answer:
    """`…/microsoft.graph.user`: needs the advanced query capabilities (docs-contrib concepts/aad-advanced-queries.md)."""
    if not call.advanced:
        raise bad_request(
            "The request is not supported without the header ConsistencyLevel: eventual and $count=true.", "Request_UnsupportedQuery"
        )
    wanted = f"#microsoft.graph.{kind.type}"
    return collection(call, Shape(kind, kind.table, {}), [row for row in rows if row["@odata.type"] == wanted])


def count_of(call: Call, rows: Rows) -> Answer:
    """`…/$count` of a relation."""
    return count(call, SHAPE, rows)
