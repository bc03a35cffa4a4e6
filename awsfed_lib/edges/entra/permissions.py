"""The table of Graph calls and their permissions, from the file that the sandbox and the docs read too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from awsfed_lib.core.review import graph_calls
from awsfed_lib.core.review.graph_calls import APPLICATION, DELEGATED, Call

FILE = Path(__file__).parents[2] / "graph_permissions.yml"


@cache
def known() -> Mapping[str, Call]:
    """Return the calls of the table, by id."""
    return graph_calls.table(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def wanted(method: str, target: str) -> str:
    """Say which permissions a request takes; "" for one that the table does not hold."""
    found = [known()[name] for name in sorted(graph_calls.named(known(), method, target))]
    own, person = (" and ".join(graph_calls.least(found, kind)) for kind in (APPLICATION, DELEGATED))
    if not own and not person:
        return ""
    return f"It takes {own}{'' if own == person else f', of a person {person}'}."
