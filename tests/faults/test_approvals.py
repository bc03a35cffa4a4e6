"""What was approved was readable whole, covers everything that is sent, and is used once: generated over worlds and histories.

A case is one story of one approval: a world, a plan that was shown, and what happens before its id is used, once or again. Whatever
the story, the judge looks at the world alone: was something sent that this approval, given once for this plan in this runbook on this
object within seven days, does not cover?

AWSFED_APPROVAL_CASES: how many stories, "all" for every one.
"""

import html
import itertools
import os
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from fake_service import FakeService, Stop, World
from made import APPLICATION, assignment, desired, guid, reading, wire

from awsfed_lib.core.change import Guards, Tolerance
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.roles import approles
from awsfed_lib.core.settings.secrecy import redacted
from awsfed_lib.core.view.escape import visible
from awsfed_lib.edges.records import outlet
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

A = "000000012345"
MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
CASES, SEED = os.environ.get("AWSFED_APPROVAL_CASES", "120"), 20261130
WORLDS = 100
HOLDS = timedelta(days=7)
BOOK, OTHER = "04-approles", "12-offboard"
HOSTILE = (
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "AKIAIOSFODNN7EXAMPLE",
    "bearer of-the-quarterly-report",
    "git+ssh://user:word@git.example.com/x",
    "<saml:Assertion",
    "<Response urn:oasis:names:tc:SAML",
    "sig=of-a-contract-that-is-long-enough",
    "server=old;password=of-the-team",
    "x" * 3000,
)


def propose(plan, runbook, journal):
    """Do what `Run.propose` does."""
    plan = replace(plan, refusals=(*plan.refusals, *outlet.unreadable(plan))) if plan else plan
    return plan.proposed(runbook, journal.approval)


class Case(NamedTuple):
    story: str
    seed: int


class Ended(NamedTuple):
    """How a run ended: its verdict or the code of its error; how many requests left; its plan."""

    word: str
    sent: int
    plan: object


class Place:
    """A world, the folder of its runs, and a clock."""

    def __init__(self, folder, seed):
        self.runs, self.chance, self.now, self.number = folder, random.Random(seed), MONDAY, 0
        names = [f"R{number}" for number in range(self.chance.randint(2, 5))]
        self.names, self.wanted = names, [*self.chance.sample(names, 1), *(f"N{number}" for number in range(self.chance.randint(0, 3)))]
        held = [assignment(guid(f"{A}/{name}"), f"group-{self.chance.choice('abc')}") for name in names if self.chance.random() < 0.6]
        self.world, self.guards, self.subject = World([wire(A, name) for name in names], held), Guards(max_removed=99), APPLICATION
        self.tolerance = Tolerance()

    def run(self, approved="", *, book=BOOK, dying=None, after=timedelta(0)):
        """Read, plan and, with the id of the plan (`True`) or another one, send."""
        self.now += after
        self.number += 1
        folder = self.runs / f"{self.now:%Y%m%dT%H%M%SZ}-{self.number:03}-{book}"
        folder.mkdir()
        journal = Journal(folder, Locks(self.runs / ".locks", patience=0.0), lambda: self.now, book)
        service, plan = FakeService(self.world), None
        if dying is not None:
            service.faults[dying[0]] = dying[1]
        try:
            wanted = desired(*((A, name) for name in self.wanted))
            plan = approles.plan(
                self.subject, self.world.app_roles, wanted, within=reading(A), assignments=self.world.assignments, guards=self.guards
            )
            plan = propose(replace(plan, tolerance=self.tolerance), book, journal)
            word = plan.apply(service, approved=plan.id if approved is True else approved, journal=journal).verdict
        except AwsfedError as error:
            word = error.code
        except Stop:
            word = "killed"
        finally:
            journal.close()
        return Ended(word, len(service.sent), plan)

    def state(self):
        return {name: [dict(row) for row in rows] for name, rows in self.world.tables.items()}

    def undo(self, before):
        """Bring the world back to what it was, as somebody at the portal does."""
        self.world.tables = {name: [dict(row) for row in rows] for name, rows in before.items()}


# Each story returns what is wrong, "" for nothing.


def replayed(place):
    """Approved and applied; the scheduled run keeps its approval, and stays green while there is nothing to do."""
    plan = place.run().plan
    first = place.run(plan.id)
    again = [place.run(plan.id, after=timedelta(days=day)) for day in (0, 1, 30)]
    right = first.word == "applied" and all((one.word, one.sent) == ("nothing to do", 0) for one in again)
    return "" if right else f"{first.word}, then {[one.word for one in again]}"


def undone(place):
    """Applied, undone on purpose by somebody, and run again with the same approval."""
    before, plan = place.state(), place.run().plan
    place.run(plan.id)
    place.undo(before)
    again = [place.run(plan.id, after=timedelta(hours=place.chance.choice((0, 1, 24)))) for _ in range(2)]
    fresh = place.run()
    if any(one.sent for one in again):
        return "sent again after it was undone"
    place.run(fresh.plan.id)
    return "" if fresh.plan.id != plan.id and not place.run().plan else "the fresh plan cannot be approved"


