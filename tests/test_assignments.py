import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import (
    APPLICATION,
    MSIAM,
    account,
    accounts,
    arn,
    assignment,
    assignments,
    group,
    groups,
    guid,
    live,
    provider,
    role,
    roles,
    shuffled,
    wire,
)

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Guards
from awsfed_lib.core.roles import assignments as a
from awsfed_lib.core.roles import groups as g

A, B = "000000012345", "111111111111"
OURS = {name: f"AWS-{A}-{name}" for name in ("Admin", "Ops")}


def matched(*names, live_groups=None):
    present = live_groups if live_groups is not None else groups(*(group(f"AWS-{A}-{name}", f"AWS-{A}-{name}") for name in names))
    return g.match(g.desired(roles(*(role(A, name) for name in names))), present)


def plan(app_roles, table, known=None, **fields):
    return a.plan(APPLICATION, app_roles, table, known if known is not None else assignments(), **({"within": accounts(A, B)} | fields))


def by_label(made):
    return {change.label: change for change in made.changes}


ADMIN, OPS = wire(A, "Admin"), wire(A, "Ops")


def test_one_group_is_assigned_to_one_role_on_the_resource_side():
    """POST …/appRoleAssignedTo with the three ids (learn.microsoft.com graph/api/serviceprincipal-post-approleassignedto)."""
    made = plan(live(ADMIN, OPS), matched("Admin", "Ops"))
    assert [(request.method, request.path) for request in made.requests] == [("POST", "/servicePrincipals/sp-1/appRoleAssignedTo")] * 2
    assert {(body["principalId"], body["appRoleId"]) for body in (request.content for request in made.requests)} == {
        (guid(OURS[name]), guid(f"{A}/{name}")) for name in OURS
    }
    assert all(request.content["resourceId"] == "sp-1" for request in made.requests)


def test_trap_11_what_is_there_is_not_posted_again():
    """A repeated POST is 400 "Permission being assigned already exists" (terraform-provider-azuread pull request 1896)."""
    made = plan(live(ADMIN), matched("Admin"), assignments(assignment(ADMIN["id"], OURS["Admin"])))
    assert not made
    assert made.counts == {"keep": 1}


def test_trap_11_a_post_is_recognised_by_what_it_makes():
    made = plan(live(ADMIN), matched("Admin"))
    fact = facts.assignment(ADMIN["id"], guid(OURS["Admin"]))
    assert made.requests[0].settled == ("assignments", "sp-1", (fact,), ())
    assert made.goal == (Basis.over("assignments", "sp-1", (fact,)),)


def test_basis_holds_both_tables_and_an_empty_one_too():
    """A first plan on an empty list of assignments must go stale as any other."""
    made = plan(live(ADMIN), matched("Admin"))
    expected = tuple(map(facts.app_role, (MSIAM, ADMIN)))
    assert made.basis == (Basis.over("app_roles", "sp-1", expected), Basis.over("assignments", "sp-1", ()))


@pytest.mark.parametrize(
    ("app_roles", "table", "why"),
    [
        (live(), matched("Admin"), "no such appRole yet (04-approles)"),
        (live(ADMIN), matched("Admin", live_groups=groups()), "the group is not there yet (05-groups)"),
        (live(wire(A, "Admin", isEnabled=False)), matched("Admin"), "a disabled appRole cannot be assigned"),
        (live(ADMIN), matched("Admin", live_groups=groups(group(OURS["Admin"], security_enabled=False))), "not security-enabled"),
        (live(ADMIN), matched("Admin", live_groups=groups(group(OURS["Admin"]))), "name it by its id in group_map"),
    ],
)
def test_what_cannot_be_assigned_says_which_runbook_helps(app_roles, table, why):
    made = plan(app_roles, table)
    assert not made
    (change,) = made.changes
    assert (change.action, why in change.why) == ("keep", True)
    (waiting,) = made.waiting
    assert waiting.startswith("1 role not assigned: ")
    assert why in waiting


def test_outcome_says_that_roles_still_lack_their_group():
    """Nothing to send is not the same as nothing left to do."""
    made = plan(live(ADMIN), matched("Admin", live_groups=groups()))
    outcome = made.apply(None, approved="", journal=None)
    assert outcome.verdict == "nothing to do"
    line = "1 role not assigned: the group is not there yet (05-groups)"
    assert outcome.content["waiting"] == [line]
    assert f"not yet: {line}" in str(outcome)
    assert line in outcome._repr_mimebundle_()["text/html"]
    assert plan(live(ADMIN), matched("Admin"), assignments(HELD)).apply(None, approved="", journal=None).waiting == ()


def test_a_role_in_the_other_order_of_arns_is_found():
    reverse = wire(A, "Admin", value=f"{provider(A)},{arn(A, 'Admin')}")
    assert plan(live(reverse), matched("Admin")).requests[0].content["appRoleId"] == reverse["id"]


EXTRA = assignment(ADMIN["id"], "somebody-else")
HELD = assignment(ADMIN["id"], OURS["Admin"])


def test_extras_are_shown_and_stay_while_max_removed_is_0():
    made = plan(live(ADMIN), matched("Admin"), assignments(HELD, EXTRA))
    assert not made
    assert by_label(made)["somebody-else → name-345 / Admin"].why == "extra: not the group of this role; max_removed is 0"


