"""The journal: durable before anything is sent, and honest about what happened to it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import journal
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks


def clock():
    return datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


@pytest.fixture
def written(tmp_path):
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)
    book.note("begin", runbook="04-approles")
    book.note("intent", method="PATCH", path="/servicePrincipals/x", body='{"appRoles": []}')
    book.note("answer", fate="sent", status=204)
    book.seal("applied")
    book.close()
    return tmp_path


def test_what_was_noted_is_read_back_in_order(written):
    assert [line.event for line in journal.read(written)] == ["begin", "intent", "answer", "seal"]
    assert journal.verdict(journal.read(written)) == "applied"


def test_truncated_at_every_offset_it_is_never_sealed_and_never_wrong(written):
    content = (written / journal.FILE).read_bytes()
    whole = journal.read(written)
    for end in range(len(content)):
        (written / journal.FILE).write_bytes(content[:end])
        lines = journal.read(written)
        assert lines == whole[: len(lines)]
        assert journal.verdict(lines) == ""


def test_every_flipped_byte_is_found(written):
    content = (written / journal.FILE).read_bytes()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 0x01
        (written / journal.FILE).write_bytes(bytes(flipped))
        try:
            lines = journal.read(written)
        except RecordError:
            continue
        assert journal.verdict(lines) == "", f"byte {place}"


def test_a_line_taken_from_the_middle_is_found(written):
    lines = (written / journal.FILE).read_bytes().splitlines(keepends=True)
    (written / journal.FILE).write_bytes(b"".join(lines[:1] + lines[2:]))
    with pytest.raises(RecordError, match="Line 2"):
        journal.read(written)


def test_nothing_is_noted_after_the_seal(tmp_path):
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)
    book.seal("done")
    with pytest.raises(RecordError, match="finished"):
        book.note("intent")


def test_a_journal_is_never_begun_twice(written):
    with pytest.raises(RecordError, match="journal already"):
        Journal(written, Locks(written / "locks"), clock)


def test_snapshots_are_kept_with_their_digest_under_safe_names(tmp_path):
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)
    book.keep("app_roles-../../etc/passwd", b"[]")
    book.keep("app_roles-../../etc/passwd", b"[1]")
    assert sorted(path.read_bytes() for path in (tmp_path / journal.SNAPSHOTS).iterdir()) == [b"[1]", b"[]"]
    noted = [line.fields["sha256"] for line in journal.read(tmp_path) if line.event == "snapshot"]
    assert len(set(noted)) == 2


def test_a_journal_that_cannot_be_written_stops_the_run(tmp_path, monkeypatch):
    """No intent on disk, no request (write-ahead): a full disk must not be passed over."""
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.os, "fsync", full)
    with pytest.raises(RecordError, match="No space left"):
        book.note("intent")
    monkeypatch.undo()
    with pytest.raises(RecordError, match="could not be written"):
        book.note("intent")


@pytest.mark.parametrize("bit", [0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80])
def test_every_other_flipped_bit_is_found(written, bit):
    content = (written / journal.FILE).read_bytes()
    for place in range(len(content)):
        (written / journal.FILE).write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        try:
            assert journal.verdict(journal.read(written)) == "", f"byte {place}"
        except RecordError:
            continue


def test_lines_in_another_order_or_of_another_run_are_found(written):
    one, two, three, four = (written / journal.FILE).read_bytes().splitlines(keepends=True)
    for lines in ([one, three, two, four], [two, three, four], [one, one, two], [one, two, three, four, four]):
        (written / journal.FILE).write_bytes(b"".join(lines))
        with pytest.raises(RecordError, match="not as it was written"):
            journal.read(written)


def test_line_after_the_seal_is_found_although_it_is_well_made(written):
    seal = journal.read(written)[-1]
    more = journal.sealed_line(seal.number + 1, seal.at, "answer", {}, seal.digest)
    with (written / journal.FILE).open("ab") as file:
        file.write(more + b"\n")
    with pytest.raises(RecordError, match="Line 5"):
        journal.read(written)


@pytest.mark.parametrize("tail", [b"{", b'{"at":"2026', b"\x00" * 512, b"\xff\xfe"])
def test_torn_tail_is_passed_over(written, tail):
    """A power cut leaves half a line, or blocks of zeros; neither was acted upon."""
    path = written / journal.FILE
    *before, _ = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(before) + tail)
    assert [line.event for line in journal.read(written)] == ["begin", "intent", "answer"]


def test_interrupted_write_does_not_stand_in_the_middle(tmp_path, monkeypatch):
    """Ctrl-C between write and fsync: the line was not acted upon, and the next one takes its place."""
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)

    def interrupted(_descriptor):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(journal.os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            book.note("intent", body="x" * 10_000)
    book.note("begin")
    assert [line.event for line in journal.read(tmp_path)] == ["begin"]


def test_half_written_line_is_written_on(tmp_path, monkeypatch):
    """write(2) may take less than it is given."""
    book, write = Journal(tmp_path, Locks(tmp_path / "locks"), clock), journal.os.write
    monkeypatch.setattr(journal.os, "write", lambda descriptor, content: write(descriptor, content[:7]))
    book.note("begin", runbook="04-approles")
    assert journal.read(tmp_path)[0].fields == {"runbook": "04-approles"}


def test_threads_do_not_mix_lines(tmp_path):
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: book.note("answer", number=number), range(100)))
    lines = journal.read(tmp_path)
    assert [line.number for line in lines] == list(range(1, 101))
    assert {line.fields["number"] for line in lines} == set(range(100))
    assert book.head == lines[-1].digest


@pytest.mark.parametrize("field", [float("nan"), object(), b"x", "\ud800"])
def test_what_cannot_be_written_exactly_is_refused_and_harms_nothing(tmp_path, field):
    book = Journal(tmp_path, Locks(tmp_path / "locks"), clock)
    with pytest.raises(RecordError, match="cannot hold"):
        book.note("intent", body=field)
    book.note("begin")
    assert [line.event for line in journal.read(tmp_path)] == ["begin"]


def test_journal_is_for_its_owner_only_and_follows_no_link(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / journal.FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError):
        Journal(tmp_path / "other", Locks(tmp_path / "locks"), clock)
    assert not (tmp_path / "elsewhere").exists()
    assert Journal(tmp_path, Locks(tmp_path / "locks"), clock).path.stat().st_mode & 0o777 == 0o600


def test_missing_journal_is_said(tmp_path):
    with pytest.raises(RecordError, match="cannot be read"):
        journal.read(tmp_path)
