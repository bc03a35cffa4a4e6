"""An outcome to look at: one verdict, what became of every request, and what to do next."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.markup import FATES, INDENT, VERDICTS, box, card, chip, chips, code, terms, terms_text
from awsfed_lib.core.view.shown import ShownOutcome, subject_terms
from awsfed_lib.core.view.table_view import bare_html, filled

NEXT = {
    "nothing to do": "What is live is what is desired; nothing was sent.",
    "planned": "Nothing was sent. To send it, set approved to the id of the plan.",
    "applied": "All requests went through, and the live state was read back as planned.",
    "unverified": "Run the runbook again in a few minutes: it plans from what is live then, and an empty plan is the proof.",
    "failed": "Run the runbook again: it plans from what is live now and goes on from there.",
    "differs": "What that run made is not what is live. Run its runbook again and look at the plan: it shows what would bring it back.",
    "too early": "Nothing was read, and nothing was waited for. Run it again after that time.",
}


def outcome_html(outcome: ShownOutcome) -> str:
    """Draw the outcome as one output."""
    sign, tone = VERDICTS[outcome.verdict]
    counts = Counter(sent.fate for sent in outcome.sent)
    parts = [
        chips(
            [
                chip(sign, outcome.verdict, tone),
                *(chip(FATES[fate][0], f"{counts[fate]:,} {fate}", FATES[fate][1]) for fate in FATES if counts[fate]),
            ]
        ),
        box(f"<p>{escaped(outcome.problem)}</p>", tone) if outcome.problem else "",
        f"<p>{escaped(_next(outcome))}</p>",
        box("<p>Not everything is there yet:</p>" + "".join(f"<p>{escaped(line)}</p>" for line in outcome.waiting), "warn")
        if outcome.waiting
        else "",
        terms(subject_terms(outcome.subject)),
        bare_html(_requests(outcome), "requests, in the order of the plan") if outcome.sent else "",
        f"<p>plan {code(outcome.plan_id)}</p>",
    ]
    return card(outcome.title, "".join(parts), tone)


def outcome_text(outcome: ShownOutcome) -> str:
    """Write the outcome for a terminal and for a log."""
    about = [("verdict", outcome.verdict), ("problem", outcome.problem), ("plan", outcome.plan_id), *subject_terms(outcome.subject)]
    lines = [f"{INDENT}{FATES[sent.fate][0]} {sent.fate:<13}  {visible(_line(sent.request.purpose, sent.detail))}" for sent in outcome.sent]
    waiting = [f"{INDENT}not yet: {visible(line)}" for line in outcome.waiting]
    return "\n".join([visible(outcome.title), terms_text(about), *lines, f"{INDENT}{_next(outcome)}", *waiting])


def _next(outcome: ShownOutcome) -> str:
    """Say what to do; "what is live is what is desired" would be too much where something waits."""
    waits = outcome.verdict == "nothing to do" and outcome.waiting
    return "Nothing was sent: what can be there now is there." if waits else NEXT[outcome.verdict]


def _line(purpose: str, detail: str) -> str:
    return f"{purpose}: {detail}" if detail else purpose


def _requests(outcome: ShownOutcome) -> pd.DataFrame:
    rows = [
        {
            "fate": sent.fate,
            "request": f"{sent.request.method} {sent.request.path}",
            "purpose": sent.request.purpose,
            "status": str(sent.status or ""),
            "detail": sent.detail,
            "request_id": sent.request_id,
        }
        for sent in outcome.sent
    ]
    return filled(pd.DataFrame(rows))
