"""The sign-in service as a WSGI application: OIDC documents, token endpoint, device code, authorize page, federation metadata."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

from awsfed_lib.sandbox.entra import aadsts, grants, interactive, signinpages
from awsfed_lib.sandbox.entra.aadsts import SignInRefused
from awsfed_lib.sandbox.entra.clientauth import Desk
from awsfed_lib.sandbox.entra.identifiers import is_guid
from awsfed_lib.sandbox.entra.tokens import public_jwk
from awsfed_lib.sandbox.entra.wire import JSON, Answer, Ask
from awsfed_lib.sandbox.store import Tenant

ANY_TENANT = ("common", "organizations")
PAGE = {"Content-Type": f"{JSON}; charset=utf-8", "Cache-Control": "no-store, no-cache", "P3P": 'CP="DSP CUR OTPi IND OTRi ONL FIN"'}


class LoginApp:
    """Serves /{tenant}/…, where {tenant} is the id or the domain of the tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._routes: dict[tuple[str, str], Callable[[Ask], Answer]] = {
            ("GET", "v2.0/.well-known/openid-configuration"): self._configuration,
            ("GET", ".well-known/openid-configuration"): self._configuration,
            ("GET", "discovery/v2.0/keys"): self._keys,
            ("POST", "oauth2/v2.0/token"): self._token,
            ("POST", "oauth2/v2.0/devicecode"): self._device,
            ("GET", "oauth2/v2.0/authorize"): self._authorize,
            ("GET", "federationmetadata/2007-06/federationmetadata.xml"): self._metadata,
            ("GET", "discovery/instance"): self._instance,
            ("POST", "getcredentialtype"): lambda ask: signinpages.credential_type(tenant, ask),
            ("GET", "saml2"): lambda ask: signinpages.start(tenant, ask),
            ("POST", "saml2"): lambda ask: signinpages.start(tenant, ask),
            ("POST", "login"): lambda ask: signinpages.signed_in(tenant, ask),
        }
        # Without a tenant in the path: the tile in My Apps, and the end of a sign-in, which needs somebody who issues SAML responses.
        self._of_nobody: dict[tuple[str, str], Callable[[Ask], Answer]] = {
            ("GET", "applications/redirecttofederatedapplication.aspx"): lambda ask: signinpages.start(tenant, ask),
        }

    def issue_with(self, issue: signinpages.Issue) -> None:
        """Let sign-ins to SAML applications end in responses that `issue` makes."""
        self._of_nobody["POST", "kmsi"] = lambda ask: signinpages.finished(self.tenant, ask, issue)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        return self.answer(Ask.of(environ)).to_wsgi(start_response)

    def answer(self, ask: Ask) -> Answer:
        """The answer to one request; a refusal becomes the OAuth error with its AADSTS code."""
        name, _, rest = ask.path.lstrip("/").partition("/")
        whole = self._of_nobody.get((ask.method, ask.path.strip("/").lower()))
        route = whole or self._routes.get((ask.method, rest.lower()))
        if route is None:
            return Answer(404, "", {"Content-Type": "text/html"})
        try:
            with self.tenant.lock:
                if whole is None:
                    self._refuse_other_tenant(name)
                return route(ask)
        except SignInRefused as refused:
            return Answer(refused.status, refused.body(self.tenant.clock(), _correlation(ask)), PAGE)

    def _refuse_other_tenant(self, name: str) -> None:
        if name.lower() not in (self.tenant.id.lower(), self.tenant.domain.lower(), *ANY_TENANT):
            raise aadsts.unknown_tenant(name)

    def _desk(self, ask: Ask) -> Desk:
        tenant = self.tenant
        base = f"{ask.root}/{tenant.id}"
        audiences = {f"{base}/oauth2/v2.0/token", f"{base}/oauth2/token", f"{base}/v2.0", base, f"{base}/"}
        return Desk(tenant.clients, tenant.domain, audiences, lambda: tenant.keys.key("workload").public_key(), tenant.clock())

    def _token(self, ask: Ask) -> Answer:
        issuer = f"{ask.root}/{self.tenant.id}/v2.0"
        return Answer(200, grants.token(self.tenant, ask.form, self._desk(ask), issuer), PAGE)

    def _device(self, ask: Ask) -> Answer:
        return Answer(200, interactive.start_device(self.tenant, ask.form, self._desk(ask), ask.root), PAGE)

    def _authorize(self, ask: Ask) -> Answer:
        return interactive.authorize(self.tenant, ask.query, self._desk(ask))

    def _keys(self, _ask: Ask) -> Answer:
        return Answer(200, {"keys": [public_jwk(self.tenant.keys.key("token"))]}, PAGE)

    def _metadata(self, ask: Ask) -> Answer:
        """With `appid`: that application's certificates; without: those of the tenant, which AWS must not be given.

        An application that has no certificate yet is answered with those of the tenant as well: inferred from Microsoft's page on signing
        keys, by which `appid` matters for applications with keys of their own.
        """
        app_id = ask.query.get("appid", "")
        try:
            own = bool(app_id) and bool(self.tenant.principal(app_id)["keyCredentials"])
        except KeyError:
            raise aadsts.unknown_client(app_id, self.tenant.domain) from None
        text = self.tenant.metadata(app_id) if own else self.tenant.metadata("", "tenant")
        return Answer(200, text, {"Content-Type": "application/xml; charset=utf-8"})

    def _instance(self, ask: Ask) -> Answer:
        """Whether an authority is one of Microsoft's: this one is, under the name by which it was asked.

        Source: msal 1.39, which asks before it believes an authority that it does not know.
        """
        host = ask.root.partition("://")[2]
        names = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        wanted = f"https://{urlsplit(ask.query.get('authorization_endpoint', '')).netloc}"
        found = f"{wanted}/{self.tenant.id}/v2.0/.well-known/openid-configuration"
        return Answer(200, {"tenant_discovery_endpoint": found, "api-version": "1.1", "metadata": [names]}, PAGE)

    def _configuration(self, ask: Ask) -> Answer:
        return Answer(200, configuration(f"{ask.root}/{self.tenant.id}", ask.root), PAGE)


def configuration(base: str, root: str) -> dict[str, Any]:
    """The OpenID configuration document."""
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{base}/v2.0",
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "name", "preferred_username", "oid", "tid"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "sandbox.invalid",
        "msgraph_host": root.removeprefix("https://"),
    }


def _correlation(ask: Ask) -> str:
    sent = ask.headers.get("client-request-id", "")
    return sent if is_guid(sent) else str(uuid.uuid4())
