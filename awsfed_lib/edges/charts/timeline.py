"""Until when: one line for each, from now to its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from awsfed_lib.edges.charts.chart import BAD, GOOD, WARN, Chart, canvas, named

MOST = 40
SOON = timedelta(days=60)


class Term(NamedTuple):
    """A name and its end (UTC), None where it is not known. `state`: what is known to be wrong (critical, not read), "" for nothing."""

    name: str
    ends: datetime | None
    state: str = ""


def timeline(title: str, terms: Sequence[Term], *, now: datetime) -> Chart:
    """Draw how long each lasts from `now`, the worst above: red is critical or over, amber ends within 60 days or was not read."""
    ordered = sorted(terms, key=lambda term: (_state(term, now) not in ("critical", "not read"), term.ends or now, term.name))
    shown = ordered[:MOST]
    left_out = f"\n{len(ordered) - len(shown)} more are not drawn" if len(ordered) > len(shown) else ""
    with canvas(f"{title}{left_out}", 0.9 + 0.22 * max(1, len(shown))) as drawing:
        axes = drawing.axes
        for place, term in enumerate(shown):
            state, edge = _state(term, now), term.ends or now
            span: Any = [now, edge]
            axes.plot(span, [place, place], color=_TONES[state], linewidth=5, solid_capstyle="butt")
            at: Any = edge
            said = " ".join(filter(None, (f"{term.ends:%Y-%m-%d}" if term.ends else "", "" if state == "fine" else state)))
            axes.annotate(said, (at, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
        today: Any = now
        axes.axvline(today, color=BAD, linewidth=1, linestyle=":")
        axes.set_yticks(range(len(shown)), [named(term.name) for term in shown])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        return drawing.chart(_words(title, ordered, now), {term.name: _state(term, now) for term in ordered})


_TONES = {"not read": WARN, "critical": BAD, "ended": BAD, "soon": WARN, "fine": GOOD}


def _state(term: Term, now: datetime) -> str:
    """Judge one: what is known to be wrong comes before when it ends."""
    if term.state or term.ends is None:
        return term.state or "not read"
    return "ended" if term.ends <= now else "soon" if term.ends - now < SOON else "fine"


def _words(title: str, ordered: Sequence[Term], now: datetime) -> str:
    if not ordered:
        return f"{title}: none."
    states = Counter(_state(term, now) for term in ordered)
    told = {"critical": "critical", "not read": "not read", "ended": "ended", "soon": "end within 60 days"}
    said = ", ".join(f"{states[state]} {words}" for state, words in told.items() if states[state] or state in ("ended", "soon"))
    ending = min((term for term in ordered if term.ends), key=lambda term: (term.ends or now, term.name), default=None)
    first = f"; the first is {named(ending.name)} on {ending.ends:%Y-%m-%d}" if ending else ""
    return f"{title}: {len(ordered)} in all, {said}{first}."
