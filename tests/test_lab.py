"""Runbooks in a real JupyterLab in a real Chromium: the start page, every runbook run as a whole, plans approved by typing.

One JupyterLab and one sandbox, opened by the door that people use. A sample of the runbooks everywhere; all of them with
AWSFED_LAB_ALL=1, in their order, since each goes on from what the one before it made.
"""

import json
import os
import re
import shutil
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from awsfed_lib.doors import lab as labs
from awsfed_lib.edges.records import runbooks, where
from awsfed_lib.sandbox.serve import Sandbox

ROOT = Path(__file__).parents[1]
ALL = bool(os.environ.get("AWSFED_LAB_ALL"))
SAMPLE = ("04-approles", "09-audit", "16-revoke")
BOOKS = [book.id for book in runbooks.catalogue(ROOT / "notebooks") if ALL or book.id in SAMPLE]
MILLISECONDS = 90_000
TUTORIAL = "000000012345"  # an account of the sandbox
READY = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready; await panel.sessionContext.ready;
  const session = panel.sessionContext.session;
  for (let i = 0; i < 600 && !(session.kernel.connectionStatus === 'connected' && session.kernel.status === 'idle'); i++)
    await new Promise(done => setTimeout(done, 100));
}"""
LAST_SAID = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .flatMap(cell => cell.type === 'code' ? cell.outputs.toJSON() : []).map(output => output.data?.['text/plain'] ?? '').pop()"""
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
SHOW = """(label) => {
  const panel = window.jupyterapp.shell.currentWidget, cells = panel.content.widgets;
  const found = cells.findIndex(cell => cell.node.innerText.includes(label));
  panel.content.activeCellIndex = found; return panel.content.scrollToItem(found);
}"""

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture(scope="module")
def root(tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def sandbox(root):
    with Sandbox(root / ".sandbox") as served:
        yield served


@pytest.fixture(scope="module")
def lab(root, sandbox):
    """Open JupyterLab as `awsfed lab --sandbox` does, with folders of its own instead of the person's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "share", "JUPYTERLAB_WORKSPACES_DIR": "w", "IPYTHONDIR": "ipython"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(where.ROOT_VARIABLE, str(root))
        patch.delenv("AWSFED_HEADLESS", raising=False)
        for name, folder in own.items():
            patch.setenv(name, str(root / ".own" / folder))
        more = ["--no-browser", "--IdentityProvider.token=known", "--LabApp.expose_app_in_browser=True"]
        desk = labs.Desk(labs.SANDBOX_FILE, port, more)
        with labs.opened(desk):
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/api")
            yield url


def _wait_for(url):
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("JupyterLab did not start")


@pytest.fixture(scope="module")
def page(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 1100})
    page.set_default_timeout(MILLISECONDS)
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(f"{lab}/lab?token=known")
    yield page
    page.close()


def picture(page, name):
    """Leave a picture for a person who looks, where a folder for it is named."""
    folder = os.environ.get("AWSFED_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{re.sub('[^a-z0-9-]+', '-', name)}.png")


@pytest.fixture(autouse=True)
def at_the_end(request, page):
    yield
    picture(page, request.node.name)


def open_(page, path):
    """Open a notebook by its path, and wait until its kernel is there and idle: sooner, run-all is passed over without a word."""
    origin = re.match(r"https?://[^/]+", page.url)[0]
    page.goto(f"{origin}/lab/tree/{path}?reset")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel")
    page.evaluate(READY)


def run_all(page, book, before):
    """Run all cells, and return the run.json of the record that this made."""
    page.evaluate(RUN_ALL)
    page.evaluate(READY)
    for _ in range(150):
        new = [path for path in where.runs().glob(f"*-{book}-*/run.json") if path.parent.name not in before]
        said = json.loads(new[0].read_bytes()) if new else {}
        if said.get("sealed"):
            return said
        page.wait_for_timeout(100)
    return pytest.fail(f"{book} was not finished: {page.evaluate(LAST_SAID)}")


def done(book):
    return {path.parent.name for path in where.runs().glob(f"*-{book}-*/run.json")}


def typed(root, book, **values):
    """What a person types into the parameters cell, where the file of the desk does not say it."""
    path = root / f"notebooks/{book}.ipynb"
    notebook = json.loads(path.read_bytes())
    cell = next(cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", []))
    for name, value in values.items():
        cell["source"] = [re.sub(rf"^({name}: \S+ = ).*?(  # )", lambda m, v=value: f"{m[1]}{v!r}{m[2]}", line) for line in cell["source"]]
    path.write_text(json.dumps(notebook))


def last(book):
    return max(path.parent.name for path in where.runs().glob(f"*-{book}-*/run.json"))


def reviewed(root):
    """Give the sheet of 10-access as the reviewers give it back, with no decision in it yet."""
    shutil.copy(where.runs() / last("10-access") / "exports/review.csv", root / "parameters/review.csv")
    return "review.csv"


def needed(book, root, sandbox):
    """The parameters of a runbook that parameters/sandbox.yml cannot know."""
    group = next(made["principalId"] for made in sandbox.world["tenant"]["assignments"] if made["resourceId"] == sandbox.application_id)
    return {
        "08-certificates": lambda: {"certificate": "CN=awsfed 2026"},
        "11-onboard": lambda: {"account_id": TUTORIAL},
        "12-offboard": lambda: {"account_id": TUTORIAL, "max_removed": 40},
        "14-restore": lambda: {"restore_from": last("04-approles")},
        "15-reverify": lambda: {"verify_run": last("04-approles")},
        "17-review": lambda: {"review_file": reviewed(root)},
        "16-revoke": lambda: {"max_removed": 50, **({"user": "britta.simon@contoso.example"} if ALL else {"group": group})},
    }.get(book, dict)()


def test_the_start_page_lists_runbooks_reads_before_a_kernel_and_asks_nobody_outside(page, lab):
    open_(page, "runs/start.ipynb")
    links = page.locator(".jp-OutputArea a")
    links.first.wait_for(state="attached")
    assert {"00-preflight", "04-approles", "16-revoke"} <= set(links.all_inner_texts())
    assert page.locator(".jp-OutputArea style").count(), "the page is trusted, so its style sheet stands"
    assert "sandbox.yml" in page.locator(".jp-OutputArea").first.inner_text()
    links.get_by_text("03-inventory").click()
    page.wait_for_function("window.jupyterapp.shell.currentWidget.context.path === 'notebooks/03-inventory.ipynb'")
    assert [url for url in page.asked if not url.startswith((lab, "data:", "blob:", lab.replace("http", "ws")))] == []
    assert page.get_by_text("Jupyter news").count() == 0


def test_an_error_of_ours_is_a_card_with_its_stack_folded_and_stops_the_cells_behind_it(page, root):
    typed(root, "03-inventory", workers=0)
    open_(page, "notebooks/03-inventory.ipynb")
    page.evaluate(RUN_ALL)
    card = page.locator(".awsfed-card", has_text="Parameter error")
    card.wait_for(state="attached")
    page.evaluate(READY)
    assert "workers" in card.inner_text()
    assert page.locator("details", has_text="where in the code").count() == 1
    assert page.locator(".jp-OutputArea pre", has_text="Traceback").count() == 0
    assert done("03-inventory") == set()
    typed(root, "03-inventory", workers=8)


@pytest.mark.parametrize("book", BOOKS)
def test_a_runbook_runs_as_a_whole_and_a_plan_is_sent_by_what_is_typed_below_it(page, root, sandbox, book):
    typed(root, book, **needed(book, root, sandbox))
    open_(page, f"notebooks/{book}.ipynb")
    before = done(book)
    said = run_all(page, book, before)
    assert (said["executed_by"], said["parameter_file"]["name"]) == ("notebook", "sandbox.yml")
    if said["verdict"] == "planned":
        (plan,) = [plan["plan"] for plan in said["counts"]["plans"] if plan["verdict"] == "planned"]
        approve(page, plan)
        said = run_all(page, book, before | done(book))
        assert (said["verdict"], said["parameters"]["approved"]) == ("applied", plan)
    else:
        assert said["verdict"] in ("done", "nothing to do", "findings", "too early"), said["problem"]
    assert book not in ("04-approles", "16-revoke") or said["verdict"] == "applied"


def approve(page, plan):
    """Find the plan's review, filter it, be refused for a wrong phrase, then approve."""
    button = page.locator(f"button[title='{plan}']")
    button.wait_for(state="attached")
    page.evaluate(SHOW, "To approve it, type")
    field = page.get_by_placeholder("what approves it").last
    field.scroll_into_view_if_needed()
    page.get_by_placeholder("a name, a role").fill("nothing is called so")
    page.get_by_text("No change is left by this filter").wait_for(state="attached")
    page.get_by_placeholder("a name, a role").fill("")
    field.fill("yes")
    assert button.is_disabled()
    asked = page.get_by_text("To approve it, type").last.inner_text()
    field.fill(" ".join([*re.findall(r"takes ([\d,]+) thing", asked), plan[-4:]]).replace(",", ""))
    picture(page, f"review-{plan}")
    button.click()
    page.get_by_text("Approved, for one run").wait_for(state="attached")
