"""Faults inside a JSON batch: the envelope is 200 while one of its requests is refused, lost or out of order.

learn.microsoft.com graph/json-batching: every item has its own status, its own Retry-After, and comes back in any order.
A request that is no batch passes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from awsfed_lib.sandbox.faults.broken import Reply
from awsfed_lib.sandbox.faults.passage import Passage, document, replaced
from awsfed_lib.sandbox.faults.plan import Mode
from awsfed_lib.sandbox.faults.refusals import refusal, throttled

Item = dict[str, Any]


def _batched(passage: Passage) -> list[Item]:
    if not passage.path.endswith("/$batch"):
        return []
    return list(json.loads(passage.body).get("requests", ()))


def _refused(item: Item, reply: Reply) -> Item:
    headers = {name: value for name, value in reply.headers if name in ("Retry-After", "Content-Type", "request-id")}
    return {"id": item["id"], "status": reply.code, "headers": headers, "body": json.loads(reply.content)}


def _answered(reply: Reply, responses: list[Item]) -> Reply:
    return replaced(reply, json.dumps({"responses": responses}).encode())


def _instead(words: str) -> Mode:
    """Every second request of the batch is refused and not carried out."""

    def mode(passage: Passage) -> Reply:
        items = _batched(passage)
        if not items:
            return passage.forward()
        refused, others = items[::2], items[1::2]
        reply = (
            passage.forward(json.dumps({"requests": others}).encode())
            if others
            else Reply("200 OK", [("Content-Type", "application/json")], b"{}")
        )
        answer = throttled("int") if words == "429" else refusal(words)
        found = (document(reply) or {}).get("responses", [])
        return _answered(reply, [*found, *(_refused(item, answer) for item in refused)])

    return mode


def _after(words: str) -> Mode:
    """All requests of the batch are carried out; the answer to every second is a refusal, or missing where there are no `words`."""

    def mode(passage: Passage) -> Reply:
        items, reply = _batched(passage), passage.forward()
        found = (document(reply) or {}).get("responses")
        if not items or found is None:
            return reply
        lost = {item["id"] for item in items[::2]}
        kept = [one for one in found if one["id"] not in lost]
        told = [_refused(item, refusal(words)) for item in items[::2]] if words else []
        return _answered(reply, [*kept, *told])

    return mode


def _reversed(passage: Passage) -> Reply:
    reply = passage.forward()
    found = (document(reply) or {}).get("responses")
    return reply if not _batched(passage) or found is None else _answered(reply, found[::-1])


MODES: Mapping[str, Mode] = MappingProxyType(
    {f"items-{words}": _instead(words) for words in ("429", "409", "503", "404")}
    | {"items-503-applied": _after("503"), "items-lost": _after(""), "items-reversed": _reversed}
)
