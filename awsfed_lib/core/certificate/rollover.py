"""The certificate rollover as a campaign: from live state to its one next stage, with the plan of exactly that stage.

Nothing is remembered between runs. The parameter file names the certificate that the application shall sign with; what
Entra and the accounts hold says how far the campaign is. So a run that died goes on from where the world is, and a run
after the end plans nothing. Order: make the new certificate (inactive) → give both to a canary account, then to all in
waves → gate: every account is seen to hold it → activate → proof of a sign-in → soak → take the old one away, from the
accounts first and from Entra last, because only that cannot be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from awsfed_lib.core.certificate import certificate_plan, distribution, rollout
from awsfed_lib.core.certificate.campaign import CLOUDS_THAT_MAKE, Campaign, Live, Proof, View
from awsfed_lib.core.certificate.stage import Name, Stage
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.saml import metadata

NOTICE = timedelta(days=60)  # Entra's own first mail (entra tutorial-manage-certificates-for-federated-single-sign-on)


def stage(live: Live, campaign: Campaign, now: datetime) -> Stage:
    """Say the next stage and plan it. Pure; raises UnreadError when the certificates were not read."""
    view = View(live, campaign, now)
    found = next((step for decide in STAGES if (step := decide(view))), None) or _nothing(view, "done", *_leftovers(view))
    accounts = tuple(rollout.account(view, holder) for holder in live.holders)
    return replace(found, accounts=accounts, would_fail=tuple(rollout.locked_out(view)))


def _nothing(view: View, name: Name, *reasons: str) -> Stage:
    return Stage(name, reasons, Plan(f"Certificate rollover: {name}", view.live.application, (), (), (), ()))


def _create(view: View) -> Stage | None:
    if view.new:
        return None
    campaign, live = view.campaign, view.live
    if campaign.thumbprint:
        return _nothing(
            view, "refused", f"no-such-certificate: no certificate of the application has the thumbprint {campaign.thumbprint}."
        )
    if live.cloud not in CLOUDS_THAT_MAKE:
        where = "Add one as the recipe below says, leave it inactive, give its thumbprint as certificate_thumbprint, and run again."
        return _nothing(view, "refused", f"cloud: Entra ID makes no signing certificate by API in the cloud {live.cloud}. {where}")
    late = tuple(_too_late(view))
    # In an emergency the new one signs at once, everywhere: also where this run would not bring it afterwards.
    refusals = late if campaign.mode == "planned" else tuple(rollout.unseen(view)) if late else ()
    plan = certificate_plan.add(live.application, view.certificates, name=campaign.certificate, ends=campaign.ends, refusals=refusals)
    at_once = "The new certificate signs as soon as it is made: nobody can sign in until the accounts have it. Run again at once."
    return Stage("refused" if refusals else "create", refusals or ((at_once,) if late else ()), plan)


def _too_late(view: View) -> Iterator[str]:
    """Why a new certificate would sign, or soon sign, before any account knows it (certificates.py, the trap)."""
    active = [one for one in view.certificates if one.is_active]
    if view.certificates and not active:
        yield "no-active: no certificate is marked active, so a new one may sign at once. Activate the one that AWS knows."
    for one in active:
        day = f"{one.not_after:%Y-%m-%d}"
        if view.now > one.not_after:
            yield f"active-expired: {one.name} expired on {day}; a new certificate would sign at once, and no account knows it."
        elif one.not_after - view.now < timedelta(seconds=view.campaign.window):
            yield f"active-ends-soon: {one.name} ends on {day}, before a campaign could be through; then the new one would sign."


def _unfit(view: View) -> Stage | None:
    """Refuse what no stage may go on with: an unusable certificate, or metadata that is not this application's."""
    words = (*_certificate_words(view), *_metadata_words(view), *_account_words(view))
    return _nothing(view, "refused", *words) if words else None


def _certificate_words(view: View) -> Iterator[str]:
    new = view.new
    if new and not new.thumbprint:
        yield f"no-thumbprint: Graph does not tell the thumbprint of {new.name}, so it cannot be activated from here."
    if new and not new.valid(view.now):
        yield f"not-valid: {new.name} is valid from {new.not_before:%Y-%m-%d} to {new.not_after:%Y-%m-%d} only; choose a new name."


def _metadata_words(view: View) -> tuple[str, ...]:
    if view.live.metadata is None:
        return ("no-metadata: the application's own metadata was not read.",)
    thumbprints = {one.thumbprint for one in view.certificates if one.thumbprint}
    return metadata.refusals(view.live.metadata, tenant_id=view.live.application.realm, thumbprints=thumbprints, now=view.now)


