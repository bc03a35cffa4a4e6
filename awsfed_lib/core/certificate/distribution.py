"""Which signing certificates each account accepts, what it should accept, and the requests in between.

UpdateSAMLProvider replaces the whole document and checks nothing about it, so the rule that keeps people signed in is
kept here: no document goes out that does not share a key that is still valid with the one it replaces, or that lacks the
key which signs now. Keys of others in the same provider stay: two applications of one tenant can share a provider.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.saml.x509 import Certificate
from awsfed_lib.core.shapes import DOCUMENTS
from awsfed_lib.core.tables import check, rows


@dataclass(frozen=True)
class Holder:
    """One SAML provider of one account. `metadata`: None when it could not be read; then `problem` says why.

    `other`: why this run writes nothing to it although its people sign in through it; "" when it may.
    """

    account_id: str
    account_name: str
    provider_arn: str
    stack: str
    problem: str
    metadata: Metadata | None
    other: str = ""

    @property
    def thumbprints(self) -> frozenset[str]:
        """Thumbprints that it is known to accept."""
        return self.metadata.thumbprints if self.metadata else frozenset()

    @property
    def label(self) -> str:
        """The account as people know it."""
        return f"{self.account_name} ({self.account_id})" if self.account_name else self.account_id


def read(documents: pd.DataFrame) -> tuple[Holder, ...]:
    """Read DOCUMENTS, one holder a row, by account id. A document that is no metadata is a problem, never an empty one."""
    return tuple(sorted(map(_holder, rows(check(DOCUMENTS, documents))), key=lambda holder: (holder.account_id, holder.provider_arn)))


def whole(documents: pd.DataFrame, provider: str, named: Mapping[str, int]) -> tuple[Holder, ...]:
    """Find the SAML providers that count in DOCUMENTS: those called `provider`, and those that appRoles name, by account id.

    `named`: the number of appRoles that name a provider, by its ARN, whatever accounts were selected. One that was not
    looked at, or is not there, is a holder with its problem; an account without any that counts is one without a provider.
    """
    listed = read(documents)
    accounts = {one.account_id: one.account_name for one in listed}
    unread = [one for one in listed if one.problem and not one.provider_arn]
    ours = [one for one in listed if one.provider_arn.rpartition("/")[2] == provider]
    words = f"other-provider: it is not called {provider}. Run this runbook with its name as provider first, or exclude the account."
    others = [replace(one, other=words) for one in listed if one.provider_arn in named and one not in ours]
    counting = [*ours, *others]
    looked_at = {one.account_id for one in unread} | {one.provider_arn for one in counting}
    missing = []
    for arn, number in named.items():
        account_id = arn.split(":")[4]
        if not looked_at & {arn, account_id}:
            missing.append(Holder(account_id, accounts.get(account_id, ""), arn, "", _not_seen(number, account_id in accounts), None))
    found = [*unread, *counting, *missing]
    settled = {one.account_id for one in found}
    without = [Holder(account_id, name, "", "", "", None) for account_id, name in accounts.items() if account_id not in settled]
    return tuple(sorted([*found, *without], key=lambda holder: (holder.account_id, holder.provider_arn)))


def _not_seen(number: int, read: bool) -> str:  # noqa: FBT001  a fact, and no mode
    who = f"{number} appRole{'s name' if number > 1 else ' names'} this provider"
    if read:
        return f"{who}, and the account has none such now. 02-accounts makes it, 04-approles removes appRoles of roles that are gone."
    return f"{who}, and the account was not read: it is outside of the selected accounts, or not in the organization."


def _holder(row: dict[str, str]) -> Holder:
    problem, found = row["problem"], None
    if row["provider_arn"] and not problem:
        try:
            found = metadata.read(row["document"])
        except DocumentError as error:
            problem = f"Its metadata cannot be used ({error.reason}): {error.what}"
    return Holder(row["account_id"], row["account_name"], row["provider_arn"], row["stack"], problem, found)


def cannot_enter(holder: Holder, thumbprints: Collection[str], entity_id: str) -> str:
    """Why nobody could sign in through this provider if the application signed with one of these; "" when they could.

    Each of `thumbprints` must be accepted: it is not known which of them would sign.
    """
    if holder.problem:
        return f"unknown: {holder.problem}"
    if not holder.provider_arn or holder.metadata is None:
        return ""
    if holder.metadata.entity_id != entity_id:
        return f"Its metadata is of {holder.metadata.entity_id}, and the response says {entity_id}."
    missing = sorted(set(thumbprints) - holder.thumbprints)
    return f"Its metadata lacks {', '.join(f'{one[:8]}…' for one in missing)}: “Response signature invalid”." if missing else ""


def extended(holder: Holder, base: Metadata, keys: Collection[Certificate], *, now: datetime) -> Metadata:
    """Compose what the account should hold: `keys`, and whatever it holds already that is still valid.

    Raises DocumentError, such as too-many-keys.
    """
    held = holder.metadata.certificates if holder.metadata else ()
    return metadata.compose(base, chain((one for one in held if one.valid(now)), keys))


def reduced(holder: Holder, base: Metadata, old: Collection[str]) -> Metadata:
    """Compose what the account should hold once the thumbprints `old` are gone. Raises DocumentError."""
    held = holder.metadata.certificates if holder.metadata else ()
    return metadata.compose(base, (one for one in held if one.thumbprint not in old))


def refusal(holder: Holder, document: Metadata, *, signs: Collection[str], now: datetime) -> str:
    """Why `document` must not replace what the account holds, beginning with the name of the rule; "" when it may.

    `signs`: thumbprints of what may sign now; a document without one of them locks everybody out.
    """
    if holder.problem or holder.metadata is None:
        return f"unread: {holder.problem or 'the account has no such provider.'}"
    if holder.other or holder.stack:
        return holder.other or f"owned: {holder.stack} owns the provider; change it there."
    names = (holder.metadata.entity_id, *holder.metadata.others)
    if names != (document.entity_id,):
        return f"foreign-entity: it federates with {', '.join(names)}, and the new document is of {document.entity_id} alone."
    if not set(signs) <= document.thumbprints:
        return "lacks-active: the new document lacks a certificate that signs now."
    if not any(one.valid(now) and one.thumbprint in document.thumbprints for one in holder.metadata.certificates):
        return "no-overlap: the new document shares no valid certificate with the one it replaces."
    return ""


def update(holder: Holder, document: Metadata, *, purpose: str, wave: int) -> Request:
    """Replace the metadata in place, never the provider: roles trust its ARN (IAM API_UpdateSAMLProvider)."""
    arn = holder.provider_arn
    before = facts.saml_provider(arn, holder.metadata.fingerprint if holder.metadata else "")
    after = facts.saml_provider(arn, document.fingerprint)
    body = as_json({"SAMLProviderArn": arn, "SAMLMetadataDocument": document.document})
    settled = Settled("saml_providers", arn, (after,), (before,))
    return Request(
        "iam:UpdateSAMLProvider", f"{holder.account_id}/{arn}", body, f"{purpose} in {holder.label}", settled,
        Basis.over("saml_providers", arn, (before,)), wave,
    )  # fmt: skip


def plan(organization: Subject, title: str, waves: Sequence[Sequence[tuple[Holder, Metadata]]]) -> Plan:
    """Send documents wave by wave; a wave with a failure is the last one."""
    planned = [(holder, document, wave) for wave, members in enumerate(waves) for holder, document in members]
    requests = tuple(update(holder, document, purpose=title, wave=wave) for holder, document, wave in planned)
    changes = tuple(
        Change("update", "provider", holder.provider_arn, holder.label, _keys(holder.metadata), _keys(document), f"wave {wave}")
        for holder, document, wave in planned
    )
    basis = tuple(request.expects for request in requests if request.expects)
    goal = tuple(Basis.over(request.settled.table, request.settled.of, request.settled.present) for request in requests)
    return Plan(title, organization, changes, requests, basis, goal)


def _keys(document: Metadata | None) -> str:
    return ", ".join(f"{one[:8]}…" for one in sorted(document.thumbprints)) if document else ""
