"""Tables that people send: the CSV files below parameters/, as spreadsheets of all countries and the AWS console write them.

Read are UTF-8 with or without a mark, UTF-16 and Windows-1252; commas, semicolons and tabs; Excel's `sep=;` line; column names in any
case, with blanks for underscores; account ids as `0123-4567-8901`, `'012345678901` and `="012345678901"`. Blank rows do not count, and
every refusal names the row as a spreadsheet numbers it.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import StringIO
from typing import NamedTuple

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.tables import ACCOUNT_ID
from awsfed_lib.core.view.safe_csv import plain

SEPARATORS = (",", ";", "\t")
LINE = "line"
_SAVE = "Save it from the spreadsheet as “CSV UTF-8”."
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class Lines(NamedTuple):
    """A table as it came: the names of its columns, and its rows that are not blank by the number that a spreadsheet shows."""

    names: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[str]]]


def decoded(raw: bytes, file: str) -> str:
    """Return the text of a file. Raises ParameterError (`file-encoding`) when it is in none of the encodings above."""
    encoding = "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    for attempt in (encoding, "cp1252"):
        try:
            text = raw.decode(attempt)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ParameterError(f"{file} is not text in UTF-8, UTF-16 or Windows-1252.", code="file-encoding", where=file, remedy=_SAVE)


def lines(raw: bytes, file: str) -> Lines:
    """Read the rows of a CSV. Raises ParameterError (`file-encoding`, `file-cells`) naming the row."""
    text = decoded(raw, file)
    first, _, rest = text.partition("\n")
    named = re.fullmatch(r"sep=(.)\s*", first)
    head = rest.lstrip().partition("\n")[0] if named else text.lstrip().partition("\n")[0]
    separator = named[1] if named else max(SEPARATORS, key=_unquoted(head).count)
    blank_after_separator = f"{separator} " in head
    reader = csv.reader(StringIO(rest if named else text, newline=""), delimiter=separator, skipinitialspace=blank_after_separator)
    try:
        numbered = [(number, cells) for number, cells in enumerate(reader, start=2 if named else 1) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise ParameterError(f"{file} is not a CSV file: {error}.", code="file-cells", where=file, remedy=_SAVE) from None
    names = _without_blank_end(numbered[0][1]) if numbered else []
    return Lines(tuple(names), [(number, _filled(cells, names, f"{file}, row {number}")) for number, cells in numbered[1:]])


def _unquoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _without_blank_end(cells: Sequence[str]) -> list[str]:
    end = max((at for at, cell in enumerate(cells, start=1) if cell.strip()), default=0)
    return list(cells[:end])


def _filled(cells: Sequence[str], names: Sequence[str], where: str) -> list[str]:
    """Give a row as many cells as there are columns: spreadsheets leave out empty ones at its end, and add some."""
    found = _without_blank_end(cells)
    if len(found) > len(names):
        raise ParameterError(
            f"The row has {len(found)} cells, and the first row names {len(names)} columns.",
            code="file-cells",
            where=where,
            remedy="Put a text that holds the separator into quotes, as a spreadsheet does when it saves the file.",
        )
    return found + [""] * (len(names) - len(found))


def read_table(
    raw: bytes, file: str, columns: Collection[str], *, required: Collection[str] = (), also_called: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Read the rows of a CSV that people wrote: one dict a row, with each of `columns` ("" where it is missing) and `line`, its number.

    `also_called`: other names of columns, as plain lower case. Other columns are passed over. Raises ParameterError: `file-columns` for a
    column of `required` that is missing or any that stands twice, `file-cells` and `file-encoding`, each naming the row.
    """
    table = lines(raw, file)
    known = {**{name: name for name in columns}, **(also_called or {})}
    names = [known.get(plain_name(name), "") for name in table.names]
    wrong = [f"no column {name}" for name in required if name not in names]
    wrong += [f"the column {name} {names.count(name)} times" for name in columns if names.count(name) > 1]
    if wrong:
        raise ParameterError(
            f"{file} has {' and '.join(wrong)}; its first row is {', '.join(table.names) or 'empty'}.",
            code="file-columns",
            where=file,
            remedy=f"Name the columns in the first row: {', '.join(columns)}.",
        )
    return [{**dict.fromkeys(columns, ""), **dict(_named(names, cells)), LINE: str(number)} for number, cells in table.rows]


def plain_name(name: str) -> str:
    """`Account ID` and `account_id` are one column."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def _named(names: Sequence[str], cells: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name, cell in zip(names, cells, strict=True):
        if name:
            yield name, account_id(cell) if name == "account_id" else plain(cell.strip())


def account_id(text: str) -> str:
    """Return the twelve digits of an account id as people write it; anything else as it came, for the check to explain."""
    bare = re.sub(r'^="(.*)"$', r"\1", text.strip()).removeprefix("'")
    digits = re.sub(r"[\s-]", "", bare)
    return digits if ACCOUNT_ID.fullmatch(digits) else bare if _DIGITS.fullmatch(bare) else text.strip()