def _account_words(view: View) -> Iterator[str]:
    known = {holder.account_id for holder in view.live.holders}
    for account_id in (*view.campaign.canary, *view.campaign.excluded):
        if account_id not in known:
            yield f"no-such-account: {account_id} is named in the campaign, and is none of the accounts."


def _distribute(view: View) -> Stage | None:
    """Canary accounts alone first; the others only when every canary holds the new certificate. In an emergency all at once."""
    found = rollout.pending(view)
    if not found.ready:
        return None
    if view.campaign.mode == "emergency":  # one wave: an account that fails must not keep the others locked out
        return _send(view, "distribute-waves", [found.ready])
    waves = rollout.waves(view, found.ready)
    if waves[0][0][0].account_id in view.canary:
        return _send(view, "distribute-canary", waves[:1])
    stuck = [holder.label for holder in (*(holder for holder, _ in found.blocked), *view.unknown) if holder.account_id in view.canary]
    if stuck:
        return _nothing(
            view, "gate", *(f"canary: {label} goes first, and cannot be written." for label in stuck), *rollout.blockers(view, found)
        )
    return _send(view, "distribute-waves", waves)


def _send(view: View, name: Name, waves: list[tuple[rollout.Part, ...]]) -> Stage:
    title = f"Give {view.campaign.certificate} to accounts"
    return Stage(name, tuple(_ends(view)), distribution.plan(view.live.organization, title, waves))


def _ends(view: View) -> Iterator[str]:
    for one in view.signs:
        if one != view.new and one.not_after - view.now < timedelta(seconds=view.campaign.window):
            yield f"{one.name} ends on {one.not_after:%Y-%m-%d %H:%M}; from then on the new certificate signs, ready or not."


def _gate(view: View) -> Stage | None:
    """Every account that is not excluded by name must be seen to hold the new certificate; unknown is not seen."""
    blockers = tuple(rollout.blockers(view, rollout.pending(view)))
    return _nothing(view, "gate", *blockers) if blockers else None


def _activate(view: View) -> Stage | None:
    if view.new is None or view.new.is_active:
        return None
    evidence = rollout.evidence(view)
    plan = certificate_plan.activate(view.live.application, view.certificates, view.new, evidence=evidence)
    return Stage("activate", tuple(f"{change.label}: {change.why}" for change in evidence if change.why), plan)


def _proof(view: View) -> Stage | None:
    if _proved(view):
        return None
    words = "Sign in through a canary account, and check the response with runbook 07-signin: it must be signed by the new certificate."
    return _nothing(view, "proof", words)


def _proved(view: View) -> datetime | None:
    """When the first proof with the new certificate was; proofs with another one count for nothing."""
    times = [proof.at for proof in view.live.proofs if view.new and proof.thumbprint == view.new.thumbprint and proof.at <= view.now]
    return min(times, default=None)


def _soak(view: View) -> Stage | None:
    proved = _proved(view)
    until = proved + timedelta(seconds=view.campaign.soak) if proved else None
    if until is None or view.now >= until or not view.old:
        return None
    return _nothing(view, "soak", f"Until {until:%Y-%m-%d %H:%M} UTC the old certificate stays, so that activating it again helps at once.")


def _retire(view: View) -> Stage | None:
    """From the accounts first, since that can be undone; from Entra when every account not excluded was seen without it.

    Nothing goes while an account that is not excluded is unread: it may not hold the new certificate, and the old one is the way back.
    """
    if view.old and view.unknown:
        return _nothing(view, "retire", *rollout.unseen(view))
    parts = rollout.reductions(view)
    if parts:
        waves = rollout.waves(view, parts)
        return Stage("retire", (), distribution.plan(view.live.organization, "Take the old certificate from accounts", waves))
    if view.old:
        return Stage("retire", (), certificate_plan.remove(view.live.application, view.live.service_principal, view.old))
    return None


def _leftovers(view: View) -> Iterator[str]:
    yield from (f"{holder.label} could not be read: {holder.problem}" for holder in view.unknown)
    if view.new and view.new.not_after - view.now < NOTICE:
        yield f"{view.new.name} ends on {view.new.not_after:%Y-%m-%d}: put a new certificate name into the parameter file."


STAGES: tuple[Callable[[View], Stage | None], ...] = (_create, _unfit, _distribute, _gate, _activate, _proof, _soak, _retire)

__all__ = ["Campaign", "Live", "Name", "Proof", "Stage", "stage"]
