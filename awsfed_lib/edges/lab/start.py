"""The start page of JupyterLab: a notebook of one cell below runs/, which lists the runbooks and how each came out last."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.view.display import View
from awsfed_lib.core.view.start_view import Entry, start_view
from awsfed_lib.edges.lab.filled import VARIABLE
from awsfed_lib.edges.records import durable, runbooks, where
from awsfed_lib.edges.records.record import RUN, Record
from awsfed_lib.edges.records.runbooks import Runbook

FILE = "start.ipynb"
INTRODUCTION = """# awsfed

Open a runbook, run all its cells (*Run ▸ Run All Cells*), and read the plan. Nothing is sent before its id is approved: type it
below the plan, or into the parameters cell. Every run leaves a record; the last ones stand below. Run the next cell to read them again:
it changes nothing, and if it fails, `awsfed list` says the same.
"""
CELL = "import awsfed_lib as fed\n\nfed.start()"


def start() -> View:
    """Return the table of runbooks: purpose, what each reads and changes, and its last run with its verdict."""
    return _page(os.environ.get(VARIABLE, ""))


def _page(file: str) -> View:
    about = f"What a notebook lacks is taken from the parameter file {file}." if file else "Parameters are typed into each notebook."
    return start_view([_entry(book) for book in runbooks.catalogue()], about)


def _entry(book: Runbook) -> Entry:
    """Find the newest record of a runbook by the name of its folder, which begins with its time; no other is opened."""
    last = max(where.runs().glob(f"*-{book.id}-*/{RUN}"), default=None)
    folder = last.parent if last else None
    return Entry(book.id, book.title, book.reads, book.changes, folder.name if folder else "", _said(folder))


def _said(folder: Path | None) -> dict[str, Any]:
    try:
        return Record(folder).run() if folder else {}
    except AwsfedError:
        return {}


def write(file: str = "") -> Path:
    """Write the notebook anew, with what its cell shows now, and trust it, so that it reads before a kernel has started.

    `file`: the parameter file that the notebooks of this JupyterLab are given.
    """
    output = {"output_type": "execute_result", "data": _page(file)._repr_mimebundle_(), "metadata": {}, "execution_count": 1}
    code = {"cell_type": "code", "id": "start", "source": CELL, "execution_count": 1, "outputs": [output], "metadata": {}}
    prose = {"cell_type": "markdown", "id": "about", "source": INTRODUCTION, "metadata": {}}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"cells": [prose, code], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path = durable.folder(where.runs()) / FILE
    durable.replace(path, json.dumps(notebook, indent=1).encode())
    _trust(path)
    return path


def _trust(path: Path) -> None:
    """Sign it for this user: JupyterLab takes the style sheet out of outputs that it does not know."""
    from nbformat import read, sign

    sign.NotebookNotary().sign(read(path, as_version=4))  # type: ignore[no-untyped-call]  # nbformat types only a part of itself
