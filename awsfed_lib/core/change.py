"""What a plan is made of: changes for people, literal requests for the wire, and how to recognise that one is done."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from awsfed_lib.core.tables import canonical, digest

Action = Literal["add", "update", "disable", "remove", "keep"]
SIGNS: dict[Action, str] = {"add": "+", "update": "~", "disable": "o", "remove": "-", "keep": "="}


class Subject(NamedTuple):
    """The object that a plan changes: service principal, tenant or account, with the tenant or organisation around it."""

    kind: str
    id: str
    name: str
    realm: str  # tenant id, or "organization/partition": a plan never crosses it

    @property
    def key(self) -> str:
        """One text per object; locks and journals are named by it."""
        return f"{self.realm}/{self.kind}/{self.id}"


class Change(NamedTuple):
    """One change as a person reads it. `key` is the natural key (value, uniqueName, principal → role)."""

    action: Action
    kind: str
    key: str
    label: str
    before: str = ""
    after: str = ""
    why: str = ""


class Loss(NamedTuple):
    """An assignment that goes when the plan is carried out: who loses which role."""

    principal_id: str
    principal_name: str
    role: str


class Basis(NamedTuple):
    """A live table as it was read, or as it is expected to be: its facts, by number and digest.

    `table` and `of` are what `Service.live(table, of)` reads again.
    """

    table: str
    of: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nothing here needs
    digest: str

    @classmethod
    def over(cls, table: str, of: str, facts: tuple[str, ...]) -> Basis:
        """Make the basis of these facts."""
        return cls(table, of, len(facts), digest(facts))

    @property
    def name(self) -> str:
        """A short name that is safe as a file name: `of` may be a long list of names."""
        plain = re.fullmatch(r"[0-9A-Za-z-]{1,64}", self.of)
        return f"{self.table}-{self.of if plain else digest((self.of,))[:16]}"


class Settled(NamedTuple):
    """How a request is recognised as carried out: these facts are live, and those are not."""

    table: str
    of: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def holds(self, facts: tuple[str, ...] | None) -> bool:
        """Whether the live `facts` show the request as carried out; None, a table that could not be read, shows nothing."""
        if facts is None:
            return False
        live = set(facts)
        return live.issuperset(self.present) and live.isdisjoint(self.absent)


@dataclass(frozen=True)
class Request:
    """One literal request. `body` is JSON text, "" for none; what is shown is what is sent.

    `expects`: the live table must agree with it right before the request is sent (a PATCH that replaces a collection).
    `beside`: other live tables that must agree as well (the assignments that a removed appRole would take with it).
    `wave`: requests of one wave do not depend on each other and may travel in one batch.
    `creates`: the object that each sending makes once more, as "kind name"; "" when the service refuses a second sending or it changes
    nothing. Such a request is never repeated without a look at the earlier runs (`apply.sent_not_seen`). `by_id`: the live table in
    which the made object is read by its id; "" when `settled` reads it so already.
    """

    method: str
    path: str
    body: str
    purpose: str
    settled: Settled
    expects: Basis | None = None
    wave: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    beside: tuple[Basis, ...] = ()
    creates: str = ""
    by_id: str = ""

    @property
    def conditions(self) -> tuple[Basis, ...]:
        """All live tables that must agree right before the request is sent."""
        return (*((self.expects,) if self.expects else ()), *self.beside)

    @property
    def content(self) -> dict[str, Any]:
        """The body as a dict; empty when there is none."""
        return json.loads(self.body) if self.body else {}

    @property
    def literal(self) -> tuple[str, str, str]:
        """What the transport compares: method, path and body."""
        return (self.method, self.path, self.body)

    @property
    def account_id(self) -> str:
        """The account that a request to AWS goes to (method `iam:Operation`, path `account/ARN`); "" for one to Graph."""
        return self.path.partition("/")[0] if ":" in self.method else ""


@dataclass(frozen=True)
class Guards:
    """Limits from the parameter file, reviewed in git. Patterns are shell patterns (fnmatch) over names and values.

    `max_removed`: appRoles plus assignments that a plan may remove; 0 means none, and then nothing is planned for removal.
    """

    max_removed: int = 0
    protected_roles: tuple[str, ...] = ()
    protected_groups: tuple[str, ...] = ()
    break_glass: tuple[str, ...] = ()


class Tolerance(NamedTuple):
    """How many accounts may fail before the sending stops. One of `never` (the canary accounts) stops it at once."""

    accounts: int = 0
    never: tuple[str, ...] = ()

    def stops(self, failed: Collection[str]) -> bool:
        """Whether nothing more may be sent, now that these accounts failed."""
        return len(failed) > self.accounts or not set(self.never).isdisjoint(failed)


def as_json(value: object) -> str:
    """Write the body of a request: stable, readable, and with every null kept."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), allow_nan=False)


__all__ = [
    "SIGNS", "Action", "Basis", "Change", "Guards", "Loss", "Request", "Settled", "Subject", "Tolerance", "as_json", "canonical",
]  # fmt: skip
