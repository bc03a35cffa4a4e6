"""Records in an object store: Amazon S3 as moto serves it over HTTP, Blob Storage as Azurite does over HTTPS, both with conditional writes."""

import threading

import boto3
import pytest
import recorded
from azurite import Container
from click.testing import CliRunner
from moto.server import DomainDispatcherApplication, create_backend_app
from recorded import role, seal_one
from small_root import make
from werkzeug.serving import make_server

from awsfed_lib.__main__ import main
from awsfed_lib.core.errors import ParameterError, RecordError
from awsfed_lib.edges.records import catalogue, mirror, proof, store, where
from awsfed_lib.edges.records.record import Record


@pytest.fixture(scope="module")
def moto():
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


class Bucket:
    """A bucket as its owner sees it, who may do what awsfed never does."""

    address, gone = "s3://records-of-contoso/awsfed", ("s3://nobody-has-this/x", "NoSuchBucket")

    def __init__(self):
        self._bucket = boto3.resource("s3").Bucket("records-of-contoso")

    def make(self):
        self._bucket.create()

    def overwrite(self, name, content):
        self._bucket.put_object(Key=f"awsfed/{name}", Body=content)

    def delete(self, name):
        self._bucket.Object(f"awsfed/{name}").delete()

    def clear(self):
        self._bucket.objects.all().delete()
        self._bucket.delete()


def in_s3(request, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL_S3": request.getfixturevalue("moto"), "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
        "AWS_SECRET_ACCESS_KEY": "x" * 40, "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return Bucket()


def in_azure(request, monkeypatch):
    emulator, twin = request.getfixturevalue("azurite"), request.getfixturevalue("twin")
    emulator.instead(monkeypatch, twin)
    return Container(emulator, twin, "records-of-contoso")


@pytest.fixture(params=[in_s3, in_azure], ids=["S3", "Azure"])
def place(request, monkeypatch):
    """Give an empty place for records, as its owner sees it."""
    found = request.param(request, monkeypatch)
    found.make()
    yield found
    found.clear()


@pytest.fixture
def address(place):
    """Give the address of an empty place for records."""
    return place.address


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


def test_line_that_is_gone_from_the_chain_is_named_and_nothing_is_appended(place, tmp_path):
    there = store.named(place.address)
    for day in range(3):
        push(seal_one(tmp_path / "runs", day), there)
    place.delete("chain/00000002.json")
    with pytest.raises(RecordError, match="Line 2 of the chain of the store"):
        mirror.read(there)
    with pytest.raises(RecordError, match="Line 2 of the chain of the store"):
        push(seal_one(tmp_path / "runs", 3), there)


def test_line_that_was_changed_is_named_and_nothing_is_appended(place, tmp_path):
    there, record = store.named(place.address), seal_one(tmp_path / "runs", 0)
    push(record, there)
    place.overwrite("chain/00000001.json", there.get("chain/00000001.json").replace(b"09-audit", b"10-audit"))
    with pytest.raises(RecordError, match="Line 1 of the chain of the store"):
        push(seal_one(tmp_path / "runs", 1), there)


class Cut:
    """A store whose connection ends after so many calls; `lost`: what it was asked last was carried out all the same."""

    def __init__(self, inner, calls, *, lost=False):
        self.address, self._inner, self._left, self._lost = inner.address, inner, calls, lost
        self.names = inner.names

    def _may(self, work):
        self._left -= 1
        if self._left < 0:
            if self._lost and self._left == -1:
                work()
            raise RecordError("cut")
        return work()

    def put_new(self, name, content):
        return self._may(lambda: self._inner.put_new(name, content))

    def get(self, name):
        return self._may(lambda: self._inner.get(name))


@pytest.mark.parametrize("lost", [False, True], ids=["not sent", "answer lost"])
def test_push_that_is_cut_anywhere_is_completed_by_the_next(place, tmp_path, monkeypatch, lost):
    """Also between run.json and the chain: a record that no line knows would be found as broken, and never mended."""
    monkeypatch.setattr(mirror, "THREADS", 1)
    there, first = store.named(place.address), seal_one(tmp_path / "runs", 0)
    push(first, there)
    files = len(first.run()["files"])
    for calls in (1, files, files + 1, files + 2):  # before a file, run.json, reading the end of the chain, and its new line
        record = seal_one(tmp_path / "runs", calls)
        with pytest.raises(RecordError, match="cut"):
            push(record, Cut(there, calls, lost=lost))
        push(record, there)
    names = [line.fields["run"] for line in mirror.read(there)]
    assert len(names) == 5
    assert mirror.kept(there) == set(names)
    record = seal_one(tmp_path / "runs", 9)
    push(record, Cut(there, files + 3))  # not one call more than those that were cut


@pytest.mark.parametrize("name", ["20260101T030000Z-09-audit-1f0c7f3a", ""])
def test_record_without_its_line_is_not_kept_yet(place, tmp_path, monkeypatch, name):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path / "root")))
    monkeypatch.setenv(store.VARIABLE, place.address)
    record, there = seal_one(tmp_path / "root" / "runs", 0), store.named(place.address)
    with pytest.raises(RecordError, match="cut"):
        push(record, Cut(there, len(record.run()["files"]) + 1))
    assert (mirror.listed(there), mirror.kept(there)) == ([record.folder.name], set())
    assert CliRunner().invoke(main, ["runs", "push", *filter(None, [name])]).stdout == f"pushed  {record.folder.name}\n"
    assert mirror.kept(there) == {record.folder.name}


