"""`awsfed runs`: what people see of records."""

import json
import re
import shutil

import pytest
from click.testing import CliRunner
from recorded import BEGAN, role, seal_one
from small_root import make

from awsfed_lib.__main__ import main
from awsfed_lib.core.errors import RecordError
from awsfed_lib.edges.records import catalogue, chain, record, sealing, signing, where


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path / "root")))
    folder = tmp_path / "root" / "runs"
    seal_one(folder, 0, roles=[role(1), role(2)])
    seal_one(folder, 1, runbook="20-plan", verdict="planned")
    seal_one(folder, 2, roles=[role(2, role_name="Power"), role(3)])
    return folder


def awsfed(*words):
    return CliRunner().invoke(main, ["runs", *words])


def test_list_filters_by_runbook_and_verdict(runs):
    assert awsfed("list").stdout.count("\n") == 3
    assert awsfed("list", "--runbook", "20").stdout.split()[0].endswith("20-plan-1f0c7f3a")
    assert awsfed("list", "--verdict", "planned").stdout.count("\n") == 1
    assert awsfed("list", "--last", "1").stdout.startswith("20260103T")


def test_show_tells_what_a_record_holds(runs):
    said = awsfed("show", "last").stdout
    for words in ("09-audit", "2026-01-03", "findings: 1 high", "roles", "journal.jsonl", catalogue.find(runs, "last").digest):
        assert words in said


def test_diff_names_rows_that_were_added_removed_and_changed_and_what_was_not_read(runs):
    said = awsfed("diff", "20260101", "last").stdout
    assert "roles: " in said
    assert "removed  000000000001" in said
    assert "added    000000000003" in said
    assert "not read arn:aws:iam::000000000001:role/Admin" in said
    assert "not read arn:aws:iam::000000000003:role/Admin" in said
    assert "role_name: Admin → Power" in said
    assert awsfed("diff", "last", "last").stdout == "accounts: no change\nroles: no change\n"


def test_diff_of_different_targets_is_refused(runs):
    names = []
    for one, last in zip(catalogue.records(runs), "ab", strict=False):
        said = one.run()
        said["parameters"] |= {"application_id": f"9f2b1c34-1234-4abc-9def-12345678900{last}"}
        (one.folder / "run.json").write_text(json.dumps(said))
        names.append(one.folder.name)
    assert "different targets" in awsfed("diff", *names).stderr


def test_verify_proves_all_and_names_what_is_broken(runs):
    good = awsfed("verify")
    assert good.exit_code == 0
    assert "3 records, 3 lines of the chain" in good.stdout
    head = chain.read(runs)[-1].digest
    assert head in good.stdout
    assert awsfed("verify", "--head", head).exit_code == 0
    assert "no line has the digest" in awsfed("verify", "--head", "0" * 64).stderr
    path = catalogue.records(runs)[0].folder / "tables" / "roles.csv"
    path.write_bytes(path.read_bytes().replace(b"Admin", b"Adm1n", 1))
    told = awsfed("verify")
    assert told.exit_code == 1
    assert "tables/roles.csv: changed" in told.stderr


def test_verify_of_one_record_asks_the_chain_too(runs, tmp_path):
    """A record that was made anew is true to itself; the chain knows better."""
    folder = catalogue.records(runs)[1].folder
    shutil.copytree(folder, tmp_path / folder.name)
    path = folder / "run.json"
    path.write_text(path.read_text().replace('"planned"', '"applied"'))
    assert catalogue.records(runs)[1].changed() == []
    told = awsfed("verify", folder.name)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "run.json: changed; the chain has another digest of it" in told.stderr
    alone = awsfed("verify", str(tmp_path / folder.name))
    assert alone.exit_code == 0
    assert "there is no chain beside it" in alone.stderr


@pytest.mark.parametrize("words", [("--digest", "0" * 64), ("last", "--at", "s3://b/p")])
def test_verify_refuses_what_it_would_not_look_at(runs, words):
    assert awsfed("verify", *words).exit_code == 2


def test_verify_of_one_record_takes_head_and_key(runs, tmp_path):
    head = chain.read(runs)[0].digest
    assert awsfed("verify", "last", "--head", head).exit_code == 0
    assert "no line has the digest" in awsfed("verify", "last", "--head", "0" * 64).stderr
    public = signing.make(tmp_path / "mine.key", password="")
    told = awsfed("verify", "last", "--key", str(public)).stderr
    assert told.count("is not signed") == 1


