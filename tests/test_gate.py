import json

import pytest
import requests

from awsfed_lib.core.change import Request, Settled, as_json
from awsfed_lib.core.errors import WriteForbidden
from awsfed_lib.edges.entra.gate import Gate, PlanGate, versioned

HOST = "https://graph.microsoft.com"
ROLES = {"appRoles": [{"id": "1", "isEnabled": True, "value": None}]}


def planned(method="PATCH", path="/servicePrincipals/sp", body=ROLES, headers=()):
    return Request(method, path, as_json(body) if body else "", "purpose", Settled("app_roles", "sp"), headers=headers)


def prepared(method, path, body=None, headers=None):
    data = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
    own = {"Authorization": "Bearer x", "client-request-id": "1", "Content-Type": "application/json"}
    return requests.Session().prepare_request(requests.Request(method, HOST + path, data=data, headers=own | (headers or {})))


def batch(*items):
    return prepared("POST", "/v1.0/$batch", {"requests": [{"id": str(n), **item} for n, item in enumerate(items)]})


READS = [
    prepared("GET", "/v1.0/groups?$filter=displayName%20eq%20'x'"),
    prepared("GET", "/v1.0/groups", headers={"ConsistencyLevel": "eventual"}),
    batch({"method": "GET", "url": "/groups"}, {"method": "GET", "url": "/users"}),
]
WRITES = [
    prepared("PATCH", "/v1.0/servicePrincipals/sp", ROLES),
    prepared("POST", "/v1.0/groups", {"displayName": "x"}),
    prepared("DELETE", "/v1.0/groups/g"),
    prepared("PUT", "/v1.0/groups/g", {}),
    prepared("HEAD", "/v1.0/groups/g"),
    prepared("GET", "/v1.0/groups", {"a": 1}),
    prepared("GET", "/v1.0/groups/g", headers={"X-HTTP-Method-Override": "DELETE"}),
    prepared("GET", "/v1.0/groups/g", headers={"X-HTTP-Method": "DELETE"}),
    prepared("POST", "/v1.0/directoryObjects/getByIds", {"ids": []}),
    prepared("POST", "/beta/$batch", {"requests": [{"id": "1", "method": "GET", "url": "/groups"}]}),
    prepared("POST", "/v1.0/$batch?x", {"requests": []}),
    batch({"method": "GET", "url": "/groups"}, {"method": "DELETE", "url": "/groups/g"}),
    batch({"method": "GET", "url": "/groups", "headers": {"X-HTTP-Method-Override": "DELETE"}}),
    batch({"method": "POST", "url": "/$batch", "body": {"requests": []}}),
    batch({"method": "delete", "url": "/groups/g"}),
    batch({"method": "GET", "url": "groups"}),
    batch({"url": "/groups"}),
    prepared("POST", "/v1.0/$batch", "[]"),
    prepared("POST", "/v1.0/$batch", '{"requests": 1}'),
    prepared("POST", "/v1.0/$batch", '{"requests": [1]}'),
    prepared("POST", "/v1.0/$batch", "half {"),
    prepared("POST", "/v1.0/$batch", '{"requests": [{"id":"1","method":"GET","url":"/a"}], "requests": [{"id":"1","method":"DELETE","url":"/a"}]}'),
    prepared("POST", "/v1.0/$batch", '{"requests": [{"id":"1","method":"DELETE","method":"GET","url":"/a"}]}'),
]  # fmt: skip


@pytest.mark.parametrize("gate", [Gate(), PlanGate()])
@pytest.mark.parametrize("request_", READS)
def test_reads_go_through(gate, request_):
    gate.check(request_)


@pytest.mark.parametrize("gate", [Gate(), PlanGate()])
@pytest.mark.parametrize("request_", WRITES, ids=lambda r: f"{r.method} {r.path_url} {r.body}"[:90])
def test_anything_else_is_stopped(gate, request_):
    with pytest.raises(WriteForbidden):
        gate.check(request_)


def test_reading_gate_never_permits():
    with pytest.raises(WriteForbidden, match="only reads"):
        Gate().permit([planned()])


