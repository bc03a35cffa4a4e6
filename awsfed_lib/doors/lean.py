"""Makes Jupyter's libraries start quickly and keep quiet."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = ("rfc3987_syntax", "azure.storage.blob", "azure.datalake.store", "boto3", "gcsfs", "pyarrow.fs", "github")
"""What Jupyter's libraries import if it is there, and a runner never uses."""


@contextmanager
def quick_imports() -> Iterator[None]:
    """Keep Jupyter's libraries from importing what is `UNUSED`; all of it is optional for them.

    jsonschema builds 35 parsers for checks of internationalized addresses, which no notebook has: a second on every start
    (github.com/python-jsonschema/jsonschema issue 1428). papermill imports every service that a notebook may lie in.
    """
    absent = [name for name in UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence papermill and nbclient: what they log, the verdict says better."""
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def own_loop() -> Iterator[None]:
    """Close the event loop that Jupyter's libraries make for this thread, and never close themselves, with what is left in it."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    try:
        yield
    finally:
        if not loop.is_running():
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            asyncio.set_event_loop(None)
