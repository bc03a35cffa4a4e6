"""The sign-in service: its documents, its proofs, and its refusals with their AADSTS codes.

Codes: learn.microsoft.com entra/identity-platform/reference-error-codes. Assertions: entra/identity-platform/certificate-credentials.
"""

import base64
import re
import uuid
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import entra_sample as sample
import jwt
import pytest
from werkzeug.test import Client

from awsfed_lib.sandbox.entra.clientauth import JWT_BEARER
from awsfed_lib.sandbox.entra.grants import DEVICE_CODE
from awsfed_lib.sandbox.keys import KeyPair, Validity, self_signed
from awsfed_lib.sandbox.switches import Switches

TOKEN = f"/{sample.TENANT}/oauth2/v2.0/token"
AUDIENCE = f"http://localhost{TOKEN}"
SCOPE = "https://graph.microsoft.com/.default"


class Desk:
    """Posts forms to the sign-in service."""

    def __init__(self, front):
        self.http = Client(front)

    def token(self, path=TOKEN, **form):
        found = self.http.post(path, data={"scope": SCOPE, "client_id": sample.READER, "grant_type": "client_credentials"} | form)
        return found.status_code, found.json

    def refused(self, **form):
        status, body = self.token(**form)
        assert body["error_codes"] == [int(re.match(r"AADSTS(\d+): ", body["error_description"])[1])]
        return status, body["error"], body["error_codes"][0]


@pytest.fixture
def desk(front):
    return Desk(front)


@pytest.fixture
def client(tenant):
    return tenant.client_credentials(sample.READER)


def thumbprint(raw):
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.fixture
def assertion(client, clock):
    """A client assertion; `claims`, `header` and `pair` replace what would be right."""

    def made(header=None, pair=client.pair, algorithm="PS256", **claims):
        now = int(clock.now.timestamp())
        right = {"aud": AUDIENCE, "iss": client.app_id, "sub": client.app_id, "exp": now + 600, "nbf": now, "jti": str(uuid.uuid4())}
        head = {"x5t#S256": thumbprint(pair.sha256)} if header is None else header
        token = jwt.encode({key: value for key, value in (right | claims).items() if value is not None}, pair.key, algorithm, headers=head)
        return {"client_assertion": token, "client_assertion_type": JWT_BEARER}

    return made


def claims_of(answer):
    status, body = answer
    assert status == 200, body
    return jwt.decode(body["access_token"], options={"verify_signature": False})


# Documents


@pytest.mark.parametrize("name", [sample.TENANT, sample.TENANT.upper(), sample.DOMAIN, "organizations"])
def test_the_configuration_names_the_endpoints(desk, name):
    found = desk.http.get(f"/{name}/v2.0/.well-known/openid-configuration").json
    assert found["token_endpoint"] == AUDIENCE
    assert found["issuer"] == f"http://localhost/{sample.TENANT}/v2.0"
    assert desk.http.get(urlsplit(found["jwks_uri"]).path).status_code == 200


def test_another_tenant_is_not_found(desk):
    """AADSTS90002, for the documents as for the tokens."""
    name = str(uuid.uuid4())
    found = desk.http.get(f"/{name}/v2.0/.well-known/openid-configuration")
    assert (found.status_code, found.json["error_codes"]) == (400, [90002])
    assert desk.refused(path=f"/{name}/oauth2/v2.0/token") == (400, "invalid_tenant", 90002)


def test_tokens_verify_with_the_published_key(desk, assertion):
    _, body = desk.token(**assertion())
    keys = desk.http.get(f"/{sample.TENANT}/discovery/v2.0/keys").json["keys"]
    key = next(key for key in keys if key["kid"] == jwt.get_unverified_header(body["access_token"])["kid"])
    unchecked = {"verify_aud": False, "verify_exp": False}
    assert jwt.decode(body["access_token"], jwt.PyJWK(key), ["RS256"], options=unchecked)["tid"] == sample.TENANT


def test_an_application_token_tells_its_permissions(desk, assertion, client):
    """identity-platform/access-token-claims-reference: roles, idtyp, appid, oid."""
    claims = claims_of(desk.token(**assertion()))
    assert (claims["aud"], claims["idtyp"], claims["appid"]) == ("https://graph.microsoft.com", "app", sample.READER)
    assert (claims["oid"], claims["roles"]) == (client.principal_id, sorted(sample.READS))
    assert claims["exp"] - claims["iat"] == 3899


