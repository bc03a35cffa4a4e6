"""Somebody else in the tenant: what each does, when, and that it can be told from what the client did."""

import pytest
from plain_client import Client

from awsfed_lib.sandbox.faults.actors import ACTORS, PORTAL_VALUE


@pytest.fixture
def client(twin):
    yield Client(twin)
    twin.faults.clear()


def roles(client):
    return {role["id"]: role for role in client.twin.service_principal["appRoles"]}


def assigned(client):
    rows = client.twin.tenant.tables["assignments"].values()
    return {(one["principalId"], one["appRoleId"]) for one in rows if one["resourceId"] == client.twin.application_id}


def act(client, name):
    """Let it act at the next read; returns roles and assignments before."""
    before = roles(client), assigned(client)
    client.twin.faults.plan({"mode": name})
    assert client("GET", client.application).status_code == 200
    return before


def test_an_editor_adds_a_role_and_only_once(client):
    before, _ = act(client, "editor-adds-role")
    new = [role for key, role in roles(client).items() if key not in before]
    assert [(role["value"], role["isEnabled"], role["origin"]) for role in new] == [(PORTAL_VALUE, True, "ServicePrincipal")]
    act(client, "editor-adds-role")
    assert len(roles(client)) == len(before) + 1


def test_an_editor_switches_a_role_off_and_on(client):
    before, _ = act(client, "editor-switches-role")
    assert [role["isEnabled"] for key, role in roles(client).items() if role != before[key]] == [False]
    act(client, "editor-switches-role")
    assert roles(client) == before


def test_an_editor_removes_a_role_and_its_assignments_go_along(client):
    before, edges = act(client, "editor-removes-role")
    (gone,) = before.keys() - roles(client).keys()
    assert edges - assigned(client) == {edge for edge in edges if edge[1] == gone} != set()


def test_an_editor_assigns_and_unassigns(client):
    _, edges = act(client, "editor-assigns")
    assert len(assigned(client) - edges) == 1
    act(client, "editor-unassigns")
    assert assigned(client) == edges


def test_an_editor_makes_a_group_of_the_same_name_and_renames_it(client):
    groups = client.twin.tenant.tables["groups"]
    before = set(groups)
    act(client, "editor-makes-group")
    (key,) = groups.keys() - before
    assert not groups[key].get("uniqueName")
    act(client, "editor-renames-group")
    assert groups[key]["displayName"].endswith(" (renamed)")


def test_the_provisioning_job_disables_what_is_not_its_own_and_brings_back_what_was_removed(client):
    """MicrosoftDocs/azure-docs issues 23162 and 23165: it flips hand-made roles, and removed ones come back."""
    before, _ = act(client, "editor-removes-role")
    act(client, "editor-adds-role")
    act(client, "provisioning")
    now = roles(client)
    assert before.keys() <= now.keys()
    assert {role["value"]: role["isEnabled"] for key, role in now.items() if key not in before} == {PORTAL_VALUE: False}


def test_a_refresh_comes_from_the_application_object(client):
    act(client, "refresh")
    shown = client("GET", client.application).json()
    inherited = [role["description"] for role in shown["appRoles"] if role["origin"] == "Application"]
    assert shown["notes"] == "refreshed from the application object"
    assert inherited
    assert all(text.endswith(", refreshed") for text in inherited)


def test_lag_and_lenience_last_until_they_are_switched_off(client):
    act(client, "lag")
    act(client, "lenient")
    assert (client.twin.tenant.switches.lag_reads, client.twin.tenant.switches.strict) == (6, False)


@pytest.mark.parametrize("name", sorted(set(ACTORS) - {"lag", "lenient"}))
def test_after_means_after_the_request_and_acting_tells_who_it_was(client, name):
    seen = []
    client.twin.tenant.after_write.append(lambda *_: seen.append(client.twin.faults.acting))
    client.twin.faults.plan({"mode": f"{name}-after", "match": "PATCH"})
    assert client.change("changed").status_code == 204
    client.twin.tenant.after_write.clear()
    assert seen == ["", f"{name}"]
    assert client.tags == ["changed"]
