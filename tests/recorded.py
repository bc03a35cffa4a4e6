"""Sealed records of made-up runs, with a chain over them, for tests of what is done with records."""

from datetime import UTC, datetime, timedelta

from awsfed_lib.core.tables import ACCOUNTS, ROLES, frame
from awsfed_lib.edges.records import record, sealing
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

BEGAN = datetime(2026, 1, 1, 3, 0, tzinfo=UTC)


def role(number, **more):
    account = f"{number:012d}"
    return {
        "account_id": account,
        "account_name": f"account {number}",
        "role_name": "Admin",
        "role_arn": f"arn:aws:iam::{account}:role/Admin",
        "provider_arn": f"arn:aws:iam::{account}:saml-provider/WAAD",
        "value": f"arn:aws:iam::{account}:role/Admin,arn:aws:iam::{account}:saml-provider/WAAD",
        "verdict": "taken",
        **more,
    }


def seal_one(runs, day, *, runbook="09-audit", target="1f0c7f3a", verdict="done", signer=None, roles=(), unread=(), given=None, **tables):
    """Make and seal the record of one nightly run; returns it."""
    moment = BEGAN + timedelta(days=day)
    run = {
        "runbook": runbook,
        "title": "Audit",
        "changes": "nothing",
        "executed_by": "awsfed run",
        "started": moment.isoformat(),
        "parameters": given or {},
    }
    made = record.create(runs, record.name_of(runbook, target, moment), run)
    book = Journal(made.folder, Locks(runs / ".locks"), lambda: moment)
    seen = {row["account_id"]: "" for row in roles} | dict.fromkeys(unread, "denied")
    made.keep_table("accounts", frame(ACCOUNTS, [{"account_id": name, "problem": problem} for name, problem in sorted(seen.items())]))
    made.keep_table("roles", frame(ROLES, roles))
    for name, table in tables.items():
        made.keep_table(name, table)
    book.seal(verdict)
    book.close()
    sealing.seal(
        made,
        clock=lambda: moment,
        signer=signer,
        verdict=verdict,
        finished=moment.isoformat(),
        counts={"plans": [], "findings": {"high": 1}},
    )
    return made
