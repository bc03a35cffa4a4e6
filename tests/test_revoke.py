"""Emergency revoke: exactly the paths of one subject, by the plan alone and against the twin of Entra ID."""

import json
from datetime import UTC, datetime

import pytest
from fake_service import FakeJournal
from made import APPLICATION, MSIAM, TENANT, assignment, assignments, guid, live, member, members, wire

from awsfed_lib.core.change import Guards, Subject
from awsfed_lib.core.errors import ParameterError, UnsafePlan
from awsfed_lib.core.recovery_shapes import MEMBERSHIPS
from awsfed_lib.core.roles import lost_paths, open_sessions, revoke
from awsfed_lib.core.roles.asked import Asked, app_roles_in, app_roles_of, asked
from awsfed_lib.core.tables import frame
from awsfed_lib.edges.entra import cut as cuts

A, B = "000000012345", "111111111111"
ADMIN, OPS, OTHER = wire(A, "Admin"), wire(A, "Ops"), wire(B, "Admin")
ROLES = live(ADMIN, OPS, OTHER)
ANN = Subject("user", guid("ann"), "ann@contoso.example", TENANT)
HELD = assignments(
    assignment(ADMIN["id"], "ann", "User"), assignment(ADMIN["id"], "Admins"), assignment(OPS["id"], "Ops"), assignment(OTHER["id"], "Admins"),
    assignment(MSIAM["id"], "ann", "User"), assignment(OTHER["id"], "bob", "User"),
)  # fmt: skip


def memberships(*rows):
    return frame(MEMBERSHIPS, [{"group_id": guid(name), "group_name": name, "kept_by": kept} for name, kept in rows])


def ann(*groups):
    mine = [member(name, "ann", member_id=ANN.id, user_name=ANN.name) for name, _ in groups]
    return revoke.Cut(ANN, revoke.emitted(ROLES), memberships(*groups), members(*mine), ("Ann Admin",))


def group(name="Admins"):
    held = frozenset({ADMIN["id"], OTHER["id"]})
    people = members(member(name, "ann"), member(name, "carl"), member(name, "Inner", "Group"))
    return revoke.Cut(Subject("group", guid(name), name, TENANT), held, memberships(), people)


def everybody(kind, name, ids):
    return revoke.Cut(Subject(kind, name, name, TENANT), ids, memberships(), members(member("Admins", "ann"), member("Ops", "carl")))


def plan(cut, **guards):
    return revoke.plan(APPLICATION, ROLES, HELD, cut, guards=Guards(**{"max_removed": 99} | guards))


def said(made):
    return [request.purpose for request in made.requests]


def test_a_person_loses_direct_assignments_and_memberships_in_assigned_groups():
    """`/$ref` is the law: without it the person is deleted (graph/api/group-delete-members)."""
    made = plan(ann(("Admins", ""), ("Parking", "")))
    paths = [request.path for request in made.requests]
    assert {request.method for request in made.requests} == {"DELETE"}
    assert paths[1:] == [f"/groups/{guid('Admins')}/members/{ANN.id}/$ref"]
    assert len(paths) == 2
    assert {loss.role for loss in made.losses} == {
        ADMIN["displayName"], f"{ADMIN['displayName']} (through Admins)", f"{OTHER['displayName']} (through Admins)",
    }  # fmt: skip


def test_msiam_access_is_no_path():
    """It has no value, so nothing of it is emitted: who holds it keeps it."""
    assert not any("msiam_access" in purpose for purpose in said(plan(ann())))


@pytest.mark.parametrize("kept", ["a rule", "Active Directory", "Exchange"])
def test_what_cannot_be_left_is_said_with_its_remedy(kept):
    cut = ann(("Admins", kept))
    made = plan(cut)
    assert len(made.requests) == 1
    assert next(change.why for change in made.changes if change.action == "keep").startswith(f"{kept} keeps the members")
    found = revoke.stays(ROLES, HELD, cut)
    assert found["severity"].tolist() == ["critical"]
    assert ADMIN["displayName"] in found["cause"][0]
    assert "block the sign-in" in found["remedy"][0]
    assert lost_paths.lost(ROLES, HELD, cut)["still"].tolist() == ["Admins"]


def test_role_assignable_groups_come_last_since_graph_may_refuse_them():
    """They ask for RoleManagement.ReadWrite.Directory (graph/api/group-delete-members)."""
    made = plan(ann(("Admins", "role administrators"), ("Ops", "")))
    assert "Admins" in said(made)[-1]
    assert made.requests[-1].wave > made.requests[-2].wave


def test_a_group_loses_its_assignments_and_nobody_elses():
    made = plan(group())
    assert said(made) == sorted(f"Take {role['displayName']} from Admins" for role in (ADMIN, OTHER)) or len(made.requests) == 2
    assert all("Admins" in purpose for purpose in said(made))


