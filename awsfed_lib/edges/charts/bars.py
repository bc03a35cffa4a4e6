"""How many of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from awsfed_lib.edges.charts.chart import STRONG, Chart, canvas, named

MOST = 25


class Bar(NamedTuple):
    """A name and its number."""

    name: str
    number: float


def bars(title: str, given: Sequence[Bar], *, unit: str) -> Chart:
    """Draw the largest numbers as bars, the largest above. What does not fit is counted below them."""
    ordered = sorted(given, key=lambda bar: (-bar.number, bar.name))
    shown, rest = ordered[:MOST], ordered[MOST:]
    with canvas(title, 0.9 + 0.24 * max(1, len(shown))) as drawing:
        axes = drawing.axes
        places = range(len(shown))
        drawn = axes.barh(places, [bar.number for bar in shown], color=STRONG, height=0.7)
        axes.bar_label(drawn, labels=[f"{bar.number:,.0f}" for bar in shown], padding=3)
        axes.set_yticks(list(places), [named(bar.name) for bar in shown])
        axes.invert_yaxis()
        axes.set_xlabel(f"{unit}; {len(rest)} more are not drawn" if rest else unit)
        return drawing.chart(_words(title, shown, len(rest), unit))


def _words(title: str, shown: Sequence[Bar], rest: int, unit: str) -> str:
    said = "; ".join(f"{named(bar.name)} {bar.number:,.0f}" for bar in shown[:10])
    more = f", and {len(shown) - 10 + rest} more" if len(shown) - 10 + rest > 0 else ""
    return f"{title} ({unit}): {said or 'none'}{more}."
