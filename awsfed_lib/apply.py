"""The apply protocol: approval, lock, drift, snapshot, intent before each send, reading back, verification.

Order and reasons: nothing is sent without a lock, an unchanged live state and a snapshot on disk; a request without an
answer is indeterminate, so the object is read before anything is sent again; a replacing PATCH is compared with the live
table right before it goes out; and "applied" is said only after several reads in a row agree, since Entra's replicas
answer late (devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from typing import NamedTuple, Protocol

from awsfed_lib.change import Basis, Request, Settled
from awsfed_lib.errors import AwsfedError, StalePlan
from awsfed_lib.outcome import Answer, Sent

RESENDS = 3


class Patience(NamedTuple):
    """How long to wait for replicas: `reads` in a row must agree; `pauses` are the seconds between reads."""

    reads: int
    pauses: tuple[float, ...]


class Service(Protocol):
    """What a plan is applied to: Graph, or the accounts of an organisation."""

    realm: str
    patience: Patience

    def live(self, table: str, of: str) -> tuple[str, ...]:
        """The facts of a live table, complete; raises UnreadError when it did not come back whole."""

    def snapshot(self, table: str, of: str) -> bytes:
        """The live table as the service sends it, to restore from."""

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests that do not depend on each other; one answer each, in order. Never raises for an answer."""

    def permit(self, requests: Sequence[Request]) -> AbstractContextManager[None]:
        """Let exactly these requests through the transport while the context is open."""

    def wait(self, seconds: float) -> None:
        """Wait."""


class Journal(Protocol):
    """The write-ahead record of one run. Each call returns only when its line is on disk."""

    def note(self, event: str, **fields: object) -> None:
        """Append one line."""

    def keep(self, name: str, content: bytes) -> None:
        """Keep a snapshot."""

    def hold(self, key: str) -> AbstractContextManager[None]:
        """Hold the lock of one subject; raises LockedError when another run has it."""


def agree(service: Service, seen: Callable[[], bool], reads: int) -> bool:
    """Whether `seen` held `reads` times in a row before patience ran out; an unreadable answer counts as not seen."""
    streak = 0
    for seconds in (0.0, *service.patience.pauses):
        if seconds:
            service.wait(seconds)
        streak = streak + 1 if _seen(seen) else 0
        if streak == reads:
            return True
    return False


def _seen(seen: Callable[[], bool]) -> bool:
    try:
        return seen()
    except AwsfedError:
        return False


def matches(service: Service, basis: Basis) -> bool:
    """Whether the live table agrees with `basis` now."""
    return Basis.over(basis.table, basis.of, service.live(basis.table, basis.of)) == basis


def refuse_drift(service: Service, bases: Sequence[Basis]) -> None:
    """Raise StalePlan when a live table is no longer what the plan was computed from."""
    for basis in bases:
        if not matches(service, basis):
            raise StalePlan(
                f"The live {basis.table} changed after the plan was made; nothing was sent.",
                where=basis.of,
                remedy="Run the runbook again, look at the new plan, and approve its id.",
            )


def send_all(requests: Sequence[Request], service: Service, journal: Journal) -> Iterator[Sent]:
    """Carry out the requests in order, wave by wave; stop at the first that fails and yield the rest as not sent."""
    written: set[tuple[str, str]] = set()
    stopped = False
    for _, wave in groupby(requests, key=lambda request: request.wave):
        together = list(wave)
        if stopped:
            yield from (Sent(request, "not sent") for request in together)
            continue
        results = _carry_out(together, service, journal, written)
        yield from results
        written |= {(request.settled.table, request.settled.of) for request in together}
        stopped = any(sent.fate not in ("sent", "adopted") for sent in results)


def _carry_out(wave: list[Request], service: Service, journal: Journal, written: set[tuple[str, str]]) -> list[Sent]:
    """One wave: compare, note the intent, send, note the answer; read back what has no clear answer, and send that again."""
    fates: dict[Request, Sent] = {}
    pending = wave
    for _ in range(RESENDS):
        moved = [request for request in pending if not _as_expected(request, service, written)]
        fates |= {request: Sent(request, "refused", detail=_moved(request)) for request in moved}
        pending = [request for request in pending if request not in moved]
        if not pending:
            break
        fates |= {sent.request: sent for sent in _send(pending, service, journal)}
        unknown = [request for request in pending if fates[request].fate == "indeterminate"]
        settled = _read_back(unknown, service)
        fates |= {request: fates[request]._replace(fate="adopted") for request in settled}
        pending = [request for request in unknown if request not in settled]
    return [fates[request] for request in wave]


def _as_expected(request: Request, service: Service, written: set[tuple[str, str]]) -> bool:
    """After our own write to the same table several reads must agree: a replica may still show the state before it."""
    expects = request.expects
    if expects is None:
        return True
    own = (expects.table, expects.of) in written
    return agree(service, lambda: matches(service, expects), service.patience.reads if own else 1)


def _moved(request: Request) -> str:
    table = request.expects.table if request.expects else ""
    return f"The live {table} changed while the plan was being carried out; this request was not sent."


def _send(wave: list[Request], service: Service, journal: Journal) -> list[Sent]:
    for request in wave:
        journal.note("intent", method=request.method, path=request.path, body=request.body)
    answers = service.send(wave)
    fates = {"done": "sent", "refused": "refused", "unknown": "indeterminate"}
    results = [
        Sent(request, fates[answer.fate], answer.status, answer.detail, answer.request_id)  # type: ignore[arg-type]
        for request, answer in zip(wave, answers, strict=True)
    ]
    for sent in results:
        journal.note("answer", path=sent.request.path, fate=sent.fate, status=sent.status, request_id=sent.request_id, detail=sent.detail)
    return results


def _read_back(unknown: list[Request], service: Service) -> list[Request]:
    """Those of the requests without a clear answer that the live state shows as carried out."""
    found = [request for request in unknown if agree(service, lambda r=request: _holds(service, r.settled), 1)]  # type: ignore[misc]
    return found


def _holds(service: Service, settled: Settled) -> bool:
    return settled.holds(service.live(settled.table, settled.of))


def verified(service: Service, goal: Sequence[Basis]) -> bool:
    """Whether the live tables agree with the goal of the plan, several reads in a row."""
    return agree(service, lambda: all(matches(service, basis) for basis in goal), service.patience.reads)
