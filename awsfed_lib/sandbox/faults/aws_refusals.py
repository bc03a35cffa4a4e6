"""What AWS says when it cannot: throttling, an internal failure, an outage, credentials that have run out.

Codes: docs.aws.amazon.com IAM APIReference CommonErrors. `…-applied` carries the request out first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from awsfed_lib.sandbox.amazon.wire import AwsError
from awsfed_lib.sandbox.amazon.wire import refusal as refused
from awsfed_lib.sandbox.faults.broken import Reply
from awsfed_lib.sandbox.faults.passage import Passage
from awsfed_lib.sandbox.faults.plan import Mode

WORDS: Mapping[str, tuple[str, str, int]] = MappingProxyType({
    "throttling": ("Throttling", "Rate exceeded", 400),
    "500": ("ServiceFailure", "The request processing has failed because of an unknown error, exception or failure.", 500),
    "503": ("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", 503),
    "expired": ("ExpiredToken", "The security token included in the request is expired", 403),
    "denied": ("AccessDenied", "User is not authorized to perform this operation", 403),
})  # fmt: skip


def _service(passage: Passage) -> str:
    """The service by the scope of the signature; its protocol decides the form of the refusal."""
    known = (name for name in ("organizations", "sts", "iam") if f"/{name}/aws4_request" in passage.token)
    return next(known, "sts")


def _reply(passage: Passage, name: str) -> Reply:
    answer = refused(_service(passage), AwsError(*WORDS[name]))
    headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
    return Reply(f"{answer.status} Refused", headers, answer.body)


def _instead(name: str) -> Mode:
    return lambda passage: _reply(passage, name)


def _after(name: str) -> Mode:
    def mode(passage: Passage) -> Reply:
        passage.forward()
        return _reply(passage, name)

    return mode


MODES: Mapping[str, Mode] = MappingProxyType(
    {name: _instead(name) for name in WORDS} | {f"{name}-applied": _after(name) for name in ("500", "503")}
)
