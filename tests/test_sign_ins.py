"""Entra ID's sign-in log against the twin: paged, paced, filtered to the application, and never half read."""

from datetime import timedelta

import pytest
import scripted

from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.tables import rows
from awsfed_lib.edges.entra import graph as graphs
from awsfed_lib.edges.entra import sign_ins
from awsfed_lib.sandbox.store import utc_now


@pytest.fixture
def quiet(twin):
    """Begin with an empty log."""
    twin.tenant.sign_ins.clear()
    twin.switch(log_minutes=0)
    return twin


def person(twin, start):
    return next(key for key, user in twin.tenant.tables["users"].items() if user["userPrincipalName"].startswith(start))


def read(twin, client="reader", clock=None, days=30):
    return sign_ins.read(twin.reading(client, clock), twin.application_id, days=days, now=utc_now())


def test_successes_and_failures_by_person(quiet):
    ann, lee = person(quiet, "britta."), person(quiet, "left.company")
    for code in (0, 50105, 50105):
        quiet.tenant.signed_in(lee, quiet.application_id, code)
    quiet.tenant.signed_in(ann, quiet.application_id)
    quiet.tenant.signed_in(ann, next(key for key in quiet.tenant.tables["servicePrincipals"] if key != quiet.application_id))
    log = read(quiet)
    assert log.known
    found = {row["user_name"].partition("@")[0]: row for row in rows(log.uses)}
    assert (found["left.company"]["successes"], found["left.company"]["failures"]) == (1, 2)
    assert "not assigned" in found["left.company"]["last_error"]
    assert found["britta.simon"]["successes"] == 1
    assert found["britta.simon"]["last_success"] <= utc_now()


def test_a_guest_is_counted_by_the_name_in_this_tenant(quiet):
    """The log has the address at home, maria@fabrikam.example; everything else here knows her by the name with #EXT#."""
    quiet.tenant.signed_in(person(quiet, "maria_fabrikam"), quiet.application_id)
    (found,) = rows(read(quiet).uses)
    assert found["user_name"] == "maria_fabrikam.example#ext#@contoso.example"


def test_somebody_who_is_gone_is_not_taken_for_who_has_the_name_now(quiet):
    """Joined by the id: a user name can be given to another person, and a guest's is the address at home."""
    ann = person(quiet, "britta.")
    quiet.tenant.signed_in(ann, quiet.application_id)
    quiet.tenant.tables["users"]["again"] = {**quiet.tenant.tables["users"].pop(ann), "id": "again"}
    (found,) = rows(read(quiet).uses)
    assert found["user_name"] == ann


def test_somebody_who_only_failed_never_signed_in(quiet):
    quiet.tenant.signed_in(person(quiet, "dieter."), quiet.application_id, 50057)
    assert rows(read(quiet).uses)[0]["last_success"] is None


def test_the_window_is_what_was_asked_for_and_at_most_what_the_log_keeps(quiet):
    log = read(quiet, days=7)
    assert log.end - log.begin == timedelta(days=7)
    assert sign_ins.read(quiet.reading(), quiet.application_id, days=400, now=utc_now()).window.startswith("Sign-in log of Entra ID, ")
    query = quiet.asked[-1][1]
    assert "auditLogs/signIns" in query


def test_every_page_is_read(quiet, monkeypatch):
    """The service gives pages of 1,000 at most; the link to the next one is followed to the end."""
    monkeypatch.setattr(sign_ins, "PAGE", 50)
    for _ in range(120):
        quiet.tenant.signed_in(person(quiet, "britta."), quiet.application_id)
    assert rows(read(quiet).uses)[0]["successes"] == 120
    assert [status for _, path, status in quiet.asked if "signIns" in path] == [200] * 3


def test_pages_keep_to_five_requests_in_ten_seconds(quiet, monkeypatch):
    """learn.microsoft.com graph/throttling-limits, identity and access reports: 5 requests per 10 seconds."""
    monkeypatch.setattr(sign_ins, "PAGE", 20)
    for _ in range(100):
        quiet.tenant.signed_in(person(quiet, "britta."), quiet.application_id)
    hours = scripted.Hours()
    graph = quiet.reading(clock=hours.clock)
    graph._log_pause = graphs.LOG_PAUSE
    assert sign_ins.read(graph, quiet.application_id, days=30, now=utc_now()).known
    assert hours.slept == [2.0] * 4
    assert 10 / graphs.LOG_PAUSE <= 5


def test_a_log_that_throttles_is_read_all_the_same(quiet, monkeypatch):
    monkeypatch.setattr(sign_ins, "PAGE", 10)
    for _ in range(80):
        quiet.tenant.signed_in(person(quiet, "britta."), quiet.application_id)
    quiet.switch(throttle=8000, throttle_seconds=0.05)
    assert rows(read(quiet).uses)[0]["successes"] == 80


def test_without_the_permission_the_log_is_not_known(quiet):
    """Unknown is never absent: nobody is unused by a log that was refused."""
    log = read(quiet, "poor")
    assert not log.known
    assert (log.window, bool(log.problem), bool(log.remedy)) == ("Sign-in log of Entra ID: not known", True, True)


def test_without_p1_the_log_is_not_known_and_says_why(quiet, monkeypatch):
    """turbot/steampipe-plugin-azuread#98: 403 Authentication_RequestFromNonPremiumTenantOrB2CTenant."""
    monkeypatch.setitem(quiet.tenant.world, "subscribedSkus", [])
    log = read(quiet)
    assert not log.known
    assert "P1 or P2" in log.problem + log.remedy


def test_half_an_entry_makes_the_log_unread():
    with pytest.raises(UnreadError):
        sign_ins.by_person([{"userPrincipalName": "ann", "status": {"errorCode": 0}}])
