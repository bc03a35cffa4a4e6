"""The access review: who reaches an account, what a person reaches, through which group, with which policies. Pure.

It is made of PATHS: nested members, dangling roles and accounts that were not read stay in it with their verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import pandas as pd

from awsfed_lib.core.access_shapes import ACCESS_BY_ACCOUNT, ACCESS_BY_USER, UNUSED
from awsfed_lib.core.review.checks_people import ADMINISTRATOR
from awsfed_lib.core.review.paths import EFFECTIVE, POSSIBLE
from awsfed_lib.core.review.use import Use
from awsfed_lib.core.tables import FACTS, PATHS, check, frame, rows

Row = Mapping[str, Any]
DIRECTLY = "directly"
HOUR = 3600
KINDS = ("account", "person", "group")


def by_account(paths: pd.DataFrame, use: Use) -> pd.DataFrame:
    """Tell who reaches each role of each account: ACCESS_BY_ACCOUNT, administrators first within an account.

    One row a person and role, however many groups give it; the best verdict counts. Ends of paths without a person are left out,
    unless nobody knows who is there.
    """
    listed = sorted(_with_end(paths), key=lambda row: (row["role_arn"], row["user_name"], *_better_first(row)))
    found = [_role(list(several), use) for _, several in groupby(listed, key=lambda row: (row["role_arn"], row["user_name"]))]
    return frame(ACCESS_BY_ACCOUNT, sorted(found, key=_order))


def _with_end(paths: pd.DataFrame) -> list[Row]:
    return [row for row in rows(check(PATHS, paths)) if row["user_name"] or row["verdict"] == "unread"]


def _better_first(row: Row) -> tuple[int, str]:
    verdict = row["verdict"]
    return POSSIBLE.index(verdict) if verdict in POSSIBLE else len(POSSIBLE), verdict


def _order(row: Row) -> tuple[Any, ...]:
    return row["account_id"], not row["administrator"], row["role_name"], row["role_arn"], row["user_name"]


def _role(several: list[Row], use: Use) -> dict[str, Any]:
    """Make one row of all paths of one person to one role; those that give it, where any does."""
    first = several[0]
    giving = [row for row in several if row["verdict"] == first["verdict"]]
    known = use.role_rows.get(first["role_arn"])
    return {
        "account_id": first["account_id"],
        "account_name": first["account_name"],
        "role_name": first["role_arn"].rpartition("/")[2],
        "user_name": first["user_name"],
        "through": joined(row["group_name"] or DIRECTLY for row in giving),
        "administrator": gives_everything(first["policies"]),
        "policies": first["policies"],
        "max_session": known["max_session"] // HOUR if known and known["max_session"] else None,
        "role_last_used": known["last_used"] if known else None,
        "entered": use.entered(first["role_arn"], first["user_name"]),
        "verdict": first["verdict"],
        "role_arn": first["role_arn"],
    }


def gives_everything(policies: str) -> bool:
    """Whether AdministratorAccess is among the policies. Another policy may give as much: only this one is looked for by name."""
    return any(policy.endswith(ADMINISTRATOR) for policy in policies.split("; "))


def joined(names: Iterable[str]) -> str:
    """Join the different names, sorted."""
    return "; ".join(sorted(set(filter(None, names))))


def by_user(access: pd.DataFrame, use: Use) -> pd.DataFrame:
    """Tell what each person reaches in each account: ACCESS_BY_USER of ACCESS_BY_ACCOUNT, only what works."""
    working = [row for row in rows(check(ACCESS_BY_ACCOUNT, access)) if row["verdict"] in EFFECTIVE]
    listed = sorted(working, key=lambda row: (row["user_name"], row["account_id"]))
    grouped = groupby(listed, key=lambda row: (row["user_name"], row["account_id"]))
    return frame(ACCESS_BY_USER, [_of_user(list(several), use) for _, several in grouped])


def _of_user(several: list[Row], use: Use) -> dict[str, Any]:
    first = several[0]
    return {
        "user_name": first["user_name"],
        "account_id": first["account_id"],
        "account_name": first["account_name"],
        "roles": joined(row["role_name"] for row in several),
        "through": joined(name for row in several for name in row["through"].split("; ")),
        "administrator": any(row["administrator"] for row in several),
        "policies": joined(name for row in several for name in row["policies"].split("; ")),
        "max_session": max((row["max_session"] for row in several if row["max_session"] is not None), default=None),
        "signed_in": use.signed_in(first["user_name"]),
        "entered": max((row["entered"] for row in several if row["entered"]), default=None),
    }


def administrators(access: pd.DataFrame) -> pd.DataFrame:
    """Give who reaches everything, or may, of ACCESS_BY_ACCOUNT, with the columns that say who, where, and through what."""
    listed = check(ACCESS_BY_ACCOUNT, access)
    given = listed[listed["administrator"] & listed["verdict"].isin(POSSIBLE)]
    columns = ["account_id", "account_name", "user_name", "through", "role_name", "role_last_used", "max_session", "verdict"]
    return given[columns].reset_index(drop=True)


def overview(access: pd.DataFrame, unused: pd.DataFrame) -> pd.DataFrame:
    """Give the figures of the review: FACTS of ACCESS_BY_ACCOUNT and UNUSED."""
    listed = rows(check(ACCESS_BY_ACCOUNT, access))
    working = [row for row in listed if row["verdict"] in EFFECTIVE]
    everything = [row for row in working if row["administrator"]]
    may = [row for row in listed if row["verdict"] in POSSIBLE and row["verdict"] not in EFFECTIVE]
    told = [("works", working), ("gives everything (AdministratorAccess)", everything), ("may work (conditional, or not known)", may)]
    facts = [{"fact": name, "value": _counted(given)} for name, given in told]
    facts.append({"fact": "assigned, and does not work", "value": f"{len(listed) - len(working) - len(may):,} of {len(listed):,} rows"})
    number = Counter(row["what"] for row in rows(check(UNUSED, unused)))
    words = "; ".join(f"{word}: {number[what]:,}" for what, word in _UNUSED.items() if number[what])
    return frame(FACTS, [*facts, {"fact": "not used, by the logs that were read", "value": words or "nothing was found"}])


_UNUSED = {"person": "people", "role": "roles", "path": "single paths"}


def _counted(given: Iterable[Row]) -> str:
    listed = list(given)
    people, roles, accounts = ({row[name] for row in listed} for name in ("user_name", "role_arn", "account_id"))
    return f"people: {len(people):,}; roles: {len(roles):,}; accounts: {len(accounts):,}"


def named(access: pd.DataFrame, kind: str) -> list[str]:
    """List the accounts (id and name), persons or groups of ACCESS_BY_ACCOUNT, sorted."""
    return sorted({name for row in rows(access) for name in _names(row, kind)} - {""})


def about(access: pd.DataFrame, kind: str, name: str) -> pd.DataFrame:
    """Give the rows of ACCESS_BY_ACCOUNT about the accounts, persons or groups whose name holds `name`, without case; all for ""."""
    fits = [any(name.casefold() in one.casefold() for one in _names(row, kind)) for row in rows(access)]
    return access[pd.Series(fits, index=access.index, dtype=bool)].reset_index(drop=True)


def _names(row: Row, kind: str) -> list[str]:
    if kind == "account":
        return [f"{row['account_id']} {row['account_name']}".strip(), row["account_id"]]
    return [row["user_name"]] if kind == "person" else row["through"].split("; ")
