"""A record as one page: no script, nothing loaded, hostile content inert, readable from a phone to paper. Real nbconvert, real Chromium."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import hostile
import nbformat
import pandas as pd
import pytest
from nbformat import v4
from test_display import outcome, plan

from awsfed_lib.core.errors import RecordError
from awsfed_lib.core.view import display
from awsfed_lib.edges.records import export, results, sanitizer

RUN = {
    "schema": "awsfed.run/1",
    "runbook": "04-approles",
    "title": "appRoles of the application",
    "changes": "entra",
    "executed_by": "awsfed run",
    "started": "2026-11-24T08:00:00+00:00",
    "finished": "2026-11-24T08:00:43+00:00",
    "parameters": {"tenant_id": "3f2b", "max_removed": 5, "break_glass": [], "protected_roles": ["*break*"]},
    "who": {"entra": {"client_id": "1111", "user_name": "", "kind": "application"}, "aws": "arn:aws:sts::012345678901:assumed-role/x/y"},
    "awsfed": "0.1.0",
    "git": {"commit": "4c905d1", "dirty": True},
    "packages": {"python": "3.11.7"},
    "verdict": "applied",
    "problem": "",
    "exit_code": 0,
    "counts": {"plans": [{"plan": "plan-0", "title": "appRoles", "verdict": "applied", "requests": 1}], "findings": {"high": 2, "low": 0}},
    "files": {"record.html": "00"},
}


def shown(markup: str, text: str = "text", **more: Any) -> Any:
    return v4.new_output("display_data", data={"text/html": markup, "text/plain": text, **more})


def code(source: str, *outputs: Any, **more: Any) -> Any:
    return v4.new_code_cell(source, outputs=list(outputs), execution_count=1, **more)


def record(folder: Path, *cells: Any, run: Any = RUN, title: str = "04-approles") -> str:
    """Write record.ipynb and run.json into `folder`, export, and return the page."""
    notebook = v4.new_notebook(cells=list(cells))
    (folder / "record.ipynb").write_text(nbformat.v4.writes(notebook), encoding="utf-8", errors="surrogatepass")
    (folder / "run.json").write_text(json.dumps(run))
    written = export.write_html(folder / "record.ipynb", folder / "record.html", title=title)
    return written.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """All tags with their attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def body(page: str) -> Tags:
    return Tags(page[page.index("<body>") :])


def assert_inert(page: str) -> None:
    """No tag and no attribute but those that the page itself needs and those of the list."""
    for tag, attributes in body(page).found:
        assert tag in sanitizer.TAGS | {"body", "main", "header", "footer", "nav", "img"}, tag
        if tag == "img":
            assert set(attributes) == {"src", "alt"}
            assert re.fullmatch(r"data:image/(svg\+xml|png);base64,[A-Za-z0-9+/=]+", attributes["src"] or "")
            continue
        for name, value in attributes.items():
            own = name == "id" or (name == "class" and re.fullmatch(r"prose|cell|source|output|record-(head|foot)", value or ""))
            relative = name == "href" and re.fullmatch(r"#cell-[\w-]+", value or "")
            assert own or relative or sanitizer.allowed(tag, name, value or ""), (tag, name, value)
    head = page[: page.index("<body>")]
    assert head.count("<style>") == 1
    assert [tag for tag, _ in Tags(head).found] == ["html", "head", *["meta"] * 5, "title", "style"]


