"""Until when: one line for each, from now to its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from awsfed_lib.edges.charts.chart import BAD, GOOD, WARN, Chart, canvas, named

MOST = 40
SOON = timedelta(days=60)


class Term(NamedTuple):
    """A name and its end (UTC)."""

    name: str
    ends: datetime


def timeline(title: str, terms: Sequence[Term], *, now: datetime) -> Chart:
    """Draw how long each lasts from `now`, what ends first above; red is over, amber ends within 60 days."""
    ordered = sorted(terms, key=lambda term: (term.ends, term.name))
    shown = ordered[:MOST]
    with canvas(title, 0.9 + 0.22 * max(1, len(shown))) as drawing:
        axes = drawing.axes
        for place, term in enumerate(shown):
            span: Any = [now, term.ends]
            axes.plot(span, [place, place], color=_tone(term, now), linewidth=5, solid_capstyle="butt")
            edge: Any = term.ends
            axes.annotate(
                f"{term.ends:%Y-%m-%d}{_said(term, now)}", (edge, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
            )
        today: Any = now
        axes.axvline(today, color=BAD, linewidth=1, linestyle=":")
        axes.set_yticks(range(len(shown)), [named(term.name) for term in shown])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        return drawing.chart(_words(title, ordered, now))


def _said(term: Term, now: datetime) -> str:
    """Say what the tone says."""
    return " ended" if term.ends <= now else " soon" if term.ends - now < SOON else ""


def _tone(term: Term, now: datetime) -> str:
    return BAD if term.ends <= now else WARN if term.ends - now < SOON else GOOD


def _words(title: str, ordered: Sequence[Term], now: datetime) -> str:
    if not ordered:
        return f"{title}: none."
    over = sum(term.ends <= now for term in ordered)
    soon = sum(now < term.ends and term.ends - now < SOON for term in ordered)
    first = ordered[0]
    ending = f"the first is {named(first.name)} on {first.ends:%Y-%m-%d}"
    return f"{title}: {len(ordered)} in all, {over} ended, {soon} end within 60 days; {ending}."
