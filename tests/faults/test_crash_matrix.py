"""The run dies at every request boundary, on both sides of it, in every kind of plan; then the runbook is run again.

AWSFED_CRASH_CASES: how many cases at least (a small sample by default; `make faults` asks for more than 20,000). Each
case: a world made from a seed, replicas that lag, one death, a journal on disk, and as many further runs as it takes.
"""

from __future__ import annotations

import math
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fake_service import FakeService, Stop
from shapes import SHAPES, Case, Tables, remembered

from awsfed_lib.core.errors import StalePlan
from awsfed_lib.edges.records import journal
from awsfed_lib.edges.records.journal import Journal
from awsfed_lib.edges.records.lock import Locks

CASES = int(os.environ.get("AWSFED_CRASH_CASES", "200"))
SIDES = ("before", "after", "answered")
RUNS = 15
SHARES = {name: 0.25 if name == "big" else 1.0 for name in SHAPES}  # a big case takes as long as many small ones


def quota_of(shape):
    return math.ceil(CASES * SHARES[shape] / sum(SHARES.values()))


class Mortal(Journal):
    """A journal of a process that may be dead: then it takes nothing any more."""

    dead = False
    dies_after_answer = -1
    answers = 0

    def note(self, event, **fields):
        if self.dead:
            raise Stop
        super().note(event, **fields)
        if event == "answer":
            if self.answers == self.dies_after_answer:
                raise Stop
            self.answers += 1

    def die(self, torn):
        """Leave what a power cut leaves: what was written, and perhaps half a line more."""
        os.lseek(self._descriptor, 0, os.SEEK_END)
        os.write(self._descriptor, torn)
        os.close(self._descriptor)


class Watched(FakeService):
    """Looks after every request whether everybody who must be able to sign in still is."""

    def __init__(self, case: Case, *, lag: int, seed: int) -> None:
        super().__init__(case.world, lag=lag, seed=seed)
        self.case, self.lost = case, set()

    def _one(self, request):
        try:
            return super()._one(request)
        finally:
            self.lost |= self.case.stay - emitted(self.world)

    def tables(self) -> Tables:
        """Read as a run reads, from any replica."""
        return Tables(*(self._replica(name) for name in ("app_roles", "assignments", "groups")))


def emitted(world):
    """What Entra ID would put into SAML responses: a disabled role is emitted as well, one that is gone is not."""
    ids = {entry["id"] for entry in world.tables["app_roles"]}
    return {(row["app_role_id"], row["principal_id"]) for row in world.tables["assignments"] if row["app_role_id"] in ids}


def end_of(world):
    return {table: sorted(world.facts(table)) for table in world.tables}


def run(service: Watched, folder: Path) -> str:
    """One run of the runbook, each with a record of its own beside the others, approving the id that is shown after them."""
    book = Mortal(folder, Locks(folder.parent / "locks", patience=0.0), lambda: datetime(2026, 11, 24, tzinfo=UTC))
    plan = service.case.plan(service.tables()).proposed("", book.approval)
    book.dies_after_answer = service.faults.pop("answered", -1)
    try:
        return plan.apply(service, approved=plan.id, journal=book).verdict
    except Stop:
        book.dead = True
        book.die(service.chance.choice((b"", b"{", b'{"at":"2026-11-24T', b"\x00" * 9)))
        return "died"
    except StalePlan:
        return "stale"
    finally:
        if not book.dead:
            book.close()


def check_journal(folder: Path, sent: int) -> None:
    """The journal can be read, and holds the intent of everything that left, and the plan before it."""
    lines = journal.read(folder)
    events = [line.event for line in lines]
    assert events.count("intent") >= sent
    if sent:
        assert events[0] == "plan"
        assert "snapshot" in events[: events.index("intent")]


def one_case(case: Case, seed: int, death: tuple[int, str], folder: Path) -> Watched:
    number, side = death
    service = Watched(case.again(), lag=seed % 4, seed=seed)
    service.faults = {"answered": number} if side == "answered" else {number: f"die {side}"}
    verdicts = []
    for attempt in range(RUNS):
        place = folder / str(attempt)
        place.mkdir()
        before = len(service.sent)
        verdicts.append(run(service, place))
        check_journal(place, len(service.sent) - before)
        if verdicts[-1] == "nothing to do" and not service.stale():
            break
    assert verdicts[-1] == "nothing to do", verdicts
    assert "died" in verdicts, verdicts
    return service


def calm(case: Case, seed: int, folder: Path) -> tuple[dict, int]:
    """The end without a death, and how many requests it takes."""
    service = Watched(case.again(), lag=0, seed=seed)
    folder.mkdir()
    assert run(service, folder) in ("applied", "nothing to do")
    assert not service.lost
    return end_of(service.world), len(service.sent)


def deaths(shape: str, quota: int, folder: Path) -> Iterator[tuple[Case, int, tuple[int, str], dict]]:
    """Give whole sweeps over every boundary and side, seed by seed; a small quota takes a sample of several seeds."""
    given, seed = 0, 0
    while given < quota:
        made = SHAPES[shape](seed)
        case = replace(made, plan=remembered(made.plan))
        end, requests = calm(case, seed, folder / f"calm-{seed}")
        sweep = [(number, side) for number in range(requests) for side in SIDES]
        if quota < 500:
            sweep = random.Random(seed).sample(sweep, min(len(sweep), 6))
        for death in sweep:
            yield case, seed, death, end
        given, seed = given + len(sweep), seed + 1


@pytest.fixture
def in_memory(tmp_path):
    """Give a folder in memory where there is one: what is written is the same, and waiting for a disk proves nothing here."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("shape", SHAPES)
def test_b1_a_run_that_dies_anywhere_is_finished_by_the_next(shape, in_memory):
    """F1, I16: 0 assignments lost, 0 duplicated, 0 wrong ends, and the journal can always be read."""
    cases = 0
    for case, seed, death, end in deaths(shape, quota_of(shape), in_memory):
        place = in_memory / f"{cases}"
        place.mkdir()
        service = one_case(case, seed, death, place)
        told = f"{shape}, seed {seed}, death {death}"
        assert not service.lost, f"{told}: lost {service.lost}"
        assert end_of(service.world) == end, told
        assert max(Counter(service.world.facts("assignments")).values(), default=1) == 1, told
        assert max(Counter(row["unique_name"] for row in service.world.tables["groups"]).values(), default=1) == 1, told
        cases += 1
        shutil.rmtree(place)
    print(f"{shape}: {cases} cases, 0 lost, 0 duplicated, 0 wrong ends")  # pytest -rP shows it
