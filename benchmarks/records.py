"""How fast the past answers: a year of nightly runs, and a thousand runs of ten thousand roles.

    python benchmarks/records.py [NIGHTS] [ROLES]

Peers, measured in the same run: for `verify`, hashing the same bytes and nothing else; for history, Python over the same
tables as CSV, on as many runs as it takes to be measured. Medians of three.
"""

import csv
import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from awsfed_lib.core.drift_shapes import SIDE
from awsfed_lib.core.review import observed
from awsfed_lib.core.review.observed import Seen
from awsfed_lib.core.review.sides import Before, Side, compare
from awsfed_lib.core.review.states import NO_RULE
from awsfed_lib.core.tables import ACCOUNTS, PATHS, ROLES, frame
from awsfed_lib.edges.records import catalogue, history, parquet, proof, record, sealing
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks
from awsfed_lib.edges.records.past import Past

BEGAN = datetime(2026, 1, 1, 3, tzinfo=UTC)
FEW = 40


def roles(count: int, night: int) -> pd.DataFrame:
    """`count` roles of which each night one in a thousand is another."""
    names = [f"r{number}" if (number + night) % 1000 else f"n{number}-{night}" for number in range(count)]
    arns = [f"arn:aws:iam::{number // 60 + 1:012d}:role/{name}" for number, name in enumerate(names)]
    made = [
        {"account_id": arn.split(":")[4], "role_name": name, "role_arn": arn, "verdict": "taken"}
        for name, arn in zip(names, arns, strict=True)
    ]
    return frame(ROLES, made)


def night_of(runs: Path, night: int, table: pd.DataFrame) -> None:
    """Seal the record of one night."""
    at = BEGAN + timedelta(days=night)
    accounts = frame(ACCOUNTS, [{"account_id": name} for name in sorted(set(table["account_id"]))])
    paths = frame(PATHS, [{"user_name": "a@contoso.example", "group_name": "g", "role_arn": table["role_arn"][0], "verdict": "effective"}])
    run = {
        "runbook": "09-audit",
        "title": "Audit",
        "changes": "nothing",
        "executed_by": "awsfed run",
        "started": at.isoformat(),
        "parameters": {},
    }
    made = record.create(runs, record.name_of("09-audit", "1f0c7f3a", at), run)
    book = Journal(made.folder, Locks(runs / ".locks"), lambda: at)
    for name, kept in (("accounts", accounts), ("roles", table), ("paths", paths)):
        made.keep_table(name, kept)
    book.seal("done")
    book.close()
    sealing.seal(made, clock=lambda: at, signer=None, verdict="done", finished=at.isoformat())


def timed(call: Callable[[], object]) -> float:
    """Seconds, the median of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def tell(what: str, seconds: float, beside: str = "") -> None:
    """Print one figure."""
    print(f"{what:<58} {seconds:8.2f} s  {beside}", flush=True)


def hashed(runs: Path) -> None:
    """Hash every file of the records: what no proof can do without."""
    for path in runs.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256")


def by_csv(past: list[Past]) -> None:
    """Answer the same question with the tables as CSV."""
    told: dict[str, list[int]] = {}
    for number, one in enumerate(past):
        with (one.folder / "tables" / "roles.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                told.setdefault(row["role_arn"], []).append(number)


def drifted(last: Past, seen: Seen) -> object:
    """Put the last record and what is live beside each other."""
    recorded = observed.side(Seen(accounts=last.table("accounts"), roles=last.table("roles")))
    no_rules = Side(frame(SIDE, []), {}, silent=NO_RULE)
    return compare(no_rules, recorded, observed.side(seen), before=Before(last.at, None))


def a_year(runs: Path, nights: int, count: int) -> None:
    """Measure everything on whole records."""
    began = time.perf_counter()
    for night in range(nights):
        night_of(runs, night, roles(count, night))
    size = sum(path.stat().st_size for path in runs.rglob("*") if path.is_file()) / 1e6
    print(f"{nights} nights of {count:,} roles, {size:,.0f} MB, made in {time.perf_counter() - began:.0f} s")
    past = history.past(history.Target(), runs=runs)
    floor = timed(lambda: hashed(runs))
    checked = timed(lambda: proof.prove(runs))
    tell("verify: every record and the chain", checked, f"{checked / floor:.1f} x hashing alone")
    tell("page of all records", timed(lambda: catalogue.write_catalogue(runs)))
    tell("which runs are there", timed(lambda: history.past(history.Target(), runs=runs)))
    now = roles(count, nights)
    accounts = frame(ACCOUNTS, [{"account_id": name} for name in sorted(set(now["account_id"]))])
    tell("drift since the last run", timed(lambda: drifted(past[-1], Seen(accounts=accounts, roles=now))))
    tell(
        "could this person reach this role on that day",
        timed(lambda: history.reached(past, user="a@contoso.example", role="r0", day="2026-05-05")),
    )
    asked(list(past))
    few = list(past[:FEW])
    ours, theirs = timed(lambda: history.spans("roles", few)), timed(lambda: by_csv(few))
    tell(f"spans over {len(few)} runs", ours, f"Python over CSV takes {theirs / ours:.1f} x")


def asked(past: list[Past]) -> None:
    """Measure the three questions of history."""
    tell(f"counts over {len(past)} runs", timed(lambda: history.counts("roles", past)))
    tell(f"spans over {len(past)} runs", timed(lambda: history.spans("roles", past)))
    tell(f"churn over {len(past)} runs", timed(lambda: history.churn("roles", past)))


def large(folder: Path, runs: int, count: int) -> None:
    """Measure history on tables alone: as many runs and roles as the largest customer has."""
    past = []
    for number in range(runs):
        table = roles(count, number)
        tables = folder / f"r{number:05d}" / "tables"
        tables.mkdir(parents=True)
        (tables / "roles.parquet").write_bytes(parquet.written(table))
        (tables / "accounts.parquet").write_bytes(
            parquet.written(frame(ACCOUNTS, [{"account_id": name} for name in set(table["account_id"])]))
        )
        past.append(Past(f"r{number:05d}", BEGAN + timedelta(days=number), "done", tables.parent))
    print(f"{runs:,} runs of {count:,} roles")
    asked(past)


def main() -> None:
    """Run both."""
    nights, count = (int(given) for given in (sys.argv[1:] or ["365", "2000"]))
    with tempfile.TemporaryDirectory(prefix="awsfed-bench-") as name:
        a_year(Path(name) / "runs", nights, count)
        large(Path(name) / "large", 1000, 10_000)


if __name__ == "__main__":
    main()