def test_a_role_is_taken_from_everybody_who_has_it():
    made = plan(everybody("role", ADMIN["value"], frozenset({ADMIN["id"]})))
    assert {loss.principal_name for loss in made.losses} == {"ann", "Admins"}


def test_an_account_is_taken_from_everybody():
    made = plan(everybody("account", A, app_roles_in(A, ROLES)))
    assert {(loss.principal_name, loss.role) for loss in made.losses} == {
        ("ann", ADMIN["displayName"]), ("Admins", ADMIN["displayName"]), ("Ops", OPS["displayName"]),
    }  # fmt: skip


def test_no_role_is_disabled():
    for cut in (ann(("Admins", "")), group(), everybody("account", A, app_roles_in(A, ROLES))):
        assert {request.method for request in plan(cut).requests} == {"DELETE"}


def test_max_removed_says_how_it_is_raised():
    made = plan(ann(("Admins", "")), max_removed=1)
    assert "max_removed=2 (awsfed run: -p max_removed=2)" in made.refusals[0]
    assert not plan(ann(("Admins", "")), max_removed=2).refusals


@pytest.mark.parametrize(
    ("cut", "pattern"),
    [
        (ann(), "ann@contoso.example"), (ann(), "Ann Admin"), (ann(), ANN.id), (group(), "Admins"), (group(), "carl@*"),
        (everybody("role", "r", frozenset({ADMIN["id"]})), "ann"),
    ],
    ids=["user name", "display name", "id", "group", "member", "assigned"],
)  # fmt: skip
def test_break_glass_is_refused(cut, pattern):
    assert any("break-glass" in why for why in plan(cut, break_glass=(pattern,)).refusals)
    assert not plan(cut, break_glass=("nobody",)).refusals


def test_protected_groups_keep_their_assignments_and_may_still_be_left():
    assert "protected group" in plan(group(), protected_groups=("Adm*",)).refusals[0]
    assert not plan(ann(("Admins", "")), protected_groups=("Adm*",)).refusals


def test_who_loses_what_by_name_and_what_is_left():
    both = everybody("role", "r", frozenset({ADMIN["id"]}))
    table = lost_paths.lost(ROLES, HELD, both)
    assert set(zip(table["person"], table["through"], strict=True)) == {("ann", ""), ("ann@contoso.example", "Admins")}
    empty = lost_paths.lost(ROLES, HELD, revoke.Cut(group().subject, group().app_role_ids, memberships(), members()))
    assert set(empty["person"]) == {lost_paths.NOBODY}


def test_still_names_the_other_group():
    held = assignments(assignment(ADMIN["id"], "Admins"), assignment(ADMIN["id"], "Ops"))
    people = members(member("Admins", "ann"), member("Ops", "ann"), member("Admins", "carl"))
    cut = revoke.Cut(Subject("group", guid("Admins"), "Admins", TENANT), frozenset({ADMIN["id"]}), memberships(), people)
    table = lost_paths.lost(ROLES, held, cut)
    assert dict(zip(table["person"], table["still"], strict=True)) == {"ann@contoso.example": "Ops", "carl@contoso.example": ""}


# What is asked


@pytest.mark.parametrize("given", [{}, {"user": "a@b.c", "group": "g"}, {"role": "r", "account_id": A}], ids=["none", "two", "other two"])
def test_exactly_one_subject(given):
    with pytest.raises(ParameterError, match="One of user, group, role and account_id"):
        asked(**given)


@pytest.mark.parametrize("name", [ADMIN["value"], ADMIN["value"].split(",")[0], ADMIN["displayName"]], ids=["value", "arn", "display name"])
def test_a_role_by_any_of_its_names(name):
    assert app_roles_of(name, ROLES) == {ADMIN["id"]}


def test_a_role_arn_means_every_provider():
    second = {**ADMIN, "id": guid("second"), "value": wire(A, "Admin")["value"].replace("WAAD", "Other")}
    assert app_roles_of(ADMIN["value"].split(",")[0], live(ADMIN, second)) == {ADMIN["id"], second["id"]}


def test_a_name_of_two_roles_or_of_none_is_refused():
    with pytest.raises(ParameterError, match="Give the role ARN"):
        app_roles_of("x", live({**ADMIN, "displayName": "x"}, {**OTHER, "displayName": "x"}))
    with pytest.raises(ParameterError, match=f"Written otherwise there is {ADMIN['value']}"):
        app_roles_of(ADMIN["value"].upper(), ROLES)
    with pytest.raises(ParameterError, match="No appRole"):
        app_roles_in("999999999999", ROLES)


# Sessions


