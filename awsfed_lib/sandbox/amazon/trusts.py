"""Trust policies: what IAM refuses when one is written.

Sources: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (2,048 characters without white space),
reference_policies_grammar.html, troubleshoot_roles.html; messages as reported in hashicorp/terraform-provider-aws#8905 ("Invalid
principal in policy"), kubeflow/kubeflow#6687 ("Cannot exceed quota for ACLSizePerRole: 2048"), localstack ("AssumeRole policy may only
specify STS AssumeRole actions.").
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from awsfed_lib.sandbox.amazon.cloud import Account, Cloud
from awsfed_lib.sandbox.amazon.evaluation import listed, statements
from awsfed_lib.sandbox.amazon.wire import AwsError

OPERATORS = (
    r"(ForAnyValue:|ForAllValues:)?"
    r"(String(Not)?(Equals(IgnoreCase)?|Like)|Arn(Not)?(Equals|Like)|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Null)(IfExists)?"
)


def require(cloud: Cloud, account: Account, text: str) -> None:
    """Raise AwsError (MalformedPolicyDocument, LimitExceeded) unless IAM would take this trust policy in this account."""
    document = _parsed(text)
    for statement in statements(document):
        _require_statement(cloud, account, statement)
    if len(re.sub(r"\s", "", text)) > 2048:
        raise AwsError("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message)


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(document, dict) or not statements(document):
        raise _malformed("Could not parse the policy: Statement is empty!")
    if document.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17"):
        raise _malformed("The policy must contain a valid version string")
    sids = [statement["Sid"] for statement in statements(document) if isinstance(statement, Mapping) and "Sid" in statement]
    if len(set(sids)) < len(sids):
        raise _malformed("Statement IDs (SID) in a single policy must be unique.")
    return document


def _require_statement(cloud: Cloud, account: Account, statement: Any) -> None:
    if not isinstance(statement, Mapping):
        raise _malformed("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed("Missing required field Effect" if "Effect" not in statement else f"Invalid effect: {statement['Effect']}")
    if "Resource" in statement or "NotResource" in statement:
        raise _malformed("Has prohibited field Resource")
    _require_actions(statement)
    _require_conditions(statement)
    for kind, value in _principals(statement):
        _require_principal(cloud, account, kind, value)


def _require_actions(statement: Mapping[str, Any]) -> None:
    actions = listed(statement.get("Action", statement.get("NotAction")))
    if not actions:
        raise _malformed("Missing required field Action")
    known = (
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:tagsession",
        "sts:setsourceidentity",
        "sts:setcontext",
    )
    for action in actions:
        if not isinstance(action, str) or (action.lower() not in known and re.fullmatch(r"sts:\w*\*", action, re.IGNORECASE) is None):
            raise _malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def _require_conditions(statement: Mapping[str, Any]) -> None:
    condition = statement.get("Condition", {})
    if not isinstance(condition, Mapping) or not all(isinstance(block, Mapping) for block in condition.values()):
        raise _malformed("Syntax errors in policy.")
    for operator in condition:
        if re.fullmatch(OPERATORS, operator) is None:
            raise _malformed(f"Invalid Condition type : {operator}.")


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "NotPrincipal" in statement:
        raise _malformed("Allow with NotPrincipal is not allowed.")
    principal = statement.get("Principal")
    if principal is None:
        raise _malformed("Missing required field Principal")
    if not isinstance(principal, Mapping) or not principal:
        raise _malformed("Missing required field Principal cannot be empty!")
    for kind, values in principal.items():
        for value in listed(values):
            yield str(kind), str(value)


def _require_principal(cloud: Cloud, account: Account, kind: str, value: str) -> None:
    if kind == "Federated" and not _is_federated(value):
        raise _malformed("Federated principals must be valid domain names or SAML metadata ARNs")
    if kind not in ("AWS", "Service", "Federated", "CanonicalUser") or not _exists(cloud, account, kind, value):
        shown = kind if kind == "AWS" else kind.upper()
        raise _malformed(f'Invalid principal in policy: "{shown}":"{value}"')


def _is_federated(value: str) -> bool:
    """A web identity's domain, or the ARN of a provider (the refusal of anything else is a recording of AWS)."""
    domain = re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", value, re.IGNORECASE | re.ASCII)
    return bool(domain) or re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:(saml|oidc)-provider/\S+", value, re.ASCII) is not None


def _exists(cloud: Cloud, account: Account, kind: str, value: str) -> bool:
    if kind == "AWS":
        return _is_principal(cloud, value)
    if kind != "Federated" or ":saml-provider/" not in value:
        return True
    return account.provider(value) is not None and not cloud.board.take("invalid_principals")


def _is_principal(cloud: Cloud, value: str) -> bool:
    if value == "*" or re.fullmatch(r"\d{12}", value):
        return True
    match = re.fullmatch(rf"arn:{cloud.place.name}:(?:iam|sts)::(\d{{12}}):(root|user/.+|role/.+|assumed-role/.+)", value)
    if match is None:
        return False
    owner = cloud.accounts.get(match.group(1))
    return not (owner is not None and match.group(2).startswith("role/") and owner.role_by_arn(value) is None)
