"""Accounts from a CSV, for those who may not list the organization: as spreadsheets and AWS itself write it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings.table_file import LINE, read_table
from awsfed_lib.edges.amazon.selection import Account, check_account_id
from awsfed_lib.edges.records import where

COLUMNS = ("account_id", "account_name", "ou_path")
NAMES_OF_AWS = {"id": "account_id", "name": "account_name"}  # as `aws organizations list-accounts` has them


def read_accounts(file: str) -> list[Account]:
    """Read account_id and, where given, account_name and ou_path from `file`, below parameters/ or an absolute path.

    Raises ParameterError for a missing file or column, an account that is named twice, and an id that is not 12 digits.
    """
    path = Path(file) if Path(file).is_absolute() else where.table_file(file)
    try:
        raw = path.read_bytes()
    except OSError as error:
        words = f"The CSV of accounts cannot be read: {error.strerror}."
        raise ParameterError(words, code="file-missing", where=str(path), remedy="Correct accounts_file.") from None
    listed = read_table(raw, path.name, COLUMNS, required=("account_id",), also_called=NAMES_OF_AWS)
    for row in listed:
        check_account_id(row["account_id"], f"{path.name}, line {row[LINE]}")
    twice = [account for account, times in Counter(row["account_id"] for row in listed).items() if times > 1]
    if twice:
        words = f"The file names account {twice[0]} twice."
        raise ParameterError(words, code="account-twice", where=str(path), remedy="Keep one line per account.")
    return [Account(row["account_id"], row["account_name"], row["ou_path"]) for row in listed]
