"""Whether a role's trust policy lets SAML sign-in through, provider by provider, with the reason in words.

The policy is tried as STS would: a statement counts when its principal, its action and all its conditions match, Deny
wins over Allow, and nothing said is no. `SAML:aud` is compared with the Recipient of the response, which is the reply URL
of the Entra application and not its Audience (docs.aws.amazon.com IAM/latest/UserGuide/reference_policies_iam-condition-keys.html).
What cannot be told from the policy alone (a source address, an hour) leaves the role taken, and the reason says what must hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from awsfed_lib.core.roles.statements import Condition, MalformedPolicy, Statement, like, statements

SAML, AUDIENCE = "sts:AssumeRoleWithSAML", "saml:aud"
SIGN_IN_HOSTS: Mapping[str, str] = {
    "aws": "signin.aws.amazon.com",
    "aws-cn": "signin.amazonaws.cn",
    "aws-us-gov": "signin.amazonaws-us-gov.com",
    "aws-iso": "signin.c2shome.ic.gov",
    "aws-iso-b": "signin.sc2shome.sgov.gov",
}
PROVIDER = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{12}):saml-provider/(?P<name>[A-Za-z0-9_.-]{1,128})", re.ASCII)
# A region of each partition with an endpoint of its own, to try what a wildcard accepts; us-east-1's names no region.
OTHER_REGIONS: Mapping[str, str] = {
    "aws": "us-west-2",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-east-1",
    "aws-iso": "us-iso-west-1",
    "aws-iso-b": "us-isob-east-1",
}


class Verdict(NamedTuple):
    """What becomes of a role for one provider. `reason`: why it is skipped, or what to look at although it is taken."""

    provider_arn: str
    verdict: Literal["taken", "skipped"]
    reason: str


class _Role(NamedTuple):
    account_id: str
    arn: str
    name: str
    audiences: tuple[str, ...]

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1] if self.arn.count(":") > 1 else ""


class _Trial(NamedTuple):
    """One try of the policy with one recipient; `refusal` is "" when it may go through."""

    recipient: str
    refusal: str
    needs: tuple[str, ...] = ()
    unchecked: bool = False


def endpoint(partition: str) -> str:
    """Return the sign-in endpoint of a partition that names no region; "" for a partition that awsfed does not know."""
    host = SIGN_IN_HOSTS.get(partition)
    return f"https://{host}/saml" if host else ""


def mentions_saml(document: str) -> bool:
    """Whether the text of a trust policy can be about SAML at all: a cheap look before it is parsed.

    Letters survive percent-encoding; a document with JSON escapes may hide them, and is parsed.
    """
    lowered = document.lower()
    return "saml" in lowered or "\\u" in lowered or "%5cu" in lowered


def judge(
    policy: Mapping[str, Any] | str, *, account_id: str, role_arn: str, role_name: str, audiences: Sequence[str] = ()
) -> list[Verdict]:
    """One verdict for each SAML provider that the trust policy names, sorted by its ARN; none for a role without SAML.

    `audiences`: the reply URLs of the Entra application; none given means the sign-in endpoint of the role's partition,
    and a trust that only accepts a regional one is taken with that as its reason. A document that cannot be understood,
    or that lets SAML in without naming a provider, is one skipped verdict with provider_arn "". Never raises.
    """
    try:
        listed = statements(policy)
    except MalformedPolicy as wrong:
        return [Verdict("", "skipped", f"The trust policy cannot be understood: {wrong}.")]
    role = _Role(account_id, role_arn, role_name, tuple(audiences))
    named = sorted({name for statement in listed for name in statement.federated if "saml-provider" in name.lower()})
    return [_verdict(name, listed, role) for name in named] or _without_provider(listed)


def _without_provider(listed: Iterable[Statement]) -> list[Verdict]:
    """SAML allowed to somebody who is no SAML provider: a mistake to show; an OIDC role with `sts:*` is none."""
    for statement in listed:
        if statement.effect == "Allow" and statement.covers(SAML) and any("saml" in action.lower() for action in statement.actions):
            whom = "*" if statement.everyone else ", ".join(statement.federated) or "no federated principal"
            return [Verdict("", "skipped", f"Allows {SAML} in {statement.label} to {whom}, which is no SAML provider.")]
    return []


def _verdict(provider: str, listed: Sequence[Statement], role: _Role) -> Verdict:
    never = _never(provider, role)
    if never:
        return Verdict(provider, "skipped", never)
    trials = [_try(recipient, provider, listed) for recipient in _recipients(listed, role)]
    best = min(trials, key=lambda trial: (bool(trial.refusal), len(trial.needs)))
    if best.refusal:
        return Verdict(provider, "skipped", trials[0].refusal)
    return Verdict(provider, "taken", " ".join(_notes(best, listed, role)))


def _never(provider: str, role: _Role) -> str:
    """Why no wording of the policy could let this provider in; "" when one could."""
    found = PROVIDER.fullmatch(provider)
    if role.name.startswith("AWSReservedSSO_"):
        return "AWS keeps AWSReservedSSO_ roles for IAM Identity Center and refuses SAML sign-in to them."
    if not found:
        return f"{provider} is no ARN of a SAML provider."
    if found["partition"] != role.partition:
        return f"The provider is in partition {found['partition']}, the role in {role.partition}; sign-in does not cross partitions."
    if found["account"] != role.account_id:
        return f"The provider belongs to account {found['account']}; a role can only trust a SAML provider of its own account."
    if not role.audiences and not endpoint(role.partition):
        return f"awsfed does not know the sign-in endpoint of partition {role.partition}."
    return ""


def _recipients(listed: Sequence[Statement], role: _Role) -> list[str]:
    """List what Entra may send as Recipient: the reply URLs given, or the endpoint of the partition, then its regional ones."""
    if role.audiences:
        return list(role.audiences)
    host = SIGN_IN_HOSTS[role.partition]
    regional = re.compile(rf"https://[a-z]{{2,}}(-[a-z]+)+-[0-9]\.{re.escape(host)}/saml(/acs/[A-Za-z0-9]+)?", re.ASCII)
    values = {value for statement in listed for condition in statement.conditions if _on_audience(condition) for value in condition.values}
    named = sorted(value for value in values if regional.fullmatch(value))
    return [endpoint(role.partition), *named, f"https://{OTHER_REGIONS[role.partition]}.{host}/saml"]


def _try(recipient: str, provider: str, listed: Sequence[Statement]) -> _Trial:
    """Try the policy with a response for `recipient` signed by `provider`."""
    about = [statement for statement in listed if statement.concerns(provider) and statement.covers(SAML)]
    doubts: list[str] = []
    for statement in (item for item in about if item.effect == "Deny"):
        truth = _truth(statement, recipient)
        if truth:
            return _Trial(recipient, f"Denied by {statement.label}; Deny wins over Allow.")
        if truth is None:
            doubts.append(f"May be denied by {statement.label}, when {_unknown(statement)}.")
    allows = [item for item in about if item.effect == "Allow" and _truth(item, recipient) is not False]
    if not allows:
        return _Trial(recipient, _refusal(recipient, [item for item in about if item.effect == "Allow"]))
    best = min(allows, key=lambda item: _truth(item, recipient) is not True)
    needs = [f"Works only when {_unknown(best)}."] if _truth(best, recipient) is None else []
    return _Trial(
        recipient, "", (*needs, *doubts), unchecked=not any(_on_audience(condition) for item in about for condition in item.conditions)
    )


def _refusal(recipient: str, allows: Sequence[Statement]) -> str:
    if not allows:
        return f"The trust policy does not allow {SAML} to this provider."
    failing = [str(item) for statement in allows for item in statement.conditions if truth(item, recipient) is False]
    hint = " SAML:aud is compared with the reply URL, not with the identifier." if any("urn:amazon" in text for text in failing) else ""
    return f"The condition {'; '.join(failing)} does not accept {recipient}.{hint}"


def _notes(trial: _Trial, listed: Sequence[Statement], role: _Role) -> Iterable[str]:
    if not role.audiences and trial.recipient != endpoint(role.partition):
        yield f"Works only with the reply URL {trial.recipient}."
    yield from trial.needs
    principals = {name for statement in listed if statement.effect == "Allow" for name in statement.federated}
    if len(principals) > 1:
        yield f"Trusts {len(principals)} federated principals; Entra's own role import ignores such a role."
    if trial.unchecked:
        yield "The trust does not check SAML:aud."


def _on_audience(condition: Condition) -> bool:
    """Keys of conditions have no case (reference_policies_elements_condition.html)."""
    return condition.key.lower() == AUDIENCE


def _truth(statement: Statement, recipient: str) -> bool | None:
    """Whether all conditions hold: yes, no, or None when it cannot be told from here."""
    found = [truth(condition, recipient) for condition in statement.conditions]
    if False in found:
        return False
    return None if None in found else True


def truth(condition: Condition, recipient: str) -> bool | None:
    """Whether one condition holds for a response with this Recipient; None for a key or operator that only STS can judge.

    The response always has exactly one audience, so IfExists and the ForAllValues and ForAnyValue prefixes change nothing.
    """
    if not _on_audience(condition) or any("${" in value for value in condition.values):
        return None
    operator = condition.operator.lower().removeprefix("foranyvalue:").removeprefix("forallvalues:").removesuffix("ifexists")
    if operator == "null":
        return "false" in [value.lower() for value in condition.values]
    positive = operator.replace("stringnot", "string")
    if positive not in _MATCHES:
        return None
    return any(_MATCHES[positive](value, recipient) for value in condition.values) == (positive == operator)


_MATCHES = {
    "stringequals": lambda value, recipient: value == recipient,
    "stringequalsignorecase": lambda value, recipient: value.lower() == recipient.lower(),
    "stringlike": like,
}


def _unknown(statement: Statement) -> str:
    return " and ".join(str(condition) for condition in statement.conditions if truth(condition, "") is None)
