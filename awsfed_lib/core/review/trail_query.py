"""A trail of the organization through Athena: the query that finds who entered which role, and its result read back.

The table is one of the Athena User Guide: create-cloudtrail-table-partition-projection (partitioned by `timestamp`, yyyy/MM/dd) or
create-cloudtrail-table-org-wide-trail (account, region, year, month, day), or both ways mixed. Athena is paid by the bytes that it
reads, so every partition that the table has stands in a condition that it can prune by: a column against constants. A log file lies
under the day on which it was published, which may be the day after that of its last event, and an event may be in two of them, by the
same id (CloudTrail User Guide, cloudtrail-find-log-files). The files are read whole, so that to count the other events of an account
costs nothing, and proves that the trail has it, and since when.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pandas as pd

from awsfed_lib.core.access_shapes import WINDOWS
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review.trail import NAME, Asked, comparable, gathered
from awsfed_lib.core.review.use import Log, unread
from awsfed_lib.core.tables import ACCOUNT_ID, frame

COLUMNS = (
    "account_id", "role_arn", "user_name", "last_entered", "sessions", "refused", "events", "first_event", "last_event",
    "window_begin", "window_end", "regions",
)  # fmt: skip
REMEDY = "Save the result of exports/who_entered_which_role.sql as it comes out of Athena, as CSV below parameters/."
NOT_IN_IT = "no event of this account is in the result: the trail has it not, or the query was rendered before the account was there"
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_LATE = timedelta(days=1)  # a file is delivered within hours of its events


def render(asked: Asked) -> str:
    """Render the query. Its result tells its window and its Regions, and which accounts it has seen, so that nobody has to remember it."""
    first, last, settled = (moment.astimezone(UTC).strftime(_STAMP) for moment in (asked.begin, asked.end, asked.settled))
    conditions = [f"eventtime >= {_text(first)} AND eventtime < {_text(last)}", *_partitions(asked), *_rows(asked)]
    where = "\n    AND ".join(conditions)
    return f"""\
-- Who entered which role by SAML, {first} to {last}, for Athena on the trail of the organization.
-- Table and partitions are those of the parameters trail_table and trail_partitions: where they are other ones, Athena refuses the query
-- before it reads anything. A row without a role counts the other events of an account: they show that the trail has it, and since when.
WITH seen AS (
  SELECT recipientaccountid, eventtime, eventid, errorcode, requestparameters,
         eventsource = 'sts.amazonaws.com' AND eventname = 'AssumeRoleWithSAML' AS is_entry
  FROM {_table(asked.terms.table)}
  WHERE {where}
), named AS (
  SELECT recipientaccountid AS account_id, eventtime, eventid, is_entry,
         CASE WHEN is_entry THEN coalesce(json_extract_scalar(requestparameters, '$.roleArn'), '') ELSE '' END AS role_arn,
         CASE WHEN is_entry THEN coalesce(lower(json_extract_scalar(requestparameters, '$.roleSessionName')), '') ELSE '' END AS user_name,
         errorcode IS NOT NULL AND errorcode <> '' AS is_refused
  FROM seen
)
SELECT account_id, role_arn, user_name,
       max(CASE WHEN is_entry AND NOT is_refused THEN eventtime END) AS last_entered,
       count(DISTINCT CASE WHEN is_entry AND NOT is_refused THEN eventid END) AS sessions,
       count(DISTINCT CASE WHEN is_entry AND is_refused THEN eventid END) AS refused,
       count(*) AS events,
       min(eventtime) AS first_event,
       max(eventtime) AS last_event,
       {_text(first)} AS window_begin,
       {_text(settled)} AS window_end,
       {_text(" ".join(asked.regions))} AS regions
