"""The page that lists records, with filters that need no script; pure, from what each run.json says.

A filter is a row of radio buttons: the style sheet hides the rows that the chosen one does not mean (`:has()`, Selectors
Level 4), and counts the others (a CSS counter counts what is drawn). Classes are numbered, so that no word of a record ever
stands in the style sheet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from awsfed_lib.core.view.escape import escaped
from awsfed_lib.core.view.markup import listed
from awsfed_lib.core.view.record_page import UNFINISHED, came_out, skip, took, verdict_chip, when

PAGE = "record.html"
HEADS = ("started (UTC)", "runbook", "verdict", "what came out", "took")
Run = Mapping[str, Any]


class Filter(NamedTuple):
    """One filter: what it goes by, and how many records each word has, in the order in which they stand."""

    name: str
    counts: tuple[tuple[str, int], ...]

    def css_class(self, word: str) -> str:
        """Return the class of the rows that have `word`."""
        return f"{self.name}-{[one for one, _ in self.counts].index(word)}"

    @property
    def style(self) -> str:
        """Hide what the chosen word does not mean."""
        chosen = (f"{self.name}-{number}" for number in range(len(self.counts)))
        return "".join(f"body:has(#{one}:checked) tbody tr:not(.{one}) {{ display: none; }}\n" for one in chosen)

    @property
    def markup(self) -> str:
        """Draw the filter; one word needs none."""
        if len(self.counts) < 2:  # noqa: PLR2004  nothing to choose
            return ""
        total = sum(number for _, number in self.counts)
        words = [(f"{self.name}-all", "all", total), *((self.css_class(word), word, number) for word, number in self.counts)]
        buttons = "".join(_button(self.name, *word) for word in words)
        return f'<fieldset class="filter"><legend>{self.name}</legend>{buttons}</fieldset>'


def _button(name: str, identity: str, word: str, number: int) -> str:
    checked = " checked" if identity.endswith("-all") else ""
    label = f'<label for="{identity}">{escaped(word)} <span class="awsfed-quiet">{number:,}</span></label>'
    return f'<span><input type="radio" name="{name}" id="{identity}"{checked}>{label}</span>'


def filters(runs: Mapping[str, Run]) -> tuple[Filter, ...]:
    """Return the filters for these records: by verdict and by runbook."""
    verdicts, runbooks = Counter(map(_verdict, runs.values())), Counter(map(_runbook, runs.values()))
    most_first = sorted(verdicts.items(), key=lambda pair: (-pair[1], pair[0]))
    return (Filter("verdict", tuple(most_first)), Filter("runbook", tuple(sorted(runbooks.items()))))


def _verdict(run: Run) -> str:
    return str(run.get("verdict") or UNFINISHED)


def _runbook(run: Run) -> str:
    return str(run.get("runbook") or "unknown")


def index(runs: Mapping[str, Run], title: str) -> str:
    """Draw the list of records, the newest first: the name of the folder to its run.json."""
    chosen = filters(runs)
    body = "".join(_row(folder, runs[folder], chosen) for folder in sorted(runs, reverse=True))
    if not body:
        return f'<main><div class="awsfed"><h1>{escaped(title)}</h1><p>There are no records yet.</p></div></main>'
    choice = "".join(one.markup for one in chosen)
    count = '<p class="shown" role="status"></p>' if choice else ""  # the style sheet writes the number, from what it draws
    table = listed("records, the newest first", HEADS, body)
    return (
        f'{skip("#records", "To the list of records")}<main><div class="awsfed catalogue"><h1>{escaped(title)}</h1>'
        f'{choice}<div id="records" tabindex="-1">{table}</div>{count}</div></main>'
    )


def _row(folder: str, run: Run, chosen: tuple[Filter, ...]) -> str:
    word = _verdict(run)
    first = str(run.get("problem") or "").partition("\n")[0]
    page = f"{quote(folder, safe='')}/{PAGE if PAGE in run.get('files', {}) else ''}"
    cells = [
        f"{escaped(run.get('runbook', ''))}<br><span class='awsfed-quiet'>{escaped(run.get('title', ''))}</span>",
        verdict_chip(run),
        escaped("; ".join(filter(None, (first.rstrip("."), *came_out(run)))) or "nothing to report"),
    ]
    link = f'<a href="{escaped(page)}">{escaped(when(run.get("started")).removesuffix(" UTC") or folder)}</a>'
    classes = " ".join(one.css_class(value) for one, value in zip(chosen, (word, _runbook(run)), strict=True))
    data = "".join(f"<td>{cell}</td>" for cell in cells)
    lasted = f'<td data-name="took">{escaped(took(run) or "not finished")}</td>'
    return f'<tr class="{classes}"><th scope="row" class="awsfed-short">{link}</th>{data}{lasted}</tr>'
