"""$batch: up to twenty requests in one, each answered, throttled and refused on its own.

learn.microsoft.com graph/json-batching: items come back in any order; the envelope is 200 while an item is 429 with its
own Retry-After; failed items are sent again in a new batch after the longest of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from requests.structures import CaseInsensitiveDict

from awsfed_lib.core.errors import GraphError
from awsfed_lib.edges.entra import pages
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.gate import versioned
from awsfed_lib.edges.entra.pace import Pace
from awsfed_lib.edges.entra.transport import Call, Reply, Transport, failure, passing

SIZE = 20
NOT_FOUND = 404
Read = TypeVar("Read", list[dict[str, Any]], dict[str, Any])
NO_ANSWER = Lost("The batch came back without an answer to this request.", "unknown")


def exchange(transport: Transport, calls: Sequence[Call]) -> list[Reply | Lost]:
    """One answer a call, in their order, for at most SIZE calls in one batch. Raises SignInError and WriteForbidden only."""
    items = [_item(number, call) for number, call in enumerate(calls)]
    answer = transport.attempt(Call("POST", "/$batch", json.dumps({"requests": items}, ensure_ascii=False, allow_nan=False)))
    if isinstance(answer, Lost) or answer.status != 200:  # noqa: PLR2004  HTTP: the envelope itself
        return [answer] * len(calls)
    replies = {str(item.get("id")): _reply(item) for item in _responses(answer)}
    for reply in replies.values():
        if isinstance(reply, Reply):
            transport.count(reply.status, reply.headers)
    return [replies.get(str(number), NO_ANSWER) for number in range(len(calls))]


def _item(number: int, call: Call) -> dict[str, Any]:
    url = versioned(call.path).removeprefix("/v1.0")
    item: dict[str, Any] = {"id": str(number), "method": call.method, "url": url}
    if call.headers or call.body:
        item["headers"] = dict(call.headers) | ({"Content-Type": "application/json"} if call.body else {})
    if call.body:
        item["body"] = json.loads(call.body)
    return item


def _responses(envelope: Reply) -> list[dict[str, Any]]:
    """Return the items of the envelope; none when it is not whole, which leaves every request without an answer.

    Half a character in one item makes that one unread and no other: so the envelope is not asked for its `document`, each reply is.
    """
    try:
        document = json.loads(envelope.content)
    except ValueError:
        return []
    found = document.get("responses") if isinstance(document, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _reply(item: Mapping[str, Any]) -> Reply | Lost:
    status, headers, body = item.get("status"), item.get("headers"), item.get("body")
    if not isinstance(status, int):
        return NO_ANSWER
    named = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    return Reply(status, CaseInsensitiveDict(named), b"" if body is None else json.dumps(body).encode())


def gather(transport: Transport, paths: Sequence[str]) -> list[list[dict[str, Any]]]:
    """Every object of many collections, over all pages: one list a path. All of them come whole, or an error does.

    Raises UnreadError when one is not whole, GraphError when Graph refuses one.
    """
    return [_unless_refused(answer) for answer in tried(transport, paths)]


def tried(transport: Transport, paths: Sequence[str]) -> list[list[dict[str, Any]] | GraphError]:
    """Read as `gather`, with the refusal in the place of each collection that Graph refuses. Raises UnreadError when one is not whole."""
    return _read(_Gathering(transport, paths))


def single(transport: Transport, paths: Sequence[str]) -> list[dict[str, Any] | GraphError]:
    """Read one object a path, with the refusal in the place of each that Graph refuses. Raises UnreadError when one is not whole."""
    return [answer if isinstance(answer, GraphError) else answer[0] for answer in _read(_Objects(transport, paths))]


def present(transport: Transport, paths: Sequence[str]) -> list[dict[str, Any]]:
    """Read the objects that exist, of many paths. 404 alone says that one does not; raises GraphError for any other refusal."""
    answers = single(transport, paths)
    return [_unless_refused(answer) for answer in answers if not (isinstance(answer, GraphError) and answer.status == NOT_FOUND)]


def _unless_refused(answer: Read | GraphError) -> Read:
    if isinstance(answer, GraphError):
        raise answer
    return answer


def _read(gathering: _Gathering) -> list[list[dict[str, Any]] | GraphError]:
    transport = gathering.transport
    pace = Pace(transport.clock, transport.limits)
    while gathering.pending:
        failed, taken = gathering.round()
        if taken:
            pace = Pace(transport.clock, transport.limits)
        if failed:
            transport.pause(pace, failed)
    return [gathering.refused.get(index, found) for index, found in enumerate(gathering.found)]


class _Gathering:
    """Collections that are being read: the objects found so far, the next page of each that is not at its end, and what was refused."""

    def __init__(self, transport: Transport, paths: Sequence[str]) -> None:
        self.transport = transport
        self.found: list[list[dict[str, Any]]] = [[] for _ in paths]
        self.pending = dict(enumerate(paths))
        self.refused: dict[int, GraphError] = {}
        self._paths = paths
        self._seen: set[tuple[int, int, str]] = set()
        self._restarts = dict.fromkeys(self.pending, 0)

    def round(self) -> tuple[list[tuple[Call, Reply | Lost]], int]:
        """One batch: the calls that are to be sent again, and how many were answered."""
        calls = {index: Call("GET", path) for index, path in islice(self.pending.items(), SIZE)}
        failed: list[tuple[Call, Reply | Lost]] = []
        for (index, call), answer in zip(calls.items(), exchange(self.transport, list(calls.values())), strict=True):
            if isinstance(answer, Reply) and answer.status in (200, 204):  # HTTP
                self._take(index, answer)
            elif isinstance(answer, Lost) or passing(answer):
                failed.append((call, answer))
            else:
                self._refuse(index, call, answer)
        return failed, len(calls) - len(failed)

    def _refuse(self, index: int, call: Call, answer: Reply) -> None:
        """Note the refusal; a list whose page token has expired is begun again, a few times."""
        refusal = failure(call, answer)
        if refusal.code == pages.EXPIRED and self._restarts[index] < pages.RESTARTS:
            self._restarts[index] += 1
            self.found[index], self.pending[index] = [], self._paths[index]
        elif isinstance(refusal, GraphError):
            del self.pending[index]
            self.refused[index] = refusal

    def _take(self, index: int, answer: Reply) -> None:
        """Keep one page, and put the next one in its place."""
        path = self._paths[index]
        document = pages.whole(path, answer)
        self.found[index] += pages.values(path, document)
        following = pages.next_path(self.transport, path, document)
        pages.refuse_circle(path, (index, self._restarts[index], following), self._seen)
        if following:
            self.pending[index] = following
        else:
            del self.pending[index]


class _Objects(_Gathering):
    """Objects that are being read, one a path."""

    def _take(self, index: int, answer: Reply) -> None:
        self.found[index] = [pages.whole(self._paths[index], answer)]
        del self.pending[index]
