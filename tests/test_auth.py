"""Signing in with the real MSAL over HTTPS: against a scripted login here, for what an honest Entra never answers."""

import base64
import copy
import io
import json
import logging
import pickle
import threading
import traceback
import webbrowser
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import jwt as signed
import pytest
import requests
import scripted
import twin as twins
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from awsfed_lib.core.errors import ParameterError, SignInError, UnreadError
from awsfed_lib.edges.entra import auth
from awsfed_lib.edges.entra.auth import Held, SignIn, Surroundings, held, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.person import Person

Says, TENANT, CLIENT = scripted.Says, scripted.TENANT, "99999999-8888-7777-6666-555555555555"
START = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "canary-of-a-secret"


def jwt(**claims):
    body = {"tid": TENANT, "appid": CLIENT, "idtyp": "app", "roles": ["Application.Read.All"], "exp": 1795521600} | claims
    return ".".join(
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"none"}', json.dumps(body).encode(), b"canary-signature")
    )


class Login:
    """A scripted login: `token` answers the token endpoint, `asked` are the forms that came."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.answers = [self.good()]
        self.discovery = {}
        self.forms = []
        server.script = self.answer

    @staticmethod
    def good(**claims):
        return Says(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": jwt(**claims)})

    @staticmethod
    def person(**claims):
        """Entra answers for a person with an account, an id token and a refresh token."""
        info = base64.urlsafe_b64encode(json.dumps({"uid": "u", "utid": TENANT}).encode()).decode()
        good = Login.good(idtyp="user", scp="Application.Read.All User.Read", roles=None, **claims)
        id_token = jwt(sub="u", aud=CLIENT, exp=9999999999, iss="x")
        return Says(200, good.body | {"refresh_token": "canary-refresh", "client_info": info, "id_token": id_token})

    @staticmethod
    def bad(description, error="invalid_client", status=400):
        return Says(status, {"error": error, "error_description": description, "correlation_id": "corr-1"})

    def answer(self, asked):
        base = f"{self.server.url}/{TENANT}"
        if asked.path.endswith("/.well-known/openid-configuration"):
            known = {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token", "issuer": base, "device_authorization_endpoint": f"{base}/devicecode"}  # fmt: skip
            return self.discovery if isinstance(self.discovery, Says) else Says(200, known | self.discovery)
        self.forms.append({name: values[0] for name, values in parse_qs(asked.body).items()})
        if asked.path.endswith("/devicecode"):
            return Says(
                200,
                {
                    "device_code": "dc",
                    "user_code": "ABC-123",
                    "message": "Open the page and enter ABC-123",
                    "interval": 5,
                    "expires_in": 900,
                },
            )
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def around(self, *, person=None, hours=None, **environment):
        return Surroundings(
            environment=environment, clock=(hours or scripted.Hours()).clock, person=person, sandbox_file=self.description()
        )

    def description(self):
        file = self.folder / "sandbox.json"
        url = self.server.url
        known = {"tenant_id": TENANT, "login_url": url, "graph_url": url, "aws_url": url, "ca_file": self.server.ca_file}
        clients = {"reader": {"client_id": CLIENT, "certificate_file": str(self.folder / "reader.pem")}}
        aws = {"access_key_id": "a", "secret_access_key": "b"}
        file.write_text(json.dumps({**known, "clients": clients, "aws": aws, "application_id": "a", "management": "111111111111"}))
        file.chmod(0o600)
        return file

    def certificate(self, end=30):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "awsfed")])
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        made = made.not_valid_before(START - timedelta(days=90)).not_valid_after(START + timedelta(days=end)).sign(key, hashes.SHA256())
        file = self.folder / "reader.pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM))
        return file, made


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with scripted.serve(tmp_path_factory.mktemp("ca")) as server:
        yield server


@pytest.fixture
def login(served, tmp_path):
    served.asked.clear()
    return Login(served, tmp_path)


def who(method, tenant=TENANT, client=CLIENT):
    return SignIn("sandbox", tenant, client, method)


def secret(login, **more):
    return sign_in(who("secret"), around=login.around(AZURE_CLIENT_SECRET=SECRET, **more))


def header(form):
    return json.loads(base64.urlsafe_b64decode(form["client_assertion"].split(".")[0] + "=="))


def test_certificate(login):
    """Signed with PS256 and named by its SHA-256 thumbprint; SHA-1 is for ADFS."""
    _, certificate = login.certificate()
    session = sign_in(who("certificate"), around=login.around())
    (form,) = login.forms
    assert header(form)["alg"] == "PS256"
    assert base64.urlsafe_b64decode(header(form)["x5t#S256"] + "==") == certificate.fingerprint(hashes.SHA256())
    assert (form["grant_type"], form["scope"]) == ("client_credentials", f"{login.server.url}/.default")
    assert session.certificate_ends == START + timedelta(days=30)
    assert session.source.token().claims["tid"] == TENANT


def test_capability_for_continuous_access_evaluation_is_named(login):
    """Without CP1 Entra sends no claims challenge (learn.microsoft.com entra/identity-platform/claims-challenge)."""
    secret(login)
    assert json.loads(login.forms[0]["claims"]) == {"access_token": {"xms_cc": {"values": ["CP1"]}}}


def test_certificate_of_the_environment_when_the_client_is_not_the_sandbox_s(login):
    file, _ = login.certificate()
    around = login.around(AZURE_CLIENT_CERTIFICATE_PATH=str(file))
    assert sign_in(who("certificate", client="another"), around=around).client_id == "another"


def test_expired_certificate_sends_nothing(login):
    login.certificate(end=-1)
    with pytest.raises(SignInError, match="nothing was sent"):
        sign_in(who("certificate"), around=login.around())
    assert login.server.asked == []


def test_workload_federation(login, tmp_path):
    """learn.microsoft.com entra/workload-id: the platform's token is the assertion, and is read when it is needed."""
    file = tmp_path / "federated"
    file.write_text("assertion-1")
    session = sign_in(who("workload"), around=login.around(AZURE_FEDERATED_TOKEN_FILE=str(file)))
    file.write_text("assertion-2")
    session.source.renew("")
    assert [form["client_assertion"] for form in login.forms] == ["assertion-1", "assertion-2"]
    assert login.forms[0]["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_token_is_cached_and_renewed_on_request(login):
    session = secret(login)
    session.source.token()
    assert len(login.forms) == 1
    session.source.renew("")
    assert len(login.forms) == 2


def test_claims_challenge_is_answered(login):
    session = secret(login)
    session.source.renew('{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}')
    assert json.loads(login.forms[1]["claims"])["access_token"]["nbf"]["value"] == "1604106651"


def test_region_of_the_environment_is_ignored(login, monkeypatch):
    """MSAL_FORCE_REGION would send the sign-in to another host."""
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    assert secret(login)


def test_no_host_but_the_cloud_s_is_asked(login):
    """Instance discovery and its aliases would ask login.microsoftonline.com, for every cloud."""
    session = secret(login)
    session.source.renew("")
    assert {urlsplit(asked.path).path.split("/")[1] for asked in login.server.asked} == {TENANT}


@pytest.mark.parametrize(
    ("description", "cause", "remedy"),
    [
        ("AADSTS700016: Application with identifier 'x' was not found in the directory 'Contoso'. Trace ID: t-1 Correlation ID: c", "not in this tenant", "admin consent"),
        ("AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.", "does not know the certificate", "Upload"),
        ("AADSTS7000215: Invalid client secret provided.", "secret is wrong", "not its id"),
        ("AADSTS7000222: The provided client secret keys are expired.", "has expired", "certificate"),
        ("AADSTS65001: The user or administrator has not consented to use the application", "consented", "administrator consent"),
        ("AADSTS53003: Access has been blocked by Conditional Access policies.\r\nTrace ID: t-1", "Conditional Access", "sign-in log"),
        ("AADSTS999999: Something new.", "Something new", "AADSTS999999"),
    ],
)  # fmt: skip
def test_refusals_carry_entras_words_cause_and_next_step(login, description, cause, remedy):
    login.answers = [login.bad(description)]
    with pytest.raises(SignInError) as error:
        secret(login)
    assert description.split(":")[0] in error.value.what
    assert cause in error.value.what
    assert remedy in error.value.remedy
    assert "t-1" not in error.value.what
    assert "corr-1" in error.value.where
    assert TENANT in error.value.where


def test_unknown_tenant_is_told_in_entras_words(login):
    """MSAL hides AADSTS90002 behind a general sentence; it is in the chain of causes."""
    login.discovery = Says(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant 'x' not found. Check to make sure you have the correct tenant ID.\r\nTrace"})  # fmt: skip
    with pytest.raises(SignInError, match="AADSTS90002") as error:
        secret(login)
    assert "no such tenant in this cloud" in error.value.what
    assert "tenant_id and cloud" in error.value.remedy


def test_tenant_of_another_cloud_gets_no_secret(login, tmp_path):
    """Discovery names the endpoints; one on another host must not receive the secret."""
    with scripted.serve(tmp_path) as thief:
        login.discovery = {"token_endpoint": f"{thief.url}/{TENANT}/token"}
        with pytest.raises(SignInError, match="not of this cloud"):
            secret(login)
        assert thief.asked == []


def test_token_of_another_tenant_is_refused(login):
    login.answers = [login.good(tid="00000000-0000-0000-0000-000000000000")]
    with pytest.raises(SignInError, match="not of the one that was asked for"):
        secret(login)


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (Says(drop=True), "connection broke"),
        (Says(500, b"<html>"), "gave no answer|from MSAL"),
        (Says(503, {}), "from MSAL"),
        (Says(200, {"token_type": "Bearer"}), "no token"),
        (Says(200, b"<html>Sign in to the proxy</html>"), "no whole JSON"),
        (Says(400, b""), "no whole JSON"),
        (Says(302, {}, {"Location": "https://evil.example"}), "redirect"),
    ],
)
def test_broken_answers_are_sign_in_errors(login, says, words):
    login.answers = [says]
    with pytest.raises(SignInError, match=words) as error:
        secret(login)
    assert TENANT in error.value.where
    assert error.value.__context__ is None


