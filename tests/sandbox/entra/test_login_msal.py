"""MSAL itself, over TLS with the throw-away CA: certificate, secret, device code, managed identity, workload federation.

MSAL wants https, reads the tenant's OpenID configuration, and is told `instance_discovery=False` for a host that it does not know.
"""

from urllib.parse import urlsplit

import entra_sample as sample
import msal
import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def confidential(served, credential, app_id=sample.READER):
    return msal.ConfidentialClientApplication(
        app_id, authority=served.authority, client_credential=credential, instance_discovery=False, http_client=served.http
    )


def scopes(served):
    return [f"{served.url}/.default"]


def reads(served, token):
    found = served.http.get(f"{served.url}/v1.0/servicePrincipals/{sample.AWS}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    return found.status_code


def pem(pair):
    key = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return key, pair.certificate.public_bytes(Encoding.PEM).decode()


@pytest.fixture
def client(served):
    return served.tenant.client_credentials(sample.READER)


def test_certificate(served, client):
    key, certificate = pem(client.pair)
    for credential in (
        {"private_key": key, "public_certificate": certificate},
        {"private_key": key, "thumbprint": client.pair.sha1.hex()},
    ):
        got = confidential(served, credential).acquire_token_for_client(scopes(served))
        assert reads(served, got["access_token"]) == 200


def test_secret(served, client):
    got = confidential(served, client.secret).acquire_token_for_client(scopes(served))
    assert reads(served, got["access_token"]) == 200
    refused = confidential(served, "wrong").acquire_token_for_client(scopes(served))
    assert (refused["error"], refused["error_codes"]) == ("invalid_client", [7000215])


def test_workload_federation(served, client):
    credential = {"client_assertion": lambda: served.tenant.workload_assertion(sample.READER)}
    got = confidential(served, credential).acquire_token_for_client(scopes(served))
    assert reads(served, got["access_token"]) == 200


def test_device_code_and_silently_afterwards(served):
    app = msal.PublicClientApplication(sample.READER, authority=served.authority, instance_discovery=False, http_client=served.http)
    flow = app.initiate_device_flow(scopes(served))
    served.http.post(f"{served.url}/sandbox/device-code", json={"user_code": flow["user_code"], "user": sample.ANNA}, timeout=10)
    got = app.acquire_token_by_device_flow(flow)
    assert got["id_token_claims"]["oid"] == sample.ANNA
    assert reads(served, got["access_token"]) == 200
    again = app.acquire_token_silent(scopes(served), account=app.get_accounts()[0], force_refresh=True)
    assert again["access_token"] != got["access_token"]


def test_managed_identity(served, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{served.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", served.tenant.identity_header)
    identity = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=served.http)
    got = identity.acquire_token_for_client(resource="https://graph.microsoft.com")
    assert reads(served, got["access_token"]) == 200


def test_another_tenant(served, client):
    with pytest.raises(ValueError, match="double check your tenant"):
        msal.ConfidentialClientApplication(
            sample.READER,
            authority=f"{served.url}/{sample.guid('another')}",
            client_credential=client.secret,
            instance_discovery=False,
            http_client=served.http,
        )


class Redirected(requests.Session):
    """What msal sends to Microsoft's sign-in hosts goes to the twin, under the name that it was sent to."""

    def __init__(self, served):
        super().__init__()
        self.served, self.trust_env, self.verify, self.asked = served, False, served.http.verify, []

    def request(self, method, url, **more):
        parts = urlsplit(url)
        self.asked.append(parts.path)
        more["headers"] = {**(more.get("headers") or {}), "Host": parts.netloc}
        return super().request(method, f"{self.served.url}{parts.path}?{parts.query}", **more)


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "login.unknown.example"])
def test_instance_discovery_is_answered(served, client, host):
    """With instance_discovery on, msal asks login.microsoftonline.com about authorities and their aliases."""
    http = Redirected(served)
    app = msal.ConfidentialClientApplication(
        sample.READER, authority=f"https://{host}/{sample.TENANT}", client_credential=client.secret, http_client=http
    )
    assert "access_token" in app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    assert app.get_accounts() == []
    assert "/common/discovery/instance" in http.asked
