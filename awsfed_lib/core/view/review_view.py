"""A plan in parts, for a person who looks through it: the changes that a filter leaves, and what is to be typed to approve it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from awsfed_lib.core.change import Change
from awsfed_lib.core.view.markup import ACTIONS, counted, output, scroll
from awsfed_lib.core.view.plan_view import changes_html, losses_html
from awsfed_lib.core.view.shown import ShownPlan

ALL = "all"
TAKING = "what takes something away"
DIGITS = 4


@dataclass(frozen=True)
class Filter:
    """Which changes to show: an action (or ALL, or TAKING), a kind (or ALL), and a text that stands anywhere in them."""

    action: str = ALL
    kind: str = ALL
    text: str = ""

    def changes(self, plan: ShownPlan) -> list[Change]:
        """Return the changes that it leaves; what is kept is left out unless it is asked for."""
        return [change for change in plan.changes if self._acts(change) and self.kind in (ALL, change.kind) and self._says(change)]

    def _acts(self, change: Change) -> bool:
        wanted = {ALL: set(ACTIONS) - {"keep"}, TAKING: {"remove", "disable"}}.get(self.action, {self.action})
        return change.action in wanted

    def _says(self, said: Sequence[str]) -> bool:
        needle = self.text.strip().casefold()
        return any(needle in str(part).casefold() for part in said)

    def html(self, plan: ShownPlan) -> str:
        """Draw who loses access by name, and the changes, as far as the filter leaves them; how many, a screen reader says by itself."""
        losses = [loss for loss in plan.losses if self._says(loss)]
        chosen = self.changes(plan)
        lost = f"{len(losses):,} of {counted(len(plan.losses), 'assignment')}"
        left = f"{len(chosen):,} of {counted(len(plan.changes), 'change')}" if chosen else "No change"
        said = f'<p class="awsfed-quiet" role="status">{left} {"are" if len(chosen) > 1 else "is"} left by this filter.</p>'
        losing = scroll("access lost", losses_html(losses, lost)) if losses else ""
        return output(said + f'<div class="awsfed-tall">{losing}{changes_html("changes", chosen) if chosen else ""}</div>')


def actions(plan: ShownPlan) -> list[str]:
    """List the actions to choose from; the first is where a person should look first."""
    there = [action for action in ACTIONS if plan.counts[action]]
    taking = [TAKING] if plan.counts["remove"] or plan.counts["disable"] else []
    return [*taking, ALL, *there]


def kinds(plan: ShownPlan) -> list[str]:
    """List the kinds of objects to choose from."""
    return [ALL, *sorted({change.kind for change in plan.changes})]


def taken_away(plan: ShownPlan) -> int:
    """Count what is removed; assignments that go with something else included."""
    return max(plan.counts["remove"], len(plan.losses))


def phrase(plan: ShownPlan) -> str:
    """Return what is to be typed: the last characters of the id, behind the number of what goes when anything does."""
    digits, gone = plan.id[-DIGITS:], taken_away(plan)
    return f"{gone} {digits}" if gone else digits


def asked(plan: ShownPlan) -> str:
    """Name the phrase: the label of the field in which it is typed."""
    return ("number, blank, and last " if taken_away(plan) else "last ") + f"{DIGITS} characters of the id"


def question(plan: ShownPlan) -> str:
    """Ask for the phrase, and say what it stands for."""
    gone = taken_away(plan)
    last = f"the last {DIGITS} characters of its id, {plan.id}"
    if gone:
        return f"It takes {counted(gone, 'thing')} away. To approve it, type that number, a blank, and {last}."
    return f"It takes nothing away. To approve it, type {last}."
