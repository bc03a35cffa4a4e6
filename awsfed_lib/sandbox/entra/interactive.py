"""Signing in as a person: device code, and the authorize page, which lets the chosen user in at once.

Sources: learn.microsoft.com entra/identity-platform/v2-oauth2-device-code and v2-oauth2-auth-code-flow. There is no password in the twin:
a device code is completed over POST /sandbox/device-code, and the authorize page takes `login_hint` or else the first user.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from awsfed_lib.sandbox.entra import aadsts
from awsfed_lib.sandbox.entra.clientauth import Desk, known_client
from awsfed_lib.sandbox.entra.issuing import Person, Scope
from awsfed_lib.sandbox.entra.tokens import GLOBAL_ADMINISTRATOR, LOOPBACK
from awsfed_lib.sandbox.entra.wire import Answer

if TYPE_CHECKING:
    from awsfed_lib.sandbox.store import Tenant

DEVICE_SECONDS = 900
LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"


def start_device(tenant: Tenant, form: Mapping[str, str], desk: Desk, root: str) -> dict[str, Any]:
    """The answer of the devicecode endpoint. Raises SignInRefused."""
    client = known_client(form, desk)
    scope = Scope.parse(form.get("scope", ""), desk.tenant)
    device, user = secrets.token_urlsafe(32), "".join(secrets.choice(LETTERS) for _ in range(9))
    tenant.sessions[device] = {
        "kind": "device",
        "client": client.app_id,
        "scope": scope.text,
        "user_code": user,
        "state": "pending",
        "expires": tenant.clock().timestamp() + DEVICE_SECONDS,
    }
    at = f"{root}/devicelogin"
    message = f"To sign in, use a web browser to open the page {at} and enter the code {user} to authenticate."
    return {
        "user_code": user,
        "device_code": device,
        "verification_uri": at,
        "expires_in": DEVICE_SECONDS,
        "interval": 1,
        "message": message,
    }


def complete_device(tenant: Tenant, wanted: Mapping[str, Any]) -> None:
    """What the person at the browser does.

    `user_code`, `user` (id or principal name), `wids` (directory roles; a global administrator unless said otherwise), or
    `decline`: true. Raises KeyError for a code or user that does not exist.
    """
    found = [one for one in tenant.sessions.values() if one.get("user_code") == wanted.get("user_code")]
    if not found or found[0]["state"] != "pending":
        raise KeyError("There is no sign-in waiting for that user_code.")
    if wanted.get("decline"):
        found[0]["state"] = "declined"
        return
    found[0]["person"] = person(tenant, str(wanted.get("user", "")), tuple(wanted.get("wids", (GLOBAL_ADMINISTRATOR,))))
    found[0]["state"] = "done"


def person(tenant: Tenant, name: str, roles: tuple[str, ...]) -> Person:
    """The user with that id or principal name; the first one for "". Raises KeyError for an unknown or disabled one."""
    users = tenant.tables["users"]
    key = tenant.alternate.get(("users", "userPrincipalName", name.lower()), name) if name else next(iter(users))
    if key not in users or not users[key].get("accountEnabled", True):
        raise KeyError(f"There is no enabled user {name}.")
    return Person(users[key], roles)


def authorize(tenant: Tenant, query: Mapping[str, str], desk: Desk) -> Answer:
    """The authorize page: redirects, or posts a form, to a loopback address with a code. Raises SignInRefused."""
    client = known_client(query, desk)
    target = query.get("redirect_uri", "")
    if urlsplit(target).hostname not in LOOPBACK:
        text = f"The redirect URI '{target}' specified in the request does not match the redirect URIs configured for the application."
        raise aadsts.SignInRefused("invalid_request", 50011, text)
    code = f"1.{secrets.token_urlsafe(32)}"
    tenant.sessions[code] = {
        "kind": "code",
        "client": client.app_id,
        "scope": query.get("scope", ""),
        "challenge": query.get("code_challenge", ""),
        "person": replace(person(tenant, query.get("login_hint", ""), (GLOBAL_ADMINISTRATOR,)), nonce=query.get("nonce", "")),
    }
    fields = {"code": code, "state": query.get("state", ""), "client_info": "", "session_state": secrets.token_hex(8)}
    if query.get("response_mode") == "form_post":
        return Answer(200, _form(target, fields), {"Content-Type": "text/html; charset=utf-8"})
    return Answer(302, "", {"Location": f"{target}?{urlencode(fields)}"})


def _form(target: str, fields: Mapping[str, str]) -> str:
    inputs = "".join(f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in fields.items() if value)
    return (
        "<!doctype html><title>Sandbox sign-in</title>"
        f'<form method="post" action="{html.escape(target)}">{inputs}<button>Continue</button></form>'
        "<script>document.forms[0].submit()</script>"
    )
