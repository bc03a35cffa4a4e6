"""The catalogue: read from the notebooks as text, by number, word or id."""

import json

import pytest
from small_root import make

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.settings import parameters
from awsfed_lib.edges.records import runbooks, where


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(make(tmp_path)))
    return tmp_path


def test_catalogue_tells_what_each_runbook_is_for(root):
    books = runbooks.catalogue()
    assert [book.id for book in books] == sorted(book.id for book in books)
    plan = next(book for book in books if book.id == "20-plan")
    assert (plan.number, plan.word, plan.title, plan.changes) == ("20", "plan", "Plans and sends", "entra")
    assert plan.names == ("tenant_id", "cloud", "include_accounts", "workers", "approved")
    assert plan.defaults == {"tenant_id": "", "cloud": "global", "include_accounts": [], "workers": 4, "approved": ""}
    assert plan.parameters[0].help == "Directory (tenant) id"


@pytest.mark.parametrize("which", ["20", "plan", "20-plan", "20-plan.ipynb", "notebooks/20-plan.ipynb", "20-PLAN"])
def test_runbook_is_found_by_number_word_or_id(root, which):
    assert runbooks.find(which).id == "20-plan"


def test_number_may_lack_its_zero(root):
    (root / "notebooks/20-plan.ipynb").rename(root / "notebooks/04-plan.ipynb")
    path = root / "notebooks/04-plan.ipynb"
    path.write_text(path.read_text().replace('"20-plan"', '"04-plan"'))
    assert runbooks.find("4").id == "04-plan"


@pytest.mark.parametrize(
    ("which", "words"), [("plam", "Did you mean plan"), ("99", "no runbook '99'"), ("", "no runbook"), ("../20", "20-plan")]
)
def test_runbook_that_is_not_there(root, which, words):
    if which == "../20":
        assert runbooks.find(which).id == words  # only the name counts, never the folder
        return
    with pytest.raises(ParameterError, match=words):
        runbooks.find(which)


def test_word_that_names_two(root):
    text = (root / "notebooks/20-plan.ipynb").read_text()
    (root / "notebooks/30-plan.ipynb").write_text(text.replace('"20-plan"', '"30-plan"'))
    with pytest.raises(ParameterError, match="names 2 runbooks: 20-plan, 30-plan"):
        runbooks.find("plan")


def test_notebook_that_is_no_runbook_is_passed_over(root):
    (root / "notebooks/notes.ipynb").write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert "notes" not in [book.id for book in runbooks.catalogue()]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-30], "cannot be read"),
        (lambda text: text.replace('"20-plan"', '"21-plan"'), "must be its file name"),
        (lambda text: text.replace('"changes": "entra"', '"changes": "everything"'), "changes must be one of"),
        (lambda text: text.replace('"parameters"\n', '"parameter"\n'), "0 cells with the tag"),
        (lambda text: text.replace("workers: int = 4", "workers: int = min(4, 5)"), "nothing but"),
        (lambda text: text.replace("workers: int = 4", "import os"), "nothing but"),
        (lambda text: text.replace("workers: int = 4", "workers: int"), "nothing but"),
        (lambda text: text.replace("workers: int = 4", "workers = = 4"), "nothing but"),
        (lambda text: text.replace("workers: int = 4", "%time x = 4"), "nothing but"),
    ],
)
def test_broken_notebook_is_refused(root, damage, words):
    """Of 119 notebooks of a large shelf only 16 carried the tag, and papermill then injects on top, under the defaults."""
    path = root / "notebooks/20-plan.ipynb"
    path.write_text(damage(path.read_text()))
    with pytest.raises(ParameterError, match=words):
        runbooks.read(path)


def test_optional_parameters_are_not_needed(root):
    path = root / "notebooks/20-plan.ipynb"
    path.write_text(path.read_text().replace('"changes": "entra"', '"changes": "entra", "optional": ["tenant_id"]'))
    assert "tenant_id" not in runbooks.read(path).needed


def test_our_own_runbooks_declare_known_parameters_only():
    for book in runbooks.catalogue(where.Path(__file__).parents[1] / "notebooks"):
        assert set(book.names) <= set(parameters.NAMES)
