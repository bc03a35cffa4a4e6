"""Every runbook in a real JupyterLab in a real Chromium, in their order: the start page, whole runs, plans approved by typing.

One JupyterLab and one sandbox, opened by the door that people use; each runbook goes on from what the one before it made.
"""

import csv
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import axe_playwright_python
import desk as desks
import pytest

from awsfed_lib.edges.records import runbooks, where
from awsfed_lib.sandbox import saml

BOOKS = [book.id for book in runbooks.catalogue(desks.ROOT / "notebooks")]
PLANNED = {"01", "02", "04", "05", "06", "08", "11", "12", "14", "16", "17"}  # what their runs plan here is approved and sent
BY_KEYBOARD, EXPLORED = "04-approles", "10-access"
TUTORIAL = "000000012345"  # an account of the sandbox
REVOKED = "britta.simon@contoso.example"  # whose every path 16-revoke takes
NEWEST_JOB = "async () => (await (await fetch('/scheduler/jobs?sort_by=desc(create_time)&max_items=1')).json()).jobs[0]"

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

pytestmark = [pytest.mark.browser, pytest.mark.kernel]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, browser):
    with desks.opened(tmp_path_factory.mktemp("lab"), browser) as opened:
        yield opened


@pytest.fixture(autouse=True)
def at_the_end(request, desk):
    yield
    desk.picture(request.node.name)


