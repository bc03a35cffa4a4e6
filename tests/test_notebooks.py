"""The runbooks keep their rules, and each rule is seen to fail on a notebook that breaks it."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import notebook_linter as lint
import pytest

from awsfed_lib.core.settings.parameters import NAMES, described
from awsfed_lib.edges.records import runbooks

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MODEL = "04-approles"
Notebook = dict[str, Any]


def text_of(notebook: Notebook) -> str:
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def model() -> Notebook:
    made: Notebook = json.loads((ROOT / "notebooks" / f"{MODEL}.ipynb").read_text())
    return made


def cell(notebook: Notebook, name: str) -> dict[str, Any]:
    return next(one for one in notebook["cells"] if one["id"] == name)


def rules(notebook: Notebook, name: str = MODEL) -> set[str]:
    return {problem.rule for problem in lint.check(name, text_of(notebook))}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runbook_keeps_every_rule(path: Path) -> None:
    assert lint.check(path.stem, path.read_text(encoding="utf-8")) == []


def test_there_are_runbooks() -> None:
    assert len(NOTEBOOKS) >= 6
    assert (ROOT / "notebooks" / f"{MODEL}.ipynb") in NOTEBOOKS


def change(notebook: Notebook, name: str, old: str, new: str) -> None:
    """Replace text in a cell; it must be there."""
    one = cell(notebook, name)
    source = "".join(one["source"])
    assert old in source, (name, old)
    one["source"] = source.replace(old, new).splitlines(keepends=True)


def drop(name: str) -> Callable[[Notebook], None]:
    return lambda notebook: notebook["cells"].remove(cell(notebook, name))


def swap(name: str, old: str, new: str) -> Callable[[Notebook], None]:
    return lambda notebook: change(notebook, name, old, new)


def source(name: str, text: str) -> Callable[[Notebook], None]:
    return lambda notebook: cell(notebook, name).update(source=text.splitlines(keepends=True))


def put(where: str, key: str, value: Any) -> Callable[[Notebook], None]:
    """Set a key of the metadata ("") or of a cell."""
    return lambda notebook: (cell(notebook, where) if where else notebook["metadata"]).update({key: value})


def said(key: str, value: Any) -> Callable[[Notebook], None]:
    return lambda notebook: notebook["metadata"]["awsfed"].update({key: value})


BROKEN: list[tuple[str, str, Callable[[Notebook], Any]]] = [
    ("written as nbformat", "an older format", lambda notebook: notebook.update(nbformat_minor=4)),
    (
        "kernel of no machine",
        "a kernel of somebody",
        put("", "kernelspec", {"name": "conda-env-ops-py", "display_name": "x", "language": "python"}),
    ),
    ("kernel of no machine", "no kernel", put("", "kernelspec", {})),
    ("kernel of no machine", "a version", put("", "language_info", {"name": "python", "version": "3.11.7"})),
    ("nothing executed", "an output", put("plan", "outputs", [{"output_type": "stream", "name": "stdout", "text": "AKIA"}])),
    ("nothing executed", "a number", put("plan", "execution_count", 3)),
    ("nothing executed", "widgets", put("", "widgets", {})),
    ("nothing executed", "papermill", put("", "papermill", {})),
    ("nothing executed", "a cell's papermill", put("plan", "metadata", {"papermill": {}})),
    ("ids for people", "a random id", put("plan", "id", "3f2b1c9e")),
    ("ids for people", "the same id twice", put("plan", "id", "outcome")),
    ("ids for people", "capitals", put("plan", "id", "Plan_1")),
    ("ids for people", "no id", put("plan", "id", "")),
    ("says what it is", "no title", drop("title")),
    ("says what it is", "another title", swap("title", "# appRoles", "# AppRoles")),
    ("says what it is", "two titles", swap("about-plan", "## The plan", "# The plan")),
    *(("says what it is", f"no row {fact}", swap("title", f"| {fact} |", "| x |")) for fact in lint.FACTS),
    ("in the catalogue", "another name", said("runbook", "04-roles")),
    ("in the catalogue", "an unknown kind of change", said("changes", "everything")),
    ("in the catalogue", "nothing said of reading", said("reads", "")),
    ("in the catalogue", "a contradiction", said("writes", "nothing")),
    ("in the catalogue", "no entry", put("", "awsfed", None)),
    ("one parameters cell", "no tag: papermill injects on top, and the defaults win", put("parameters", "metadata", {})),
    ("one parameters cell", "two tags", put("plan", "metadata", {"tags": ["parameters"]})),
    ("one parameters cell", "code before it", lambda notebook: notebook["cells"].insert(1, copy.deepcopy(cell(notebook, "begin")))),
    ("parameters are declared", "no type", swap("parameters", "max_removed: int = 0", "max_removed = 0")),
    ("parameters are declared", "no help", swap("parameters", "  # Object ID of the enterprise application, from its Properties page", "")),
    ("parameters are declared", "an empty help", source("parameters", 'tenant_id: str = ""  #')),
    ("parameters are declared", "no literal", swap("parameters", 'via: str = "awsfed-audit"', 'via: str = "awsfed" + x')),
    ("parameters are declared", "a clock", source("parameters", "approved: str = str(datetime.now())  # when")),
    ("parameters are declared", "an unknown name", swap("parameters", "max_removed: int", "max_removd: int")),
    ("parameters are declared", "a blank line", source("parameters", 'tenant_id: str = ""  # Tenant\n\ncloud: str = "global"  # Cloud')),
    ("parameters are declared", "a comment that is a string", source("parameters", 'approved: str = "# no help"')),
    ("prose before code", "code after code", drop("about-plan")),
    ("prose before code", "prose without a heading", swap("about-plan", "## ", "")),
    ("prose before code", "nothing said of failing", swap("about-plan", "fails", "stops")),
    ("prose before code", "nothing said of changing", source("about-plan", "## The plan\n\nPlans. If it fails, run again.")),
    ("short cells without logic", "nine lines", source("plan", "\n".join(f"a{at} = 1" for at in range(8)) + "\nplan")),
    ("short cells without logic", "a function", source("plan", "def f():\n    return 1\n\n\nplan")),
    ("short cells without logic", "a class", source("plan", "class A:\n    pass\n\n\nplan")),
    ("short cells without logic", "a loop", source("plan", "for x in y:\n    x\nplan")),
    ("short cells without logic", "a comprehension", source("plan", "[x for x in y]\nplan")),
    ("short cells without logic", "a branch", source("plan", "if approved:\n    plan = 1\nplan")),
    ("short cells without logic", "a conditional", source("plan", "plan = 1 if approved else 2\nplan")),
    ("short cells without logic", "a try", source("plan", "try:\n    plan\nexcept KeyError:\n    plan = 1\nplan")),
    ("short cells without logic", "a lambda", source("plan", "plan = (lambda: 1)()\nplan")),
    ("short cells without logic", "a magic", source("plan", "%pip install x\nplan")),
    ("short cells without logic", "a shell", source("plan", "!aws iam list-roles\nplan")),
    ("short cells without logic", "a question", source("plan", 'answer = input("sure?")\nplan')),
    ("short cells without logic", "no Python", source("plan", "plan = (\nplan")),
    ("ends with what it shows", "an assignment", source("plan", "plan = 1")),
    ("ends with what it shows", "a call", source("plan", "show(plan)")),
    ("ends with what it shows", "a tuple", source("plan", "plan, outcome")),
    ("ends with what it shows", "nothing", source("plan", "")),
    ("begins and finishes", "another runbook's name", swap("begin", MODEL, "05-groups")),
    ("begins and finishes", "no begin", source("begin", "import awsfed_lib as fed\nfed.show(1)")),
    ("begins and finishes", "begin twice", swap("plan", "plan = ", 'run = fed.begin("04-approles", globals())\nplan = ')),
    ("begins and finishes", "no finish", drop("finish")),
    ("begins and finishes", "finish in the middle", swap("outcome", "outcome = ", "run.finish(outcome)\noutcome = ")),
    ("sends only what is approved", "an approval of its own", swap("outcome", "approved=approved", "approved=plan.id")),
    ("sends only what is approved", "no parameter for it", swap("parameters", "approved: str", "provider: str")),
    (
        "sends only what is approved",
        "an approval as the default",
        swap("parameters", 'approved: str = ""', 'approved: str = "plan-0123456789abcdef0123456789abcdef"'),
    ),
    ("sends only what is approved", "an apply in a runbook that changes nothing", said("changes", "nothing")),
    ("holds no secret", "a key in prose", swap("about-plan", "The plan", "The plan AKIA" + "IOSFODNN7ABCDEFG")),
    (
        "holds no secret",
        "a token in code",
        source("plan", 'token = "eyJhbGciOiJSUzI1NiJ9' + '.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"\nplan'),
    ),
]


@pytest.mark.parametrize(("rule", "why", "breaks"), BROKEN, ids=[f"{rule}: {why}" for rule, why, _ in BROKEN])
def test_rule_fails_on_a_notebook_that_breaks_it(rule: str, why: str, breaks: Callable[[Notebook], Any]) -> None:
    notebook = model()
    assert rules(notebook) == set()
    breaks(notebook)
    assert rule in rules(notebook), why


def test_every_rule_is_broken_by_some_notebook_above() -> None:
    names = {rule.__name__.replace("_", " ") for rule in lint.RULES}
    assert {rule for rule, _, _ in BROKEN} == names


def test_problem_names_its_cell_and_what_to_do() -> None:
    notebook = model()
    cell(notebook, "plan")["execution_count"] = 3
    assert lint.check(MODEL, text_of(notebook)) == [("nothing executed", "plan", "Clear its output and its number.")]


@pytest.mark.parametrize("written", [{"indent": 2}, {"indent": None}, {"ensure_ascii": True}, {"sort_keys": False}])
def test_another_way_of_writing_is_told(written: dict[str, Any]) -> None:
    notebook = model()
    notebook["metadata"] = dict(reversed(notebook["metadata"].items()))
    cell(notebook, "about-plan")["source"][0] += "…"
    options = {"indent": 1, "sort_keys": True, "ensure_ascii": False} | written
    found = lint.check(MODEL, json.dumps(notebook, **options) + "\n")
    assert "written as nbformat" in {problem.rule for problem in found}


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}', '{"cells": null}'])
def test_what_is_no_notebook_is_one_problem(text: str) -> None:
    assert [problem.rule for problem in lint.check("x", text)] == ["readable"]


def test_no_cells_at_all_are_problems_and_no_crash() -> None:
    assert {"says what it is", "one parameters cell", "begins and finishes"} <= rules(
        {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )


@pytest.mark.parametrize("book", runbooks.catalogue(ROOT / "notebooks"), ids=lambda book: book.id)
def test_types_and_defaults_are_those_of_the_parameters(book: runbooks.Runbook) -> None:
    kinds = {"list of text": "list[str]", "whole number": "int"}
    for declared in book.parameters:
        model_ = described(declared.name)
        assert declared.kind == kinds.get(model_.kind, "str"), declared.name
        assert type(declared.default) is {"list[str]": list, "int": int, "str": str}[declared.kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_declared_parameter_is_used(path: Path) -> None:
    """What the library takes from the run (who signs in, which accounts, guards) is used there, and the id of the
    application names the record; the rest stands in a cell.
    """
    by_run = {
        "application_id", "tenant_id", "cloud", "client_id", "sign_in", "partition", "via", "external_id", "accounts_file", "include_accounts",
        "exclude_accounts", "workers", "group_map", "max_removed", "protected_roles", "protected_groups", "break_glass", "fail_on",
        "account_id", "remover", "writer", "certificate", "certificate_thumbprint", "rollover", "canary_accounts", "campaign_exclusions", "wave_accounts",
        "soak_days", "window_days", "provider", "families_file", "names_file", "accepted_file", "endpoints", "failures_tolerated",
            "stack_regions", "entered_from", "trail_days", "trail_pages", "trail_regions", "trail_table", "trail_partitions",
    }  # fmt: skip
    cells = json.loads(path.read_text())["cells"]
    code = "\n".join("".join(one["source"]) for one in cells if one["cell_type"] == "code" and not one["metadata"].get("tags"))
    book = runbooks.read(path)
    assert book is not None
    assert set(book.names) <= set(NAMES)
    assert [name for name in book.names if name not in by_run and not re.search(rf"\b{name}\b", code)] == []
