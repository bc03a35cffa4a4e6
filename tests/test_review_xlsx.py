"""The reviewers' sheet as a workbook: what Excel finds in it, what comes back, and what is refused before anything reads it."""

import io
import re
import shutil
import subprocess
import zipfile
from contextlib import suppress
from datetime import UTC, datetime

import openpyxl
import pytest
from defusedxml.common import DefusedXmlException
from hypothesis import given, settings
from hypothesis import strategies as st
from made import APPLICATION
from test_reviewed import SHEET as REVIEW_SHEET
from test_reviewed import as_csv, written

from awsfed_lib.core.access_shapes import REVIEW
from awsfed_lib.core.errors import ParameterError, TableError
from awsfed_lib.core.review import marked_book, review_book, review_sheet
from awsfed_lib.core.tables import frame, rows
from awsfed_lib.core.view import sheet_text, workbook_parts
from awsfed_lib.edges import access
from awsfed_lib.edges import review as reviews
from awsfed_lib.edges.records import leaks, record

NOW = datetime(2026, 11, 24, 7, 51, tzinfo=UTC)
COLUMNS = list(REVIEW.columns)
NAMED = ("user_name", "group_name", "app_role_id")
EVIL = [
    "=cmd|' /C calc'!A0", "+x@contoso.example", "-1", "@SUM(1)", "'=1", "''=1", "000000012345", "1-2", "TRUE", "#N/A", "1E5", " lead", "trail ",
    "a_x0041_b", "_x005F_", "x005F_", "_x000D_", "[U+0041]", "a\tb", "a\nb", "a\r\nb", "\u202egnp", "\x01", "\x1b[2J", "\ufffe", "\ud800", "&lt;<b>&amp;",
    "]]>", "\U0001f9d1\u200d\U0001f680", "http://x.example", "mailto:a@b.example", "x" * 300, "\u3000=1", "\uff1d1", "\u2028", "\x85",
]  # fmt: skip


NAMES = [name for name in EVIL if name != "\ud800"]  # which no file of text can hold


def review_of(*named, **cells):
    """REVIEW of one path a name: as somebody's name and as that of a group."""
    made = [dict(rows(REVIEW_SHEET)[0]) | {"user_name": f"{name}@{at}", "group_name": name, **cells} for at, name in enumerate(named)]
    made = [row | {"path_id": review_sheet.path_id(APPLICATION.id, row)} for row in made]
    return frame(REVIEW, [row | {"row_id": review_sheet.row_id(APPLICATION.id, row)} for row in made])


def book_of(review=REVIEW_SHEET):
    return review_book.written(review, NOW)


def opened(content):
    return openpyxl.load_workbook(io.BytesIO(content))


def marked(change=lambda sheet: None, review=REVIEW_SHEET, **everywhere):
    """What a reviewer does in a spreadsheet: open, write, save."""
    book = opened(book_of(review))
    for name, cell in everywhere.items():
        for number in range(2, book["review"].max_row + 1):
            book["review"].cell(number, COLUMNS.index(name) + 1, cell)
    change(book["review"])
    return saved(book)


