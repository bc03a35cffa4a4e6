"""Azure Blob Storage: addresses, refusals in words of ours, what is sent, and who it is sent to.

What an honest service does is shown by Azurite; what it does not do (roles, network rules, immutability, a hierarchical
namespace) is played by a scripted host, with codes of learn.microsoft.com rest/api/storageservices/blob-service-error-codes.
"""

import sys

import pytest
import recorded
import scripted
from azure.core.pipeline.transport import HttpTransport
from azurite import Container
from scripted import CANARY, Says

from awsfed_lib.core.errors import ParameterError, RecordError
from awsfed_lib.edges.entra import connection, storage
from awsfed_lib.edges.records import blob_store, mirror, store
from awsfed_lib.edges.records.blob_store import BlobStore, Place

ADDRESS = "abfs://records@contoso.dfs.core.windows.net/awsfed"


def refusal(status, code, message="No."):
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}\nRequestId:r1\nTime:t</Message></Error>'
    return Says(status, body.encode(), {"Content-Type": "application/xml", "x-ms-error-code": code, "x-ms-request-id": "r1"})


CREATED = Says(201, None, {"ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 12:00:00 GMT", "x-ms-request-server-encrypted": "true"})


@pytest.fixture
def at(server, monkeypatch):
    """Give a store whose account is the scripted host; waiting takes no time."""
    monkeypatch.setattr(HttpTransport, "sleep", lambda *_: None)

    def made(*answers, source=None):
        server.play(*answers)
        return BlobStore(ADDRESS, blob_store.container(server.url, "records", server.session(source)))

    return made


# Addresses


@pytest.mark.parametrize(
    ("address", "place", "cloud"),
    [
        ("abfs://r-1@contoso.dfs.core.windows.net/a/b/", Place("r-1", "contoso", "core.windows.net", "a/b/"), "global"),
        ("abfss://records@contoso.dfs.core.usgovcloudapi.net", Place("records", "contoso", "core.usgovcloudapi.net", ""), "usgov"),
        ("abfs://records@contoso.dfs.core.chinacloudapi.cn/", Place("records", "contoso", "core.chinacloudapi.cn", ""), "china"),
    ],
)
def test_addresses_of_every_cloud(address, place, cloud):
    """azure/storage/blobs/data-lake-storage-introduction-abfs-uri; azure/azure-government and azure/china: the endpoints."""
    assert blob_store.place(address) == place
    assert blob_store.CLOUDS[place.suffix] == cloud
    assert place.endpoint == f"https://contoso.blob.{place.suffix}"


@pytest.mark.parametrize(
    "wrong",
    [
        "abfs://contoso.dfs.core.windows.net/x",
        "abfs://Records@contoso.dfs.core.windows.net/x",
        "abfs://re@contoso.dfs.core.windows.net/x",
        "abfs://re--cords@contoso.dfs.core.windows.net/x",
        "abfs://records@contoso.blob.core.windows.net/x",
        "abfs://records@contoso.dfs.core.windows.net.attacker.example/x",
        "abfs://records:secret@contoso.dfs.core.windows.net/x",
        "abfs://records@contoso.dfs.core.windows.net/x?sig=abc",
        "abfs://records@onelake.dfs.fabric.microsoft.com/x",
        "abfs://records@contoso.attacker.example/.dfs.core.windows.net/x",
    ],
)
def test_address_that_is_none_is_refused(wrong):
    with pytest.raises(ParameterError, match="no store of records"):
        store.named(wrong, {})


def test_extra_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "azure.storage.blob", None)
    with pytest.raises(ParameterError, match=r"(?s)azure-storage-blob, which is not installed.*pip install 'awsfed\[azure\]'"):
        store.named(ADDRESS, {})


