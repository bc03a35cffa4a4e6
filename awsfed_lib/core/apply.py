"""The apply protocol: approval, lock, drift, snapshot, intent before each send, reading back, verification.

Order and reasons: nothing is sent without a lock, an unchanged live state and a snapshot on disk; a request without an
answer is indeterminate, so the object is read before anything is sent again; a replacing PATCH is compared with the live
table right before it goes out; and "applied" is said only after several reads in a row agree, since Entra's replicas
answer late (devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra).

What cannot be sent twice without making a second object (an application, a certificate, a claims policy) is sent once in all
runs: before it, the journals of the earlier runs are read, and an object that was sent and is not seen yet is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple, Protocol, runtime_checkable

from awsfed_lib.core.change import Basis, Request, Settled, Tolerance
from awsfed_lib.core.errors import AwsfedError, PlanError, StalePlan, WriteForbidden
from awsfed_lib.core.outcome import Answer, Fate, Sent

RESENDS = 3
LAG_BOUND = timedelta(hours=1)
"""After this time a replica is taken to show every write. Terraform's provider waits up to 12 minutes for a group, and users of it
report more than 20 (github.com/hashicorp/terraform-provider-azuread issues 1802 and 1811); no document of Microsoft gives a bound."""
APPROVAL_HOLDS = timedelta(days=7)  # a change board meets once a week; an approval that is left in a file is not for ever
FATES: Mapping[str, Fate] = {"done": "sent", "refused": "refused", "unknown": "indeterminate"}


class Patience(NamedTuple):
    """How long to wait for replicas: `reads` in a row must agree; `pauses` are the seconds between reads.

    `bound`: the time after which every replica is taken to show a write.
    """

    reads: int
    pauses: tuple[float, ...]
    bound: timedelta = LAG_BOUND


class Service(Protocol):
    """What a plan is applied to: Graph, or the accounts of an organisation."""

    realm: str
    patience: Patience

    def live(self, table: str, of: str) -> tuple[str, ...]:
        """Read the facts of a live table, complete; raises UnreadError when it did not come back whole."""

    def snapshot(self, table: str, of: str) -> bytes:
        """Read the live table as the service sends it, to restore from."""

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """Send requests that do not depend on each other; one answer each, in order. Never raises for an answer."""

    def permit(self, requests: Sequence[Request]) -> AbstractContextManager[None]:
        """Let exactly these requests through the transport while the context is open."""

    def wait(self, seconds: float) -> None:
        """Wait."""


@runtime_checkable
class Wide(Protocol):
    """A service over many accounts, which reads several live tables at once where it is told beforehand."""

    def together(self, keys: Sequence[tuple[str, str]]) -> AbstractContextManager[None]:
        """Read these (table, of) now, beside each other; the next `live` or `snapshot` of each in the context takes what was read."""


def together(service: Service, bases: Iterable[Basis | Settled]) -> AbstractContextManager[None]:
    """Let a wide service read these tables at once; another one reads them when it is asked."""
    keys = sorted({(basis.table, basis.of) for basis in bases})
    return service.together(keys) if isinstance(service, Wide) and len(keys) > 1 else nullcontext()


class Sending(NamedTuple):
    """An earlier sending of a request that creates an object, of which no journal says that it was refused.

    `run`: the record; `age`: how long ago it was sent; `object_id`: the id that the answer gave, "" when no answer was seen.
    """

    run: str
    age: timedelta
    object_id: str


class Approval(NamedTuple):
    """What is known of the approval of an id.

    `age`, `last`: how long ago it was shown first and last; `spent`: the run that used it, "" for none.
    """

    age: timedelta
    last: timedelta
    spent: str = ""

    @property
    def over(self) -> bool:
        """Whether it was used, or is too old: then the same plan gets another id."""
        return bool(self.spent) or self.age > APPROVAL_HOLDS


class Journal(Protocol):
    """The write-ahead record of one run of `runbook`. Each call returns only when its line is on disk."""

    runbook: str

    def note(self, event: str, **fields: object) -> None:
        """Append one line."""

    def keep(self, name: str, content: bytes) -> None:
        """Keep a snapshot."""

    def approval(self, plan_id: str) -> Approval:
        """Tell how long ago the id was shown to be approved, and whether a run used it."""

    def sent_before(self, realm: str, creates: str) -> Sequence[Sending]:
        """Find the earlier sendings of what a request `creates`, in the journals of all runs. Raises RecordError for an unreadable one."""

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
    with together(service, bases):
        pairs = [(basis, Basis.over(basis.table, basis.of, service.live(basis.table, basis.of))) for basis in bases]
    for basis, now in pairs:
        if now != basis:
            raise StalePlan(
                f"The live {basis.table} changed after the plan was made ({basis.count} then, {now.count} now); nothing was sent.",
                where=basis.of,
                remedy="Run the runbook again, look at the new plan, and approve its id.",
            )


def refuse_sent_before(plan_id: str, requests: Sequence[Request], service: Service, journal: Journal) -> None:
    """Raise PlanError (code sent-not-seen) when the plan would create what an earlier run has sent and nothing shows yet."""
    if words := sent_not_seen(plan_id, requests, service, journal):
        raise PlanError(
            " ".join(words),
            code="sent-not-seen",
            remedy="Wait some minutes and run the runbook without an approval: once Entra ID shows the object, the plan goes on with it. "
            f"If it is still missing {service.patience.bound} (h:mm:ss) after that sending, approve the plan that is shown then.",
        )


def sent_not_seen(plan_id: str, requests: Sequence[Request], service: Service, journal: Journal) -> list[str]:
    """Say which creations of the plan an earlier run has sent already, and why they cannot be sent again.

    A sending is ruled out when the object is not there by its id, and the plan was shown to a person more than `patience.bound` after it:
    the id of the plan stands for a live state without the object, so that state was then read twice.
    """
    return [
        words
        for request in requests
        if request.creates
        for sending in journal.sent_before(service.realm, request.creates)
        if (words := _not_ruled_out(request, sending, journal.approval(plan_id).last, service))
    ]


def _not_ruled_out(request: Request, sending: Sending, shown: timedelta, service: Service) -> str:
    """Say why an earlier sending forbids to send the request; "" when it does not. `shown`: how long ago the plan was shown."""
    minutes = int(sending.age.total_seconds() // 60)
    about = f"{request.creates} was sent {minutes} minutes ago by {sending.run}"
    if not sending.object_id:
        return "" if sending.age - shown > service.patience.bound else f"{about}; its answer was not seen, and it may have been made."
    about = f"{about}, and Entra ID answered with the id {sending.object_id}"
    if _there(request, sending.object_id, service):
        return f"{about}. It is there by this id, but the lists do not show it yet."
    return "" if sending.age - shown > service.patience.bound else f"{about}. It cannot be read yet."


def _there(request: Request, object_id: str, service: Service) -> bool:
    """Whether one of several reads shows the made object by its id; one that fails shows nothing, and raises."""
    reads = range(service.patience.reads if request.by_id else 0)
    return any(request.settled.holds(service.live(request.by_id, object_id)) for _ in reads)


def send_all(requests: Sequence[Request], service: Service, journal: Journal, tolerance: Tolerance = Tolerance()) -> Iterator[Sent]:  # noqa: B008  frozen
    """Carry out the requests in order, wave by wave; yield as not sent what comes after a failure.

    An account in which a request failed gets nothing more. The others go on as far as `tolerance` says: by default not
    at all. Graph is one such account.
    """
    failed: set[str] = set()
    for _, members in groupby(requests, key=lambda request: request.wave):
        wave = list(members)
        going = [] if tolerance.stops(failed) else [request for request in wave if request.account_id not in failed]
        results = {sent.request: sent for sent in (_carry_out(going, service, journal) if going else [])}
        yield from (results.get(request, Sent(request, "not sent")) for request in wave)
        failed |= {sent.request.account_id for sent in results.values() if sent.fate not in ("sent", "adopted")}


def _carry_out(wave: list[Request], service: Service, journal: Journal) -> list[Sent]:
    """One wave: compare, note the intent, send, note the answer; read back what has no clear answer, and send that again."""
    fates: dict[Request, Sent] = {}
    pending = wave
    for _ in range(RESENDS):
        with together(service, (basis for request in pending for basis in request.conditions)):
            ready = [request for request in pending if as_expected(request, service)]
        fates |= {request: _held_back(request, fates.get(request)) for request in pending if request not in ready}
        fates |= {sent.request: sent for sent in _send(ready, service, journal)}
        unknown = [request for request in pending if fates[request].fate == "indeterminate"]
        settled = _read_back(unknown, service)
        fates |= {request: fates[request]._replace(fate="adopted") for request in settled}
        pending = [request for request in unknown if request not in settled and not request.creates]
        if not pending:
            break
    return [fates[request] for request in wave]


def as_expected(request: Request, service: Service) -> bool:
    """Tell whether the live tables are those the request was made for.

    Several reads in a row must agree: one replica may still show the state before our last write, or before another's.
    """
    conditions = request.conditions
    return not conditions or agree(service, lambda: all(matches(service, basis) for basis in conditions), service.patience.reads)


def _held_back(request: Request, before: Sent | None) -> Sent:
    """Say that a request was not sent, because the live tables are not those it was made for."""
    tables = " or ".join(basis.table for basis in request.conditions)
    if before is None:
        return Sent(request, "refused", detail=f"The live {tables} changed, or could not be read, right before it; it was not sent.")
    return before._replace(detail=f"{before.detail} It was not sent again, since the live {tables} changed.".strip())


def _send(wave: list[Request], service: Service, journal: Journal) -> list[Sent]:
    if not wave:
        return []
    for request in wave:
        journal.note("intent", method=request.method, path=request.path, body=request.body, **_creation(request, service))
    results = [
        Sent(request, FATES[answer.fate], answer.status, answer.detail, answer.request_id, answer.object_id)
        for request, answer in zip(wave, _answers(wave, service), strict=True)
    ]
    for sent in results:
        fields = {"fate": sent.fate, "status": sent.status, "request_id": sent.request_id, "detail": sent.detail}
        creation = _creation(sent.request, service)
        journal.note("answer", path=sent.request.path, **fields, **creation, **({"object_id": sent.object_id} if creation else {}))
    return results


def _creation(request: Request, service: Service) -> dict[str, object]:
    """Give what `Journal.sent_before` finds the line of a creation by."""
    return {"creates": request.creates, "realm": service.realm} if request.creates else {}


def _answers(wave: list[Request], service: Service) -> list[Answer]:
    """Send; an error on the way (no credentials any more, no connection) leaves the whole wave without an answer."""
    try:
        return service.send(wave)
    except WriteForbidden:
        raise
    except AwsfedError as error:
        return [Answer("unknown", 0, error.what) for _ in wave]


def _read_back(unknown: list[Request], service: Service) -> list[Request]:
    """Those of the requests without a clear answer that the live state shows as carried out, given time to show."""
    found: list[Request] = []
    for seconds in (0.0, *service.patience.pauses):
        left = [request for request in unknown if request not in found]
        if not left:
            break
        if seconds:
            service.wait(seconds)
        found += _shown(left, service)
    return found


def _shown(requests: list[Request], service: Service) -> list[Request]:
    """Those of the requests that one reading of the live tables shows as carried out."""
    tables = {(request.settled.table, request.settled.of) for request in requests}
    with together(service, (request.settled for request in requests)):
        live = {key: _facts(service, *key) for key in sorted(tables)}
    return [request for request in requests if request.settled.holds(live[request.settled.table, request.settled.of])]


def _facts(service: Service, table: str, of: str) -> tuple[str, ...] | None:
    try:
        return service.live(table, of)
    except AwsfedError:
        return None


def verified(service: Service, goal: Sequence[Basis]) -> bool:
    """Whether the live tables agree with the goal of the plan, several reads in a row."""

    def seen() -> bool:
        with together(service, goal):
            return all(matches(service, basis) for basis in goal)

    return agree(service, seen, service.patience.reads)


def differences(service: Service, goal: Sequence[Basis]) -> str:
    """Say in numbers what one more reading finds in the tables that do not agree with the goal."""
    lines = []
    for basis in goal:
        facts = _facts(service, basis.table, basis.of)
        if facts is None:
            lines.append(f"{basis.table} could not be read")
        elif Basis.over(basis.table, basis.of, facts) != basis:
            lines.append(f"{basis.table}: {len(facts)} live, {basis.count} planned, and not the same")
    return "; ".join(lines) or "the last reading agreed, but not several in a row"
