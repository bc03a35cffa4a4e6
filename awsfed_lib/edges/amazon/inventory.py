"""The inventory: every account of the organization, and every role in it that trusts a SAML provider.

Three reads an account, and none a role: GetAccountAuthorizationDetails has trust, tags, policies, boundary and last use,
ListRoles has description and session length (each lacks what the other has), ListSAMLProviders says which providers exist.
An account that was not read to the last page is a row with its problem, and none of its roles appear.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import unquote

import boto3
import pandas as pd

from awsfed_lib.core.accounts.ownership import OWNER_TAG
from awsfed_lib.core.roles import body, pair, trust
from awsfed_lib.core.roles.trust import SESSION_ACTIONS, USABLE, Verdict
from awsfed_lib.core.tables import ACCOUNTS, COUNT, ROLES, TEXT, frame
from awsfed_lib.edges.amazon.answers import own_entries, role_pages
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.reading import name_of, read_organization, require_provider
from awsfed_lib.edges.amazon.rounds import Reading
from awsfed_lib.edges.amazon.selection import Account

log = logging.getLogger("awsfed")
Row = dict[str, Any]
decoded = lru_cache(maxsize=4096)(unquote)  # many roles of an account have one trust policy


class Roles(NamedTuple):
    """What one account holds: rows of ROLES, how many roles have nothing to do with SAML, and the ARNs of its SAML providers."""

    rows: list[Row]
    others: int
    providers: tuple[str, ...]


def inventory(
    organization: Organization,
    *,
    provider: str,
    recipients: tuple[str, ...] = (),
    executor: Executor | None = None,
    session: boto3.Session | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the organization: (ACCOUNTS, ROLES).

    ROLES has one row for each role and SAML provider that its trust names, usable only for the provider called
    `provider` ("" takes any), and for responses to one of `recipients` (none: as `trust.judge` has it). Its extra columns
    `tag_session` and `source_identity` are those of `trust.Verdict`. A role that does not trust SAML is not listed, and
    counted in the extra column `other_roles` of ACCOUNTS. An account that could not be
    read in full is a row of ACCOUNTS with its problem, and has no rows in ROLES. Raises SignInError, ParameterError and
    AwsError as `organization.accounts` and `hub.hub` do, and ParameterError (provider-not-found) when the accounts that
    were read have SAML providers and none has the name `provider`.
    """
    look = partial(roles_in, asked=provider, recipients=recipients)
    readings = read_organization(organization, look, executor=executor, session=session)
    require_provider(provider, (arn for reading in readings if reading.found for arn in reading.found.providers))
    for account, roles, *_ in readings:
        if roles is not None:
            organization.coverage.read("SAML providers of account", account.account_id, account.account_name, found=len(roles.providers))
    found = account_table(readings)
    others = pd.Series([pd.NA if reading.found is None else reading.found.others for reading in readings], dtype=COUNT)
    log.info("%s roles do not trust SAML and are not listed.", others.sum())
    return found.assign(other_roles=others), role_table(row for reading in readings if reading.found for row in reading.found.rows)


def account_table(readings: Iterable[Reading[Any]]) -> pd.DataFrame:
    """ACCOUNTS of what was read, and of what was not."""
    return frame(
        ACCOUNTS,
        [
            {"account_id": a.account_id, "account_name": a.account_name, "ou_path": a.ou_path, "state": a.state, "problem": reading.problem}
            for reading in readings
            for a in [reading.account]
        ],
    )


def role_table(rows: Iterable[Row]) -> pd.DataFrame:
    """ROLES of what `role_rows` gave, in order, with the extra columns of `inventory`."""
    listed = sorted(rows, key=lambda row: (row["account_id"], row["role_arn"], row["provider_arn"]))
    more = {name: pd.Series([row.pop(name) for row in listed], dtype=TEXT) for name in SESSION_ACTIONS}
    return frame(ROLES, listed).assign(**more)


