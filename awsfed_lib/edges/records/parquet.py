"""Tables as Parquet, by DuckDB, which needs no other library for it and downloads nothing.

What is read is what was written: the file says of each column which type pandas had, which cells of a wire column are
JSON text, and how text read that UTF-8 cannot hold (duckdb.org/docs/stable/data/parquet/metadata, key-value metadata).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.tables import canonical, is_missing

# What DuckDB must never do with records: fetch an extension (duckdb.org/docs/stable/extensions/overview).
CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_ENTRY = "awsfed"  # in the file's own metadata: dtype by column, and what its cells are
_NOTHING = "empty"  # a Parquet file has at least one column


def connect() -> Any:
    """Return a DuckDB connection, in memory, that loads nothing from anywhere."""
    return _database(os.getpid()).cursor()


@cache
def _database(_process: int) -> Any:
    """Make the one database of a process: that takes longer than writing a table does, and a fork must not use its parent's."""
    import duckdb

    return duckdb.connect(config=CLOSED)


def written(table: pd.DataFrame) -> bytes:
    """Return `table` as a Parquet file. Wire objects (dicts, lists) become JSON text; times stay UTC.

    Raises RecordError for a cell that JSON cannot say.
    """
    columns = {str(name): column for name, column in table.items()}
    plain = pd.DataFrame({name: _plain(column) for name, column in columns.items()} or {_NOTHING: pd.Series([], dtype="str")})
    said = json.dumps({name: _said(column) for name, column in columns.items()}).replace("'", "''")
    with tempfile.TemporaryDirectory(prefix="awsfed-") as folder, connect() as connection:
        path = Path(folder) / "table.parquet"
        connection.register("given", plain)
        connection.execute(f"COPY given TO '{path}' (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_ENTRY}: '{said}'}})")
        return path.read_bytes()


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    if column.dtype == object:
        return pd.Series([None if is_missing(cell) else _storable(_text(cell)) for cell in column], dtype="str")
    return column.map(_storable, na_action="ignore").astype("str") if _escaped(column) else column


def _text(cell: object) -> str:
    try:
        return cell if isinstance(cell, str) else canonical(cell)
    except (TypeError, ValueError) as error:
        raise RecordError(f"The record cannot hold this value: {error}.") from None


def _storable(text: str) -> str:
    """Return text that UTF-8 can hold: half a surrogate pair is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _said(column: pd.Series[Any]) -> dict[str, Any]:
    """Say what Parquet does not: the dtype; of a column that holds other than text, `text`: its rows that are text; `exact`."""
    said: dict[str, Any] = {"dtype": str(column.dtype), "exact": _escaped(column)}
    if column.dtype == object and not all(isinstance(cell, str) or is_missing(cell) for cell in column):
        said["text"] = [row for row, cell in enumerate(column) if isinstance(cell, str)]
    return {name: told for name, told in said.items() if told or name == "text"}


def _escaped(column: pd.Series[Any]) -> list[tuple[int, str]]:
    """Return the cells, by their rows, that are text which UTF-8 cannot hold."""
    texts = [cell if isinstance(cell, str) else "" for cell in column] if column.dtype in ("object", "str") else []
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return [(row, text) for row, text in enumerate(texts) if _storable(text) != text]
    return []


def read(path: Path) -> pd.DataFrame:
    """Read a table of a record, as it was kept. Raises RecordError when the file is no Parquet any more."""
    import duckdb

    try:
        with connect() as connection:
            table: pd.DataFrame = connection.read_parquet(str(path)).df()
            kept = dict(connection.execute("SELECT key, value FROM parquet_kv_metadata($path)", {"path": str(path)}).fetchall())
        said: Mapping[str, Any] = json.loads(kept[_ENTRY.encode()])
        # By place: DuckDB calls the second of two names that differ in case alone otherwise.
        return pd.DataFrame({name: _as_kept(table.iloc[:, place], how) for place, (name, how) in enumerate(said.items())})
    except (duckdb.Error, OSError, ValueError, LookupError):
        raise RecordError("The table cannot be read.", where=str(path), remedy="`awsfed runs verify` says what is changed.") from None


def _as_kept(column: pd.Series[Any], said: Mapping[str, Any]) -> pd.Series[Any]:
    dtype = said.get("dtype", column.dtype)
    if "text" in said:
        texts = set(said["text"])
        cells = [None if is_missing(cell) else cell if row in texts else json.loads(cell) for row, cell in enumerate(column)]
    elif dtype == "object" or "exact" in said:
        cells = [None if is_missing(cell) else cell for cell in column]
    else:
        return column.astype(dtype)
    for row, cell in said.get("exact", ()):
        cells[row] = cell
    return pd.Series(cells, dtype=dtype)
