"""The pages that people look at: read by eye, keyboard, screen reader, phone and paper. Real nbconvert, real Chromium, axe-core.

A check is a function that lists what it complains of. Every check is also given pages that are broken on purpose, and has
to complain of each. The pages of this module are made without a kernel, from a stored notebook that holds every view.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import axe_playwright_python
import pandas as pd
import pytest
from nbformat import v4
from test_display import contrast, outcome, plan

from awsfed_lib.core.change import Change, Guards, Loss
from awsfed_lib.core.errors import NotApproved
from awsfed_lib.core.view import batch_page, display, style
from awsfed_lib.core.view.document_view import Document
from awsfed_lib.edges.charts import chart
from awsfed_lib.edges.charts.bars import Bar, bars
from awsfed_lib.edges.charts.timeline import Term, timeline
from awsfed_lib.edges.records import export

pytestmark = pytest.mark.browser
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LAPTOP, PHONE, SMALLEST, PAPER = 1280, 390, 320, 1031  # the last: A4 across, less its margins, in CSS pixels
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
RUN = {
    "runbook": "04-approles",
    "title": "appRoles of the application",
    "changes": "entra",
    "executed_by": "awsfed run",
    "started": "2026-11-24T08:00:00+00:00",
    "finished": "2026-11-24T08:00:43+00:00",
    "parameters": {"tenant_id": "3f2b1c9e-0000-4a11-9e5d-4c0d8f1a2b3c", "break_glass": []},
    "who": {"aws": "arn:aws:sts::012345678901:assumed-role/awsfed-audit/x"},
    "verdict": "failed",
    "problem": "Graph refused it.\n  where: /servicePrincipals/3f2b\n  next:  Run it again.",
    "counts": {
        "plans": [{"plan": "plan-0", "title": "appRoles", "verdict": "applied", "changes": {"add": 1200, "keep": 2}}],
        "findings": {"high": 2},
    },
    "files": {"record.html": "0"},
}
PROSE = """## What it reads

| | |
|---|---|
| Reads | `Application.ReadWrite.OwnedBy` and the role `via` in every account, with the policy that it needs |
| Changes | nothing |

| number | meaning |
|---|---|
| 1 | one |

