"""The journal: durable before anything is sent, and honest about what happened to it."""

from datetime import UTC, datetime

import pytest

from awsfed_lib import journal
from awsfed_lib.errors import RecordError
from awsfed_lib.journal import Journal
from awsfed_lib.lock import Locks


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
