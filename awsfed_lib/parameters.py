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
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from awsfed_lib import secrecy
from awsfed_lib.errors import ParameterError
from awsfed_lib.parameter_rules import (
    account_names,
    approval,
    csv_file,
    group_template,
    guid,
    label_template,
    patterns,
    provider_name,
    role_path,
    text,
    whole_number,
)

Cloud = Literal["global", "usgov", "usgov-dod", "china", "sandbox"]
SignInMethod = Literal["certificate", "managed-identity", "workload", "device-code", "interactive", "secret"]
Partition = Literal["aws", "aws-us-gov", "aws-cn"]
FailOn = Literal["critical", "high", "medium", "low", "never"]
FOREIGN: Mapping[str, tuple[str, ...]] = {"usgov": ("aws-cn",), "usgov-dod": ("aws-cn",), "china": ("aws", "aws-us-gov")}

_Guid = Annotated[str, BeforeValidator(guid)]
_Names = Annotated[tuple[str, ...], BeforeValidator(patterns)]


class Parameters(BaseModel):
    """The checked parameters of one run; frozen. The help of each is its description."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    tenant_id: _Guid = Field("", description="Directory (tenant) id of Entra ID.", json_schema_extra={"needed": True})
    cloud: Cloud = Field("global", description="Which Entra ID: global, usgov, usgov-dod, china; sandbox is the one on this machine.")
    client_id: _Guid = Field("", description="Application (client) id that awsfed signs in as.", json_schema_extra={"needed": True})
    sign_in: SignInMethod = Field(
        "certificate", description="How it signs in. Secrets and keys come from the environment, never from here."
    )
    application_id: _Guid = Field(
        "",
        description="Object id of the enterprise application for AWS (its service principal).",
        json_schema_extra={"needed": True},
    )
    partition: Partition = Field("aws", description="AWS partition of the accounts.")
    via: Annotated[str, BeforeValidator(role_path)] = Field(
        "", description="Role that awsfed assumes in each account to read it, without arn: and account.", json_schema_extra={"needed": True}
    )
    external_id: Annotated[str, BeforeValidator(text(1224))] = Field(
        "", description="External id that the trust of `via` asks for; no secret."
    )
    provider: Annotated[str, BeforeValidator(provider_name)] = Field(
        "", description="Name of the SAML provider in each account, without arn:.", json_schema_extra={"needed": True}
    )
    accounts_file: Annotated[str, BeforeValidator(csv_file)] = Field(
        "", description="CSV of accounts below parameters/, instead of AWS Organizations."
    )
    include_accounts: Annotated[tuple[str, ...], BeforeValidator(account_names)] = Field(
        (), description="Only these accounts: ids in quotes, names, or paths of organisational units; patterns allowed."
    )
    exclude_accounts: Annotated[tuple[str, ...], BeforeValidator(account_names)] = Field((), description="Not these accounts; as above.")
    workers: Annotated[int, BeforeValidator(whole_number)] = Field(16, ge=1, le=64, description="Accounts read at the same time.")
    role_label: Annotated[str, BeforeValidator(label_template)] = Field(
        "{account_name} / {role_name}", description="Display name of an appRole."
    )
    group_name: Annotated[str, BeforeValidator(group_template)] = Field(
        "AWS-{account_id}-{role_name}", description="Name of the group of a role."
    )
    group_map: Annotated[str, BeforeValidator(csv_file)] = Field(
        "", description="CSV below parameters/ that names the group of a role, where group_name does not fit."
    )
    max_removed: Annotated[int, BeforeValidator(whole_number)] = Field(
        0, ge=0, le=10_000, description="AppRoles plus assignments that one plan may remove; 0 means none."
    )
    protected_roles: _Names = Field((), description="AppRoles that no plan removes: patterns over value, role name and display name.")
    protected_groups: _Names = Field((), description="Groups whose assignments no plan removes: patterns over the name.")
    break_glass: _Names = Field((), description="Principals that no plan touches: ids or patterns over the name.")
    fail_on: FailOn = Field("high", description="A finding of this severity or worse makes the run end with exit code 4.")
    approved: Annotated[str, BeforeValidator(approval)] = Field("", description="Id of the plan to carry out, as the preview shows it.")


NAMES: tuple[str, ...] = tuple(Parameters.model_fields)


class Described(NamedTuple):
    """A parameter for people: name, type in words, default, help, and whether a runbook that has it needs a value."""

    name: str
    kind: str
    default: object
    help: str
    needed: bool


def described(name: str) -> Described:
    """Describe the parameter `name`."""
    field = Parameters.model_fields[name]
    needed = isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("needed"))
    return Described(name, _in_words(field.annotation), field.default, field.description or "", needed)


def _in_words(annotation: Any) -> str:
    if options := get_args(annotation):
        return " | ".join(options) if all(isinstance(option, str) for option in options) else "list of text"
    return {str: "text", int: "whole number"}[annotation]


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


def from_text(name: str, value: str) -> object:
    """Read `value` as the command line gives it: a list is written with commas, a whole number with digits.

    Raises ParameterError for a name that is no parameter.
    """
    if name not in NAMES:
        raise _refusal(list(_named_wrong({name: value})), Source("the command line"))
    kind = described(name).kind
    if kind == "list of text":
        return [part.strip() for part in value.split(",") if part.strip()]
    return int(value) if kind == "whole number" and value.isascii() and value.isdecimal() else value


def plain(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters as JSON values (tuples become lists), which is also what papermill can carry."""
    return parameters.model_dump(mode="json")
