"""IAM is late: a read may repeat what it said before a write, and what was just made may not be found yet.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html, "Changes that I make are not always immediately visible"; seconds as a
rule, a minute at worst (hashicorp/terraform-provider-aws#6566).
"""

import threading
from collections.abc import Callable
from typing import Any

from awsfed_lib.sandbox.amazon.switches import AwsSwitches
from awsfed_lib.sandbox.amazon.wire import Answer, AwsError, Call

NAMES = ("RoleName", "SAMLProviderArn")


class Replica:
    """What one account's IAM shows late: `stale` reads to come repeat the last answer, `unborn` objects are not found yet."""

    def __init__(self) -> None:
        self._seen: dict[Any, Answer | AwsError] = {}
        self._stale = 0
        self._unborn: dict[str, int] = {}
        self._lock = threading.Lock()

    def require_born(self, call: Call) -> None:
        """Raise AwsError NoSuchEntity while what the call names was made a moment ago."""
        name = next((call.text(key) for key in NAMES if key in call.params), "")
        with self._lock:
            left = self._unborn.get(name, 0)
            if call.action.startswith("Create") or not left:
                return
            self._unborn[name] = left - 1
        raise AwsError("NoSuchEntity", f"{name} cannot be found.", 404)

    def read(self, call: Call, fresh: Callable[[], Answer], switches: AwsSwitches) -> Answer:
        """Answer a read, or repeat what this replica said before the last write, a refusal included."""
        if not switches.stale_reads:
            return fresh()
        key = (call.action, tuple(sorted((name, str(value)) for name, value in call.params.items())))
        with self._lock:
            repeated = self._seen.get(key) if self._stale else None
            self._stale -= repeated is not None
        if isinstance(repeated, AwsError):
            raise repeated
        return repeated or self._answered(key, fresh)

    def _answered(self, key: Any, fresh: Callable[[], Answer]) -> Answer:
        try:
            answer = fresh()
        except AwsError as refused:
            self._seen[key] = refused
            raise
        self._seen[key] = answer
        return answer

    def wrote(self, made: str, switches: AwsSwitches) -> None:
        """Take note of a write that was carried out; `made` is the name of what it created, "" for nothing."""
        with self._lock:
            self._stale = switches.stale_reads
            if made:
                self._unborn[made] = switches.create_lag
