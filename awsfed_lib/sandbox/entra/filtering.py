"""Which filters, searches and sort orders the directory takes, and which need `ConsistencyLevel: eventual` and `$count=true`.

Sources: docs-contrib concepts/aad-advanced-queries.md, filter-directory-objects; messages from graph-docs-contrib#1726 (property and `ne`),
graph-docs#21098 (15 clauses), #18122 (complex properties), #4644 (sorting).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from awsfed_lib.sandbox.entra.expressions import (
    AnyOf,
    Compare,
    Function,
    Junction,
    Node,
    Not,
    OneOf,
    SyntaxRefused,
    nodes,
    parse,
    satisfied,
)
from awsfed_lib.sandbox.entra.refusals import Refusal, bad_request, unsupported_query
from awsfed_lib.sandbox.entra.schema import Kind

MOST_CLAUSES = 15
Rows = list[dict[str, Any]]


def filtered(rows: Rows, text: str, kind: Kind, *, advanced: bool) -> Rows:
    """The rows that satisfy the filter. Raises Refusal for what the directory does not take."""
    try:
        tree = parse(text)
    except SyntaxRefused as refused:
        raise bad_request(f"Invalid filter clause: {refused}", "BadRequest") from None
    _check(tree, kind, advanced=advanced)
    return [row for row in rows if satisfied(tree, row)]


def _check(tree: Node, kind: Kind, *, advanced: bool) -> None:
    clauses = max(_clauses(node) for node in nodes(tree))
    if clauses > MOST_CLAUSES and not advanced:
        raise unsupported_query(
            f"Too many child clauses specified in search filter expression containing 'OR' operators: {clauses}. Max allowed: {MOST_CLAUSES}."
        )
    variables = {node.variable for node in nodes(tree) if isinstance(node, AnyOf)}
    for node in nodes(tree):
        _check_operator(node, kind, advanced=advanced)
        if isinstance(node, Compare | OneOf | Function | AnyOf) and node.path.split("/")[0] not in variables:
            _check_property(node, kind, advanced=advanced)


def _clauses(node: Node) -> int:
    if isinstance(node, OneOf):
        return len(node.values)
    return len(node.parts) if isinstance(node, Junction) and node.word == "or" else 1


def _check_operator(node: Node, kind: Kind, *, advanced: bool) -> None:
    if isinstance(node, Function) and node.name == "contains" and node.path not in kind.contains:
        raise unsupported_query()
    if advanced:
        return
    if isinstance(node, Compare) and node.operator == "ne":
        raise unsupported_query("Unsupported property filter clause operator 'NotEqualsMatch'.")
    if isinstance(node, Not) or (isinstance(node, Function) and node.name == "endswith"):
        raise unsupported_query()


def _check_property(node: Compare | OneOf | Function | AnyOf, kind: Kind, *, advanced: bool) -> None:
    name, *rest = node.path.split("/")
    if name not in kind.names | kind.advanced_filters | kind.plain_filters:
        text = f"Invalid filter clause: Could not find a property named '{name}' on type 'microsoft.graph.{kind.type}'."
        raise bad_request(text, "BadRequest")
    if name in kind.plain_filters and "$count" not in rest:
        return
    if advanced and name in kind.advanced_filters:
        return
    raise _unsupported(node, name, kind)


def _unsupported(node: Node, name: str, kind: Kind) -> Refusal:
    if isinstance(node, AnyOf):
        return unsupported_query(f"Complex query on property {name} is not supported.")
    return unsupported_query(f"Unsupported or invalid query filter clause specified for property '{name}' of resource '{kind.resource}'.")


def searched(rows: Rows, text: str, kind: Kind) -> Rows:
    """The rows that a $search finds: `"property:words"`, joined by AND or OR; every word starts a word of the property."""
    groups = [[_clause(clause, kind) for clause in re.split(r"\s+AND\s+", part)] for part in re.split(r"\s+OR\s+", text)]
    return [row for row in rows if any(all(_found(row, *clause) for clause in group) for group in groups)]


def _clause(text: str, kind: Kind) -> tuple[str, list[str]]:
    inside = re.fullmatch(r'\s*"([A-Za-z]+):(.*)"\s*', text)
    if inside is None or inside[1] not in kind.names:
        raise bad_request(f'Invalid search clause: {text}. Expected "property:value".', "Request_BadRequest")
    return inside[1], _words(inside[2])


def _found(row: Mapping[str, Any], name: str, wanted: list[str]) -> bool:
    have = _words(str(row.get(name) or ""))
    return all(any(word.startswith(one) for word in have) for one in wanted)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^0-9a-z]+", text.lower()) if word]


def ordered(rows: Rows, text: str, kind: Kind) -> Rows:
    """The rows sorted by one property, `desc` or not."""
    name, _, direction = text.strip().partition(" ")
    if name not in kind.plain_filters:
        raise unsupported_query("Sorting not supported for current query.")
    return sorted(rows, key=lambda row: _sortable(row.get(name)), reverse=direction.strip() == "desc")


def _sortable(value: Any) -> tuple[int, str]:
    return (0, "") if value is None else (1, str(value).lower())


def only(row: Mapping[str, Any], names: Iterable[str], kind: Kind) -> dict[str, Any]:
    """The row with its annotations and the selected properties of its kind; null where nothing is known."""
    annotations = {name: value for name, value in row.items() if name.startswith("@odata.")}
    return annotations | {name: row.get(name, kind.on_request.get(name)) for name in names if name in kind.names}
