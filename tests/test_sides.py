"""Desired, recorded, live: every combination of the three sides, and what a run hands on to the next."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.core.drift_shapes import DRIFT, SIDE
from awsfed_lib.core.review.sides import Before, Side, Sides, agree, compare, fits, parts, state_of
from awsfed_lib.core.review.states import (
    ABSENT,
    AS_DESIRED,
    AS_RECORDED,
    BACK,
    CHANGED,
    DESIRED_CHANGED,
    DRIFTED,
    MOVED,
    NEVER,
    NO_RECORD,
    NO_RULE,
    NOT_AS_DESIRED,
    NOW_AS_DESIRED,
    QUIET,
    STATES,
    STILL,
    UNREAD,
    WORDS,
)  # fmt: skip
from awsfed_lib.core.tables import check, frame

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
A, B = parts(enabled="yes"), parts(enabled="no")
LEGEND = {"A": A, "B": B, "-": ABSENT, "?": UNREAD, "n": NO_RULE}
AS, NOW_, DR, CH, NOT, REC, NONE, UN = AS_DESIRED, NOW_AS_DESIRED, DRIFTED, CHANGED, NOT_AS_DESIRED, AS_RECORDED, NO_RECORD, UNREAD
# Desired, recorded, live; without knowing what was desired at the record.
TRUTH = {
    "A--": NOT, "A-A": NOW_, "A-B": DR, "A-?": UN, "AA-": DR, "AAA": AS, "AAB": DR, "AA?": UN,
    "AB-": DR, "ABA": NOW_, "ABB": NOT, "AB?": UN, "A?-": NOT, "A?A": AS, "A?B": NOT, "A??": UN,
    "---": AS, "--A": DR, "--?": UN, "-A-": NOW_, "-AA": NOT, "-AB": DR, "-A?": UN, "-?-": AS, "-?A": NOT, "-??": UN,
    "?--": REC, "?-A": CH, "?-?": UN, "?A-": CH, "?AA": REC, "?AB": CH, "?A?": UN, "??-": NONE, "??A": NONE, "???": UN,
    "n--": REC, "n-A": CH, "n-?": UN, "nA-": CH, "nAA": REC, "nAB": CH, "nA?": UN, "n?-": NONE, "n?A": NONE, "n??": UN,
}  # fmt: skip


@pytest.mark.parametrize(("sides", "state"), TRUTH.items())
def test_truth_table(sides, state):
    assert state_of(Sides(*(LEGEND[sign] for sign in sides))) == state


def test_truth_table_is_whole():
    """Every combination of present, absent, different, unread and no rule; where no rule tells A from B, one stands for both."""
    every = {desired + recorded + live for desired in "A-?n" for recorded in "AB-?" for live in "AB-?"}
    other = str.maketrans("AB", "BA")
    assert {TRUTH.get(one) or TRUTH[one[0] + one[1:].translate(other)] for one in every} <= set(STATES)


@pytest.mark.parametrize(("then", "state"), [("", NOT_AS_DESIRED), (ABSENT, DESIRED_CHANGED), (A, NEVER), (UNREAD, DESIRED_CHANGED)])
def test_role_that_is_new_in_aws_is_told_from_one_that_waits_since_before(then, state):
    assert state_of(Sides(A, ABSENT, ABSENT, then)) == state


VALUES = st.sampled_from([A, B, ABSENT, UNREAD]) | st.dictionaries(st.sampled_from("xyz"), st.text(min_size=1, max_size=3)).map(json.dumps)


@given(VALUES | st.just(NO_RULE), VALUES, VALUES, VALUES | st.just(""))
def test_unknown_is_never_absent_and_no_change_is_never_told_as_one(desired, recorded, live, then):
    state = state_of(Sides(desired, recorded, live, then))
    assert (state == UNREAD) == (live == UNREAD)
    if UNREAD in (recorded, live) or recorded == live:
        assert state not in MOVED
    if state in MOVED:
        assert not agree(recorded, live)
    if state in (AS_DESIRED, NOW_AS_DESIRED):
        assert fits(desired, live)
    if state in (DRIFTED, NEVER, NOT_AS_DESIRED, DESIRED_CHANGED):
        assert fits(desired, live) is False


@given(VALUES, VALUES)
def test_values_agree_both_ways(one, other):
    assert agree(one, other) == agree(other, one)
    assert agree(one, one)


def test_part_that_one_side_does_not_know_is_not_compared():
    """A column that a later awsfed keeps, metadata that could not be understood: not known is no change."""
    assert agree(parts(holds="yes", issuer="x"), parts(issuer="x"))
    assert fits(parts(holds="yes"), parts(issuer="x")) is None
    assert agree(A, ABSENT) is False


def side(value=None, *, knows=None, key="k", kind="appRole", account="000000000001", silent=UNREAD):
    line = {"kind": kind, "account_id": account, "within": account, "key": key, "subject": f"name of {key}", "value": value}
    return Side(frame(SIDE, [line] if value else []), {kind: frozenset({account})} if knows is None else knows, silent)


def test_what_a_side_does_not_show_is_absent_only_where_it_looked():
    row = {"kind": "appRole", "key": "k", "account_id": "000000000001", "within": "000000000001"}
    assert side().value(row) == ABSENT
    assert side(knows={"appRole": None}).value(row) == ABSENT
    assert side(knows={"appRole": frozenset({"000000000002"})}).value(row) == UNREAD
    assert side(knows={}).value(row) == UNREAD
    assert side(knows={}, silent=NO_RULE).value(row) == NO_RULE
    assert Side(frame(SIDE, []), {"appRole": None}, words={"000000000001": UNREAD}).value(row) == UNREAD
    assert side(knows={"member": frozenset()}).value({**row, "kind": "member"}) == ""


def one(*sides, before=None):
    found = check(DRIFT, compare(*sides, before=before))
    return found.iloc[0].to_dict() if len(found) else None


def test_what_is_simply_as_it_was_has_no_row():
    assert one(side(A), side(A), side(A), before=Before(NOW, None)) is None
    assert one(side(NO_RULE), side(A), side(A), before=Before(NOW, None)) is None


def test_account_that_was_not_read_now_or_then_never_came_and_never_went():
    blind = side(knows={"appRole": frozenset()})
    assert one(blind, side(A), blind, before=Before(NOW, None))["state"] == UNREAD
    assert one(side(A), blind, side(A), before=Before(NOW, None)) is None
    assert one(side(NO_RULE), blind, side(A), before=Before(NOW, None)) is None


def test_only_the_parts_that_differ_are_shown():
    before, after = parts(enabled="yes", name="x", id="1"), parts(enabled="yes", name="y", id="1")
    row = one(side(A), side(before), side(after), before=Before(NOW, None))
    assert (row["desired"], row["recorded"], row["live"]) == ("enabled: yes", "name: x", "name: y")
    assert json.loads(row["basis"])["live"] == after
    assert one(side(A), side(), side(before), before=Before(NOW, None))["live"] == "enabled: yes"


# --- from run to run ---


def night(desired, recorded, live, last=None, *, severity="high", accepted=(), day=0):
    """One run after another: `last` is the DRIFT of the night before, marked as a finding."""
    before = Before(NOW + timedelta(days=day - 1), last, accepted)
    found = compare(desired, recorded, live, before=before)
    return found.assign(finding_id="drift-1", severity=severity)


def test_drift_that_nobody_approved_stays_until_it_is_undone():
    rule, bad, good = side(A), side(B), side(A)
    first = night(rule, good, bad)
    assert first["state"].tolist() == [DRIFTED]
    second = night(rule, bad, bad, first.assign(changed_by="bob", changed_at=NOW), day=1)
    assert second["state"].tolist() == [STILL]
    assert (second["changed_by"][0], second["recorded_at"][0]) == ("bob", NOW - timedelta(days=1))
    third = night(rule, bad, bad, second, day=2)
    assert (third["state"][0], third["recorded"][0]) == (STILL, "enabled: yes")
    fourth = night(rule, bad, good, third, day=3)
    assert (fourth["state"][0], fourth["recorded"][0], fourth["live"][0]) == (BACK, "enabled: no", "enabled: yes")
    assert night(rule, good, good, fourth, severity="note", day=4).empty


def test_rule_that_is_made_to_fit_a_drift_settles_it():
    first = night(side(A), side(A), side(B))
    assert night(side(B), side(B), side(B), first, day=1).empty


def test_drift_that_somebody_accepted_is_what_the_next_run_compares_with():
    rule, bad = side(NO_RULE), side(B)
    first = night(rule, side(A), bad)
    assert first["state"].tolist() == [CHANGED]
    assert night(rule, bad, bad, first, accepted={"drift-1"}, day=1).empty


def test_what_is_less_than_medium_is_told_once():
    first = night(side(NO_RULE), side(A), side(B), severity="low")
    assert night(side(NO_RULE), side(B), side(B), first, severity="low", day=1).empty


def test_second_change_of_the_same_object_is_a_new_one():
    first = night(side(NO_RULE), side(A), side(B))
    assert night(side(NO_RULE), side(B), side(), first, day=1)["state"].tolist() == [CHANGED]


def test_change_while_an_account_could_not_be_read_is_told_when_it_can_be_again():
    """Read, unread, read: what is compared with is the last time that anybody looked."""
    blind = side(knows={"appRole": frozenset()})
    dark = night(blind, side(A), blind, severity="")
    assert dark["state"].tolist() == [UNREAD]
    still_dark = night(blind, blind, blind, dark, severity="", day=1)
    assert still_dark["state"].tolist() == [UNREAD]
    assert night(side(A), blind, side(B), still_dark, day=2)["state"].tolist() == [DRIFTED]
    assert night(side(A), blind, side(A), still_dark, day=2).empty


def test_waiting_role_is_new_once_and_then_waits():
    first = compare(side(A), side(), side(), before=Before(NOW, frame(DRIFT, [])))
    assert first["state"].tolist() == [DESIRED_CHANGED]
    assert compare(side(A), side(), side(), before=Before(NOW, first))["state"].tolist() == [NEVER]


def test_every_state_has_its_words_and_its_place():
    assert MOVED | QUIET | {STILL, UNREAD} <= set(STATES)
    assert not WORDS & set(STATES) - {UNREAD}
