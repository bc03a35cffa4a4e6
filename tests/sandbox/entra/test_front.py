"""The sandbox's own endpoints, its log of requests, and the server that carries it all."""

import hashlib
import http.client
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import entra_sample as sample
import pytest
from werkzeug.test import Client

from awsfed_lib.sandbox.server import Server
from awsfed_lib.sandbox.tls import Authority

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"


@pytest.fixture
def own(front):
    return Client(front)


def test_switches_are_read_and_changed_over_http(own, tenant):
    assert own.get("/sandbox/switches").json["lag_reads"] == 0
    assert own.post("/sandbox/switches", json={"lag_reads": 2, "retry_after": "date"}).json["retry_after"] == "date"
    assert tenant.switches.lag_reads == 2


@pytest.mark.parametrize("body", ['{"lag_reads": "two"}', '{"unknown": 1}', "[]", "{"])
def test_wrong_switches_change_nothing_and_say_why(own, tenant, body):
    before = tenant.switches
    found = own.post("/sandbox/switches", data=body)
    assert found.status_code == 400
    assert found.json["problem"]
    assert tenant.switches == before


def test_the_log_tells_what_came(own, tenant, writer):
    writer.patch(PRINCIPAL, {"notes": "x"})
    writer.token = ""
    writer.get(PRINCIPAL, client_request_id="mine")
    own.get("/sandbox/health")
    written, read = own.get("/sandbox/requests").json["requests"]
    assert (written["method"], written["path"], written["status"], written["authorization"]) == ("PATCH", f"/v1.0{PRINCIPAL}", 204, True)
    assert written["body_sha256"] == hashlib.sha256(b'{"notes": "x"}').hexdigest()
    assert (read["status"], read["authorization"], read["client_request_id"], read["body_sha256"]) == (401, False, "mine", "")
    assert own.delete("/sandbox/requests").status_code == 204
    assert own.get("/sandbox/requests").json["requests"] == []


def test_the_log_holds_no_token(own, writer):
    writer.get(PRINCIPAL)
    assert writer.token not in own.get("/sandbox/requests").text


def test_a_fresh_start_brings_the_world_back_and_keeps_the_credentials(own, tenant, writer, front):
    before = tenant.client_credentials(sample.WRITER).pair, tenant.metadata(sample.AWS)
    own.post("/sandbox/switches", json={"lag_reads": 1})
    writer.delete(f"/groups/{sample.ADMINS}")
    called = []
    front.control.before_reset.append(lambda: called.append(True))
    assert own.post("/sandbox/reset").status_code == 204
    assert called == [True]
    assert tenant.switches.lag_reads == 0
    assert writer.get(f"/groups/{sample.ADMINS}").status == 200
    assert (tenant.client_credentials(sample.WRITER).pair, tenant.metadata(sample.AWS)) == before


def test_unknown_paths_of_the_sandbox(own):
    assert own.get("/sandbox/nothing").status_code == 404


def test_a_middleware_around_graph_sees_every_request(front, reader):
    """Where a fault injector goes: it may swallow the answer of a write that was applied."""
    plain, seen = front.graph, []

    def middleware(environ, start_response):
        seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return plain(environ, start_response)

    front.graph = middleware
    assert reader.get(PRINCIPAL).status == 200
    assert seen == [("GET", f"/v1.0{PRINCIPAL}")]


def test_five_hundred_requests_a_second_in_process(reader):
    """The budget of the sandbox, with a margin of five for a busy machine."""
    reader.get(f"/groups/{sample.ADMINS}")
    start = time.perf_counter()
    for _ in range(100):
        reader.get(f"/groups/{sample.ADMINS}")
    assert time.perf_counter() - start < 1.0


# The server


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["wsgi.url_scheme"].encode(), b" ", environ["REQUEST_METHOD"].encode(), b" ", body]


def test_one_connection_carries_many_requests():
    with Server(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        for nth in range(5):
            connection.request("POST", "/", body=f"{nth}".encode())
            assert connection.getresponse().read() == f"http POST {nth}".encode()
            assert connection.sock is not None
        connection.close()


def test_bodies_in_chunks_are_read_and_heads_have_no_body():
    with Server(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("POST", "/", body=iter([b"one", b"two"]), encode_chunked=True)
        assert connection.getresponse().read() == b"http POST onetwo"
        connection.request("HEAD", "/")
        assert connection.getresponse().read() == b""
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"http GET "
        connection.close()


def test_small_answers_do_not_wait_for_a_delayed_acknowledgement():
    """Nagle and delayed ACK together cost 40 ms a request; 50 requests would take two seconds."""
    with Server(echo) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        start = time.perf_counter()
        for _ in range(50):
            connection.request("GET", "/")
            connection.getresponse().read()
        assert time.perf_counter() - start < 1.0
        connection.close()


def test_only_clients_that_trust_the_ca_get_through():
    authority = Authority()
    with Server(echo, authority.server_context()) as server:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=authority.client_context())
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"https GET "
        connection.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            http.client.HTTPSConnection("127.0.0.1", server.port, context=ssl.create_default_context()).request("GET", "/")


def test_a_client_that_never_shakes_hands_holds_nobody_up():
    authority = Authority()
    with Server(echo, authority.server_context()) as server, socket.create_connection(("127.0.0.1", server.port)):
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=authority.client_context(), timeout=5)
        connection.request("GET", "/")
        assert connection.getresponse().status == 200
        connection.close()


def test_it_listens_on_loopback_only_and_stops_when_closed():
    server = Server(echo)
    assert server.url == f"http://127.0.0.1:{server.port}"
    kept = http.client.HTTPConnection("127.0.0.1", server.port)
    kept.request("GET", "/")
    kept.getresponse().read()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        _asked_again(kept)
    kept.close()


def _asked_again(connection):
    connection.request("GET", "/")
    connection.getresponse()


def test_a_taken_port_is_an_error_of_the_system():
    with Server(echo) as server, pytest.raises(OSError, match="in use"):
        Server(echo, port=server.port)


def test_a_crash_of_the_application_is_a_500_and_is_told(capsys):
    def crash(_environ, _start_response):
        raise RuntimeError("on purpose")

    with Server(crash) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/")
        assert connection.getresponse().status == 500
        connection.close()
    assert "on purpose" in capsys.readouterr().err


def test_threads_do_not_lose_each_other_s_writes(served):
    """One lock: twenty assignments at once are twenty assignments."""
    from awsfed_lib.sandbox.entra import issuing
    from awsfed_lib.sandbox.store import Write

    people = [sample.guid(f"person {nth}") for nth in range(20)]
    served.tenant.commit([Write("users", key, {"id": key, "displayName": key, "userPrincipalName": f"{key}@x"}) for key in people])
    token = issuing.for_application(served.tenant, served.tenant.client_credentials(sample.WRITER), served.url)["access_token"]
    path = f"{served.url}/v1.0{PRINCIPAL}/appRoleAssignedTo"
    ready = threading.Barrier(4)

    def assign(some):
        ready.wait(5)
        bodies = [{"principalId": key, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]} for key in some]
        return [served.http.post(path, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code for body in bodies]

    with ThreadPoolExecutor(4) as pool:
        statuses = [status for made in pool.map(assign, [people[nth::4] for nth in range(4)]) for status in made]
    assert statuses == [201] * 20
    assert len(served.tenant.now_view.assignments("resourceId", sample.AWS)) == 23
