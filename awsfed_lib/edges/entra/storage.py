"""Tokens for Azure Storage: by the sign-in of the environment, handed to Azure's library in the form that it takes.

The variables are those of Azure's own libraries (AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential's), as platforms set
them for a workload. Azure Storage has one resource id in every cloud (learn.microsoft.com azure/storage/blobs
authorize-access-azure-active-directory).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from awsfed_lib.core.errors import SignInError
from awsfed_lib.edges.entra import auth, credentials
from awsfed_lib.edges.entra.tokens import Header
from awsfed_lib.edges.entra.transport import Source

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

RESOURCE = "https://storage.azure.com"
METHOD, TENANT, CLIENT = "AWSFED_RECORDS_SIGN_IN", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"
_MANAGED = "managed-identity"
_NOTHING = (
    "The managed identity was asked, since the environment names no other sign-in:"
    f" set {TENANT}, {CLIENT} and a credential, or {METHOD} and the first two."
)
_BY = ((credentials.ASSERTION, "workload"), (credentials.CERTIFICATE, "certificate"), (credentials.SECRET, "secret"))


def sign_in(cloud: str, environment: Mapping[str, str]) -> auth.Session:
    """Sign in for Azure Storage. Raises SignInError, and ParameterError for a method that does not exist."""
    chosen = who(cloud, environment)
    try:
        return auth.sign_in(chosen, around=auth.Surroundings(environment=environment))
    except SignInError as failure:
        if chosen.method != _MANAGED or environment.get(METHOD):
            raise
        raise SignInError(failure.what, where=failure.where, remedy=f"{_NOTHING} {failure.remedy}".strip()) from None


def who(cloud: str, environment: Mapping[str, str]) -> auth.SignIn:
    """Return who signs in: by AWSFED_RECORDS_SIGN_IN, else by the credential that is there, else the managed identity.

    Raises SignInError when tenant or client is not named; a managed identity needs neither.
    """
    method = environment.get(METHOD) or next((method for variable, method in _BY if environment.get(variable)), _MANAGED)
    tenant, client = environment.get(TENANT, ""), environment.get(CLIENT, "")
    if method != _MANAGED:
        remedy = f"Set {TENANT} and {CLIENT} to the app registration that may write to the container; {METHOD} names the way to sign in."
        tenant, client = (credentials.named(environment, variable, remedy) for variable in (TENANT, CLIENT))
    return auth.SignIn(cloud, tenant, client, method, resource=RESOURCE)


class _Lent(Header):
    """The text of a token as azure-core takes it: like the header, it shows itself to nobody, but formats to the text."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str.__str__(self)


class Credential:
    """azure-core's TokenCredential over a source of tokens. It gives no token for anything but what the source is for."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_token(self, *_scopes: str, **asked: Any) -> AccessToken:
        """Return a token; a new one where the service challenged the last, which azure-core tells by `tenant_id` or `claims`.

        Raises SignInError. What the challenge names (tenant, resource) is not followed.
        """
        from azure.core.credentials import AccessToken

        challenged = asked.get("tenant_id") or asked.get("claims")
        token = self._source.renew(str(asked.get("claims") or "")) if challenged else self._source.token()
        text = str.__str__(token.header).removeprefix("Bearer ")
        return AccessToken(_Lent(text), int(token.claims.get("exp", 0)))
