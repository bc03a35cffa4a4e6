"""The main job through real kernels, against a sandbox of its own: what the demo shows, and what must be refused."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from target import Target, served

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review.states import MOVED, STILL
from awsfed_lib.doors import runner
from awsfed_lib.edges.records import blocks, catalogue, proof, where

pytestmark = pytest.mark.kernel


class Chain(Target):
    """A root with our runbooks, a running sandbox, and runs in it."""

    def __init__(self, root, sandbox):
        super().__init__(root, sandbox)
        self.demo = sandbox.world["demo"]

    def writes(self):
        """Requests to Graph that were no reads, and not refused for want of permission."""
        return [r for r in self.sandbox.tenant.requests if r["method"] != "GET" and "/v1.0/" in r["path"]
                and not r["path"].endswith("$batch")]  # fmt: skip

    def can_sign_in(self):
        return self.sandbox.can_sign_in(self.demo["user"], self.demo["role_arn"])[0]

    def client(self, name):
        return next(c["appId"] for c in self.sandbox.world["tenant"]["clients"] if c["displayName"] == f"awsfed {name}")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with served(root) as sandbox:
        yield Chain(root, sandbox)


def said(result):
    return json.loads((result.record.folder / "run.json").read_bytes())


def test_preflight_tells_what_a_poor_client_lacks_before_anything_is_planned(chain):
    result = chain.run("00", client_id=chain.client("reader"))
    assert result.verdict == "done"
    permits = {row["runbook"]: row for row in chain.table(result, "permits")}
    assert permits["04-approles"]["result"] == "missing"
    assert permits["09-audit"]["result"] == "look"  # it can be run: what shows the claims policy takes a permission to write it
    assert not chain.writes()


def test_inventory_writes_the_list_of_the_tutorial(chain):
    result = chain.run("03")
    lines = (result.record.folder / "tables/role_arn_trusted_entities.csv").read_text().splitlines()
    assert lines[0] == "Role ARN,Trusted entities"
    assert "arn:aws:iam::000000012345:role/Admin,arn:aws:iam::000000012345:saml-provider/WAAD" in lines


def test_a_plan_waits_a_wrong_id_sends_nothing_and_the_right_one_is_sent_once(chain):
    planned = chain.run("04")
    assert (planned.verdict, planned.code) == ("planned", 3)
    wrong = chain.run("04", approved="plan-0123456789abcdef0123456789abcdef")
    assert (wrong.verdict, wrong.code) == ("failed", 1)
    assert "plan-0123456789abcdef0123456789abcdef is not the id of this plan" in wrong.problem
    assert not chain.writes()
    applied = chain.run("04", approved=planned.plans[0])
    assert (applied.verdict, applied.code) == ("applied", 0)
    assert [(w["method"], w["status"]) for w in chain.writes()] == [("PATCH", 204)]
    again = chain.run("04", approved=planned.plans[0])
    assert (again.verdict, again.code) == ("nothing to do", 0)
    assert len(chain.writes()) == 1


def test_groups_and_assignments_end_in_a_sign_in_that_was_not_possible_before(chain):
    assert not chain.can_sign_in()
    for number in ("05", "06"):
        applied = chain.run(number, approved=chain.run(number).plans[0])
        assert applied.verdict == "applied"
    assert chain.can_sign_in()
    assert chain.run("06", approved="plan-0123456789abcdef0123456789abcdef").verdict == "nothing to do"


def test_every_record_is_whole_and_as_it_was_sealed(chain):
    folders = sorted(path.parent for path in where.runs().glob("*/run.json"))
    assert len(folders) > 8
    for folder in folders:
        assert not runner.Record(folder).changed()
        page = (folder / "record.html").read_text()
        assert "<script" not in page
        assert "https://cdn" not in page
        assert str(chain.root) not in page


KINDS = {"run.json", "journal.jsonl", "record.ipynb", "record.html", "plan.json", "outcome.json", "snapshots/.json"}
KINDS |= {"tables/.csv", "tables/.parquet", "exports/.sarif", "exports/.xml", "exports/.json"}


def kind(name):
    """A file by what it is: its folder and its suffix, or its own name where it is one of a kind."""
    return f"{name.partition('/')[0]}/{Path(name).suffix}" if "/" in name else name


def places(size):
    """The first and the last byte, the middle, and both sides of every border of the blocks whose digests are kept."""
    borders = [place + side for place in range(0, size, blocks.SIZE) for side in (-1, 0)]
    return sorted({place for place in (0, size // 2, size - 1, *borders) if 0 <= place < size})


def test_flip_any_byte_of_any_record_and_verify_says_which_file_and_where(chain):
    """Of every kind of file that real records hold; `awsfed runs verify` names file and block."""
    chain.run("09", fail_on="critical")
    seen = set()
    for record in catalogue.records(where.runs()):
        assert proof.prove_one(record) == []
        for path in sorted(path for path in record.folder.rglob("*") if path.is_file()):
            name, content = path.relative_to(record.folder).as_posix(), path.read_bytes()
            if kind(name) in seen and len(content) <= blocks.SIZE:
                continue  # one of each kind, and all that are large
            seen.add(kind(name))
            for place in places(len(content)):
                path.write_bytes(content[:place] + bytes([content[place] ^ 0x01]) + content[place + 1 :])
                found = [problem for problem in proof.prove_one(record) if problem.startswith(f"{name}: ")]
                assert found, (name, place)
                first = place // blocks.SIZE * blocks.SIZE
                if len(content) > blocks.SIZE and name != "run.json":
                    assert f"between the bytes {first:,} and {min(first + blocks.SIZE, len(content)):,}" in found[0], (name, place)
            path.write_bytes(content)
    assert seen >= KINDS, KINDS - seen
    assert proof.prove(where.runs()).broken == ()


def test_audit_ends_with_its_own_exit_code_when_findings_reach_the_threshold(chain):
    result = chain.run("09", fail_on="low")
    assert (result.verdict, result.code) == ("findings", 4)
    assert said(result)["counts"]["findings"]


def test_history_answers_from_the_records_alone(chain):
    """The audit of before lies in the records; nothing is asked of Entra ID or AWS."""
    before = len(chain.sandbox.tenant.requests)
    user = next(u["userPrincipalName"] for u in chain.sandbox.world["tenant"]["users"] if u["id"] == chain.demo["user"])
    result = chain.run("13", user=user, role=chain.demo["role_arn"])
    assert result.verdict == "done"
    answer = {row["fact"]: row["value"] for row in chain.table(result, "answer")}
    assert answer["answer"] == "yes", (answer["why"], answer["by the run"])
    assert len(chain.sandbox.tenant.requests) == before
    assert proof.prove(where.runs()).broken == ()


def test_a_second_audit_compares_with_the_first_and_finds_no_change(chain):
    audits = {folder.name for folder in where.runs().glob("*-09-audit-*")}
    result = chain.run("09")
    assert not set(result.record.table("drift")["state"]) & {*MOVED, STILL}
    drift = said(result)["counts"]["drift"]
    assert drift["record"] in audits
    assert (drift["changes"], drift["not_approved"], drift["still"]) == (0, 0, 0)
    log = ET.parse(result.record.folder / "exports/findings.junit.xml").getroot()
    assert int(log.get("failures")) > 0


def test_a_client_without_permission_gets_graphs_words_and_what_to_do(chain):
    before = len(chain.writes())
    result = chain.run("04", client_id=chain.client("poor"))
    assert result.verdict == "failed"
    assert "Insufficient privileges" in result.problem or "Authorization_RequestDenied" in result.problem
    assert len(chain.writes()) == before


def test_a_wrong_tenant_is_told_in_entras_own_words(chain):
    result = chain.run("04", tenant_id="11111111-2222-4333-8444-555555555555")
    assert result.verdict == "failed"
    assert "AADSTS90002" in result.problem


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_removd": 3}, "max_removed"),
        ({"include_accounts": ["12345678901"]}, "12345678901"),
        ({"approved": "yes"}, "approved"),
    ],
)
def test_bad_parameters_start_no_kernel_and_leave_no_record(chain, given, words):
    before = set(where.runs().iterdir())
    with pytest.raises(ParameterError, match=words):
        chain.run("04", **given)
    assert set(where.runs().iterdir()) == before
