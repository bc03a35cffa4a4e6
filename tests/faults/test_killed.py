"""Real kill -9 of `awsfed run`, of its kernel and of plain papermill, and Ctrl-C and SIGTERM, in the middle of an apply.

papermill 2.7 calls all cells completed after a dead kernel, and its kernel goes on sending when papermill itself is killed.
Whatever happens: the record never says what is not so, its journal can be read, the lock is free, and the next run reaches
the goal with nothing lost and nothing doubled.

AWSFED_KILLS: how many of each group. AWSFED_KILL_SEED: which.
"""

import os
import random
import shutil
import sys
from io import StringIO
from pathlib import Path

import pytest
from killing import Moment, Victim, arm, awsfed
from sign_in_watch import Watch

from awsfed_lib.core.change import Guards
from awsfed_lib.core.roles import approles
from awsfed_lib.doors import runner
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.entra.auth import SignIn, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.records import approval, journal, parameter_file, runbooks, where
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.opening import now
from awsfed_lib.edges.records.record import Record
from awsfed_lib.edges.records.run import Run
from awsfed_lib.sandbox.serve import Sandbox, Size

pytestmark = pytest.mark.kernel
ROOT = Path(__file__).parents[2]
KILLS, SEED = int(os.environ.get("AWSFED_KILLS", "4")), int(os.environ.get("AWSFED_KILL_SEED", "1"))
BOOK, REMOVED = "04-approles", 60
WRITES = r"^(PATCH|POST|DELETE) /v1\.0/(?!directoryObjects)"
GRAPH = r" /v1\.0/"
TRUE_ONLY_IF_REACHED = ("applied", "done", "nothing to do")


class Scene:
    """A root with our runbooks, a sandbox, and one plan that adds, revokes, disables and removes; the same in every case."""

    def __init__(self, root, sandbox):
        self.root, self.sandbox, self.tenant, self.faults = root, sandbox, sandbox.tenant, sandbox.entra_faults
        self.file = parameter_file.load(root / "parameters/sandbox.yml")
        preview = runner.execute(runner.Task(runbooks.find(BOOK), self.file, {"max_removed": REMOVED}), out=StringIO())
        assert preview.verdict == "planned", preview.problem
        self.first = preview.plans[0]
        checked = runner.values(runner.Task(runbooks.find(BOOK), self.file))[0]
        organization = Run(runbooks.find(BOOK), checked, preview.record, None, now).organization
        self._accounts, self._roles = aws.inventory(organization, provider=checked.provider)
        self.allowed = self._losses()

    def graph(self):
        given = self.file.values
        return Graph.writing(sign_in(SignIn("sandbox", given["tenant_id"], given["client_id"], "certificate")))

    def plan(self, graph):
        """The plan of the notebook, computed here."""
        application = self.file.values["application_id"]
        live, assigned = graph.app_roles(application), graph.assignments(application)
        desired = approles.render(self._roles, label=self.file.values["role_label"])
        known = approles.inventoried(self._accounts, self._roles)
        return approles.plan(
            graph.application(application), live, desired, within=known, assignments=assigned,
            guards=Guards(REMOVED), scopes=graph.scopes(application), jobs=graph.jobs(application),
        )  # fmt: skip

    def proposed(self, graph, records=None):
        """The same as a run beside the `records` shows it: an id that was used is not approved again."""
        ids = approval.read(records or where.runs(), now())
        return self.plan(graph).proposed(BOOK, lambda plan_id: ids.approval(plan_id, now()))

    def _losses(self):
        plan = self.proposed(self.graph())
        assert plan.id == self.first
        removed = {change.key for change in plan.changes if change.kind == "appRole" and change.action == "remove"}
        ids = {role["id"] for role in self.principal["appRoles"] if role["value"] in removed}
        return {(one["principalId"], one["appRoleId"]) for one in self.tenant.tables["assignments"].values() if one["appRoleId"] in ids}

    @property
    def principal(self):
        return self.tenant.tables["servicePrincipals"][self.file.values["application_id"]]

    def reached(self):
        """Whether there is nothing left to do."""
        return not self.plan(self.graph())

    def command(self, who):
        approved = self.proposed(self.graph()).id
        if who != "papermill":
            return awsfed("run", BOOK, "-f", "sandbox.yml", "-p", f"max_removed={REMOVED}", "--approved", approved)
        values = {"max_removed": str(REMOVED), "approved": approved}
        pairs = [part for name, value in values.items() for part in ("-p", name, value)]
        return [sys.executable, "-m", "papermill", "-f", "parameters/sandbox.yml", *pairs, f"notebooks/{BOOK}.ipynb", "out.ipynb"]

    def environment(self):
        ours = {where.ROOT_VARIABLE: str(self.root), "PYTHONPATH": str(ROOT)}
        return {name: value for name, value in os.environ.items() if not name.startswith("AWSFED_")} | ours


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, root / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(where.ROOT_VARIABLE, str(root))
        with Sandbox(root / ".sandbox", Size(accounts=6)) as sandbox:
            yield Scene(root, sandbox)


