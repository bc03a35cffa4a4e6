"""The executor, end to end, against a service that loses answers, lags, refuses and dies."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from fake_service import FakeJournal, FakeService, Stop, World
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import APPLICATION, DIRECTORY, MSIAM, accounts, assignment, assignments, desired, group, guid, reading, role, roles, wire
from scenarios import Scenario, of_account, scenarios

from awsfed_lib.core import apply, facts
from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import PlanError, RecordError, StalePlan, UnreadError, WriteForbidden
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.roles import approles
from awsfed_lib.core.roles import assignments as a
from awsfed_lib.core.roles import groups as g

A = "000000012345"
FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def one_plan(world, *names, limit=9):
    return approles.plan(
        APPLICATION, world.app_roles, desired(*names), within=reading(A), assignments=world.assignments, guards=Guards(max_removed=limit)
    )


@pytest.fixture
def world():
    """Gone (assigned to two groups) goes, Kept stays with its group, New comes."""
    return World(
        [wire(A, "Gone"), wire(A, "Kept")],
        [assignment(guid(f"{A}/Gone"), "group-a"), assignment(guid(f"{A}/Gone"), "group-b"), assignment(guid(f"{A}/Kept"), "group-c")],
    )


WANTED = ((A, "Kept"), (A, "New"))
REQUESTS = 5  # PATCH with New, two DELETE, PATCH with Gone disabled, PATCH without it


def carry_out(world, service=None, journal=None):
    made = one_plan(world, *WANTED)
    return made.apply(service or FakeService(world), approved=made.id, journal=journal or FakeJournal())


def finish(plan_of, service, runs=12):
    """Run the runbook again and again, each time approving what it shows, until there is nothing to do."""
    outcomes = []
    for _ in range(runs):
        made = plan_of()
        if not made:
            return outcomes
        try:
            outcomes.append(made.apply(service, approved=made.id, journal=FakeJournal()))
        except (Stop, StalePlan):  # it died, or a replica still shows what was before
            outcomes.append(None)
    raise AssertionError("It does not come to an end.")


def undisturbed(world_of):
    world = world_of()
    carry_out(world)
    return {table: sorted(world.facts(table)) for table in world.tables}


def world_again():
    return World(
        [wire(A, "Gone"), wire(A, "Kept")],
        [assignment(guid(f"{A}/Gone"), "group-a"), assignment(guid(f"{A}/Gone"), "group-b"), assignment(guid(f"{A}/Kept"), "group-c")],
    )


# Order


def test_i17_plan_and_snapshots_are_kept_before_the_first_intent_and_each_intent_before_its_request(world):
    events = []
    carry_out(world, FakeService(world, events=events), FakeJournal(events=events))
    names = [name for name, _ in events]
    assert names[:3] == ["plan", "snapshot", "snapshot"]
    one, two = ["intent", "send", "answer"], ["intent", "intent", "send", "send", "answer", "answer"]
    assert names[3:] == [*one, *two, *one, *one, "outcome"]


def test_the_snapshots_are_what_the_plan_was_computed_from(world):
    journal = FakeJournal()
    before = world.facts("app_roles")
    carry_out(world, journal=journal)
    assert set(journal.kept) == {"app_roles-sp-1", "assignments-sp-1"}
    import json

    assert tuple(facts.app_role(entry) for entry in json.loads(journal.kept["app_roles-sp-1"])) == before


def test_the_intent_is_the_literal_request(world):
    journal, service = FakeJournal(), FakeService(world)
    carry_out(world, service, journal)
    intents = [(line["method"], line["path"], line["body"]) for line in journal.lines if line["event"] == "intent"]
    assert intents == [request.literal for request in service.sent]


@pytest.mark.parametrize("edit", [1, 2])
def test_i17_the_snapshot_lies_between_two_readings_of_what_was_planned_from(world, edit):
    """Else what would be restored from is not what the plan was made from, and nobody would know."""
    service, portal = FakeService(world), wire(A, "Portal")
    edited = []

    def snapshot(table, of):
        if len(edited) < edit:
            edited.append(table)
            world.tables["app_roles"].append(portal) if len(edited) == edit else None
        return b"[]"

    service.snapshot = snapshot
    with pytest.raises(StalePlan, match=r"app_roles changed after the plan was made \(3 then, 4 now\)"):
        carry_out(world, service)
    assert service.sent == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, Stop, WriteForbidden])
@pytest.mark.parametrize("number", range(REQUESTS))
def test_f15_whatever_ends_it_early_is_noted_after_its_intent_and_the_next_run_goes_on(stop, number):
    """A person who interrupts the kernel finds in the journal what may have been carried out."""
    world = world_again()
    service, journal = FakeService(world), FakeJournal()

    def raise_it():
        raise stop("by hand")

    service.after_send[number] = raise_it
    with pytest.raises(stop):
        carry_out(world, service, journal)
    assert [line["event"] for line in journal.lines][-1] == "stopped"
    assert journal.lines[-1]["by"] == stop.__name__
    intents = [line["path"] for line in journal.lines if line["event"] == "intent"]
    assert [request.path for request in service.sent] == intents[: len(service.sent)]
    assert journal.held == set()
    finish(lambda: one_plan(world, *WANTED), FakeService(world))
    assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


@pytest.mark.parametrize("line", range(15))
def test_i17_a_full_disk_stops_before_the_request_that_it_would_hide(line):
    """No write to the cloud without its intent on disk."""
    undisturbed_journal = FakeJournal()
    carry_out(world_again(), journal=undisturbed_journal)
    world, events = world_again(), []
    service = FakeService(world, events=events)
    try:
        carry_out(world, service, FakeJournal(events=events, full_at=line))
    except RecordError:
        intents = [name for name, _ in events].count("intent")
        assert len(service.sent) <= intents
        assert line == len([name for name, _ in events if name not in ("send", "snapshot")])
    else:
        assert line >= len(undisturbed_journal.lines)
    finish(lambda: one_plan(world, *WANTED), FakeService(world))
    assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


def test_only_the_requests_of_the_plan_pass_and_only_while_it_is_carried_out(world):
    made = one_plan(world, *WANTED)
    service = FakeService(world)
    with pytest.raises(WriteForbidden), service.permit(made.requests):
        service.send([replace(made.requests[0], path="/servicePrincipals/other")])
    with pytest.raises(WriteForbidden):
        service.send(made.requests[:1])
    assert service.sent == []


def test_a_forbidden_write_is_a_loud_error_and_no_outcome(world):
    class Strict(FakeService):
        def send(self, requests):
            raise WriteForbidden("No plan holds this request.")

    with pytest.raises(WriteForbidden):
        carry_out(world, Strict(world))


# Lost answers


@pytest.mark.parametrize("number", range(REQUESTS))
@pytest.mark.parametrize("fault", ["lost", "unsent"])
@pytest.mark.parametrize(("lag", "seed"), [(0, 0), (4, 0), (4, 1), (4, 2), (4, 3)])
def test_i21_a_lost_answer_is_read_back_and_adopted_or_sent_again(number, fault, lag, seed):
    """A POST that is sent blindly again gives 400 and an orphan (terraform-provider-azuread pull request 1896)."""
    world = world_again()
    service = FakeService(world, lag=lag, seed=seed)
    service.faults[number] = fault
    outcome = carry_out(world, service)
    assert outcome.verdict == "applied"
    assert [sent.fate for sent in outcome.sent] == [
        "adopted" if place == number and fault == "lost" else "sent" for place in range(REQUESTS)
    ]
    repeats = Counter(request.literal for request in service.sent)
    assert sorted(repeats.values()) == [1] * (REQUESTS - 1) + [1 if fault == "lost" else 2]
    assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


def test_a_request_that_never_gets_an_answer_is_indeterminate_and_stops_the_plan(world):
    service = FakeService(world)
    service.faults = dict.fromkeys(range(100), "unsent")
    outcome = carry_out(world, service)
    assert outcome.verdict == "failed"
    assert [sent.fate for sent in outcome.sent] == ["indeterminate", *["not sent"] * 4]
    assert len(service.sent) == apply.RESENDS


def test_a_wave_is_read_back_together(world):
    """Twenty lost answers wait for the replicas once, not twenty times."""
    names = [(A, f"R{place:02}") for place in range(20)]
    world = World([wire(*name) for name in names])
    table = g.match(g.desired(roles(*(role(*name) for name in names))), frame_of_groups(names))
    made = a.plan(APPLICATION, world.app_roles, table, world.assignments, within=accounts(A))
    service = FakeService(world)
    service.faults = dict.fromkeys(range(20), "unsent")
    assert made.apply(service, approved=made.id, journal=FakeJournal()).verdict == "applied"
    assert service.waited <= sum(service.patience.pauses) + 10


def frame_of_groups(names):
    from made import groups

    return groups(*(group(f"AWS-{account}-{name}", f"AWS-{account}-{name}") for account, name in names))


def one_creation(world):
    """A plan of one request that makes another object each time that it is sent."""
    matched = g.match(g.desired(roles(role(A, "New"))), frame_of_groups([(A, "New")]))
    made = a.plan(APPLICATION, world.app_roles, matched, world.assignments, within=accounts(A))
    return replace(made, requests=tuple(replace(request, creates="a thing", by_id="assignments") for request in made.requests))


def test_what_cannot_be_sent_twice_is_sent_once_although_no_answer_came_and_nothing_shows_it():
    world = World([wire(A, "New")])
    service, made = FakeService(world), one_creation(world)
    service.faults = dict.fromkeys(range(100), "unsent")
    outcome = made.apply(service, approved=made.id, journal=FakeJournal())
    assert (outcome.verdict, [sent.fate for sent in outcome.sent]) == ("failed", ["indeterminate"])
    assert len(service.sent) == 1


class ById(FakeService):
    """What was made is there by its id, and in no list yet. `there`: whether it is."""

    there: tuple[str, ...] = ()

    def live(self, table, of):
        return self.there if of == MADE else super().live(table, of)


MADE, HOUR = "made-1", timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "shown", "object_id", "there", "end"),
    [
        (HOUR / 60, HOUR * 0, "", False, "sent-not-seen"),
        (HOUR * 1.5, HOUR, "", False, "sent-not-seen"),  # nobody saw the plan once every replica must have shown it
        (HOUR * 2, HOUR * 0, "", False, "applied"),
        (HOUR * 2, HOUR * 0, MADE, False, "applied"),
        (HOUR * 2, HOUR * 0, MADE, True, "sent-not-seen"),
    ],
)
def test_what_an_earlier_run_sent_is_sent_again_only_when_it_was_ruled_out(age, shown, object_id, there, end):
    world = World([wire(A, "New")])
    service, made, journal = ById(world), one_creation(world), FakeJournal()
    service.there = made.requests[0].settled.present if there else ()
    journal.shown, journal.sent_before = shown, lambda realm, creates: [apply.Sending("an earlier run", age, object_id)]
    if end == "applied":
        assert made.apply(service, approved=made.id, journal=journal).verdict == end
        return
    with pytest.raises(PlanError) as refusal:
        made.apply(service, approved=made.id, journal=journal)
    assert (refusal.value.code, service.sent) == (end, [])


def test_a_session_that_ends_in_the_middle_stops_and_says_why(world):
    service = FakeService(world)
    service.faults = dict.fromkeys(range(3, 9), "no sign-in")
    outcome = carry_out(world, service)
    assert outcome.verdict == "failed"
    assert "AADSTS700082" in outcome.problem
    assert [sent.fate for sent in outcome.sent] == ["sent", "sent", "sent", "indeterminate", "not sent"]


@pytest.mark.parametrize("number", range(REQUESTS))
def test_a_refusal_stops_the_rest_and_the_next_run_goes_on(number):
    world = world_again()
    service = FakeService(world)
    service.faults[number] = "refused"
    outcome = carry_out(world, service)
    assert outcome.verdict == "failed"
    assert "Insufficient privileges" in outcome.problem
    fates = [sent.fate for sent in outcome.sent]
    assert fates[number] == "refused"
    waves = [0, 1, 1, 2, 3]
    assert {fate for fate, wave in zip(fates, waves, strict=True) if wave > waves[number]} <= {"not sent"}
    finish(lambda: one_plan(world, *WANTED), FakeService(world))
    assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


def test_i10_an_assignment_that_is_refused_keeps_the_old_one_from_being_taken():
    """One batch for both would take the old group away although the new one did not get the role."""
    world = World([wire(A, "Admin")], [assignment(guid(f"{A}/Admin"), "group-of-old")])
    table = g.match(g.desired(roles(role(A, "Admin"))), frame_of_groups([(A, "Admin")]))
    made = a.plan(APPLICATION, world.app_roles, table, world.assignments, within=accounts(A), guards=Guards(max_removed=9))
    assert [request.method for request in made.requests] == ["POST", "DELETE"]
    service = FakeService(world)
    service.faults[0] = "refused"
    outcome = made.apply(service, approved=made.id, journal=FakeJournal())
    assert [sent.fate for sent in outcome.sent] == ["refused", "not sent"]
    assert [row["principal_name"] for row in world.tables["assignments"]] == ["group-of-old"]


# Replicas


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("lag", [1, 3, 6])
def test_trap_11_stale_reads_delay_and_do_not_mislead(lag, seed):
    """App-only readers see replicas late (devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra)."""
    world = world_again()
    service = FakeService(world, lag=lag, seed=seed)
    outcome = carry_out(world, service)
    assert outcome.verdict == "applied"
    assert len(service.sent) == REQUESTS
    assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


def test_the_removal_waits_until_several_reads_show_the_role_disabled(world):
    """One replica that still shows it enabled would refuse the removal (terraform-provider-azuread, applicationDisableAppRoles)."""
    service = FakeService(world, lag=5)
    reads = []
    service.before_send = {number: lambda: reads.append(service.reads) for number in range(REQUESTS)}
    carry_out(world, service)
    assert reads[4] - reads[3] >= 2 * service.patience.reads


def test_replicas_that_never_catch_up_are_unverified_and_not_failed(world):
    service = FakeService(world, lag=0)
    service.chance.random = lambda: 0.0  # always the stale replica
    service.before_send[REQUESTS - 1] = lambda: setattr(service, "lag", 10**6)
    outcome = carry_out(world, service)
    assert outcome.verdict == "unverified"
    assert not one_plan(world, *WANTED)


def test_answers_that_break_off_are_not_taken_for_agreement(world):
    """Half an answer is unknown, never an empty list."""
    service = FakeService(world)
    service.unreadable = set(range(5, 11))
    outcome = carry_out(world, service)
    assert outcome.verdict == "applied"
    service = FakeService(world)
    made = one_plan(world, (A, "Kept"))
    service.unreadable = set(range(5, 999))
    outcome = made.apply(service, approved=made.id, journal=FakeJournal())
    assert (outcome.verdict, service.sent) == ("failed", [])
    assert "could not be read" in outcome.problem


def test_i20_a_table_that_cannot_be_read_shows_nothing_as_done(world):
    """A DELETE that never arrived, and a reading that broke off: an empty list would show the assignment as gone."""
    service = FakeService(world)
    service.faults[1] = "unsent"
    service.unreadable = {8}  # four readings for drift, three before the PATCH, then that one
    outcome = carry_out(world, service)
    assert outcome.verdict == "applied"
    assert [sent.fate for sent in outcome.sent] == ["sent"] * REQUESTS
    assert len(service.sent) == REQUESTS + 1


@pytest.mark.parametrize(("seen", "agreed"), [("yyy", True), ("nyyy", True), ("ynyny", False), ("yynyy", False), ("yyn yy", False)])
def test_i22_agreeing_reads_are_counted_in_a_row(world, seen, agreed):
    """Two replicas that take turns are no agreement; a reading that breaks off is none either."""
    service, readings = FakeService(world), iter(seen + "nnn")
    service.patience = apply.Patience(3, (1.0,) * 5)

    def look():
        reading = next(readings)
        if reading == " ":
            raise UnreadError("The answer broke off.")
        return reading == "y"

    assert apply.agree(service, look, 3) == agreed


# Somebody else at the portal


def test_a_request_is_compared_with_what_is_live_before_it_is_sent_again(world):
    """The PATCH never arrived; meanwhile somebody added an appRole, which the same PATCH would take away."""
    service = FakeService(world)
    service.faults[0] = "unsent"
    service.before_send[0] = lambda: service.before_read.update(
        {service.reads + 1: lambda: world.tables["app_roles"].append(wire(A, "Portal"))}
    )
    outcome = carry_out(world, service)
    assert (outcome.verdict, len(service.sent)) == ("failed", 1)
    assert facts.app_role(wire(A, "Portal")) in world.facts("app_roles")


@pytest.mark.parametrize("agreeing", [1, 2])
def test_applied_needs_every_one_of_the_agreeing_reads(world, agreeing):
    """A change that somebody undoes after one reading agreed is not applied."""
    service = FakeService(world)
    tables = len(one_plan(world, *WANTED).goal)
    service.before_send[REQUESTS - 1] = lambda: service.before_read.update(
        {service.reads + agreeing * tables + 1: lambda: world.tables["app_roles"].append(wire(A, "Portal"))}
    )
    assert carry_out(world, service).verdict == "unverified"


@pytest.mark.parametrize("table", [0, 1])
def test_every_table_is_compared_again_once_its_snapshot_is_kept(world, table):
    """A snapshot lies between two readings of what was planned from: otherwise a restore would bring back something else."""
    service, made = FakeService(world), one_plan(world, *WANTED)
    tables = [basis.table for basis in made.basis]
    rows = {"app_roles": wire(A, "Portal"), "assignments": assignment(guid(f"{A}/Kept"), "group-z")}
    service.before_read[len(tables) + 1] = lambda: world.tables[tables[table]].append(rows[tables[table]])
    journal = FakeJournal()
    with pytest.raises(StalePlan) as refused:
        made.apply(service, approved=made.id, journal=journal)
    assert (refused.value.code, service.sent, len(journal.kept)) == ("stale-plan", [], len(tables))


@pytest.mark.parametrize("number", [3, 4])
def test_f11_what_is_added_at_the_portal_meanwhile_is_not_overwritten(number):
    """There is no ETag on directory objects: the table is read again right before a request that replaces it."""
    world = world_again()
    service = FakeService(world)
    portal = wire(A, "Portal")
    service.after_send[number - 1] = lambda: world.tables["app_roles"].append(portal)
    outcome = carry_out(world, service)
    assert outcome.verdict == "failed"
    assert "changed" in outcome.problem
    assert portal in world.tables["app_roles"]
    assert [sent.fate for sent in outcome.sent][number] == "refused"
    finish(lambda: one_plan(world, *WANTED, (A, "Portal")), FakeService(world))
    assert portal["id"] in {entry["id"] for entry in world.tables["app_roles"]}


def test_i8_who_is_assigned_meanwhile_to_a_role_that_goes_is_not_lost_in_silence(world):
    """Removing an appRole takes its assignments with it (github.com/microsoftgraph/microsoft-graph-docs issue 5338)."""
    service = FakeService(world)
    late = assignment(guid(f"{A}/Gone"), "group-late")
    service.before_send[3] = lambda: world.tables["assignments"].append(late)
    outcome = carry_out(world, service)
    assert outcome.verdict == "failed"
    assert "assignments" in outcome.problem
    assert late in world.tables["assignments"]
    assert guid(f"{A}/Gone") in {entry["id"] for entry in world.tables["app_roles"]}
    assert one_plan(world, *WANTED).losses == ((late["principal_id"], "group-late", "name-345 / Gone"),)


def test_what_somebody_else_already_did_is_adopted(world):
    """The assignment is gone when our DELETE comes: "EntitlementGrant being updated or deleted is not found."."""
    service = FakeService(world)
    service.before_send[1] = lambda: world.tables["assignments"].pop(0)
    outcome = carry_out(world, service)
    assert outcome.verdict == "applied"
    assert outcome.sent[1].fate == "adopted"


def test_an_assignment_that_somebody_else_made_first_is_adopted():
    """POST answers 400 "Permission being assigned already exists on the object"."""
    world = World([wire(A, "Admin")])
    table = g.match(g.desired(roles(role(A, "Admin"))), frame_of_groups([(A, "Admin")]))
    made = a.plan(APPLICATION, world.app_roles, table, world.assignments, within=accounts(A))
    service = FakeService(world)
    theirs = assignment(guid(f"{A}/Admin"), f"AWS-{A}-Admin")
    service.before_send[0] = lambda: world.tables["assignments"].append(theirs)
    outcome = made.apply(service, approved=made.id, journal=FakeJournal())
    assert (outcome.verdict, outcome.sent[0].fate) == ("applied", "adopted")
    assert world.tables["assignments"] == [theirs]


def test_a_lenient_service_loses_nothing_either():
    """Where leaving out an enabled role is not refused, it is silently removed: the plan must not rely on the refusal."""
    for strict in (True, False):
        world = world_again()
        world.strict = strict
        assert carry_out(world).verdict == "applied"
        assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


# Dying


@pytest.mark.parametrize("fault", ["die before", "die after"])
@pytest.mark.parametrize("number", range(REQUESTS))
@pytest.mark.parametrize("lag", [0, 3])
def test_i16_a_run_that_died_is_finished_by_the_next(number, fault, lag):
    world = world_again()
    service = FakeService(world, lag=lag)
    service.faults[number] = fault
    outcomes = finish(lambda: one_plan(world, *WANTED), service)
    assert outcomes[0] is None
    assert {table: sorted(world.facts(table)) for table in world.tables} == undisturbed(world_again)


def test_the_lock_is_free_after_a_run_died(world):
    journal, service = FakeJournal(), FakeService(world)
    service.faults[0] = "die before"
    with pytest.raises(Stop):
        carry_out(world, service, journal)
    assert journal.held == set()


# Properties over random worlds


def sendable(scenario: Scenario):
    made = scenario.plan()
    return made if made and not made.refusals else None


def facts_of(world):
    return {table: sorted(world.facts(table)) for table in ("app_roles", "assignments")}


def calm(scenario: Scenario):
    world = scenario.world()
    finish(lambda: scenario.plan(world), FakeService(world))
    return facts_of(world)


@FEW
@given(scenarios(), st.booleans(), st.integers(0, 4), st.integers(0, 99))
def test_i15_what_was_applied_is_not_applied_again(scenario: Scenario, strict, lag, seed):
    made = sendable(scenario)
    if made is None:
        return
    world = scenario.world()
    world.strict = strict
    service = FakeService(world, lag=lag, seed=seed)
    assert made.apply(service, approved=made.id, journal=FakeJournal()).verdict == "applied"
    assert not scenario.plan(world)


@FEW
@given(scenarios(), st.booleans())
def test_i8_assignments_outside_the_plan_are_the_same_after_it(scenario: Scenario, strict):
    made = sendable(scenario)
    if made is None:
        return
    world = scenario.world()
    world.strict = strict
    made.apply(FakeService(world), approved=made.id, journal=FakeJournal())
    lost = {loss.principal_id for loss in made.losses}
    before = Counter(facts.assignment(row["app_role_id"], row["principal_id"]) for row in scenario.assigned)
    gone = before - Counter(world.facts("assignments"))
    assert sum(gone.values()) == len(made.losses)
    assert all(any(principal in fact for principal in lost) for fact in gone)
    assert not Counter(world.facts("assignments")) - before


@FEW
@given(scenarios(removed=st.just(1000)), st.booleans())
def test_i11_who_could_sign_in_still_can_after_every_request(scenario: Scenario, strict):
    """Everything but what the plan removes by name is emitted at every moment in between."""
    made = scenario.plan()
    if not made:
        return
    world = scenario.world()
    world.strict = strict
    removed = {change.key for change in made.changes if change.action == "remove" and change.kind == "appRole"}
    stays = {entry["id"] for entry in scenario.live if entry["value"] not in removed}
    service = FakeService(world)

    def emitted():
        present = {entry["id"] for entry in world.tables["app_roles"]}
        return {(row["app_role_id"], row["principal_id"]) for row in world.tables["assignments"] if row["app_role_id"] in present}

    must = {edge for edge in emitted() if edge[0] in stays}
    service.before_send = {number: lambda: seen.append(emitted()) for number in range(len(made.requests))}
    seen: list = []
    made.apply(service, approved=made.id, journal=FakeJournal())
    assert all(must <= moment for moment in [*seen, emitted()])


@FEW
@given(scenarios(removed=st.just(1000)), st.data())
def test_i16_wherever_it_dies_or_loses_an_answer_the_end_is_the_same(scenario: Scenario, data):
    made = scenario.plan()
    if not made:
        return
    end = calm(scenario)
    fault = data.draw(st.sampled_from(["die before", "die after", "lost", "unsent", "refused", "no sign-in"]))
    number = data.draw(st.integers(0, len(made.requests) - 1))
    world = scenario.world()
    service = FakeService(world, lag=data.draw(st.integers(0, 3)))
    service.faults[number] = fault
    finish(lambda: scenario.plan(world), service)
    assert facts_of(world) == end
    edges = Counter(world.facts("assignments"))
    assert max(edges.values(), default=1) == 1  # I9


@FEW
@given(scenarios(removed=st.just(1000)), st.integers(0, 99))
def test_i20_no_run_takes_anything_from_an_account_that_was_not_read(scenario: Scenario, seed):
    world = scenario.world()
    finish(lambda: scenario.plan(world), FakeService(world, lag=2, seed=seed))
    live = {entry["id"]: entry for entry in world.tables["app_roles"]}
    theirs = [entry for entry in scenario.live if of_account(entry) in scenario.unread]
    assert all(entry["id"] in live and live[entry["id"]]["isEnabled"] >= entry["isEnabled"] for entry in theirs)
    kept = {entry["id"] for entry in theirs}
    before = {facts.assignment(row["app_role_id"], row["principal_id"]) for row in scenario.assigned if row["app_role_id"] in kept}
    assert before <= set(world.facts("assignments"))


@FEW
@given(scenarios())
def test_i13_planning_sends_nothing_and_reads_nothing(scenario: Scenario):
    world = scenario.world()
    before = facts_of(world)
    scenario.plan(world)
    assert facts_of(world) == before


# Groups and assignments, end to end


@pytest.mark.parametrize("fault", ["", "lost", "unsent", "die before", "die after"])
@pytest.mark.parametrize("lag", [0, 3])
def test_from_roles_to_access_in_three_plans(fault, lag):
    """04-approles, 05-groups, 06-assignments on an application that has nothing but msiam_access."""
    names = [(A, "Admin"), (A, "Ops"), (A, "Billing")]
    world, table = World(), roles(*(role(*name) for name in names))
    wanted = g.desired(table)

    def app_roles():
        return approles.plan(APPLICATION, world.app_roles, approles.render(table), within=reading(A), assignments=world.assignments)

    def groups():
        return g.plan(DIRECTORY, g.match(wanted, world.groups), world.groups)

    def assigned():
        return a.plan(APPLICATION, world.app_roles, g.match(wanted, world.groups), world.assignments, within=accounts(A))

    for plan_of in (app_roles, groups, assigned):
        service = FakeService(world, lag=lag)
        service.faults[0] = fault
        finish(plan_of, service)
    assert next(entry["id"] for entry in world.tables["app_roles"]) == MSIAM["id"]
    assert len(world.tables["app_roles"]) == 4
    assert sorted(row["group_name"] for row in world.tables["groups"]) == sorted(f"AWS-{A}-{name}" for _, name in names)
    assert len(world.tables["assignments"]) == 3
    assert len({row["principal_id"] for row in world.tables["assignments"]}) == 3


def test_i10_a_group_is_exchanged_without_a_moment_without_access():
    world = World([wire(A, "Admin")], [assignment(guid(f"{A}/Admin"), "old-group")])
    table = g.match(g.desired(roles(role(A, "Admin"))), frame_of_groups([(A, "Admin")]))
    made = a.plan(APPLICATION, world.app_roles, table, world.assignments, within=accounts(A), guards=Guards(1))
    service, holders = FakeService(world), []
    service.before_send = {number: lambda: holders.append(len(world.tables["assignments"])) for number in range(2)}
    assert made.apply(service, approved=made.id, journal=FakeJournal()).verdict == "applied"
    assert holders == [1, 2]


def test_restoring_a_record_brings_back_roles_with_their_ids():
    """I18: the same plan function with a recorded collection as the desired side."""
    before = world_again()
    recorded = approles.entries(before.tables["app_roles"])
    world = world_again()
    carry_out(world)
    made = approles.plan(
        APPLICATION, world.app_roles, recorded, within=reading(A), assignments=world.assignments, guards=Guards(max_removed=9)
    )
    assert made.apply(FakeService(world), approved=made.id, journal=FakeJournal()).verdict == "applied"
    assert sorted(world.facts("app_roles")) == sorted(before.facts("app_roles"))


def test_agree_wants_them_in_a_row():
    answers = iter([True, True, False, True, True, True])
    service = FakeService(World())
    assert apply.agree(service, lambda: next(answers), 3)
    assert service.waited == 5.0
    assert not apply.agree(service, lambda: False, 1)


def test_an_answer_tells_three_things_apart():
    assert {answer: apply.FATES[answer] for answer in ("done", "refused", "unknown")} == {
        "done": "sent",
        "refused": "refused",
        "unknown": "indeterminate",
    }
    assert Answer("done", 204).detail == ""
    assert assignments().empty
