"""ListRoles and GetAccountAuthorizationDetails, rendered here: moto answers the second in one page whatever it is asked, and slowly.

Shapes: the botocore model. GetAccountAuthorizationDetails has tags, boundary, attached and inline policies and RoleLastUsed, but neither
Description nor MaxSessionDuration; ListRoles is the other way round. Trust policies are percent-encoded (RFC 3986).
"""

import base64
from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from awsfed_lib.sandbox.amazon.cloud import Account
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, element, envelope, tag_list


def list_roles(account: Account, call: Call, most: int) -> Answer:
    """One page of ListRoles: PathPrefix, Marker, MaxItems 1 to 1000 (default 100)."""
    prefix = call.text("PathPrefix", "/")
    inner = _page(account, call, most, ("roles", prefix))
    return Answer(envelope("iam", "ListRoles", inner))


def authorization_details(account: Account, call: Call, most: int) -> Answer:
    """One page of GetAccountAuthorizationDetails; only roles, unless Filter leaves them out: users, groups, policies are always empty."""
    filters = call.members("Filter")
    kind = "details" if not filters or "Role" in filters else "nothing"
    inner = b"<UserDetailList/><GroupDetailList/><Policies/>" + _page(account, call, most, (kind, "/"))
    return Answer(envelope("iam", "GetAccountAuthorizationDetails", inner))


def page_size(call: Call) -> int:
    """MaxItems, 100 by default; raises AwsError outside 1 to 1000."""
    wanted = call.whole("MaxItems", 100)
    if 1 <= wanted <= 1000:
        return wanted
    bound = "less than or equal to 1000" if wanted > 1000 else "greater than or equal to 1"
    raise AwsError(
        "ValidationError",
        f"1 validation error detected: Value '{wanted}' at 'maxItems' failed to satisfy constraint: Member must have value {bound}",
    )


def marker(name: str) -> str:
    """An opaque place in the list: after the role of that name."""
    return base64.urlsafe_b64encode(f"after:{name}".encode()).decode()


def _after(text: str) -> str:
    try:
        plain = base64.urlsafe_b64decode(text.encode()).decode()
    except ValueError:
        plain = ""
    if text and not plain.startswith("after:"):
        raise AwsError("ValidationError", "Invalid Marker.")
    return plain.removeprefix("after:")


def _page(account: Account, call: Call, most: int, what: tuple[str, str]) -> bytes:
    key = (*what, _after(call.text("Marker")), min(page_size(call), most))
    pages = account.pages  # a write puts a new dict there, so that this page is not kept for the new state
    if key not in pages:
        pages[key] = _rendered(account, *key)
    found: bytes = pages[key]
    return found


def _rendered(account: Account, kind: str, prefix: str, after: str, size: int) -> bytes:
    roles = _sorted(account, prefix) if kind != "nothing" else []
    start = bisect_right([_order(role) for role in roles], after.lower()) if after else 0
    chosen = roles[start : start + size]
    more = start + size < len(roles)
    name = "Roles" if kind == "roles" else "RoleDetailList"
    inner = b"".join(_fragment(account, role, kind) for role in chosen)
    truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>{element('Marker', marker(chosen[-1].name)) if more else ''}"
    return truncated.encode() + f"<{name}>".encode() + inner + f"</{name}>".encode()


def _sorted(account: Account, prefix: str) -> list[Any]:
    return sorted((role for role in account.roles() if role.path.startswith(prefix)), key=_order)


def _order(role: Any) -> str:
    return str(role.name).lower()


def _fragment(account: Account, role: Any, kind: str) -> bytes:
    fragments = account.fragments
    key = f"{kind}/{role.id}"
    if key not in fragments:
        render: Callable[[Any], str] = listed if kind == "roles" else detailed
        fragments[key] = f"<member>{render(role)}</member>".encode()
    found: bytes = fragments[key]
    return found


def listed(role: Any) -> str:
    """A role as ListRoles has it."""
    return _identity(role) + element("Description", role.description or None) + element("MaxSessionDuration", role.max_session_duration)


def detailed(role: Any) -> str:
    """A role as GetAccountAuthorizationDetails has it."""
    attached = "".join(
        f"<member>{element('PolicyName', policy.name)}{element('PolicyArn', policy.arn)}</member>"
        for policy in role.managed_policies.values()
    )
    inline = "".join(
        f"<member>{element('PolicyName', name)}{element('PolicyDocument', quote(text, safe=''))}</member>"
        for name, text in role.policies.items()
    )
    return (
        f"{_identity(role)}<InstanceProfileList/><RolePolicyList>{inline}</RolePolicyList>"
        f"<AttachedManagedPolicies>{attached}</AttachedManagedPolicies>{_boundary(role)}"
        f"{tag_list((tag['Key'], tag['Value']) for tag in role.tags)}{_last_used(role)}"
    )


def _identity(role: Any) -> str:
    return (
        f"{element('Path', role.path)}{element('RoleName', role.name)}{element('RoleId', role.id)}{element('Arn', role.arn)}"
        f"{element('CreateDate', moment(role.create_date))}"
        f"<AssumeRolePolicyDocument>{quote(role.assume_role_policy_document, safe='')}</AssumeRolePolicyDocument>"
    )


def _boundary(role: Any) -> str:
    if not role.permissions_boundary_arn:
        return ""
    kind = element("PermissionsBoundaryType", "PermissionsBoundaryPolicy")
    return f"<PermissionsBoundary>{kind}{element('PermissionsBoundaryArn', role.permissions_boundary_arn)}</PermissionsBoundary>"


def _last_used(role: Any) -> str:
    if role.last_used is None:
        return "<RoleLastUsed/>"
    return f"<RoleLastUsed>{element('LastUsedDate', moment(role.last_used))}{element('Region', role.last_used_region)}</RoleLastUsed>"


def moment(value: datetime) -> str:
    """A time as IAM prints it."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
