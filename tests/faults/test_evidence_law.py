"""The law of evidence: take any one read away, and nothing may look better than with it.

Every runbook that reads is executed over recorded answers of the sandbox, and again with one read refused, emptied, cut in
the middle, ended after its first page, hidden, or without one of its fields, after a good run that read everything. Then no
verdict, exit code, count, chart, proof or review row may be better than with the read, and nothing may be planned for
removal because of it.

AWSFED_EVIDENCE_CASES: how many cases (a seeded sample of every runbook; `all`). AWSFED_EVIDENCE_SEED: of which sample.
"""

import os
import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import evidence
import pytest
from botocore import endpoint
from evidence import Read, Scene, Tape
from target import served

from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.settings.verdict import CODES, PATHS, PROOFS, SEVERITIES, better
from awsfed_lib.core.tables import rows
from awsfed_lib.edges.amazon import reading, rounds
from awsfed_lib.edges.charts import chart
from awsfed_lib.edges.entra import auth, transport
from awsfed_lib.sandbox.serve import Size

CASES = os.environ.get("AWSFED_EVIDENCE_CASES", "56")
SEED = int(os.environ.get("AWSFED_EVIDENCE_SEED", "1"))
BOOKS = {
    "00": {}, "03": {}, "04": {"max_removed": 500}, "05": {}, "06": {"max_removed": 500}, "07": {"fail_on": "high"},
    "09": {"fail_on": "medium"}, "10": {},
}  # fmt: skip
NOT_GOOD = ("failed", "not read")
REACHES = PATHS[: PATHS.index("unknown") + 1]  # what a reviewer has to look at
UNKNOWN = ("unread", "unknown")
SENT = ("remove", "disable", "revoke")


@dataclass(frozen=True)
class Case:
    """One read of one runbook, and how it is taken away."""

    book: str
    read: Read
    mode: str

    def __str__(self):
        return f"{self.book} {self.read.service} {self.read.name} {self.mode} [{self.read.key[-60:]}]"


@dataclass
class Look:
    """How a run looks: what a person or a scheduler goes by."""

    verdict: str
    whole: bool = False
    findings: Counter = None
    proofs: dict = None
    reviewed: Counter = None
    administrators: int = 0
    removals: frozenset = frozenset()
    charts: dict = None


def look(ended):
    """Reduce the names at the end of a runbook to what is compared."""
    if isinstance(ended, Exception):
        return Look("failed")
    run = ended["said"]
    found = ended.get("judged")
    proofs = ended["paths"] if "checked" in ended and "sessions" in ended else None
    access = ended["paths"] if "review" in ended or "judged" in ended else None
    plan = ended.get("plan")
    changes = plan.content["changes"] if plan is not None else ()
    reaching = [row for row in rows(access) if row["verdict"] in REACHES] if access is not None else []
    return Look(
        run["verdict"],
        bool((run.get("coverage") or {"whole": True})["whole"]),
        Counter(run["counts"].get("findings") or (found["severity"].value_counts().to_dict() if found is not None else {})),
        promises(rows(proofs)) if proofs is not None else {},
        Counter((row["app_role_id"], row["group_name"]) for row in reaching),
        sum("AdministratorAccess" in row["policies"] or (not row["policies"] and row["verdict"] in UNKNOWN) for row in reaching),
        frozenset((change["kind"], change["key"]) for change in changes if change["action"] in SENT),
        {name: ended[name].states for name in ("certificates", "coverage") if hasattr(ended.get(name), "states")},
    )


def promises(paths):
    """The most that a proof promises anybody on each path: unknown promises as little as broken."""
    found = {}
    for row in paths:
        name = (row["principal"], row["app_role_id"])
        found[name] = max(found.get(name, 0), PROOFS.index(row["verdict"]) - PROOFS.index("unknown"))
    return found


def broken(with_it, without):
    """Say in which ways a run looks better without a read than with it."""
    said = [f"planned for removal: {change}" for change in without.removals - with_it.removals]
    if without.verdict != "failed":
        said += promised(with_it, without)
    if without.verdict not in NOT_GOOD:
        said += lost(with_it, without)
    return said


