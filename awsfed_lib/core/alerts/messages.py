"""An alert as Teams, Slack, a program and a mail reader take it. Names are anybody's text: nothing in them is markup there.

Teams: an adaptive card posted to a workflow (learn.microsoft.com microsoftteams/platform/webhooks-and-connectors/how-to/
connectors-using, adaptivecards.microsoft.com); its TextBlock reads Markdown, its TextRun does not. Slack: Block Kit with
`plain_text` (docs.slack.dev/reference/block-kit), since `mrkdwn` makes links and calls people by `<!channel>`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from awsfed_lib.core.alerts.alert import Alert
from awsfed_lib.core.view.escape import visible

_LONGEST_SECTION, _LONGEST_HEADER = 2900, 150  # of Slack: 3000 and 150 letters


def teams(alert: Alert) -> dict[str, Any]:
    """Make the message of a workflow with an adaptive card in it."""
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            _runs(alert.title, weight="Bolder", size="Medium"),
            *(_runs(f"{label}: {value}") for label, value in alert.facts),
            *(_runs(line, color="Attention") for line in alert.lines),
        ],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}],
    }


def _runs(text: str, **how: str) -> dict[str, Any]:
    """One line that is never read as Markdown."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": visible(text), **how}]}


def slack(alert: Alert) -> dict[str, Any]:
    """Make the message of an incoming webhook; `text` is what a notification shows."""
    about = "\n".join(f"{label}: {visible(value)}" for label, value in alert.facts)
    lines = "\n".join(f"• {visible(line)}" for line in alert.lines)
    sections = [_section(part) for part in (about, lines) if part]
    header = {"type": "header", "text": {"type": "plain_text", "text": visible(alert.title)[:_LONGEST_HEADER], "emoji": False}}
    return {"text": _inert(visible(alert.title)), "blocks": [header, *sections]}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "plain_text", "text": text[:_LONGEST_SECTION], "emoji": False}}


def _inert(text: str) -> str:
    """Escape the three letters that Slack reads (docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(alert: Alert) -> dict[str, Any]:
    """Make the message for any program: JSON of the form awsfed.alert/1."""
    return dict(alert.content)


def mail(alert: Alert) -> tuple[str, str]:
    """Make subject and text of a mail."""
    about = "\n".join(f"{label:<12} {visible(value)}" for label, value in alert.facts)
    lines = "\n".join(f"- {visible(line)}" for line in alert.lines)
    return visible(alert.title, 120), f"{about}\n\n{lines}\n" if lines else f"{about}\n"


FORMATS: Mapping[str, Callable[[Alert], dict[str, Any]]] = {"teams": teams, "slack": slack, "json": plain}
