"""Which accounts awsfed can act in, and as whom: the first thing to look at, before anything is read."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace

import boto3
import pandas as pd

from awsfed_lib.core.coverage import Coverage
from awsfed_lib.edges.amazon.answers import refuse_other_account, whole
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.reading import read_organization
from awsfed_lib.edges.amazon.rounds import Reading
from awsfed_lib.edges.amazon.selection import Account

COLUMNS = ("account_id", "account_name", "state", "reach", "problem")


def reach(
    organization: Organization, *, through: str = "", executor: Executor | None = None, session: boto3.Session | None = None
) -> pd.DataFrame:
    """Ask in every account who awsfed is there: account_id, account_name, state, reach (ARN of that identity, "" for none), problem.

    `through`: another role than the one that reads, such as the one that writes; assuming it changes nothing.
    Errors as `inventory`; an account that cannot be reached is a row with its problem.
    """
    way = replace(organization, via=through, coverage=Coverage()) if through else organization  # only reading counts as read
    readings = read_organization(way, who_in, executor=executor, session=session)
    rows = [(r.account.account_id, r.account.account_name, r.account.state, *_reached(r, through)) for r in readings]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype("str")


def _reached(reading: Reading[str], through: str) -> tuple[str, str]:
    """Give reach and problem; reading may fall back to the hub's own identity, `through` may not."""
    found = reading.found or ""
    if found and through and f":assumed-role/{through.rpartition('/')[2]}/" not in found:
        return "", f"Denied: role {through} could not be assumed, and nothing is written as {found}. Create the role in this account."
    return found, reading.problem


def who_in(hub: Hub, account: Account) -> str:
    """Return the ARN that awsfed has in one account (sts:GetCallerIdentity needs no permission)."""
    found: str = whole(hub.spoke.get_caller_identity(), "Arn")
    refuse_other_account(found, account.account_id, "GetCallerIdentity")
    return found
