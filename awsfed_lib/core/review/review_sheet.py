"""The sheet of the reviewer: one row a path from a person to a role, to be marked keep or remove, and to be read back.

A spreadsheet is an unsafe way to travel: it drops leading zeros, makes formulas, sorts half a table. So every row carries an id that
is made of every cell that the reviewer sees and the application; a row whose cells and id do not fit together is refused, and with it
the sheet: a column that was sorted alone would show another account or last use beside the decision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.access_shapes import REVIEW
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review.access import gives_everything
from awsfed_lib.core.review.use import Use, last_use
from awsfed_lib.core.settings.table_file import Lines, lines
from awsfed_lib.core.tables import PATHS, canonical, check, frame, rows
from awsfed_lib.core.view.safe_csv import FORMULA_STARTS, csv_text, plain

Row = Mapping[str, Any]
DECISIONS = ("keep", "remove", "")
OPEN = ("decision", "reviewer", "comment")
SHOWN = tuple(name for name in REVIEW.columns if name not in (*OPEN, "row_id"))
READ_BACK = ("decision", "reviewer", "comment", "user_name", "group_name", "app_role_id", "path_id")
REMEDY = "Begin again from the sheet that 10-access wrote, and change only decision, reviewer and comment. Nothing was sent."


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


def row_id(application_id: str, row: Row) -> str:
    """Return an id of all that a row shows. Blanks, and the zeros that a spreadsheet takes from an account id, do not count."""
    facts = {name: " ".join(str(row[name]).replace("\x00", "␀").split()) for name in SHOWN}
    facts["account_id"] = facts["account_id"].zfill(12)
    return f"row-{hashlib.sha256(canonical([application_id, facts]).encode()).hexdigest()[:32]}"


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
    shown = {
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
    return shown | {"row_id": row_id(application_id, shown)}


def text(review: pd.DataFrame) -> str:
    """Write the sheet as CSV that no spreadsheet executes."""
    return csv_text(check(REVIEW, review))


def read(raw: bytes, application_id: str, file: str = "review_file") -> tuple[Mark, ...]:
    """Read the marks of a CSV that came back. Raises ParameterError naming the row."""
    came = lines(raw, file)
    rows_read = [(number, _without_formulas(number, came.names, cells)) for number, cells in came.rows]
    return marks(came._replace(rows=rows_read), application_id)


def _without_formulas(number: int, names: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Refuse what a spreadsheet would execute where awsfed wrote the cell, and take away the apostrophes that keep it from that.

    What reviewers write is text whatever it begins with: a comment may be a list with hyphens.
    """
    for name, cell in zip(names, cells, strict=True):
        if name not in OPEN and cell.lstrip().startswith(FORMULA_STARTS):
            words = f"Row {number} of the sheet holds a formula in the column {name}; awsfed writes none."
            raise ParameterError(words, code="review-formula", remedy=REMEDY)
    return [plain(cell) for cell in cells]


def marks(lines: Lines, application_id: str) -> tuple[Mark, ...]:
    """Read the marks of a sheet that came back, by path. Raises ParameterError naming the row.

    Columns may have moved, and others may have come; those that awsfed wrote must be there.
    """
    wrong = [f"{name} {lines.names.count(name)} times" for name in REVIEW.columns if lines.names.count(name) != 1]
    if wrong:
        words = f"The sheet must have each of its columns once, and has {', '.join(wrong)}."
        raise ParameterError(words, code="review-columns", remedy=REMEDY)
    filled = ((number, cells) for number, cells in lines.rows if any(cell.strip() for cell in cells))
    found = tuple(_mark(number, _named(number, lines.names, cells), application_id) for number, cells in filled)
    _refuse_twice(found)
    return found


def _named(number: int, names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(names) != len(cells):
        raise ParameterError(f"Row {number} of the sheet has not as many cells as its first row.", remedy=REMEDY)
    return dict(zip(names, cells, strict=True))


def _refuse_twice(marks: Iterable[Mark]) -> None:
    seen: set[str] = set()
    for mark in marks:
        if mark.path_id in seen:
            raise ParameterError(f"Two rows of the sheet decide about {_said(mark)}.", remedy="Keep one of them.")
        seen.add(mark.path_id)


def _said(mark: Mark) -> str:
    return f"{mark.user_name} through {mark.group_name or 'a direct assignment'}"


def _mark(number: int, line: Mapping[str, str], application_id: str) -> Mark:
    mark = Mark(*(line[name] for name in READ_BACK))
    mark = mark._replace(decision=mark.decision.strip().casefold(), reviewer=mark.reviewer.strip(), comment=mark.comment.strip())
    _refuse_wrong(number, mark, application_id)
    if line["row_id"].strip() != row_id(application_id, line):
        words = f"Row {number} of the sheet was changed where it must not be: its row_id does not belong to what it shows."
        raise ParameterError(words, code="review-row", remedy=REMEDY)
    return mark


def _refuse_wrong(number: int, mark: Mark, application_id: str) -> None:
    if mark.decision not in DECISIONS:
        raise ParameterError(f"Row {number} of the sheet decides {mark.decision[:40]!r}.", remedy="Write keep, remove, or nothing yet.")
    if mark.decision == "remove" and not mark.reviewer:
        raise ParameterError(f"Row {number} of the sheet removes, and nobody answers for it.", remedy="Write who decided into reviewer.")
    if mark.path_id != path_id(application_id, mark._asdict()):
        what = "path_id does not belong to the person, group and appRole of this row, or to this application"
        raise ParameterError(f"Row {number} of the sheet was changed where it must not be: its {what}.", remedy=REMEDY)
