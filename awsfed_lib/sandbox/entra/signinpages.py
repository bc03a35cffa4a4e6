"""The pages on which a person signs in to a SAML application in a browser, as far as programs that play the browser read them.

Three pages: name and password, "Stay signed in?", and the form that carries the SAML response to the application. Each holds a plain form
and the `$Config` that saml2aws and its kin take their next request from (saml2aws pkg/provider/azuread). Inferred: everything else on them.
The twin keeps no passwords: any one is right, and an empty one is wrong.
"""

from __future__ import annotations

import base64
import html
import json
import secrets
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lxml import etree

from awsfed_lib.sandbox.entra import aadsts, inheritance, interactive
from awsfed_lib.sandbox.entra.wire import Answer, Ask

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import Tenant

TITLES = {"ConvergedSignIn": "Sign in to your account", "KmsiInterrupt": "Stay signed in?"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
ISSUER = "{urn:oasis:names:tc:SAML:2.0:assertion}Issuer"
Issue = Callable[[str, str, str], str]  # application, user, recipient → SAMLResponse; raises SignInRefused


def start(tenant: Tenant, ask: Ask) -> Answer:
    """The first page: for an AuthnRequest of the application, or for its tile in My Apps (`applicationId`). Raises SignInRefused."""
    query = {**ask.query, **ask.form}
    if "SAMLRequest" in query:
        application, target = _requested(tenant, query["SAMLRequest"])
    else:
        application, target = _known(tenant, query.get("applicationId", "")), ""
    replies = application.get("replyUrls") or [""]
    if target and target not in replies:
        text = f"The reply URL '{target}' specified in the request does not match the reply URLs configured for the application."
        raise aadsts.SignInRefused("invalid_request", 50011, text)
    context = {"application": application["id"], "target": target or replies[0], "relay": query.get("RelayState", "")}
    return _sign_in(tenant, _kept(tenant, context))


def _requested(tenant: Tenant, text: str) -> tuple[Mapping[str, Any], str]:
    """Application and reply address of an AuthnRequest: deflated in a redirect, plain in a form."""
    raw = base64.b64decode(text)
    with suppress(zlib.error):
        raw = zlib.decompress(raw, -15)
    root = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, no_network=True))
    named = (root.findtext(ISSUER) or "").partition("#")[0]
    everyone = (inheritance.shown(tenant.now_view, one) for one in tenant.tables["servicePrincipals"].values())
    found = [one for one in everyone if _answers_to(one, named)]
    if root.tag != f"{{{SAMLP}}}AuthnRequest" or not found:
        raise aadsts.unknown_client(named, tenant.domain)
    return found[0], root.get("AssertionConsumerServiceURL", "")


def _answers_to(principal: Mapping[str, Any], name: str) -> bool:
    return principal.get("preferredSingleSignOnMode") == "saml" and name in principal.get("servicePrincipalNames", ())


def _known(tenant: Tenant, app_id: str) -> Mapping[str, Any]:
    try:
        return inheritance.shown(tenant.now_view, tenant.principal(app_id))
    except KeyError:
        raise aadsts.unknown_client(app_id, tenant.domain) from None


def credential_type(tenant: Tenant, ask: Ask) -> Answer:
    """Which credential that person has: a password, or nobody is called so (`IfExistsResult` 1)."""
    name = str(json.loads(ask.body or b"{}").get("username", ""))
    exists = ("users", "userPrincipalName", name.lower()) in tenant.alternate
    credentials = {"PrefCredential": 1, "HasPassword": True, "RemoteNgcParams": None, "FidoParams": None, "SasParams": None}
    body = {"Username": name, "Display": name, "IfExistsResult": int(not exists), "ThrottleStatus": 0, "Credentials": credentials}
    return Answer(200, body, {"Content-Type": "application/json; charset=utf-8"})


def signed_in(tenant: Tenant, ask: Ask) -> Answer:
    """After name and password: whether to stay signed in, or the first page again with the number of what was wrong."""
    form = ask.form
    context = _context(tenant, form)
    try:
        person = interactive.person(tenant, form.get("login", ""), ())
    except KeyError:
        return _sign_in(tenant, _kept(tenant, context), 50034)
    if not form.get("login") or not form.get("passwd"):
        return _sign_in(tenant, _kept(tenant, context), 50126)
    return _page("KmsiInterrupt", "/kmsi", {"ctx": "", "flowToken": _kept(tenant, {**context, "user": person.record["id"]})})


def finished(tenant: Tenant, ask: Ask, issue: Issue) -> Answer:
    """The form that the browser posts to the application."""
    context = _context(tenant, ask.form)
    fields = {"SAMLResponse": issue(context["application"], context["user"], context["target"]), "RelayState": context["relay"]}
    form = f'<form method="POST" name="hiddenform" action="{html.escape(context["target"])}">{_inputs(fields)}'
    script = "<noscript><button>Continue</button></noscript></form><script>document.forms[0].submit();</script>"
    return Answer(200, f"<html><head><title>Working...</title></head><body>{form}{script}</body></html>", HTML)


def _kept(tenant: Tenant, context: Mapping[str, str]) -> str:
    token = secrets.token_urlsafe(24)
    tenant.sessions[token] = {"kind": "page", "client": "", **context}
    return token


def _context(tenant: Tenant, form: Mapping[str, str]) -> dict[str, Any]:
    found = tenant.sessions.pop(form.get("flowToken", ""), {})
    if found.get("kind") != "page":
        raise aadsts.bad_grant(165000, "Invalid Request: Request tokens do not match the user context.")
    return found


def _sign_in(tenant: Tenant, token: str, wrong: int = 0) -> Answer:
    asked = '<input name="login" autocomplete="username"><input name="passwd" type="password" autocomplete="current-password">'
    fields = {"ctx": "", "flowToken": token, "canary": token[:8], "hpgrequestid": token[-8:]}
    return _page("ConvergedSignIn", f"/{tenant.id}/login", fields, asked=asked, wrong=wrong)


def _page(kind: str, target: str, fields: Mapping[str, str], *, asked: str = "", wrong: int = 0) -> Answer:
    config = {
        "pgid": kind,
        "urlPost": target,
        "urlGetCredentialType": "/common/GetCredentialType?mkt=en-US",
        "sFTName": "flowToken",
        "sFT": fields["flowToken"],
        "sCtx": fields["ctx"],
        "canary": fields.get("canary", ""),
        "apiCanary": fields.get("canary", ""),
        "sessionId": fields.get("hpgrequestid", ""),
        "correlationId": fields["flowToken"],
        "hpgid": 1104,
        "hpgact": 1800,
        **({"sErrorCode": str(wrong)} if wrong else {}),
    }
    script = f"<script>//<![CDATA[\n$Config={json.dumps(config)};\n//]]></script>"
    form = f'<form method="POST" action="{target}">{_inputs(fields)}{asked}<button type="submit">Next</button></form>'
    told = f'<p role="alert">AADSTS{wrong}: the user name or password is wrong.</p>' if wrong else ""
    return Answer(200, f"<!DOCTYPE html><html><head><title>{TITLES[kind]}</title>{script}</head><body>{told}{form}</body></html>", HTML)


def _inputs(fields: Mapping[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{html.escape(value)}"/>' for name, value in fields.items())
