"""What each runbook needs of Graph, of a directory role and of AWS, and what this sign-in has and lacks of it: one row a runbook.

Directory roles count for people only. learn.microsoft.com graph/api/serviceprincipal-update names the two application
administrators, entra/identity-platform enterprise-app-role-management a Privileged Role Administrator for appRoles: the pages
contradict each other, so any of them is taken. graph/api/group-post-groups: Groups and User Administrator. Template ids:
entra/identity/role-based-access-control/permissions-reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.review.preflight import APPROLES, ASSIGN, AWS_MORE, LEAVE, NEEDS, NEW_GROUPS, NEW_POLICIES, Holder, Need
from awsfed_lib.core.shapes import PERMITS
from awsfed_lib.core.tables import frame, rows

DIRECTORY_ROLES: Mapping[str, str] = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
}
_ANY = frozenset({"Global Administrator"})
OF_APPLICATIONS = frozenset({"Application Administrator", "Cloud Application Administrator", "Privileged Role Administrator"}) | _ANY
OF_GROUPS = frozenset({"Groups Administrator", "User Administrator"}) | _ANY
OWNED = "Application.ReadWrite.OwnedBy"
AWS_IS_NO_CONDITION = ("01-application",)


class Part(NamedTuple):
    """How one need is met: ok, look, missing or unknown, and in words."""

    result: str
    words: str


def table(held: Holder, acting: Mapping[str, Iterable[str]], reach: pd.DataFrame, writing: pd.DataFrame) -> pd.DataFrame:
    """Judge every runbook: PERMITS. `acting`: runbook → its roles in AWS (via, writer, remover); `reach` and `writing`: as `aws.reach`."""
    read, written = (_reached(one) for one in (reach, writing))
    return frame(PERMITS, [_row(runbook, held, _aws(runbook, set(acting.get(runbook, ())), (read, written))) for runbook in NEEDS])


def _row(runbook: str, held: Holder, aws: Part) -> dict[str, str]:
    needs = NEEDS[runbook]
    graph, role = _graph(needs, held), _role(needs, held)
    worst = next((word for word in ("missing", "unknown", "look") if word in (graph.result, role.result, aws.result)), "ok")
    return {"runbook": runbook, "result": worst, "graph": graph.words, "directory_role": role.words, "aws": aws.words}


def _graph(needs: Iterable[Need], held: Holder) -> Part:
    met = [sorted(need & held.permissions) for need in needs]
    lacking = [" or ".join(sorted(need)) for need in needs if not need & held.permissions]
    has = ", ".join(dict.fromkeys(names[0] for names in met if names))
    if lacking:
        return Part("missing", f"lacks {'; '.join(lacking)}" + (f". Has {has}" if has else ""))
    if APPROLES in needs and held.permissions & APPROLES == {OWNED}:
        return Part("look", f"has {has}, which holds only for what the client owns: make it an owner of the enterprise application itself")
    return Part("ok", f"has {has}" if has else "needs none")


def _role(needs: Iterable[Need], held: Holder) -> Part:
    """Judge the directory role: a set of them for each kind of object that is changed."""
    kinds = set(needs)
    wanted = [OF_APPLICATIONS] if kinds & {APPROLES, ASSIGN, NEW_POLICIES} else []
    wanted += [OF_GROUPS] if kinds & {NEW_GROUPS, LEAVE} else []
    if held.kind == "application":
        return Part("ok", "an application needs none")
    if not wanted:
        return Part("ok", "needs none to read")
    if held.directory_roles is None:
        return Part("unknown", "the token does not tell; needs " + " and ".join(_one_of(roles) for roles in wanted))
    has = sorted(DIRECTORY_ROLES.get(role, role) for role in held.directory_roles)
    lacking = [_one_of(roles) for roles in wanted if not roles & set(has)]
    if lacking:
        return Part("missing", f"lacks {' and '.join(lacking)}. Has {', '.join(has) or 'none'}")
    return Part("ok", f"has {', '.join(role for role in has if any(role in roles for roles in wanted))}")


def _one_of(roles: Iterable[str]) -> str:
    return " or ".join(sorted(roles))


class _Reach(NamedTuple):
    reached: frozenset[str]
    all: frozenset[str]


def _reached(accounts: pd.DataFrame) -> _Reach:
    listed = rows(accounts)
    return _Reach(frozenset(row["account_id"] for row in listed if not row["problem"]), frozenset(row["account_id"] for row in listed))


def _aws(runbook: str, acting: set[str], reaches: tuple[_Reach, _Reach]) -> Part:
    """Judge the reach: an account that cannot be read is left alone, so that some are enough to run, and none are not."""
    read, written = reaches
    if not acting:
        return Part("ok", "needs none")
    parts = [_counted("reads", read.reached, read.all)]
    if "writer" in acting:
        parts.append(_counted("writes", written.reached & read.reached, read.reached))
    words = "; ".join(part.words for part in parts)
    if "remover" in acting:
        words += "; the role that removes is given to an account for that time only, and was not tried"
    if runbook in AWS_MORE:
        words += f"; {AWS_MORE[runbook]}"
    if runbook in AWS_IS_NO_CONDITION:
        return Part("ok", f"no condition; {words}")
    worst = next((word for word in ("missing", "look") if any(part.result == word for part in parts)), "ok")
    return Part(worst, words)


def _counted(act: str, reached: frozenset[str], of: frozenset[str]) -> Part:
    result = "missing" if not reached else "look" if reached != of else "ok"
    return Part(result, f"{act} {len(reached)} of {len(of)} accounts" + (f", lacks {len(of - reached)}" if reached != of else ""))
