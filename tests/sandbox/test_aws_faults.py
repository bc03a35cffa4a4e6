"""Throttling, lost answers, switches, the log of requests, and starting over."""

import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from awsfed_lib.sandbox.aws import AwsSwitches, Org


def test_a_throttled_account_refuses_a_burst_and_then_recovers(aws, refusal):
    """IAM answers `Throttling`, "Rate exceeded", HTTP 400 (aws-samples/bulk-policy-migrator…#19); moto never does."""
    iam = aws.iam(aws.account(reach="throttled")["id"])
    assert AwsSwitches().throttle_burst == 3  # as many as botocore's standard mode tries: an account is to be asked again later
    for _ in range(3):
        assert refusal(iam.list_roles) == ("Throttling", "Rate exceeded", 400)
    assert iam.list_roles()["Roles"]


def test_later_every_seventh_request_is_refused(aws):
    aws.switch(throttle_burst=0)
    iam = aws.iam(aws.account(reach="throttled")["id"])
    outcomes = []
    for _ in range(14):
        try:
            iam.list_roles()
            outcomes.append("ok")
        except ClientError:
            outcomes.append("refused")
    assert outcomes == (["ok"] * 6 + ["refused"]) * 2


def test_other_accounts_are_not_throttled(aws):
    """IAM counts in the account of the credentials (repost.aws, iam-sts-throttling-error)."""
    assert aws.iam(aws.sales).list_roles()["Roles"]


def test_any_account_can_be_throttled_by_a_switch(aws, refusal):
    aws.switch(throttled=[aws.sales], throttle_burst=1)
    assert refusal(aws.iam(aws.sales).list_roles)[0] == "Throttling"


def test_botocore_repeats_a_throttled_request_by_itself(aws, monkeypatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    aws.switch(throttled=["*"], throttle_burst=1)
    client = aws.iam(aws.sales, attempts=2)
    aws.org.journal.clear()
    assert client.list_roles()["Roles"]
    assert [one["error"] for one in aws.org.requests] == ["Throttling", ""]


def test_a_lost_answer_has_been_carried_out(aws, refusal):
    """The caller sees a 500 and cannot know; a repeat finds the role there."""
    trust = json.dumps(aws.account(id=aws.sales)["roles"][-2]["trust"])
    iam = aws.iam(aws.sales, "awsfed-writer")
    aws.switch(lost_answers=1)
    assert refusal(iam.create_role, RoleName="lost-aws-admin", AssumeRolePolicyDocument=trust)[::2] == ("ServiceFailure", 500)
    assert iam.get_role(RoleName="lost-aws-admin")["Role"]


def test_the_log_tells_who_asked_what_and_holds_no_secret(aws):
    session = aws.assume(aws.sales)
    aws.client("iam", session).list_roles()
    with urllib.request.urlopen(f"{aws.url}/sandbox/requests") as answer:
        log = json.load(answer)
    last = log[-1]
    assert (last["service"], last["action"], last["account"], last["status"], last["authorization"]) == (
        "iam",
        "ListRoles",
        aws.sales,
        200,
        True,
    )
    assert last["caller"].endswith("assumed-role/awsfed-audit/test")
    assert len(last["body_sha256"]) == 64
    text = json.dumps(log)
    assert session["Credentials"]["SecretAccessKey"] not in text
    assert session["Credentials"]["SessionToken"] not in text


def test_switches_can_be_read_and_unknown_ones_are_refused(aws):
    assert aws.switch(page=7)["page"] == 7
    with urllib.request.urlopen(f"{aws.url}/sandbox/switches") as answer:
        assert json.load(answer)["page"] == 7
    with pytest.raises(urllib.error.HTTPError) as caught:
        aws.switch(pages=7)
    assert "throttle_burst" in caught.value.read().decode()
    caught.value.close()


def test_an_unknown_path_of_the_sandbox_is_404(aws):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{aws.url}/sandbox/unknown")
    assert caught.value.code == 404
    caught.value.close()


def test_reset_brings_the_world_back_and_ends_sessions(aws, refusal):
    session = aws.assume(aws.sales, "awsfed-writer")
    iam = aws.client("iam", session)
    iam.update_role(RoleName="sales-aws-admin", Description="changed")
    aws.switch(page=1)
    request = urllib.request.Request(f"{aws.url}/sandbox/reset", b"", method="POST")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer) == {"reset": True}
    assert refusal(iam.list_roles)[0] == "InvalidClientTokenId"
    found = {one["RoleName"]: one["Description"] for one in aws.iam(aws.sales).list_roles()["Roles"] if "Description" in one}
    assert found["sales-aws-admin"] == "sales-aws-admin"


def test_connections_stay_open(aws):
    """moto's own server closes each one, which would measure handshakes instead of the client."""
    client = aws.client("sts")
    answers = [client.get_caller_identity()["ResponseMetadata"]["HTTPHeaders"] for _ in range(3)]
    assert all(headers.get("connection", "keep-alive") != "close" for headers in answers)
    pool = client._endpoint.http_session._manager.connection_from_url(aws.url)
    assert pool.num_connections == 1


def test_the_server_listens_on_loopback_only(aws):
    assert aws.server._server.server_address[0] == "127.0.0.1"


def test_accounts_are_loaded_when_they_are_first_touched(aws):
    """An organization of 10,000 accounts starts at once."""
    assert all(account._backend is None for account in Org(aws.world["org"], lambda app, which: "").cloud.accounts.values())


def test_latency_can_be_switched_on(aws):
    aws.switch(latency_ms=1)
    assert aws.client("sts").get_caller_identity()["Account"]


def test_what_was_just_made_is_not_found_for_a_moment(aws, refusal):
    """hashicorp/terraform-provider-aws#6566: a role that was made a second ago is no such entity."""
    trust = json.dumps(aws.account(id=aws.sales)["roles"][-2]["trust"])
    iam = aws.iam(aws.sales, "awsfed-writer")
    aws.switch(create_lag=2)
    iam.create_role(RoleName="late-aws-admin", AssumeRolePolicyDocument=trust)
    assert [refusal(iam.get_role, RoleName="late-aws-admin")[0] for _ in range(2)] == ["NoSuchEntity"] * 2
    assert iam.get_role(RoleName="late-aws-admin")["Role"]


def test_a_replica_repeats_what_it_said_before_a_write(aws):
    name = f"{aws.account(id=aws.sales)['name'].lower()}-aws-admin"
    iam = aws.iam(aws.sales, "awsfed-writer")
    aws.switch(stale_reads=1)
    before = iam.get_role(RoleName=name)["Role"]["Description"]
    iam.update_role(RoleName=name, Description="new")
    assert [iam.get_role(RoleName=name)["Role"]["Description"] for _ in range(2)] == [before, "new"]
