"""The SAML settings of the enterprise application: desired, and the plan that gets there, one PATCH a request.

Order is a law: `preferredSingleSignOnMode` goes first, since the rule that identifiers need a verified domain spares
applications in SAML mode (learn.microsoft.com entra/identity-platform/identifier-uri-restrictions; the order of
graph/application-saml-sso-configure-api). Only what differs is sent; what is not managed stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Change, Request, Settled, Subject, as_json
from awsfed_lib.core.errors import ParameterError, TableError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles.sign_in_endpoints import ANY_REGION, GLOBAL, is_endpoint, recipients

TITLE = "SAML settings of the application"
MOST_MAILS = 5  # notificationEmailAddresses (entra tutorial-manage-certificates-for-federated-single-sign-on)
SERVICE_PRINCIPAL, APPLICATION = "service_principal", "application"
_FIELDS = {
    SERVICE_PRINCIPAL: (
        "preferredSingleSignOnMode",
        "samlSingleSignOnSettings.relayState",
        "notificationEmailAddresses",
        "appRoleAssignmentRequired",
    ),
    APPLICATION: ("identifierUris", "web.redirectUris"),
}
LABELS: Mapping[str, str] = {
    "preferredSingleSignOnMode": "Single sign-on mode",
    "samlSingleSignOnSettings.relayState": "Relay State",
    "notificationEmailAddresses": "Notification addresses",
    "appRoleAssignmentRequired": "Assignment required",
    "identifierUris": "Identifier (Entity ID)",
    "web.redirectUris": "Reply URL",
}


@dataclass(frozen=True)
class Settings:
    """The desired settings.

    `identifier`: "" chooses one that no other application of the tenant has; `endpoints`: "global", region codes
    (sign_in_endpoints.py), the first of which is the default reply URL; `relay_state`: the page after sign-in, "" leaves
    it alone; `notify`: who gets the certificate mails, none leaves it alone. Assignment is always required.
    """

    partition: str = "aws"
    identifier: str = ""
    endpoints: tuple[str, ...] = ("global",)
    relay_state: str = ""
    notify: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.notify) > MOST_MAILS:
            raise ParameterError(f"{len(self.notify)} addresses are to be told of certificates; Entra ID takes {MOST_MAILS}.")
        wrong = [mail for mail in self.notify if mail.count("@") != 1 or " " in mail]
        if wrong:
            raise ParameterError(f"{wrong[0]!r} is no mail address.")
        if self.relay_state and not self.relay_state.startswith("https://"):
            raise ParameterError(f"The relay state {self.relay_state!r} is no https address.")
        recipients(self.partition, self.endpoints)
        base = recipients(self.partition)[0]
        if self.identifier and self.identifier.partition("#")[0] != base:
            raise ParameterError(f"The identifier {self.identifier!r} is not {base} or {base}#…: AWS compares what stands before the #.")

    @property
    def reply_urls(self) -> tuple[str, ...]:
        """Where the response may be posted to, the default first; "any-region" is for trust policies, a reply URL is one address."""
        chosen = tuple(word for word in self.endpoints if word != ANY_REGION)
        return recipients(self.partition, chosen or (GLOBAL,))


@dataclass(frozen=True)
class LiveApplication:
    """Both halves of the application as Graph sends them, and the identifiers that other applications of the tenant have."""

    service_principal: Mapping[str, Any]
    application: Mapping[str, Any]
    taken: tuple[str, ...] = ()


class _Patch(NamedTuple):
    half: str
    values: dict[str, Any]
    purpose: str


def plan(application: Subject, live: LiveApplication, desired: Settings) -> Plan:
    """Change what differs: the mode first, then identifiers and reply URLs, then the rest.

    Raises TableError when the two halves are not of one application.
    """
    if live.service_principal.get("appId") != live.application.get("appId"):
        raise TableError("The service principal and the application object are not of one application.", where=application.name)
    wanted = _wanted(live, desired)
    changes = tuple(_changes(live, wanted))
    requests = tuple(_requests(live, _patches(live, wanted)))
    refusals = _refusals(live, wanted)
    touched = {request.settled.table for request in requests}
    basis = tuple(Basis.over(half, _entry(live, half)["id"], _facts(half, _values(live, half))) for half in sorted(touched))
    goal = tuple(Basis.over(half, _entry(live, half)["id"], _facts(half, wanted[half])) for half in sorted(touched))
    return Plan(TITLE, application, changes, requests, basis, goal, refusals=refusals)


def identifier(partition: str, own: Iterable[str], taken: Iterable[str]) -> str:
    """Choose the identifier: the one it has, else the first of `…/saml`, `…/saml#1`, `…/saml#2` … that nobody has.

    Each application of a tenant needs its own; Entra leaves "#…" out of the audience (entra saas-apps/
    amazon-web-service-tutorial). Compared without case, as Entra keeps them unique.
    """
    base = recipients(partition)[0]
    has = [uri for uri in own if uri.partition("#")[0] == base]
    if has:
        return has[0]
    others = {uri.lower() for uri in taken}
    candidates = (base if number == 0 else f"{base}#{number}" for number in range(len(others) + 1))
    return next(candidate for candidate in candidates if candidate.lower() not in others)


def settings_facts(half: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Write the facts of the live table `half` ("service_principal" or "application"): the fields that are managed."""
    return _facts(half, {field: _value(entry, field) for field in _FIELDS[half]})


