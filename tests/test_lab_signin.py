"""07-signin in a real JupyterLab in a real Chromium: a response is pasted, checked and used, and is in no file afterwards.

With AWSFED_LAB_ALL=1 only; the widgets are tested by themselves everywhere (test_signin_runbook.py).
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from awsfed_lib.edges.records import where
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.serve import Sandbox, Size

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).parents[1]
BOX = "textarea[placeholder^=SAMLResponse]"
READY = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN = """async ([first, last]) => {
  const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
  for (let cell = first; cell <= last; cell++) { notebook.activeCellIndex = cell; await app.commands.execute('notebook:run-cell'); }
  await app.commands.execute('docmanager:save');
}"""

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture
def box(tmp_path, monkeypatch):
    if CHROMIUM is None or not os.environ.get("AWSFED_LAB_ALL"):
        pytest.skip("no Chromium here, or AWSFED_LAB_ALL is not set")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setenv(where.ROOT_VARIABLE, str(tmp_path))
    with Sandbox(tmp_path / ".sandbox", Size(accounts=4)) as running:
        yield running


@pytest.fixture
def lab(box):
    """Serve the runbooks in a plain JupyterLab, with folders of its own."""
    root = box.folder.parent
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ServerApp.port": port,
        "ServerApp.root_dir": root / "notebooks",
        "IdentityProvider.token": "",
        "LabApp.expose_app_in_browser": True,
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--allow-root",
        "--no-browser",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    own = {"JUPYTER_CONFIG_DIR": str(root / ".own/config"), "JUPYTER_DATA_DIR": str(root / ".own/share"), "AWSFED_HEADLESS": ""}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **own}) as server:
        try:
            answers(f"http://127.0.0.1:{port}/api")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def answers(url):
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("JupyterLab did not start")


def prepared(root):
    """Type the parameters of the sandbox; the number of the cell with the box, and of the last."""
    path = root / "notebooks/07-signin.ipynb"
    notebook = json.loads(path.read_text())
    given = yaml.safe_load((root / "parameters/sandbox.yml").read_text()) | {"enter_roles": ["*"]}
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "parameters")
    cell["source"] = [
        re.sub(r"^(\w+)(: \S+ = )\S+", lambda m: m[1] + m[2] + repr(given[m[1]]) if m[1] in given else m[0], line)
        for line in cell["source"]
    ]
    path.write_text(json.dumps(notebook))
    return [one["id"] for one in notebook["cells"]].index("response"), len(notebook["cells"]) - 1


def a_response(box):
    """Give the response of somebody who can sign in."""
    values = ((user, value) for user in box.tenant.tables["users"] for value in box.tenant.role_values(user, box.application_id))
    user = next(user for user, value in values if box.can_sign_in(user, value.split(",")[0])[0])
    return saml.response(box.tenant, box.application_id, user, recipient=box.org.cloud.place.recipient, now=datetime.now(UTC))


def test_a_pasted_response_is_used_and_stays_in_no_file(box, lab):
    from playwright.sync_api import sync_playwright

    root = box.folder.parent
    asks, last = prepared(root)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{lab}/lab/tree/07-signin.ipynb?reset")
        page.wait_for_function(READY)
        page.evaluate(RUN, [0, asks])
        page.locator(BOX).wait_for()
        text = a_response(box)
        page.locator(BOX).fill(text)
        page.evaluate(RUN, [asks + 1, last])
        assert page.locator(BOX).input_value() == ""
    record = next(where.runs().glob("*-07-signin-*"))
    assert json.loads((record / "run.json").read_bytes())["verdict"] == "done"
    assert json.loads((record / "sign_in.json").read_bytes())["roles"]
    files = [path for path in root.rglob("*") if path.is_file()]
    assert root / "notebooks/07-signin.ipynb" in files
    assert not [path for path in files if text[200:300].encode() in path.read_bytes()]
