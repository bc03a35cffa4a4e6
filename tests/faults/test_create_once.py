"""Nothing is created twice, however stale the reads are, and whatever becomes of the answers.

A case is one kind of creation, what becomes of its answer, how many reads stay stale after each write, and a seed. Three runs
follow each other, minutes apart, each approving what it plans: at no moment may there be two objects. Then the replicas catch up
and time passes; runs that show the plan, and then send it, end with exactly one.

In AWS a provider and a role have names, and IAM refuses a second one: there the law is that nothing that came through is sent again,
and that no answer keeps an account from what is desired.

AWSFED_CREATE_CASES: how many cases of Entra ID (a seeded sample; `all` for every one of eight seeds), and one of each kind in AWS (`all`).
"""

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import made
import pytest
import scripted
from fault_cases import NEW, World
from test_accounts import bare, serving

from awsfed_lib.core.change import Change, Subject
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import groups, membership
from awsfed_lib.core.tables import ROLES, frame
from awsfed_lib.edges.entra import enterprise
from awsfed_lib.edges.entra.enterprise import Claims, Desired, Settings
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.sandbox.amazon.wire import AwsError

CASES, SEED = os.environ.get("AWSFED_CREATE_CASES", "45"), int(os.environ.get("AWSFED_FAULT_SEED", "1"))
RUNS, ROUNDS = 3, 6
STALE = (0, 3, 40, 2000)  # reads that stay stale after a write: none, within the patience of a run, beyond it, beyond all runs
ANSWERS = {"answered": "", "answered, killed": "", "lost": "nc", "half": "pc", "not sent": "nqc", "unavailable": "503"}
SOON, LATER = timedelta(seconds=0.2), timedelta(seconds=10)  # the sandbox takes 3.6 s for the hour in which replicas may lag
NAME, POLICY, CERTIFICATE = "AWS of the test", "Claims of the test", "CN=AWS of the test"
DESIRED = Desired(Settings(), Claims(), POLICY, CERTIFICATE)


class Stop(BaseException):
    """The run dies here, as by kill -9."""


class Dying(Journal):
    """A journal whose run dies between the answer to a creation and its line. `at`: a part of the path of the creation."""

    at = ""

    def note(self, event, **fields):
        if event == "answer" and self.at and self.at in fields["path"]:
            raise Stop
        super().note(event, **fields)


@dataclass(frozen=True)
class Kind:
    """One kind of creation. `path`: a part of the path of its request; `before`: how many runs come first; `plan`, `count`: of the place."""

    path: str
    plan: object
    count: object
    before: int = 0


@dataclass(frozen=True)
class Case:
    """One case; as text it is what a failure is found again by."""

    kind: str
    answer: str
    stale: int
    seed: int


