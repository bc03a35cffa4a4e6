"""What a person reads when an account was not read."""

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from awsfed_lib.core.errors import UnreadError
from awsfed_lib.edges.amazon.problems import Reader, problem

READER = Reader("awsfed-audit", "id", manages=False)


def refused(code: str, message: str = "AWS's own words.", operation: str = "ListRoles", status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation)


@pytest.mark.parametrize(
    ("error", "words", "passing"),
    [
        (refused("AccessDenied", operation="AssumeRole"), "Denied: role awsfed-audit could not be assumed. Check that it exists", False),
        (refused("AccessDenied"), "may not call ListRoles. Give awsfed-audit the audit policy", False),
        (refused("AccessDenied", "denied by a service control policy"), "an organization policy forbids ListRoles", False),
        (refused("Throttling"), "AWS kept throttling ListRoles (Throttling). Run again later", True),
        (refused("TooManyRequestsException"), "throttling", True),
        (refused("RegionDisabledException"), "STS is switched off in the region", False),
        (refused("ExpiredToken"), "does not take the credentials (ExpiredToken)", False),
        (refused("ServiceFailure", status=500), "AWS refused ListRoles (ServiceFailure)", True),
        (refused("ValidationError"), "AWS refused ListRoles (ValidationError): AWS's own words.", False),
        (refused(""), "AWS refused ListRoles ()", False),
        (UnreadError("AWS answered without Roles."), "It was not read in full: AWS answered without Roles.", True),
        (ResponseParserError("no element found"), "an answer of AWS could not be understood", True),
        (exceptions.ReadTimeoutError(endpoint_url="https://iam.amazonaws.com"), "No answer from AWS (ReadTimeoutError", True),
        (exceptions.EndpointConnectionError(endpoint_url="https://iam.amazonaws.com"), "Check network, proxy and clock", True),
        (exceptions.NoCredentialsError(), "credentials of this machine ended during the run", False),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="expired"), "Sign in again", False),
        (KeyError("Arn"), "something unexpected (KeyError: 'Arn'). Please report it.", False),
    ],
)
def test_words(error: Exception, words: str, passing: bool) -> None:  # noqa: FBT001  the expected answer
    found = problem(error, READER)
    assert words in found.text
    assert found.passing is passing
    assert "\n" not in found.text


def test_external_id_and_management_account_change_the_advice() -> None:
    denied = refused("AccessDenied", operation="AssumeRole")
    assert "external_id is the one of its trust" in problem(denied, READER).text
    assert "asks for no external id" in problem(denied, READER._replace(external_id="")).text
    assert "stack sets do not reach it" in problem(denied, READER._replace(manages=True)).text
