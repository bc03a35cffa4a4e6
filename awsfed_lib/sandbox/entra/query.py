"""Answers to reads: one object or one page of a collection, shaped by the query options (learn.microsoft.com/graph/query-parameters)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from awsfed_lib.sandbox.entra.filtering import Rows, filtered, only, ordered, searched
from awsfed_lib.sandbox.entra.paging import next_link, page_size, start_of, token_after
from awsfed_lib.sandbox.entra.refusals import bad_request, unsupported_query
from awsfed_lib.sandbox.entra.routing import Call
from awsfed_lib.sandbox.entra.schema import ASSIGNMENT, KINDS, Kind
from awsfed_lib.sandbox.entra.wire import Answer

MOST_EXPANDED = 20
BY_TYPE = {f"#microsoft.graph.{kind.type}": kind for kind in KINDS.values()}
ODATA = {
    "Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
    "OData-Version": "4.0",
}


@dataclass(frozen=True)
class Shape:
    """How a collection is answered: its kind, the name in @odata.context, and which relations can be expanded and how."""

    kind: Kind
    context: str
    expand: Mapping[str, Callable[[Call, Mapping[str, Any]], Rows]]
    top: int = 999


def single(call: Call, shape: Shape, record: Mapping[str, Any], *, status: int = 200) -> Answer:
    """One object. `key` of a credential only comes when keyCredentials is selected (graph/api/resources/keycredential)."""
    selected = _selected(call, shape)
    shown = dict(record) if "keyCredentials" in selected else without_keys(record)
    body = _expanded(call, shape, record, only(shown, selected, shape.kind) if selected else _by_default(shape.kind, shown))
    context = f"{shape.context}({','.join(selected)})/$entity" if selected else f"{shape.context}/$entity"
    return Answer(status, {"@odata.context": f"{call.base}/$metadata#{context}", **body}, ODATA)


def collection(call: Call, shape: Shape, rows: Rows) -> Answer:
    """One page. `@odata.count` comes with the first page only, and only for advanced queries."""
    selected = _selected(call, shape)
    found = _narrowed(call, shape.kind, rows)
    size = page_size(call.ask.query, call.tenant.switches.page, shape.top)
    token = call.ask.query.get("$skiptoken")
    start = start_of(found, token)
    page = [_row(call, shape, row, selected) for row in found[start : start + size]]
    context = f"{shape.context}({','.join(selected)})" if selected else shape.context
    body: dict[str, Any] = {"@odata.context": f"{call.base}/$metadata#{context}"}
    if call.advanced and token is None:
        body["@odata.count"] = len(found)
    if start + size < len(found):
        body["@odata.nextLink"] = next_link(call.ask.root + call.ask.target, token_after(found, start + size))
    return Answer(200, {**body, "value": page}, ODATA)


def count(call: Call, shape: Shape, rows: Rows) -> Answer:
    """`/$count`: plain text, needs the header (docs-contrib concepts/aad-advanced-queries.md)."""
    if not call.eventual:
        raise bad_request("$count is not currently supported.")
    return Answer(200, str(len(_narrowed(call, shape.kind, rows, advanced=True))), {"Content-Type": "text/plain"})


def without_keys(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without the bytes of its keys."""
    if not record.get("keyCredentials"):
        return dict(record)
    return {**record, "keyCredentials": [{**entry, "key": None} for entry in record["keyCredentials"]]}


def _narrowed(call: Call, kind: Kind, rows: Rows, *, advanced: bool = False) -> Rows:
    """The rows that $filter and $search leave, in the order of $orderby."""
    query = call.ask.query
    wide = advanced or call.advanced
    if "$skip" in query:
        raise bad_request("'$skip' is not supported by the service.")
    if "$search" in query and not call.eventual:
        text = "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'"
        raise unsupported_query(text)
    if "$orderby" in query and "$filter" in query and not wide:
        raise unsupported_query("Sorting not supported for current query.")
    if "$filter" in query:
        rows = filtered(rows, query["$filter"], kind, advanced=wide)
    if "$search" in query:
        rows = searched(rows, query["$search"], kind)
    return ordered(rows, query["$orderby"], kind) if "$orderby" in query else rows


def _row(call: Call, shape: Shape, record: Mapping[str, Any], selected: list[str]) -> dict[str, Any]:
    shown, kind = without_keys(record), _kind_of(record, shape.kind)
    return _expanded(call, shape, record, only(shown, selected, kind) if selected else _by_default(kind, shown))


def _kind_of(record: Mapping[str, Any], kind: Kind) -> Kind:
    """In a mixed collection every row has its own kind."""
    return BY_TYPE.get(str(record.get("@odata.type")), kind)


def _by_default(kind: Kind, record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in kind.answers or "@odata." in name}


def _selected(call: Call, shape: Shape) -> list[str]:
    """The names in $select. Raises Refusal for one that the kind does not have."""
    text = call.ask.query.get("$select", "")
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in shape.kind.names and name != "*":
            raise _unparsable(name, shape)
    return [] if "*" in names else names


def _unparsable(name: str, shape: Shape) -> Exception:
    text = f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{shape.kind.type}'."
    return bad_request(text, "BadRequest")


def _expanded(call: Call, shape: Shape, record: Mapping[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The body with the expanded relation: at most 20 items and no link to more (docs-contrib concepts/query-parameters)."""
    text = call.ask.query.get("$expand", "")
    if not text:
        return body
    name, _, options = text.partition("(")
    if "," in name:
        raise bad_request("Expanding more than one property is not supported.")
    if name not in shape.expand:
        raise _unparsable(name, shape)
    rows = shape.expand[name](call, record)[:MOST_EXPANDED]
    wanted = options.rstrip(")").removeprefix("$select=").split(",") if options else []
    return {**body, name: [_related(row, wanted) for row in rows]}


def _related(row: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    kind = _kind_of(row, ASSIGNMENT)
    return only(row, wanted, kind) if wanted else _by_default(kind, without_keys(row))
