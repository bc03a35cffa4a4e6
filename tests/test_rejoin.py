"""Memberships that a run ended come back, exactly those: against the twin of Entra ID, with real records; and what cannot come back is said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import guid
from test_recorded import RUN, at_the_portal, graph, root, sent  # noqa: F401  fixtures

from awsfed_lib.core.change import Guards, Subject
from awsfed_lib.core.errors import WriteForbidden
from awsfed_lib.core.recovery_shapes import MEMBERSHIPS
from awsfed_lib.core.roles import membership, rejoin, restore
from awsfed_lib.core.roles.rejoin import Ended, Former
from awsfed_lib.core.tables import frame
from awsfed_lib.edges.entra import former
from awsfed_lib.edges.records import journal as journals
from awsfed_lib.edges.records import memberships, recorded, where
from awsfed_lib.edges.records.journal import Line

PERSON = Subject("user", guid("ann"), "ann@contoso.example", "tenant-1")


def somebody(twin):
    """A person with memberships in assigned groups, and their groups."""
    tables = twin.tenant.tables
    held = {one["principalId"] for one in tables["assignments"].values() if one["resourceId"] == twin.application_id}
    plain = {key for key in held & set(tables["groups"]) if not kept(tables["groups"][key])}
    inside = {}
    for group in sorted(plain):
        for member in tables["members"].get(group, ()):
            inside.setdefault(member, []).append(group)
    return max(((user, groups) for user, groups in sorted(inside.items()) if user in tables["users"]), key=lambda pair: len(pair[1]))


def kept(group):
    return group.get("onPremisesSyncEnabled") or group.get("groupTypes") or group.get("mailEnabled") or group.get("isAssignableToRole")


def somebody_with_both(twin):
    """A person with an assignment of their own, put into two assigned groups as well."""
    tables, (_, groups) = twin.tenant.tables, somebody(twin)
    emitted = {role["id"] for role in twin.service_principal["appRoles"] if role["value"] and role["isEnabled"]}
    user = next(
        one["principalId"]
        for one in tables["assignments"].values()
        if one["appRoleId"] in emitted and one["principalId"] in tables["users"]
    )
    for group in groups:
        tables["members"][group] = tuple(dict.fromkeys((*tables["members"].get(group, ()), user)))
    return user, [key for key in sorted(assigned_to(twin)) if user in tables["members"].get(key, ())]


def everybody(twin):
    return {group: frozenset(people) for group, people in twin.tenant.tables["members"].items() if people}


def way_back(twin, graph, name=RUN):  # noqa: F811
    snapshot = recorded.read(name).snapshot()
    live = graph.app_roles(twin.application_id), graph.assignments(twin.application_id)
    people = former.read(graph, snapshot.ended)
    now = restore.Live(*live, graph.present(restore.principals(snapshot)), graph.scopes(twin.application_id), former=people)
    made = restore.plan(graph.application(twin.application_id), now, snapshot, guards=Guards())
    return made, restore.not_restored(made, snapshot)


def joining(made):
    return [request.path for request in made.requests if "/members/" in request.path]


def test_a_person_is_put_back_into_the_groups_they_were_taken_out_of_and_nobody_else_anywhere(root, twin, graph):  # noqa: F811
    user, groups = somebody_with_both(twin)
    before, assigned = everybody(twin), sorted(graph.live("assignments", twin.application_id))
    sent(twin, graph, user=user)
    assert everybody(twin) != before
    made, table = way_back(twin, graph)
    assert sorted(joining(made)) == sorted(f"/groups/{group}/members/$ref" for group in groups)
    assert made.requests[-1].content == {"@odata.id": f"{twin.url}/v1.0/directoryObjects/{user}"}
    waves = {"members" if "/members/" in request.path else "others": request.wave for request in made.requests}
    assert waves["others"] < waves["members"], "were a membership refused, the assignments have come back"
    assert {change.why for change in made.changes if change.kind == "membership"} == {"that run ended it"}
    assert "membership" not in set(table["part"])
    at_the_portal(graph, made)
    assert (everybody(twin), sorted(graph.live("assignments", twin.application_id))) == (before, assigned)
    assert not way_back(twin, graph)[0]


def test_only_the_approved_request_leaves(root, twin, graph):  # noqa: F811
    """The transport lets through what the plan holds, word for word."""
    user, groups = somebody(twin)
    sent(twin, graph, user=user)
    made, _ = way_back(twin, graph)
    known = next(request for request in made.requests if "/members/" in request.path)
    other = replace(known, body=known.body.replace(user, next(key for key in twin.tenant.tables["users"] if key != user)))
    with graph.permit(made.requests), pytest.raises(WriteForbidden):
        graph.send([other])
    assert not twin.tenant.tables["members"].get(groups[0]) or user not in twin.tenant.tables["members"][groups[0]]


def test_a_membership_that_somebody_else_ended_does_not_come_back(root, twin, graph):  # noqa: F811
    """The snapshot holds all groups of the person; only the journal says which of them the run ended."""
    user, groups = somebody(twin)
    other = next(
        key for key, group in twin.tenant.tables["groups"].items() if key not in groups and not kept(group) and key not in assigned_to(twin)
    )
    people = twin.tenant.tables["members"]
    people[other] = (*people.get(other, ()), user)
    sent(twin, graph, user=user)
    people[other] = tuple(one for one in people[other] if one != user)
    made, _ = way_back(twin, graph)
    assert sorted(joining(made)) == sorted(f"/groups/{group}/members/$ref" for group in groups)


def assigned_to(twin):
    return {one["principalId"] for one in twin.tenant.tables["assignments"].values()}


def test_who_is_a_member_again_needs_nothing(root, twin, graph):  # noqa: F811
    user, groups = somebody(twin)
    sent(twin, graph, user=user)
    people = twin.tenant.tables["members"]
    for group in groups:
        people[group] = (*people.get(group, ()), user)
    made, table = way_back(twin, graph)
    assert not joining(made)
    assert "membership" not in set(table["part"])
    assert {change.action for change in made.changes if change.kind == "membership"} == {"keep"}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"onPremisesSyncEnabled": True}, "Active Directory keeps the members"), ({"isAssignableToRole": True}, "role-assignable"),
        ({"groupTypes": ["DynamicMembership"], "membershipRule": "user.accountEnabled -eq true"}, "a rule keeps the members"),
        ({"mailEnabled": True}, "Exchange keeps the members"),
    ],
    ids=["on-premises", "role-assignable", "dynamic", "mail-enabled"],
)  # fmt: skip
def test_a_group_that_graph_does_not_let_us_join_is_a_row_with_its_reason(root, twin, graph, fields, words):  # noqa: F811
    user, groups = somebody(twin)
    sent(twin, graph, user=user)
    table = twin.tenant.tables["groups"]
    table[groups[0]] = {**table[groups[0]], **fields}
    made, told = way_back(twin, graph)
    assert sorted(joining(made)) == sorted(f"/groups/{group}/members/$ref" for group in groups[1:])
    [row] = told[told["part"] == "membership"].to_dict("records")
    assert words in row["problem"]
    assert table[groups[0]]["displayName"] in row["label"]


def test_deleted_people_and_groups_are_rows_with_their_reason(root, twin, graph):  # noqa: F811
    user, groups = somebody(twin)
    sent(twin, graph, user=user)
    del twin.tenant.tables["groups"][groups[0]]
    made, told = way_back(twin, graph)
    assert len(joining(made)) == len(groups) - 1
    assert "this group does not exist any more" in " ".join(told["problem"])
    del twin.tenant.tables["users"][user]
    made, told = way_back(twin, graph)
    assert not joining(made)
    problems = told[told["part"] == "membership"]["problem"]
    assert len(problems) == len(groups)
    assert all("this person does not exist any more" in problem for problem in problems)


def test_a_record_without_memberships_asks_nothing_about_people(root, twin, graph):  # noqa: F811
    sent(twin, graph)
    snapshot = recorded.read(RUN).snapshot()
    asked = len(twin.asked)
    assert former.read(graph, snapshot.ended) == rejoin.NOBODY
    assert len(twin.asked) == asked


def test_the_record_of_a_restore_names_what_it_put_back_and_takes_nothing_away(root, twin, graph):  # noqa: F811
    user, groups = somebody(twin)
    sent(twin, graph, user=user)
    at_the_portal(graph, way_back(twin, graph)[0])
    lines = journals.read(where.runs() / "portal")
    [told] = memberships.added(lines)
    assert told.count("Put ") == len(groups)
    assert memberships.ended(lines) == ()
    assert memberships.added(recorded.read(RUN).lines) == ()


# By the journal


def join():
    return membership.join(PERSON, {"group_id": guid("Admins"), "group_name": "Admins"}, graph_url="https://graph.microsoft.us")


def leave(group="Admins"):
    return membership.leave(PERSON, guid(group), group)


def wire(request):
    return {"method": request.method, "path": request.path, "body": request.body, "purpose": request.purpose}


def journal(*fates, verdict="failed"):
    """A plan that takes somebody out of a group, and what was answered: a fate each, "" for none."""
    request, change = leave(), membership.left(PERSON, guid("Admins"), "Admins", "")
    lines = [("plan", {"id": "plan-1", "content": {"changes": [change._asdict()], "requests": [wire(request)]}})]
    for fate in fates:
        lines.append(("intent", {"method": request.method, "path": request.path, "body": ""}))
        lines += [("answer", {"path": request.path, "fate": fate})] if fate else []
    lines.append(("outcome", {"plan": "plan-1", "verdict": verdict}))
    return [Line(number, "", event, fields, "") for number, (event, fields) in enumerate(lines)]


@pytest.mark.parametrize(
    ("fates", "verdict", "doubt"),
    [
        (("sent",), "applied", ""), (("sent",), "failed", ""), (("indeterminate", "sent"), "failed", ""), (("sent", "refused"), "failed", ""),
        (("indeterminate",), "applied", ""), (("indeterminate",), "failed", memberships.DOUBT), (("",), "failed", memberships.DOUBT),
        (("indeterminate", "refused"), "failed", memberships.DOUBT), (("refused", ""), "failed", memberships.DOUBT),
    ],
)  # fmt: skip
def test_what_was_answered_or_left_open_may_have_ended_it(fates, verdict, doubt):
    assert memberships.ended(journal(*fates, verdict=verdict)) == (
        Ended(PERSON.id, guid("Admins"), "ann@contoso.example in Admins", doubt),
    )


@pytest.mark.parametrize("fates", [(), ("refused",), ("refused", "refused")], ids=["not sent", "refused", "refused twice"])
def test_what_was_refused_or_never_sent_was_not_ended_by_the_run(fates):
    assert memberships.ended(journal(*fates)) == ()


def test_a_doubt_is_said_in_the_plan():
    one = Ended(PERSON.id, guid("Admins"), "ann in Admins", memberships.DOUBT)
    groups = frame(MEMBERSHIPS, [{"group_id": guid("Admins"), "group_name": "Admins", "kept_by": ""}])
    made = rejoin.back([one], Former({PERSON.id: PERSON}, {PERSON.id: frozenset()}, groups, "https://graph.microsoft.us"))
    assert [change.why for change in made.changes] == [memberships.DOUBT]
    assert made.requests[0].content == {"@odata.id": f"https://graph.microsoft.us/v1.0/directoryObjects/{PERSON.id}"}


NAMES = ["ann", "bob", "carl"]
GROUPS = ["Admins", "Ops", "Read"]
PAIRS = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(GROUPS)))
KEEPERS = st.sampled_from(["", "a rule", "Active Directory", "Exchange", "role administrators"])


@given(PAIRS, PAIRS, st.sets(st.sampled_from(NAMES)), st.dictionaries(st.sampled_from(GROUPS), KEEPERS))
def test_every_ended_membership_is_there_afterwards_or_told_and_no_other_is_made(gone, now, people, groups):
    listed = [Ended(guid(who), guid(group), f"{who} in {group}") for who, group in sorted(gone)]
    held = {guid(who): frozenset(guid(group) for one, group in now if one == who) for who in people}
    table = frame(MEMBERSHIPS, [{"group_id": guid(name), "group_name": name, "kept_by": keeper} for name, keeper in sorted(groups.items())])
    subjects = {guid(who): Subject("user", guid(who), who, "tenant-1") for who in people}
    made = rejoin.back(listed, Former(subjects, held, table, "https://graph.microsoft.com"))
    joined = {(request.content["@odata.id"].rpartition("/")[2], request.path.split("/")[2]) for request in made.requests}
    told = {change.key for change in made.changes if change.why.startswith("not restored")}
    wanted = {(one.person_id, one.group_id) for one in listed}
    there = {(who, group) for who, inside in held.items() for group in inside}
    assert joined <= wanted - there
    assert {membership.key(*pair) for pair in wanted - there - joined} == told
    assert {basis.of for basis in made.basis} == {basis.of for basis in made.goal} == {who for who, _ in joined}
    assert all(groups[name] == "" for name in GROUPS if guid(name) in {group for _, group in joined})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/groups/g/members/p"), ("POST", "/groups/g/members/p/$ref"), ("DELETE", "/groups/g/owners/p/$ref"),
        ("DELETE", "/groups/g/members/p/$ref/more"), ("DELETE", "/servicePrincipals/s/appRoleAssignedTo/a"),
    ],
)  # fmt: skip
def test_no_other_request_ends_a_membership(method, path):
    assert membership.ended_by(method, path) is None
    assert membership.ended_by(leave().method, leave().path) == (PERSON.id, guid("Admins"))
