"""Work over accounts: bounded, started early, asked again at the end, stopped by what nobody may go on after."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from awsfed_lib.edges.amazon.rounds import Reading, pool, read_all
from awsfed_lib.edges.amazon.selection import Account

ACCOUNTS = [Account(f"{number:012d}", f"account {number}") for number in (3, 1, 2)]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr("awsfed_lib.edges.amazon.rounds.time", SimpleNamespace(sleep=taken.append))
    return taken


def passing(times: dict[str, int]) -> object:
    """Work whose accounts have a passing problem so many times."""
    left, lock = dict(times), threading.Lock()

    def work(account: Account) -> Reading[str]:
        with lock:
            left[account.account_id] = left.get(account.account_id, 0) - 1
        if left[account.account_id] >= 0:
            return Reading(account, None, "throttled", passing=True)
        return Reading(account, account.account_name)

    return work


def test_sorted_by_account_and_nothing_waits_without_need(pauses: list[float]) -> None:
    with pool(None, 4) as workers:
        readings = read_all(passing({}), ACCOUNTS, workers, (1.0, 2.0))
    assert [reading.account.account_id for reading in readings] == ["000000000001", "000000000002", "000000000003"]
    assert pauses == []


def test_only_those_with_a_passing_problem_are_asked_again_and_not_for_ever(pauses: list[float]) -> None:
    work = passing({"000000000001": 1, "000000000002": 9})
    with pool(None, 4) as workers:
        readings = read_all(work, ACCOUNTS, workers, (1.0, 2.0, 3.0))
    assert [reading.problem for reading in readings] == ["", "throttled", ""]
    assert pauses == [1.0, 2.0, 3.0]


def test_lasting_problem_is_not_asked_again(pauses: list[float]) -> None:
    with pool(None, 2) as workers:
        readings = read_all(lambda account: Reading(account, None, "denied"), ACCOUNTS, workers, (1.0,))
    assert {reading.problem for reading in readings} == {"denied"}
    assert pauses == []


def test_never_more_at_a_time_than_workers() -> None:
    now, most, lock, gate = [0], [0], threading.Lock(), threading.Semaphore(0)

    def work(account: Account) -> Reading[str]:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.acquire(timeout=0.02)
        with lock:
            now[0] -= 1
        return Reading(account, "")

    with pool(None, 3) as workers:
        read_all(work, [Account(f"{number:012d}", "") for number in range(20)], workers, ())
    assert most[0] == 3


def test_what_is_raised_stops_everything_and_starts_nothing_more() -> None:
    started: list[str] = []

    def work(account: Account) -> Reading[str]:
        started.append(account.account_id)
        if len(started) == 1:
            raise RuntimeError("nobody may go on")
        stopped.wait(0.01)
        return Reading(account, "")

    stopped = threading.Event()
    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match="nobody may go on"):
        read_all(work, [Account(f"{number:012d}", "") for number in range(300)], executor, ())
    assert len(started) < 300


def test_listing_that_fails_cancels_what_was_started() -> None:
    done = threading.Event()

    def listed() -> Iterator[Account]:
        yield ACCOUNTS[0]
        yield ACCOUNTS[1]
        done.set()
        raise LookupError("no account matches")

    def work(account: Account) -> Reading[str]:
        done.wait(5)
        return Reading(account, "")

    with ThreadPoolExecutor(1) as executor, pytest.raises(LookupError):
        read_all(work, listed(), executor, ())


def test_work_starts_before_the_list_is_complete() -> None:
    started = threading.Event()

    def listed() -> Iterator[Account]:
        yield ACCOUNTS[0]
        assert started.wait(5), "the first account was not started while the list still came"
        yield ACCOUNTS[1]

    def work(account: Account) -> Reading[str]:
        started.set()
        return Reading(account, "")

    with pool(None, 1) as workers:
        assert len(read_all(work, listed(), workers, ())) == 2
