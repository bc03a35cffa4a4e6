"""The head and foot of a record's page; pure, from what run.json says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from awsfed_lib.core.settings.verdict import MEANING
from awsfed_lib.core.view.escape import escaped, visible
from awsfed_lib.core.view.markup import VERDICTS, box, chip, chips, counted, duration, folded, terms
from awsfed_lib.core.view.notice_view import CHANGES
from awsfed_lib.core.view.style import Tone

UNFINISHED = "unfinished"
TONES: Mapping[str, Tone] = {"good": "good", "warn": "warn", "bad": "bad"}
Run = Mapping[str, Any]


WHO = {"ran": "run by", "approved": "approved by", "entra": "as, in Entra ID", "aws": "as, in AWS"}


class Place(NamedTuple):
    """A part of the page: its anchor and its heading."""

    anchor: str
    heading: str


def head(run: Run, title: str, stopped_at: str = "", *, places: Sequence[Place] = ()) -> str:
    """Draw the head of a record: what ran, its verdict, what came out, on what, by whom, with which parameters; and its contents."""
    parts = [
        f"<h1>{escaped(title)}</h1>",
        _verdict(run) if run else "",
        _problem(run, stopped_at),
        _coverage(run),
        _drift(run),
        terms(_about(run)) if run else "",
        folded("parameters", terms((name, value(given)) for name, given in run["parameters"].items())) if run.get("parameters") else "",
        _contents(places),
    ]
    return f'{skip("#content", "To the content")}<header class="record-head"><div class="awsfed">{"".join(parts)}</div></header>'


def skip(target: str, words: str) -> str:
    """Let the keyboard pass by what stands at the top; seen only while it has the focus."""
    return f'<div class="awsfed"><a class="awsfed-skip" href="{target}">{escaped(words)}</a></div>'


def _contents(places: Sequence[Place]) -> str:
    items = "".join(f'<li><a href="#{escaped(place.anchor)}">{escaped(place.heading, 80)}</a></li>' for place in places)
    return f'<nav class="awsfed-contents" aria-label="contents"><ol>{items}</ol></nav>' if len(places) > 1 else ""


def foot(run: Run) -> str:
    """Draw the foot: what made the record, and where the exact data stand."""
    versions = ", ".join(f"{name} {version}" for name, version in run.get("packages", {}).items())
    made = f"awsfed {run.get('awsfed', '')}".strip()
    lines = [f"Made by {made}{f' with {versions}' if versions else ''}."]
    if run:
        lines.append("Beside this page: run.json (digests of all files), tables/ (every table whole), and what else the run wrote.")
    return f'<footer class="record-foot">{"".join(f"<p>{escaped(line)}</p>" for line in lines)}</footer>'


def _verdict(run: Run) -> str:
    word = str(run.get("verdict") or UNFINISHED)
    promise = CHANGES.get(str(run.get("changes")))
    meaning = f"<p>{escaped(MEANING[word][0].upper() + MEANING[word][1:])}.</p>" if word in MEANING else ""
    return chips([verdict_chip(run), *([chip(*promise)] if promise else [])]) + meaning


def verdict_chip(run: Run) -> str:
    """Draw the verdict; it is green only when everything was read."""
    word = str(run.get("verdict") or UNFINISHED)
    sign, tone = VERDICTS.get(word, ("?", "warn"))
    return chip(sign, word, "warn" if tone == "good" and not_whole(run) else tone)


def not_whole(run: Run) -> str:
    """Say how much was read where that is not everything: "19 of 24 accounts read"; "" where it is, or where nothing is said of it."""
    read = run.get("coverage") or {}
    return "" if read.get("whole", True) else str(read.get("said", ""))


def _coverage(run: Run) -> str:
    """Draw how much was read, and what was not, with the reason."""
    read = run.get("coverage") or {}
    lines = [
        f"<li>{escaped(' '.join(filter(None, (row['what'], row['key'], row['name']))))}: {escaped(row['problem'])}</li>"
        for row in read.get("left", ())
    ]
    more = f"<details><summary>what was not read: {len(lines)}</summary><ul>{''.join(lines)}</ul></details>" if lines else ""
    return box(f"<p>{escaped(read['said'])}.</p>{more}", "good" if read["whole"] else "warn") if read.get("said") else ""


def _problem(run: Run, stopped_at: str) -> str:
    said = "".join(f"<p>{escaped(line.strip())}</p>" for line in str(run.get("problem") or "").splitlines())
    where = f'<p>The run stopped at the cell <a href="#cell-{escaped(stopped_at)}">{escaped(stopped_at)}</a>.</p>' if stopped_at else ""
    return box(said + where, "bad") if said or where else ""


def _drift(run: Run) -> str:
    """Say at the top what changed since the last run, in its own words, and where the whole of it stands."""
    said = (run.get("counts") or {}).get("drift") or {}
    if not said:
        return ""
    lines = "".join(f"<li>{escaped(line)}</li>" for line in said.get("lines", ()))
    more = '<p><a href="#cell-drift">All three sides: desired, recorded, live</a></p>' if lines else ""
    tone = TONES.get(str(said.get("tone")), "warn")
    return box(f"<p><strong>{escaped(said.get('headline', ''))}</strong></p>{f'<ul>{lines}</ul>' if lines else ''}{more}", tone)


def _about(run: Run) -> list[tuple[str, str]]:
    git = run.get("git") or {}
    commit = f"{git.get('commit', '')}{' with changes that are not committed' if git.get('dirty') else ''}"
    who = run.get("who") or {}
    return [
        ("came out", "; ".join(_results(run))),
        ("runbook", str(run.get("runbook", ""))),
        ("started", when(run.get("started"))),
        ("took", took(run)),
        ("executed by", str(run.get("executed_by", ""))),
        *((WHO[side], value(names)) for side, names in who.items()),
        ("planned in", value(run.get("planned_in") or "")),
        ("commit", commit.strip()),
        ("exit code", value(run.get("exit_code", ""))),
    ]


def value(value: object) -> str:
    """Write a value of run.json for people."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item}" for name, item in value.items() if item)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def when(stamp: object) -> str:
    """Say a moment of run.json for people; what is none is shown as it is."""
    moment = _moment(stamp)
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else visible(stamp or "")