def test_half_a_token_answer_is_not_logged(login, caplog, capfd):
    """MSAL logs a token answer that is not JSON in full, and half of one is a token; a kernel shows such logs in the record."""
    caplog.set_level(logging.DEBUG)
    whole = login.good().raw
    login.answers = [Says(200, whole[:-5])]
    with pytest.raises(SignInError, match="no whole JSON"):
        secret(login)
    part = jwt()[20:60]
    assert part in whole.decode()
    assert part not in "".join([caplog.text, *capfd.readouterr()])


def test_failures_show_no_secret(login, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    shown = []
    for says in (
        Says(drop=True),
        login.bad("AADSTS7000215: Invalid client secret provided."),
        Says(500, {}),
        Says(200, {"access_token": 7}),
    ):
        login.answers = [says]
        try:
            secret(login)
        except SignInError as error:
            text = io.StringIO()
            traceback.TracebackException.from_exception(error, capture_locals=True).print(file=text)
            shown += [str(error), repr(vars(error)), text.getvalue()]
    assert len(shown) == 12
    found = "".join([*shown, caplog.text, *capfd.readouterr()])
    assert SECRET not in found
    assert "canary-signature" not in found


def test_session_shows_and_writes_no_secret(login):
    session = secret(login)
    assert "canary" not in repr(session)
    assert jwt() not in repr(vars(session.source))
    for escape in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="not written down"):
            escape(session)


