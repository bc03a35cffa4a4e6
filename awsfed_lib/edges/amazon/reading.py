"""The reading of one account: in its own credentials, to the last page, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

import boto3

from awsfed_lib.core.coverage import ACCOUNT, ACCOUNTS_LIST, Coverage
from awsfed_lib.core.errors import AwsError, SignInError, WriteForbidden
from awsfed_lib.core.tables import OPEN
from awsfed_lib.edges.amazon.hub import Hub, hub
from awsfed_lib.edges.amazon.organization import Organization, accounts
from awsfed_lib.edges.amazon.problems import Reader, problem
from awsfed_lib.edges.amazon.rounds import Reading, pool, read_all
from awsfed_lib.edges.amazon.selection import Account

Found = TypeVar("Found")
Look = Callable[[Hub, Account], Found]
FATAL = (AwsError, SignInError, WriteForbidden)  # nothing may be read on after one of these


def read_organization(
    organization: Organization, look: Look[Found], *, executor: Executor | None, session: boto3.Session | None, what: str = ACCOUNT
) -> list[Reading[Found]]:
    """Read every selected account with `look`, which must be a top-level function or a partial of one.

    Which accounts were read is noted in the coverage of the organization, as `what`.
    Raises what `accounts` and `hub` raise, and AwsError when an answer is about another account than was asked.
    """
    opened = hub(organization.cloud, organization.partition, organization.workers, session)
    work = partial(read_account, opened, organization, look)
    with pool(executor, organization.workers) as workers:
        readings = read_all(work, accounts(opened, organization), workers, organization.pauses)
    _note(organization.coverage, readings, what)
    return readings


def _note(coverage: Coverage, readings: Sequence[Reading[Found]], what: str) -> None:
    if not readings:
        coverage.not_read(ACCOUNTS_LIST, "No account is left after include_accounts, exclude_accounts and accounts_file.")
    for reading in readings:
        account_id, name = reading.account[:2]
        if reading.account.state not in OPEN:
            coverage.closed(account_id, name, reading.problem)
        elif reading.found is None:
            coverage.not_read(what, reading.problem, account_id, name)
        else:
            coverage.read(what, account_id, name)


def read_account(hub: Hub, organization: Organization, look: Look[Found], account: Account) -> Reading[Found]:
    """Read one account, whatever goes wrong: what could not be read in full is its problem, never an empty account."""
    if account.state not in OPEN:
        return Reading(account, None, f"The account is {account.state}, so it was not read; what is known of it is left as it is.")
    try:
        with hub.acting(account.account_id, via=organization.via, external_id=organization.external_id):
            return Reading(account, look(hub, account))
    except FATAL:
        raise
    except Exception as error:  # noqa: BLE001  one account must not end the reading of the others
        found = problem(error, Reader(organization.via, organization.external_id, account.manages))
        return Reading(account, None, found.text, found.passing)
