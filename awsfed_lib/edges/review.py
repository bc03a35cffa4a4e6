"""What reviewers decided, as the runbook 17-review sees it: the sheet that came back, held against what is live."""

from __future__ import annotations

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review import review_sheet, ways
from awsfed_lib.core.review.review_sheet import Mark
from awsfed_lib.core.roles.decided import findings, lost, table
from awsfed_lib.core.roles.reviewed import Review, plan
from awsfed_lib.core.view.workbook_parts import OLE, PACKED, ZIP
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.signers import membership
from awsfed_lib.edges.records import where

__all__ = ["findings", "live", "lost", "marks", "plan", "read", "table"]
LARGEST = 4 * PACKED  # bytes of a CSV or a workbook; the workbook has its own limits beside


def marks(review_file: str, application_id: str) -> tuple[Mark, ...]:
    """Read the sheet below parameters/, CSV or XLSX. Raises ParameterError naming the row or the cell."""
    if _is_book(review_file):
        from awsfed_lib.core.review import marked_book

        return review_sheet.marks(marked_book.lines(where.table_file(review_file).read_bytes()), application_id)
    return review_sheet.read(where.table_file(review_file).read_bytes(), application_id)


def _is_book(review_file: str) -> bool:
    """Tell a workbook by its content. Raises ParameterError when the name of the file says otherwise, or the file is too large."""
    path = where.table_file(review_file)
    if (size := path.stat().st_size) > LARGEST:
        raise ParameterError(f"parameters/{review_file} has {size:,} bytes; at most {LARGEST:,} are read.", where=str(path))
    with path.open("rb") as file:
        found = file.read(len(ZIP)) in (ZIP, OLE)
    if found != review_file.lower().endswith(".xlsx"):
        what = "a workbook, and is not named .xlsx" if found else "no workbook, and is named .xlsx"
        raise ParameterError(f"parameters/{review_file} is {what}.", where=str(path), remedy="Save it from the spreadsheet once more.")
    return found


def read(graph: Graph, application_id: str, marked: tuple[Mark, ...]) -> Review:
    """Hold the marks against what is live: appRoles, assignments, members, and the groups of everybody with a marked path."""
    app_roles, assigned = graph.app_roles(application_id), graph.assignments(application_id)
    groups, members = membership(graph, assigned)
    found = ways.live(application_id, app_roles, assigned, groups=groups, members=members)
    going = {mark.path_id for mark in marked if mark.decision == "remove"}
    people = sorted({way.user_id for way in found if way.group_id and way.path_id in going})
    unseen = frozenset(groups.loc[groups["problem"] != "", "group_name"])
    memberships = {one: graph.memberships(one) for one in people}
    return Review(graph.application(application_id), app_roles, assigned, found, marked, memberships, unseen)


def live(review: Review) -> dict[str, pd.DataFrame]:
    """Give what the review was held against, by name, to be kept."""
    return {"live_app_roles": review.app_roles, "live_assignments": review.assigned}
