"""What passes into a record without bleach is what bleach would let pass."""

import hostile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.core.view.markup import box, folded
from awsfed_lib.edges.records import sanitizer

BLEACH = sanitizer.bleached()
OURS = '<p> </p> <p|title=""> <br> </br> <div|class="awsfed"> </div> <table> <tr> <td> </td> </tr> </table> text &amp; &lt; </a>'
THEIRS = '& < > " <script> </script> <svg> <!-- --> <P> <p/> <style> \0 <p|onclick="x"> <a|href=\'x\'> <a|href="javascript:1">'
LINKS = '<a|href="https://example.org/"> <a|href="&#106;avascript:1"> <a|href="&amp;#106;avascript:1"> <a|href="#x">'
PIECES = st.sampled_from([piece.replace("|", " ") for piece in f"{OURS} {THEIRS} {LINKS}".split(" ")])


def loses_nothing(markup: str) -> bool:
    """bleach drops an attribute, and shows a tag as text, that is not on the list."""
    left = BLEACH(markup)
    return all(left.count(sign) == markup.count(sign) for sign in ("&lt;", '="'))


@given(st.lists(PIECES, max_size=12).map("".join))
def test_what_is_called_clean_loses_nothing_to_bleach(markup: str) -> None:
    assert not sanitizer.clean(markup) or loses_nothing(markup)


@pytest.mark.parametrize("payload", hostile.EVERYTHING, ids=lambda text: ascii(text)[:40])
def test_hostile_text_is_called_clean_only_where_it_is(payload: str) -> None:
    for markup in (payload, f"<p>{payload}</p>", f'<p title="{payload}">x</p>', f'<a href="{payload}">x</a>'):
        assert not sanitizer.clean(markup) or loses_nothing(markup)


@pytest.mark.parametrize(
    "tag", ["script", "style", "svg", "math", "img", "template", "textarea", "title", "noscript", "select", "iframe", "xmp"]
)
def test_no_tag_that_changes_how_the_rest_is_read(tag: str) -> None:
    assert not sanitizer.clean(f"<{tag}></{tag}>")


@pytest.mark.parametrize(
    "markup", ["<p>", "</p>", "<p></div>", '<p></p class="log">', "<br></br>", "<p >x</p>", "<p class=log>x</p>", "a & b"]
)
@pytest.mark.parametrize("around", ["{}", "<div>{}</div>"])
def test_what_our_views_never_write_goes_to_bleach(markup: str, around: str) -> None:
    assert not sanitizer.clean(around.format(markup))


@pytest.mark.parametrize("letter", ["\0", "\x0b", "\x1b", "\r"])
def test_control_letters_go_to_bleach(letter: str) -> None:
    assert not sanitizer.clean(f"<p>{letter}</p>")
    assert not sanitizer.clean(f'<p aria-label="{letter}">x</p>')


def test_our_own_markup_is_clean() -> None:
    assert sanitizer.clean(f'<div class="awsfed">{box("<p>a &amp; b<br>c</p>", "bad")}{folded("more", "<pre>x</pre>")}</div>')
