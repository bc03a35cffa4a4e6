"""The verdict of a run, in one word, and the exit code that a scheduler sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CODES: Mapping[str, int] = {
    "done": 0,
    "nothing to do": 0,
    "applied": 0,
    "planned": 3,
    "findings": 4,
    "unverified": 1,
    "failed": 1,
    "leaked": 1,
    "incomplete": 1,
    "differs": 4,
    "too early": 5,
    "interrupted": 130,
}
MEANING: Mapping[str, str] = {
    "done": "everything was read; there was nothing to change in this runbook",
    "nothing to do": "what is live is what is desired",
    "applied": "the approved plan was sent, and the live state was read back as planned",
    "planned": "nothing was sent: the plan waits for approval",
    "findings": "there are findings at or above fail_on",
    "unverified": "the plan was sent, and the live state did not agree in time",
    "failed": "the run failed",
    "leaked": "a secret stood in the record, and was taken out of it; renew the secret",
    "differs": "what that run made is not what is live any more",
    "too early": "nothing was judged: that run is not long enough ago; run it again later",
    "incomplete": "the notebook ended without a verdict of its own",
    "interrupted": "the run was interrupted; run it again, and it goes on from what is live",
}
SEVERITIES = ("critical", "high", "medium", "low", "note")
_WORST_FIRST = ("failed", "unverified", "differs", "too early", "findings", "planned", "applied", "nothing to do", "done")


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of `verdicts`; `done` when there are none."""
    return min((*verdicts, "done"), key=_WORST_FIRST.index)


def reaches(severity: str, fail_on: str) -> bool:
    """Tell whether a finding of `severity` counts against `fail_on` (a severity, or never)."""
    return fail_on != "never" and severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1]
