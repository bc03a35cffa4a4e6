"""Records: whole or not there, never overwritten, nothing in them that a spreadsheet executes, every change found."""

import csv
import errno
import io
import json
import os
from datetime import UTC, datetime

import pandas as pd
import pytest

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.tables import APP_ROLES, FINDINGS, ROLES, frame
from awsfed_lib.core.view import safe_csv
from awsfed_lib.edges.records import durable, journal, record
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

NOW = datetime(2026, 11, 24, 7, 51, tzinfo=UTC)


@pytest.fixture
def made(tmp_path):
    return record.create(tmp_path / "runs", record.name_of("04-approles", "1f0c7f3a", NOW), {"runbook": "04-approles"})


def test_folder_says_when_what_and_on_what(made):
    assert made.folder.name == "20261124T075100Z-04-approles-1f0c7f3a"
    assert made.run() == {"schema": "awsfed.run/1", "runbook": "04-approles", "verdict": "", "sealed": False}


def test_folder_is_for_its_owner_only(made):
    made.keep_json("plan", {})
    made.keep_table("findings", frame(FINDINGS, []))
    for path in (made.folder.parent, made.folder, made.folder / "tables"):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in made.folder.rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o777 == 0o600


def test_two_runs_of_one_second_have_two_folders(tmp_path):
    name = record.name_of("04-approles", "x", NOW)
    assert [record.create(tmp_path, name, {}).folder.name for _ in range(3)] == [name, f"{name}-2", f"{name}-3"]


def test_name_cannot_lead_out():
    assert record.name_of("../../etc", "/a b/../c", NOW) == "20261124T075100Z-etc-a-b-..-c"


def test_file_is_never_overwritten(made):
    """Two runs to one path: with papermill the last writer wins, and both say they succeeded."""
    durable.write_new(made.folder / "plan.json", b"first")
    with pytest.raises(RecordError, match="never overwritten"):
        durable.write_new(made.folder / "plan.json", b"second")
    assert (made.folder / "plan.json").read_bytes() == b"first"


