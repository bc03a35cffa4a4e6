import json
from dataclasses import replace
from datetime import timedelta

import pytest
from fake_service import FakeJournal, FakeService, World
from hypothesis import given
from hypothesis import strategies as st
from made import APPLICATION, assignment, assignments, desired, guid, live, reading, wire

from awsfed_lib.core.change import Basis, Change, Guards, Loss, Settled, Tolerance
from awsfed_lib.core.errors import LockedError, NotApproved, OutcomeError, StalePlan, UnsafePlan
from awsfed_lib.core.guard import too_many
from awsfed_lib.core.roles import approles

A = "000000012345"


def planned(world, *names, guards=Guards(), known=None):
    given_ = known if known is not None else world.assignments
    return approles.plan(APPLICATION, world.app_roles, desired(*names), within=reading(A), assignments=given_, guards=guards)


@pytest.fixture
def world():
    return World([wire(A, "Gone"), wire(A, "Kept")], [assignment(guid(f"{A}/Gone"), "group-a")])


@pytest.fixture
def made(world):
    return planned(world, (A, "Kept"), (A, "New"), guards=Guards(max_removed=2))


def test_the_id_starts_with_letters_and_is_short(made):
    """`-p approved 123e4567` would be read as a number by papermill (github.com/nteract/papermill, translate_type)."""
    assert made.id.startswith("plan-")
    assert len(made.id) == len("plan-") + 32


@pytest.mark.parametrize(
    "change",
    [
        {"title": "another"},
        {"subject": APPLICATION._replace(realm="tenant-2")},
        {"changes": ()},
        {"basis": (Basis("app_roles", "sp-1", 2, "0"),)},
        {"goal": ()},
        {"losses": (Loss("x", "y", "z"),)},
        {"refusals": ("no",)},
        {"guards": Guards(max_removed=3)},
        {"tolerance": Tolerance(1)},
        {"tolerance": Tolerance(0, ("000000012345",))},
        {"waiting": ("an account that was not read",)},
        {"runbook": "12-offboard"},
        {"renews": "plan-0123456789abcdef0123456789abcdef"},
    ],
)
def test_the_id_stands_for_everything_that_is_shown(made, change):
    assert replace(made, **change).id != made.id


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"path": "/servicePrincipals/other"},
        {"body": "{}"},
        {"purpose": "x"},
        {"wave": 9},
        {"headers": (("Prefer", "x"),)},
        {"expects": None},
        {"beside": (Basis("assignments", "sp-1", 7, "0"),)},
        {"settled": Settled("app_roles", "sp-1", present=("x",))},
        {"settled": Settled("app_roles", "sp-1", absent=("x",))},
    ],
)
def test_the_id_stands_for_every_literal_request(made, change):
    """A plan that was edited on the way is another plan (mitre CWE-345)."""
    for place, request in enumerate(made.requests):
        changed = replace(request, **change)
        if changed != request:
            requests = (*made.requests[:place], changed, *made.requests[place + 1 :])
            assert replace(made, requests=requests).id != made.id


def test_the_content_is_json_and_the_table_has_its_columns(made):
    assert json.loads(json.dumps(made.content)) == json.loads(json.dumps(made.content, sort_keys=True))
    assert list(made.table.columns) == ["action", "kind", "label", "before", "after", "why"]
    assert made.counts == {"remove": 2, "add": 1, "keep": 2}


def test_changes_stand_in_the_order_in_which_they_are_read(made):
    actions = [change.action for change in made.changes]
    assert actions == sorted(actions, key=["add", "update", "disable", "remove", "keep"].index)


def test_without_approval_nothing_is_sent(world, made):
    service = FakeService(world)
    outcome = made.apply(service, approved="", journal=FakeJournal())
    assert (outcome.verdict, service.sent, service.reads) == ("planned", [], 0)


def test_a_preview_is_noted_with_its_id_and_nothing_else(world, made):
    """From then on its approval has an age."""
    journal = FakeJournal()
    made.apply(FakeService(world), approved="", journal=journal)
    assert journal.lines == [{"event": "planned", "id": made.id}]


