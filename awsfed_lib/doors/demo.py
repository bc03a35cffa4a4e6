"""`awsfed demo`: the main job from the first look to a proven sign-in, against the sandbox, as real runs with real records."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

from awsfed_lib.core.errors import OutcomeError
from awsfed_lib.core.settings.verdict import CODES
from awsfed_lib.doors import runner
from awsfed_lib.doors.runner import Result
from awsfed_lib.edges.records import parameter_file, runbooks, where
from awsfed_lib.edges.records.catalogue import PAGE
from awsfed_lib.sandbox.serve import Sandbox

FILE = "sandbox.yml"
CHAIN = ("00", "03", "04", "05", "06", "09")
WAITS = "planned"
Say = Callable[[str], None]


def demo(say: Say) -> Path:
    """Walk the chain: every runbook is planned, then sent by the id of its plan; then the same user is tried again.

    Returns the page that lists the records. Raises OutcomeError when a run failed, or when the proof did.
    """
    started = time.monotonic()
    with Sandbox(where.sandbox_file().parent) as sandbox:
        about = sandbox.world["demo"]
        say(f"sandbox  {len(sandbox.world['org']['accounts'])} AWS accounts, one Entra ID tenant, on this machine only")
        _try(sandbox, say, "before")
        for number in CHAIN:
            _carry_out(number, say)
        reached, why = _try(sandbox, say, "after")
        if not reached:
            raise OutcomeError(f"The demo did not end in a sign-in: {why}", where=about["role_arn"])
    page = where.runs() / PAGE
    say(f"done in {time.monotonic() - started:.0f} s; the records: {page}")
    return page


def _try(sandbox: Sandbox, say: Say, when: str) -> tuple[bool, str]:
    """Sign in as the demo's user, by a SAML response that is signed and judged for real, and say what came of it."""
    about = sandbox.world["demo"]
    reached, why = sandbox.can_sign_in(about["user"], about["role_arn"])
    say(f"{when:<7}  Britta Simon signs in to {about['role_arn']}: {'yes' if reached else f'no ({why})'}")
    return reached, why


def _carry_out(number: str, say: Say) -> None:
    """Run one runbook; when it planned something, run it again with the id of that plan, and once more to see nothing left."""
    first = _run(number, "", say)
    if first.verdict == WAITS:
        _run(number, first.plans[0], say)
        _run(number, first.plans[0], say)


def _run(number: str, approved: str, say: Say) -> Result:
    began = time.monotonic()
    book = runbooks.find(number)
    given = {"approved": approved} if approved else {}
    result = runner.execute(runner.Task(book, parameter_file.load(where.parameters() / FILE), given), out=StringIO())
    if result.code not in (CODES["done"], CODES[WAITS], CODES["findings"]):
        raise OutcomeError(f"{book.id}: {result.problem}", where=str(result.record.folder))
    detail = f", waits for {result.plans[0]}" if result.plans else f" ({approved})" if approved else ""
    say(f"{book.id:<15}{result.verdict}{detail}, {time.monotonic() - began:.1f} s")
    return result
