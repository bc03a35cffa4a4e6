"""All tables of one reading, joined: which appRole stands for which IAM role, and who is at its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.roles.pair import Pair, parse
from awsfed_lib.core.tables import ACCOUNTS, APP_ROLES, ASSIGNMENTS, GROUPS, MEMBERS, ROLES, check, read_in_full, rows

Row = Mapping[str, Any]


class Item(NamedTuple):
    """What a check finds: a key that stays over runs, what it is about, and what is wrong."""

    key: str
    subject: str
    cause: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """The six tables. `members` are the direct members of the groups that are assigned and of those inside them."""

    app_roles: pd.DataFrame
    assignments: pd.DataFrame
    members: pd.DataFrame
    groups: pd.DataFrame
    roles: pd.DataFrame
    accounts: pd.DataFrame

    @cached_property
    def app_role_rows(self) -> dict[str, Row]:
        """Rows of APP_ROLES by id, in live order."""
        return {row["app_role_id"]: row for row in rows(check(APP_ROLES, self.app_roles))}

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        """Role and provider of each appRole that names them, by id."""
        return {name: pair for name, row in self.app_role_rows.items() if (pair := parse(row["value"]))}

    @cached_property
    def assigned(self) -> dict[str, list[Row]]:
        """Rows of ASSIGNMENTS by the id of their appRole, sorted."""
        listed = sorted(rows(check(ASSIGNMENTS, self.assignments)), key=lambda row: (row["principal_name"], row["principal_id"]))
        return _by(listed, "app_role_id")

    @cached_property
    def group_rows(self) -> dict[str, Row]:
        """Rows of GROUPS by id, sorted by name."""
        listed = sorted(rows(check(GROUPS, self.groups)), key=lambda row: (row["group_name"], row["group_id"]))
        return {row["group_id"]: row for row in listed}

    @cached_property
    def members_of(self) -> dict[str, list[Row]]:
        """Rows of MEMBERS by their group, sorted by name."""
        listed = sorted(rows(check(MEMBERS, self.members)), key=lambda row: (row["user_name"], row["member_name"], row["member_id"]))
        return _by(listed, "group_id")

    @cached_property
    def people(self) -> dict[str, Row]:
        """Rows of MEMBERS that are users, by their id; somebody who is in no assigned group is missing."""
        return {row["member_id"]: row for listed in self.members_of.values() for row in listed if row["member_type"] == "User"}

    @cached_property
    def account_rows(self) -> dict[str, Row]:
        """Rows of ACCOUNTS by id, sorted."""
        listed = sorted(rows(check(ACCOUNTS, self.accounts)), key=lambda row: row["account_id"])
        return {row["account_id"]: row for row in listed}

    @cached_property
    def read(self) -> frozenset[str]:
        """Accounts read in full."""
        return read_in_full(self.accounts)

    @cached_property
    def role_rows(self) -> dict[str, list[Row]]:
        """Rows of ROLES by ARN, a row a provider."""
        listed = sorted(rows(check(ROLES, self.roles)), key=lambda row: (row["role_arn"], row["provider_arn"]))
        return _by(listed, "role_arn")

    @cached_property
    def spelled(self) -> dict[str, str]:
        """The ARN of each role as AWS spells it, by the ARN without regard to case."""
        return {arn.casefold(): arn for arn in self.role_rows}

    @cached_property
    def states(self) -> dict[str, str]:
        """What is wrong with the IAM role of each appRole, by id: unread, dangling, untrusted, conditional, or "" for nothing."""
        return {name: self._state(pair) for name, pair in self.pairs.items()}

    def _state(self, pair: Pair) -> str:
        if pair.account_id not in self.read:
            return "unread"
        found = self.role_rows.get(pair.role_arn)
        if not found:
            return "dangling"
        verdict = next((row["verdict"] for row in found if row["provider_arn"] == pair.provider_arn), "skipped")
        return {"taken": "", "conditional": "conditional"}.get(verdict, "untrusted")

    def name(self, app_role_id: str) -> str:
        """Say what people call an appRole."""
        row = self.app_role_rows[app_role_id]
        return str(row["display_name"] or row["value"] or app_role_id)

    def inside(self, group_id: str) -> list[Row]:
        """List the MEMBERS rows of the users inside the groups that are members of this group, at any depth."""
        seen, found = {group_id}, []
        waiting = self._nested(group_id)
        while waiting:
            inner = waiting.pop(0)
            if inner in seen:
                continue
            seen.add(inner)
            found += [member for member in self.members_of.get(inner, []) if member["member_type"] == "User"]
            waiting += self._nested(inner)
        return found

    def _nested(self, group_id: str) -> list[str]:
        return [member["member_id"] for member in self.members_of.get(group_id, []) if member["member_type"] == "Group"]


def _by(listed: Iterable[Row], name: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in listed:
        grouped[row[name]].append(row)
    return dict(grouped)
