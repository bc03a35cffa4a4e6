"""The Security Token Service: AssumeRole, AssumeRoleWithSAML and GetCallerIdentity.

Sources: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and API_AssumeRoleWithSAML.html; the message for chained roles
as in 99designs/aws-vault#263, for the role's own limit as in Nike-Inc/gimme-aws-creds#54.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.amazon import federation, sign_in_events
from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.credentials import Identity
from awsfed_lib.sandbox.amazon.evaluation import Request, decide
from awsfed_lib.sandbox.amazon.gate import documents
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call, element, result


def caller_identity(call: Call, caller: Identity) -> Answer:
    """Who am I? Everybody may ask."""
    return result(call, element("Arn", caller.arn) + element("UserId", caller.user_id) + element("Account", caller.account_id))


def assume_role(cloud: Cloud, call: Call, caller: Identity) -> Answer:
    """Issue temporary credentials; raises AwsError AccessDenied alike for a role that is not there, not trusted, or out of reach."""
    arn, session = call.text("RoleArn"), call.text("RoleSessionName")
    federation.require_arn(arn, "roleArn", f"{arn} is invalid")
    _require_session_name(session)
    _require_tags(call)
    seconds = federation.require_seconds(call.whole("DurationSeconds", 3600))
    role = _assumable(cloud, call, caller, arn)
    if caller.chained and seconds > 3600:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        )
    federation.require_within(seconds, role)
    limits = (_policy(call.text("Policy")),) if "Policy" in call.params else ()
    identity = cloud.keys.session(role, session, cloud.expiry(seconds), limits)
    return result(call, credentials(identity) + (element("PackedPolicySize", 6) if limits else ""))


def _require_session_name(name: str) -> None:
    if re.fullmatch(r"[\w+=,.@-]{2,64}", name, re.ASCII) is None:
        raise AwsError(
            "ValidationError",
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w+=,.@-]*",
        )


def _require_tags(call: Call) -> None:
    """Raise AwsError for session tags that STS does not take.

    Source: API_AssumeRole.html (keys unique without regard to case, transitive keys are keys of tags); code and messages as reported by
    clients that met them.
    """
    keys = [key.lower() for key, _ in call.tags()]
    if len(keys) > 50:
        raise AwsError(
            "ValidationError",
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50",
        )
    if len(set(keys)) < len(keys):
        raise AwsError("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if not {key.lower() for key in call.members("TransitiveTagKeys")} <= set(keys):
        raise AwsError("InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")


def _policy(text: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from None
    if len(text) > 2048 or not isinstance(parsed, dict):
        raise AwsError("PackedPolicyTooLarge", "Packed size of session policy is too large.")
    return parsed


def _assumable(cloud: Cloud, call: Call, caller: Identity, arn: str) -> Any:
    account = cloud.account_of(arn)
    role = account.role_by_arn(arn) if account and account.usable and account.reach != "denied" else None
    for action in _needed(call):
        if role is None or not _allowed(cloud, caller, arn, action) or not _trusted(cloud, call, caller, role, action):
            raise AwsError("AccessDenied", f"User: {caller.arn} is not authorized to perform: {action} on resource: {arn}", 403)
    return role


def _needed(call: Call) -> list[str]:
    """The actions that this request takes: caller and trust policy must allow them all (id_session-tags.html)."""
    more = (("sts:TagSession", bool(call.tags())), ("sts:SetSourceIdentity", "SourceIdentity" in call.params))
    return ["sts:AssumeRole", *(action for action, wanted in more if wanted)]


def _allowed(cloud: Cloud, caller: Identity, arn: str, action: str) -> bool:
    request = Request(action, arn, {"aws:resourceorgid": [cloud.organization_id]})
    return decide(documents(cloud, caller), request) == "allow" and (not caller.limits or decide(caller.limits, request) == "allow")


def _trusted(cloud: Cloud, call: Call, caller: Identity, role: Any, action: str) -> bool:
    """The role's trust policy, an external id and the organization included."""
    context = {
        "aws:principalorgid": [cloud.organization_id],
        "aws:principalaccount": [caller.account_id],
        "aws:principalarn": [caller.arn],
        "aws:principaltype": ["AssumedRole" if caller.chained else "User"],
        "aws:userid": [caller.user_id],
        "sts:rolesessionname": [call.text("RoleSessionName")],
        **{f"aws:requesttag/{key.lower()}": [value] for key, value in call.tags()},
    }
    given = {"sts:externalid": "ExternalId", "sts:sourceidentity": "SourceIdentity"}
    context |= {key: [call.text(name)] for key, name in given.items() if name in call.params}
    request = Request(action, role.arn, context, _principals(cloud, caller))
    return decide([json.loads(role.assume_role_policy_document)], request) == "allow"


def _principals(cloud: Cloud, caller: Identity) -> frozenset[tuple[str, str]]:
    names = {caller.arn, cloud.place.iam(caller.account_id, "root"), caller.account_id}
    if caller.role:
        owner = cloud.accounts[caller.account_id].role(caller.role)
        names |= {owner.arn} if owner is not None else set()
    return frozenset(("AWS", name) for name in names)


def assume_role_with_saml(cloud: Cloud, call: Call) -> Answer:
    """Issue temporary credentials for a SAML response; the request itself is not signed."""
    seconds = call.whole("DurationSeconds", 3600)
    presented = federation.Presented(call.text("SAMLAssertion"), call.text("RoleArn"), call.text("PrincipalArn"), seconds)
    grant, identity = sign_in(cloud, presented)
    inner = "".join(
        (
            credentials(identity),
            element("Subject", grant.subject),
            element("SubjectType", grant.subject_type),
            element("Issuer", grant.issuer),
            element("Audience", grant.recipient),
            element("NameQualifier", grant.name_qualifier),
            element("PackedPolicySize", 0),
        ),
    )
    return result(call, inner)


def sign_in(cloud: Cloud, presented: federation.Presented) -> tuple[federation.Grant, Identity]:
    """Judge a response and carry out what is granted; CloudTrail of the role's account keeps both. Raises SamlRefused."""
    try:
        grant = federation.check(cloud, presented)
    except AwsError as refused:
        sign_in_events.refused(cloud, presented, refused)
        raise
    identity = issue(cloud, grant)
    sign_in_events.entered(cloud, presented, grant, identity)
    return grant, identity


def issue(cloud: Cloud, grant: federation.Grant) -> Identity:
    """Issue the credentials, and mark the role's last use."""
    identity = cloud.keys.session(grant.role, grant.session, cloud.expiry(grant.seconds))
    account: Account = cloud.accounts[grant.role.account_id]
    with account.lock:
        grant.role.last_used, grant.role.last_used_region = cloud.clock().replace(tzinfo=None), cloud.place.region
        account.touched()
    return identity


def credentials(identity: Identity) -> str:
    """The `Credentials` and `AssumedRoleUser` elements."""
    expires = identity.expires.strftime("%Y-%m-%dT%H:%M:%SZ") if identity.expires else None
    keys = "".join(
        (
            element("AccessKeyId", identity.access_key),
            element("SecretAccessKey", identity.secret),
            element("SessionToken", identity.token),
            element("Expiration", expires),
        ),
    )
    user = element("AssumedRoleId", identity.user_id) + element("Arn", identity.arn)
    return f"<Credentials>{keys}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
