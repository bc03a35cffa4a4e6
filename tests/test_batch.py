import json

import pytest
import scripted

from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.edges.entra.batch import exchange, gather, present, single
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.gate import Gate
from awsfed_lib.edges.entra.pace import Limits
from awsfed_lib.edges.entra.transport import Call, Transport

Says = scripted.Says
NEXT = "@odata.nextLink"


@pytest.fixture
def transport(server, hours):
    transport = Transport(server.cloud, scripted.Source(), Gate(), hours.clock)
    transport.limits = Limits()
    return transport


def item(number, status=200, body=None, **headers):
    return {"id": str(number), "status": status, "headers": headers, "body": body}


def answering(server, answer):
    """Answer each item by `answer(url)` -> (status, body, headers), in reverse order, as Graph may."""

    def script(asked):
        items = asked.json["requests"]
        said = [(one["id"], *answer(one["url"])) for one in items]
        return Says(200, {"responses": [{"id": i, "status": s, "body": b, "headers": h} for i, s, b, h in reversed(said)]})

    server.script = script


def test_twenty_at_most_and_answers_in_the_order_of_the_questions(server, transport):
    """learn.microsoft.com graph/json-batching: at most 20, and items come back in any order."""
    answering(server, lambda url: (200, {"value": [{"id": url}]}, {}))
    paths = [f"/groups/{n}/members" for n in range(45)]
    assert gather(transport, paths) == [[{"id": path}] for path in paths]
    assert [len(asked.json["requests"]) for asked in server.asked] == [20, 20, 5]
    assert server.asked[0].path == "/v1.0/$batch"


def test_nothing_to_read_sends_nothing(server, transport):
    assert gather(transport, []) == []
    assert server.asked == []


def test_pages_of_items_are_followed(server, transport):
    def answer(url):
        if "skip" in url:
            return 200, {"value": [{"id": f"{url} 2"}]}, {}
        following = {NEXT: f"{server.url}/v1.0{url}&$skiptoken=X"} if "/1/" in url else {}
        return 200, {"value": [{"id": url}], **following}, {}

    answering(server, answer)
    found = gather(transport, ["/groups/1/members?a", "/groups/2/members?a"])
    assert [len(table) for table in found] == [2, 1]
    assert server.asked[1].json["requests"][0]["url"] == "/groups/1/members?a&$skiptoken=X"


def test_list_in_a_batch_whose_page_token_expired_is_read_again(server, transport):
    expired = (400, {"error": {"code": "Directory_ExpiredPageToken", "message": "expired"}}, {})
    answers = iter([(200, {"value": [{"id": "1"}], NEXT: f"{server.url}/v1.0/groups/1/members?skip"}, {}), expired] * 2)
    last = (200, {"value": [{"id": "whole"}]}, {})
    answering(server, lambda url: next(answers, last))
    assert gather(transport, ["/groups/1/members"]) == [[{"id": "whole"}]]
    answering(server, lambda url: expired)
    with pytest.raises(GraphError):
        gather(transport, ["/groups/1/members"])


def test_only_404_says_that_an_object_is_gone(server, transport):
    """A person whom the sign-in may not read was dropped in silence, like one who is gone."""
    refusals = {"/users/gone": 404, "/users/refused": 403}
    answering(server, lambda url: (refusals.get(url, 200), {"id": url, "error": {"code": "x"}}, {}))
    found = single(transport, ["/users/there", "/users/gone", "/users/refused"])
    assert (found[0]["id"], found[1].status, found[2].status) == ("/users/there", 404, 403)
    assert [one["id"] for one in present(transport, ["/users/there", "/users/gone"])] == ["/users/there"]
    with pytest.raises(GraphError):
        present(transport, ["/users/there", "/users/refused"])


def test_throttled_items_are_asked_again_after_the_longest_wait(server, transport, hours):
    """The envelope is 200 while items are 429, each with its own Retry-After; all of them wait for the longest."""
    waits = {"/groups/1/members": "4", "/groups/2/members": "9.5"}

    def answer(url):
        wait = waits.pop(url, None)
        return (
            (429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": wait})
            if wait
            else (200, {"value": [{"id": url}]}, {"x-ms-resource-unit": "3"})
        )

    answering(server, answer)
    found = gather(transport, [f"/groups/{n}/members" for n in range(4)])
    assert [len(table) for table in found] == [1, 1, 1, 1]
    assert 9.5 <= hours.slept[0] < 11
    assert [len(asked.json["requests"]) for asked in server.asked] == [4, 2]
    assert (transport.budget.throttled, transport.budget.units) == (2, 12)


def test_refused_item_is_named(server, transport):
    answering(server, lambda url: (403, {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}, {}))
    with pytest.raises(GraphError, match="/groups/7/members") as error:
        gather(transport, ["/groups/7/members"])
    assert error.value.status == 403


@pytest.mark.parametrize(
    "broken",
    [
        {"responses": []},
        {"responses": [{"id": "5", "status": 200, "body": {"value": []}}]},
        {"responses": [{"id": "0", "status": "200", "body": {"value": []}}]},
        {"responses": [7]},
        {"responses": {}},
        {},
    ],
    ids=json.dumps,
)
def test_item_without_an_answer_is_unread(server, transport, broken):
    server.play(Says(200, broken))
    with pytest.raises(UnreadError, match="could not be read"):
        gather(transport, ["/groups/1/members"])


@pytest.mark.parametrize("body", [None, {"value": None}, "PGh0bWw+", {"id": 1}, []])
def test_item_that_is_not_whole_is_unread(server, transport, body):
    answering(server, lambda url: (200, body, {}))
    with pytest.raises(UnreadError, match="/groups/1/members"):
        gather(transport, ["/groups/1/members"])


def test_foreign_next_page_of_an_item_is_not_followed(server, transport):
    answering(server, lambda url: (200, {"value": [], NEXT: "https://evil.example/v1.0/x"}, {}))
    with pytest.raises(UnreadError, match="no token was sent"):
        gather(transport, ["/groups/1/members"])
    assert len(server.asked) == 1


def test_circle_of_item_pages_ends(server, transport):
    answering(server, lambda url: (200, {"value": [], NEXT: f"{server.url}/v1.0/groups?$skiptoken=X"}, {}))
    with pytest.raises(UnreadError, match="circle"):
        gather(transport, ["/groups/1/members"])


def test_failed_envelope_fails_every_item_alike(server, transport):
    for says, kind in [(Says(drop=True), Lost), (Says(200, b"{half"), Lost), (Says(503, {}), int)]:
        server.play(says)
        answers = exchange(transport, [Call("GET", "/a"), Call("GET", "/b")])
        assert [isinstance(answer, Lost) for answer in answers] == [kind is Lost] * 2


def test_progress_starts_the_patience_anew(server, transport, hours):
    """Thousands of groups under throttling: each round that brings something counts."""
    left = {}

    def answer(url):
        left.setdefault(url, len(left))
        left[url] -= 1
        return (200, {"value": []}, {}) if left[url] < 0 else (429, {}, {"Retry-After": "20"})

    answering(server, answer)
    gather(transport, [f"/groups/{n}/members" for n in range(20)])
    assert sum(hours.slept) > transport.limits.deadline


def test_no_progress_ends(server, transport, hours):
    answering(server, lambda url: (429, {}, {"Retry-After": "20"}))
    with pytest.raises(GraphError):
        gather(transport, ["/a", "/b"])
    assert sum(hours.slept) <= transport.limits.deadline
