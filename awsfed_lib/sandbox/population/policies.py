"""The permissions of awsfed's own identities: the hub's user, the audit role and the writer role.

The action names are those of docs.aws.amazon.com/service-authorization/latest/reference, "Actions defined by AWS IAM / Organizations /
STS".
"""

from typing import Any

from awsfed_lib.sandbox.population.partitions import Partition

FAMILIES = ("aws-admin", "finance-admin", "read-only-user", "devops-user", "tpm-user")


def managed(family: str) -> str:
    """The AWS managed policy that a role family carries in every account."""
    return {
        "aws-admin": "AdministratorAccess",
        "finance-admin": "job-function/Billing",
        "read-only-user": "ReadOnlyAccess",
        "devops-user": "PowerUserAccess",
        "tpm-user": "job-function/ViewOnlyAccess",
    }[family]


def audit(place: Partition) -> dict[str, Any]:
    """What the audit role of a member account may do: read, nothing else."""
    del place
    return _document(
        _allow(
            "Audit",
            [
                "iam:GetAccountAuthorizationDetails",
                "iam:ListRoles",
                "iam:ListSAMLProviders",
                "iam:GetSAMLProvider",
                "iam:ListSAMLProviderTags",
                "iam:ListAccountAliases",
                "iam:GetAccountSummary",
                "cloudformation:DescribeStackResources",
                "cloudtrail:LookupEvents",
            ],
            "*",
        ),
    )


def writer(place: Partition) -> dict[str, Any]:
    """What the writer role adds: the provider named WAAD and the roles of the tutorial's families, and never itself."""
    roles = [f"arn:{place.name}:iam::*:role/*-{family}" for family in FAMILIES]
    allowed = [place.managed(managed(family)) for family in FAMILIES]
    own = ("awsfed-*", "OrganizationAccountAccessRole", "AWSControlTowerExecution", "aws-reserved/*", "aws-service-role/*")
    return _document(
        *audit(place)["Statement"],
        _allow(
            "Provider",
            ["iam:CreateSAMLProvider", "iam:UpdateSAMLProvider", "iam:TagSAMLProvider", "iam:UntagSAMLProvider", "iam:GetSAMLProvider"],
            f"arn:{place.name}:iam::*:saml-provider/WAAD",
        ),
        _allow(
            "Roles",
            [
                "iam:CreateRole",
                "iam:UpdateRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            roles,
        ),
        _allow("Attach", ["iam:AttachRolePolicy", "iam:DetachRolePolicy"], roles)
        | {"Condition": {"ArnEquals": {"iam:PolicyARN": allowed}}},
        _allow("NotItself", ["iam:*"], [f"arn:{place.name}:iam::*:role/{name}" for name in own]) | {"Effect": "Deny"},
    )


def remover(place: Partition) -> dict[str, Any]:
    """What the role that takes federation out of an account may do: delete the families' roles and the provider named WAAD."""
    roles = [f"arn:{place.name}:iam::*:role/*-{family}" for family in FAMILIES]
    own = [f"arn:{place.name}:iam::*:role/{name}" for name in ("awsfed-*", "OrganizationAccountAccessRole", "AWSControlTowerExecution")]
    reads = ["iam:GetRole", "iam:GetRolePolicy", "iam:GetSAMLProvider", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"]
    return _document(
        _allow("Read", reads, "*"),
        _allow("Remove", ["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"], roles),
        _allow("Provider", ["iam:DeleteSAMLProvider"], f"arn:{place.name}:iam::*:saml-provider/WAAD"),
        _allow("NotItself", ["iam:*"], own) | {"Effect": "Deny"},
    )


def hub(place: Partition, organization_id: str) -> dict[str, Any]:
    """What the caller's own identity in the hub account may do: list the organization and assume the two roles."""
    roles = [f"arn:{place.name}:iam::*:role/{name}" for name in ("awsfed-audit", "awsfed-writer", "awsfed-remover")]
    return _document(
        _allow(
            "Organization",
            [
                "organizations:ListAccounts",
                "organizations:ListAccountsForParent",
                "organizations:ListParents",
                "organizations:ListRoots",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:DescribeOrganization",
                "organizations:DescribeAccount",
                "iam:GetAccountSummary",
            ],
            "*",
        ),
        _allow("Members", ["sts:AssumeRole"], roles) | {"Condition": {"StringEquals": {"aws:ResourceOrgID": organization_id}}},
    )


def management(place: Partition) -> tuple[dict[str, Any], ...]:
    """What the management account's administrator may do besides: read everything there, and be administrator of every account.

    Tools that take inventories come this way; AWS Organizations makes the role (orgs_manage_accounts_access.html).
    """
    reads = ["iam:Get*", "iam:List*", "organizations:Describe*", "organizations:List*", "cloudformation:Describe*"]
    role = f"arn:{place.name}:iam::*:role/OrganizationAccountAccessRole"
    return (_document(_allow("Read", reads, "*"), _allow("Administer", ["sts:AssumeRole"], role)),)


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
