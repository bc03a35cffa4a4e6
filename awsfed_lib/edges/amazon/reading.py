"""The reading of one account: in its own credentials, to the last page, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

import boto3

from awsfed_lib.core.coverage import ACCOUNT, ACCOUNTS_LIST, Coverage
from awsfed_lib.core.errors import AwsError, ParameterError, SignInError, WriteForbidden
from awsfed_lib.core.tables import OPEN
from awsfed_lib.edges.amazon.hub import Hub, hub
from awsfed_lib.edges.amazon.organization import Organization, accounts
from awsfed_lib.edges.amazon.problems import Reader, problem
from awsfed_lib.edges.amazon.rounds import Reading, pool, read_all
from awsfed_lib.edges.amazon.selection import Account

Found = TypeVar("Found")
Look = Callable[[Hub, Account], Found]
FATAL = (AwsError, SignInError, WriteForbidden)  # nothing may be read on after one of these
IDENTITY_CENTER = "AWSSSO_"  # begins the names of providers that IAM Identity Center keeps for itself
MOST_NAMES = 8


def name_of(provider_arn: str) -> str:
    """Return the name of a SAML provider."""
    return provider_arn.rpartition("/")[2]


def require_provider(asked: str, arns: Iterable[str]) -> None:
    """Raise ParameterError (provider-not-found) when none of the SAML providers that are known has the name asked for; "" asks for any.

    A name that is misspelt would make every role look as if it were not ours. Where no provider is known at all, nothing is refused.
    """
    names = Counter(name for arn in arns if not (name := name_of(arn)).startswith(IDENTITY_CENTER))
    if not asked or not names or asked in names:
        return
    found = ", ".join(f"{name} ({number})" for name, number in names.most_common(MOST_NAMES))
    raise ParameterError(
        f"No SAML provider is called {asked}; found: {found}.",
        code="provider-not-found",
        where="provider",
        remedy="Correct the parameter provider; upper and lower case count. 02-accounts makes a provider that is new.",
    )


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
        with hub.reading(account.account_id, via=organization.via, external_id=organization.external_id):
            return Reading(account, look(hub, account))
    except FATAL:
        raise
    except Exception as error:  # noqa: BLE001  one account must not end the reading of the others
        found = problem(error, Reader(organization.via, organization.external_id, account.manages))
        return Reading(account, None, found.text, found.passing)
