"""07-signin in a real JupyterLab in a real Chromium: a response is pasted, checked and used, and is in no file afterwards."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_lab import CHROMIUM, lab, with_parameters  # noqa: F401  lab is a fixture

from awsfed_lib.edges.records import where
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.serve import Sandbox, Size

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
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setenv(where.ROOT_VARIABLE, str(tmp_path))
    with Sandbox(tmp_path / ".sandbox", Size(accounts=4)) as running:
        yield running


@pytest.fixture
def root(box):
    """Where `lab` of test_lab serves."""
    return box.folder.parent


def prepared(root):
    """Type the parameters; the number of the cell with the box, and of the last."""
    with_parameters(root, "07-signin")
    path = root / "notebooks/07-signin.ipynb"
    notebook = json.loads(path.read_text())
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "parameters")
    lists = {"enter_roles": "['*']", "include_accounts": "[]", "exclude_accounts": "[]"}
    cell["source"] = [re.sub(r"^(\w+)(: list\[str\] = )\S+", lambda m: m[1] + m[2] + lists[m[1]], line) for line in cell["source"]]
    path.write_text(json.dumps(notebook))
    return [one["id"] for one in notebook["cells"]].index("response"), len(notebook["cells"]) - 1


def a_response(box):
    """Give the response of somebody who can sign in."""
    values = ((user, value) for user in box.tenant.tables["users"] for value in box.tenant.role_values(user, box.application_id))
    user = next(user for user, value in values if box.can_sign_in(user, value.split(",")[0])[0])
    return saml.response(box.tenant, box.application_id, user, recipient=box.org.cloud.place.recipient, now=datetime.now(UTC))


def test_a_pasted_response_is_used_and_stays_in_no_file(box, root, lab):  # noqa: F811  the fixture
    from playwright.sync_api import sync_playwright

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
    files = [path for path in root.rglob("*") if path.is_file() and "config" not in path.parts]
    assert root / "notebooks/07-signin.ipynb" in files
    assert not [path for path in files if text[200:300].encode() in path.read_bytes()]
