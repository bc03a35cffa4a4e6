"""The README is true: its runbooks, commands, exit codes and names are those of the code."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from awsfed_lib.__main__ import main
from awsfed_lib.core.settings import verdict
from awsfed_lib.edges.records import runbooks

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()


def test_it_is_short():
    assert len(TEXT.splitlines()) < 150


def test_every_runbook_has_its_row_and_every_row_its_runbook():
    rows = dict(re.findall(r"^\| `(\d\d-[a-z]+)` \| [^|]* \| ([^|]*) \|", TEXT, re.MULTILINE))
    books = {book.id: book for book in runbooks.catalogue(ROOT / "notebooks")}
    assert set(rows) == set(books)
    assert {name for name, book in books.items() if book.changes == "nothing"} == {name for name, says in rows.items() if says == "nothing"}


def test_exit_codes_are_those_of_the_verdicts():
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert codes == set(verdict.CODES.values()) | {2}


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?:^\$ |`)awsfed (\w+)", TEXT, re.MULTILINE))))
def test_every_command_is_there(command):
    assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


def test_make_targets_are_there():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"make ((?:[a-z]+ ?)+)", " ".join(re.findall(r"`[^`]+`|^\$ .*$", TEXT, re.MULTILINE)))
    assert {word for words in named for word in words.split()} <= targets


def test_every_parameter_of_a_runbook_is_explained():
    for book in runbooks.catalogue(ROOT / "notebooks"):
        assert all(parameter.help and parameter.kind for parameter in book.parameters), book.id
