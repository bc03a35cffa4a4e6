"""What IAM's answer to one write says: done, refused with what to do, or unknown until the live state was read.

Nothing is sent again while it may have been carried out. What IAM certainly did not carry out is sent again after a
pause: throttling, a concurrent modification, and the minutes in which IAM does not know yet what was just made
(docs.aws.amazon.com IAM/latest/UserGuide/troubleshoot.html, "Changes that I make are not always immediately visible").
Codes and messages: the botocore model of IAM, and IAM/latest/UserGuide/reference_iam-quotas.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from awsfed_lib.core.outcome import Answer
from awsfed_lib.edges.amazon.problems import DENIED, THROTTLED, code_of, message_of

UNSENT = (exceptions.ConnectTimeoutError, exceptions.EndpointConnectionError, exceptions.ProxyConnectionError, exceptions.SSLError)
REMOVING = ("Delete", "Detach", "Remove", "Untag")
REMEDIES: Mapping[str, str] = {
    "DeleteConflict": "Something is still attached to it; run the runbook again, it plans from what is live then.",
    "InvalidInput": "IAM does not take the document; the rule is in its words.",
    "LimitExceeded": "A quota of the account is used up: raise it in Service Quotas, or remove what is not needed.",
    "MalformedPolicyDocument": "Correct the family or the trust that the message names; nothing was changed.",
    "UnmodifiableEntity": "Only AWS changes this role.",
}


class Verdict(NamedTuple):
    """The answer to one request, and whether sending it again after a pause can help."""

    answer: Answer
    again: bool = False


def done(answer: Mapping[str, object]) -> Verdict:
    """Judge an answer without an error."""
    said = answer.get("ResponseMetadata")
    told = said if isinstance(said, dict) else {}
    return Verdict(Answer("done", int(told.get("HTTPStatusCode", 200)), request_id=str(told.get("RequestId", ""))))


def failed(error: Exception, operation: str) -> Verdict:
    """Judge what sending `operation` (CreateRole, …) raised."""
    if isinstance(error, ClientError):
        return _refused(error, operation)
    words = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if isinstance(error, UNSENT):
        return Verdict(Answer("refused", 0, f"Nothing was sent. {words}"), again=True)
    if isinstance(error, exceptions.ParamValidationError):
        return Verdict(Answer("refused", 0, f"Nothing was sent: botocore does not take the parameters. {words}"))
    if isinstance(error, (exceptions.HTTPClientError, exceptions.ConnectionError, ResponseParserError)):
        return Verdict(Answer("unknown", 0, words))
    return Verdict(Answer("refused", 0, f"Nothing was sent. {words}"))


def _refused(error: ClientError, operation: str) -> Verdict:
    code, message = code_of(error), message_of(error)
    told = error.response.get("ResponseMetadata", {})
    status, request_id = int(told.get("HTTPStatusCode", 0)), str(told.get("RequestId", ""))
    words = " ".join(part for part in (f"{code}: {message}", _remedy(code, message)) if part)
    answer = Answer("refused", status, words, request_id)
    if status >= 500 or _may_be_ours(code, operation):  # noqa: PLR2004  HTTP: the server's fault
        return Verdict(answer._replace(fate="unknown"))
    return Verdict(answer, _passes(code, message))


def _may_be_ours(code: str, operation: str) -> bool:
    """Whether an earlier sending may be why: it is there already, or gone already."""
    return code == "EntityAlreadyExists" or (code == "NoSuchEntity" and operation.startswith(REMOVING))


def _passes(code: str, message: str) -> bool:
    """Whether IAM may take the same request a little later: it was certainly not carried out."""
    if code == "MalformedPolicyDocument":
        return "Invalid principal" in message
    return code in THROTTLED or code in ("ConcurrentModification", "DeleteConflict", "EntityTemporarilyUnmodifiable", "NoSuchEntity")


def _remedy(code: str, message: str) -> str:
    if code in DENIED and "service control policy" in message:
        return "Next: an organization policy forbids it; let the writer role out of that policy."
    if code in DENIED:
        return "Next: give the writer role the policy that runbook 02-accounts renders."
    return f"Next: {REMEDIES[code]}" if code in REMEDIES else ""
