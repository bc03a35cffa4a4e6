"""The page of a batch: its verdict, and a row for every target, the worst first; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from awsfed_lib.core.settings.verdict import WORST_FIRST
from awsfed_lib.core.view.escape import escaped
from awsfed_lib.core.view.markup import duration, listed
from awsfed_lib.core.view.record_page import foot, head, verdict_chip

HEADS = ("target", "verdict", "what came out", "took")


def batch_page(run: Mapping[str, Any], ended: Sequence[Mapping[str, Any]]) -> str:
    """Draw a batch. `ended`: file, verdict, run, problem, came_out, read, seconds of every target."""
    ordered = sorted(ended, key=lambda each: (WORST_FIRST.index(each["verdict"]), each["file"]))
    table = listed("targets, the worst first", HEADS, "".join(map(_row, ordered)))
    return f'{head(run, str(run.get("title", "")))}<main id="content"><div class="awsfed">{table}</div></main>{foot(run)}'


def _row(each: Mapping[str, Any]) -> str:
    name = escaped(each["file"])
    page = escaped(f"../{quote(each['run'], safe='')}/record.html")
    link = f'<a href="{page}">{name}</a>' if each["run"] else name
    said = "; ".join(filter(None, (" ".join(each["problem"].split()).rstrip("."), each["came_out"]))) or "nothing to report"
    cells = [verdict_chip({"verdict": each["verdict"], "coverage": {"whole": not each["read"], "said": each["read"]}}), escaped(said)]
    lasted = f'<td data-name="took">{escaped(duration(each["seconds"]))}</td>'
    return f'<tr><th scope="row">{link}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}{lasted}</tr>'
