"""The workbook of the reviewer that came back: its rows, for the one reader of rows (review_sheet.marks).

A cell is what it says, and nothing is computed: a formula is refused, and so is a number where text has to stand. Whoever typed
012345678901 into a cell for numbers has 12345678901 now, and nobody can tell.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from awsfed_lib.core.access_shapes import REVIEW
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review.review_book import HELP, ROWS, SHEET
from awsfed_lib.core.review.review_sheet import OPEN, REMEDY
from awsfed_lib.core.settings.table_file import Lines
from awsfed_lib.core.view import workbook_parts
from awsfed_lib.core.view.sheet_text import exact

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_LAST_ROW, _LAST_COLUMN, COLUMNS = 1_048_576, 16_384, 256  # of a sheet of Excel (twice), and of one that is read
_KINDS = {"n": "a number", "d": "a date", "b": "a truth value", "e": "an error"}


def lines(content: bytes) -> Lines:
    """Read the rows of the sheet “review”. Raises ParameterError naming the cell, for a formula, a number, and what is no such workbook."""
    workbook_parts.check(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what openpyxl does not know of a workbook is not read here either
            return _lines(load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False))
    except ParameterError:
        raise
    except Exception as error:  # noqa: BLE001  openpyxl raises whatever its parts raise
        raise ParameterError(f"The workbook is damaged: {type(error).__name__}.", remedy=REMEDY) from None


def _lines(book: Workbook) -> Lines:
    sheet: Any = _sheet(book)
    sheet.reset_dimensions()  # what the file says of its size is its own word only
    head = next(sheet.iter_rows(min_row=1, max_row=1, max_col=_LAST_COLUMN), ())
    names = _cells(1, head, ())
    while names and not names[-1]:
        names.pop()
    if len(names) > COLUMNS:
        raise ParameterError(f"The sheet has {len(names):,} columns, and at most {COLUMNS} are read.", remedy=REMEDY)
    cells = enumerate(sheet.iter_rows(min_row=2, max_row=_LAST_ROW + 1, max_col=COLUMNS), start=2)
    return Lines(tuple(names), list(_filled(cells, names)))


def _sheet(book: Workbook) -> Any:
    """Return the one sheet that is read. Others could hold decisions that nobody reads, so none may be there."""
    if others := [name for name in book.sheetnames if name not in (SHEET, HELP)]:
        what = f"The workbook has a sheet “{others[0][:40]}”; only “{SHEET}” is read, and “{HELP}” may stand beside it."
        raise ParameterError(what, remedy="Delete the other sheets, or copy their decisions into the right one first.")
    if SHEET not in book.sheetnames:
        raise ParameterError(f"The workbook has no sheet “{SHEET}”.", remedy=REMEDY)
    if book[SHEET].sheet_state != "visible":
        raise ParameterError(f"The sheet “{SHEET}” is hidden: nobody saw what it decides.", remedy="Show it, look at it, save it.")
    return book[SHEET]


def _filled(found: Iterable[tuple[int, Sequence[Any]]], names: Sequence[str]) -> Iterable[tuple[int, list[str]]]:
    count, blank = 0, None
    for number, row in found:
        filled = row is not blank and any(cell.value is not None for cell in row)
        count += filled
        if number > _LAST_ROW or count > ROWS:
            raise ParameterError(f"The sheet has more than {ROWS:,} rows, or rows where Excel has none.", remedy=REMEDY)
        if filled:
            cells = _cells(number, row, names)
            yield number, cells if any(cells[len(names) :]) else cells[: len(names)]
        else:
            blank = row  # openpyxl gives one and the same for each row that the file does not have, a million perhaps


def _cells(number: int, row: Sequence[Any], names: Sequence[str]) -> list[str]:
    named = dict(enumerate(names))
    return ["" if cell.value is None else _cell((number, at), named.get(at, ""), cell) for at, cell in enumerate(row)]


def _cell(at: tuple[int, int], name: str, cell: Any) -> str:
    place = f"{get_column_letter(at[1] + 1)}{at[0]}"
    if cell.data_type == "f":
        raise ParameterError(f"Cell {place} of the sheet “{SHEET}” holds a formula; no sheet of ours does.", remedy=REMEDY)
    if cell.data_type == "s":
        return str(cell.value) if name in OPEN else exact(str(cell.value))
    if name in REVIEW.columns:
        what = f"Cell {place} of the sheet “{SHEET}” ({name}) holds {_KINDS.get(cell.data_type, 'no text')}, {str(cell.value)[:40]}."
        raise ParameterError(what, remedy="A spreadsheet took the text for something else. Format the cell as Text, and write it again.")
    return str(cell.value)