class Place:
    """The twin, a folder of runs, and a clock that passes only between runs."""

    def __init__(self, twin, session, folder):
        self.twin, self.session, self.runs, self.world = twin, session, folder, World(twin)
        self.now, self.number = datetime(2026, 1, 1, tzinfo=UTC), 0
        self.tables = twin.tenant.tables
        groups = [key for key, one in self.tables["groups"].items() if not one["groupTypes"] and one["securityEnabled"]]
        self.group = groups[0]
        self.user = next(key for key in self.tables["users"] if key not in self.tables["members"].get(self.group, ()))
        self.new_roles, _ = self.world.roles(add=NEW[:1])
        self.new_groups, _ = self.world.new_groups(NEW[0])
        self.new_assignments = self._assigning()

    def _assigning(self):
        """Assign the first role to a group that does not have it."""
        role = approlename(self.world.own[0])
        held = {principal for principal, _ in self.world.edges(role)}
        name = next(name for name, key in self.world.groups.items() if key not in held)
        self.edge = (self.world.groups[name], self.world.own[0]["id"])
        return self.world.assigned([(role, name)]).plans[0]

    def graph(self):
        return Graph.writing(self.session, clock=scripted.Hours().clock)

    def run(self, kind, *, dying="", approve=True):
        """Read, plan, and send when it is to be approved; the verdict, or the code of the error."""
        self.number += 1
        folder = self.runs / f"{self.number:03}-run"
        folder.mkdir()
        journal = Dying(folder, Locks(self.runs / ".locks", patience=0.0), lambda: self.now)
        journal.at, graph = dying, self.graph()
        try:
            plan = kind.plan(self, graph).proposed("", journal.approval)
            return plan.apply(graph, approved=plan.id if approve else "", journal=journal).verdict
        except AwsfedError as error:
            return error.code
        except Stop:
            return "killed"
        finally:
            journal.close()

    # plans

    def enterprise(self, graph):
        return enterprise.plan(enterprise.read(graph, self.session, application_id="", name=NAME, policy=POLICY), DESIRED)

    def owned_groups(self, graph):
        """Create a group as a client that holds Group.Create alone: by POST, which makes another one each time."""
        wanted = groups.desired(frame(ROLES, [made.role(self.world.account, NEW[0])]))
        live = graph.groups(names=wanted.group_name, unique_names=wanted.unique_name)
        return groups.plan(graph.tenant(), groups.match(wanted, live), live, creator=graph.creator())

    def joined(self, graph):
        """Put somebody into a group, as 14-restore does."""
        person = Subject("user", self.user, "somebody", graph.realm)
        held = graph.memberships(self.user).group_id
        if self.group in set(held):
            return Plan("Memberships", person, (), (), (), ())
        request = membership.join(person, {"group_id": self.group, "group_name": "a group"}, graph_url=graph.url)
        before, after = membership.basis(person, held), membership.basis(person, [*held, self.group])
        return Plan("Memberships", person, (Change("add", "membership", self.group, "a group"),), (request,), (before,), (after,))

    # what there is

    def named(self, table, name):
        return sum(one["displayName"] == name for one in self.tables[table].values())

    @property
    def principal(self):
        return next((one for one in self.tables["servicePrincipals"].values() if one["displayName"] == NAME), {})

    def certificates(self):
        keys = self.principal.get("keyCredentials", ())
        return sum(one["displayName"] == CERTIFICATE and one["usage"] == "Sign" for one in keys)

    def assigned_policies(self):
        return len(self.tables["policies"].get(self.principal.get("id"), ()))

    def new_group_count(self):
        return sum(NEW[0] in one["displayName"] for one in self.tables["groups"].values())

    def assignments(self):
        return sum((one["principalId"], one["appRoleId"]) == self.edge for one in self.tables["assignments"].values())

    def members(self):
        return self.tables["members"].get(self.group, ()).count(self.user)

    def app_roles(self):
        return sum(NEW[0] in (one.get("value") or "") for one in self.twin.service_principal["appRoles"])


def approlename(role):
    return role["value"].split(",")[0].rpartition("/")[2]


KINDS = {
    "application": Kind("/instantiate", Place.enterprise, lambda place: place.named("servicePrincipals", NAME)),
    "claims policy": Kind(
        "/policies/claimsMappingPolicies", Place.enterprise, lambda place: place.named("claimsMappingPolicies", POLICY), before=1
    ),
    "signing certificate": Kind("/addTokenSigningCertificate", Place.enterprise, Place.certificates, before=1),
    "assigned claims policy": Kind("/claimsMappingPolicies/$ref", Place.enterprise, Place.assigned_policies, before=2),
    "group": Kind("/groups(uniqueName=", lambda place, graph: place.new_groups(graph), Place.new_group_count),
    "group, by Group.Create": Kind("/groups", Place.owned_groups, Place.new_group_count),
    "assignment": Kind("/appRoleAssignedTo", lambda place, graph: place.new_assignments(graph), Place.assignments),
    "membership": Kind("/members/$ref", Place.joined, Place.members),
    "appRole": Kind("/servicePrincipals/", lambda place, graph: place.new_roles(graph), Place.app_roles),
}


