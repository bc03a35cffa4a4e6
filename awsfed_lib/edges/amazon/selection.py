"""Which accounts are read: by id, by name, or by organizational unit; patterns as in a shell, without case."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.tables import ACCOUNT_ID

UNIT_ID = re.compile(r"(ou|r|o)-[a-z0-9*?]", re.ASCII)
DIGITS = re.compile(r"[0-9]+", re.ASCII)


class Account(NamedTuple):
    """An account as it was listed.

    `units`: the ids of root and organizational units above it; `ou_path`: their names, or the ids where the names were
    not asked for. `manages`: it manages the organization.
    """

    account_id: str
    account_name: str
    ou_path: str = ""
    state: str = ""
    units: tuple[str, ...] = ()
    manages: bool = False


def check_account_id(text: str, where: str) -> str:
    """Return `text` when it is an account id; raises ParameterError that explains a lost zero or a rounded number."""
    if ACCOUNT_ID.fullmatch(text):
        return text
    if DIGITS.fullmatch(text) and len(text) < 12:  # noqa: PLR2004  the length of an account id
        why = f"has {len(text)} digits: a spreadsheet or YAML dropped a leading zero. Write '{text.zfill(12)}', as text, if that is it."
    elif re.fullmatch(r"[0-9.,]+[eE]\+?[0-9]+", text):
        why = "was rounded by a spreadsheet, and its digits are lost. Format the column as text and enter the id again."
    else:
        why = "is not 12 digits."
    raise ParameterError(f"The account id {text!r} {why}", code="account-id", where=where, remedy="An account id is text of 12 digits.")


@dataclass(frozen=True)
class Selection:
    """Accounts to include (none given: all) and to exclude, which wins.

    A pattern is an account id, a name, or a path of organizational units such as `Workloads/Prod`, which means
    everything below it too; `ou-…` and `r-…` name a unit by its id. Raises ParameterError for a number that is no account id.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for pattern in (*self.include, *self.exclude):
            if DIGITS.fullmatch(pattern):
                check_account_id(pattern, "include_accounts, exclude_accounts")

    @property
    def names_units(self) -> bool:
        """Whether a pattern may be a path of unit names, so that the names have to be read."""
        return any("/" in pattern and not UNIT_ID.match(pattern) for pattern in (*self.include, *self.exclude))

    @property
    def asks_units(self) -> bool:
        """Whether a pattern is about organizational units at all."""
        return self.names_units or any(UNIT_ID.match(pattern) for pattern in (*self.include, *self.exclude))

    def takes(self, account: Account) -> bool:
        """Whether `account` is to be read."""
        wanted = not self.include or any(matches(pattern, account) for pattern in self.include)
        return wanted and not any(matches(pattern, account) for pattern in self.exclude)

    def unmatched(self, accounts: Iterable[Account]) -> list[str]:
        """List the patterns of `include` that no account matches: a wrong one must not pass for an empty organization."""
        listed = list(accounts)
        return [pattern for pattern in self.include if not any(matches(pattern, account) for account in listed)]


def matches(pattern: str, account: Account) -> bool:
    """Whether one pattern is about `account`."""
    return _like(pattern, account.account_id) or _like(pattern, account.account_name) or _above(pattern, account)


def _above(pattern: str, account: Account) -> bool:
    if UNIT_ID.match(pattern):
        return any(_like(pattern.rstrip("/").rsplit("/", 1)[-1], unit) for unit in account.units)
    if "/" not in pattern or not account.ou_path:
        return False
    path, wanted = account.ou_path.strip("/"), pattern.strip("/")
    return _like(wanted, path) or _like(f"{wanted}/*", path)


def _like(pattern: str, text: str) -> bool:
    """Equal, or matched by the pattern; names hold brackets, so equality comes first."""
    return pattern.lower() == text.lower() or fnmatchcase(text.lower(), pattern.lower())
