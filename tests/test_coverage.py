"""How much was read: what makes a run not good, what is only said, and where it shows."""

import json
from xml.etree import ElementTree as ET

import pytest

from awsfed_lib.core import coverage
from awsfed_lib.core.coverage import Coverage, Extent
from awsfed_lib.core.review import outputs
from awsfed_lib.core.settings.verdict import CODES, MEANING, SEVERITIES, WORST_FIRST, better, worst
from awsfed_lib.core.tables import FINDINGS, frame
from awsfed_lib.core.view.record_page import came_out, head, verdict_chip
from awsfed_lib.doors import batch
from awsfed_lib.edges.records import results

IDS = [f"{number:012}" for number in range(1, 25)]


def read(*accounts, denied=(), closed=(), members=None, log=""):
    """COVERAGE of a run that read these accounts."""
    made = Coverage()
    for account in accounts:
        made.read("account", account)
    for account in denied:
        made.not_read("account", "Denied.", account)
    for account in closed:
        made.closed(account, "", "It is SUSPENDED.")
    if members is not None:
        made.read("members of group", "g", found=members)
    if log:
        made.not_read("audit log", log)
    return made.table


def test_nineteen_of_twenty_four():
    table = read(*IDS[:19], denied=IDS[19:])
    assert coverage.sentence(table) == "19 of 24 accounts read"
    assert not coverage.whole(table)
    assert coverage.told(table)["accounts"] == {"read": 19, "not_read": 5, "closed": 0}


def test_closed_accounts_are_told_and_are_no_failure():
    table = read(*IDS[:20], closed=IDS[20:])
    assert coverage.whole(table)
    assert coverage.sentence(table) == "20 of 20 accounts read, 4 closed or suspended"
    assert not coverage.gaps(table, read(*IDS), read(*IDS))


def test_one_account_read_by_one_read_and_not_by_another_is_not_read():
    made = Coverage()
    made.read("account", IDS[0])
    made.not_read("account", "Denied.", IDS[0])
    made.read("account", IDS[0])
    assert list(made.table["state"]) == ["not read"]


@pytest.mark.parametrize(
    ("now", "good", "last", "number"),
    [
        (read(IDS[0]), None, None, 0),
        (read(), None, None, 0),
        (read(denied=IDS[:3]), None, None, 1),
        (read(closed=IDS[:3]), None, None, 1),
        (read(IDS[0], denied=IDS[1:2]), None, None, 0),
        (read(IDS[0], denied=IDS[1:2]), read(*IDS[:2]), read(*IDS[:2]), 1),
        (read(IDS[0], denied=IDS[1:2]), read(IDS[0], denied=IDS[1:2]), read(IDS[0], denied=IDS[1:2]), 0),
        (read(IDS[0]), read(*IDS[:2]), read(*IDS[:2]), 1),
        (read(IDS[0], log="403"), read(IDS[0], log="403"), None, 0),
        (read(IDS[0], members=0), read(IDS[0], members=3), read(IDS[0], members=3), 1),
        (read(IDS[0], members=0), read(IDS[0], members=3), read(IDS[0], members=0), 0),
        (read(IDS[0]), read(IDS[0], members=3), read(IDS[0], members=3), 0),
    ],
)
def test_what_makes_a_run_not_good(now, good, last, number):
    assert len(coverage.gaps(now, good, last)) == number


def test_list_without_any_account_is_a_gap():
    made = Coverage()
    made.not_read(coverage.ACCOUNTS_LIST, "No account is left.")
    assert coverage.gaps(made.table)


def test_nothing_excuses_a_gap():
    assert results.word((), frame(FINDINGS, []), "never", ["No account was read."]) == "not read"
    assert CODES["not read"] == 6


def test_order_holds_every_verdict_once_and_no_bad_one_is_better_than_a_good_one():
    assert sorted(WORST_FIRST) == sorted(CODES) == sorted(MEANING)
    assert better("done", "not read")
    assert better("findings", "not read")
    assert not better("failed", "not read")
    assert better("low", "critical", SEVERITIES)
    assert worst(["done", "not read", "findings"]) == "not read"


def test_page_is_green_only_when_everything_was_read():
    run = {"verdict": "done", "coverage": coverage.told(read(*IDS[:19], denied=IDS[19:]))}
    assert "good" not in verdict_chip(run)
    assert "good" in verdict_chip(run | {"coverage": coverage.told(read(*IDS))})
    assert next(iter(came_out(run))) == "19 of 24 accounts read"
    assert IDS[20] in head(run, "x")


def test_sarif_junit_and_json_carry_it():
    table = read(IDS[0], denied=IDS[1:2])
    files = outputs.files(frame(FINDINGS, []), fail_on="never", extent=Extent(table, ["Account not read."]))
    (run,) = json.loads(files["findings.sarif"])["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert [one["level"] for one in run["invocations"][0]["toolExecutionNotifications"]] == ["warning", "error"]
    assert json.loads(files["findings.json"])["coverage"]["accounts"] == {"read": 1, "not_read": 1, "closed": 0}
    suite = ET.fromstring(files["findings.junit.xml"])
    assert (suite.get("errors"), suite.get("skipped"), len(suite.findall("testcase"))) == ("1", "1", 2)


@pytest.mark.parametrize(("codes", "worst_"), [([0, 6, 4], 6), ([6, 1], 1), ([5], 5), ([0], 0), ([77], 1)])
def test_batch_ends_with_the_worst(codes, worst_):
    assert batch.code([batch.Ended("f", "x", number) for number in codes]) == worst_
