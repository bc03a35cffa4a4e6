"""The record of a batch: which targets, how each ended, and one page that leads to all of their records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from awsfed_lib.core.tables import TARGETS, frame
from awsfed_lib.core.view.batch_page import batch_page
from awsfed_lib.doors.batch import INTERRUPTED, NOT_READ, Ended, Order, code
from awsfed_lib.edges.records import durable, opening, provenance, record, sealing, signing, where
from awsfed_lib.edges.records.export import write_page
from awsfed_lib.edges.records.opening import Clock
from awsfed_lib.edges.records.record import Record

PAGE, RUNBOOK = "record.html", "batch"
VERDICTS = {0: "done", 3: "planned", 4: "findings", 5: "too early", NOT_READ: "not read", INTERRUPTED: "interrupted"}


def keep(order: Order, ended: Sequence[Ended], *, began: datetime | None = None, clock: Clock = opening.now) -> Record:
    """Keep how every target ended in a record of its own, with the page, and seal it. `began`: when the first was begun (UTC)."""
    moment = began or clock()
    title = f"Batch of {order.runbook}: {len(ended)} targets"
    run: dict[str, object] = {
        "runbook": RUNBOOK,
        "title": title,
        "executed_by": "awsfed batch",
        "started": moment.isoformat(timespec="seconds"),
        "parameters": {},
        "awsfed": provenance.version(),
        "packages": provenance.packages(),
    }
    made = record.create(where.runs(), record.name_of(RUNBOOK, order.runbook, moment), run)
    made.keep_table("targets", frame(TARGETS, [_row(each) for each in ended]))
    verdict = VERDICTS.get(code(ended), "failed")
    counts = dict(Counter(each.verdict for each in ended))
    whole = sum(not each.read for each in ended)
    read = {"said": f"{whole} of {len(ended)} targets read in full", "whole": whole == len(ended)}
    said = made.update(
        verdict=verdict, exit_code=code(ended), counts={"targets": counts}, coverage=read, finished=clock().isoformat(timespec="seconds")
    )
    write_page(made.folder / PAGE, title, batch_page(said, [each._asdict() for each in ended]))
    durable.sync_folder(made.folder)
    sealing.seal(made, clock=clock, signer=signing.signer())
    return made


def _row(ended: Ended) -> dict[str, object]:
    told = ended._asdict()
    return {
        **{name: told[name] for name in ("file", "verdict", "run", "problem", "came_out", "read")},
        "exit_code": ended.code,
        "seconds": round(ended.seconds),
    }
