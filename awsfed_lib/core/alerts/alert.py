"""What a run gives reason to tell: read from its run.json and its findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from awsfed_lib.core.review.states import MOVED
from awsfed_lib.core.settings.verdict import MEANING, SEVERITIES

Occasion = Literal["failure", "findings", "drift", "expiry", "waiting"]
OCCASIONS: tuple[str, ...] = get_args(Occasion)
_BY_VERDICT: Mapping[str, str] = {
    "failed": "failure", "leaked": "failure", "unverified": "failure", "unfinished": "failure", "interrupted": "failure",
    "not read": "failure",
    "findings": "findings", "differs": "drift", "planned": "waiting", "too early": "waiting",
}  # fmt: skip
# Words in the names of checks, and in what a stale plan says.
_DRIFT = ("drift", "changed since", "no longer those", "unapproved", "missing in aws", "undone", "reverted")
_EXPIRY = ("expir", "rollover", "certificate ends", "ends soon")
_OF_DRIFT = ("state", "kind", "account_id", "subject", "desired", "recorded", "live", "changed_by", "changed_at", "remedy", "run", "plan")
_MOST_LINES, _LONGEST, _MOST_ROWS = 12, 300, 100
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Alert:
    """One message about one run: why it is sent, its title and facts, and lines that say what to look at."""

    occasions: tuple[str, ...]
    title: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    content: Mapping[str, Any]


class Kept(NamedTuple):
    """What a record keeps that alerts tell of: rows of FINDINGS that nobody accepted, and rows of DRIFT since the last run."""

    findings: tuple[Row, ...] = ()
    drift: tuple[Row, ...] = ()


def kept(findings: Iterable[Row], drift: Iterable[Row]) -> Kept:
    """Take the rows that are to be told; an accepted finding was told before, and a change by an approved run was approved."""
    return Kept(tuple(row for row in findings if not row.get("accepted")), tuple(row for row in drift if _strange(row)))


def _strange(row: Row) -> bool:
    """Whether a row of DRIFT is a change since the last run that no approved run made, and that somebody should know of."""
    return row.get("state") in MOVED and row.get("severity") in SEVERITIES[:3]


def occasions(run: Row, tables: Kept = Kept()) -> tuple[str, ...]:  # noqa: B008  frozen, and empty
    """Return why somebody would want to know of this run, in the order of OCCASIONS; none when all is well.

    Of findings, drift and expiry are told from `medium` on: what is only low or a note waits for somebody who reads the record.
    """
    severe = [row for row in tables.findings if row.get("severity") in SEVERITIES[:3]]
    said = [str(run.get("problem", "")), *(f"{row.get('check', '')}" for row in severe)]
    found = {_BY_VERDICT.get(str(run.get("verdict") or "unfinished"), "")}
    found |= {"drift"} if tables.drift else set()
    found |= {name for name, signs in (("drift", _DRIFT), ("expiry", _EXPIRY)) if _holds(said, signs)}
    return tuple(name for name in OCCASIONS if name in found)


def _holds(texts: Iterable[str], signs: Collection[str]) -> bool:
    return any(sign in text.lower() for text in texts for sign in signs)


def alert(name: str, run: Row, tables: Kept = Kept()) -> Alert:  # noqa: B008  frozen, and empty
    """Make the alert of the run whose record is called `name`, from its run.json and the tables that it kept."""
    verdict = str(run.get("verdict") or "unfinished")
    given = run.get("parameters", {})
    plans = [plan for plan in run.get("counts", {}).get("plans", ()) if plan.get("verdict") == "planned"]
    headline = str(run.get("counts", {}).get("drift", {}).get("headline", ""))
    facts = (
        ("runbook", f"{run.get('runbook', '')} {run.get('title', '')}".strip()),
        ("verdict", f"{verdict}: {MEANING.get(verdict, '')}"),
        ("read", str((run.get("coverage") or {}).get("said", ""))),
        ("tenant", str(given.get("tenant_id", ""))),
        ("application", str(given.get("application_id", ""))),
        ("findings", _counted(run.get("counts", {}).get("findings", {}))),
        ("record", name),
        ("finished", str(run.get("finished", ""))),
    )
    lines = [
        *(line.strip() for line in str(run.get("problem") or "").splitlines()),
        *(f"waits for approval: {plan.get('plan')} ({plan.get('title')}, {plan.get('requests')} requests)" for plan in plans),
        *([headline] if headline else []),
        *run.get("counts", {}).get("waiting", ()),
        *(f"{row.get('severity')}: {row.get('check')}: {row.get('subject')}" for row in tables.findings),
        *map(_changed, tables.drift),
    ]
    return Alert(
        occasions(run, tables),
        f"awsfed {run.get('runbook', '')}: {verdict}",
        tuple((label, value) for label, value in facts if value),
        _shortened(lines),
        _content(name, run, tables),
    )


def _changed(row: Row) -> str:
    return f"{row.get('kind')} {row.get('subject')}: {row.get('recorded')} → {row.get('live')}, by {row.get('changed_by')}"


def _counted(findings: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {severity}" for severity, number in findings.items() if number)


def _shortened(lines: Sequence[str]) -> tuple[str, ...]:
    more = [f"and {len(lines) - _MOST_LINES} more, in the record"] if len(lines) > _MOST_LINES else []
    return (*(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in lines[:_MOST_LINES]), *more)


def _content(name: str, run: Row, tables: Kept) -> dict[str, Any]:
    """Return what a program reads: the parts of run.json that say how it went."""
    fields = ("runbook", "title", "verdict", "exit_code", "problem", "counts", "coverage", "started", "finished", "awsfed")
    given = run.get("parameters", {})
    return {
        "schema": "awsfed.alert/1",
        "occasions": list(occasions(run, tables)),
        "record": name,
        **{field: run[field] for field in fields if field in run},
        "target": {field: given[field] for field in ("tenant_id", "application_id", "cloud") if given.get(field)},
        "findings": [
            {field: row.get(field) for field in ("finding_id", "severity", "check", "subject")} for row in tables.findings[:_MOST_ROWS]
        ],
        "drift": [{field: str(row.get(field) or "") for field in _OF_DRIFT} for row in tables.drift[:_MOST_ROWS]],
    }