def test_file_is_never_overwritten_where_there_are_no_hard_links(made, monkeypatch):
    def none(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    durable.write_new(made.folder / "plan.json", b"first")
    with pytest.raises(RecordError, match="never overwritten"):
        durable.write_new(made.folder / "plan.json", b"second")
    assert (made.folder / "plan.json").read_bytes() == b"first"


def test_link_in_the_place_of_a_file_is_not_followed(made, tmp_path):
    (made.folder / "plan.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError):
        durable.write_new(made.folder / "plan.json", b"x")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("write", [durable.write_new, durable.replace])
@pytest.mark.parametrize("call", ["fsync", "open"])
def test_full_disk_leaves_nothing_half_written(made, monkeypatch, write, call):
    """A full disk leaves papermill's notebook as JSON that nothing can read."""

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = {path.name for path in made.folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(RecordError, match="No space left on device"):
            write(made.folder / "plan.json", b"x" * 10_000)
    assert {path.name for path in made.folder.iterdir()} == before


def test_crash_before_the_rename_leaves_the_old_file(made, monkeypatch):
    durable.replace(made.folder / "plan.json", b"old")

    def crash(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            durable.replace(made.folder / "plan.json", b"new")
    assert (made.folder / "plan.json").read_bytes() == b"old"
    assert len(list(made.folder.iterdir())) == 2


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    " =1",
    "\u3000=1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
    "\x00=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_begins_a_formula(text):
    """owasp.org/www-community/attacks/CSV_Injection; pandas writes such cells as they are."""
    table = pd.DataFrame({text: [text]}, dtype="str")
    [header], [cell] = csv.reader(io.StringIO(safe_csv.csv_text(table), newline=""))
    for seen in (header, cell):
        assert not seen.lstrip().startswith(safe_csv.FORMULA_STARTS)


def test_csv_quotes_every_cell_and_keeps_zeros():
    text = safe_csv.csv_text(frame(ROLES, [{"account_id": "012345678901", "role_name": 'a"b,c\nd', "max_session": 3600}]))
    assert not text.startswith("\ufeff")
    header, row = csv.reader(io.StringIO(text, newline=""))
    cells = dict(zip(header, row, strict=True))
    assert (cells["account_id"], cells["role_name"], cells["max_session"], cells["last_used"]) == ("012345678901", 'a"b,c\nd', "3600", "")
    assert text.splitlines()[1].startswith('"012345678901",')


def test_json_of_a_table_is_exact(made):
    entry = {"id": "r", "value": None, "unknown": {"a": [1, 2.5, True]}, "displayName": "=1"}
    made.keep_table("app_roles", frame(APP_ROLES, [{"app_role_id": "r", "display_name": "=1", "entry": entry, "is_enabled": True}]))
    said = json.loads((made.folder / "tables/app_roles.json").read_bytes())
    assert said["rows"][0]["entry"] == entry
    assert said["rows"][0]["display_name"] == "=1"
    assert said["columns"]["app_role_id"] == "str"
    assert "'=1" in (made.folder / "tables/app_roles.csv").read_text()


def test_missing_times_and_counts_are_null_and_empty(made):
    made.keep_table("roles", frame(ROLES, [{"account_id": "012345678901", "created": "2026-01-02T03:04:05Z"}]))
    row = json.loads((made.folder / "tables/roles.json").read_bytes())["rows"][0]
    assert (row["created"], row["last_used"], row["max_session"]) == ("2026-01-02T03:04:05+00:00", None, None)


def test_hostile_text_is_kept_exactly(made):
    text = "\u202egnp.exe \x1b[31m \ud800 \U0001f511 </script>\x00"
    made.keep_table("t", pd.DataFrame({"a": pd.Series([text], dtype="object")}))
    assert json.loads((made.folder / "tables/t.json").read_bytes())["rows"][0]["a"] == text
    assert (made.folder / "tables/t.csv").exists()


def test_what_json_cannot_say_is_refused(made):
    for value in (float("nan"), object(), {1, "a"}, b"x"):
        with pytest.raises(RecordError):
            made.keep_json("x", {"a": value})
    assert not list(made.folder.glob("x*"))


def test_table_kept_twice_gets_a_number(made):
    table = frame(FINDINGS, [])
    assert [made.keep_table("findings", table).name for _ in range(3)] == ["findings.json", "findings-2.json", "findings-3.json"]


def sealed(made):
    book = Journal(made.folder, Locks(made.folder.parent / ".locks"), lambda: NOW)
    book.note("begin")
    book.keep("app_roles-x", b"[]")
    made.keep_json("plan", {"id": "plan-0"})
    made.keep_table("findings", frame(FINDINGS, [{"finding_id": "f", "severity": "high"}]))
    book.seal("applied")
    book.close()
    made.seal(verdict="applied")
    return made


def test_sealed_record_is_unchanged_and_does_not_change(made):
    sealed(made)
    assert made.changed() == []
    assert set(made.run()["files"]) == {
        "journal.jsonl",
        "plan.json",
        "snapshots/app_roles-x.json",
        "tables/findings.csv",
        "tables/findings.json",
        "tables/findings.parquet",
    }
    with pytest.raises(RecordError, match="sealed"):
        made.update(verdict="done")


def test_unsealed_record_is_none(made):
    assert made.changed() == ["run.json: the run was never sealed"]


def test_every_flipped_byte_of_a_record_is_found(made):
    """The digest of run.json is kept elsewhere: `awsfed run` prints it."""
    digest = sealed(made).digest
    for path in sorted(path for path in made.folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for place in range(0, len(content), 7 if len(content) > 500 else 1):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x04]) + content[place + 1 :])
            if path.name == "run.json":
                assert made.digest != digest
            else:
                assert any(path.name in problem for problem in made.changed())
        path.write_bytes(content)
    assert made.changed() == []
    assert made.digest == digest


def test_file_that_is_gone_or_new_is_found(made):
    sealed(made)
    (made.folder / "plan.json").rename(made.folder / "plan-9.json")
    assert made.changed() == ["plan-9.json: new", "plan.json: gone"]


def test_lines_cut_from_the_end_of_the_journal_are_found(made):
    sealed(made)
    path = made.folder / journal.FILE
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert made.changed() == ["journal.jsonl: changed", "journal.jsonl: lines are gone"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"schema": "other/1"}', b"\xff", b"1"])
def test_damaged_run_json_is_refused(made, content):
    (made.folder / "run.json").write_bytes(content)
    with pytest.raises(RecordError, match=r"run\.json"):
        made.run()
