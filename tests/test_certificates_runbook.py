"""08-certificates through real kernels: a stage a run, planned, approved, proven by 07-signin, and refused where it must be."""

import shutil
from datetime import UTC, datetime

import pytest
from target import Target
from test_campaign_sandbox import NAME, Oracle, World, of, running
from test_signin_runbook import put

from awsfed_lib.core.certificate.campaign import Campaign
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.doors import runner
from awsfed_lib.edges import rollover
from awsfed_lib.edges.records import parameter_file, proofs, runbooks, where
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.serve import Size


class Root(Target):
    """A sandbox, and runs in it."""

    def __init__(self, folder, box):
        super().__init__(folder, box)
        self.world = World(box)
        self.campaign = of(self.world)
        exclusions = [f"{account}: {reason}"[:250] for account, reason in self.campaign.excluded.items()]
        self.given = {"certificate": NAME, "campaign_exclusions": exclusions, "wave_accounts": 3}

    def advance(self, name):
        """Go on in this process, without a kernel, until the stage is `name`."""
        for _ in range(12):
            stage = self.world.stage(self.campaign)
            if stage.name == name:
                return
            assert self.world.apply(stage).verdict == "applied"
        pytest.fail(f"never came to {name}")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    with running(folder, Size(accounts=5)) as box:
        yield Root(folder, box)


@pytest.mark.kernel
def test_a_rollover_through_kernels(root):
    planned = root.run("08", **root.given)
    assert (planned.verdict, planned.code) == ("planned", 3), planned.problem
    assert {row["locked_out"] for row in root.table(planned, "locked_out")} >= {"There is no new certificate yet, so it holds none."}
    applied = root.run("08", **root.given, approved=planned.plans[0])
    assert applied.verdict == "applied", applied.problem
    root.advance("proof")
    user, _ = Oracle(root.sandbox, {holder.account_id for holder in root.world.live().holders}).somebody
    place = root.sandbox.org.cloud.place.recipient
    put(saml.response(root.sandbox.tenant, root.sandbox.application_id, user, recipient=place, now=datetime.now(UTC)))
    proven = root.run("07", response_file="r.txt", enter_roles=["*"])
    assert proven.verdict == "done", proven.problem
    assert len(proofs.proofs(root.sandbox.application_id)) == 1
    waiting = root.run("08", **root.given)
    assert (waiting.verdict, waiting.code) == ("nothing to do", 0), waiting.problem
    assert "Certificate rollover: soak" in (waiting.record.folder / "record.ipynb").read_text()
    assert root.table(waiting, "locked_out") == [row for row in root.table(waiting, "rollout") if row["locked_out"]]


@pytest.mark.kernel
def test_a_refused_campaign_fails_the_run_and_names_the_refusal(root):
    result = root.run("08", **root.given | {"certificate_thumbprint": "0" * 40})
    assert (result.verdict, result.code) == ("failed", 1)
    assert "no-such-certificate" in result.problem


def test_a_changed_record_proves_nothing(root, tmp_path, monkeypatch):
    """The record of 07-signin is sealed: who edits its proof has none."""
    found = sorted(where.runs().glob("*-07-signin-*"))
    if not found:
        pytest.skip("the kernels of this module did not run")
    shutil.copytree(found[0], tmp_path / "runs" / found[0].name)
    shutil.copy(where.runs() / "chain.jsonl", tmp_path / "runs")
    monkeypatch.setattr(where, "runs", lambda: tmp_path / "runs")
    assert len(proofs.proofs(root.sandbox.application_id)) == 1
    assert proofs.proofs("another application") == ()
    (tmp_path / "runs/chain.jsonl").rename(tmp_path / "kept")
    assert proofs.proofs(root.sandbox.application_id) == (), "a record that no chain knows"
    (tmp_path / "kept").rename(tmp_path / "runs/chain.jsonl")
    file = tmp_path / "runs" / found[0].name / "sign_in.json"
    file.write_text(file.read_text().replace("issued", "issued ", 1))
    assert proofs.proofs(root.sandbox.application_id) == ()


def test_the_campaign_of_the_parameters(root):
    file = parameter_file.load(root.file)
    given = {"certificate": NAME, "campaign_exclusions": ["012345678901: closed in May"], "soak_days": 2, "window_days": 3}
    checked, _ = runner.values(runner.Task(runbooks.find("08"), file, given))
    wanted = Campaign(NAME, excluded={"012345678901": "closed in May"}, soak=2 * 86_400, window=3 * 86_400)
    assert rollover.campaign(checked) == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"campaign_exclusions": ["012345678901"]},
        {"campaign_exclusions": ["012345678901: a reason", "012345678901: another"]},
        {"canary_accounts": ["Sales"]},
        {"certificate_thumbprint": "12AB"},
        {"rollover": "force"},
        {"soak_days": -1},
        {"wave_accounts": 0},
    ],
    ids=str,
)
def test_wrong_campaigns_start_no_kernel(root, wrong):
    file = parameter_file.load(root.file)
    with pytest.raises(ParameterError):
        runner.values(runner.Task(runbooks.find("08"), file, {"certificate": NAME} | wrong))


def test_a_rollover_without_a_certificate_starts_no_kernel(root):
    file = parameter_file.load(root.file)
    with pytest.raises(ParameterError, match="certificate is empty"):
        runner.values(runner.Task(runbooks.find("08"), file))


def test_a_pasted_response_is_no_parameter(root):
    file = parameter_file.load(root.file)
    with pytest.raises(ParameterError) as caught:
        runner.values(runner.Task(runbooks.find("07"), file, {"response_file": "PHNhbWxwOlJlc3BvbnNl" * 30}))
    assert "PHNhbWxw" not in str(caught.value)
