"""Tables as Parquet, by DuckDB, which needs no other library for it and downloads nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.tables import canonical

# What DuckDB must never do with records: fetch an extension (duckdb.org/docs/stable/extensions/overview).
CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def connect() -> Any:
    """Return a DuckDB connection, in memory, that loads nothing from anywhere."""
    import duckdb

    return duckdb.connect(config=CLOSED)


def written(table: pd.DataFrame) -> bytes:
    """Return `table` as a Parquet file. Wire objects (dicts, lists) become JSON text; times stay UTC."""
    plain = pd.DataFrame({str(name): _plain(column) for name, column in table.items()})
    if plain.empty and not len(plain.columns):
        plain = pd.DataFrame({"empty": pd.Series([], dtype="str")})
    with tempfile.TemporaryDirectory(prefix="awsfed-") as folder, connect() as connection:
        path = Path(folder) / "table.parquet"
        connection.register("given", plain)
        connection.execute(f"COPY given TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        return path.read_bytes()


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    if column.dtype == object:
        return column.map(lambda cell: _storable(cell if isinstance(cell, str) else canonical(cell))).astype("str")
    if str(column.dtype) == "str":
        return column.map(_storable).astype("str")
    return column


def _storable(text: object) -> object:
    """Return text that UTF-8 can hold: half a surrogate pair is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


def read(path: Path) -> pd.DataFrame:
    """Read a table of a record, as it was kept. Raises RecordError when the file is no Parquet any more."""
    import duckdb

    try:
        with connect() as connection:
            table: pd.DataFrame = connection.read_parquet(str(path)).df()
    except (duckdb.Error, OSError):
        raise RecordError("The table cannot be read.", where=str(path), remedy="`awsfed runs verify` says what is changed.") from None
    return table
