"""Writing roles: the refusals that moto does not make, then moto's own work.

Sources: the botocore model of IAM (names, paths, durations, error codes);
docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (1,000 roles, 10 managed policies a role, 50 tags; names are unique
without regard to case).
"""

import re
from collections.abc import Callable
from typing import Any

from awsfed_lib.sandbox.amazon import trusts
from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.providers import require_tags
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, result

Check = Callable[[Cloud, Account, Call], None]
Operation = Callable[[Cloud, Account, Call], Answer]


def checks() -> dict[str, Check]:
    """What is refused before moto carries the action out."""
    return {
        "CreateRole": _require_new,
        "GetRole": _require_known,
        "DeleteRole": _require_changeable,
        "TagRole": _require_taggable,
        "UntagRole": _require_changeable,
        "ListRoleTags": _require_known,
        "ListAttachedRolePolicies": _require_known,
        "ListRolePolicies": _require_known,
        "GetRolePolicy": _require_known,
        "PutRolePolicy": _require_changeable,
        "DeleteRolePolicy": _require_changeable,
        "AttachRolePolicy": _require_attachable,
        "DetachRolePolicy": _require_changeable,
        "PutRolePermissionsBoundary": _require_changeable,
        "DeleteRolePermissionsBoundary": _require_changeable,
        "GetAccountSummary": _nothing,
        "ListAccountAliases": _nothing,
        "GetPolicy": _require_policy,
        "GetPolicyVersion": _require_policy,
        "ListPolicyVersions": _require_policy,
        "ListEntitiesForPolicy": _require_policy,
        "ListPolicies": _nothing,
        "ListUsers": _nothing,
        "ListGroups": _nothing,
        "ListInstanceProfiles": _nothing,
        "ListOpenIDConnectProviders": _nothing,
    }


def operations() -> dict[str, Operation]:
    """What moto gets wrong: its UpdateRole empties a description that is left out, its UpdateAssumeRolePolicy knows other rules."""
    return {"UpdateRole": _update, "UpdateAssumeRolePolicy": _update_trust}


def _nothing(cloud: Cloud, account: Account, call: Call) -> None:
    """No refusal."""


def _constraint(name: str, value: object, rule: str) -> AwsError:
    return AwsError("ValidationError", f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}")


def require_role_name(name: str) -> None:
    """Raise AwsError unless a role can have that name."""
    if len(name) > 64:
        raise _constraint("roleName", name, "Member must have length less than or equal to 64")
    if re.fullmatch(r"[\w+=,.@-]+", name, re.ASCII) is None:
        raise AwsError(
            "ValidationError",
            "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
        )


def _require_new(cloud: Cloud, account: Account, call: Call) -> None:
    name = call.text("RoleName")
    require_role_name(name)
    _require_path(call.text("Path", "/"))
    _require_texts(call)
    require_tags(call.tags())
    trusts.require(cloud, account, call.text("AssumeRolePolicyDocument"))
    if any(role.name.lower() == name.lower() for role in account.roles()):
        raise AwsError("EntityAlreadyExists", f"Role with name {name} already exists.", 409)
    if len(account.backend.roles) >= 1000:
        raise AwsError("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", 409)


def _require_path(path: str) -> None:
    if len(path) > 512 or re.fullmatch(r"/|/[!-~]+/", path) is None or path.startswith("/aws-reserved/"):
        raise AwsError(
            "ValidationError",
            "The specified value for path is invalid. "
            "It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        )


def _require_texts(call: Call) -> None:
    description = call.text("Description")
    if len(description) > 1000:
        raise _constraint("description", description[:20] + "...", "Member must have length less than or equal to 1000")
    if re.fullmatch(r"[\t\n\r -~\u00a1-\u00ff]*", description) is None:
        raise _constraint(
            "description",
            description[:40],
            "Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
        )
    seconds = call.whole("MaxSessionDuration", 3600)
    if seconds < 3600:
        raise _constraint("maxSessionDuration", seconds, "Member must have value greater than or equal to 3600")
    if seconds > 43200:
        raise _constraint("maxSessionDuration", seconds, "Member must have value less than or equal to 43200")


def known(account: Account, call: Call) -> Any:
    """The role that the request names; raises AwsError NoSuchEntity."""
    name = call.text("RoleName")
    found = account.role(name)
    if found is None:
        raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return found


def _require_known(cloud: Cloud, account: Account, call: Call) -> None:
    del cloud
    known(account, call)


def changeable(account: Account, call: Call) -> Any:
    """The role, if it is not AWS's own; raises AwsError UnmodifiableEntity for service-linked and Identity Center roles."""
    role = known(account, call)
    if role.path.startswith(("/aws-service-role/", "/aws-reserved/")):
        raise AwsError(
            "UnmodifiableEntity", f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        )
    return role


def _require_changeable(cloud: Cloud, account: Account, call: Call) -> None:
    del cloud
    changeable(account, call)


def _require_taggable(cloud: Cloud, account: Account, call: Call) -> None:
    del cloud
    role, tags = changeable(account, call), call.tags()
    require_tags(tags)
    if len({tag["Key"] for tag in role.tags} | {key for key, _ in tags}) > 50:
        raise AwsError("LimitExceeded", "The number of tags has reached the maximum limit.", 409)


def _require_attachable(cloud: Cloud, account: Account, call: Call) -> None:
    del cloud
    role, arn = changeable(account, call), call.text("PolicyArn")
    account.attachable(account.backend, arn)
    if arn not in account.backend.managed_policies:
        raise AwsError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    if arn not in role.managed_policies and len(role.managed_policies) >= 10:
        raise AwsError("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", 409)


def _require_policy(cloud: Cloud, account: Account, call: Call) -> None:
    del cloud
    arn = call.text("PolicyArn")
    account.attachable(account.backend, arn)
    if arn not in account.backend.managed_policies:
        raise AwsError("NoSuchEntity", f"Policy {arn} was not found.", 404)


def _update(cloud: Cloud, account: Account, call: Call) -> Answer:
    del cloud
    role = changeable(account, call)
    _require_texts(call)
    if "Description" in call.params:
        role.description = call.text("Description")
    if "MaxSessionDuration" in call.params:
        role.max_session_duration = call.text("MaxSessionDuration")
    return result(call)


def _update_trust(cloud: Cloud, account: Account, call: Call) -> Answer:
    role = changeable(account, call)
    trusts.require(cloud, account, call.text("PolicyDocument"))
    role.assume_role_policy_document = call.text("PolicyDocument")
    return result(call)
