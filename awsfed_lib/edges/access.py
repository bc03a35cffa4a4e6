"""The access review as the runbook 10-access sees it: paths, what logs know of use, and the sheet for reviewers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from awsfed_lib.core.review import review_sheet, trail
from awsfed_lib.core.review.access import administrators, by_account, by_user, overview
from awsfed_lib.core.review.review_sheet import sheet
from awsfed_lib.core.review.use import Log, Use, known, unread, unused
from awsfed_lib.edges.entra.sign_ins import read as sign_ins
from awsfed_lib.edges.entra.signers import membership
from awsfed_lib.edges.explorer import explore
from awsfed_lib.edges.records import where

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Use", "administrators", "by_account", "by_user", "entered", "explore", "files", "known", "membership", "overview", "sheet",
    "sign_ins", "unused",
]  # fmt: skip
SHEET, QUERY = "review.csv", "who_entered_which_role.sql"
TRAIL = timedelta(days=90)


def entered(used_file: str, paths: pd.DataFrame) -> Log:
    """Read what Athena found in CloudTrail: the CSV below parameters/, "" for none. Raises ParameterError naming the line."""
    return trail.read(where.table_text(used_file), paths) if used_file else unread(trail.NAME, trail.NOT_GIVEN)


def files(review: pd.DataFrame, now: datetime) -> dict[str, str]:
    """Write the sheet for reviewers (REVIEW) and the query for Athena, by file name."""
    return {SHEET: review_sheet.text(review), QUERY: trail.query(now - TRAIL, now)}
