"""The least that awsfed needs in AWS, as policy documents to paste: made from the parameters, and from what it calls."""

from __future__ import annotations

import json
from typing import Any

from awsfed_lib.core.accounts import writer_role
from awsfed_lib.core.accounts.families import Families
from awsfed_lib.edges.amazon.allowed import READS
from awsfed_lib.edges.amazon.organization import Organization


def policies(organization: Organization, families: Families, *others: str) -> dict[str, str]:
    """Render every policy that runbooks need, file name → JSON: of the hub, and of the roles that read, write and remove.

    `others`: names of the roles that write and remove, which the hub may assume as well.
    """
    return {
        "hub-policy.json": hub_policy(organization, *others),
        "audit-policy.json": audit_policy(),
        "writer-policy.json": writer_role.writer_policy(families),
        "remover-policy.json": writer_role.remover_policy(families),
    }


def hub_policy(organization: Organization, *others: str, organization_id: str = "") -> str:
    """Render the policy of the identity that awsfed runs as: list the organization, and assume the role in its accounts.

    `others`: further roles to assume. With `organization_id` (o-…) they can only be assumed inside that organization.
    """
    roles = [f"arn:{organization.partition}:iam::*:role/{name}" for name in (organization.via, *others)]
    assume: dict[str, Any] = {
        "Sid": "ReadAccounts",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": roles if others else roles[0],
    }
    if organization_id:
        assume["Condition"] = {"StringEquals": {"aws:ResourceOrgID": organization_id}}
    listing = {"Sid": "ListOrganization", "Effect": "Allow", "Action": _actions("organizations:"), "Resource": "*"}
    return _document(*([] if organization.accounts_file else [listing]), assume)


def audit_policy() -> str:
    """Render the policy of the role that is assumed in each account: reading IAM, who entered the roles, and which stack owns them.

    The second statement is for 10-access with `entered_from: lookup` alone, the third for 02, 08, 11 and 12: without it
    their plans say that it is not known whether CloudFormation owns what they write.
    """
    roles = {"Sid": "ReadRoles", "Effect": "Allow", "Action": _actions("iam:"), "Resource": "*"}
    entries = {"Sid": "ReadWhoEnteredRoles", "Effect": "Allow", "Action": _actions("cloudtrail:"), "Resource": "*"}
    stacks = {"Sid": "ReadWhatStacksOwn", "Effect": "Allow", "Action": _actions("cloudformation:"), "Resource": "*"}
    return _document(roles, entries, stacks)


def audit_trust(organization: Organization, principal: str) -> str:
    """Render the trust policy of that role for `principal`, the ARN of the identity that awsfed runs as."""
    trust: dict[str, Any] = {"Sid": "Awsfed", "Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if organization.external_id:
        trust["Condition"] = {"StringEquals": {"sts:ExternalId": organization.external_id}}
    return _document(trust)


def _actions(service: str) -> list[str]:
    return sorted(action for action in READS if action.startswith(service))


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)
