"""Writes docs/permissions.md and the row Needs of every runbook from graph_permissions.yml and the calls that runbooks declare."""

from __future__ import annotations

import json
import re
from pathlib import Path

from awsfed_lib.core.review.graph_calls import APPLICATION, DELEGATED, OWNER, Alternatives, Call, in_words
from awsfed_lib.edges.entra import permissions
from awsfed_lib.edges.records import runbooks

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/permissions.md"
HEAD = """# Permissions in Microsoft Graph

Made from `awsfed_lib/graph_permissions.yml` by `python -m tools.permissions_page`; 00-preflight judges a sign-in by the same table,
and the sandbox refuses by it. Reading needs the permissions of the first part; what is refused of the second is reported as unknown,
and ends nothing; sending needs the third beside the first.

## Runbooks
"""
CALLS = """
## Calls

Alternatives are separated by "or". *Owned* holds for objects that the client owns. *Not sure*: Microsoft's documents disagree, and
00-preflight says that it may not be enough. A person needs a directory role besides: *apps* Application or Cloud Application
Administrator, *groups* Groups or User Administrator, *logs* Reports or Security Reader; a Global Administrator has all.
"""


def page() -> str:
    """Return the page."""
    books = [
        (book.id, in_words(book.graph, APPLICATION), in_words(book.graph, DELEGATED), _ids(book))
        for book in runbooks.catalogue(ROOT / "notebooks")
    ]
    calls = [(f"`{call.id}`", call.call, *_columns(call)) for call in permissions.known().values()]
    return (
        HEAD
        + _table(("Runbook", "An application", "A person", "Calls"), books)
        + CALLS
        + _table(("Call", "Request", "An application", "A person", "Not sure", "Role"), calls)
    )


def needs(book: runbooks.Runbook) -> str:
    """Return the beginning of the row Needs of a runbook."""
    return f"| Needs | in Graph {in_words(book.graph)}; "


def _ids(book: runbooks.Runbook) -> str:
    return ", ".join(f"`{call.id}`" for listed in book.graph for call in listed) or "none"


def _columns(call: Call) -> tuple[str, str, str, str]:
    own, person = _or(call.application), _or(call.delegated)
    return own or "any token", "the same" if own == person else person, _or(call.unsure), call.role


def _or(alternatives: Alternatives) -> str:
    return " or ".join(" and ".join(sorted(name.replace(OWNER, " (owned)") for name in one)) for one in alternatives)


def _table(head: tuple[str, ...], listed: list[tuple[str, ...]]) -> str:
    return "".join(f"\n| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *listed)) + "\n"


def main() -> None:
    """Write the page, and the beginning of every row Needs; what follows it about AWS stays."""
    PAGE.write_text(page(), encoding="utf-8")
    for book in runbooks.catalogue(ROOT / "notebooks"):
        text = book.path.read_text(encoding="utf-8")
        row = re.search(r'"(\| Needs \| in Graph [^;|]*(?:; [^;|]* (?:to send|unknown))*; )', text)
        if row:
            book.path.write_text(text.replace(row[1], json.dumps(needs(book), ensure_ascii=False)[1:-1]), encoding="utf-8")


if __name__ == "__main__":
    main()
