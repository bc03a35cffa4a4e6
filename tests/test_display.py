"""What is shown: whole, readable without colour, and harmless whatever the names are."""

import html
import json
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import hostile
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsfed_lib.core import tables
from awsfed_lib.core.change import Basis, Change, Guards, Loss, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import AwsfedError, NotApproved
from awsfed_lib.core.outcome import Outcome, Sent
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.view import display, markup, style
from awsfed_lib.core.view.escape import LIMIT, breakable, escaped, json_text, visible, visible_lines
from awsfed_lib.edges.records import frames

TENANT, APPLICATION = "3f2b1c9e-0000-4a11-9e5d-4c0d8f1a2b3c", "7d1e6f3a-52aa-4f0b-8b77-9c2d1e4f5a6b"
VALUE = "arn:aws:iam::012345678901:role/team/Admin,arn:aws:iam::012345678901:saml-provider/WAAD"


def plan(name: str = "Admin", **parts: Any) -> Plan:
    subject = Subject("application", APPLICATION, f"AWS {name}", TENANT)
    settled, basis = Settled("app_roles", APPLICATION), Basis("app_roles", APPLICATION, 1, "d" * 64)
    changes = (
        Change("add", "appRole", VALUE, name, "", name, name),
        Change("keep", "appRole", "null", name, "", "", f"{name}: x"),
    )
    body = as_json({"appRoles": [{"displayName": name, "value": None}]})
    patch = Request("PATCH", f"/servicePrincipals/{APPLICATION}", body, f"add {name}", settled, headers=(("Prefer", name),))
    return replace(Plan(f"appRoles {name}", subject, changes, (patch,), (basis,), (basis,)), **parts)


def outcome(name: str = "Admin", verdict: Any = "failed") -> Outcome:
    made = plan(name)
    sent = tuple(Sent(request, "refused", 400, name, name) for request in made.requests)
    return Outcome(made.id, made.title, made.subject, verdict, sent, name)


def roles(number: int = 3) -> pd.DataFrame:
    row = {"account_id": "012345678901", "role_name": "Admin", "role_arn": VALUE.partition(",")[0], "value": VALUE, "verdict": "taken"}
    return tables.frame(tables.ROLES, [row | {"max_session": 3600 + at} for at in range(number)])


def every_view(name: str) -> list[dict[str, Any]]:
    """Each view, with `name` wherever text from outside can stand."""
    # Half of a surrogate pair cannot be sent, hashed or put into an Arrow string, but may stand in an error or in a frame.
    sendable = "benign" if any("\ud800" <= char <= "\udfff" for char in name) else name
    losing = plan(sendable, losses=(Loss(sendable, sendable, sendable), Loss(sendable, "", sendable)), refusals=(sendable,))
    table = _table(name)
    banner = display.Banner("04-approles", name, "entra", "", (("tenant", name),))
    error = NotApproved(name, where=name, remedy=name)
    return [
        plan(sendable)._repr_mimebundle_(),
        losing._repr_mimebundle_(),
        outcome(sendable)._repr_mimebundle_(),
        banner._repr_mimebundle_(),
        display.error_view(error)._repr_mimebundle_(),
        display.show(table, name)._repr_mimebundle_(),
        display.show(_table(sendable).set_index(sendable))._repr_mimebundle_(),
        display.show(pd.Series([name], name=sendable, dtype=object))._repr_mimebundle_(),
        display.show(frames.kept(pd.DataFrame({"a": [name] * 201}, dtype=object), name))._repr_mimebundle_(),
    ]


def _table(name: str) -> pd.DataFrame:
    columns = pd.Index([name, "b", "severity", "verdict"], dtype=object)
    return pd.DataFrame([["x", name, name, "taken"]], columns=columns, dtype=object)


