"""What an answer of AWS must be: whole, read to the last page, and about the account that was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from awsfed_lib.core.errors import AwsError, UnreadError
from awsfed_lib.edges.amazon.acting import acting

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

PAGE = 1000  # MaxItems of IAM lists; the default is 100


def all_pages(call: Callable[..., Any], key: str, account_id: str, **request: Any) -> dict[str, Mapping[str, Any]]:
    """Read an IAM list to its last page: ARN → entry.

    Raises UnreadError when an answer is not whole (no list, no word on truncation, truncated without a way on), and
    AwsError when an entry is of another account.
    """
    found: dict[str, Mapping[str, Any]] = {}
    markers: list[str] = []
    while True:
        answer = call(MaxItems=PAGE, **request, **({"Marker": markers[-1]} if markers else {}))
        found |= own_entries(answer, key, account_id)
        if not whole(answer, "IsTruncated"):
            return found
        marker = whole(answer, "Marker")
        if marker in markers:
            raise UnreadError(f"IAM gave the same page of {key} twice. Run again.")
        markers.append(marker)


def role_pages(iam: IAMClient, account_id: str) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """Read both lists of the roles of one account: of GetAccountAuthorizationDetails and of ListRoles, ARN → entry.

    IAM has answered 200 with empty lists. The role that reads is in them, so a list without it is not whole: UnreadError.
    """
    details = all_pages(iam.get_account_authorization_details, "RoleDetailList", account_id, Filter=["Role"])
    listed = all_pages(iam.list_roles, "Roles", account_id)
    reader = acting().role
    for found, operation in ((details, "GetAccountAuthorizationDetails"), (listed, "ListRoles")):
        if reader and not any(arn.endswith(f"/{reader.rpartition('/')[2]}") for arn in found):
            raise UnreadError(f"IAM's answer to {operation} lacks the role {reader}, which reads it.", code="reader-missing")
    return details, listed


def provider_arns(iam: IAMClient, account_id: str) -> list[str]:
    """List the SAML providers of one account; when there are none, IAM must at least name a role, else it answers with empty lists."""
    found = sorted(own_entries(iam.list_saml_providers(), "SAMLProviderList", account_id))
    if not found and acting().role and not whole(iam.list_roles(MaxItems=1), "Roles"):
        raise UnreadError("IAM names neither a SAML provider nor a role, and a role reads it.", code="reader-missing")
    return found


def own_entries(answer: Mapping[str, Any], key: str, account_id: str) -> dict[str, Mapping[str, Any]]:
    """Return the entries of a list by ARN; raises AwsError when one is of another account."""
    entries: Iterable[Mapping[str, Any]] = whole(answer, key)
    found = {whole(entry, "Arn"): entry for entry in entries}
    for arn in found:
        refuse_other_account(arn, account_id, key)
    return found


def whole(answer: Mapping[str, Any], key: str) -> Any:
    """Return a part that an answer must have; raises UnreadError when it is missing, since missing is not empty."""
    if key not in answer:
        raise UnreadError(f"AWS answered without {key}. Run again.")
    return answer[key]


def refuse_halves(parsed: Any, **_: Any) -> None:
    """`after-call` hook of a client: an answer that holds half a character (one of a surrogate pair) was cut, and is not read.

    JSON can say it by an escape, and botocore passes it on; XML cannot.
    """
    try:
        json.dumps(parsed, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise UnreadError("An answer of AWS holds half a character.", remedy="It was cut on the way: run again.") from None


def refuse_other_account(arn: str, account_id: str, operation: str) -> None:
    """Raise AwsError when an answer about `account_id` names an object of another account."""
    if [*arn.split(":", 5)][4:5] != [account_id]:
        raise AwsError(
            f"An answer for account {account_id} is about {arn}; the whole reading is stopped, since nothing of it can be trusted.",
            account_id=account_id,
            operation=operation,
            remedy="This must never happen; please report it with the versions of boto3 and awsfed.",
        )
