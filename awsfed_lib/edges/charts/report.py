"""The plots of the report, from its tables: what is worth looking at rather than reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from awsfed_lib.core.accounts.slugs import slug
from awsfed_lib.core.review.checks_certificates import findings as check_certificates
from awsfed_lib.core.review.forecast import growth as grown
from awsfed_lib.core.roles.body import Capacity
from awsfed_lib.core.tables import OPEN, read_in_full, rows
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


def certificates(
    certificates: pd.DataFrame, providers: pd.DataFrame, *, provider: str, now: datetime, accounts: pd.DataFrame | None = None
) -> Chart:
    """Draw until when the certificates last: those of the application (CERTIFICATES), and what each account holds (PROVIDERS).

    `provider`: name of the providers that are drawn, "" for all. `accounts`: ACCOUNTS as the providers were read; one that was not
    read is drawn as that. What the audit finds critical is drawn critical, however long it lasts.
    """
    found = check_certificates(certificates, providers, provider=provider, now=now)
    critical = set(found.loc[found["severity"] == "critical", "subject"])
    own = [
        Term(f"Entra ID: {row['status']} {row['thumbprint'][:8]}".strip(), _moment(row), _state(row["thumbprint"] in critical))
        for row in rows(certificates)
    ]
    held = [
        Term(f"{row['account_id']} {row['provider_name']}", _moment(row), _state(row["provider_arn"] in critical))
        for row in rows(providers)
        if provider in ("", row["provider_name"])
    ]
    unread = [row for row in rows(accounts) if row["problem"] and row["state"] in OPEN] if accounts is not None else []
    missing = [Term(f"{row['account_id']} {provider}".strip(), None, "not read") for row in unread]
    return timeline("Certificates: how long they last", [*own, *held, *missing], now=now)


def _moment(row: Mapping[str, Any]) -> datetime | None:
    return row["not_after"].to_pydatetime() if row["not_after"] else None


def _state(critical: bool) -> str:  # noqa: FBT001  a fact about one certificate
    return "critical" if critical else ""


def coverage(roles: pd.DataFrame, accounts: pd.DataFrame) -> Chart:
    """Draw which account has which role, by the ROLES that are taken; accounts without any are drawn too, and those not read as that."""
    names = {row["account_id"]: f"{row['account_name']} {row['account_id']}".strip() for row in rows(accounts) if row["state"] in OPEN}
    read = read_in_full(accounts)
    slugs_of = {row["account_id"]: slug(row["account_name"]) for row in rows(accounts)}
    taken = {(row["account_id"], row["role_name"]) for row in rows(roles) if row["verdict"] == "taken" and row["account_id"] in read}
    shared = _shared(taken)
    pairs = [(names[account], _family(role, slugs_of[account], shared)) for account, role in sorted(taken)]
    unread = [name for account, name in names.items() if account not in read]
    return heat("Roles of each account", pairs, rows=[name for account, name in names.items() if account in read], unread=unread)


def _shared(taken: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Give the ends of role names, from a dash on, that at least half of the accounts with roles have."""
    having: defaultdict[str, set[str]] = defaultdict(set)
    for account, role in taken:
        words = role.split("-")
        for start in range(len(words)):
            having["-".join(words[start:])].add(account)
    accounts = {account for several in having.values() for account in several}
    return frozenset(end for end, several in having.items() if len(several) > 1 and 2 * len(several) >= len(accounts))


def _family(role: str, account: str, shared: Collection[str]) -> str:
    """Leave out the account's own part of `{account}-{family}`: its slug, or where the name was frozen, what precedes a shared end."""
    if account and role.startswith(f"{account}-"):
        return role.removeprefix(f"{account}-")
    words = role.split("-")
    ends = ("-".join(words[start:]) for start in range(len(words)))
    return next((end for end in ends if end in shared), role)


def access(paths: pd.DataFrame) -> Chart:
    """Draw how many people each group lets in, by the PATHS that are effective."""
    people = {(row["group_name"] or "assigned directly", row["user_name"]) for row in rows(paths) if row["verdict"].startswith("effective")}
    counted = Counter(group for group, user in people if user)
    return bars("People by group", [Bar(group, number) for group, number in counted.items()], unit="people who can sign in")


__all__ = ["access", "capacity", "certificates", "coverage", "growth"]