def returned(desk):
    """Give the sheet of 10-access as the reviewers give it back: one path goes, each other one stays. The name of the file."""
    text = (where.runs() / desk.last("10-access") / "exports/review.csv").read_text(encoding="utf-8-sig")
    lines = list(csv.DictReader(text.splitlines()))
    going = next(line for line in lines if line["verdict"] == "effective" and line["user_name"] != REVOKED)
    for line in lines:
        line |= {"decision": "remove" if line is going else "keep", "reviewer": "Rita Reviewer"}
    with (desk.root / "parameters/review.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    return "review.csv"


def needed(book, desk):
    """The parameters of a runbook that parameters/sandbox.yml cannot know."""
    return {
        "01-application": lambda: {"session_duration": 7200},  # the sandbox's application has its claims already
        "08-certificates": lambda: {"certificate": "CN=awsfed 2026"},
        "11-onboard": lambda: {"account_id": TUTORIAL},
        "12-offboard": lambda: {"account_id": TUTORIAL, "max_removed": 40},
        "14-restore": lambda: {"restore_from": desk.last("12-offboard")},
        "15-reverify": lambda: {"verify_run": desk.last("04-approles")},
        "16-revoke": lambda: {"max_removed": 50, "user": REVOKED},
        "17-review": lambda: {"max_removed": 5, "review_file": returned(desk)},
    }.get(book, dict)()


def test_the_start_page_lists_runbooks_reads_before_a_kernel_and_asks_nobody_outside(desk):
    links = desk.page.locator(".jp-OutputArea a")
    links.first.wait_for(state="attached")
    assert set(BOOKS) <= set(links.all_inner_texts())
    assert desk.page.locator(".jp-OutputArea style").count(), "the page is trusted, so its style sheet stands"
    assert "sandbox.yml" in desk.page.locator(".jp-OutputArea").first.inner_text()
    links.get_by_text("03-inventory").click()
    desk.page.wait_for_function("window.jupyterapp.shell.currentWidget.context.path === 'notebooks/03-inventory.ipynb'")
    assert [url for url in desk.asked if not url.startswith((desk.url, "data:", "blob:", desk.url.replace("http", "ws")))] == []
    assert desk.page.get_by_text("Jupyter news").count() == 0


def test_an_error_of_ours_is_a_card_with_its_stack_folded_and_stops_the_cells_behind_it(desk):
    desk.typed("03-inventory", workers=0)
    desk.open("notebooks/03-inventory.ipynb")
    desk.page.evaluate(desks.RUN_ALL)
    card = desk.page.locator(".awsfed-card", has_text="Parameter error")
    card.wait_for(state="attached")
    assert "workers" in card.inner_text()
    assert desk.page.locator("details", has_text="where in the code").count() == 1
    assert against_the_rules(desk.page) == []
    assert desk.page.locator(".jp-OutputArea pre", has_text="Traceback").count() == 0
    assert desk.records("03-inventory") == set()
    desk.typed("03-inventory", workers=8)


@pytest.mark.parametrize("book", BOOKS)
def test_a_runbook_runs_as_a_whole_and_a_plan_is_sent_by_what_is_typed_below_it(desk, book):
    desk.typed(book, **needed(book, desk))
    desk.open(f"notebooks/{book}.ipynb")
    said = desk.run(book)
    assert (said["executed_by"], said["parameter_file"]["name"]) == ("notebook", "sandbox.yml")
    assert "0%|" not in desk.kept(), "a bar that has ended is a line that says so"
    if book == EXPLORED:
        desk.show("explorer")
        desk.page.get_by_label("Look for").wait_for(state="attached")
        assert against_the_rules(desk.page) == []
    assert (said["verdict"] == "planned") == (book[:2] in PLANNED), said["problem"]
    if said["verdict"] != "planned":
        assert said["verdict"] in ("done", "findings", "too early"), said["problem"]
        return
    (plan,) = [plan["plan"] for plan in said["counts"]["plans"] if plan["verdict"] == "planned"]
    (approve_by_keyboard if book == BY_KEYBOARD else approve)(desk, plan)
    said = desk.run(book)
    assert (said["verdict"], said["parameters"]["approved"]) == ("applied", plan)


def phrase(desk, plan):
    """What the question asks to be typed."""
    asked = desk.page.get_by_text("To approve it, type").last.inner_text()
    return " ".join([*re.findall(r"takes ([\d,]+) thing", asked), plan[-4:]]).replace(",", "")


def approve(desk, plan):
    """Find the plan's review, filter it, be refused for a wrong phrase, then approve."""
    page = desk.page
    desk.show("plan")
    button = page.locator(f"button[title='{plan}']")
    button.wait_for(state="attached")
    field = page.get_by_label("characters of the id").last
    field.scroll_into_view_if_needed()
    page.get_by_label("holds").fill("nothing is called so")
    page.get_by_text("No change is left by this filter").wait_for(state="attached")
    page.get_by_label("holds").fill("")
    field.fill("yes")
    button.click()
    page.get_by_role("alert").get_by_text("Not approved: what is typed").wait_for(state="attached")
    field.fill(phrase(desk, plan))
    desk.picture(f"review-{plan}")
    page.get_by_role("alert").get_by_text("Not approved yet: now it is").wait_for(state="attached")
    button.click()
    page.get_by_role("alert").get_by_text("Approved, for one run").wait_for(state="attached")


def approve_by_keyboard(desk, plan):
    """From the cell of the plan on, by keys alone: what scrolls is reached, what is said is said aloud, the focus is never lost."""
    page, alert = desk.page, desk.page.get_by_role("alert")
    desk.show("plan")
    page.locator(f"button[title='{plan}']").wait_for(state="attached")
    assert against_the_rules(page) == []
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCell.node.focus()")
    passed = [focused(page)]
    while len(passed) < 20 and passed[-1] != "Approve":
        page.keyboard.press("Tab")
        passed.append(focused(page))
    assert passed[passed.index("action") :] == ["action", "kind", "holds", passed[-3], "last 4 characters of the id", "Approve"]
    assert passed[-3].startswith("changes: "), "the box that scrolls"
    page.keyboard.press("Enter")
    alert.get_by_text("Not approved: what is typed").wait_for(state="attached")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type(phrase(desk, plan))
    alert.get_by_text("Not approved yet: now it is").wait_for(state="attached")
    page.keyboard.press("Enter")
    alert.get_by_text("Approved, for one run").wait_for(state="attached")
    assert focused(page) == "Approved"


def focused(page):
    """The name of what has the focus."""
    return page.evaluate("""() => { const at = document.activeElement;
        return at.labels?.[0]?.textContent || at.getAttribute('aria-label') || at.textContent.slice(0, 40) }""")


def against_the_rules(page):
    """What axe-core complains of in the outputs, which are ours; the rest of the page is JupyterLab's."""
    page.evaluate(AXE)
    found = page.evaluate(
        "axe.run({include: ['.jp-OutputArea-output .awsfed', '.jp-OutputArea .jupyter-widgets']}, {resultTypes: ['violations']})"
    )
    assert found["passes"], "it has found what to look at"
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]


