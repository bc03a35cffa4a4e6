"""One role, live and desired: the requests in between, each recognisable by the facts that it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from awsfed_lib.core import facts
from awsfed_lib.core.accounts import trust_merge
from awsfed_lib.core.change import Change, Guards, as_json
from awsfed_lib.core.guard import covered
from awsfed_lib.core.roles import trust
from awsfed_lib.core.tables import canonical

Row = Mapping[str, Any]


class Step(NamedTuple):
    """One request to be: its IAM operation, parameters, and the facts that come and go with it."""

    operation: str
    body: dict[str, Any]
    purpose: str
    present: tuple[str, ...]
    absent: tuple[str, ...] = ()


class Planned(NamedTuple):
    """The steps of one role, in order, and what a person reads about it."""

    steps: tuple[Step, ...]
    changes: tuple[Change, ...]


def facts_of(row: Row) -> tuple[str, ...]:
    """Write the facts of the live table "iam_role" of one role: what is compared before anything is sent to it."""
    arn = row["role_arn"]
    policies = (facts.iam_policy(arn, policy) for policy in listed(row["policies"]))
    inline = (facts.iam_inline(arn, name) for name in listed(row["inline"]))
    tags = (facts.iam_tag(arn, key, value) for key, value in json.loads(row["tags"] or "{}").items())
    return (_fields(row), facts.iam_trust(arn, _canonical(row["trust"])), *policies, *inline, *tags)


def _fields(row: Row) -> str:
    max_session = None if row["max_session"] is None else int(row["max_session"])
    return facts.iam_role(row["role_arn"], {"boundary": row["boundary"], "description": row["description"], "max_session": max_session})


def _canonical(text: str) -> str:
    try:
        return canonical(json.loads(text))
    except ValueError:
        return text


def listed(text: str) -> list[str]:
    """Split a cell that lists policies."""
    return [part for part in text.split("; ") if part]


def create(want: Row) -> Planned:
    """Make the role, then attach its policies: AttachRolePolicy needs the role to be there."""
    name, arn = want["role_name"], want["role_arn"]
    tags = json.loads(want["tags"])
    body = {
        "RoleName": name,
        "AssumeRolePolicyDocument": want["trust"],
        "Description": want["description"],
        "MaxSessionDuration": int(want["max_session"]),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    } | ({"PermissionsBoundary": want["boundary"]} if want["boundary"] else {})
    bare = facts_of({**want, "policies": ""})
    steps = [Step("CreateRole", body, f"Make the role {name}", bare)]
    change = Change("add", "role", arn, name, after=", ".join(listed(want["policies"])))
    return Planned((*steps, *(_attach(want, arn, policy) for policy in listed(want["policies"]))), (change,))


def _attach(want: Row, arn: str, policy: str) -> Step:
    body = {"RoleName": want["role_name"], "PolicyArn": policy}
    return Step("AttachRolePolicy", body, f"Attach {policy.rpartition('/')[2]} to {want['role_name']}", (facts.iam_policy(arn, policy),))


def update(has: Row, want: Row, guards: Guards) -> Planned:
    """Correct what differs; never recreate, never touch what CloudFormation owns or the parameter file protects."""
    why = _untouchable(has, want, guards)
    if why:
        return Planned((), (_keep(has, why),))
    parts = (_trust(has, want), _settings(has, want), _attached(has, want, guards), _tags(has, want))
    steps = tuple(step for part in parts for step in part.steps)
    changes = tuple(change for part in parts for change in part.changes)
    boundary = f"Its boundary is {has['boundary'] or 'none'}, not {want['boundary'] or 'none'}; change that by hand, on purpose."
    kept = () if has["boundary"] == want["boundary"] else (_keep(has, boundary),)
    return Planned(steps, (*changes, *kept) or (_keep(has, "As desired."),))


def _keep(has: Row, why: str) -> Change:
    return Change("keep", "role", has["role_arn"], has["role_name"], why=why)


def _untouchable(has: Row, want: Row, guards: Guards) -> str:
    if has["stack"]:
        return f"owned: {has['stack']} owns the role; change it there."
    if has["role_name"] != want["role_name"]:
        return f"case: it exists as {has['role_name']}, and IAM tells names apart by case only in responses; nothing is changed."
    if pattern := covered(guards.protected_roles, has["role_arn"], has["role_name"]):
        return f"protected: {pattern} in protected_roles."
    return ""


def _trust(has: Row, want: Row) -> Planned:
    statement = json.loads(want["trust"])["Statement"][0]
    try:
        policy = trust_merge.merged(has["trust"], statement)
    except ValueError:
        return Planned((), (_keep(has, "trust: its trust policy cannot be understood; look at it by hand."),))
    if policy is None:
        return Planned((), ())
    if trust_merge.too_long(policy):
        words = f"trust: with what others need, its trust policy would have more than {trust_merge.MOST_CHARACTERS} characters."
        return Planned((), (_keep(has, words),))
    text, arn = as_json(policy), has["role_arn"]
    step = Step(
        "UpdateAssumeRolePolicy", {"RoleName": has["role_name"], "PolicyDocument": text}, f"Let SAML sign-in into {has['role_name']}",
        (facts.iam_trust(arn, _canonical(text)),), (facts.iam_trust(arn, _canonical(has["trust"])),),
    )  # fmt: skip
    return Planned((step,), (Change("update", "trust", arn, has["role_name"], has["trust"], text, _still(policy, has)),))


def _still(policy: dict[str, Any], has: Row) -> str:
    """Why sign-in would fail even then, such as a Deny of somebody else; "" when it works."""
    account_id = has["account_id"]
    verdicts = trust.judge(policy, account_id=account_id, role_arn=has["role_arn"], role_name=has["role_name"])
    wrong = [verdict.reason for verdict in verdicts if verdict.verdict == "skipped"]
    return f"Sign-in will still be refused: {wrong[0]}" if wrong else ""


def _settings(has: Row, want: Row) -> Planned:
    """UpdateRole sets both, so both are sent (IAM API_UpdateRole)."""
    after = {**has, "description": want["description"], "max_session": want["max_session"]}
    if _fields(after) == _fields(has):
        return Planned((), ())
    body = {"RoleName": has["role_name"], "Description": want["description"], "MaxSessionDuration": int(want["max_session"])}
    step = Step("UpdateRole", body, f"Set description and maximum of {has['role_name']}", (_fields(after),), (_fields(has),))
    shown = [f"{row['description']} · {row['max_session']} s" for row in (has, want)]
    return Planned((step,), (Change("update", "role", has["role_arn"], has["role_name"], *shown),))


def _attached(has: Row, want: Row, guards: Guards) -> Planned:
    """Attach what is missing; what is there besides goes only when the parameter file allows to remove anything."""
    missing = sorted(set(listed(want["policies"])) - set(listed(has["policies"])))
    extra = sorted(set(listed(has["policies"])) - set(listed(want["policies"])))
    arn, name = has["role_arn"], has["role_name"]
    steps = [_attach(has, arn, policy) for policy in missing]
    changes = [Change("add", "policy", f"{arn} {policy}", f"{name}: {policy}", after=policy) for policy in missing]
    for policy in extra:
        if guards.max_removed:
            body = {"RoleName": name, "PolicyArn": policy}
            steps.append(
                Step("DetachRolePolicy", body, f"Detach {policy.rpartition('/')[2]} from {name}", (), (facts.iam_policy(arn, policy),))
            )
            changes.append(Change("remove", "policy", f"{arn} {policy}", f"{name}: {policy}", before=policy))
        else:
            why = "extra: the family does not have it; max_removed of the parameter file is 0."
            changes.append(Change("keep", "policy", f"{arn} {policy}", f"{name}: {policy}", policy, policy, why))
    return Planned(tuple(steps), tuple(changes))


def _tags(has: Row, want: Row) -> Planned:
    live = json.loads(has["tags"] or "{}")
    differ = dict(_differing(live, json.loads(want["tags"])))
    if not differ:
        return Planned((), ())
    arn, name = has["role_arn"], has["role_name"]
    body = {"RoleName": name, "Tags": [{"Key": key, "Value": value} for key, value in differ.items()]}
    gone = tuple(facts.iam_tag(arn, key, live[key]) for key in differ if key in live)
    step = Step("TagRole", body, f"Tag {name}", tuple(facts.iam_tag(arn, key, value) for key, value in differ.items()), gone)
    before = ", ".join(f"{key}={live[key]}" for key in differ if key in live)
    return Planned((step,), (Change("update", "tag", arn, name, before, ", ".join(f"{key}={value}" for key, value in differ.items())),))


def _differing(live: Mapping[str, str], want: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((key, value) for key, value in want.items() if live.get(key) != value)
