"""Records in Amazon S3, created by conditional writes.

docs.aws.amazon.com AmazonS3/latest/userguide/conditional-writes.html: 412 when the key is there, 409 when another write of
the same key is under way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records.store_refusals import RefusedError, absent, no_store, unreached

_TAKEN, _CONFLICT, _GONE = {"PreconditionFailed", "412"}, {"ConditionalRequestConflict", "409"}, {"NoSuchKey", "404"}
_TRIES = 5
_GRANT = "Grant s3:PutObject, s3:GetObject and s3:ListBucket below that prefix, then `awsfed runs push`."
_REMEDIES = {"NoSuchBucket": "Make the bucket, or correct AWSFED_RECORDS; then `awsfed runs push`."}


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
        given = {"Bucket": self._bucket, "Key": self._prefix + name, "Body": content}
        try:
            with _told(self.address):
                self._client.put_object(**given, IfNoneMatch="*", ChecksumAlgorithm="SHA256")
        except RefusedError as refusal:
            if refusal.code not in _TAKEN | _CONFLICT:
                raise
            return refusal.code
        return ""

    def get(self, name: str) -> bytes:
        """Return what is kept under `name`."""
        try:
            with _told(self.address):
                body: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
        except RefusedError as refusal:
            if refusal.code in _GONE:
                raise absent(self.address, name) from None
            raise
        return body

    def names(self, prefix: str) -> Iterator[str]:
        """Give all names that begin with `prefix`, in order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
        with _told(self.address):
            for page in pages:
                yield from (entry["Key"].removeprefix(self._prefix) for entry in page.get("Contents", ()))


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turn what boto3 says of refusals, of the network and of missing credentials into our words."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        said = error.response["Error"]
        code = str(said.get("Code", ""))
        raise RefusedError(address, code, said=said.get("Message", ""), remedy=_REMEDIES.get(code, _GRANT)) from None
    except BotoCoreError as error:
        raise unreached(address, error) from None


def at(address: str) -> S3Store:
    """Return the store at `address`, with the credentials that boto3 finds.

    Raises ParameterError for no address of a bucket, RecordError when boto3 cannot use the settings of this machine.
    """
    if not urlsplit(address).netloc:
        raise no_store(address)
    import boto3

    with _told(address):  # a profile that is not there, a file that cannot be read
        return S3Store(address, boto3.client("s3"))