def test_store_is_of_the_account_and_signed_in_to_in_its_cloud(monkeypatch, server):
    asked = []
    monkeypatch.setattr(storage, "sign_in", lambda cloud, environment: asked.append((cloud, environment)) or server.session())
    found = store.named(ADDRESS.replace("windows.net", "usgovcloudapi.net"), {"A": "b"})
    assert asked == [("usgov", {"A": "b"})]
    assert found._container.url == "https://contoso.blob.core.usgovcloudapi.net/records"


# Refusals


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            refusal(403, "AuthorizationPermissionMismatch"),
            "AuthorizationPermissionMismatch: No.*request id r1.*Storage Blob Data Contributor",
        ),
        (refusal(403, "AuthorizationFailure"), "AuthorizationFailure: No.*network rules"),
        (refusal(403, "Unheard"), "Unheard: No.*Storage Blob Data Contributor"),
        (refusal(404, "ContainerNotFound"), "ContainerNotFound: No.*Make the container"),
        (refusal(401, "InvalidAuthenticationInfo"), "InvalidAuthenticationInfo: No.*AZURE_TENANT_ID"),
        (refusal(409, "AccountBeingCreated"), "AccountBeingCreated: No"),
        (Says(503, b"<html>busy"), "refuses: HTTP 503"),
        (Says(302, None, {"Location": "https://attacker.example/"}), "cannot be reached: The answer was a redirect"),
        (Says(drop=True), "cannot be reached: The connection broke"),
    ],
    ids=lambda value: "" if isinstance(value, str) else f"{value.status} {value.headers.get('x-ms-error-code', '')}",
)
@pytest.mark.parametrize(
    "ask", [lambda it: it.put_new("a", b"1"), lambda it: it.get("a"), lambda it: list(it.names(""))], ids=["put", "get", "list"]
)
def test_refusals_are_told_in_our_words(at, answer, words, ask):
    with pytest.raises(RecordError, match=f"(?s){words}") as told:
        ask(at(answer))
    assert CANARY not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.usefixtures("at")
def test_account_that_has_no_address_cannot_be_reached(server):
    nowhere = BlobStore(ADDRESS, blob_store.container("https://127.0.0.1:9", "records", server.session()))
    with pytest.raises(RecordError, match="cannot be reached: No connection"):
        nowhere.put_new("a", b"1")


PART = {"Content-Type": "application/octet-stream", "ETag": '"1"', "Content-Range": "bytes 0-9/10"}


def test_answer_that_was_cut_is_asked_for_again_and_never_taken_for_the_content(at, server):
    half, whole = Says(206, b"0123456789", PART, cut=5), Says(206, b"0123456789", PART)
    assert at(half, whole).get("a") == b"0123456789"
    assert len(server.asked) == 2
    with pytest.raises(RecordError, match="cannot be reached"):
        at(half).get("a")


def test_answer_of_something_else_is_no_content(at):
    with pytest.raises(RecordError, match="not one of Azure Storage"):
        at(Says(200, b"<html>sign in to the guest network", {"Content-Type": "text/html"})).get("a")


@pytest.mark.parametrize("code", ["BlobAlreadyExists", "ConditionNotMet", "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"])
def test_object_that_may_not_be_overwritten_is_there_already(at, code):
    """azure/storage/blobs/immutable-storage-overview: a container with a policy refuses by its own code what would overwrite."""
    assert at(refusal(412 if code == "ConditionNotMet" else 409, code)).put_new("a", b"1") is False


def test_busy_service_is_asked_again(at, server):
    assert at(refusal(503, "ServerBusy"), refusal(500, "OperationTimedOut"), CREATED).put_new("a", b"1") is True
    assert len(server.asked) == 3


def test_no_connection_is_left_open_behind_a_refusal(at, server):
    """Of what it streams, Azure's library leaves the body of a refusal unread, and with it the connection."""
    there = at(*[refusal(503, "ServerBusy")] * 4, refusal(404, "BlobNotFound"))
    with pytest.raises(RecordError, match="ServerBusy"):
        there.get("a")
    with pytest.raises(RecordError, match="no such object"):
        there.get("a")
    (pool,) = there._container._pipeline._transport.session.get_adapter(f"{server.url}/").poolmanager.pools._container.values()
    assert (pool.num_requests, pool.num_connections) == (5, 1)


