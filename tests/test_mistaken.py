"""Three ids of one application look alike: whichever is given, the message names the right one."""

import json

import pytest
from scripted import Says

from awsfed_lib.core.errors import GraphError
from awsfed_lib.edges.entra import ground
from awsfed_lib.edges.entra.graph import Graph


@pytest.fixture
def registration(twin):
    wanted = twin.service_principal["appId"]
    return next(app for app in twin.tenant.tables["applications"].values() if app["appId"] == wanted)


@pytest.mark.parametrize(("key", "words"), [("id", "the object id of the app registration"), ("appId", "the application \\(client\\) id")])
@pytest.mark.parametrize("read", ["app_roles", "application", "scopes"])
def test_other_id_of_the_application_is_named_with_the_right_one(twin, registration, key, words, read):
    with pytest.raises(GraphError, match=f"application_id is {words} of") as refused:
        getattr(twin.writing(), read)(registration[key])
    assert f"Set application_id to {twin.application_id}" in refused.value.remedy
    assert refused.value.status == 404


def test_preflight_tells_it_as_well(twin, registration):
    survey = ground.survey(twin.writing(), registration["id"])
    assert "the object id of the app registration" in survey.unread["application"].problem
    assert twin.application_id in survey.unread["application"].remedy


def test_unknown_id_is_refused_in_graph_s_own_words(twin):
    with pytest.raises(GraphError, match="Graph refused GET") as refused:
        twin.writing().application("00000000-1111-4222-8333-444444444444")
    assert refused.value.status == 404


def test_registration_without_enterprise_application(server):
    missing = Says(404, {"error": {"code": "Request_ResourceNotFound", "message": "not there"}})
    server.play(missing, Says(200, {"id": "x", "appId": "y", "displayName": "AWS"}), Says(200, {"value": []}))
    with pytest.raises(GraphError, match="app registration of AWS") as refused:
        Graph.reading(server.session()).application("x")
    assert "no enterprise application" in refused.value.remedy
    assert "%27y%27" in server.asked[-1].path


@pytest.mark.parametrize(
    "answer", [Says(403, {"error": {"code": "Authorization_RequestDenied", "message": "no"}}), Says(200, b"{"), Says(404)]
)
def test_guess_that_fails_leaves_the_refusal_as_it_was(server, answer):
    missing = Says(404, {"error": {"code": "Request_ResourceNotFound", "message": "not there"}})
    server.play(missing, answer)
    with pytest.raises(GraphError, match="not there"):
        Graph.reading(server.session()).application("x")


def test_other_refusals_ask_nothing_more(server):
    server.play(Says(403, json.dumps({"error": {"code": "Authorization_RequestDenied", "message": "no"}}).encode()))
    with pytest.raises(GraphError):
        Graph.reading(server.session()).application("x")
    assert len(server.asked) == 1
