"""What a person does in the portal, which every cloud has: the acts that a walk through the tutorial cannot leave to Graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from awsfed_lib.sandbox.entra import certificates
from awsfed_lib.sandbox.entra.schema import GROUP
from awsfed_lib.sandbox.entra.signing import KEYS, PASSWORDS, SUBJECT, YEARS
from awsfed_lib.sandbox.keys import Validity
from awsfed_lib.sandbox.store import Tenant, Write

HIDDEN: Mapping[str, Any] = {"groupTypes": ["Unified"], "mailEnabled": True, "securityEnabled": True, "visibility": "HiddenMembership"}
"""A Microsoft 365 group with hidden membership, which can be assigned as any other (learn.microsoft.com graph/api/resources/group)."""


def new_certificate(tenant: Tenant, principal_id: str, name: str) -> None:
    """Make a signing certificate, inactive (entra-docs tutorial-manage-certificates-for-federated-single-sign-on, New Certificate)."""
    record, now = tenant.tables["servicePrincipals"][principal_id], tenant.clock()
    validity = Validity(now, now + timedelta(days=365 * YEARS))
    pair = tenant.keys.pair(f"signing/{principal_id}/{tenant.mint()}", SUBJECT, validity)
    keys, passwords = certificates.credentials(pair, tenant.mint, name)
    tenant.vault[certificates.identifier(pair)] = pair
    after = {**record, KEYS: [*record[KEYS], *keys], PASSWORDS: [*record[PASSWORDS], *passwords]}
    tenant.commit([Write("servicePrincipals", principal_id, after)])


def add_group(tenant: Tenant, name: str, user_ids: Iterable[str], **more: Any) -> str:
    """Make a group with these members, and return its id; `more`: what is special about it, as HIDDEN."""
    key = tenant.mint()
    made = GROUP.filled({"id": key, "displayName": name, "mailNickname": f"by-hand-{key[:8]}", **more})
    tenant.commit([Write("groups", key, made), Write("members", key, tuple(user_ids))])
    return key


def add_members(tenant: Tenant, group_id: str, user_ids: Iterable[str]) -> None:
    """Add users to a group, beside those who are in it."""
    held = tenant.now_view.related("members", group_id)
    tenant.commit([Write("members", group_id, tuple(dict.fromkeys((*held, *user_ids))))])
