"""Tables for the eye: every cell whole, long ones wrapped, empty columns named instead of drawn, rows capped with a pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd
from pandas.api import types

from awsfed_lib.core import tables
from awsfed_lib.core.view.escape import breakable, escaped, visible
from awsfed_lib.core.view.markup import View, counted, output, quiet, scroll, worded

ROWS_IN_HTML = 200
ROWS_IN_TEXT = 60
NOTHING = "no rows"
FILE = "awsfed_file"  # key in DataFrame.attrs: where the record keeps the whole table
SHORT, LONG = 36, 60  # characters: a column of short cells never wraps, one of long cells keeps a readable width
SCHEMAS = tuple(value for value in vars(tables).values() if isinstance(value, tables.Schema))


class Drawn(NamedTuple):
    """What of a table is drawn: columns (with the look of numbers), cells as raw text, and what is said below it."""

    names: tuple[str, ...]
    looks: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]


def show(table: pd.DataFrame | pd.Series[Any], caption: str = "") -> View:
    """Show the table with a caption of your own; a bare table at the end of a cell gets its name and its number of rows."""
    return View(table_text(table, caption), table_html(table, caption))


def table_html(table: pd.DataFrame | pd.Series[Any], caption: str = "", limit: int = ROWS_IN_HTML) -> str:
    """One output with the table; column heads keep the names by which the reader filters."""
    return output(f'<div class="awsfed-tall">{bare_html(table, caption, limit)}</div>')


def bare_html(table: pd.DataFrame | pd.Series[Any], caption: str = "", limit: int = ROWS_IN_HTML) -> str:
    """Draw the table as part of another output."""
    whole = _as_frame(table)
    drawn = _draw(whole, limit)
    title = caption or _caption(whole)
    head = "".join(f'<th scope="col"{look}>{_head(name)}</th>' for name, look in zip(drawn.names, drawn.looks, strict=True))
    body = "".join(f"<tr>{_row(drawn, row)}</tr>" for row in drawn.rows) or f"<tr><td>{NOTHING}</td></tr>"
    inner = f"<caption><span>{escaped(title)}</span></caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return scroll(title, f"<table>{inner}</table>") + "".join(quiet(remark) for remark in drawn.remarks if remark != NOTHING)


def table_text(table: pd.DataFrame | pd.Series[Any], caption: str = "", limit: int = ROWS_IN_TEXT) -> str:
    """Write the table for a terminal: aligned, one line a row."""
    whole = _as_frame(table)
    drawn = _draw(whole, limit)
    lines = [[visible(cell) for cell in line] for line in (drawn.names, *drawn.rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(drawn.names))]
    drawn_lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([visible(caption or _caption(whole)), *drawn_lines, *(f"  {remark}" for remark in drawn.remarks)])


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns of text that are empty in all rows, where nobody need be told."""
    return table.loc[:, [bool((table[name] != "").any()) for name in table.columns]]


def _as_frame(table: pd.DataFrame | pd.Series[Any]) -> pd.DataFrame:
    """Index levels that mean something (named, or text) become columns; row numbers go."""
    whole = table.to_frame("" if table.name is None else str(table.name)) if isinstance(table, pd.Series) else table
    named = any(name is not None for name in whole.index.names)
    if named or not types.is_integer_dtype(whole.index.dtype):
        levels = whole.index.to_frame(index=False).set_axis([str(name or "") for name in whole.index.names], axis=1)
        columns = pd.concat([levels, whole.set_axis(range(len(whole)))], axis=1)
        columns.attrs = whole.attrs
        return columns
    return whole


def _caption(whole: pd.DataFrame) -> str:
    """Name the table by its schema, else by the file that the record keeps it in."""
    file = str(whole.attrs.get(FILE, ""))
    name = name_of(whole) or file.rpartition("/")[2].partition(".")[0]
    return f"{name}: {counted(len(whole), 'row')}" if name else counted(len(whole), "row")


def name_of(table: pd.DataFrame) -> str:
    """Name the first schema whose columns the table has, '' for a table of the reader's own."""
    present = {str(name) for name in table.columns}
    return next((schema.name for schema in SCHEMAS if present.issuperset(schema.columns)), "")


def _draw(whole: pd.DataFrame, limit: int) -> Drawn:
    columns = [(str(whole.columns[at]), whole.iloc[:, at]) for at in range(whole.shape[1])]
    wire = [name for name, cells in columns if _is_wire(cells)]
    texts = [(name, cells, [_cell(cell) for cell in cells.head(limit)]) for name, cells in columns if name not in wire]
    empty = [name for name, cells, shown in texts if len(whole) and not any(shown) and not any(_cell(cell) for cell in cells)]
    kept = [(name, cells, shown) for name, cells, shown in texts if name not in empty]
    return Drawn(
        tuple(name for name, _, _ in kept),
        tuple(_look(cells, shown) for _, cells, shown in kept),
        tuple(zip(*(shown for _, _, shown in kept), strict=True)) if kept else (),
        _remarks(whole, limit, empty, wire),
    )


def _remarks(whole: pd.DataFrame, limit: int, empty: Sequence[str], wire: Sequence[str]) -> tuple[str, ...]:
    file = whole.attrs.get(FILE, "")
    rows = f"showing {limit:,} of {len(whole):,} rows" + (f" — full table: {visible(file)}" if file else "")
    remarks = {
        rows: len(whole) > limit,
        NOTHING: not len(whole),
        f"empty in all rows: {', '.join(map(visible, empty))}": bool(empty),
        f"not drawn, as the service sent it: {', '.join(map(visible, wire))}": bool(wire),
    }
    return tuple(remark for remark, holds in remarks.items() if holds)


def _look(cells: pd.Series[Any], shown: Sequence[str]) -> str:
    """Give the class of a column, by what is in it."""
    if types.is_datetime64_any_dtype(cells.dtype):
        return ' class="awsfed-moment"'
    longest = max(map(len, shown), default=0)
    if types.is_numeric_dtype(cells.dtype) and not types.is_bool_dtype(cells.dtype):
        return ' class="awsfed-number"'
    width = "short" if longest <= SHORT else "long" if longest > LONG else "middle"
    return f' class="awsfed-{width}"'


def _is_wire(cells: pd.Series[Any]) -> bool:
    return cells.dtype == object and any(isinstance(cell, dict | list) for cell in cells)


def _cell(cell: object) -> str:
    if cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, pd.Timestamp):
        return cell.strftime("%Y-%m-%d %H:%M UTC" if cell.tzinfo else "%Y-%m-%d %H:%M")
    if types.is_bool(cell):
        return "yes" if cell else "no"
    return str(cell)


def _head(name: str) -> str:
    """Let the name of a column wrap on paper, at its underscores only."""
    return "_<wbr>".join(escaped(name).split("_"))


def _row(drawn: Drawn, row: tuple[str, ...]) -> str:
    """Draw one row; its first cell is its head, unless it is empty: then nothing heads the row."""
    cells = [worded(name, cell) or breakable(cell) for name, cell in zip(drawn.names, row, strict=True)]
    data = "".join(f"<td{look}>{cell}</td>" for look, cell in zip(drawn.looks[1:], cells[1:], strict=True))
    if not cells:
        return ""
    return f'<th scope="row"{drawn.looks[0]}>{cells[0]}</th>{data}' if cells[0] else f"<td{drawn.looks[0]}></td>{data}"
