from datetime import UTC, datetime

import pytest
import scripted
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.edges.entra.pace import Exhausted, Limits, Pace, retry_after

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0.0), ("7", 7.0), ("2.128", 2.128), (" 3 ", 3.0), ("0.5", 0.5)])
def test_retry_after_as_a_number(text, seconds):
    """learn.microsoft.com graph/throttling shows a fraction."""
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_retry_after_as_a_date():
    """RFC 9110 10.2.3."""
    assert retry_after({"Retry-After": "Tue, 24 Nov 2026 12:00:30 GMT"}, NOW) == 30.0


def test_retry_after_as_a_date_of_a_server_with_another_clock():
    """A clock that is 15 minutes off must not make us wait too short."""
    headers = {"Retry-After": "Tue, 24 Nov 2026 12:20:30 GMT", "Date": "Tue, 24 Nov 2026 12:20:00 GMT"}
    assert retry_after(headers, NOW) == 30.0


def test_retry_after_in_the_past_is_now():
    assert retry_after({"Retry-After": "Tue, 24 Nov 2026 11:00:00 GMT"}, NOW) == 0.0


@pytest.mark.parametrize("text", ["", "soon", "-5", "nan", "inf", "1e3", "1_0", "٣", "0x10", "9999999999999", "Tue, 99 Nov 2026", "5;5"])
def test_malformed_retry_after_counts_as_missing(text):
    assert retry_after({"Retry-After": text}, NOW) is None
    assert retry_after({}, NOW) is None


def pauses(limits, asked=None, jitter=0.5):
    hours = scripted.Hours(jitter)
    pace, found = Pace(hours.clock, limits), []
    try:
        while True:
            wait = pace.pause(asked)
            hours.clock.sleep(wait)
            found.append(wait)
    except Exhausted as over:
        return found, str(over)


def test_pauses_double_up_to_the_longest():
    found, why = pauses(Limits(attempts=8, deadline=1000))
    assert found == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert "8 tries" in why


def test_deadline_ends_before_it_is_passed():
    found, why = pauses(Limits(attempts=100, deadline=60))
    assert sum(found) <= 60
    assert "try again after" in why


def test_huge_retry_after_stops_and_says_when():
    found, why = pauses(Limits(), asked=86400.0)
    assert found == []
    assert "86400 s" in why
    assert "2026-11-25 12:00Z" in why


def test_enormous_retry_after_is_no_overflow():
    assert "try again after" in pauses(Limits(), asked=999_999_999.0)[1]


@given(asked=st.floats(0, 400), jitter=st.floats(0, 0.999))
def test_never_before_due_and_never_past_the_deadline(asked, jitter):
    found, _ = pauses(Limits(), asked, jitter)
    assert all(wait >= asked for wait in found)
    assert sum(found) <= Limits().deadline
    assert len(found) < Limits().attempts


def test_jitter_spreads_own_pauses():
    assert pauses(Limits(), jitter=0.0)[0] != pauses(Limits(), jitter=0.9)[0]
