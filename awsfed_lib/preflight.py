"""Before anything is planned: may this identity do what each runbook needs, and is the ground ready? Pure: facts in, CHECKS out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from awsfed_lib.body import Capacity
from awsfed_lib.tables import CHECKS, frame, rows

READ = (frozenset({"Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"}),)
MEMBERS = frozenset({"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"})
GROUPS = frozenset({"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"})
NEEDS: Mapping[str, tuple[frozenset[str], ...]] = {
    "03-inventory": (),
    "04-approles": (*READ, frozenset({"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"})),
    "05-groups": (GROUPS, frozenset({"Group.Create", "Group.ReadWrite.All"})),
    "06-assignments": (*READ, GROUPS, frozenset({"AppRoleAssignment.ReadWrite.All"})),
    "09-audit": (*READ, MEMBERS),
}
"""Graph permissions a runbook needs: one of each set (learn.microsoft.com graph/permissions-reference)."""

PREMIUM = frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"})


def check(  # noqa: PLR0913  one fact each, as they were read
    *,
    held: Collection[str],
    plans: Collection[str],
    application: Mapping[str, Any],
    jobs: Iterable[Mapping[str, Any]],
    capacity: Capacity,
    reach: pd.DataFrame,
) -> pd.DataFrame:
    """Run every check: CHECKS, each ok, missing or look, with what to do.

    `held`: permissions of the token. `plans`: service plans of the tenant's licences. `application`: the service principal
    as Graph sends it. `jobs`: its synchronization jobs. `reach`: account_id, account_name, reach, problem.
    """
    found = [
        *(_permissions(runbook, needs, held) for runbook, needs in NEEDS.items()),
        _licence(plans),
        _mode(application),
        _assignment(application),
        _jobs(list(jobs)),
        _capacity(capacity),
        *_reach(rows(reach)),
    ]
    return frame(CHECKS, found)


def _row(check_: str, result: str, detail: str, remedy: str = "") -> dict[str, str]:
    return {"check": check_, "result": result, "detail": detail, "remedy": remedy if result != "ok" else ""}


def _permissions(runbook: str, needs: Sequence[frozenset[str]], held: Collection[str]) -> dict[str, str]:
    missing = [" or ".join(sorted(need)) for need in needs if not need & set(held)]
    detail = f"lacks {'; '.join(missing)}" if missing else "every Graph permission is held" if needs else "needs none"
    return _row(
        f"Graph permissions of {runbook}", "missing" if missing else "ok", detail, "Grant one of each and consent, or take another client."
    )


def _licence(plans: Collection[str]) -> dict[str, str]:
    """Look for P1 or P2: groups need it (learn.microsoft.com entra/identity/enterprise-apps/assign-user-or-group-access-portal)."""
    have = sorted(PREMIUM & set(plans))
    detail = f"has {', '.join(have)}" if have else "no enabled licence with Entra ID P1 or P2 was found"
    return _row("licence for assigning groups", "ok" if have else "look", detail, "Without P1 or P2 groups cannot be assigned; users can.")


def _mode(application: Mapping[str, Any]) -> dict[str, str]:
    mode = application.get("preferredSingleSignOnMode")
    return _row(
        "single sign-on mode",
        "ok" if mode == "saml" else "look",
        f"is {mode or 'not set'}",
        "Set it to SAML in the portal: Single sign-on.",
    )


def _assignment(application: Mapping[str, Any]) -> dict[str, str]:
    required = application.get("appRoleAssignmentRequired") is True
    detail = "only assigned people get in" if required else "anybody of the tenant gets a token, though without a role"
    return _row("assignment required", "ok" if required else "look", detail, "Set appRoleAssignmentRequired in the portal: Properties.")


def _jobs(jobs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Look for a role import: it undoes what is patched by hand (entra/identity/saas-apps/amazon-web-service-tutorial)."""
    active = [job for job in jobs if (job.get("schedule") or {}).get("state") == "Active"]
    detail = f"{len(active)} of {len(jobs)} active: it disables and re-adds appRoles by itself" if active else "none is active"
    return _row("role import (synchronization jobs)", "missing" if active else "ok", detail, "Stop provisioning before 04-approles.")


def _capacity(capacity: Capacity) -> dict[str, str]:
    detail = f"{capacity.used} of {capacity.limit} permission definitions are used, {capacity.disabled} of them disabled"
    return _row(
        "room for appRoles",
        "ok" if capacity.free > 0 else "missing",
        detail,
        "Remove dangling appRoles (04-approles), or split the accounts.",
    )


def _reach(accounts: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    unread = [row for row in accounts if row["problem"]]
    summary = _row(
        "reach into AWS",
        "ok" if not unread else "look",
        f"{len(accounts) - len(unread)} of {len(accounts)} accounts can be read",
        "See below.",
    )
    return [
        summary,
        *(
            _row(f"account {row['account_id']} {row['account_name']}", "look", row["problem"], "Nothing of it is ever removed.")
            for row in unread
        ),
    ]
