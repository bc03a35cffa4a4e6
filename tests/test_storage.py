"""Signing in for Azure Storage: who, by which variables, and a token for that resource from the twin, by the real MSAL."""

import re
from pathlib import Path

import pytest
import scripted
from click.testing import CliRunner

from awsfed_lib.__main__ import main
from awsfed_lib.core.errors import ParameterError, SignInError
from awsfed_lib.edges.entra import auth, credentials, storage
from awsfed_lib.edges.entra.auth import SignIn
from awsfed_lib.edges.records import blob_store, signing, store

IDS = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}
CERTIFICATE, WORKLOAD, SECRET = (
    {"AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem"},
    {"AZURE_FEDERATED_TOKEN_FILE": "/f"},
    {"AZURE_CLIENT_SECRET": "s"},
)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("", "", "managed-identity")),
        ({"AZURE_CLIENT_ID": "c"}, ("", "c", "managed-identity")),
        (IDS | CERTIFICATE, ("t", "c", "certificate")),
        (IDS | WORKLOAD, ("t", "c", "workload")),
        (IDS | SECRET, ("t", "c", "secret")),
        (IDS | CERTIFICATE | WORKLOAD | SECRET, ("t", "c", "workload")),
        (IDS | CERTIFICATE | {"AWSFED_RECORDS_SIGN_IN": "managed-identity"}, ("t", "c", "managed-identity")),
        (IDS | {"AWSFED_RECORDS_SIGN_IN": "device-code"}, ("t", "c", "device-code")),
    ],
    ids=["nothing", "user-assigned", "certificate", "workload", "secret", "all", "named", "person"],
)
def test_who_signs_in_is_what_the_environment_says(environment, expected):
    assert storage.who("usgov", environment) == SignIn("usgov", *expected, resource="https://storage.azure.com")


@pytest.mark.parametrize("missing", sorted(IDS))
def test_certificate_needs_tenant_and_client(missing):
    environment = {name: value for name, value in (IDS | CERTIFICATE).items() if name != missing}
    with pytest.raises(SignInError, match=f"{missing} is not set"):
        storage.sign_in("global", environment)


def test_machine_without_an_identity_is_told_what_to_set(monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "h")
    with pytest.raises(
        SignInError, match=r"(?s)gave no answer.*names no other sign-in: set AZURE_TENANT_ID, AZURE_CLIENT_ID and a credential"
    ):
        storage.sign_in("global", {})
    with pytest.raises(SignInError) as told:
        storage.sign_in("global", {"AWSFED_RECORDS_SIGN_IN": "managed-identity"})
    assert "names no other" not in str(told.value)


def test_way_that_does_not_exist_is_refused():
    with pytest.raises(ParameterError, match="There is no sign-in 'key'"):
        storage.sign_in("global", IDS | {"AWSFED_RECORDS_SIGN_IN": "key"})


def signed_in(twin, method, **more):
    who = SignIn("sandbox", twin.id, twin.clients["reader"].app_id, method, resource=storage.RESOURCE)
    return auth.sign_in(who, around=twin.around(**more))


def test_every_way_gives_a_token_for_storage_and_for_nothing_else(twin, tmp_path, monkeypatch):
    assertion = tmp_path / "assertion"
    assertion.write_text(twin.tenant.workload_assertion(twin.clients["reader"].app_id))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{twin.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", twin.tenant.identity_header)
    sessions = {
        "certificate": signed_in(twin, "certificate"),
        "secret": signed_in(twin, "secret", AZURE_CLIENT_SECRET=twin.clients["reader"].secret),
        "workload": signed_in(twin, "workload", AZURE_FEDERATED_TOKEN_FILE=str(assertion)),
        "managed-identity": signed_in(twin, "managed-identity"),
        "device-code": signed_in(twin, "device-code", person=twin.at_device_page()),
    }
    claims = {method: session.source.token().claims for method, session in sessions.items()}
    assert {method: said["aud"] for method, said in claims.items()} == dict.fromkeys(sessions, "https://storage.azure.com")
    assert not [method for method, said in claims.items() if said.get("roles")]
    assert claims["device-code"]["scp"] == "user_impersonation"


def test_api_that_the_tenant_does_not_know_is_named(twin):
    """AADSTS500011: a tenant in which nobody ever had a subscription has no service principal of Azure Storage."""
    who = SignIn("sandbox", twin.id, twin.clients["reader"].app_id, "certificate", resource="https://storage.unknown.example")
    with pytest.raises(SignInError, match=r"(?s)AADSTS500011: .*https://storage.unknown.example.*e406a681-f3d4-42a8-90b6-c2b029497af1"):
        auth.sign_in(who, around=twin.around())


def test_azure_is_told_when_the_token_ends(twin):
    session = signed_in(twin, "certificate")
    credential = storage.Credential(session.source)
    assert credential.get_token("anything").expires_on == session.source.token().claims["exp"]
    assert storage.Credential(scripted.Source("opaque")).get_token("x").expires_on == 0
    assert credential.get_token("x").token == credential.get_token("x").token
    assert credential.get_token("x", tenant_id="t").token != credential.get_token("x", claims="{}").token


def test_page_about_records_names_what_is_there():
    root = Path(__file__).parents[1]
    page = (root / "docs" / "records.md").read_text()
    ours = {getattr(storage, name) for name in ("METHOD", "TENANT", "CLIENT")} | {store.VARIABLE, signing.KEY_VARIABLE}
    theirs = {getattr(credentials, name) for name in ("ASSERTION", "CERTIFICATE", "PASSWORD", "SECRET")}
    assert set(re.findall(r"\b(?:AZURE|AWSFED)_[A-Z_]+\b", page)) == ours | theirs
    assert all(f".dfs.{suffix}" in page for suffix in blob_store.CLOUDS)
    assert all((root / name).exists() for name in re.findall(r"`(tests/\w+\.py)`", page))
    for words in re.findall(r"`awsfed runs (\w+)((?: --\w+)?)", page):
        told = CliRunner().invoke(main, ["runs", words[0], "--help"])
        assert told.exit_code == 0
        assert words[1].strip() in told.stdout
