"""Before anything is planned: may this identity do what each runbook needs, and is the ground ready? Pure: facts in, CHECKS out.

A fact that could not be read is a row that says so, with what to grant: preflight is for the identity that lacks something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import pandas as pd

from awsfed_lib.core.roles.approles import active_imports
from awsfed_lib.core.roles.body import Capacity
from awsfed_lib.core.tables import CHECKS, FACTS, OPEN, frame, rows

ASSIGN = "AppRoleAssignment.ReadWrite.All"
_STACKS = "via needs cloudformation:DescribeStackResources too, which was not tried; without it plans say “ownership not known”"
AWS_MORE: Mapping[str, str] = {
    "02-accounts": _STACKS,
    "08-certificates": _STACKS,
    "10-access": "with entered_from: lookup, via needs cloudtrail:LookupEvents too, which was not tried",
    "11-onboard": _STACKS,
    "12-offboard": _STACKS,
}
"""What a runbook may need in AWS beyond reading roles: only some of its parameters ask for it."""

PREMIUM = frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"})
SOON = timedelta(days=30)


class Holder(Protocol):
    """Who is signed in, by the token (`auth.Held`)."""

    @property
    def kind(self) -> str:
        """Name the kind: application or delegated."""

    @property
    def permissions(self) -> frozenset[str]:
        """Give the roles or scopes of the token."""

    @property
    def directory_roles(self) -> frozenset[str] | None:
        """Give the template ids of the person's directory roles, None when the token does not tell."""

    @property
    def tenant_id(self) -> str:
        """Give the tenant of the token."""

    @property
    def client_id(self) -> str:
        """Give the application that signed in."""

    @property
    def user_name(self) -> str:
        """Name the person, '' for none."""


class Unread(NamedTuple):
    """Why a fact could not be read, and what to do."""

    problem: str
    remedy: str


class Probe(NamedTuple):
    """A read that was sent to see whether it is allowed: its call, and what came back; `result` as of CHECKS."""

    call: str
    result: str
    detail: str
    remedy: str = ""


class Ground(NamedTuple):
    """What was read in Entra ID. None: it could not be read, and `unread` says why, by the name of the field.

    `application`: the service principal as Graph sends it. `jobs`: its synchronization jobs. `plans`: service plans of the
    tenant's licences. `tenant`: its name. `probes`: reads whose permissions Microsoft's documents disagree about, or hide from.
    """

    application: Mapping[str, Any] | None
    capacity: Capacity | None
    jobs: Sequence[Mapping[str, Any]] | None
    plans: frozenset[str] | None
    tenant: str | None
    unread: Mapping[str, Unread]
    probes: Sequence[Probe] = ()


class Judged(NamedTuple):
    """What a check found: ok, note, look or missing, in words, and what to do."""

    result: str
    detail: str
    remedy: str = ""


def identity(held: Holder) -> pd.DataFrame:
    """Tell who is signed in: FACTS."""
    person = [("person", held.user_name)] if held.user_name else []
    told = [("signed in as", held.kind), *person, ("client id", held.client_id), ("tenant id", held.tenant_id)]
    return frame(FACTS, [_fact(*pair) for pair in told] + [_fact("Graph permission", name) for name in sorted(held.permissions)])


def application(ground: Ground) -> pd.DataFrame:
    """Tell what the application is like, and how much room it has: FACTS."""
    found, room = ground.application or {}, ground.capacity
    told = {
        "tenant": ground.tenant,
        "application": found.get("displayName"),
        "Object ID": found.get("id"),
        "Application ID": found.get("appId"),
        "single sign-on": found.get("preferredSingleSignOnMode"),
        "permission definitions used": None if room is None else f"{room.used:,} of {room.limit:,}",
        "of these disabled, which frees nothing": None if room is None else f"{room.disabled:,}",
        "role import jobs": None if ground.jobs is None else f"{len(ground.jobs):,}",
    }
    return frame(FACTS, [_fact(name, "not known" if value is None else str(value)) for name, value in told.items()])


def _fact(name: str, value: str) -> dict[str, str]:
    return {"fact": name, "value": value}


