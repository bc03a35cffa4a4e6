"""A plan to look at: what would change, who loses what, exactly what would be sent, and how to approve it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from awsfed_lib.core.change import Change, Loss, Request
from awsfed_lib.core.settings.secrecy import masked
from awsfed_lib.core.view.escape import escaped, json_text, visible
from awsfed_lib.core.view.markup import (
    ACTIONS,
    INDENT,
    block,
    box,
    card,
    chip,
    chips,
    code,
    counted,
    folded,
    inline,
    quiet,
    terms,
    terms_text,
)
from awsfed_lib.core.view.shown import ShownPlan, subject_terms
from awsfed_lib.core.view.style import Tone
from awsfed_lib.core.view.table_view import FILE as FILE_KEY
from awsfed_lib.core.view.table_view import ROWS_IN_HTML, bare_html, filled

FILE = "plan.json"
ROWS_IN_TEXT = 60
REMARKS = 5
LOSING_FIRST = ("remove", "disable", "update", "add")


def plan_html(plan: ShownPlan) -> str:
    """Draw the plan as one output; complete but for rows that are kept, beyond the cap of a table."""
    moving, kept = _parted(plan)
    parts = [
        f"<p>{code(plan.id)}</p>",
        terms(_about(plan)),
        chips(
            chip(ACTIONS[action][0], f"{plan.counts[action]:,} {action}", ACTIONS[action][1]) for action in ACTIONS if plan.counts[action]
        ),
        _refusals_html(plan),
        losses_html(plan.losses, counted(len(plan.losses), "assignment")) if plan.losses else "",
        changes_html("changes", moving, len(moving)) if moving else quiet("Nothing changes: what is live is what is desired."),
        folded(f"{ACTIONS['keep'][0]} {_kept(kept)}", changes_html("kept", kept)) if kept else "",
        _requests_html(plan),
        _next_html(plan),
    ]
    return card(plan.title, "".join(parts), _tone(plan))


def plan_text(plan: ShownPlan) -> str:
    """Write the plan for a terminal and for a log."""
    moving, kept = _parted(plan)
    counts = "   ".join(f"{ACTIONS[action][0]} {plan.counts[action]:,} {action}" for action in ACTIONS if plan.counts[action])
    parts = [
        visible(plan.title),
        terms_text([("plan", plan.id), *_about(plan), ("changes", counts or "none")]),
        _list_text("refused, and will not be sent:", plan.refusals),
        _list_text(
            f"access lost ({len(plan.losses):,}):",
            [f"{_loser(loss)} loses {loss.role}" for loss in plan.losses],
        ),
        _changes_text(moving) if moving else f"{INDENT}Nothing changes: what is live is what is desired.",
        f"{INDENT}= {_kept(kept)}" if kept else "",
        _list_text(counted(len(plan.requests), "request") + ":", list(map(_request_line, plan.requests))) if plan.requests else "",
        f"{INDENT}{_next(plan)}",
    ]
    return "\n".join(part for part in parts if part)


def _parted(plan: ShownPlan) -> tuple[list[Change], list[Change]]:
    """Part what changes, what takes something away first, from what is kept, what has a remark first."""
    moving = [change for change in plan.changes if change.action != "keep"]
    kept = [change for change in plan.changes if change.action == "keep"]
    return sorted(moving, key=lambda change: LOSING_FIRST.index(change.action)), sorted(kept, key=lambda change: not change.why)


def _about(plan: ShownPlan) -> list[tuple[str, str]]:
    gone = plan.counts["remove"]
    limit = f"{gone:,} of at most {plan.guards.max_removed:,} (max_removed)"
    return [*subject_terms(plan.subject), ("removes", limit), *_masked(plan)]


def _masked(plan: ShownPlan) -> list[tuple[str, str]]:
    """Count what looks like a secret and is therefore not shown, wherever the plan goes through an output."""
    found = masked(text for part in (*plan.changes, *plan.losses) for text in part)
    found |= masked(text for request in plan.requests for text in (request.path, request.purpose, request.body))
    kinds = ", ".join(sorted(set(found.values())))
    return [("masked", f"{counted(len(found), 'value')} not shown, because of the form of a secret: {kinds}")] if found else []


def _tone(plan: ShownPlan) -> Tone:
    if plan.refusals:
        return "bad"
    return "warn" if plan.losses or plan.counts["remove"] else "news" if plan.requests else "good"


def _kept(kept: Sequence[Change]) -> str:
    """`1,204 kept as they are; 3 with a remark: dangling (3)`."""
    remarks = Counter(change.why.split(":")[0].strip() for change in kept if change.why)
    said = ", ".join(f"{visible(remark)} ({number:,})" for remark, number in remarks.most_common(REMARKS))
    more = f", and {len(remarks) - REMARKS} other remarks" if len(remarks) > REMARKS else ""
    return f"{len(kept):,} kept as they are" + (f"; {remarks.total():,} with a remark: {said}{more}" if remarks else "")


def changes_html(name: str, changes: Sequence[Change], limit: int = 0) -> str:
    """Draw changes as a table of at most `limit` rows, or as many as every table; `name` is its caption."""
    rows = [(change.action, change.kind, change.label, _step(change), change.why) for change in changes]
    table = pd.DataFrame(rows, columns=["action", "kind", "label", "live → desired", "why"])
    table.attrs[FILE_KEY] = FILE
    return bare_html(filled(table), f"{name}: {counted(len(changes), 'row')}", max(limit, ROWS_IN_HTML))


def _step(change: Change) -> str:
    """Write `enabled → disabled`; one of the two where the other is nothing, or the same."""
    if change.before and change.after and change.before != change.after:
        return f"{change.before} → {change.after}"
    return change.after or change.before


def _changes_text(changes: Sequence[Change]) -> str:
    kinds = max(len(change.kind) for change in changes)
    lines = []
    for change in changes[:ROWS_IN_TEXT]:
        lines.append(f"{INDENT}{ACTIONS[change.action][0]} {change.action:<7}  {visible(change.kind):<{kinds}}  {visible(change.label)}")
        details = [("live", change.before), ("desired", change.after), ("why", change.why)]
        lines += [f"{INDENT * 3}{name:<7}  {visible(value)}" for name, value in details if value]
    if len(changes) > ROWS_IN_TEXT:
        lines.append(f"{INDENT}showing {ROWS_IN_TEXT:,} of {len(changes):,} changes — all of them: {FILE}")
    return "\n".join(lines)


def _list_text(title: str, items: Sequence[str]) -> str:
    return "\n".join([INDENT + title, *(f"{INDENT * 2}{visible(item)}" for item in items)]) if items else ""


def _refusals_html(plan: ShownPlan) -> str:
    if not plan.refusals:
        return ""
    items = "".join(f"<li>{escaped(refusal)}</li>" for refusal in plan.refusals)
    return box(f"<p><strong>✕ Refused by its guards, and will not be sent</strong></p><ul>{items}</ul>", "bad")


def losses_html(losses: Sequence[Loss], number: str) -> str:
    """Name who loses what; `number` says how many, in words."""
    items = "".join(f"<li>{inline(_loser(loss))} loses {inline(loss.role)}</li>" for loss in losses)
    return box(f"<p><strong>- Access lost: {number}</strong></p><ul>{items}</ul>", "bad")


def _loser(loss: Loss) -> str:
    return f"{loss.principal_name} ({loss.principal_id})" if loss.principal_name else loss.principal_id


def _requests_html(plan: ShownPlan) -> str:
    """Show method, path and body as Graph Explorer takes them."""
    if not plan.requests:
        return ""
    items = "".join(f"<li>{_request_html(request)}</li>" for request in plan.requests)
    return folded(f"{counted(len(plan.requests), 'request')}, word for word, in this order", f"<ol>{items}</ol>")


def _request_html(request: Request) -> str:
    headers = "".join(f"<br><code>{escaped(name)}: {escaped(value)}</code>" for name, value in request.headers)
    body = block(f"body of {request.method} {request.path}", escaped_block(request)) if request.body else ""
    return f"<code>{escaped(request.method)} {escaped(request.path)}</code>{headers}<br>{escaped(request.purpose)}{body}"


def escaped_block(request: Request) -> str:
    """Give the body as pretty JSON; in an element only `&`, `<` and `>` need escaping."""
    return json_text(request.content).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _request_line(request: Request) -> str:
    size = f", {len(request.body.encode()):,} bytes" if request.body else ""
    return f"{request.method} {request.path}  {request.purpose}{size}"


def _next(plan: ShownPlan) -> str:
    if plan.refusals:
        return "It cannot be approved: change the parameter file, in review, or the world, and run again."
    return f"To send this: set approved to {plan.id}" if plan.requests else "Nothing to send."


def _next_html(plan: ShownPlan) -> str:
    if plan.refusals or not plan.requests:
        return quiet(_next(plan))
    return f"<p>To send this: set <code>approved</code> to {code(plan.id)}</p>"
