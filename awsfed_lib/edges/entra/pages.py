"""Whole reads: every page, only from the pinned origin, and nothing that is cut, missing or of another shape.

learn.microsoft.com graph/paging: the link to the next page is opaque and carries the query, but not the headers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.edges.entra.connection import origin
from awsfed_lib.edges.entra.transport import Call, Reply, Transport

Page = TypeVar("Page", bound=Hashable)
NEXT = "@odata.nextLink"
EXPIRED = "Directory_ExpiredPageToken"  # Graph forgot the list between two pages (graph/errors); it is read from its beginning
RESTARTS = 3
NO_CONTENT = 204


def quoted(text: str) -> str:
    """Return a string literal of OData, percent-encoded: quotes doubled, and nothing left that could end the query."""
    return quote("'" + text.replace("'", "''") + "'", safe="")


def one(transport: Transport, path: str) -> dict[str, Any]:
    """One object, {} where Graph answers 204. Raises UnreadError when the answer is no whole JSON object, GraphError for a refusal."""
    return whole(path, transport.fetch(Call("GET", path)))


def every(
    transport: Transport, path: str, headers: tuple[tuple[str, str], ...] = (), *, ready: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """Every object of a collection, over all pages. `ready` is called before each request: it waits where a limit asks for it.

    A list whose page token has expired is read again from its beginning, a few times. Raises UnreadError when a page is not whole.
    """
    for _ in range(RESTARTS):
        try:
            return _once(transport, path, headers, ready)
        except GraphError as refusal:
            if refusal.code != EXPIRED:
                raise
    return _once(transport, path, headers, ready)


def _once(transport: Transport, path: str, headers: tuple[tuple[str, str], ...], ready: Callable[[], None]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    following, promised = path, 0
    while following:
        refuse_circle(path, following, seen)
        ready()
        document = whole(path, transport.fetch(Call("GET", following, headers=headers)))
        found += values(path, document)
        promised = max(promised, counted(document))
        following = next_path(transport, path, document)
    if len(found) < promised:
        raise UnreadError(f"{_short(path)} holds {promised} objects, and {len(found)} came.", remedy="Run it again.")
    return found


def refuse_circle(path: str, following: Page, seen: set[Page]) -> None:
    """Note the next page, or raise UnreadError when it was read before."""
    if following in seen:
        raise UnreadError(f"{_short(path)} was not read to its end: its pages go round in a circle.")
    seen.add(following)


def whole(path: str, reply: Reply) -> dict[str, Any]:
    """Return the JSON object of an answer, {} for 204 without a body, or UnreadError."""
    document = {} if reply.status == NO_CONTENT and not reply.content else reply.document
    if document is None:
        kind = reply.headers.get("Content-Type", "no type").split(";")[0]
        raise UnreadError(
            f"The answer for {_short(path)} is no whole JSON object ({len(reply.content)} bytes of {kind}).",
            where=_short(path),
            remedy="It is unknown, not absent: run it again; a proxy in between may answer pages of its own.",
        )
    return document


def values(path: str, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of one page, or UnreadError: a missing list is unknown, never empty."""
    found = document.get("value")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UnreadError(f"The answer for {_short(path)} has no list of objects.", where=_short(path), remedy="Run it again.")
    return found


def counted(document: dict[str, Any]) -> int:
    """How many objects the first page promises; 0 when it does not say."""
    count = document.get("@odata.count")
    return count if isinstance(count, int) else 0


def next_path(transport: Transport, path: str, document: dict[str, Any]) -> str:
    """Path and query of the next page, "" for the last. Raises UnreadError for a link to anywhere else."""
    link = document.get(NEXT)
    if link is None:
        return ""
    parts = urlsplit(link) if isinstance(link, str) else None
    if parts is None or origin(link) != origin(transport.cloud.graph_url) or parts.username is not None or not parts.path:
        raise UnreadError(
            f"The next page of {_short(path)} lies outside {transport.cloud.graph_url}; the link was not followed and no token was sent.",
            where=_short(path),
            remedy="Something between here and Graph changes answers: find out what before anything else.",
        )
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _short(path: str) -> str:
    return path.partition("?")[0]
