"""AssumeRole and the credentials it gives: who may assume what, for how long, and what a wrong key answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import botocore
import pytest
from botocore.exceptions import ClientError


def test_the_hub_assumes_the_audit_role_with_the_external_id(aws):
    session = aws.assume(aws.sales)
    identity = aws.client("sts", session).get_caller_identity()
    assert identity["Account"] == aws.sales
    assert identity["Arn"] == f"arn:aws:sts::{aws.sales}:assumed-role/awsfed-audit/test"
    assert identity["Arn"] == session["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == session["AssumedRoleUser"]["AssumedRoleId"]


def test_hub_credentials_stay_in_the_hub_account(aws):
    assert aws.client("sts").get_caller_identity()["Account"] == aws.world["org"]["hub"]


DENIED = "User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"


@pytest.mark.parametrize("external", [{"ExternalId": "wrong"}, {"ExternalId": "AWSFED-SANDBOX"}])
def test_a_wrong_external_id_is_refused(aws, refusal, external):
    """IAM User Guide, id_roles_create_for-user_externalid: the trust policy's StringEquals on sts:ExternalId; moto takes any."""
    arn = f"arn:aws:iam::{aws.sales}:role/awsfed-audit"
    code, message, status = refusal(aws.client("sts").assume_role, RoleArn=arn, RoleSessionName="test", **external)
    assert (code, status) == ("AccessDenied", 403)
    assert message == DENIED.format(caller=aws.client("sts").get_caller_identity()["Arn"], arn=arn)


def test_a_missing_external_id_is_refused(aws, refusal):
    """IAM User Guide, id_roles_create_for-user_externalid."""
    arn = f"arn:aws:iam::{aws.sales}:role/awsfed-audit"
    assert refusal(aws.client("sts").assume_role, RoleArn=arn, RoleSessionName="test")[0] == "AccessDenied"


@pytest.mark.parametrize("name", ["nobody", "AWSFED-AUDIT", "path/awsfed-audit"])
def test_a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust(aws, refusal, name):
    """STS does not tell the two apart (uswitch/kiam#33); the name's case and path count; moto takes any name."""
    assert refusal(aws.assume, account=aws.sales, role=name)[::2] == ("AccessDenied", 403)


def test_an_account_outside_the_organization_is_refused(aws, refusal):
    assert refusal(aws.assume, account="999999999999")[0] == "AccessDenied"


@pytest.mark.parametrize("arn", ["nobody", "arn:aws:iam:111122223333:role/audit", "https://signin.aws.amazon.com/role", "x" * 2049])
def test_a_malformed_role_arn_is_a_validation_error(aws, refusal, arn):
    """STS answers 400 before it looks for the role (mmmorris1975/aws-runas#80, physera/onelogin-aws-cli#12)."""
    sts = aws.client("sts", parameter_validation=False)
    assert refusal(sts.assume_role, RoleArn=arn, RoleSessionName="test")[::2] == ("ValidationError", 400)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Tags": [{"Key": "Team", "Value": "a"}, {"Key": "team", "Value": "b"}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "Team", "Value": "a"}], "TransitiveTagKeys": ["Cost"]}, "InvalidParameterValue"),
        ({"TransitiveTagKeys": ["Team"]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "Team", "Value": "a"}]}, "AccessDenied"),  # neither caller nor trust allows sts:TagSession
        ({"SourceIdentity": "alice"}, "AccessDenied"),
    ],
)
def test_session_tags_and_source_identity(aws, refusal, more, code):
    """id_session-tags.html and id_credentials_temp_control-access_monitor.html: each takes an action of its own."""
    assert refusal(aws.assume, account=aws.sales, **more)[0] == code


def test_tags_are_taken_where_caller_and_trust_allow_them(aws):
    role = aws.org.cloud.accounts[aws.sales].role("awsfed-audit")
    role.assume_role_policy_document = role.assume_role_policy_document.replace('"sts:AssumeRole"', '"sts:*"')
    role.assume_role_policy_document = role.assume_role_policy_document.replace(
        '"StringEquals":{', '"StringEquals":{"aws:RequestTag/team":"a",'
    )
    policy = {"Statement": [{"Effect": "Allow", "Action": "sts:*", "Resource": "*"}]}
    hub = aws.org.credentials["hub"]
    aws.org.cloud.keys._known[hub.access_key] = replace(hub, documents=(policy,))
    try:
        assert aws.assume(aws.sales, Tags=[{"Key": "Team", "Value": "a"}], TransitiveTagKeys=["team"])
    finally:
        aws.org.cloud.keys._known[hub.access_key] = hub


