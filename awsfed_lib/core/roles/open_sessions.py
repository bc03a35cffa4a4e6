"""What a revocation in Entra ID does not end: sessions that AWS has opened, and how AWS says they are denied.

"All temporary credentials for that role issued before the specified time become invalid" (docs.aws.amazon.com IAM,
id_roles_use_revoke-sessions): an inline policy on the role that denies everything to tokens issued before a time.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from awsfed_lib.core.recovery_shapes import OPEN_SESSIONS
from awsfed_lib.core.roles.revoke import Cut
from awsfed_lib.core.tables import frame, rows
from awsfed_lib.core.view.document_view import Document

POLICY_NAME, FILE = "AWSRevokeOlderSessions", "deny_older_sessions"
# STS: "Token must be redeemed within 5 minutes of issuance".
REDEEMED = timedelta(minutes=5)


def deny_older(now: datetime) -> dict[str, Any]:
    """Render the policy that denies every session of a role issued before `now` and the five minutes that follow.

    Without these minutes a SAML response from before the revocation could still open a session that the policy misses.
    """
    moment = (now.astimezone(UTC).replace(microsecond=0) + REDEEMED).strftime("%Y-%m-%dT%H:%M:%SZ")
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": {"DateLessThan": {"aws:TokenIssueTime": moment}}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def table(lost: pd.DataFrame) -> pd.DataFrame:
    """OPEN_SESSIONS: one row an IAM role of LOST_PATHS, with the command that puts the policy on it."""
    arns = sorted({(row["account_id"], row["role_arn"]) for row in rows(lost) if row["account_id"]})
    return frame(OPEN_SESSIONS, [{"account_id": account, "role_arn": arn, "command": _command(arn)} for account, arn in arns])


def _command(role_arn: str) -> str:
    role = shlex.quote(role_arn.rpartition("/")[2])
    return f"aws iam put-role-policy --role-name {role} --policy-name {POLICY_NAME} --policy-document file://{FILE}.json"


def advice(cut: Cut, policy: dict[str, Any]) -> Document:
    """Say plainly what lives on, with the policy to paste, and how the person's sign-in sessions are revoked."""
    moment = policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
    sentences = [*_LIVES_ON, _DENIED.format(name=POLICY_NAME, moment=moment), _MINUTES, _AFTERWARDS]
    if cut.subject.kind == "user":
        sentences.append(_SIGN_INS.format(user=cut.subject.id))
    return Document("Sessions that live on", tuple(sentences), policy)


_LIVES_ON = (
    "Deleting assignments stops new sign-ins. It ends no session: who is in AWS now stays in until the session ends.",
    "A session lasts as long as its role allows (MaxSessionDuration, 1 to 12 hours); in the console, as the SessionDuration claim says.",
)
_DENIED = (
    "To deny them now, put this inline policy on each role below; AWS names it {name}. It denies everything to every session of the role "
    "issued before {moment}, whoever holds it: everybody else in that role has to sign in again after that time."
)
_MINUTES = (
    "The time is five minutes after this run, since AWS takes a SAML response for five minutes after Entra ID issued it. A run that only "
    "plans renders its own time: take the policy of the run that sends."
)
_AFTERWARDS = "Take the policy away again when the last session that it denies has ended."
_SIGN_INS = (
    "Sign-in sessions in Entra ID are another matter: POST /users/{user}/revokeSignInSessions (User.RevokeSessions.All) signs the person "
    "out of everything, not only of AWS. This runbook does not send it."
)