def test_the_lifetime_switch(desk, assertion, tenant):
    tenant.switches = tenant.switches.changed({"token_seconds": 60})
    assert desk.token(**assertion())[1]["expires_in"] == 60


# Certificates


def test_both_kinds_of_thumbprint_are_taken(desk, assertion, client):
    """certificate-credentials: PS256 with x5t#S256; RS256 with x5t is the older way."""
    assert desk.token(**assertion())[0] == 200
    assert desk.token(**assertion({"x5t": thumbprint(client.pair.sha1)}, algorithm="RS256"))[0] == 200


def test_a_certificate_that_is_not_registered(desk, assertion, ring, clock):
    """AADSTS700027, "The key was not found."."""
    other = ring.pair("stranger", "stranger", Validity(clock.now - timedelta(days=1), clock.now + timedelta(days=1)))
    form = assertion(pair=other)
    assert desk.refused(**form) == (401, "invalid_client", 700027)
    assert other.sha256.hex().upper() in desk.token(**form)[1]["error_description"]


def test_a_certificate_that_has_run_out(desk, assertion, client, clock):
    """AADSTS700027, "The key used is expired."."""
    validity = Validity(clock.now - timedelta(days=10), clock.now - timedelta(days=1))
    old = KeyPair(client.pair.key, self_signed(client.pair.key, "old", validity))
    client.certificates.append(old)
    form = assertion(pair=old)
    assert desk.refused(**form) == (401, "invalid_client", 700027)
    assert "The key used is expired." in desk.token(**form)[1]["error_description"]


def test_a_signature_of_another_key(desk, assertion, client, ring):
    """AADSTS700027, the signature did not match."""
    forged = KeyPair(ring.key("forger"), client.pair.certificate)
    assert "did not match the expected signature" in desk.token(**assertion(pair=forged))[1]["error_description"]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "https://login.microsoftonline.com/elsewhere/oauth2/v2.0/token"}, 700023),
        ({"iss": sample.WRITER}, 700021),
        ({"sub": None}, 700021),
        ({"exp": 1}, 700024),
        ({"exp": None}, 700024),
        ({"nbf": 4_000_000_000}, 700024),
        ({"exp": "soon"}, 700024),
    ],
)
def test_assertions_for_another_place_client_or_time(desk, assertion, claims, code):
    assert desk.refused(**assertion(**claims)) == (401, "invalid_client", code)


def test_five_minutes_of_difference_between_clocks_are_let_pass(desk, assertion, clock):
    now = int(clock.now.timestamp())
    assert desk.token(**assertion(exp=now - 299))[0] == 200
    assert desk.token(**assertion(exp=now - 301))[0] == 401


def test_assertions_without_thumbprint_or_of_another_kind(desk, assertion, client):
    """AADSTS50027 (msal-dotnet#124)."""
    assert desk.refused(**assertion(header={})) == (401, "invalid_client", 50027)
    assert desk.refused(client_assertion="nonsense", client_assertion_type=JWT_BEARER)[2] == 50027
    unsigned = jwt.encode({"iss": client.app_id}, "", "none")
    assert desk.refused(client_assertion=unsigned, client_assertion_type=JWT_BEARER)[2] == 50027
    assert desk.refused(**assertion() | {"client_assertion_type": "saml"})[2] == 50027


# Secrets, scopes, grants


def test_a_secret(desk, client):
    assert claims_of(desk.token(client_secret=client.secret))["appid"] == sample.READER
    assert desk.refused(client_secret="wrong") == (401, "invalid_client", 7000215)
    assert client.secret not in str(desk.token(client_secret="wrong"))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, (401, "invalid_client", 7000218)),
        ({"client_id": ""}, (400, "invalid_request", 900144)),
        ({"client_id": str(uuid.uuid4())}, (400, "unauthorized_client", 700016)),
        ({"grant_type": ""}, (400, "invalid_request", 900144)),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, (400, "invalid_grant", 9002313)),
    ],
)
def test_forms_that_are_refused(desk, form, expected):
    assert desk.refused(**form) == expected