class Shape(HTMLParser):
    """Tags and attributes in order, without the text; `wbr` says nothing."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.text = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag and its attributes."""
        if tag != "wbr":
            self.tags.append((tag, tuple((name, "…" if name == "aria-label" else value) for name, value in attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Note the end."""
        self.tags.append(("/" + tag, ()))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text.append(data)


def widths_apart(page: str) -> list[Any]:
    """Give tags and attributes; the class of a column depends on the length of its texts, which is not what is compared."""
    alike = re.sub(r"awsfed-(short|middle|long)", "awsfed-width", page)
    return Shape(alike).tags


def hidden(text: str) -> list[str]:
    """Characters that nobody can see; written anew here, so that a mistake in `escape` is not repeated."""
    bad = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [char for char in text if unicodedata.category(char) in bad and char != "\n"]


def test_there_are_enough_hostile_names() -> None:
    assert len(set(hostile.PAYLOADS)) >= 120


@pytest.mark.parametrize("payload", hostile.PAYLOADS, ids=lambda text: ascii(text)[:40])
def test_hostile_name_changes_no_tag_and_no_attribute(payload: Any) -> None:
    benign = [widths_apart(view["text/html"]) for view in every_view("benign")]
    assert [widths_apart(view["text/html"]) for view in every_view(payload)] == benign


@pytest.mark.parametrize("payload", hostile.PAYLOADS, ids=lambda text: ascii(text)[:40])
def test_hostile_name_leaves_nothing_hidden_in_text_or_html(payload: Any) -> None:
    for view in every_view(payload):
        assert hidden(view["text/plain"]) == []
        assert hidden(view["text/html"]) == []


@pytest.mark.parametrize("payload", hostile.PAYLOADS, ids=lambda text: ascii(text)[:40])
def test_hostile_name_adds_no_line_to_a_text(payload: Any) -> None:
    """A name that holds line ends could forge a line of the plan: `To send this: set approved to plan-…`."""
    lines = [len(view["text/plain"].splitlines()) for view in every_view("benign")]
    assert [len(view["text/plain"].splitlines()) for view in every_view(payload)] == lines


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_keeps_the_shape(name: Any) -> None:
    for view, benign in zip(every_view("n" + name), every_view("benign"), strict=True):
        assert widths_apart(view["text/html"]) == widths_apart(benign["text/html"])
        assert hidden(view["text/plain"]) == hidden(view["text/html"]) == []


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_what_is_escaped_reads_as_what_is_visible(text: Any) -> None:
    assert html.unescape(escaped(text)) == visible(text)
    assert "".join(Shape(breakable(text)).text) == visible(text)
    assert not set(escaped(text)) & set("<>\"'")


@given(st.text(max_size=50), st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"]), st.text(max_size=50))
@settings(max_examples=300, deadline=None)
def test_two_names_that_differ_in_a_hidden_character_look_different(before: str, char: str, after: str) -> None:
    assert visible(before + char + after) != visible(before + after)


@pytest.mark.parametrize("name", hostile.INNOCENT)
def test_innocent_name_comes_out_as_it_is(name: Any) -> None:
    assert visible(name) == name


def test_long_text_is_cut_and_says_so() -> None:
    assert visible("x" * 65_536) == "x" * LIMIT + "… (+63,536 characters)"


def test_lines_of_a_log_stay_lines() -> None:
    assert visible_lines("a\x1b[31m\r\nb\tc") == "a␛[31m\nb   c"


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=30), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@settings(max_examples=200, deadline=None)
def test_json_to_paste_is_the_same_value_with_nothing_hidden(value: Any) -> None:
    shown = json_text(value)
    assert json.loads(shown) == value
    assert hidden(shown) == []


@pytest.mark.parametrize(
    "payload", [*(text for text in hostile.PAYLOADS if text not in hostile.HALVES), *hostile.INNOCENT], ids=lambda text: ascii(text)[:40]
)
def test_request_can_be_pasted_into_graph_explorer(payload: Any) -> None:
    """The tutorial pastes a JSON into Graph Explorer by hand; what the plan shows must be exactly what it would send."""
    made = plan(payload)
    shown = re.search(r"<pre[^>]*>(.*?)</pre>", made._repr_mimebundle_()["text/html"], re.DOTALL)[1]
    assert json.loads(html.unescape(shown)) == made.requests[0].content


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    lights = []
    for colour in (one, other):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize(("tone", "paint"), style.PALETTE.items())
def test_contrast_is_enough(tone: Any, paint: Any) -> None:
    assert contrast(paint.text, paint.ground) >= 4.5
    assert contrast(paint.text, style.PAPER) >= 4.5, "where a printer drops the ground"
    assert min(contrast(style.INK, style.PAPER), contrast(style.QUIET, style.PAPER)) >= 4.5


def test_no_two_words_of_one_kind_share_sign_and_tone_but_for_synonyms() -> None:
    for words in (markup.ACTIONS, markup.SEVERITIES, markup.RESULTS):
        assert len(set(words.values())) == len(words)
    assert all(sign.strip() for words in markup.WORDS.values() for sign, _ in words.values())


@pytest.mark.parametrize("view", every_view("Admin"), ids=str)
def test_outputs_load_nothing_and_run_nothing(view: Any) -> None:
    page = view["text/html"]
    assert not re.search(r"<(script|link|img|iframe|object|embed|base|meta|form)\b|\son\w+=|url\(|@import|javascript:|https?:", page)
    assert "\x1b" not in view["text/plain"]


def test_plan_shows_what_a_person_decides_by() -> None:
    losses = (Loss("0a0a", "AWS-012345678901-Legacy", "data-lake / Legacy"),)
    changes = (
        Change("add", "appRole", VALUE, "payments / Admin", "", VALUE),
        Change("update", "appRole", "a", "payments / Old", "disabled", "enabled"),
        Change("disable", "appRole", "b", "data-lake / Legacy", "enabled", "disabled"),
        Change("remove", "assignment", "c", "AWS-012345678901-Legacy → data-lake / Legacy", "assigned"),
        Change("keep", "appRole", "d", "old / Gone", "", "", "dangling: no such IAM role"),
        Change("keep", "appRole", "e", "msiam_access"),
    )
    made = plan(changes=changes, losses=losses, guards=Guards(max_removed=5))
    bundle = made._repr_mimebundle_()
    for text in (bundle["text/plain"], "".join(Shape(bundle["text/html"]).text)):
        for word in (made.id, APPLICATION, TENANT, "1 of at most 5 (max_removed)", "dangling (1)", "2 kept as they are"):
            assert word in text
        for sign, count in (("+", "1 add"), ("~", "1 update"), ("o", "1 disable"), ("-", "1 remove"), ("=", "2 keep")):
            assert f"{sign} {count}" in text
        assert "AWS-012345678901-Legacy (0a0a) loses data-lake / Legacy" in text
        assert re.search(rf"To send this: set\s+approved\s+to\s+{made.id}", text)


def test_refused_plan_says_so_and_offers_no_approval() -> None:
    bundle = plan(refusals=("It removes 7; max_removed allows 5.",))._repr_mimebundle_()
    for text in (bundle["text/plain"], bundle["text/html"]):
        assert "It removes 7; max_removed allows 5." in text
        assert "To send this" not in text


def test_plan_with_nothing_to_send_says_so() -> None:
    bundle = plan(changes=(Change("keep", "appRole", "d", "Admin"),), requests=())._repr_mimebundle_()
    assert "Nothing changes" in bundle["text/plain"]
    assert "Nothing to send." in bundle["text/plain"]
    assert "To send this" not in bundle["text/html"]


def test_kept_ones_are_folded_and_those_with_a_remark_come_first() -> None:
    changes = (
        *(Change("keep", "appRole", str(at), f"fine {at}") for at in range(3)),
        Change("keep", "appRole", "x", "Gone", why="dangling: x"),
    )
    page = plan(changes=changes, requests=())._repr_mimebundle_()["text/html"]
    folded = page[page.index("<details>") :]
    assert folded.index("Gone") < folded.index("fine 0")


def test_plan_rides_along_as_json() -> None:
    made = plan()
    assert made._repr_mimebundle_()["application/vnd.awsfed.plan+json"]["id"] == made.id
    json.dumps(outcome()._repr_mimebundle_())


@pytest.mark.parametrize("verdict", ["nothing to do", "planned", "applied", "unverified", "failed"])
def test_outcome_names_its_verdict_and_the_next_step(verdict: Any) -> None:
    bundle = outcome(verdict=verdict)._repr_mimebundle_()
    for text in (bundle["text/plain"], "".join(Shape(bundle["text/html"]).text)):
        assert verdict in text
        assert display.outcome_text.__globals__["NEXT"][verdict] in text


def test_account_ids_and_arns_stand_whole() -> None:
    page = display.table_html(roles(120))
    assert "".join(Shape(page).text).count("012345678901") >= 120
    assert "".join(Shape(page).text).count(VALUE) == 120
    assert "…" not in page
    assert "..." not in page


def test_row_cap_points_to_the_whole_table() -> None:
    table = frames.kept(roles(1812), "tables/roles.csv")
    page = display.table_html(table)
    assert page.count("<tr>") == 201
    assert "showing 200 of 1,812 rows — full table: tables/roles.csv" in page
    assert "full table: tables/roles.csv" in display.table_html(table[table.verdict == "taken"])
    assert "showing 60 of 1,812 rows — full table: tables/roles.csv" in display.table_text(table)


def test_bare_table_has_its_name_and_number() -> None:
    assert "<caption><span>roles: 3 rows</span></caption>" in display.table_html(roles())
    assert "<caption><span>1 row</span></caption>" in display.table_html(pd.DataFrame({"a": [1]}))
    assert "<caption><span>my words</span></caption>" in display.table_html(roles(), "my words")


def test_heads_have_their_scope() -> None:
    page = display.table_html(roles(1))
    assert page.count('<th scope="col"') == len(re.findall("<t[hd]", page)) - page.count("<td") - 1 - page.count("<thead")
    assert page.count('<th scope="row"') == 1


def test_empty_columns_are_named_and_not_drawn() -> None:
    page = display.table_html(roles())
    assert "empty in all rows: account_name, provider_arn, reason" in page
    assert 'scope="col"' in page
    assert ">boundary<" not in page


def test_empty_table_keeps_its_columns() -> None:
    page = display.table_html(tables.frame(tables.FINDINGS, []))
    assert "findings: 0 rows" in page
    assert ">severity<" in page
    assert "no rows" in page


def test_wire_column_is_named_and_not_drawn() -> None:
    entry = {"app_role_id": "a", "value": "v", "entry": {"secretHint": "x"}}
    page = display.table_html(tables.frame(tables.APP_ROLES, [entry]))
    assert "not drawn, as the service sent it: entry" in page
    assert "secretHint" not in page


def test_cells_read_as_words() -> None:
    table = pd.DataFrame({
        "yes": [True, False],
        "when": pd.to_datetime(["2026-11-24T05:40:12Z", None], utc=True),
        "count": pd.array([3600, None], dtype="Int64"),
        "real": [0.5, float("nan")],
    })  # fmt: skip
    text = display.table_text(table)
    assert "yes  2026-11-24 05:40 UTC  3600   0.5" in text
    assert not re.search(r"NaT|nan|<NA>|None", text)


def test_index_with_a_meaning_becomes_a_column_and_row_numbers_do_not() -> None:
    counts = roles().verdict.value_counts()
    assert "verdict" in display.table_text(counts)
    assert "taken    3" in display.table_text(counts)
    filtered = roles()[1:][["role_name"]]
    assert display.table_text(filtered).splitlines()[2] == "  Admin"


def test_twice_the_same_column_name_is_no_obstacle() -> None:
    table = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert display.table_text(table).splitlines()[2].split() == ["1", "2"]


def test_words_with_a_look_get_sign_and_word() -> None:
    page = display.table_html(pd.DataFrame({"severity": ["critical", "odd"]}))
    assert '<span class="awsfed-chip awsfed-bad">!!! critical</span>' in page
    assert ">odd<" in page


def test_error_card_says_what_where_and_next() -> None:
    view = display.error_view(NotApproved("It is not the id.", where="AWS", remedy="Read the plan."))
    assert view.text.splitlines() == ["Not approved: It is not the id.", "  where  AWS", "  next   Read the plan."]
    assert "Traceback" not in view.html
    assert "Key error: &#x27;x&#x27;" in display.error_view(KeyError("x")).html or "Key error" in display.error_view(KeyError("x")).text
    assert display.error_view(AwsfedError("Only this.")).text == "Awsfed error: Only this."


@pytest.mark.parametrize(
    ("changes", "approved", "promise"),
    [
        ("nothing", "", "It reads only: its transport lets no write through."),
        ("entra", "", "No plan is approved: it plans, shows the plan, and sends nothing."),
        (
            "aws",
            "plan-0123456789abcdef0123456789abcdef",
            "It sends the plan plan-0123456789abcdef0123456789abcdef, if and only if that is what it plans now.",
        ),
    ],
)
def test_banner_says_what_the_run_may_do(changes: Any, approved: Any, promise: Any) -> None:
    bundle = display.Banner("x", "y", changes, approved)._repr_mimebundle_()
    assert promise in bundle["text/plain"]
    assert promise in bundle["text/html"]


def test_registered_frames_read_well_at_the_end_of_a_cell() -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    frames.register(shell)
    bundle, _ = shell.display_formatter.format(roles())
    assert bundle["text/html"] == display.table_html(roles())
    assert bundle["text/plain"] == display.table_text(roles())
    assert shell.display_formatter.format(roles().role_name)[0]["text/plain"].startswith("3 rows")


def test_outside_ipython_register_does_nothing() -> None:
    before = pd.DataFrame({"a": [1]}).to_html()
    frames.register()
    assert pd.DataFrame({"a": [1]}).to_html() == before
