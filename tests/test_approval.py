"""How old an approval is, and whether it was used: told by the journals of the runs, never by the plan, whose id holds no time."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PLAN = "plan-0123456789abcdef0123456789abcdef"


class Runs:
    """Runs of one folder, each with a clock of its own."""

    def __init__(self, folder):
        self.folder, self.now = folder, MONDAY

    def begin(self, now):
        self.now = now
        folder = self.folder / f"{now:%Y%m%dT%H%M%SZ}-04-approles"
        folder.mkdir()
        return Journal(folder, Locks(self.folder / ".locks"), lambda: self.now)

    def show(self, now, plan_id=PLAN):
        book = self.begin(now)
        book.note("planned", id=plan_id)
        book.close()

    def send(self, now, *events, plan_id=PLAN):
        book = self.begin(now)
        book.note("plan", id=plan_id, content={})
        for event, fields in events:
            book.note(event, **fields)
        book.close()
        return book.path.parent.name


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def test_a_run_that_sends_is_no_showing(runs):
    """Nobody reads its plan: it neither begins nor renews an approval, and rules out no earlier sending."""
    runs.send(MONDAY - timedelta(days=9))
    runs.show(MONDAY - timedelta(days=3))
    runs.send(MONDAY - timedelta(days=1))
    told = runs.begin(MONDAY).approval(PLAN)
    assert (told.age, told.last) == (timedelta(days=3), timedelta(days=3))


INTENT = ("intent", {"method": "PATCH", "path": "/x", "body": ""})


def outcome(verdict):
    return ("outcome", {"plan": PLAN, "verdict": verdict, "problem": ""})


def test_the_age_is_counted_from_the_first_time_that_the_id_was_shown(runs):
    """A run that only plans, every night, keeps no approval young."""
    runs.show(MONDAY)
    runs.show(MONDAY + timedelta(days=2))
    assert runs.begin(MONDAY + timedelta(days=5)).approval(PLAN) == (timedelta(days=5), timedelta(days=3), "")


def test_a_journal_from_the_future_shows_nothing_and_makes_no_age_negative(runs):
    runs.show(MONDAY + timedelta(days=40))
    assert runs.begin(MONDAY).approval(PLAN).age == timedelta(0)
    runs.show(MONDAY - timedelta(days=9))
    assert runs.begin(MONDAY + timedelta(seconds=1)).approval(PLAN).age > timedelta(days=9)


def test_where_it_was_never_shown_the_age_is_that_of_the_run(runs):
    """A kernel may be left open over the holidays with its plan in it."""
    runs.show(MONDAY - timedelta(days=1), "plan-fedcba9876543210fedcba9876543210")
    book = runs.begin(MONDAY)
    assert book.approval(PLAN).age == timedelta(0)
    runs.now = MONDAY + timedelta(days=9)
    assert book.approval(PLAN).age == timedelta(days=9)


@pytest.mark.parametrize(
    ("events", "spent"),
    [
        ((INTENT, outcome("applied")), True),
        ((INTENT, outcome("failed")), True),
        ((INTENT, outcome("unverified")), True),
        ((INTENT,), True),  # killed while it sent
        ((outcome("applied"),), True),
        ((outcome("failed"),), False),  # held back, since the live state had changed: nothing was sent
        ((), False),
    ],
)
def test_an_id_under_which_something_was_sent_is_spent(runs, events, spent):
    run = runs.send(MONDAY, *events)
    told = runs.begin(MONDAY + timedelta(days=1)).approval(PLAN)
    assert (told.spent, told.over) == (run if spent else "", spent)
    assert not runs.begin(MONDAY + timedelta(days=2)).approval("plan-fedcba9876543210fedcba9876543210").spent


def test_an_id_is_spent_whatever_the_clock_of_its_run_said_and_where_its_journal_was_put_away(runs):
    run = runs.send(MONDAY + timedelta(days=400), INTENT)
    assert runs.begin(MONDAY).approval(PLAN).spent == run
    (runs.folder / ".quarantine").mkdir()
    (runs.folder / run).rename(runs.folder / ".quarantine" / run)
    assert runs.begin(MONDAY + timedelta(days=1)).approval(PLAN).spent == run


def test_the_chain_remembers_the_ids_of_retired_records(runs):
    line = {"event": "retired", "fields": {"run": "old", "ended": [PLAN]}}
    (runs.folder / "chain.jsonl").write_text(json.dumps(line) + "\n")
    assert runs.begin(MONDAY).approval(PLAN).spent == "old"


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"null", b'{"event":"planned","fields":[],"at":"x"}', b'{"event":"planned","fields":{"id":"PLAN"}}']
)
def test_a_line_that_cannot_be_read_shows_nothing(runs, line):
    runs.show(MONDAY)
    folder = runs.folder / "20261122T000000Z-broken"
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(line.replace(b"PLAN", PLAN.encode()) + b" " + PLAN.encode() + b"\n")
    (runs.folder / "20261124T000000Z-empty").mkdir()
    (runs.folder / "20261125T000000Z-odd" / "journal.jsonl").mkdir(parents=True)
    assert runs.begin(MONDAY + timedelta(days=1)).approval(PLAN).age == timedelta(days=1)
