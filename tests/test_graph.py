"""Graph against the sandbox's Entra side over HTTPS, signed in by the real MSAL; broken answers are in test_pages and test_batch."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import made
import pytest
import scripted
from fake_service import FakeJournal

from awsfed_lib.core import apply, facts
from awsfed_lib.core.apply import Approval, Service
from awsfed_lib.core.change import Basis, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import GraphError, ParameterError, UnreadError, WriteForbidden
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import approles, groups
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, GROUPS, MEMBERS, ROLES, check, frame
from awsfed_lib.edges.entra.clouds import CLOUDS
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.entra.tokens import Token


@pytest.fixture
def graph(twin):
    graph = twin.reading()
    twin.tenant.requests.clear()
    return graph


def assign(twin, principal, role, kind="groups"):
    path = f"/servicePrincipals/{twin.application_id}/appRoleAssignedTo"
    body = {"principalId": principal, "resourceId": twin.application_id, "appRoleId": role}
    present = (facts.assignment(role, principal),)
    return Request("POST", path, as_json(body), f"assign {kind}", Settled("assignments", twin.application_id, present))


def free_group(twin):
    assigned = {one["principalId"] for one in twin.tenant.tables["assignments"].values()}
    return next(g["id"] for g in twin.tenant.tables["groups"].values() if g["securityEnabled"] and g["id"] not in assigned)


def enabled_roles(twin):
    return [role["id"] for role in twin.service_principal["appRoles"] if role["isEnabled"] and role["value"]]


def test_graph_is_the_service_that_plans_are_applied_to(graph):
    service: Service = graph
    assert service.realm == graph.realm
    assert graph.patience.reads == 3


def test_patience_of_real_clouds_is_a_minute_and_of_the_sandbox_milliseconds(graph, twin):
    """devblogs.microsoft.com/identity/designing-for-eventual-consistency: reads after a write may be stale for a while."""
    real = Graph.reading(replace(twin.session(), cloud=CLOUDS["global"]))
    assert 60 <= sum(real.patience.pauses) <= 90
    assert sum(graph.patience.pauses) < 0.1
    assert (real.patience.reads, len(real.patience.pauses)) == (graph.patience.reads, len(graph.patience.pauses))


def test_app_roles_come_whole(graph, twin):
    live = check(APP_ROLES, graph.app_roles(twin.application_id))
    wire = twin.service_principal["appRoles"]
    assert list(live["app_role_id"]) == [role["id"] for role in wire]
    assert [entry["value"] for entry in live["entry"]] == [role["value"] for role in wire]
    access = live[live["display_name"] == "msiam_access"].iloc[0]
    assert (access["value"], access["origin"]) == ("", "Application")
    assert access["entry"]["value"] is None


def test_application_is_a_subject_of_its_tenant(graph, twin):
    name = twin.service_principal["displayName"]
    assert graph.application(twin.application_id) == Subject("servicePrincipal", twin.application_id, name, twin.id)


def test_scopes_count_beside_the_app_roles(graph, twin):
    scopes = twin.service_principal["oauth2PermissionScopes"]
    assert graph.scopes(twin.application_id) == len(scopes)


def test_assignments_follow_every_page(graph, twin):
    everyone = [one for one in twin.tenant.tables["assignments"].values() if one["resourceId"] == twin.application_id]
    live = check(ASSIGNMENTS, graph.assignments(twin.application_id))
    assert sorted(live["assignment_id"]) == sorted(one["id"] for one in everyone)
    assert set(live["principal_type"]) <= {"Group", "User", "ServicePrincipal"}


@pytest.mark.parametrize("page", [1, 2, 7])
def test_pages_of_any_size_give_the_same_table(twin, page):
    graph, whole = twin.reading(), twin.reading().assignments(twin.application_id)
    twin.switch(page=page)
    wire = graph.read(f"/servicePrincipals/{twin.application_id}/appRoleAssignedTo")
    assert [one["id"] for one in wire] == list(whole["assignment_id"])
    assert len([path for _, path, _ in twin.asked if "skiptoken" in path]) >= len(whole) // page - 1


def test_groups_by_name_unique_name_and_id(graph, twin):
    groups = list(twin.tenant.tables["groups"].values())
    names = [group["displayName"] for group in groups[:20]]
    found = check(GROUPS, graph.groups(names=names))
    assert set(found["group_id"]) == {group["id"] for group in groups if group["displayName"].lower() in {name.lower() for name in names}}
    assert {asked[1] for asked in twin.asked} == {"/v1.0/$batch"}
    ids = [group["id"] for group in groups]
    assert set(graph.groups(ids=ids)["group_id"]) == set(ids)


def upserted(twin, name="AWS-001368578007-New"):
    """Make a group as a plan of groups does: an upsert by its alternate key."""
    body = {"displayName": name, "mailEnabled": False, "mailNickname": name, "securityEnabled": True}
    settled = Settled("groups", json.dumps([name]), (facts.group(name, name),))
    request = Request("PATCH", f"/groups(uniqueName='{name}')", as_json(body), "make", settled, headers=(("Prefer", "create-if-missing"),))
    graph = twin.writing()
    with graph.permit([request]):
        answers = [*graph.send([request]), *graph.send([request])]
    assert [answer.fate for answer in answers] == ["done", "done"]
    assert [answer.status for answer in answers] == [201, 204]
    return request


def test_group_is_found_by_its_unique_name(graph, twin):
    """learn.microsoft.com graph/api/group-upsert: sent twice, it is still one group."""
    upserted(twin)
    (row,) = graph.groups(unique_names=["AWS-001368578007-New"]).itertuples()
    assert (row.unique_name, row.group_name, row.security_enabled, row.kind) == (
        "AWS-001368578007-New",
        "AWS-001368578007-New",
        True,
        "security",
    )


def test_same_group_found_twice_is_one_row(graph, twin):
    group = next(iter(twin.tenant.tables["groups"].values()))
    assert list(graph.groups(names=[group["displayName"]], ids=[group["id"]])["group_id"]).count(group["id"]) == 1


def test_names_that_nobody_has_have_no_row(graph):
    assert len(graph.groups(names=["nobody's group, with 'quotes' & more #1 +/?%", "<script>"], ids=["0" * 8])) == 0


def test_nothing_asked_nothing_sent(graph, twin):
    assert len(graph.groups()) == 0
    assert len(graph.members([])) == 0
    assert twin.asked == []


def test_members_are_the_direct_ones(graph, twin):
    """Nested membership gives no role (learn.microsoft.com entra/identity/enterprise-apps/assign-user-or-group-access-portal)."""
    ids = list(twin.tenant.tables["groups"])
    live = check(MEMBERS, graph.members([*ids, ids[0]]))
    truth = {(group, member) for group, members in twin.tenant.tables["members"].items() for member in members}
    assert set(zip(live["group_id"], live["member_id"], strict=True)) == truth
    users = twin.tenant.tables["users"]
    for row in live.itertuples():
        if row.member_id in users:
            assert (row.member_type, row.user_name) == ("User", users[row.member_id]["userPrincipalName"])
            assert row.enabled == users[row.member_id]["accountEnabled"]
        else:
            assert (row.member_type, row.user_name, row.enabled) == ("Group", "", True)


def test_membership_follows_groups_inside_groups_and_ends(graph, twin):
    """A circle of groups is allowed in Entra."""
    one, other = list(twin.tenant.tables["groups"])[:2]
    twin.tenant.tables["members"][one] = (other,)
    twin.tenant.tables["members"][other] = (one,)
    groups, members = graph.membership([one])
    assert set(groups["group_id"]) == {one, other}
    assert set(zip(members["group_id"], members["member_id"], strict=True)) == {(one, other), (other, one)}
    assert [len(table) for table in graph.membership([])] == [0, 0]


def test_tenant_is_a_subject(graph, twin):
    assert graph.tenant()[:2] == ("tenant", twin.id)


def test_jobs_and_directory(graph, twin):
    assert graph.jobs(twin.application_id) == []
    directory = graph.directory()
    assert directory.tenant_id == twin.id
    assert "AAD_PREMIUM" in directory.plans
    assert twin.tenant.domain in directory.domains


def test_object_that_is_not_there_is_a_refusal_with_the_next_step(graph):
    with pytest.raises(GraphError, match="Request_ResourceNotFound") as error:
        graph.app_roles("00000000-0000-0000-0000-000000000000")
    assert error.value.status == 404
    assert error.value.request_id
    assert "Check the id" in error.value.remedy


def test_missing_permission_is_named(twin):
    with pytest.raises(GraphError, match="Authorization_RequestDenied") as error:
        twin.reading("poor").app_roles(twin.application_id)
    assert "00-preflight" in error.value.remedy


@pytest.mark.parametrize("text", ["", "../groups", "a/b", "a?b", "a'b", "a b", "a%2Fb"])
def test_id_that_would_change_the_path_is_refused(graph, twin, text):
    with pytest.raises(ParameterError, match="not an object id"):
        graph.app_roles(text)
    assert twin.asked == []


def test_reading_graph_sends_no_write_whatever_is_tried(twin):
    """A read-only runbook cannot write: shown by the log of what came to Graph, not by our own word."""
    graph = twin.reading("writer")
    request = assign(twin, free_group(twin), enabled_roles(twin)[0])
    with pytest.raises(WriteForbidden):
        graph.permit([request])
    for attempt in ([request], [request, request]):
        with pytest.raises(WriteForbidden):
            graph.send(attempt)
    with pytest.raises(WriteForbidden):
        graph._transport._http.patch(f"{twin.url}/v1.0/servicePrincipals/{twin.application_id}", json={"appRoles": []})
    for reader in (graph.app_roles, graph.assignments, graph.application, graph.jobs):
        reader(twin.application_id)
    graph.groups(names=["x"], ids=[free_group(twin)])
    graph.members([free_group(twin)])
    assert {path.split("?")[0] for method, path, _ in twin.asked if method != "GET"} == {"/v1.0/$batch"}
    assert [one for one in twin.writes if one[1] != "/v1.0/$batch"] == []


def test_writing_graph_sends_only_what_the_plan_holds(twin):
    graph, group = twin.writing(), free_group(twin)
    first, second = (assign(twin, group, role) for role in enabled_roles(twin)[:2])
    before = len(twin.tenant.tables["assignments"])
    with pytest.raises(WriteForbidden):
        graph.send([first])
    with graph.permit([first]):
        with pytest.raises(WriteForbidden):
            graph.send([first, second])
        assert len(twin.tenant.tables["assignments"]) == before
        assert graph.send([first])[0].fate == "done"
    with pytest.raises(WriteForbidden):
        graph.send([first])
    assert len(twin.tenant.tables["assignments"]) == before + 1


def test_second_sending_is_recognised_by_reading(twin):
    """terraform-provider-azuread pull 1896: a POST whose answer was lost meets itself."""
    graph, request = twin.writing(), assign(twin, free_group(twin), enabled_roles(twin)[0])
    with graph.permit([request]):
        assert graph.send([request])[0].fate == "done"
        (again,) = graph.send([request])
    assert (again.fate, again.status) == ("unknown", 400)
    assert request.settled.holds(graph.live("assignments", twin.application_id))


def test_batch_of_assignments(twin):
    graph, group = twin.writing(), free_group(twin)
    requests = [assign(twin, group, role) for role in enabled_roles(twin)]
    with graph.permit(requests):
        answers = graph.send(requests)
    assert {answer.fate for answer in answers} == {"done"}
    live = set(graph.live("assignments", twin.application_id))
    assert all(request.settled.present[0] in live for request in requests)


def test_live_facts_are_those_of_the_tables(graph, twin):
    app_roles = graph.app_roles(twin.application_id)
    assert graph.live("app_roles", twin.application_id) == tuple(facts.app_role(entry) for entry in app_roles["entry"])
    assigned = graph.assignments(twin.application_id)
    wanted = tuple(map(facts.assignment, assigned["app_role_id"], assigned["principal_id"]))
    assert graph.live("assignments", twin.application_id) == wanted


def test_live_groups_are_looked_up_by_unique_and_display_names(graph, twin):
    request = upserted(twin)
    assert request.settled.holds(graph.live("groups", json.dumps(["aws-001368578007-new"])))
    group = next(iter(twin.tenant.tables["groups"].values()))
    both = graph.live("groups", json.dumps(["AWS-001368578007-New", group["displayName"]]))
    assert both.count(request.settled.present[0]) == 1
    assert facts.group(group["uniqueName"], group["displayName"]) in both


def test_unknown_table_is_refused(graph):
    with pytest.raises(ParameterError, match="no table"):
        graph.live("weather", "x")


def test_snapshot_is_the_live_table_as_graph_sends_it(graph, twin):
    kept = json.loads(graph.snapshot("app_roles", twin.application_id))
    assert (kept["table"], kept["of"]) == ("app_roles", twin.application_id)
    assert approles.entries(kept["value"]).equals(graph.app_roles(twin.application_id))
    assert [entry["value"] for entry in kept["value"] if entry["displayName"] == "msiam_access"] == [None]


def test_short_answer_about_the_service_principal_is_unread(graph, twin, monkeypatch):
    """A service principal without its appRoles is unknown: a plan from it would replace them by nothing."""
    for wire in (
        {"id": twin.application_id},
        {"id": twin.application_id, "appRoles": None},
        {"id": "another", "appRoles": []},
        {"appRoles": []},
    ):
        monkeypatch.setattr(graph, "one", lambda path, wire=wire: wire)
        with pytest.raises(UnreadError):
            graph.app_roles(twin.application_id)


def test_throttling_is_waited_out_and_shows_in_the_budget(twin):
    hours = scripted.Hours()

    def sleep(seconds):
        hours.slept.append(seconds)
        twin.tenant.meter = type(twin.tenant.meter)()  # time passes in the twin as well

    graph = twin.reading(clock=Clock(hours.now, hours.ticks, sleep, lambda: 0.5))
    twin.switch(throttle=3, retry_after="fraction")
    for _ in range(4):
        graph.assignments(twin.application_id)
    graph.members(list(twin.tenant.tables["groups"]))
    assert graph.budget.throttled > 0
    assert graph.budget.units > 0
    assert graph.budget.retried == len(hours.slept)


def test_expired_token_is_renewed_in_the_middle(twin, graph):
    """Tokens end, and are withdrawn, in the middle of a long run: one renewal, and on."""
    graph._transport._source = Renewing(graph._transport._source, Token("eyJhbGciOiJub25lIn0.e30.x"))
    assert len(graph.app_roles(twin.application_id)) > 0
    assert [status for _, _, status in twin.asked] == [401, 200]


class Renewing:
    """A source whose first token is stale."""

    def __init__(self, source, stale):
        self.source, self.stale = source, stale

    def token(self):
        return self.stale

    def renew(self, claims):
        return self.source.renew(claims)


class Notes:
    """A journal in memory."""

    def __init__(self):
        self.lines, self.kept, self.runbook = [], {}, ""

    def note(self, event, **fields):
        self.lines.append((event, fields))

    def keep(self, name, content):
        self.kept[name] = content

    def approval(self, plan_id):
        return Approval(timedelta(0), timedelta(0))

    @contextmanager
    def hold(self, key):
        yield


def plan_of_new_role(graph, twin):
    """A plan that adds one appRole to the live collection."""
    live = graph.app_roles(twin.application_id)
    entries = [*live["entry"]]
    account = "123456789012"
    value = f"arn:aws:iam::{account}:role/New,arn:aws:iam::{account}:saml-provider/WAAD"
    new = {"allowedMemberTypes": ["User"], "description": "New", "displayName": "New", "id": "3a84e31e-bffa-470f-b9e6-754a61e4dc63", "isEnabled": True, "value": value}  # fmt: skip
    before, after = (tuple(map(facts.app_role, listed)) for listed in (entries, [*entries, new]))
    of = twin.application_id
    basis, goal = Basis.over("app_roles", of, before), Basis.over("app_roles", of, after)
    request = Request("PATCH", f"/servicePrincipals/{of}", as_json({"appRoles": [*entries, new]}), "add New", Settled("app_roles", of, (facts.app_role(new),)), basis)  # fmt: skip
    return Plan("Add", graph.application(of), (), (request,), (basis,), (goal,))


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_plan_is_applied_over_the_wire_and_read_back_through_lagging_replicas(twin, lag):
    graph, notes = twin.writing(), Notes()
    twin.switch(lag_reads=lag)
    plan = plan_of_new_role(graph, twin)
    twin.tenant.requests.clear()
    outcome = plan.apply(graph, approved=plan.id, journal=notes)
    assert outcome.verdict == "applied"
    assert [one[:2] for one in twin.writes] == [("PATCH", f"/v1.0/servicePrincipals/{twin.application_id}")]
    assert [event for event, _ in notes.lines if event in ("intent", "answer")] == ["intent", "answer"]
    assert json.loads(next(iter(notes.kept.values())))["table"] == "app_roles"


def test_plan_without_approval_sends_nothing(twin):
    graph = twin.writing()
    plan = plan_of_new_role(graph, twin)
    assert plan.apply(graph, approved="", journal=Notes()).verdict == "planned"
    assert twin.writes == []


def test_lost_answer_is_adopted_after_reading(twin, monkeypatch):
    """The write was carried out and its answer lost: read, recognised, not sent again."""
    graph, notes = twin.writing(), Notes()
    plan = plan_of_new_role(graph, twin)
    send = graph._transport._sent

    def lose(request):
        answer = send(request)
        return Lost("The answer did not come in time.", "unknown") if request.method == "PATCH" else answer

    monkeypatch.setattr(graph._transport, "_sent", lose)
    outcome = plan.apply(graph, approved=plan.id, journal=notes)
    assert (outcome.verdict, [sent.fate for sent in outcome.sent]) == ("applied", ["adopted"])
    assert len(twin.writes) == 1


def test_still_is_asked_of_every_condition(graph, twin):
    good = Basis.over("app_roles", twin.application_id, graph.live("app_roles", twin.application_id))
    bad = Basis.over("assignments", twin.application_id, ())
    request = Request("PATCH", "/x", "{}", "p", Settled("app_roles", twin.application_id))
    assert graph._still(request)
    assert graph._still(replace(request, expects=good))
    assert not graph._still(replace(request, expects=good, beside=(bad,)))


def test_paths_of_filters_hold_fifteen_values(graph, twin):
    """learn.microsoft.com graph/filter-query-parameter: an `in` filter holds 15 values."""
    sent = []
    execute = graph._transport.attempt
    graph._transport.attempt = lambda call: sent.append(call) or execute(call)
    graph.groups(names=[f"name {n}" for n in range(31)])
    urls = [item["url"] for call in sent for item in json.loads(call.body)["requests"]]
    assert [len(re.findall("%27name", url)) for url in urls] == [15, 15, 1]


def test_apply_needs_nothing_else():
    assert {"live", "snapshot", "send", "permit", "wait"} <= set(dir(Graph))
    assert apply.RESENDS >= 1


def test_more_groups_than_a_page_holds_all_come(twin, graph):
    """What one page leaves out is read too, since a group that is not read is not gone."""
    twin.tenant.switches = replace(twin.tenant.switches, page=7)
    made = list(twin.tenant.tables["groups"].values())[:30]
    assert set(graph.groups(ids=[one["id"] for one in made])["group_id"]) == {one["id"] for one in made}


def test_group_create_alone_owns_what_it_creates(twin):
    """Without an owner it could never change the group again (learn.microsoft.com graph/api/group-post-groups)."""
    assert twin.writing().creator() == ""
    twin.without("writer", "Group.ReadWrite.All", "Directory.ReadWrite.All")
    graph = twin.writing()
    wanted = groups.desired(frame(ROLES, [made.role("000000012345", "New")]))
    live = graph.groups(names=wanted.group_name, unique_names=wanted.unique_name)
    plan = groups.plan(graph.tenant(), groups.match(wanted, live), live, creator=graph.creator())
    assert plan.apply(graph, approved=plan.id, journal=FakeJournal()).verdict == "applied"
    (group,) = [key for key, one in twin.tenant.tables["groups"].items() if one["uniqueName"] == "AWS-000000012345-New"]
    assert twin.tenant.tables["owners"][group] == (graph.creator().rpartition("/")[2],)
