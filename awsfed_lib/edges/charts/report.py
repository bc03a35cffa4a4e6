"""The plots of the report, from its tables: what is worth looking at rather than reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

import pandas as pd

from awsfed_lib.core.review.forecast import growth as grown
from awsfed_lib.core.roles.body import Capacity
from awsfed_lib.core.roles.trust import USABLE
from awsfed_lib.core.tables import rows
from awsfed_lib.edges.charts.bars import Bar, bars
from awsfed_lib.edges.charts.chart import Chart
from awsfed_lib.edges.charts.heat import heat
from awsfed_lib.edges.charts.lines import Limit, Point, lines
from awsfed_lib.edges.charts.timeline import Term, timeline


def capacity(used: Capacity, past: pd.DataFrame, *, scopes: int, now: datetime) -> Chart:
    """Draw the permission definitions that the application uses, run by run, with the 700 that it may have.

    `past`: how many appRoles earlier runs found (`history.counts`); `scopes` are added to each, as to `used`. A straight line
    through them tells when it is full.
    """
    points = [*(Point(row["at"].to_pydatetime(), row["rows"] + scopes) for row in rows(past)), Point(now, used.used)]
    told = grown([(point.at, point.number) for point in points], limit=used.limit)
    title = f"Permission definitions: {used.used} of {used.limit} used, {used.disabled} of them disabled\n{told.words}"
    return lines(title, points, unit="definitions", limit=Limit(used.limit, "limit of Entra ID"))


def growth(counted: pd.DataFrame, title: str) -> Chart:
    """Draw what `history.counts` found: columns at and rows."""
    return lines(title, [Point(row["at"].to_pydatetime(), row["rows"]) for row in rows(counted)], unit="rows")


def certificates(certificates: pd.DataFrame, providers: pd.DataFrame, *, provider: str, now: datetime) -> Chart:
    """Draw until when the certificates last: those of the application (CERTIFICATES), and what each account holds (PROVIDERS).

    `provider`: name of the providers that are drawn, "" for all.
    """
    own = [Term(f"Entra ID: {row['status']}", row["not_after"].to_pydatetime()) for row in rows(certificates) if row["not_after"]]
    ends = [row for row in rows(providers) if row["not_after"] and provider in ("", row["provider_name"])]
    held = [Term(f"{row['account_id']} {row['provider_name']}", row["not_after"].to_pydatetime()) for row in ends]
    return timeline("Certificates: how long they last", [*own, *held], now=now)


def coverage(roles: pd.DataFrame, accounts: pd.DataFrame) -> Chart:
    """Draw which account has which role, by the ROLES that are taken; accounts that were read in full are drawn even without any."""
    names = {row["account_id"]: f"{row['account_name']} {row['account_id']}".strip() for row in rows(accounts) if not row["problem"]}
    taken = [row for row in rows(roles) if row["verdict"] in USABLE and row["account_id"] in names]
    named = defaultdict(set)
    for row in taken:
        named[row["account_id"]].add(row["role_name"])
    pairs = [(names[account], family) for account, roles_ in named.items() for family in _families(sorted(roles_))]
    return heat("Roles of each account", pairs, rows=names.values())


def _families(names: list[str]) -> list[str]:
    """Leave out what all roles of an account begin with, up to a dash: the account's own part of `{account}-{family}`."""
    parts = [name.split("-") for name in names]
    shared = next((place for place, words in enumerate(zip(*parts, strict=False)) if len(set(words)) > 1), 0) if len(names) > 1 else 0
    return ["-".join(words[shared:]) for words in parts]


def access(paths: pd.DataFrame) -> Chart:
    """Draw how many people each group lets in, by the PATHS that are effective."""
    people = {(row["group_name"] or "assigned directly", row["user_name"]) for row in rows(paths) if row["verdict"].startswith("effective")}
    counted = Counter(group for group, user in people if user)
    return bars("People by group", [Bar(group, number) for group, number in counted.items()], unit="people who can sign in")


__all__ = ["access", "capacity", "certificates", "coverage", "growth"]
