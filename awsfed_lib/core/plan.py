"""The plan: what would change, exactly what would be sent, and the id that stands for both.

The id replaces every dry-run, force and confirm flag: nothing is sent unless the approved id is the id of this plan.
It hashes the runbook, the subject, the live facts, the changes, the guards, the literal requests and everything that
decides whether the next one is sent, so an approval covers exactly what was read, and a change of anything makes another id.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from awsfed_lib.core.apply import (
    APPROVAL_HOLDS,
    Approval,
    Journal,
    Service,
    differences,
    refuse_drift,
    refuse_sent_before,
    send_all,
    sent_not_seen,
    together,
    verified,
)
from awsfed_lib.core.change import Basis, Change, Guards, Loss, Request, Subject, Tolerance
from awsfed_lib.core.errors import NotApproved, RecordError, UnsafePlan
from awsfed_lib.core.outcome import Outcome, Sent, Verdict
from awsfed_lib.core.tables import CHANGES, canonical, frame
from awsfed_lib.core.view import display

MEDIA_TYPE = "application/vnd.awsfed.plan+json"
ID_DIGITS = 32  # 128 bits: with 64, two plans that share an id can be searched for


@dataclass(frozen=True)
class Plan:
    """A frozen plan. Falsy when there is nothing to send.

    `basis`: the live tables it was computed from. `goal`: the live tables once it is carried out. `losses`: the
    assignments that go. `refusals`: why its guards forbid to send it; such a plan is shown, and never sent. `tolerance`:
    how many accounts of AWS may fail before the others are left alone. `waiting`: what it could not take up yet, and why;
    its changes say the same one by one. `runbook`: the runbook that shows and sends it. `renews`: the id that this plan had
    until that was used or expired, "" for its first.
    """

    title: str
    subject: Subject
    changes: tuple[Change, ...]
    requests: tuple[Request, ...]
    basis: tuple[Basis, ...]
    goal: tuple[Basis, ...]
    losses: tuple[Loss, ...] = ()
    refusals: tuple[str, ...] = ()
    guards: Guards = Guards()  # noqa: RUF009  frozen, and empty
    tolerance: Tolerance = Tolerance()  # noqa: RUF009  frozen, and none
    waiting: tuple[str, ...] = ()
    runbook: str = ""
    renews: str = ""

    def __bool__(self) -> bool:
        return bool(self.requests)

    @cached_property
    def id(self) -> str:
        """`plan-` and 32 hexadecimal digits; starts with letters so that nothing can read it as a number."""
        return f"plan-{hashlib.sha256(canonical(self.content).encode()).hexdigest()[:ID_DIGITS]}"

    @property
    def content(self) -> dict[str, object]:
        """Everything that the id stands for, as JSON values."""
        return {
            "title": self.title,
            "subject": self.subject._asdict(),
            "changes": [change._asdict() for change in self.changes],
            "requests": [_content(request) for request in self.requests],
            "basis": [basis._asdict() for basis in self.basis],
            "goal": [basis._asdict() for basis in self.goal],
            "losses": [loss._asdict() for loss in self.losses],
            "refusals": list(self.refusals),
            "guards": vars(self.guards),
            "tolerance": self.tolerance._asdict(),
            "waiting": list(self.waiting),
            "runbook": self.runbook,
            "renews": self.renews,
        }

    @property
    def table(self) -> pd.DataFrame:
        """CHANGES: action kind label before after why."""
        columns = ("action", "kind", "label", "before", "after", "why")
        return frame(CHANGES, [{name: getattr(change, name) for name in columns} for change in self.changes])

    @property
    def counts(self) -> Counter[str]:
        """Number of changes by action."""
        return Counter(change.action for change in self.changes)

    def proposed(self, runbook: str, approval: Callable[[str], Approval]) -> Plan:
        """Bind the plan to the runbook that shows it.

        The plan of a state that comes back is another approval: while its id was used, or is too old, it gets the next one.
        """
        plan = replace(self, runbook=runbook)
        while approval(plan.id).over:
            plan = replace(plan, renews=plan.id)
        return plan

    def apply(self, service: Service, *, approved: str, journal: Journal) -> Outcome:
        """Send the requests in order when `approved` is the id of this plan.

        Nothing to send, or no approval: nothing is sent, and the outcome says so. Stops at the first request that fails;
        what was sent is in the outcome and in the journal, and running the runbook again goes on from there. An approval
        is used once, and expires APPROVAL_HOLDS after its id was first shown.
        Raises NotApproved, UnsafePlan, StalePlan or LockedError, each before anything is sent.
        """
        if not self.requests:
            return self._outcome("nothing to do")
        if not approved:
            unseen = sent_not_seen(self.id, self.requests, service, journal)
            journal.note("planned", id=self.id)
            return replace(self._outcome("planned"), waiting=(*self.waiting, *unseen))
        self._refuse(service, approved, journal)
        with journal.hold(self.subject.key):
            self._refuse_used(approved, journal.approval(approved))  # under the lock: another run may be using it
            refuse_drift(service, self.basis)
            refuse_sent_before(self.id, self.requests, service, journal)
            journal.note("plan", id=self.id, content=self.content)
            with together(service, self.basis):
                for basis in self.basis:
                    journal.keep(basis.name, service.snapshot(basis.table, basis.of))
            refuse_drift(service, self.basis)  # what was kept lies between two readings of what was planned from
            return self._carry_out(service, journal)

    def _carry_out(self, service: Service, journal: Journal) -> Outcome:
        """Send and judge; whatever ends it early, an interrupt of a person included, is noted before it goes on its way."""
        try:
            with service.permit(self.requests):
                sent = tuple(send_all(self.requests, service, journal, self.tolerance))
            outcome = self._judge(service, sent)
        except BaseException as stop:
            with suppress(RecordError):
                journal.note("stopped", plan=self.id, by=type(stop).__name__)
            raise
        journal.note("outcome", plan=self.id, verdict=outcome.verdict, problem=outcome.problem)
        return outcome

    def _refuse(self, service: Service, approved: str, journal: Journal) -> None:
        if self.runbook != journal.runbook:
            raise NotApproved(
                f"This plan was made for {self.runbook or 'no runbook'}, and this run is of {journal.runbook}; nothing was sent.",
                code="approval-unbound",
                where=self.subject.name,
                remedy="Show the plan with run.propose(plan), and apply what that returns.",
            )
        if approved != self.id:
            self._refuse_used(approved, journal.approval(approved))
            raise NotApproved(
                f"The approved id {approved} is not the id of this plan, {self.id}; nothing was sent.",
                where=self.subject.name,
                remedy="Read the plan above. If it is what you want, run again with its id; the live state may have changed meanwhile.",
            )
        if service.realm != self.subject.realm:
            raise UnsafePlan(f"The plan is for {self.subject.realm}, and this session is in {service.realm}; nothing was sent.")
        if self.refusals:
            raise UnsafePlan(" ".join(self.refusals), where=self.subject.name, remedy="Change the parameter file, in review, or the world.")

    def _refuse_used(self, approved: str, approval: Approval) -> None:
        remedy = "Run once without an approval, read the plan, and approve the id that it has now."
        if approval.spent:
            raise NotApproved(
                f"{approved} was used by the run {approval.spent}, and an approval is used once; nothing was sent.",
                code="approval-spent",
                where=self.subject.name,
                remedy=remedy,
            )
        if approval.age > APPROVAL_HOLDS:
            raise NotApproved(
                f"{approved} was first shown {approval.age.days} days ago, and an approval expires after {APPROVAL_HOLDS.days} days;"
                " nothing was sent.",
                code="approval-expired",
                where=self.subject.name,
                remedy=remedy,
            )

    def _judge(self, service: Service, sent: Sequence[Sent]) -> Outcome:
        failed = [item for item in sent if item.fate not in ("sent", "adopted")]
        if failed:
            first = failed[0]
            return self._outcome("failed", tuple(sent), f"{first.request.purpose}: {first.detail or first.fate}")
        if not verified(service, self.goal):
            seen = differences(service, self.goal)
            problem = f"All requests were sent, but the live state did not agree with the plan in time ({seen})."
            return self._outcome("unverified", tuple(sent), problem)
        return self._outcome("applied", tuple(sent))

    def _outcome(self, verdict: Verdict, sent: tuple[Sent, ...] = (), problem: str = "") -> Outcome:
        return Outcome(self.id, self.title, self.subject, verdict, sent, problem, self.waiting)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002  IPython's
        return {
            "text/plain": display.plan_text(self),
            "text/html": display.plan_html(self),
            MEDIA_TYPE: {"id": self.id, **self.content},
        }

    def __str__(self) -> str:
        return display.plan_text(self)


def _content(request: Request) -> dict[str, object]:
    fields = ("method", "path", "body", "purpose", "wave")
    conditions = [basis._asdict() for basis in request.conditions]
    done = request.settled
    settled = {
        name: Basis.over(done.table, done.of, facts)._asdict() for name, facts in (("present", done.present), ("absent", done.absent))
    }
    return {name: getattr(request, name) for name in fields} | {
        "headers": dict(request.headers),
        "expects": conditions,
        "settled": settled,
    }
