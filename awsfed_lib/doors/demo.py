"""`awsfed demo`: the main job from the first look to a proven sign-in, against the sandbox, as real runs with real records."""

from __future__ import annotations

import time
from pathlib import Path

from awsfed_lib.core.errors import OutcomeError
from awsfed_lib.doors.walk import Say, Walk
from awsfed_lib.edges.records import where
from awsfed_lib.edges.records.catalogue import PAGE
from awsfed_lib.sandbox.serve import Sandbox

FILE = "sandbox.yml"
CHAIN = ("00", "03", "04", "05", "06", "09")


def demo(say: Say) -> Path:
    """Walk the chain: every runbook is planned, then sent by the id of its plan; then the same user is tried again.

    Returns the page that lists the records. Raises OutcomeError when a run failed, or when the proof did.
    """
    started = time.monotonic()
    with Sandbox(where.sandbox_file().parent) as sandbox:
        about = sandbox.world["demo"]
        say(f"sandbox  {len(sandbox.world['org']['accounts'])} AWS accounts, one Entra ID tenant, on this machine only")
        _try(sandbox, say, "before")
        walk = Walk(where.parameters() / FILE, say)
        for number in CHAIN:
            walk.carry_out(number)
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