def test_environment_is_not_shown(login):
    assert SECRET not in repr(login.around(AZURE_CLIENT_SECRET=SECRET))


def test_device_code(login):
    """RFC 8628: the message is shown to the person, the code is polled for, no faster than Entra says."""
    said, hours = [], scripted.Hours()
    login.answers = [
        login.bad("AADSTS70016: pending", "authorization_pending"),
        login.bad("AADSTS70016: slow", "slow_down"),
        login.person(upn="ann@contoso.example"),
    ]
    session = sign_in(who("device-code"), around=login.around(person=Person(said.append), hours=hours))
    assert said == ["Open the page and enter ABC-123"]
    assert hours.slept == [5, 5, 10]
    assert held(session).user_name == "ann@contoso.example"
    assert session.kept == "in memory only: it is the sandbox"


def test_device_code_that_nobody_enters_ends(login):
    hours = scripted.Hours()
    login.answers = [login.bad("AADSTS70016: pending", "authorization_pending")]
    with pytest.raises(SignInError, match="AADSTS70016"):
        sign_in(who("device-code"), around=login.around(person=Person(lambda text: None), hours=hours))
    assert 900 <= sum(hours.slept) <= 910


def test_device_code_that_was_declined_ends(login):
    login.answers = [login.bad("AADSTS65004: User declined to consent", "authorization_declined")]
    with pytest.raises(SignInError, match="declined"):
        sign_in(who("device-code"), around=login.around(person=Person(lambda text: None)))


