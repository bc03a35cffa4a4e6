"""Faults that are answers: what each says, whether the request was carried out, and that only the planned request meets it."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from plain_client import Client

from awsfed_lib.sandbox.faults.bodies import FOREIGN
from awsfed_lib.sandbox.faults.refusals import WORDS


@pytest.fixture
def client(twin):
    yield Client(twin)
    twin.faults.clear()


@pytest.mark.parametrize("name", [name for name in WORDS if name not in ("429", "expired-page")])
def test_a_refusal_says_its_code_and_carries_nothing_out(client, name):
    before = client.tags
    client.twin.faults.plan({"mode": name, "match": "PATCH"})
    answer = client.change("changed")
    assert (answer.status_code, answer.json()["error"]["code"]) == WORDS[name][:2]
    assert client.tags == before
    assert client.change("changed").status_code == 204


@pytest.mark.parametrize(("name", "status"), [("500-applied", 500), ("502-applied", 502), ("503-applied", 503), ("504-applied", 504)])
def test_an_applied_one_was_carried_out_although_it_says_otherwise(client, name, status):
    client.twin.faults.plan({"mode": name, "match": "PATCH"})
    assert client.change("changed").status_code == status
    assert client.tags == ["changed"]


def test_a_gateway_answers_a_page(client):
    client.twin.faults.plan({"mode": "502"})
    answer = client("GET", client.application)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("form", "text"), [("int", "2"), ("fraction", "2.128"), ("none", None), ("malformed", "soon"), ("huge", "86400")])
def test_retry_after_has_every_form_that_was_seen(client, form, text):
    client.twin.faults.plan({"mode": f"429-{form}"})
    answer = client("GET", client.application)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, text)


def test_retry_after_is_a_date_that_is_to_come(client):
    client.twin.faults.plan({"mode": "429-date"})
    due = parsedate_to_datetime(client("GET", client.application).headers["Retry-After"])
    assert 0 < (due - datetime.now(UTC)).total_seconds() < 5


def test_a_storm_is_as_long_as_it_says(client):
    client.twin.faults.plan({"mode": "429-int", "times": 3})
    assert [client("GET", client.application).status_code for _ in range(5)] == [429, 429, 429, 200, 200]


def test_a_token_that_ended_is_never_accepted_again_and_a_new_one_is(client):
    client.twin.faults.plan({"mode": "token-ends", "nth": 2})
    assert [client("GET", client.application).status_code for _ in range(4)] == [200, 401, 401, 401]
    session = client.twin.session("writer")
    client.bearer = str.__str__(session.source.renew("").header)
    assert client("GET", client.application).status_code == 200


def test_the_sign_in_service_refuses_in_its_own_words(client):
    client.twin.faults.plan({"mode": "503", "match": "oauth2/v2.0/token"}, {"mode": "401", "match": "oauth2/v2.0/token", "nth": 2})
    path = f"/{client.twin.id}/oauth2/v2.0/token"
    first, second = client("POST", path), client("POST", path)
    assert (first.status_code, first.json()["error"], first.json()["error_codes"]) == (503, "temporarily_unavailable", [90033])
    assert (second.status_code, second.json()["error"]) == (401, "invalid_client")


# altered answers


@pytest.mark.parametrize(("mode", "left"), [("cut-quarter", 0.25), ("cut-last", 1), ("cut-all", 0)])
def test_a_cut_answer_is_valid_http_and_no_json(client, mode, left):
    whole = client("GET", client.application).content
    client.twin.faults.plan({"mode": mode})
    answer = client("GET", client.application)
    assert answer.status_code == 200
    assert len(answer.content) == (len(whole) - 1 if left == 1 else int(len(whole) * left))
    with pytest.raises(ValueError, match=r".+"):
        json.loads(answer.content)


@pytest.mark.parametrize(("mode", "seen"), [("no-list", "missing"), ("null-list", None), ("empty-list", [])])
def test_a_list_that_lies_is_there_once(client, mode, seen):
    client.twin.faults.plan({"mode": mode, "times": 2})
    assert client("GET", client.application).json().get("appRoles", "missing") == seen
    assert client("GET", "/v1.0/groups").json().get("value", "missing") == seen
    assert client("GET", "/v1.0/groups").json()["value"]


def test_a_short_list_does_not_say_that_there_is_more(client):
    client.twin.switch(page=10)
    whole = client("GET", "/v1.0/groups").json()
    assert (len(whole["value"]), "@odata.nextLink" in whole) == (10, True)
    client.twin.faults.plan({"mode": "short-list"})
    short = client("GET", "/v1.0/groups").json()
    assert (len(short["value"]), "@odata.nextLink" in short) == (5, False)


def test_a_foreign_link_and_a_redirect_lead_to_somebody_else(client):
    client.twin.faults.plan({"mode": "foreign-link"}, {"mode": "redirect", "nth": 2})
    assert client("GET", "/v1.0/groups").json()["@odata.nextLink"] == FOREIGN
    answer = client("GET", "/v1.0/groups")
    assert (answer.status_code, answer.headers["Location"]) == (307, FOREIGN)


def test_twice_is_two_deliveries_of_one_request(client):
    client.twin.faults.plan({"mode": "twice"})
    assert client.change("changed").status_code == 204
    assert [method for method, path, _ in client.twin.writes if path == client.application] == ["PATCH", "PATCH"]


# inside a batch


def batch(client, *tags):
    body = [
        {"id": str(number), "method": "PATCH", "url": client.application.removeprefix("/v1.0"), "body": {"tags": [tag]},
         "headers": {"Content-Type": "application/json"}}
        for number, tag in enumerate(tags)
    ]  # fmt: skip
    answer = client("POST", "/v1.0/$batch", {"requests": body})
    assert answer.status_code == 200
    return [(item["id"], item["status"]) for item in answer.json()["responses"]]


@pytest.mark.parametrize(("words", "status"), [("429", 429), ("409", 409), ("503", 503), ("404", 404)])
def test_every_second_request_of_a_batch_is_refused_and_not_carried_out(client, words, status):
    client.twin.faults.plan({"mode": f"items-{words}"})
    assert sorted(batch(client, "a", "b", "c")) == [("0", status), ("1", 204), ("2", status)]
    assert client.tags == ["b"]


def test_a_batch_of_one_is_refused_whole(client):
    before = client.tags
    client.twin.faults.plan({"mode": "items-503"})
    assert batch(client, "a") == [("0", 503)]
    assert client.tags == before


def test_the_answers_of_a_batch_get_lost_or_lie_after_all_was_carried_out(client):
    client.twin.faults.plan({"mode": "items-lost"}, {"mode": "items-503-applied", "nth": 2})
    assert batch(client, "a", "b", "c") == [("1", 204)]
    assert client.tags == ["c"]
    assert sorted(batch(client, "d", "e", "f")) == [("0", 503), ("1", 204), ("2", 503)]
    assert client.tags == ["f"]


def test_the_answers_of_a_batch_come_back_the_other_way_round(client):
    usual = batch(client, "a", "b", "c")
    client.twin.faults.plan({"mode": "items-reversed"})
    assert batch(client, "a", "b", "c") == usual[::-1]


@pytest.mark.parametrize("mode", ["items-429", "items-lost", "items-503-applied", "items-reversed"])
def test_what_is_no_batch_passes(client, mode):
    client.twin.faults.plan({"mode": mode})
    assert client.change("changed").status_code == 204
