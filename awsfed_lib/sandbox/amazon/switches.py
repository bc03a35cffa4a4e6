"""Faults and limits of the AWS side, to be changed while it runs."""

import threading
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class AwsSwitches:
    """How badly AWS behaves.

    throttle_burst: how many IAM requests in a row a throttled account refuses first; throttle_every: then every n-th (0: none).
    throttled: more accounts to throttle than the world says; `*` is all of them.
    page: the most roles that a page holds, whatever MaxItems says (IAM may return fewer).
    empty_page: after this many ListAccounts pages comes an empty one with a NextToken (0: never).
    account_status: `both` sends State and Status, `state` only State (Status was to be retired in September 2026).
    organization_throttles, concurrent_modifications, invalid_principals, lost_answers: the next n requests of that kind fail. A lost answer
    has been carried out: the caller sees a 500. An invalid principal is a provider that IAM has not propagated yet.
    stale_reads: after a write to an account, so many IAM reads of it repeat what they said before. create_lag: so many requests do not find
    a role or a provider that was just made.
    denied_actions: actions that a service control policy denies to every member account, such as `iam:CreateRole`.
    busy_trails: accounts (`*`: all) whose LookupEvents are refused, since somebody else uses up their two requests a second.
    latency_ms: every answer waits so long.
    """

    throttle_burst: int = 3
    throttle_every: int = 7
    throttled: tuple[str, ...] = ()
    page: int = 1000
    empty_page: int = 1
    account_status: str = "both"
    organization_throttles: int = 0
    concurrent_modifications: int = 0
    invalid_principals: int = 0
    lost_answers: int = 0
    stale_reads: int = 0
    create_lag: int = 0
    denied_actions: tuple[str, ...] = ()
    busy_trails: tuple[str, ...] = ()
    latency_ms: int = 0


class Switchboard:
    """The switches of now, and what is left of the ones that count down."""

    def __init__(self, switches: AwsSwitches) -> None:
        self.now = switches
        self._lock = threading.Lock()

    def change(self, changes: dict[str, Any]) -> AwsSwitches:
        """Set some switches; raises ValueError for a name that is none."""
        known = {field.name for field in fields(AwsSwitches)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise ValueError(f"No such switch on the AWS side: {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")
        clean: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
        with self._lock:
            self.now = replace(self.now, **clean)
            return self.now

    def take(self, name: str) -> bool:
        """True while the counting switch of that name has something left; takes one off."""
        if not getattr(self.now, name):
            return False
        with self._lock:
            left = int(getattr(self.now, name))
            if left > 0:
                fewer: dict[str, Any] = {name: left - 1}
                self.now = replace(self.now, **fewer)
            return left > 0