def test_the_policy_is_the_documented_one_with_five_minutes_for_responses_on_their_way():
    """docs.aws.amazon.com IAM id_roles_use_revoke-sessions; STS: "Token must be redeemed within 5 minutes of issuance"."""
    policy = open_sessions.deny_older(datetime(2026, 11, 24, 12, 0, 1, 5, tzinfo=UTC))
    assert policy["Statement"] == [
        {
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T12:05:01Z"}},
        }
    ]
    advice = open_sessions.advice(ann(), policy)
    for text in (str(advice), advice.view.html):
        assert "It ends no session" in text
        assert "2026-11-24T12:05:01Z" in text
    assert f"/users/{ANN.id}/revokeSignInSessions" in str(advice)
    assert "revokeSignInSessions" not in str(open_sessions.advice(group(), policy))
    shown = str(advice)
    assert json.loads(shown[shown.index("{\n") :]) == policy


def test_every_role_that_went_has_its_command():
    table = open_sessions.table(lost_paths.lost(ROLES, HELD, group()))
    assert table["account_id"].tolist() == [A, B]
    assert all("--policy-name AWSRevokeOlderSessions" in command for command in table["command"])


# Against the twin


def parts(twin, **given):
    graph = twin.writing()
    roles, held = graph.app_roles(twin.application_id), graph.assignments(twin.application_id)
    cut = cuts.read(graph, roles, held, asked(**given))
    return graph, cut, revoke.plan(graph.application(twin.application_id), roles, held, cut, guards=Guards(max_removed=99)), (roles, held)


def assigned_user(twin):
    """A member of an assigned group, by id and user name."""
    held = [one for one in twin.tenant.tables["assignments"].values() if one["resourceId"] == twin.application_id]
    groups = [one["principalId"] for one in held if twin.tenant.tables["members"].get(one["principalId"])]
    user = next(one for group in groups for one in twin.tenant.tables["members"][group] if one in twin.tenant.tables["users"])
    return user, twin.tenant.tables["users"][user]["userPrincipalName"]


def test_a_person_is_cut_off_and_nobody_else(twin):
    user, name = assigned_user(twin)
    before = {group: set(people) for group, people in twin.tenant.tables["members"].items()}
    graph, cut, made, (roles, held) = parts(twin, user=name)
    asked_for = [path for method, path, _ in twin.asked if method == "GET"]
    assert len(asked_for) <= 8  # and nothing of AWS: it must be there in seconds
    assert made.apply(graph, approved=made.id, journal=FakeJournal()).verdict == "applied"
    assert cut.subject.id == user
    after = {group: set(people) for group, people in twin.tenant.tables["members"].items()}
    assert {one for group in before for one in before[group] - after[group]} == {user}
    assert not parts(twin, user=user)[2]
    assert not lost_paths.lost(roles, held, cut).empty


def test_a_group_by_name_and_by_id(twin):
    held = next(one for one in twin.tenant.tables["assignments"].values() if one["principalId"] in twin.tenant.tables["groups"])
    graph, _, made, _ = parts(twin, group=held["principalId"])
    assert {loss.principal_id for loss in made.losses} == {held["principalId"]}
    assert made.apply(graph, approved=made.id, journal=FakeJournal()).verdict == "applied"
    with pytest.raises(ParameterError, match="no group"):
        parts(twin, group="No such group")


def test_nobody_of_that_name(twin):
    with pytest.raises(ParameterError, match="There is no user"):
        parts(twin, user="nobody@contoso.example")


def test_a_membership_that_a_rule_keeps_stays_and_is_a_finding(twin):
    user, _ = assigned_user(twin)
    mine = [group for group, people in twin.tenant.tables["members"].items() if user in people]
    for group_id in mine:
        twin.tenant.tables["groups"][group_id] = {**twin.tenant.tables["groups"][group_id], "groupTypes": ["DynamicMembership"]}
    _, cut, made, (roles, held) = parts(twin, user=user)
    assert not any("/members/" in request.path for request in made.requests)
    assert not revoke.stays(roles, held, cut).empty


def test_drift_between_plan_and_approval_is_refused(twin):
    user, _ = assigned_user(twin)
    graph, _, made, _ = parts(twin, user=user)
    other = next(group for group, people in twin.tenant.tables["members"].items() if user not in people)
    twin.tenant.tables["members"][other] = (*twin.tenant.tables["members"][other], user)
    with pytest.raises(Exception, match="memberships changed"):
        made.apply(graph, approved=made.id, journal=FakeJournal())
    with pytest.raises(UnsafePlan):
        plan(ann(("Admins", "")), max_removed=0)._refuse(
            type("Service", (), {"realm": TENANT}), plan(ann(("Admins", "")), max_removed=0).id, FakeJournal()
        )


def test_asked_is_what_the_parameter_says():
    assert asked(user="a@b.c") == Asked("user", "a@b.c")
