"""What became of each account: one row an account, whether anything was sent to it or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from awsfed_lib.core.outcome import Outcome, Sent
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.shapes import ACCOUNT_RESULTS
from awsfed_lib.core.tables import frame, rows

WENT = ("sent", "adopted")


def writable(accounts: pd.DataFrame, reach: pd.DataFrame) -> pd.DataFrame:
    """Give ACCOUNTS the problem of those in which the role that writes cannot be assumed, so that no plan is made for them.

    `reach`: account_id, reach and problem, through that role. When it can be assumed nowhere (in the account that awsfed
    runs in it acts as itself), whoever runs this may plan and not send, and the accounts stay as they are.
    """
    problems = {row["account_id"]: row["problem"] for row in rows(reach)}
    if not any(":assumed-role/" in row["reach"] for row in rows(reach)):
        return accounts
    told = [row["problem"] or problems.get(row["account_id"], "") for row in rows(accounts)]
    return accounts.assign(problem=pd.Series(told, index=accounts.index, dtype="str"))


def results(accounts: pd.DataFrame, plan: Plan, outcome: Outcome) -> pd.DataFrame:
    """Say of each of ACCOUNTS what the plan wanted and what became of it: ACCOUNT_RESULTS.

    Verdicts: as desired (nothing to send), planned, applied, unverified (sent, and not read back as planned), failed,
    not sent (the sending stopped before), left alone (with the reason).
    """
    return frame(ACCOUNT_RESULTS, [_row(row, plan, outcome) for row in rows(accounts)])


def _row(account: Mapping[str, Any], plan: Plan, outcome: Outcome) -> dict[str, object]:
    account_id = account["account_id"]
    wanted = sum(request.account_id == account_id for request in plan.requests)
    sent = [one for one in outcome.sent if one.request.account_id == account_id]
    verdict, problem = _judged(outcome, sent) if wanted else _unwanted(account_id, plan)
    return {
        "account_id": account_id,
        "account_name": account["account_name"],
        "verdict": verdict,
        "planned": wanted,
        "sent": sum(one.fate in WENT for one in sent),
        "problem": problem,
    }


def _unwanted(account_id: str, plan: Plan) -> tuple[str, str]:
    why = next((change.why for change in plan.changes if change.kind == "account" and change.key == account_id), "")
    return ("left alone", why) if why else ("as desired", "")


def _judged(outcome: Outcome, sent: Sequence[Sent]) -> tuple[str, str]:
    if not sent:
        return "planned", ""
    failed = next((one for one in sent if one.fate not in (*WENT, "not sent")), None)
    if failed:
        return "failed", f"{failed.request.purpose}: {failed.detail or failed.fate}"
    if any(one.fate == "not sent" for one in sent):
        return "not sent", "The sending stopped before, because of other accounts."
    return ("unverified", outcome.problem) if outcome.verdict == "unverified" else ("applied", "")
