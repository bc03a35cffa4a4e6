"""What a live notebook is given before its parameters are checked: the values of a parameter file, and a typed approval.

`awsfed lab -f FILE` names the file, and a person need not copy it into fifteen notebooks. What is typed into a parameters
cell wins over the file, and headless runs never look at it: they are given theirs from outside.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.edges.lab import approving
from awsfed_lib.edges.records import opening, parameter_file
from awsfed_lib.edges.records.opening import FOLDER_VARIABLE
from awsfed_lib.edges.records.parameter_file import ParameterFile
from awsfed_lib.edges.records.progress import headless
from awsfed_lib.edges.records.runbooks import Runbook

VARIABLE = "AWSFED_PARAMETER_FILE"
NAMES_OF_ROLES = {"via": "awsfed-audit", "writer": "awsfed-writer", "remover": "awsfed-remover", "provider": "WAAD"}
"""What notebooks come with, beside the defaults of the model. Their own cells do not tell: what is typed there is saved there."""


@dataclass(frozen=True)
class Filled:
    """Where values came from: the parameter file, None for none, and the id that was typed to approve a plan, "" for none."""

    file: ParameterFile | None = None
    approved: str = ""

    @property
    def noted(self) -> dict[str, object]:
        """What the record says of the file."""
        return {"parameter_file": {"name": self.file.name, "sha256": self.file.sha256}} if self.file else {}


def fill(book: Runbook, names: MutableMapping[str, object]) -> Filled:
    """Put into the names of a live notebook what it is given; elsewhere there is nothing to do.

    Raises ParameterError that lists everything wrong with the file.
    """
    if headless() or os.environ.get(FOLDER_VARIABLE):
        return Filled()
    approved = approving.taken() if "approved" in book.names and not names.get("approved") else ""
    file = named_file(os.environ)
    if file:
        names.update(_values(book, names, file))
    if approved:
        names["approved"] = approved
    return Filled(file, approved)


def named_file(environment: Mapping[str, str]) -> ParameterFile | None:
    """Read the parameter file that the environment names, None when it names none."""
    named = environment.get(VARIABLE, "")
    return parameter_file.load(parameter_file.found(named)) if named else None


def _values(book: Runbook, names: Mapping[str, object], file: ParameterFile) -> dict[str, object]:
    """Return the values of the file for parameters that nobody typed: those that still have the value that they come with."""
    come_with = parameters.plain(Parameters.model_validate({})) | NAMES_OF_ROLES
    typed = {name: names[name] for name in book.names if name in names and names[name] != come_with[name]}
    lines = {name: line for name, line in file.source.lines.items() if name not in typed}
    name = f"{file.source.name} and the parameters cell" if typed else file.source.name
    source = file.source._replace(name=name, lines=lines)
    checked = opening.check(book, {**book.defaults, **file.values, **typed}, source=source)
    plain = parameters.plain(checked)
    return {name: plain[name] for name in book.names if name in file.values and name not in typed}
