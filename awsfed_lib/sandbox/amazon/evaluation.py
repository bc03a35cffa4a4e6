"""IAM's policy evaluation, as far as federation needs it: an explicit Deny wins, then any Allow, else nothing is allowed.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
reference_policies_elements_condition_operators.html. Condition keys are compared without regard to case, action names too; values and
ARNs are case-sensitive.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

Decision = Literal["allow", "deny", "none"]
Context = Mapping[str, list[str]]


@dataclass(frozen=True)
class Request:
    """What somebody wants: an action on a resource, with the condition keys (lower case) of the moment.

    `principals` is asked of trust policies only: kind and value, such as `("Federated", "arn:…:saml-provider/WAAD")`.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)
    principals: frozenset[tuple[str, str]] | None = None


def decide(documents: Iterable[Mapping[str, Any]], request: Request) -> Decision:
    """The decision of all these policies together."""
    effects = {str(statement.get("Effect")) for document in documents for statement in statements(document) if _applies(statement, request)}
    if "Deny" in effects:
        return "deny"
    return "allow" if "Allow" in effects else "none"


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements, also where a document has a single one that is not in a list."""
    found = document.get("Statement", [])
    return [found] if isinstance(found, Mapping) else list(found)


def listed(value: Any) -> list[Any]:
    """A policy's value as a list: JSON policies allow a bare string for a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        _action(statement, request.action)
        and _resource(statement, request)
        and _principal(statement, request)
        and all(_operator(name, block, request.context) for name, block in statement.get("Condition", {}).items())
    )


def _action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(like(pattern.lower(), action.lower()) for pattern in listed(statement["NotAction"]))
    return any(like(pattern.lower(), action.lower()) for pattern in listed(statement.get("Action")))


def _resource(statement: Mapping[str, Any], request: Request) -> bool:
    if request.principals is not None:
        return True  # a trust policy has no Resource: it is the role's own
    if "NotResource" in statement:
        return not any(like(pattern, request.resource) for pattern in listed(statement["NotResource"]))
    return any(like(pattern, request.resource) for pattern in listed(statement.get("Resource")))


def _principal(statement: Mapping[str, Any], request: Request) -> bool:
    if request.principals is None:
        return True
    principal = statement.get("Principal")
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    named = {(kind, value) for kind, values in principal.items() for value in listed(values)}
    return bool(named & request.principals) or ("AWS", "*") in named


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL)


def like(pattern: str, value: str) -> bool:
    """IAM's wildcards: `*` any characters, slashes and colons too, `?` one character."""
    return _compiled(pattern).fullmatch(value) is not None


def _operator(name: str, block: Mapping[str, Any], context: Context) -> bool:
    return all(_condition(name, key, listed(wanted), context) for key, wanted in block.items())


def _condition(name: str, key: str, wanted: list[Any], context: Context) -> bool:
    """One key of one operator; `…IfExists` is true for an absent key, a negated operator too, everything else is false."""
    base, optional = (name.removesuffix("IfExists"), name.endswith("IfExists"))
    quantifier, _, operator = base.rpartition(":")
    values = context.get(key.lower())
    wanted = [str(value) for value in wanted]
    if operator == "Null":
        return wanted == [str(values is None).lower()]
    if values is None:
        return optional or quantifier == "ForAllValues" or "Not" in operator
    matches = [_matches(operator, value, wanted) for value in values]
    return all(matches) if quantifier == "ForAllValues" or "Not" in operator else any(matches)


def _matches(operator: str, value: str, wanted: list[str]) -> bool:
    """One value against the list; an operator that is not known here never matches."""
    negated = "Not" in operator
    plain = operator.replace("Not", "")
    if plain in ("StringEquals", "Bool", "NumericEquals"):
        found = any(value.lower() == one.lower() if plain == "Bool" else value == one for one in wanted)
    elif plain == "StringEqualsIgnoreCase":
        found = any(value.lower() == one.lower() for one in wanted)
    elif plain in ("StringLike", "ArnLike", "ArnEquals"):
        found = any(like(one, value) for one in wanted)
    else:
        return False
    return found != negated
