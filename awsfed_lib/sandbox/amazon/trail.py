"""CloudTrail's memory: the events of every account, each in the Region that served the call."""

import json
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Event:
    """One event: when (whole seconds, as CloudTrail keeps it), where, and the record itself."""

    time: datetime
    region: str
    record: Mapping[str, Any]

    def entry(self) -> dict[str, Any]:
        """The event as LookupEvents lists it: what it searches by, and the record as text."""
        return {
            "EventId": self.record["eventID"],
            "EventName": self.record["eventName"],
            "ReadOnly": str(self.record["readOnly"]).lower(),
            "EventTime": self.time.timestamp(),
            "EventSource": self.record["eventSource"],
            "Username": self.record["userIdentity"].get("userName", ""),
            "Resources": [{"ResourceType": one["type"], "ResourceName": one["ARN"]} for one in self.record["resources"]],
            "CloudTrailEvent": json.dumps(self.record, separators=(",", ":")),
        }


class Trail:
    """The events of every account."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = defaultdict(list)
        self._lock = threading.Lock()

    def note(self, account_id: str, record: Mapping[str, Any]) -> None:
        """Keep a record in the account's own log."""
        event = Event(datetime.fromisoformat(record["eventTime"]), record["awsRegion"], {**record, "recipientAccountId": account_id})
        with self._lock:
            self._events[account_id].append(event)

    def of(self, account_id: str, region: str) -> list[Event]:
        """The events of one account in one Region, newest first."""
        with self._lock:
            found = [event for event in self._events[account_id] if event.region == region]
        return sorted(found, key=lambda event: (event.time, event.record["eventID"]), reverse=True)
