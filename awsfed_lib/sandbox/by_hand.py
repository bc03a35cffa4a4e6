"""What a person does in the portal, which every cloud has: the acts that a walk through the tutorial cannot leave to Graph."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from awsfed_lib.sandbox.entra import certificates
from awsfed_lib.sandbox.entra.signing import KEYS, PASSWORDS, SUBJECT, YEARS
from awsfed_lib.sandbox.keys import Validity
from awsfed_lib.sandbox.store import Tenant, Write


def new_certificate(tenant: Tenant, principal_id: str, name: str) -> None:
    """Make a signing certificate, inactive (entra-docs tutorial-manage-certificates-for-federated-single-sign-on, New Certificate)."""
    record, now = tenant.tables["servicePrincipals"][principal_id], tenant.clock()
    validity = Validity(now, now + timedelta(days=365 * YEARS))
    pair = tenant.keys.pair(f"signing/{principal_id}/{tenant.mint()}", SUBJECT, validity)
    keys, passwords = certificates.credentials(pair, tenant.mint, name)
    tenant.vault[certificates.identifier(pair)] = pair
    after = {**record, KEYS: [*record[KEYS], *keys], PASSWORDS: [*record[PASSWORDS], *passwords]}
    tenant.commit([Write("servicePrincipals", principal_id, after)])


def add_members(tenant: Tenant, group_id: str, user_ids: Iterable[str]) -> None:
    """Add users to a group, beside those who are in it."""
    held = tenant.now_view.related("members", group_id)
    tenant.commit([Write("members", group_id, tuple(dict.fromkeys((*held, *user_ids))))])
