"""Where records can lie besides the local folder: an object store that keeps each object once, for ever.

An address is `s3://BUCKET/PREFIX`. Objects are created with a condition, so that nothing is overwritten by two machines at
once (docs.aws.amazon.com AmazonS3/latest/userguide/conditional-writes.html); a bucket policy or Object Lock makes it a law.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from awsfed_lib.core.errors import ParameterError, RecordError

VARIABLE = "AWSFED_RECORDS"
_TAKEN, _CONFLICT, _GONE = {"PreconditionFailed", "412"}, {"ConditionalRequestConflict", "409"}, {"NoSuchKey", "404"}
_TRIES = 5


class Store(Protocol):
    """Names with their bytes. Every method raises RecordError when the store cannot be reached, or refuses."""

    address: str

    def put_new(self, name: str, content: bytes) -> bool:
        """Keep `content` under `name`; False, and nothing is changed, when there is something of that name."""

    def get(self, name: str) -> bytes:
        """Return what is kept under `name`."""

    def names(self, prefix: str) -> Iterator[str]:
        """Give all names that begin with `prefix`, in order."""


class S3Store:
    """A bucket of Amazon S3, below a prefix. `client`: boto3's client for S3."""

    def __init__(self, address: str, client: Any) -> None:
        parts = urlsplit(address)
        self.address, self._client = address, client
        self._bucket, self._prefix = parts.netloc, f"{parts.path.strip('/')}/".removeprefix("/")

    def put_new(self, name: str, content: bytes) -> bool:
        """Keep `content` under `name`; False when there is something of that name."""
        for _ in range(_TRIES):
            code = self._put(name, content)
            if code not in _CONFLICT:
                return code not in _TAKEN
        raise RecordError("Others write the same object at the same time.", where=f"{self.address}/{name}", remedy="Run again.")

    def _put(self, name: str, content: bytes) -> str:
        from botocore.exceptions import ClientError

        given = {"Bucket": self._bucket, "Key": self._prefix + name, "Body": content}
        try:
            with _reached(self.address):
                self._client.put_object(**given, IfNoneMatch="*", ChecksumAlgorithm="SHA256")
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            if code not in _TAKEN | _CONFLICT:
                raise _refused(error, self.address) from None
            return code
        return ""

    def get(self, name: str) -> bytes:
        """Return what is kept under `name`."""
        from botocore.exceptions import ClientError

        try:
            with _reached(self.address):
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                raise RecordError("The store has no such object.", where=f"{self.address}/{name}") from None
            raise _refused(error, self.address) from None
        return body

    def names(self, prefix: str) -> Iterator[str]:
        """Give all names that begin with `prefix`, in order."""
        from botocore.exceptions import ClientError

        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
        try:
            with _reached(self.address):
                for page in pages:
                    yield from (entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", ()))
        except ClientError as error:
            raise _refused(error, self.address) from None


class _reached:  # noqa: N801  reads as a condition
    """Turns what boto3 says of the network and of missing credentials into our words."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        from botocore.exceptions import BotoCoreError

        if isinstance(error, BotoCoreError):
            remedy = "Check network and credentials, then `awsfed runs push`: the record lies in runs/ until then."
            raise RecordError(f"The store of records cannot be reached: {error}", where=self._address, remedy=remedy) from None


def _refused(error: Any, address: str) -> RecordError:
    said = error.response["Error"]
    remedy = "Grant s3:PutObject, s3:GetObject and s3:ListBucket below that prefix, then `awsfed runs push`."
    return RecordError(f"The store of records refuses: {said.get('Code')}: {said.get('Message', '')}", where=address, remedy=remedy)


def named(address: str = "", environment: Mapping[str, str] = os.environ) -> Store | None:
    """Return the store at `address`, by default that of AWSFED_RECORDS; None when neither names one.

    Raises ParameterError for an address of another kind.
    """
    wanted = address or environment.get(VARIABLE, "")
    if not wanted:
        return None
    parts = urlsplit(wanted)
    if parts.scheme != "s3" or not parts.netloc:
        raise ParameterError(f"{wanted!r} is no store of records.", remedy="Write s3://BUCKET/PREFIX.")
    import boto3

    return S3Store(wanted, boto3.client("s3"))