@pytest.mark.parametrize("state", ["SUSPENDED", "CLOSED", "PENDING_ACTIVATION"])
def test_an_account_that_is_not_usable_is_refused(aws, refusal, state):
    """orgs_manage_accounts_account_state.html: unusable in these states."""
    assert refusal(aws.assume, account=aws.account(state=state)["id"])[0] == "AccessDenied"


@pytest.mark.parametrize(("name", "value"), [("state", "SUSPENDED"), ("state", "CLOSED"), ("reach", "denied")])
def test_an_account_that_stops_being_usable_is_refused_although_its_role_is_there(aws, refusal, name, value):
    assert aws.assume(aws.sales)
    setattr(aws.org.cloud.accounts[aws.sales], name, value)
    assert refusal(aws.assume, account=aws.sales)[0] == "AccessDenied"


def test_an_account_whose_closure_is_pending_still_works(aws):
    """orgs_manage_accounts_account_state.html: "The account remains functional" while its closure is pending."""
    account = aws.account(state="PENDING_CLOSURE")["id"]
    assert aws.iam(account).list_roles()["Roles"]


def test_an_account_without_the_role_is_denied(aws, refusal):
    assert refusal(aws.assume, account=aws.account(state="ACTIVE", reach="denied")["id"])[0] == "AccessDenied"


def test_a_member_account_cannot_assume_the_role_of_another(aws, refusal):
    """The trust policy names the hub account only."""
    assert refusal(aws.assume, account=aws.sales, who="stranger")[0] == "AccessDenied"


def test_the_hub_may_assume_only_the_two_roles_of_its_policy(aws, refusal):
    assert refusal(aws.assume, account=aws.sales, role="OrganizationAccountAccessRole")[0] == "AccessDenied"


def test_a_duration_over_the_roles_maximum_is_refused(aws, refusal):
    """API_AssumeRole, DurationSeconds; message as in Nike-Inc/gimme-aws-creds#54; moto has no limit."""
    code, message, status = refusal(aws.assume, account=aws.sales, DurationSeconds=3601)
    assert (code, status) == ("ValidationError", 400)
    assert message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


@pytest.mark.parametrize("seconds", [899, 43201])
def test_durations_outside_900_to_43200_are_refused(aws, refusal, seconds):
    """The botocore model of STS: DurationSeconds 900..43200."""
    client = aws.client("sts", parameter_validation=False)
    arn = f"arn:aws:iam::{aws.sales}:role/awsfed-audit"
    answer = refusal(client.assume_role, RoleArn=arn, RoleSessionName="test", ExternalId="awsfed-sandbox", DurationSeconds=seconds)
    assert answer[0] == "ValidationError"


@pytest.fixture
def chain(aws):
    """Two roles: the first may assume the second, whose maximum is twelve hours."""
    hub = aws.org.cloud.accounts[aws.world["org"]["hub"]]
    first, second = hub.role("awsfed-writer"), aws.org.cloud.accounts[aws.sales].role("awsfed-audit")
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": second.arn}
    first.policies["chain"] = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    second.max_session_duration = "43200"
    return aws.assume(hub.id, "awsfed-writer")


def test_a_chained_role_is_refused_more_than_one_hour(aws, refusal, chain):
    """IAM User Guide, id_roles_terms-and-concepts (role chaining); message as in 99designs/aws-vault#263."""
    code, message, _ = refusal(aws.assume, account=aws.sales, who=chain, DurationSeconds=3601)
    assert code == "ValidationError"
    assert message == "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."


def test_a_chained_role_gets_one_hour(aws, chain):
    assert aws.assume(aws.sales, who=chain, DurationSeconds=3600)["AssumedRoleUser"]


