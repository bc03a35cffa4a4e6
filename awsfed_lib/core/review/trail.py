"""CloudTrail of many accounts: what is asked of it, and who entered which role by what it said.

AssumeRoleWithSAML stands only in the account of the role (docs.aws.amazon.com IAM, cloudtrail-integration): a trail of the organization
has them all in one place (trail_query.py), and without one every account is asked (trail_events.py). Either way an account is known since
the time that was really read, or not at all; and a session has a name, which is a person's only where RoleSessionName is the user name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from awsfed_lib.core.access_shapes import ENTERED
from awsfed_lib.core.review.use import Log
from awsfed_lib.core.roles.sign_in_endpoints import HOME_REGIONS, region_of
from awsfed_lib.core.tables import ACCOUNTS, PATHS, check, frame, rows

Row = dict[str, Any]
NAME = "CloudTrail"
# "Within an average of about 5 minutes", which is not guaranteed (CloudTrail User Guide, how-cloudtrail-works); an hour and more was seen.
LATE = timedelta(hours=2)
NOT_ASKED = "it was not asked"
HOW_TO_ASK = "Set entered_from to lookup, or to the CSV that Athena gives for exports/who_entered_which_role.sql."


@dataclass(frozen=True)
class Terms:
    """What the parameters say: `source` ("", "lookup", or a CSV below parameters/), how far back, and what the table is like.

    `pages`: the most that are read of one account and Region. `regions`: none takes those of the application's reply URLs.
    `table` and `partitions`: the name of the table of the trail in Athena, and the columns that it is partitioned by.
    """

    source: str = ""
    days: int = 90
    pages: int = 20
    regions: tuple[str, ...] = ()
    table: str = "cloudtrail_logs"
    partitions: tuple[str, ...] = ("account", "region", "timestamp")


@dataclass(frozen=True)
class Asked:
    """What is asked: sign-ins into `accounts` (id → name), recorded in `regions`, from `begin` to `end`.

    Until `settled` they are all in the log; what came later may or may not be there yet.
    """

    terms: Terms
    accounts: Mapping[str, str]
    regions: tuple[str, ...]
    begin: datetime
    end: datetime

    @property
    def settled(self) -> datetime:
        """The end of the window of which somebody may be said not to be in it."""
        return self.end - LATE

    @property
    def name(self) -> str:
        """CloudTrail, with the Regions that are looked at."""
        return f"{NAME} of {', '.join(self.regions)}"


def asked(terms: Terms, accounts: pd.DataFrame, regions: Iterable[str], now: datetime) -> Asked:
    """Say what is asked by these terms, now, of ACCOUNTS. `regions`: where people sign in, when the terms name none."""
    named = {row["account_id"]: row["account_name"] for row in rows(check(ACCOUNTS, accounts))}
    return Asked(terms, dict(sorted(named.items())), terms.regions or tuple(regions), now - timedelta(days=terms.days), now)


def regions_of(reply_urls: Iterable[str], partition: str) -> tuple[str, ...]:
    """Name the Regions whose CloudTrail has the sign-ins at these reply URLs; the partition's home Region always, and first.

    An endpoint records in its own Region (IAM User Guide, cloudtrail-integration, "Logging Regional sign-in events"), and the one without a
    Region in its name is us-east-1's (sign_in_endpoints.py). Who signs in with the command line enters at whatever STS endpoint is set
    there, and AWS does not say that its sign-in page never goes elsewhere: such Regions are for the parameter to name.
    """
    home = HOME_REGIONS[partition]
    return tuple(dict.fromkeys([home, *sorted(filter(None, (region_of(url, partition) for url in reply_urls)))]))


def gathered(found: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Add up rows of the same session and role: ENTERED, sorted."""
    sums: dict[tuple[str, str], Row] = {}
    for row in found:
        key = (row["role_arn"], row["user_name"])
        sums[key] = _added(sums[key], row) if key in sums else {name: row[name] for name in ENTERED.columns}
    return frame(ENTERED, [sums[key] for key in sorted(sums)])


def _added(one: Row, other: Mapping[str, Any]) -> Row:
    last = max((time for time in (one["last_entered"], other["last_entered"]) if time), default=None)
    counts = {name: one[name] + other[name] for name in ("sessions", "refused")}
    return one | counts | {"last_entered": last}


def comparable(log: Log, paths: pd.DataFrame) -> Log:
    """Give the log back, unknown where none of its sessions in the roles of PATHS has the name of anybody who reaches one.

    RoleSessionName follows a claim: where it is an employee number, everybody would look unused. Sessions in other roles, such as
    those of IAM Identity Center, prove nothing.
    """
    known = check(PATHS, paths)
    people, roles = {name.casefold() for name in known["user_name"] if name}, set(known["role_arn"])
    ours = log.uses[log.uses["role_arn"].isin(roles) & (log.uses["user_name"] != "") & (log.uses["sessions"] > 0)]
    if log.problem or people & set(ours["user_name"]):
        return log
    if ours.empty:
        return replace(log, problem="it has no session in any of these roles", remedy="Look whether trail_regions has the right Regions.")
    remedy = "Look which attribute the claim RoleSessionName has: only user names can be compared."
    return replace(log, problem="no session has the name of a person who has access", remedy=remedy)
