"""Whether a role's trust policy lets SAML sign-in through, provider by provider, with the reason in words.

The policy is tried as STS would: a statement counts when its principal, its action and all its conditions match, Deny
wins over Allow, and nothing said is no. `SAML:aud` is compared with the Recipient of the response, which is the reply URL
of the Entra application and not its Audience (docs.aws.amazon.com IAM/latest/UserGuide/reference_policies_iam-condition-keys.html).
Nobody signs AssumeRoleWithSAML, so the keys of a caller are absent: a condition on them is decided here. What depends on the
person, the claims, the address or the hour makes the role conditional, and the reason names the condition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from awsfed_lib.core.roles.statements import Condition, MalformedPolicy, Statement, like, statements

SAML, AUDIENCE = "sts:AssumeRoleWithSAML", "saml:aud"
SIGN_IN_HOSTS: Mapping[str, str] = {
    "aws": "signin.aws.amazon.com",
    "aws-cn": "signin.amazonaws.cn",
    "aws-us-gov": "signin.amazonaws-us-gov.com",
    "aws-iso": "signin.c2shome.ic.gov",
    "aws-iso-b": "signin.sc2shome.sgov.gov",
    "aws-eusc": "signin.amazonaws-eusc.eu",
}
SESSION_ACTIONS = {"tag_session": "sts:TagSession", "source_identity": "sts:SetSourceIdentity"}
USABLE = ("taken", "conditional")  # verdicts of a role that has a value
PROVIDER = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{12}):saml-provider/(?P<name>[A-Za-z0-9_.-]{1,128})", re.ASCII)
# A region of each partition with an endpoint of its own, to try what a wildcard accepts; us-east-1's names no region.
OTHER_REGIONS: Mapping[str, str] = {
    "aws": "us-west-2",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-east-1",
    "aws-iso": "us-iso-west-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-eusc": "eusc-de-east-1",
}
# Keys that AssumeRoleWithSAML never carries: they belong to a caller who signed, or to a service (Service Authorization Reference, STS;
# aws-samples/data-perimeter-policy-examples; aws:PrincipalArn as AWS was recorded to answer). A prefix ends in "/".
ABSENT = frozenset({
    "aws:federatedprovider", "aws:multifactorauthage", "aws:multifactorauthpresent", "aws:principalarn", "aws:principalisawsservice",
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalservicename", "aws:principalservicenameslist", "aws:principaltag/",
    "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "aws:tokenissuetime", "aws:username", "sts:externalid",
})  # fmt: skip
Facts = Mapping[str, str]


OTHER_PROVIDER = "Trusts SAML provider"
"""How the reason begins where another provider was asked for than the one that the role trusts: that is no judgement of the trust."""


class Verdict(NamedTuple):
    """What becomes of a role for one provider: taken, conditional, or skipped.

    `reason`: why it is skipped, the condition of a conditional one, or what to look at although it is taken. `tag_session` and
    `source_identity`: whether the policy also lets sts:TagSession and sts:SetSourceIdentity through, which STS asks for when the
    claims send session tags or a source identity: allowed, conditional, or refused (id_session-tags.html).
    """

    provider_arn: str
    verdict: Literal["taken", "conditional", "skipped"]
    reason: str
    tag_session: str = ""
    source_identity: str = ""


class _Role(NamedTuple):
    account_id: str
    arn: str
    name: str
    audiences: tuple[str, ...]

    @property
    def partition(self) -> str:
        return self.arn.split(":")[1] if self.arn.count(":") > 1 else ""


class _Trial(NamedTuple):
    """One try of the policy with one recipient; `refusal` is "" when it may go through, `needs` the conditions on which it does."""

    recipient: str
    refusal: str
    needs: tuple[str, ...] = ()


def endpoint(partition: str) -> str:
    """Return the sign-in endpoint of a partition that names no region; "" for a partition that awsfed does not know.

    The European Sovereign Cloud publishes endpoints with a region code only.
    """
    host = SIGN_IN_HOSTS.get(partition)
    if partition == "aws-eusc":
        return f"https://{OTHER_REGIONS[partition]}.{host}/saml"
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
    and a trust that only accepts another one is conditional on it. A document that cannot be understood, or that lets SAML
    in without naming a provider, is one skipped verdict with provider_arn "". Never raises.
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
    trials = [_try(SAML, recipient, (provider, listed, role)) for recipient in _recipients(listed, role)]
    best = min(trials, key=lambda trial: (bool(trial.refusal), len(trial.needs)))
    more = {field: _also(action, best.recipient, (provider, listed, role)) for field, action in SESSION_ACTIONS.items()}
    if best.refusal:
        return Verdict(provider, "skipped", trials[0].refusal, **more)
    elsewhere = not role.audiences and best.recipient != endpoint(role.partition)
    needs = ([f"Works only with the reply URL {best.recipient}."] if elsewhere else []) + list(best.needs)
    reason = " ".join([*needs, *_notes(provider, listed)])
    return Verdict(provider, "conditional" if needs else "taken", reason, **more)


def _also(action: str, recipient: str, of: tuple[str, Sequence[Statement], _Role]) -> str:
    found = _try(action, recipient, of)
    return "refused" if found.refusal else "conditional" if found.needs else "allowed"


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
    """List what Entra may send as Recipient: the reply URLs given, or the endpoint of the partition, then the ones that the policy names.

    The region in an endpoint is optional, also in the one for encrypted assertions (id_roles_providers_create_saml_assertions.html).
    """
    if role.audiences:
        return list(role.audiences)
    host = SIGN_IN_HOSTS[role.partition]
    regional = re.compile(rf"https://([a-z]{{2,}}(-[a-z]+)+-[0-9]\.)?{re.escape(host)}/saml(/acs/[A-Za-z0-9]+)?", re.ASCII)
    conditions = [condition for statement in listed for condition in statement.conditions if condition.key.lower() == AUDIENCE]
    named = sorted({value for condition in conditions for value in condition.values if regional.fullmatch(value)})
    return [endpoint(role.partition), *named, f"https://{OTHER_REGIONS[role.partition]}.{host}/saml"]


def _try(action: str, recipient: str, of: tuple[str, Sequence[Statement], _Role]) -> _Trial:
    """Try the policy for `action` with a response for `recipient` signed by the provider."""
    provider, listed, role = of
    facts = _facts(recipient, provider, role)
    about = [statement for statement in listed if statement.concerns(provider) and statement.covers(action)]
    doubts: list[str] = []
    for statement in (item for item in about if item.effect == "Deny"):
        denied = _truth(statement, facts)
        if denied:
            return _Trial(recipient, f"Denied by {statement.label}; Deny wins over Allow.")
        if denied is None:
            doubts.append(f"May be denied by {statement.label}, when {_unknown(statement, facts)}.")
    allows = [item for item in about if item.effect == "Allow"]
    holding = [item for item in allows if _truth(item, facts) is not False]
    if not holding:
        return _Trial(recipient, _refusal(action, facts, allows))
    best = min(holding, key=lambda item: _truth(item, facts) is not True)
    needs = [f"Works only when {_unknown(best, facts)}."] if _truth(best, facts) is None else []
    return _Trial(recipient, "", (*needs, *doubts))


def _facts(recipient: str, provider: str, role: _Role) -> Facts:
    """Give what every such request carries, by key in lower case.

    aws:PrincipalAccount, aws:PrincipalType and aws:userid are as AWS was recorded to answer; the IAM guide calls unsigned calls anonymous.
    """
    return {
        AUDIENCE: recipient,
        "saml:doc": f"{role.account_id}/{provider.rpartition('/')[2]}",
        "aws:principalaccount": role.account_id,
        "aws:principaltype": "User",
        "aws:userid": provider,
        "aws:resourceaccount": role.account_id,
        "aws:securetransport": "true",
    }


def _refusal(action: str, facts: Facts, allows: Sequence[Statement]) -> str:
    if not allows:
        return f"The trust policy does not allow {action} to this provider."
    failing = [item for statement in allows for item in statement.conditions if truth(item, facts) is False]
    audience = [str(item) for item in failing if item.key.lower() == AUDIENCE]
    if audience:
        hint = (
            " SAML:aud is compared with the reply URL, not with the identifier." if any("urn:amazon" in text for text in audience) else ""
        )
        return f"The condition {'; '.join(audience)} does not accept {facts[AUDIENCE]}.{hint}"
    return " ".join(_failed(item, facts) for item in failing)


def _failed(condition: Condition, facts: Facts) -> str:
    key = condition.key.lower()
    has = f"the sign-in has {facts[key]}" if key in facts else "a SAML sign-in never carries this key"
    return f"The condition {condition} cannot hold: {has}."


def _notes(provider: str, listed: Sequence[Statement]) -> Iterable[str]:
    principals = {name for statement in listed if statement.effect == "Allow" for name in statement.federated}
    if len(principals) > 1:
        yield f"Trusts {len(principals)} federated principals; Entra's own role import ignores such a role."
    about = (statement for statement in listed if statement.concerns(provider) and statement.covers(SAML))
    if not any(condition.key.lower() == AUDIENCE for statement in about for condition in statement.conditions):
        yield "The trust does not check SAML:aud."


def _truth(statement: Statement, facts: Facts) -> bool | None:
    """Whether all conditions hold: yes, no, or None when it cannot be told from here."""
    found = [truth(condition, facts) for condition in statement.conditions]
    if False in found:
        return False
    return None if None in found else True


def truth(condition: Condition, facts: Facts) -> bool | None:
    """Whether one condition holds for a request with these facts; None for a key or operator that only STS can judge.

    An absent key makes IfExists, ForAllValues and a negated operator true, everything else false
    (reference_policies_elements_condition_operators.html, reference_policies_condition-single-vs-multi-valued-context-keys.html).
    A known key has one value here, so that ForAllValues and ForAnyValue change nothing.
    """
    key, operator = condition.key.lower(), condition.operator.lower()
    absent = key in ABSENT or f"{key.partition('/')[0]}/" in ABSENT
    if not absent and key not in facts:
        return None
    quantifier, _, plain = operator.rpartition(":")
    base = plain.removesuffix("ifexists")
    if base == "null":
        return str(absent).lower() in [value.lower() for value in condition.values]
    negated = base.startswith(_NEGATED)
    if absent:
        return plain.endswith("ifexists") or quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")
    positive = base.replace("stringnot", "string")
    if positive not in _MATCHES or any("${" in value for value in condition.values):
        return None
    return any(_MATCHES[positive](value, facts[key]) for value in condition.values) != negated


_NEGATED = ("stringnot", "arnnot", "numericnot", "datenot", "notipaddress")
_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda value, given: value == given,
    "stringequalsignorecase": lambda value, given: value.lower() == given.lower(),
    "stringlike": like,
    "bool": lambda value, given: value.lower() == given.lower(),
}


def _unknown(statement: Statement, facts: Facts) -> str:
    return " and ".join(str(condition) for condition in statement.conditions if truth(condition, facts) is None)
