"""The access review as the runbook 10-access sees it: paths, what logs know of use, and the sheet for reviewers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awsfed_lib.core.errors import TableError
from awsfed_lib.core.review import review_sheet, trail, trail_query
from awsfed_lib.core.review.access import administrators, by_account, by_user, overview
from awsfed_lib.core.review.review_sheet import sheet
from awsfed_lib.core.review.trail import Asked
from awsfed_lib.core.review.use import Log, Use, known, unread, unused, windows
from awsfed_lib.core.settings.table_file import decoded
from awsfed_lib.core.settings.trail_rules import LOOKUP
from awsfed_lib.edges.entra.sign_ins import read as sign_ins
from awsfed_lib.edges.entra.signers import membership
from awsfed_lib.edges.explorer import explore
from awsfed_lib.edges.records import where

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from awsfed_lib.edges.amazon.organization import Organization
    from awsfed_lib.edges.entra.graph import Graph
    from awsfed_lib.edges.records.run import Run

__all__ = [
    "Use", "administrators", "asked", "by_account", "by_user", "entered", "explore", "files", "known", "membership", "overview", "query",
    "sheet", "sign_ins", "unused", "windows",
]  # fmt: skip
SHEET, BOOK, QUERY = "review.csv", "review.xlsx", "who_entered_which_role.sql"
TOO_LONG = "review_has_no_xlsx.txt"


def asked(run: Run, graph: Graph, accounts: pd.DataFrame) -> Asked:
    """Say what is asked of CloudTrail about ACCOUNTS: by the parameters, and in the Regions where the application's people sign in."""
    given = run.parameters
    principal = {} if given.trail_regions else graph.service_principal(given.application_id, "replyUrls")
    regions = trail.regions_of(principal.get("replyUrls") or (), given.partition)
    how = trail.Terms(
        given.entered_from, given.trail_days, given.trail_pages, given.trail_regions, given.trail_table, given.trail_partitions
    )
    return trail.asked(how, accounts, regions, run.clock())


def entered(asked: Asked, organization: Organization, paths: pd.DataFrame) -> Log:
    """Read who entered which role, from where the parameter `entered_from` says. Raises ParameterError naming the line of a CSV."""
    source = asked.terms.source
    if source == LOOKUP:
        from awsfed_lib.edges.amazon import trail as lookup

        return lookup.entries(organization, asked, paths)
    return (
        trail_query.read(decoded(where.table_file(source).read_bytes(), source), asked.accounts, paths)
        if source
        else unread(trail.NAME, trail.NOT_ASKED, trail.HOW_TO_ASK)
    )


def query(asked: Asked) -> dict[str, str]:
    """Write the query for Athena, by file name."""
    return {QUERY: trail_query.render(asked)}


def files(review: pd.DataFrame, now: datetime) -> dict[str, str | bytes]:
    """Write the sheet for reviewers (REVIEW) as CSV and as workbook, by file name.

    Where the sheet has too many rows for a workbook, a text stands in its place and says so.
    """
    from awsfed_lib.core.review import review_book

    made: dict[str, str | bytes] = {SHEET: review_sheet.text(review)}
    try:
        return made | {BOOK: review_book.written(review, now)}
    except TableError as error:
        return made | {TOO_LONG: f"{error}\n"}
