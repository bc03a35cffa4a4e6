"""Work over all accounts: as they are listed, a bounded number at a time, and once more for those with a passing problem.

The work of one account is a top-level function and its arguments can be pickled, so any `concurrent.futures.Executor`
does: threads here, a ProcessPoolExecutor, or dask's `client.get_executor()` past one machine. The pause between rounds is
spent here and not in a worker, which would hold up the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from awsfed_lib.edges.amazon.selection import Account
from awsfed_lib.edges.records.progress import progress

Found = TypeVar("Found")


class Reading(NamedTuple, Generic[Found]):
    """What was read of one account; `found` is None unless it was read in full, and then `problem` is ""."""

    account: Account
    found: Found | None
    problem: str = ""
    passing: bool = False


Work = Callable[[Account], Reading[Found]]


def read_all(work: Work[Found], accounts: Iterable[Account], executor: Executor, pauses: Iterable[float]) -> list[Reading[Found]]:
    """Read every account, each started when it is listed; ask again after each pause those whose problem may have passed.

    Sorted by account id. What `work` raises stops everything: it is for what nobody may go on after.
    """
    readings = {reading.account.account_id: reading for reading in _round(work, accounts, executor)}
    for pause in pauses:
        again = [reading.account for reading in readings.values() if reading.passing]
        if not again:
            break
        time.sleep(pause)
        readings |= {reading.account.account_id: reading for reading in _round(work, again, executor)}
    return [readings[account_id] for account_id in sorted(readings)]


def _round(work: Work[Found], accounts: Iterable[Account], executor: Executor) -> list[Reading[Found]]:
    futures: list[Future[Reading[Found]]] = []
    try:
        futures.extend(executor.submit(work, account) for account in accounts)
        done = (future.result() for future in as_completed(futures))
        return list(progress(done, "accounts", len(futures), problem=lambda reading: reading.problem))
    finally:
        for future in futures:
            future.cancel()  # when something stopped the round; otherwise all are done, and this does nothing


@contextmanager
def pool(executor: Executor | None, workers: int) -> Iterator[Executor]:
    """Use the given executor, which stays open, or threads of our own."""
    if executor is not None:
        yield executor
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="awsfed") as threads:
        yield threads
