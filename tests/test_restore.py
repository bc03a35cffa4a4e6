"""A recorded snapshot as the desired side of a plan, carried out against Graph's laws in memory."""

from copy import deepcopy

import pytest
from fake_service import FakeJournal, FakeService, World
from hypothesis import given, settings
from hypothesis import strategies as st
from made import APPLICATION, TENANT, assignment, assignments, guid, live, wire

from awsfed_lib.core import facts
from awsfed_lib.core.change import Guards, Subject
from awsfed_lib.core.errors import PlanError, RecordError
from awsfed_lib.core.roles import restore

A = "000000012345"
ADMIN, OPS, READ = wire(A, "Admin"), wire(A, "Ops"), wire(A, "Read")
OTHER = {**wire(A, "Other"), "value": "Reports.All"}  # of this service principal, and no role of AWS
HELD = (assignment(ADMIN["id"], "Admins"), assignment(OPS["id"], "Ops"), assignment(READ["id"], "ann", "User"))
EVERYBODY = frozenset(guid(name) for name in ("Admins", "Ops", "ann", "New"))


def snapshot(roles=(ADMIN, OPS, READ), held=HELD, **fields):
    given = {
        "run": "run-1",
        "tenant_id": TENANT,
        "application_id": APPLICATION.id,
        "app_roles": live(*roles),
        "assignments": assignments(*held),
    }
    return restore.Snapshot(**given | fields)


def plan(world, taken=None, *, people=EVERYBODY, jobs=(), **guards):
    now = restore.Live(world.app_roles, world.assignments, people, world.scopes, jobs)
    return restore.plan(APPLICATION, now, taken or snapshot(), guards=Guards(**guards))


def carried_out(world, taken=None, **fields):
    made = plan(world, taken, **fields)
    service = FakeService(world)
    assert made.apply(service, approved=made.id, journal=FakeJournal()).verdict in ("applied", "nothing to do")
    assert not plan(world, taken, **fields)  # a second run plans nothing
    return service


def canonical(world):
    return sorted(world.facts("app_roles")), sorted(world.facts("assignments"))


def words(made, action="keep"):
    return {change.label: change.why for change in made.changes if change.action == action}


def test_what_is_as_in_the_record_needs_no_plan():
    assert not plan(World((ADMIN, OPS, READ), HELD), max_removed=9)


def test_after_a_wipe_everything_comes_back_under_its_ids():
    """A PATCH that leaves entries out removes them with their assignments (microsoft-graph-docs 5338)."""
    world = World()
    service = carried_out(world)
    assert canonical(world) == canonical(World((ADMIN, OPS, READ), HELD))
    assert [request.method for request in service.sent] == ["PATCH", "POST", "POST", "POST"]


def test_assignments_come_only_after_their_roles_are_there():
    made = plan(World((ADMIN,), HELD[:1]))
    assert [request.method for request in made.requests] == ["PATCH", "POST", "POST"]
    assert made.requests[0].wave < made.requests[1].wave


def test_what_is_new_since_then_is_shown_and_stays_without_max_removed():
    world = World((ADMIN, OPS, READ, new := wire(A, "New")), (*HELD, assignment(new["id"], "New"), assignment(ADMIN["id"], "New")))
    made = plan(world)
    assert not made
    assert words(made)[new["displayName"]] == "not in the record; max_removed is 0"
    assert words(made)[f"New → {ADMIN['displayName']}"] == "not in the record; max_removed is 0"


def test_what_is_new_goes_within_max_removed():
    world = World((ADMIN, OPS, READ, new := wire(A, "New")), (*HELD, assignment(new["id"], "New"), assignment(ADMIN["id"], "New")))
    carried_out(world, max_removed=3)
    assert canonical(world) == canonical(World((ADMIN, OPS, READ), HELD))


def test_more_than_max_removed_is_refused():
    world = World((ADMIN, OPS, READ, new := wire(A, "New")), (*HELD, assignment(new["id"], "New")))
    assert "max_removed of the parameter file is 1" in plan(world, max_removed=1).refusals[0]


@pytest.mark.parametrize(
    "guards", [{"protected_roles": ("New",)}, {"break_glass": ("New",)}, {"protected_groups": ("New",)}], ids=lambda g: next(iter(g))
)
def test_protected_things_stay_and_the_rest_comes_back(guards):
    world = World((ADMIN, wire(A, "New")), (assignment(wire(A, "New")["id"], "New"),))
    carried_out(world, max_removed=9, **guards)
    assert {*world.facts("app_roles")} == {*World((ADMIN, OPS, READ, wire(A, "New"))).facts("app_roles")}
    assert {*World((), HELD).facts("assignments")} <= {*world.facts("assignments")}


def test_somebody_who_was_deleted_is_a_row_and_the_others_come_back():
    world, people = World(), EVERYBODY - {guid("Ops")}
    made = plan(world, people=people)
    assert "does not exist any more" in words(made)[f"Ops → {OPS['displayName']}"]
    carried_out(world, people=people)
    assert {*world.facts("assignments")} == {*World((), (HELD[0], HELD[2])).facts("assignments")}
    table = restore.not_restored(made, snapshot())
    assert "does not exist any more" in " ".join(table["problem"])
    assert {"assignment", "session"} <= set(table["part"])


