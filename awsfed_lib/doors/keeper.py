"""Keeps the notebook of a run in its record while it runs, and tells how far it is."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from awsfed_lib.core.view.escape import visible_lines
from awsfed_lib.edges.records import durable, held, where
from awsfed_lib.edges.records.outlet import Cleaner
from awsfed_lib.edges.records.record import Record

PARTIAL, NOTEBOOK = "record.partial.ipynb", "record.ipynb"

SHORT_PLACE = 2  # parts, of which the first is the slash
# A place is a path from its beginning (after a colour of the terminal too) to the end of a part: never the middle of an ARN or address.
_BEFORE = r"(?:(?<![\w./~-])|(?<=[0-9]m)|(?<=file://))"
_BEHIND = r"(?![\w-])(?!\.\w)"


def _places() -> dict[str, str]:
    """List the folders whose names tell about this machine or its user, longest first, and what is written for them.

    A folder like /data tells nothing, and may well be the path of an IAM role.
    """
    home = os.path.expanduser("~")  # noqa: PTH111  Path.home() raises where there is none
    found = {home: "~", sys.prefix: "(python)", str(Path(__file__).parents[2]): "(awsfed)", str(where.root()): "."}
    return {place: found[place] for place in sorted(found, key=len, reverse=True) if len(Path(place).parts) > SHORT_PLACE}


@dataclass
class RecordKeeper:
    """Keeps the notebook of a run in its record while it runs, and tells how far it is."""

    record: Record
    out: TextIO
    label: str
    notebook: Any = None
    places: Mapping[str, str] = field(default_factory=_places)
    secrets: frozenset[str] = field(default_factory=lambda: held.of_environment(os.environ), repr=False)

    def __post_init__(self) -> None:
        self._cleaner = Cleaner(lambda: self.secrets)
        self._place = re.compile(_BEFORE + f"({'|'.join(map(re.escape, self.places))})" + _BEHIND)

    def hold(self, secrets: list[str]) -> None:
        """Look for these secrets too, in outputs and in the record; they are the kernel's own."""
        self.secrets |= frozenset(secrets)

    def started(self, notebook: Any, index: int) -> None:
        """Tell which step begins: the number of the code cell, and the heading above it."""
        steps = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        if index in steps:
            self.line(f"{steps.index(index) + 1}/{len(steps)}  {_heading(notebook, index)}".rstrip())

    def clean(self, text: str) -> str:
        """Return `text` without secrets, and without the places of this machine."""
        cleaned = self._cleaner.text(text)
        if any(place in cleaned for place in self.places):
            cleaned = self._place.sub(lambda found: self.places[found[1]], cleaned)
        return cleaned

    def save(self, notebook: Any) -> None:
        """Write the notebook beside its final place, whole; in one line, since it is written twice a cell."""
        self.notebook = notebook
        durable.replace(self.record.folder / PARTIAL, json.dumps(notebook).encode())

    def write(self, text: str) -> None:
        """Pass on what the notebook writes to its standard streams."""
        self.out.write(visible_lines(self.clean(text)))

    def flush(self) -> None:
        """Pass on at once."""
        self.out.flush()

    def line(self, text: str) -> None:
        """Tell one line."""
        print(f"{self.label}  {text}", file=self.out, flush=True)

    def finish(self) -> None:
        """Put the notebook in its place; without one (the kernel never started) there is nothing to put."""
        if self.notebook is not None:
            durable.write_new(self.record.folder / NOTEBOOK, _written(self.notebook))
            (self.record.folder / PARTIAL).unlink(missing_ok=True)


def _heading(notebook: Any, index: int) -> str:
    lines = [line for cell in notebook.cells[:index] if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return next((line.lstrip("# ").strip() for line in reversed(lines) if line.startswith("#")), "")


def _written(notebook: Any) -> bytes:
    import nbformat

    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]  # nbformat types only a part of itself
    return f"{text}\n".encode("utf-8", "backslashreplace")
