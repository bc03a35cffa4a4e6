"""Signing in as the runbook 07-signin sees it: the static proof, a real response, and a real session."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase

import pandas as pd

from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.saml import troubles
from awsfed_lib.core.saml.response_checks import UNCHECKED, Checked, Expected, response
from awsfed_lib.core.saml.signin import proof, sentence
from awsfed_lib.core.saml.signin_findings import findings
from awsfed_lib.edges.amazon import saml_sessions
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.entra.signers import membership, signer
from awsfed_lib.edges.records.response_entry import HOW, Given, given

__all__ = ["Evidence", "check", "enter", "explain", "findings", "given", "membership", "proof", "proven", "sentence", "signer"]


def check(given: Given, expected: Expected, now: datetime) -> Checked:
    """Check the response that was given; one row that says so when none was."""
    text = given.text()
    if text:
        return response(text, expected, now)
    row = {"check": "readable", "verdict": UNCHECKED, "seen": "none was given", "expected": "a SAML response", "remedy": HOW}
    return Checked((row,), (), None)


def enter(organization: Organization, given: Given, checked: Checked, patterns: Iterable[str]) -> pd.DataFrame:
    """Enter each role of the response whose ARN has one of the patterns, and forget the response: SESSIONS, without credentials."""
    wanted = tuple(patterns)
    carried = (parse(row["value"]) for row in checked.role_rows if row["verdict"] not in ("missing", "unreadable"))
    pairs = [pair for pair in carried if pair and any(fnmatchcase(pair.role_arn, pattern) for pattern in wanted)]
    try:
        return saml_sessions.enter(organization, given.text(), pairs)
    finally:
        given.forget()


def proven(application_id: str, checked: Checked, sessions: pd.DataFrame) -> dict[str, object]:
    """Say what the sessions prove, for the rollover of certificates: by which certificate the response was signed that AWS took.

    `roles` is empty when AWS took none; then it proves nothing.
    """
    entered = sorted(sessions.loc[sessions.verdict == "entered", "role_arn"])
    signed = checked.proof
    known = {"thumbprint": signed.thumbprint, "issued": signed.at.isoformat()} if signed else {"thumbprint": "", "issued": ""}
    return {"application_id": application_id, **known, "roles": entered if signed else []}


def explain(message: str) -> pd.DataFrame:
    """Find what a message of AWS or Entra ID means: TROUBLES; all that are known for ""."""
    return troubles.explain(message) if message else troubles.table()
