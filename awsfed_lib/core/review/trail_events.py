"""Events of CloudTrail as LookupEvents gives them, put into rows: who was let into which role, and who was not.

Shape: docs.aws.amazon.com awscloudtrail/latest/APIReference/API_Event.html (`CloudTrailEvent` is JSON as text) and IAM/latest/UserGuide/
cloudtrail-integration.html. An event with an errorCode opened no session, and need not say whose it would have been.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from awsfed_lib.core.errors import UnreadError

EVENT = "AssumeRoleWithSAML"
Row = dict[str, Any]


def account_of(record: Mapping[str, Any]) -> str:
    """Name the account whose log an event is of."""
    return str(record.get("recipientAccountId", ""))


def record_of(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the event itself out of an entry of LookupEvents; raises UnreadError when it is not whole."""
    try:
        found = json.loads(entry["CloudTrailEvent"])
        json.dumps(found, ensure_ascii=False).encode()  # half a character, which JSON can say by an escape, ends here
    except (KeyError, TypeError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("eventName") != EVENT:
        raise UnreadError("CloudTrail gave an event that is not whole, or is another one than was asked for.", remedy="Run again.")
    return found


def row(record: Mapping[str, Any]) -> Row:
    """Make the row of ENTERED of one event. Raises UnreadError when a session was opened and it does not say by whom, or where."""
    given = record.get("requestParameters") or {}
    named = {"role_arn": str(given.get("roleArn") or ""), "user_name": str(given.get("roleSessionName") or "").casefold()}
    refused = bool(record.get("errorCode"))
    if not refused and not all(named.values()):
        raise UnreadError("CloudTrail gave an event of a session without its role or its name.", remedy="Run again.")
    entered = None if refused else _moment(record)
    return {"account_id": account_of(record), **named, "last_entered": entered, "sessions": int(not refused), "refused": int(refused)}


def _moment(record: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(record["eventTime"])
    except (KeyError, TypeError, ValueError):
        raise UnreadError("CloudTrail gave an event without its time.", remedy="Run again.") from None
