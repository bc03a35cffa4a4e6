"""Numbers over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from awsfed_lib.core.view.style import QUIET
from awsfed_lib.edges.charts.chart import BAD, STRONG, Chart, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 2.6
SHORTEST, YEARS = timedelta(days=8), timedelta(days=400)
DOTS = 40  # so many points still stand apart


class Point(NamedTuple):
    """A number at a time (UTC)."""

    at: datetime
    number: float


class Limit(NamedTuple):
    """A line that must not be crossed, and its name."""

    number: float
    name: str


def lines(title: str, points: Sequence[Point], *, unit: str, limit: Limit | None = None) -> Chart:
    """Draw numbers over time, and the limit where there is one. One point is drawn as a point, none as an empty plot that says so."""
    with canvas(title, HEIGHT) as drawing:
        axes = drawing.axes
        times: Any = tuple(point.at for point in points)  # matplotlib's types do not know that it takes times
        axes.plot(times, [point.number for point in points], color=STRONG, marker="o" if len(points) < DOTS else "")
        axes.set_ylim(bottom=0, top=_top(points, limit))
        _dates(axes, [point.at for point in points])
        axes.set_ylabel(unit)
        if limit:
            axes.axhline(limit.number, color=BAD, linestyle="--", linewidth=1)
            axes.annotate(limit.name, (0.0, limit.number), xycoords=("axes fraction", "data"), va="bottom", color=BAD)
        if not points:
            axes.annotate("no runs yet", (0.5, 0.5), xycoords="axes fraction", ha="center", color=QUIET)
        drawing.figure.autofmt_xdate(rotation=0, ha="center")
        return drawing.chart(_words(title, points, unit, limit))


def _dates(axes: Axes, times: Sequence[datetime]) -> None:
    """Let the days run from the first run to the last, a week and more: of a single time matplotlib makes an axis of four years."""
    from matplotlib import dates

    of_dates: Any = dates  # not typed

    if not times:
        axes.set_xticks([])
        return
    around = max((SHORTEST - (max(times) - min(times))) / 2, (max(times) - min(times)) / 30)
    first, last = min(times) - around, max(times) + around
    span: Any = (first, last)  # matplotlib's types do not know that it takes times
    axes.set_xlim(*span)
    axes.xaxis.set_major_locator(of_dates.AutoDateLocator(minticks=3, maxticks=7))
    axes.xaxis.set_major_formatter(of_dates.DateFormatter("%Y-%m-%d" if last - first < YEARS else "%Y-%m"))


def _top(points: Sequence[Point], limit: Limit | None) -> float:
    return max([*(point.number for point in points), limit.number if limit else 0, 1]) * 1.12


def _words(title: str, points: Sequence[Point], unit: str, limit: Limit | None) -> str:
    if not points:
        return f"{title}: no runs yet."
    first, last, named = points[0], points[-1], title.replace("\n", "; ")
    over = f", of at most {limit.number:,.0f} ({limit.name})" if limit else ""
    return f"{named}: {first.number:,.0f} {unit} on {first.at:%Y-%m-%d}, {last.number:,.0f} on {last.at:%Y-%m-%d}{over}."
