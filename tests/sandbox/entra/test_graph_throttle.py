"""Throttling by resource units (learn.microsoft.com/graph/throttling-limits, docs-contrib concepts/throttling.md)."""

import entra_sample as sample
import pytest

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"


def switch(tenant, **switches):
    tenant.switches = tenant.switches.changed(switches)


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/applications", 2),
        ("/applications?$select=id", 1),
        (PRINCIPAL, 1),
        (f"{PRINCIPAL}?$expand=owners", 2),
        (f"{PRINCIPAL}/appRoleAssignments", 2),
        (f"/groups/{sample.ADMINS}/members", 3),
        (f"/groups/{sample.ADMINS}/members?$top=5&$select=id", 1),
        (f"/groups/{sample.ADMINS}/transitiveMembers", 5),
        ("/users", 2),
        (f"/users/{sample.ANNA}/memberOf", 2),
        ("/groups", 1),
    ],
)
def test_every_call_has_its_price(reader, path, units):
    assert reader.get(path).headers["x-ms-resource-unit"] == str(units)


def test_the_share_is_shown_from_four_fifths_on(reader, tenant):
    switch(tenant, throttle=10)
    shown = [reader.get(PRINCIPAL).headers.get("x-ms-throttle-limit-percentage") for _ in range(10)]
    assert shown == [None] * 7 + ["0.8", "0.9", "1.0"]


def test_the_refusal_has_the_documented_shape(reader, tenant):
    """docs-contrib concepts/throttling.md, sample response."""
    switch(tenant, throttle=1)
    reader.get(PRINCIPAL)
    answer = reader.get(PRINCIPAL)
    assert answer.error == (429, "TooManyRequests", "Please retry again later.")
    inner = answer.json["error"]["innerError"]
    assert (inner["code"], inner["status"], inner["message"]) == ("429", "429", "Please retry after")
    assert answer.headers["x-ms-throttle-scope"] == f"Tenant_Application/ReadWrite/{sample.READER}/{sample.TENANT}"
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert answer.headers["Retry-After"] == "10"


def test_one_application_does_not_use_up_the_budget_of_another(reader, writer, tenant):
    switch(tenant, throttle=1)
    reader.get(PRINCIPAL)
    assert reader.get(PRINCIPAL).status == 429
    assert writer.get(PRINCIPAL).status == 200


def test_writes_have_a_budget_of_their_own(writer, tenant):
    switch(tenant, throttle_writes=1)
    assert writer.patch(PRINCIPAL, {"notes": "1"}).status == 204
    answer = writer.patch(PRINCIPAL, {"notes": "2"})
    assert (answer.status, answer.headers["x-ms-throttle-information"]) == (429, "WriteLimitExceeded")
    assert answer.headers["x-ms-throttle-scope"].startswith("Tenant_Application/Write/")
    assert writer.get(PRINCIPAL).json["notes"] == "1"


def test_reports_are_read_five_times_in_ten_seconds(reader, tenant):
    """learn.microsoft.com/graph/throttling-limits, identity and access reports."""
    switch(tenant, throttle=1000)
    assert [reader.get("/auditLogs/directoryAudits").status for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize(("form", "said"), [("none", None), ("malformed", "soon"), ("huge", "86400")])
def test_what_breaks_clients(reader, tenant, form, said):
    switch(tenant, throttle=1, retry_after=form)
    reader.get(PRINCIPAL)
    assert reader.get(PRINCIPAL).headers.get("Retry-After") == said


def test_every_request_of_a_batch_is_throttled_for_itself(reader, tenant):
    """docs-contrib concepts/json-batching.md: the envelope is 200, the items have their own 429 and Retry-After."""
    switch(tenant, throttle=3)
    steps = [{"id": str(nth), "method": "GET", "url": PRINCIPAL} for nth in range(5)]
    answer = reader.post("/$batch", {"requests": steps})
    assert answer.status == 200
    refused = [one for one in answer.json["responses"] if one["status"] == 429]
    assert len(refused) == 2
    assert {one["headers"]["Retry-After"] for one in refused} == {"10"}
