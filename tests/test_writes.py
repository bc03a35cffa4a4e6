import json

import pytest
import scripted

from awsfed_lib.core.change import Request, Settled, as_json
from awsfed_lib.core.errors import SignInError, WriteForbidden
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.gate import PlanGate
from awsfed_lib.edges.entra.pace import Limits
from awsfed_lib.edges.entra.transport import Transport
from awsfed_lib.edges.entra.writes import Delivery, judge

Says = scripted.Says


@pytest.fixture
def delivery(server, hours):
    transport = Transport(server.cloud, scripted.Source(), PlanGate(), hours.clock)
    transport.limits = Limits()
    return Delivery(transport, (1.0, 2.0), lambda request: True)


def refusal(status, code="", message="", **headers):
    return Says(status, {"error": {"code": code, "message": message}}, headers)


def assignment(role="r"):
    return Request("POST", "/servicePrincipals/sp/appRoleAssignedTo", as_json({"appRoleId": role}), "assign", Settled("assignments", "sp"))


PATCH = Request("PATCH", "/servicePrincipals/sp", as_json({"appRoles": []}), "roles", Settled("app_roles", "sp"))
DELETE = Request("DELETE", "/servicePrincipals/sp/appRoleAssignedTo/a", "", "revoke", Settled("assignments", "sp"))


def send(delivery, *requests):
    with delivery.transport.gate.permit(requests):
        return delivery.send(requests)


@pytest.mark.parametrize(("request_", "status"), [(PATCH, 204), (assignment(), 201), (DELETE, 204), (PATCH, 200)])
def test_carried_out(server, delivery, request_, status):
    server.play(Says(status))
    (answer,) = send(delivery, request_)
    assert (answer.fate, answer.status, answer.request_id, answer.detail) == ("done", status, "rid-1", "")
    assert server.asked[0].body == request_.body
    assert server.asked[0].headers["Authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (assignment(), refusal(400, "Request_BadRequest", "Permission being assigned already exists on the object")),
        (assignment(), refusal(409, "Conflict", "EntitlementGrant entry already exists")),
        (
            PATCH,
            refusal(
                400,
                "Request_BadRequest",
                "One or more added object references already exist for the following modified properties: 'members'.",
            ),
        ),
        (
            PATCH,
            refusal(
                400,
                "Request_BadRequest",
                "A conflicting object with one or more of the specified property values is present in the directory.",
            ),
        ),
        (DELETE, refusal(400, "Request_BadRequest", "EntitlementGrant being updated or deleted is not found.")),
        (
            DELETE,
            refusal(
                404,
                "Request_ResourceNotFound",
                "Resource 'a' does not exist or one of its queried reference-property objects are not present.",
            ),
        ),
    ],
)
def test_answers_that_may_be_the_echo_of_our_own_request_are_unknown(server, delivery, request_, says):
    """A POST that was retried after a lost answer: "already exists" (terraform-provider-azuread pull 1896); only a read can tell."""
    server.play(says)
    (answer,) = send(delivery, request_)
    assert answer.fate == "unknown"
    assert answer.detail
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "says",
    [Says(drop=True), Says(201, {"a": "b" * 99}, cut=20), Says(500), Says(502, b"<html>"), Says(503, {}, {"Retry-After": "1"}), Says(504)],
)
@pytest.mark.parametrize("request_", [PATCH, assignment(), DELETE], ids=lambda r: r.method)
def test_write_without_a_clear_answer_is_unknown_and_never_sent_again(server, delivery, hours, says, request_):
    """azure-core and botocore send POST and PATCH again on 500, 503 and 504; the second one then meets the first."""
    server.play(says)
    (answer,) = send(delivery, request_)
    assert answer.fate == "unknown"
    assert (len(server.asked), hours.slept) == (1, [])


@pytest.mark.parametrize(
    "says",
    [
        refusal(429, "TooManyRequests", "Please retry again later.", **{"Retry-After": "7"}),
        refusal(409, "Directory_ConcurrencyViolation", "Please wait briefly and retry."),
    ],
)
def test_write_that_was_turned_away_is_sent_again(server, delivery, hours, says):
    server.play(says, says, Says(204))
    (answer,) = send(delivery, PATCH)
    assert (answer.fate, len(server.asked)) == ("done", 3)
    if says.status == 429:
        assert all(pause >= 7 for pause in hours.slept)


