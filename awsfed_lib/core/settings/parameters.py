"""Every parameter of every runbook: name, type, limits, help. One gate for all doors.

`awsfed run`, JupyterLab, `papermill -f` and a scheduler all end here, so a wrong name or a wrong type is found before
anything is read, and everything that is wrong is said at once. Parameters hold no secrets: what looks like one is
refused, and never repeated.

Traps that this module closes: papermill's command line makes the number 12345678901 of `-p account_id 012345678901`,
and only warns of an unknown name (github.com/nteract/papermill issues 55, 818); YAML reads 012345670123 as octal
(yaml.org/type/int.html).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings import secrecy
from awsfed_lib.core.settings.parameter_names import NAMES, Described, Parameters, described

__all__ = [
    "NAMES", "Described", "Parameters", "Problem", "Source", "check", "described", "from_text", "plain", "suggestion",
]  # fmt: skip
FOREIGN: Mapping[str, tuple[str, ...]] = {"usgov": ("aws-cn",), "usgov-dod": ("aws-cn",), "china": ("aws", "aws-us-gov")}


class Problem(NamedTuple):
    """What is wrong with one parameter; `line` is 0 where the source has no lines."""

    name: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{secrecy.shown(self.name)} {self.message}"


class Source(NamedTuple):
    """Where parameters come from: its name for people, the line of each parameter, and problems found while reading."""

    name: str = ""
    lines: Mapping[str, int] = {}
    problems: tuple[Problem, ...] = ()


def check(given: Mapping[str, object], *, needed: Collection[str] = (), source: Source = Source()) -> Parameters:  # noqa: B008  frozen
    """Check `given` (name -> value) and return it whole, with the defaults of what is missing.

    `needed`: the parameters that the runbook declares; of those, the ones that mean nothing when empty must have a value.
    Raises ParameterError that lists every problem, with line numbers where `source` knows them.
    """
    refused = {problem.name for problem in source.problems}
    rest = {name: value for name, value in given.items() if name not in refused}
    problems = [*source.problems, *_named_wrong(rest), *_secrets(rest)]
    refused |= {problem.name for problem in problems}
    rest = {name: value for name, value in rest.items() if name not in refused}
    checked, wrong = _typed(rest)
    problems += [*wrong, *_missing(rest, set(needed) - refused), *_at_odds(checked)]
    if problems:
        raise _refusal(problems, source)
    return Parameters(**checked)


def _named_wrong(given: Mapping[str, object]) -> Iterable[Problem]:
    for name in given:
        if name in NAMES:
            continue
        if secrecy.named(str(name)) or secrecy.kind(str(name)):
            yield Problem(
                str(name), "is the name of a secret. Secrets come from the environment or a certificate file, never from parameters."
            )
        else:
            yield Problem(str(name), f"is no parameter.{suggestion(str(name), NAMES)}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean X?` for the nearest of `known`, or ""."""
    plain = {other.replace("_", "").lower(): other for other in known}
    near = difflib.get_close_matches(name.replace("_", "").replace("-", "").lower(), plain, n=1, cutoff=0.7)
    return f" Did you mean {plain[near[0]]}?" if near else ""


def _secrets(given: Mapping[str, object]) -> Iterable[Problem]:
    for name, value in given.items():
        found = next((secrecy.kind(part) for part in _texts(value) if secrecy.kind(part)), "")
        if found and name in NAMES:
            yield Problem(name, f"holds what looks like {found}. Nothing secret may stand here; take it out of the file, and renew it.")


def _texts(value: object) -> Iterable[str]:
    """Every text inside `value`, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*_texts(key), *_texts(item))
    elif isinstance(value, Sequence | set) and not isinstance(value, bytes):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, bytes):
        yield value.decode(errors="replace")


def _typed(given: Mapping[str, object]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values that are right (checked, with the defaults of the rest) and the problems of the others."""
    try:
        return Parameters(**given).model_dump(), []  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [Problem(str(detail["loc"][0]), _explained(detail)) for detail in error.errors(include_url=False)]
    wrong = {problem.name for problem in problems}
    return Parameters(**{name: value for name, value in given.items() if name not in wrong}).model_dump(), problems  # type: ignore[arg-type]