def hostile_cells(payload: str) -> list[Any]:
    forged = f'<div class="awsfed">{payload}</div>'
    return [
        v4.new_markdown_cell(payload),
        v4.new_markdown_cell(f"# {payload}\n\n- {payload}\n\n[{payload}]({payload})\n\n`{payload}`\n"),
        code(payload, v4.new_output("stream", name="stdout", text=payload), v4.new_output("stream", name="stderr", text=payload)),
        code("a", shown(payload, payload), shown(forged, payload), shown(f'<div class="awsfed"><style>{payload}</style>')),
        code("b", shown(f'<div class="awsfed"><a href="{payload}" class="{payload}" style="{payload}" onclick="{payload}">x</a></div>')),
        code("c", v4.new_output("error", ename=payload, evalue=payload, traceback=[payload] * 9)),
        code("d", v4.new_output("display_data", data={"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{payload}</svg>"})),
        code("e", v4.new_output("display_data", data={"image/png": payload, "text/plain": payload})),
        code("f", v4.new_output("display_data", data={"application/javascript": payload, "text/latex": payload, "text/markdown": payload})),
        code("g", v4.new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": payload}})),
        code("h", display_table(payload)),
    ]


def display_table(payload: str) -> Any:
    table = pd.DataFrame({"name": [payload]}, dtype=object)
    return shown(display.table_html(table, payload), payload)


def hostile_run(payload: str) -> dict[str, Any]:
    plans = [{"plan": payload, "title": payload, "verdict": payload}]
    values = {"parameters": {payload: payload, "list": [payload]}, "who": {"entra": {payload: payload}}, "packages": {payload: payload}}
    words = dict.fromkeys(("runbook", "title", "changes", "verdict", "problem", "started", "finished", "awsfed", "exit_code"), payload)
    return {**words, **values, "git": {"commit": payload, "dirty": True}, "counts": {"plans": plans, "findings": {payload: 1}}}


@pytest.mark.parametrize("payload", hostile.MARKUP, ids=lambda text: ascii(text)[:40])
def test_hostile_content_stays_inert(tmp_path: Path, payload: str) -> None:
    page = record(tmp_path, *hostile_cells(payload), run=hostile_run(payload), title=payload)
    assert_inert(page)


def test_all_other_hostile_texts_at_once(tmp_path: Path) -> None:
    payloads = [text for text in hostile.PAYLOADS if text not in hostile.MARKUP and len(text) < 1000 and text not in hostile.HALVES]
    page = record(tmp_path, *(cell for text in payloads for cell in hostile_cells(text)))
    assert_inert(page)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "".join(re.findall(r"<pre.*?</pre>", page, re.DOTALL)))


