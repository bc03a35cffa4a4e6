"""Tells of a run where people look, after its record is sealed; `awsfed alerts` shows where that is, and tries it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from awsfed_lib.core.alerts.alert import OCCASIONS, Alert, alert, kept
from awsfed_lib.core.errors import AwsfedError, SignInError
from awsfed_lib.core.settings.verdict import MEANING
from awsfed_lib.edges.alerts.targets import Targets, targets

if TYPE_CHECKING:
    from awsfed_lib.edges.records.record import Record


def tell(folder: Path) -> None:
    """Send the alerts of the run in `folder`, when there is an occasion and somewhere to send them.

    Says on standard error what became of them, and never raises: a run is not worse for its alert.
    """
    try:
        found = targets(os.environ)
        made = _of(folder) if found else None
        if made and found.on & set(made.occasions):
            _say(found, made)
    except Exception as error:  # noqa: BLE001  whatever it is, the run is over, and stays what it was
        click.echo(f"awsfed: alerts: {str(error).splitlines()[0] if isinstance(error, AwsfedError) else type(error).__name__}", err=True)


def _of(folder: Path) -> Alert:
    from awsfed_lib.edges.records.record import Record

    record = Record(folder)
    return alert(folder.name, record.run(), kept(*(_rows(record, name) for name in ("findings", "drift"))))


def _rows(record: Record, name: str) -> list[dict[str, Any]]:
    from awsfed_lib.core.tables import rows

    return rows(record.table(name)) if name in record.tables() else []


def _say(found: Targets, made: Alert) -> bool:
    """Deliver, tell of each target what became of it, and return whether all were told."""
    from awsfed_lib.edges.alerts.delivery import deliver
    from awsfed_lib.edges.records import held
    from awsfed_lib.edges.records.outlet import Cleaner

    known = held.of_environment(os.environ) | held.held() | found.secrets
    delivered = deliver(made, found, Cleaner(lambda: known).value)
    for one in delivered:
        click.echo(f"alert    {one}", err=True)
    return not any(one.problem for one in delivered)


@click.group()
def alerts() -> None:
    """Show where alerts go, and try it. They are set up by AWSFED_ALERT_… in the environment."""


@alerts.command(name="list")
def list_() -> None:
    """List the targets, by their hosts alone, and the occasions."""
    found = targets(os.environ)
    for name in [*(webhook.name for webhook in found.webhooks), *(mail.name for mail in found.mails)]:
        click.echo(name)
    click.echo(
        f"on {', '.join(name for name in OCCASIONS if name in found.on)}" if found else "No alerts are set up: see AWSFED_ALERT_TEAMS."
    )


@alerts.command(name="try")
def try_() -> None:
    """Send a message that says it is a trial to every target. Fails when one did not take it."""
    found = targets(os.environ)
    if not found:
        raise SignInError(
            "No alerts are set up.", remedy="Set AWSFED_ALERT_TEAMS, AWSFED_ALERT_SLACK, AWSFED_ALERT_JSON or AWSFED_ALERT_SMTP."
        )
    run = {"runbook": "00-trial", "title": "This is only a trial", "verdict": "done", "problem": "", "counts": {}}
    sys.exit(0 if _say(found, alert(f"trial, {MEANING['done']}", run)) else 1)