def _cases():
    every = [
        Case(*case)
        for case in ((kind, answer, stale, seed) for kind in KINDS for answer in ANSWERS for stale in STALE for seed in range(8))
    ]
    if CASES == "all":
        return every
    return [case for kind in KINDS for case in _sample([case for case in every if case.kind == kind], int(CASES) // len(KINDS))]


def _sample(cases, count):
    return random.Random(f"{SEED}/{cases[0].kind}").sample(cases, min(count, len(cases)))


@pytest.fixture
def folder(tmp_path):
    """Where the runs go: in memory where there is such a folder, since thousands of fsyncs are not what is tested here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="awsfed-create-", dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_created_twice(served_twin, name, folder):
    session = served_twin.session("writer")
    cases = [case for case in _cases() if case.kind == name]
    assert cases
    failures = []
    for number, case in enumerate(cases):
        served_twin.faults.clear()
        served_twin.tenant.reset()
        if "Group.Create" in name:
            served_twin.without("writer", "Group.ReadWrite.All", "Directory.ReadWrite.All")
            session = served_twin.session("writer")
        runs = folder / str(number)
        runs.mkdir()
        failures += [f"{case}: {words}" for words in judged(Place(served_twin, session, runs), case)]
    served_twin.faults.clear()
    assert not failures, f"{len(failures)} of {len(cases)} cases\n" + "\n".join(failures)


def judged(place, case):
    """Play one case; what went wrong, in words."""
    kind, twin = KINDS[case.kind], place.twin
    for _ in range(kind.before):
        assert place.run(kind) == "applied"
    twin.switch(lag_reads=case.stale, seed=case.seed)
    twin.tenant.replicas.seed = case.seed
    mode = ANSWERS[case.answer]
    if mode:
        twin.faults.plan({"mode": mode, "match": f"^(POST|PATCH) .*{_escaped(kind.path)}|batch"})
    ends, wrong = [], []
    for _ in range(RUNS):
        ends.append(place.run(kind, dying=kind.path if "killed" in case.answer else ""))
        place.now += SOON
        if kind.count(place) > 1:
            wrong.append(f"{kind.count(place)} objects after the runs {ends}")
            break
    if mode and not twin.faults.fired:
        wrong.append("no fault came about")
    twin.faults.clear()
    twin.switch(lag_reads=0)
    twin.tenant.replicas._lags.clear()
    ends += _settled(place, kind)
    if kind.count(place) != 1 and not wrong:
        wrong.append(f"{kind.count(place)} objects in the end, after the runs {ends}")
    return wrong


def _settled(place, kind):
    """Let the replicas catch up and time pass; show the plan, then approve it, until nothing is left to do."""
    ends = []
    for _ in range(ROUNDS):
        place.now += LATER
        ends.append(place.run(kind, approve=False))
        place.now += SOON
        if ends[-1] == "nothing to do":
            break
        ends.append(place.run(kind))
    return ends


def _escaped(path):
    return path.replace("$", r"\$").replace("(", r"\(")


def test_what_was_sent_and_is_not_shown_is_refused_by_its_code(twin, folder):
    """The lists stay behind for longer than a run waits, as Entra ID's do."""
    kind = KINDS["application"]
    place = Place(twin, twin.session("writer"), folder)
    twin.switch(lag_minutes={"*": 600.0})
    ends = [place.run(kind)]
    place.now += SOON
    ends += [place.run(kind, approve=False), place.run(kind), place.run(kind)]
    assert ends[:2] == ["unverified", "planned"]
    assert ends[2] == "sent-not-seen"
    assert ends[3] != "unverified"
    assert kind.count(place) == 1


# --- AWS ---------------------------------------------------------------------------------------------------------------

IAM_KINDS = ("CreateSAMLProvider", "CreateRole", "AttachRolePolicy")
IAM_ANSWERS = ("answered", "answered, killed", "lost", "unavailable")
IAM_STALE = (0, 1, 4, 30)  # reads of an account that repeat what they said before a write
TOOLING = "Identity Tooling"


class DyingInIam(Journal):
    """A journal whose run dies between the answer to the first request of one action and its line."""

    action, path = "", ""

    def note(self, event, **fields):
        if event == "intent" and fields["method"] == f"iam:{self.action}":
            self.path = fields["path"]
        if event == "answer" and self.path == fields["path"]:
            raise Stop
        super().note(event, **fields)


class Accounts:
    """One account that has neither provider nor roles, and the runs of 02-accounts that bring them. `came`: what IAM carried out."""

    def __init__(self, side, folder):
        self.side, self.folder, self.came, self.number = side, folder, [], 0
        self.carry_out, self.lose = side.org._carry_out, ("", "")

    def carried_out(self, call, account):
        """Carry out a request, and lose the first answer of the action that `lose` names: before it, or after."""
        action, how = self.lose
        if call.action == action:
            self.lose = ("", "")
            if how == "unavailable":
                raise AwsError("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", 503)
        answer = self.carry_out(call, account)
        if call.action in IAM_KINDS:
            self.came.append((account.id, call.action, call.text("RoleName") or call.text("Name"), call.text("PolicyArn")))
        if call.action == action and how == "lost":
            raise AwsError("ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.", 500)
        return answer

    def run(self, *, dying="", approve=True):
        """Read, plan, and send when it is to be approved; the verdict, or the code of the error."""
        self.number += 1
        folder = self.folder / f"{self.number:03}-run"
        folder.mkdir()
        journal = DyingInIam(folder, Locks(self.folder / ".locks", patience=0.0), lambda: datetime.now(UTC))
        journal.action = dying
        try:
            service = self.side.service()
            plan = self.side.planned(service).proposed("", journal.approval)
            return plan.apply(service, approved=plan.id if approve else "", journal=journal).verdict
        except AwsfedError as error:
            return error.code
        except Stop:
            return "killed"
        finally:
            journal.close()


def _iam_cases():
    every = [(action, answer, stale) for action in IAM_KINDS for answer in IAM_ANSWERS for stale in IAM_STALE]
    if CASES == "all":
        return every
    chance = random.Random(SEED)
    return [chance.choice([case for case in every if case[0] == action]) for action in IAM_KINDS]


def test_nothing_is_created_twice_in_an_account(folder, monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    with serving() as side:
        failures = [
            f"{case}: {words}" for number, case in enumerate(_iam_cases()) for words in _judged_in_iam(side, folder / str(number), case)
        ]
    assert not failures, "\n".join(failures)


def _judged_in_iam(side, folder, case):
    """Play one case; what went wrong, in words."""
    action, answer, stale = case
    folder.mkdir()
    side.org.__dict__.pop("_carry_out", None)
    side.org.reset()
    account = side.account(TOOLING)
    bare(account)
    place = Accounts(side, folder)
    side.org._carry_out = place.carried_out
    place.lose = (action, answer) if answer in ("lost", "unavailable") else ("", "")
    side.org.board.change({"stale_reads": stale})
    ends = [place.run(dying=action if "killed" in answer else "")]
    fired = ends[0] == "killed" if "killed" in answer else place.lose == ("", "")
    ends += [place.run() for _ in range(RUNS - 1)]
    side.org.board.change({"stale_reads": 0})
    while ends[-1] != "nothing to do" and len(ends) < RUNS + ROUNDS:
        ends.append(place.run())
    twice = sorted({one for one in place.came if place.came.count(one) > 1})
    return [
        *([f"carried out twice: {twice}, in the runs {ends}"] if twice else []),
        *([f"did not come to its end: {ends}"] if ends[-1] != "nothing to do" else []),
        *([] if fired and any(one[:2] == (account.id, action) for one in place.came) else [f"the case did not come about: {ends}"]),
    ]
