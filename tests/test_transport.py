import base64
import contextlib
import io
import json
import logging
import traceback

import pytest
import scripted

from awsfed_lib.core.errors import GraphError, SignInError, UnreadError, WriteForbidden
from awsfed_lib.edges.entra.connection import Lost
from awsfed_lib.edges.entra.gate import Gate
from awsfed_lib.edges.entra.pace import Limits
from awsfed_lib.edges.entra.transport import Call, Reply, Transport, words

Says, CANARY = scripted.Says, scripted.CANARY
READ = Call("GET", "/servicePrincipals/sp")
OK = Says(200, {"id": "sp"})


def refusal(status, code="", message="", **headers):
    return Says(status, {"error": {"code": code, "message": message, "innerError": {"request-id": "rid-1"}}}, headers)


@pytest.fixture
def server(served):
    served.asked.clear()
    served.play(OK)
    return served


@pytest.fixture
def source():
    return scripted.Source()


@pytest.fixture
def transport(server, source, hours):
    transport = Transport(server.cloud, source, Gate(), hours.clock)
    transport.limits = Limits()
    return transport


def test_every_request_carries_a_fresh_token_and_its_own_id(server, source, transport):
    """learn.microsoft.com graph/best-practices-concept: client-request-id."""
    for _ in range(2):
        assert transport.fetch(READ).document == {"id": "sp"}
    assert [asked.headers["Authorization"] for asked in server.asked] == [f"Bearer {CANARY}"] * 2
    assert source.asked == 2
    first, second = (asked.headers["client-request-id"] for asked in server.asked)
    assert first != second
    assert server.asked[0].path == "/v1.0/servicePrincipals/sp"


def test_token_is_renewed_once(server, source, transport):
    """One client reports 401 as a transient quirk on valid tokens: renew once, no more."""
    server.play(refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."), OK)
    assert transport.fetch(READ).status == 200
    assert source.renewed == [""]
    assert server.asked[1].headers["Authorization"] == f"Bearer {CANARY}1"


def test_token_that_is_never_accepted_is_told(server, source, transport):
    server.play(refusal(401, "InvalidAuthenticationToken", "Access token is empty."))
    with pytest.raises(GraphError, match="Access token is empty") as error:
        transport.fetch(READ)
    assert (error.value.status, error.value.code, len(server.asked)) == (401, "InvalidAuthenticationToken", 2)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, lambda raw: base64.b64encode(raw).rstrip(b"=")])
def test_claims_challenge_reaches_the_sign_in(server, source, transport, encode):
    """learn.microsoft.com entra/identity-platform/claims-challenge."""
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"},"x":"??>>"}}'
    header = f'Bearer realm="", error="insufficient_claims", claims="{encode(claims.encode()).decode()}"'
    server.play(Says(401, {}, {"WWW-Authenticate": header}), OK)
    transport.fetch(READ)
    assert source.renewed == [claims]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", 'Bearer error="invalid_token", claims="e30="', 'Bearer error="insufficient_claims", claims="%%%"',
     'Bearer error="insufficient_claims", claims="AAAA"', 'Bearer error="insufficient_claims", claims="W10="'],
)  # fmt: skip
def test_challenge_that_is_none_asks_for_a_plain_token(server, source, transport, header):
    server.play(Says(401, {}, {"WWW-Authenticate": header}), OK)
    transport.fetch(READ)
    assert source.renewed == [""]


def test_failed_renewal_is_a_sign_in_error(server, transport, source):
    def renew(claims):
        raise SignInError("Entra ID refused the sign-in: AADSTS50173")

    source.renew = renew
    server.play(refusal(401))
    with pytest.raises(SignInError, match="AADSTS50173"):
        transport.fetch(READ)


def test_write_never_leaves_a_reading_transport(server, source, transport):
    for method in ("POST", "PATCH", "DELETE", "PUT"):
        with pytest.raises(WriteForbidden):
            transport.attempt(Call(method, "/groups", "{}"))
    assert server.asked == []
    assert transport.budget.requests == 0


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_reads_are_tried_again(server, transport, hours, status):
    server.play(refusal(status), refusal(status), OK)
    assert transport.fetch(READ).status == 200
    assert hours.slept == [1.0, 2.0]
    assert transport.budget._replace(units=0) == (3, 2 * (status == 429), 2, 0, 3.0)


def test_concurrent_writer_is_waited_for(server, transport):
    """409 Directory_ConcurrencyViolation (nais/azurerator issue 448)."""
    server.play(refusal(409, "Directory_ConcurrencyViolation", "Error due to concurrent requests being made to the tenant."), OK)
    assert transport.fetch(READ).status == 200


@pytest.mark.parametrize("says", [Says(drop=True), Says(200, {"id": "sp", "x": "y" * 500}, cut=100)])
def test_broken_connections_are_tried_again(server, transport, says):
    server.play(says, OK)
    assert transport.fetch(READ).document == {"id": "sp"}


def test_reads_that_stay_broken_are_unread(server, transport, hours):
    server.play(Says(drop=True))
    with pytest.raises(UnreadError, match=r"/servicePrincipals/sp could not be read.*8 tries"):
        transport.fetch(READ)
    assert len(server.asked) == 8
    assert sum(hours.slept) <= transport.limits.deadline


@pytest.mark.parametrize("form", ["3", "3.5", "Tue, 24 Nov 2026 12:00:03 GMT"])
def test_nothing_is_sent_before_it_is_due(server, transport, hours, form):
    server.play(
        refusal(429, "TooManyRequests", "Please retry again later.", **{"Retry-After": form, "Date": "Tue, 24 Nov 2026 12:00:00 GMT"}), OK
    )
    transport.fetch(READ)
    assert 3 <= hours.slept[0] < 5


