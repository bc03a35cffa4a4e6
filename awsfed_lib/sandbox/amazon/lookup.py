"""CloudTrail's LookupEvents: the events of one account in one Region, newest first, 90 days back, 50 a page.

Source: docs.aws.amazon.com awscloudtrail/latest/APIReference/API_LookupEvents.html. It names the errors and says when they come; their
messages here are its sentences, since it does not print what stands on the wire.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, document

KEPT = timedelta(days=90)
MOST = 50
KEYS: Mapping[str, Callable[[Mapping[str, Any], str], bool]] = {
    "EventId": lambda entry, value: entry["EventId"] == value,
    "EventName": lambda entry, value: entry["EventName"] == value,
    "ReadOnly": lambda entry, value: entry["ReadOnly"] == value,
    "Username": lambda entry, value: entry["Username"] == value,
    "ResourceType": lambda entry, value: any(one["ResourceType"] == value for one in entry["Resources"]),
    "ResourceName": lambda entry, value: any(one["ResourceName"] == value for one in entry["Resources"]),
    "EventSource": lambda entry, value: entry["EventSource"] == value,
    "AccessKeyId": lambda entry, value: entry.get("AccessKeyId") == value,  # nobody signs AssumeRoleWithSAML
}


def events(cloud: Cloud, account: Account, call: Call) -> Answer:
    """One page of LookupEvents."""
    _require_quiet(cloud, account)
    wanted = _wanted(call)
    begin, end = _range(cloud, call)
    size, start = _size(call), _start(call)
    kept = [event.entry() for event in cloud.trail.of(account.id, call.region) if begin <= event.time <= end]
    found = [entry for entry in kept if all(KEYS[key](entry, value) for key, value in wanted)]
    page = {"Events": found[start : start + size]}
    return document(page | ({"NextToken": _token(call, start + size)} if start + size < len(found) else {}))


def _require_quiet(cloud: Cloud, account: Account) -> None:
    """Two requests a second for each account and Region is what there is, and others may use it up."""
    busy = cloud.switches.busy_trails
    if account.id in busy or "*" in busy:
        raise AwsError("ThrottlingException", "Rate exceeded")


def _wanted(call: Call) -> list[tuple[str, str]]:
    """The attribute that is searched by: one, or none."""
    wanted = [(str(one.get("AttributeKey")), str(one.get("AttributeValue", ""))) for one in call.params.get("LookupAttributes") or []]
    if len(wanted) > 1 or any(key not in KEYS or not value for key, value in wanted):
        raise AwsError("InvalidLookupAttributesException", "Occurs when a lookup attribute is specified that is not valid.")
    return wanted


def _range(cloud: Cloud, call: Call) -> tuple[datetime, datetime]:
    now = cloud.clock()
    begin, end = _moment(call, "StartTime", now - KEPT), _moment(call, "EndTime", now)
    if begin > end:
        message = "The start time occurs after the end time, or the time range is outside the range of possible values."
        raise AwsError("InvalidTimeRangeException", message)
    return max(begin, now - KEPT), end


def _moment(call: Call, name: str, otherwise: datetime) -> datetime:
    return datetime.fromtimestamp(float(call.params[name]), UTC) if name in call.params else otherwise


def _size(call: Call) -> int:
    wanted = call.whole("MaxResults", MOST)
    if not 1 <= wanted <= MOST:
        raise AwsError("InvalidMaxResultsException", "This exception is thrown if the limit specified is not valid.")
    return wanted


def _token(call: Call, start: int) -> str:
    return base64.b64encode(json.dumps([_digest(call), start]).encode()).decode()


def _digest(call: Call) -> str:
    """What a token is bound to: everything that was asked, but the token."""
    asked = {name: value for name, value in call.params.items() if name != "NextToken"}
    return hashlib.sha256(json.dumps([asked, call.region], sort_keys=True).encode()).hexdigest()


def _start(call: Call) -> int:
    if "NextToken" not in call.params:
        return 0
    try:
        digest, start = json.loads(base64.b64decode(call.text("NextToken"), validate=True))
    except (ValueError, TypeError, binascii.Error):
        digest, start = "", 0
    if digest != _digest(call):
        message = "A token that is not valid, or a token that was previously used in a request with different parameters."
        raise AwsError("InvalidNextTokenException", message)
    return int(start)
