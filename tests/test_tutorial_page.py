"""docs/tutorial.md maps every step of Microsoft's tutorial to a runbook and a cell: both exist, and no step is left out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
# The numbered lists of the tutorial (entra saas-apps/aws-multi-accounts-tutorial): how many steps, and which have lettered ones.
LISTS: dict[str, tuple[int, dict[int, int]]] = {
    "gallery": (7, {}),
    "sso": (7, {6: 7}),
    "aws": (24, {5: 4, 8: 4, 10: 3, 11: 4, 20: 10}),
    "test": (4, {}),
}
UNNUMBERED = {"note", "needs", "link"}


class Asked(NamedTuple):
    """One row of the page."""

    step: str
    words: str
    runbook: str
    cell: str


def rows(text: str) -> list[Asked]:
    lines = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| "))
    cells = ([cell.strip() for cell in line] for line in lines)
    return [Asked(*line) for line in cells if line[0] != "Step"]


def headings(runbook: str) -> set[str]:
    cells = json.loads((ROOT / "notebooks" / f"{runbook}.ipynb").read_text())["cells"]
    first = ("".join(cell["source"]).partition("\n")[0] for cell in cells if cell["cell_type"] == "markdown")
    return {line.removeprefix("## ") for line in first if line.startswith("## ")}


def expected() -> Iterator[str]:
    """Every step of the numbered lists; one with lettered steps counts by these."""
    for name, (count, lettered) in LISTS.items():
        for number in range(1, count + 1):
            letters = ascii_lowercase[: lettered.get(number, 0)]
            yield from (f"{name} {number}{letter}" for letter in letters) if letters else (f"{name} {number}",)


def left_out(asked: list[Asked]) -> set[str]:
    return set(expected()) - {one.step for one in asked}


ASKED = rows(PAGE.read_text())


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.step}: {asked.words}")
def test_every_step_names_a_cell_that_exists(asked: Asked) -> None:
    assert asked.cell in headings(asked.runbook)
    assert asked.words


def test_no_step_of_the_tutorial_is_left_out() -> None:
    assert left_out(ASKED) == set()
    parents = {re.sub(r"[a-z]$", "", step) for step in expected()}
    assert {one.step for one in ASKED} <= {*expected(), *parents, *UNNUMBERED}


def test_steps_stand_in_the_order_of_the_tutorial() -> None:
    order = {step: place for place, step in enumerate(expected())}
    places = [order[one.step] for one in ASKED if one.step in order]
    assert places == sorted(places)


def test_no_row_stands_twice() -> None:
    assert len({(one.step, one.words) for one in ASKED}) == len(ASKED)


def test_a_step_that_is_taken_out_is_missed() -> None:
    """The check can fail: without its row, a step is named."""
    assert left_out([one for one in ASKED if one.step != "aws 20g"]) == {"aws 20g"}


def test_runbooks_of_the_tutorial_are_all_in_it() -> None:
    chain = {path.stem for path in (ROOT / "notebooks").glob("0[0-8]-*.ipynb")}
    assert {one.runbook for one in ASKED} >= chain
