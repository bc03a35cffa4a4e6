"""The verdict on an executed notebook: its own, and only if it can be true."""

from __future__ import annotations

from typing import Any

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.settings.secrecy import redacted
from awsfed_lib.core.settings.verdict import MEANING
from awsfed_lib.edges.records import journal
from awsfed_lib.edges.records.record import Record


def judge(record: Record, notebook: Any, failure: BaseException | None) -> tuple[str, str]:
    """Return verdict and problem: the notebook's own verdict only if its journal is sealed, every cell ran, and nothing failed."""
    if isinstance(failure, KeyboardInterrupt):
        return "interrupted", MEANING["interrupted"]
    try:
        own = journal.verdict(journal.read(record.folder)) if (record.folder / journal.FILE).exists() else ""
    except RecordError as error:
        return "failed", str(error)
    problem = in_words(failure) if failure else _not_run(notebook)
    if not problem:
        return (
            (own, record.run().get("problem", ""))
            if own
            else ("unfinished", f"{MEANING['unfinished']}; its last cell must call run.finish")
        )
    return own if own in ("failed", "unverified") else "failed", problem


def in_words(failure: BaseException) -> str:
    """Say a failure of the run for people: the words of the exception in the cell, or of the kernel's end."""
    name, said = getattr(failure, "ename", type(failure).__name__), getattr(failure, "evalue", str(failure))
    plain = {
        "DeadKernelError": "The kernel died; the last cell that ran is marked in the record.",
        "CellTimeoutError": "The run did not end before its deadline; the cell that ran is marked in the record.",
    }
    return plain.get(type(failure).__name__) or redacted(f"{name}: {said}".strip())


def _not_run(notebook: Any) -> str:
    """Name the first cell that did not run to its end; sys.exit(0) and a skipping tag leave such cells without an error."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()] if notebook else []
    for number, cell in enumerate(code, 1):
        status = cell.metadata.papermill.status
        if status != "completed" or cell.execution_count is None:
            return f"Step {number} of {len(code)} did not run to its end: {_ends(cell) or 'it was skipped'}."
    return "" if code else "The notebook holds no code."


def _ends(cell: Any) -> str:
    """Say how a cell ended that did not complete."""
    names = [output.ename for output in cell.outputs if output.output_type == "error"]
    return (
        f"it ended with {names[-1]}"
        if names
        else {"failed": "it failed", "pending": "it was never started"}.get(cell.metadata.papermill.status, "")
    )
