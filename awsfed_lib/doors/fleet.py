"""The same batch on the workers of a dask scheduler: other machines, with the same awsfed and the same root on a shared disk.

dask's client is an Executor like any other (distributed.dask.org/en/stable/asynchronous.html), so nothing else changes.
The lock of the chain is flock(2): the shared disk must honour it.
"""

from __future__ import annotations

from collections.abc import Sequence

from distributed import Client

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.doors.batch import Ended, Order, Say, Way, one, run_all


def run(order: Order, files: Sequence[str], *, scheduler: str, say: Say) -> list[Ended]:
    """Run every target on the workers of `scheduler` (its address). Raises ParameterError when there is none."""
    try:
        client = Client(scheduler, timeout="10s")  # type: ignore[no-untyped-call]  # dask publishes no types
    except (OSError, ValueError) as error:
        remedy = "Start one with `dask scheduler`, and `dask worker` where awsfed is installed."
        raise ParameterError(f"No dask scheduler answers: {error}", where=scheduler, remedy=remedy) from None
    with client:
        executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]  # as above
        return run_all(Way(executor, one, lambda: None), order, files, say=say)