def killed(place):
    """The run dies at some request; what it did is undone; the approval is used again."""
    before, plan = place.state(), place.run().plan
    place.run(plan.id, dying=(place.chance.randrange(len(plan.requests)), place.chance.choice(("die before", "die after"))))
    place.undo(before)
    return "sent again after a kill" if place.run(plan.id).sent else ""


def shown_nightly(place):
    """A run that only plans shows the plan every night; the approval is used on some day."""
    plan, day = place.run().plan, place.chance.randint(1, 12)
    for _ in range(day):
        place.run(after=timedelta(days=1))
    ended = place.run(plan.id, after=timedelta(hours=1))
    late = timedelta(days=day, hours=1) > HOLDS
    if bool(ended.sent) == late:
        return f"{ended.word} {day} days after it was first shown"
    return "" if not late or place.run(approved=True).word == "applied" else "the plan that is shown now cannot be approved"


def from_the_future(place):
    """A journal is dated in the future: a clock that was wrong, or a forgery."""
    plan = place.run().plan
    now = place.now
    place.run(after=timedelta(days=place.chance.randint(20, 400)))
    place.now = now
    ended = place.run(plan.id, after=timedelta(days=place.chance.randint(8, 19)))
    return f"{ended.word} long after it was shown" if ended.sent else ""


def applied_in_the_future(place):
    before, plan = place.state(), place.run().plan
    now = place.now
    place.run(plan.id, after=timedelta(days=5))
    place.now = now
    place.undo(before)
    return "sent again" if place.run(plan.id, after=timedelta(days=1)).sent else ""


def another_runbook(place):
    plan = place.run().plan
    ended = place.run(plan.id, book=OTHER)
    return "sent in another runbook" if ended.sent or ended.plan.id == plan.id else ""


def another_target(place):
    plan = place.run().plan
    place.subject = APPLICATION._replace(**place.chance.choice(({"id": "sp-2"}, {"realm": "tenant-2"})))
    return "sent to another target" if place.run(plan.id).sent else ""


def another_parameter_file(place):
    """Whatever the other file changes about what may be sent, the approval is not for it."""
    plan = place.run().plan
    match place.chance.randrange(4):
        case 0:
            place.guards = Guards(max_removed=98)
        case 1:
            place.guards = Guards(max_removed=99, protected_roles=("nobody",))
        case 2:
            place.tolerance = Tolerance(place.chance.randint(1, 9))
        case _:
            place.wanted = [*place.wanted, "Another"]
    return "sent under other parameters" if place.run(plan.id).sent else ""


def named_to_hide(place):
    """Somebody names roles and groups like secrets; what can be approved can be read, and what was masked is counted."""
    name = place.chance.choice(HOSTILE)
    where = place.chance.choice(("app_roles", "assignments"))
    row = place.chance.choice(place.world.tables[where][1 if where == "app_roles" else 0 :] or [{}])
    row["displayName" if where == "app_roles" else "principal_name"] = name
    plan = place.run().plan
    page = outlet.Cleaner(frozenset).text(plan._repr_mimebundle_()["text/html"])
    read = html.unescape(re.sub(r"<[^>]*>", "", page))
    moving = [change for change in plan.changes if change.action != "keep"]
    hidden = [change.label for change in moving if visible(redacted(change.label)) not in read]
    hidden += [request.path for request in plan.requests if request.path not in read]
    sent = place.run(plan.id).sent
    if hidden and sent:
        return f"approved and sent, and {len(hidden)} of its parts could not be read: {name[:40]}"
    masked = any(redacted(text) != text for part in (*plan.changes, *plan.losses) for text in part)
    return "what was masked is not counted" if masked and "masked" not in read else ""


STORIES = (
    replayed, undone, killed, shown_nightly, from_the_future, applied_in_the_future, another_runbook, another_target, another_parameter_file, named_to_hide,
)  # fmt: skip


def _cases():
    every = [Case(story.__name__, seed) for story, seed in itertools.product(STORIES, range(WORLDS))]
    return every if CASES == "all" else random.Random(SEED).sample(every, min(int(CASES), len(every)))


@pytest.fixture
def folder(tmp_path):
    """Where the runs go: in memory where there is such a folder, since thousands of fsyncs are not what is tested here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="awsfed-approvals-", dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


def test_an_approval_is_readable_covers_what_is_sent_and_is_used_once(folder):
    stories, failures = {story.__name__: story for story in STORIES}, []
    cases = _cases()
    assert cases
    for number, case in enumerate(cases):
        runs = folder / str(number)
        runs.mkdir()
        wrong = stories[case.story](Place(runs, case.seed))
        failures += [(case, wrong)] if wrong else []
    counts = Counter(case.story for case, _ in failures)
    told = "\n".join(f"{case}: {wrong}" for case, wrong in failures[:20])
    assert not failures, f"{len(failures)} of {len(cases)} stories {dict(counts)}\n{told}"
