"""The plan for many accounts: providers, then roles, canary accounts first, wave by wave.

Providers are updated in place and roles are corrected, never recreated: appRoles hold their ARNs. In an account the
provider comes before the roles that trust it (IAM refuses a principal that does not exist).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core import facts
from awsfed_lib.core.accounts import role_changes
from awsfed_lib.core.accounts.families import Families
from awsfed_lib.core.accounts.role_changes import Planned, Step, facts_of
from awsfed_lib.core.certificate import distribution
from awsfed_lib.core.certificate.distribution import Holder
from awsfed_lib.core.change import Basis, Change, Guards, Request, Settled, Subject, Tolerance, as_json
from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.shapes import IAM_ROLES
from awsfed_lib.core.tables import check, rows

TITLE = "Providers and roles of the accounts"
UNGUARDED = Guards()


@dataclass(frozen=True)
class Terms:
    """What the plan goes by.

    `families`: the desired state; `base`: the application's own metadata (`?appid=`), whose certificates every provider
    must take; `signs`: thumbprints of what Entra signs with now (certificates.signing), which `base` must hold;
    `holders`: the providers of all accounts (distribution.read of DOCUMENTS); `now`: UTC; `canary`: account ids that go
    first, none takes the first account that is changed; `wave`: accounts a wave; `failures`: accounts that may fail before the
    others are left alone, a canary account never; `guards`: of the parameter file.
    """

    families: Families
    base: Metadata
    tenant_id: str
    signs: tuple[str, ...]
    holders: tuple[Holder, ...]
    now: datetime
    canary: tuple[str, ...] = ()
    wave: int = 50
    failures: int = 0
    guards: Guards = UNGUARDED


class Chain(NamedTuple):
    """Requests to one object in order, and its facts before and after all of them."""

    requests: tuple[Request, ...]
    basis: Basis
    goal: Basis


class _Account(NamedTuple):
    """What goes to one account: its provider first, its roles beside each other; and what a person reads."""

    account_id: str
    provider: Chain | None
    roles: tuple[Chain, ...]
    changes: tuple[Change, ...]

    @property
    def chains(self) -> tuple[Chain, ...]:
        return (*([self.provider] if self.provider else []), *self.roles)

    def step(self, number: int) -> tuple[Request, ...]:
        """Return the requests of one step: step 0 is the provider, step 1 the first request to each role."""
        if number == 0:
            return self.provider.requests if self.provider else ()
        return tuple(chain.requests[number - 1] for chain in self.roles if number <= len(chain.requests))

    @property
    def length(self) -> int:
        return 1 + max((len(chain.requests) for chain in self.roles), default=0)


def role_facts(rows_of_role: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Write the facts of the live table "iam_role" of one role ARN: none when there is no such role."""
    return tuple(fact for row in rows_of_role for fact in facts_of(row))


def plan(organization: Subject, live: pd.DataFrame, desired: pd.DataFrame, *, within: pd.DataFrame, terms: Terms) -> Plan:
    """Plan providers and roles from live and desired IAM_ROLES.

    `within`: ACCOUNTS as they were read; one with a problem, or not ACTIVE, is shown and left alone, and so is one whose
    providers are not among `terms.holders`.
    """
    held = {holder.account_id: holder for holder in terms.holders if _named(holder, terms)}
    known = {(row["account_id"], row["role_name"].lower()): row for row in rows(check(IAM_ROLES, live))}
    read = {row["account_id"]: row for row in rows(within)}
    wanted: dict[str, list[dict[str, Any]]] = {}
    for row in rows(check(IAM_ROLES, desired)):
        wanted.setdefault(row["account_id"], []).append(row)
    alone = {key: change for key in sorted(wanted) if (change := _left_alone(key, read.get(key), held.get(key)))}
    parts = [_account(held[key], wanted[key], known, terms) for key in sorted(wanted) if key not in alone]
    changes = (*(change for part in parts for change in part.changes), *alone.values())
    chains = [chain for part in parts for chain in part.chains]
    basis, goal = tuple(chain.basis for chain in chains), tuple(chain.goal for chain in chains)
    canary = terms.canary or tuple(part.account_id for part in parts if part.chains)[:1]
    requests, tolerance = tuple(_in_waves(parts, canary, terms.wave)), Tolerance(terms.failures, canary)
    refusals = _refusals(changes, terms)
    return Plan(TITLE, organization, changes, requests, basis, goal, refusals=refusals, guards=terms.guards, tolerance=tolerance)


def _named(holder: Holder, terms: Terms) -> bool:
    return holder.provider_arn in ("", terms.families.provider_arn(holder.account_id))


def _left_alone(account_id: str, account: Mapping[str, Any] | None, holder: Holder | None) -> Change | None:
    """Say why an account is not touched; None when it was read in full and is open."""
    why = "unread: it is none of the accounts that were read."
    if account is not None:
        why = account["problem"] or ("" if account["state"] == "ACTIVE" else f"state: the account is {account['state']}.")
        why = why or ("" if holder else "unread: its SAML providers were not read.") or (holder.problem if holder else "")
    name = account["account_name"] if account else ""
    return Change("keep", "account", account_id, f"{name} ({account_id})" if name else account_id, why=why) if why else None


