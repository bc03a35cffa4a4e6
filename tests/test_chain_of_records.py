"""The chain over all records, its signatures, and the proof that reads them: what is changed, gone or new is told."""

import itertools
import json
import os
import shutil
import signal
import stat
import threading
from datetime import timedelta

import pytest
import recorded
from click.testing import CliRunner
from recorded import role, seal_one

from awsfed_lib.core.errors import NotApproved, RecordError
from awsfed_lib.doors import runs as doors
from awsfed_lib.edges.records import baseline, catalogue, chain, durable, leaks, past, proof, retention, sealing, signing, where
from awsfed_lib.edges.records import recorded as evidence
from awsfed_lib.edges.records.record import Record, create


@pytest.fixture
def runs(tmp_path):
    for day in range(3):
        seal_one(tmp_path / "runs", day, roles=[role(1), role(2)])
    return tmp_path / "runs"


@pytest.fixture
def signer(tmp_path):
    public = signing.make(tmp_path / "signing.key", password="correct horse")
    return signing.signer({signing.KEY_VARIABLE: str(tmp_path / "signing.key"), signing.PASSWORD_VARIABLE: "correct horse"}), public


def broken(runs, **more):
    return [f"{one.where}: {one.problem}" for one in proof.prove(runs, **more).broken]


def test_chain_holds_every_record_in_order(runs):
    lines = chain.read(runs)
    assert [line.fields["run"] for line in lines] == [record.folder.name for record in catalogue.records(runs)]
    assert proof.prove(runs) == (3, 3, lines[-1].digest, 3, ())
    assert stat.S_IMODE((runs / chain.FILE).stat().st_mode) == 0o600


def test_every_flipped_byte_of_every_record_and_of_the_chain_is_found(runs):
    for path in sorted(path for path in runs.rglob("*") if path.is_file() and ".locks" not in path.parts and path.name != catalogue.PAGE):
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 40)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
            try:
                found = broken(runs)
            except RecordError as error:
                found = [str(error)]
            assert found, f"byte {place} of {path}"
            if path.name not in ("run.json", chain.FILE):
                assert any(path.name in problem for problem in found)
        path.write_bytes(content)
    assert not broken(runs)


def test_forged_run_json_is_found_by_the_chain(runs):
    """Whoever changes a file and its digest in run.json has a record that is true to itself, and not to the chain."""
    record = catalogue.records(runs)[1]
    path = record.folder / "run.json"
    path.write_text(path.read_text().replace('"verdict": "done"', '"verdict": "applied"'))
    assert record.changed() == []
    assert broken(runs) == [f"{record.folder.name}: run.json: changed; the chain has another digest of it"]


def test_record_that_is_gone_or_new_is_found(runs, tmp_path):
    first, *_, last = catalogue.records(runs)
    shutil.copytree(last.folder, runs / "20990101T000000Z-09-audit-x")
    shutil.rmtree(first.folder)
    assert [problem.partition(": ")[2] for problem in broken(runs)] == [
        "the record is gone, and the chain does not say that it was retired",
        "the record is sealed, and the chain does not know it",
    ]


def test_line_cut_from_the_end_is_found_by_its_record_and_by_a_head_kept_elsewhere(runs):
    path = runs / chain.FILE
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert broken(runs)[0].endswith("the chain does not know it")


LINES = {
    "the first is gone": lambda lines: lines[1:],
    "the middle is gone": lambda lines: [lines[0], lines[2]],
    "two are swapped": lambda lines: [lines[1], lines[0], lines[2]],
    "the last two are swapped": lambda lines: [lines[0], lines[2], lines[1]],
    "one stands twice": lambda lines: [*lines, lines[2]],
    "one is empty": lambda lines: [*lines[:2], b"\n", lines[2]],
    "one ends as on Windows": lambda lines: [lines[0].replace(b"\n", b"\r\n"), *lines[1:]],
}