def test_extras_go_after_the_additions_and_are_counted():
    """Adding comes before removing, so that nobody is without access in between."""
    made = plan(live(ADMIN, OPS), matched("Admin", "Ops"), assignments(HELD, EXTRA), guards=Guards(max_removed=1))
    assert [(request.method, request.wave) for request in made.requests] == [("POST", 0), ("DELETE", 1)]
    assert made.requests[1].path.endswith(f"/{EXTRA['assignment_id']}")
    assert made.losses == ((guid("somebody-else"), "somebody-else", "name-345 / Admin"),)
    assert not made.refusals
    more = plan(live(ADMIN), matched("Admin"), assignments(HELD, EXTRA, assignment(ADMIN["id"], "more")), guards=Guards(max_removed=1))
    assert more.refusals == ("The plan removes 2 objects (0 appRoles, 2 assignments), and max_removed of the parameter file is 1.",)


@pytest.mark.parametrize(
    ("extra", "fields", "why"),
    [
        (assignment(MSIAM["id"], "anybody"), {}, "not of an AWS role"),
        (assignment(guid("gone"), "anybody"), {}, "not of an AWS role"),
        (assignment(ADMIN["id"], "ursula", "User"), {}, "a User assigned directly"),
        (assignment(ADMIN["id"], "app", "ServicePrincipal"), {}, "a ServicePrincipal assigned directly"),
        (EXTRA, {"within": accounts(account(A, "AccessDenied"))}, "not read in full"),
        (EXTRA, {"within": accounts(B)}, "not read in full"),
        (EXTRA, {"guards": Guards(9, protected_groups=("somebody*",))}, "protected (somebody*)"),
        (EXTRA, {"guards": Guards(9, break_glass=(guid("somebody-else"),))}, "protected"),
        (EXTRA, {"guards": Guards(9, protected_roles=("Admin",))}, "protected (Admin)"),
    ],
)
def test_what_is_not_ours_to_remove_stays(extra, fields, why):
    made = plan(live(ADMIN), matched("Admin"), assignments(HELD, extra), **({"guards": Guards(9)} | fields))
    assert not made
    assert any(why in change.why for change in made.changes)


@pytest.mark.parametrize("live_groups", [groups(), groups(group(OURS["Admin"]), group(OURS["Admin"], group_id="twin"))])
def test_who_has_a_role_keeps_it_until_its_own_group_is_there(live_groups):
    """The right group is missing, or not known: to remove the wrong one now would leave nobody."""
    made = plan(live(ADMIN), matched("Admin", live_groups=live_groups), assignments(EXTRA), guards=Guards(9))
    assert not made
    assert by_label(made)["somebody-else → name-345 / Admin"].why == "stays until the group of this role is there and assigned"


def test_an_exchange_of_groups_adds_first():
    made = plan(live(ADMIN), matched("Admin"), assignments(EXTRA), guards=Guards(9))
    assert [request.method for request in made.requests] == ["POST", "DELETE"]


def test_trap_12_a_principal_holds_at_most_1500_assignments():
    """Over all applications and roles (learn.microsoft.com entra/identity/users/directory-service-limits-restrictions)."""
    known = assignments(*(assignment(guid(f"other {place}"), OURS["Admin"]) for place in range(1500)))
    (refusal,) = plan(live(ADMIN), matched("Admin"), known).refusals
    assert refusal == f"{OURS['Admin']} would hold 1501 assignments; a principal may hold 1500."


def test_additions_travel_in_waves_of_twenty():
    names = [f"R{place:02}" for place in range(25)]
    made = plan(live(*(wire(A, name) for name in names)), matched(*names), guards=Guards(1))
    assert [request.wave for request in made.requests] == [0] * 20 + [1] * 5


@given(st.integers(0, 2**16))
def test_shuffled_inputs_give_one_plan(seed):
    names = ("Admin", "Ops", "Billing")
    known = assignments(EXTRA, HELD, assignment(OPS["id"], "x"), assignment(OPS["id"], "y"))
    table, app_roles, within = matched(*names), live(ADMIN, OPS), accounts(A, B)
    one = a.plan(APPLICATION, app_roles, table, known, within=within, guards=Guards(5))
    mixed = [shuffled(frame, seed) for frame in (app_roles, table, known, within)]
    assert a.plan(APPLICATION, *mixed[:3], within=mixed[3], guards=Guards(5)).id == one.id


@given(
    st.sets(st.sampled_from(["Admin", "Ops", "Billing"])), st.sets(st.sampled_from(["g1", "g2", "AWS-000000012345-Admin"])), st.booleans()
)
def test_i20_an_unread_account_loses_no_assignment(wanted, holders, read):
    known = assignments(*(assignment(entry["id"], holder) for entry in (ADMIN, OPS) for holder in sorted(holders)))
    within = accounts(account(A, "" if read else "AccessDenied"))
    made = a.plan(APPLICATION, live(ADMIN, OPS), matched(*sorted(wanted)), known, within=within, guards=Guards(1000))
    if not read:
        assert not made.losses
        assert all(request.method == "POST" for request in made.requests)


def test_assignments_of_a_role_that_is_not_usable_stay_and_every_removal_says_why():
    known = assignments(HELD, EXTRA, assignment(OPS["id"], "holder of ops"))
    made = plan(live(ADMIN, OPS), matched("Admin"), known, guards=Guards(9))
    removed = [change for change in made.changes if change.action == "remove"]
    assert [loss.principal_name for loss in made.losses] == ["somebody-else"]
    assert all(change.why for change in removed)
    assert by_label(made)["holder of ops → name-345 / Ops"].action == "keep"
