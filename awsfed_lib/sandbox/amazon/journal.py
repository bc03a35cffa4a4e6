"""What was asked of the AWS side, for assertions; never a secret, a token or a body."""

import hashlib
from collections import deque
from typing import Any

from awsfed_lib.sandbox.amazon.credentials import Identity
from awsfed_lib.sandbox.amazon.wire import Call


class Journal:
    """The last 100,000 requests."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=100_000)

    def write(self, environ: dict[str, Any], call: Call | None, caller: Identity | None, outcome: tuple[int, str]) -> None:
        """Note one request: method, path, service, action, account, caller, status, error code, SHA-256 of the body, signed or not."""
        self._entries.append(
            {
                "method": environ["REQUEST_METHOD"],
                "path": environ.get("PATH_INFO", "/"),
                "service": call.service if call else "",
                "action": call.action if call else "",
                "account": caller.account_id if caller else "",
                "caller": caller.arn if caller else "",
                "status": outcome[0],
                "error": outcome[1],
                "body_sha256": hashlib.sha256(call.body).hexdigest() if call else "",
                "authorization": "HTTP_AUTHORIZATION" in environ,
            },
        )

    def entries(self) -> list[dict[str, Any]]:
        """All entries, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Forget them."""
        self._entries.clear()
