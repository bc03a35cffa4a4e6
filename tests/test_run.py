"""begin and finish, in a notebook that nobody runs for us: JupyterLab, plain papermill, a scheduler."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_root import CLIENT, TENANT, make

from awsfed_lib.core.apply import Patience
from awsfed_lib.core.change import Basis, Change, Guards, Request, Settled, Subject
from awsfed_lib.core.errors import NotApproved, OutcomeError, ParameterError, RecordError
from awsfed_lib.core.outcome import Answer
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.tables import FINDINGS, frame
from awsfed_lib.doors.runs import runs as runs_command
from awsfed_lib.edges.records import journal, namespace, opening, provenance, run, runbooks, where
from awsfed_lib.edges.records.record import Record

NOW = datetime(2026, 11, 24, 7, 51, tzinfo=UTC)
NAMES = {"tenant_id": TENANT, "cloud": "global", "include_accounts": ["012345678901"], "workers": 4, "approved": "", "In": [""], "Out": {}}


def clock():
    return NOW


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path)))
    monkeypatch.delenv(opening.FOLDER_VARIABLE, raising=False)
    return tmp_path


def begin(**names):
    return run.begin("20-plan", {**NAMES, **names}, clock=clock)


class Service:
    realm, patience = TENANT, Patience(2, (0.0, 0.0))

    def __init__(self, fate="done"):
        self.facts, self.fate, self.sent = ("a",), fate, 0

    def live(self, table, of):
        return self.facts

    def snapshot(self, table, of):
        return b"{}"

    def send(self, requests):
        self.sent += len(requests)
        self.facts = ("a", "b") if self.fate == "done" else self.facts
        return [
            Answer(self.fate, 204 if self.fate == "done" else 403, "" if self.fate == "done" else "Authorization_RequestDenied")
            for _ in requests
        ]

    def permit(self, requests):
        return nullcontext()

    def wait(self, seconds):
        pass


def a_plan():
    request = Request(
        "PATCH", "/servicePrincipals/sp-1", '{"appRoles": []}', "add one appRole", Settled("app_roles", "sp-1", present=("b",))
    )
    basis, goal = (Basis.over("app_roles", "sp-1", facts) for facts in (("a",), ("a", "b")))
    return Plan(
        "Add b", Subject("servicePrincipal", "sp-1", "AWS", TENANT), (Change("add", "appRole", "b", "b"),), (request,), (basis,), (goal,)
    )


def said(started):
    return json.loads((started.folder / "run.json").read_bytes())


def test_begin_makes_a_record_and_says_what_it_may_do(root, capsys):
    started = begin()
    assert started.folder == root / "runs" / f"20261124T075100Z-20-plan-{TENANT[:8]}"
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("20-plan", TENANT, "can change Entra ID", "No plan is approved"))
    assert said(started)["parameters"] == {name: NAMES[name] for name in ("tenant_id", "cloud", "include_accounts", "workers", "approved")}
    assert said(started)["executed_by"] == "notebook"
    assert [line.event for line in journal.read(started.folder)] == ["begin"]


def test_banner_names_the_approved_plan(root, capsys):
    begin(approved="plan-0123456789abcdef0123456789abcdef")
    assert "plan-0123456789abcdef0123456789abcdef" in capsys.readouterr().out


def test_record_names_no_host_no_user_and_no_path(root):
    content = (begin().folder / "run.json").read_text()
    assert str(root) not in content
    assert "hostname" not in content


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"workers": "4"}, "whole number"),
        ({"include_accounts": [12345678901]}, "lost a leading zero"),
        ({"tenant_id": ""}, "tenant_id is empty"),
        ({"tenantid": TENANT}, "Did you mean tenant_id"),
        ({"aproved": "plan-0123456789abcdef0123456789abcdef"}, "Did you mean approved"),
        ({"Workers": 8}, "Did you mean workers"),
        ({"include_account": ["a"]}, "Did you mean include_accounts"),
        ({"group_map": "none.csv"}, "no file parameters/none.csv"),
        ({"accounts_file": "../x.csv"}, "below parameters/"),
        ({"external_id": "AKIAIOSFODNN7EXAMPLE"}, "looks like an AWS access key"),
    ],
)
def test_begin_refuses_before_anything_exists(root, names, words):
    with pytest.raises(ParameterError, match=words):
        begin(**names)
    assert not (root / "runs").exists()


@pytest.mark.parametrize(
    ("injected", "words"),
    [
        ("# Parameters\ndry_run = False\n", "dry_run was injected, and is no parameter"),
        ('# Parameters\ntenant_id = "x"\naproved = "y"\n', "Did you mean approved"),
        ("# Parameters\nimport os; x = 1\n", "name that is code"),
        ("# Parameters\nos.environ['A'] = 'b'\n", "name that is code"),
        ("# Parameters\nx: int = 1\n", "x was injected"),
    ],
)
def test_injected_name_that_is_no_parameter_is_refused(root, injected, words):
    """papermill 2.7 only warns, injects it all the same, and does not ask whether it is a name (papermill issue 818)."""
    with pytest.raises(ParameterError, match=words):
        begin(In=["", 'tenant_id: str = ""', injected, "import awsfed_lib"])


def test_whole_parameter_file_may_be_injected(root):
    """`papermill -f` injects every name of the file, those included that this runbook does not declare."""
    cell = f'# Parameters\ntenant_id = "{TENANT}"\nclient_id = "{CLIENT}"\nmax_removed = 0\nprotected_roles = ["*Admin*"]\n'
    started = begin(client_id=CLIENT, max_removed=3, protected_roles=["*Admin*"], In=["", cell])
    assert started.guards == Guards(3, ("*Admin*",), (), ())


DECLARED = ("tenant_id", "cloud", "client_id", "application_id", "include_accounts", "provider", "group_name", "protected_roles", "workers")


@pytest.mark.parametrize(
    "names",
    [
        {"providers": [1]},
        {"group_names": ["a"]},
        {"roles": 1},
        {"account": "x"},
        {"_tenantid": "x"},
        {"clouds": {"a": 1}},
        {"application": Subject("a", "b", "c", "d")},
    ],
)
def test_honest_names_of_a_person_are_left_alone(names):
    assert namespace.problems(names, DECLARED) == []


def test_planned_run_waits_for_approval(root):
    started = begin()
    plan = started.propose(a_plan())
    started.finish(plan.apply(Service(), approved="", journal=started.journal))
    assert (said(started)["verdict"], said(started)["exit_code"], said(started)["sealed"]) == ("planned", 3, True)
    assert json.loads((started.folder / "plan.json").read_bytes())["id"] == plan.id
    assert Record(started.folder).changed() == []


def test_applied_run_has_plan_snapshot_outcome_and_seal(root):
    started, service = begin(), Service()
    plan = started.propose(a_plan())
    started.finish(plan.apply(service, approved=plan.id, journal=started.journal))
    assert service.sent == 1
    assert said(started)["verdict"] == "applied"
    assert {"plan.json", "outcome.json", "snapshots/app_roles-sp-1.json"} <= set(said(started)["files"])
    assert json.loads((started.folder / "plan.json").read_bytes())["requests"][0]["body"] == '{"appRoles": []}'
    assert json.loads((started.folder / "outcome.json").read_bytes())["sent"][0]["fate"] == "sent"
    lines = journal.read(started.folder)
    assert [line.event for line in lines] == ["begin", "plan", "snapshot", "intent", "answer", "outcome", "seal"]
    assert lines[-1].fields["files"].keys() == {"plan.json", "outcome.json", "snapshots/app_roles-sp-1.json"}


@pytest.mark.parametrize(
    ("variables", "actor"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ann", "GITHUB_TRIGGERING_ACTOR": "bob"}, "bob (GitHub Actions)"),
        ({"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ann"}, "ann (GitLab CI)"),
        ({"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Ann Example"}, "Ann Example (Azure Pipelines)"),
        ({"JUPYTERHUB_USER": "ann"}, "ann (JupyterHub)"),
        ({"GITHUB_ACTOR": "left over"}, None),
    ],
)
def test_the_record_names_who_ran_and_who_approved(root, monkeypatch, variables, actor):
    for name in {name for mark, (_, names) in provenance.ACTORS.items() for name in (mark, *names)}:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    who = said(begin())["who"]
    assert (bool(who["ran"]["user"]), bool(who["ran"]["host"]), who["ran"].get("actor")) == (True, True, actor)
    assert "approved" not in who
    assert said(begin(approved="plan-0123456789abcdef0123456789abcdef"))["who"]["approved"] == who["ran"]


def test_the_planned_and_the_applied_record_name_each_other(root):
    planned = begin()
    plan = planned.propose(a_plan())
    planned.finish(plan.apply(Service(), approved="", journal=planned.journal))
    applied = begin()
    again = applied.propose(a_plan())
    assert again.id == plan.id
    applied.finish(again.apply(Service(), approved=again.id, journal=applied.journal))
    assert said(applied)["planned_in"] == [planned.folder.name]
    shown = {run.folder.name: CliRunner().invoke(runs_command, ["show", run.folder.name]).output for run in (planned, applied)}
    assert f"sent in      {applied.folder.name}" in shown[planned.folder.name]
    assert f"planned in   {planned.folder.name}" in shown[applied.folder.name]


def test_the_plan_of_a_state_that_comes_back_is_another_approval(root):
    """Somebody undid the change on purpose: an approval that was left in a file sends nothing, and the next one has to be read."""
    first = begin()
    plan = first.propose(a_plan())
    first.finish(plan.apply(Service(), approved=plan.id, journal=first.journal))
    second, service = begin(), Service()
    again = second.propose(a_plan())
    assert (again.id != plan.id, again.renews) == (True, plan.id)
    with pytest.raises(NotApproved, match=first.folder.name) as refused:
        again.apply(service, approved=plan.id, journal=second.journal)
    assert (refused.value.code, service.sent) == ("approval-spent", 0)
    assert again.apply(service, approved=again.id, journal=second.journal).verdict == "applied"


def test_failed_run_raises_after_its_record_is_written(root):
    started = begin()
    plan = started.propose(a_plan())
    outcome = plan.apply(Service("refused"), approved=plan.id, journal=started.journal)
    with pytest.raises(OutcomeError):
        started.finish(outcome)
    assert (said(started)["verdict"], said(started)["exit_code"], said(started)["sealed"]) == ("failed", 1, True)
    assert "Authorization_RequestDenied" in said(started)["problem"]


@pytest.mark.parametrize(
    ("fail_on", "severities", "verdict"),
    [
        ("high", ["critical"], "findings"),
        ("high", ["high", "low"], "findings"),
        ("high", ["medium", "note"], "done"),
        ("never", ["critical"], "done"),
        ("low", ["low"], "findings"),
        ("low", ["note"], "done"),
        ("critical", [], "done"),
    ],
)
def test_findings_at_or_above_fail_on_give_the_verdict(root, fail_on, severities, verdict):
    started = begin(fail_on=fail_on)
    started.finish(findings=frame(FINDINGS, [{"finding_id": str(number), "severity": word} for number, word in enumerate(severities)]))
    assert said(started)["verdict"] == verdict
    assert (started.folder / "tables/findings.csv").exists()


def test_findings_are_worse_than_a_plan_that_waits(root):
    started = begin()
    plan = started.propose(a_plan())
    started.finish(plan.apply(Service(), approved="", journal=started.journal), findings=frame(FINDINGS, [{"severity": "critical"}]))
    assert said(started)["verdict"] == "findings"


def test_finished_run_sends_nothing_more(root):
    """A cell run again by hand after the last one: the journal is sealed, so nothing may be sent."""
    started, service = begin(), Service()
    plan = started.propose(a_plan())
    started.finish()
    with pytest.raises(RecordError, match="finished"):
        plan.apply(service, approved=plan.id, journal=started.journal)
    with pytest.raises(RecordError, match="finished"):
        started.finish()
    assert service.sent == 0


def test_cells_run_again_make_a_record_of_their_own(root):
    assert begin().folder != begin().folder


def test_nothing_is_sent_when_the_journal_cannot_be_written(root, monkeypatch):
    started, service = begin(), Service()
    plan = started.propose(a_plan())

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.os, "fsync", full)
    with pytest.raises(RecordError, match="No space left"):
        plan.apply(service, approved=plan.id, journal=started.journal)
    assert service.sent == 0


@pytest.mark.parametrize(("source", "missing"), [("", False), ("lookup", False), ("used.csv", True)])
def test_a_csv_of_entries_that_is_not_there_is_told_before_anything_is_read(root, source, missing):
    book = runbooks.find("20-plan")
    given = {name: NAMES[name] for name in ("tenant_id", "cloud", "workers")} | {"client_id": CLIENT, "entered_from": source}
    with pytest.raises(ParameterError, match=r"There is no file parameters/used\.csv") if missing else nullcontext():
        opening.check(book, given)


# --- under the runner ---


def made_by_runner(monkeypatch, **names):
    book = runbooks.find("20-plan")
    opened = opening.start(book, opening.check_names(book, {**NAMES, **names}), clock=clock, executed_by=opening.RUNNER)
    monkeypatch.setenv(opening.FOLDER_VARIABLE, str(opened.folder))
    return opened


def test_runner_s_record_is_used_and_left_open(root, monkeypatch):
    opened = made_by_runner(monkeypatch)
    started = begin()
    started.finish()
    assert started.folder == opened.folder
    assert (said(started)["verdict"], said(started)["sealed"]) == ("done", False)
    assert journal.verdict(journal.read(started.folder)) == "done"


def test_notebook_begins_once_under_the_runner(root, monkeypatch):
    made_by_runner(monkeypatch)
    begin()
    with pytest.raises(RecordError, match="journal already"):
        begin()


def test_notebook_that_changes_its_parameters_is_refused(root, monkeypatch):
    made_by_runner(monkeypatch)
    with pytest.raises(ParameterError, match="changed workers after"):
        begin(workers=64)


def test_folder_of_the_runner_must_be_one_of_runs(root, tmp_path, monkeypatch):
    made_by_runner(monkeypatch)
    monkeypatch.setenv(opening.FOLDER_VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(RecordError, match="outside of runs/"):
        begin()


def test_record_of_another_runbook_is_refused(root, monkeypatch):
    made_by_runner(monkeypatch)
    with pytest.raises(RecordError, match="was made for 20-plan"):
        run.begin("10-done", NAMES, clock=clock)


@pytest.mark.parametrize(
    ("runbook", "parameter", "content", "code"),
    [
        ("03-inventory", "accounts_file", b"account_id\n12345\n", "account-id"),
        ("05-groups", "group_map", b"role_arn,group_name\n,x\n", "group-map-row"),
        ("09-audit", "accepted_file", b"finding_id,until,accepted_by,reason\nf,soon,me,why\n", "accepted-row"),
        ("02-accounts", "names_file", b"account_id\n012345678901\n", "file-columns"),
        ("17-review", "review_file", b"decision\nkeep\n", "review-columns"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_anything_is_read(root, runbook, parameter, content, code):
    """No record is begun, so nothing was signed in to, read or sent."""
    (root / "parameters" / "sent.csv").write_bytes(content)
    (root / "parameters" / "families.yml").write_text("families: {}\n")
    shipped = runbooks.find(runbook, Path(__file__).parents[1] / "notebooks")
    given = {
        "tenant_id": TENANT,
        "cloud": "global",
        "application_id": "0a0a0a0a-1b1b-4c4c-8d8d-2e2e2e2e2e2e",
        "client_id": CLIENT,
        parameter: "sent.csv",
    }
    with pytest.raises(ParameterError) as refused:
        opening.check(shipped, {**shipped.defaults, **given})
    assert refused.value.code == code
