"""The enterprise application as a whole: what it is, what it shall be, and the one plan of what can be done next.

A plan holds no id that Entra ID has not made yet. So an empty tenant takes three runs, and each plan holds all that can
be sent by then: make the application; mark it, set it up, make its claims policy and its certificate; put both into
effect. One plan a run, and not several plans in one: a person reads one page and approves one id, and what comes next is
planned from what Entra ID then has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from awsfed_lib.core.certificate import certificate_plan
from awsfed_lib.core.certificate.campaign import CLOUDS_THAT_MAKE
from awsfed_lib.core.certificate.certificates import SigningCertificate
from awsfed_lib.core.change import Change, Guards, Request, Subject
from awsfed_lib.core.finding import finding
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.saml import application, claim_plan, claims, gallery, metadata
from awsfed_lib.core.saml.application import LiveApplication, Settings
from awsfed_lib.core.saml.claim_definition import Claims, text_of
from awsfed_lib.core.saml.claim_plan import LivePolicies
from awsfed_lib.core.saml.gallery import Wanted
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.shapes import CLAIMS
from awsfed_lib.core.tables import FACTS, FINDINGS, frame, rows

TITLE = "Enterprise application"


@dataclass(frozen=True)
class Enterprise:
    """An enterprise application that is there: both halves, its policies, its signing certificates.

    `portal`: its claimsPolicy (beta), which the portal's blade writes; None when it has none, or when it was not read, and
    then `portal_problem` says why.
    """

    subject: Subject
    halves: LiveApplication
    policies: LivePolicies
    certificates: tuple[SigningCertificate, ...]
    portal: Mapping[str, Any] | None = None
    portal_problem: str = ""


@dataclass(frozen=True)
class Live:
    """What was read of the tenant.

    `wanted`: the application to make when there is none, None when one was named by its object id. `instances`: service
    principals with its mark or its name. `cloud`: whose laws hold; `graph_url` of the session. `found`: the application, None: not there.
    """

    tenant: Subject
    cloud: str
    graph_url: str
    wanted: Wanted | None
    instances: tuple[Mapping[str, Any], ...]
    found: Enterprise | None


@dataclass(frozen=True)
class Desired:
    """What the application shall be. `policy`: name of its claims mapping policy, "" leaves the claims as they are;
    `certificate`: name of its first signing certificate, "CN=…", "" makes none.
    """  # noqa: D205  one thought

    settings: Settings
    claims: Claims
    policy: str = ""
    certificate: str = ""


def plan(live: Live, desired: Desired, *, guards: Guards = Guards()) -> Plan:  # noqa: B008  frozen
    """Plan all that can be sent by the ids that are known now. Falsy when everything is as desired.

    Raises ParameterError as gallery.found does, TableError as application.plan does.
    """
    if live.found is None and live.wanted is not None:
        return replace(gallery.plan(live.tenant, live.instances, live.wanted), title=TITLE)
    return _joined(live, tuple(_parts(live, desired, guards)), guards)


def note(live: Live, desired: Desired) -> pd.DataFrame:
    """Tell what the tutorial asks to note down, and what comes next: FACTS."""
    told_next = _next(live, desired)
    told = [*(_noted(live.found) if live.found else [("application", "none yet: nothing has its mark or its name")]), ("next", told_next)]
    return _facts(told)


def _next(live: Live, desired: Desired) -> str:
    following = next((request.purpose for request in plan(live, desired).requests), "")
    if following:
        return f"01-application has more to send, first: {following}"
    if live.found and desired.certificate and not any(one.is_active for one in live.found.certificates):
        return "make a signing certificate by the recipe below, then run 01-application again"
    return "nothing is left to do here: go on with 02-accounts"


def _noted(found: Enterprise) -> Iterator[tuple[str, str]]:
    principal, registration = found.halves.service_principal, found.halves.application
    yield "application", found.subject.name
    yield "Object ID (application_id of the parameter file)", found.subject.id
    yield "Application ID", str(principal.get("appId", ""))
    yield "Object ID of the app registration", str(registration.get("id", ""))
    for half, entry in ((application.SERVICE_PRINCIPAL, principal), (application.APPLICATION, registration)):
        yield from application.shown(half, entry)
    yield "signs with", ", ".join(f"{one.name} {one.thumbprint}" for one in found.certificates if one.is_active) or "none is active"


def claims_in_effect(live: Live) -> pd.DataFrame:
    """CLAIMS that Entra ID sends for the application now, and who says so: policy over portal over template. None while there is none."""
    if live.found is None:
        return frame(CLAIMS, [])
    return claims.effective(live.found.policies.assigned, live.found.portal, live.found.portal_problem)


def lint(live: Live, users: pd.DataFrame, *, roles: pd.DataFrame | None, unread: str = "") -> pd.DataFrame:
    """Judge the claims in effect: FINDINGS. `users`: MEMBERS; `roles`: ROLES, None when they were not read, and `unread` says why."""
    if live.found is None:
        return frame(FINDINGS, [])
    definition = next(map(text_of, live.found.policies.assigned), "")
    found = claims.lint(claims_in_effect(live), users=users, roles=roles, definition=definition)
    return frame(FINDINGS, [*rows(found), *_issuer(live.found), *([] if roles is not None else [_uncompared(live.found, unread)])])


def _issuer(found: Enterprise) -> Iterator[dict[str, str]]:
    """Look for a policy of the portal that appends the application to the issuer: its default (graph/api/resources/customclaimspolicy)."""
    if found.portal and not found.policies.assigned and found.portal.get("includeApplicationIdInIssuer") is True:
        words = "includeApplicationIdInIssuer is on: with a certificate of your own the issuer ends in the application id."
        remedy = "AWS then says “Issuer not present in specified provider”. Set it to false, or give the application a claims_policy."
        yield finding("high", "issuer-with-application", found.subject.id, cause=words, remedy=remedy)


def _uncompared(found: Enterprise, unread: str) -> dict[str, str]:
    words = f"The duration was not compared with what the roles allow, since AWS was not read: {unread}"
    return finding("note", "durations-unread", found.subject.id, cause=words, remedy="See 00-preflight; 07-signin compares it too.")


def files(found: Metadata | None) -> dict[str, str]:
    """Give the Federation Metadata XML that the tutorial downloads, without a byte order mark; no file when there is none."""
    return {} if found is None else {"federation-metadata.xml": found.document}


def describe(live: Live, found: Metadata | None, *, now: datetime) -> pd.DataFrame:
    """Tell what the metadata of the application says, and what speaks against giving it to accounts: FACTS."""
    if live.found is None or found is None:
        return _facts([("metadata", "none yet: it comes with the first signing certificate")])
    thumbprints = {one.thumbprint for one in live.found.certificates if one.thumbprint}
    against = metadata.refusals(found, tenant_id=live.tenant.realm, thumbprints=thumbprints, now=now)
    return _facts([
        ("entityID", found.entity_id),
        *(("sign-in address", url) for url in found.sso_urls),
        *(("certificate", f"{one.thumbprint}, {one.subject}, until {one.not_after:%Y-%m-%d}") for one in found.certificates),
        ("byte order mark", "taken away: IAM does not read it" if found.had_bom else "none"),
        ("characters", f"{len(found.document):,}"),
        ("fingerprint", found.fingerprint),
        ("fit for the accounts", "yes" if not against else "no: " + " ".join(against)),
    ])  # fmt: skip


def _facts(told: Iterable[tuple[str, str]]) -> pd.DataFrame:
    return frame(FACTS, [{"fact": fact, "value": value} for fact, value in told])


def _parts(live: Live, desired: Desired, guards: Guards) -> Iterator[Plan]:
    """Plans of the parts, in the order of sending: SAML mode goes before the identifier, both before what Entra makes for them."""
    if live.wanted is not None:
        yield gallery.plan(live.tenant, live.instances, live.wanted)
    if live.found is not None:
        subject = live.found.subject
        yield application.plan(subject, live.found.halves, desired.settings)
        if desired.policy:
            named = {"name": desired.policy, "graph_url": live.graph_url}
            yield claim_plan.plan(subject, live.found.policies, desired.claims, **named, guards=guards)
        yield _certificate(live.cloud, live.found, desired.certificate)


def _certificate(cloud: str, found: Enterprise, name: str) -> Plan:
    """Plan the first signing certificate: make it, then activate it; with an active one there is nothing to do here."""
    active = [one for one in found.certificates if one.is_active]
    if active:
        return _kept(found.subject, active[0], "It signs. A new one comes by 08-certificates, which gives it to the accounts first.")
    if not name:
        return Plan(TITLE, found.subject, (), (), (), ())
    if len(found.certificates) == 1 and found.certificates[0].thumbprint:
        return certificate_plan.activate(found.subject, found.certificates, found.certificates[0])
    if found.certificates:
        return _kept(
            found.subject, found.certificates[0], "None is active, and which one shall sign is not said. Activate it in the portal."
        )
    if cloud not in CLOUDS_THAT_MAKE:
        why = "Entra ID makes no signing certificate by API in this cloud: see the recipe below, then run again."
        return Plan(TITLE, found.subject, (Change("keep", certificate_plan.KIND, name, name, why=why),), (), (), ())
    return certificate_plan.add(found.subject, found.certificates, name=name)


def _kept(subject: Subject, one: SigningCertificate, why: str) -> Plan:
    change = Change("keep", certificate_plan.KIND, one.thumbprint or one.identifier, one.name, one.thumbprint, one.thumbprint, why)
    return Plan(TITLE, subject, (change,), (), (), ())


def _joined(live: Live, parts: Sequence[Plan], guards: Guards) -> Plan:
    """Make one plan of several about one application: their requests one after the other, each under its own conditions."""
    return Plan(
        TITLE,
        live.found.subject if live.found else live.tenant,
        tuple(change for part in parts for change in part.changes),
        tuple(_in_turn(parts)),
        tuple(basis for part in parts for basis in part.basis),
        tuple(basis for part in parts for basis in part.goal),
        refusals=tuple(words for part in parts for words in part.refusals),
        guards=guards,
    )


def _in_turn(parts: Iterable[Plan]) -> Iterator[Request]:
    first = 0
    for part in parts:
        yield from (replace(request, wave=first + request.wave) for request in part.requests)
        first += 1 + max((request.wave for request in part.requests), default=-1)
