"""What every account has of the federation: its SAML provider with the whole document, and the roles of the families.

More than the inventory tells, for plans that write: trust policies, tags, boundaries, metadata. An account that could not
be read to the last page is a row with its problem everywhere, and no row of it says that something is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, NamedTuple

import boto3
import pandas as pd

from awsfed_lib.core.accounts.families import Families
from awsfed_lib.core.accounts.ownership import OWNER_TAG
from awsfed_lib.core.change import as_json
from awsfed_lib.core.shapes import DOCUMENTS, IAM_ROLES
from awsfed_lib.core.tables import frame
from awsfed_lib.edges.amazon import organization as listing
from awsfed_lib.edges.amazon.answers import provider_arns, whole
from awsfed_lib.edges.amazon.hub import Hub, hub
from awsfed_lib.edges.amazon.inventory import account_table, decoded, role_entries, role_rows, role_table
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.reading import IDENTITY_CENTER, name_of, read_organization, require_provider
from awsfed_lib.edges.amazon.rounds import Reading
from awsfed_lib.edges.amazon.selection import Account

Row = dict[str, Any]


class Survey(NamedTuple):
    """ACCOUNTS as they were read, DOCUMENTS with a row for every account, IAM_ROLES of the families, and ROLES: all that trust SAML."""

    accounts: pd.DataFrame
    documents: pd.DataFrame
    roles: pd.DataFrame
    trusting: pd.DataFrame


class Holdings(NamedTuple):
    """What one account holds: rows of DOCUMENTS, of IAM_ROLES and of ROLES, and the ARNs of its SAML providers."""

    documents: list[Row]
    roles: list[Row]
    trusting: list[Row]
    providers: tuple[str, ...]


def listed(organization: Organization, *, session: boto3.Session | None = None) -> pd.DataFrame:
    """List the selected accounts without reading them: ACCOUNTS. Errors as `inventory`."""
    opened = hub(organization.cloud, organization.partition, organization.workers, session)
    found = sorted(listing.accounts(opened, organization), key=lambda account: account.account_id)
    return account_table(Reading(account, None) for account in found)


def survey(
    organization: Organization, families: Families, *, executor: Executor | None = None, session: boto3.Session | None = None
) -> Survey:
    """Read provider and roles of the families in every account. Errors as `inventory`, but for a provider that is still to be made."""
    patterns = tuple(families.pattern.replace("{account}", "*").replace("{family}", one.suffix) for one in families.families)
    look = partial(_holdings, provider=families.provider, patterns=patterns)
    readings = read_organization(organization, look, executor=executor, session=session)
    found = [reading.found for reading in readings if reading.found]
    roles, trusting = [row for one in found for row in one.roles], [row for one in found for row in one.trusting]
    return Survey(account_table(readings), _documents(readings), frame(IAM_ROLES, roles), role_table(trusting))


def documents(
    organization: Organization, *, provider: str, executor: Executor | None = None, session: boto3.Session | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the SAML providers of every account, whatever their names, but IAM Identity Center's own: (ACCOUNTS, DOCUMENTS).

    Errors as `inventory`, also when the accounts have SAML providers and none has the name `provider`.
    """
    look = partial(_holdings, provider="", patterns=())
    readings = read_organization(organization, look, executor=executor, session=session)
    require_provider(provider, (arn for reading in readings if reading.found for arn in reading.found.providers))
    return account_table(readings), _documents(readings)


def _documents(readings: list[Reading[Holdings]]) -> pd.DataFrame:
    return frame(DOCUMENTS, [row for reading in readings for row in (reading.found.documents if reading.found else [_unread(reading)])])


def _unread(reading: Reading[Holdings]) -> Row:
    return {"account_id": reading.account.account_id, "account_name": reading.account.account_name, "problem": reading.problem}


def _holdings(hub: Hub, account: Account, provider: str, patterns: tuple[str, ...]) -> Holdings:
    """Read one account; errors as those of `all_pages`."""
    arns = provider_arns(hub.iam, account.account_id)
    found = [document_row(account, arn, hub.iam.get_saml_provider(SAMLProviderArn=arn)) for arn in arns if _named(arn, provider)]
    rows = found or [{"account_id": account.account_id, "account_name": account.account_name}]
    roles, known = role_entries(hub, account) if patterns else ([], frozenset[str]())
    whole_roles = [role for role in roles if role["Arn"] in known]
    wanted = [role for role in whole_roles if any(fnmatchcase(role["RoleName"].lower(), pattern.lower()) for pattern in patterns)]
    trusting = [row for role in roles for row in role_rows(role, account, arns, ("", ()))]
    return Holdings(rows, [role_row(account, role) for role in wanted], trusting, tuple(arns))


def _named(arn: str, provider: str) -> bool:
    return name_of(arn) == provider if provider else not name_of(arn).startswith(IDENTITY_CENTER)


def document_row(account: Account, arn: str, answer: Mapping[str, Any]) -> Row:
    """Make the row of DOCUMENTS of one answer of GetSAMLProvider."""
    return {
        "account_id": account.account_id,
        "account_name": account.account_name,
        "provider_arn": arn,
        "document": whole(answer, "SAMLMetadataDocument"),
        "stack": _tags(answer).get(OWNER_TAG, ""),
    }


def role_row(account: Account, role: Mapping[str, Any]) -> Row:
    """Make the row of IAM_ROLES of one role, as GetAccountAuthorizationDetails and ListRoles together describe it."""
    return {
        "account_id": account.account_id,
        "account_name": account.account_name,
        "role_name": role["RoleName"],
        "role_arn": role["Arn"],
        "description": role.get("Description"),
        "max_session": role.get("MaxSessionDuration"),
        "policies": "; ".join(sorted(policy["PolicyArn"] for policy in role.get("AttachedManagedPolicies", []))),
        "inline": "; ".join(sorted(policy["PolicyName"] for policy in role.get("RolePolicyList", []))),
        "boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "trust": decoded(role["AssumeRolePolicyDocument"]),
        "tags": as_json(_tags(role)),
        "stack": _tags(role).get(OWNER_TAG, ""),
    }


def _tags(tagged: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tagged.get("Tags", [])}