def shown(half: str, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tell the managed fields of one half, by the names of the portal."""
    return [(LABELS[field], _shown(_value(entry, field)) or "not set") for field in _FIELDS[half]]


def _facts(half: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(facts.setting(field, values[field]) for field in _FIELDS[half])


def _value(entry: Mapping[str, Any], field: str) -> Any:
    """Take a managed field; Graph writes an empty list, null or nothing for the same state."""
    outer, _, inner = field.partition(".")
    found = entry.get(outer)
    value = (found or {}).get(inner) if inner else found
    return (value or []) if field in ("identifierUris", "web.redirectUris", "notificationEmailAddresses") else value


def _entry(live: LiveApplication, half: str) -> Mapping[str, Any]:
    return live.service_principal if half == SERVICE_PRINCIPAL else live.application


def _values(live: LiveApplication, half: str) -> dict[str, Any]:
    return {field: _value(_entry(live, half), field) for field in _FIELDS[half]}


def _wanted(live: LiveApplication, desired: Settings) -> dict[str, dict[str, Any]]:
    """Take the managed fields as they will be; what others put into the two lists stays behind ours."""
    has = _values(live, SERVICE_PRINCIPAL) | _values(live, APPLICATION)
    chosen = desired.identifier or identifier(desired.partition, has["identifierUris"], live.taken)
    return {
        SERVICE_PRINCIPAL: {
            "preferredSingleSignOnMode": "saml",
            "samlSingleSignOnSettings.relayState": desired.relay_state or has["samlSingleSignOnSettings.relayState"],
            "notificationEmailAddresses": list(desired.notify) or has["notificationEmailAddresses"],
            "appRoleAssignmentRequired": True,
        },
        APPLICATION: {
            "identifierUris": _first((chosen,), has["identifierUris"]),
            "web.redirectUris": _first(desired.reply_urls, has["web.redirectUris"]),
        },
    }


def _first(ours: Iterable[str], live: list[str]) -> list[str]:
    return list(dict.fromkeys((*ours, *live)))


def _changes(live: LiveApplication, wanted: Mapping[str, Mapping[str, Any]]) -> Iterable[Change]:
    for half, fields in wanted.items():
        has = _values(live, half)
        for field, after in fields.items():
            before = has[field]
            action = "keep" if before == after else "update" if before else "add"
            yield Change(action, half.replace("_", " "), field, field, _shown(before), _shown(after), _why(field, (before, after)))  # type: ignore[arg-type]


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _why(field: str, values: tuple[Any, Any]) -> str:
    before, after = values
    if field == "notificationEmailAddresses" and not after:
        return "Nobody is told before the certificate ends."
    if field == "web.redirectUris" and (extra := [url for url in before if not is_endpoint(url)]):
        return f"No AWS sign-in endpoint, and Entra may post responses there: {', '.join(extra)}."
    if before != after:
        return ""
    return "As desired." if after else "Not set, and not managed."


def _patches(live: LiveApplication, wanted: Mapping[str, Mapping[str, Any]]) -> list[_Patch]:
    """Say what to send, in the order of the law above; a patch without fields is none."""
    differs = {
        half: {field: value for field, value in fields.items() if _value(_entry(live, half), field) != value}
        for half, fields in wanted.items()
    }
    mode = {key: value for key, value in differs[SERVICE_PRINCIPAL].items() if key == "preferredSingleSignOnMode"}
    rest = {key: value for key, value in differs[SERVICE_PRINCIPAL].items() if key not in mode}
    found = (
        _Patch(SERVICE_PRINCIPAL, mode, "Set the single sign-on mode to SAML"),
        _Patch(APPLICATION, differs[APPLICATION], "Set identifier and reply URLs"),
        _Patch(SERVICE_PRINCIPAL, rest, "Set the other SAML settings"),
    )
    return [patch for patch in found if patch.values]


def _requests(live: LiveApplication, patches: list[_Patch]) -> Iterable[Request]:
    """One PATCH each; the second to one object expects what the first left."""
    now = {half: _values(live, half) for half in _FIELDS}
    for wave, patch in enumerate(patches):
        table, of = patch.half, str(_entry(live, patch.half)["id"])
        before = _facts(table, now[table])
        now[table] = now[table] | patch.values
        after = _facts(table, now[table])
        settled = Settled(table, of, tuple(sorted(set(after) - set(before))), tuple(sorted(set(before) - set(after))))
        path = f"/servicePrincipals/{of}" if table == SERVICE_PRINCIPAL else f"/applications/{of}"
        yield Request("PATCH", path, as_json(_nested(patch.values)), patch.purpose, settled, Basis.over(table, of, before), wave)


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Make the body: "web.redirectUris" becomes {"web": {"redirectUris": …}}; Graph keeps the other members of `web`."""
    body: dict[str, Any] = {}
    for field, value in values.items():
        outer, _, inner = field.partition(".")
        body[outer] = body.get(outer, {}) | {inner: value} if inner else value
    return body


def _refusals(live: LiveApplication, wanted: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    taken = {uri.lower() for uri in live.taken}
    clash = [uri for uri in wanted[APPLICATION]["identifierUris"] if uri.lower() in taken]
    mode = _value(live.service_principal, "preferredSingleSignOnMode")
    words = [f"The identifier {uri} belongs to another application of the tenant." for uri in clash]
    if mode not in (None, "", "saml", "notSupported"):
        words.append(f"The application signs in by {mode}; changing it to SAML would end that. Set it to SAML in the portal, on purpose.")
    return tuple(words)
