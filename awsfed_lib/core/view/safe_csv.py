"""CSV that a spreadsheet shows and never executes.

A cell that begins like a formula gets an apostrophe in front, as the field does (owasp.org/www-community/attacks/CSV_Injection);
the exact value stands in the Parquet beside it. Every cell is quoted.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

import pandas as pd

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  the full-width forms are the point


def csv_text(table: pd.DataFrame) -> str:
    """Return `table` as CSV: a header line, every cell quoted, lines ended by a line feed, no index, no byte order mark."""
    return csv_lines([str(name) for name in table.columns], table.itertuples(index=False, name=None))


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return CSV of `header` and `rows`; text is made safe, a missing value is empty, a time is ISO 8601."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([safe(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def safe(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula, blanks in front of it notwithstanding; `plain` takes it back."""
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def plain(cell: str) -> str:
    """Take the apostrophe away that `safe` put in front; one that was there before it stays."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell.lstrip("'")) else cell


def _is_formula(text: str) -> bool:
    return text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return safe(value.replace("\x00", "␀"))
    if isinstance(value, dict | list | tuple):
        return safe(json.dumps(value, ensure_ascii=False, default=str))
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124  NaN is what differs from itself
        return ""
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