def test_a_pasted_response_is_used_and_stays_in_no_file(desk):
    cells = desk.typed("07-signin", enter_roles=["*"])
    desk.open("notebooks/07-signin.ipynb")
    before, asks = desk.records("07-signin"), cells.index("response")
    desk.run_some(0, asks)
    box, text = desk.page.locator("textarea[placeholder^=SAMLResponse]"), a_response(desk.sandbox)
    box.fill(text)
    desk.run_some(asks + 1, len(cells) - 1)
    desk.page.evaluate("async () => { await window.jupyterapp.commands.execute('docmanager:save'); }")
    assert box.input_value() == ""
    (record,) = desk.records("07-signin") - before
    # Groups that 16-revoke and 17-review emptied since the last 07-signin are believed to be empty from the second run on.
    assert json.loads((where.runs() / record / "run.json").read_bytes())["verdict"] in ("done", "not read")
    assert json.loads((where.runs() / record / "sign_in.json").read_bytes())["roles"]
    files = [path for path in desk.root.rglob("*") if path.is_file()]
    assert {desk.root / "notebooks/07-signin.ipynb", where.runs() / record / "run.json"} <= set(files)
    assert not [path for path in files if text[200:300].encode() in path.read_bytes()]


def a_response(box):
    """Give the response of somebody who can sign in."""
    values = ((user, value) for user in box.tenant.tables["users"] for value in box.tenant.role_values(user, box.application_id))
    user = next(user for user, value in values if box.can_sign_in(user, value.split(",")[0])[0])
    return saml.response(box.tenant, box.application_id, user, recipient=box.org.cloud.place.recipient, now=datetime.now(UTC))


def test_a_job_of_the_dialog_is_executed_by_the_runner_and_its_parameters_pass_the_gate(desk):
    before = desk.records("03-inventory")
    status, said = ordered(desk, "workers", "5")
    assert status == "COMPLETED", said
    (record,) = desk.records("03-inventory") - before
    run = json.loads((where.runs() / record / "run.json").read_bytes())
    assert (run["executed_by"], run["parameters"]["workers"], run["verdict"]) == ("awsfed run", 5, "done")
    assert run["parameter_file"]["name"] == "sandbox.yml"
    status, said = ordered(desk, "worker", "5")
    assert (status, "Did you mean workers?" in said) == ("FAILED", True), said
    assert desk.records("03-inventory") == before | {record}


def ordered(desk, name, value):
    """Order a job by the dialog of jupyter-scheduler, with one parameter; its status and message at its end."""
    page = desk.page
    desk.typed("03-inventory", workers=8)
    desk.open("notebooks/03-inventory.ipynb")
    page.locator(".jp-DirListing-item", has_text="03-inventory").click()
    page.locator("[data-command='scheduling:create-from-notebook']").locator("visible=true").first.click()
    file = page.locator("input[name=inputFile]")
    file.wait_for()
    assert file.input_value() == "notebooks/03-inventory.ipynb"
    page.get_by_role("button", name="Add new parameter").click()
    for field, text in (("name", name), ("value", value)):
        page.locator(f"input[name=parameter-0-{field}]").press_sequentially(text)
        page.keyboard.press("Tab")
    page.get_by_role("button", name="Create", exact=True).click()
    file.wait_for(state="detached")
    for _ in range(300):
        newest = page.evaluate(NEWEST_JOB)
        if newest and newest["parameters"] == {name: value} and newest["status"] in ("COMPLETED", "FAILED"):
            page.get_by_role("button", name="Reload").click()
            page.locator(".jp-notebook-jobs-panel").get_by_text(newest["status"].capitalize()).first.wait_for(timeout=15_000)
            return newest["status"], newest["status_message"]
        page.wait_for_timeout(100)
    return pytest.fail("the job did not end")
