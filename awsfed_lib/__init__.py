"""awsfed: runbooks for SAML federation from Microsoft Entra ID into many AWS accounts.

Notebooks say `import awsfed_lib as fed` and reach everything by that one name. Modules are loaded when they are first
used, so that a kernel and the command start at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from awsfed_lib import approles, assignments, audit, auth, aws, errors, graph, ground, groups, preflight, tables, trust
    from awsfed_lib.display import show
    from awsfed_lib.graph import Graph
    from awsfed_lib.outcome import Outcome
    from awsfed_lib.plan import Plan
    from awsfed_lib.run import begin

__all__ = [
    "Graph",
    "Outcome",
    "Plan",
    "approles",
    "assignments",
    "audit",
    "auth",
    "aws",
    "begin",
    "errors",
    "graph",
    "ground",
    "groups",
    "preflight",
    "show",
    "tables",
    "trust",
]

_FROM = {"Graph": "graph", "Outcome": "outcome", "Plan": "plan", "begin": "run", "show": "display"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module awsfed_lib has no attribute {name!r}")
    module = importlib.import_module(f"awsfed_lib.{_FROM.get(name, name)}")
    return getattr(module, name) if name in _FROM else module


def __dir__() -> list[str]:
    return sorted(__all__)