@pytest.mark.parametrize("words", [("show", "last"), ("diff", "last", "last")])
def test_what_is_shown_of_a_changed_record_is_told_first(runs, words):
    assert awsfed(*words).stderr == ""
    (catalogue.find(runs, "last").folder / "journal.jsonl").write_bytes(b"")
    assert "is not as it was sealed: journal.jsonl: changed" in awsfed(*words).stderr


def test_record_that_was_fetched_takes_its_place_in_the_chain(runs, tmp_path):
    """Otherwise the proof of runs/ would not hold from then on; a damaged one is not vouched for."""
    seal_one(tmp_path / "elsewhere", 7)
    (other,) = catalogue.records(tmp_path / "elsewhere")
    there = record.Record(runs / other.folder.name)
    shutil.copytree(other.folder, there.folder)
    assert awsfed("verify").exit_code == 1
    sealing.take_up(there, clock=lambda: BEGAN, signer=None)
    assert awsfed("verify").exit_code == 0
    assert chain.read(runs)[-1].event == "fetched"
    (there.folder / "journal.jsonl").write_bytes(b"")
    with pytest.raises(RecordError, match="not as it was sealed"):
        sealing.take_up(there, clock=lambda: BEGAN, signer=None)


@pytest.mark.parametrize(
    ("name", "words"), [("k", "no key is overwritten"), ("no/k", "no such folder"), ("other.pub", "no key is overwritten")]
)
def test_key_is_made_whole_or_not_at_all(runs, tmp_path, name, words):
    for _ in range(2 if name == "k" else 1):
        told = awsfed("key", str(tmp_path / name))
    assert told.exit_code == 1
    assert words in told.stderr
    assert not (tmp_path / "other.pub").exists()


def test_verdict_that_there_is_none_of_is_refused(runs):
    assert awsfed("list", "--verdict", "fine").exit_code == 2


def test_verify_takes_the_public_key_of_the_parameters(runs, tmp_path, monkeypatch):
    made = awsfed("key", str(tmp_path / "mine.key"))
    assert made.exit_code == 0
    monkeypatch.setenv(signing.KEY_VARIABLE, str(tmp_path / "mine.key"))
    (runs.parent / "parameters" / signing.PUBLIC_FILE).write_bytes((tmp_path / "mine.pub").read_bytes())
    assert "line 1" in awsfed("verify").stderr
    seal_one(runs, 3, signer=signing.signer())
    assert "line 4" not in awsfed("verify").stderr


def test_retire_tells_what_lies_in_quarantine_and_how_old_it_is(runs):
    for name in ("20260102T030000Z-20-plan-x", "20260105T030000Z-20-plan-x", "odd"):
        (runs / ".quarantine" / name).mkdir(parents=True)
        (runs / ".quarantine" / name / "note.json").write_text("a-secret")
    shown = awsfed("retire", "--before", "2026-01-03").stdout
    assert re.search(r"goes   \.quarantine/20260102T030000Z-20-plan-x: 1 files, 8 bytes, [\d,]+ days old\n", shown)
    assert re.search(r"stays  \.quarantine/20260105T030000Z-20-plan-x: 1 files, 8 bytes, [\d,]+ days old\n", shown)
    assert "stays  .quarantine/odd: 1 files, 8 bytes, its name does not say how old\n" in shown
    awsfed("retire", "--before", "2026-01-03", "--approved", shown.split("--approved ")[1].strip())
    assert sorted(path.name for path in (runs / ".quarantine").iterdir()) == ["20260105T030000Z-20-plan-x", "odd"]
    assert awsfed("verify").exit_code == 0


def test_retire_shows_first_and_takes_an_id(runs):
    shown = awsfed("retire", "--before", "2026-01-03")
    assert shown.stdout.count("goes ") == 1
    assert "stays  " in shown.stdout
    identity = shown.stdout.split("--approved ")[1].strip()
    assert awsfed("retire", "--before", "2026-01-03", "--approved", "retire-1").exit_code == 1
    assert awsfed("retire", "--before", "2026-01-03", "--approved", identity).exit_code == 0
    assert awsfed("verify").exit_code == 0
    assert awsfed("retire", "--before", "2026-01-03").stdout.endswith("\n0 would go\n")
    assert not catalogue.records(runs)[0].folder.name.startswith(f"{BEGAN:%Y%m%d}")
