"""CloudTrail of the organization through Athena: the query that finds who entered which role, and its result read back.

AssumeRoleWithSAML stands only in the trail of the role's account, so a trail of the organization sees them all
(docs.aws.amazon.com IAM, cloudtrail-integration). The table is the one of the Athena User Guide, "Querying AWS CloudTrail logs";
where it lies, and with which partitions, is known to who made it: the query is rendered, and somebody runs it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pandas as pd

from awsfed_lib.core.access_shapes import ENTERED
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review.use import Log
from awsfed_lib.core.tables import ACCOUNT_ID, PATHS, check, frame

NAME = "CloudTrail"
COLUMNS = ("account_id", "role_arn", "user_name", "last_entered", "sessions", "refused", "window_begin", "window_end")
NOT_GIVEN = "no result of the query was given (used_file)"
_REMEDY = "Save the result of exports/who_entered_which_role.sql as it comes out of Athena, as CSV below parameters/."
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


def query(begin: datetime, end: datetime) -> str:
    """Render the query for the time from `begin` to `end`. Its result tells its own window, so that nobody has to remember it."""
    first, last = (moment.astimezone(UTC).strftime(_STAMP) for moment in (begin, end))
    return f"""\
-- Who entered which role by SAML, {first} to {last}. Put the name of your table, and a condition on its partitions, where it says so.
SELECT recipientaccountid AS account_id,
       json_extract_scalar(requestparameters, '$.roleArn') AS role_arn,
       lower(json_extract_scalar(requestparameters, '$.roleSessionName')) AS user_name,
       max(CASE WHEN errorcode IS NULL OR errorcode = '' THEN eventtime END) AS last_entered,
       count_if(errorcode IS NULL OR errorcode = '') AS sessions,
       count_if(errorcode <> '') AS refused,
       '{first}' AS window_begin,
       '{last}' AS window_end
FROM cloudtrail_logs                     -- your table of the organization's trail
WHERE eventsource = 'sts.amazonaws.com'
  AND eventname = 'AssumeRoleWithSAML'
  AND eventtime >= '{first}' AND eventtime < '{last}'
  -- AND timestamp >= '{first[:10].replace("-", "/")}'      -- the partitions of your table, or the query reads the whole bucket
GROUP BY 1, 2, 3
"""  # noqa: S608  only two times go in, written by strftime; nothing here runs it


def read(text: str, paths: pd.DataFrame) -> Log:
    """Read the result of `query`: a Log of ENTERED. Raises ParameterError naming the line.

    Where no session has the name of anybody in PATHS, the names cannot be compared, and nobody is judged by them.
    """
    try:
        found = _lines(text.removeprefix("\ufeff"))
    except csv.Error as error:
        raise ParameterError(f"The result of Athena is no CSV: {error}.", remedy=_REMEDY) from None
    windows = {(row["begin"], row["end"]) for row in found}
    if len(windows) > 1:
        raise ParameterError("The result of Athena holds several windows.", remedy="Give the result of one run of the query.")
    uses = frame(ENTERED, [{name: row[name] for name in ENTERED.columns} for row in found])
    if not windows:
        return Log(NAME, uses, problem="the result is empty, and tells no window", remedy="Look whether the query reads the right trail.")
    return _comparable(Log(NAME, uses, *next(iter(windows))), paths)


def _lines(text: str) -> list[dict[str, Any]]:
    lines = csv.DictReader(StringIO(text, newline=""))
    if sorted(lines.fieldnames or ()) != sorted(COLUMNS):
        raise ParameterError(f"The result of Athena has the columns {', '.join(lines.fieldnames or ()) or '(none)'}.", remedy=_REMEDY)
    return [_line(number, line) for number, line in enumerate(lines, start=2)]


def _comparable(log: Log, paths: pd.DataFrame) -> Log:
    people = {name.casefold() for name in check(PATHS, paths)["user_name"] if name}
    if people & set(log.uses["user_name"]):
        return log
    remedy = "Look which attribute the claim RoleSessionName has: only user names can be compared."
    return replace(log, problem="no session has the name of a person who has access", remedy=remedy)


def _line(number: int, line: Mapping[Any, Any]) -> dict[str, Any]:
    if None in line or None in line.values():
        raise ParameterError(f"Line {number} of Athena's result has not as many cells as its first line.", remedy=_REMEDY)
    try:
        return _read(line)
    except ValueError as error:
        raise ParameterError(f"Line {number} of Athena's result cannot be read: {error}.", remedy=_REMEDY) from None


def _read(line: Mapping[str, str]) -> dict[str, Any]:
    if not ACCOUNT_ID.fullmatch(line["account_id"]):
        raise ValueError(f"{line['account_id'][:20]!r} is no account id of 12 digits; a spreadsheet drops leading zeros")
    return {
        "account_id": line["account_id"],
        "role_arn": line["role_arn"],
        "user_name": line["user_name"].casefold(),
        "last_entered": _moment(line["last_entered"]) if line["last_entered"] else None,
        "sessions": int(line["sessions"]),
        "refused": int(line["refused"]),
        "begin": _moment(line["window_begin"]),
        "end": _moment(line["window_end"]),
    }


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
