"""May this caller do this? Identity policies, service control policies and throttling, with AWS's own words in the refusal."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from awsfed_lib.sandbox.amazon import managed
from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.credentials import Identity
from awsfed_lib.sandbox.amazon.evaluation import Request, decide, like
from awsfed_lib.sandbox.amazon.wire import JSON_SERVICES, AwsError, Call


def require_partition(cloud: Cloud, call: Call) -> None:
    """Refuse a request that was signed for a region of another partition: its credentials mean nothing there."""
    if partition_of(call.region) != cloud.place.name:
        raise AwsError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)


def partition_of(region: str) -> str:
    """The partition of a region by its name."""
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws-cn" if region.startswith("cn-") else "aws"


def throttle(cloud: Cloud, account: Account) -> None:
    """Refuse some of a throttled account's IAM requests: a burst at first, then every n-th, always the same ones.

    IAM counts in the account of the credentials (repost.aws, iam-sts-throttling-error); the wire code is `Throttling`, HTTP 400.
    """
    switches = cloud.switches
    if account.reach != "throttled" and account.id not in switches.throttled and "*" not in switches.throttled:
        return
    with account.lock:
        account.refused += 1
        nth = account.refused
    if nth <= switches.throttle_burst or (switches.throttle_every and nth % switches.throttle_every == 0):
        raise AwsError("Throttling", "Rate exceeded")


def require_allowed(cloud: Cloud, caller: Identity, call: Call) -> None:
    """Raise AwsError AccessDenied (403) unless the caller's policies allow the action on what it is about."""
    action = f"{call.service}:{call.action}"
    resource, shown = _resource(cloud, caller, call)
    request = Request(action, resource, _context(call))
    if caller.account_id != cloud.management and any(like(pattern.lower(), action.lower()) for pattern in cloud.switches.denied_actions):
        raise _denied(caller, action, shown, "with an explicit deny in a service control policy")
    decision = decide(documents(cloud, caller), request)
    if decision == "deny":
        raise _denied(caller, action, shown, "with an explicit deny in an identity-based policy")
    if decision == "none":
        raise _denied(caller, action, shown, f"because no identity-based policy allows the {action} action")
    if caller.limits and decide(caller.limits, request) != "allow":
        raise _denied(caller, action, shown, f"because no session policy allows the {action} action")


def _denied(caller: Identity, action: str, shown: str, why: str) -> AwsError:
    code = "AccessDeniedException" if action.partition(":")[0] in JSON_SERVICES else "AccessDenied"
    return AwsError(
        code,
        f"User: {caller.arn} is not authorized to perform: {action} on resource: {shown} {why}",
        403 if code == "AccessDenied" else 400,
    )


def documents(cloud: Cloud, caller: Identity) -> list[Mapping[str, Any]]:
    """The caller's policies: a user's own, or what the role of a session has at this moment."""
    if not caller.role:
        return list(caller.documents)
    role = cloud.accounts[caller.account_id].role(caller.role)
    if role is None:
        return []
    return [_parsed(text) for text in role.policies.values()] + [managed.document(arn) for arn in role.managed_policies]


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Mapping[str, Any]:
    return dict(json.loads(text))


def _resource(cloud: Cloud, caller: Identity, call: Call) -> tuple[str, str]:
    """The ARN that policies are compared with, and how IAM prints it in a refusal."""
    if call.service != "iam":
        return "*", "*"
    if "RoleName" in call.params:
        return _role(cloud, caller, call)
    if "SAMLProviderArn" in call.params:
        return call.text("SAMLProviderArn"), call.text("SAMLProviderArn")
    kind = {"CreateSAMLProvider": f"saml-provider/{call.text('Name')}", "ListSAMLProviders": "saml-provider/*", "ListRoles": "role/"}.get(
        call.action
    )
    arn = cloud.place.iam(caller.account_id, kind) if kind else "*"
    return arn, arn


def _role(cloud: Cloud, caller: Identity, call: Call) -> tuple[str, str]:
    name = call.text("RoleName")
    known = cloud.accounts[caller.account_id].role(name)
    if known is not None:
        return known.arn, f"role {name}"
    path = call.text("Path", "/") if call.action == "CreateRole" else "/"
    arn = cloud.place.iam(caller.account_id, f"role{path}{name}")
    return arn, arn if call.action == "CreateRole" else f"role {name}"


def _context(call: Call) -> dict[str, list[str]]:
    found = {f"aws:requesttag/{key.lower()}": [value] for key, value in call.tags()}
    if "PolicyArn" in call.params:
        found["iam:policyarn"] = [call.text("PolicyArn")]
    if "PermissionsBoundary" in call.params:
        found["iam:permissionsboundary"] = [call.text("PermissionsBoundary")]
    return found
