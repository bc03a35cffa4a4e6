"""Where each account is in a certificate rollover: what it lacks, what it can be given, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from awsfed_lib.core.certificate import distribution
from awsfed_lib.core.certificate.campaign import View
from awsfed_lib.core.certificate.distribution import Holder
from awsfed_lib.core.change import Change
from awsfed_lib.core.errors import DocumentError
from awsfed_lib.core.saml.metadata import Metadata

Part = tuple[Holder, Metadata]


class Pending(NamedTuple):
    """Accounts that lack a needed certificate: those that can be given it, and why the others cannot."""

    ready: tuple[Part, ...]
    blocked: tuple[tuple[Holder, str], ...]


def pending(view: View) -> Pending:
    """Judge every included account that lacks a certificate that it needs."""
    lacking = [holder for holder in view.included if not holder.problem and not _needed(view) <= holder.thumbprints]
    judged = [(holder, extension(view, holder)) for holder in lacking]
    ready = tuple((holder, found) for holder, found in judged if isinstance(found, Metadata))
    return Pending(ready, tuple((holder, found) for holder, found in judged if isinstance(found, str)))


def _needed(view: View) -> frozenset[str]:
    return frozenset(one.thumbprint for one in view.needed)


def extension(view: View, holder: Holder) -> Metadata | str:
    """Compose what the account should hold, or say why it cannot be given that."""
    if view.live.metadata is None:
        return "no-metadata: the application's own metadata was not read."
    try:
        document = distribution.extended(holder, view.live.metadata, [view.public(one) for one in view.needed], now=view.now)
    except DocumentError as error:
        return f"{error.reason}: {error.what}"
    why = _refusal(view, holder, document)
    tolerated = view.campaign.mode == "emergency" and why.startswith("no-overlap")
    return document if tolerated or not why else why


def reductions(view: View) -> tuple[Part, ...]:
    """Compose what accounts should hold once the old certificates are gone; accounts that may not be written stay as they are."""
    base, old = view.live.metadata, {one.thumbprint for one in view.old}
    if base is None:
        return ()
    holding = (holder for holder in view.included if not holder.problem and old & holder.thumbprints)
    parts = ((holder, distribution.reduced(holder, base, old)) for holder in holding)
    return tuple((holder, document) for holder, document in parts if not _refusal(view, holder, document))


def _refusal(view: View, holder: Holder, document: Metadata) -> str:
    return distribution.refusal(holder, document, signs={one.thumbprint for one in view.signs}, now=view.now)


def waves(view: View, parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """Cut `parts` into waves, canary accounts first."""
    first = tuple(part for part in parts if part[0].account_id in view.canary)
    rest = tuple(part for part in parts if part[0].account_id not in view.canary)
    size = view.campaign.wave
    return [wave for wave in (first, *(rest[start : start + size] for start in range(0, len(rest), size))) if wave]


def blockers(view: View, found: Pending) -> Iterator[str]:
    """Say what keeps the gate shut. Once the new certificate is active, an unread account changes nothing any more."""
    yield from (f"{holder.label}: {why}" for holder, why in found.blocked)
    if not view.live.holders and any(one != view.new for one in view.signs):  # the first certificate locks nobody out
        yield "nothing-read: no account was read, and no appRole names a SAML provider."
    if view.new and not view.new.is_active:
        yield from unseen(view)


def unseen(view: View) -> Iterator[str]:
    """Name each SAML provider that an appRole names, or account, that was not read, and is not excluded by name."""
    yield from (
        f"{holder.label}: unknown, {holder.problem} Read it, or exclude it by name (campaign_exclusions)." for holder in view.unknown
    )


def evidence(view: View) -> tuple[Change, ...]:
    """Say what was seen in each account, for the plan that activates: a change of it makes another plan id."""
    return tuple(_seen(view, holder) for holder in view.live.holders)


def _seen(view: View, holder: Holder) -> Change:
    holds = ", ".join(f"{one[:8]}…" for one in sorted(holder.thumbprints))
    reason = view.campaign.excluded.get(holder.account_id, "")
    excluded = f"excluded by name ({reason}): whoever signs in there is locked out unless it holds the new certificate"
    why = excluded if reason else "" if holder.provider_arn else "no provider"
    return Change("keep", "provider", holder.provider_arn or holder.account_id, holder.label, holds, holds, why)


def account(view: View, holder: Holder) -> dict[str, object]:
    """One ROLLOUT row."""
    ours = {one.thumbprint for one in view.certificates}
    parts = {"active": [one for one in view.certificates if one.is_active], "new": [view.new] if view.new else [], "old": list(view.old)}
    holds = [word for word, ones in parts.items() if ones and {one.thumbprint for one in ones} <= holder.thumbprints]
    entity = view.live.metadata.entity_id if view.live.metadata else ""
    state, reason = _state(view, holder)
    return {
        "account_id": holder.account_id,
        "account_name": holder.account_name,
        "provider_arn": holder.provider_arn,
        "state": state,
        "holds": ", ".join(holds),
        "others": len(holder.thumbprints - ours),
        "locked_out": distribution.cannot_enter(holder, {one.thumbprint for one in view.signs}, entity) if entity else "",
        "reason": reason,
    }


def _state(view: View, holder: Holder) -> tuple[str, str]:
    if holder.account_id in view.campaign.excluded:
        return "excluded", f"{view.campaign.excluded[holder.account_id]} {holder.problem}".strip()
    if holder.problem:
        return "unknown", holder.problem
    if not holder.provider_arn:
        return "no provider", "Runbook 02-accounts makes it."
    if _needed(view) <= holder.thumbprints:
        return "ready", ""
    found = extension(view, holder)
    return ("blocked", found) if isinstance(found, str) else ("waiting", "")


def locked_out(view: View) -> Iterator[dict[str, object]]:
    """Rows of the accounts that would be locked out if the new certificate were activated now; unread ones may be, so they count."""
    entity = view.live.metadata.entity_id if view.live.metadata else ""
    for holder in view.live.holders:
        if view.new and entity:
            why = distribution.cannot_enter(holder, (view.new.thumbprint,), entity)
        else:
            why = "There is no new certificate yet, so it holds none." if holder.provider_arn else ""
        if why:
            yield account(view, holder) | {"locked_out": why}