@pytest.mark.parametrize(
    ("scope", "code"),
    [("Application.Read.All", 1002012), ("", 1002012), (f"{SCOPE} {SCOPE}", 1002012), ("https://unknown.example/.default", 500011)],
)
def test_scopes_that_are_refused(desk, client, scope, code):
    assert desk.refused(client_secret=client.secret, scope=scope)[2] == code


def test_a_token_for_another_api_is_none_for_graph(desk, client, reader):
    body = desk.token(client_secret=client.secret, scope="https://management.azure.com/.default")[1]
    reader.token = body["access_token"]
    assert reader.get("/users").error[2] == "Access token validation failure. Invalid audience."


@pytest.mark.parametrize("resource", ["https://storage.azure.com", "e406a681-f3d4-42a8-90b6-c2b029497af1"])
def test_a_token_for_azure_storage_holds_no_permission_of_graph(desk, client, resource):
    """Azure Storage decides by role assignments, which no token names (azure/storage/blobs/authorize-access-azure-active-directory)."""
    found = claims_of(desk.token(client_secret=client.secret, scope=f"{resource}/.default"))
    assert found["aud"] == resource
    assert "roles" not in found


# Workload federation


def test_a_workload_signs_in_with_its_own_token(desk, tenant):
    """entra/workload-id/workload-identity-federation: AZURE_FEDERATED_TOKEN_FILE."""
    form = {"client_assertion": tenant.workload_assertion(sample.READER), "client_assertion_type": JWT_BEARER}
    assert claims_of(desk.token(**form))["appid"] == sample.READER


@pytest.mark.parametrize(("name", "code"), [("iss", 700211), ("sub", 700213), ("aud", 700212)])
def test_a_workload_that_is_not_trusted(desk, tenant, name, code):
    claims = jwt.decode(tenant.workload_assertion(sample.READER), options={"verify_signature": False})
    token = jwt.encode(claims | {name: "https://elsewhere.example"}, tenant.keys.key("workload"), "RS256")
    assert desk.refused(client_assertion=token, client_assertion_type=JWT_BEARER)[2] == code


def test_a_workload_token_must_be_signed_by_its_issuer(desk, tenant):
    claims = jwt.decode(tenant.workload_assertion(sample.READER), options={"verify_signature": False})
    token = jwt.encode(claims, tenant.keys.key("forger"), "RS256")
    assert desk.refused(client_assertion=token, client_assertion_type=JWT_BEARER)[2] == 700027


# People


@pytest.fixture
def device(desk):
    """A started device code."""

    def started(scope="https://graph.microsoft.com/.default offline_access openid"):
        found = desk.http.post(f"/{sample.TENANT}/oauth2/v2.0/devicecode", data={"client_id": sample.READER, "scope": scope})
        assert found.status_code == 200, found.json
        return found.json

    return started


def redeemed(desk, started):
    return desk.token(grant_type=DEVICE_CODE, device_code=started["device_code"])


def completed(desk, started, **how):
    return desk.http.post("/sandbox/device-code", json={"user_code": started["user_code"], **how}).status_code


def test_a_device_code_waits_for_its_person(desk, device):
    """v2-oauth2-device-code, RFC 8628."""
    started = device()
    assert (started["verification_uri"], started["expires_in"]) == ("http://localhost/devicelogin", 900)
    assert started["user_code"] in started["message"]
    assert redeemed(desk, started)[1]["error"] == "authorization_pending"
    assert completed(desk, started, user="ben.auditor@contoso.example") == 204
    claims = claims_of(answer := redeemed(desk, started))
    assert (claims["idtyp"], claims["oid"], claims["upn"]) == ("user", sample.BEN, "ben.auditor@contoso.example")
    assert set(claims["scp"].split()) == set(sample.READS)
    assert jwt.decode(answer[1]["id_token"], options={"verify_signature": False})["aud"] == sample.READER
    assert redeemed(desk, started)[1]["error"] == "invalid_grant"


def test_a_device_code_can_be_declined_or_run_out(desk, device, clock):
    declined, late = device(), device()
    assert completed(desk, declined, decline=True) == 204
    assert redeemed(desk, declined)[1]["error"] == "authorization_declined"
    clock.pass_(901)
    assert redeemed(desk, late)[1]["error"] == "expired_token"


