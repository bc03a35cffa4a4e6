"""What a run gives reason to tell: read from its run.json and its findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from awsfed_lib.core.settings.verdict import MEANING, SEVERITIES

Occasion = Literal["failure", "findings", "drift", "expiry", "waiting"]
OCCASIONS: tuple[str, ...] = get_args(Occasion)
_BY_VERDICT: Mapping[str, str] = {
    "failed": "failure", "leaked": "failure", "unverified": "failure", "incomplete": "failure", "interrupted": "failure",
    "findings": "findings", "differs": "drift", "planned": "waiting", "too early": "waiting",
}  # fmt: skip
# Words in the names of checks, and in what a stale plan says.
_DRIFT = ("drift", "changed since", "no longer those", "unapproved", "missing in aws", "undone", "reverted")
_EXPIRY = ("expir", "rollover", "certificate ends", "ends soon")
_MOST_LINES, _LONGEST = 12, 300


@dataclass(frozen=True)
class Alert:
    """One message about one run: why it is sent, its title and facts, and lines that say what to look at."""

    occasions: tuple[str, ...]
    title: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    content: Mapping[str, Any]


def occasions(run: Mapping[str, Any], findings: Iterable[Mapping[str, Any]] = ()) -> tuple[str, ...]:
    """Return why somebody would want to know of this run, in the order of OCCASIONS; none when all is well.

    Drift and expiry are told of findings from `medium` on: what is only low or a note waits for somebody who reads the record.
    """
    severe = [row for row in findings if row.get("severity") in SEVERITIES[:3]]
    said = [str(run.get("problem", "")), *(f"{row.get('check', '')}" for row in severe)]
    found = {_BY_VERDICT.get(str(run.get("verdict") or "incomplete"), "")}
    found |= {name for name, signs in (("drift", _DRIFT), ("expiry", _EXPIRY)) if _holds(said, signs)}
    return tuple(name for name in OCCASIONS if name in found)


def _holds(texts: Iterable[str], signs: Collection[str]) -> bool:
    return any(sign in text.lower() for text in texts for sign in signs)


def alert(name: str, run: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] = ()) -> Alert:
    """Make the alert of the run whose record is called `name`, from its run.json and the rows of its FINDINGS."""
    verdict = str(run.get("verdict") or "incomplete")
    given = run.get("parameters", {})
    plans = [plan for plan in run.get("counts", {}).get("plans", ()) if plan.get("verdict") == "planned"]
    facts = (
        ("runbook", f"{run.get('runbook', '')} {run.get('title', '')}".strip()),
        ("verdict", f"{verdict}: {MEANING.get(verdict, '')}"),
        ("tenant", str(given.get("tenant_id", ""))),
        ("application", str(given.get("application_id", ""))),
        ("findings", _counted(run.get("counts", {}).get("findings", {}))),
        ("record", name),
        ("finished", str(run.get("finished", ""))),
    )
    lines = [
        *([str(run["problem"])] if run.get("problem") else []),
        *(f"waits for approval: {plan.get('plan')} ({plan.get('title')}, {plan.get('requests')} requests)" for plan in plans),
        *(f"{row.get('severity')}: {row.get('check')}: {row.get('subject')}" for row in findings),
    ]
    return Alert(
        occasions(run, findings),
        f"awsfed {run.get('runbook', '')}: {verdict}",
        tuple((label, value) for label, value in facts if value),
        _shortened(lines),
        _content(name, run, findings),
    )


def _counted(findings: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {severity}" for severity, number in findings.items() if number)


def _shortened(lines: Sequence[str]) -> tuple[str, ...]:
    more = [f"and {len(lines) - _MOST_LINES} more, in the record"] if len(lines) > _MOST_LINES else []
    return (*(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in lines[:_MOST_LINES]), *more)


def _content(name: str, run: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a program reads: the parts of run.json that say how it went."""
    kept = ("runbook", "title", "verdict", "exit_code", "problem", "counts", "started", "finished", "awsfed")
    given = run.get("parameters", {})
    return {
        "schema": "awsfed.alert/1",
        "occasions": list(occasions(run, findings)),
        "record": name,
        **{field: run[field] for field in kept if field in run},
        "target": {field: given[field] for field in ("tenant_id", "application_id", "cloud") if given.get(field)},
        "findings": [{field: row.get(field) for field in ("finding_id", "severity", "check", "subject")} for row in findings[:100]],
    }
