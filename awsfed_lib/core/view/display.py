"""Everything that shows something: plans, outcomes, tables, errors and the banner, as text and as HTML."""

from __future__ import annotations

from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.markup import View
from awsfed_lib.core.view.notice_view import Banner, error_view
from awsfed_lib.core.view.outcome_view import outcome_html, outcome_text
from awsfed_lib.core.view.plan_view import plan_html, plan_text
from awsfed_lib.core.view.table_view import show, table_html, table_text

__all__ = [
    "Banner", "View", "error_view", "escaped", "outcome_html", "outcome_text", "plan_html", "plan_text", "show", "table_html",
    "table_text", "visible",
]  # fmt: skip
