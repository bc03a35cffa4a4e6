"""Who changed the application: the audit log of the twin, read over HTTPS."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from awsfed_lib.core.errors import GraphError
from awsfed_lib.edges.entra import changes

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
APPLICATION = "1f0c7f3a-0000-4000-8000-000000000001"
EVENT = {
    "activityDateTime": "2026-11-23T22:10:00.1234567Z",
    "activityDisplayName": "Update service principal",
    "result": "success",
    "initiatedBy": {"user": {"userPrincipalName": "britta@contoso.example"}, "app": None},
    "targetResources": [
        {
            "id": APPLICATION,
            "displayName": "AWS",
            "modifiedProperties": [
                {"displayName": "AppRoles", "oldValue": "[1]", "newValue": "[2]"},
                {"displayName": "Included", "oldValue": "x", "newValue": "x"},
            ],
        }
    ],
}


class Log:
    """A log that answers with `events`, or with a refusal."""

    def __init__(self, events):
        self.events, self.asked = events, []

    def log(self, path):
        self.asked.append(path)
        if isinstance(self.events, Exception):
            raise self.events
        return self.events


def test_author_activity_and_what_really_changed():
    told = changes.authors(Log([EVENT]), [APPLICATION], since=NOW - timedelta(days=2), now=NOW)
    row = told.to_dict(orient="records")[0]
    assert (row["who"], row["activity"], row["target"], row["changed"]) == (
        "britta@contoso.example",
        "Update service principal",
        "AWS",
        "AppRoles",
    )
    assert row["at"] == datetime(2026, 11, 23, 22, 10, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "stamp"),
    [
        (None, "2026-10-25T03%3A00%3A00Z"),
        (NOW - timedelta(days=1), "2026-11-23T03%3A00%3A00Z"),
        (NOW - timedelta(days=90), "2026-10-25T03%3A00%3A00Z"),
    ],
)
def test_log_is_asked_for_what_it_keeps(since, stamp):
    """30 days with P1 (learn.microsoft.com entra/identity/monitoring-health/reference-reports-data-retention)."""
    log = Log([])
    assert changes.authors(log, [APPLICATION], since=since, now=NOW).empty
    assert stamp in log.asked[0]
    assert APPLICATION in log.asked[0]


@pytest.mark.parametrize(
    ("initiated", "who"),
    [
        ({"user": None, "app": {"displayName": "awsfed-writer", "appId": "x"}}, "awsfed-writer"),
        ({"user": {"id": "u-1", "userPrincipalName": None}}, "u-1"),
        ({}, "not told"),
        (None, "not told"),
    ],
)
def test_whoever_it_was_is_named(initiated, who):
    told = changes.authors(Log([{**EVENT, "initiatedBy": initiated}]), [APPLICATION], since=None, now=NOW)
    assert told["who"].tolist() == [who]


def test_an_application_is_known_by_its_service_principal():
    """Real entries leave appId out (splunk/security_content data_sources)."""
    log = Log([{**EVENT, "initiatedBy": {"app": {"appId": None, "displayName": "awsfed", "servicePrincipalId": APPLICATION}}}])
    log.one = lambda path: {"id": APPLICATION, "appId": "a-1"} if APPLICATION in path else {}
    told = changes.authors(log, [APPLICATION], since=None, now=NOW)
    assert told[["who", "app_id"]].to_numpy().tolist() == [["awsfed", "a-1"]]


def test_real_entries_name_roles_in_pascal_case():
    before, after = '[{"Id":"a","Value":"v1"}]', '[{"Id":"a","Value":"v1"},{"EntitlementId":"b","Value":"v2"}]'
    target = {"id": "sp1", "modifiedProperties": [{"displayName": "AppRole", "oldValue": before, "newValue": after}]}
    told = changes.authors(Log([{**EVENT, "targetResources": [target]}]), [APPLICATION], since=None, now=NOW)
    assert told["touched"].tolist() == ["sp1; b; v2"]


def test_an_entry_without_targets_is_an_entry():
    told = changes.authors(Log([{**EVENT, "targetResources": None}]), [APPLICATION], since=None, now=NOW)
    assert told["target"].tolist() == [""]


def test_log_that_cannot_be_read_says_so_and_fails_nothing():
    refusal = GraphError("Graph refused (403).", status=403, code="Forbidden", request_id="r", remedy="Grant AuditLog.Read.All.")
    told = changes.authors(Log(refusal), [APPLICATION], since=None, now=NOW)
    assert told[["who", "activity", "target"]].to_numpy().tolist() == [["not known", "Graph refused (403).", "Grant AuditLog.Read.All."]]


def collection(*entries):
    return json.dumps([{"id": name, "value": f"value of {name}", "isEnabled": on} for name, on in entries])


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        (collection(("a", True), ("b", True)), collection(("a", True), ("b", False)), f"{APPLICATION}; b; value of b"),
        (collection(("a", True)), collection(("a", True), ("c", True)), f"{APPLICATION}; c; value of c"),
        (collection(("a", True))[:-9], collection(("a", True)), f"{APPLICATION}; the whole collection"),
        (None, collection(("a", True)), f"{APPLICATION}; the whole collection"),
    ],
    ids=["disabled", "added", "cut off", "not told"],
)
def test_one_entry_for_the_whole_collection_names_the_app_roles_that_differ(old, new, touched):
    """The log has old and new as JSON text, and cuts off what is long: then it is not told which."""
    target = {"id": APPLICATION, "displayName": "AWS", "modifiedProperties": [{"displayName": "AppRole", "oldValue": old, "newValue": new}]}
    told = changes.authors(Log([{**EVENT, "targetResources": [target]}]), [APPLICATION], since=None, now=NOW)
    assert told["touched"].tolist() == [touched]


def test_every_object_is_asked_for_and_an_entry_that_names_two_comes_once():
    log = Log([{**EVENT, "id": "e-1"}])
    group = "2f0c7f3a-0000-4000-8000-000000000002"
    told = changes.authors(log, [APPLICATION, *[group] * 40], since=None, now=NOW, also=changes.POLICY)
    assert len(told) == 1
    assert len(log.asked) == 2 + changes.MOST_GROUPS
    assert "Update%20policy" in log.asked[-1]
