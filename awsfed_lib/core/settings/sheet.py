"""A notebook as the rules of `lint` see it: cells with ids, sources and tags, and the file that they stand in."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """What is wrong: the rule that was broken, the cell ("" for the whole notebook), and what to do."""

    rule: str
    cell: str
    message: str


class Cell(NamedTuple):
    """A cell as the rules see it; `tree` is None when its source is not Python."""

    id: str
    kind: str
    source: str
    tags: tuple[str, ...]
    raw: Mapping[str, Any]

    @property
    def tree(self) -> ast.Module | None:
        """The parsed source."""
        try:
            return ast.parse(self.source)
        except (SyntaxError, ValueError):
            return None

    @property
    def is_parameters(self) -> bool:
        """Whether papermill injects after it."""
        return "parameters" in self.tags


class Sheet(NamedTuple):
    """A notebook as the rules see it; `name` is its file name without the ending, `text` the whole file."""

    name: str
    text: str
    raw: Mapping[str, Any]
    cells: tuple[Cell, ...]

    @property
    def code(self) -> tuple[Cell, ...]:
        """The code cells."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def steps(self) -> tuple[Cell, ...]:
        """The code cells but for the parameters."""
        return tuple(cell for cell in self.code if not cell.is_parameters)

    @property
    def awsfed(self) -> Mapping[str, Any]:
        """What the notebook says of itself."""
        said = self.raw.get("metadata", {}).get("awsfed")
        return said if isinstance(said, dict) else {}


def read(name: str, text: str) -> Sheet:
    """Read a notebook from the text of its file; raises ValueError or KeyError when it is none."""
    raw = json.loads(text)
    return Sheet(name, text, raw, tuple(_cell(cell) for cell in raw["cells"]))


def _cell(raw: Mapping[str, Any]) -> Cell:
    source = raw["source"]
    joined = source if isinstance(source, str) else "".join(source)
    return Cell(str(raw.get("id", "")), raw["cell_type"], joined, tuple(raw.get("metadata", {}).get("tags", ())), raw)
