"""Drift of one run, from sealed records: which record counts, what is told first, and what becomes a finding."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from recorded import BEGAN, role, seal_one

from awsfed_lib.core.coverage import Coverage
from awsfed_lib.core.errors import GraphError
from awsfed_lib.core.review import accepted, outputs
from awsfed_lib.core.review.states import ABSENT, CHANGED, DESIRED_CHANGED, DRIFTED, MOVED, NOW_AS_DESIRED, STILL, UNREAD
from awsfed_lib.core.roles import groups
from awsfed_lib.core.settings.parameters import Parameters, plain
from awsfed_lib.core.shapes import CERTIFICATES
from awsfed_lib.core.tables import ACCOUNTS, APP_ROLES, ASSIGNMENTS, GROUPS, MATCHED_GROUPS, MEMBERS, PROVIDERS, ROLES, frame
from awsfed_lib.core.view.record_page import came_out, head
from awsfed_lib.edges.records import baseline, chain, drift, own_runs, past, sealing
from awsfed_lib.edges.records.drift import Rules, Seen

NOW = BEGAN + timedelta(days=1)
TENANT, APPLICATION = "2f0c7f3a-0000-4000-8000-000000000002", "1f0c7f3a-0000-4000-8000-000000000001"
GIVEN = Parameters(tenant_id=TENANT, application_id=APPLICATION, provider="WAAD")
VALUE = role(1)["value"]
ADMIN = {"app_role_id": "r-1", "value": VALUE, "display_name": "one / Admin", "is_enabled": True, "origin": "ServicePrincipal", "entry": {}}
GROUP = {"assignment_id": "a-1", "app_role_id": "r-1", "principal_id": "g-1", "principal_type": "Group", "principal_name": "AWS-Admin"}
PERSON = {**GROUP, "assignment_id": "a-2", "principal_id": "u-1", "principal_type": "User", "principal_name": "Bob"}
ANN = {
    "group_id": "g-1",
    "member_id": "u-2",
    "member_type": "User",
    "member_name": "Ann",
    "user_name": "ann@contoso.example",
    "enabled": True,
}
LIVE = {"live_app_roles": [ADMIN], "live_assignments": [GROUP], "members": [ANN], "roles": [role(1)]}
SCHEMAS = {"live_app_roles": APP_ROLES, "live_assignments": ASSIGNMENTS, "members": MEMBERS, "roles": ROLES}


@dataclass
class Run:
    """What is needed of a run."""

    folder: Path
    parameters: Parameters = GIVEN
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def target(self):
        return past.Target()

    @property
    def clock(self):
        return lambda: NOW


class Log:
    """A log with these entries, or a refusal."""

    def __init__(self, events=()):
        self.events, self.asked = events, []

    def log(self, path):
        self.asked.append(path)
        if isinstance(self.events, Exception):
            raise self.events
        return list(self.events)


def accounts(*unread):
    return frame(
        ACCOUNTS,
        [{"account_id": f"{number:012d}", "state": "ACTIVE", "problem": "denied" if number in unread else ""} for number in (1, 2)],
    )


def seen(*unread, **other):
    tables = {name: frame(SCHEMAS[name], rows) for name, rows in (LIVE | other).items()}
    return Seen(accounts=accounts(*unread), **tables)


def rules(now: Seen, **group):
    wanted = groups.desired(now.roles, name="AWS-{role_name}")
    live = frame(GROUPS, [{"group_id": "g-1", "group_name": "AWS-Admin", "unique_name": "AWS-Admin", "security_enabled": True, **group}])
    return Rules("{account_name} / {role_name}", groups.match(wanted, live), "WAAD", None)


def record(runs, day=0, *, unread=(), verdict="findings", given=GIVEN, **other):
    tables = {name: frame(SCHEMAS[name], rows) for name, rows in (LIVE | other).items() if name != "roles"}
    return seal_one(runs, day, verdict=verdict, roles=(LIVE | other)["roles"], unread=unread, given=plain(given), **tables)


def compared(runs, now=None, log=None, *, given=GIVEN):
    now = now or seen()
    return drift.since_last(Run(runs / "now", given), log or Log(), now, rules(now))


def states(found):
    return dict(zip(found.table["kind"], found.table["state"], strict=True))


# --- which record counts ---


def chosen(runs, given=GIVEN):
    return baseline.choose(past.past(past.Target(), runs=runs), plain(given))


def test_newest_good_run_of_the_same_accounts_is_the_baseline(tmp_path):
    good = record(tmp_path)
    record(tmp_path, 1, verdict="failed")
    record(tmp_path, 2, given=Parameters(**{**plain(GIVEN), "include_accounts": ("000000000001",)}))
    found = chosen(tmp_path)
    assert (found.past.run, found.remark) == (good.folder.name, "")


def test_without_one_it_says_so(tmp_path):
    (tmp_path / "none").mkdir()
    first = compared(tmp_path / "none")
    assert first.headline.startswith("NOTHING TO COMPARE WITH")
    assert first.table.empty
    record(tmp_path, 2, given=Parameters(**{**plain(GIVEN), "exclude_accounts": ("000000000001",)}))
    assert "1 runs with other accounts" in chosen(tmp_path).remark


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("name", ["tables/roles.parquet", "journal.jsonl"])
def test_record_that_is_not_as_sealed_is_no_baseline_and_the_one_before_is(tmp_path, name):
    older, newer = record(tmp_path), record(tmp_path, 1)
    flip(newer.folder / name)
    found = compared(tmp_path)
    assert found.run == older.folder.name
    assert f"NOT COMPARED WITH {newer.folder.name} ({name.partition('.')[0]}" in found.headline
    assert found.tone == "warn"


def test_record_that_the_chain_knows_otherwise_is_no_baseline(tmp_path):
    made = record(tmp_path)
    run = json.loads((made.folder / "run.json").read_bytes())
    (made.folder / "run.json").write_text(json.dumps({**run, "verdict": "done"}))
    found = chosen(tmp_path)
    assert found.past is None
    assert "the chain does not know it so" in found.remark


def test_damaged_chain_vouches_for_nothing(tmp_path):
    record(tmp_path)
    record(tmp_path, 1)
    flip(tmp_path / chain.FILE)
    found = chosen(tmp_path)
    assert found.past is None
    assert "chain" in found.remark


# --- the three sides ---


def test_no_change_is_said_loudly(tmp_path):
    made = record(tmp_path)
    found = compared(tmp_path)
    assert found.headline == f"NO CHANGE since 2026-01-01 03:00 UTC (record {made.folder.name})."
    assert found.table.empty
    assert (found.tone, found.told["drift"]["changes"]) == ("good", 0)


def test_person_assigned_by_hand_is_told_with_who_did_it_and_is_a_finding(tmp_path):
    record(tmp_path)
    target = {"id": APPLICATION, "modifiedProperties": [{"displayName": "AppRole.Id", "oldValue": None, "newValue": '"r-1"'}]}
    event = {
        "activityDateTime": "2026-01-02T01:00:00Z", "activityDisplayName": "Add app role assignment grant to user", "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": "eve@contoso.example"}}, "targetResources": [target, {"id": "u-1"}],
    }  # fmt: skip
    found = compared(tmp_path, seen(live_assignments=[GROUP, PERSON]), Log([event]))
    assert states(found) == {"assignment": CHANGED}
    assert "1 change since 2026-01-01 03:00 UTC, not by an approved run" in found.headline
    line, remedy = found.told["drift"]["lines"]
    assert line == "eve@contoso.example at 2026-01-02 01:00 UTC: assignment Bob → one / Admin: new (assigned: User)"
    assert "14-restore" in remedy
    (finding,) = drift.findings(found.table).to_dict(orient="records")
    assert (finding["severity"], finding["check"]) == ("high", "drift of assignment")
    assert "by eve@contoso.example at 2026-01-02 01:00 UTC" in finding["cause"]


def test_finding_is_accepted_and_exported_as_others_are(tmp_path):
    record(tmp_path)
    found = drift.findings(compared(tmp_path, seen(live_assignments=[GROUP, PERSON])).table)
    file = accepted.read(f"finding_id,until,accepted_by,reason\n{found['finding_id'][0]},2026-02-01,Ann,ticket 17\n".encode())
    judged = accepted.judge(found, file, now=NOW)
    assert judged["accepted"].tolist() == ["until 2026-02-01 by Ann: ticket 17"]
    written = outputs.files(judged, fail_on="high")
    result = json.loads(written["findings.sarif"])["runs"][0]["results"][0]
    assert (result["ruleId"], result["suppressions"][0]["status"]) == ("drift-of-assignment", "accepted")
    assert "<skipped" in written["findings.junit.xml"]


def test_id_of_a_finding_stays_when_names_change(tmp_path):
    record(tmp_path)
    renamed = [{**ADMIN, "display_name": "another name"}]
    ids = {drift.findings(compared(tmp_path, seen(live_app_roles=roles, live_assignments=[GROUP, PERSON])).table)
           .query("severity == 'high'")["finding_id"].iloc[0] for roles in ([ADMIN], renamed)}  # fmt: skip
    assert len(ids) == 1


def test_lost_assignment_disabled_role_and_new_role_in_aws(tmp_path):
    record(tmp_path)
    now = seen(live_app_roles=[{**ADMIN, "is_enabled": False}], live_assignments=[], roles=[role(1), role(2)])
    table = compared(tmp_path, now).table
    told = {(row.kind, row.account_id): (row.state, row.desired, row.recorded, row.live) for row in table.itertuples()}
    assert told["appRole", "000000000001"] == (DRIFTED, "enabled: yes", "enabled: yes", "enabled: no")
    assert told["assignment", "000000000001"] == (CHANGED, UNREAD, "assigned: Group", ABSENT), "two roles would share one group"
    assert told["appRole", "000000000002"][1:] == ("enabled: yes", ABSENT, ABSENT)
    assert ("IAM role", "000000000002") not in told, "the record does not know that account"


def test_assignment_that_is_desired_and_gone_is_drift_and_of_a_person_no_rule_speaks(tmp_path):
    record(tmp_path, live_assignments=[GROUP, PERSON])
    table = compared(tmp_path, seen(live_assignments=[], members=[])).table
    assert dict(zip(table["subject"], table["state"], strict=True)) == {"AWS-Admin → one / Admin": DRIFTED, "Bob → one / Admin": CHANGED}


def test_group_that_is_not_assigned_any_more_takes_no_members_with_it(tmp_path):
    record(tmp_path)
    assert "member" not in states(compared(tmp_path, seen(live_assignments=[], members=[])))


def test_member_who_came_is_a_note(tmp_path):
    record(tmp_path)
    found = compared(tmp_path, seen(members=[ANN, {**ANN, "member_id": "u-3", "user_name": "eve@contoso.example"}]))
    assert found.table[["state", "severity", "subject"]].to_numpy().tolist() == [[CHANGED, "note", "eve@contoso.example in AWS-Admin"]]


def test_account_that_is_unread_now_or_was_then_has_no_drift(tmp_path):
    record(tmp_path, roles=[role(1)], unread=["000000000002"])
    found = compared(tmp_path, seen(1, roles=[role(2, policies="other")]))
    assert UNREAD in set(found.table["state"])
    assert not set(found.table["state"]) & MOVED
    assert "could not be read" in found.headline


def test_policies_of_an_iam_role_are_low_unless_they_let_everything(tmp_path):
    record(tmp_path)
    for policies, severity in (
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "low"),
        ("arn:aws:iam::aws:policy/AdministratorAccess", "medium"),
    ):
        found = compared(tmp_path, seen(roles=[role(1, policies=policies)]))
        assert found.table[["kind", "state", "severity", "recorded"]].to_numpy().tolist() == [
            ["IAM role", CHANGED, severity, "policies: none"]
        ]


def test_group_that_cannot_be_told_makes_no_rule(tmp_path):
    """Two groups of one name: 06-assignments leaves the role as it is, so nothing is called undesired."""
    record(tmp_path)
    now = seen()
    matched = frame(MATCHED_GROUPS, [{"value": VALUE, "group_name": "AWS-Admin", "problem": "2 groups have this name"}])
    unclear = Rules("{role_name}", matched, "WAAD", None)
    assert drift.since_last(Run(tmp_path / "now"), Log(), now, unclear).table.empty


@pytest.mark.parametrize(
    ("then", "now", "state", "severity"), [("AA", "AA; CC", CHANGED, "high"), ("AA; BB", "AA", NOW_AS_DESIRED, "note")]
)
def test_provider_that_believes_another_certificate_too_is_not_as_desired(tmp_path, then, now, state, severity):
    """Whoever has the key of a certificate in the provider signs in as anybody; that the right one is there too changes nothing."""
    signs = frame(CERTIFICATES, [{"name": "AWS", "thumbprint": "AA", "status": "signs"}])

    def held(*thumbprints):
        rows = [
            {"account_id": "000000000001", "provider_arn": VALUE.split(",")[1], "provider_name": "WAAD", "thumbprints": ones}
            for ones in thumbprints
        ]
        return {"providers": frame(PROVIDERS, rows), "certificates": signs, "provider_accounts": accounts()}

    tables = {name: frame(SCHEMAS[name], rows) for name, rows in LIVE.items() if name != "roles"}
    seal_one(tmp_path, 0, roles=[role(1)], given=plain(GIVEN), **tables, **held(then))
    seen_now = Seen(accounts=accounts(), roles=frame(ROLES, [role(1)]), **tables, **held(now))
    first = drift.since_last(Run(tmp_path / "now"), Log(), seen_now, rules(seen_now)).table
    assert [(row.kind, row.state, row.severity) for row in first.itertuples()] == [("provider", state, severity)]
    seal_one(tmp_path, 1, roles=[role(1)], given=plain(GIVEN), drift=first, **tables, **held(now))
    second = drift.since_last(Run(tmp_path / "now"), Log(), seen_now, rules(seen_now)).table
    assert [row.state for row in second.itertuples()] == ([STILL] if state == CHANGED else [])


def test_provider_that_lost_the_signing_certificate(tmp_path):
    signs = frame(CERTIFICATES, [{"thumbprint": "AA", "status": "signs", "name": "CN=x"}])
    arn = role(1)["provider_arn"]

    def held(thumbprints):
        rows = [{"account_id": "000000000001", "provider_arn": arn, "provider_name": "WAAD", "thumbprints": thumbprints}]
        return {"providers": frame(PROVIDERS, rows), "certificates": signs, "provider_accounts": accounts()}

    tables = {name: frame(SCHEMAS[name], rows) for name, rows in LIVE.items() if name != "roles"}
    seal_one(tmp_path, 0, roles=[role(1)], given=plain(GIVEN), **tables, **held("AA; BB"))
    now = Seen(accounts=accounts(), roles=frame(ROLES, [role(1)]), **tables, **held("BB"))
    row = drift.since_last(Run(tmp_path / "now"), Log(), now, rules(now)).table.iloc[0]
    assert (row.kind, row.state, row.desired) == ("provider", DRIFTED, "current certificate: yes")
    assert "current certificate: no" in row.live
    assert "CloudTrail" in row.changed_by


def test_log_that_cannot_be_read_fails_nothing(tmp_path):
    record(tmp_path)
    refusal = GraphError("Graph refused (403).", status=403, code="Forbidden", request_id="r", remedy="Grant AuditLog.Read.All.")
    found = compared(tmp_path, seen(live_assignments=[]), Log(refusal))
    assert "could not be read" in found.table["changed_by"][0]


def test_drift_stands_in_the_next_run_and_is_not_called_a_change(tmp_path):
    record(tmp_path)
    first = compared(tmp_path, seen(live_assignments=[GROUP, PERSON]))
    tables = {name: frame(SCHEMAS[name], rows) for name, rows in LIVE.items() if name not in ("roles", "live_assignments")}
    seal_one(tmp_path, 1, roles=[role(1)], given=plain(GIVEN), drift=first.table,
             live_assignments=frame(ASSIGNMENTS, [GROUP, PERSON]), **tables)  # fmt: skip
    second = compared(tmp_path, seen(live_assignments=[GROUP, PERSON]))
    assert states(second) == {"assignment": STILL}
    assert second.headline.startswith("NO CHANGE since 2026-01-02")
    assert "1 older change that no approved run made still stands." in second.headline


# --- runs of awsfed ---


def plan_run(runs, *, verdict="applied", day=0, application=APPLICATION, chained=True):
    """The record of a 04-approles that sent its plan."""
    made = record(runs, day)
    run = json.loads((made.folder / "run.json").read_bytes())
    plan = {"id": "plan-1", "changes": [{"kind": "appRole", "key": VALUE, "action": "add"}]}
    other = made.folder.rename(runs / made.folder.name.replace("09-audit", "04-approles"))
    (other / "plan.json").write_text(json.dumps(plan))
    counts = {"plans": [{"plan": "plan-1", "verdict": verdict}]}
    said = {"runbook": "04-approles", "counts": counts, "sealed": False, "parameters": {"application_id": application, "tenant_id": TENANT}}
    (other / "run.json").write_text(
        json.dumps({**run, **said, "who": {"entra": {"client_id": "app-1"}}, "journal": {"lines": 0, "head": ""}})
    )
    own_runs.Record(other).seal()
    if chained:
        said = sealing.entry(own_runs.Record(other), {}, own_runs.Record(other).digest)
        chain.append(runs, chain.SEALED, said, clock=lambda: BEGAN, signer=None)
    return other


def test_run_that_sent_its_plan_is_known_with_what_it_changed(tmp_path):
    made = plan_run(tmp_path)
    target = past.Target(APPLICATION, TENANT)
    (own,) = own_runs.since(target, BEGAN - timedelta(hours=1), tmp_path)
    assert (own.run, own.runbook, own.plan, own.app_id) == (made.name, "04-approles", "plan-1", "app-1")
    assert own.changes[0]["key"] == VALUE
    assert not own_runs.since(target, BEGAN + timedelta(hours=1), tmp_path)
    assert not own_runs.since(past.Target("another", TENANT), BEGAN - timedelta(hours=1), tmp_path)


@pytest.mark.parametrize("verdict", ["planned", "nothing to do"])
def test_run_that_sent_nothing_made_nothing(tmp_path, verdict):
    plan_run(tmp_path, verdict=verdict)
    assert not own_runs.since(past.Target(), BEGAN - timedelta(hours=1), tmp_path)


def test_record_of_a_run_that_was_changed_approves_nothing(tmp_path):
    made = plan_run(tmp_path)
    (made / "plan.json").write_text((made / "plan.json").read_text().replace("appRole", "approle"))
    assert not own_runs.since(past.Target(), BEGAN - timedelta(hours=1), tmp_path)


def test_record_that_somebody_laid_there_approves_nothing(tmp_path):
    """It is as sealed by its own digests, which anybody can write; the chain does not know it."""
    plan_run(tmp_path, chained=False)
    assert not own_runs.since(past.Target(), BEGAN - timedelta(hours=1), tmp_path)


def test_record_that_was_changed_and_sealed_anew_approves_nothing(tmp_path):
    made = plan_run(tmp_path)
    run = json.loads((made / "run.json").read_bytes())
    (made / "run.json").write_text(json.dumps({**run, "finished": (BEGAN + timedelta(days=9)).isoformat()}))
    assert not own_runs.since(past.Target(), BEGAN - timedelta(hours=1), tmp_path)


def test_change_by_an_approved_run_is_no_finding(tmp_path):
    record(tmp_path, live_app_roles=[], live_assignments=[], members=[], roles=[])
    plan_run(tmp_path, day=0.5)
    found = compared(tmp_path, seen())
    app_role = found.table[found.table["kind"] == "appRole"].iloc[0]
    assert (app_role["state"], app_role["finding_id"], app_role["plan"]) == (NOW_AS_DESIRED, "", "plan-1")


# --- where it is told ---


def test_page_catalogue_and_batch_say_it_first(tmp_path):
    record(tmp_path)
    told = compared(tmp_path, seen(live_assignments=[GROUP, PERSON])).told
    run = {"verdict": "findings", "counts": {"plans": [], "findings": {"high": 1}, **told}}
    page = head(run, "Audit")
    assert page.index("1 change since") < page.index("came out")
    assert "#cell-drift" in page
    assert next(iter(came_out(run))).startswith("1 change since 2026-01-01 03:00 UTC, not by an approved run")


def test_new_role_in_aws_is_desired_changed_once_the_record_kept_its_drift(tmp_path):
    first = compared(tmp_path)
    tables = {name: frame(SCHEMAS[name], rows) for name, rows in LIVE.items() if name != "roles"}
    seal_one(tmp_path, 0, roles=[role(1)], given=plain(GIVEN), drift=first.table, **tables)
    table = compared(tmp_path, seen(roles=[role(1), role(2)])).table
    assert set(table.loc[table["kind"] == "appRole", "state"]) == {DESIRED_CHANGED}
