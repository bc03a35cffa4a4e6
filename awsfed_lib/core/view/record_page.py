"""The head and foot of a record's page, and the page that lists records; pure, from what run.json says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from awsfed_lib.core.settings.verdict import MEANING
from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.markup import VERDICTS, box, chip, chips, duration, folded, terms
from awsfed_lib.core.view.notice_view import CHANGES

PAGE, UNFINISHED = "record.html", "incomplete"
Run = Mapping[str, Any]


def head(run: Run, title: str, stopped_at: str = "") -> str:
    """Draw the head of a record: what ran, its verdict, on what, by whom, with which parameters."""
    parts = [
        f"<h1>{escaped(title)}</h1>",
        _verdict(run) if run else "",
        _problem(run, stopped_at),
        terms(_about(run)) if run else "",
        folded("parameters", terms((name, _value(value)) for name, value in run["parameters"].items())) if run.get("parameters") else "",
    ]
    return f'<header class="record-head"><div class="awsfed">{"".join(parts)}</div></header>'


def foot(run: Run) -> str:
    """Draw the foot: what made the record, and where the exact data stand."""
    versions = ", ".join(f"{name} {version}" for name, version in run.get("packages", {}).items())
    made = f"awsfed {run.get('awsfed', '')}".strip()
    lines = [f"Made by {made}{f' with {versions}' if versions else ''}."]
    if run:
        lines.append("Beside this page: run.json (digests of all files), journal.jsonl, tables/ and, where there was a plan, plan.json.")
    return f'<footer class="record-foot">{"".join(f"<p>{escaped(line)}</p>" for line in lines)}</footer>'


def _verdict(run: Run) -> str:
    word = str(run.get("verdict") or UNFINISHED)
    sign, tone = VERDICTS.get(word, ("?", "warn"))
    promise = CHANGES.get(str(run.get("changes")))
    meaning = f"<p>{escaped(MEANING[word][0].upper() + MEANING[word][1:])}.</p>" if word in MEANING else ""
    return chips([chip(sign, word, tone), *([chip(*promise)] if promise else [])]) + meaning


def _problem(run: Run, stopped_at: str) -> str:
    said = f"<p>{escaped(run['problem'])}</p>" if run.get("problem") else ""
    where = f'<p>The run stopped at the cell <a href="#cell-{escaped(stopped_at)}">{escaped(stopped_at)}</a>.</p>' if stopped_at else ""
    return box(said + where, "bad") if said or where else ""


def _about(run: Run) -> list[tuple[str, str]]:
    git = run.get("git") or {}
    commit = f"{git.get('commit', '')}{' with changes that are not committed' if git.get('dirty') else ''}"
    who = run.get("who") or {}
    return [
        ("runbook", str(run.get("runbook", ""))),
        ("started", _when(run.get("started"))),
        ("took", _took(run)),
        ("executed by", str(run.get("executed_by", ""))),
        *((f"as, in {'Entra ID' if side == 'entra' else 'AWS'}", _value(names)) for side, names in who.items()),
        ("commit", commit.strip()),
        ("exit code", _value(run.get("exit_code", ""))),
    ]


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item}" for name, item in value.items() if item)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _when(stamp: object) -> str:
    moment = _moment(stamp)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else visible(stamp or "")


def _took(run: Run) -> str:
    begun, ended = _moment(run.get("started")), _moment(run.get("finished"))
    return duration((ended - begun).total_seconds()) if begun and ended else ""


def _moment(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp))
    except ValueError:
        return None


def index(runs: Mapping[str, Run], title: str) -> str:
    """Draw the list of records, the newest first: the name of the folder to its run.json."""
    rows = "".join(_row(folder, runs[folder]) for folder in sorted(runs, reverse=True))
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("started (UTC)", "runbook", "verdict", "what came out", "took"))
    region = '<div class="awsfed-scroll" role="region" tabindex="0" aria-label="records">'
    table = f"{region}<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    return f'<main><div class="awsfed"><h1>{escaped(title)}</h1>{table if rows else "<p>There are no records yet.</p>"}</div></main>'


def _row(folder: str, run: Run) -> str:
    word = str(run.get("verdict") or UNFINISHED)
    sign, tone = VERDICTS.get(word, ("?", "warn"))
    page = f"{quote(folder)}/{PAGE if PAGE in run.get('files', {}) else ''}"
    cells = [
        f"{escaped(run.get('runbook', ''))}<br><span class='awsfed-quiet'>{escaped(run.get('title', ''))}</span>",
        chip(sign, word, tone),
        escaped("; ".join(_came_out(run)) or "-"),
        escaped(_took(run)),
    ]
    link = f'<a href="{escaped(page)}">{escaped(_when(run.get("started")).removesuffix(" UTC") or folder)}</a>'
    return f'<tr><th scope="row" class="awsfed-short">{link}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _came_out(run: Run) -> Iterable[str]:
    counts = run.get("counts") or {}
    if run.get("problem"):
        yield str(run["problem"])
    for plan in counts.get("plans", []):
        yield f"{plan.get('title', '')}: {plan.get('verdict', '')}, {plan.get('plan', '')}"
    found = [f"{number} {severity}" for severity, number in counts.get("findings", {}).items() if number]
    if found:
        yield f"findings: {', '.join(found)}"