def roles_in(hub: Hub, account: Account, asked: str, recipients: tuple[str, ...] = ()) -> Roles:
    """Read the roles of one account to the last page; errors as those of `role_pages`."""
    roles, _ = role_entries(hub, account)
    providers = own_entries(hub.iam.list_saml_providers(), "SAMLProviderList", account.account_id)
    rows = [rows for role in roles if (rows := role_rows(role, account, providers, (asked, recipients)))]
    return Roles([row for found in rows for row in found], len(roles) - len(rows), tuple(providers))


def role_entries(hub: Hub, account: Account) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """Read all roles of one account to the last page: as both lists together have them, and the ARNs of those that both have."""
    details, listed = role_pages(hub.iam, account.account_id)
    # A role made or gone between the two lists is in one of them: it is shown, never dropped.
    roles = [{**listed.get(arn, {}), **details.get(arn, {})} for arn in sorted({*details, *listed})]
    return roles, frozenset(details) & frozenset(listed)


def role_rows(role: Mapping[str, Any], account: Account, providers: Collection[str], of: tuple[str, tuple[str, ...]]) -> list[Row]:
    """One row for each SAML provider that the role trusts; none when it does not trust SAML."""
    document = role["AssumeRolePolicyDocument"]
    if not trust.mentions_saml(document):
        return []
    asked, recipients = of
    named = {"account_id": account.account_id, "role_arn": role["Arn"], "role_name": role["RoleName"]}
    verdicts = trust.judge(decoded(document), **named, audiences=recipients)
    if not verdicts:
        return []
    described = _described(role, account)
    return [described | _judged(settled(verdict, role["Arn"], providers, asked), role["Arn"]) for verdict in verdicts]


def _judged(verdict: Verdict, role_arn: str) -> Row:
    return {**verdict._asdict(), "value": f"{role_arn},{verdict.provider_arn}" if verdict.verdict in USABLE else ""}


def settled(verdict: Verdict, role_arn: str, providers: Iterable[str], asked: str) -> Verdict:
    """Judge what the trust policy does not say: does the provider exist, is it the one asked for, can the value be written."""
    if verdict.verdict == "skipped":
        return verdict
    why = _unfit(verdict.provider_arn, providers, asked) or _unwritable(f"{role_arn},{verdict.provider_arn}")
    if why:
        return verdict._replace(verdict="skipped", reason=why)
    caution = body.caution(f"{role_arn},{verdict.provider_arn}")
    return verdict._replace(reason=" ".join(text for text in (verdict.reason, caution and f"The value has {caution}") if text))


def _unfit(provider: str, providers: Iterable[str], asked: str) -> str:
    name = name_of(provider)
    if provider not in providers:
        return f"SAML provider {name} does not exist in the account: create it, or correct the trust policy."
    if not asked or name == asked:
        return ""
    hint = " Names of providers have case." if name.lower() == asked.lower() else ""
    return f"{trust.OTHER_PROVIDER} {name}, and {asked} is asked for.{hint}"


def _unwritable(value: str) -> str:
    flaw = body.flaw(value)
    if flaw:
        return f"The value cannot be written into Entra ID: {flaw}."
    return "" if pair.parse(value) else "The value does not read back as one role and one provider; a comma in a name or path does that."


def _described(role: Mapping[str, Any], account: Account) -> Row:
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
    attached = [policy["PolicyArn"] for policy in role.get("AttachedManagedPolicies", [])]
    inline = [f"inline:{policy['PolicyName']}" for policy in role.get("RolePolicyList", [])]
    return {
        "account_id": account.account_id,
        "account_name": account.account_name,
        "role_name": role["RoleName"],
        "role_arn": role["Arn"],
        "path": role.get("Path"),
        "description": role.get("Description"),
        "max_session": role.get("MaxSessionDuration"),
        "policies": "; ".join(sorted([*attached, *inline])),
        "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "stack": tags.get(OWNER_TAG, ""),
        "created": role.get("CreateDate"),
        "last_used": role.get("RoleLastUsed", {}).get("LastUsedDate"),
    }
