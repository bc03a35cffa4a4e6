"""The least that runbooks 02-accounts and 08-certificates need in each account, as policy documents to paste.

It names one provider and the role names of the families, attaches the policies of the families only, cannot delete, and
cannot touch itself. It can still write trust and policies of admin roles, so whoever holds it is an administrator of the
account in effect; keep it apart from the role that reads, and give it out for the time of a change.
"""

from __future__ import annotations

import json

from awsfed_lib.core.accounts.families import Families

PROVIDER_ACTIONS = ("iam:CreateSAMLProvider", "iam:UpdateSAMLProvider")
MAKE, ATTACH = "iam:CreateRole", "iam:AttachRolePolicy"
CORRECT_ACTIONS = ("iam:DetachRolePolicy", "iam:TagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole")
READ_ACTIONS = (
    "iam:GetAccountAuthorizationDetails", "iam:GetRole", "iam:GetSAMLProvider", "iam:ListAttachedRolePolicies", "iam:ListRoles",
    "iam:ListRoleTags", "iam:ListSAMLProviders",
)  # fmt: skip
NEVER = ("awsfed-*", "OrganizationAccountAccessRole", "AWSControlTowerExecution", "aws-reserved/*", "aws-service-role/*")


def writer_policy(families: Families) -> str:
    """Render the policy of the role that is assumed in each account for writing, as JSON."""
    partition = families.partition
    names = [families.pattern.replace("{account}", "*").replace("{family}", family.suffix) for family in families.families]
    roles = [f"arn:{partition}:iam::*:role/{name}" for name in names]
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
        {
            "Sid": "Never",
            "Effect": "Deny",
            "Action": sorted((MAKE, ATTACH, *CORRECT_ACTIONS)),
            "Resource": [f"arn:{partition}:iam::*:role/{name}" for name in NEVER],
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)


def _all_bounded(families: Families) -> bool:
    return all(family.boundary for family in families.families)