def test_the_same_role_gets_twelve_hours_from_a_users_own_keys(aws, chain):
    expires = aws.assume(aws.sales, DurationSeconds=43200)["Credentials"]["Expiration"]
    assert expires - datetime.now(UTC) > timedelta(hours=11, minutes=58)


@pytest.mark.parametrize("name", ["x", "with space", "ü" * 3, "x" * 65])
def test_a_session_name_outside_the_pattern_is_refused(aws, refusal, name):
    """The botocore model of STS: RoleSessionName 2..64 of [\\w+=,.@-]."""
    client = aws.client("sts", parameter_validation=False)
    arn = f"arn:aws:iam::{aws.sales}:role/awsfed-audit"
    assert refusal(client.assume_role, RoleArn=arn, RoleSessionName=name, ExternalId="awsfed-sandbox")[0] == "ValidationError"


def test_a_session_policy_takes_permissions_away(aws, refusal):
    """API_AssumeRole, Policy: the intersection of the role's policies and the session policy."""
    only = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]}
    client = aws.client("iam", aws.assume(aws.sales, Policy=json.dumps(only)))
    assert client.list_roles()["Roles"]
    code, message, _ = refusal(client.list_saml_providers)
    assert code == "AccessDenied"
    assert "session policy" in message


def test_a_key_that_nobody_issued_is_invalid(aws, refusal):
    """docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html: InvalidClientTokenId, 403; moto takes any key."""
    client = aws.client("sts", {"Credentials": {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x", "SessionToken": None}})
    assert refusal(client.get_caller_identity) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        403,
    )


def test_a_wrong_secret_is_noticed(aws, refusal):
    """CommonErrors.html: SignatureDoesNotMatch; moto checks no signature."""
    session = aws.assume(aws.sales)
    session["Credentials"]["SecretAccessKey"] += "x"
    assert refusal(aws.client("iam", session).list_roles)[::2] == ("SignatureDoesNotMatch", 403)


def test_one_accounts_key_with_another_accounts_token_is_noticed(aws, refusal):
    """What a client that mixes up the credentials of two accounts would send."""
    one, two = aws.assume(aws.sales), aws.assume(aws.world["org"]["hub"])
    one["Credentials"]["SessionToken"] = two["Credentials"]["SessionToken"]
    assert refusal(aws.client("iam", one).list_roles)[0] == "InvalidClientTokenId"


def test_temporary_keys_without_their_token_are_invalid(aws, refusal):
    session = aws.assume(aws.sales)
    session["Credentials"]["SessionToken"] = None
    assert refusal(aws.client("iam", session).list_roles)[0] == "InvalidClientTokenId"


def test_credentials_end(aws, refusal, monkeypatch):
    """CommonErrors.html: ExpiredToken, 403; botocore does not repeat it."""
    session = aws.assume(aws.sales, DurationSeconds=900)
    later = datetime.now(UTC) + timedelta(seconds=901)
    monkeypatch.setattr(aws.org.cloud.keys, "clock", lambda: later)
    assert refusal(aws.client("iam", session).list_roles)[::2] == ("ExpiredToken", 403)


def test_a_region_of_another_partition_is_refused(aws, refusal):
    """Credentials of one partition mean nothing in another (IAM User Guide, reference-arns: partitions)."""
    assert refusal(aws.client("sts", region="cn-north-1").get_caller_identity)[0] == "InvalidClientTokenId"


def test_an_unsigned_request_is_refused(aws):
    client = aws.client("iam")
    client.meta.events.register("choose-signer.iam", lambda **_: botocore.UNSIGNED)
    with pytest.raises(ClientError) as caught:
        client.list_roles()
    assert caught.value.response["Error"]["Code"] == "MissingAuthenticationToken"


def test_an_action_that_the_sandbox_lacks_is_refused_once_and_not_repeated(aws, refusal):
    """botocore repeats 500, 502, 503 and 504, and moto answers 500 to what it lacks; this is a 501."""
    session = aws.assume(aws.sales)
    client = aws.client("iam", session)
    aws.org.journal.clear()
    code, message, status = refusal(client.list_virtual_mfa_devices)
    assert (code, status) == ("NotImplemented", 501)
    assert "iam:ListVirtualMFADevices" in message
    assert len(aws.org.requests) == 1