def promised(with_it, without):
    """Proofs and charts: what they say of one thing must never be better, whatever the verdict."""
    for path, state in without.proofs.items():
        if state > with_it.proofs.get(path, 0):
            yield f"proof of {path}: {with_it.proofs.get(path)} → {state}"
    for name, states in without.charts.items():
        for mark, state in states.items():
            if better(state, with_it.charts[name].get(mark, state), chart.STATES):
                yield f"chart {name}: {mark} is {state}"


def lost(with_it, without):
    """Verdict, counts and rows: of a run that does not say that something was not read."""
    if better(without.verdict, with_it.verdict) and CODES[without.verdict] != CODES[with_it.verdict]:
        yield f"verdict {with_it.verdict} → {without.verdict}"
    for number in (1, 2, 3):
        then, now = (sum(found.findings[level] for level in SEVERITIES[:number]) for found in (with_it, without))
        if now < then:
            yield f"findings from {SEVERITIES[number - 1]}: {then} → {now}"
    if gone := set(with_it.proofs) - set(without.proofs):
        yield f"{len(gone)} proofs of {len(with_it.proofs)} are gone"
    if gone := with_it.reviewed - without.reviewed:
        yield f"{sum(gone.values())} review rows are gone"
    if without.administrators < with_it.administrators:
        yield f"administrators: {with_it.administrators} → {without.administrators}"


SLEEP = time.sleep


def quickly(seconds):
    """Sleep a little: nobody waits for an answer that is recorded, and the server's own threads must not spin."""
    SLEEP(min(seconds, 0.001))


@pytest.fixture(scope="module")
def scene():
    """Give a small world that was recorded, with a good run of every runbook in it, and its look."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(prefix="awsfed-evidence-", dir=memory if memory.is_dir() else None) as folder, ExitStack() as stack:
        stack.enter_context(served(Path(folder), Size(accounts=4)))
        tape = stack.enter_context(evidence.recorded(Tape()))
        for patch in (
            mock.patch.object(os, "fsync", mock.Mock(return_value=None)),
            mock.patch.object(reading, "hub", lru_cache(reading.hub)),  # who runs awsfed is no evidence, and clients take long to make
            mock.patch.object(auth, "sign_in", lru_cache(auth.sign_in)),
            mock.patch.object(chart.Canvas, "chart", lambda _, *said, **more: chart.Chart("", *said, **more)),
            mock.patch.object(transport.Transport, "wait", mock.Mock(return_value=None)),
            mock.patch.object(rounds, "time", mock.Mock(sleep=lambda _: None)),
            mock.patch.object(endpoint.time, "sleep", quickly),
        ):
            stack.enter_context(patch)
        yield Scene(Path(folder), tape)


@pytest.fixture(scope="module")
def clean(scene):
    """Execute every runbook twice over everything: the look of the second run, and its reads."""
    found = {}
    for book, given in BOOKS.items():
        scene.given = given
        scene.clean(book)
        ended, reads = scene.clean(book)
        found[book] = look(ended), reads
    return found


def cases(clean):
    """Every case; a seeded sample of each runbook where fewer are asked for."""
    every = {
        book: [Case(book, read, mode) for read, body in reads.items() for mode in evidence.modes(read, body)]
        for book, (_, reads) in clean.items()
    }
    if CASES == "all":
        return [case for listed in every.values() for case in listed]
    share = max(1, int(CASES) // len(every))
    return [case for book, listed in every.items() for case in random.Random(f"{SEED}/{book}").sample(listed, min(share, len(listed)))]


def test_nothing_looks_better_without_a_read(scene, clean):
    failures, ended, taken = [], Counter(), set()
    chosen = cases(clean)
    for case in chosen:
        scene.given = BOOKS[case.book]
        result = scene.case(case.book, case.read, case.mode)
        without = look(result)
        ended[without.verdict if not isinstance(result, Exception) or isinstance(result, AwsfedError) else type(result).__name__] += 1
        if not scene.tape.fired:
            failures.append(f"{case}: this read was not made again")
        taken.add((case.book, case.read))
        failures += [f"{case}: {words}" for words in broken(clean[case.book][0], without)]
    names = {(book, read.service, read.name) for book, read in taken}
    print(f"{len(chosen)} cases, {len(taken)} reads of {len(names)} kinds, seed {SEED}; ended {dict(ended)}")
    if CASES == "all":
        assert taken == {(book, read) for book, (_, reads) in clean.items() for read in reads}
    assert not failures, f"{len(failures)} in {len(chosen)} cases\n" + "\n".join(failures[:200])