"""


def wide_table():
    """More columns than any screen has room for, and more rows than a box shows."""
    names = ["account_id", "severity", "verdict", *(f"role_arn_{at}" for at in range(9)), "days_left", "last_column"]
    arns = [f"arn:aws:iam::012345678901:role/team/payments/production-{at}" for at in range(9)]
    return pd.DataFrame([[number, "high", "effective", *arns, 1234, "END"] for number in ("012345678901", "")] * 12, columns=names)


def big_plan():
    """A plan with everything that a plan can show."""
    changes = (
        Change("add", "appRole", "a", "payments / Admin", "", "arn:aws:iam::012345678901:role/Admin"),
        Change("remove", "assignment", "c", "AWS-012345678901-Legacy → data-lake / Legacy", "assigned"),
        Change("keep", "appRole", "d", "KEPT", "", "", "dangling: no such IAM role"),
    )
    return plan(changes=changes, losses=(Loss("0a0a", "Legacy", "data-lake / Legacy"),), guards=Guards(max_removed=5))


def displayed(view):
    return v4.new_output("display_data", data=view._repr_mimebundle_())


def small_notebook():
    """A notebook with prose, a plot and a long document."""
    long = Document("A policy", ("Put it there.",), {"Statement": [{"Sid": str(at)} for at in range(40)]})
    plot = bars("People by group", [Bar("Admins", 3), Bar("Readers", 5)], unit="people")
    prose = v4.new_markdown_cell(f"# x\n\n{PROSE}\n\n## More\n", id="about")
    return v4.new_notebook(cells=[prose, v4.new_code_cell("x", outputs=[displayed(plot), displayed(long)], id="all", execution_count=1)])


def notebook():
    """An executed notebook with every view."""
    views = [
        display.Banner("04-approles", "appRoles", "entra", "", (("tenant", "3f2b"),)),
        display.show(wide_table(), "a wide table"),
        display.show(pd.DataFrame({"severity": [], "cause": []}), "an empty table"),
        big_plan(),
        outcome(),
        display.error_view(NotApproved("It is not.", where="here", remedy="Look.")),
        timeline("Certificates", [Term("Entra ID", NOW + timedelta(days=9))], now=NOW),
    ]
    shown = [*map(displayed, views), *small_notebook().cells[1].outputs]
    printed = [v4.new_output("stream", name=name, text="\n".join(f"line {at}" for at in range(60))) for name in ("stdout", "stderr")]
    failed = v4.new_output("error", ename="KeyError", evalue="'x'", traceback=[f"line {at}" for at in range(60)])
    cells = [
        v4.new_markdown_cell(f"# {RUN['title']}\n\nWhat it is for.\n\n{PROSE}", id="title"),
        v4.new_code_cell("tenant_id = ''", metadata={"tags": ["parameters"]}, id="parameters", execution_count=1),
        v4.new_markdown_cell("## The plan\n\nWhat it says.", id="about"),
        v4.new_code_cell(f"x = '{'y' * 300}'", outputs=[*shown, *printed, failed], id="all", execution_count=2),
        v4.new_code_cell("never()", id="never"),
    ]
    return v4.new_notebook(cells=cells)


def catalogue():
    """Records of four runbooks with three verdicts."""
    words = {"04-approles": ("applied", "planned"), "09-audit": ("findings",), "03-inventory": ("applied",), "16-revoke": ("failed",)}
    runs = [(number, word) for number, verdicts in words.items() for word in verdicts]
    return {
        f"20261124T08000{at}Z-{number}-7d1e": {**RUN, "runbook": number, "verdict": word, "problem": ""}
        for at, (number, word) in enumerate(runs)
    }


def batch():
    """Two targets, one of which failed."""
    ended = [
        {"file": "a.yml", "verdict": "done", "run": "r", "problem": "", "came_out": "", "read": "", "seconds": 3.0},
        {
            "file": "broken-with-a-long-name.yml",
            "verdict": "failed",
            "run": "",
            "problem": RUN["problem"],
            "came_out": "",
            "read": "19 of 24 accounts read",
            "seconds": 1.0,
        },
    ]
    return batch_page.batch_page({**RUN, "runbook": "batch", "parameters": {}}, ended)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The three kinds of pages, and a small record, as text."""
    folder = tmp_path_factory.mktemp("pages")
    export.write_page(folder / "batch.html", "Batch of 09-audit: 2 targets", batch())
    made = {"record": export.page(notebook(), RUN, RUN["title"]), "index": export.index_html(catalogue())}
    made["small"] = export.page(small_notebook(), {}, "x")
    return made | {"batch": (folder / "batch.html").read_text()}


class Desk:
    """One window for all: axe has to be put into a page that forbids every script, so its policy is passed by here.

    That the page runs and loads nothing is tested elsewhere, with its policy in force.
    """

    def __init__(self, browser, folder):
        self.page = browser.new_context(bypass_csp=True).new_page()
        self.file = folder / "page.html"

    def lay(self, text, width=LAPTOP, **media):
        """Open `text` as a file, in a window of `width`."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(**{"media": "screen", "forced_colors": "none", "color_scheme": "light", **media})
        self.file.write_text(text, encoding="utf-8")
        self.page.goto(self.file.as_uri())
        return self.page


@pytest.fixture(scope="module")
def desk(browser, tmp_path_factory):
    """A window."""
    made = Desk(browser, tmp_path_factory.mktemp("desk"))
    yield made
    made.page.context.close()


def against_the_rules(page):
    """What axe-core complains of with all folds open. Shadows that only hint are off: on them it cannot tell the contrast."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    page.add_style_tag(content=".awsfed-scroll { background: none !important; }")
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    twice = [f"id {one}" for one in set(ids) if ids.count(one) > 1]
    return twice + [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found["violations"]]


