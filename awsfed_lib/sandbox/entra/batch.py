"""JSON batching (docs-contrib concepts/json-batching.md): up to 20 requests, answered in any order, each throttled for itself."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from awsfed_lib.sandbox.entra.query import ODATA
from awsfed_lib.sandbox.entra.refusals import Refusal, bad_request
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.wire import Answer, Ask

MOST_STEPS = 20
KEPT_HEADERS = ("authorization", "client-request-id", "user-agent")
Step = Mapping[str, Any]


def batch(call: Call) -> Answer:
    """POST /$batch: 200 with an answer per request, in an order that follows from the seed."""
    steps = _steps(call.body)
    answers: dict[str, dict[str, Any]] = {}
    for step in _in_order(steps):
        answers[step["id"]] = _answer(call, step, answers)
    shuffled = list(answers.values())
    random.Random(f"{call.tenant.switches.seed}/{sorted(answers)}").shuffle(shuffled)
    return Answer(200, {"responses": shuffled}, ODATA)


def _answer(call: Call, step: Step, answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The answer of one step; 424 when a step that it depends on failed."""
    if any(answers[name]["status"] >= 400 for name in step.get("dependsOn") or ()):
        return _packed(step["id"], Answer(424, Refusal(424, "FailedDependency", "Failed dependency").body({}), ODATA))
    return _packed(step["id"], call.send(_ask(call, step)))


def _ask(call: Call, step: Step) -> Ask:
    """The step as a request of its own; of the envelope it has who asks, and nothing that says how (ConsistencyLevel is the step's own)."""
    given = {name.lower(): value for name, value in (step.get("headers") or {}).items()}
    headers = {name: call.ask.headers[name] for name in KEPT_HEADERS if name in call.ask.headers}
    body = json.dumps(step["body"]).encode() if step.get("body") is not None else b""
    target = f"/{call.version}/{_relative(call, step['url']).lstrip('/')}"
    return Ask(step["method"].upper(), target, {**headers, **given}, body, call.ask.root)


def _packed(key: str, answer: Answer) -> dict[str, Any]:
    headers = {name: value for name, value in answer.headers.items() if name.lower() in ("content-type", "retry-after", "location")}
    packed: dict[str, Any] = {"id": key, "status": answer.status, "headers": {"Cache-Control": "no-cache", **headers}}
    if answer.body is not None:
        packed["body"] = answer.body
    return packed


def _steps(body: Mapping[str, Any]) -> list[Step]:
    """The requests of the envelope. Raises Refusal (400 for the whole batch) for one that is not well formed."""
    steps = body.get("requests")
    if not isinstance(steps, list) or not steps or not all(_well_formed(step) for step in steps):
        raise bad_request("Invalid batch payload format.", "BadRequest")
    if len(steps) > MOST_STEPS:
        text = f"Number of batch request steps exceeds the maximum value of {MOST_STEPS}."
        raise bad_request(text, "MaximumValueExceeded")
    if len({step["id"] for step in steps}) < len(steps):
        raise bad_request("Request ids in a batch must be unique.", "BadRequest")
    for step in steps:
        _refuse_untyped_body(step)
    return steps


def _well_formed(step: Any) -> bool:
    texts = isinstance(step, dict) and all(isinstance(step.get(name), str) for name in ("id", "method", "url"))
    return texts and "$batch" not in step["url"]


def _relative(call: Call, url: str) -> str:
    """The URL without scheme, host and version: msgraph-core's batch builder sends absolute ones, and Graph answers them.

    Raises Refusal for one that leads elsewhere than to this service.
    """
    if "://" not in url:
        return url
    if not url.startswith(f"{call.base}/") and not url.startswith(f"https://graph.microsoft.com/{call.version}/"):
        raise bad_request("Invalid batch payload format.", "BadRequest")
    return url.split("://", 1)[1].split("/", 2)[2]


def _refuse_untyped_body(step: Step) -> None:
    names = {name.lower() for name in step.get("headers") or {}}
    writes = step["method"].upper() in ("POST", "PATCH", "PUT")
    if writes and (step.get("body") is None or "content-type" not in names):
        raise bad_request(f"Write request id : {step['id']} does not contain Content-Type header or body.", "BadRequest")


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """Every step after those that it depends on. Raises Refusal for ids that do not exist and for circles."""
    done: dict[str, Step] = {}
    waiting = list(steps)
    while waiting:
        ready = [step for step in waiting if set(step.get("dependsOn") or ()) <= set(done)]
        if not ready:
            raise bad_request("Invalid dependsOn: a request depends on an id that does not exist or on itself.", "BadRequest")
        done |= {step["id"]: step for step in ready}
        waiting = [step for step in waiting if step["id"] not in done]
    return list(done.values())


ROUTES = (Route("POST", "$batch", batch),)
