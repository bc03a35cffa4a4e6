"""Places of this machine go from what a record says, and nothing else does: no part of an ARN, of an address, of a longer name."""

import io
import sys
from pathlib import Path

import pytest
from small_root import make

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.doors.keeper import RecordKeeper
from awsfed_lib.edges.records import held, record, where


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A keeper in ROOT, which lies in the home of somebody; its secrets are those of this environment."""
    home = tmp_path / "ann"
    root = make(home / "awsfed")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv(where.ROOT_VARIABLE, str(root))
    return RecordKeeper(record.create(root / "runs", "r", {}), io.StringIO(), "x"), home, root


def test_paths_of_this_machine_are_told_from_the_root_on(kept):
    keeper, home, root = kept
    said = {
        f"where: {root}/runs/chain.jsonl": "where: ./runs/chain.jsonl",
        f"where: {root}": "where: .",
        f"[{root}].": "[.].",
        f"PATH={root}/bin:{home}/bin": "PATH=./bin:~/bin",
        f"File \x1b[32m{home}/x.py\x1b[39m:3": "File \x1b[32m~/x.py\x1b[39m:3",
        f"<td>{home}</td>": "<td>~</td>",
        f"{root}-old {root}.bak": "~/awsfed-old ~/awsfed.bak",
        f"file://{root}/a": "file://./a",
        f"{sys.prefix}/lib/python3.11": "(python)/lib/python3.11",
        f"'{Path(where.__file__).parents[3]}/core'": "'(awsfed)/core'",
    }
    assert {text: keeper.clean(text) for text in said} == said


def test_what_only_looks_like_such_a_path_stays(kept):
    keeper, home, root = kept
    texts = [
        f"arn:aws:iam::012345678901:role{root}/Admin",
        f"https://host{root}/x",
        f"{home}y",
        f"a{home}/b",
    ]
    assert [keeper.clean(text) for text in texts] == texts


@pytest.mark.parametrize("place", ["/data", "/usr", "/"])
def test_short_root_is_no_reason_to_change_the_path_of_a_role(monkeypatch, place):
    """/data/ is the path of many an IAM role, and a table of roles is evidence."""
    monkeypatch.setattr(where, "root", lambda: Path(place))
    monkeypatch.setattr(sys, "prefix", "/usr")
    keeper = RecordKeeper(None, io.StringIO(), "x")
    for text in (f"{place}/", f"<td>{place}/</td>", "arn:aws:iam::012345678901:role/data/Admin", "https://x.example//usr/y", "/usr/"):
        assert keeper.clean(text) == text


def test_value_of_the_root_is_no_secret(kept, monkeypatch):
    """Neither of the root nor of any other folder, whatever its variable is called; an error that names it says where."""
    _, home, root = kept
    environment = {where.ROOT_VARIABLE: str(root), "CREDENTIALS_DIRECTORY": str(home), "PWD": str(root), "TOKEN_FOLDER": str(root)}
    assert held.of_environment(environment) == frozenset()
    monkeypatch.setenv(where.ROOT_VARIABLE, str(home / "elsewhere"))
    with pytest.raises(ParameterError) as refused:
        where.root()
    text = str(refused.value)
    assert str(home / "elsewhere") in text
    assert "removed]" not in RecordKeeper(None, io.StringIO(), "x", places={"/nowhere/else": "."}).clean(text)
