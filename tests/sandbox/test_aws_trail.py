"""LookupEvents of the sandbox: real sign-ins come out of it as CloudTrail tells them, and it refuses as CloudTrail does.

Source: docs.aws.amazon.com awscloudtrail/latest/APIReference/API_LookupEvents.html, and IAM/latest/UserGuide/cloudtrail-integration.html.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from granting import grant_demo

from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.amazon.assertion import SamlRefused
from awsfed_lib.sandbox.amazon.trail import Trail
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.store import Tenant

NOW = datetime.now(UTC).replace(microsecond=0)
BY_NAME = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithSAML"}]


def record(aws, hours=1.0, region="us-east-1", **more):
    """An event as CloudTrail would keep it, so many hours ago."""
    when = datetime.now(UTC) - timedelta(hours=hours)
    made = {
        "eventVersion": "1.11", "userIdentity": {"type": "SAMLUser", "userName": "ann@contoso.example"}, "eventTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "sts.amazonaws.com", "eventName": "AssumeRoleWithSAML", "awsRegion": region, "eventID": f"event-{hours}", "readOnly": True,
        "resources": [{"accountId": aws.sales, "type": "AWS::IAM::Role", "ARN": f"arn:aws:iam::{aws.sales}:role/x"}],
    }  # fmt: skip
    return made | more


@pytest.fixture(autouse=True)
def nobody_was_here(request):
    """Begin without the entries of the world."""
    if "aws" in request.fixturenames:
        request.getfixturevalue("aws").org.cloud.trail = Trail()


@pytest.fixture
def trail(aws):
    """CloudTrail of the demo's account, through the audit role, in us-east-1."""
    return aws.client("cloudtrail", aws.assume(aws.sales))


def hours_ago(hours):
    return datetime.now(UTC) - timedelta(hours=hours)


def test_an_account_without_sign_ins_has_no_events(trail):
    answer = trail.lookup_events(LookupAttributes=BY_NAME)
    assert (answer["Events"], "NextToken" in answer) == ([], False)


def test_events_are_of_one_account_and_one_region(aws, trail):
    aws.org.cloud.trail.note(aws.sales, record(aws))
    aws.org.cloud.trail.note(aws.sales, record(aws, 2, region="eu-west-1"))
    aws.org.cloud.trail.note(aws.world["org"]["hub"], record(aws, 3))
    ireland = aws.client("cloudtrail", aws.assume(aws.sales), region="eu-west-1")
    assert [event["EventId"] for event in trail.lookup_events()["Events"]] == ["event-1.0"]
    assert [event["EventId"] for event in ireland.lookup_events()["Events"]] == ["event-2"]


def test_fifty_a_page_newest_first(aws, trail):
    for number in range(1, 121):
        aws.org.cloud.trail.note(aws.sales, record(aws, number))
    pages, token = [], {}
    while token is not None:
        answer = trail.lookup_events(LookupAttributes=BY_NAME, StartTime=NOW - timedelta(days=10), EndTime=NOW, **token)
        pages.append([event["EventId"] for event in answer["Events"]])
        token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [name for page in pages for name in page] == [f"event-{number}" for number in range(1, 121)]


def test_events_are_kept_for_90_days(aws, trail):
    aws.org.cloud.trail.note(aws.sales, record(aws, 24 * 90 - 1))
    aws.org.cloud.trail.note(aws.sales, record(aws, 24 * 90 + 1))
    assert len(trail.lookup_events(StartTime=hours_ago(24 * 200))["Events"]) == 1


def test_the_range_takes_both_ends(aws, trail):
    aws.org.cloud.trail.note(aws.sales, record(aws, 5))
    moment = trail.lookup_events()["Events"][0]["EventTime"]
    assert len(trail.lookup_events(StartTime=moment, EndTime=moment)["Events"]) == 1
    assert trail.lookup_events(StartTime=moment + timedelta(seconds=1))["Events"] == []
    assert trail.lookup_events(EndTime=moment - timedelta(seconds=1))["Events"] == []


