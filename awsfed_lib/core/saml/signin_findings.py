"""What is wrong with signing in, as findings: broken paths, failed checks of a response, sessions that AWS refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from awsfed_lib.core.finding import finding
from awsfed_lib.core.review.links import BROKEN, CONSOLE, WORKS
from awsfed_lib.core.saml.response_checks import FAILED, Checked
from awsfed_lib.core.tables import FINDINGS, frame, rows

_SEVERITIES = {"broken": "high", "unknown": "medium", "conditional": "medium", "console only": "low"}
_ORDER = ("high", "medium", "low")


def findings(paths: pd.DataFrame, checked: Checked, sessions: pd.DataFrame) -> pd.DataFrame:
    """Judge SIGN_INS, the checks of a response, and SESSIONS: FINDINGS, the worst first."""
    found = (*_of_paths(rows(paths)), *_of_checks(checked), *_of_sessions(rows(sessions)))
    return frame(FINDINGS, sorted(found, key=lambda row: (_ORDER.index(row["severity"]), row["check"], row["subject"])))


def _of_paths(listed: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Judge what some people of a group lack less than what stops all of them."""
    entered = {(row["principal"], row["app_role_id"]) for row in listed if row["verdict"] in (WORKS, CONSOLE)}
    for row in (row for row in listed if row["verdict"] in _SEVERITIES):
        severity, subject = _SEVERITIES[row["verdict"]], f"{row['principal']} → {row['role_arn'] or row['app_role_id']}"
        if row["verdict"] == BROKEN and (row["principal"], row["app_role_id"]) in entered:
            severity, subject = "low" if row["link"] == "members" else "medium", f"{row['people']} of {subject}"
        yield finding(severity, f"sign-in-{row['link']}", subject, cause=row["cause"], remedy=row["remedy"])


def _of_checks(checked: Checked) -> Iterator[dict[str, str]]:
    for row in (row for row in checked.rows if row["verdict"] == FAILED):
        cause = f"The response says {row['seen']}; expected is {row['expected']}."
        yield finding("high", f"response-{row['check'].replace(' ', '-')}", "the SAML response", cause=cause, remedy=row["remedy"])


def _of_sessions(listed: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for row in (row for row in listed if row["verdict"] != "entered"):
        severity = "high" if row["verdict"] == "refused" else "medium"
        yield finding(severity, "sign-in-session", row["role_arn"], cause=row["cause"] or row["message"], remedy=row["remedy"])
