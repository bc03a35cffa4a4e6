"""Records in Azure Blob Storage or Data Lake Storage Gen2, created on condition that nothing is there.

An address is that of the ABFS driver (learn.microsoft.com azure/storage/blobs/data-lake-storage-introduction-abfs-uri). The
Blob endpoint of the account is asked, which serves accounts with and without a hierarchical namespace. `If-None-Match: *`
makes Put Blob answer 409 BlobAlreadyExists (learn.microsoft.com rest/api/storageservices
specifying-conditional-headers-for-blob-service-operations). Nothing is overwritten or deleted, so that a container with an
immutability policy takes all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.entra import auth, connection, storage
from awsfed_lib.edges.records.store_refusals import RefusedError, absent, no_store, unreached

if TYPE_CHECKING:
    import requests
    from azure.core.exceptions import AzureError, HttpResponseError
    from azure.storage.blob import ContainerClient

_ADDRESS = re.compile(
    r"abfss?://(?=[^@]{3,63}@)(?P<container>[a-z0-9]+(?:-[a-z0-9]+)*)@(?P<account>[a-z0-9]{3,24})"
    r"\.dfs\.(?P<suffix>[a-z.]+)(?:/(?P<prefix>[^?#]*))?"
)
CLOUDS: Mapping[str, str] = {"core.windows.net": "global", "core.usgovcloudapi.net": "usgov", "core.chinacloudapi.cn": "china"}
# The last three: an object under a policy or a legal hold, and a role that may add objects and not write over them.
_TAKEN = frozenset(
    {"BlobAlreadyExists", "ConditionNotMet", "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold", "UnauthorizedBlobOverwrite"}
)
_GONE = frozenset({"BlobNotFound", "ResourceNotFound"})
_FOLDER = "hdi_isfolder"
_ROLE = (
    "Give this identity the role Storage Blob Data Contributor on the container (Storage Blob Data Reader to list, fetch and verify);"
    " a new assignment takes up to ten minutes."
)
_REMEDIES: Mapping[str, str] = {
    "AuthorizationPermissionMismatch": _ROLE,
    "AuthorizationFailure": "The account's network rules do not let this machine in, or it lacks a role: have its owner look at both.",
    "ContainerNotFound": "Make the container, or correct AWSFED_RECORDS; then `awsfed runs push`.",
    "AuthenticationFailed": "Check that the account trusts this tenant (AZURE_TENANT_ID), and the clock of this machine.",
    "InvalidAuthenticationInfo": "Check that the account trusts this tenant (AZURE_TENANT_ID), and the clock of this machine.",
}


class Place(NamedTuple):
    """The parts of an address. `prefix` is "" or ends with a slash."""

    container: str
    account: str
    suffix: str
    prefix: str

    @property
    def endpoint(self) -> str:
        """Where the account's blobs are asked for."""
        return f"https://{self.account}.blob.{self.suffix}"


class BlobStore:
    """A container of Azure Blob Storage, below a prefix. `container`: the client of azure-storage-blob.

    Every method also raises SignInError, when a token has run out and Entra ID gives no other.
    """

    def __init__(self, address: str, container: ContainerClient) -> None:
        self.address, self._container, self._prefix = address, container, place(address).prefix

    def put_new(self, name: str, content: bytes) -> bool:
        """Keep `content` under `name`; False when there is something of that name."""
        try:
            with _told(self.address):
                self._container.upload_blob(self._prefix + name, content, overwrite=False)
        except RefusedError as refusal:
            if refusal.code not in _TAKEN:
                raise
            return False
        return True

    def get(self, name: str) -> bytes:
        """Return what is kept under `name`."""
        try:
            with _told(self.address):
                return self._container.download_blob(self._prefix + name).readall()
        except RefusedError as refusal:
            if refusal.code in _GONE:
                raise absent(self.address, name) from None
            raise

    def names(self, prefix: str) -> Iterator[str]:
        """Give all names that begin with `prefix`, in order.

        A hierarchical namespace lists its folders as empty blobs that say so in their metadata, and in the order of its tree.
        """
        with _told(self.address):
            listed = list(self._container.list_blobs(name_starts_with=self._prefix + prefix, include=["metadata"]))
        files = (blob.name for blob in listed if (blob.metadata or {}).get(_FOLDER) != "true")
        yield from sorted(name.removeprefix(self._prefix) for name in files)


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Turn what Azure's library says of refusals and of the network into our words."""
    from azure.core.exceptions import AzureError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        raise _refused(address, error) from None
    except AzureError as error:
        raise unreached(address, _reason(error)) from None
    except ValueError:  # what its library says of headers that are not those of Blob Storage
        raise unreached(address, "The answer is not one of Azure Storage.") from None


def _refused(address: str, error: HttpResponseError) -> Exception:
    response: Any = error.response
    if response is None:
        return unreached(address, _reason(error))
    headers = response.headers
    code = headers.get("x-ms-error-code") or f"HTTP {error.status_code}"
    said = (error.message or "").partition("\n")[0]
    where = f"{address}, request id {headers.get('x-ms-request-id', 'unknown')}"
    return RefusedError(where, code, said=said, remedy=_REMEDIES.get(code, _ROLE if error.status_code == 403 else ""))  # noqa: PLR2004  HTTP


def _reason(error: AzureError) -> str:
    inner = error.inner_exception
    return connection.lost(inner).reason if isinstance(inner, OSError) else type(error).__name__


def place(address: str) -> Place:
    """Return the parts of an address. Raises ParameterError for what is none, or of no cloud that is known."""
    found = _ADDRESS.fullmatch(address)
    if found is None or found["suffix"] not in CLOUDS:
        raise no_store(address)
    prefix = (found["prefix"] or "").strip("/")
    return Place(found["container"], found["account"], found["suffix"], f"{prefix}/".removeprefix("/"))


def at(address: str, environment: Mapping[str, str]) -> BlobStore:
    """Return the store at `address`, signed in to as `environment` says.

    Raises ParameterError when it is no address or the extra is not installed, SignInError when signing in fails.
    """
    _ready()
    there = place(address)
    session = storage.sign_in(CLOUDS[there.suffix], environment)
    return BlobStore(address, container(there.endpoint, there.container, session))


def _ready() -> None:
    try:
        import azure.storage.blob  # noqa: F401  whether it is there
    except ModuleNotFoundError:
        raise ParameterError(
            "Records in Azure need azure-storage-blob, which is not installed.", remedy="pip install 'awsfed[azure]'"
        ) from None


def container(endpoint: str, name: str, session: auth.Session) -> ContainerClient:
    """Make a client that reaches `endpoint` alone, by the same rules of TLS and proxies as Graph is reached.

    It tries three times more, some seconds apart, where that makes sense. Answers are read whole before Azure's library sees them,
    so that half of one counts as none, and no connection is left open behind a refusal.
    """
    from azure.core.pipeline.transport import RequestsTransport
    from azure.storage.blob import ContainerClient, ExponentialRetry

    http = connection.connect(endpoint, session.cloud)
    http.hooks["response"].append(_whole)
    return ContainerClient(
        endpoint,
        name,
        credential=storage.Credential(session.source),
        transport=RequestsTransport(session=http),
        retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3),
    )


def _whole(answer: requests.Response, **_: Any) -> None:
    answer.content  # noqa: B018  reads it