def test_throttling_without_an_end_is_a_refusal_with_the_time(server, delivery):
    server.play(refusal(429, "TooManyRequests", "Please retry again later.", **{"Retry-After": "9000"}))
    (answer,) = send(delivery, PATCH)
    assert (answer.fate, answer.status, len(server.asked)) == ("refused", 429, 1)
    assert "try again after 2026-11-24 14:30Z" in answer.detail


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (assignment(), refusal(400, "Request_BadRequest", "Not a valid reference update.")),
        (assignment(), refusal(400, "Request_BadRequest", "Permission being assigned was not found on application")),
        (assignment(), refusal(404, "Request_ResourceNotFound", "Resource 'sp' does not exist")),
        (
            PATCH,
            refusal(
                400,
                "CannotDeleteOrUpdateEnabledEntitlement",
                "Permission (scope or role) cannot be deleted or updated unless disabled first.",
            ),
        ),
    ],
)
def test_lagging_replica_is_given_time(server, delivery, hours, request_, says):
    """devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra."""
    server.play(says, says, Says(204))
    assert send(delivery, request_)[0].fate == "done"
    assert hours.slept == [1.0, 2.0]
    server.asked.clear()
    server.play(says)
    (answer,) = send(delivery, request_)
    assert (answer.fate, len(server.asked)) == ("refused", 3)
    assert "Next: " in answer.detail


def test_replacing_patch_is_compared_again_after_every_wait(server, delivery, hours):
    """No ETag on directory objects: somebody may have written while we waited."""
    seen = []

    def still(request):
        seen.append(len(server.asked))
        return len(seen) < 2

    server.play(refusal(429, **{"Retry-After": "7"}))
    (answer,) = send(Delivery(delivery.transport, (), still), PATCH)
    assert seen == [1, 2]
    assert answer.fate == "refused"
    assert "not sent again" in answer.detail


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."), "00-preflight"),
        (refusal(400, "DuplicateValue", "Request contains a property with duplicate values."), "same value"),
        (refusal(400, "Request_BadRequest", "The total count of values: 701 exceeds the set maxValuesCount limit: 700 for property: Entitlement"), "at most 700"),
        (refusal(403, "Directory_ResourceSizeExceeded", "The size of the object has exceeded its limit."), "as much as it can"),
        (refusal(400, "Request_BadRequest", "One or more properties on the service principal does not match the application object."), "inherited appRole"),
        (refusal(400, "Request_BadRequest", "Another object with the same value for property identifierUris already exists."), "saml#1"),
        (refusal(418, "Teapot", "Short and stout"), "418 Teapot: Short and stout"),
        (Says(400, b"<html>"), "400"),
    ],
)  # fmt: skip
def test_refusals_say_cause_and_next_step(server, delivery, hours, says, words):
    server.play(says)
    (answer,) = send(delivery, PATCH)
    assert (answer.fate, answer.status, answer.request_id, hours.slept) == ("refused", says.status, "rid-1", [])
    assert words in answer.detail


def test_without_a_connection_nothing_was_sent(delivery, server, hours, monkeypatch):
    answers = [Lost("No connection.", "unsent"), Lost("No connection.", "unsent")]
    monkeypatch.setattr(delivery.transport, "attempt", lambda call: answers.pop(0) if answers else Lost("x", "barred"))
    (answer,) = send(delivery, PATCH)
    assert (answer.fate, answer.detail, hours.slept) == ("refused", "Nothing was sent. x", [1.0, 2.0])


def test_lost_sign_in_refuses_what_was_not_sent(server, delivery):
    def token():
        raise SignInError("Entra ID refused the sign-in: AADSTS700082")

    delivery.transport._source.token = token
    answers = send(delivery, assignment("a"), assignment("b"))
    assert [answer.fate for answer in answers] == ["refused", "refused"]
    assert "AADSTS700082" in answers[0].detail
    assert server.asked == []


def test_what_no_plan_holds_raises_and_never_leaves(server, delivery):
    server.play(Says(204))
    with pytest.raises(WriteForbidden):
        delivery.send([PATCH])
    with delivery.transport.gate.permit([assignment("a")]), pytest.raises(WriteForbidden):
        delivery.send([assignment("a"), assignment("b")])
    assert server.asked == []


def batching(server, answer):
    """Answer each request by `answer(body)`, whether it travels alone or in a batch."""

    def script(asked):
        if not asked.path.endswith("/$batch"):
            said = answer(asked.json)
            return Says(said["status"], said.get("body"), said.get("headers", {}))
        items = asked.json["requests"]
        return Says(200, {"responses": [{"id": one["id"], "headers": {"request-id": "rid-b"}} | answer(one["body"]) for one in items]})

    server.script = script


