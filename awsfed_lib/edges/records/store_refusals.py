"""What a store of records that does not do what it is asked says: in our words, and the same for every kind of store."""

from __future__ import annotations

from awsfed_lib.core.errors import ParameterError, RecordError


class RefusedError(RecordError):
    """The store answered, and the answer is a refusal. `code` is the store's own word for it."""

    def __init__(self, address: str, code: str, *, said: str, remedy: str) -> None:
        super().__init__(f"The store of records refuses: {code}: {said}", where=address, remedy=remedy)
        self.code = code


def unreached(address: str, reason: object) -> RecordError:
    """Return the error for no answer at all."""
    remedy = "Check network and credentials, then `awsfed runs push`: the record lies in runs/ until then."
    return RecordError(f"The store of records cannot be reached: {reason}", where=address, remedy=remedy)


def absent(address: str, name: str) -> RecordError:
    """Return the error for an object that is not there."""
    return RecordError("The store has no such object.", where=f"{address}/{name}")


def no_store(address: str) -> ParameterError:
    """Return the error for an address that names no store."""
    remedy = "Write s3://BUCKET/PREFIX or abfs://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX."
    return ParameterError(f"{address!r} is no store of records.", remedy=remedy)
