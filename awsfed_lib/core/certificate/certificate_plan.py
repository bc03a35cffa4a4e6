"""The three writes to a service principal's signing certificates: add one, activate one, take old ones away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from awsfed_lib.core import facts
from awsfed_lib.core.certificate.certificates import (
    KEYS,
    PASSWORDS,
    SigningCertificate,
    certificate_facts,
    credential_facts,
    identifier_of,
    name_facts,
)
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.plan import Plan

KIND = "signing certificate"


def add(application: Subject, live: Sequence[SigningCertificate], *, name: str, ends: str = "", refusals: tuple[str, ...] = ()) -> Plan:
    """Let Entra make a certificate called `name`; it stays inactive while the active one is valid.

    `name` must start with "CN="; `ends`: ISO time, at most three years ahead, "" for Entra's three years
    (graph/api/serviceprincipal-addtokensigningcertificate). The POST is not idempotent: it is recognised by the name.
    """
    if not name.startswith("CN=") or len(name) < len("CN=x"):
        raise ParameterError(f'The name of a signing certificate must start with "CN=": {name!r} does not.')
    body = {"displayName": name} | ({"endDateTime": ends} if ends else {})
    basis = Basis.over("certificate_names", application.id, name_facts(live))
    made = facts.certificate_name(name)
    request = Request(
        "POST",
        f"/servicePrincipals/{application.id}/addTokenSigningCertificate",
        as_json(body),
        f"Let Entra ID make the signing certificate {name}",
        Settled("certificate_names", application.id, (made,)),
        basis,
        creates=f"signing certificate {name} of {application.id}",
    )
    change = Change("add", KIND, name, name, after=f"inactive, ends {ends or 'in three years'}", why="Nothing signs with it yet.")
    goal = Basis.over("certificate_names", application.id, (*name_facts(live), made))
    return Plan("New signing certificate", application, (change,), (request,), (basis,), (goal,), refusals=refusals)


def activate(
    application: Subject, live: Sequence[SigningCertificate], new: SigningCertificate, *, evidence: tuple[Change, ...] = ()
) -> Plan:
    """Let the application sign with `new` from now on. `evidence`: what was seen in each account; it becomes part of the id."""
    before = certificate_facts(live)
    previous = [one for one in live if one.is_active]
    gone = tuple(facts.active_certificate(one.thumbprint) for one in previous)
    made = facts.active_certificate(new.thumbprint)
    basis = Basis.over("certificates", application.id, before)
    request = Request(
        "PATCH",
        f"/servicePrincipals/{application.id}",
        as_json({"preferredTokenSigningKeyThumbprint": new.thumbprint}),
        f"Activate {new.name}",
        Settled("certificates", application.id, (made,), gone),
        basis,
    )
    change = Change("update", KIND, "active", "active certificate", ", ".join(_label(one) for one in previous), _label(new))
    goal = Basis.over("certificates", application.id, (*(fact for fact in before if fact not in gone), made))
    return Plan("Activate the new signing certificate", application, (change, *evidence), (request,), (basis,), (goal,))


def remove(application: Subject, service_principal: Mapping[str, Any], old: Collection[SigningCertificate]) -> Plan:
    """Take the `old` certificates, their keys and passwords out of the service principal.

    PATCH replaces both collections, so everything that stays goes back as it was read; Graph keeps the keys that it does
    not show (graph/api/serviceprincipal-update). An active certificate is a refusal.
    """
    gone = _marks(service_principal, {one.identifier for one in old})
    stay = {kind: [entry for entry in service_principal.get(kind) or [] if not _of(entry, gone)] for kind in (KEYS, PASSWORDS)}
    before, after = credential_facts(service_principal), credential_facts(stay)
    basis = Basis.over("credentials", application.id, before)
    settled = Settled("credentials", application.id, (), tuple(fact for fact in before if fact not in after))
    names = ", ".join(one.name for one in old)
    request = Request("PATCH", f"/servicePrincipals/{application.id}", as_json(stay), f"Remove {names}", settled, basis)
    changes = tuple(
        Change("remove", KIND, one.thumbprint or one.identifier, _label(one), why="No account holds it any more.") for one in old
    )
    refusals = tuple(f"{_label(one)} is the active certificate; activate another first." for one in old if one.is_active)
    goal = (Basis.over("credentials", application.id, after),)
    return Plan("Remove old signing certificates", application, changes, (request,), (basis,), goal, refusals=refusals)


def _marks(service_principal: Mapping[str, Any], identifiers: Collection[str]) -> set[object]:
    """All that ties entries together: the shared customKeyIdentifier, and the keyId that a key shares with its password."""
    keys = [entry for entry in service_principal.get(KEYS) or [] if identifier_of(entry) in identifiers]
    return {mark for entry in keys for mark in (entry.get("customKeyIdentifier"), entry.get("keyId")) if mark}


def _of(entry: Mapping[str, Any], marks: Collection[object]) -> bool:
    return entry.get("customKeyIdentifier") in marks or entry.get("keyId") in marks


def _label(one: SigningCertificate) -> str:
    return f"{one.name} {one.thumbprint[:8]}…" if one.thumbprint else one.name
