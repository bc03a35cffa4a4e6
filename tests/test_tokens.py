import base64
import copy
import io
import json
import pickle
import traceback

import pytest
import requests

from awsfed_lib.edges.entra.tokens import Header, Token

CLAIMS = {"tid": "t", "roles": ["Application.Read.All"], "exp": 1}
SECRET = "eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip("=") + ".sig-canary"


@pytest.fixture(params=["token", "header"])
def shown(request):
    return Token(SECRET) if request.param == "token" else Token(SECRET).header


@pytest.mark.parametrize(
    "show",
    [
        str, repr, lambda t: f"{t}", lambda t: f"{t!r:>10}", lambda t: f"{t:s}", lambda t: "%s" % t, lambda t: "%r" % [t],
        "{}".format, lambda t: format(t, ""), ascii, lambda t: str({"a": (t, [t])}),
        lambda t: json.dumps({"x": 1, "t": t}, default=str) if isinstance(t, Token) else "",
    ],
)  # fmt: skip
def test_token_shows_itself_to_nobody(shown, show):
    assert "canary" not in show(shown)


@pytest.mark.parametrize("escape", [copy.copy, copy.deepcopy, pickle.dumps, lambda t: pickle.dumps({"a": [t]}, protocol=2)])
def test_token_is_not_copied_and_not_pickled(shown, escape):
    with pytest.raises(TypeError, match="access token"):
        escape(shown)


def test_token_is_not_json():
    with pytest.raises(TypeError):
        json.dumps(Token(SECRET))


def test_token_cannot_be_joined_to_text():
    with pytest.raises(TypeError):
        "".join([Token(SECRET)])
    with pytest.raises(TypeError):
        "a" + Token(SECRET)


def test_token_has_no_attributes_to_list():
    assert not hasattr(Token(SECRET), "__dict__")
    assert "canary" not in str([getattr(Token(SECRET), name) for name in dir(Token(SECRET)) if not name.startswith("__")])


def test_wire_gets_the_text():
    """http.client encodes header values; requests checks them by a pattern and keeps the object."""
    request = requests.Request("GET", "https://x.example", headers={"Authorization": Token(SECRET).header}).prepare()
    assert isinstance(request.headers["Authorization"], Header)
    assert request.headers["Authorization"].encode("latin-1") == f"Bearer {SECRET}".encode()
    assert "canary" not in str(request.headers)


def test_traceback_with_locals_does_not_show_it():
    """`traceback` with capture_locals, and IPython's Verbose mode, print the repr of every local."""

    def fail(token):
        header = token.header
        headers = {"Authorization": header}
        raise ValueError(len(headers))

    text = io.StringIO()
    try:
        fail(Token(SECRET))
    except ValueError as error:
        traceback.TracebackException.from_exception(error, capture_locals=True).print(file=text)
    assert "***" in text.getvalue()
    assert "canary" not in text.getvalue()


def test_claims_are_read_without_the_signature():
    assert dict(Token(SECRET).claims) == CLAIMS


@pytest.mark.parametrize("text", ["", "opaque", "a.b", "a.!!!.c", "a.bnVsbA.c", "a.W10.c", "a.eyJ.c", "é.é.é"])
def test_token_of_another_form_has_no_claims(text):
    assert Token(text).claims == {}