def test_delegated_token_is_renewed_without_a_question_while_that_is_possible(login):
    said = []
    login.answers = [login.person()]
    session = sign_in(who("device-code"), around=login.around(person=Person(said.append)))
    session.source.token()
    session.source.renew("")
    assert len(said) == 1
    assert [form["grant_type"] for form in login.forms if "grant_type" in form][-1] == "refresh_token"
    login.answers = [login.bad("AADSTS50173: revoked", "invalid_grant"), login.person()]
    session.source.renew("")
    assert len(said) == 2, "a revoked refresh token: the person is asked again"


@pytest.mark.parametrize("method", ["device-code", "interactive"])
def test_headless_sign_in_by_a_person_is_refused_with_the_way_out(login, method):
    with pytest.raises(SignInError, match="Nobody is here") as error:
        sign_in(who(method), around=login.around(person=None))
    assert "managed-identity" in error.value.remedy
    assert login.server.asked == []


def _post(url, form):
    session = requests.Session()
    session.trust_env = False
    session.post(url, data=form, timeout=5)


def test_interactive(login, monkeypatch):
    """The browser comes back to an address of this machine with a form post; MSAL checks state and PKCE."""
    opened = []

    def browse(url, *_, **__):
        opened.append(parse_qs(urlsplit(url).query))
        login.answers = [Says(200, {key: value for key, value in login.person().body.items() if key != "id_token"})]
        form = {"code": "the-code", "state": opened[0]["state"][0]}
        threading.Thread(target=_post, args=(opened[0]["redirect_uri"][0], form)).start()
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    said = []
    session = sign_in(who("interactive"), around=login.around(person=Person(said.append)))
    assert "browser" in said[0]
    assert login.forms[0]["code"] == "the-code"
    assert login.forms[0]["code_verifier"]
    assert opened[0]["response_mode"] == ["form_post"]
    assert held(session).kind == "delegated"


