"""The verdict of a run, in one word, the exit code that a scheduler sees, and the order of everything that can look better or worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

CODES: Mapping[str, int] = {
    "done": 0,
    "nothing to do": 0,
    "applied": 0,
    "planned": 3,
    "findings": 4,
    "unverified": 1,
    "failed": 1,
    "leaked": 1,
    "unfinished": 1,
    "differs": 4,
    "not read": 6,
    "too early": 5,
    "interrupted": 130,
}
MEANING: Mapping[str, str] = {
    "done": "the runbook ran to its end; it changes nothing",
    "nothing to do": "what is live is what is desired",
    "applied": "the approved plan was sent, and the live state was read back as planned",
    "planned": "nothing was sent: the plan waits for approval",
    "findings": "there are findings at or above fail_on",
    "unverified": "the plan was sent, and the live state did not agree in time",
    "failed": "the run failed",
    "leaked": "a secret stood in the record, and was taken out of it; renew the secret",
    "differs": "what that run made is not what is live any more",
    "too early": "nothing was judged: that run is not long enough ago; run it again later",
    "unfinished": "the notebook ended without a verdict of its own",
    "not read": "nothing was read, or less than by the last good run; what was not read is unknown",
    "interrupted": "the run was interrupted; run it again, and it goes on from what is live",
}
SEVERITIES = ("critical", "high", "medium", "low", "note")
WORST_FIRST = (
    "failed", "leaked", "interrupted", "unfinished", "unverified", "not read", "differs", "too early", "findings", "planned", "applied",
    "nothing to do", "done",
)  # fmt: skip
PROOFS = ("broken", "unknown", "conditional", "console only", "works")
"""States of a sign-in path, the worst first."""
PATHS = (
    "effective", "effective (appRole disabled)", "conditional", "unread", "unknown", "untrusted", "refused", "dangling", "nested",
    "user disabled", "nobody",
)  # fmt: skip
"""States of an access path, what a reviewer has to see first; up to `unknown` the person may get in."""


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of `verdicts`; `done` when there are none."""
    return min((*verdicts, "done"), key=WORST_FIRST.index)


def better(one: str, other: str, order: Sequence[str] = WORST_FIRST) -> bool:
    """Whether `one` looks better than `other`: it stands later in `order`, which has the worst first."""
    return order.index(one) > order.index(other)


def reaches(severity: str, fail_on: str) -> bool:
    """Tell whether a finding of `severity` counts against `fail_on` (a severity, or never)."""
    return fail_on != "never" and severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1]
