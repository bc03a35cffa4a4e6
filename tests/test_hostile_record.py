"""More than 300 hostile names through a real run, and its record in a real browser: nothing fires, loads, hides or moves the cursor."""

import csv
import io
import re
from pathlib import Path

import hostile
import nbformat
import pytest
from small_root import make

from awsfed_lib.core.view import escape
from awsfed_lib.core.view.safe_csv import FORMULA_STARTS
from awsfed_lib.doors import runner
from awsfed_lib.edges.records import opening, parameter_file, runbooks, where
from awsfed_lib.edges.records.record import Record

OURS = '<div class="awsfed">'
TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """One run that shows all of them, in every way that a notebook can show a text."""
    with pytest.MonkeyPatch.context() as patch:
        root = make(tmp_path_factory.mktemp("root"))
        patch.setenv(where.ROOT_VARIABLE, str(root))
        patch.setenv("PYTHONPATH", str(TESTS))
        patch.delenv(opening.FOLDER_VARIABLE, raising=False)
        log = io.StringIO()
        result = runner.execute(runner.Task(runbooks.find("24"), parameter_file.load(root / "parameters/p.yml")), out=log)
        assert result.verdict == "applied", result.problem
        yield result.record.folder, log.getvalue()


def test_there_are_more_than_300():
    assert len(hostile.EVERYTHING) > 300
    assert len(hostile.EVERYTHING) == len(set(hostile.EVERYTHING))


@pytest.mark.kernel
def test_log_on_a_terminal_shows_every_character(ran):
    """ESC ] 52 writes the clipboard, a carriage return writes over what was said, U+202E turns it round."""
    hidden = {char for char in ran[1] if char != "\n" and escape._is_hidden(char)}
    assert hidden == set()
    assert len(ran[1]) > 100_000


@pytest.mark.kernel
def test_plain_text_of_our_views_shows_every_character(ran):
    texts = ["".join(found["text/plain"]) for found in outputs(ran[0]) if "".join(found.get("text/html", "")).startswith(OURS)]
    assert len(texts) >= 4
    assert {char for text in texts for char in text if char != "\n" and escape._is_hidden(char)} == set()


@pytest.mark.kernel
def test_no_cell_of_a_csv_is_a_formula(ran):
    names = [name for name in hostile.EVERYTHING if name not in hostile.HALVES]
    for name, number in (("roles", len(names)), ("findings", sum(len(name) < 1000 for name in names))):
        rows = list(csv.reader(io.StringIO((ran[0] / f"tables/{name}.csv").read_text(), newline="")))
        assert len(rows) == number + 1
        for cell in (cell for row in rows for cell in row):
            assert not cell.lstrip().startswith(FORMULA_STARTS), ascii(cell)[:80]
            assert "\0" not in cell


@pytest.mark.kernel
def test_exact_tables_hold_the_names_as_they_are(ran):
    assert list(Record(ran[0]).table("roles")["role_name"]) == [name for name in hostile.EVERYTHING if name not in hostile.HALVES]


def outputs(folder):
    book = nbformat.read(folder / "record.ipynb", as_version=4)
    return [output["data"] for cell in book.cells for output in cell.get("outputs", []) if "data" in output]


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    """A page with nothing in it: what a window holds that nobody has touched."""
    file = tmp_path_factory.mktemp("blank") / "blank.html"
    file.write_text("<!DOCTYPE html><title>x</title>")
    return file


class Watched:
    """A page, and everything that it tried to do."""

    def __init__(self, browser, blank, **how):
        self.blank = blank
        self.page = browser.new_context(**how).new_page()
        self.noise, self.asked = [], []
        self.page.on("dialog", lambda dialog: (self.noise.append(f"dialog {dialog.message}"), dialog.dismiss()))
        self.page.on("console", lambda message: self.noise.append(message.text))
        self.page.on("pageerror", lambda error: self.noise.append(str(error)))
        self.page.on("popup", lambda popup: self.noise.append(f"popup {popup.url}"))
        self.page.on("download", lambda download: self.noise.append(f"download {download.url}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path):
        """Open it, unfold everything, and touch what a person would: focus, mouse and keyboard start handlers too."""
        own = "JSON.stringify(Object.keys(window).sort())"
        self.page.goto(self.blank.as_uri())
        before = self.page.evaluate(own)
        self.asked.clear()
        self.page.goto(path.as_uri())
        self.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        self.page.mouse.move(300, 300)
        self.page.mouse.wheel(0, 4000)
        for _ in range(5):
            self.page.keyboard.press("Tab")
        self.page.wait_for_timeout(150)
        assert self.page.evaluate(own) == before
        return self.page


@pytest.mark.kernel
@pytest.mark.browser
def test_nothing_fires_in_the_page_of_the_record(ran, browser, blank):
    """With its policy, and with the policy switched off: the page is safe by what it holds, and not only by what it forbids."""
    for how in ({}, {"bypass_csp": True}):
        seen = Watched(browser, blank, **how)
        page = seen.open(ran[0] / "record.html")
        assert seen.noise == []
        assert [url for url in seen.asked if not url.startswith("data:")] == [(ran[0] / "record.html").as_uri()]
        assert page.evaluate("document.scripts.length") == 0
        assert page.evaluate("document.querySelectorAll('iframe,object,embed,link,base,form,input,style:not(head style)').length") == 0
        hostile_attributes = "[...document.querySelectorAll('body *')].flatMap(one => one.getAttributeNames()).filter(name => name.startsWith('on') || name === 'style')"
        assert page.evaluate(hostile_attributes) == []
        shown = page.evaluate("document.body.textContent")
        assert shown.count("<script>alert(1)</script>") > 10
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)


@pytest.mark.kernel
@pytest.mark.browser
def test_nothing_fires_in_our_outputs_as_jupyterlab_shows_them(ran, browser, blank, tmp_path):
    """A trusted notebook's HTML is put into the page as it is: our views must be safe before anything cleans them."""
    ours = [html for found in outputs(ran[0]) if (html := "".join(found.get("text/html", ""))).startswith(OURS)]
    assert len(ours) >= 4
    file = tmp_path / "lab.html"
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>x</title>{''.join(ours)}", encoding="utf-8", errors="backslashreplace")
    seen = Watched(browser, blank)
    page = seen.open(file)
    assert seen.noise == []
    assert seen.asked == [file.as_uri()]
    assert page.evaluate("document.querySelectorAll('script,iframe,object,embed,link,base,form,input,img,svg,video,audio').length") == 0


@pytest.mark.kernel
@pytest.mark.browser
def test_nothing_fires_in_the_list_of_records(ran, browser, blank):
    seen = Watched(browser, blank)
    seen.open(ran[0].parent / "index.html")
    assert seen.noise == []
    assert seen.asked == [(ran[0].parent / "index.html").as_uri()]
