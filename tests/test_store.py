"""Records in an object store: Amazon S3 as moto serves it, over HTTP, with its conditional writes."""

import threading

import boto3
import pytest
import recorded
from click.testing import CliRunner
from moto.server import DomainDispatcherApplication, create_backend_app
from recorded import role, seal_one
from small_root import make
from werkzeug.serving import make_server

from awsfed_lib.__main__ import main
from awsfed_lib.core.errors import ParameterError, RecordError
from awsfed_lib.edges.records import catalogue, mirror, proof, store, where
from awsfed_lib.edges.records.record import Record

BUCKET = "records-of-contoso"


@pytest.fixture(scope="module")
def endpoint():
    """S3 decides on a condition and writes in one step; moto does it in two, so that requests take turns here."""
    app, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

    def one_at_a_time(environ, start_response):
        with turn:
            return list(app(environ, start_response))

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def address(endpoint, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "x" * 40, "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    yield f"s3://{BUCKET}/awsfed"
    bucket = boto3.resource("s3").Bucket(BUCKET)
    bucket.objects.all().delete()
    bucket.delete()


def push(record, at, **more):
    return mirror.push(record, at, clock=lambda: recorded.BEGAN, signer=None, **more)


def test_what_is_pushed_comes_back_byte_by_byte_and_is_proven(address, tmp_path):
    there = store.named(address)
    records = [seal_one(tmp_path / "runs", day, roles=[role(day + 1)]) for day in range(3)]
    assert [push(record, there) for record in records] == [True] * 3
    assert mirror.listed(there) == [record.folder.name for record in records]
    mirror.fetch_all(there, tmp_path / "back" / "runs")
    proven = proof.prove(tmp_path / "back" / "runs")
    assert (proven.records, proven.lines, proven.broken) == (3, 3, ())
    for record in records:
        assert Record(tmp_path / "back" / "runs" / record.folder.name).digest == record.digest


def test_nothing_is_ever_overwritten(address, tmp_path):
    there, record = store.named(address), seal_one(tmp_path / "runs", 0)
    assert push(record, there) is True
    assert push(record, there) is False
    assert len(mirror.read(there)) == 1
    assert there.put_new("x", b"1") is True
    assert there.put_new("x", b"2") is False
    assert there.get("x") == b"1"


def test_push_that_was_interrupted_goes_on(address, tmp_path):
    there, record = store.named(address), seal_one(tmp_path / "runs", 0)
    there.put_new(f"{record.folder.name}/tables/roles.csv", (record.folder / "tables/roles.csv").read_bytes())
    assert mirror.listed(there) == []
    assert push(record, there) is True
    assert mirror.listed(there) == [record.folder.name]


def test_another_object_of_that_name_is_refused(address, tmp_path):
    there, record = store.named(address), seal_one(tmp_path / "runs", 0)
    there.put_new(f"{record.folder.name}/tables/roles.csv", b"forged")
    with pytest.raises(RecordError, match="another object of that name"):
        push(record, there)


def test_damaged_record_is_not_pushed(address, tmp_path):
    record = seal_one(tmp_path / "runs", 0)
    (record.folder / "tables" / "roles.csv").write_bytes(b"x")
    with pytest.raises(RecordError, match=r"not as it was sealed: tables/roles\.csv: changed"):
        push(record, store.named(address))


def test_machines_that_push_at_once_share_one_chain(address, tmp_path):
    records = [seal_one(tmp_path / f"m{machine}" / "runs", machine, target=f"t{machine}") for machine in range(6)]
    threads = [threading.Thread(target=push, args=(record, store.named(address))) for record in records]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = mirror.read(store.named(address))
    assert sorted(line.fields["run"] for line in lines) == sorted(record.folder.name for record in records)
    assert [line.number for line in lines] == [1, 2, 3, 4, 5, 6]


def test_line_that_is_gone_from_the_chain_is_named(address, tmp_path):
    there = store.named(address)
    for day in range(3):
        push(seal_one(tmp_path / "runs", day), there)
    boto3.client("s3").delete_object(Bucket=BUCKET, Key="awsfed/chain/00000002.json")
    with pytest.raises(RecordError, match="Line 2 of the chain of the store"):
        mirror.read(there)


def test_commands_push_list_fetch_and_verify(address, tmp_path, monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path / "root")))
    monkeypatch.setenv(store.VARIABLE, address)
    runs = tmp_path / "root" / "runs"
    name = seal_one(runs, 0).folder.name
    awsfed = lambda *words: CliRunner().invoke(main, ["runs", *words])  # noqa: E731  a short name for what follows
    assert awsfed("push").stdout == f"pushed  {name}\n"
    assert awsfed("push").stdout == ""
    assert awsfed("push", name).stdout == f"there already  {name}\n"
    assert "1 records, 1 lines of the chain" in awsfed("verify", "--at", address).stdout
    assert awsfed("fetch", name).exit_code == 1  # it is there
    (runs / name).rename(tmp_path / "aside")
    assert awsfed("fetch", name).exit_code == 0
    assert catalogue.records(runs)[0].changed() == []
    boto3.client("s3").put_object(Bucket=BUCKET, Key=f"awsfed/{name}/tables/roles.csv", Body=b"x")
    told = awsfed("verify", "--at", address)
    assert told.exit_code == 1
    assert "tables/roles.csv: changed" in told.stderr


def test_store_that_cannot_be_reached_is_told_in_our_words(address, monkeypatch, tmp_path):
    with pytest.raises(RecordError, match="refuses: NoSuchBucket"):
        store.named("s3://nobody-has-this/x").put_new("a", b"")
    with monkeypatch.context() as nowhere:
        nowhere.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
        nowhere.setenv("AWS_MAX_ATTEMPTS", "1")
        with pytest.raises(RecordError, match="cannot be reached"):
            store.named(address).put_new("a", b"")


@pytest.mark.parametrize("wrong", ["runs", "ftp://x/y", "s3:///prefix", "https://bucket"])
def test_address_of_another_kind_is_refused(wrong):
    with pytest.raises(ParameterError, match="no store of records"):
        store.named(wrong, {})


def test_no_address_no_store():
    assert store.named("", {}) is None


@pytest.mark.kernel
def test_run_keeps_its_record_in_the_store_and_a_store_that_fails_fails_no_run(address, tmp_path, monkeypatch):
    import io

    from awsfed_lib.doors import runner
    from awsfed_lib.edges.records import parameter_file, runbooks

    root = make(tmp_path / "root")
    monkeypatch.setenv(where.ROOT_VARIABLE, str(root))
    task = runner.Task(runbooks.find("10"), parameter_file.load(root / "parameters" / "p.yml"))
    monkeypatch.setenv(store.VARIABLE, address)
    assert runner.execute(task, out=io.StringIO()).verdict == "done"
    assert len(mirror.listed(store.named())) == 1
    monkeypatch.setenv(store.VARIABLE, "s3://nobody-has-this/x")
    log = io.StringIO()
    assert runner.execute(task, out=log).verdict == "done"
    assert "record not kept in the store: The store of records refuses: NoSuchBucket" in log.getvalue()