def test_page_has_no_script_and_loads_nothing(tmp_path: Path) -> None:
    """In nbconvert 7.17 each stock template but `basic` loads scripts from cdnjs.cloudflare.com, and widgets from unpkg.com."""
    page = record(tmp_path, v4.new_markdown_cell("# Title\n\n$x^2$"), code("roles", display_table("x")))
    assert "<script" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|url\(|@import|cdnjs|unpkg|mathjax|mermaid|require\.js""", page, re.IGNORECASE)
    assert "default-src 'none'; style-src 'sha256-" in page


def test_output_of_unknown_origin_is_shown_as_text(tmp_path: Path) -> None:
    page = record(tmp_path, code("a", shown("<b>not ours</b>", "its text")), code("b", shown("<i>no text</i>", "")))
    assert "its text" in body(page).text
    assert "not ours" not in page
    assert "&lt;i&gt;no text&lt;/i&gt;" in page


def test_forged_mark_gets_no_more_than_our_own_tags(tmp_path: Path) -> None:
    forged = (
        '<div class="awsfed"><p class="awsfed-title" style="position:fixed" id="x">fine</p><script>alert(1)</script><img src=//x></div>'
    )
    page = record(tmp_path, code("a", shown(forged)))
    assert '<p class="awsfed-title">fine</p>' in page
    assert "&lt;script&gt;alert(1)" in page
    assert "position:fixed" not in page
    assert_inert(page)


def test_our_views_come_through_whole(tmp_path: Path) -> None:
    view = display.show(pd.DataFrame({"account_id": ["012345678901"], "severity": ["critical"]}), "what was found")
    page = record(tmp_path, code("a", shown(view.html, view.text)))
    drawn = body(page)
    assert ("th", {"scope": "col", "class": "awsfed-short"}) in drawn.found
    assert ("span", {"class": "awsfed-chip awsfed-bad"}) in drawn.found
    assert {"role": "group", "tabindex": "0", "aria-label": "what was found", "class": "awsfed-scroll"} in [pair[1] for pair in drawn.found]
    assert "!!! critical" in drawn.text


def test_head_gives_verdict_parameters_and_who(tmp_path: Path) -> None:
    text = body(record(tmp_path, code("a"))).text
    for word in (
        "✓ applied",
        "~ can change Entra ID",
        "The approved plan was sent, and the live state was read back as planned.",
        "2026-11-24 08:00:00 UTC",
        "43 s",
        "client_id 1111, kind application",
        "arn:aws:sts::012345678901:assumed-role/x/y",
        "4c905d1 with changes that are not committed",
        "max_removed5",
        "break_glassnone",
        "*break*",
    ):
        assert word in text, word


def test_title_stands_once(tmp_path: Path) -> None:
    page = record(tmp_path, v4.new_markdown_cell("# appRoles\n\nBrings them in line."), title="appRoles")
    assert page.count("<h1") == 1
    assert "Brings them in line." in page


def test_record_without_run_json_has_a_plain_head(tmp_path: Path) -> None:
    (tmp_path / "record.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=[code("a")])))
    page = export.write_html(tmp_path / "record.ipynb", tmp_path / "record.html", title="Only this").read_text()
    assert "<h1>Only this</h1>" in page
    assert "verdict" not in body(page).text


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_damaged_run_json_does_not_stop_the_page(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.ipynb").write_text(nbformat.writes(v4.new_notebook(cells=[code("a")])))
    (tmp_path / "run.json").write_text(text)
    assert export.write_html(tmp_path / "record.ipynb", tmp_path / "record.html", title="x").exists()


def test_unfinished_run_is_called_unfinished(tmp_path: Path) -> None:
    assert "? unfinished" in body(record(tmp_path, code("a"), run={**RUN, "verdict": ""})).text


def test_stop_is_named_and_linked_and_the_rest_is_marked(tmp_path: Path) -> None:
    error = v4.new_output("error", ename="StalePlan", evalue="It changed.\n  next:  Run again.", traceback=["StalePlan: It changed."])
    marked = v4.new_markdown_cell(
        '<span style="color:red">An Exception was encountered</span>', metadata={"tags": ["papermill-error-cell-tag"]}
    )
    later = v4.new_code_cell("never()", id="later")
    page = record(tmp_path, marked, code("apply()", error, id="apply"), later, run={**RUN, "verdict": "failed", "problem": "It changed."})
    drawn = body(page)
    assert ("a", {"href": "#cell-apply"}) in drawn.found
    assert ("section", {"class": "cell", "id": "cell-apply"}) in drawn.found
    assert "✕ Stale plan" in drawn.text
    assert "later (not executed)" in drawn.text
    assert "An Exception was encountered" not in page


def test_our_error_has_no_stack_and_another_has_it_folded(tmp_path: Path) -> None:
    ours = v4.new_output("error", ename="StalePlan", evalue="It changed.", traceback=["StalePlan: It changed."])
    other = v4.new_output("error", ename="KeyError", evalue="'x'", traceback=["\x1b[31mTraceback\x1b[0m", *(f"line {n}" for n in range(9))])
    drawn = body(record(tmp_path, code("a", ours), code("b", other)))
    assert drawn.text.count("where in the code") == 1
    assert "Traceback\nline 0" in drawn.text


def test_widget_leaves_a_remark_and_no_false_progress(tmp_path: Path) -> None:
    """A saved tqdm widget reads "0%" for ever (github.com/nteract/papermill issue 617)."""
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "accounts:   0%|          | 0/20"}
    page = record(tmp_path, code("a", v4.new_output("display_data", data=widget)))
    assert "0%" not in body(page).text
    assert "a live widget stood here" in body(page).text.lower()


def test_picture_is_inside_the_page(tmp_path: Path) -> None:
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>"
    page = record(tmp_path, code("a", v4.new_output("display_data", data={"image/svg+xml": svg, "text/plain": "<Figure>"})))
    picture = dict(next(pair for pair in body(page).found if pair[0] == "img")[1])
    assert (picture["src"] or "").startswith("data:image/svg+xml;base64,")
    assert picture["alt"] == "<Figure>"


def test_source_is_visible_and_folds_without_script(tmp_path: Path) -> None:
    page = record(tmp_path, code("run = fed.begin(\"x\") & '<b>'", id="begin"))
    assert ("details", {"class": "source", "open": ""}) in body(page).found
    assert "run = fed.begin(\"x\") & '<b>'" in body(page).text


def test_record_is_never_overwritten(tmp_path: Path) -> None:
    record(tmp_path, code("a"))
    with pytest.raises(RecordError, match="never overwritten"):
        export.write_html(tmp_path / "record.ipynb", tmp_path / "record.html", title="x")


@pytest.mark.parametrize(
    "text", ["", "{}", "no json", '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}']
)
def test_unreadable_notebook_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.ipynb").write_text(text)
    with pytest.raises(RecordError, match="cannot be read"):
        export.write_html(tmp_path / "record.ipynb", tmp_path / "record.html", title="x")
    assert not (tmp_path / "record.html").exists()


def test_index_lists_records_newest_first_with_links_that_work() -> None:
    runs = {
        "20261124T080000Z-04-approles-7d1e6f3a": RUN,
        "20261125T080000Z-09-audit-7d1e6f3a": {**RUN, "runbook": "09-audit", "verdict": "findings", "files": {}},
        "odd name <b>": {},
    }
    page = export.index_html(runs)
    skips, *links = [attributes["href"] for tag, attributes in body(page).found if tag == "a"]
    assert skips == "#records"
    assert links == ["odd%20name%20%3Cb%3E/", "20261125T080000Z-09-audit-7d1e6f3a/", "20261124T080000Z-04-approles-7d1e6f3a/record.html"]
    assert "findings: 2 high" in body(page).text
    assert "? unfinished" in body(page).text


def test_run_says_how_much_its_plan_changes_and_not_what_it_keeps() -> None:
    plan_made, outcome_made = plan(), outcome(verdict="applied")
    kept = {outcome_made.plan_id: json.loads(json.dumps(plan_made.content))}
    counts = results.counts([outcome_made], None, kept)
    assert counts["plans"][0]["changes"] == {"add": 1, "keep": 1}
    assert f"appRoles Admin: applied, 1 add, {plan_made.id}" in body(export.index_html({"a": {**RUN, "counts": counts}})).text
    assert "changes" not in results.counts([outcome_made], None)["plans"][0]


@pytest.mark.parametrize("changes", [{"add": "<b>"}, {"add": None}, ["add"], "add", None])
def test_numbers_that_are_none_are_left_out(changes: Any) -> None:
    counts = {"plans": [{"plan": "plan-0", "title": "t", "verdict": "planned", "changes": changes}]}
    assert "t: planned, plan-0" in body(export.index_html({"a": {**RUN, "counts": counts}})).text


@pytest.mark.parametrize("payload", hostile.MARKUP, ids=lambda text: ascii(text)[:40])
def test_hostile_index_stays_inert(payload: str) -> None:
    page = export.index_html({payload: hostile_run(payload)}, title=payload)
    for tag, attributes in body(page).found:
        assert tag in sanitizer.TAGS | {"body", "main"}
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src"}]
        assert not re.match(r"\s*javascript|//|data:", attributes.get("href") or "", re.IGNORECASE)


def test_empty_index_says_so(tmp_path: Path) -> None:
    export.write_index(tmp_path / "index.html", {})
    export.write_index(tmp_path / "index.html", {})
    assert "There are no records yet." in (tmp_path / "index.html").read_text()


# In a real browser


class Seen:
    """A page in Chromium, and everything that it tried."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.noise: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.noise.append(message.text))
        self.page.on("pageerror", lambda error: self.noise.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.noise.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: Path) -> Any:
        """Open the file and let everything that would run have its time."""
        self.page.goto(path.as_uri())
        self.page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        self.page.wait_for_timeout(50)
        return self.page

    @property
    def external(self) -> list[str]:
        """Requests for anything but the page itself and what is inside it."""
        return [url for url in self.requests if not url.startswith(("file://", "data:"))]


@pytest.mark.browser
def test_browser_runs_nothing_of_all_hostile_content(tmp_path: Path, browser: Any) -> None:
    payloads = [text for text in hostile.PAYLOADS if len(text) < 1000 and text not in hostile.HALVES]
    record(tmp_path, *(cell for text in payloads for cell in hostile_cells(text)), run=hostile_run(hostile.MARKUP[0]))
    seen = Seen(browser)
    seen.open(tmp_path / "record.html")
    assert seen.noise == []
    assert seen.external == []
    assert len(seen.requests) - sum(url.startswith("data:") for url in seen.requests) == 1


@pytest.mark.browser
def test_browser_applies_the_one_style_sheet(tmp_path: Path, browser: Any) -> None:
    """The policy names the sheet by its digest: were the digest wrong, the page would be bare."""
    view = display.show(pd.DataFrame({"severity": ["critical"]}))
    record(tmp_path, code("a", shown(view.html, view.text)))
    page = Seen(browser).open(tmp_path / "record.html")
    assert page.eval_on_selector(".output .awsfed-bad", "chip => getComputedStyle(chip).color") == "rgb(140, 20, 32)"
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=x style=\"color: rgb(1, 2, 3)\">x</p>')")
    assert page.eval_on_selector("#x", "p => getComputedStyle(p).color") != "rgb(1, 2, 3)"