def test_permitted_request_goes_through_word_for_word_and_only_while_open():
    gate = PlanGate()
    request = prepared("PATCH", "/v1.0/servicePrincipals/sp", planned().body)
    with gate.permit([planned()]):
        gate.check(request)
        gate.check(request)  # a resend after reading back
    with pytest.raises(WriteForbidden):
        gate.check(request)


def test_gate_closes_when_the_plan_fails():
    gate = PlanGate()
    with pytest.raises(ZeroDivisionError), gate.permit([planned()]):
        raise ZeroDivisionError
    with pytest.raises(WriteForbidden):
        gate.check(prepared("PATCH", "/v1.0/servicePrincipals/sp", planned().body))


@pytest.mark.parametrize(
    "request_",
    [
        prepared("PATCH", "/v1.0/servicePrincipals/other", ROLES),
        prepared("PATCH", "/beta/servicePrincipals/sp", ROLES),
        prepared("PATCH", "/v1.0/servicePrincipals/sp?x=1", ROLES),
        prepared("PUT", "/v1.0/servicePrincipals/sp", ROLES),
        prepared("PATCH", "/v1.0/servicePrincipals/sp", {"appRoles": []}),
        prepared("PATCH", "/v1.0/servicePrincipals/sp", {"appRoles": [{"id": "1", "isEnabled": 1, "value": None}]}),
        prepared("PATCH", "/v1.0/servicePrincipals/sp", {"appRoles": [{"id": "1", "isEnabled": True}]}),
        prepared("PATCH", "/v1.0/servicePrincipals/sp", ROLES, {"Prefer": "create-if-missing"}),
        prepared("PATCH", "/v1.0/servicePrincipals/sp"),
    ],
    ids=lambda r: f"{r.method} {r.path_url} {r.body}"[:90],
)
def test_anything_but_the_literal_request_is_stopped(request_):
    gate = PlanGate()
    with gate.permit([planned()]), pytest.raises(WriteForbidden):
        gate.check(request_)


def test_header_of_an_upsert_is_part_of_the_request():
    """Without `Prefer: create-if-missing` the same PATCH is an update (learn.microsoft.com graph/api/group-upsert)."""
    gate = PlanGate()
    upsert = planned(path="/groups(uniqueName='AWS-1%20x')", body={"displayName": "x"}, headers=(("Prefer", "create-if-missing"),))
    with gate.permit([upsert]):
        gate.check(prepared("PATCH", "/v1.0/groups(uniqueName='AWS-1%20x')", upsert.body, {"prefer": "create-if-missing"}))
        with pytest.raises(WriteForbidden):
            gate.check(prepared("PATCH", "/v1.0/groups(uniqueName='AWS-1%20x')", upsert.body))


def test_batch_is_checked_item_by_item():
    gate = PlanGate()
    one, other = (planned("POST", "/servicePrincipals/sp/appRoleAssignedTo", {"appRoleId": role}) for role in "ab")
    items = [
        {"method": "POST", "url": one.path, "body": {"appRoleId": role}, "headers": {"Content-Type": "application/json"}} for role in "abc"
    ]
    with gate.permit([one, other]):
        gate.check(batch(*items[:2]))
        gate.check(batch(items[0], {"method": "GET", "url": "/groups"}))
        with pytest.raises(WriteForbidden):
            gate.check(batch(*items))


def test_permits_nest():
    gate = PlanGate()
    request = prepared("PATCH", "/v1.0/servicePrincipals/sp", planned().body)
    with gate.permit([planned()]):
        with gate.permit([]), pytest.raises(WriteForbidden):
            gate.check(request)
        gate.check(request)


@pytest.mark.parametrize("path", ["groups", "", "/a#b", "/a b", "/a\\b", "/a/../b", "/a/./b", "/a/..", "//evil.example/x", "/a\n"])
def test_path_that_would_become_another_is_refused(path):
    """A `#` cuts the path, dot segments are resolved by urllib3, white space ends the request line."""
    with pytest.raises(WriteForbidden):
        versioned(path)


@pytest.mark.parametrize(
    ("path", "full"), [("/groups", "/v1.0/groups"), ("/beta/x", "/beta/x"), ("/v1.0/x", "/v1.0/x"), ("/v1.0x", "/v1.0/v1.0x")]
)
def test_version_is_added_once(path, full):
    assert versioned(path) == full
