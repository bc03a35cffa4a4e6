"""Errors of ours at a live notebook: a card that says what, where and what next, with the stack folded below it.

Only where somebody watches. An executed notebook keeps the error as Jupyter's own output, by which papermill and nbclient
see that a cell failed; the cell fails here as well, and no cell behind it runs.
"""

from __future__ import annotations

import traceback
from types import TracebackType
from typing import Any

from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.core.view.display import error_view
from awsfed_lib.core.view.markup import View, folded, output


def register(shell: Any) -> None:
    """Show errors of ours as cards in this kernel, from now on."""
    shell.set_custom_exc((AwsfedError,), _shown)


def _shown(shell: Any, _: type[BaseException], error: BaseException, trace: TracebackType | None, tb_offset: object = None) -> None:  # noqa: ARG001  IPython's
    shell._last_traceback = [str(error)]  # noqa: SLF001  what the kernel answers to the request; it has no other way
    shell.display_pub.publish(card(error, trace)._repr_mimebundle_())


def card(error: BaseException, trace: TracebackType | None) -> View:
    """Return the view of an error, with the lines of code that led to it."""
    view = error_view(error)
    stack = "".join(traceback.format_tb(_from_the_cell(trace)))
    below = output(folded("where in the code", f"<pre>{_text(stack)}</pre>")) if stack else ""
    return View(view.text, view.html + below)


def _from_the_cell(trace: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of IPython, which called the cell."""
    step = trace
    while step is not None and "/IPython/" in step.tb_frame.f_code.co_filename.replace("\\", "/"):
        step = step.tb_next
    return step


def _text(stack: str) -> str:
    from awsfed_lib.edges.records.output_page import text_of

    return text_of(stack)
