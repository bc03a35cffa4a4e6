"""Points in time as Graph writes them: always UTC, with or without a fraction, depending on the property."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def seconds(moment: datetime) -> str:
    """`2026-11-24T05:40:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ticks(moment: datetime) -> str:
    """`2026-11-24T05:40:00.1234560Z`: seven digits of fraction, as assignments and audits have them."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def bare(moment: datetime) -> str:
    """`2026-11-24T05:40:00`: the form inside an innerError."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def http_date(moment: datetime) -> str:
    """`Tue, 24 Nov 2026 05:40:00 GMT` (RFC 9110, 5.6.7)."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def parsed(text: str) -> datetime | None:
    """The point in time that a literal or a world names, or None when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)
