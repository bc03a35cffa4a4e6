"""Every fault at every request of every kind of plan, over real HTTPS, with MSAL and requests: it converges or stops resumable.

A case is a shape of plan, a fault, the number of the request that meets it, and a seed. Under the fault the run may end
in any of our own errors or verdicts; "applied" must be true. Without faults the next runs reach the goal. After every
single write that arrives, whoever could sign in and is not among the removals still can, no assignment outside the plan
is gone, and none is there twice.

AWSFED_FAULT_CASES: how many cases (a seeded sample; `all` for every one of three seeds). AWSFED_FAULT_SEED: of which sample.
"""

import os
import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fault_cases import SHAPES, Runs, Watch, shape

from awsfed_lib.edges.entra import connection
from awsfed_lib.sandbox.faults.actors import ACTORS

CASES = os.environ.get("AWSFED_FAULT_CASES", "220")
SEED = int(os.environ.get("AWSFED_FAULT_SEED", "1"))
POSITIONS = 60  # more than any run has requests; positions behind the last one are cut off
TIMES = (1, 3, 40)  # by seed: once, a few in a row, a storm
HANG, PATIENCE = 0.25, 0.12  # seconds: of the server's silence, of the client
QUIET = ("f", "lag", "lenient", "items-reversed", "twice")  # modes after which "applied" must hold although nobody was refused


@dataclass(frozen=True)
class Case:
    """One case; as text it is what a failure is found again by."""

    shape: str
    mode: str
    position: int
    seed: int

    def rules(self):
        """The plan of faults. `login:` ends the token at the position, and the fault meets the request for a new one."""
        times = TIMES[self.seed % len(TIMES)]
        if self.mode == "storm":
            return [{"seed": self.seed * 1000 + self.position, "rate": 0.2, "modes": _stormy()}]
        if self.mode.startswith("login:"):
            login = {"mode": self.mode.removeprefix("login:"), "match": "oauth2/v2.0/token", "times": times}
            return [{"mode": "token-ends", "nth": self.position}, login]
        return [{"mode": self.mode, "nth": self.position, "times": times}]

    @property
    def by_others(self):
        return self.mode.removesuffix("-after") in ACTORS and self.mode not in QUIET


def _stormy():
    return [mode for mode in _modes() if mode.removesuffix("-after") not in ACTORS and not mode.startswith("login:") and mode != "storm"]


def _modes():
    from awsfed_lib.sandbox.faults import bodies, items, refusals, wire_faults

    plain = [*wire_faults.MODES, *refusals.MODES, *bodies.MODES, *items.MODES]
    others = [*ACTORS, *(f"{name}-after" for name in ACTORS if name not in ("lag", "lenient"))]
    return [*plain, *others, "storm", "login:503", "login:nc", "login:pn", "login:429-int"]


@pytest.fixture(scope="module")
def lengths(served_twin, tmp_path_factory):
    """How many requests each shape sends when nothing goes wrong; and it then reaches its goal with one run."""
    found = {}
    for name in SHAPES:
        served_twin.tenant.reset()
        served_twin.faults.clear()
        runs = Runs(served_twin, shape(served_twin, name), served_twin.session("writer"), tmp_path_factory.mktemp(name))
        served_twin.faults.plan({"mode": "f", "times": 10**6})
        ended = runs.run()
        assert (set(ended.verdicts), ended.error) == ({"applied"}, ""), name
        assert runs.shape.reached(), name
        found[name] = len(served_twin.faults.fired)
    return found


def _cases(lengths):
    every = [
        Case(name, mode, position, seed)
        for seed in range(len(TIMES))
        for name in SHAPES
        for mode in _modes()
        for position in range(1, min(lengths[name], POSITIONS) + 1)
    ]
    if CASES == "all":
        return every
    wanted = int(CASES)
    return [case for name in SHAPES for case in _sample([case for case in every if case.shape == name], wanted // len(SHAPES))]


def _sample(cases, count):
    return random.Random(f"{SEED}/{cases[0].shape}").sample(cases, min(count, len(cases)))


def test_the_question_asked_after_every_write_is_the_twins_own(served_twin):
    """The watch computes who can sign in by itself, quickly; it agrees with the roles that the twin would put into each response."""
    served_twin.tenant.reset()
    served_twin.faults.clear()
    tenant, watch = served_twin.tenant, Watch(served_twin.tenant, served_twin.faults)
    try:
        for name in ("editor-assigns", "editor-switches-role", "editor-removes-role", "editor-unassigns", "editor-unassigns"):
            ACTORS[name](tenant)
            emitted = {(user, value) for user in tenant.tables["users"] for value in tenant.role_values(user, served_twin.application_id)}
            assert watch._sign_ins() == emitted
    finally:
        watch.close()
    assert [problem.partition(":")[0] for problem in watch.problems][:2] == ["lost assignment", "sign-in lost"]


@pytest.fixture
def place(tmp_path):
    """Where the journals go: in memory where there is such a folder, since thousands of fsyncs are not what is tested here."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="awsfed-faults-", dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", SHAPES)
def test_it_converges_or_stops_resumable_and_nobody_loses_access(served_twin, lengths, name, place, monkeypatch):
    cases = [case for case in _cases(lengths) if case.shape == name]
    assert cases
    served_twin.faults.clear()
    session = served_twin.session("writer")
    failures = []
    for case in cases:
        served_twin.tenant.reset()
        wrong, session = judged(served_twin, case, Runs(served_twin, shape(served_twin, name), session, place), monkeypatch)
        failures += [f"{case}: {words}" for words in wrong]
    assert not failures, f"{len(failures)} of {len(cases)} cases\n" + "\n".join(failures[:20])


def judged(twin, case, runs, monkeypatch):
    """Run one case; what went wrong, in words, and the session that the next case can use."""
    twin.faults.clear()
    twin.faults.hang = HANG
    watch = Watch(twin.tenant, twin.faults, runs.shape.allowed)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(connection, "TIMEOUT", (2.0, PATIENCE))
            twin.faults.plan(*case.rules())
            first = runs.run()
            applied = set(first.verdicts) == {"applied"} and not first.error
            reached = runs.shape.reached()
            fired = len(twin.faults.fired)
            twin.faults.clear()
        twin.switch(lag_reads=0, strict=True)
        ends = runs.settle()
    finally:
        watch.close()
    return [
        *watch.problems[:3],
        *([f"said applied, and it is not ({first})"] if applied and not reached and not case.by_others else []),
        *([f"did not converge: {first}, then {ends}"] if not settled(ends, runs.shape.reached(), case) else []),
        *(["no fault came about"] if not fired and case.mode != "storm" else []),
    ], runs.session


def settled(ends, reached, case):
    """The last run found nothing to do, and the goal is reached, unless somebody else took away what it needs (a role that is gone)."""
    return set(ends[-1].verdicts) == {"nothing to do"} and not ends[-1].error and (reached or case.by_others)