FROM named
GROUP BY account_id, role_arn, user_name
"""  # noqa: S608  times, checked names, digits and Region codes go in; nothing here runs it


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def _table(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def _among(column: str, values: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(map(_text, values)) or _text('')})"


def _partitions(asked: Asked) -> list[str]:
    """Restrict every partition that the table has: each a column against constants, which is what Athena prunes by."""
    has = asked.terms.partitions
    first, last = (moment.astimezone(UTC).date() for moment in (asked.begin, asked.end + _LATE))
    return [*(_PRUNED[name](asked, first, last) for name in has if name in _PRUNED), *_months(has, first, last)]


_PRUNED: Mapping[str, Callable[[Asked, date, date], str]] = {
    "account": lambda asked, _first, _last: _among('"account"', asked.accounts),
    "region": lambda asked, _first, _last: _among('"region"', asked.regions),
    "timestamp": lambda _asked, first, last: f""""timestamp" >= '{first:%Y/%m/%d}' AND "timestamp" <= '{last:%Y/%m/%d}'""",
}


def _months(has: Iterable[str], first: date, last: date) -> list[str]:
    """Restrict year and month, by years: `day` alone says nothing, and the rest is for eventtime."""
    years: dict[str, list[str]] = defaultdict(list)
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        years[f"{number // 12:04d}"].append(f"{number % 12 + 1:02d}")
    if not {"year", "month"} <= set(has):
        return [_among('"year"', years)] if "year" in has else []
    either = [f""""year" = '{year}' AND {_among('"month"', months)}""" for year, months in years.items()]
    return [f"({' OR '.join(f'({one})' for one in either)})"]


def _rows(asked: Asked) -> list[str]:
    """Restrict what no partition restricts: the path of a file has the account and the Region of its events."""
    found = [] if "account" in asked.terms.partitions else [_among("recipientaccountid", asked.accounts)]
    return found if "region" in asked.terms.partitions else [*found, _among("awsregion", asked.regions)]


def read(text: str, accounts: Mapping[str, str], paths: pd.DataFrame) -> Log:
    """Read the result of `render`: a Log of ENTERED. `accounts`: the selected ones, id → name. Raises ParameterError naming the line.

    An account without a single event in it is not known, and one whose first event is late is known since then. Where the trail
    ended a day or more before the window, nothing is known.
    """
    try:
        found = _lines(text.removeprefix("\ufeff"))
    except csv.Error as error:
        raise ParameterError(f"The result of Athena is no CSV: {error}.", remedy=REMEDY) from None
    windows = {(row["begin"], row["end"], row["regions"]) for row in found}
    if len(windows) > 1:
        raise ParameterError("The result of Athena holds several windows.", remedy="Give the result of one run of the query.")
    if not windows:
        return unread(NAME, "the result is empty, and tells no window", "Look whether the query reads the right trail.")
    begin, end, regions = next(iter(windows))
    uses = gathered(row for row in found if row["role_arn"])
    log = Log(f"{NAME} of {regions.replace(' ', ', ')}", uses, begin, end, windows=_windows(found, begin, accounts))
    return comparable(_reaching(log, max(row["last_event"] for row in found)), paths)


def _reaching(log: Log, last: datetime) -> Log:
    """Give the log back, unknown where the whole trail ends before the window: who came after that would look as if never there."""
    if log.end is None or log.end - last <= _LATE:
        return log
    remedy = "Look whether the trail still delivers into this table, then run the query again."
    return replace(log, problem=f"no account has an event in the trail after {last:%Y-%m-%d %H:%M} UTC", remedy=remedy)


def _windows(found: Iterable[Mapping[str, Any]], begin: datetime, accounts: Mapping[str, str]) -> pd.DataFrame:
    seen: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in found:
        seen[row["account_id"]].append(row)
    return frame(WINDOWS, [_window(account_id, accounts[account_id], seen[account_id], begin) for account_id in sorted(accounts)])


def _window(account_id: str, name: str, found: list[Mapping[str, Any]], begin: datetime) -> dict[str, Any]:
    row = {"account_id": account_id, "account_name": name, "begin": None, "events": sum(one["events"] for one in found)}
    if not found:
        return row | {"problem": NOT_IN_IT}
    first = min(one["first_event"] for one in found)
    late = first - begin > _LATE
    return row | {"begin": first if late else begin, "problem": "its first event in the trail is later than the window" if late else ""}


def _lines(text: str) -> list[dict[str, Any]]:
    lines = csv.DictReader(StringIO(text, newline=""))
    if sorted(lines.fieldnames or ()) != sorted(COLUMNS):
        raise ParameterError(f"The result of Athena has the columns {', '.join(lines.fieldnames or ()) or '(none)'}.", remedy=REMEDY)
    return [_line(number, line) for number, line in enumerate(lines, start=2)]


def _line(number: int, line: Mapping[Any, Any]) -> dict[str, Any]:
    if None in line or None in line.values():
        raise ParameterError(f"Line {number} of Athena's result has not as many cells as its first line.", remedy=REMEDY)
    try:
        return _read(line)
    except ValueError as error:
        raise ParameterError(f"Line {number} of Athena's result cannot be read: {error}.", remedy=REMEDY) from None


def _read(line: Mapping[str, str]) -> dict[str, Any]:
    if not ACCOUNT_ID.fullmatch(line["account_id"]):
        raise ValueError(f"{line['account_id'][:20]!r} is no account id of 12 digits; a spreadsheet drops leading zeros")
    return {
        "account_id": line["account_id"],
        "role_arn": line["role_arn"],
        "user_name": line["user_name"].casefold(),
        "last_entered": _moment(line["last_entered"]) if line["last_entered"] else None,
        **{name: int(line[name]) for name in ("sessions", "refused", "events")},
        **{name: _moment(line[name]) for name in ("first_event", "last_event")},
        "begin": _moment(line["window_begin"]),
        "end": _moment(line["window_end"]),
        "regions": line["regions"],
    }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
