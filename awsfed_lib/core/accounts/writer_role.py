"""The least that runbooks 02-accounts and 08-certificates need in each account, as policy documents to paste.

It names one provider and the role names of the families, attaches the policies of the families only, cannot delete, and
cannot touch itself. It can still write trust and policies of admin roles, so whoever holds it is an administrator of the
account in effect; keep it apart from the role that reads, and give it out for the time of a change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from awsfed_lib.core.accounts.families import Families

PROVIDER_ACTIONS = ("iam:CreateSAMLProvider", "iam:UpdateSAMLProvider")
MAKE, ATTACH = "iam:CreateRole", "iam:AttachRolePolicy"
CORRECT_ACTIONS = ("iam:DetachRolePolicy", "iam:TagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole")
READ_ACTIONS = ("iam:GetRole", "iam:GetRolePolicy", "iam:GetSAMLProvider", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
REMOVE_ACTIONS = ("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy")
NEVER = ("awsfed-*", "OrganizationAccountAccessRole", "AWSControlTowerExecution", "aws-reserved/*", "aws-service-role/*")


def _roles(families: Families) -> list[str]:
    names = [families.pattern.replace("{account}", "*").replace("{family}", family.suffix) for family in families.families]
    return [f"arn:{families.partition}:iam::*:role/{name}" for name in names]


def remover_policy(families: Families) -> str:
    """Render the policy of the role that 12-offboard assumes: it deletes the families' roles and the provider, nothing else."""
    provider = f"arn:{families.partition}:iam::*:saml-provider/{families.provider}"
    statements = [
        {"Sid": "Read", "Effect": "Allow", "Action": list(READ_ACTIONS), "Resource": "*"},
        {"Sid": "Remove", "Effect": "Allow", "Action": list(REMOVE_ACTIONS), "Resource": _roles(families)},
        {"Sid": "Provider", "Effect": "Allow", "Action": "iam:DeleteSAMLProvider", "Resource": provider},
        _never(families.partition, REMOVE_ACTIONS),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _never(partition: str, actions: Iterable[str]) -> dict[str, object]:
    resources = [f"arn:{partition}:iam::*:role/{name}" for name in NEVER]
    return {"Sid": "Never", "Effect": "Deny", "Action": sorted(actions), "Resource": resources}


def writer_policy(families: Families) -> str:
    """Render the policy of the role that is assumed in each account for writing, as JSON."""
    partition, roles = families.partition, _roles(families)
    policies = sorted({families.policy_arn("*", policy) for family in families.families for policy in family.policies})
    boundaries = sorted({families.policy_arn("*", family.boundary) for family in families.families if family.boundary})
    guarded = {"Condition": {"ArnLike": {"iam:PermissionsBoundary": boundaries}}} if boundaries and _all_bounded(families) else {}
    statements = [
        {"Sid": "Read", "Effect": "Allow", "Action": list(READ_ACTIONS), "Resource": "*"},
        {
            "Sid": "Provider",
            "Effect": "Allow",
            "Action": list(PROVIDER_ACTIONS),
            "Resource": f"arn:{partition}:iam::*:saml-provider/{families.provider}",
        },
        {"Sid": "Make", "Effect": "Allow", "Action": MAKE, "Resource": roles, **guarded},
        {
            "Sid": "Correct",
            "Effect": "Allow",
            "Action": list(CORRECT_ACTIONS),
            "Resource": roles,
        },
        {
            "Sid": "Attach",
            "Effect": "Allow",
            "Action": ATTACH,
            "Resource": roles,
            "Condition": {"ArnLike": {"iam:PolicyARN": policies}},
        },
        _never(partition, (MAKE, ATTACH, *CORRECT_ACTIONS)),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _all_bounded(families: Families) -> bool:
    return all(family.boundary for family in families.families)