# Tokens


def test_token_that_is_challenged_is_renewed_by_our_sign_in_and_the_challenge_is_not_followed(at, server):
    """azure/storage: the 401 names tenant and resource; a host that lies about them must get no token for another API."""
    source = scripted.Source()
    lie = "Bearer authorization_uri=https://login.attacker.example/x/oauth2/authorize resource_id=https://graph.microsoft.com"
    challenge = refusal(401, "InvalidAuthenticationInfo")
    challenge.headers["WWW-Authenticate"] = lie
    assert at(challenge, CREATED, source=source).put_new("a", b"1") is True
    assert [asked.headers["Authorization"] for asked in server.asked] == [f"Bearer {CANARY}", f"Bearer {CANARY}1"]
    assert source.renewed == [""]


def test_token_shows_itself_to_nobody(server):
    given = storage.Credential(scripted.Source()).get_token("https://storage.azure.com/.default")
    assert CANARY not in f"{given!r} {given} {given.token!s} {given.token!r}"
    assert f"{given.token}" == CANARY


# What is sent


@pytest.fixture
def asked(monkeypatch):
    """Remember every request as it leaves."""
    seen = []
    connect = connection.connect
    monkeypatch.setattr(connection, "connect", lambda base, cloud: connect(base, cloud, seen.append))
    return seen


def test_push_writes_only_what_is_not_there_and_deletes_nothing(azurite, twin, asked, monkeypatch, tmp_path):
    """What a container with an immutability policy takes: new blobs whole in one request, and nothing else."""
    azurite.instead(monkeypatch, twin)
    container = Container(azurite, twin, "what-is-sent")
    container.make()
    asked.clear()
    there = store.named(container.address)
    records = [recorded.seal_one(tmp_path / "runs", day) for day in range(2)]
    for record in (*records, records[0]):
        mirror.push(record, there, clock=lambda: recorded.BEGAN, signer=None)
    writes = [request for request in asked if request.method not in {"GET", "HEAD"}]
    assert {request.method for request in writes} == {"PUT"}
    assert {request.headers.get("If-None-Match") for request in writes} == {"*"}
    assert {request.headers.get("x-ms-blob-type") for request in writes} == {"BlockBlob"}
    assert not [request.url for request in writes if "comp=" in request.url]
    container.clear()


def test_folder_of_a_hierarchical_namespace_is_no_object(azurite, twin, monkeypatch, tmp_path):
    """Data Lake Storage lists its folders as empty blobs with the metadata hdi_isfolder (Azure/azure-sdk-for-python#30470)."""
    azurite.instead(monkeypatch, twin)
    container = Container(azurite, twin, "with-folders")
    container.make()
    there, record = store.named(container.address), recorded.seal_one(tmp_path / "runs", 0)
    mirror.push(record, there, clock=lambda: recorded.BEGAN, signer=None)
    name = record.folder.name
    for folder in (name, f"{name}/tables", "chain"):
        container.overwrite(folder, b"", metadata={"hdi_isfolder": "true"})
    assert mirror.kept(there) == {name}
    assert mirror.fetch(there, name, tmp_path / "back").changed() == []
    assert len(mirror.read(there)) == 1
    container.clear()


def test_list_has_all_pages_in_order(azurite, twin, monkeypatch):
    azurite.instead(monkeypatch, twin)
    container = Container(azurite, twin, "with-pages")
    container.make()
    there = store.named(container.address)
    names = [f"{letter}/{number}" for letter in "ab" for number in range(7)]
    for name in reversed(names):
        there.put_new(name, b"")
    listing = there._container.list_blobs
    monkeypatch.setattr(there._container, "list_blobs", lambda **how: listing(**how, results_per_page=3))
    assert list(there.names("")) == names
    assert list(there.names("b/")) == names[7:]
    assert there.get("a/0") == b""
    container.clear()