@pytest.mark.browser
@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (390, "screen"), (1030, "print")])
def test_browser_shows_no_page_wider_than_the_window(tmp_path: Path, browser: Any, width: int, media: str) -> None:
    table = pd.DataFrame({f"column_{at}": [f"arn:aws:iam::012345678901:role/{'long-' * 9}{at}"] * 3 for at in range(9)})
    wide = code("x = '" + "y" * 300 + "'", v4.new_output("stream", name="stdout", text="z" * 500), shown(display.table_html(table)))
    record(tmp_path, v4.new_markdown_cell("# A title\n\n" + "w" * 200), wide)
    seen = Seen(browser)
    seen.page.set_viewport_size({"width": width, "height": 900})
    seen.page.emulate_media(media=media)
    page = seen.open(tmp_path / "record.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_browser_copies_an_arn_without_the_breaks(tmp_path: Path, browser: Any) -> None:
    arn = "arn:aws:iam::012345678901:role/team/payments/Admin"
    record(tmp_path, code("a", shown(display.table_html(pd.DataFrame({"arn": [arn]})))))
    page = Seen(browser).open(tmp_path / "record.html")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('tbody th'))")
    assert page.evaluate("getSelection().toString()").strip() == arn


@pytest.mark.browser
def test_browser_selects_a_plan_id_whole_by_one_click(tmp_path: Path, browser: Any) -> None:
    from awsfed_lib.core.view.markup import code as id_to_copy
    from awsfed_lib.core.view.markup import output

    record(tmp_path, code("a", shown(output(f"<p>To send this: {id_to_copy('plan-0123456789abcdef0123456789abcdef')}</p>"))))
    page = Seen(browser).open(tmp_path / "record.html")
    page.click(".awsfed-id")
    assert page.evaluate("getSelection().toString()").strip() == "plan-0123456789abcdef0123456789abcdef"