def took(run: Run) -> str:
    """Say how long a run took; "" when it did not end."""
    begun, ended = _moment(run.get("started")), _moment(run.get("finished"))
    return duration((ended - begun).total_seconds()) if begun and ended else ""


def _moment(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp))
    except ValueError:
        return None


def came_out(run: Run) -> Iterable[str]:
    """Say what came out of a run: how much was read, what changed since the one before, its plans, its findings, what remains."""
    counts = run.get("counts") or {}
    if not_whole(run):
        yield not_whole(run)
    if counts.get("drift"):
        yield str(counts["drift"].get("headline", "")).removesuffix(".")
    yield from _results(run)


def _results(run: Run) -> Iterable[str]:
    counts = run.get("counts") or {}
    for plan in counts.get("plans", []):
        said = (plan.get("verdict"), *_moves(plan), plan.get("plan"))
        yield f"{plan.get('title', '')}: {', '.join(str(part) for part in said if part)}"
    for name in ("findings", "targets"):
        found = [f"{number} {word}" for word, number in counts.get(name, {}).items() if number]
        if found:
            yield f"{name}: {', '.join(found)}"
    yield from counts.get("waiting", ())
    if run.get("masked"):
        yield f"{counted(len(run['masked']), 'value')} masked, because of the form of a secret"


def _moves(plan: Mapping[str, Any]) -> list[str]:
    """Say what a plan changes, by action; nothing of what it keeps."""
    changes = plan.get("changes")
    numbers = changes.items() if isinstance(changes, Mapping) else ()
    return [f"{number:,} {action}" for action, number in numbers if isinstance(number, int) and action != "keep"]
