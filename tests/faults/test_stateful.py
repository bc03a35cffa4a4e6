"""Two runs of awsfed and a person at the portal write to one application, over lagging replicas, with faults and restores.

hypothesis plays the histories and shrinks what breaks. AWSFED_HISTORIES: how many (25 by default). After every step:
whoever could sign in and was taken off by nobody still can, nothing is there twice, and msiam_access is as it was.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy

from fake_service import FakeJournal, FakeService, Stop, World
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from made import APPLICATION, MSIAM, TENANT, accounts, assignment, desired, guid, reading, role, roles, wire
from made import assignments as assigned
from shapes import ALL, Tables, _group

from awsfed_lib.core.change import Request
from awsfed_lib.core.errors import LockedError, StalePlan
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import approles, assignments, groups, restore

HISTORIES = int(os.environ.get("AWSFED_HISTORIES", "25"))
STEPS = 30
A = "000000012345"
NAMES = ("Admin", "Ops", "Billing", "Audit")
FAULTS = st.sampled_from(["lost", "unsent", "refused", "die before", "die after", "no sign-in"])
WHO = st.sampled_from(["one", "two"])
SETS = st.sets(st.sampled_from(NAMES), min_size=1)


class Writer(FakeService):
    """One run's connection. Before each of its requests, what others have queued happens."""

    def __init__(self, machine: Federation, *, lag: int, seed: int) -> None:
        super().__init__(machine.world, lag=lag, seed=seed)
        self.machine = machine

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Ask in front of every wave whether somebody at the portal has something to do."""
        self.machine.others_act()
        return super().send(requests)

    def _one(self, request: Request) -> Answer:
        try:
            return super()._one(request)
        finally:
            self.machine.judge(f"{request.method} {request.purpose}")

    def seen(self) -> Tables:
        return Tables(*(deepcopy(self._replica(name)) for name in ("app_roles", "assignments", "groups")))


class Federation(RuleBasedStateMachine):
    """One world, two writers with plans of their own age, a portal, and snapshots."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.tables["groups"] = [_group(f"AWS-{A}-{name}") for name in NAMES]
        self.plans: dict[str, Plan] = {}
        self.services: dict[str, Writer] = {}
        self.recorded: list[tuple[list[dict], list[dict]]] = []
        self.queued: list = []
        self.journal = {name: FakeJournal() for name in ("one", "two")}
        self.may_lose: set[tuple[str, str]] = set()  # edges that somebody approved to take, or took by hand
        self.could: set[tuple[str, str]] = set()

    @initialize(
        names=SETS,
        held=st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from("abc"))),
        lag=st.integers(0, 2),
        seed=st.integers(0, 99),
        strict=st.booleans(),
    )
    def begin(self, names, held, lag, seed, strict):
        """Begin with some roles, some of them assigned, and replicas of a certain age."""
        self.world.tables["app_roles"] += [wire(A, name) for name in sorted(names)]
        self.world.tables["assignments"] = [assignment(guid(f"{A}/{name}"), f"group-{who}") for name, who in sorted(held) if name in names]
        self.world.strict = strict
        self.services = {name: Writer(self, lag=lag, seed=seed + place) for place, name in enumerate(("one", "two"))}
        self.could = self.edges()

    def edges(self) -> set[tuple[str, str]]:
        """Who would get which role from Entra ID now, by value: a restored role may have another id."""
        values = {entry["id"]: entry["value"] for entry in self.world.tables["app_roles"]}
        return {
            (values[row["app_role_id"]], row["principal_id"]) for row in self.world.tables["assignments"] if row["app_role_id"] in values
        }

    def judge(self, after: str) -> None:
        now = self.edges()
        lost = self.could - now - self.may_lose
        assert not lost, f"{after}: lost {lost}"
        self.could = now

    def others_act(self) -> None:
        while self.queued:
            self.queued.pop()()

    # Runs

    @rule(who=WHO, names=SETS)
    def plan_app_roles(self, who, names):
        """One of the runs reads, from any replica, and plans."""
        seen = self.services[who].seen()
        self._keep(who, desired(*((A, name) for name in sorted(names))), seen)

    @rule(who=WHO)
    def plan_restore(self, who):
        """The recorded collection and its assignments are the desired side."""
        if self.recorded:
            seen, (entries, held) = self.services[who].seen(), self.recorded[-1]
            taken = restore.Snapshot("a-run", TENANT, APPLICATION.id, approles.entries(entries), assigned(*held))
            people = {row["principal_id"] for row in (*held, *seen.assignments)}
            self.plans[who] = restore.plan(APPLICATION, restore.Live(seen.roles, seen.assigned, people), taken, guards=ALL)

    def _keep(self, who, wanted, seen):
        self.plans[who] = approles.plan(APPLICATION, seen.roles, wanted, within=reading(A), assignments=seen.assigned, guards=ALL)

    @rule(who=WHO, names=SETS)
    def plan_assignments(self, who, names):
        """The other runbook: one group to one role, extras go."""
        seen = self.services[who].seen()
        matched = groups.match(groups.desired(roles(*(role(A, name) for name in sorted(names)))), seen.grouped)
        self.plans[who] = assignments.plan(APPLICATION, seen.roles, matched, seen.assigned, within=accounts(A), guards=ALL)

    @rule(who=WHO, number=st.integers(0, 5), fault=st.none() | FAULTS)
    def apply(self, who, number, fault):
        """The plan is approved, however old it is by now."""
        plan = self.plans.get(who)
        if plan is None:
            return
        service = self.services[who]
        if fault:
            service.faults[len(service.sent) + number] = fault
        self.may_lose = self._taken_by(plan)
        try:
            verdict = plan.apply(service, approved=plan.id, journal=self.journal[who]).verdict
        except (StalePlan, Stop):
            verdict = "stopped"
        finally:
            service.faults.clear()
            self.may_lose = set()
            self.others_act()
        event(f"apply: {verdict}")

    def _taken_by(self, plan):
        """The edges that the plan says it takes: (value, principal)."""
        values = {entry["id"]: entry["value"] for entry in self.world.tables["app_roles"]}
        keys = [change.key.split(" → ") for change in plan.changes if change.action == "remove" and change.kind == "assignment"]
        return {(values.get(app_role_id, ""), principal_id) for principal_id, app_role_id in keys}

    @rule(who=WHO)
    def a_locked_object_is_left_alone(self, who):
        """Two runs on one machine: the second is refused while the first has the lock."""
        plan, book = self.plans.get(who), self.journal[who]
        if not plan:
            return
        sent = len(self.services[who].sent)
        with book.hold(plan.subject.key):
            try:
                plan.apply(self.services[who], approved=plan.id, journal=book)
            except LockedError:
                assert len(self.services[who].sent) == sent
            else:
                raise AssertionError("It was applied although another run had the lock.")

    @rule()
    def record(self):
        """Keep a snapshot of the collection and its assignments."""
        self.recorded.append((deepcopy(self.world.tables["app_roles"]), deepcopy(self.world.tables["assignments"])))

    # The portal, at once or in the middle of the next apply

    @rule(name=st.sampled_from(NAMES), who=st.sampled_from("abc"), later=st.booleans())
    def portal_assigns(self, name, who, later):
        """Somebody assigns a group by hand."""

        def act():
            live = [
                entry
                for entry in self.world.tables["app_roles"]
                if entry["value"] and f"role/{name}," in entry["value"] and entry["isEnabled"]
            ]
            row = assignment(live[0]["id"], f"group-{who}") if live else None
            if row and not any(
                (one["app_role_id"], one["principal_id"]) == (row["app_role_id"], row["principal_id"])
                for one in self.world.tables["assignments"]
            ):
                self.world.tables["assignments"] = [*self.world.tables["assignments"], row]
                self.could = self.edges()

        self._act(act, later)

    @rule(place=st.integers(0, 9), later=st.booleans())
    def portal_unassigns(self, place, later):
        """Somebody takes an assignment away by hand: that is theirs to lose."""

        def act():
            held = self.world.tables["assignments"]
            self.world.tables["assignments"] = [row for number, row in enumerate(held) if number != place]
            self.could &= self.edges()

        self._act(act, later)

    @rule(name=st.sampled_from(("Portal", *NAMES)), later=st.booleans())
    def portal_adds_a_role(self, name, later):
        """Somebody adds an appRole by hand, or disables the one that is there."""

        def act():
            entries = deepcopy(self.world.tables["app_roles"])
            found = [entry for entry in entries if entry["value"] and f"role/{name}," in entry["value"]]
            if found:
                found[0]["isEnabled"] = not found[0]["isEnabled"]
            else:
                entries.append(wire(A, name, id=guid(f"by hand {name} {len(entries)}")))
            self.world.tables["app_roles"] = entries

        self._act(act, later)

    def _act(self, act, later):
        if later:
            self.queued.append(act)
        else:
            act()

    @invariant()
    def nobody_lost_a_role(self):
        """I8, I11: the sign-in oracle, after every step and (in `judge`) after every request."""
        self.judge("step")

    @invariant()
    def nothing_is_there_twice(self):
        """I5, I9: ids, values, assignments."""
        entries = self.world.tables["app_roles"]
        for things in (
            [entry["id"] for entry in entries],
            [entry["value"].casefold() for entry in entries if entry["value"]],
            self.world.facts("assignments"),
        ):
            assert max(Counter(things).values(), default=1) == 1

    @invariant()
    def msiam_access_is_as_it_was(self):
        """I1."""
        assert MSIAM in self.world.tables["app_roles"]

    @invariant()
    def what_left_had_been_noted(self):
        """I17: every request has its intent before it."""
        for who, service in self.services.items():
            intents = Counter((line["method"], line["path"], line["body"]) for line in self.journal[who].lines if line["event"] == "intent")
            assert not Counter(request.literal for request in service.sent) - intents

    def teardown(self):
        """Without faults and others, a run comes to its end, and it is the desired one."""
        if not self.services:
            return
        self.queued.clear()
        service = Writer(self, lag=0, seed=0)
        wanted = desired((A, "Admin"))
        for _ in range(8):
            self._keep("one", wanted, service.seen())
            plan = self.plans["one"]
            if not plan:
                break
            self.may_lose = self._taken_by(plan)
            plan.apply(service, approved=plan.id, journal=FakeJournal())
        assert not self.plans["one"]
        ours = [entry for entry in self.world.tables["app_roles"] if entry["origin"] != "Application"]
        assert [entry["value"].split(":role/")[1].split(",")[0] for entry in ours] == ["Admin"]


TestFederation = Federation.TestCase
TestFederation.settings = settings(
    max_examples=HISTORIES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