@pytest.mark.parametrize(
    ("key", "value", "number"),
    [("EventName", "AssumeRoleWithSAML", 1), ("EventName", "ConsoleLogin", 0), ("Username", "ann@contoso.example", 1), ("ReadOnly", "true", 1),
     ("EventSource", "sts.amazonaws.com", 1), ("ResourceType", "AWS::IAM::Role", 1), ("EventId", "event-1.0", 1), ("AccessKeyId", "ASIAX", 0)],
)  # fmt: skip
def test_one_attribute_is_searched_by(aws, trail, key, value, number):
    aws.org.cloud.trail.note(aws.sales, record(aws))
    assert len(trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]) == number


@pytest.mark.parametrize("attributes", [BY_NAME * 2, [{"AttributeKey": "Region", "AttributeValue": "x"}]])
def test_other_attributes_are_refused(trail, refusal, attributes):
    """The list can hold one item."""
    assert refusal(trail.lookup_events, LookupAttributes=attributes)[::2] == ("InvalidLookupAttributesException", 400)


def test_a_range_that_ends_before_it_begins_is_refused(trail, refusal):
    assert refusal(trail.lookup_events, StartTime=NOW, EndTime=hours_ago(3))[0] == "InvalidTimeRangeException"


def test_a_token_belongs_to_what_was_asked(aws, trail, refusal):
    """`NextToken` must be passed with the same parameters as the call that gave it."""
    for number in range(60):
        aws.org.cloud.trail.note(aws.sales, record(aws, number + 1))
    token = trail.lookup_events(LookupAttributes=BY_NAME, MaxResults=20)["NextToken"]
    assert refusal(trail.lookup_events, MaxResults=20, NextToken=token)[0] == "InvalidNextTokenException"
    assert refusal(trail.lookup_events, LookupAttributes=BY_NAME, MaxResults=20, NextToken="tomorrow")[0] == "InvalidNextTokenException"
    ireland = aws.client("cloudtrail", aws.assume(aws.sales), region="eu-west-1")
    assert refusal(ireland.lookup_events, LookupAttributes=BY_NAME, MaxResults=20, NextToken=token)[0] == "InvalidNextTokenException"
    assert len(trail.lookup_events(LookupAttributes=BY_NAME, MaxResults=20, NextToken=token)["Events"]) == 20


def test_a_trail_that_others_ask_too_often_is_throttled(aws, trail, refusal):
    """Two requests a second for each account and Region."""
    aws.switch(busy_trails=[aws.sales])
    assert refusal(trail.lookup_events) == ("ThrottlingException", "Rate exceeded", 400)


def test_who_may_not_look_is_told_the_action(aws, refusal):
    role = aws.org.cloud.accounts[aws.sales].role("awsfed-audit")
    role.policies = {"audit": json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}})}
    code, message, status = refusal(aws.client("cloudtrail", aws.assume(aws.sales)).lookup_events)
    assert (code, status) == ("AccessDeniedException", 400)
    assert "is not authorized to perform: cloudtrail:LookupEvents" in message


def test_a_control_policy_denies_it_everywhere_else(aws, trail, refusal):
    aws.switch(denied_actions=["cloudtrail:LookupEvents"])
    assert "service control policy" in refusal(trail.lookup_events)[1]


def test_another_partition_is_refused(aws, refusal):
    china = aws.client("cloudtrail", aws.assume(aws.sales), region="cn-north-1")
    assert refusal(china.lookup_events)[0] == "InvalidClientTokenId"


# Real sign-ins


def without_entries(made):
    made["org"]["entries"] = []
    return made


