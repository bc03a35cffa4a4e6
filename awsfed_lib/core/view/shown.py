"""What the views need of a plan and of an outcome; the two know their views, so the views must not know the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from awsfed_lib.core.change import Change, Guards, Loss, Request, Subject


class ShownPlan(Protocol):
    """A plan, as far as it is shown."""

    @property
    def id(self) -> str:
        """The id that stands for all of it."""

    @property
    def title(self) -> str:
        """What the plan is about."""

    @property
    def subject(self) -> Subject:
        """The object that it changes."""

    @property
    def changes(self) -> Sequence[Change]:
        """Changes, the kept ones included."""

    @property
    def counts(self) -> Counter[str]:
        """Number of changes by action."""

    @property
    def requests(self) -> Sequence[Request]:
        """The literal requests, in order."""

    @property
    def losses(self) -> Sequence[Loss]:
        """Assignments that go."""

    @property
    def refusals(self) -> Sequence[str]:
        """Why the guards forbid to send it."""

    @property
    def guards(self) -> Guards:
        """Limits that it was made under."""


class ShownSent(Protocol):
    """One request and what became of it."""

    @property
    def request(self) -> Request:
        """The request."""

    @property
    def fate(self) -> str:
        """What became of it."""

    @property
    def status(self) -> int:
        """HTTP status, 0 for none."""

    @property
    def detail(self) -> str:
        """The service's own words."""

    @property
    def request_id(self) -> str:
        """What Microsoft's support asks for."""


class ShownOutcome(Protocol):
    """An outcome, as far as it is shown."""

    @property
    def plan_id(self) -> str:
        """The id of the plan."""

    @property
    def title(self) -> str:
        """What the plan was about."""

    @property
    def subject(self) -> Subject:
        """The object that it changed."""

    @property
    def verdict(self) -> str:
        """One verdict for all requests."""

    @property
    def sent(self) -> Sequence[ShownSent]:
        """Every request of the plan, in order."""

    @property
    def problem(self) -> str:
        """What went wrong."""

    @property
    def waiting(self) -> Sequence[str]:
        """What the plan could not take up yet, and why."""


def subject_terms(subject: Subject) -> list[tuple[str, str]]:
    """Name the subject of a plan, its id, and what is around it."""
    around = "organisation" if "/" in subject.realm else "tenant"
    return [("subject", f"{subject.kind} {subject.name}"), ("object id", subject.id), (around, subject.realm)]
