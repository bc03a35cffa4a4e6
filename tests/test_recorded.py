"""Records as evidence: real ones, made by plans that were sent to the twin; then restored from, and verified once more."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from small_root import make

from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import ParameterError, RecordError
from awsfed_lib.core.review import reverify
from awsfed_lib.core.roles import restore, revoke
from awsfed_lib.core.roles.asked import asked
from awsfed_lib.edges.entra import cut as cuts
from awsfed_lib.edges.records import chain, record, recorded, sealing, signing, where
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

NOW = datetime(2026, 11, 24, 7, 51, tzinfo=UTC)
RUN = "20261124T075100Z-16-revoke-1"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path)))
    return tmp_path


@pytest.fixture
def graph(twin):
    return twin.writing()


def first_group(twin):
    return next(
        one["principalId"] for one in twin.tenant.tables["assignments"].values() if one["principalId"] in twin.tenant.tables["groups"]
    )


def plan(twin, graph, **given):
    roles, held = graph.app_roles(twin.application_id), graph.assignments(twin.application_id)
    cut = cuts.read(graph, roles, held, asked(**given))
    return revoke.plan(graph.application(twin.application_id), roles, held, cut, guards=Guards(max_removed=999))


def sent(twin, graph, *, name=RUN, verdict="applied", **given):
    """Send a revocation, and leave its record as a run leaves it."""
    made = plan(twin, graph, **(given or {"group": first_group(twin)}))
    parameters = {"tenant_id": twin.id, "application_id": twin.application_id}
    said = {"runbook": "16-revoke", "started": NOW.isoformat(), "executed_by": "notebook", "parameters": parameters}
    kept = record.create(where.runs(), name, said)
    kept.keep_table("live_app_roles", graph.app_roles(twin.application_id))
    journal = Journal(kept.folder, Locks(where.locks(), {}), lambda: NOW)
    assert made.apply(graph, approved=made.id, journal=journal).verdict == "applied"
    journal.seal(verdict)
    journal.close()
    sealing.seal(kept, clock=lambda: NOW, signer=None, verdict=verdict, finished=NOW.isoformat())
    return made


def test_a_record_is_restored_from_and_then_there_is_nothing_to_do(root, twin, graph):
    before = sorted(graph.live("assignments", twin.application_id))
    made = sent(twin, graph)
    snapshot = recorded.read(RUN).snapshot()
    assert len(snapshot.assignments) == len(before)
    assert len(snapshot.app_roles) == len(graph.app_roles(twin.application_id))

    way = way_back(twin, graph)
    assert {change.label for change in way.changes if change.action == "add"} == {
        change.label for change in made.changes if change.action == "remove"
    }
    at_the_portal(graph, way)
    assert sorted(graph.live("assignments", twin.application_id)) == before
    assert not way_back(twin, graph)


def test_deleted_groups_are_not_present(twin, graph):
    group = first_group(twin)
    assert graph.present([group]) == {group}
    assert graph.present(["00000000-0000-4000-8000-000000000001"]) == frozenset()


@pytest.mark.parametrize("file", ["journal.jsonl", "snapshots", "tables/live_app_roles.parquet", "tables/live_app_roles.csv"])
def test_a_changed_file_is_refused(root, twin, graph, file):
    sent(twin, graph)
    path = where.runs() / RUN / file
    path = next(iter(sorted(path.iterdir()))) if path.is_dir() else path
    content = path.read_bytes()
    path.write_bytes(content[:-20] + content[-20:].replace(b"}", b" "))
    if path.read_bytes() == content:
        path.write_bytes(content + b" ")
    with pytest.raises(RecordError, match="not as it was"):
        recorded.read(RUN)


def test_a_file_that_was_put_there_or_taken_away_is_refused(root, twin, graph):
    sent(twin, graph)
    (where.runs() / RUN / "snapshots" / "more.json").write_text("{}")
    with pytest.raises(RecordError, match=r"more\.json: new"):
        recorded.read(RUN)


def killed(twin, graph):
    """A record whose run never came to its seal."""
    sent(twin, graph)
    folder = where.runs() / RUN
    (where.runs() / chain.FILE).unlink()  # which has no line of it yet
    run = json.loads((folder / "run.json").read_bytes()) | {"sealed": False, "verdict": ""}
    (folder / "run.json").write_text(json.dumps(run))
    lines = (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "journal.jsonl").write_bytes(b"".join(lines[:-2]))  # neither outcome nor seal
    return folder


def test_the_record_of_a_killed_run_is_restored_from_on_the_word_of_its_journal(root, twin, graph):
    """That is when a restore is needed most. Its tables have no digest anywhere, so only its snapshots count."""
    killed(twin, graph)
    record_ = recorded.read(RUN)
    assert "never sealed" in " ".join(record_.facts["value"])
    assert record_.snapshot().assignments is not None
    assert record_.snapshot().app_roles is None
    with pytest.raises(RecordError, match="did not come to its end"):
        record_.sent()


def test_a_changed_snapshot_of_a_killed_run_is_refused(root, twin, graph):
    folder = killed(twin, graph)
    path = next((folder / "snapshots").glob("assignments*"))
    path.write_bytes(path.read_bytes().replace(b"Group", b"User_", 1))
    with pytest.raises(RecordError, match="not as it was written"):
        recorded.read(RUN).snapshot()
    path.unlink()
    with pytest.raises(RecordError, match="gone"):
        recorded.read(RUN).snapshot()


def test_a_sealed_record_that_no_chain_knows_is_refused(root, twin, graph):
    """Made by hand, or brought by hand: `awsfed runs fetch` gives it a line."""
    sent(twin, graph)
    (where.runs() / chain.FILE).unlink()
    with pytest.raises(RecordError) as refused:
        recorded.read(RUN)
    assert refused.value.code == "record-not-evidence"


def test_where_records_are_signed_one_that_was_never_sealed_is_refused(root, twin, graph, tmp_path_factory):
    killed(twin, graph)
    public = signing.make(tmp_path_factory.mktemp("keys") / "signing.key", password="")
    shutil.copy(public, where.parameters() / signing.PUBLIC_FILE)
    with pytest.raises(RecordError) as refused:
        recorded.read(RUN)
    assert refused.value.code == "record-not-evidence"


@pytest.mark.parametrize("said", [{"verdict": "done"}, {"sealed": False}], ids=["sealed anew", "as if never sealed"])
def test_a_record_that_the_chain_knows_otherwise_is_refused(root, twin, graph, said):
    """The digests in run.json are written by whoever writes the files: the chain is what they have to fit."""
    sent(twin, graph)
    kept = record.Record(where.runs() / RUN)
    assert recorded.read(RUN).name == RUN
    path = kept.folder / "run.json"
    path.write_text(json.dumps({**kept.run(), **said}))
    with pytest.raises(RecordError, match="chain"):
        recorded.read(RUN)


def test_a_snapshot_that_leads_out_of_the_record_is_not_read(root, twin, graph):
    folder = killed(twin, graph)
    path = next((folder / "snapshots").glob("assignments*"))
    shutil.move(path, root / "elsewhere.json")
    path.symlink_to(root / "elsewhere.json")
    with pytest.raises(ParameterError, match="not a file below"):
        recorded.read(RUN).snapshot()


@pytest.mark.parametrize("name", ["../parameters", "/etc", ".locks", "..", "20261124T075100Z-16-revoke-9", "sub/run"])
def test_a_name_that_is_no_run_is_refused(root, twin, graph, name):
    sent(twin, graph)
    with pytest.raises((ParameterError, RecordError)):
        recorded.read(name)


def test_a_record_below_another_folder_is_refused(root, twin, graph):
    sent(twin, graph)
    shutil.copytree(where.runs() / RUN, where.runs() / "old" / RUN)
    with pytest.raises(ParameterError, match="no run"):
        recorded.read(f"old/{RUN}")


def test_a_link_out_of_runs_is_refused(root, tmp_path_factory):
    where.runs().mkdir()
    (where.runs() / "link").symlink_to(tmp_path_factory.mktemp("other"))
    with pytest.raises(ParameterError):
        recorded.read("link")


def test_a_record_of_a_run_that_sent_nothing_has_nothing_to_restore(root):
    kept = record.create(where.runs(), "r", {"runbook": "03-inventory", "parameters": {}})
    journal = Journal(kept.folder, Locks(where.locks(), {}), lambda: NOW)
    journal.seal("done")
    sealing.seal(kept, clock=lambda: NOW, signer=None, verdict="done")
    with pytest.raises(RecordError, match="nothing to restore from"):
        recorded.read("r").snapshot()
    with pytest.raises(RecordError, match="sent no plan"):
        recorded.read("r").sent()


# Verified once more


def verified(graph, name=RUN, left=0):
    told = recorded.read(name).sent()
    found = reverify.differences(told, reverify.readings(graph, told, left))
    return reverify.outcome(told, left, found), found


def test_what_still_holds_is_nothing_to_do(root, twin, graph):
    sent(twin, graph)
    outcome, found = verified(graph)
    assert (outcome.verdict, len(found)) == ("nothing to do", 0)
    assert sum("appRoleAssignedTo?" in path for _, path, _ in twin.asked) >= 3


def at_the_portal(graph, plan):
    """Send a plan that no record of ours tells of."""
    journal = Journal(record.create(where.runs(), "portal", {}).folder, Locks(where.locks(), {}), lambda: NOW)
    assert plan.apply(graph, approved=plan.id, journal=journal).verdict == "applied"


def way_back(twin, graph):
    snapshot = recorded.read(RUN).snapshot()
    live = graph.app_roles(twin.application_id), graph.assignments(twin.application_id)
    now = restore.Live(*live, graph.present(restore.principals(snapshot)), graph.scopes(twin.application_id))
    return restore.plan(graph.application(twin.application_id), now, snapshot)


def test_what_somebody_undid_is_named(root, twin, graph):
    made = sent(twin, graph)
    at_the_portal(graph, way_back(twin, graph))
    outcome, found = verified(graph)
    assert outcome.verdict == "differs"
    assert set(found["what"]) == {"foreign"}
    assert set(found["readings"]) == {"3 of 3"}
    assert all(label.startswith(made.losses[0].principal_name) for label in found["label"])
    assert found["since"][0].startswith("2026-11-24T07:51")


def test_what_somebody_took_away_is_missing(root, twin, graph):
    sent(twin, graph)
    at_the_portal(graph, plan(twin, graph, group=first_group(twin)))
    _, found = verified(graph)
    assert set(found["what"]) == {"missing"}


def test_memberships_that_came_back_are_named(root, twin, graph):
    held = {one["principalId"] for one in twin.tenant.tables["assignments"].values()}
    user, group = next((people[0], key) for key, people in twin.tenant.tables["members"].items() if key in held and people)
    sent(twin, graph, user=user)
    twin.tenant.tables["members"][group] = (user, *twin.tenant.tables["members"][group])
    outcome, found = verified(graph)
    assert outcome.verdict == "differs"
    assert set(found["table"]) == {"memberships"}
    assert found["label"][0] == twin.tenant.tables["groups"][group]["displayName"]


def test_one_reading_that_disagrees_is_a_difference(root, twin, graph):
    """Replicas answer in turn: one that still shows the old state is not yet what everybody sees."""
    sent(twin, graph)
    told = recorded.read(RUN).sent()
    seen = reverify.readings(graph, told, 0)
    basis = told.goal[0]
    fewer = seen[1] | {basis: seen[1][basis][1:]}
    found = reverify.differences(told, [seen[0], fewer, seen[2]])
    assert found[["what", "readings"]].values.tolist() == [["missing", "1 of 3"]]


def test_what_the_record_does_not_name_is_told_in_numbers(root, twin, graph):
    sent(twin, graph)
    told = replace(recorded.read(RUN).sent(), before={})
    at_the_portal(graph, way_back(twin, graph))
    found = reverify.differences(told, reverify.readings(graph, told, 0))
    assert "live" in found["label"][0]
    assert found["what"].tolist() == ["other"]


@pytest.mark.parametrize(("passed", "left"), [(0, 20), (1, 20), (61, 19), (1199, 1), (1200, 0), (9999, 0)])
def test_too_early_says_the_minutes_and_reads_nothing(root, twin, graph, passed, left):
    """It waits for nothing: a scheduler runs it again."""
    sent(twin, graph)
    told = recorded.read(RUN).sent()
    assert reverify.minutes_left(told, NOW + timedelta(seconds=passed), 20) == left
    asked_before = len(twin.asked)
    outcome, _ = verified(graph, left=left)
    assert (outcome.problem == f"too early: {left} minutes") == bool(left)
    assert outcome.verdict == ("too early" if left else "nothing to do")
    assert (len(twin.asked) == asked_before) == bool(left)


def test_a_failed_run_has_no_goal_to_verify(root, twin, graph):
    sent(twin, graph)
    told = replace(recorded.read(RUN).sent(), verdict="failed")
    with pytest.raises(RecordError, match="did not reach its goal"):
        reverify.readings(graph, told, 0)


def test_another_tenant_is_refused(root, twin, graph):
    sent(twin, graph)
    graph.realm = "t-2"
    with pytest.raises(RecordError, match="this session is in t-2"):
        reverify.readings(graph, recorded.read(RUN).sent(), 0)


def test_since_is_the_last_verification_that_held(root, twin, graph):
    sent(twin, graph)
    later = "2026-11-24T08:30:00+00:00"
    kept = record.create(where.runs(), "20261124T083000Z-15-reverify-1", {"parameters": {"verify_run": RUN}, "started": later})
    sealing.seal(kept, clock=lambda: NOW, signer=None, verdict="nothing to do", finished=later)
    (where.runs() / "20261124T093000Z-15-reverify-1").mkdir()
    assert recorded.read(RUN).sent().held == later