def moment(drawn):
    """Mostly at a write, before or after it is carried out; else at any request; else at any time."""
    kind = drawn.choices(("write", "request", "time"), (6, 3, 1))[0]
    if kind == "write":
        return Moment(WRITES, drawn.randint(1, 3), drawn.random() < 0.5)
    if kind == "request":
        return Moment(GRAPH, drawn.randint(1, 24), drawn.random() < 0.5)
    return Moment(GRAPH, 1, seconds=round(drawn.uniform(0.05, 1.2), 2))


def cases(whose):
    drawn = random.Random(f"{SEED}/{whose}")
    return [
        (f"{number}-{who}-{signal}", who, signal, moment(drawn))
        for number, (who, signal) in zip(range(KILLS), _in_turn(whose), strict=False)
    ]


def _in_turn(whose):
    while True:
        yield from whose


KILLED = (("run", "kill"), ("kernel", "kill"), ("papermill", "kill"))
STOPPED = (("run", "int"), ("run", "term"), ("papermill", "int"), ("papermill", "term"))
EVERY = [*cases(KILLED), *cases(STOPPED)[: max(KILLS // 2, 2)]]


@pytest.mark.parametrize(("who", "signal", "moment"), [case[1:] for case in EVERY], ids=[case[0] for case in EVERY])
def test_a_run_that_ends_early_leaves_the_truth_and_the_next_one_reaches_the_goal(scene, who, signal, moment):
    scene.tenant.reset()
    scene.faults.clear()
    watch = Watch(scene.tenant, scene.faults, scene.allowed)
    before = set(where.runs().iterdir())
    victim = Victim(scene.command(who), scene.root, scene.environment())
    arm(scene.faults, moment, lambda: victim.strike(who, signal), client_dies=who == "kernel" and not moment.seconds)
    code = victim.ends()
    struck = bool(scene.faults.fired)
    scene.faults.clear()
    try:
        told = judged(scene, before, (who, signal, code))
        settled(scene)
        assert not watch.problems, (who, signal, str(moment))
        print(f"{who} {signal} {moment}: exit {code}, struck {struck}, {told}")
    finally:
        watch.close()


def judged(scene, before, how):
    """The record is there, says what is so, and its journal can be read; what it says."""
    (folder,) = set(where.runs().iterdir()) - before
    record, lines = Record(folder), journal.read(folder) if (folder / journal.FILE).exists() else []
    said, sealed = record.run(), journal.verdict(lines)
    reached = scene.reached()
    for verdict in (said["verdict"], sealed):
        assert verdict not in TRUE_ONLY_IF_REACHED or reached, (how, verdict)
    assert not said["sealed"] or not record.changed(), how
    who, signal, code = how
    if code == 0 and who != "papermill":
        assert said["verdict"] in TRUE_ONLY_IF_REACHED, how
    if who == "run" and signal != "kill":
        assert said["sealed"], how
        assert said["verdict"] in ("interrupted", "applied"), how
    return (
        f"record {said['verdict'] or 'open'}, journal {sealed or 'open'} after {len(lines)} lines, goal {'reached' if reached else 'open'}"
    )


def settled(scene):
    """The lock is free at once, and what is left to do can be done."""
    graph = scene.graph()
    plan = scene.proposed(graph, scene.root)
    folder = scene.root / f"again-{len(list(scene.root.glob('again-*')))}"
    folder.mkdir()
    again = Journal(folder, Locks(where.locks(), patience=0.0), now, BOOK)
    with again.hold(plan.subject.key):
        pass
    assert plan.apply(graph, approved=plan.id, journal=again).verdict in ("applied", "nothing to do")
    again.close()
    assert scene.reached()
