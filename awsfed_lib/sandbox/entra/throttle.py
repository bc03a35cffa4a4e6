"""Throttling by resource units, per application and tenant (learn.microsoft.com/graph/throttling-limits)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from awsfed_lib.sandbox.entra.timestamps import http_date
from awsfed_lib.sandbox.switches import RetryAfter, Switches

REPORTS_LIMIT, REPORTS_SECONDS = 5, 10.0  # requests to audit and sign-in logs; this limit is always on


@dataclass(frozen=True)
class Charge:
    """What one request costs: resource units, and one more write or report read when it is one."""

    units: int
    writes: int = 0
    reports: int = 0


@dataclass
class _Window:
    start: datetime
    seconds: float
    units: int = 0
    writes: int = 0

    def left(self, now: datetime) -> float:
        """Seconds until it ends."""
        return self.seconds - (now - self.start).total_seconds()


@dataclass(frozen=True)
class Verdict:
    """What the meter says: headers for the answer, and whether the request is refused."""

    headers: dict[str, str]
    refused: bool


@dataclass
class Meter:
    """How much every application has used in its current window."""

    _windows: dict[str, _Window] = field(default_factory=dict)

    def charge(self, caller: tuple[str, str], cost: Charge, switches: Switches, now: datetime) -> Verdict:
        """Charge one request of `caller` (appId, tenant id); a refused one costs nothing."""
        headers = {"x-ms-resource-unit": str(cost.units)}
        reports = self._window(f"{caller[0]}/reports", REPORTS_SECONDS, now)
        window = self._window(caller[0], switches.throttle_seconds, now)
        for one, over in ((reports, _over_reports(reports, cost)), (window, _over(window, cost, switches))):
            if over:
                return Verdict(headers | _refusal(caller, over, one.left(now), switches, now), refused=True)
        reports.units += cost.reports
        window.units, window.writes = window.units + cost.units, window.writes + cost.writes
        return Verdict(headers | _warning(window, switches), refused=False)

    def _window(self, name: str, seconds: float, now: datetime) -> _Window:
        window = self._windows.get(name)
        if window is None or window.left(now) <= 0:
            window = self._windows[name] = _Window(now, seconds)
        return window


def _over_reports(window: _Window, cost: Charge) -> str:
    return "ResourceUnitLimitExceeded" if cost.reports and window.units >= REPORTS_LIMIT else ""


def _over(window: _Window, cost: Charge, switches: Switches) -> str:
    """Which limit the request would break, in the words of x-ms-throttle-information; "" for none."""
    if switches.throttle is not None and window.units + cost.units > switches.throttle:
        return "ResourceUnitLimitExceeded"
    return "WriteLimitExceeded" if switches.throttle_writes is not None and window.writes + cost.writes > switches.throttle_writes else ""


def _warning(window: _Window, switches: Switches) -> dict[str, str]:
    """The share of the limit that is used, shown from 0.8 up."""
    share = window.units / switches.throttle if switches.throttle else 0.0
    return {"x-ms-throttle-limit-percentage": f"{share:.1f}"} if share >= 0.8 else {}


def _refusal(caller: tuple[str, str], over: str, left: float, switches: Switches, now: datetime) -> dict[str, str]:
    side = "Write" if over == "WriteLimitExceeded" else "ReadWrite"
    return {
        **_retry_after(switches.retry_after, left, now),
        "x-ms-throttle-scope": f"Tenant_Application/{side}/{caller[0]}/{caller[1]}",
        "x-ms-throttle-information": over,
        "x-ms-throttle-limit-percentage": "1.0",
    }


def _retry_after(form: RetryAfter, left: float, now: datetime) -> dict[str, str]:
    """Seconds, fractions of seconds (the sample of docs-contrib concepts/throttling.md), a date (RFC 9110), or what breaks clients."""
    text = {
        "int": str(math.ceil(left)),
        "fraction": f"{left:.3f}",
        "date": http_date(now + timedelta(seconds=math.ceil(left) + 1)),
        "none": "",
        "malformed": "soon",
        "huge": "86400",
    }[form]
    return {"Retry-After": text} if text else {}