def sideways(page):
    """What makes the page wider than the window, and account ids that are broken over two lines."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    return page.evaluate("""() => {
        const root = document.scrollingElement, wide = root.scrollWidth > innerWidth ? [`${root.scrollWidth} of ${innerWidth}`] : []
        for (const cell of document.querySelectorAll('td, th')) {
            const range = document.createRange(); range.selectNodeContents(cell)
            if (/^[0-9]{12}$/.test(cell.textContent) && new Set([...range.getClientRects()].map(box => box.top)).size > 1) wide.push(cell.outerHTML)
        }
        return wide }""")


def unreachable(page):
    """Boxes that scroll, and that a keyboard does not reach or a screen reader does not name."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    return page.evaluate("""() => [...document.querySelectorAll('body *')].filter(one => {
        const style = getComputedStyle(one)
        const moves = (style.overflowX != 'visible' && style.overflowX != 'hidden' && one.scrollWidth > one.clientWidth)
                   || (style.overflowY != 'visible' && style.overflowY != 'hidden' && one.scrollHeight > one.clientHeight)
        return moves && !(one.tabIndex == 0 && one.getAttribute('role') && one.getAttribute('aria-label'))
    }).map(one => one.outerHTML.slice(0, 120))""")


def unseen_focus(page):
    """Walk through the page by keyboard: where the focus is not seen, and that the first stop passes by the top."""
    wrong, stops = [], []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate("""() => {
            const one = document.activeElement
            if (one === document.body) return null
            const marked = [one, one.parentElement].some(each => {
                const style = getComputedStyle(each); return style.outlineStyle != 'none' && parseFloat(style.outlineWidth) >= 2 })
            const box = one.getBoundingClientRect()
            return [one.outerHTML.slice(0, 100), marked && box.width > 4 && box.bottom > 0 && box.top < innerHeight] }""")
        if seen is None:
            break
        stops.append(seen[0])
        wrong += [] if seen[1] else [seen[0]]
    return wrong + ([] if stops and "awsfed-skip" in stops[0] else ["no way past the top"])


def cut_on_paper(page):
    """What paper does not show: cells beyond its edge, boxes that still scroll, folds that are shut, tables whose head does not repeat."""
    return page.evaluate("""() => {
        const wrong = []
        for (const cell of document.querySelectorAll('td, th, pre'))
            if (cell.getBoundingClientRect().right > innerWidth + 1) wrong.push('edge ' + cell.outerHTML.slice(0, 80))
        for (const box of document.querySelectorAll('.awsfed-scroll, pre'))
            if (getComputedStyle(box).overflowX != 'visible' && box.scrollWidth > box.clientWidth
                || getComputedStyle(box).overflowY != 'visible' && box.scrollHeight > box.clientHeight) wrong.push('box ' + box.outerHTML.slice(0, 80))
        for (const inside of document.querySelectorAll('details:not(.source) > :not(summary)'))
            if (!inside.checkVisibility({contentVisibilityAuto: true}) || !inside.getBoundingClientRect().height) wrong.push('fold ' + inside.outerHTML.slice(0, 80))
        for (const head of document.querySelectorAll('thead'))
            if (getComputedStyle(head).display != 'table-header-group') wrong.push('head ' + head.outerHTML.slice(0, 80))
        return wrong }""")


KINDS = ("record", "index", "batch")


@pytest.mark.parametrize("width", [LAPTOP, PHONE])
@pytest.mark.parametrize("kind", KINDS)
def test_page_keeps_the_rules(pages, desk, kind, width):
    """WCAG 2.2 A and AA, and axe-core's best practices."""
    assert against_the_rules(desk.lay(pages[kind], width)) == []


def test_page_keeps_the_rules_in_the_reader_s_own_colours(pages, desk):
    assert against_the_rules(desk.lay(pages["small"], forced_colors="active")) == []


