"""Makes a kernel one that a person sits at: plans are approved in place, and errors of ours are cards."""

from __future__ import annotations

from collections.abc import MutableMapping

from awsfed_lib.edges.lab import approving, cards
from awsfed_lib.edges.lab.filled import Filled
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.progress import headless
from awsfed_lib.edges.records.record import Record


def sit_down() -> None:
    """Show errors of ours as cards from the first one on, a refused parameter included."""
    shell = approving.shell()
    if shell is not None and not headless():
        cards.register(shell)


def take(names: MutableMapping[str, object], record: Record, journal: Journal, filled: Filled) -> None:
    """Register what a live notebook gets, for the run of `record`; a headless one gets nothing, and its record holds no widget."""
    shell = approving.shell()
    if shell is None or headless():
        return
    if filled.approved:
        journal.note("approved", id=filled.approved, how="typed at the notebook, in the run before")
    approving.Approver(names, record, journal).register(shell)