def saved(book):
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def repacked(content, change):
    """The same workbook with its parts changed: `change(name, bytes)` gives the bytes, or None for a part that goes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if (part := change(name, old.read(name))) is not None:
                new.writestr(name, part)
    return buffer.getvalue()


def read(content):
    return review_sheet.marks(marked_book.lines(content), APPLICATION.id)


def refusal(content):
    with pytest.raises(ParameterError) as refused:
        read(content)
    assert refused.value.remedy
    return str(refused.value)


# What is written


def test_every_cell_is_text_and_says_what_the_csv_says():
    """Excel makes 12345 of 000000012345 in a CSV, and a formula of =cmd; in a workbook a cell says what it is."""
    sheet = opened(book_of())["review"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows(min_row=2) for cell in row} == {"@"}
    found = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
    assert found == [COLUMNS, *([row[name] for name in COLUMNS] for row in rows(REVIEW_SHEET))]
    assert "000000012345" in found[1]


def test_no_formula_no_link_and_nothing_that_excel_would_type_anew():
    content = book_of(review_of(*NAMES))
    book = opened(content)
    cells = [cell for row in book["review"].iter_rows(min_row=2) for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    quoted = {cell.value for cell in cells if cell.quotePrefix}
    assert {"=cmd|' /C calc'!A0", "-1", "@SUM(1)", "000000012345", "1-2", "\u3000=1"} <= quoted
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not [name for name in archive.namelist() if "link" in name.lower() or "vba" in name.lower()]
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_only_what_the_reviewer_decides_can_be_written_in():
    """Of the attributes of sheetProtection, False allows (ECMA-376 part 1, 18.3.1.85); a locked cell matters only in a protected sheet."""
    book = opened(book_of())
    sheet = book["review"]
    unlocked = {sheet.cell(1, cell.column).value for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    assert unlocked == {"decision", "reviewer", "comment"}
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    assert (sheet.protection.autoFilter, sheet.protection.sort, sheet.protection.insertRows) == (False, False, True)
    assert book["How to"].protection.sheet


def test_header_filter_choice_and_widths():
    sheet = opened(book_of())["review"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.dimensions) == ("B2", "A1:O8", "A1:O8")
    [choice] = sheet.data_validations.dataValidation
    assert (choice.formula1, str(choice.sqref), choice.type) == ('"keep,remove"', "A2:A8", "list")
    assert choice.showErrorMessage
    assert set(review_book.WIDTHS) == set(COLUMNS)
    assert sheet.column_dimensions["D"].width == review_book.WIDTHS["user_name"]


def test_an_administrator_is_called_out_by_a_word_and_a_colour():
    sheet = opened(book_of(review_of("a", administrator="yes")))["review"]
    plain = opened(book_of(review_of("a")))["review"]
    at = COLUMNS.index("administrator") + 1
    assert (sheet.cell(2, at).value, sheet.cell(2, at).font.bold, plain.cell(2, at).value) == ("yes", True, None)
    assert sheet.cell(2, at).fill.fgColor.rgb != plain.cell(2, at).fill.fgColor.rgb
    assert sheet.cell(2, 1).fill.fgColor.rgb == plain.cell(2, 1).fill.fgColor.rgb, "what is to be written in is always white"


def test_the_same_sheet_at_the_same_time_gives_the_same_bytes():
    content = book_of()
    assert content == book_of()
    assert content != review_book.written(REVIEW_SHEET, NOW.replace(hour=8))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    properties = opened(content).properties
    assert (properties.creator, properties.lastModifiedBy) == ("awsfed", None)
    assert properties.created == properties.modified == NOW.replace(tzinfo=None)


def test_what_no_cell_can_hold_is_cut_and_says_so():
    """openpyxl cuts without a word at 32,767 characters; Excel counts them in UTF-16."""
    for text in ("x" * 40_000, "\U0001f680" * 20_000):
        shown = sheet_text.cell_text(text)
        assert len(shown.encode("utf-16-le")) <= 2 * 32_767
        assert shown.endswith("review.csv has them all")
    assert sheet_text.cell_text("x" * 32_767) == "x" * 32_767
    policies = opened(book_of(review_of("a", policies="p; " * 20_000)))["review"].cell(2, COLUMNS.index("policies") + 1).value
    assert "60,000 characters do not fit" in policies


def test_too_many_rows_leave_a_word_in_place_of_the_workbook(monkeypatch):
    monkeypatch.setattr(review_book, "ROWS", 6)
    with pytest.raises(TableError, match="7 rows, and a workbook of ours holds 6"):
        book_of()
    made = access.files(REVIEW_SHEET, NOW)
    assert set(made) == {"review.csv", "review_has_no_xlsx.txt"}
    assert "Take review.csv" in made["review_has_no_xlsx.txt"]


def test_an_empty_review_is_a_workbook_without_rows():
    content = book_of(frame(REVIEW, []))
    assert opened(content)["review"].dimensions == "A1:O1"
    assert read(content) == ()


@given(st.text(max_size=40))
def test_every_text_is_had_back_exactly_and_holds_nothing_that_xml_or_excel_changes(text):
    shown = sheet_text.cell_text(text)
    assert sheet_text.exact(shown) == text
    assert not openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.search(shown)
    assert not re.search(r"_x[0-9A-Fa-f]{4}_|\r", shown)
    shown.encode()


@pytest.mark.parametrize("text", EVIL, ids=ascii)
def test_every_trap_is_had_back_exactly(text):
    """`_x0041_` is an A to Excel, and openpyxl takes every x005F_ out of the shared strings of a workbook that Excel saved."""
    shown = sheet_text.cell_text(text)
    assert sheet_text.exact(shown) == text
    assert not re.search("_x[0-9A-Fa-f]{4}_|x005F_", shown)


# What comes back


@pytest.mark.parametrize("who", ["bob", "ann", "dora", "carl"])
def test_the_marks_are_those_of_the_csv(who):
    decided = written((who,))

    def mark(sheet):
        for number, line in enumerate(decided, start=2):
            for column, name in enumerate(("decision", "reviewer", "comment"), start=1):
                sheet.cell(number, column, line[name])

    assert read(marked(mark)) == review_sheet.read(as_csv(decided).encode(), APPLICATION.id)


@given(
    st.lists(
        st.one_of(st.sampled_from(NAMES), st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)),
        max_size=8,
        unique=True,
    )
)
@settings(max_examples=25)
def test_whatever_the_names_are_csv_and_workbook_give_the_same_marks(names):
    """A NUL is the one character that the CSV does not keep."""
    review = review_of(*names)
    back = read(book_of(review))
    assert back == review_sheet.read(review_sheet.text(review).encode(), APPLICATION.id)
    assert [mark.group_name for mark in back] == names


def test_columns_may_have_moved_and_others_may_have_come():
    book = opened(marked(decision="keep", reviewer="Rita"))
    book["review"].insert_cols(1)
    book["review"].cell(1, 1, "ticket")
    book["review"].cell(3, 1, 4711)
    book["review"].move_range("B1:B8", cols=15)
    book["review"].delete_cols(2)
    assert book["review"].cell(1, 16).value == "decision" or book["review"].cell(1, 17).value == "decision"
    assert {mark.decision for mark in read(saved(book))} == {"keep"}


def test_blank_rows_do_not_count_and_errors_name_the_row_that_excel_shows():
    book = opened(marked(decision="keep", reviewer="Rita"))
    book["review"].insert_rows(3, 2)
    assert len(read(saved(book))) == 7
    book["review"].cell(6, 1, "delete")
    assert "Row 6 of the sheet decides 'delete'" in refusal(saved(book))


@pytest.mark.parametrize(
    ("place", "cell", "words"),
    [
        ("C5", "=1+1", "Cell C5 of the sheet “review” holds a formula"), ("E7", '=HYPERLINK("http://x")', "Cell E7"), ("P3", "=1", "Cell P3"),
        ("F3", 12345, "Cell F3 of the sheet “review” (account_id) holds a number, 12345"), ("C4", 4711, "(comment) holds a number"),
        ("C4", datetime(2026, 11, 24), "(comment) holds a date"), ("A2", True, "(decision) holds a truth value"), ("E2", "#N/A", "holds an error"),  # noqa: DTZ001  cells have no zone
        ("D2", "eve@contoso.example", "Row 2 of the sheet was changed"), ("N2", "path-0000000000000000", "was changed"), ("A2", "delete", "Row 2 of the sheet decides"),
        ("P4", "note", "Row 4 of the sheet has not as many cells"), ("A1", "Decision", "has decision 0 times"), ("O1", "decision", "has decision 2 times"),
        ("KA1", "far", "287 columns"), ("B3", None, "nobody answers"),
    ],
    ids=lambda part: ascii(part)[:24],
)  # fmt: skip
def test_what_was_tampered_with_is_refused_by_its_cell(place, cell, words):
    def change(sheet):
        sheet[place] = cell

    assert words in refusal(marked(change, decision="remove", reviewer="Rita"))


def test_text_that_begins_like_a_formula_is_text():
    def change(sheet):
        sheet["C2"] = "=not a formula"
        sheet["C2"].data_type = "s"

    assert read(marked(change))[0].comment == "=not a formula"


def test_a_formula_is_refused_though_the_file_holds_its_value():
    """data_only would give the value that somebody computed, or wrote into the file, and hide the formula."""
    formula = b'<c r="C2" s="2"><f>1+1</f><v>2</v></c>'

    def change(name, part):
        return re.sub(rb'<c r="C2"[^>]*/>', formula, part) if name.endswith("sheet1.xml") else part

    assert "Cell C2 of the sheet “review” holds a formula" in refusal(repacked(book_of(), change))


# What is refused before it is read


def test_encrypted_workbooks_and_old_ones_are_told_apart_from_damage():
    assert "encrypted, or in the format of Excel 97" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert "damaged" in refusal(b"PK\x03\x04nothing")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("xl/vbaProject.bin", "a macro"), ("xl/macrosheets/sheet1.xml", "a macro"), ("customUI/customUI14.xml", "a macro"), ("XL/VBAPROJECT.BIN", "a macro"),
        ("xl/externalLinks/externalLink1.xml", "another workbook"), ("xl/connections.xml", "data outside"), ("xl/queryTables/queryTable1.xml", "data outside"),
        ("xl/embeddings/oleObject1.bin", "embedded object"), ("xl/activeX/activeX1.xml", "a control"), ("xl/workbook.xml", "twice"), ("/xl/Workbook.xml", "twice"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_parts_that_run_or_reach_out_are_refused(part, words):
    buffer = io.BytesIO(book_of())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(part, b"<x/>")
    assert words in refusal(buffer.getvalue())


def test_a_workbook_that_says_it_has_macros_is_refused():
    def change(_, part):
        return part.replace(b"spreadsheetml.sheet.main+xml", b"x").replace(
            b"application/vnd.openxmlformats-officedocument.x", b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
        )

    assert "macros (.xlsm)" in refusal(repacked(book_of(), change))


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
FILE = b'<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>'
ELSEWHERE = b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'


def with_dtd(part, declaration, encoding="utf-8"):
    """The workbook with a document type in one part, and its entity where it is text."""

    def change(name, content):
        if name != part:
            return content
        body = re.sub(rb"^<\?xml[^>]*\?>", b"", content)
        body = body.replace(b"000000012345", b"&c;", 1) if declaration is not ELSEWHERE else body
        return (b"<?xml version='1.0' encoding='" + encoding.encode() + b"'?>" + declaration + body).decode().encode(encoding)

    return repacked(book_of(), change)


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "docProps/core.xml", "_rels/.rels"]
)
@pytest.mark.parametrize("declaration", [LAUGHS, FILE, ELSEWHERE], ids=["laughs", "file", "elsewhere"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_part_may_declare_a_document_type(part, declaration, encoding):
    assert "declares a document type" in refusal(with_dtd(part, declaration, encoding))


@pytest.mark.parametrize("declaration", [LAUGHS, FILE], ids=["laughs", "file"])
def test_openpyxl_itself_refuses_entities_in_cells(declaration):
    """The second wall: openpyxl reads sheets through defusedxml when it is installed (openpyxl.readthedocs.io, security)."""
    assert openpyxl.DEFUSEDXML
    with pytest.raises(ValueError, match="invalid XML") as refused:
        openpyxl.load_workbook(io.BytesIO(with_dtd("xl/worksheets/sheet1.xml", declaration)), read_only=True)
    assert isinstance(refused.value.__cause__, DefusedXmlException)


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    """42.zip and its like: a part of a gigabyte of zeros is a megabyte in the file."""
    buffer = io.BytesIO(book_of())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("xl/media/image1.png", "w") as out:
        for _ in range(513):
            out.write(bytes(1 << 20))
    assert len(buffer.getvalue()) < 4 << 20
    assert "unpacks to 5" in refusal(buffer.getvalue())


def test_a_part_that_gives_more_than_it_declares_is_damaged():
    content = bytearray(book_of())
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    for at in [found.start() for found in re.finditer(re.escape(size.to_bytes(4, "little")), bytes(content))]:
        content[at : at + 4] = (100).to_bytes(4, "little")
    assert "damaged" in refusal(bytes(content))


def test_too_many_elements_and_parts_are_refused(monkeypatch):
    monkeypatch.setattr(workbook_parts, "ELEMENTS", 1_000)

    def change(name, part):
        return part.replace(b"<sheetData>", b"<sheetData>" + b"<a/>" * 2_000) if name.endswith("sheet1.xml") else part

    assert "more than 1,000 elements in xl/worksheets/sheet1.xml" in refusal(repacked(book_of(), change))
    monkeypatch.setattr(workbook_parts, "PARTS", 5)
    assert "parts, and at most" in refusal(book_of())
    monkeypatch.setattr(workbook_parts, "PACKED", 100)
    assert "bytes, and at most 100 are read" in refusal(book_of())


@pytest.mark.parametrize(("row", "taken"), [(1_048_576, True), (1_048_577, False), (10**15, False)])
def test_the_size_that_a_sheet_declares_is_its_own_word(row, taken):
    """A reader that believes it makes a row for each number below it."""

    def change(name, part):
        if not name.endswith("sheet1.xml"):
            return part
        part = part.replace(b"A1:O8", b"A1:XFD1048576", 1)
        return part.replace(b"</sheetData>", f'<row r="{row}"/></sheetData>'.encode())

    content = repacked(book_of(), change)
    if taken:
        assert len(read(content)) == 7
    else:
        assert "rows where Excel has none" in refusal(content)


def test_more_rows_than_are_written_are_not_read(monkeypatch):
    monkeypatch.setattr(marked_book, "ROWS", 6)
    assert "more than 6 rows" in refusal(book_of())


def test_other_sheets_and_hidden_ones_are_refused():
    """Decisions in a copy of the sheet would be read by nobody."""
    book = opened(book_of())
    book.copy_worksheet(book["review"])
    assert "has a sheet “review Copy”" in refusal(saved(book))
    book = opened(book_of())
    book["review"].sheet_state = "veryHidden"
    assert "is hidden" in refusal(saved(book))
    book = opened(book_of())
    del book["review"]
    assert "has no sheet “review”" in refusal(saved(book))
    book = opened(book_of())
    del book["How to"]
    assert len(read(saved(book))) == 7


@given(st.data())
@settings(max_examples=60)
def test_no_damage_is_a_crash(data):
    content = bytearray(book_of())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ParameterError):
        read(bytes(content))


@given(st.data())
@settings(max_examples=40)
def test_no_damaged_xml_is_a_crash(data):
    part = data.draw(st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"]))
    at, cut, put = (
        data.draw(st.integers(0, 4_000)),
        data.draw(st.integers(0, 40)),
        data.draw(st.text(max_size=8)).encode("utf-8", "replace"),
    )
    with suppress(ParameterError):
        read(repacked(book_of(), lambda name, old: old[:at] + put + old[at + cut :] if name == part else old))


# As files


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name in ("notebooks", "parameters"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("AWSFED_ROOT", str(tmp_path))
    return tmp_path / "parameters"


def test_the_content_of_a_file_and_its_name_have_to_agree(root):
    (root / "a.xlsx").write_bytes(book_of())
    (root / "b.csv").write_text(review_sheet.text(REVIEW_SHEET))
    assert reviews.marks("a.xlsx", APPLICATION.id) == reviews.marks("b.csv", APPLICATION.id)
    (root / "c.csv").write_bytes(book_of())
    (root / "d.xlsx").write_text(review_sheet.text(REVIEW_SHEET))
    for name, words in (("c.csv", "is a workbook, and is not named .xlsx"), ("d.xlsx", "is no workbook, and is named .xlsx")):
        with pytest.raises(ParameterError, match=words):
            reviews.marks(name, APPLICATION.id)


def test_a_file_that_is_too_large_is_not_even_read(root):
    with (root / "a.xlsx").open("wb") as file:
        file.truncate(reviews.LARGEST + 1)
    with pytest.raises(ParameterError, match="bytes; at most"):
        reviews.marks("a.xlsx", APPLICATION.id)


def test_a_secret_in_the_sheet_takes_the_workbook_out_of_the_record_too(tmp_path):
    """A workbook is packed, so that no search sees into it; it goes with the CSV of its name."""
    made = record.create(tmp_path, "run", {})
    for name, content in access.files(review_of("a", policies="canary-secret-value"), NOW).items():
        made.keep_export(name, content)
    assert leaks.sweep(made, ["canary-secret-value"])
    assert sorted(path.name for path in (made.folder / "exports").iterdir()) == ["review.csv"]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="only where LibreOffice is installed; CI has none")
def test_through_libreoffice_and_back(tmp_path):
    (tmp_path / "review.xlsx").write_bytes(book_of(review_of(*NAMES)))
    command = [
        "soffice",
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        tmp_path / "out",
    ]
    subprocess.run([*command, tmp_path / "review.xlsx"], check=True, capture_output=True, timeout=120)
    assert [mark.group_name for mark in read((tmp_path / "out/review.xlsx").read_bytes())] == NAMES
