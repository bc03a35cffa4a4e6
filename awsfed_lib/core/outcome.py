"""What became of a plan: one line a request, one verdict for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from awsfed_lib.core.change import Request, Subject
from awsfed_lib.core.errors import OutcomeError
from awsfed_lib.core.view import display

MEDIA_TYPE = "application/vnd.awsfed.outcome+json"
Verdict = Literal["nothing to do", "planned", "applied", "unverified", "failed", "differs", "too early"]
Fate = Literal["sent", "adopted", "refused", "indeterminate", "not sent"]


class Answer(NamedTuple):
    """What a service said to one request.

    `fate`: done (carried out), refused (not carried out, and it says why), unknown (no answer, half an answer, or
    "already exists": only a read can tell). `object_id`: the id of the object that was made, where the answer gives one.
    """

    fate: Literal["done", "refused", "unknown"]
    status: int
    detail: str = ""
    request_id: str = ""
    object_id: str = ""


class Sent(NamedTuple):
    """One request of the plan and what became of it."""

    request: Request
    fate: Fate
    status: int = 0
    detail: str = ""
    request_id: str = ""
    object_id: str = ""


@dataclass(frozen=True)
class Outcome:
    """Verdict, requests and problem of one `Plan.apply`.

    Verdicts: `nothing to do`; `planned` (no approval given, nothing sent); `applied` (sent, and read back as planned);
    `unverified` (sent, but the live state did not agree in time); `failed` (stopped at the first refusal).
    `waiting`: what the plan could not take up yet, and why, whatever its verdict.
    Of a plan that is verified once more: `nothing to do` (it still holds), `differs`, `too early`.
    """

    plan_id: str
    title: str
    subject: Subject
    verdict: Verdict
    sent: tuple[Sent, ...] = ()
    problem: str = ""
    waiting: tuple[str, ...] = ()

    def raise_for_failure(self) -> None:
        """Raise OutcomeError unless everything that was to be sent went through and was read back."""
        if self.verdict in ("failed", "unverified"):
            raise OutcomeError(
                f"{self.title}: {self.verdict}. {self.problem}",
                where=self.subject.name or self.subject.id,
                remedy="Run the runbook again: it plans from what is live now and goes on from there.",
            )

    @property
    def content(self) -> dict[str, object]:
        """The outcome as JSON values; the bodies of the requests are in the plan."""
        return {
            "plan": self.plan_id,
            "title": self.title,
            "subject": self.subject._asdict(),
            "verdict": self.verdict,
            "problem": self.problem,
            "waiting": list(self.waiting),
            "sent": [_content(sent) for sent in self.sent],
        }

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {"text/plain": display.outcome_text(self), "text/html": display.outcome_html(self), MEDIA_TYPE: self.content}

    def __str__(self) -> str:
        return display.outcome_text(self)


def _content(sent: Sent) -> dict[str, object]:
    what = {"method": sent.request.method, "path": sent.request.path, "purpose": sent.request.purpose}
    answer: dict[str, object] = {"fate": sent.fate, "status": sent.status, "detail": sent.detail, "request_id": sent.request_id}
    return what | answer | ({"object_id": sent.object_id} if sent.object_id else {})
