"""moto's own WSGI application, asked in process for what it does as AWS does."""

import threading
from collections.abc import Callable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from awsfed_lib.sandbox.amazon.wire import Answer, Call, replay


class Moto:
    """The application, made at the first request: moto's server part is slow to import."""

    def __init__(self) -> None:
        self._app: Callable[..., Any] | None = None
        self._lock = threading.Lock()

    def answer(self, call: Call, account_id: str) -> Answer:
        """Carry one request out in that account, whoever signed it."""
        with self._lock:
            if self._app is None:
                self._app = DomainDispatcherApplication(create_backend_app)
        environ = replay(call) | {"HTTP_X_MOTO_ACCOUNT_ID": account_id}
        chunks, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        return Answer(b"".join(chunks), int(status.split()[0]), headers.get("Content-Type", "text/xml"))