def _explained(detail: ErrorDetails) -> str:
    """Say a pydantic error in our words."""
    context, value = detail.get("ctx", {}), detail["input"]
    if detail["type"] == "literal_error":
        options = get_args(Parameters.model_fields[str(detail["loc"][0])].annotation)
        hint = suggestion(value, options) if isinstance(value, str) else ""
        return f"must be one of {', '.join(options)}, and is {secrecy.shown(value)}.{hint}"
    if detail["type"] in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return f"must be {bound}, and is {secrecy.shown(value)}."
    return detail["msg"]


def _missing(given: Mapping[str, object], needed: Collection[str]) -> Iterable[Problem]:
    # A system-assigned managed identity has no client id: learn.microsoft.com entra/identity/managed-identities-azure-resources
    spared = {"client_id"} if given.get("sign_in") == "managed-identity" else set()
    for name in [name for name in NAMES if name not in spared]:
        if name in needed and described(name).needed and given.get(name, "") == "":
            yield Problem(name, f"is empty. {described(name).help}")


def _at_odds(checked: Mapping[str, Any]) -> Iterable[Problem]:
    """Parameters that are right one by one, and wrong together."""
    cloud, partition = checked["cloud"], checked["partition"]
    if partition in FOREIGN.get(cloud, ()):
        yield Problem("partition", f"is {partition}, which Entra ID of the cloud {cloud} does not reach.")
    yield from _same_ids(checked)
    both = sorted(set(checked["include_accounts"]) & set(checked["exclude_accounts"]))
    if both:
        yield Problem("exclude_accounts", f"names {', '.join(map(secrecy.shown, both[:5]))}, which include_accounts names too.")
    for name in ("writer", "remover"):
        if checked[name] == checked["via"] != "":
            yield Problem(name, "is the same as via: the role that reads must not be able to write.")
    if checked["client_id"] == checked["tenant_id"] != "":
        yield Problem("client_id", "is the same as tenant_id. It is the id of the application that awsfed signs in as.")


def _same_ids(checked: Mapping[str, Any]) -> Iterable[Problem]:
    hint = "It is the object id of the enterprise application for AWS (Entra ID, Enterprise applications, Properties)."
    for other, words in (("client_id", "the id that awsfed signs in as"), ("tenant_id", "the tenant id")):
        if checked["application_id"] == checked[other] != "":
            yield Problem("application_id", f"is the same as {other}, {words}. {hint}")


def _refusal(problems: Sequence[Problem], source: Source) -> ParameterError:
    placed = [problem._replace(line=problem.line or source.lines.get(problem.name, 0)) for problem in problems]
    lines = [f"  - {problem}" for problem in sorted(placed, key=lambda problem: problem.line)]
    count = "One parameter is wrong" if len(lines) == 1 else f"{len(lines)} parameters are wrong"
    return ParameterError("\n".join([f"{count}; nothing was started.", *lines]), where=source.name, remedy="Correct them and run again.")


def from_text(name: str, value: str, where: str = "the command line") -> object:
    """Read `value` as `where` gives it: a list with commas or as JSON, a whole number with digits.

    Raises ParameterError for a name that is no parameter.
    """
    if name not in NAMES:
        raise _refusal(list(_named_wrong({name: value})), Source(where))
    kind = described(name).kind
    if kind == "list of text" and value.lstrip().startswith('["'):
        try:
            return json.loads(value)
        except ValueError:
            return value  # which is no list, and refused as such
    if kind == "list of text":
        return [part.strip() for part in value.split(",") if part.strip()]
    return int(value) if kind == "whole number" and value.isascii() and value.isdecimal() else value


def plain(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters as JSON values (tuples become lists), which is also what papermill can carry."""
    return parameters.model_dump(mode="json")
