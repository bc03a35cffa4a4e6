"""What a PATCH of a service principal may say about single sign-on: mode, relay state, who is told that a certificate runs out.

Sources: learn.microsoft.com graph/api/serviceprincipal-update, graph/api/resources/samlsinglesignonsettings; entra-docs
tutorial-manage-certificates-for-federated-single-sign-on (at most five addresses; what Graph says to a sixth was not found).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra.refusals import denied, invalid_value, invalid_values, unknown_property
from awsfed_lib.sandbox.entra.routing import Call

MOST_ADDRESSES = 5
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
ATTRIBUTES_PERMISSION = "CustomSecAttributeAssignment.ReadWrite.All"


def refuse(call: Call, body: Mapping[str, Any]) -> None:
    """Raise Refusal for values of these properties that the directory does not take."""
    _refuse_attributes(call, body)
    _refuse_addresses(body.get("notificationEmailAddresses", []))
    _refuse_settings(body.get("samlSingleSignOnSettings"))
    for name in ("loginUrl", "logoutUrl"):
        if not isinstance(body.get(name), str | None):
            raise invalid_values()


def _refuse_attributes(call: Call, body: Mapping[str, Any]) -> None:
    """Custom security attributes need a permission of their own; Application.ReadWrite.All is not it (serviceprincipal-update)."""
    if "customSecurityAttributes" in body and ATTRIBUTES_PERMISSION not in call.caller.permissions:
        raise denied()


def _refuse_addresses(addresses: Any) -> None:
    if not isinstance(addresses, list) or not all(isinstance(one, str) and ADDRESS.fullmatch(one) for one in addresses):
        raise invalid_value("notificationEmailAddresses", "ServicePrincipal")
    if len(addresses) > MOST_ADDRESSES:
        raise invalid_value("notificationEmailAddresses", "ServicePrincipal")


def _refuse_settings(settings: Any) -> None:
    """`relayState` is all that there is, and it is text."""
    if settings is None:
        return
    if not isinstance(settings, dict):
        raise invalid_values()
    for name, value in settings.items():
        if name != "relayState" and not name.startswith("@odata."):
            raise unknown_property(name, "samlSingleSignOnSettings")
        if not isinstance(value, str | None):
            raise invalid_values()
