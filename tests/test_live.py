"""A live notebook without a browser: what a filter leaves of a plan, what approves it, and what a parameter file fills in."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from awsfed_lib import __main__
from awsfed_lib.core.change import Basis, Change, Loss, Request, Settled, Subject
from awsfed_lib.core.errors import NotApproved, ParameterError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.settings import parameters
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.core.view import review_view
from awsfed_lib.core.view.review_view import ALL, TAKING, Filter
from awsfed_lib.doors import lab
from awsfed_lib.edges.lab import approving, cards, filled, start
from awsfed_lib.edges.lab.approving import AGAIN, NOW, RIGHT, WRONG, Approver, Review
from awsfed_lib.edges.records import progress, runbooks, where
from awsfed_lib.edges.records.record import Record

ROOT = Path(__file__).parents[1]
PLAN = Plan(
    "appRoles of AWS",
    Subject("application", "7d1e6f3a", "AWS", "3f2b1c9e"),
    (
        Change("add", "appRole", "a", "Audit / Admin"),
        Change("remove", "assignment", "b", "Finance / ReadOnly", "Britta Simon"),
        Change("keep", "appRole", "c", "Audit / Kept"),
    ),
    (Request("PATCH", "/servicePrincipals/7d1e6f3a", "", "all of it", Settled("app_roles", "7d1e6f3a")),),
    (Basis("app_roles", "7d1e6f3a", 1, "d" * 64),),
    (Basis("app_roles", "7d1e6f3a", 1, "e" * 64),),
    losses=(Loss("u1", "Britta Simon", "Finance / ReadOnly"), Loss("u2", "<img src=x onerror=alert(1)>", "Finance / ReadOnly")),
)
HARMLESS = replace(PLAN, changes=PLAN.changes[:1], losses=())


class Journal:
    def __init__(self):
        self.noted = []

    def note(self, event, **fields):
        self.noted.append((event, fields))


@pytest.fixture
def approver(tmp_path):
    (tmp_path / "run.json").write_text('{"schema": "awsfed.run/1"}')
    return Approver({"approved": ""}, Record(tmp_path), Journal())


@pytest.fixture
def shell(monkeypatch):
    made = InteractiveShell()
    monkeypatch.setattr(approving, "shell", lambda: made)
    yield made
    InteractiveShell.clear_instance()


@pytest.fixture
def live(tmp_path, monkeypatch):
    """A root of its own, and a notebook at which somebody sits."""
    for name in ("notebooks", "parameters"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.setenv(where.ROOT_VARIABLE, str(tmp_path))
    monkeypatch.setenv(filled.VARIABLE, "sandbox.yml")
    monkeypatch.setenv(progress.HEADLESS, "0")
    return tmp_path


def defaults(book, **values):
    return {**runbooks.find(book).defaults, **values}


@pytest.mark.parametrize(
    ("chosen", "keys"),
    [
        (Filter(), "ab"),
        (Filter(TAKING), "b"),
        (Filter("keep"), "c"),
        (Filter(ALL, "appRole"), "a"),
        (Filter(text=" audit "), "a"),
        (Filter(text="britta"), "b"),
    ],
    ids=str,
)
def test_a_filter_leaves_changes_by_action_kind_and_text(chosen, keys):
    assert "".join(change.key for change in chosen.changes(PLAN)) == keys


def test_what_is_lost_is_said_by_name_and_harmless():
    drawn = Filter().html(PLAN)
    assert "Britta Simon" in drawn
    assert "2 of 2 assignments" in drawn
    assert "<img" not in drawn
    assert "1 of 2 assignments" in Filter(text="britta").html(PLAN)


def test_a_plan_that_takes_away_asks_for_how_much():
    assert review_view.phrase(PLAN) == f"2 {PLAN.id[-4:]}"
    assert review_view.phrase(HARMLESS) == HARMLESS.id[-4:]
    assert "takes 2 things away" in review_view.question(PLAN)
    assert "takes nothing away" in review_view.question(HARMLESS)


@pytest.mark.parametrize("said", ["yes", "", PLAN.id[-4:], f"3 {PLAN.id[-4:]}"])
def test_anything_else_approves_nothing(approver, said):
    review = Review(PLAN, approver)
    review.typed.value = said
    review.button.click()
    review._enter(None, {"event": "submit"}, [])
    assert approver.names["approved"] == approver.waiting == ""
    assert WRONG in review.said.value
    review.typed.value = f"{said} "
    assert review.said.value == ""


def test_a_press_that_came_before_what_was_typed_is_refused_and_then_told_to_press_again(approver):
    """The frontend holds back what is typed while the kernel is busy, and a press overtakes it: ipywidgets WidgetModel, message throttle."""
    review = Review(PLAN, approver)
    review.button.click()
    assert WRONG in review.said.value
    review.typed.value = review_view.phrase(PLAN)
    assert RIGHT in review.said.value
    assert approver.names["approved"] == ""
    review.button.click()
    assert (approver.names["approved"], NOW in review.said.value) == (PLAN.id, True)


@pytest.mark.parametrize("way", ["the button", "the Enter key"])
def test_typed_in_the_middle_of_a_run_the_cells_below_have_the_id_and_the_journal_says_how(approver, way):
    review = Review(PLAN, approver)
    review.typed.value = f"  2  {PLAN.id[-4:]} "
    assert approver.names["approved"] == ""
    for _ in range(2):  # the second time nothing more is said or noted
        review.button.click() if way == "the button" else review._enter(None, {"event": "submit"}, [])
    assert approver.names["approved"] == PLAN.id
    assert approver.journal.noted == [("approved", {"id": PLAN.id, "how": "typed at the notebook"})]
    assert NOW in review.said.value
    assert (approver.waiting, review.typed.disabled, review.button.description) == ("", True, "Approved")


def test_typed_after_a_run_it_waits_for_the_next_one_once(approver, shell):
    approver.record.update(verdict="planned")
    approver.register(shell)
    assert approver.approve(PLAN) == AGAIN
    assert approver.names["approved"] == ""
    assert (approving.taken(), approving.taken()) == (PLAN.id, "")


def test_an_approval_that_cannot_be_noted_is_said_and_is_none(approver, monkeypatch):
    def full(*_, **__):
        raise NotApproved("The disk is full.")

    monkeypatch.setattr(approver.journal, "note", full, raising=False)
    review = Review(PLAN, approver)
    review.typed.value = review_view.phrase(PLAN)
    review.button.click()
    assert "The disk is full." in review.said.value
    assert approver.names["approved"] == ""


@pytest.mark.parametrize(
    ("plan", "names", "outputs"),
    [
        (PLAN, {"approved": ""}, 2),
        (PLAN, {"approved": PLAN.id}, 1),
        (PLAN, {}, 1),
        (replace(PLAN, refusals=("too much",)), {"approved": ""}, 1),
        (replace(PLAN, requests=()), {"approved": ""}, 1),
    ],
    ids=["can be approved", "is approved", "in a reading runbook", "is refused", "sends nothing"],
)
def test_a_shown_plan_is_what_it_is_everywhere_and_can_be_approved_where_that_means_something(
    approver, shell, monkeypatch, plan, names, outputs
):
    shown = []
    monkeypatch.setattr(shell.display_pub, "publish", lambda bundle, **_: shown.append(bundle))
    approver.names = names
    approver.register(shell)
    assert shell.display_formatter.format(plan) == ({}, {})
    assert len(shown) == outputs
    assert shown[0] == plan._repr_mimebundle_()
    assert [output["text/plain"] for output in shown[1:]] == [approving.REVIEW] * (outputs - 1), "what a saved notebook shows elsewhere"


def test_the_boxes_of_a_review_are_reached_by_keyboard_and_named():
    drawn = Filter().html(PLAN)
    assert 'role="group" tabindex="0" aria-label="access lost"' in drawn
    assert 'role="group" tabindex="0" aria-label="changes: ' in drawn
    assert 'role="status">No change is left by this filter.' in Filter(text="nobody at all").html(PLAN)


def test_a_card_says_what_where_and_next_with_the_code_folded_below():
    with pytest.raises(NotApproved) as caught:
        raise NotApproved("<b>what</b>", where="here", remedy="do this")
    view = cards.card(caught.value, caught.tb)
    assert "<b>what" not in view.html
    assert "<details>" in view.html
    assert "test_live.py" in view.html
    assert [word in view.text for word in ("<b>what</b>", "here", "do this")] == [True] * 3


def test_an_error_of_ours_still_fails_the_cell(shell, capsys):
    cards.register(shell)
    told = shell.run_cell("from awsfed_lib.core.errors import NotApproved\nraise NotApproved('what')")
    assert not told.success
    assert "Traceback" not in capsys.readouterr().out


def test_a_file_fills_what_the_notebook_lacks_and_what_is_typed_wins(live):
    names = defaults("04", via="another", approved="plan-0123456789abcdef0123456789abcdef")
    given = filled.fill(runbooks.find("04"), names)
    assert (names["cloud"], names["via"], names["workers"]) == ("sandbox", "another", 8)
    assert names["approved"] == "plan-0123456789abcdef0123456789abcdef"
    assert given.noted["parameter_file"]["name"] == "sandbox.yml"
    assert "test_user" not in names, "the file holds more than this runbook declares"


def test_what_is_typed_and_saved_still_wins(live):
    path = live / "notebooks/03-inventory.ipynb"
    path.write_text(path.read_text().replace("workers: int = 16", "workers: int = 3"))
    names = defaults("03")
    filled.fill(runbooks.find("03"), names)
    assert names["workers"] == 3


def test_notebooks_come_with_the_defaults_that_are_known():
    """Where one did not, its default would pass for typed, and a parameter file would lose against it."""
    known = parameters.plain(Parameters.model_validate({})) | filled.NAMES_OF_ROLES
    for book in runbooks.catalogue(ROOT / "notebooks"):
        assert book.defaults == {name: known[name] for name in book.names}


def test_a_wrong_file_is_refused_with_its_line(live):
    (live / "parameters/sandbox.yml").write_text("tenant_id: x\nworkerz: 3\n")
    with pytest.raises(ParameterError, match=r"workerz"):
        filled.fill(runbooks.find("04"), defaults("04"))


@pytest.mark.parametrize(("variable", "value"), [(progress.HEADLESS, "1"), ("AWSFED_RUN_FOLDER", "/somewhere")])
def test_nothing_is_filled_where_nobody_sits(live, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    names = defaults("04")
    assert filled.fill(runbooks.find("04"), names) == filled.Filled()
    assert names == defaults("04")


def test_an_approval_of_the_run_before_becomes_the_parameter(live, approver, shell):
    approver.register(shell)
    approver.waiting = PLAN.id
    names = defaults("04")
    assert filled.fill(runbooks.find("04"), names).approved == PLAN.id
    assert names["approved"] == PLAN.id


def test_the_start_page_knows_the_last_run_of_each_runbook_and_links_to_it(live, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(live / "share"))
    for moment, verdict in (("20261123T060000Z", "failed"), ("20261124T060000Z", "done")):
        folder = live / f"runs/{moment}-09-audit-3f2b1c9e"
        folder.mkdir(parents=True)
        run = {"schema": "awsfed.run/1", "verdict": verdict, "started": "2026-11-24T06:00:00+00:00", "files": {"record.html": "x"}}
        (folder / "run.json").write_text(json.dumps(run))
    notebook = json.loads(start.write("sandbox.yml").read_bytes())
    page = notebook["cells"][1]["outputs"][0]["data"]["text/html"]
    assert 'href="20261124T060000Z-09-audit-3f2b1c9e/record.html"' in page
    assert "20261123T060000Z" not in page
    assert 'href="../notebooks/04-approles.ipynb"' in page
    assert "sandbox.yml" in page


def test_jupyterlab_listens_on_this_machine_only_and_asks_nobody_outside(live):
    desk = lab.Desk("sandbox.yml", 8900)
    folder, *_ = desk.environment[lab.CONFIG_PATH].split(os.pathsep)
    config = json.loads((Path(folder) / "jupyter_server_config.json").read_bytes())
    assert config["ServerApp"]["ip"] == "127.0.0.1"
    assert (config["LabApp"]["news_url"], config["LabApp"]["extension_manager"]) == (None, "readonly")
    assert "--ServerApp.port=8900" in desk.command
    assert not [option for option in desk.command if "token" in option or "0.0.0.0" in option]
    assert desk.environment[filled.VARIABLE] == "sandbox.yml"


def test_without_a_folder_to_write_to_it_says_which_variable_to_set(live, capsys, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/dev/null/runtime")
    with pytest.raises(SystemExit) as ended:
        __main__.main(["lab", "--no-browser"])
    assert ended.value.code == __main__.USAGE
    assert "JUPYTER_RUNTIME_DIR" in capsys.readouterr().err


def test_a_parameter_file_that_is_not_there_opens_nothing_and_leaves_no_sandbox(live, capsys):
    with pytest.raises(SystemExit) as ended:
        __main__.main(["lab", "--sandbox", "-f", "none.yml"])
    assert ended.value.code == __main__.USAGE
    assert "no such parameter file" in capsys.readouterr().err
    assert not where.sandbox_file().exists()