def test_an_entry_that_was_edited_is_disabled_first_and_comes_back_whole():
    """An enabled entry can be switched off, nothing else (graph/api/resources/approle: "unless disabled first")."""
    world = World(({**ADMIN, "displayName": "x", "description": "y"}, OPS, READ), HELD)
    service = carried_out(world)
    assert [request.method for request in service.sent] == ["PATCH", "PATCH"]
    assert canonical(world) == canonical(World((ADMIN, OPS, READ), HELD))


def test_an_entry_that_was_disabled_in_the_record_comes_back_disabled_with_its_assignments():
    """A disabled appRole is still emitted to those who have it, so that its assignments count (entra-docs pull request 1405)."""
    off = {**ADMIN, "isEnabled": False}
    world = World((OPS, READ), HELD[1:])
    carried_out(world, snapshot((off, OPS, READ)))
    assert canonical(world) == canonical(World((off, OPS, READ), HELD))


def test_a_disabled_role_cannot_be_assigned_and_that_is_said():
    off = {**ADMIN, "isEnabled": False}
    made = plan(World((off, OPS, READ), HELD[1:]), snapshot((off, OPS, READ)))
    assert not made
    assert "cannot be assigned" in words(made)[f"Admins → {ADMIN['displayName']}"]


def test_a_role_under_another_id_gets_the_assignments():
    again = {**ADMIN, "id": guid("again")}
    world = World((again, OPS, READ), HELD[1:])
    carried_out(world)
    assert facts.assignment(again["id"], guid("Admins")) in world.facts("assignments")
    assert "has the id" in words(plan(world))[ADMIN["displayName"]]


def test_a_value_is_never_edited_in_place():
    world = World(({**ADMIN, "value": wire(A, "Else")["value"]}, OPS, READ), HELD)
    made = plan(world)
    assert not made
    assert "a value is never edited" in words(made)[ADMIN["displayName"]]


def test_what_is_no_aws_role_comes_back_too_and_is_never_removed():
    world = World((ADMIN, OPS, READ), HELD)
    carried_out(world, snapshot((ADMIN, OPS, READ, OTHER)))
    assert facts.app_role(OTHER) in world.facts("app_roles")
    assert not plan(world, max_removed=9)


def test_two_entries_of_one_role_in_the_record_both_come_back():
    """AWS takes the two ARNs in either order, so that two entries may stand for one role; a record holds both."""
    role, provider = ADMIN["value"].split(",")
    twin = {**ADMIN, "id": guid("twin"), "value": f"{provider},{role}"}
    world = World((OPS,), ())
    carried_out(world, snapshot((ADMIN, twin, OPS)), people=frozenset())
    assert {*world.facts("app_roles")} == {*World((ADMIN, twin, OPS)).facts("app_roles")}


@pytest.mark.parametrize(
    ("fields", "other"), [({"tenant_id": "t-2"}, "tenant"), ({"application_id": "sp-2"}, "application")], ids=["tenant", "application"]
)
def test_the_record_of_another_tenant_or_application_is_refused(fields, other):
    with pytest.raises(RecordError, match=f"of another {other}"):
        plan(World(), snapshot(**fields))
    with pytest.raises(RecordError):
        restore.refuse_foreign(Subject("servicePrincipal", "sp-3", "", "t-3"), snapshot())


def test_beside_an_active_role_import_it_is_refused():
    """It disables what is patched by hand (MicrosoftDocs/azure-docs 23162)."""
    assert "is active" in plan(World(), jobs=[{"id": "job", "schedule": {"state": "Active"}}]).refusals[0]


def test_a_collection_without_msiam_access_is_not_restored_onto():
    world = World()
    world.tables["app_roles"] = []
    with pytest.raises(PlanError):
        plan(world)


def test_a_record_without_assignments_leaves_them_alone():
    world = World((OPS, READ), HELD[1:])
    carried_out(world, snapshot(assignments=None), max_removed=9)
    assert {*world.facts("assignments")} == {*World((), HELD[1:]).facts("assignments")}
    assert "the record does not hold them" in " ".join(
        restore.not_restored(plan(world, snapshot(assignments=None)), snapshot(assignments=None))["problem"]
    )


NAMES = [f"Role{number}" for number in range(5)]
ROLE_SETS = st.lists(st.tuples(st.sampled_from(NAMES), st.booleans()), unique_by=lambda pair: pair[0], max_size=5)
EDGES = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(["Admins", "Ops", "New"])), max_size=8)


def state(roles, edges):
    entries = [{**wire(A, name), "isEnabled": enabled} for name, enabled in roles]
    known = {name for name, _ in roles}
    return entries, [assignment(wire(A, name)["id"], group) for name, group in sorted(edges) if name in known]


@settings(max_examples=150)
@given(ROLE_SETS, EDGES, ROLE_SETS, EDGES, st.integers(0, 3))
def test_any_history_is_undone_byte_for_byte(before, edges, after, more, edited):
    """Whatever became of the application: the appRoles are canonically those of the record, the assignments those by principal and role.

    Only what a disabled entry should get again cannot come back, since Entra ID refuses to assign it.
    """
    recorded = state(before, edges)
    world = World(*deepcopy(state(after, more)))
    for entry in world.tables["app_roles"][1 : edited + 1]:
        entry["displayName"] = "edited"
    carried_out(world, snapshot(*recorded), max_removed=100)
    assert {*world.facts("app_roles")} == {*World(recorded[0]).facts("app_roles")}
    want, have = {*World((), recorded[1]).facts("assignments")}, {*world.facts("assignments")}
    off = {wire(A, name)["id"] for name, enabled in before if not enabled}
    assert have <= want
    assert all(any(role in fact for role in off) for fact in want - have)
