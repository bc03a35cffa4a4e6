"""Why an account could not be read, in plain words and with what to do; and whether asking again later may help."""

from __future__ import annotations

from typing import NamedTuple

from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from awsfed_lib.core.errors import UnreadError

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
THROTTLED = frozenset({
    "LimitExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown", "Throttling",
    "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
NETWORK = (exceptions.ConnectionError, exceptions.HTTPClientError)
NO_CREDENTIALS = (
    exceptions.CredentialRetrievalError,
    exceptions.NoCredentialsError,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
UNUSABLE = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"}
)


class Problem(NamedTuple):
    """What is wrong and what to do. `passing`: it may be gone in a while, so the account is asked again."""

    text: str
    passing: bool


class Reader(NamedTuple):
    """What an account is read with: the role and how it was reached; `manages` for the account that manages the organization."""

    via: str
    external_id: str
    manages: bool


def problem(error: Exception, reader: Reader) -> Problem:
    """Put into words why the reading of one account failed with `error`."""
    if isinstance(error, ClientError):
        return _refused(error, reader)
    if isinstance(error, UnreadError):
        return Problem(f"It was not read in full: {error.what}", passing=True)
    if isinstance(error, ResponseParserError):
        return Problem("It was not read in full: an answer of AWS could not be understood. Run again.", passing=True)
    if isinstance(error, NO_CREDENTIALS):
        return Problem(
            f"The credentials of this machine ended during the run ({_brief(error)}). Sign in again, then run again.", passing=False
        )
    if isinstance(error, NETWORK):
        return Problem(f"No answer from AWS ({_brief(error)}). Check network, proxy and clock, then run again.", passing=True)
    return Problem(f"It was not read: awsfed met something unexpected ({_brief(error)}). Please report it.", passing=False)


def code_of(error: ClientError) -> str:
    """Return the error code of AWS; "" when there is none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return AWS's own words, on one line."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split())


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _refused(error: ClientError, reader: Reader) -> Problem:
    code, action = code_of(error), error.operation_name
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in DENIED:
        return Problem(_denied(error, reader), passing=False)
    if code in THROTTLED:
        return Problem(
            f"AWS kept throttling {action} ({code}). Run again later; other tools may be using up this account's rate.", passing=True
        )
    if code == "RegionDisabledException":
        return Problem(
            "STS is switched off in the region used. Activate it in the account's settings, or use another region.", passing=False
        )
    if code in UNUSABLE:
        return Problem(f"AWS does not take the credentials ({code}): {message_of(error)} Sign in again, then run again.", passing=False)
    return Problem(f"AWS refused {action} ({code}): {message_of(error)}", passing=status >= 500)  # noqa: PLR2004  a server's fault


def _denied(error: ClientError, reader: Reader) -> str:
    action, words = error.operation_name, message_of(error)
    if "service control policy" in words or "resource control policy" in words:
        return f"Denied: an organization policy forbids {action}. Let {reader.via} out of that policy. AWS says: {words}"
    if action == "AssumeRole":
        return f"Denied: role {reader.via} could not be assumed. {_how_to_reach(reader)} AWS says: {words}"
    return f"Denied: what reads the account may not call {action}. Give {reader.via} the audit policy of awsfed. AWS says: {words}"


def _how_to_reach(reader: Reader) -> str:
    if reader.manages:
        return "This account manages the organization, and stack sets do not reach it: create the role there with a stack of its own."
    identifier = "external_id is the one of its trust" if reader.external_id else "its trust asks for no external id"
    return f"Check that it exists there, that its trust names the identity that awsfed runs as, and that {identifier}."
