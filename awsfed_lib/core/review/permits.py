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

from awsfed_lib.core.review.graph_calls import OWNER, Call, Calls, least, met
from awsfed_lib.core.review.preflight import AWS_MORE, Holder
from awsfed_lib.core.shapes import PERMITS
from awsfed_lib.core.tables import OPEN, frame, rows

DIRECTORY_ROLES: Mapping[str, str] = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
    "4a5d8f65-41da-4de4-8968-e035b65339cf": "Reports Reader",
    "5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "Security Operator",
}
ROLES: Mapping[str, frozenset[str]] = {
    "apps": frozenset({"Application Administrator", "Cloud Application Administrator", "Privileged Role Administrator"}),
    "groups": frozenset({"Groups Administrator", "User Administrator"}),
    "logs": frozenset({"Global Reader", "Reports Reader", "Security Administrator", "Security Operator", "Security Reader"}),
}
"""Directory roles that a person needs for calls of each kind, one of them; a Global Administrator has all."""
OWNED = "Application.ReadWrite.OwnedBy"
CREATES, CHANGES_GROUPS = ("group.create", "group.upsert"), frozenset({"Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"})
CREATE_ONLY = "with Group.Create alone, which only applications can have, it owns the groups that it creates, and can change no others"
AWS_IS_NO_CONDITION = ("01-application",)


class Part(NamedTuple):
    """How one need is met: ok, look, missing or unknown, and in words."""

    result: str
    words: str


class Asked(NamedTuple):
    """What a runbook asks for: its calls to Graph, and its roles in AWS (via, writer, remover)."""

    graph: Calls
    acting: frozenset[str]


def table(held: Holder, books: Mapping[str, Asked], reach: pd.DataFrame, writing: pd.DataFrame) -> pd.DataFrame:
    """Judge every runbook of `books`: PERMITS. `reach` and `writing`: as `aws.reach`."""
    read, written = (_reached(one) for one in (reach, writing))
    return frame(
        PERMITS, [_row(runbook, held, asked.graph, _aws(runbook, set(asked.acting), (read, written))) for runbook, asked in books.items()]
    )


def _row(runbook: str, held: Holder, calls: Calls, aws: Part) -> dict[str, str]:
    graph, role = _graph(calls, held), _role(calls, held)
    worst = next((word for word in ("missing", "unknown", "look") if word in (graph.result, role.result, aws.result)), "ok")
    return {"runbook": runbook, "result": worst, "graph": graph.words, "directory_role": role.words, "aws": aws.words}


def _graph(calls: Calls, held: Holder) -> Part:
    """Judge the permissions: what a runbook cannot do without, what then stays unknown, and what may not be enough."""
    answers = {call: met(call, held.kind, held.permissions) for listed in calls for call in listed}
    lacking = [call for call in (*calls.reads, *calls.sends) if answers[call] == "no"]
    unknown = [call for call in calls.tries if answers[call] == "no"]
    owned, unsure = ([call for call, answer in answers.items() if answer == word] for word in ("owned", "unsure"))
    words = [
        f"lacks {_needs(lacking, held)}" if lacking else "",
        f"lacks {_needs(unknown, held)}, and what that shows stays unknown" if unknown else "",
        f"{OWNED} holds only for what the client owns: make it an owner of the enterprise application itself" if owned else "",
        f"may not be enough for {', '.join(call.call for call in unsure)}: Microsoft's documents disagree" if unsure else "",
        CREATE_ONLY if any(call.id in CREATES for call in calls.sends) and held.permissions & CHANGES_GROUPS == {"Group.Create"} else "",
        f"has {', '.join(has)}" if (has := _has(answers, held)) else "",
    ]
    result = "missing" if lacking else "look" if unknown or owned or unsure else "ok"
    return Part(result, ". ".join(filter(None, words)) or "needs none")


def _needs(calls: Iterable[Call], held: Holder) -> str:
    """Name the permissions, each with the call that it is needed for, so that one can be granted by what it is for."""
    return "; ".join(f"{' and '.join(least([call], held.kind, held.permissions))} ({call.id})" for call in calls)


def _has(answers: Mapping[Call, str], held: Holder) -> list[str]:
    """List the permissions that one has and that count for one of the calls."""
    used = {name.removesuffix(OWNER) for call in answers for one in (*call.alternatives(held.kind), *call.unsure) for name in one}
    return sorted(held.permissions & used)


def _role(calls: Calls, held: Holder) -> Part:
    """Judge the directory role of a person: one of a set for each kind of object that is changed, or log that is read."""
    if held.kind == "application":
        return Part("ok", "an application needs none")
    wanted = {call.role: ROLES[call.role] for listed in calls for call in listed if call.role in ROLES}
    if not wanted:
        return Part("ok", "needs none to read")
    if held.directory_roles is None:
        return Part("unknown", "the token does not tell; needs " + " and ".join(map(_one_of, wanted.values())))
    has = sorted(DIRECTORY_ROLES.get(role, role) for role in held.directory_roles)
    lacking = {kind: roles for kind, roles in wanted.items() if not roles & set(has) and "Global Administrator" not in has}
    if lacking:
        required = {call.role for call in (*calls.reads, *calls.sends)} & lacking.keys()
        return Part(
            "missing" if required else "look", f"lacks {' and '.join(map(_one_of, lacking.values()))}. Has {', '.join(has) or 'none'}"
        )
    return Part("ok", f"has {', '.join(has)}")


def _one_of(roles: Iterable[str]) -> str:
    return " or ".join(sorted(roles))


class _Reach(NamedTuple):
    reached: frozenset[str]
    all: frozenset[str]


def _reached(accounts: pd.DataFrame) -> _Reach:
    listed = [row for row in rows(accounts) if row.get("state", "") in OPEN]  # nobody can act in a closed account
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
