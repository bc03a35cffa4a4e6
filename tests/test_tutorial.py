"""Microsoft's tutorial as real runs, from an empty tenant and accounts without federation to a proven sign-in for every role."""

import json
import os
import shutil
from pathlib import Path

import pytest

from awsfed_lib.doors.tutorial import CHANGING, PROOF, Proven, tutorial
from awsfed_lib.edges.records import where

pytestmark = pytest.mark.kernel
ROOT = Path(__file__).parents[1]
ACCOUNTS, FAMILIES = 3, 5


CLOUDS = os.environ.get("AWSFED_TUTORIAL_CLOUDS", "global").split(",")  # global,usgov,china: a minute each


@pytest.fixture(scope="module", params=CLOUDS)
def walked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Proven, list[str]]:
    """Walk it once in each cloud, in a root of its own, and give what it came to and what it said."""
    root = tmp_path_factory.mktemp("root")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, root / name)
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(where.ROOT_VARIABLE, str(root))
        proven = tutorial(said.append, ACCOUNTS, request.param)
        runs = [json.loads(path.read_bytes()) for path in sorted(where.runs().glob("*/run.json"))]
    said.append(json.dumps([(run["runbook"], run["verdict"]) for run in runs]))
    return proven, said


def test_every_role_and_group_of_the_parameter_file_ends_in_a_sign_in(walked: tuple[Proven, list[str]]) -> None:
    """The walk itself raises when 07-signin or a signed response says otherwise; here are its figures."""
    proven, said = walked
    assert proven[:4] == (ACCOUNTS, ACCOUNTS * FAMILIES, ACCOUNTS * FAMILIES, 2 * ACCOUNTS * FAMILIES)
    assert said[-2] == str(proven)


def test_each_plan_was_sent_once_and_the_second_pass_planned_nothing(walked: tuple[Proven, list[str]]) -> None:
    runs = json.loads(walked[1][-1])
    applications = sum(book.startswith("01") and verdict == "applied" for book, verdict in runs)
    assert applications in (3, 4), "the fourth activates a certificate that was made by hand"
    first = {"01": applications, "02": 1, "04": 1, "05": 1, "06": 1}
    sent = [book.partition("-")[0] for book, verdict in runs if verdict == "applied"]
    assert {number: sent.count(number) for number in sent} == first
    assert sent == sorted(sent), "in the order of the tutorial"
    proof = next(index for index, (book, _) in enumerate(runs) if book.startswith(PROOF))
    again = runs[proof + 1 :]
    assert [book.partition("-")[0] for book, _ in again] == list(CHANGING)
    assert {verdict for _, verdict in again} == {"nothing to do"}
