"""A runbook in a real JupyterLab in a real Chromium: open it, type the parameters, run all cells, read the plan."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from awsfed_lib.edges.records import where
from awsfed_lib.sandbox.serve import Sandbox

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).parents[1]
RUN_ALL = """async () => {
  const app = window.jupyterapp, panel = app.shell.currentWidget;
  await panel.context.ready; await panel.sessionContext.ready;
  const session = panel.sessionContext.session;
  for (let i = 0; i < 300 && !(session.kernel.connectionStatus === 'connected' && session.kernel.status === 'idle'); i++)
    await new Promise(done => setTimeout(done, 100));
  await app.commands.execute('notebook:run-all-cells');
  return panel.content.model.cells.length;
}"""

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture
def root(tmp_path, monkeypatch):
    if CHROMIUM is None:
        assert not os.environ.get("AWSFED_REQUIRE_BROWSER"), "no Chromium, and this place allows no skip"
        pytest.skip("no Chromium here")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setenv(where.ROOT_VARIABLE, str(tmp_path))
    with Sandbox(tmp_path / ".sandbox"):
        yield tmp_path


def with_parameters(root, name):
    """What a person types into the parameters cell: the values of the sandbox's file."""
    import yaml

    path = root / f"notebooks/{name}.ipynb"
    notebook = json.loads(path.read_bytes())
    given = yaml.safe_load((root / "parameters/sandbox.yml").read_text())
    cell = next(cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", []))
    cell["source"] = [
        re.sub(r"^(\w+)(: \w+ = ).*?(  # )", lambda m: f"{m[1]}{m[2]}{given.get(m[1], '')!r}{m[3]}", line) for line in cell["source"]
    ]
    path.write_text(json.dumps(notebook))


@pytest.fixture
def lab(root):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token=", "--allow-root", "--no-browser"]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        *options,
        "--LabApp.expose_app_in_browser=True",
        f"--ServerApp.root_dir={root}/notebooks",
    ]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(root / "config"), "JUPYTER_DATA_DIR": str(root / "share")}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{url}/api")
            yield url
        finally:
            server.terminate()


def _wait_for(url):
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("JupyterLab did not start")


def test_a_runbook_runs_in_jupyterlab_shows_its_plan_and_leaves_a_record(root, lab):
    from playwright.sync_api import sync_playwright

    with_parameters(root, "04-approles")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{lab}/lab/tree/04-approles.ipynb?reset")
        page.wait_for_function(
            "window.jupyterapp && window.jupyterapp.shell.currentWidget && window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel"
        )
        page.evaluate(RUN_ALL)
        page.get_by_text("To send this").first.wait_for(state="attached", timeout=60_000)
        assert page.get_by_text(re.compile("plan-[0-9a-f]{16}")).count()
    record = next(where.runs().glob("*-04-approles-*"))
    said = json.loads((record / "run.json").read_bytes())
    assert (said["verdict"], said["executed_by"]) == ("planned", "notebook")
