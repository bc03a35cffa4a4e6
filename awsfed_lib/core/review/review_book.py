"""The sheet of the reviewer as a workbook: in Excel, an account id stays text, and only the reviewer's own columns can be written in.

openpyxl lays out one row, and the rows themselves are written here as XML: through openpyxl a cell takes three times as long, and a
company has hundreds of thousands. Every cell is text (an inline string in the format @), never a number, a formula or a link. The same
sheet at the same time gives the same bytes, for it lies in a record. Protection has no password: it keeps slips away, and 17-review refuses
what was changed all the same.
"""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter

from awsfed_lib.core.access_shapes import REVIEW
from awsfed_lib.core.errors import TableError
from awsfed_lib.core.review.review_sheet import OPEN
from awsfed_lib.core.tables import check, rows
from awsfed_lib.core.view.safe_csv import FORMULA_STARTS
from awsfed_lib.core.view.sheet_text import cell_text

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

SHEET, HELP = "review", "How to"
ROWS = 200_000  # more make a workbook that no desk computer filters; Excel itself ends at 1,048,576
WIDTHS = {
    "decision": 10, "reviewer": 20, "comment": 30, "user_name": 34, "group_name": 32, "account_id": 16, "account_name": 28,
    "role_name": 26, "administrator": 14, "policies": 46, "verdict": 14, "last_use": 64, "app_role_id": 38, "path_id": 24, "row_id": 24,
}  # fmt: skip
WORDS = (
    "Each row of the sheet “review” is one way by which a person reaches a role in AWS. Decide for each whether it stays.",
    "Write only into the white columns: decision (keep or remove, from the list), reviewer (your name) and comment (why).",
    "A row that says remove needs a reviewer. A row without a decision is undecided, and nothing is taken away for it.",
    "An amber row with “yes” below administrator gives everything in the account: look at these first.",
    "last_use says what the logs know, and for which days. Not in a log is not the same as never.",
    "Through a group, somebody leaves the group only when all of that person's rows with this group say remove.",
    "Filter with the arrows of the first row. Excel sorts no locked cells: to sort, choose Review, Unprotect Sheet; it has no password.",
    "Change nothing else, and add no sheets: a row that was changed where it must not be is refused, and so is a formula.",
    "Something like [U+202E] in a name stands for a character that cannot be seen.",
    "Save as Excel Workbook (.xlsx), and send the file back to who gave it to you.",
)
_WHITE, _GREY, _AMBER, _DARK = "FFFFFF", "F2F2F2", "FFE699", "1F3864"
_LINE = Border(bottom=Side(style="hair", color="BFBFBF"))
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP can tell
_FIRST = "xl/worksheets/sheet1.xml"
_LETTERS = tuple((get_column_letter(number), name) for number, name in enumerate(REVIEW.columns, start=1))


class Look(NamedTuple):
    """What a cell looks like: whose column it is, of which row, and what is in it."""

    column: str  # open or locked
    row: str  # plain or administrator
    content: str  # plain, or typed: what Excel would take for something else, were it typed


def written(review: pd.DataFrame, now: datetime) -> bytes:
    """Write REVIEW as a workbook of two sheets. Raises TableError when it has more rows than `ROWS`."""
    table = rows(check(REVIEW, review))
    if len(table) > ROWS:
        raise TableError(f"The review has {len(table):,} rows, and a workbook of ours holds {ROWS:,}.", remedy="Take review.csv.")
    book = _book(now, len(table) + 1)
    styles = _styles(book[SHEET])
    return _packed(_parts(book), [_row(number, row, styles) for number, row in enumerate(table, start=2)])


def _book(now: datetime, last: int) -> Workbook:
    book = Workbook()
    del book["Sheet"]
    _lay_out(book.create_sheet(SHEET), last)
    _explain(book.create_sheet(HELP))
    book.properties.creator, book.properties.title = "awsfed", "Access review"
    book.properties.created = book.properties.modified = now.replace(tzinfo=None, microsecond=0)
    return book


def _explain(sheet: Worksheet) -> None:
    sheet.column_dimensions["A"].width = 86
    for number, words in enumerate(("How to review", *WORDS), start=1):
        cell = sheet.cell(number, 1, words)
        cell.alignment, cell.font = Alignment(wrap_text=True, vertical="top"), Font(bold=number == 1, size=14 if number == 1 else 11)
    sheet.protection.sheet = True


