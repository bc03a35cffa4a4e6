"""The start page: every runbook with its purpose, what it reads and changes, and how it came out last, as links that work in JupyterLab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.markup import View, chip, listed, output, quiet
from awsfed_lib.core.view.notice_view import CHANGES
from awsfed_lib.core.view.record_page import UNFINISHED, verdict_chip, when

HEADS = ("runbook", "what for", "reads", "changes", "last run (UTC)")
PAGE = "record.html"


class Entry(NamedTuple):
    """One runbook, and its last run: the name of its folder and its run.json, "" and {} for none."""

    id: str
    title: str
    reads: str
    changes: str
    folder: str
    run: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """How its last run came out."""
        return str(self.run.get("verdict") or UNFINISHED) if self.folder else ""

    @property
    def moment(self) -> str:
        """When its last run began."""
        return when(self.run.get("started")).removesuffix(" UTC") or self.folder


def start_view(entries: Sequence[Entry], about: str) -> View:
    """Draw the table of runbooks, as cards where JupyterLab leaves it little room. `about`: what they are run on.

    Links are relative to the folder of the records.
    """
    table = listed("runbooks", HEADS, "".join(map(_row, entries)))
    lines = [f"  {entry.id:<16}  {entry.changes:<13}  {_last_text(entry):<32}  {visible(entry.title)}" for entry in entries]
    return View("\n".join([visible(about), *lines]), output(f'{quiet(about)}<div class="awsfed-fitting">{table}</div>'))


def _row(entry: Entry) -> str:
    sign, word, tone = CHANGES[entry.changes]
    link = f'<a href="../notebooks/{quote(entry.id)}.ipynb">{escaped(entry.id)}</a>'
    what, reads = (
        f'<td class="awsfed-middle">{escaped(entry.title)}</td>',
        f'<td class="awsfed-middle" data-name="reads:">{escaped(entry.reads)}</td>',
    )
    ends = f'<td>{chip(sign, word, tone)}</td><td data-name="last run:">{_last(entry)}</td>'
    return f'<tr><th scope="row" class="awsfed-short">{link}</th>{what}{reads}{ends}</tr>'


def _last(entry: Entry) -> str:
    if not entry.folder:
        return escaped("never")
    page = PAGE if PAGE in entry.run.get("files", {}) else "run.json"
    return f'{verdict_chip(entry.run)} <a class="awsfed-moment" href="{quote(entry.folder)}/{page}">{escaped(entry.moment)}</a>'


def _last_text(entry: Entry) -> str:
    return f"{entry.verdict}, {visible(entry.moment)}" if entry.folder else "never"
