"""The switches of the sandbox: how the twin of Entra ID behaves where the real service varies or is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, Literal, get_args

RetryAfter = Literal["int", "fraction", "date", "none", "malformed", "huge"]
ValueChange = Literal["strict", "lenient"]
Origin = Literal["ignore", "refuse"]
Cloud = Literal["global", "usgov", "china"]
Permissions = Literal["strict", "lenient"]
Hidden = Literal["empty", "denied"]
Signs = Literal["assertion", "response", "both"]


@dataclass(frozen=True)
class Switches:
    """One setting of all switches; a change makes a new one.

    `lag_reads`: that many reads after a write still show the state before it, to app-only tokens
    (devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra).
    `lag_minutes`: for how many minutes of the tenant's time that is so, by kind of object ("*": every other kind); lists and relations
    stay behind `list_lag` times as long as reads by id. See `entra.replicas`.
    `log_minutes`: how late the logs of audits and sign-ins are (entra-docs reference-audit-log-latency: some minutes).
    `throttle`: resource units that one application may use in `throttle_seconds`; None: no limit. `throttle_writes`: writes in that time
    (learn.microsoft.com/graph/throttling-limits). `retry_after`: the form of that header on a 429.
    `strict`: leaving out an enabled role is refused; False: it is removed without a word (the two readings of Microsoft's page on roles).
    `value_change`: whether `value` of an enabled role can be changed. `origin`: whether a PATCH that carries `origin` is refused.
    `page`: default page size. `token_seconds`: lifetime of access tokens. `metadata_bom`: federation metadata starts with a byte order mark.
    `cloud`: which of Microsoft's clouds the twin stands for (learn.microsoft.com/graph/deployments): its gallery, what its Graph lacks, and
    the addresses in its federation metadata.
    `permissions`: whether permissions about which Microsoft's documents disagree (`unsure` in graph_permissions.yml) are enough.
    `hidden_members`: what a token without Member.Read.Hidden gets as members of a group with hidden membership; no page says which.
    `saml_signs`: what of a SAML response is signed, an option of the application that only the portal shows.
    `seed`: what is random in the twin follows from it.
    """

    lag_reads: int = 0
    lag_minutes: Mapping[str, float] = field(default_factory=dict)
    list_lag: float = 2.0
    log_minutes: float = 2.0
    throttle: int | None = None
    throttle_writes: int | None = None
    throttle_seconds: float = 10.0
    retry_after: RetryAfter = "int"
    strict: bool = True
    value_change: ValueChange = "strict"
    origin: Origin = "ignore"
    page: int = 100
    token_seconds: int = 3599
    metadata_bom: bool = False
    cloud: Cloud = "global"
    permissions: Permissions = "strict"
    hidden_members: Hidden = "empty"
    saml_signs: Signs = "assertion"
    seed: int = 0

    def minutes_behind(self, table: str) -> timedelta:
        """How long replicas show the former state of an object of that table."""
        return timedelta(minutes=self.lag_minutes.get(table, self.lag_minutes.get("*", 0)))

    def changed(self, wanted: Mapping[str, Any]) -> Switches:
        """These switches with the wanted ones changed. Raises ValueError for an unknown name or a value of the wrong kind."""
        for name, value in wanted.items():
            if not _fits(name, value):
                raise ValueError(f"There is no switch {name!r} with the value {value!r}; the switches are {sorted(asdict(self))}.")
        return replace(self, **wanted)


def _fits(name: str, value: object) -> bool:
    never = name == "throttle_seconds" and not value  # a window of no time would never end
    return name in _kinds() and not never and any(_is(value, kind) for kind in _kinds()[name])


def _is(value: object, kind: object) -> bool:
    if kind is int:
        return type(value) is int and value >= 0
    if kind is float:
        return type(value) in (int, float) and value >= 0  # type: ignore[operator]
    if kind is Mapping:
        return isinstance(value, dict) and all(isinstance(name, str) and _is(part, float) for name, part in value.items())
    if isinstance(kind, type):
        return type(value) is kind
    return value == kind


def _kinds() -> dict[str, tuple[object, ...]]:
    """For each switch what its value can be: a type, or the literal values."""
    written: dict[str, tuple[object, ...]] = {
        "int": (int,),
        "int | None": (int, type(None)),
        "float": (float,),
        "bool": (bool,),
        "Mapping[str, float]": (Mapping,),
        "RetryAfter": get_args(RetryAfter),
        "ValueChange": get_args(ValueChange),
        "Origin": get_args(Origin),
        "Cloud": get_args(Cloud),
        "Permissions": get_args(Permissions),
        "Hidden": get_args(Hidden),
        "Signs": get_args(Signs),
    }
    return {one.name: written[str(one.type)] for one in fields(Switches)}