@pytest.fixture(scope="module")
def signed_in():
    """An organization that Britta Simon has entered: once by the endpoint of us-east-1, once by Ireland's, and once in vain."""
    made = without_entries(world(515))
    tenant, demo = Tenant(made["tenant"], clock=lambda: NOW), made["demo"]
    org = Org(made["org"], tenant.metadata, clock=lambda: NOW)
    grant_demo(tenant, demo)
    home = "https://signin.aws.amazon.com/saml"
    trust = org.cloud.accounts[demo["account"]].role_by_arn(demo["role_arn"])
    trust.assume_role_policy_document = trust.assume_role_policy_document.replace(
        f'"{home}"', f'["{home}", "{home.replace("signin", "eu-west-1.signin")}"]'
    )
    for recipient in (home, home.replace("signin", "eu-west-1.signin")):
        text = saml.response(tenant, demo["application"], demo["user"], recipient=recipient, now=NOW)
        org.sign_in(text, demo["role_arn"], demo["provider_arn"])
    with pytest.raises(SamlRefused):
        org.sign_in(text, demo["role_arn"].replace("user", "nobody"), demo["provider_arn"])
    return org, demo


def kept(signed_in, region):
    org, demo = signed_in
    return [json.loads(event.entry()["CloudTrailEvent"]) for event in org.cloud.trail.of(demo["account"], region)]


def test_a_sign_in_is_in_the_region_of_its_endpoint(signed_in):
    """The endpoint without a Region in its name is us-east-1's."""
    assert [one["awsRegion"] for one in kept(signed_in, "eu-west-1")] == ["eu-west-1"]
    assert sorted(one.get("errorCode", "") for one in kept(signed_in, "us-east-1")) == ["", "InvalidIdentityToken"]


def test_an_event_tells_who_entered_what(signed_in):
    demo = signed_in[1]
    (event,) = kept(signed_in, "eu-west-1")
    asked, answered = event["requestParameters"], event["responseElements"]
    assert (asked["roleArn"], asked["principalArn"]) == (demo["role_arn"], demo["provider_arn"])
    assert (asked["roleSessionName"], event["userIdentity"]["type"]) == ("britta.simon@contoso.example", "SAMLUser")
    assert answered["assumedRoleUser"]["arn"].endswith("/britta.simon@contoso.example")
    assert (event["recipientAccountId"], event["eventTime"]) == (demo["account"], NOW.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert "secret" not in json.dumps(event).lower()
    assert [one["type"] for one in event["resources"]] == ["AWS::IAM::Role", "AWS::IAM::SAMLProvider"]


def test_a_refused_sign_in_opened_nothing(signed_in):
    refused = next(one for one in kept(signed_in, "us-east-1") if "errorCode" in one)
    assert refused["responseElements"] is None
    assert "roleSessionName" not in refused["requestParameters"]


def test_a_reset_brings_back_what_the_world_remembers(aws):
    aws.org.reset()
    before = {account: len(aws.org.cloud.trail.of(account, "us-east-1")) for account in aws.org.cloud.accounts}
    assert sum(before.values()) == len(aws.world["org"]["entries"]) > 10
    aws.org.cloud.trail.note(aws.sales, record(aws))
    aws.org.reset()
    assert {account: len(aws.org.cloud.trail.of(account, "us-east-1")) for account in aws.org.cloud.accounts} == before


def test_what_the_world_remembers_agrees_with_the_last_use_of_its_roles(aws):
    """Who entered a role used it: RoleLastUsed is never older, and a role that was never used was never entered."""
    aws.org.reset()
    for account in aws.org.cloud.accounts.values():
        for event in aws.org.cloud.trail.of(account.id, "us-east-1"):
            role = account.role_by_arn(event.record["requestParameters"]["roleArn"])
            assert role.last_used.replace(tzinfo=UTC, microsecond=0) >= event.time
            assert event.record["requestParameters"]["roleSessionName"].endswith("@contoso.example")


def test_asking_whether_somebody_could_enter_leaves_no_event():
    org = Org(without_entries(world(3, 3))["org"], lambda _app, _which: metadata.foreign())
    with pytest.raises(SamlRefused):
        org.check("x" * 10, "arn:aws:iam::000000012345:role/Admin", "arn:aws:iam::000000012345:saml-provider/WAAD")
    assert all(org.cloud.trail.of(account, "us-east-1") == [] for account in org.cloud.accounts)
