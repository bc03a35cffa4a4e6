"""Who entered which role, by CloudTrail's own memory of every account: LookupEvents, where no trail of the organization is.

Laws (docs.aws.amazon.com awscloudtrail/latest/APIReference/API_LookupEvents.html): management events of 90 days, of one Region; searched
by one attribute; 50 a page; two requests a second for each account and Region. They come newest first (userguide/
view-cloudtrail-events-cli.html). Sign-ins of IAM Identity Center are AssumeRoleWithSAML too, and anybody can be refused, since nobody
signs the call: an account may have very many. What is read of one is bounded, and where the bound cuts, it is known only since the
oldest event that was read: a flood can hide who was not there, and never makes somebody look as if not there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import boto3
import pandas as pd
from botocore.exceptions import ClientError

from awsfed_lib.core.access_shapes import WINDOWS
from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.review.trail import Asked, comparable, gathered
from awsfed_lib.core.review.trail_events import EVENT, account_of, record_of, row
from awsfed_lib.core.review.use import Log
from awsfed_lib.core.tables import frame
from awsfed_lib.edges.amazon.acting import acting, acting_in
from awsfed_lib.edges.amazon.answers import refuse_other_account, whole
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.problems import UNUSABLE, code_of
from awsfed_lib.edges.amazon.reading import read_organization
from awsfed_lib.edges.amazon.rounds import Reading
from awsfed_lib.edges.amazon.selection import Account
from awsfed_lib.edges.entra.clouds import SANDBOX

KEPT = timedelta(days=90)
NOTED = "CloudTrail of account"
PAGE = 50
PACE = 0.5  # seconds from one request to the next, of one account and Region
ATTRIBUTE = [{"AttributeKey": "EventName", "AttributeValue": EVENT}]


@dataclass(frozen=True)
class Lookup:
    """One reading: from `begin` to `end`, in `regions`, at most `pages` of each account and Region, `pace` seconds apart.

    A long trail outlives a session of 900 seconds: after `renew` seconds the role `via` is assumed again.
    """

    begin: datetime
    end: datetime
    regions: tuple[str, ...]
    pages: int
    pace: float = PACE
    via: str = ""
    external_id: str = ""
    renew: float = 600.0


class Seen(NamedTuple):
    """What one account says: rows of ENTERED, since when it is known (None: not at all), and what shortens that."""

    rows: list[dict[str, Any]]
    begin: datetime | None
    problem: str = ""


def entries(
    organization: Organization,
    asked: Asked,
    paths: pd.DataFrame,
    *,
    executor: Executor | None = None,
    session: boto3.Session | None = None,
) -> Log:
    """Read CloudTrail of every selected account: a Log of ENTERED, with WINDOWS. Errors as `inventory`.

    An account that refuses, keeps throttling, or was not read to the end is known for less time or not at all, and says why.
    """
    begin = max(asked.begin, asked.end - KEPT)
    pace = 0.0 if organization.cloud == SANDBOX else PACE
    lookup = Lookup(begin, asked.end, asked.regions, asked.terms.pages, pace, organization.via, organization.external_id)
    readings = read_organization(organization, partial(seen_in, lookup=lookup), executor=executor, session=session, what=NOTED)
    for account, found, _, _ in readings:
        if found is not None and found.problem:
            organization.coverage.not_read(NOTED, found.problem, account.account_id, account.account_name)
    uses = gathered(row for reading in readings if reading.found for row in reading.found.rows if row["role_arn"])
    return comparable(Log(asked.name, uses, begin, asked.settled, windows=frame(WINDOWS, [_window(one) for one in readings])), paths)


def _window(reading: Reading[Seen]) -> dict[str, Any]:
    account, found = reading.account, reading.found
    named = {"account_id": account.account_id, "account_name": account.account_name}
    if found is None:
        return named | {"problem": reading.problem}
    return named | {"begin": found.begin, "events": len(found.rows), "problem": found.problem}


def seen_in(hub: Hub, account: Account, lookup: Lookup) -> Seen:
    """Read one account in every Region; it is known since the latest begin among them."""
    look_up = _renewed(hub, account, lookup)
    parts = [_in_region(hub, partial(look_up, region), account, lookup, region) for region in lookup.regions]
    begins = [part.begin for part in parts]
    known = max((begin for begin in begins if begin is not None), default=None) if None not in begins else None
    return Seen([row for part in parts for row in part.rows], known, " ".join(part.problem for part in parts if part.problem))


def _renewed(hub: Hub, account: Account, lookup: Lookup) -> Callable[..., Any]:
    """Return a call of LookupEvents of one Region that assumes the role again before its session ends."""
    credentials, since = acting().credentials, time.monotonic()

    def look_up(region: str, **asked: Any) -> Any:
        nonlocal credentials, since
        if time.monotonic() - since >= lookup.renew:
            credentials, since = hub.credentials(account.account_id, lookup.via, lookup.external_id), time.monotonic()
        with acting_in(account.account_id, credentials):
            return hub.regional("cloudtrail", region).lookup_events(**asked)

    return look_up


def _in_region(hub: Hub, look_up: Callable[..., Any], account: Account, lookup: Lookup, region: str) -> Seen:
    try:
        return _read(look_up, account, lookup, region)
    except ClientError as error:
        if code_of(error) in UNUSABLE and region != hub.iam.meta.region_name:
            return Seen([], None, f"CloudTrail of {region} does not take the credentials: the Region may be off in this account.")
        raise


def _read(call: Callable[..., Any], account: Account, lookup: Lookup, region: str) -> Seen:
    """Read the pages of one Region, until they or the bound end."""
    rows: list[dict[str, Any]] = []
    times: list[datetime] = []
    answer: Mapping[str, Any] = {}
    for answer in _pages(call, lookup):
        for entry in whole(answer, "Events"):
            rows.append(_row(entry, account))
            times.append(whole(entry, "EventTime"))
    if not answer.get("NextToken"):
        return Seen(rows, lookup.begin)
    return Seen(rows, _cut(times), f"In {region} only the newest {len(rows):,} events were read (trail_pages).")


def _pages(call: Callable[..., Any], lookup: Lookup) -> Iterator[Mapping[str, Any]]:
    """Yield pages, as many as are allowed; raises UnreadError when one leads back to one that was read."""
    tokens: list[str] = []
    for number in range(lookup.pages):
        started = time.monotonic()
        answer: Mapping[str, Any] = call(
            LookupAttributes=ATTRIBUTE,
            StartTime=lookup.begin,
            EndTime=lookup.end,
            MaxResults=PAGE,
            **({"NextToken": tokens[-1]} if tokens else {}),
        )
        yield answer
        token = answer.get("NextToken", "")
        if not token:
            return
        if token in tokens:
            raise UnreadError("CloudTrail gave the same page twice. Run again.")
        tokens.append(token)
        if number + 1 < lookup.pages:
            time.sleep(max(0.0, lookup.pace - (time.monotonic() - started)))


def _row(entry: Mapping[str, Any], account: Account) -> dict[str, Any]:
    record = record_of(entry)
    refuse_other_account(f"arn::cloudtrail::{account_of(record)}:event", account.account_id, "LookupEvents")
    return row(record)


def _cut(times: list[datetime]) -> datetime | None:
    """Tell since when a log is known that was cut: since a second after the oldest event that was read, if they came newest first."""
    if not times or times != sorted(times, reverse=True):
        return None
    return times[-1] + timedelta(seconds=1)
