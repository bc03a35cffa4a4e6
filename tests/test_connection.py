import ssl

import pytest
import requests
import scripted

from awsfed_lib.edges.entra.clouds import CLOUDS
from awsfed_lib.edges.entra.connection import ForeignOriginError, Lost, RedirectError, connect, lost, origin, trusted

Says = scripted.Says


@pytest.fixture
def server(served):
    served.asked.clear()
    served.play(Says(200, {"ok": True}))
    return served


@pytest.fixture
def stranger(tmp_path):
    """Serve a host with a certificate of another authority, and that authority's file."""
    with scripted.serve(tmp_path) as other:
        other.play(Says(200, {}))
        yield other


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_ca_bundle_of_the_environment_does_not_replace_the_sandbox_authority(server, stranger, monkeypatch, variable):
    """While trust_env is on, requests lets REQUESTS_CA_BUNDLE override session.verify (many company machines set it)."""
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, stranger.ca_file)
    plain = requests.Session()
    plain.verify = server.ca_file
    with pytest.raises(requests.exceptions.SSLError):
        plain.get(server.url)
    assert connect(server.url, server.cloud).get(server.url + "/x").json() == {"ok": True}


def test_ca_bundle_of_the_environment_is_honoured_for_real_clouds():
    """Behind a proxy that inspects TLS, its authority is the one that signs."""
    assert trusted(CLOUDS["global"], {"REQUESTS_CA_BUNDLE": "/company.pem"}) == "/company.pem"
    assert trusted(CLOUDS["global"], {"CURL_CA_BUNDLE": "/company.pem"}) == "/company.pem"
    assert trusted(CLOUDS["global"], {}) is True
    assert trusted(CLOUDS["global"], {"REQUESTS_CA_BUNDLE": ""}) is True


def test_proxies_of_the_environment_are_for_real_clouds_only(server, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "graph.microsoft.us")
    monkeypatch.setenv("no_proxy", "graph.microsoft.us")
    assert connect("https://graph.microsoft.com", CLOUDS["global"]).proxies["https"] == "http://proxy.example:3128"
    assert connect("https://graph.microsoft.us", CLOUDS["usgov"]).proxies == {}
    assert connect(server.url, server.cloud).proxies == {}
    assert connect(server.url, server.cloud).get(server.url).status_code == 200


def test_netrc_is_not_read(server, monkeypatch, tmp_path):
    """CVE-2024-47081 of requests: .netrc credentials went to other hosts."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password canary\n")
    monkeypatch.setenv("NETRC", str(netrc))
    connect(server.url, server.cloud).get(server.url)
    assert "Authorization" not in server.asked[0].headers


def test_verification_cannot_be_switched_off(server, stranger):
    session = connect(stranger.url, server.cloud)
    for options in ({"verify": False}, {"verify": stranger.ca_file}):
        with pytest.raises(requests.exceptions.SSLError):
            session.get(stranger.url, **options)
    session.verify = False
    with pytest.raises(requests.exceptions.SSLError):
        session.get(stranger.url)
    assert stranger.asked == []


@pytest.mark.parametrize(
    "url", ["https://evil.example/", "http://127.0.0.1/", "https://127.0.0.1.evil.example/", "https://127.0.0.1:1/", "file:///etc/passwd"]
)
def test_other_origin_is_not_reached(server, url):
    with pytest.raises((requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, ForeignOriginError)) as error:
        connect(server.url, server.cloud).get(url)
    assert lost(error.value).stage == "barred"


def test_adapter_itself_refuses_another_origin(server):
    """The mount by prefix is the first fence, the adapter the second."""
    session = connect(server.url, server.cloud)
    adapter = session.get_adapter(server.url + "/")
    session.mount("https://", adapter)
    with pytest.raises(ForeignOriginError):
        session.get("https://evil.example/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(server, stranger, status):
    """urllib3 CVE-2018-20060 and others: the token followed a redirect."""
    server.play(Says(status, {}, {"Location": f"{stranger.url}/steal"}))
    with pytest.raises(RedirectError):
        connect(server.url, server.cloud).get(server.url + "/x")
    assert stranger.asked == []
    assert len(server.asked) == 1


def test_check_sees_the_request_before_it_leaves(server):
    def check(request):
        raise ZeroDivisionError(request.method)

    with pytest.raises(ZeroDivisionError):
        connect(server.url, server.cloud, check).delete(server.url + "/x")
    assert server.asked == []


def test_old_tls_is_refused(server):
    context = connect(server.url, server.cloud).get_adapter(server.url + "/").poolmanager.connection_from_url(server.url)
    assert ssl.create_default_context().minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.ssl_minimum_version in (None, ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://A.example/x", "https://a.example:443/y", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example:444", "https://a.example", False),
        ("https://a.example@evil.example", "https://a.example", False),
        ("//a.example", "https://a.example", False),
    ],
)
def test_origin_is_scheme_host_and_port(one, other, same):
    assert (origin(one) == origin(other)) is same


def failure(session, url):
    with pytest.raises(requests.RequestException) as error:
        session.get(url)
    return error.value


def test_what_became_of_a_request(server, stranger, monkeypatch):
    def stage(says):
        server.play(says)
        return lost(failure(connect(server.url, server.cloud), server.url)).stage

    assert stage(Says(drop=True)) == "unknown"
    assert stage(Says(200, {"a": "b" * 100}, cut=10)) == "unknown"
    assert lost(failure(connect(stranger.url, server.cloud), stranger.url)).stage == "barred"
    closed = "https://127.0.0.1:9"
    assert lost(failure(connect(closed, server.cloud), closed)).stage == "unsent"


def test_no_answer_in_time_is_unknown(server, monkeypatch):
    monkeypatch.setattr("awsfed_lib.edges.entra.connection.TIMEOUT", (0.5, 0.05))
    server.script = lambda asked: __import__("time").sleep(0.15) or Says(200, {})
    assert lost(failure(connect(server.url, server.cloud), server.url)) == Lost("The answer did not come in time.", "unknown")


def test_dead_proxy_is_named(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:canary@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    base = CLOUDS["global"].graph_url
    found = lost(failure(connect(base, CLOUDS["global"]), base))
    assert found.stage == "unsent"
    assert "HTTPS_PROXY" in found.reason
    assert "canary" not in found.reason


def test_words_hold_no_addresses_and_no_headers(server):
    server.play(Says(drop=True))
    session = connect(server.url, server.cloud)
    error = None
    try:
        session.get(server.url + "/path-canary", headers={"Authorization": "Bearer canary"})
    except requests.RequestException as caught:
        error = caught
    assert "canary" not in lost(error).reason