def test_answer_that_was_lost_adds_no_second_line(place, tmp_path):
    """Azure's library sends again what had no answer, and then hears that it is there already."""
    there, record = store.named(place.address), seal_one(tmp_path / "runs", 0)
    forgetful = Cut(there, 1000)
    forgetful.put_new = lambda name, content: there.put_new(name, content) and False
    push(record, forgetful)
    assert len(mirror.read(there)) == 1
    assert mirror.kept(there) == {record.folder.name}


def test_record_is_fetched_whole_or_not_at_all(place, tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "THREADS", 1)
    there, record = store.named(place.address), seal_one(tmp_path / "runs", 0, roles=[role(1)])
    push(record, there)
    back = tmp_path / "back" / "runs"
    for calls in range(50):
        try:
            mirror.fetch(Cut(there, calls), record.folder.name, back)
        except RecordError:
            assert catalogue.records(back) == []
            assert not (back / record.folder.name).exists()
        else:
            break
    assert calls > 5
    assert Record(back / record.folder.name).changed() == []


@pytest.mark.parametrize("name", ["../outside", "a/../../../outside", "/etc/outside"])
def test_name_that_leads_out_of_the_folder_is_not_followed(place, tmp_path, name):
    there, record = store.named(place.address), seal_one(tmp_path / "runs", 0)
    push(record, there)

    hostile = Cut(there, 1000)
    hostile.names = lambda prefix: [*there.names(prefix), f"{record.folder.name}/{name}"]
    for bring in (
        lambda: mirror.fetch(hostile, record.folder.name, tmp_path / "b" / "runs"),
        lambda: mirror.fetch_all(hostile, tmp_path / "c"),
    ):
        with pytest.raises(ParameterError, match="is not a file below"):
            bring()
    assert not list(tmp_path.rglob("outside"))


def test_commands_push_list_fetch_and_verify(place, tmp_path, monkeypatch):
    address = place.address
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
    assert awsfed("list", "--at", address).stdout == f"{name}  done           findings: 1 high\n"
    assert awsfed("list", "--at", address, "--verdict", "failed").stdout == ""
    place.overwrite(f"{name}/tables/roles.csv", b"x")
    told = awsfed("verify", "--at", address)
    assert told.exit_code == 1
    assert "tables/roles.csv: changed" in told.stderr
    place.overwrite(f"{name}/run.json", b"{")
    assert awsfed("list", "--at", address).stdout.startswith(f"{name}  unfinished")


def test_retired_here_is_kept_there(place, tmp_path, monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path / "root")))
    monkeypatch.setenv(store.VARIABLE, place.address)
    names = [seal_one(tmp_path / "root" / "runs", day).folder.name for day in range(2)]
    awsfed = lambda *words: CliRunner().invoke(main, ["runs", *words])  # noqa: E731  a short name for what follows
    awsfed("push")
    identity = awsfed("retire", "--before", "2026-01-02").stdout.split("--approved ")[1].strip()
    assert awsfed("retire", "--before", "2026-01-02", "--approved", identity).exit_code == 0
    assert mirror.listed(store.named()) == names
    assert "2 records, 2 lines of the chain" in awsfed("verify", "--at", place.address).stdout


def test_place_that_is_gone_is_told_in_our_words(place):
    address, code = place.gone
    with pytest.raises(RecordError, match=rf"refuses: {code}(.|\n)*(Make the|correct AWSFED_RECORDS)"):
        store.named(address).put_new("a", b"")
    with pytest.raises(RecordError, match=f"refuses: {code}"):
        list(store.named(address).names(""))
    with pytest.raises(RecordError, match="no such object"):
        store.named(place.address).get("nothing")


@pytest.mark.parametrize("wrong", ["runs", "ftp://x/y", "s3:///prefix", "https://bucket", "abfs://account.dfs.core.windows.net/x"])
def test_address_of_another_kind_is_refused(wrong):
    with pytest.raises(ParameterError, match="no store of records"):
        store.named(wrong, {})


def test_settings_that_boto3_cannot_use_are_told_in_our_words(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(RecordError, match="nobody"):
        store.named("s3://bucket/prefix")


def test_no_address_no_store():
    assert store.named("", {}) is None


@pytest.mark.kernel
def test_run_keeps_its_record_in_the_store_and_a_store_that_fails_fails_no_run(place, tmp_path, monkeypatch):
    import io

    from awsfed_lib.doors import batch, runner
    from awsfed_lib.edges.records import parameter_file, runbooks

    root = make(tmp_path / "root")
    monkeypatch.setenv(where.ROOT_VARIABLE, str(root))
    task = runner.Task(runbooks.find("10"), parameter_file.load(root / "parameters" / "p.yml"))
    monkeypatch.setenv(store.VARIABLE, place.address)
    assert runner.execute(task, out=io.StringIO()).verdict == "done"
    assert len(mirror.listed(store.named())) == 1
    monkeypatch.setenv(store.VARIABLE, place.gone[0])
    log = io.StringIO()
    assert runner.execute(task, out=log).verdict == "done"
    assert f"record not kept in the store: The store of records refuses: {place.gone[1]}" in log.getvalue()
    ended = batch.one(batch.Order("10"), "p.yml")
    assert ended.verdict == "done"
    assert f"record not kept in the store: The store of records refuses: {place.gone[1]}" in batch.line(ended)
    monkeypatch.setattr(store, "named", lambda: 1 // 0)
    assert "record not kept in the store: ZeroDivisionError" in runner.execute(task, out=log).unkept
