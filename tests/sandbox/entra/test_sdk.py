"""Microsoft's own SDK for Python against the twin, over HTTPS and its own models: what passes there is no private dialect."""

import asyncio
import ssl
import uuid
from datetime import UTC, datetime, timedelta

import entra_sample as sample
import httpx
import pytest
from azure.core.credentials import AccessToken
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.app_role import AppRole
from msgraph.generated.models.app_role_assignment import AppRoleAssignment
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.service_principal import ServicePrincipal

from awsfed_lib.sandbox.entra import issuing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK's own


class Credential:
    """A credential as azure-core has it, with a token of the twin."""

    def __init__(self, tenant):
        made = issuing.for_application(tenant, tenant.client_credentials(sample.WRITER), "https://graph.microsoft.com")
        self.token = made["access_token"]

    def get_token(self, *_scopes, **_more):
        return AccessToken(self.token, int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))


@pytest.fixture
def run(served):
    provider = AzureIdentityAuthenticationProvider(
        Credential(served.tenant), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1"]
    )
    client = httpx.AsyncClient(
        verify=ssl.create_default_context(cafile=str(served.ca_file)), base_url=f"{served.url}/v1.0", trust_env=False
    )
    adapter = GraphRequestAdapter(provider, client)
    adapter.base_url = f"{served.url}/v1.0"
    made = GraphServiceClient(request_adapter=adapter)

    def sdk(steps):
        async def closed_afterwards():
            async with client:
                return await steps(made)

        return asyncio.run(closed_afterwards())

    return sdk


def test_the_sdk_lists_patches_and_assigns(run):
    async def walk(graph):
        found = await graph.service_principals.by_service_principal_id(sample.AWS).get()
        added = AppRole(
            id=uuid.uuid4(), display_name="New", description="New", value=sample.pair("New"), is_enabled=True, allowed_member_types=["User"]
        )
        await graph.service_principals.by_service_principal_id(sample.AWS).patch(ServicePrincipal(app_roles=[*found.app_roles, added]))
        body = AppRoleAssignment(principal_id=uuid.UUID(sample.ADMINS), resource_id=uuid.UUID(sample.AWS), app_role_id=added.id)
        made = await graph.service_principals.by_service_principal_id(sample.AWS).app_role_assigned_to.post(body)
        listed = await graph.service_principals.by_service_principal_id(sample.AWS).app_role_assigned_to.get()
        return made, listed.value, added.id

    made, listed, role_id = run(walk)
    assert (made.principal_type, made.app_role_id) == ("Group", role_id)
    assert role_id in [row.app_role_id for row in listed]


def test_the_sdk_reads_the_refusals_as_its_own_errors(run):
    async def leave_out(graph):
        found = await graph.service_principals.by_service_principal_id(sample.AWS).get()
        kept = [role for role in found.app_roles if str(role.id) != sample.ADMIN["id"]]
        await graph.service_principals.by_service_principal_id(sample.AWS).patch(ServicePrincipal(app_roles=kept))

    with pytest.raises(ODataError) as refused:
        run(leave_out)
    assert refused.value.error.code == "CannotDeleteOrUpdateEnabledEntitlement"
