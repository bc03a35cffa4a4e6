"""A JupyterLab with its sandbox beside it and a Chromium before it, opened by the door that people use; and how they use it."""

import json
import os
import re
import shutil
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from awsfed_lib.doors import lab as labs
from awsfed_lib.edges.records import where
from awsfed_lib.sandbox.serve import Sandbox, Size

ROOT = Path(__file__).parents[1]
SIZE = Size(accounts=12)
MILLISECONDS = 60_000
OWN = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "share", "JUPYTERLAB_WORKSPACES_DIR": "w", "IPYTHONDIR": "ipython"}

# The kernel is there, connected and idle: sooner, run-all is passed over without a word.
READY = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready; await panel.sessionContext.ready;
  const kernel = () => panel.sessionContext.session?.kernel;
  while (!(kernel()?.connectionStatus === 'connected' && kernel().status === 'idle')) await new Promise(done => setTimeout(done, 20));
}"""
OPEN = """async (path) => {
  const app = window.jupyterapp;
  for (const widget of [...app.shell.widgets('main')]) widget.dispose();
  await app.serviceManager.sessions.shutdownAll();
  await app.commands.execute('docmanager:open', {path});
}"""
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
RUN_SOME = """async ([first, last]) => {
  const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
  for (let cell = first; cell <= last; cell++) { notebook.activeCellIndex = cell; await app.commands.execute('notebook:run-cell'); }
}"""
ALL_SAID = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .flatMap(cell => cell.type === 'code' ? cell.outputs.toJSON() : []).map(output => output.data?.['text/plain'] ?? '')"""
SHOW = """async (id) => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = [...notebook.model.cells].findIndex(cell => cell.id === id);
  await notebook.scrollToItem(notebook.activeCellIndex);
}"""


@dataclass
class Desk:
    """An opened JupyterLab: its folder, the sandbox beside it, its address, and the page of the browser. `asked`: what the page asked for."""

    root: Path
    sandbox: Sandbox
    url: str
    page: object
    asked: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Open a notebook by its path, alone, and wait until its kernel is there."""
        self.page.evaluate(OPEN, path)
        self.page.evaluate(READY)

    def run(self, book: str) -> dict[str, object]:
        """Run all cells, and return the run.json of the record that this made, as it is sealed when the last cell has run."""
        before = self.records(book)
        self.page.evaluate(RUN_ALL)
        made = self.records(book) - before
        said = json.loads((where.runs() / made.pop() / "run.json").read_bytes()) if made else {}
        return said if said.get("sealed") else pytest.fail(f"{book} was not finished: {self.said()}")

    def run_some(self, first: int, last: int) -> None:
        """Run cells by their numbers, one after the other."""
        self.page.evaluate(RUN_SOME, [first, last])

    def said(self) -> str:
        """What the last output of the notebook says."""
        return (self.page.evaluate(ALL_SAID) or [""])[-1]

    def kept(self) -> str:
        """What all outputs say as text, which a saved notebook keeps."""
        return "\n".join(self.page.evaluate(ALL_SAID))

    def show(self, cell: str) -> None:
        """Scroll to a cell by its id, and make it the active one."""
        self.page.evaluate(SHOW, cell)

    def records(self, book: str) -> set[str]:
        """Return the names of the records of a runbook."""
        return {path.parent.name for path in where.runs().glob(f"*-{book}-*/run.json")}

    def last(self, book: str) -> str:
        """Return the name of the newest record of a runbook."""
        return max(self.records(book))

    def typed(self, book: str, **values: object) -> list[str]:
        """Write what a person types into the parameters cell; the ids of the cells of the runbook."""
        path = self.root / f"notebooks/{book}.ipynb"
        notebook = json.loads(path.read_bytes())
        cell = next(cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", []))
        lines = "".join(cell["source"])
        for name, value in values.items():
            lines = re.sub(rf"(?m)^({name}: \S+ = ).*?(  # )", lambda m, v=value: f"{m[1]}{v!r}{m[2]}", lines)
        cell["source"] = lines
        path.write_text(json.dumps(notebook))
        return [cell["id"] for cell in notebook["cells"]]

    def picture(self, name: str) -> None:
        """Leave a picture for a person who looks, where a folder for it is named."""
        folder = os.environ.get("AWSFED_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{re.sub('[^a-z0-9-]+', '-', name)}.png")


@contextmanager
def opened(root: Path, browser: object) -> Iterator[Desk]:
    """Open JupyterLab as `awsfed lab --sandbox` does, with folders of its own instead of the person's, and a page on it."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, root / name)
    with pytest.MonkeyPatch.context() as patch, Sandbox(root / ".sandbox", SIZE) as sandbox:
        patch.setenv(where.ROOT_VARIABLE, str(root))
        patch.delenv("AWSFED_HEADLESS", raising=False)
        for name, folder in OWN.items():
            patch.setenv(name, str(root / ".own" / folder))
        port = _free_port()
        more = ["--no-browser", "--IdentityProvider.token=known", "--LabApp.expose_app_in_browser=True"]
        with (
            labs.opened(labs.Desk(labs.SANDBOX_FILE, port, more)),
            browser.new_context(viewport={"width": 1400, "height": 1100}) as context,
        ):
            desk = Desk(root, sandbox, f"http://127.0.0.1:{port}", context.new_page())
            _wait_for(f"{desk.url}/api")
            _first_page(desk)
            yield desk


def _first_page(desk: Desk) -> None:
    desk.page.set_default_timeout(MILLISECONDS)
    desk.page.on("request", lambda request: desk.asked.append(request.url))
    desk.page.goto(f"{desk.url}/?token=known")
    desk.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.path === 'runs/start.ipynb'")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("JupyterLab did not start")
