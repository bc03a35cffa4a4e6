"""Limits of the parameter file, applied to a plan. A guard never changes a plan silently: it says why it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from awsfed_lib.core.change import Guards, Loss


def covered(patterns: Iterable[str], *names: str) -> str:
    """Give the first pattern that one of the names matches, without regard to case; "" when none does."""
    folded = [name.casefold() for name in names if name]
    return next((pattern for pattern in patterns if any(fnmatchcase(name, pattern.casefold()) for name in folded)), "")


def too_many(guards: Guards, roles: int, assignments: int) -> list[str]:
    """Refuse a plan that removes more than `max_removed`, in numbers."""
    removed = roles + assignments
    if removed <= guards.max_removed:
        return []
    what = f"{removed} objects ({roles} appRoles, {assignments} assignments)"
    return [f"The plan removes {what}, and max_removed of the parameter file is {guards.max_removed}."]


def protected_losses(guards: Guards, losses: Iterable[Loss]) -> list[str]:
    """Refuse to take a role from a break-glass principal, or from a protected group."""
    kinds = (("break-glass", guards.break_glass), ("protected", guards.protected_groups))
    return [
        f"{loss.principal_name or loss.principal_id} is {kind} ({pattern}) and would lose {loss.role}."
        for loss in losses
        for kind, patterns in kinds
        if (pattern := covered(patterns, loss.principal_id, loss.principal_name))
    ]
