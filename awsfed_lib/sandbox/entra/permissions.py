"""Which permission each call needs, from two tables that are read as data; a route names a row by its id.

graph_permissions.yml is the project's own table, and explains the columns at its head; other_permissions.yml holds the calls that awsfed
itself does not send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from awsfed_lib.sandbox.entra.tokens import GLOBAL_ADMINISTRATOR, Caller

OWNER = "@owner"
Owns = Callable[[], bool]
Alternatives = tuple[frozenset[str], ...]
# learn.microsoft.com entra/identity/role-based-access-control/permissions-reference: which directory roles a kind of `role` stands for.
ROLES: Mapping[str, frozenset[str]] = {
    "apps": frozenset({
        GLOBAL_ADMINISTRATOR,
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",  # Application Administrator
        "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
    }),
    "groups": frozenset({
        GLOBAL_ADMINISTRATOR,
        "fdd7a751-b60b-444a-984c-02652fe8fa1c",  # Groups Administrator
        "fe930be7-5e62-47db-91af-98c3a49a38b1",  # User Administrator
    }),
    "logs": frozenset({
        GLOBAL_ADMINISTRATOR,
        "f2ef992c-3afb-46b9-b7cf-a126ee74c451",  # Global Reader
        "4a5d8f65-41da-4de4-8968-e035b65339cf",  # Reports Reader
        "5d6b6bb7-de71-4623-b4af-96380a352509",  # Security Reader
        "194ae4cb-b126-40b2-bd5b-6091b380977d",  # Security Administrator
        "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",  # Security Operator
    }),
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One row of the table. No alternatives at all: any valid token. `role`: a key of ROLES, "" for none."""

    application: Alternatives
    delegated: Alternatives
    unsure: Alternatives
    role: str


def _alternatives(texts: Iterable[str]) -> Alternatives:
    return tuple(frozenset(part.strip() for part in text.split("&")) for text in texts)


def _rules(file: Path) -> Iterator[tuple[str, Rule]]:
    for row in yaml.safe_load(file.read_text(encoding="utf-8")):
        application, delegated, unsure = row["app"], row.get("del", row["app"]), row.get("unsure", ())
        yield row["id"], Rule(_alternatives(application), _alternatives(delegated), _alternatives(unsure), row.get("role", ""))


ANY_TOKEN = ""
RULES: Mapping[str, Rule] = {
    ANY_TOKEN: Rule((), (), (), ""),
    **dict(_rules(Path(__file__).parents[2] / "graph_permissions.yml")),
    **dict(_rules(Path(__file__).with_name("other_permissions.yml"))),
}


def allowed(name: str, caller: Caller, owns: Owns = lambda: False, *, lenient: bool = False) -> bool:
    """Whether the caller may send that call; `owns` tells whether the addressed object is the calling application's own.

    `lenient`: what Microsoft's documents disagree about is enough.
    """
    rule = RULES[name]
    if rule.role and not caller.app_only and not ROLES[rule.role] & caller.directory_roles:
        return False
    documented = rule.application if caller.app_only else rule.delegated
    accepted = (*documented, *rule.unsure) if lenient else documented
    return not documented or any(_held(one, caller, owns) for one in accepted)


def _held(needed: frozenset[str], caller: Caller, owns: Owns) -> bool:
    return all(one.removesuffix(OWNER) in caller.permissions and (not one.endswith(OWNER) or owns()) for one in needed)
