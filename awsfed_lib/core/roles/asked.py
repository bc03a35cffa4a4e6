"""What a revocation is asked to cut off: exactly one of a user, a group, a role and an account, as the parameters name it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.tables import APP_ROLES, check, rows

KINDS = ("user", "group", "role", "account")


class Asked(NamedTuple):
    """Kind (user, group, role, account) and what the parameter says."""

    kind: str
    name: str


def asked(*, user: str = "", group: str = "", role: str = "", account_id: str = "") -> Asked:
    """Return the one that is given. Raises ParameterError when none is, or more than one."""
    given = [Asked(kind, name) for kind, name in zip(KINDS, (user, group, role, account_id), strict=True) if name]
    if len(given) != 1:
        named = " and ".join(one.name for one in given) or "none"
        raise ParameterError(
            f"One of user, group, role and account_id says what is revoked; given: {named}. Nothing was read.",
            remedy="Give exactly one, such as -p user=britta.simon@contoso.com. Two of them are two runs, each with its own plan.",
        )
    return given[0]


def app_roles_of(name: str, app_roles: pd.DataFrame) -> frozenset[str]:
    """Ids of the appRoles called so: by value, by role ARN (through any provider), or by display name.

    Raises ParameterError when there is none, or when a display name is that of several IAM roles.
    """
    live = [row for row in rows(check(APP_ROLES, app_roles)) if row["value"]]
    found = [row for row in live if row["value"] == name or _arn(row) == name] or [row for row in live if row["display_name"] == name]
    if not found:
        raise ParameterError(
            f"No appRole of this application has the value, role ARN or display name {name!r}. Nothing was sent.",
            remedy=f"Copy it from the table above; upper and lower case count.{_near(name, live)}",
        )
    if len({_arn(row) or row["value"] for row in found}) > 1:
        raise ParameterError(
            f"{len(found)} appRoles are called {name!r}: {'; '.join(sorted(row['value'] for row in found)[:5])}. Nothing was sent.",
            remedy="Give the role ARN, or the value.",
        )
    return frozenset(row["app_role_id"] for row in found)


def _near(name: str, live: Sequence[Mapping[str, Any]]) -> str:
    same = [row for row in live if name.casefold() in (row["value"].casefold(), _arn(row).casefold(), row["display_name"].casefold())]
    return f" Written otherwise there is {same[0]['value']}." if same else ""


def app_roles_in(account_id: str, app_roles: pd.DataFrame) -> frozenset[str]:
    """Ids of the appRoles of the account. Raises ParameterError when there is none."""
    pairs = {row["app_role_id"]: parse(row["value"]) for row in rows(check(APP_ROLES, app_roles))}
    found = frozenset(name for name, pair in pairs.items() if pair and pair.account_id == account_id)
    if not found:
        raise ParameterError(
            f"No appRole of this application is of account {account_id}. Nothing was sent.",
            remedy="Check the 12 digits, and application_id: another application may serve that account.",
        )
    return found


def _arn(row: Mapping[str, Any]) -> str:
    pair = parse(row["value"])
    return pair.role_arn if pair else ""
