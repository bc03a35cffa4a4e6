"""The accounts of an organization, page by page as AWS gives them, or from a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from awsfed_lib.core.coverage import Coverage
from awsfed_lib.core.errors import ParameterError, UnreadError
from awsfed_lib.edges.amazon.accounts_file import read_accounts
from awsfed_lib.edges.amazon.answers import whole
from awsfed_lib.edges.amazon.problems import DENIED, UNUSABLE, code_of, message_of
from awsfed_lib.edges.amazon.selection import Account, Selection
from awsfed_lib.edges.amazon.session import refused, signing_in

if TYPE_CHECKING:
    from awsfed_lib.edges.amazon.hub import Hub

PAUSES = (2.0, 10.0, 30.0)


@dataclass(frozen=True)
class Organization:
    """Which accounts, and how they are read.

    `via`: name of the role that is assumed in each account (with its path, without ARN). `accounts_file`: CSV below
    parameters/ (or an absolute path) instead of AWS Organizations. `cloud`: "sandbox" for the one on this machine.
    `workers`: accounts read at the same time. `pauses`: seconds before accounts that were throttled are asked again.
    `stack_regions`: where CloudFormation is asked who owns what a plan writes; none takes the first Region of the partition and
    the Region of the sign-in. `coverage`: where it is noted which accounts were read.
    """

    via: str
    external_id: str = ""
    partition: str = "aws"
    only: Selection = field(default_factory=Selection)
    accounts_file: str = ""
    cloud: str = "global"
    workers: int = 16
    pauses: tuple[float, ...] = PAUSES
    stack_regions: tuple[str, ...] = ()
    coverage: Coverage = field(default_factory=Coverage, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.via or self.via.startswith("arn:"):
            raise ParameterError(
                f"via must be the name of a role, and is {self.via!r}.",
                remedy="Give what stands after role/ in its ARN, such as awsfed-audit.",
            )


def accounts(hub: Hub, organization: Organization) -> Iterator[Account]:
    """Yield the selected accounts as their pages arrive.

    Raises ParameterError at the end when a pattern of `only.include` matches no account, AwsError when the caller may not
    list the organization, UnreadError when the list does not come back whole.
    """
    seen: list[Account] = []
    for account in _listed(hub, organization):
        seen.append(account)
        if organization.only.takes(account):
            yield account
    unmatched = organization.only.unmatched(seen)
    if unmatched:
        raise ParameterError(
            f"No account matches {', '.join(unmatched)}.",
            where=f"include_accounts; {len(seen)} accounts were listed",
            remedy="Correct the id, name or path; ids are 12 digits, a path of units is written like Workloads/Prod.",
        )


def _listed(hub: Hub, organization: Organization) -> Iterator[Account]:
    if organization.accounts_file:
        yield from read_accounts(organization.accounts_file)
        return
    units, listed = Units(hub), 0
    with _listing():
        for page in pages(hub.organizations.list_accounts):
            for entry in whole(page, "Accounts"):
                listed += 1
                yield _placed(_account(entry), units, organization.only)
    if not listed:  # the account that reads is in every such list
        what = f"AWS Organizations lists no account, not even {hub.account_id}, which reads the list."
        raise UnreadError(what, code="reader-missing", remedy="Run again.")


def pages(call: Callable[..., Any], **request: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of an Organizations list; an empty page may have a next one (API_ListAccounts.html).

    Raises UnreadError when a page leads back to one that was read.
    """
    tokens: set[str] = set()
    token = ""
    while True:
        page = call(**request, **({"NextToken": token} if token else {}))
        yield page
        token = page.get("NextToken", "")
        if not token:
            return
        if token in tokens:
            raise UnreadError("AWS Organizations gave the same page twice; the list of accounts is not whole.", remedy="Run again.")
        tokens.add(token)


def _account(entry: Mapping[str, Any]) -> Account:
    """State took the place of Status, which was to go on 2026-09-09 (API_Account.html)."""
    account_id = entry["Id"]
    paths = [path.strip("/").split("/")[1:-1] for path in entry.get("Paths", [])]
    units = tuple(paths[0]) if paths else ()
    state = entry.get("State") or entry.get("Status", "")
    return Account(account_id, entry.get("Name", ""), "/".join(units), state, units, entry.get("Arn", "").split(":")[4:5] == [account_id])


class Units:
    """The tree of organizational units, read only when a pattern needs it: two calls a unit, none for an account."""

    def __init__(self, hub: Hub) -> None:
        self._client = hub.organizations

    @cached_property
    def paths(self) -> Mapping[str, tuple[str, tuple[str, ...]]]:
        """Unit id → path of names, ids from the root down."""
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for page in pages(self._client.list_roots):
            for root in whole(page, "Roots"):
                found[root["Id"]] = ("/", (root["Id"],))
                found |= self._below(root["Id"], "", (root["Id"],))
        return found

    def _below(self, parent: str, path: str, ids: tuple[str, ...]) -> dict[str, tuple[str, tuple[str, ...]]]:
        found: dict[str, tuple[str, tuple[str, ...]]] = {}
        for page in pages(self._client.list_organizational_units_for_parent, ParentId=parent):
            for unit in whole(page, "OrganizationalUnits"):
                name, chain = f"{path}/{unit['Name']}".strip("/"), (*ids, unit["Id"])
                found[unit["Id"]] = (name, chain)
                found |= self._below(unit["Id"], name, chain)
        return found

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """Account id → unit id, for an API that does not say it with the account."""
        return {
            entry["Id"]: unit
            for unit in self.paths
            for page in pages(self._client.list_accounts_for_parent, ParentId=unit)
            for entry in whole(page, "Accounts")
        }


def _placed(account: Account, units: Units, only: Selection) -> Account:
    """Fill in the place of an account where a pattern asks for it."""
    if not only.asks_units or (account.units and not only.names_units):
        return account
    unit = account.units[-1] if account.units else units.parents.get(account.account_id, "")
    path, ids = units.paths.get(unit, ("", ()))
    return account._replace(ou_path=path, units=ids)


@contextmanager
def _listing() -> Iterator[None]:
    """Put into words why the organization could not be listed."""
    with signing_in():
        try:
            yield
        except ClientError as error:
            if code_of(error) in UNUSABLE:
                raise
            raise refused(error, _way_on(error)) from None


def _way_on(error: ClientError) -> str:
    if code_of(error) == "AWSOrganizationsNotInUseException":
        return "This account is in no organization: name the accounts in a CSV, and set accounts_file."
    if code_of(error) in DENIED and "is not authorized to perform" in message_of(error):
        return (
            f"Give the identity that awsfed runs as organizations:{error.operation_name} (fed.aws.permissions.hub_policy shows the policy)."
        )
    if code_of(error) in DENIED:
        return (
            "Only the management account and delegated administrators may list an organization: register this account as one, "
            "run from another account, or set accounts_file."
        )
    return "Run again."
