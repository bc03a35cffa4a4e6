"""Two notices: the banner at the top of a run, and the card of an error."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from awsfed_lib.core.view.escape import escaped, visible, visible_lines
from awsfed_lib.core.view.markup import View, box, card, chip, chips, output, quiet, terms, terms_text
from awsfed_lib.core.view.style import Tone

CHANGES: Mapping[str, tuple[str, str, Tone]] = {
    "nothing": ("=", "read-only: changes nothing", "good"),
    "entra": ("~", "can change Entra ID", "warn"),
    "aws": ("~", "can change AWS", "warn"),
    "entra and aws": ("~", "can change Entra ID and AWS", "warn"),
}


@dataclass(frozen=True)
class Banner:
    """What a run is about to do: where, with which application, and whether it can change anything.

    `changes`: one of CHANGES. `approved`: the approved plan id, '' for none. `about`: further names and values.
    """

    runbook: str
    title: str
    changes: str
    approved: str = ""
    about: tuple[tuple[str, str], ...] = ()

    @property
    def promise(self) -> str:
        """What this run may do, in one sentence."""
        if self.changes == "nothing":
            return "It reads only: its transport lets no write through."
        if not self.approved:
            return "No plan is approved: it plans, shows the plan, and sends nothing."
        return f"It sends the plan {self.approved}, if and only if that is what it plans now."

    @property
    def view(self) -> View:
        """The banner as text and HTML."""
        sign, word, tone = CHANGES[self.changes]
        inner = chips([chip(sign, word, tone)]) + f"<p>{escaped(self.promise)}</p>" + terms(self.about)
        heading = f"{self.runbook}: {self.title}"
        text = "\n".join([f"{visible(heading)}  [{sign} {word}]", f"  {visible(self.promise)}", terms_text(self.about)])
        return View(text, card(heading, inner, tone))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return self.view._repr_mimebundle_()

    def __str__(self) -> str:
        return self.view.text


def notice(sentence: str) -> View:
    """Say one sentence where there is nothing to draw."""
    return View(visible(sentence), output(quiet(sentence)))


def error_view(error: BaseException) -> View:
    """Show an error to the person: what happened, where, and what to do next; no stack."""
    what = str(getattr(error, "what", "") or error)
    about = [("where", str(getattr(error, "where", ""))), ("next", str(getattr(error, "remedy", "")))]
    title = in_words(type(error).__name__)
    said = html.escape(visible_lines(what))  # one that lists several things has a line for each
    inner = box(f"<pre>✕ {said}</pre>", "bad") + terms(about)
    return View("\n".join(part for part in (f"{title}: {visible(what)}", terms_text(about)) if part), card(title, inner, "bad"))


def in_words(name: str) -> str:
    """`NotApproved` → `Not approved`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|[0-9]+", name)
    return " ".join(words).capitalize() if words else name
