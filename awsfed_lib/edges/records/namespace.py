"""The parameters of a notebook as its own names: what it was given, and what somebody mistyped.

papermill only warns of a parameter that the notebook does not declare, injects it all the same, and does not even ask
whether it is a name (github.com/nteract/papermill issue 818). So the notebook looks at what was injected, and at names
that are nearly parameters.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Iterable, Mapping

from awsfed_lib.core.settings.parameters import NAMES, Problem, described, suggestion

NEAR = 0.87
INJECTED = "# Parameters"
_MANY = (list, tuple, dict, set)
_SIMPLE = (str, int, float, bool, *_MANY, type(None))
_LISTS = frozenset(name for name in NAMES if described(name).kind == "list of text")
_OF_IPYTHON = {"In", "Out", "exit", "quit", "open", "get_ipython"}
_HISTORY = "In"


def given(namespace: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters among the names of a notebook."""
    return {name: namespace[name] for name in NAMES if name in namespace}


def problems(namespace: Mapping[str, object], declared: Collection[str]) -> list[Problem]:
    """List names that are nearly parameters that the runbook has `declared`, and injected ones that are none at all."""
    injected = list(_injected(namespace.get(_HISTORY)))
    near = [Problem(name, f"is no parameter.{suggestion(name, declared)}") for name in _mistyped(namespace, declared)]
    return near + [problem for problem in injected if problem.name not in {other.name for other in near}]


def _mistyped(namespace: Mapping[str, object], declared: Collection[str]) -> Iterable[str]:
    """Names of simple values that differ from a parameter by a letter, by case or by an underscore.

    A list is only compared with parameters that are lists: `group_names` is an honest name for some groups.
    """
    for name, value in namespace.items():
        simple = type(value) in _SIMPLE and not name.startswith("_") and name not in _OF_IPYTHON
        known = [one for one in declared if not isinstance(value, _MANY) or one in _LISTS]
        if simple and name not in NAMES and difflib.get_close_matches(_plain(name), map(_plain, known), n=1, cutoff=NEAR):
            yield name


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _injected(history: object) -> Iterable[Problem]:
    """List what papermill or a scheduler injected that is no parameter: the cell it adds begins with its own comment."""
    cells = history if isinstance(history, list) else []
    for source in cells:
        if isinstance(source, str) and source.lstrip().startswith(INJECTED):
            yield from _strange(source)


def _strange(source: str) -> Iterable[Problem]:
    for node in _statements(source):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not isinstance(target, ast.Name):
            yield Problem("an injected parameter", "has a name that is code; nothing may be injected but `name = value`.")
        elif target.id not in NAMES:
            yield Problem(target.id, f"was injected, and is no parameter.{suggestion(target.id, NAMES)}")


def _statements(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError):  # IPython has executed it, so it is a magic or a shell line: not papermill's
        return []
