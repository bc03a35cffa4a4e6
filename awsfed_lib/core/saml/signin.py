"""Whether sign-in works, link by link, before anybody tries: application, claims, people, role, provider, certificate, trust, time.

The chain is the way of a sign-in: Entra ID emits the role to direct members of an assigned group, signs with one
certificate, and AWS compares provider, certificate and trust policy. `response` checks a real response, `explain` a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.review.links import STATES, Keys
from awsfed_lib.core.review.paths import followed
from awsfed_lib.core.saml.response_checks import Checked, Expected, response
from awsfed_lib.core.saml.troubles import explain
from awsfed_lib.core.shapes import SIGN_INS
from awsfed_lib.core.tables import frame

Row = Mapping[str, Any]
_OUTCOME = ("state", "link", "cause", "remedy", "principal_id", "app_role_id")
_ORDER = ("account_id", "role_arn", "principal", "app_role_id", "link", "people")
_WORST_FIRST = tuple(reversed(STATES))


def proof(evidence: Evidence, keys: Keys) -> pd.DataFrame:
    """Follow every assignment of an appRole to every person at its end: SIGN_INS, the worst first.

    One row for each assignment and outcome, with the people whom it is true of and the first link that does not hold. Verdicts: works;
    console only (a tool that passes the duration on is refused); conditional (the cause names the condition); unknown, when
    something on the way was not read; broken. A role without value (msiam_access) emits nothing, and is no path.
    """
    outcomes: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in followed(evidence, keys):
        outcomes[tuple(row[name] for name in _OUTCOME)].append(row)
    return frame(SIGN_INS, sorted(map(_row, outcomes.values()), key=_rank))


def _row(several: list[Row]) -> dict[str, str]:
    first = several[0]
    same = ("account_id", "account_name", "role_arn", "principal", "app_role_id", "link", "cause", "remedy")
    people = "; ".join(sorted({row["user_name"] for row in several} - {""}))
    return {"verdict": first["state"], "people": people, **{name: first[name] for name in same}}


def _rank(row: Row) -> tuple[Any, ...]:
    return (_WORST_FIRST.index(row["verdict"]), *(row[name] for name in _ORDER))


def counts(table: pd.DataFrame) -> Iterator[tuple[str, int]]:
    """Count SIGN_INS by verdict, worst first."""
    for verdict in _WORST_FIRST:
        yield verdict, int((table["verdict"] == verdict).sum())


def sentence(table: pd.DataFrame) -> str:
    """Say the counts of SIGN_INS in one line."""
    return f"{len(table)} paths: " + ", ".join(f"{number} {verdict}" for verdict, number in counts(table) if number)


__all__ = ["Checked", "Expected", "Keys", "counts", "explain", "proof", "response", "sentence"]
