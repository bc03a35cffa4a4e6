"""Where records can lie besides the local folder: an object store that keeps each object once, for ever.

An address is `s3://BUCKET/PREFIX` or `abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX`. Objects are created with a
condition, so that nothing is overwritten by two machines at once; Object Lock or an immutability policy makes it a law.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Protocol

from awsfed_lib.edges.records.store_refusals import no_store

VARIABLE = "AWSFED_RECORDS"


class Store(Protocol):
    """Names with their bytes, for several threads at once. Every method raises RecordError when the store cannot be reached, or refuses."""

    address: str

    def put_new(self, name: str, content: bytes) -> bool:
        """Keep `content` under `name`; False, and nothing is changed, when there is something of that name."""

    def get(self, name: str) -> bytes:
        """Return what is kept under `name`."""

    def names(self, prefix: str) -> Iterator[str]:
        """Give all names that begin with `prefix`, in order."""


def named(address: str = "", environment: Mapping[str, str] = os.environ) -> Store | None:
    """Return the store at `address`, by default that of AWSFED_RECORDS; None when neither names one.

    Raises ParameterError for an address of another kind or a missing extra, and SignInError where signing in to Azure fails.
    """
    wanted = address or environment.get(VARIABLE, "")
    if not wanted:
        return None
    scheme = wanted.partition("://")[0]
    if scheme == "s3":
        from awsfed_lib.edges.records import s3_store

        return s3_store.at(wanted)
    if scheme in ("abfs", "abfss"):
        from awsfed_lib.edges.records import blob_store

        return blob_store.at(wanted, environment)
    raise no_store(wanted)
