"""Would this sign-in work? The judgement behind AssumeRoleWithSAML, the console's sign-in page, and every "can she sign in".

Sources: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html; IAM User Guide troubleshoot_saml.html (the messages),
reference_policies_iam-condition-keys.html (the `saml:` keys; `saml:aud` is the Recipient, not the Audience).
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from awsfed_lib.sandbox.amazon import assertion, metadata
from awsfed_lib.sandbox.amazon.assertion import ATTRIBUTES, Assertion, SamlRefused, invalid
from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.evaluation import Request, decide
from awsfed_lib.sandbox.amazon.wire import AwsError

SOURCE_ADDRESS = "192.0.2.101"  # where every browser of the sandbox is (RFC 5737)


@dataclass(frozen=True)
class Presented:
    """What is shown to AWS: the response in base64, the chosen pair, and for how long (seconds)."""

    response: str
    role_arn: str
    provider_arn: str
    seconds: int = 3600


@dataclass(frozen=True)
class Grant:
    """A sign-in that AWS would let in: the moto role, the session's name and length in seconds, and what the answer tells."""

    role: Any
    session: str
    seconds: int
    subject: str
    subject_type: str
    issuer: str
    recipient: str
    name_qualifier: str


def check(cloud: Cloud, presented: Presented) -> Grant:
    """Judge a SAML response; raises SamlRefused with AWS's own code and words."""
    require_seconds(presented.seconds)
    require_arn(presented.role_arn, "roleArn", "Request ARN is invalid")
    require_arn(presented.provider_arn, "principalArn", "Request ARN is invalid")
    root = assertion.opened(presented.response)
    account, provider = _provider(cloud, presented)
    issuers = {one.entity_id: one.certificates for one in metadata.read(provider.saml_metadata_document)}
    assertion.require_one(root, encrypted_only=account.encryption_of(provider.arn).mode == "Required")
    issuer = assertion.claimed_issuer(root)
    if issuer not in issuers:
        raise invalid("Issuer not present in specified provider")
    said = assertion.verified(root, issuers[issuer])
    _require_time(cloud, said)
    _require_audience(cloud, said)
    _require_pair(said, presented)
    session = _session(said)
    role = _role(account, presented)
    _require_trust(cloud, account, role, (said, presented))
    require_within(presented.seconds, role)
    return _grant(cloud, account, role, (said, presented, session))


def require_seconds(seconds: int) -> int:
    """The same number; raises AwsError outside 900 to 43200."""
    if 900 <= seconds <= 43200:
        return seconds
    bound = "greater than or equal to 900" if seconds < 900 else "less than or equal to 43200"
    raise SamlRefused(
        "ValidationError",
        f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {bound}",
    )


def require_arn(arn: str, name: str, words: str) -> None:
    """Raise SamlRefused (ValidationError, 400) for what is no ARN of IAM: by its length as the model says, else with these `words`.

    Messages as reported: mmmorris1975/aws-runas#80 (length), physera/onelogin-aws-cli#12 ("Request ARN is invalid").
    """
    if not 20 <= len(arn) <= 2048:
        bound = "greater than or equal to 20" if len(arn) < 20 else "less than or equal to 2048"
        raise SamlRefused(
            "ValidationError",
            f"1 validation error detected: Value '{arn}' at '{name}' failed to satisfy constraint: Member must have length {bound}",
        )
    if re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:[a-z-]+/\S+", arn, re.ASCII) is None:
        raise SamlRefused("ValidationError", words)


