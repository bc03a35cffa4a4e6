"""A fact is one live object as a canonical JSON line, without what the service makes up (ids of assignments, origin).

Plans compare facts, never wire bytes: Graph may add a key or change an order without anything having changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.core.tables import canonical

APP_ROLE_KEYS = ("allowedMemberTypes", "description", "displayName", "id", "isEnabled", "value")


def app_role(entry: Mapping[str, Any]) -> str:
    """Write an appRole by the six keys of the v1.0 type that a client may send.

    `origin` is left out: it "must not be included in any POST or PATCH", and Graph adds it on reading
    (learn.microsoft.com graph/api/resources/approle). The member types are a set, in any order.
    """
    kinds = entry.get("allowedMemberTypes")
    fields = {key: entry.get(key) for key in APP_ROLE_KEYS}
    return canonical(fields | {"allowedMemberTypes": sorted(kinds) if isinstance(kinds, list) else kinds})


def assignment(app_role_id: str, principal_id: str) -> str:
    """Write an assignment by its natural key; the service makes up its id."""
    return canonical({"appRoleId": app_role_id, "principalId": principal_id})


def group(unique_name: str, display_name: str) -> str:
    """Write a group by its alternate key and its name; the service makes up its id."""
    return canonical({"displayName": display_name, "uniqueName": unique_name})


def membership(group_id: str) -> str:
    """Write that a person is a direct member of a group; whose membership it is, the table says."""
    return canonical({"memberOf": group_id})


def setting(field: str, value: object) -> str:
    """Write one setting of an application or of its service principal; lists keep their order, which has a meaning."""
    return canonical({"field": field, "value": value})


def instance(display_name: str, template_id: str) -> str:
    """Write an application made of a gallery template by what its maker chose; the service makes up its ids."""
    return canonical({"displayName": display_name, "templateId": template_id})


def claims_policy(display_name: str, definition: str) -> str:
    """Write a claims mapping policy by its name and definition; the service makes up its id."""
    return canonical({"definition": definition, "displayName": display_name})


def assigned_policy(policy_id: str) -> str:
    """Write that a claims mapping policy is assigned."""
    return canonical({"policyId": policy_id})


def certificate(thumbprint: str) -> str:
    """Write a signing certificate of a service principal by its thumbprint."""
    return canonical({"certificate": thumbprint})


def active_certificate(thumbprint: str) -> str:
    """Write which certificate is preferred for signing."""
    return canonical({"active": thumbprint})


def credential(kind: str, key_id: str) -> str:
    """Write a credential of a service principal by the list it stands in and its keyId."""
    return canonical({"credential": kind, "keyId": key_id})


def certificate_name(name: str) -> str:
    """Write a signing certificate by its name, the one thing of it that is known before Entra makes it."""
    return canonical({"certificateName": name})


def saml_provider(provider_arn: str, fingerprint: str) -> str:
    """Write a SAML provider by the fingerprint of its metadata."""
    return canonical({"metadata": fingerprint, "provider": provider_arn})


def iam_role(role_arn: str, fields: Mapping[str, Any]) -> str:
    """Write what UpdateRole can change of a role: `description`, `max_session`; and its `boundary`, which it cannot."""
    return canonical({"role": role_arn, "fields": dict(fields)})


def iam_trust(role_arn: str, trust: str) -> str:
    """Write the trust policy of a role, as canonical JSON."""
    return canonical({"role": role_arn, "trust": trust})


def iam_policy(role_arn: str, policy_arn: str) -> str:
    """Write that a managed policy is attached to a role."""
    return canonical({"role": role_arn, "policy": policy_arn})


def iam_inline(role_arn: str, name: str) -> str:
    """Write that a role has an inline policy of that name."""
    return canonical({"role": role_arn, "inline": name})


def iam_tag(role_arn: str, key: str, value: str) -> str:
    """Write one tag of a role."""
    return canonical({"role": role_arn, "tag": key, "value": value})
