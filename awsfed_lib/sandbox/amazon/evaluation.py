"""IAM's policy evaluation, as far as federation needs it: an explicit Deny wins, then any Allow, else nothing is allowed.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
reference_policies_elements_condition_operators.html. Condition keys are compared without regard to case, action names too; values and
ARNs are case-sensitive.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from operator import eq, ge, gt, le, lt
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
        principal = {"AWS": "*"}
    if not isinstance(principal, Mapping):
        return False
    named = {(kind, value) for kind, values in principal.items() for value in listed(values)}
    if named & request.principals:
        return True
    # A recording of AWS: `{"AWS": "*"}` lets nobody in by SAML. Whether it denies SAML is documented nowhere; the stricter answer is taken.
    reaches = statement.get("Effect") == "Deny" or any(kind == "AWS" for kind, _ in request.principals)
    return ("AWS", "*") in named and reaches


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
    """One key of one operator; an absent key makes `…IfExists`, `ForAllValues:` and a negated operator true, everything else false.

    Source: reference_policies_condition-single-vs-multi-valued-context-keys.html (ForAnyValue of an absent key is false).
    """
    base, optional = (name.removesuffix("IfExists"), name.endswith("IfExists"))
    quantifier, _, operator = base.rpartition(":")
    values = context.get(key.lower())
    texts = [_filled(str(value), context) for value in wanted]
    if operator == "Null":
        return str(values is None).lower() in [text.lower() for text in texts]
    if values is None:
        return optional or quantifier == "ForAllValues" or ("Not" in operator and quantifier != "ForAnyValue")
    matches = [_matches(operator, value, texts) for value in values]
    every = quantifier == "ForAllValues" or (not quantifier and "Not" in operator)
    return all(matches) if every else any(matches)


def _filled(text: str, context: Context) -> str:
    """The value with its policy variables replaced; one that has no value equals nothing (reference_policies_variables.html)."""

    def value_of(found: re.Match[str]) -> str:
        if found[1] in ("*", "?", "$"):
            return found[1]
        return next(iter(context.get(found[1].lower(), ())), "\0")

    return re.sub(r"\$\{([^}]*)\}", value_of, text)


def _matches(operator: str, value: str, wanted: list[str]) -> bool:
    """One value against the list; an operator that is not known here never matches."""
    negated = "Not" in operator
    plain = operator.replace("Not", "")
    if plain not in _OPERATORS:
        return False
    return any(_OPERATORS[plain](one, value) for one in wanted) != negated


def _arn(pattern: str, value: str) -> bool:
    """ARNs are compared part by part, each with its own wildcards."""
    parts, given = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(given) and all(map(like, parts, given))


def _in_network(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _ordered(compare: Callable[[float, float], bool], number: Callable[[str], float]) -> Callable[[str, str], bool]:
    def holds(wanted: str, value: str) -> bool:
        try:
            return compare(number(value), number(wanted))
        except ValueError:
            return False

    return holds


def _seconds(text: str) -> float:
    """A date of a policy, ISO 8601 or seconds since 1970."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": eq, "LessThan": lt, "LessThanEquals": le, "GreaterThan": gt, "GreaterThanEquals": ge,
}  # fmt: skip
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": eq,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    "IpAddress": _in_network,
    **{f"Numeric{name}": _ordered(compare, float) for name, compare in _ORDER.items()},
    **{f"Date{name}": _ordered(compare, _seconds) for name, compare in _ORDER.items()},
}
