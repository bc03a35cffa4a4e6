"""Accounts from a CSV, for those who may not list the organization: everything read as text."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.amazon.selection import Account, check_account_id
from awsfed_lib.edges.records import where

COLUMNS = ("account_id", "account_name", "ou_path")


def read_accounts(file: str) -> list[Account]:
    """Read account_id and, where given, account_name and ou_path from `file`, below parameters/ or an absolute path.

    Raises ParameterError for a missing file or column, an account that is named twice, and an id that is not 12 digits.
    """
    path = Path(file) if Path(file).is_absolute() else where.table_file(file)
    table = _table(path)
    twice = [account for account, times in Counter(table["account_id"]).items() if times > 1]
    if twice:
        raise ParameterError(f"The file names account {twice[0]} twice.", where=str(path), remedy="Keep one line an account.")
    listed = table.to_dict(orient="records")
    for line, row in enumerate(listed, 2):
        check_account_id(row["account_id"], f"{path.name}, line {line}")
    return [Account(row["account_id"], row.get("account_name", ""), row.get("ou_path", "")) for row in listed]


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skipinitialspace=True)
    except (OSError, ValueError) as error:
        raise ParameterError(f"The CSV of accounts cannot be read: {error}", where=str(path), remedy="Save it as CSV in UTF-8.") from None
    if "account_id" not in table.columns:
        raise ParameterError(
            f"The CSV of accounts has no column account_id; it has {', '.join(map(str, table.columns))}.",
            where=str(path),
            remedy="Name the columns account_id, account_name, ou_path in the first line, with commas between them.",
        )
    found: pd.DataFrame = table[[name for name in COLUMNS if name in table.columns]].apply(lambda cells: cells.str.strip())
    return found
