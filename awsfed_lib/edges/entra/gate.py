"""What may leave: reads always; a write only when an approved plan holds it, word for word.

The check runs in the adapter, on the bytes that are about to leave, so that no other path through the session exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

import requests

from awsfed_lib.core.change import Request
from awsfed_lib.core.errors import WriteForbidden
from awsfed_lib.core.tables import canonical

VERSION = re.compile(r"/(v1\.0|beta)/")
BATCH = "/v1.0/$batch"
# Headers of every request of ours; any other one belongs to the request itself, and an unknown one might change its method.
OWN = frozenset({
    "accept", "accept-encoding", "authorization", "client-request-id", "connection", "consistencylevel", "content-length",
    "content-type", "return-client-request-id", "user-agent", "x-ms-throttle-priority",
})  # fmt: skip


class Literal(NamedTuple):
    """One request as it leaves. `body` is canonical JSON, "" for none; `headers` are those that are not ours."""

    method: str
    target: str
    body: str
    headers: tuple[tuple[str, str], ...]


class Gate:
    """Lets reads through, and nothing else, ever."""

    def check(self, request: requests.PreparedRequest) -> None:
        """Raise WriteForbidden unless `request` is a read, or a batch of reads."""
        for literal in _literals(request):
            if not (_reads(literal) or self._permits(literal)):
                raise WriteForbidden(
                    f"{literal.method} {literal.target} was stopped before it left: no approved plan holds it.",
                    remedy="Changes go through a plan: look at it, and run the runbook again with `approved` set to its id.",
                )

    def permit(self, requests: Sequence[Request]) -> Any:
        """Raise WriteForbidden: this runbook reads."""
        raise WriteForbidden(
            f"This session only reads; it can never send the {len(requests)} requests of a plan.",
            remedy="Only the runbooks that change Entra ID get a session that can.",
        )

    def _permits(self, literal: Literal) -> bool:
        del literal
        return False


class PlanGate(Gate):
    """Lets reads through, and while `permit` is open exactly the requests of the plan."""

    def __init__(self) -> None:
        self._open: frozenset[Literal] = frozenset()

    @contextmanager
    def permit(self, requests: Sequence[Request]) -> Iterator[None]:
        """Let exactly these requests through while the context is open."""
        before, self._open = self._open, frozenset(_planned(request) for request in requests)
        try:
            yield
        finally:
            self._open = before

    def _permits(self, literal: Literal) -> bool:
        return literal in self._open


def versioned(path: str) -> str:
    """`path` with the version of the API in front; paths that name one keep it.

    Raises WriteForbidden for a path that would become another one on the wire (a fragment, a backslash, dot segments).
    """
    if not path.startswith("/") or re.search(r"[#\\\s]|/\.{1,2}(/|\?|$)|^//", path):
        raise WriteForbidden(f"{path!r} is not a path that can be sent as it stands.", remedy="Percent-encode names in paths.")
    return path if VERSION.match(path) else f"/v1.0{path}"


def _planned(request: Request) -> Literal:
    target = requests.utils.requote_uri(versioned(request.path))
    return Literal(request.method, target, _canonical(request.body), _foreign(request.headers))


def _literals(request: requests.PreparedRequest) -> list[Literal]:
    """Return the request as one literal; a batch as one literal an item."""
    body = request.body or b""
    text = body.decode() if isinstance(body, bytes) else str(body)
    literal = Literal(request.method or "", request.path_url, _canonical(text), _foreign(request.headers.items()))
    if literal.target != BATCH or literal.method != "POST" or literal.headers:
        return [literal]
    return [_item(item) for item in _batched(text)]


def _batched(text: str) -> list[dict[str, Any]]:
    try:
        items = json.loads(text)["requests"]
    except (ValueError, KeyError, TypeError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise WriteForbidden("A batch that cannot be read was stopped before it left.")
    return items


def _item(item: dict[str, Any]) -> Literal:
    body = canonical(item["body"]) if "body" in item else ""
    target = requests.utils.requote_uri(versioned(str(item.get("url"))))
    return Literal(str(item.get("method")), target, body, _foreign(dict(item.get("headers") or {}).items()))


def _reads(literal: Literal) -> bool:
    if literal.headers:
        return False
    return literal.method == "GET" and not literal.body


def _foreign(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), str(value)) for name, value in headers if name.lower() not in OWN))


def _canonical(text: str) -> str:
    """One text for equal JSON; a key that occurs twice is refused, since two readers may see two bodies."""
    if not text:
        return ""
    try:
        return canonical(json.loads(text, object_pairs_hook=_once))
    except ValueError:
        raise WriteForbidden("A body that is not JSON was stopped before it left.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        _refuse_twice()
    return dict(pairs)


def _refuse_twice() -> NoReturn:
    raise WriteForbidden("A body that names a key twice was stopped before it left.")
