"""The shapes of the tables of the federation itself: claims, certificates, providers, roles and the proof of sign-in.

They follow the laws of tables.py, which holds the shapes of inventory, appRoles, groups and audit.
"""

from __future__ import annotations

from awsfed_lib.core.tables import COUNT, TEXT, TIME, Column, Schema

CLAIMS = Schema(
    "claims",
    {
        "claim": Column(TEXT, "full name of the SAML attribute, namespace included"),
        "source": Column(TEXT, "user, application, constant, transformation: where its value comes from"),
        "attribute": Column(TEXT, "source attribute, such as userprincipalname; '' for a constant"),
        "value": Column(TEXT, "the constant; '' for a source attribute"),
        "origin": Column(TEXT, "policy NAME, portal, or template: who says so"),
    },
    ("claim", "source", "attribute"),
)
ATTRIBUTES = Schema(
    "attributes",
    {
        "attribute": Column(TEXT, "full name of the SAML attribute in the response"),
        "value": Column(TEXT, "one value; an attribute with several has several rows"),
        "problem": Column(TEXT, "why AWS would refuse it; '' when it would not"),
    },
    ("attribute", "value"),
)
COVERAGE = Schema(
    "coverage",
    {
        "what": Column(TEXT, "kind of read: account, list of accounts, audit log, …"),
        "key": Column(TEXT, "account id or object id; '' where there is one of the kind"),
        "name": Column(TEXT, "its name, where known"),
        "state": Column(TEXT, "read, closed (an account that nobody can read any more), not read (or not in full)"),
        "found": Column(COUNT, "entries that were read; missing where they are not counted"),
        "problem": Column(TEXT, "why it was not read; '' when it was"),
    },
    ("what", "key"),
)
CERTIFICATES = Schema(
    "certificates",
    {
        "thumbprint": Column(TEXT, "SHA-1 thumbprint, upper hex; '' when Graph did not tell"),
        "name": Column(TEXT, "its name, CN=…"),
        "status": Column(TEXT, "signs, active, inactive, not yet valid, expired"),
        "not_before": Column(TIME, "first moment"),
        "not_after": Column(TIME, "last moment"),
        "days_left": Column(COUNT, "whole days until then; negative afterwards"),
        "note": Column(TEXT, "what follows from it"),
    },
    ("thumbprint",),
)
DOCUMENTS = Schema(
    "documents",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account"),
        "provider_arn": Column(TEXT, "ARN of the SAML provider; '' when the account has none of that name"),
        "document": Column(TEXT, "its metadata document, as GetSAMLProvider gives it"),
        "stack": Column(TEXT, "what owns it, such as a CloudFormation stack; '' when nothing is known to"),
        "problem": Column(TEXT, "why it could not be read; '' says it was"),
    },
    ("account_id", "provider_arn"),
)
ROLLOUT = Schema(
    "rollout",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account"),
        "provider_arn": Column(TEXT, "ARN of the SAML provider"),
        "state": Column(TEXT, "ready, waiting, blocked, unknown, excluded, no provider"),
        "holds": Column(TEXT, "which of the application's certificates it holds: active, new, old"),
        "others": Column(COUNT, "certificates that are none of the application's"),
        "locked_out": Column(TEXT, "who could not sign in now; '' when sign-in works"),
        "reason": Column(TEXT, "why it is blocked, unknown or excluded"),
    },
    ("account_id", "provider_arn"),
)
SLUGS = Schema(
    "slugs",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account today"),
        "slug": Column(TEXT, "what stands for it in role names; never changes once used"),
        "how": Column(TEXT, "frozen, new, new (another account has that name)"),
    },
    ("account_id",),
)
IAM_ROLES = Schema(
    "iam_roles",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account"),
        "family": Column(TEXT, "family it is one of; '' for a live role of none"),
        "role_name": Column(TEXT, "name of the role"),
        "role_arn": Column(TEXT, "ARN of the role"),
        "description": Column(TEXT, "its description"),
        "max_session": Column(COUNT, "MaxSessionDuration in seconds"),
        "policies": Column(TEXT, "ARNs of attached managed policies, sorted, joined by '; '"),
        "inline": Column(TEXT, "names of inline policies, sorted, joined by '; '"),
        "boundary": Column(TEXT, "ARN of the permissions boundary; '' when none"),
        "trust": Column(TEXT, "trust policy as JSON"),
        "tags": Column(TEXT, "tags as a JSON object"),
        "stack": Column(TEXT, "what owns it, such as a CloudFormation stack; '' when nothing is known to"),
    },
    ("role_arn",),
)
ACCOUNT_RESULTS = Schema(
    "account_results",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account"),
        "verdict": Column(TEXT, "as desired, planned, applied, unverified, failed, not sent, left alone"),
        "planned": Column(COUNT, "requests that the plan holds for it"),
        "sent": Column(COUNT, "requests that were carried out"),
        "problem": Column(TEXT, "what went wrong, or why it was left alone"),
    },
    ("account_id",),
)
STEPS = Schema(
    "steps",
    {
        "step": Column(COUNT, "its place"),
        "name": Column(TEXT, "what it does"),
        "state": Column(TEXT, "done, next, later, blocked"),
        "requests": Column(COUNT, "requests that its plan holds"),
        "problem": Column(TEXT, "why it is blocked"),
    },
    ("step",),
)
SIGN_INS = Schema(
    "sign_ins",
    {
        "verdict": Column(TEXT, "works, console only, conditional, unknown, broken"),
        "principal": Column(TEXT, "group, or user who is assigned directly"),
        "people": Column(TEXT, "of whom it is true, joined by '; '; '' when nobody is known there"),
        "role_arn": Column(TEXT, "ARN of the IAM role; '' when the value names none"),
        "link": Column(TEXT, "first link of the chain that does not hold; '' when all do"),
        "cause": Column(TEXT, "what is wrong there"),
        "remedy": Column(TEXT, "what to do, with the runbook that does it"),
        "account_id": Column(TEXT, "12 digits; '' when the value names no account"),
        "account_name": Column(TEXT, "name of the account"),
        "app_role_id": Column(TEXT, "GUID of the appRole"),
    },
    ("principal", "app_role_id", "verdict", "link", "people"),
)
RESPONSE_CHECKS = Schema(
    "checks",
    {
        "check": Column(TEXT, "what was looked at"),
        "verdict": Column(TEXT, "passed, failed, not checked"),
        "seen": Column(TEXT, "what the response says"),
        "expected": Column(TEXT, "what it should say"),
        "remedy": Column(TEXT, "what to do when it failed"),
    },
    ("check", "seen"),
)
RESPONSE_ROLES = Schema(
    "response_roles",
    {
        "verdict": Column(TEXT, "as expected, unexpected, missing, unreadable"),
        "account_id": Column(TEXT, "12 digits; '' when the value names none"),
        "role_arn": Column(TEXT, "ARN of the IAM role"),
        "provider_arn": Column(TEXT, "ARN of the SAML provider"),
        "value": Column(TEXT, "the value as the response has it, or as it should"),
    },
    ("value",),
)
SESSIONS = Schema(
    "sessions",
    {
        "account_id": Column(TEXT, "12 digits"),
        "role_arn": Column(TEXT, "ARN of the IAM role that was to be entered"),
        "verdict": Column(TEXT, "entered, refused, unknown"),
        "session": Column(TEXT, "ARN of the session that AWS opened; '' when it opened none"),
        "message": Column(TEXT, "what AWS said instead"),
        "cause": Column(TEXT, "what that means here"),
        "remedy": Column(TEXT, "what to do, with the runbook that does it"),
    },
    ("role_arn",),
)
TROUBLES = Schema(
    "troubles",
    {
        "text": Column(TEXT, "words of the message, as the service writes them"),
        "service": Column(TEXT, "AWS or Entra ID"),
        "cause": Column(TEXT, "what it means here"),
        "remedy": Column(TEXT, "what to do, with the runbook that does it"),
    },
    ("text", "cause"),
)
PERMITS = Schema(
    "permits",
    {
        "runbook": Column(TEXT, "id of the runbook"),
        "result": Column(TEXT, "ok, look, unknown, missing: the worst of the three"),
        "graph": Column(TEXT, "Graph permissions that it has and lacks"),
        "directory_role": Column(TEXT, "directory role of Entra ID that it has and lacks; only people need one"),
        "aws": Column(TEXT, "accounts that it can read and write, and how many it lacks"),
    },
    ("runbook",),
)
