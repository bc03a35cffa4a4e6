"""docs/proof.md names a test for every fault and every invariant, and every test that it names is there."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/proof.md"
LABELS = [*(f"F{number}" for number in range(1, 29)), *(f"I{number}" for number in range(1, 32)), "I4b"]
NOT_HELD = "not held:"
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| ([FI]\d+b?) \| (.+?) \| (.+) \|$", re.MULTILINE)


def rows():
    return {label: (words, tests) for label, words, tests in ROW.findall(PAGE.read_text(encoding="utf-8"))}


@cache
def names_in(path):
    """Functions and classes of a test module, read from its syntax tree: nothing is imported."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_label_has_one_row_in_words():
    found = [label for label, _, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))]
    assert sorted(found) == sorted(LABELS)
    assert all(len(words.split()) > 3 for words, _ in rows().values())


@pytest.mark.parametrize("label", LABELS)
def test_what_the_page_names_is_there(label):
    """A row without a test says why, and says it of something that cannot be held here."""
    _, tests = rows()[label]
    named = REFERENCE.findall(tests)
    assert named or tests.startswith(NOT_HELD)
    for path, name in named:
        assert name in names_in(path), f"{path} has no {name}"
        assert name.startswith(("test_", "Test")) or name[0].isupper()


def test_hardly_anything_is_not_held():
    assert [label for label, (_, tests) in rows().items() if tests.startswith(NOT_HELD)] == []


def test_every_reference_outside_of_the_table_is_there_too():
    for path, name in REFERENCE.findall(PAGE.read_text(encoding="utf-8")):
        assert name in names_in(path)


def test_every_planted_bug_names_tests_and_code_that_are_there():
    """Each is planted in one place, wherever the function has moved to; planting them all takes minutes (`make planted`)."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from planted_bugs import listed, planted
    finally:
        sys.path.remove(str(ROOT / "tools"))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "awsfed_lib").rglob("*.py")]
    for bug in listed():
        named = [source for source in sources if bug.function.rpartition(".")[2] in source]
        assert sum(planted(source, bug)[0] for source in named) == 1, f"{bug.name}: its code is not once in {bug.function}"
        for path, _, name in (test.partition("::") for test in bug.tests):
            assert not name or name.partition("[")[0] in names_in(path), f"{path} has no {name}"
    figure = re.search(r"(\d+) planted bugs", PAGE.read_text(encoding="utf-8"))
    assert figure
    assert int(figure[1]) == len(listed())
