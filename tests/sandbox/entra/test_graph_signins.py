"""The sign-in log: licence, filters, order, pages and what it keeps (learn.microsoft.com graph/api/signin-list)."""

from datetime import timedelta

import entra_sample as sample
import pytest

LOG = "/auditLogs/signIns"


@pytest.fixture
def premium(world):
    world["subscribedSkus"][0]["servicePlans"] = [{"servicePlanName": "AAD_PREMIUM"}]


@pytest.fixture
def app_id(tenant):
    return tenant.principal(sample.AWS)["appId"]


def test_without_p1_the_log_is_refused(reader):
    """turbot/steampipe-plugin-azuread#98."""
    assert reader.get(LOG).error[:2] == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")


@pytest.mark.usefixtures("premium")
def test_newest_first_of_one_application_with_what_was_refused(reader, tenant, clock, app_id):
    tenant.signed_in(sample.ANNA, sample.AWS)
    clock.pass_(60)
    tenant.signed_in(sample.ANNA, sample.AWS, 50105)
    tenant.signed_in(sample.ANNA, sample.PLAIN)
    clock.pass_(180)
    found = reader.value(f"{LOG}?$filter=appId eq '{app_id}' and createdDateTime ge 2026-11-01T00:00:00Z")
    assert [row["status"]["errorCode"] for row in found] == [50105, 0]
    assert {row["userPrincipalName"] for row in found} == {tenant.tables["users"][sample.ANNA]["userPrincipalName"].lower()}
    assert reader.value(f"{LOG}?$filter=status/errorCode eq 0 and appId eq '{app_id}'")[0]["createdDateTime"] == "2026-11-24T06:00:00Z"
    assert reader.get(f"{LOG}/{found[0]['id']}").json["userId"] == sample.ANNA
    assert reader.get(f"{LOG}?$top=1001").status == 400


@pytest.mark.usefixtures("premium")
def test_pages_and_thirty_days(reader, tenant, clock):
    for _ in range(3):
        tenant.signed_in(sample.ANNA, sample.AWS)
        clock.pass_(1)
    clock.pass_(180)
    first = reader.get(f"{LOG}?$top=2").json
    rest = reader.get(first["@odata.nextLink"].partition("/v1.0")[2]).json
    assert (len(first["value"]), len(rest["value"]), "@odata.nextLink" in rest) == (2, 1, False)
    clock.now += timedelta(days=31)
    tenant.reset()
    assert tenant.sign_ins == []


@pytest.mark.usefixtures("premium")
def test_what_is_older_than_thirty_days_is_gone(tenant, clock, signed_in):
    """entra-docs reference-reports-data-retention: 30 days with P1 or P2."""
    tenant.signed_in(sample.ANNA, sample.AWS)
    clock.now += timedelta(days=31)
    assert signed_in(sample.READER).value(LOG) == []
    assert len(tenant.sign_ins) == 1


@pytest.mark.usefixtures("premium")
def test_reports_share_five_requests_in_ten_seconds(reader):
    log = [reader.get(path).status for path in (LOG, "/auditLogs/directoryAudits", LOG, LOG, LOG, LOG)]
    assert log == [200] * 5 + [429]


@pytest.mark.usefixtures("premium")
def test_a_guest_is_told_by_the_address_at_home(reader, tenant, clock):
    """splunk/security_content: the record of a guest has the home address, and the ids of both tenants."""
    tenant.signed_in(sample.GUEST, sample.AWS)
    clock.pass_(180)
    (row,) = reader.value(LOG)
    assert (row["userPrincipalName"], row["userId"]) == ("maria@fabrikam.example", sample.GUEST)
    assert row["homeTenantId"] != row["resourceTenantId"] == sample.TENANT