@pytest.mark.parametrize(("age", "sent"), [(timedelta(0), 4), (timedelta(days=7), 4), (timedelta(days=7, seconds=1), 0)])
def test_i14_an_approval_expires(world, made, age, sent):
    """An id that was left in a parameter file fits again on the day on which the world is in that state again."""
    service, journal = FakeService(world), FakeJournal()
    journal.shown = age
    if sent:
        assert made.apply(service, approved=made.id, journal=journal).verdict == "applied"
    else:
        with pytest.raises(NotApproved) as refused:
            made.apply(service, approved=made.id, journal=journal)
        assert refused.value.code == "approval-expired"
        assert (service.reads, journal.lines) == (0, [])
    assert len(service.sent) == sent


def test_an_approval_that_was_used_is_refused_by_the_run_that_used_it(world, made):
    """Whoever undoes a change on purpose does not find it sent again by an id that was left in a parameter file."""
    service, journal = FakeService(world), FakeJournal()
    journal.spent = {made.id: "20261124T075100Z-04-approles-1f0c7f3a"}
    with pytest.raises(NotApproved, match="20261124T075100Z-04-approles-1f0c7f3a") as refused:
        made.apply(service, approved=made.id, journal=journal)
    assert (refused.value.code, service.sent, service.reads, journal.lines) == ("approval-spent", [], 0, [])
    renewed = replace(made, renews=made.id)
    with pytest.raises(NotApproved) as refused:
        renewed.apply(service, approved=made.id, journal=journal)
    assert (refused.value.code, service.sent) == ("approval-spent", [])
    assert renewed.apply(service, approved=renewed.id, journal=journal).verdict == "applied"


def test_a_plan_of_another_runbook_is_not_sent(world, made):
    """An id is read in one runbook: the same requests under another heading are another approval."""
    journal = FakeJournal()
    journal.runbook = "12-offboard"
    service, bound = FakeService(world), replace(made, runbook="04-approles")
    for one in (made, bound):
        with pytest.raises(NotApproved) as refused:
            one.apply(service, approved=one.id, journal=journal)
        assert (refused.value.code, service.sent) == ("approval-unbound", [])


def test_the_plan_of_one_application_is_not_that_of_another_which_looks_the_same(world, made):
    """An approval for the test application sends nothing to the real one."""
    other = APPLICATION._replace(id="sp-2")
    twin = approles.plan(
        other, world.app_roles, desired((A, "Kept"), (A, "New")), within=reading(A), assignments=world.assignments, guards=Guards(2)
    )
    service, journal = FakeService(world), FakeJournal()
    with pytest.raises(NotApproved):
        twin.apply(service, approved=made.id, journal=journal)
    assert (service.sent, service.reads, journal.lines) == ([], 0, [])


def test_every_assignment_that_goes_is_listed_by_name(made):
    """In the text, in the page and in the content: who loses which role."""
    assert made.losses == (Loss(guid("group-a"), "group-a", "name-345 / Gone"),)
    bundle = made._repr_mimebundle_()
    for shown in (bundle["text/plain"], bundle["text/html"], json.dumps(made.content)):
        assert "group-a" in shown
        assert "Gone" in shown


@pytest.mark.parametrize("approved", ["plan-00000000000000000000000000000000", "yes", " ", "PLAN", "true"])
def test_another_approval_sends_nothing(world, made, approved):
    service, journal = FakeService(world), FakeJournal()
    with pytest.raises(NotApproved, match=made.id):
        made.apply(service, approved=approved, journal=journal)
    assert (service.sent, journal.lines) == ([], [])


def test_i15_nothing_to_do_sends_nothing_whatever_was_approved(world):
    """A scheduled run keeps its old approval and stays green."""
    made = planned(world, (A, "Kept"), (A, "Gone"))
    service = FakeService(world)
    outcome = made.apply(service, approved="plan-of-last-week", journal=FakeJournal())
    assert (outcome.verdict, service.sent) == ("nothing to do", [])
    outcome.raise_for_failure()


def test_a_plan_stays_in_its_tenant(world, made):
    service = FakeService(world)
    service.realm = "tenant-2"
    with pytest.raises(UnsafePlan, match=r"tenant-1.*tenant-2"):
        made.apply(service, approved=made.id, journal=FakeJournal())
    assert service.sent == []


@pytest.mark.parametrize(
    ("limit", "roles", "held", "refused"), [(0, 0, 0, False), (0, 1, 0, True), (0, 0, 1, True), (3, 1, 2, False), (3, 2, 2, True)]
)
def test_i19_max_removed_counts_both_and_0_is_none(limit, roles, held, refused):
    """A limit of 0 that means "no limit" is how cloud-custodian's max-resources reads it (c7n/query.py)."""
    assert bool(too_many(Guards(max_removed=limit), roles, held)) == refused


