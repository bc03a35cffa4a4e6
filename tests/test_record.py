"""Records: whole or not there, never overwritten, nothing in them that a spreadsheet executes, every change found."""

import csv
import errno
import io
import os
from datetime import UTC, datetime

import pandas as pd
import pytest

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.tables import APP_ROLES, FINDINGS, ROLES, frame, is_missing
from awsfed_lib.core.view import safe_csv
from awsfed_lib.edges.records import durable, journal, leaks, record
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


def test_a_table_comes_back_as_it_was_kept(made):
    entry = {"id": "r", "value": None, "unknown": {"a": [1, 2.5, True]}, "displayName": "=1"}
    table = frame(APP_ROLES, [{"app_role_id": "r", "display_name": "=1", "entry": entry, "is_enabled": True}, {"app_role_id": "s"}])
    made.keep_table("app_roles", table)
    pd.testing.assert_frame_equal(made.table("app_roles"), table)
    assert made.table("app_roles")["entry"].tolist() == [entry, None]
    assert "'=1" in (made.folder / "tables/app_roles.csv").read_text()


EVERY_KIND = {
    "account": pd.Series(["000000000007", "", "12"], dtype="str"),
    "flag": pd.Series([True, False, True]),
    "known flag": pd.Series([True, None, False], dtype="boolean"),
    "known all": pd.Series([True, True, False], dtype="boolean"),
    "count": pd.Series([2**60 + 1, None, -1], dtype="Int64"),
    "number": pd.Series([1.5, float("nan"), 1e300]),
    "moment": pd.to_datetime(pd.Series(["2026-01-02T03:04:05.678901Z", None, "1999-12-31T23:59:59Z"]), utc=True, format="ISO8601"),
    "text or none": pd.Series(["null", None, ""], dtype="object"),
    "wire": pd.Series([{"b": [1, None, {"z": "\ud800"}], "a": False}, None, []], dtype="object"),
    "mixed": pd.Series(['{"a":1}', 1, None], dtype="object"),
    "flags": pd.Series([True, None, "True"], dtype="object"),
    "it's; \" quoted": pd.Series(["'", '"', ";"], dtype="str"),
    "hostile": pd.Series(["\u202egnp.exe \x1b[31m \ud800 \U0001f511 </script>\x00", "\\ud800", "\n"], dtype="str"),
    "hostile wire": pd.Series(["\udfff", {"\ud800": 1}, None], dtype="object"),
}


def test_names_of_columns_that_differ_in_case_alone_come_back(made):
    """DuckDB takes Name and name for one and calls the second name_1 (duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers)."""
    table = pd.DataFrame({"Name": ["a"], "name": ["b"], "NAME": ["c"]}, dtype="str")
    made.keep_table("t", table)
    pd.testing.assert_frame_equal(made.table("t"), table)


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("rows", [3, 0])
def test_every_kind_of_column_comes_back_exactly(made, name, rows):
    """None is not "", a list is no text that looks like one, an account id keeps its zeros, half a surrogate pair stays half."""
    table = pd.DataFrame({name: EVERY_KIND[name].head(rows)})
    made.keep_table("t", table)
    pd.testing.assert_frame_equal(made.table("t"), table, check_index_type=False)
    kept = [cell for cell in EVERY_KIND[name].head(rows) if not is_missing(cell)]
    assert [cell for cell in made.table("t")[name] if not is_missing(cell)] == kept


def test_a_table_without_columns_or_rows_comes_back(made):
    for name, table in (("nothing", pd.DataFrame()), ("none", frame(ROLES, []))):
        made.keep_table(name, table)
        pd.testing.assert_frame_equal(made.table(name), table, check_index_type=False, check_column_type=False)


def test_a_cell_that_json_cannot_say_is_refused(made):
    for value in (object(), {1, "a"}, b"x", {"a": float("nan")}):
        with pytest.raises(RecordError, match="cannot hold"):
            made.keep_table("t", pd.DataFrame({"a": pd.Series([value], dtype="object")}))
    assert made.tables() == {}


def test_a_table_that_is_not_there_or_not_ours_is_told(made, tmp_path):
    with pytest.raises(RecordError, match="kept no table roles"):
        made.table("roles")
    durable.folder(made.folder / "tables")
    for content in (b"", b"PAR1 no PAR1"):
        durable.replace(made.folder / "tables/roles.parquet", content)
        with pytest.raises(RecordError, match="cannot be read"):
            made.table("roles")


def test_what_json_cannot_say_is_refused(made):
    for value in (float("nan"), object(), {1, "a"}, b"x"):
        with pytest.raises(RecordError):
            made.keep_json("x", {"a": value})
    assert not list(made.folder.glob("x*"))


def test_table_kept_twice_gets_a_number(made):
    table = frame(FINDINGS, [])
    assert [made.keep_table("findings", table).name for _ in range(3)] == ["findings.parquet", "findings-2.parquet", "findings-3.parquet"]


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
        "tables/findings.parquet",
    }
    with pytest.raises(RecordError, match="sealed"):
        made.update(verdict="done")


def test_file_with_the_name_of_a_temporary_is_no_way_around_the_seal(made):
    """What a killed write left goes when the record is sealed; an export of any name is sealed and searched like every file."""
    made.keep_export("note.partial", "a")
    (made.folder / ".plan.json.0a1b2c3d.partial").write_text("cut")
    sealed(made)
    assert not (made.folder / ".plan.json.0a1b2c3d.partial").exists()
    assert made.folder / "exports/note.partial" in leaks.files(made.folder)
    (made.folder / "exports/note.partial").write_text("b")
    (made.folder / "tables/.roles.csv.0a1b2c3d.partial").write_text("")
    assert made.changed() == ["exports/note.partial: changed", "tables/.roles.csv.0a1b2c3d.partial: new"]


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
