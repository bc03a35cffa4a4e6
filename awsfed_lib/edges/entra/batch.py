"""$batch: up to twenty requests in one, each answered, throttled and refused on its own.

learn.microsoft.com graph/json-batching: items come back in any order; the envelope is 200 while an item is 429 with its
own Retry-After; failed items are sent again in a new batch after the longest of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from requests.structures import CaseInsensitiveDict

from awsfed_lib.edges.entra import pages
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.gate import versioned
from awsfed_lib.edges.entra.pace import Pace
from awsfed_lib.edges.entra.transport import Call, Reply, Transport

SIZE = 20
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
    """Return the items of the envelope; none when it is not whole, which leaves every request without an answer."""
    found = (envelope.document or {}).get("responses")
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
    gathering = _Gathering(transport, paths)
    pace = Pace(transport.clock, transport.limits)
    while gathering.pending:
        failed, taken = gathering.round()
        if taken:
            pace = Pace(transport.clock, transport.limits)
        if failed:
            transport.pause(pace, failed)
    return gathering.found


class _Gathering:
    """Collections that are being read: the objects found so far, and the next page of each that is not at its end."""

    def __init__(self, transport: Transport, paths: Sequence[str]) -> None:
        self.found: list[list[dict[str, Any]]] = [[] for _ in paths]
        self.pending = dict(enumerate(paths))
        self._transport, self._paths = transport, paths
        self._seen: set[tuple[int, str]] = set()

    def round(self) -> tuple[list[tuple[Call, Reply | Lost]], int]:
        """One batch: the calls that failed, and how many pages were taken."""
        calls = {index: Call("GET", path) for index, path in islice(self.pending.items(), SIZE)}
        failed: list[tuple[Call, Reply | Lost]] = []
        for (index, call), answer in zip(calls.items(), exchange(self._transport, list(calls.values())), strict=True):
            if isinstance(answer, Reply) and answer.status == 200:  # noqa: PLR2004  HTTP
                self._take(index, answer)
            else:
                failed.append((call, answer))
        return failed, len(calls) - len(failed)

    def _take(self, index: int, answer: Reply) -> None:
        """Keep one page, and put the next one in its place."""
        path = self._paths[index]
        document = pages.whole(path, answer)
        self.found[index] += pages.values(path, document)
        following = pages.next_path(self._transport, path, document)
        pages.refuse_circle(path, (index, following), self._seen)
        if following:
            self.pending[index] = following
        else:
            del self.pending[index]
