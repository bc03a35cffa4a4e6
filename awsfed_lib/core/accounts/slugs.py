"""What stands for an account in role names: made of its name once, then frozen.

A role cannot be renamed, so an account that is renamed keeps its roles; the file of account names is what remembers, in
git. Groups have the names of roles, so two accounts never share a slug.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings.table_file import read_table
from awsfed_lib.core.shapes import SLUGS
from awsfed_lib.core.tables import ACCOUNT_ID, frame, rows

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


def slug(name: str) -> str:
    """Make a slug of an account name: lower case, letters and digits of ASCII, single hyphens; "" when nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def slugs(accounts: pd.DataFrame, frozen: Mapping[str, str]) -> pd.DataFrame:
    """Give each account of ACCOUNTS its slug: SLUGS. `frozen` (account id → slug) wins; order of accounts means nothing.

    Accounts whose names make one slug, or one that is frozen for another, get the last four digits of their id as well.
    Raises ParameterError when even the whole id leaves no free name.
    """
    listed = rows(accounts)
    fresh = {row["account_id"]: slug(row["account_name"]) or row["account_id"] for row in listed if row["account_id"] not in frozen}
    shared = Counter([*fresh.values(), *frozen.values()])
    longer = {key: text if shared[text] == 1 else f"{text}-{key[-4:]}" for key, text in fresh.items()}
    again = Counter([*longer.values(), *frozen.values()])
    made = {key: text if again[text] == 1 else f"{fresh[key]}-{key}" for key, text in longer.items()}
    if clash := sorted(set(made.values()) & set(frozen.values())):
        raise ParameterError(f"No free name is left: {clash[0]} is frozen for another account.", remedy="Freeze one for the new account.")
    return frame(SLUGS, [_row(row, frozen, (fresh, made)) for row in listed])


def _row(row: Mapping[str, str], frozen: Mapping[str, str], new: tuple[Mapping[str, str], Mapping[str, str]]) -> dict[str, str]:
    key, (plain, made) = row["account_id"], new
    found = frozen.get(key) or made[key]
    how = "frozen" if key in frozen else "new" if plain[key] == found else "new (another account has that name)"
    return {"account_id": key, "account_name": row["account_name"], "slug": found, "how": how}


def read_frozen(raw: bytes, file: str = "names_file") -> dict[str, str]:
    """Read the file of account names, CSV with the columns account_id and slug.

    Raises ParameterError for an id that is not 12 digits, a slug that is none, an account or a slug that stands twice.
    """
    columns = ("account_id", "slug")
    found: dict[str, str] = {}
    for row in read_table(raw, file, columns, required=columns):
        account_id, name = row["account_id"], row["slug"]
        _check(account_id, name, found)
        found[account_id] = name
    return found


def _check(account_id: str, name: str, found: Mapping[str, str]) -> None:
    if not ACCOUNT_ID.fullmatch(account_id):
        raise ParameterError(
            f"{account_id!r} in the file of account names is no account id of 12 digits.", remedy="Spreadsheets drop zeros."
        )
    if not _SLUG.fullmatch(name):
        raise ParameterError(f"The slug {name!r} of account {account_id} must be lower-case letters, digits and single hyphens.")
    if account_id in found or name in found.values():
        raise ParameterError(f"Account {account_id} or its slug {name!r} stands twice in the file of account names.")


def frozen_csv(table: pd.DataFrame) -> str:
    """Write SLUGS as the file of account names, to be reviewed and kept in git."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["account_id", "slug"])
    writer.writerows(sorted((row["account_id"], row["slug"]) for row in rows(table)))
    return out.getvalue()