@pytest.mark.parametrize("form", ["soon", "-1", ""])
def test_malformed_retry_after_backs_off_by_itself(server, transport, hours, form):
    server.play(refusal(429, **{"Retry-After": form}), OK)
    transport.fetch(READ)
    assert hours.slept == [1.0]


def test_huge_retry_after_stops_with_the_time(server, transport, hours):
    """Not a storm of failures and not an hour of silence: a stop that can be gone on from."""
    server.play(refusal(429, "TooManyRequests", "Please retry again later.", **{"Retry-After": "86400"}))
    with pytest.raises(GraphError, match=r"2026-11-25 12:00Z") as error:
        transport.fetch(READ)
    assert (error.value.status, hours.slept, len(server.asked)) == (429, [], 1)
    assert "goes on from there" in error.value.remedy


def test_storm_of_429_ends_within_the_deadline(server, transport, hours):
    server.play(refusal(429, **{"Retry-After": "50"}))
    with pytest.raises(GraphError):
        transport.fetch(READ)
    assert sum(hours.slept) <= 300
    assert all(pause >= 50 for pause in hours.slept)


def test_refusals_are_not_tried_again(server, transport, hours):
    server.play(refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."))
    with pytest.raises(GraphError) as error:
        transport.fetch(READ)
    found = error.value
    assert (found.status, found.code, found.request_id, hours.slept) == (403, "Authorization_RequestDenied", "rid-1", [])
    assert "lacks a permission" in str(found)
    assert "00-preflight" in found.remedy


def test_redirect_ends_at_once(server, transport):
    server.play(Says(302, {}, {"Location": "https://evil.example/"}))
    with pytest.raises(UnreadError, match="redirect"):
        transport.fetch(READ)
    assert len(server.asked) == 1


def test_budget_counts_what_graph_says_of_itself(server, transport):
    """learn.microsoft.com graph/throttling-limits: x-ms-resource-unit."""
    server.play(Says(200, {}, {"x-ms-resource-unit": "3"}), Says(200, {}, {"x-ms-resource-unit": "many"}), Says(200, {}))
    for _ in range(3):
        transport.fetch(READ)
    assert (transport.budget.requests, transport.budget.units) == (3, 3)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"error": {"code": "A", "message": "m"}}, ("A", "m")),
        ({"error": {"code": "A", "message": {"lang": "en", "value": "m"}}}, ("A", "m")),
        ({"odata.error": {"code": "A", "message": {"lang": "en", "value": "m"}}}, ("A", "m")),
        ({"error": {"innererror": {}}}, ("", "")),
        ({"error": "text"}, ("", "")),
        (b"<html>Bad gateway</html>", ("", "")),
        (b"", ("", "")),
        (b"[1]", ("", "")),
    ],
)
def test_error_envelopes(body, found):
    """learn.microsoft.com graph/errors; gateways answer HTML, old back ends odata.error."""
    assert words(Reply(400, {}, body if isinstance(body, bytes) else json.dumps(body).encode())) == found


def test_faults_show_the_token_nowhere(server, transport, caplog, capfd):
    """Tracebacks with locals (IPython's Verbose, capture_locals), chained exceptions, debug logs and warnings."""
    caplog.set_level(logging.DEBUG)
    texts = []
    plays = [
        Says(drop=True),
        Says(200, {"a": "b" * 99}, cut=9),
        Says(302, {}, {"Location": "https://evil.example"}),
        refusal(401),
        refusal(403),
    ]
    for says in [*plays, Says(500, b"<html>")]:
        server.play(says)
        with pytest.raises((GraphError, UnreadError)) as caught:
            transport.fetch(READ)
        error, text = caught.value, io.StringIO()
        assert (error.__context__, error.__cause__) == (None, None)
        traceback.TracebackException.from_exception(error, capture_locals=True).print(file=text)
        texts += [text.getvalue(), str(error), repr(error), repr(vars(error))]
    with contextlib.suppress(WriteForbidden):
        transport.attempt(Call("DELETE", "/groups/x"))
    assert len(texts) == 24
    shown = "".join([*texts, caplog.text, *capfd.readouterr()])
    assert "canary" not in shown.lower().replace("test_faults", "")


class Open(Gate):
    def _permits(self, literal):
        return True


@pytest.mark.parametrize(("method", "body"), [("GET", ""), ("POST", "{}"), ("PATCH", "{}"), ("DELETE", "")])
def test_a_refusal_for_lack_of_rights_renews_no_token_and_is_not_sent_again(server, source, hours, method, body):
    """Only 401 says that the token was not looked at: a write that was forbidden, and is sent again, is sent twice."""
    server.play(refusal(403, "Authorization_RequestDenied"), OK)
    answer = Transport(server.cloud, source, Open(), hours.clock).attempt(Call(method, "/groups/x", body))
    assert (answer.status, source.renewed, len(server.asked)) == (403, [], 1)


def test_write_without_an_answer_is_lost(server, source, hours):
    transport = Transport(server.cloud, source, Open(), hours.clock)
    server.play(Says(drop=True))
    answer = transport.attempt(Call("POST", "/groups", "{}"))
    assert isinstance(answer, Lost)
    assert answer.stage == "unknown"
    assert len(server.asked) == 1


def test_sandbox_waits_milliseconds(server, source, hours):
    transport = Transport(server.cloud, source, Gate(), hours.clock)
    server.play(refusal(503), refusal(503), OK)
    transport.fetch(READ)
    assert sum(hours.slept) < 0.1