def test_a_plan_that_its_guards_forbid_is_shown_and_never_sent(world):
    made = planned(world, (A, "Kept"), guards=Guards(max_removed=1))
    service = FakeService(world)
    assert made.apply(service, approved="", journal=FakeJournal()).verdict == "planned"
    with pytest.raises(UnsafePlan, match=r"removes 2 objects \(1 appRoles, 1 assignments\)"):
        made.apply(service, approved=made.id, journal=FakeJournal())
    assert service.sent == []


@pytest.mark.parametrize(
    "edit",
    [
        lambda world: world.tables["app_roles"].append(wire(A, "Portal")),
        lambda world: world.tables["app_roles"][1].update(isEnabled=False),
        lambda world: world.tables["app_roles"].pop(),
        lambda world: world.tables["assignments"].append(assignment(guid(f"{A}/Kept"), "group-b")),
        lambda world: world.tables["assignments"].clear(),
    ],
)
def test_i14_what_changed_since_the_plan_makes_it_stale(world, made, edit):
    """The plan is compared with what is live, not with a file of its own (github.com/hashicorp/terraform issue 23345)."""
    edit(world)
    service = FakeService(world)
    with pytest.raises(StalePlan, match="changed after the plan was made"):
        made.apply(service, approved=made.id, journal=FakeJournal())
    assert service.sent == []


def test_i14_an_empty_table_goes_stale_as_well():
    world = World([wire(A, "Gone")])
    made = planned(world, guards=Guards(max_removed=1))
    world.tables["assignments"].append(assignment(guid(f"{A}/Gone"), "group-a"))
    with pytest.raises(StalePlan, match="assignments"):
        made.apply(FakeService(world), approved=made.id, journal=FakeJournal())


def test_two_runs_on_one_application_lock_each_other_out(world, made):
    journal = FakeJournal()
    with journal.hold(made.subject.key), pytest.raises(LockedError):
        made.apply(FakeService(world), approved=made.id, journal=journal)


def test_an_applied_plan_says_so_after_several_agreeing_reads(world, made):
    service = FakeService(world)
    outcome = made.apply(service, approved=made.id, journal=FakeJournal())
    assert outcome.verdict == "applied"
    assert [sent.fate for sent in outcome.sent] == ["sent"] * 4
    assert [entry["value"] for entry in world.tables["app_roles"]] == [entry["value"] for entry in made.requests[-1].content["appRoles"]]
    outcome.raise_for_failure()
    assert not planned(world, (A, "Kept"), (A, "New"), guards=Guards(max_removed=2))


def test_i22_what_was_sent_and_not_seen_is_unverified_with_numbers(world, made):
    service = FakeService(world)
    service.before_send[3] = lambda: service.before_read.update(
        {service.reads + 1: lambda: world.tables["app_roles"].append(wire(A, "Portal"))}
    )
    outcome = made.apply(service, approved=made.id, journal=FakeJournal())
    assert outcome.verdict == "unverified"
    assert "app_roles: 4 live, 3 planned" in outcome.problem
    with pytest.raises(OutcomeError, match="unverified"):
        outcome.raise_for_failure()


@given(st.integers(0, 3), st.sampled_from([0, 1, 5]))
def test_a_plan_is_a_value(names, limit):
    table = live(wire(A, "Gone"))
    wanted = desired(*((A, f"R{place}") for place in range(names)))
    plans = [
        approles.plan(APPLICATION, table, wanted, within=reading(A), assignments=assignments(), guards=Guards(limit)) for _ in range(2)
    ]
    assert plans[0] == plans[1]
    assert plans[0].id == plans[1].id
    assert bool(plans[0]) == bool(plans[0].requests)


def test_a_settled_request_needs_all_it_adds_and_none_it_takes():
    settled = Settled("t", "x", present=("a", "b"), absent=("c",))
    assert settled.holds(("b", "a", "z"))
    assert not settled.holds(("a",))
    assert not settled.holds(("a", "b", "c"))
    assert not settled.holds(None)


def test_a_change_is_read_by_people():
    change = Change("add", "appRole", "value", "label", after="value")
    assert (change.before, change.why) == ("", "")
