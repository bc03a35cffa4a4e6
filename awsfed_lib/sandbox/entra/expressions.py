"""OData filter expressions: text to tree, and whether a record satisfies the tree (docs-contrib concepts/filter-query-parameter.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from awsfed_lib.sandbox.entra.timestamps import parsed
from awsfed_lib.sandbox.entra.wire import literal

TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z0-9_$/.+-]+(?::\d[\d:.]*[Z+-]?[\d:]*)*)|([(),:]))")
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
FUNCTIONS = ("startswith", "endswith", "contains")


class SyntaxRefused(ValueError):
    """The text is no filter expression; the message names the place."""


@dataclass(frozen=True)
class Compare:
    """`path operator value`."""

    path: str
    operator: str
    value: Any


@dataclass(frozen=True)
class OneOf:
    """`path in (values)`."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Function:
    """`startswith(path, 'value')` and its kin; names in lower case."""

    name: str
    path: str
    value: str


@dataclass(frozen=True)
class AnyOf:
    """`path/any(variable:inner)`; paths inside start with the variable."""

    path: str
    variable: str
    inner: Node


@dataclass(frozen=True)
class Not:
    """`not (inner)`."""

    inner: Node


@dataclass(frozen=True)
class Junction:
    """`a and b` or `a or b`."""

    word: str
    parts: tuple[Node, ...]


Node = Compare | OneOf | Function | AnyOf | Not | Junction


def parse(text: str) -> Node:
    """The tree of a filter. Raises SyntaxRefused."""
    reader = _Reader(text)
    node = reader.either()
    if reader.peek() != "":
        raise SyntaxRefused(f"Syntax error at position {reader.position} in '{text}'.")
    return node


def nodes(node: Node) -> Iterator[Node]:
    """The tree, flat."""
    yield node
    inner = node.parts if isinstance(node, Junction) else (node.inner,) if isinstance(node, Not | AnyOf) else ()
    for one in inner:
        yield from nodes(one)


class _Reader:
    """Recursive descent over the tokens: or, and, not, then single conditions."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def peek(self) -> str:
        found = TOKEN.match(self.text, self.position)
        return found.group().strip() if found else self.text[self.position :].strip()

    def take(self, wanted: str = "") -> str:
        found = TOKEN.match(self.text, self.position)
        token = found.group().strip() if found else ""
        if found is None or (wanted and token.lower() != wanted):
            raise SyntaxRefused(f"Syntax error at position {self.position} in '{self.text}'.")
        self.position = found.end()
        return token

    def either(self) -> Node:
        return self._junction("or", lambda: self._junction("and", self._condition))

    def _junction(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self.peek().lower() == word:
            self.take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word, tuple(parts))

    def _condition(self) -> Node:
        token = self.take()
        if token.lower() == "not":
            return Not(self._condition())
        if token == "(":
            inner = self.either()
            self.take(")")
            return inner
        if self.peek() == "(":
            return self._call(token)
        return self._comparison(token)

    def _call(self, name: str) -> Node:
        self.take("(")
        if name.lower() in FUNCTIONS:
            return self._function(name.lower())
        path, slash, word = name.rpartition("/")
        if not slash or word != "any":
            raise SyntaxRefused(f"An unknown function with name '{name}' was found.")
        variable = self.take()
        self.take(":")
        inner = self.either()
        self.take(")")
        return AnyOf(path, variable, inner)

    def _function(self, name: str) -> Function:
        path = self.take()
        self.take(",")
        value = _value(self.take())
        self.take(")")
        return Function(name, path, str(value))

    def _comparison(self, path: str) -> Node:
        operator = self.take().lower()
        if operator == "in":
            return OneOf(path, tuple(self._list()))
        if operator not in COMPARISONS:
            raise SyntaxRefused(f"Syntax error at position {self.position} in '{self.text}'.")
        return Compare(path, operator, _value(self.take()))

    def _list(self) -> Iterator[Any]:
        self.take("(")
        yield _value(self.take())
        while self.take() == ",":
            yield _value(self.take())


def _value(token: str) -> Any:
    if token.startswith("'"):
        return literal(token)
    words = {"true": True, "false": False, "null": None}
    if token.lower() in words:
        return words[token.lower()]
    return int(token) if token.isdigit() else token


def satisfied(node: Node, record: Any, variable: str = "") -> bool:
    """Whether the record satisfies the filter; texts compare without regard to case, as the directory does."""
    if isinstance(node, Junction):
        results = (satisfied(part, record, variable) for part in node.parts)
        return any(results) if node.word == "or" else all(results)
    if isinstance(node, Not):
        return not satisfied(node.inner, record, variable)
    if isinstance(node, AnyOf):
        return any(satisfied(node.inner, item, node.variable) for item in _at(record, node.path, variable) or ())
    found = _at(record, node.path, variable)
    if isinstance(node, OneOf):
        return any(_compare("eq", found, value) for value in node.values)
    if isinstance(node, Function):
        return _text_holds(node.name, found, node.value)
    return _compare(node.operator, found, node.value)


def _at(record: Any, path: str, variable: str) -> Any:
    parts = path.split("/")
    found = record
    for part in parts[1:] if variable and parts[0] == variable else parts:
        if part == "$count":
            return len(found or ())
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text_holds(name: str, found: Any, wanted: str) -> bool:
    if not isinstance(found, str):
        return False
    text, part = found.lower(), wanted.lower()
    return {"startswith": text.startswith, "endswith": text.endswith, "contains": text.__contains__}[name](part)


def _compare(operator: str, found: Any, wanted: Any) -> bool:
    left, right = _comparable(found, wanted)
    if operator in ("eq", "ne"):
        return bool(left == right) is (operator == "eq")
    if left is None or right is None or type(left) is not type(right):
        return False
    order: dict[str, bool] = {"lt": left < right, "le": left <= right, "gt": left > right, "ge": left >= right}
    return order[operator]


def _comparable(found: Any, wanted: Any) -> tuple[Any, Any]:
    if isinstance(found, str) and isinstance(wanted, str):
        moments: Iterable[datetime | None] = (parsed(found), parsed(wanted))
        first, second = moments
        return (first, second) if first and second else (found.lower(), wanted.lower())
    return found, wanted