def require_within(seconds: int, role: Any) -> None:
    """Raise SamlRefused when the role's own maximum is less."""
    if seconds > int(role.max_session_duration or 3600):
        raise SamlRefused("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def denied() -> SamlRefused:
    """The one answer for a role that is not there, is misspelt, or does not trust the provider."""
    return SamlRefused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML", 403)


def _provider(cloud: Cloud, presented: Presented) -> tuple[Account, Any]:
    account = cloud.account_of(presented.provider_arn)
    found = account.provider(presented.provider_arn) if account is not None else None
    if account is None or found is None:
        raise invalid("Specified provider doesn't exist")
    if not account.usable:
        raise denied()
    return account, found


def _require_time(cloud: Cloud, said: Assertion) -> None:
    now = cloud.clock()
    if now > said.issued + timedelta(minutes=5):
        raise SamlRefused("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance")
    ends = (said.confirmed_until, said.not_after, said.session_until)
    if any(end is not None and now >= end for end in ends):
        raise SamlRefused("ExpiredTokenException", "Response has expired")
    if said.not_before is not None and now < said.not_before:
        raise invalid("SAML assertion is not yet valid")


def _require_audience(cloud: Cloud, said: Assertion) -> None:
    host = re.escape(cloud.place.host)
    accepted = rf"https://([\w-]+\.)?{host}/saml|{re.escape(cloud.place.audience)}"
    if not any(re.fullmatch(accepted, audience) for audience in said.audiences):
        raise invalid("Response does not contain the required audience.")


def pairs(values: tuple[str, ...] | list[str]) -> set[frozenset[str]]:
    """The ARN pairs of the Role attribute's values, in either order, spaces around the comma or not."""
    return {frozenset(part.strip() for part in value.split(",")) for value in values}


def _require_pair(said: Assertion, presented: Presented) -> None:
    values = said.attributes.get(ATTRIBUTES + "Role", ())
    if not values:
        raise invalid("Your request included an invalid SAML response")
    if frozenset((presented.role_arn, presented.provider_arn)) not in pairs(values):
        raise invalid("SAML Assertion doesn't contain the requested Role and Metadata in the attributes")


def _session(said: Assertion) -> str:
    name = said.one("RoleSessionName")
    if not name:
        raise invalid("RoleSessionName is required in AuthnResponse")
    if re.fullmatch(r"[a-zA-Z_0-9+=,.@-]{2,64}", name) is None:
        raise invalid("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
    identity = said.one("SourceIdentity")
    if identity is not None and (identity.startswith("aws:") or re.fullmatch(r"[a-zA-Z_0-9+=,.@-]{2,64}", identity) is None):
        raise invalid('Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"')
    return name


def _role(account: Account, presented: Presented) -> Any:
    role = account.role_by_arn(presented.role_arn)  # a role of another account is not found here either
    if role is None or role.name.startswith("AWSReservedSSO_"):
        raise denied()
    return role


def _require_trust(cloud: Cloud, account: Account, role: Any, said: tuple[Assertion, Presented]) -> None:
    context = _keys(cloud, account, role, said)
    assertion_said, presented = said
    document = json.loads(role.assume_role_policy_document)
    for action in _needed(assertion_said):
        request = Request(action, role.arn, context, frozenset({("Federated", presented.provider_arn)}))
        if decide([document], request) != "allow":
            raise denied()


def _keys(cloud: Cloud, account: Account, role: Any, said: tuple[Assertion, Presented]) -> dict[str, list[str]]:
    """The condition keys that this request carries; every other key is absent.

    Absent are aws:PrincipalArn, aws:PrincipalOrgID, aws:MultiFactorAuthPresent, aws:PrincipalTag, sts:ExternalId and whatever else
    belongs to a caller who signed: nobody signs this request. aws:PrincipalAccount, aws:PrincipalType and aws:userid are as recorded.
    """
    one, presented = said
    now = cloud.clock().astimezone(UTC)
    tags = session_tags(one)
    keys = {
        "saml:aud": [one.recipient],
        "saml:iss": [one.issuer],
        "saml:sub": [one.subject],
        "saml:sub_type": [subject_type(one.subject_format)],
        "saml:doc": [f"{account.id}/{metadata.name_of(presented.provider_arn)}"],
        "saml:namequalifier": [name_qualifier(one.issuer, account.id, presented.provider_arn)],
        "sts:rolesessionname": [one.one("RoleSessionName") or ""],
        "sts:sourceidentity": [one.one("SourceIdentity") or ""],
        "sts:transitivetagkeys": list(one.attributes.get(ATTRIBUTES + "TransitiveTagKeys", ())),
        "aws:tagkeys": list(tags),
        "aws:principalaccount": [account.id],
        "aws:principaltype": ["User"],
        "aws:userid": [presented.provider_arn],
        "aws:sourceip": [SOURCE_ADDRESS],
        "aws:resourceaccount": [account.id],
        "aws:resourceorgid": [cloud.organization_id],
        "aws:requestedregion": [cloud.place.region],
        "aws:securetransport": ["true"],
        "aws:currenttime": [now.strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:epochtime": [str(int(now.timestamp()))],
        **{f"aws:requesttag/{key.lower()}": [value] for key, value in tags.items()},
        **{f"{prefix}:resourcetag/{tag['Key'].lower()}": [tag["Value"]] for tag in role.tags for prefix in ("aws", "iam")},
    }
    return {key: values for key, values in keys.items() if values and any(values)}


def session_tags(said: Assertion) -> dict[str, str]:
    """The session tags that the assertion carries; raises SamlRefused for ones that STS does not take.

    Source: id_session-tags.html: 50 tags, keys of 128 and values of 256 characters, one value each, keys unique without regard to case.
    What STS says of them in a SAML response is not documented.
    """
    prefix = ATTRIBUTES + "PrincipalTag:"
    sent = {name.removeprefix(prefix): values for name, values in said.attributes.items() if name.startswith(prefix)}
    flawed = [
        key
        for key, values in sent.items()
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:") or len(values) != 1 or len(values[0]) > 256
    ]
    if flawed or len(sent) > 50 or len({key.lower() for key in sent}) < len(sent):
        raise invalid("The PrincipalTag attributes of the SAML assertion are not valid session tags")
    transitive = said.attributes.get(ATTRIBUTES + "TransitiveTagKeys", ())
    if not {key.lower() for key in transitive} <= {key.lower() for key in sent}:
        raise SamlRefused("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")
    return {key: values[0] for key, values in sent.items()}


def _needed(said: Assertion) -> list[str]:
    """The actions that the trust policy must allow: more of them when the identity provider sends tags or a source identity."""
    needed = ["sts:AssumeRoleWithSAML"]
    if session_tags(said):
        needed.append("sts:TagSession")
    if said.one("SourceIdentity") is not None:
        needed.append("sts:SetSourceIdentity")
    return needed


def subject_type(subject_format: str) -> str:
    """`persistent`, `transient`, or the whole format URI."""
    short = subject_format.rpartition(":")[2]
    return short if short in ("persistent", "transient") else subject_format


def name_qualifier(issuer: str, account_id: str, provider_arn: str) -> str:
    """BASE64(SHA1(issuer + account id + "/" + provider name)), as AssumeRoleWithSAML answers."""
    text = f"{issuer}{account_id}/{metadata.name_of(provider_arn)}"
    return base64.b64encode(hashlib.sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _grant(cloud: Cloud, account: Account, role: Any, what: tuple[Assertion, Presented, str]) -> Grant:
    said, presented, session = what
    return Grant(
        role=role,
        session=session,
        seconds=_seconds(cloud, said, presented.seconds),
        subject=said.subject,
        subject_type=subject_type(said.subject_format),
        issuer=said.issuer,
        recipient=said.recipient,
        name_qualifier=name_qualifier(said.issuer, account.id, presented.provider_arn),
    )


def _seconds(cloud: Cloud, said: Assertion, wanted: int) -> int:
    """The session's length: what was asked for, shortened by SessionDuration and by SessionNotOnOrAfter."""
    lengths = [wanted]
    duration = said.one("SessionDuration")
    if duration is not None:
        if not duration.isdigit() or not 900 <= int(duration) <= 43200:
            raise invalid("SessionDuration in AuthnResponse must be between 900 and 43200")
        lengths.append(int(duration))
    if said.session_until is not None:
        lengths.append(int((said.session_until - cloud.clock()).total_seconds()))
    return max(0, min(lengths))


__all__ = ["AwsError", "Grant", "Presented", "SamlRefused", "check"]
