"""What a kernel says passes here, and leaves without the secrets that it holds: outputs, tracebacks, logs, widgets.

Everything that ipykernel sends to a front end goes through one `Session.send` (jupyter-client.readthedocs.io messaging):
streams, displays, results, errors, the echo of a cell, the state of widgets. So JupyterLab, papermill and `awsfed run` are
all served, and none of them can save what never came.

Only under `awsfed run`, whose channel is private to the two processes, the values themselves go to the runner as well,
in memory: a kernel may die before it can look through its own record, and the runner then does it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from awsfed_lib.core.plan import Plan
from awsfed_lib.core.settings.disguises import SHORTEST
from awsfed_lib.core.settings.secrecy import masked
from awsfed_lib.core.view.escape import LIMIT
from awsfed_lib.edges.records import held, leaks
from awsfed_lib.edges.records.needles import Needles
from awsfed_lib.edges.records.opening import FOLDER_VARIABLE

HELD = "awsfed_held"
LONGEST_PAGE = 20_000_000
"""Characters of a plan as a page; a browser takes seconds for it."""
_MARK = "_awsfed_outlet"


class Cleaner:
    """Takes secrets out of texts: those known by value, as `values` gives them now, and those known by their form."""

    def __init__(self, values: Callable[[], frozenset[str]]) -> None:
        self._values, self._known, self._needles = values, frozenset[str](), Needles(())
        self._seen: set[int] = set()

    def text(self, text: str) -> str:
        """Return `text` without secrets; text without any comes back as it is, and is not searched again."""
        known = self._values()
        if known != self._known:
            self._known, self._needles = known, Needles(known)
            self._seen.clear()
        if len(text) < SHORTEST or hash(text) in self._seen:
            return text
        content = text.encode("utf-8", "surrogatepass")
        hits = leaks.find(content, self._needles)
        if hits:
            return leaks.without(content, hits).decode("utf-8", "surrogatepass")
        self._seen.add(hash(text))
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without secrets, however deep they are."""
        return leaks.each_text(value, self.text)


def unreadable(plan: Plan) -> tuple[str, ...]:
    """Say why a plan cannot be read whole where it is shown, and so cannot be approved; () when it can.

    What looks like a secret in what is removed, disabled or kept is masked and counted, and identified by its ids: otherwise whoever
    names a group could keep it from being revoked. Nothing is given to, or made with, a name that nobody can read.
    """
    page = str(plan._repr_mimebundle_()["text/html"])
    hits = leaks.find(page.encode("utf-8", "surrogatepass"), Needles(held.held()))
    content = page.encode("utf-8", "surrogatepass")
    given = [change for change in plan.changes if change.action in ("add", "update")]
    long = [text for part in (*given, *plan.losses) for text in part if len(text) > LIMIT]
    reasons = {
        "It holds a secret of this run.": any(hit.kind == leaks.KNOWN for hit in hits),
        "A part of it looks like a secret and is masked, with what stands after it.": any(
            b"</" in content[hit.span.start : hit.span.end] for hit in hits
        ),
        "Something is added or changed under a name that looks like a secret and is masked: rename it.": bool(
            masked(text for change in given for text in change)
        ),
        f"A text in it is longer than the {LIMIT:,} characters that are shown.": bool(long),
        f"It is too long to be shown: {len(page):,} characters.": len(page) > LONGEST_PAGE,
    }
    return tuple(f"The plan cannot be read whole: {reason}" for reason, holds in reasons.items() if holds)


def guard() -> None:
    """Let everything that this kernel says pass through here from now on; outside of a kernel there is nothing to do."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    held.hold(*held.of_environment(os.environ))
    if kernel is not None and not hasattr(kernel.session, _MARK):
        setattr(kernel.session, _MARK, True)
        kernel.session.send = _Send(kernel)
        _close_other_ways(sys.stdout, sys.stderr)


def _close_other_ways(*streams: object) -> None:
    """Let what is written past the streams, by os.write or an inherited process, leave by messages only.

    ipykernel reads it from a pipe, sends it, and writes it to the terminal of whoever started the kernel as well, as it is.
    """
    for stream in streams:
        copy = getattr(stream, "_original_stdstream_copy", None)
        if isinstance(copy, int):
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), copy)


class _Send:
    """Stands in for `Session.send` of one kernel."""

    def __init__(self, kernel: Any) -> None:
        self._send, self._kernel, self._told = kernel.session.send, kernel, frozenset[str]()
        self._cleaner = Cleaner(held.held)
        self._private = bool(os.environ.get(FOLDER_VARIABLE))

    def __call__(self, stream: Any, msg_or_type: Any, content: Any = None, *more: Any, **options: Any) -> Any:
        if isinstance(msg_or_type, Mapping):
            message = {**msg_or_type, "content": self._cleaner.value(msg_or_type.get("content"))}
            self._tell(message.get("parent_header"))
            return self._send(stream, message, content, *more, **options)
        self._tell(more[0] if more else options.get("parent"))
        return self._send(stream, msg_or_type, self._cleaner.value(content), *more, **options)

    def _tell(self, parent: Any) -> None:
        """Tell the runner what is held since the last message, ahead of the message that may show it."""
        new = held.held() - self._told if self._private else None
        if new:
            self._told |= new
            # Only the header of a parent counts, and nbclient drops what belongs to no cell.
            header = parent if not isinstance(parent, Mapping) or "header" in parent else {"header": parent}
            self._send(self._kernel.iopub_socket, HELD, {"secrets": sorted(new)}, parent=header)
