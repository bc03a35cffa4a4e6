"""Answers that say 200 and are not what they should be: cut, emptied, a page short, with a link to somewhere else, delivered twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from awsfed_lib.sandbox.faults.broken import Reply
from awsfed_lib.sandbox.faults.passage import Passage, document, replaced
from awsfed_lib.sandbox.faults.plan import Mode

NEXT = "@odata.nextLink"
FOREIGN = "https://graph.microsoft.com.attacker.invalid/v1.0/servicePrincipals?$skiptoken=1"
Document = dict[str, Any]


def _cut(share: Callable[[int], int]) -> Mode:
    """The content ends early, and its length says so: valid HTTP, and no JSON."""

    def mode(passage: Passage) -> Reply:
        reply = passage.forward()
        return replaced(reply, reply.content[: share(len(reply.content))])

    return mode


def _altered(change: Callable[[Document], None]) -> Mode:
    """A read whose JSON object was changed on the way; everything else passes."""

    def mode(passage: Passage) -> Reply:
        reply = passage.forward()
        found = document(reply)
        if passage.method != "GET" or found is None or reply.code != 200:
            return reply
        change(found)
        return replaced(reply, json.dumps(found).encode())

    return mode


def _no_list(found: Document) -> None:
    for name in ("value", "appRoles"):
        found.pop(name, None)


def _null_list(found: Document) -> None:
    found.update({name: None for name in ("value", "appRoles") if name in found})


def _empty_list(found: Document) -> None:
    found.update({name: [] for name in ("value", "appRoles") if name in found})


def _short_list(found: Document) -> None:
    """The last objects are missing, and nothing says that there are more."""
    found.update({name: found[name][: len(found[name]) // 2] for name in ("value", "appRoles") if isinstance(found.get(name), list)})
    found.pop(NEXT, None)


def _foreign_link(found: Document) -> None:
    if "value" in found:
        found[NEXT] = FOREIGN


def _twice(passage: Passage) -> Reply:
    """The request arrives twice, and the answer is that to the first."""
    first = passage.forward()
    passage.forward()
    return first


def _redirect(_: Passage) -> Reply:
    return Reply("307 Temporary Redirect", [("Location", FOREIGN), ("Content-Length", "0")], b"")


MODES: Mapping[str, Mode] = MappingProxyType({
    "cut-quarter": _cut(lambda length: length // 4),
    "cut-last": _cut(lambda length: length - 1),
    "cut-all": _cut(lambda _: 0),
    "no-list": _altered(_no_list),
    "null-list": _altered(_null_list),
    "empty-list": _altered(_empty_list),
    "short-list": _altered(_short_list),
    "foreign-link": _altered(_foreign_link),
    "twice": _twice,
    "redirect": _redirect,
})  # fmt: skip
