import json

import pytest

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.edges.entra import clouds

DESCRIPTION = {
    "tenant_id": "t",
    "login_url": "https://127.0.0.1:8443",
    "graph_url": "https://127.0.0.1:8443/",
    "aws_url": "http://127.0.0.1:8080",
    "ca_file": "/ca.pem",
    "clients": {"reader": {"client_id": "c1", "certificate_file": "/reader.pem"}},
    "aws": {"access_key_id": "AKIA", "secret_access_key": "very-secret", "region": "us-east-1"},
    "application_id": "a",
    "management": "111111111111",
    "partition": "aws",
    "added later": "ignored",
}


@pytest.fixture
def described(tmp_path):
    def write(**changes):
        file = tmp_path / "sandbox.json"
        file.write_text(json.dumps(DESCRIPTION | changes))
        file.chmod(0o600)
        return file

    return write


@pytest.mark.parametrize(
    ("name", "login", "graph", "partition", "audience"),
    [
        ("global", "login.microsoftonline.com", "graph.microsoft.com", "aws", "api://AzureADTokenExchange"),
        ("usgov", "login.microsoftonline.us", "graph.microsoft.us", "aws-us-gov", "api://AzureADTokenExchangeUSGov"),
        ("usgov-dod", "login.microsoftonline.us", "dod-graph.microsoft.us", "aws-us-gov", "api://AzureADTokenExchangeUSGov"),
        ("china", "login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "aws-cn", "api://AzureADTokenExchangeChina"),
    ],
)
def test_hosts_of_the_national_clouds(name, login, graph, partition, audience):
    """learn.microsoft.com graph/deployments."""
    cloud = clouds.named(name)
    assert (cloud.login_url, cloud.graph_url) == (f"https://{login}", f"https://{graph}")
    assert (cloud.partition, cloud.federation_audience) == (partition, audience)
    assert cloud.authority("t") == f"https://{login}/t"
    assert cloud.ca_file == ""


def test_unknown_cloud_names_those_that_exist():
    with pytest.raises(ParameterError, match="global, usgov, usgov-dod, china, sandbox"):
        clouds.named("azure")


def test_sandbox_is_a_cloud_with_its_own_authority(described):
    cloud = clouds.named("sandbox", described())
    assert (cloud.login_url, cloud.graph_url, cloud.ca_file) == ("https://127.0.0.1:8443", "https://127.0.0.1:8443", "/ca.pem")


@pytest.mark.parametrize("like", ["global", "usgov", "china"])
def test_sandbox_follows_the_laws_of_the_cloud_that_it_is_like(described, like):
    """A certificate is made by Graph in the global cloud only (graph/api/serviceprincipal-addtokensigningcertificate)."""
    assert clouds.named("sandbox", described(cloud_like=like)).laws == like
    assert clouds.CLOUDS[like].laws == like


def test_sandbox_knows_the_certificates_of_its_clients(described):
    sandbox = clouds.sandbox(described())
    assert (sandbox.certificate_of("c1"), sandbox.certificate_of("c2")) == ("/reader.pem", "")


def test_sandbox_is_read_from_the_root(described, tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "parameters").mkdir()
    (tmp_path / ".sandbox").mkdir()
    described().rename(tmp_path / ".sandbox" / "sandbox.json")
    monkeypatch.setenv("AWSFED_ROOT", str(tmp_path))
    assert clouds.named("sandbox").name == "sandbox"


@pytest.mark.parametrize(
    "url",
    [
        "https://graph.microsoft.com",
        "https://127.0.0.1.evil.example",
        "https://127.0.0.1@evil.example",
        "https://user@127.0.0.1:8443",
        "https://10.0.0.1",
        "https://[::2]",
        "ftp://127.0.0.1",
    ],
)
@pytest.mark.parametrize("key", ["login_url", "graph_url", "aws_url"])
def test_sandbox_off_this_machine_is_refused(described, key, url):
    """A planted description must not send a sign-in anywhere else."""
    with pytest.raises(ParameterError, match=f"{key}.*loopback"):
        clouds.named("sandbox", described(**{key: url}))


def test_sandbox_sign_in_without_tls_is_refused(described):
    with pytest.raises(ParameterError, match=r"login_url.*https"):
        clouds.named("sandbox", described(login_url="http://127.0.0.1:80"))


@pytest.mark.parametrize("url", ["https://localhost:1", "https://[::1]:1", "https://127.8.8.8:1"])
def test_every_loopback_address_is_accepted(described, url):
    assert clouds.named("sandbox", described(graph_url=url)).graph_url == url


def test_sandbox_that_does_not_run_says_how_to_start_it(tmp_path):
    with pytest.raises(ParameterError, match="awsfed sandbox"):
        clouds.named("sandbox", tmp_path / "none.json")


def test_description_that_others_may_write_is_refused(described):
    file = described()
    file.chmod(0o622)
    with pytest.raises(ParameterError, match="chmod 600"):
        clouds.named("sandbox", file)


def test_secrets_of_the_sandbox_are_not_shown(described):
    """Pydantic repeats its input in errors unless it is told not to."""
    assert "very-secret" not in repr(clouds.sandbox(described()))
    with pytest.raises(ParameterError) as error:
        clouds.sandbox(described(aws={"access_key_id": 1, "secret_access_key": "very-secret"}))
    assert "very-secret" not in str(error.value)
    assert "aws.access_key_id" in str(error.value)


def test_half_a_description_is_no_description(described):
    file = described()
    file.write_text(file.read_text()[:50])
    with pytest.raises(ParameterError, match="Start the sandbox again"):
        clouds.sandbox(file)
