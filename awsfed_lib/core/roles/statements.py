"""A trust policy as statements, read strictly: what is wrong with it is said in words, and nothing is guessed.

Shapes and laws: docs.aws.amazon.com IAM/latest/UserGuide/reference_policies_elements*.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple


class Condition(NamedTuple):
    """One line of a Condition block: `operator` on `key` with any of `values`."""

    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key} {self.operator} {' or '.join(self.values)}"


class Statement(NamedTuple):
    """One statement of a trust policy.

    `federated`: the principals under Federated. `everyone`: whether it names "*". `spared`: the actions are those that
    it leaves out (NotAction), else those that it is about.
    """

    label: str
    effect: str
    federated: tuple[str, ...]
    everyone: bool
    actions: tuple[str, ...]
    spared: bool
    conditions: tuple[Condition, ...]

    def covers(self, action: str) -> bool:
        """Whether it is about `action`; wildcards count, case does not (reference_policies_elements_action.html)."""
        named = any(like(pattern.lower(), action.lower()) for pattern in self.actions)
        return named != self.spared

    def concerns(self, principal: str) -> bool:
        """Whether it is about this federated principal.

        An Allow to {"AWS": "*"} lets nobody in by SAML, as AWS was recorded to answer; that a Deny to everyone spares SAML is documented
        nowhere, so it counts.
        """
        return principal in self.federated or (self.everyone and self.effect == "Deny")


class MalformedPolicy(ValueError):  # noqa: N818  it names the document, and is caught by that name
    """What is wrong with a policy document, in words."""


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether `text` matches `pattern`, where only `*` and `?` are special, as in IAM (fnmatch also knows brackets)."""
    return _pattern(pattern).fullmatch(text) is not None


def statements(policy: Mapping[str, Any] | str) -> tuple[Statement, ...]:
    """Read the statements of a trust policy given as a dict or as JSON text.

    Raises MalformedPolicy, and nothing else, for whatever is no such document.
    """
    try:
        return _from_text(policy) if isinstance(policy, str) else _statements(policy)
    except RecursionError:
        raise MalformedPolicy("it is nested too deeply") from None


@lru_cache(maxsize=4096)
def _from_text(text: str) -> tuple[Statement, ...]:
    try:
        return _statements(json.loads(text.lstrip("\ufeff"), object_pairs_hook=_once))
    except MalformedPolicy:
        raise
    except ValueError as wrong:
        raise MalformedPolicy(f"it is no JSON document ({wrong})") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse equal keys in an object: a parser keeps one of them, and which one IAM keeps is not ours to guess."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise MalformedPolicy("an object holds the same key twice")
    return found


def _statements(document: object) -> tuple[Statement, ...]:
    if not isinstance(document, Mapping):
        raise MalformedPolicy("it is no JSON object")
    if "Statement" not in document:
        raise MalformedPolicy("it has no Statement")
    listed = document["Statement"]
    return tuple(_statement(item, number) for number, item in enumerate(listed if isinstance(listed, list) else [listed], 1))


def _statement(item: object, number: int) -> Statement:
    if not isinstance(item, Mapping):
        raise MalformedPolicy(f"statement {number} is no object")
    sid = item.get("Sid")
    label = f'statement {number} "{sid}"' if isinstance(sid, str) and sid else f"statement {number}"
    if item.get("Effect") not in ("Allow", "Deny"):
        raise MalformedPolicy(f"the Effect of {label} is neither Allow nor Deny")
    federated, everyone = _principals(item, label)
    actions, spared = _actions(item, label)
    return Statement(label, item["Effect"], federated, everyone, actions, spared, _conditions(item.get("Condition", {}), label))


def _principals(item: Mapping[str, Any], label: str) -> tuple[tuple[str, ...], bool]:
    """NotPrincipal cannot stand in a trust policy (reference_policies_elements_notprincipal.html)."""
    if "NotPrincipal" in item:
        raise MalformedPolicy(f"{label} has NotPrincipal, which a trust policy cannot hold")
    principal = item.get("Principal")
    if principal == "*":
        return (), True
    if not isinstance(principal, Mapping):
        raise MalformedPolicy(f"{label} has no Principal")
    federated = _texts(principal.get("Federated", []), f"Federated of {label}")
    everyone = "*" in federated or "*" in _texts(principal.get("AWS", []), f"AWS of {label}")
    return tuple(name for name in federated if name != "*"), everyone


def _actions(item: Mapping[str, Any], label: str) -> tuple[tuple[str, ...], bool]:
    if ("Action" in item) == ("NotAction" in item):
        raise MalformedPolicy(f"{label} must have either Action or NotAction")
    name = "Action" if "Action" in item else "NotAction"
    return _texts(item[name], f"{name} of {label}"), name == "NotAction"


def _conditions(block: object, label: str) -> tuple[Condition, ...]:
    return tuple(
        Condition(operator, key, _texts(values, f"{key} of {label}"))
        for operator, keys in _object(block, f"Condition of {label}").items()
        for key, values in _object(keys, f"{operator} of {label}").items()
    )


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise MalformedPolicy(f"{what} is no object")
    return value


def _texts(value: object, what: str) -> tuple[str, ...]:
    """One value or a list of them, as text: JSON writes true, IAM compares "true"."""
    found: Iterable[object] = value if isinstance(value, list) else [value]
    return tuple(_text(item, what) for item in found)


def _text(value: object, what: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise MalformedPolicy(f"{what} holds something that is not text")
