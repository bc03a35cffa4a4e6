"""The catalogue of runbooks: what each notebook is for, what it reads and changes, and which parameters it declares.

Read from the notebooks themselves, as text: nothing is executed, and nothing of Jupyter is imported.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review import graph_calls
from awsfed_lib.core.review.graph_calls import Calls
from awsfed_lib.edges.entra import permissions
from awsfed_lib.edges.records import where

CHANGES = ("nothing", "entra", "aws", "entra and aws")
TAG = "parameters"
_ID = re.compile(r"([0-9]{2})-([a-z0-9-]+)", re.ASCII)


class Declared(NamedTuple):
    """A parameter as the tagged cell of a notebook declares it: name, annotation, default, and the comment as help."""

    name: str
    kind: str
    default: Any
    help: str


@dataclass(frozen=True)
class Runbook:
    """One notebook of the catalogue. `changes` is one of CHANGES; `optional`: parameters that may stay empty; `graph`: its calls."""

    id: str
    title: str
    changes: str
    reads: str
    writes: str
    parameters: tuple[Declared, ...]
    optional: tuple[str, ...]
    path: Path
    graph: Calls

    @property
    def number(self) -> str:
        """The two digits that give the order."""
        return self.id.partition("-")[0]

    @property
    def word(self) -> str:
        """The term of the field that names it."""
        return self.id.partition("-")[2]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its parameters, in the order of the cell."""
        return tuple(declared.name for declared in self.parameters)

    @property
    def needed(self) -> tuple[str, ...]:
        """Its parameters that must have a value if they mean nothing without one."""
        return tuple(name for name in self.names if name not in self.optional)

    @property
    def defaults(self) -> dict[str, Any]:
        """The defaults of the tagged cell, by name."""
        return {declared.name: declared.default for declared in self.parameters}


def catalogue(folder: Path | None = None) -> list[Runbook]:
    """Read all runbooks of `folder` (by default ROOT/notebooks), in order of their ids.

    Raises ParameterError for a notebook that cannot be read; notebooks that are no runbooks are passed over.
    """
    paths = sorted((folder or where.notebooks()).glob("*.ipynb"))
    return [runbook for path in paths if (runbook := read(path)) is not None]


def find(which: str, folder: Path | None = None) -> Runbook:
    """Find the runbook by number (4, 04), word (approles), id (04-approles) or file name.

    Raises ParameterError when there is none, or more than one.
    """
    runbooks = catalogue(folder)
    asked = Path(which).name.removesuffix(".ipynb").lower()
    found = [
        book for book in runbooks if asked in (book.id, book.word, book.number) or (asked.isdecimal() and asked.zfill(2) == book.number)
    ]
    if len(found) == 1:
        return found[0]
    from awsfed_lib.core.settings.parameters import suggestion

    hint = suggestion(asked, [name for book in runbooks for name in (book.id, book.word)])
    raise ParameterError(
        f"{which} names {len(found)} runbooks: {_listed(found)}." if found else f"There is no runbook {which!r}.{hint}",
        remedy=f"Runbooks are {_listed(runbooks)}." if runbooks else f"There are no notebooks in {folder or where.notebooks()}.",
    )


def _listed(runbooks: Iterable[Runbook]) -> str:
    return ", ".join(book.id for book in runbooks)


def read(path: Path) -> Runbook | None:
    """Read one notebook; None when it does not call itself a runbook. Raises ParameterError when it is broken."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        said = notebook["metadata"].get("awsfed")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(
            f"The notebook cannot be read ({type(error).__name__}).", where=str(path), remedy="Restore it from git."
        ) from None
    return _runbook(path, said, notebook["cells"]) if isinstance(said, dict) else None


def _runbook(path: Path, said: Mapping[str, Any], cells: list[dict[str, Any]]) -> Runbook:
    name = str(said.get("runbook", ""))
    if not _ID.fullmatch(name) or name != path.stem:
        raise ParameterError("The notebook's metadata.awsfed.runbook must be its file name, such as 04-approles.", where=str(path))
    changes = str(said.get("changes", ""))
    if changes not in CHANGES:
        raise ParameterError(f"The notebook's metadata.awsfed.changes must be one of {', '.join(CHANGES)}.", where=str(path))
    return Runbook(
        id=name,
        title=str(said.get("title", name)),
        changes=changes,
        reads=str(said.get("reads", "")),
        writes=str(said.get("writes", "")),
        parameters=tuple(declared(_parameters_cell(path, cells), str(path))),
        optional=tuple(said.get("optional", ())),
        path=path,
        graph=graph_calls.declared(permissions.known(), said.get("graph", {}), str(path)),
    )


def _parameters_cell(path: Path, cells: list[dict[str, Any]]) -> str:
    """Return the source of the one tagged cell: papermill puts what it injects right behind it, and on top when there is none."""
    tagged = [cell for cell in cells if cell["cell_type"] == "code" and TAG in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(f"The notebook has {len(tagged)} cells with the tag parameters, and needs one.", where=str(path))
    source = tagged[0]["source"]
    return source if isinstance(source, str) else "".join(source)


def declared(source: str, where_: str = "") -> list[Declared]:
    """Read the parameters of a tagged cell: assignments of literals, each with a comment as its help.

    Raises ParameterError for anything else in the cell, since papermill could not override it.
    """
    lines = source.splitlines()
    try:
        return [_declared(node, lines) for node in ast.parse(source).body]
    except (SyntaxError, ValueError, TypeError, RecursionError) as error:
        raise ParameterError(f"The parameters cell must hold nothing but `name: type = literal  # help`: {error}.", where=where_) from None


def _declared(node: ast.stmt, lines: list[str]) -> Declared:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        name, kind, value = node.target.id, ast.unparse(node.annotation), node.value
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name, kind, value = node.targets[0].id, "", node.value
    else:
        raise ValueError(f"line {node.lineno} is no assignment")
    last = lines[(node.end_lineno or node.lineno) - 1]
    comment = last.encode()[node.end_col_offset or 0 :].decode().strip()
    return Declared(name, kind, ast.literal_eval(value), comment.lstrip("# ").strip())
