"""papermill's engine with honest cells: what did not run is not called completed, and no secret reaches the file.

papermill 2.7 marks pending and timed-out cells as completed, writes files that a full disk truncates, formats paths as
templates, and puts home directories into the metadata. This engine saves itself, through a `Keeper`.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import nbformat
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

from awsfed_lib.edges.records.outlet import HELD

NAME = "awsfed"


class Keeper(Protocol):
    """Who is told of a run's progress, and keeps the notebook."""

    def started(self, notebook: nbformat.NotebookNode, index: int) -> None:
        """Cell `index` begins."""

    def save(self, notebook: nbformat.NotebookNode) -> None:
        """Keep the notebook as it is now."""

    def clean(self, text: str) -> str:
        """Return `text` as it may be kept."""

    def hold(self, secrets: list[str]) -> None:
        """Take up secrets that the kernel holds, to look for them."""

    def write(self, text: str) -> None:
        """Take what the notebook writes to its standard streams."""

    def flush(self) -> None:
        """As a stream has it."""


class Watch(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Marks each cell as it is: pending, running, completed or failed."""

    def __init__(self, notebook: nbformat.NotebookNode, keeper: Keeper, label: str) -> None:
        super().__init__(notebook, output_path=None, progress_bar=False, autosave_cell_every=0)
        self.keeper, self.label = keeper, label

    def save(self, **_: Any) -> None:
        """Keep the notebook, without the paths that papermill notes."""
        self.nb.metadata.papermill["input_path"] = self.label
        self.nb.metadata.papermill["output_path"] = "record.ipynb"
        self.keeper.save(self.nb)

    def cell_start(self, cell: nbformat.NotebookNode, cell_index: int | None = None, **more: Any) -> None:
        """Mark the cell as running, and tell the keeper."""
        super().cell_start(cell, cell_index, **more)
        self.keeper.started(self.nb, cell_index or 0)

    def cell_complete(self, cell: nbformat.NotebookNode, cell_index: int | None = None, **more: Any) -> None:
        """Clean the outputs of the cell, and mark it as completed unless it failed."""
        clean(cell, self.keeper)
        super().cell_complete(cell, cell_index, **more)

    def notebook_complete(self, **_: Any) -> None:
        """Note the end. Cells that are pending stay pending."""
        self.end_time = self.now()
        self.nb.metadata.papermill["end_time"] = self.end_time.isoformat()
        self.nb.metadata.papermill["duration"] = (self.end_time - self.start_time).total_seconds()
        for cell in self.nb.cells:
            clean(cell, self.keeper)
        self.save()


class Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    """Executes the cells; one that times out, loses its kernel or is interrupted is a failed one."""

    def papermill_execute_cells(self) -> None:
        """Execute the code cells in order, and stop at the first that fails. Prose is not executed, and not called so."""
        code = [(index, cell) for index, cell in enumerate(self.nb.cells) if cell.cell_type == "code"]
        for index, cell in code:
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except BaseException as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                if not isinstance(error, CellExecutionError):
                    raise
                return
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Give the secrets that the kernel holds to the keeper, before anything logs them; all else is nbclient's."""
        if msg["msg_type"] == HELD:
            self.nb_man.keeper.hold(msg["content"]["secrets"])
            return None
        return super().process_message(msg, cell, cell_index)


class Engine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Executes one notebook for a `Keeper`."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:
        """Execute `nb`; `options` are papermill's, nbclient's, and our keeper and label."""
        keeper = cast("Keeper", options.pop("keeper"))
        watch = Watch(nb, keeper, options.pop("label"))
        for name in ("output_path", "progress_bar", "log_output", "input_path", "stdout_file", "stderr_file"):
            options.pop(name, None)
        options["startup_timeout"] = options.pop("start_timeout")
        watch.notebook_start()
        try:
            Client(watch, kernel_name=kernel_name, stdout_file=keeper, stderr_file=keeper, **options).execute()
        finally:
            watch.notebook_complete()
        return watch.nb


def register() -> None:
    """Make the engine known to papermill by its name."""
    papermill_engines.register(NAME, Engine)


def clean(cell: nbformat.NotebookNode, keeper: Keeper) -> None:
    """Take from the outputs of a cell what may not be kept."""
    if "outputs" in cell:
        cell["outputs"] = [_cleaned(output, keeper) for output in cell["outputs"]]


def _cleaned(value: Any, keeper: Keeper) -> Any:
    if isinstance(value, str):
        return keeper.clean(value)
    if isinstance(value, dict):
        return type(value)({name: (_lines if name == "traceback" else _cleaned)(item, keeper) for name, item in value.items()})
    return [_cleaned(item, keeper) for item in value] if isinstance(value, list) else value


def _lines(lines: list[str], keeper: Keeper) -> list[str]:
    """Clean a traceback: a key that runs over several lines is only seen in all of them together."""
    whole = "\n".join(lines)
    cleaned = keeper.clean(whole)
    return lines if cleaned == whole else cleaned.split("\n")
