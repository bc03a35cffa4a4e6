"""JSON batching (docs-contrib concepts/json-batching.md)."""

import entra_sample as sample
import pytest

GROUP = f"/groups/{sample.ADMINS}"
TYPED = {"Content-Type": "application/json"}


def batch(client, *steps):
    return client.post("/$batch", {"requests": list(steps)})


def step(key, method="GET", url=GROUP, **more):
    return {"id": key, "method": method, "url": url, **more}


def test_answers_come_in_any_order_each_with_its_id(reader):
    answer = batch(reader, *(step(str(nth)) for nth in range(10)))
    keys = [one["id"] for one in answer.json["responses"]]
    assert sorted(keys) == [str(nth) for nth in range(10)]
    assert keys != sorted(keys)
    assert keys == [one["id"] for one in batch(reader, *(step(str(nth)) for nth in range(10))).json["responses"]]


def test_writes_and_reads_with_headers_of_their_own(writer):
    answer = batch(
        writer,
        step("w", "PATCH", GROUP, body={"description": "x"}, headers=TYPED),
        step("r", url="/groups/$count", headers={"ConsistencyLevel": "eventual"}, dependsOn=["w"]),
    )
    found = {one["id"]: one for one in answer.json["responses"]}
    assert (found["w"]["status"], "body" in found["w"]) == (204, False)
    assert found["r"]["body"] == "5"
    assert writer.get(GROUP).json["description"] == "x"


def test_a_refusal_of_one_does_not_touch_the_others(reader):
    answer = batch(reader, step("1"), step("2", url=f"/groups/{sample.ANNA}"), step("3", "DELETE"))
    found = {one["id"]: one for one in answer.json["responses"]}
    assert {key: one["status"] for key, one in found.items()} == {"1": 200, "2": 404, "3": 403}
    assert found["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"


def test_addresses_may_be_absolute(reader):
    """msgraph-core's batch builder sends the whole URL, and Graph answers it."""
    hosts = ("https://graph.microsoft.com", "http://localhost")
    answer = batch(reader, *(step(host, url=f"{host}/v1.0{GROUP}?$select=id") for host in hosts))
    assert {one["id"]: one["body"]["id"] for one in answer.json["responses"]} == dict.fromkeys(hosts, GROUP.rpartition("/")[2])


def test_how_the_envelope_asks_is_not_how_its_requests_ask(reader):
    """docs-contrib concepts/json-batching: every request has headers of its own."""
    body = {"requests": [step("1", url="/groups/$count"), step("2", url="/groups/$count", headers={"ConsistencyLevel": "eventual"})]}
    answer = reader.post("/$batch", body, ConsistencyLevel="eventual")
    assert {one["id"]: one["status"] for one in answer.json["responses"]} == {"1": 400, "2": 200}


def test_links_to_the_next_page_are_absolute(reader):
    answer = batch(reader, step("1", url="/users?$top=1"))
    assert answer.json["responses"][0]["body"]["@odata.nextLink"].startswith("http://localhost/v1.0/users?$top=1&$skiptoken=")


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [step("1", url="https://elsewhere.example/v1.0/groups")],
        [step("1", url="/$batch")],
        [{"id": 1, "method": "GET", "url": GROUP}],
        [{"method": "GET", "url": GROUP}],
        [step("1"), step("1")],
        [step("1", dependsOn=["2"]), step("2", dependsOn=["1"])],
        [step("1", dependsOn=["nobody"])],
    ],
)
def test_envelopes_that_are_refused_whole(reader, steps):
    assert batch(reader, *steps).error[:2] == (400, "BadRequest")


@pytest.mark.parametrize("more", [{"body": {"description": "x"}}, {"headers": TYPED}])
def test_a_write_needs_a_body_and_its_type(writer, more):
    text = "Write request id : w does not contain Content-Type header or body."
    assert batch(writer, step("w", "PATCH", **more)).error == (400, "BadRequest", text)


def test_steps_run_after_those_that_they_depend_on(writer):
    body = {"displayName": "x", "mailEnabled": False, "mailNickname": "x", "securityEnabled": True}
    make = step("make", "PATCH", "/groups(uniqueName='x')", body=body, headers=TYPED | {"Prefer": "create-if-missing"})
    answer = batch(writer, step("read", url="/groups(uniqueName='x')", dependsOn=["make"]), make)
    assert {one["id"]: one["status"] for one in answer.json["responses"]} == {"make": 201, "read": 200}