@pytest.mark.parametrize(("client", "named"), [("", {}), (CLIENT, {"client_id": CLIENT})])
def test_managed_identity(login, monkeypatch, client, named):
    """learn.microsoft.com azure/app-service/overview-managed-identity: a plain HTTP endpoint of the machine itself."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with scripted.serve_plain() as machine:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{machine.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "canary-header")
        machine.play(Says(200, {"access_token": jwt(), "expires_on": "9999999999", "resource": "r", "token_type": "Bearer"}))
        session = sign_in(who("managed-identity", client=client), around=login.around())
        session.source.token()
        session.source.renew("")
        session.source.renew('{"access_token":{}}')
    asked = [parse_qs(urlsplit(each.path).query) for each in machine.asked]
    assert len(asked) == 3
    assert unquote(asked[0]["resource"][0]) == login.server.url
    assert {key: value[0] for key, value in asked[0].items() if key == "client_id"} == named


def test_managed_identity_where_there_is_none(login, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/token")
    monkeypatch.setenv("IDENTITY_HEADER", "canary-header")
    with pytest.raises(SignInError, match="no answer") as error:
        sign_in(who("managed-identity"), around=login.around())
    assert "canary" not in str(error.value)


def test_unknown_method_names_those_that_exist(login):
    with pytest.raises(ParameterError, match="managed-identity"):
        sign_in(who("password"), around=login.around())


def test_what_an_application_holds(login):
    assert held(secret(login)) == Held(
        "application", frozenset({"Application.Read.All"}), TENANT, CLIENT, "", datetime(2026, 11, 24, 12, tzinfo=UTC)
    )


def test_what_a_person_holds(login):
    login.answers = [login.good(idtyp="user", scp="Application.Read.All User.Read", roles=None, unique_name="ann")]
    found = held(secret(login))
    assert (found.kind, found.permissions, found.user_name) == ("delegated", frozenset({"Application.Read.All", "User.Read"}), "ann")


def test_application_without_any_permission_holds_none(login):
    login.answers = [login.good(roles=None)]
    assert held(secret(login)).permissions == frozenset()


def test_token_that_tells_nothing_is_unread_and_not_poor(login):
    login.answers = [Says(200, {"access_token": "opaque", "expires_in": 3600})]
    with pytest.raises(UnreadError, match="does not tell"):
        held(secret(login))


def test_every_method_of_the_parameter_exists():
    assert set(auth._METHODS) == set(auth.get_args(auth.Method))


# Against the sandbox: a login that checks signatures, times, tenants and clients as Entra does.


@pytest.fixture(scope="module")
def tenant(tmp_path_factory):
    with twins.running(tmp_path_factory.mktemp("twin")) as running:
        yield running


@pytest.fixture
def twin(tenant):
    tenant.tenant.reset()
    return tenant


@pytest.mark.parametrize("client", ["reader", "writer", "poor"])
def test_certificate_against_the_sandbox(twin, client):
    session = twin.session(client)
    found = held(session)
    assert found.kind == "application"
    assert found.permissions == twin.clients[client].permissions
    assert (found.tenant_id, found.client_id) == (twin.id, twin.clients[client].app_id)
    assert session.certificate_ends == twin.clients[client].pair.certificate.not_valid_after_utc
    assert session.tenant_id == twin.id


def test_tenant_by_its_domain_is_the_tenant(twin):
    """A plan never crosses a realm: whoever names the tenant by its domain gets the same realm."""
    session = sign_in(SignIn("sandbox", twin.tenant.domain, twin.clients["reader"].app_id, "certificate"), around=twin.around())
    assert session.tenant_id == twin.id


def test_secret_against_the_sandbox(twin):
    around = twin.around(AZURE_CLIENT_SECRET=twin.clients["reader"].secret)
    assert held(twin.session(method="secret", around=around)).client_id == twin.clients["reader"].app_id


@pytest.mark.parametrize(
    ("who_", "environment", "code", "remedy"),
    [
        (("00000000-1111-2222-3333-444444444444", "reader", "certificate"), {}, "AADSTS90002", "tenant_id and cloud"),
        (
            (None, "00000000-1111-2222-3333-444444444444", "certificate"),
            {"AZURE_CLIENT_CERTIFICATE_PATH": "reader.pem"},
            "AADSTS700016",
            "client_id",
        ),
        ((None, "reader", "certificate"), {"other certificate": "writer.pem"}, "AADSTS700027", "Upload the certificate"),
        ((None, "reader", "secret"), {"AZURE_CLIENT_SECRET": "canary-wrong"}, "AADSTS7000215", "not its id"),
    ],
)
def test_usual_refusals_of_the_sandbox(twin, monkeypatch, who_, environment, code, remedy):
    name, client, method = who_
    if "AZURE_CLIENT_CERTIFICATE_PATH" in environment:
        environment = {"AZURE_CLIENT_CERTIFICATE_PATH": str(twin.folder / "reader.pem")}
    if "other certificate" in environment:
        monkeypatch.setattr(auth.clouds.Sandbox, "certificate_of", lambda self, client_id: str(twin.folder / "writer.pem"))
    identity = twin.clients[client].app_id if client in twin.clients else client
    with pytest.raises(SignInError, match=code) as error:
        sign_in(SignIn("sandbox", name or twin.id, identity, method), around=twin.around(**environment))
    assert remedy in error.value.remedy
    assert "canary" not in str(error.value)


def workload(twin, folder, **changes):
    claims = {
        "iss": "https://workload.sandbox.invalid",
        "sub": f"client:{twin.clients['reader'].app_id}",
        "aud": "api://AzureADTokenExchange",
    }
    moment = twin.tenant.clock().timestamp()
    file = folder / "federated"
    file.write_text(signed.encode(claims | {"exp": moment + 600, "iat": moment} | changes, twin.tenant.keys.key("workload"), "RS256"))
    return twin.around(AZURE_FEDERATED_TOKEN_FILE=str(file))


def test_workload_against_the_sandbox(twin, tmp_path):
    assert held(twin.session(method="workload", around=workload(twin, tmp_path))).kind == "application"


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ({"aud": "api://AzureADTokenExchangeChina"}, "AADSTS700212"),
        ({"sub": "x"}, "AADSTS700213"),
        ({"iss": "https://other.invalid"}, "AADSTS700021|AADSTS700211"),
    ],
)
def test_workload_that_no_credential_fits(twin, tmp_path, claim, code):
    with pytest.raises(SignInError, match=code):
        twin.session(method="workload", around=workload(twin, tmp_path, **claim))


def test_managed_identity_against_the_sandbox(twin, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{twin.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", twin.tenant.identity_header)
    assert held(twin.session("writer", "managed-identity")).client_id == twin.clients["writer"].app_id


def test_device_code_against_the_sandbox(twin):
    user = next(user for user in twin.tenant.tables["users"].values() if user["accountEnabled"])
    hours = scripted.Hours()
    around = twin.around(person=twin.at_device_page(user["userPrincipalName"]), clock=hours.clock)
    session = twin.session("reader", "device-code", around)
    found = held(session)
    assert (found.kind, found.user_name) == ("delegated", user["userPrincipalName"])
    assert hours.slept == [1]
    session.source.renew("")
    assert hours.slept == [1], "renewed by the refresh token"


def test_device_code_that_is_declined_at_the_sandbox(twin):
    around = twin.around(person=twin.at_device_page(decline=True), clock=scripted.Hours().clock)
    with pytest.raises(SignInError, match="declined"):
        twin.session("reader", "device-code", around)


def test_interactive_against_the_sandbox(twin, monkeypatch):
    with twin.browser(monkeypatch) as somebody:
        session = twin.session("reader", "interactive", twin.around(person=somebody))
    assert held(session).kind == "delegated"


def test_sandbox_is_reached_whatever_bundle_and_proxy_the_environment_names(twin, monkeypatch):
    """Company machines set these; for the sandbox none of them counts."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(variable, "/nowhere/company.pem")
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    session = twin.session()
    assert len(Graph.reading(session).app_roles(twin.application_id)) > 0


def test_token_does_not_reach_any_file_or_output_of_a_real_run(twin, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    session = twin.session()
    text = str.__str__(session.source.token().header).removeprefix("Bearer ")
    graph = Graph.reading(session)
    graph.app_roles(twin.application_id)
    graph.members(list(twin.tenant.tables["groups"]))
    shown = "".join([repr(session), repr(vars(session)), repr(graph), caplog.text, *capfd.readouterr()])
    assert len(text) > 200
    assert text not in shown
    assert text.split(".")[2] not in shown
