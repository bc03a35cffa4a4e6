"""Every fault of the AWS side at every request of a plan for the accounts, over real HTTP, with real boto3 clients.

The plan is that of 02-accounts on the messy organization: roles that are missing, trust, policies, tags and sessions that differ.
As in the matrix of Entra ID: it converges or stops resumable, "applied" is true, and after every request that changes IAM
whoever could sign in still can, judged with a signed SAML response by the twin of AWS.

AWSFED_AWS_FAULT_CASES: how many cases; AWSFED_FAULT_SEED: of which sample.
"""

import os
import random
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from botocore.httpsession import URLLib3Session
from botocore.retries.standard import ExponentialBackoff

from awsfed_lib.core.accounts import federation
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.doors import runner
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.records import parameter_file, runbooks, where
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.opening import now
from awsfed_lib.edges.records.run import Run
from awsfed_lib.sandbox.faults.injector import aws_faults
from awsfed_lib.sandbox.serve import Sandbox, Size

ROOT = Path(__file__).parents[2]
CASES, SEED = int(os.environ.get("AWSFED_AWS_FAULT_CASES", "6")), int(os.environ.get("AWSFED_FAULT_SEED", "1"))
BOOK = "02-accounts"
TIMES = (1, 3, 12)
HANG, PATIENCE = 0.3, 0.15
FAMILIES = """\
pattern: "{account}-{family}"
tag_key: Azureadtest
actions: []
families:
  - {family: read-only-user, policies: [ReadOnlyAccess], max_session: 14400}
  - {family: tpm-user, policies: [job-function/ViewOnlyAccess], max_session: 3600}
"""


class NoRecord:
    """A run that keeps nothing."""

    def run(self):
        return {}

    def update(self, **_):
        return {}


@dataclass
class Ended:
    """How a run ended. `unread`: how many accounts it left alone because they could not be read."""

    verdict: str = ""
    error: str = ""
    unread: int = 0


@dataclass
class Scene:
    """The sandbox, and runs of 02-accounts against it. `problems`: who could not sign in any more, and after what."""

    root: Path
    sandbox: Sandbox
    problems: list = field(default_factory=list)

    def __post_init__(self):
        file = parameter_file.load(self.root / "parameters/sandbox.yml")
        self.checked = runner.values(runner.Task(runbooks.find(BOOK), file, {"workers": 2, "include_accounts": self._few()}))[0]
        self.session = self._run().session
        self.could = self._sign_ins()
        assert len(self.could) > 3
        self._watched()

    def _few(self):
        """Two accounts that can be read, for a canary and a wave: those that lack most, so that roles are made and policies attached."""
        accounts = [one for one in self.sandbox.world["org"]["accounts"] if one["reach"] == "ok" and one["state"] == "ACTIVE"]
        names = {one["id"]: {role["name"] for role in one["roles"]} for one in accounts}
        lacking = sorted(names, key=lambda key: sum(name.endswith(("-read-only-user", "-tpm-user")) for name in names[key]))
        return lacking[:2]

    def _run(self):
        return Run(runbooks.find(BOOK), self.checked, NoRecord(), None, now)

    def _sign_ins(self):
        """Some of the pairs of user and role that can sign in."""
        tenant, found = self.sandbox.tenant, []
        for user in tenant.tables["users"]:
            for value in tenant.role_values(user, self.checked.application_id):
                role = next(part for part in value.split(",") if ":role/" in part)
                if self.sandbox.can_sign_in(user, role)[0]:
                    found.append((user, role))
        return found[:: max(1, len(found) // 5)]

    def _watched(self):
        """Ask after every request that changes IAM; a shared lock is not held by then."""
        carry_out = self.sandbox.org._carry_out

        def watched(call, account):
            answer = carry_out(call, account)
            if not call.action.startswith(("Get", "List")):
                account.touched()
                self.problems += [f"{one} after {call.action}" for one in self.could if not self.sandbox.can_sign_in(*one)[0]]
            return answer

        self.sandbox.org._carry_out = watched

    def run(self):
        """Read, plan, approve and send, as the notebook does."""
        try:
            return self._applied()
        except AwsfedError as error:
            return Ended(error=f"{type(error).__name__}: {error.what}")

    def _applied(self):
        run = self._run()
        run.__dict__["session"] = self.session
        accounts, documents, live, _ = aws.survey(run.organization, run.families)
        desired = federation.desired_roles(run.families, run.names(accounts))
        plan = federation.plan(run.aws.subject, live, desired, within=accounts, terms=run.terms(documents))
        with TemporaryDirectory() as folder:
            journal = Journal(Path(folder), Locks(Path(folder), patience=0.0), lambda: datetime.now(UTC))
            try:
                return Ended(plan.apply(run.aws, approved=plan.id, journal=journal).verdict, unread=int((accounts.problem != "").sum()))
            finally:
                journal.close()


@contextmanager
def impatient():
    """botocore without its pauses, and with little patience for an answer."""
    send = URLLib3Session.send

    def quick(session, request):
        session._timeout = (2.0, PATIENCE)
        return send(session, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)
        patch.setattr(URLLib3Session, "send", quick)
        yield


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, root / name)
    (root / "parameters/families.yml").write_text(FAMILIES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(where.ROOT_VARIABLE, str(root))
        with Sandbox(root / ".sandbox", Size(accounts=4)) as sandbox:
            yield Scene(root, sandbox)


@pytest.fixture(scope="module")
def length(scene):
    """How many requests a run sends when nothing goes wrong; the next run has nothing to do."""
    scene.sandbox.org.reset()
    scene.sandbox.aws_faults.plan({"mode": "f", "times": 10**6})
    assert scene.run() == Ended("applied")
    count = len(scene.sandbox.aws_faults.fired)
    assert scene.run() == Ended("nothing to do")
    assert not scene.problems
    return count


def cases(length):
    every = [(mode, position, times) for mode in aws_faults().modes for position in range(1, length + 1) for times in TIMES]
    return random.Random(SEED).sample(every, min(CASES, len(every)))


def test_it_converges_or_stops_resumable_and_nobody_loses_access(scene, length):
    wrong = [f"{case}: {words}" for case in cases(length) for words in judged(scene, *case)]
    assert not wrong, f"{len(wrong)} of {CASES}\n" + "\n".join(wrong[:20])


def judged(scene, mode, position, times):
    """Run one case; what went wrong, in words."""
    scene.sandbox.org.reset()
    scene.problems.clear()
    faults = scene.sandbox.aws_faults
    faults.clear()
    faults.hang = HANG
    with impatient():
        faults.plan({"mode": mode, "nth": position, "times": times})
        first = scene.run()
        fired = len(faults.fired)
        faults.clear()
        ends = [scene.run()]
        while ends[-1].verdict != "nothing to do" and len(ends) < 4:
            ends.append(scene.run())
    applied = first.verdict == "applied" and not first.unread
    return [
        *scene.problems[:3],
        *([f"said applied, and it is not: {ends}"] if applied and ends[0].verdict != "nothing to do" else []),
        *([f"did not converge: {first}, then {ends}"] if ends[-1].verdict != "nothing to do" else []),
        *([] if fired else ["no fault came about"]),
    ]
