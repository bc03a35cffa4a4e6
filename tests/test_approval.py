"""How old an approval is: told by the journals of the runs, never by the plan, whose id holds no time."""

from datetime import UTC, datetime, timedelta

import pytest

from awsfed_lib.edges.records.approval import last_shown
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PLAN = "plan-0123456789abcdef"


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


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def test_the_age_is_counted_from_the_last_time_that_the_plan_was_shown(runs):
    runs.show(MONDAY)
    runs.show(MONDAY + timedelta(days=2))
    assert runs.begin(MONDAY + timedelta(days=5)).age(PLAN) == timedelta(days=3)


def test_a_run_that_sends_is_no_showing(runs):
    """Else a nightly run with an old approval would keep that approval young."""
    runs.show(MONDAY)
    book = runs.begin(MONDAY + timedelta(days=1))
    book.note("plan", id=PLAN, content={})
    book.note("begin", parameters={"approved": PLAN})
    book.close()
    assert runs.begin(MONDAY + timedelta(days=9)).age(PLAN) == timedelta(days=9)


def test_where_it_was_never_shown_the_age_is_that_of_the_run(runs):
    """A kernel may be left open over the holidays with its plan in it."""
    runs.show(MONDAY - timedelta(days=1), "plan-fedcba9876543210")
    book = runs.begin(MONDAY)
    assert book.age(PLAN) == timedelta(0)
    runs.now = MONDAY + timedelta(days=9)
    assert book.age(PLAN) == timedelta(days=9)


@pytest.mark.parametrize(
    "line", [b"{", b"[]", b"null", b'{"event":"planned","fields":[],"at":"x"}', b'{"event":"planned","fields":{"id":"PLAN"}}']
)
def test_a_line_that_cannot_be_read_shows_nothing(runs, line):
    runs.show(MONDAY)
    folder = runs.folder / "20261124T000000Z-broken"
    folder.mkdir()
    (folder / "journal.jsonl").write_bytes(line.replace(b"PLAN", PLAN.encode()) + b" " + PLAN.encode() + b"\n")
    assert last_shown(runs.folder, PLAN) == MONDAY


def test_a_folder_without_a_journal_is_passed_over(runs):
    (runs.folder / "20261124T000000Z-empty").mkdir()
    (runs.folder / "20261125T000000Z-odd" / "journal.jsonl").mkdir(parents=True)
    assert last_shown(runs.folder, PLAN) is None