def check(  # noqa: PLR0913  who, the ground, two reaches, and two times
    held: Holder,
    ground: Ground,
    reach: pd.DataFrame,
    *,
    now: datetime,
    certificate_ends: datetime | None = None,
    writing: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Run every check of the ground: CHECKS, each ok, note, look, missing or unknown, with what to do. For runbooks see permits.py.

    `reach`: account_id, account_name, reach, problem. `writing`: the same through the role that writes.
    `certificate_ends`: of the certificate that signs in, None for none.
    """
    found = [
        _row("power of this sign-in", _power(held)),
        *([_row("certificate of this sign-in", _certificate(certificate_ends, now))] if certificate_ends else []),
        *_of_ground(ground),
        *(_row(f"Graph: {probe.call}", Judged(probe.result, probe.detail, probe.remedy)) for probe in ground.probes),
        *_reach(rows(reach)),
        *([] if writing is None else [_row("reach to change AWS", _writing(rows(writing), rows(reach)))]),
    ]
    return frame(CHECKS, found)


def _row(name: str, judged: Judged) -> dict[str, str]:
    remedy = "" if judged.result == "ok" else judged.remedy
    return {"check": name, "result": judged.result, "detail": judged.detail, "remedy": remedy}


def _power(held: Holder) -> Judged:
    """Say it when the identity could give itself everything (learn.microsoft.com graph/permissions-reference, AppRoleAssignment)."""
    if held.kind == "application" and ASSIGN in held.permissions:
        detail = "AppRoleAssignment.ReadWrite.All lets an application grant itself any Graph permission"
        return Judged("note", detail, "Guard it like a tenant administrator; plan and audit with a client that only reads.")
    if held.kind == "delegated":
        detail = "a person needs a directory role too: Microsoft names Privileged Role, Cloud Application or Application Administrator"
        return Judged("note", detail, "When Graph refuses although the permissions are there, it is the role.")
    return Judged("ok", "it cannot grant itself permissions")


def _certificate(ends: datetime, now: datetime) -> Judged:
    days = (ends - now).days
    detail = f"ends on {ends:%Y-%m-%d}, in {days} days"
    return Judged("look" if ends - now < SOON else "ok", detail, "Add a new certificate to the app registration that signs in.")


def _of_ground(ground: Ground) -> Iterator[dict[str, str]]:
    for name, fact, judge in _GROUND:
        value, why = getattr(ground, fact), ground.unread.get(fact, Unread("it was not read", "Run it again."))
        yield _row(name, Judged("unknown", why.problem, why.remedy) if value is None else judge(value))


def _licence(plans: frozenset[str]) -> Judged:
    """Look for P1 or P2: groups need it (learn.microsoft.com entra/identity/enterprise-apps/assign-user-or-group-access-portal)."""
    have = sorted(PREMIUM & plans)
    detail = f"has {', '.join(have)}" if have else "no enabled licence with Entra ID P1 or P2 was found"
    return Judged("ok" if have else "look", detail, "Without P1 or P2 groups cannot be assigned; users can.")


def _mode(found: Mapping[str, Any]) -> Judged:
    mode = found.get("preferredSingleSignOnMode")
    return Judged("ok" if mode == "saml" else "look", f"is {mode or 'not set'}", "Set it to SAML in the portal: Single sign-on.")


def _enabled(found: Mapping[str, Any]) -> Judged:
    if found.get("accountEnabled") is False:
        return Judged("look", "users cannot sign in to the application", "Enable it in the portal: Properties.")
    return Judged("ok", "users can sign in to the application")


def _assignment(found: Mapping[str, Any]) -> Judged:
    required = found.get("appRoleAssignmentRequired") is True
    detail = "only assigned people get in" if required else "anybody of the tenant gets a token, though without a role"
    return Judged("ok" if required else "look", detail, "Set appRoleAssignmentRequired in the portal: Properties.")


def _jobs(jobs: Sequence[Mapping[str, Any]]) -> Judged:
    """Look for a role import: it undoes what is patched by hand (entra/identity/saas-apps/amazon-web-service-tutorial)."""
    active = active_imports(jobs)
    detail = f"{len(active)} of {len(jobs)} active: it disables and re-adds appRoles by itself" if active else "none is active"
    return Judged("missing" if active else "ok", detail, "Stop provisioning before 04-approles.")


def _room(room: Capacity) -> Judged:
    detail = f"{room.used} of {room.limit} permission definitions are used, {room.disabled} of them disabled"
    return Judged("ok" if room.free > 0 else "missing", detail, "Remove dangling appRoles (04-approles), or split the accounts.")


_GROUND: tuple[tuple[str, str, Callable[[Any], Judged]], ...] = (
    ("licence for assigning groups", "plans", _licence),
    ("single sign-on mode", "application", _mode),
    ("sign-in enabled", "application", _enabled),
    ("assignment required", "application", _assignment),
    ("role import (synchronization jobs)", "jobs", _jobs),
    ("room for appRoles", "capacity", _room),
)


WRITING = ("02-accounts", "08-certificates", "11-onboard")
"""Runbooks that act through the role `writer`."""


def _writing(accounts: Sequence[Mapping[str, str]], read: Sequence[Mapping[str, str]]) -> Judged:
    """Judge the accounts in which the writer role can be assumed, out of those that can be read."""
    readable = {row["account_id"] for row in read if not row["problem"]}
    without = [row for row in accounts if row["problem"] and row["account_id"] in readable]
    detail = f"{', '.join(WRITING)}: the role that writes can be assumed in {len(readable) - len(without)} of {len(readable)} accounts"
    if not without:
        return Judged("ok" if readable else "look", detail, "No account can be read.")
    listed = ", ".join(f"{row['account_id']} {row['account_name']}".strip() for row in without[:10])
    more = f" and {len(without) - 10} more" if len(without) > 10 else ""  # noqa: PLR2004  enough to begin with
    remedy = f"Deploy the role `writer` there, with the policy that 02-accounts exports. {without[0]['problem']}"
    return Judged("look", f"{detail}; not in {listed}{more}", remedy)


def _reach(accounts: Sequence[Mapping[str, str]]) -> Iterable[dict[str, str]]:
    closed = [row for row in accounts if row.get("state", "") not in OPEN]
    left = [row for row in accounts if row not in closed]
    unread = [row for row in left if row["problem"]]
    detail = f"{len(left) - len(unread)} of {len(left)} accounts can be read"
    yield _row("reach into AWS", Judged("look" if unread else "ok", detail, "See the accounts below; nothing of them is ever removed."))
    if closed:
        names = ", ".join(f"{row['account_id']} {row['account_name']}".strip() for row in closed)
        yield _row("closed accounts", Judged("note", f"{len(closed)} closed or suspended: {names}", "Nothing has to be done."))
    for row in unread:
        yield _row(f"account {row['account_id']} {row['account_name']}", Judged("look", row["problem"], "Nothing of it is ever removed."))
