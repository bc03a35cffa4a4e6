"""A record as one page that opens anywhere: no script, nothing loaded, readable on a phone and on paper.

nbconvert's own templates load scripts from four hosts; ours has none, and a Content-Security-Policy that lets the page
use its one style sheet and pictures inside the file, and nothing else. What an executed notebook holds is not trusted:
see `output_page` and `sanitizer`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.view import catalogue_page, record_page
from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.prose import headed, heading
from awsfed_lib.core.view.style import STYLE
from awsfed_lib.edges.records import durable
from awsfed_lib.edges.records.output_page import output_html, text_of
from awsfed_lib.edges.records.sanitizer import sanitizer

RUN = "run.json"
PARAMETERS = frozenset({"parameters", "injected-parameters"})
_ANCHOR = re.compile(r"[^A-Za-z0-9_-]")


def write_html(notebook_path: Path, html_path: Path, *, title: str) -> Path:
    """Write the executed notebook as one page, with the head that run.json beside it gives; return its path.

    Raises RecordError when the notebook cannot be read or the page is there already: a record is never overwritten.
    """
    return _write(html_path, page(_read(notebook_path), _run_beside(notebook_path), title))


def write_index(html_path: Path, runs: Mapping[str, Mapping[str, Any]], *, title: str = "Records") -> Path:
    """Write the list of records (folder name to run.json) as one page; this page is made anew each time."""
    durable.replace(html_path, index_html(runs, title=title).encode("utf-8", "backslashreplace"))
    return html_path


def index_html(runs: Mapping[str, Mapping[str, Any]], *, title: str = "Records") -> str:
    """Draw the list of records, the newest first."""
    return _page(title, catalogue_page.index(runs, title), "".join(one.style for one in catalogue_page.filters(runs)))


def write_page(html_path: Path, title: str, body: str) -> Path:
    """Write a page of ours that is no notebook: `body` is HTML that was made by our views."""
    durable.write_new(html_path, _page(title, body).encode("utf-8", "backslashreplace"))
    return html_path


def _page(title: str, body: str, more_style: str = "") -> str:
    style = _style() + more_style
    meta = "".join(
        f"<meta {attributes}>"
        for attributes in ('charset="utf-8"', _policy_meta(style), 'name="viewport" content="width=device-width, initial-scale=1"')
    )
    head = f"<head>{meta}<title>{escaped(title)}</title><style>{style}</style></head>"
    return f'<!DOCTYPE html>\n<html lang="en">{head}<body>{body}</body></html>\n'


def page(notebook: Any, run: Mapping[str, Any], title: str) -> str:
    """Draw an executed notebook (nbformat 4) as one page."""
    from awsfed_lib.edges.records.page_exporter import PageExporter

    style, sanitized = _style(), sanitizer()
    parts = {
        "title": escaped(title),
        "style": style,
        "policy": _policy(style),
        "header": record_page.head(run, title, _stopped_at(notebook), places=list(_places(notebook))),
        "footer": record_page.foot(run),
    }
    exporter = PageExporter(  # type: ignore[no-untyped-call]
        template_name="record",
        extra_template_basedirs=[str(files("awsfed_lib") / "templates")],
        exclude_anchor_links=True,
        filters={
            "sanitized": sanitized,
            "output_html": partial(output_html, sanitized=sanitized),
            "untitled": partial(_untitled, title=title),
            "headed": headed,
            "anchor": _anchor,
            "unfolded": _unfolded,
            "label": _label,
            "source": _source,
        },
    )
    body, _ = exporter.from_notebook_node(notebook, resources={"awsfed": parts})
    return str(body)


def _read(notebook_path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(notebook_path, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise RecordError(f"The executed notebook cannot be read: {error}", where=str(notebook_path)) from error


def _run_beside(notebook_path: Path) -> Mapping[str, Any]:
    try:
        run = json.loads((notebook_path.parent / RUN).read_bytes())
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}


def _write(html_path: Path, text: str) -> Path:
    durable.write_new(html_path, text.encode("utf-8", "backslashreplace"))
    return html_path


def _style() -> str:
    return "\n" + (files("awsfed_lib") / "templates" / "record" / "page.css").read_text(encoding="utf-8") + STYLE


def _policy(style: str) -> str:
    """Allow the page's own style sheet, by its digest, and pictures inside the file; nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _policy_meta(style: str) -> str:
    return f'http-equiv="Content-Security-Policy" content="{_policy(style)}"'


def _stopped_at(notebook: Any) -> str:
    failed = (cell for cell in notebook.cells if any(output.get("output_type") == "error" for output in cell.get("outputs", [])))
    return next((_ANCHOR.sub("-", str(cell.get("id", ""))) for cell in failed), "")


def _untitled(source: str, title: str) -> str:
    """Leave out a heading that the head of the page has already."""
    return source.removeprefix(f"# {title}\n")


def _anchor(cell: Any) -> str:
    return "cell-" + _ANCHOR.sub("-", str(cell.get("id", "")))


def _places(notebook: Any) -> Iterator[record_page.Place]:
    """Find the parts of the page: what its prose heads, at the level below the title."""
    for cell in notebook.cells:
        found = heading(str(cell.source)) if cell.cell_type == "markdown" else ""
        if found:
            yield record_page.Place(_anchor(cell), found)


def _unfolded(cell: Any) -> str:
    """Unfold the source, unless it only gives parameters: those stand at the top of the page."""
    return "" if PARAMETERS.intersection(cell.get("metadata", {}).get("tags", [])) else ' open=""'


def _label(cell: Any) -> str:
    """Name the cell; say when it was not executed, which is what an auditor must see."""
    tags = cell.get("metadata", {}).get("tags", [])
    name = "parameters of this run" if "injected-parameters" in tags else str(cell.get("id", "code"))
    return escaped(visible(name, 80) + ("" if cell.get("execution_count") else " (not executed)"))


def _source(cell: Any) -> str:
    return text_of(cell.get("source", ""))
