"""Sending the requests of a plan, and judging the answers: done, refused, or unknown until the live state was read.

No request is repeated while it may have been carried out: only after an answer that says it was not (too many requests,
a concurrent write, a replica that does not know an object yet) or when no connection came about at all. A request that
replaces a collection is compared with the live state again after every wait, since somebody may have written meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from awsfed_lib.core.change import Request
from awsfed_lib.core.errors import SignInError
from awsfed_lib.core.outcome import Answer
from awsfed_lib.edges.entra.batch import SIZE, exchange
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.pace import Exhausted, Pace
from awsfed_lib.edges.entra.refusals import Refusal, explain
from awsfed_lib.edges.entra.transport import Call, Reply, Transport, words

Again = Literal["", "busy", "lag"]
FATES: Mapping[str, Literal["refused", "unknown"]] = {"exists": "unknown", "gone": "unknown"}
AGAIN: Mapping[str, Again] = {"busy": "busy", "lag": "lag"}


class Verdict(NamedTuple):
    """The answer to one request, and whether sending it again can help: "" no, busy, lag (of a replica)."""

    answer: Answer
    again: Again = ""


@dataclass(frozen=True)
class Delivery:
    """How requests are sent: `lag` are the pauses for slow replicas, `still` says whether what a request expects is live."""

    transport: Transport
    lag: tuple[float, ...]
    still: Callable[[Request], bool]

    def send(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request, in order. Raises WriteForbidden for a request that no plan holds, and nothing else."""
        chunks = (requests[start : start + SIZE] for start in range(0, len(requests), SIZE))
        return [answer for chunk in chunks for answer in self._settle(chunk)]

    def _settle(self, requests: Sequence[Request]) -> list[Answer]:
        pace, lag = Pace(self.transport.clock, self.transport.limits), iter(self.lag)
        answers: dict[int, Answer] = {}
        pending = dict(enumerate(requests))
        while pending:
            replies = self._post(list(pending.values()))
            verdicts = {index: judge(pending[index], reply) for index, reply in zip(pending, replies, strict=True)}
            answers |= {index: verdict.answer for index, verdict in verdicts.items()}
            again = {index: verdict.again for index, verdict in verdicts.items() if verdict.again}
            stopped = self._pause((pace, lag), set(again.values()), replies) if again else ""
            left = {index: stopped or self._moved(requests[index]) for index in again}
            answers |= {index: _told_more(answers[index], why) for index, why in left.items() if why}
            pending = {index: requests[index] for index, why in left.items() if not why}
        return [answers[index] for index in range(len(requests))]

    def _pause(self, waits: tuple[Pace, Iterator[float]], again: set[str], replies: Sequence[Reply | Lost]) -> str:
        """Wait before the next try; why there is none, else ""."""
        pace, lag = waits
        try:
            seconds = pace.pause(self.transport.asked(replies)) if "busy" in again else next(lag, None)
        except Exhausted as over:
            return str(over)
        if seconds is None:
            return "It stayed so."
        self.transport.wait(seconds)
        return ""

    def _moved(self, request: Request) -> str:
        return "" if self.still(request) else "Meanwhile the live state changed, so it was not sent again."

    def _post(self, requests: Sequence[Request]) -> Sequence[Reply | Lost]:
        """Send once: one request by itself, several as a batch."""
        calls = [Call(request.method, request.path, request.body, request.headers) for request in requests]
        if len(calls) == 1 or any(call.path.startswith("/beta/") for call in calls):
            return [self._attempt(call) for call in calls]
        try:
            return exchange(self.transport, calls)
        except SignInError as refusal:
            return [Lost(str(refusal), "barred")] * len(calls)

    def _attempt(self, call: Call) -> Reply | Lost:
        try:
            return self.transport.attempt(call)
        except SignInError as refusal:
            return Lost(str(refusal), "barred")


def judge(request: Request, reply: Reply | Lost) -> Verdict:
    """Tell what an answer to a write says.

    2xx: done. 5xx, or no whole answer: unknown. "Already exists" and "not found" to a DELETE: unknown, since the first
    sending may have been ours. Anything else: refused, now or after waiting.
    """
    if isinstance(reply, Lost):
        return _judge_lost(reply)
    if reply.status < 300:  # noqa: PLR2004  HTTP: success
        return Verdict(Answer("done", reply.status, request_id=reply.request_id, object_id=_made(reply.document or {})))
    code, message = words(reply)
    known = explain(reply.status, code, message)
    told = _told(reply.status, (code, message), known)
    if reply.status >= 500 or (reply.status == 404 and request.method == "DELETE"):  # noqa: PLR2004  HTTP
        return Verdict(Answer("unknown", reply.status, told, reply.request_id))
    return Verdict(Answer(FATES.get(known.kind, "refused"), reply.status, told, reply.request_id), AGAIN.get(known.kind, ""))


def _made(answer: Mapping[str, Any]) -> str:
    """Return the id of what was made: of an instance its service principal's, of a signing certificate (which has none) the thumbprint."""
    principal = answer.get("servicePrincipal")
    made = principal if isinstance(principal, dict) else answer
    return str(made.get("id") or made.get("thumbprint") or "")


def _judge_lost(reply: Lost) -> Verdict:
    if reply.stage == "unknown":
        return Verdict(Answer("unknown", 0, reply.reason))
    return Verdict(Answer("refused", 0, f"Nothing was sent. {reply.reason}"), "busy" if reply.stage == "unsent" else "")


def _told(status: int, said: tuple[str, str], known: Refusal) -> str:
    code, message = said
    parts = [f"{status} {code}".strip() + (f": {message}" if message else ""), known.cause, f"Next: {known.remedy}" if known.remedy else ""]
    return " ".join(part for part in parts if part)


def _told_more(answer: Answer, why: str) -> Answer:
    return answer._replace(detail=f"{answer.detail} {why}")
