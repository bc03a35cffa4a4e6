"""A program that plays the browser signs in at Entra ID's pages and takes the SAML response to AWS: the requests of saml2aws, as it sends them.

saml2aws (pkg/provider/azuread) finds out by the text of a page which one it is, takes its next request from `$Config`, and ends at the
hidden form. It is a Go program, so that its requests are written out here.
"""

import base64
import html
import json
import re
import zlib

import granting
import pytest
import requests

from awsfed_lib.sandbox.serve import Sandbox, Size

AUTHN = (
    '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion" ID="id1" '
    'Version="2.0" AssertionConsumerServiceURL="{acs}"><Issuer>https://signin.aws.amazon.com/saml</Issuer></samlp:AuthnRequest>'
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with Sandbox(tmp_path_factory.mktemp("pages"), Size(accounts=4)) as served:
        granting.grant_demo(served.tenant, served.world["demo"])
        yield served


@pytest.fixture
def browser(sandbox):
    with requests.Session() as session:
        session.trust_env, session.verify = False, json.loads(sandbox.file.read_text())["ca_file"]
        yield session


def config(page):
    assert page.status_code == 200, page.text
    return json.loads(page.text.split("$Config=", 1)[1].split(";\n", 1)[0])


def tile(sandbox):
    return f"{sandbox.entra.url}/applications/redirecttofederatedapplication.aspx?Operation=LinkedSignIn&applicationId={sandbox.application_id}"


def walk(sandbox, browser, start, name="britta.simon@contoso.example", password="any"):
    """The first page to the last; returns the last, or the page on which it goes no further."""
    page = browser.get(start, timeout=5)
    assert "ConvergedSignIn" in page.text
    told = config(page)
    kind = browser.post(f"{sandbox.entra.url}{told['urlGetCredentialType']}", json={"username": name, "flowToken": told["sFT"]}, timeout=5)
    assert kind.json()["IfExistsResult"] in (0, 1)
    fields = {"canary": told["canary"], "hpgrequestid": told["sessionId"], told["sFTName"]: told["sFT"], "ctx": told["sCtx"]}
    page = browser.post(f"{sandbox.entra.url}{told['urlPost']}", data={**fields, "login": name, "passwd": password}, timeout=5)
    if "KmsiInterrupt" not in page.text:
        return page
    told = config(page)
    kept = {"ctx": told["sCtx"], told["sFTName"]: told["sFT"], "LoginOptions": "1"}
    return browser.post(f"{sandbox.entra.url}{told['urlPost']}", data=kept, timeout=5)


def fields_of(page):
    return {name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', page.text)}


def test_from_the_tile_to_a_session_in_aws(sandbox, browser):
    page = walk(sandbox, browser, tile(sandbox))
    assert page.text.startswith("<html><head><title>Working...</title>")
    assert 'name="hiddenform" action="https://signin.aws.amazon.com/saml"' in page.text
    demo = sandbox.world["demo"]
    made = sandbox.org.sign_in(fields_of(page)["SAMLResponse"], demo["role_arn"], demo["provider_arn"])
    assert made["AssumedRoleUser"]["Arn"].endswith("/britta.simon@contoso.example")


@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_from_a_request_of_the_application(sandbox, browser, binding):
    text = AUTHN.format(acs="https://signin.aws.amazon.com/saml").encode()
    deflated = zlib.compressobj(wbits=-15)
    raw = deflated.compress(text) + deflated.flush() if binding == "redirect" else text
    asked = requests.Request(
        "GET", f"{sandbox.entra.url}/{sandbox.tenant.id}/saml2", params={"SAMLRequest": base64.b64encode(raw), "RelayState": "r&1"}
    )
    page = walk(sandbox, browser, asked.prepare().url)
    assert fields_of(page)["RelayState"] == "r&1"
    assert b"Response" in base64.b64decode(fields_of(page)["SAMLResponse"])


def test_another_reply_address_is_refused(sandbox, browser):
    text = AUTHN.format(acs="https://attacker.example/saml").encode()
    page = browser.get(f"{sandbox.entra.url}/{sandbox.tenant.id}/saml2", params={"SAMLRequest": base64.b64encode(text)}, timeout=5)
    assert (page.status_code, page.json()["error_codes"]) == (400, [50011])


@pytest.mark.parametrize(
    ("name", "password", "code"), [("nobody@contoso.example", "any", "50034"), ("britta.simon@contoso.example", "", "50126")]
)
def test_who_is_not_known_stays_on_the_first_page(sandbox, browser, name, password, code):
    assert config(walk(sandbox, browser, tile(sandbox), name, password))["sErrorCode"] == code


def test_who_is_not_assigned_is_told_so_and_logged(sandbox, browser):
    page = walk(sandbox, browser, tile(sandbox), "left.company@contoso.example")
    assert (page.status_code, "AADSTS50105" in page.text) == (400, True)
    assert sandbox.tenant.sign_ins[-1]["status"]["errorCode"] == 50105


def test_a_page_is_good_once(sandbox, browser):
    told = config(browser.get(tile(sandbox), timeout=5))
    sent = {"flowToken": told["sFT"], "login": "britta.simon@contoso.example", "passwd": "any"}
    posts = [browser.post(f"{sandbox.entra.url}{told['urlPost']}", data=sent, timeout=5) for _ in range(2)]
    assert ["KmsiInterrupt" in page.text for page in posts] == [True, False]


@pytest.mark.parametrize(("signs", "works"), [("assertion", True), ("both", True), ("response", False)])
def test_what_of_a_response_is_signed_is_an_option_of_the_application(sandbox, signs, works):
    """entra-docs certificate-signing-options; AWS verifies the signature of the assertion."""
    sandbox.tenant.switches = sandbox.tenant.switches.changed({"saml_signs": signs})
    demo = sandbox.world["demo"]
    found, why = sandbox.can_sign_in(demo["user"], demo["role_arn"])
    sandbox.tenant.switches = sandbox.tenant.switches.changed({"saml_signs": "assertion"})
    assert (found, bool(why)) == (works, not works)
