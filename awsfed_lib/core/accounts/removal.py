"""Taking the federation out of one account: the roles of the families first, then the SAML provider that they trust.

IAM deletes a provider although roles trust it, and a role only when nothing is attached to it (API_DeleteSAMLProvider,
API_DeleteRole). Roles that others may assume, that a stack owns, or that are protected stay, and so does the provider as
long as any role trusts it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from awsfed_lib.core import facts
from awsfed_lib.core.accounts.federation_plan import chain
from awsfed_lib.core.accounts.role_changes import Planned, Step, facts_of, listed
from awsfed_lib.core.certificate.distribution import Holder
from awsfed_lib.core.change import Basis, Change, Guards, Request, Settled, Subject, as_json
from awsfed_lib.core.guard import covered
from awsfed_lib.core.plan import Plan

TITLE = "Roles and provider of the account"
Row = Mapping[str, Any]


def plan(organization: Subject, live: Sequence[Row], holder: Holder, *, trusting: Sequence[str], guards: Guards) -> Plan:
    """Plan the removal from rows of IAM_ROLES that are named like a family, and the provider of the account.

    `trusting`: ARNs of all roles of the account that trust the provider. More than `guards.max_removed` is refused.
    """
    judged = [(row, _reason_to_stay(row, holder.provider_arn, guards)) for row in live]
    going = [row for row, why in judged if not why]
    staying = sorted(set(trusting) - {row["role_arn"] for row in going})
    chains = [chain(row, _removed(row), facts_of(row)) for row in going]
    requests = [replace(request, wave=step) for one in chains for step, request in enumerate(one.requests)]
    requests.sort(key=lambda request: request.wave)
    last, words = _provider(holder, staying, requests[-1].wave + 1 if requests else 0)
    changes = (*(_change(row, why) for row, why in judged), *([words] if words else []))
    return Plan(
        title=TITLE,
        subject=organization,
        changes=changes,
        requests=(*requests, *([last] if last else [])),
        basis=(*(one.basis for one in chains), *([last.expects] if last and last.expects else [])),
        goal=(*(one.goal for one in chains), *([Basis.over("saml_providers", holder.provider_arn, ())] if last else [])),
        refusals=tuple(_refusals(len(going) + bool(last), guards)),
        guards=guards,
    )


def nothing(organization: Subject, account_id: str, why: str) -> Plan:
    """Plan nothing in an account that cannot be entered any more, and say why."""
    return Plan(TITLE, organization, (Change("keep", "account", account_id, account_id, why=why),), (), (), ())


def _reason_to_stay(row: Row, provider_arn: str, guards: Guards) -> str:
    if row["stack"]:
        return f"owned: {row['stack']} owns the role; delete it there."
    if pattern := covered(guards.protected_roles, row["role_arn"], row["role_name"]):
        return f"protected: {pattern} in protected_roles."
    if not provider_arn:
        return "provider: the account has no such SAML provider, so it cannot be told that the role was for it."
    return "" if _only_for(row["trust"], provider_arn) else "others: its trust policy names others than the provider; look at it by hand."


def _only_for(trust: str, provider_arn: str) -> bool:
    """Whether every statement of the trust policy names this provider and nobody else."""
    try:
        statements = json.loads(trust)["Statement"]
        found = [statements] if isinstance(statements, dict) else statements
        return bool(found) and all(one["Principal"] in ({"Federated": provider_arn}, {"Federated": [provider_arn]}) for one in found)
    except (ValueError, KeyError, TypeError):
        return False


def _removed(row: Row) -> Planned:
    """Detach what is attached, then delete the role."""
    steps = (*(_detach(row, one) for one in listed(row["policies"])), *(_drop(row, one) for one in listed(row["inline"])))
    gone = {fact for step in steps for fact in step.absent}
    left = tuple(fact for fact in facts_of(row) if fact not in gone)
    return Planned((*steps, Step("DeleteRole", {"RoleName": row["role_name"]}, f"Delete the role {row['role_name']}", (), left)), ())


def _detach(row: Row, policy: str) -> Step:
    body = {"RoleName": row["role_name"], "PolicyArn": policy}
    purpose = f"Detach {policy.rpartition('/')[2]} from {row['role_name']}"
    return Step("DetachRolePolicy", body, purpose, (), (facts.iam_policy(row["role_arn"], policy),))


def _drop(row: Row, name: str) -> Step:
    body = {"RoleName": row["role_name"], "PolicyName": name}
    purpose = f"Delete the inline policy {name} of {row['role_name']}"
    return Step("DeleteRolePolicy", body, purpose, (), (facts.iam_inline(row["role_arn"], name),))


def _change(row: Row, why: str) -> Change:
    attached = ", ".join([*listed(row["policies"]), *listed(row["inline"])])
    return Change("keep" if why else "remove", "role", row["role_arn"], row["role_name"], before=attached, why=why)


def _provider(holder: Holder, staying: Sequence[str], wave: int) -> tuple[Request | None, Change | None]:
    arn = holder.provider_arn
    if not arn:
        return None, None
    why = f"owned: {holder.stack} owns the provider; delete it there." if holder.stack else ""
    why = why or (f"trusted: {', '.join(one.rpartition('/')[2] for one in staying)} still trusts it." if staying else "")
    if not why and holder.metadata and holder.metadata.others:
        why = f"others: its metadata names {', '.join(holder.metadata.others)} too; look at it by hand."
    if why or holder.metadata is None:
        return None, Change("keep", "provider", arn, holder.label, why=why or f"unread: {holder.problem}")
    before = facts.saml_provider(arn, holder.metadata.fingerprint)
    settled = Settled("saml_providers", arn, (), (before,))
    expects = Basis.over("saml_providers", arn, (before,))
    body = as_json({"SAMLProviderArn": arn})
    purpose = f"Delete the SAML provider of {holder.label}"
    request = Request("iam:DeleteSAMLProvider", f"{holder.account_id}/{arn}", body, purpose, settled, expects, wave)
    return request, Change("remove", "provider", arn, holder.label, before=arn.rpartition("/")[2])


def _refusals(removed: int, guards: Guards) -> Iterator[str]:
    if removed > guards.max_removed:
        yield f"The plan removes {removed} roles and providers, and max_removed of the parameter file is {guards.max_removed}."
