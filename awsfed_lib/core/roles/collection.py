"""The appRoles of an application as one collection: its facts, and the PATCH that puts another in its place.

The PATCH replaces the whole collection, so each is sent only when the live one is what it was made for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import PlanError
from awsfed_lib.core.roles.body import DEFAULT_ROLE, check_ids

TABLE, SAML = "app_roles", "saml"

Entry = Mapping[str, Any]


def refuse_wrong_object(application: Subject, live: Sequence[Mapping[str, Any]], mode: str) -> None:
    """Raise PlanError when the live rows of APP_ROLES are not those of a SAML application, TableError when two have one id.

    `mode`: preferredSingleSignOnMode; an application that was made outside of the gallery has no default role.
    """
    check_ids([row["entry"] for row in live])
    if mode != SAML and not any(row["display_name"] == DEFAULT_ROLE for row in live):
        raise PlanError(
            f"The application does not sign in by SAML (its mode is {mode or 'not set'}), and its appRoles hold no {DEFAULT_ROLE}.",
            where=f"{application.name} ({application.id})",
            remedy="Take the object id of the enterprise application (not of the app registration) as application_id. Nothing was sent.",
        )


def basis(application: Subject, collection: Sequence[Entry]) -> Basis:
    """Make the basis of a collection of entries."""
    return Basis.over(TABLE, application.id, tuple(facts.app_role(entry) for entry in collection))


def next_wave(requests: Sequence[Request]) -> int:
    """Give the wave after the last of the requests."""
    return requests[-1].wave + 1 if requests else 0


def patches(
    application: Subject, before: Sequence[Entry], after: Sequence[Entry], *, wave: int = 0, beside: tuple[Basis, ...] = ()
) -> list[Request]:
    """One PATCH where the two states differ, none where they are the same."""
    return [_patch(application, before, after, wave=wave, beside=beside)] if before != after else []


def _patch(application: Subject, before: Sequence[Entry], after: Sequence[Entry], *, wave: int, beside: tuple[Basis, ...]) -> Request:
    old, new = ({facts.app_role(entry) for entry in state} for state in (before, after))
    return Request(
        "PATCH",
        f"/servicePrincipals/{quote(application.id, safe='')}",
        as_json({"appRoles": list(after)}),
        _purpose(before, after),
        Settled(TABLE, application.id, present=tuple(sorted(new - old)), absent=tuple(sorted(old - new))),
        expects=basis(application, before),
        wave=wave,
        beside=beside,
    )


def _purpose(before: Sequence[Entry], after: Sequence[Entry]) -> str:
    old, new = ({entry["id"]: entry["isEnabled"] for entry in state} for state in (before, after))
    numbers = {
        "add": len(new.keys() - old.keys()),
        "enable": sum(new[name] and not old[name] for name in new.keys() & old.keys()),
        "disable": sum(old[name] and not new[name] for name in new.keys() & old.keys()),
        "remove": len(old.keys() - new.keys()),
    }
    numbers["keep"] = sum(new[name] == old.get(name) for name in new)
    return f"appRoles: {', '.join(f'{verb} {number}' for verb, number in numbers.items() if number)}"


def active_imports(jobs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the role imports among the synchronization jobs that run by themselves.

    Such a job disables what is patched by hand, and brings back what was removed: MicrosoftDocs/azure-docs #23162 and #23165;
    entra saas-apps/amazon-web-service-tutorial says the two must not mix.
    """
    return [job for job in jobs if (job.get("schedule") or {}).get("state") == "Active"]


def importing(jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Refuse to write beside a role import that runs by itself."""
    advice = "is active and would undo this: pause provisioning of the application first."
    return [f"The role import {job.get('id', '')} {advice}" for job in active_imports(jobs)]