def test_page_is_the_same_paper_for_everybody_and_nothing_moves(pages, desk):
    """A record is evidence: it has one look, light, also where the reader's system is dark; and no style moves anything."""
    page = desk.lay(pages["record"], color_scheme="dark", reduced_motion="no-preference")
    assert page.evaluate("[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]") == [
        "rgb(255, 255, 255)",
        "rgb(28, 33, 40)",
    ]
    assert not re.search("transition|animation|scroll-behavior", pages["record"].partition("</style>")[0])


@pytest.mark.parametrize("width", [LAPTOP, PHONE, SMALLEST])
@pytest.mark.parametrize("kind", KINDS)
def test_page_does_not_move_sideways(pages, desk, kind, width):
    assert sideways(desk.lay(pages[kind], width)) == []


@pytest.mark.parametrize("width", [LAPTOP, PHONE])
@pytest.mark.parametrize("kind", KINDS)
def test_what_scrolls_is_reached_and_named(pages, desk, kind, width):
    assert unreachable(desk.lay(pages[kind], width)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_focus_is_seen_at_every_stop(pages, desk, kind):
    assert unseen_focus(desk.lay(pages[kind])) == []


@pytest.mark.parametrize("kind", KINDS)
def test_paper_shows_all(pages, desk, kind):
    assert cut_on_paper(desk.lay(pages[kind], PAPER, media="print")) == []


def test_pdf_lies_across_and_has_few_pages(pages, desk):
    """24 rows of 14 columns, and every view: some eight pages."""
    paper = desk.lay(pages["record"]).pdf(format="A4", prefer_css_page_size=True)
    boxes = [list(map(float, box.split())) for box in re.findall(rb"/MediaBox \[([^\]]+)\]", paper)]
    assert 4 <= len(boxes) <= 14
    assert all(right > top for _, _, right, top in boxes)


def counted(page):
    """The number that the style sheet writes, as a screen reader is told it."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    texts = [node["name"]["value"] for node in tree if node["role"]["value"] == "StaticText"]
    return int(texts[texts.index(" shown") - 1])


def rows(page):
    """Rows that are drawn."""
    return page.locator("tbody tr:visible").count()


def unfiltered(page):
    """Filter by keyboard alone: what does not work."""
    wrong = [] if counted(page) == rows(page) == 5 else ["all"]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    wrong += [] if counted(page) == rows(page) == 2 else ["verdict"]
    page.keyboard.press("Tab")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    return wrong + ([] if counted(page) == rows(page) == 1 else ["both"])


def test_records_are_filtered_by_keyboard_and_the_number_is_told(pages, desk):
    assert unfiltered(desk.lay(pages["index"])) == []


def too_small(page):
    """What a finger has to hit and is smaller than 24 by 24 (WCAG 2.2, 2.5.8); links inside a sentence are excepted."""
    return page.evaluate("""() => [...document.querySelectorAll('summary, label, nav a')].filter(one => {
        const box = one.getBoundingClientRect(); return box.width && (box.height < 23.5 || box.width < 23.5) }).map(one => one.outerHTML)""")


@pytest.mark.parametrize("kind", KINDS)
def test_targets_are_large_enough_for_a_finger(pages, desk, kind):
    assert too_small(desk.lay(pages[kind], PHONE)) == []


def test_first_screen_says_verdict_problem_and_what_changed(pages, desk):
    page = desk.lay(pages["record"])
    seen = page.evaluate("document.querySelector('header').innerText")
    for words in ("✕ failed", "Graph refused it.\n", "where: /servicePrincipals/3f2b", "appRoles: applied, 1,200 add, plan-0"):
        assert words in seen
        assert page.get_by_text(words.strip(), exact=False).first.bounding_box()["y"] < 900
    assert "␊" not in page.content()


def test_contents_lead_to_the_parts(pages, desk):
    page = desk.lay(pages["record"])
    page.get_by_role("navigation", name="contents").get_by_role("link", name="The plan").click()
    assert page.url.endswith("#cell-about")
    assert page.locator("#cell-about h2").bounding_box()["y"] < 900


def test_plot_says_what_it_shows_where_it_is_no_picture():
    """JupyterLab may put the SVG into its page as it is; there the role and the title are what a screen reader has."""
    plot = bars("People & <groups>", [Bar("Admins", 3)], unit="people")
    root = ET.fromstring(plot.svg.encode())
    assert root.get("role") == "img"
    assert root[0].tag.endswith("title")
    assert root[0].text == plot.alt


@pytest.mark.parametrize("tone", [chart.STRONG, chart.GOOD, chart.WARN, chart.BAD])
def test_lines_of_plots_stand_out(tone):
    """WCAG 2.2, 1.4.11."""
    assert contrast(tone, style.PAPER) >= 3


def test_prose_tables_have_heads(pages, desk):
    page = desk.lay(pages["record"])
    assert page.locator(".prose th[scope=row]").all_inner_texts() == ["Reads", "Changes"]
    assert page.locator(".prose th[scope=col]").all_inner_texts() == ["number", "meaning"]


def test_empty_table_says_so_in_its_place(pages, desk):
    page = desk.lay(pages["record"])
    assert page.get_by_label("an empty table").locator("td").all_inner_texts() == ["no rows"]


BREAKS = {
    "picture without words": (against_the_rules, "small", 'alt="', 'x-alt="', {}),
    "heading left out": (against_the_rules, "small", "<h2", "<h5", {}),
    "no language": (against_the_rules, "index", ' lang="en"', "", {}),
    "pale text": (against_the_rules, "batch", "#57606a", "#a0a8b0", {}),
    "pale verdict": (against_the_rules, "batch", "#8c1420", "#e08a94", {}),
    "no main": (against_the_rules, "batch", "main", "div", {}),
    "two parts of one name": (against_the_rules, "small", 'id="cell-about"', 'id="cell-all"', {}),
    "box without the keyboard": (against_the_rules, "small", ' tabindex="0"', "", {}),
    "empty heads": (against_the_rules, "small", '<th scope="col">number</th>', "<th></th>", {}),
    "wide page": (sideways, "record", "overflow-x: auto", "overflow-x: visible", {"width": PHONE}),
    "broken account id": (sideways, "record", "white-space: pre; }", "white-space: pre-wrap; max-width: 6ch; }", {"width": PHONE}),
    "box without a name": (unreachable, "record", "aria-label", "title", {}),
    "focus not drawn": (unseen_focus, "record", "outline: 2px solid", "outline: 0 solid", {}),
    "filter's focus not drawn": (unseen_focus, "index", "outline: 2px solid", "outline: 0 solid", {}),
    "no way past the top": (unseen_focus, "index", "awsfed-skip", "skipped", {}),
    "fold shut on paper": (cut_on_paper, "record", "::details-content", "::none", {"width": PAPER, "media": "print"}),
    "cut box on paper": (
        cut_on_paper,
        "record",
        "max-height: none",
        "max-height: 90px; overflow: auto",
        {"width": PAPER, "media": "print"},
    ),
    "beyond the edge of paper": (cut_on_paper, "record", "min-width: 0;", "min-width: 30ch;", {"width": PAPER, "media": "print"}),
    "head once on paper": (cut_on_paper, "record", "table-header-group", "table-row-group", {"width": PAPER, "media": "print"}),
    "number not told": (unfiltered, "index", "counter-increment", "x-increment", {}),
    "filter without effect": (unfiltered, "index", ":checked) tbody", ":checked) thead", {}),
    "small targets": (too_small, "index", ".filter label {", ".filter label { line-height: 1; padding: 0 !important;", {"width": PHONE}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_page_is_complained_of(pages, desk, name):
    check, kind, good, bad, how = BREAKS[name]
    assert good in pages[kind]
    assert check(desk.lay(pages[kind].replace(good, bad), **how)) != []