@pytest.mark.parametrize("how", LINES)
def test_lines_that_are_not_where_they_were_are_told(runs, how):
    path = runs / chain.FILE
    path.write_bytes(b"".join(LINES[how](path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(RecordError, match=r"Line \d of the chain is not as it was written"):
        proof.prove(runs)


def test_clock_that_goes_back_breaks_nothing(runs):
    """The order is that of the numbers and digests; what a clock says stands beside it."""
    seal_one(runs, -400)
    assert not broken(runs)
    assert [line.number for line in chain.read(runs)] == [1, 2, 3, 4]
    assert chain.read(runs)[3].at < chain.read(runs)[0].at


def test_torn_end_is_passed_over_and_written_over(runs):
    path = runs / chain.FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at": "2026')
    assert len(chain.read(runs)) == 3
    seal_one(runs, 9)
    assert path.read_bytes().startswith(whole)
    assert not broken(runs)


def test_nothing_is_appended_behind_a_damaged_line(runs):
    path = runs / chain.FILE
    path.write_bytes(path.read_bytes()[:-20] + b"xxxxxxxxxxxxxxxxxxx\n")
    with pytest.raises(RecordError, match="The last line of the chain is not as it was written"):
        seal_one(runs, 9)


def test_runs_that_end_at_once_all_take_their_place(tmp_path):
    runs = tmp_path / "runs"
    threads = [threading.Thread(target=seal_one, args=(runs, 0), kwargs={"target": f"t{number}"}) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(chain.read(runs)) == 8
    assert not broken(runs)


def test_signed_chain_is_proven_by_the_public_key_alone(tmp_path, signer):
    runs, (who, public) = tmp_path / "runs", signer
    seal_one(runs, 0, signer=who)
    keys = signing.public_keys(public)
    assert proof.prove(runs, keys=keys).unsigned == 0
    assert not broken(runs, keys=keys)
    seal_one(runs, 1)
    assert broken(runs, keys=keys) == [f"chain.jsonl: line 2 ({catalogue.records(runs)[1].folder.name}) is not signed"]


def test_chain_that_was_made_anew_is_found_by_the_signature(tmp_path, signer):
    """Without a key, who can write everything can write another history; with one, not."""
    runs, (who, public) = tmp_path / "runs", signer
    seal_one(runs, 0, signer=who)
    (runs / chain.FILE).unlink()
    other = signing.make(tmp_path / "other.key", password="")
    record = catalogue.records(runs)[0]
    with chain.lock(runs):
        chain.append(
            runs,
            chain.SEALED,
            {"run": record.folder.name, "sha256": record.digest},
            clock=lambda: recorded.BEGAN,
            signer=signing.signer({signing.KEY_VARIABLE: str(tmp_path / "other.key")}),
        )
    assert not broken(runs)
    assert not broken(runs, keys=signing.public_keys(other))
    assert "is signed by another key" in broken(runs, keys=signing.public_keys(public))[0]


def test_a_chain_that_began_without_a_key_is_vouched_for_by_the_first_signature(tmp_path, signer):
    """It covers the digest of the line before, and so all lines before it; none of them can be put there later."""
    runs, (who, public) = tmp_path / "runs", signer
    seal_one(runs, 0)
    seal_one(runs, 1)
    keys = signing.public_keys(public)
    assert len(broken(runs, keys=keys)) == 2, "nobody signed yet"
    seal_one(runs, 2, signer=who)
    assert not broken(runs, keys=keys)
    seal_one(runs, 3)
    seal_one(runs, 4, signer=who)
    assert [line.partition(" (")[0] for line in broken(runs, keys=keys)] == ["chain.jsonl: line 4"], (
        "a later one vouches for none before it"
    )


def test_a_key_that_was_replaced_stays_in_the_file_of_public_keys(tmp_path, signer):
    runs, (who, public) = tmp_path / "runs", signer
    seal_one(runs, 0, signer=who)
    other = signing.make(tmp_path / "new.key", password="")
    seal_one(runs, 1, signer=signing.signer({signing.KEY_VARIABLE: str(tmp_path / "new.key")}))
    both = tmp_path / "both.pub"
    both.write_bytes(public.read_bytes() + other.read_bytes())
    assert not broken(runs, keys=signing.public_keys(both))
    assert len(broken(runs, keys=signing.public_keys(other))) == 0, "line 1 is before the first signature of the new key"
    assert len(broken(runs, keys=signing.public_keys(public))) == 1


@pytest.mark.parametrize("what", ["a link to a file", "a link to equal bytes", "a pipe", "an empty folder", "a link to a folder"])
def test_what_no_record_has_is_found_in_a_sealed_one(runs, tmp_path, what):
    folder = catalogue.records(runs)[0].folder
    plain = folder / "run.json"
    copy = tmp_path / "copy"
    table = next((folder / "tables").glob("*.csv"))
    if what == "a link to a file":
        (folder / "more.csv").symlink_to(plain)
    elif what == "a link to equal bytes":
        shutil.copy(table, copy)
        table.unlink()
        table.symlink_to(copy)
    elif what == "a pipe":
        os.mkfifo(folder / "pipe")
    elif what == "an empty folder":
        (folder / "exports").mkdir()
    else:
        (folder / "exports").symlink_to(tmp_path)
    assert broken(runs)
    with pytest.raises(RecordError) as refused:
        proof.read_sealed(Record(folder), proof.Vouching.of(runs))
    assert refused.value.code == "record-not-evidence"


def test_where_a_key_is_given_a_record_without_a_signature_is_no_evidence_anywhere(tmp_path, signer, monkeypatch):
    """Drift's baseline, history, the proof of a sign-in and restores all ask the same question."""
    for name in ("notebooks", "parameters"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(where.ROOT_VARIABLE, str(tmp_path))
    runs, (who, public) = where.runs(), signer
    (where.parameters() / signing.PUBLIC_FILE).write_bytes(public.read_bytes())
    seal_one(runs, 0, signer=who, roles=[role(1)])
    seal_one(runs, 1, roles=[role(1), role(2)])  # somebody made it, and put it at the end of the chain without the key
    good, bad = past.past(past.Target())
    assert (good.problem, bool(bad.problem)) == ("", True)
    assert list(past.counts("roles", [good, bad])["run"]) == [good.run]
    chosen = baseline.choose([good, bad], Record(good.folder).run()["parameters"])
    assert chosen.past == good
    assert bad.run in chosen.remark
    with pytest.raises(RecordError) as refused:
        evidence.read(bad.run)
    assert refused.value.code == "record-not-evidence"


def test_the_newest_records_cut_together_with_their_lines_are_missed(runs, tmp_path, monkeypatch):
    """By the head of the chain, which the monthly proof keeps where runs cannot write."""
    monkeypatch.setattr(doors, "_folder", lambda: runs)
    command = ["verify", "--head-file", str(tmp_path / "chain.head")]
    assert CliRunner().invoke(doors.runs, command).exit_code == 0
    last = catalogue.records(runs)[-1].folder
    lines = (runs / chain.FILE).read_bytes().splitlines(keepends=True)
    (runs / chain.FILE).write_bytes(b"".join(lines[:-1]))
    shutil.rmtree(last)
    assert not broken(runs), "nothing in runs/ tells"
    ended = CliRunner().invoke(doors.runs, command)
    assert isinstance(ended.exception, RecordError)
    assert ended.exception.code == "records-changed"


def test_public_keys_that_were_exchanged_are_missed(runs, tmp_path, signer, monkeypatch):
    monkeypatch.setattr(doors, "_folder", lambda: runs)
    seal_one(runs, 3, signer=signer[0])
    command = ["verify", "--head-file", str(tmp_path / "chain.head"), "--key"]
    assert CliRunner().invoke(doors.runs, [*command, str(signer[1])]).exit_code == 0
    other = signing.make(tmp_path / "other.key", password="")
    shutil.rmtree(runs)
    for day in range(4):
        seal_one(runs, day, signer=signing.signer({signing.KEY_VARIABLE: str(tmp_path / "other.key")}))
    ended = CliRunner().invoke(doors.runs, [*command, str(other)])
    assert isinstance(ended.exception, RecordError)


def test_signature_stands_for_its_line_alone(tmp_path, signer):
    runs, (who, public) = tmp_path / "runs", signer
    seal_one(runs, 0, signer=who)
    seal_one(runs, 1, signer=who)
    first, second = chain.read(runs)
    forged = chain.content(second.number, second.at, second.event, second.fields, first.digest)
    assert signing.holds(signing.public_keys(public)[0], second.fields["signature"], forged)
    assert not signing.holds(signing.public_keys(public)[0], first.fields["signature"], forged)
    assert not signing.holds(signing.public_keys(public)[0], "not base64 !", forged)


def test_key_never_shows_and_is_for_its_owner(tmp_path, signer):
    assert "PRIVATE" not in repr(signer[0])
    assert signer[0].name in repr(signer[0])
    assert b"ENCRYPTED PRIVATE KEY" in (tmp_path / "signing.key").read_bytes()
    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600
    with pytest.raises(RecordError, match="there already"):
        signing.make(tmp_path / "signing.key", password="")


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_key_that_cannot_be_used_is_told_before_anything_starts(tmp_path, content):
    path = tmp_path / "k"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordError, match="awsfed runs key"):
        signing.signer({signing.KEY_VARIABLE: str(path)})


def test_no_key_no_signature():
    assert signing.signer({}) is None


# --- kill -9 while a record is sealed ---


def killed_while_sealing(monkeypatch, made, number):
    """Seal a record in a process that dies at its so-manieth call of the system; tell whether it died."""
    left = itertools.count(1)

    def counted(call):
        def until(*given, **more):
            if next(left) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*given, **more)

        return until

    child = os.fork()
    if not child:
        for name in ("fsync", "link", "rename", "replace", "unlink", "open"):
            monkeypatch.setattr(os, name, counted(getattr(os, name)))
        sealing.seal(made, clock=lambda: recorded.BEGAN, signer=None, verdict="done")
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def test_sealing_that_was_killed_anywhere_leaves_a_chain_that_goes_on(tmp_path, monkeypatch):
    """Before the line of the chain the record is unfinished, and says so; behind it the next run completes it."""
    number, ends, told = 0, set(), set()
    seal_one(tmp_path / "first", 0)
    name = create(tmp_path / "first", "20260102T030000Z-09-audit-1f0c7f3a", {"runbook": "09-audit"}).folder.name
    while True:
        number += 1
        runs = tmp_path / str(number)
        shutil.copytree(tmp_path / "first", runs)
        if not killed_while_sealing(monkeypatch, Record(runs / name), number):
            break
        told |= {problem.partition(": ")[2] for problem in broken(runs)}
        seal_one(runs, 2)
        left = broken(runs)
        ends.add(tuple(problem.partition(": ")[2] for problem in left))
        shutil.rmtree(runs)
    assert number > 10
    assert ends == {("run.json: the run was never sealed",), ()}
    assert told == {
        "run.json: the run was never sealed",
        "run.json: its sealing was cut off; the next run that is sealed completes it",
    }


def test_prepared_run_json_that_the_chain_does_not_vouch_for_is_never_taken(runs):
    """Who puts another one there has put a file into a sealed record, and no more."""
    last = catalogue.records(runs)[-1]
    forged = last.folder / ".run.json.sealed.partial"
    forged.write_bytes((last.folder / "run.json").read_bytes().replace(b'"done"', b'"applied"'))
    before = last.digest
    seal_one(runs, 3)
    assert last.digest == before
    assert broken(runs) == [f"{last.folder.name}: .run.json.sealed.partial: new"]


def test_long_garbage_behind_the_chain_is_told_and_the_chain_is_not_written_over(runs):
    path = runs / chain.FILE
    path.write_bytes(path.read_bytes() + bytes(70_000))
    with pytest.raises(RecordError, match="The end of the chain is not as it was written"):
        seal_one(runs, 3)
    assert path.read_bytes().count(b"\n") == 3


# --- retention ---


def test_retired_records_are_gone_and_the_chain_is_whole(runs):
    chosen = retention.plan(runs, recorded.BEGAN + timedelta(days=2))
    assert [record.folder.name for record in chosen.records] == [record.folder.name for record in catalogue.records(runs)[:2]]
    with pytest.raises(NotApproved):
        retention.carry_out(runs, chosen, approved="retire-0000000000000000", clock=lambda: recorded.BEGAN, signer=None)
    assert retention.carry_out(runs, chosen, approved=chosen.id, clock=lambda: recorded.BEGAN, signer=None) == 2
    assert proof.prove(runs)[:2] == (1, 5)
    assert not broken(runs)
    assert not list(runs.glob(".*.retired"))
    assert [line.event for line in chain.read(runs)] == ["sealed"] * 3 + ["retired"] * 2


def test_newest_damaged_and_unfinished_records_stay(runs):
    first, second, newest = catalogue.records(runs)
    (first.folder / "tables" / "roles.csv").write_text("x")
    chosen = retention.plan(runs, recorded.BEGAN + timedelta(days=400))
    assert [record.folder for record in chosen.records] == [second.folder]
    assert dict(chosen.kept) == {first.folder.name: "tables/roles.csv: changed", newest.folder.name: "the newest of its runbook and target"}


def test_what_drift_is_measured_against_stays_behind_runs_that_failed(runs):
    good = catalogue.records(runs)[-1]
    for day in (3, 4):
        seal_one(runs, day, verdict="failed")
    chosen = retention.plan(runs, recorded.BEGAN + timedelta(days=400))
    assert dict(chosen.kept)[good.folder.name] == "the newest good one of its runbook and target"
    assert good.folder not in [record.folder for record in chosen.records]
    assert len(chosen.records) == 3


def test_record_that_came_back_after_it_was_retired_is_found(runs, tmp_path):
    first = catalogue.records(runs)[0]
    shutil.copytree(first.folder, tmp_path / "kept")
    chosen = retention.plan(runs, recorded.BEGAN + timedelta(days=1))
    retention.carry_out(runs, chosen, approved=chosen.id, clock=lambda: recorded.BEGAN, signer=None)
    shutil.copytree(tmp_path / "kept", first.folder)
    assert broken(runs) == [f"{first.folder.name}: the record is there, and the chain says that it was retired"]


def put_away(runs, *names):
    """Files in which a secret was found, as `leaks` leaves them."""
    for name in names:
        durable.folder(runs / leaks.QUARANTINE / name / "tables")
        durable.write_new(runs / leaks.QUARANTINE / name / "tables/roles.csv", b"hunter2hunter2")
    return runs / leaks.QUARANTINE


def taken(runs, days, *, approved=""):
    chosen = retention.plan(runs, recorded.BEGAN + timedelta(days=days))
    retention.carry_out(runs, chosen, approved=approved or chosen.id, clock=lambda: recorded.BEGAN, signer=None)
    return chosen


def test_old_files_with_secrets_go_and_the_chain_says_so(runs):
    """Their record may stay, as the newest of its kind; the chain stays whole, and says how much it was, never a digest of it."""
    newest = catalogue.records(runs)[-1].folder.name
    place = put_away(runs, newest, "20260401T030000Z-09-audit-1f0c7f3a", "by hand")
    assert [one.folder.name for one in taken(runs, 30).put_away] == [newest]
    assert sorted(path.name for path in place.iterdir()) == ["20260401T030000Z-09-audit-1f0c7f3a", "by hand"]
    assert not broken(runs)
    last = chain.read(runs)[-1]
    assert (last.event, last.fields["quarantine"]) == ("emptied", newest)
    assert (last.fields["files"], last.fields["bytes"], last.fields.keys()) == (1, 14, {"quarantine", "files", "bytes", "reason"})
    assert not taken(runs, 30).names


def test_id_of_an_approval_stands_for_the_files_with_secrets_too(runs):
    before = retention.plan(runs, recorded.BEGAN + timedelta(days=1)).id
    place = put_away(runs, "20251224T030000Z-09-audit-x")
    with pytest.raises(NotApproved):
        taken(runs, 1, approved=before)
    shown = retention.plan(runs, recorded.BEGAN + timedelta(days=1)).id
    (place / "20251224T030000Z-09-audit-x" / "more").write_text("")
    with pytest.raises(NotApproved):
        taken(runs, 1, approved=shown)
    assert place.exists()


@pytest.mark.parametrize("again", ["20260101T030000Z-09-audit-1f0c7f3a", ".quarantine/20251224T030000Z-09-audit-x"])
def test_removal_that_was_interrupted_is_gone_on_with(runs, monkeypatch, again):
    """kill -9 between the rename and the end of the removal: the chain says it already, and nothing takes the half for a record."""
    put_away(runs, "20251224T030000Z-09-audit-x")
    removed = shutil.rmtree

    def killed(path, **more):
        if path.name == f".{again.rpartition('/')[2]}.retired":
            raise KeyboardInterrupt
        removed(path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            taken(runs, 1)
    assert not broken(runs)
    chosen = taken(runs, 1)
    assert [path.name for path in chosen.leftovers] == [f".{again.rpartition('/')[2]}.retired"]
    assert not [*runs.glob(".*.retired"), *runs.glob(".quarantine/*")]
    assert not broken(runs)
    assert not taken(runs, 1).names


@pytest.mark.parametrize("started", ["2026", "yesterday", "2026-01-01T03:00:00", "", None, 5])
def test_record_that_does_not_say_when_it_began_stays(runs, started):
    first = catalogue.records(runs)[0]
    path = first.folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"started": started}))
    assert first.folder not in [record.folder for record in retention.plan(runs, recorded.BEGAN + timedelta(days=400)).records]


# --- the catalogue ---


@pytest.mark.parametrize(("name", "place"), [("last", 2), ("20260101T", 0), ("20260102T030000Z-09-audit-1f0c7f3a", 1)])
def test_record_is_found_by_name_beginning_or_last(runs, name, place):
    assert catalogue.find(runs, name).folder == catalogue.records(runs)[place].folder


@pytest.mark.parametrize(("name", "words"), [("2026", "3 records are meant"), ("1999", "There is no record")])
def test_record_that_is_not_one_is_told(runs, name, words):
    with pytest.raises(RecordError, match=words):
        catalogue.find(runs, name)


def test_damaged_record_is_a_row_of_the_catalogue(runs):
    (catalogue.records(runs)[0].folder / "run.json").write_bytes(b"{")
    page = catalogue.write_catalogue(runs).read_text()
    assert "run.json is damaged" in page
    assert page.count("<tr class=") == 3


def test_page_is_written_whenever_a_run_ends(runs):
    page = (runs / catalogue.PAGE).read_text()
    assert page.count("<tr class=") == 3
    assert "<script" not in page
    assert stat.S_IMODE((runs / catalogue.PAGE).stat().st_mode) == 0o600


# --- blocks of large files ---


def test_change_in_a_large_file_is_told_to_its_block(tmp_path):
    record = seal_one(tmp_path / "runs", 0, roles=[role(number) for number in range(1, 900)])
    path = record.folder / "tables" / "roles.csv"
    content = path.read_bytes()
    assert len(content) > 200_000
    path.write_bytes(content[:140_000] + b"#" + content[140_001:])
    assert record.changed() == ["tables/roles.csv: changed between the bytes 131,072 and 196,608"]
    path.write_bytes(content[:70_000])
    assert record.changed() == [
        f"tables/roles.csv: changed between the bytes 65,536 and 131,072, and has 70,000 bytes instead of {len(content):,}"
    ]
    path.write_bytes(content + b"x")
    assert f"and has {len(content) + 1:,} bytes instead" in record.changed()[0]