def _lay_out(sheet: Worksheet, last: int) -> None:
    for number, name in enumerate(REVIEW.columns, start=1):
        cell = sheet.cell(1, number, name)
        cell.font, cell.fill = Font(bold=True, color=_WHITE), PatternFill("solid", fgColor=_DARK)
        sheet.column_dimensions[get_column_letter(number)].width = WIDTHS[name]
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(REVIEW.columns))}{last}"
    sheet.add_data_validation(_choice(last))
    _protect(sheet)
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _choice(last: int) -> DataValidation:
    choice = DataValidation("list", formula1='"keep,remove"', allow_blank=True, showErrorMessage=True)
    choice.errorTitle, choice.error = "decision", "Write keep or remove, or leave it empty."
    choice.add(f"A2:A{max(last, 2)}")
    return choice


def _protect(sheet: Worksheet) -> None:
    """Lock the sheet but for its open cells; of these attributes, False allows (ECMA-376 part 1, 18.3.1.85, sheetProtection)."""
    sheet.protection.sheet = True
    sheet.protection.autoFilter = sheet.protection.sort = sheet.protection.formatColumns = sheet.protection.formatRows = False


def _styles(sheet: Worksheet) -> Mapping[Look, int]:
    looks = product(("open", "locked"), ("plain", "administrator"), ("plain", "typed"))
    return {Look(*look): _style(sheet, Look(*look)) for look in looks}


def _style(sheet: Worksheet, look: Look) -> int:
    cell = WriteOnlyCell(sheet, "")
    colour = _WHITE if look.column == "open" else _AMBER if look.row == "administrator" else _GREY
    cell.number_format, cell.fill, cell.border = "@", PatternFill("solid", fgColor=colour), _LINE
    cell.font = Font(bold=look.row == "administrator")
    cell.protection, cell.alignment = Protection(locked=look.column == "locked"), Alignment(vertical="top")
    cell.quotePrefix = look.content == "typed"
    return cell.style_id


def _row(number: int, row: Mapping[str, Any], styles: Mapping[Look, int]) -> bytes:
    kind = "administrator" if row["administrator"] else "plain"
    cells = (_cell(f"{letter}{number}", name, (row[name], kind), styles) for letter, name in _LETTERS)
    return f'<row r="{number}">{"".join(cells)}</row>'.encode()


def _cell(place: str, name: str, said: tuple[str, str], styles: Mapping[Look, int]) -> str:
    text, kind = said
    typed = text[:1].isdigit() or text.lstrip().startswith(FORMULA_STARTS)
    style = styles[Look("open" if name in OPEN else "locked", kind, "typed" if typed else "plain")]
    if not text:
        return f'<c r="{place}" s="{style}"/>'
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{html.escape(cell_text(text), quote=False)}</t></is></c>'


def _parts(book: Workbook) -> Iterator[tuple[str, bytes]]:
    """Give the parts of the workbook, which holds the layout and none of the rows, as openpyxl writes them."""
    buffer = io.BytesIO()
    ExcelWriter(book, zipfile.ZipFile(buffer, "w")).save()
    with zipfile.ZipFile(buffer) as archive:
        yield from ((name, archive.read(name)) for name in archive.namelist())


def _packed(parts: Iterable[tuple[str, bytes]], made: Sequence[bytes]) -> bytes:
    """Pack the parts, with the rows in the first sheet, under one time for all."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            part = zipfile.ZipInfo(name, _EPOCH)
            part.compress_type, part.create_system = zipfile.ZIP_DEFLATED, 3
            archive.writestr(part, _with_rows(content, made) if name == _FIRST else content)
    return buffer.getvalue()


def _with_rows(content: bytes, made: Sequence[bytes]) -> bytes:
    size = f'<dimension ref="A1:{_LETTERS[-1][0]}'
    head, end, tail = content.replace(f'{size}1"'.encode(), f'{size}{len(made) + 1}"'.encode(), 1).partition(b"</sheetData>")
    return b"".join([head, *made, end, tail])
