"""Sign in for real: AssumeRoleWithSAML with a response that somebody gave, to see what AWS says to it.

The call is the one of AWS that nobody signs: the response is all it takes, no credentials of this machine go along, and
what comes back is credentials, which are dropped here. It changes nothing but the role's last use, and CloudTrail of the
account shows it. Source: docs.aws.amazon.com STS/latest/APIReference/API_AssumeRoleWithSAML.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.roles.pair import Pair
from awsfed_lib.core.saml import troubles
from awsfed_lib.core.settings.secrecy import redacted
from awsfed_lib.core.shapes import SESSIONS
from awsfed_lib.core.tables import frame, rows
from awsfed_lib.edges.amazon.allowed import AwsGate
from awsfed_lib.edges.amazon.answers import whole
from awsfed_lib.edges.amazon.hub import client_settings
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.problems import code_of, message_of
from awsfed_lib.edges.amazon.session import session_for
from awsfed_lib.edges.records import held

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

ONLY = frozenset({"sts:AssumeRoleWithSAML"})
SECONDS = 900  # the shortest session there is
_LONGEST_MESSAGE = 500


def enter(organization: Organization, response: str, pairs: Iterable[Pair], *, session: boto3.Session | None = None) -> pd.DataFrame:
    """Open a session in each role of `pairs` with `response` (base64), and forget it: SESSIONS, without credentials."""
    listed = list(pairs)
    client = _client(organization, session or session_for(organization.cloud)) if listed else None
    return frame(SESSIONS, [row for pair in listed if client for row in _entered(client, response, pair)])


def _client(organization: Organization, session: boto3.Session) -> STSClient:
    """Make a client that can do nothing but this, and that no credentials of this machine sign."""
    unsigned = client_settings(session, organization.partition, 1).merge(Config(signature_version=UNSIGNED))
    client: STSClient = session.client("sts", config=unsigned)
    AwsGate(ONLY).guard(client)
    return client


def _entered(client: STSClient, response: str, pair: Pair) -> Iterator[dict[str, Any]]:
    row = {"account_id": pair.account_id, "role_arn": pair.role_arn}
    try:
        answer = client.assume_role_with_saml(
            RoleArn=pair.role_arn, PrincipalArn=pair.provider_arn, SAMLAssertion=response, DurationSeconds=SECONDS
        )
        held.hold(*(str(part) for name, part in whole(answer, "Credentials").items() if name in ("SecretAccessKey", "SessionToken")))
        yield row | {"verdict": "entered", "session": whole(answer, "AssumedRoleUser")["Arn"]}
    except ClientError as error:
        yield row | {"verdict": "refused"} | _said(f"{code_of(error)}: {message_of(error)}", response)
    except (BotoCoreError, ResponseParserError, UnreadError) as error:
        yield row | {"verdict": "unknown"} | _said(f"No answer from AWS ({type(error).__name__}): {error}", response)


def _said(message: str, response: str) -> dict[str, str]:
    """Give AWS's words, which may repeat what was sent, without it; with cause and remedy where they are known ones."""
    clean = redacted(message.replace(response, "…"))[:_LONGEST_MESSAGE]
    known = rows(troubles.explain(clean))
    told = known[0] if known else {"cause": "", "remedy": "Look the message up in the IAM User Guide, Troubleshooting SAML federation."}
    return {"message": clean, "cause": told["cause"], "remedy": told["remedy"]}
