"""The AssumeRoleWithSAML events that CloudTrail keeps in the role's account, of who was let in and who was not.

Shape: docs.aws.amazon.com IAM/latest/UserGuide/cloudtrail-integration.html (its example of AssumeRoleWithSAML) and awscloudtrail/latest/
userguide/cloudtrail-event-reference-record-contents.html. The Region is that of the sign-in endpoint that the response was made for; the
endpoint without a Region in its name is us-east-1's (aws.amazon.com/blogs/security/how-to-use-regional-saml-endpoints-for-failover).
Which refusals tell a session name is not documented: here none does, since nothing of a response that is refused is believed.
"""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from awsfed_lib.sandbox.amazon.cloud import Cloud
from awsfed_lib.sandbox.amazon.credentials import Identity
from awsfed_lib.sandbox.amazon.federation import SOURCE_ADDRESS, Grant, Presented
from awsfed_lib.sandbox.amazon.wire import AwsError

Record = dict[str, Any]
_ENDPOINT = re.compile(r"https://([a-z]{2,}(?:-[a-z]+)+-[0-9])\.signin\.")


def entered(cloud: Cloud, presented: Presented, grant: Grant, identity: Identity) -> None:
    """Note a sign-in that AWS let in."""
    found = _ENDPOINT.match(grant.recipient)
    record = _record(presented, cloud.clock(), found[1] if found else cloud.place.region)
    record["userIdentity"] |= {
        "principalId": f"{grant.name_qualifier}:{grant.subject}",
        "userName": grant.subject,
        "identityProvider": grant.name_qualifier,
    }
    record["requestParameters"]["roleSessionName"] = grant.session
    cloud.trail.note(identity.account_id, record | {"responseElements": _answered(grant, identity)})


def refused(cloud: Cloud, presented: Presented, error: AwsError) -> None:
    """Note a sign-in that AWS refused, where the account of the role has a log."""
    account = cloud.account_of(presented.role_arn)
    if account is not None and account.usable:
        record = _record(presented, cloud.clock(), cloud.place.region)
        cloud.trail.note(account.id, record | {"errorCode": error.code, "errorMessage": error.message})


def past(cloud: Cloud) -> None:
    """Write what CloudTrail remembers when a world begins: its `entries`, each roleArn, providerArn, userName and hoursAgo."""
    for one in cloud.entry.get("entries", ()):
        record = _record(Presented("", one["roleArn"], one["providerArn"]), cloud.entered_at(one), cloud.place.region)
        record["userIdentity"]["userName"] = record["requestParameters"]["roleSessionName"] = one["userName"]
        cloud.trail.note(one["roleArn"].split(":")[4], record)


def _record(presented: Presented, when: datetime, region: str) -> Record:
    """What every such event says."""
    named = ((presented.role_arn, "AWS::IAM::Role"), (presented.provider_arn, "AWS::IAM::SAMLProvider"))
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "SAMLUser"},
        "eventTime": when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoleWithSAML",
        "awsRegion": region,
        "sourceIPAddress": SOURCE_ADDRESS,
        "userAgent": "Mozilla/5.0",
        "requestParameters": {
            "sAMLAssertionID": f"_{uuid.uuid4()}",
            "durationSeconds": presented.seconds,
            "roleArn": presented.role_arn,
            "principalArn": presented.provider_arn,
        },
        "responseElements": None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "resources": [{"accountId": arn.split(":")[4], "type": kind, "ARN": arn} for arn, kind in named if arn.count(":") >= 5],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "eventCategory": "Management",
    }


def _answered(grant: Grant, identity: Identity) -> Record:
    """`responseElements`: the session token is among them, the secret key is not."""
    expires = identity.expires.strftime("%b %d, %Y, %I:%M:%S %p") if identity.expires else ""
    return {
        "credentials": {"accessKeyId": identity.access_key, "sessionToken": identity.token, "expiration": expires},
        "assumedRoleUser": {"assumedRoleId": identity.user_id, "arn": identity.arn},
        "subject": grant.subject,
        "subjectType": grant.subject_type,
        "issuer": grant.issuer,
        "audience": grant.recipient,
        "nameQualifier": grant.name_qualifier,
    }
