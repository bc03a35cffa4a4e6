"""The sheet of the reviewer: one row a path from a person to a role, to be marked keep or remove, and to be read back.

A spreadsheet is an unsafe way to travel: it drops leading zeros, makes formulas, sorts half a table. So every row carries an id that
is made of its own cells and the application; a row whose cells and id do not fit together is refused, and with it the sheet.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.access_shapes import REVIEW
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review.access import gives_everything
from awsfed_lib.core.review.use import Use, last_use
from awsfed_lib.core.tables import PATHS, check, frame, rows
from awsfed_lib.core.view.safe_csv import FORMULA_STARTS, csv_text

Row = Mapping[str, Any]
DECISIONS = ("keep", "remove", "")
READ_BACK = ("decision", "reviewer", "comment", "user_name", "group_name", "app_role_id", "path_id")
_REMEDY = "Begin again from the sheet that 10-access wrote, and change only decision, reviewer and comment. Nothing was read or sent."


class Mark(NamedTuple):
    """What a reviewer wrote to a path."""

    decision: str
    reviewer: str
    comment: str
    user_name: str
    group_name: str
    app_role_id: str
    path_id: str


def path_id(application_id: str, row: Row) -> str:
    """Name a path by the application, the person, the group and the appRole."""
    facts = (application_id, row["user_name"], row["group_name"], row["app_role_id"])
    return f"path-{hashlib.sha256(chr(10).join(facts).encode()).hexdigest()[:16]}"


def sheet(application_id: str, paths: pd.DataFrame, use: Use) -> pd.DataFrame:
    """Write REVIEW of PATHS: every path that ends at a person and that an assignment or a membership makes.

    Nested members are left out: nothing of theirs is there to be removed.
    """
    listed = [row for row in rows(check(PATHS, paths)) if is_reviewed(row)]
    ordered = sorted(listed, key=lambda row: (row["account_id"], row["role_arn"], row["user_name"], row["group_name"]))
    return frame(REVIEW, [_row(application_id, row, use) for row in ordered])


def is_reviewed(row: Row) -> bool:
    """Whether there is something to decide about a row of PATHS."""
    return bool(row["user_name"]) and row["verdict"] != "nested"


def _row(application_id: str, row: Row, use: Use) -> dict[str, str]:
    return {
        "user_name": row["user_name"],
        "group_name": row["group_name"],
        "account_id": row["account_id"],
        "account_name": row["account_name"],
        "role_name": row["role_arn"].rpartition("/")[2],
        "administrator": "yes" if gives_everything(row["policies"]) else "",
        "policies": row["policies"],
        "verdict": row["verdict"],
        "last_use": last_use(row["role_arn"], row["user_name"], use),
        "app_role_id": row["app_role_id"],
        "path_id": path_id(application_id, row),
    }


def text(review: pd.DataFrame) -> str:
    """Write the sheet as CSV that no spreadsheet executes."""
    return csv_text(check(REVIEW, review))


def read(content: str, application_id: str) -> tuple[Mark, ...]:
    """Read the marks of a sheet that came back, by path. Raises ParameterError naming the line.

    Columns may have moved, and others may have come; the seven that are read must be there. Commas or semicolons part the cells,
    as spreadsheets of different countries write them.
    """
    try:
        marks = _marks(content.removeprefix("\ufeff"), application_id)
    except csv.Error as error:
        raise ParameterError(f"The sheet is no CSV: {error}.", remedy=_REMEDY) from None
    _refuse_twice(marks)
    return marks


def _marks(content: str, application_id: str) -> tuple[Mark, ...]:
    head = content.partition("\n")[0]
    lines = csv.DictReader(StringIO(content, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    names = list(lines.fieldnames or ())
    wrong = [f"{name} {names.count(name)} times" for name in READ_BACK if names.count(name) != 1]
    if wrong:
        raise ParameterError(f"The sheet must have each of its columns once, and has {', '.join(wrong)}.", remedy=_REMEDY)
    return tuple(_mark(number, line, application_id) for number, line in enumerate(lines, start=2) if any(map(_filled, line.values())))


def _filled(cell: object) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else bool(cell)


def _refuse_twice(marks: Iterable[Mark]) -> None:
    seen: set[str] = set()
    for mark in marks:
        if mark.path_id in seen:
            raise ParameterError(f"Two lines of the sheet decide about {_named(mark)}.", remedy="Keep one of them.")
        seen.add(mark.path_id)


def _named(mark: Mark) -> str:
    return f"{mark.user_name} through {mark.group_name or 'a direct assignment'}"


def _mark(number: int, line: Mapping[Any, Any], application_id: str) -> Mark:
    if None in line or None in line.values():
        raise ParameterError(f"Line {number} of the sheet has not as many cells as its first line.", remedy=_REMEDY)
    for name, cell in line.items():
        if cell.lstrip().startswith(FORMULA_STARTS):
            raise ParameterError(f"Line {number} of the sheet holds a formula in the column {name}; no sheet of ours does.", remedy=_REMEDY)
    mark = Mark(*(_plain(line[name]) for name in READ_BACK))
    mark = mark._replace(decision=mark.decision.strip().casefold(), reviewer=mark.reviewer.strip(), comment=mark.comment.strip())
    _refuse_wrong(number, mark, application_id)
    return mark


def _plain(cell: str) -> str:
    """Take the apostrophe away that kept a spreadsheet from taking the cell for a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(FORMULA_STARTS) else cell


def _refuse_wrong(number: int, mark: Mark, application_id: str) -> None:
    if mark.decision not in DECISIONS:
        raise ParameterError(f"Line {number} of the sheet decides {mark.decision[:40]!r}.", remedy="Write keep, remove, or nothing yet.")
    if mark.decision == "remove" and not mark.reviewer:
        raise ParameterError(f"Line {number} of the sheet removes, and nobody answers for it.", remedy="Write who decided into reviewer.")
    if mark.path_id != path_id(application_id, mark._asdict()):
        what = "path_id does not belong to the person, group and appRole of this line, or to this application"
        raise ParameterError(f"Line {number} of the sheet was changed where it must not be: its {what}.", remedy=_REMEDY)
