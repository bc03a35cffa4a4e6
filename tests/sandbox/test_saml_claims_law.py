"""When Entra ID refuses to send mapped claims at all, and what signs where an application has no certificate.

Sources: entra-docs jwt-claims-customization ("Validate token signing key"), reference-error-codes (AADSTS50146, AADSTS501461).
"""

from datetime import UTC, datetime, timedelta

import entra_sample as sample
import pytest

from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.store import Tenant, Write

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
RECIPIENT = "https://signin.aws.amazon.com/saml"


@pytest.fixture(scope="module")
def _tenant():
    world = sample.world()
    world["claimsMappingPolicies"][0]["definition"] = ['{"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": []}}']
    return Tenant(world, clock=lambda: NOW)


@pytest.fixture
def tenant(_tenant):
    yield _tenant
    _tenant.reset()


def change(tenant, table, key, **values):
    tenant.commit([Write(table, key, {**tenant.tables[table][key], **values})])


def response(tenant, now=NOW):
    return saml.response(tenant, sample.AWS, sample.ANNA, recipient=RECIPIENT, now=now)


def refused(tenant, now=NOW):
    with pytest.raises(saml.SignInRefused) as caught:
        response(tenant, now)
    return caught.value.code


def unsigned(tenant):
    change(tenant, "servicePrincipals", sample.AWS, keyCredentials=[], preferredTokenSigningKeyThumbprint=None)


def test_mapped_claims_need_a_key_of_the_application(tenant):
    """AADSTS50146, in the order in which a portal user meets it: the policy first, the certificate forgotten."""
    assert response(tenant)
    unsigned(tenant)
    assert refused(tenant) == "AADSTS50146"


def test_an_expired_key_is_none(tenant):
    """AADSTS50146: "or the key has expired or is not yet valid"."""
    assert refused(tenant, NOW + timedelta(days=2000)) == "AADSTS50146"


def test_accept_mapped_claims_covers_only_audiences_of_the_tenant(tenant):
    """AADSTS501461: AWS's audience is in nobody's verified domain, so that acceptMappedClaims is no way out here."""
    unsigned(tenant)
    api = tenant.tables["applications"][sample.AWS_APPLICATION]["api"]
    change(tenant, "applications", sample.AWS_APPLICATION, api={**api, "acceptMappedClaims": True})
    assert refused(tenant) == "AADSTS501461"
    change(tenant, "applications", sample.AWS_APPLICATION, identifierUris=[f"https://aws.{sample.DOMAIN}"])
    assert response(tenant)


def test_without_a_policy_the_key_of_the_tenant_signs(tenant):
    """The trap: no account's provider holds that key, unless it was made from metadata without an application's certificate."""
    unsigned(tenant)
    tenant.commit([Write("policies", sample.AWS, None)])
    assert response(tenant)
    assert tenant.signing_key(sample.AWS) == tenant.signing_key(sample.OTHER)


def test_an_application_that_is_not_in_saml_mode_sends_nothing(tenant):
    """The first step of Microsoft's order; which code Entra ID gives is inferred."""
    change(tenant, "servicePrincipals", sample.AWS, preferredSingleSignOnMode=None)
    assert refused(tenant) == "AADSTS650056"
