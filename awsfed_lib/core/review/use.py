"""What logs know of use, with the window that they were read for: not in the window is not the same as never.

Entra ID's sign-in log names the person and the application, not the role; CloudTrail of the account names the role and the
session; RoleLastUsed tells of the trailing 400 days when anybody used the role (docs.aws.amazon.com IAM, access_policies_last-accessed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pandas as pd

from awsfed_lib.core.access_shapes import ACCESS_BY_ACCOUNT, ENTERED, SIGNED_IN, UNUSED, WINDOWS
from awsfed_lib.core.review.paths import EFFECTIVE
from awsfed_lib.core.tables import FACTS, ROLES, check, frame, read_in_full, rows

Row = Mapping[str, Any]
ROLE_WINDOW = "RoleLastUsed, trailing 400 days"


@dataclass(frozen=True)
class Log:
    """A log as it was read: `uses` (SIGNED_IN or ENTERED) between `begin` and `end`; `problem` says why it was not, "" that it was.

    `windows` (WINDOWS): a log of many accounts, each of them known since its own time or not at all; None: one log, one window.
    """

    name: str
    uses: pd.DataFrame
    begin: datetime | None = None
    end: datetime | None = None
    problem: str = ""
    remedy: str = ""
    windows: pd.DataFrame | None = None

    @property
    def known(self) -> bool:
        """Whether somebody who is not in it was not there."""
        return not self.problem and self.begin is not None and self.end is not None

    @property
    def window(self) -> str:
        """The log and its window in words."""
        return self._in_words(self.begin)

    def window_of(self, account_id: str) -> str:
        """Say the same of one account."""
        return self._in_words(self.since(account_id))

    def _in_words(self, begin: datetime | None) -> str:
        if begin is None or self.end is None or self.problem:
            return f"{self.name}: not known"
        return f"{self.name}, {begin:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    def since(self, account_id: str) -> datetime | None:
        """Since when somebody who is not in it was not in that account; None: nobody knows."""
        if not self.known:
            return None
        return self.begin if self.windows is None else self._begins.get(account_id)

    @cached_property
    def _begins(self) -> dict[str, datetime | None]:
        found = rows(check(WINDOWS, frame(WINDOWS, []) if self.windows is None else self.windows))
        return {row["account_id"]: row["begin"] for row in found}

    @property
    def coverage(self) -> str:
        """Say of how many accounts it is known, and of how many not for the whole window; "" for one log, one window."""
        if self.windows is None:
            return ""
        read = [begin for begin in self._begins.values() if begin is not None]
        short = sum(1 for begin in read if self.begin is not None and begin > self.begin)
        return f"; accounts read: {len(read):,} of {len(self._begins):,}" + (f", {short:,} of them for less than that" if short else "")


def unread(name: str, problem: str, remedy: str = "") -> Log:
    """Make a log that could not be read: then nobody is called unused by it."""
    return Log(name, frame(SIGNED_IN, []), problem=problem, remedy=remedy)


@dataclass(frozen=True, eq=False)
class Use:
    """What is known of use: `sign_ins` (SIGNED_IN), `entries` (ENTERED), and what RoleLastUsed of ROLES says, of accounts read in full."""

    sign_ins: Log
    entries: Log
    roles: pd.DataFrame
    accounts: pd.DataFrame

    def signed_in(self, user_name: str) -> datetime | None:
        """When the person last signed in, within the window."""
        return self._sign_ins.get(user_name.casefold())

    def entered(self, role_arn: str, user_name: str) -> datetime | None:
        """When the person last entered the role, within the window."""
        return self._entries.get((role_arn, user_name.casefold()))

    def never_used(self, role_arn: str) -> bool:
        """Whether AWS says that nobody used the role; False where it was not read."""
        row = self.role_rows.get(role_arn)
        return row is not None and row["account_id"] in self._read and row["last_used"] is None

    @cached_property
    def role_rows(self) -> dict[str, Row]:
        """Rows of ROLES by ARN; of several providers the first."""
        return {row["role_arn"]: row for row in reversed(rows(check(ROLES, self.roles)))}

    @cached_property
    def _read(self) -> frozenset[str]:
        return read_in_full(self.accounts)

    @cached_property
    def _sign_ins(self) -> dict[str, datetime | None]:
        found = rows(check(SIGNED_IN, self.sign_ins.uses)) if self.sign_ins.known else []
        return {row["user_name"]: row["last_success"] for row in found}

    @cached_property
    def _entries(self) -> dict[tuple[str, str], datetime | None]:
        found = rows(check(ENTERED, self.entries.uses)) if self.entries.known else []
        return {(row["role_arn"], row["user_name"]): row["last_entered"] for row in found}


def known(use: Use) -> pd.DataFrame:
    """Tell which logs were read, for which window, and why one was not: FACTS."""
    logs = [_fact(log) for log in (use.sign_ins, use.entries)]
    return frame(FACTS, [*logs, {"fact": "Use of a role by anybody", "value": ROLE_WINDOW}])


def windows(use: Use) -> pd.DataFrame:
    """Tell since when CloudTrail of each account is known, and why not: WINDOWS, those that need a look first."""
    found = rows(frame(WINDOWS, []) if use.entries.windows is None else use.entries.windows)
    return frame(WINDOWS, sorted(found, key=lambda row: (row["begin"] is not None, not row["problem"], row["account_id"])))


def _fact(log: Log) -> dict[str, str]:
    if not log.known:
        return {"fact": log.name, "value": f"not known: {log.problem or 'its window is not told'} {log.remedy}".strip()}
    return {"fact": log.name, "value": f"{log.window.removeprefix(f'{log.name}, ')}; {len(log.uses):,} rows{log.coverage}"}


def unused(access: pd.DataFrame, use: Use) -> pd.DataFrame:
    """Find what nobody used although it works: UNUSED of ACCESS_BY_ACCOUNT, people first, then roles, then single paths.

    A person is called unused only by a sign-in log that was read, a path only by CloudTrail of its account, a role only by an
    account that was read in full. Paths of a person who is listed already are left out.
    """
    working = [row for row in rows(check(ACCESS_BY_ACCOUNT, access)) if row["verdict"] in EFFECTIVE]
    people = _by(working, "user_name")
    absent = {name for name in people if use.sign_ins.known and use.signed_in(name) is None}
    found = [_person(name, people[name], use) for name in sorted(absent)]
    found += [_role(arn, held) for arn, held in sorted(_by(working, "role_arn").items()) if use.never_used(arn)]
    return frame(UNUSED, [*found, *(_path(row, use) for row in working if _is_unused(row, absent, use))])


def _by(listed: Iterable[Row], name: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in listed:
        grouped[row[name]].append(row)
    return dict(grouped)


def _is_unused(row: Row, absent: set[str], use: Use) -> bool:
    if use.entries.since(row["account_id"]) is None or row["user_name"] in absent:
        return False
    return use.entered(row["role_arn"], row["user_name"]) is None


def _person(name: str, held: list[Row], use: Use) -> dict[str, str]:
    everything = {row["account_id"] for row in held if row["administrator"]}
    most = f"; administrator in {len(everything)}" if everything else ""
    gives = f"roles: {len(held)}, in accounts: {len({row['account_id'] for row in held})}{most}"
    return {"what": "person", "user_name": name, "gives": gives, "by": use.sign_ins.window}


def _role(arn: str, held: list[Row]) -> dict[str, str]:
    first = held[0]
    people = f"people who reach it: {len(held)}"
    gives = f"{people}; administrator" if first["administrator"] else people
    return {"what": "role", "account_id": first["account_id"], "role_arn": arn, "gives": gives, "by": ROLE_WINDOW}


def _path(row: Row, use: Use) -> dict[str, str]:
    gives = "administrator" if row["administrator"] else row["policies"]
    names = ("user_name", "account_id", "role_arn")
    return {"what": "path", **{name: row[name] for name in names}, "gives": gives, "by": use.entries.window_of(row["account_id"])}


def last_use(role_arn: str, user_name: str, use: Use) -> str:
    """Say in words what the logs know of a path, the closest first."""
    entered, signed = use.entered(role_arn, user_name), use.signed_in(user_name)
    row = use.role_rows.get(role_arn)
    account_id = role_arn.split(":")[4] if role_arn.count(":") > 4 else ""  # noqa: PLR2004  arn:partition:iam::account:…
    told = [f"entered {entered:%Y-%m-%d}" if entered else _missing("not entered", use.entries.since(account_id), use.entries.end)]
    told.append(f"person signed in {signed:%Y-%m-%d}" if signed else _missing("person not signed in", use.sign_ins.since(account_id)))
    if row is not None:
        told.append(f"role used by anybody {row['last_used']:%Y-%m-%d}" if row["last_used"] else "role used by nobody in 400 days")
    return "; ".join(filter(None, told)) or "not known"


def _missing(what: str, since: datetime | None, until: datetime | None = None) -> str:
    return f"{what} since {since:%Y-%m-%d}{f' until {until:%Y-%m-%d}' if until else ''}" if since else ""