Known = Mapping[tuple[str, str], Mapping[str, Any]]


def _account(holder: Holder, wanted: Iterable[Mapping[str, Any]], known: Known, terms: Terms) -> _Account:
    provider, words = _provider(holder, terms)
    chains, changes = [], [words]
    for want in wanted:
        has = known.get((holder.account_id, want["role_name"].lower()))
        planned = role_changes.update(has, want, terms.guards) if has else role_changes.create(want)
        changes += planned.changes
        if planned.steps:
            chains.append(chain(has or want, planned, facts_of(has) if has else ()))
    return _Account(holder.account_id, _alone(provider), tuple(chains), tuple(changes))


def _alone(request: Request | None) -> Chain | None:
    if request is None or request.expects is None:
        return None
    settled = request.settled
    return Chain((request,), request.expects, Basis.over(settled.table, settled.of, settled.present))


def _provider(holder: Holder, terms: Terms) -> tuple[Request | None, Change]:
    """Make the provider, or let it take the application's certificates as well; what it takes already stays (08 retires)."""
    arn = terms.families.provider_arn(holder.account_id)
    if not holder.provider_arn:
        document = metadata.compose(terms.base, terms.base.certificates)
        return _make_provider(holder, terms, document), Change("add", "provider", arn, holder.label, after=terms.families.provider)
    if holder.metadata and terms.base.thumbprints <= holder.thumbprints and holder.metadata.entity_id == terms.base.entity_id:
        return None, Change("keep", "provider", arn, holder.label, why="It takes the application's certificates.")
    try:
        document = distribution.extended(holder, terms.base, terms.base.certificates, now=terms.now)
    except DocumentError as error:
        return None, Change("keep", "provider", arn, holder.label, why=f"{error.reason}: {error.what}")
    why = distribution.refusal(holder, document, signs=terms.signs, now=terms.now)
    if why:
        return None, Change("keep", "provider", arn, holder.label, why=why)
    added = ", ".join(f"{one[:8]}…" for one in sorted(document.thumbprints - holder.thumbprints))
    request = distribution.update(holder, document, purpose="Add the application's certificates", wave=0)
    return request, Change("update", "provider", arn, holder.label, after=f"takes {added} as well")


def _make_provider(holder: Holder, terms: Terms, document: Metadata) -> Request:
    arn = terms.families.provider_arn(holder.account_id)
    body = as_json({"Name": terms.families.provider, "SAMLMetadataDocument": document.document})
    settled = Settled("saml_providers", arn, (facts.saml_provider(arn, document.fingerprint),))
    purpose = f"Make the SAML provider in {holder.label}"
    return Request("iam:CreateSAMLProvider", f"{holder.account_id}/{arn}", body, purpose, settled, Basis.over("saml_providers", arn, ()))


def chain(row: Mapping[str, Any], planned: Planned, live: tuple[str, ...]) -> Chain:
    """Turn the steps of one role into requests, each of which expects what the one before it left."""
    found, chain = live, []
    for step in planned.steps:
        chain.append(_request(row, step, found))
        found = (*(fact for fact in found if fact not in step.absent), *step.present)
    return Chain(tuple(chain), Basis.over("iam_role", row["role_arn"], live), Basis.over("iam_role", row["role_arn"], found))


def _request(row: Mapping[str, Any], step: Step, before: tuple[str, ...]) -> Request:
    arn, account_id = row["role_arn"], row["account_id"]
    settled = Settled("iam_role", arn, step.present, step.absent)
    purpose = f"{step.purpose} in {account_id}"
    return Request(
        f"iam:{step.operation}", f"{account_id}/{arn}", as_json(step.body), purpose, settled, Basis.over("iam_role", arn, before)
    )


def _in_waves(parts: Sequence[_Account], canary: Sequence[str], wave: int) -> Iterator[Request]:
    """Order requests: canary accounts through all their steps, then the others, `wave` accounts at a time."""
    first = [part for part in parts if part.account_id in canary]
    rest = [part for part in parts if part.chains and part.account_id not in canary]
    number = 0
    for batch in filter(None, [first, *(rest[start : start + wave] for start in range(0, len(rest), wave))]):
        for step in range(max(part.length for part in batch)):
            together = [request for part in batch for request in part.step(step)]
            yield from (replace(request, wave=number) for request in together)
            number += bool(together)


def _refusals(changes: Iterable[Change], terms: Terms) -> tuple[str, ...]:
    words = metadata.refusals(terms.base, tenant_id=terms.tenant_id, thumbprints=terms.signs, now=terms.now)
    if missing := sorted(set(terms.signs) - terms.base.thumbprints):
        words += (f"lacks-active: the metadata lacks {', '.join(f'{one[:8]}…' for one in missing)}, which signs now; read it again.",)
    removed = sum(change.action == "remove" for change in changes)
    if removed > terms.guards.max_removed:
        words += (f"The plan detaches {removed} policies, and max_removed of the parameter file is {terms.guards.max_removed}.",)
    return words