@pytest.mark.parametrize("how", [{"user": "nobody"}, {"user": sample.GONE}, {"user_code": "WRONG"}])
def test_people_who_cannot_complete_a_device_code(desk, device, how):
    assert completed(desk, device(), **how) == 400


def test_what_nobody_has_consented_to(desk, device):
    """AADSTS65001."""
    started = device("https://graph.microsoft.com/Mail.Read")
    completed(desk, started)
    assert redeemed(desk, started)[1]["error_codes"] == [65001]


def test_a_refresh_token_gives_new_tokens(desk, device, clock):
    started = device()
    completed(desk, started)
    refresh = redeemed(desk, started)[1]["refresh_token"]
    clock.pass_(7200)
    claims = claims_of(desk.token(grant_type="refresh_token", refresh_token=refresh))
    assert claims["exp"] > clock.now.timestamp()
    assert desk.refused(client_id=sample.WRITER, grant_type="refresh_token", refresh_token=refresh)[1] == "invalid_grant"


def authorized(desk, **more):
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # of the verifier in RFC 7636, appendix B
    query = {"client_id": sample.READER, "redirect_uri": "http://localhost:5000", "state": "s", "scope": SCOPE, "code_challenge": challenge}
    return desk.http.get(f"/{sample.TENANT}/oauth2/v2.0/authorize", query_string=query | more)


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def test_the_authorize_page_sends_a_code_to_a_loopback_address(desk):
    """v2-oauth2-auth-code-flow with PKCE."""
    code = parse_qs(urlsplit(authorized(desk, login_hint="ben.auditor@contoso.example").headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code}
    assert claims_of(desk.token(**form, code_verifier=VERIFIER))["oid"] == sample.BEN
    assert desk.refused(**form, code_verifier=VERIFIER)[1] == "invalid_grant"


def test_a_code_needs_its_verifier(desk):
    """AADSTS501481."""
    code = parse_qs(urlsplit(authorized(desk).headers["Location"]).query)["code"][0]
    assert desk.refused(grant_type="authorization_code", code=code, code_verifier="other")[2] == 501481


def test_the_code_can_come_as_a_form(desk):
    """MSAL from 2026 on wants response_mode=form_post; the state is escaped."""
    page = authorized(desk, response_mode="form_post", state='"><script>')
    assert 'action="http://localhost:5000"' in page.text
    assert '"><script>' not in page.text


def test_no_code_leaves_the_machine(desk):
    """AADSTS50011."""
    found = authorized(desk, redirect_uri="https://evil.example/")
    assert (found.status_code, found.json["error_codes"]) == (400, [50011])


# Managed identity


def test_managed_identity(desk, tenant):
    """azure/app-service/overview-managed-identity, REST endpoint reference."""
    query = {"resource": "https://graph.microsoft.com", "api-version": "2019-08-01"}
    known = {"X-IDENTITY-HEADER": tenant.identity_header}
    assert desk.http.get("/msi/token", query_string=query).status_code == 401
    found = desk.http.get("/msi/token", query_string=query, headers=known).json
    assert jwt.decode(found["access_token"], options={"verify_signature": False})["appid"] == found["client_id"] == sample.READER
    assert int(found["expires_on"]) > 0
    user = desk.http.get("/msi/token", query_string=query | {"client_id": sample.WRITER}, headers=known).json
    assert user["client_id"] == sample.WRITER
    assert desk.http.get("/msi/token", query_string=query | {"client_id": "x"}, headers=known).status_code == 400


def test_paths_that_are_not_served(desk):
    assert desk.http.get(f"/{sample.TENANT}/oauth2/v2.0/token").status_code == 404
    assert desk.http.get("/").status_code == 404


def test_switches_have_kinds():
    switches = Switches().changed({"lag_reads": 2, "retry_after": "date", "throttle": None, "throttle_seconds": 3})
    assert (switches.lag_reads, switches.retry_after) == (2, "date")
    for wrong in ({"lag_reads": True}, {"lag_reads": -1}, {"retry_after": "later"}, {"strict": 1}, {"unknown": 1}, {"throttle_seconds": 0}):
        with pytest.raises(ValueError, match="no switch"):
            Switches().changed(wrong)
