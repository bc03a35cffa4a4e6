"""awsfed: runbooks for SAML federation from Microsoft Entra ID into many AWS accounts.

Notebooks say `import awsfed_lib as fed` and reach everything by that one name. Modules are loaded when they are first
used, so that a kernel and the command start at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from awsfed_lib.core import errors, tables
    from awsfed_lib.core.accounts import federation
    from awsfed_lib.core.outcome import Outcome
    from awsfed_lib.core.plan import Plan
    from awsfed_lib.core.review import accepted, audit, outputs, preflight, reverify
    from awsfed_lib.core.roles import approles, assignments, groups, lost_paths, open_sessions, restore, revoke, trust
    from awsfed_lib.core.roles.asked import asked
    from awsfed_lib.core.view.display import show
    from awsfed_lib.edges import access, offboarding, onboarding, review, rollover, signin
    from awsfed_lib.edges.amazon import aws
    from awsfed_lib.edges.charts import report as charts
    from awsfed_lib.edges.entra import auth, cut, enterprise, former, graph, ground
    from awsfed_lib.edges.entra.graph import Graph
    from awsfed_lib.edges.lab.start import start
    from awsfed_lib.edges.records import drift, history, recorded
    from awsfed_lib.edges.records.run import begin

# Where a public name lies. A name that ends its path is the module itself.
_PUBLIC = {
    "Graph": "edges.entra.graph:Graph",
    "Outcome": "core.outcome:Outcome",
    "Plan": "core.plan:Plan",
    "accepted": "core.review.accepted",
    "access": "edges.access",
    "approles": "core.roles.approles",
    "asked": "core.roles.asked:asked",
    "assignments": "core.roles.assignments",
    "audit": "core.review.audit",
    "auth": "edges.entra.auth",
    "aws": "edges.amazon.aws",
    "begin": "edges.records.run:begin",
    "charts": "edges.charts.report",
    "cut": "edges.entra.cut",
    "drift": "edges.records.drift",
    "enterprise": "edges.entra.enterprise",
    "errors": "core.errors",
    "federation": "core.accounts.federation",
    "former": "edges.entra.former",
    "graph": "edges.entra.graph",
    "ground": "edges.entra.ground",
    "groups": "core.roles.groups",
    "history": "edges.records.history",
    "lost_paths": "core.roles.lost_paths",
    "offboarding": "edges.offboarding",
    "onboarding": "edges.onboarding",
    "open_sessions": "core.roles.open_sessions",
    "outputs": "core.review.outputs",
    "preflight": "core.review.preflight",
    "recorded": "edges.records.recorded",
    "restore": "core.roles.restore",
    "reverify": "core.review.reverify",
    "review": "edges.review",
    "revoke": "core.roles.revoke",
    "rollover": "edges.rollover",
    "show": "core.view.display:show",
    "signin": "edges.signin",
    "start": "edges.lab.start:start",
    "tables": "core.tables",
    "trust": "core.roles.trust",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module awsfed_lib has no attribute {name!r}")
    place, _, attribute = _PUBLIC[name].partition(":")
    module = importlib.import_module(f"awsfed_lib.{place}")
    return getattr(module, attribute) if attribute else module


def __dir__() -> list[str]:
    return sorted(_PUBLIC)