def test_several_requests_travel_in_batches_of_twenty(server, delivery):
    batching(server, lambda item: {"status": 201, "body": {}})
    answers = send(delivery, *(assignment(str(n)) for n in range(45)))
    assert [answer.fate for answer in answers] == ["done"] * 45
    assert answers[0].request_id == "rid-b"
    assert [len(asked.json["requests"]) for asked in server.asked] == [20, 20, 5]
    first = server.asked[0].json["requests"][0]
    assert first == {"id": "0", "method": "POST", "url": "/servicePrincipals/sp/appRoleAssignedTo", "headers": {"Content-Type": "application/json"}, "body": {"appRoleId": "0"}}  # fmt: skip


JUDGED = {
    "there": {
        "status": 400,
        "body": {"error": {"code": "Request_BadRequest", "message": "Permission being assigned already exists on the object"}},
    },
    "denied": {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied", "message": "no"}}},
    "broken": {"status": 500, "body": None},
    "busy": {"status": 429, "headers": {"Retry-After": "11"}, "body": {"error": {"code": "TooManyRequests"}}},
}


def test_items_of_a_batch_are_judged_one_by_one(server, delivery, hours):
    tries = []

    def answer(body):
        tries.append(body["appRoleId"])
        again = body["appRoleId"] == "busy" and tries.count("busy") > 1
        return {"status": 201, "body": {}} if again else JUDGED.get(body["appRoleId"], {"status": 201, "body": {}})

    batching(server, answer)
    answers = send(delivery, *map(assignment, ("ok", "busy", "there", "denied", "broken")))
    assert [item.fate for item in answers] == ["done", "done", "unknown", "refused", "unknown"]
    assert sorted(tries) == ["broken", "busy", "busy", "denied", "ok", "there"]
    assert hours.slept[0] >= 11


@pytest.mark.parametrize("says", [Says(drop=True), Says(200, b"{half"), Says(200, {"responses": []}), Says(500)])
def test_lost_batch_leaves_every_item_unknown(server, delivery, says):
    server.play(says)
    assert [answer.fate for answer in send(delivery, assignment("a"), assignment("b"))] == ["unknown", "unknown"]
    assert len(server.asked) == 1


def test_refused_envelope_refuses_every_item(server, delivery):
    server.play(refusal(400, "BadRequest", "malformed"))
    assert [answer.fate for answer in send(delivery, assignment("a"), assignment("b"))] == ["refused", "refused"]


def test_beta_requests_travel_alone(server, delivery):
    """$batch is of one version."""
    server.play(Says(204))
    send(delivery, Request("PUT", "/beta/x", "{}", "p", Settled("t", "o")), Request("PUT", "/beta/y", "{}", "p", Settled("t", "o")))
    assert [asked.path for asked in server.asked] == ["/beta/x", "/beta/y"]


def test_upsert_header_travels(server, delivery):
    upsert = Request(
        "PATCH", "/groups(uniqueName='x')", '{"displayName": "x"}', "p", Settled("groups", "x"), headers=(("Prefer", "create-if-missing"),)
    )
    server.play(Says(201, {}))
    send(delivery, upsert)
    assert server.asked[0].headers["Prefer"] == "create-if-missing"
    assert server.asked[0].path == "/v1.0/groups(uniqueName='x')"
    batching(server, lambda item: {"status": 201, "body": {}})
    assert [answer.fate for answer in send(delivery, upsert, assignment())] == ["done", "done"]
    assert server.asked[1].json["requests"][0]["headers"]["Prefer"] == "create-if-missing"


def test_nothing_to_send(delivery):
    assert delivery.send([]) == []


def test_judge_knows_every_stage_of_a_loss():
    stages = {"unknown": "unknown", "barred": "refused", "unsent": "refused"}
    assert {stage: judge(PATCH, Lost("x", stage)).answer.fate for stage in stages} == stages


def test_body_leaves_as_it_was_shown(server, delivery):
    """What is shown in the plan is what is sent, byte for byte, nulls and unknown keys included."""
    body = '{"appRoles": [{"value": null, "x-unknown": "é", "b": 1, "a": true}]}'
    server.play(Says(204))
    send(delivery, Request("PATCH", "/servicePrincipals/sp", body, "p", Settled("app_roles", "sp")))
    assert server.asked[0].body == body
    assert json.loads(server.asked[0].body)["appRoles"][0]["value"] is None
