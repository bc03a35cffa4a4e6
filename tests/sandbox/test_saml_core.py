"""The core against the sandbox: two readings of one federation, written apart, agree on what signs and who can sign in."""

from datetime import UTC, datetime, timedelta

import pytest
from granting import grant_demo
from saml_made import certificate

from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.roles.sign_in_endpoints import audiences, recipients
from awsfed_lib.core.saml import metadata, signin
from awsfed_lib.core.saml.signin import Expected
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.amazon.assertion import SamlRefused
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.store import Tenant

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def made():
    return world(515)


@pytest.fixture
def tenant(made):
    return Tenant(made["tenant"], clock=lambda: NOW)


@pytest.fixture
def org(made, tenant):
    found = Org(made["org"], tenant.metadata, clock=lambda: NOW)
    yield found
    found.reset()


@pytest.fixture
def shown(made, tenant):
    """Give the demo's group its role, and return the response that Britta Simon's browser carries."""
    demo = made["demo"]
    grant_demo(tenant, demo)
    return saml.response(tenant, demo["application"], demo["user"], recipient=recipients("aws")[0], now=NOW)


def expected(made, tenant):
    own = metadata.parse(tenant.metadata(made["demo"]["application"]))
    signs = tuple(one.thumbprint for one in own.certificates)
    return Expected(own.entity_id, recipients("aws"), audiences("aws"), own.certificates, signs, (made["demo"]["value"],))


def test_the_metadata_of_the_twin_is_fit_for_upload(made, tenant):
    own = metadata.parse(tenant.metadata(made["demo"]["application"]))
    assert own.tenant_id == made["tenant"]["id"]


def test_the_certificates_of_the_twin_are_those_of_its_metadata(made, tenant):
    record = tenant.principal(made["demo"]["application"])
    own = metadata.parse(tenant.metadata(made["demo"]["application"]))
    signing = certificates.signing(certificates.read(record), NOW)
    assert {one.thumbprint for one in signing} <= own.thumbprints


def test_a_response_of_the_twin_passes_every_check(made, tenant, shown):
    checked = signin.response(shown, expected(made, tenant), NOW)
    assert [row for row in checked.rows if row["verdict"] == "failed"] == []
    assert checked.proof is not None
    assert made["demo"]["value"] in set(checked.roles["value"])


def hold(org, made, document):
    arn = made["demo"]["provider_arn"]
    org.cloud.account_of(arn).provider(arn).saml_metadata_document = document


def test_composed_metadata_lets_the_same_people_in(made, tenant, org, shown):
    """What goes into 200 accounts is not Entra's document, so that it works is tried with a real signature."""
    own = metadata.parse(tenant.metadata(made["demo"]["application"]))
    composed = metadata.compose(own, own.certificates)
    hold(org, made, composed.document)
    assert org.sign_in(shown, made["demo"]["role_arn"], made["demo"]["provider_arn"])


def test_without_the_certificate_nobody_comes_in(made, tenant, org, shown):
    """The oracle above can say no."""
    own = metadata.parse(tenant.metadata(made["demo"]["application"]))
    foreign = certificate("CN=other", NOW - timedelta(days=1))
    hold(org, made, metadata.compose(own, [foreign]).document)
    with pytest.raises(SamlRefused, match="signature"):
        org.sign_in(shown, made["demo"]["role_arn"], made["demo"]["provider_arn"])
