"""429 storms, 503, 409 and a token that ends in the middle of a run: how often is sent, how long is waited, and where it stops."""

import pytest
import scripted
from fault_cases import Runs, shape

from awsfed_lib.core.errors import GraphError
from awsfed_lib.edges.entra.graph import Graph

PATCH = r"^PATCH /v1\.0/servicePrincipals/"
ATTEMPTS = 8  # of one operation (edges.entra.pace.Limits)


@pytest.fixture
def hours():
    return scripted.Hours()


@pytest.fixture
def graph(twin, hours):
    yield Graph.writing(twin.session("writer"), clock=hours.clock)
    twin.faults.clear()


def gets(twin):
    return len([one for one in twin.faults.fired if one["mode"] != "f"])


@pytest.mark.parametrize(("form", "seconds"), [("int", 2.0), ("fraction", 2.128), ("date", 1.5), ("none", 0.005), ("malformed", 0.005)])
def test_nothing_is_sent_before_it_is_due(twin, graph, hours, form, seconds):
    """RFC 9110 10.2.3 and learn.microsoft.com graph/throttling: wait what Retry-After says; without one, longer each time."""
    twin.faults.plan({"mode": f"429-{form}", "match": "appRoles", "times": 3})
    assert graph.app_roles(twin.application_id).shape[0] > 1
    assert len(hours.slept) == 3
    assert all(slept >= seconds for slept in hours.slept)
    assert form not in ("none", "malformed") or hours.slept[0] < hours.slept[2]


def test_a_storm_without_end_is_asked_a_few_times_and_no_more(twin, graph):
    twin.faults.plan({"mode": "429-int", "times": 1000})
    with pytest.raises(GraphError, match=rf"429 .*{ATTEMPTS} tries were in vain"):
        graph.app_roles(twin.application_id)
    assert gets(twin) == ATTEMPTS


def test_a_huge_retry_after_ends_the_run_at_once_and_says_when_to_come_back(twin, graph, hours):
    twin.faults.plan({"mode": "429-huge", "times": 1000})
    with pytest.raises(GraphError, match=r"try again after 20\d\d-\d\d-\d\d \d\d:\d\dZ"):
        graph.app_roles(twin.application_id)
    assert (gets(twin), hours.slept) == (1, [])


@pytest.mark.parametrize("mode", ["503", "504", "500", "502"])
def test_a_read_is_asked_again(twin, graph, mode):
    twin.faults.plan({"mode": mode, "match": "appRoles", "times": 3})
    assert graph.app_roles(twin.application_id).shape[0] > 1
    assert gets(twin) == 3


def applied(twin, tmp_path, *rules):
    runs = Runs(twin, shape(twin, "add"), twin.session("writer"), tmp_path)
    twin.faults.plan(*rules)
    return runs.run(), runs


def written(twin):
    return [status for method, _, status in twin.writes if method == "PATCH"]


@pytest.mark.parametrize("mode", ["429-int", "409"])
def test_a_write_that_was_certainly_not_carried_out_is_sent_again_after_its_reads(twin, tmp_path, mode):
    """nais/azurerator issue 448: a concurrent write is answered with 409 Directory_ConcurrencyViolation."""
    ended, _ = applied(twin, tmp_path, {"mode": mode, "match": PATCH, "times": 2})
    assert (ended.verdicts, written(twin)) == (["applied"], [204])


@pytest.mark.parametrize("mode", ["500-applied", "502-applied", "503-applied", "504-applied", "n", "nc", "na", "p", "pc", "pa"])
def test_a_write_whose_answer_is_lost_is_read_back_and_never_sent_twice(twin, tmp_path, mode, monkeypatch):
    """Azure/azure-sdk-for-python's azure-core sends PATCH again on 503; hashicorp/terraform-provider-azuread pull request 1896."""
    from awsfed_lib.edges.entra import connection

    monkeypatch.setattr(connection, "TIMEOUT", (2.0, 1.0))
    twin.faults.hang = 1.5
    ended, _ = applied(twin, tmp_path, {"mode": mode, "match": PATCH, "times": 5})
    assert (ended.verdicts, written(twin)) == (["applied"], [204])


@pytest.mark.parametrize("mode", ["nc", "na", "pa", "504-applied", "items-lost", "items-503-applied"])
def test_assignments_whose_answers_are_lost_are_read_back_and_posted_once(twin, tmp_path, mode):
    """hashicorp/terraform-provider-azuread pull request 1896: a POST that is sent again is refused as a duplicate, and is orphaned."""
    runs = Runs(twin, shape(twin, "assign"), twin.session("writer"), tmp_path)
    twin.faults.plan({"mode": mode, "match": r"^POST /v1\.0/\$batch"})
    assert runs.run().verdicts == ["applied"]
    assert [method for method, _, _ in twin.writes] == ["POST"]
    assert runs.shape.reached()


@pytest.mark.parametrize("mode", ["nqc", "nqa", "pqc", "pqa", "503"])
def test_a_write_that_got_lost_on_its_way_is_read_back_and_then_sent_again(twin, tmp_path, mode):
    ended, _ = applied(twin, tmp_path, {"mode": mode, "match": PATCH})
    assert (ended.verdicts, written(twin)) == (["applied"], [204])


def test_a_token_that_ends_before_the_write_is_renewed_and_the_write_sent_once(twin, tmp_path):
    ended, _ = applied(twin, tmp_path, {"mode": "token-ends", "match": PATCH})
    assert (ended.verdicts, written(twin)) == (["applied"], [204])


def test_a_token_that_cannot_be_renewed_stops_resumable(twin, tmp_path):
    ended, runs = applied(twin, tmp_path, {"mode": "token-ends", "match": PATCH}, {"mode": "401", "match": "oauth2/v2.0/token", "times": 9})
    assert (ended.verdicts, written(twin)) == (["failed"], [])
    twin.faults.clear()
    assert [end.verdicts for end in runs.settle()] == [["applied"], ["nothing to do"]]
    assert runs.shape.reached()
