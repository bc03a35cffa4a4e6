"""What one permission less shows: unknown, and never absent, enabled or fine. Each read is taken away from a client of the sandbox."""

from datetime import UTC, datetime

import pytest

from awsfed_lib.core import coverage
from awsfed_lib.core.roles import lost_paths, revoke
from awsfed_lib.core.roles.asked import Asked
from awsfed_lib.edges.entra import cut, signers
from awsfed_lib.edges.entra.objects import HIDDEN

READER = "reader"


@pytest.fixture
def hidden(twin):
    """An assigned group with hidden membership, and a user in it."""
    tables = twin.tenant.tables
    assigned = [one["principalId"] for one in tables["assignments"].values() if one["resourceId"] == twin.application_id]
    users = {group: next((one for one in tables["members"].get(group, ()) if one in tables["users"]), "") for group in assigned}
    group = next(group for group, user in users.items() if user and group in tables["groups"])
    tables["groups"][group] = {**tables["groups"][group], "visibility": "HiddenMembership"}
    return group, users[group]


def read(twin):
    graph = twin.reading(READER)
    return graph, *signers.membership(graph, graph.assignments(twin.application_id))


@pytest.mark.parametrize("answer", ["empty", "denied"])
def test_hidden_members_are_not_known(twin, hidden, answer):
    """Graph leaves them out in silence, or refuses: which one is documented nowhere."""
    twin.switch(hidden_members=answer)
    group, user = hidden
    _, groups, members = read(twin)
    assert (set(groups.problem), (members.member_id[members.group_id == group] == user).any()) == ({""}, True)
    twin.without(READER, "Member.Read.Hidden")
    _, groups, members = read(twin)
    assert dict(groups.set_index("group_id").problem)[group] == HIDDEN
    assert group not in set(members.group_id)


def test_revocation_says_that_a_person_may_be_in_a_hidden_group(twin, hidden):
    """“Nothing to do” was said, and the person signed in."""
    group, user = hidden
    twin.without(READER, "Member.Read.Hidden")
    graph = twin.reading(READER)
    app_roles, assigned = graph.app_roles(twin.application_id), graph.assignments(twin.application_id)
    stays = revoke.stays(app_roles, assigned, cut.read(graph, app_roles, assigned, Asked("user", user)))
    (row,) = stays[stays.subject.str.endswith(group)].itertuples()
    assert (row.severity, row.check) == ("critical", "not revoked")
    of_group = cut.read(graph, app_roles, assigned, Asked("group", group))
    assert set(lost_paths.lost(app_roles, assigned, of_group).person) == {lost_paths.NOT_KNOWN}


def test_state_of_users_is_not_known_without_user_read_all(twin):
    """microsoft-graph-docs #2833: accountEnabled is null with User.ReadBasic.All. It counted as enabled."""
    basic = twin.clients[READER].permissions - {"User.Read.All", "Directory.Read.All"} | {"User.ReadBasic.All"}
    twin.tenant.permit(READER, basic)
    graph, _, members = read(twin)
    assert members.enabled[members.member_type == "User"].isna().all()
    assert set(graph.coverage.table.loc[graph.coverage.table.state == "not read", "what"]) == {"state of users"}
    assert any("State of users" in gap for gap in coverage.gaps(graph.coverage.table)), (
        "a run that knows of nobody whether they are enabled is not good"
    )


def test_users_who_are_refused_stay_and_only_those_who_are_gone_go(twin):
    """A 403 dropped them in silence, like people who are deleted."""
    kept = {one["principalId"] for one in twin.tenant.tables["assignments"].values() if one["principalType"] == "User"}
    twin.without(READER, "User.Read.All", "Directory.Read.All", "User.ReadBasic.All")
    graph, _, members = read(twin)
    assigned = graph.assignments(twin.application_id)
    users = assigned[assigned.principal_type == "User"]
    assert set(users.principal_id) <= kept & set(members.member_id)
    alone = members[(members.group_id == "") & members.member_id.isin(users.principal_id)]
    assert set(alone.member_name) <= set(users.principal_name)
    assert alone.enabled.isna().all()
    user = users.principal_id.iloc[0]
    del twin.tenant.tables["users"][user]
    assert graph.users([user])[user].status in (403, 404)


def test_claims_that_may_not_be_read_are_a_guess_that_says_so(twin):
    def signer():
        return signers.signer(twin.reading(READER), twin.session(READER), twin.application_id, now=datetime(2026, 11, 24, tzinfo=UTC))

    known = signer()
    assert (known.claims_problem == "") == (known.known_claims is not None)
    twin.without(READER, "Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration")
    unknown = signer()
    assert unknown.known_claims is None
    assert set(unknown.claims.origin) != {"template"}
