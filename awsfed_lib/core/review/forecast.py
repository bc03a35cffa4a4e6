"""When is it full? A straight line through the past, and no more certainty than it has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

MONTH = 365.25 / 12
FEWEST_DAYS = 7
LONGEST_MONTHS = 120


class Growth(NamedTuple):
    """How a number grows: `per_month`, and `full_on` when it reaches its limit; None when it does not, or nobody can tell."""

    per_month: float | None
    full_on: datetime | None

    @property
    def words(self) -> str:
        """Say it."""
        if self.per_month is None:
            return f"months to full: not known before two runs lie {FEWEST_DAYS} days apart"
        if self.full_on is None:
            return f"{self.per_month:+.1f} a month: it does not fill up in ten years"
        return f"{self.per_month:+.1f} a month: full in {self.full_on:%B %Y}"


def growth(past: Sequence[tuple[datetime, float]], *, limit: float) -> Growth:
    """Fit a line (least squares) through `past`, times (UTC) with their number, oldest first."""
    if len(past) < 2 or past[-1][0] - past[0][0] < timedelta(days=FEWEST_DAYS):  # noqa: PLR2004  two points make a line
        return Growth(None, None)
    days = [(at - past[0][0]).total_seconds() / 86_400 for at, _ in past]
    numbers = [float(number) for _, number in past]
    middle, mean = sum(days) / len(days), sum(numbers) / len(numbers)
    spread = sum((day - middle) ** 2 for day in days)
    slope = sum((day - middle) * (number - mean) for day, number in zip(days, numbers, strict=True)) / spread
    left = (limit - numbers[-1]) / slope if slope > 0 else float("inf")
    full = past[-1][0] + timedelta(days=max(0.0, left)) if left / MONTH < LONGEST_MONTHS else None
    return Growth(slope * MONTH, full)
