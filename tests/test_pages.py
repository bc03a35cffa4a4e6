from urllib.parse import unquote

import pytest
import scripted
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.core.errors import GraphError, UnreadError
from awsfed_lib.edges.entra import pages
from awsfed_lib.edges.entra.gate import Gate
from awsfed_lib.edges.entra.transport import Transport

Says = scripted.Says
NEXT = "@odata.nextLink"


@pytest.fixture
def transport(server):
    return Transport(server.cloud, scripted.Source(), Gate(), scripted.Hours().clock)


def test_all_pages_come_in_order(server, transport):
    """Never the first page only: a peer that did so removed what it did not see."""
    server.play(
        Says(200, {"value": [{"id": 1}], NEXT: f"{server.url}/v1.0/groups?$skiptoken=X%2744%27"}),
        Says(200, {"value": [], NEXT: f"{server.url}/v1.0/groups?$skiptoken=Y"}),
        Says(200, {"value": [{"id": 2}]}),
    )
    assert pages.every(transport, "/groups?$top=1", (("ConsistencyLevel", "eventual"),)) == [{"id": 1}, {"id": 2}]
    assert [asked.path for asked in server.asked] == [
        "/v1.0/groups?$top=1",
        "/v1.0/groups?$skiptoken=X%2744%27",
        "/v1.0/groups?$skiptoken=Y",
    ]
    assert {asked.headers["ConsistencyLevel"] for asked in server.asked} == {"eventual"}


def test_link_may_name_the_port_of_its_scheme(server, transport):
    """The same origin, written differently, is the same."""
    link = f"{server.url.replace('https', 'HTTPS')}/v1.0/groups?$skiptoken=Y"
    server.play(Says(200, {"value": [], NEXT: link}), Says(200, {"value": []}))
    assert pages.every(transport, "/groups") == []


@pytest.fixture(scope="module")
def thief(tmp_path_factory):
    with scripted.serve(tmp_path_factory.mktemp("thief")) as other:
        other.play(Says(200, {"value": []}))
        yield other


@pytest.mark.parametrize("form", ["{thief}/v1.0/groups", "{own}@{thief_host}/v1.0", "http://{own_host}/v1.0", "//{thief_host}/v1.0", "https://{own_name}:1/x", "/v1.0/groups", "", "file:///etc/passwd", 7, {"a": 1}, "https://user@{own_host}/v1.0/groups"])  # fmt: skip
def test_next_page_elsewhere_gets_no_token(server, transport, thief, form):
    """The bearer token leaked by nextLink in Policy-Weaver issue 112, agent-bom pull 4751, autorest.powershell pull 1551."""
    names = {"thief": thief.url, "own": server.url, "thief_host": thief.url[8:], "own_host": server.url[8:], "own_name": "127.0.0.1"}
    link = form.format(**names) if isinstance(form, str) else form
    server.play(Says(200, {"value": [{"id": 1}], NEXT: link}))
    with pytest.raises(UnreadError, match="no token was sent"):
        pages.every(transport, "/groups")
    assert thief.asked == []
    assert len(server.asked) == 1


def test_list_whose_page_token_expired_is_read_again_and_not_for_ever(server, transport):
    """Directory_ExpiredPageToken ended long lists (AzureHound #189, cartography pull 2853)."""
    first = Says(200, {"value": [{"id": 1}], NEXT: f"{server.url}/v1.0/groups?$skiptoken=Y"})
    expired = Says(400, {"error": {"code": "Directory_ExpiredPageToken", "message": "The specified page token value has expired."}})
    server.play(first, expired, first, Says(200, {"value": [{"id": 2}]}))
    assert pages.every(transport, "/groups") == [{"id": 1}, {"id": 2}]
    server.script = lambda asked: expired if "skiptoken" in asked.path else first
    with pytest.raises(GraphError) as refused:
        pages.every(transport, "/groups")
    assert refused.value.code == "Directory_ExpiredPageToken"


def test_nothing_set_is_no_crash(server, transport):
    server.play(Says(204))
    assert pages.one(transport, "/beta/servicePrincipals/sp/claimsPolicy") == {}


def test_circle_of_pages_ends(server, transport):
    server.play(Says(200, {"value": [{"id": 1}], NEXT: f"{server.url}/v1.0/groups?$skiptoken=Y"}))
    with pytest.raises(UnreadError, match="circle"):
        pages.every(transport, "/groups")


@pytest.mark.parametrize(
    "says",
    [
        Says(200, {"id": "x"}),
        Says(200, {"value": None}),
        Says(200, {"value": {}}),
        Says(200, {"value": [1]}),
        Says(200, {"value": [None]}),
        Says(200, b"[]"),
        Says(200, b"null"),
        Says(200, b""),
        Says(204),
        Says(200, b'{"value": [{"id": 1}, {"id"'),
        Says(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
        Says(200, b"\xff\xfe{}"),
    ],
    ids=str,
)
def test_what_is_not_whole_is_unread_and_never_empty(server, transport, says):
    server.play(says)
    with pytest.raises(UnreadError, match="/groups"):
        pages.every(transport, "/groups?$top=999")


def test_unread_second_page_is_unread(server, transport):
    server.play(Says(200, {"value": [{"id": 1}], NEXT: f"{server.url}/v1.0/groups?$skiptoken=Y"}), Says(200, {"error": {}}))
    with pytest.raises(UnreadError, match="no list"):
        pages.every(transport, "/groups")


@pytest.mark.parametrize("part", [0.25, 0.5, 0.99])
def test_cut_body_is_unread(server, transport, part):
    """Cut by a proxy that also repaired the length: nothing but the JSON tells."""
    whole = Says(200, {"value": [{"id": n} for n in range(100)]}).raw
    server.play(Says(200, whole[: int(len(whole) * part)]))
    with pytest.raises(UnreadError, match="no whole JSON"):
        pages.every(transport, "/groups")


def test_fewer_than_promised_is_unread(server, transport):
    server.play(Says(200, {"@odata.count": 3, "value": [{"id": 1}], NEXT: f"{server.url}/v1.0/g?x"}), Says(200, {"value": [{"id": 2}]}))
    with pytest.raises(UnreadError, match="holds 3 objects, and 2 came"):
        pages.every(transport, "/groups")


def test_as_many_as_promised_is_whole(server, transport):
    server.play(Says(200, {"@odata.count": 1, "value": [{"id": 1}]}))
    assert pages.every(transport, "/groups") == [{"id": 1}]


@given(st.text(max_size=40))
def test_any_name_stays_inside_its_quotes(name):
    """learn.microsoft.com graph/query-parameters: quotes are doubled; # & + are percent-encoded."""
    literal = pages.quoted(name)
    assert unquote(literal) == "'" + name.replace("'", "''") + "'"
    assert not set(literal) & set("'#&+ /?=\\\"")
