"""Writing the token-signing certificates of an application: Entra ID makes one, or the client brings its own.

Sources: learn.microsoft.com graph/api/serviceprincipal-addtokensigningcertificate; graph/application-saml-sso-configure-api ("Add a custom
signing key"); msgraph-sdk-dotnet#1428 (a date in another form), azure-docs#56589 and graph-docs#11326 (types and usages),
azure-docs#59275 (a password by itself). The action is in the metadata of the global cloud only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12

from awsfed_lib.sandbox.entra import audit, certificates
from awsfed_lib.sandbox.entra.identifiers import is_guid
from awsfed_lib.sandbox.entra.query import ODATA
from awsfed_lib.sandbox.entra.refusals import bad_request, invalid_values, unknown_property, unknown_segment
from awsfed_lib.sandbox.entra.routing import Call, Route
from awsfed_lib.sandbox.entra.timestamps import parsed, seconds, ticks
from awsfed_lib.sandbox.entra.wire import Answer
from awsfed_lib.sandbox.keys import KeyPair, Validity

ACTION = "addTokenSigningCertificate"
SUBJECT = (
    "Microsoft Azure Federated SSO Certificate"  # constant: displayName does not change it (serviceprincipal-addtokensigningcertificate)
)
YEARS = 3
KEYS, PASSWORDS = "keyCredentials", "passwordCredentials"
TYPES = {"Sign": "X509CertAndPassword", "Verify": "AsymmetricX509Cert"}
Entry = Mapping[str, Any]


def add_certificate(call: Call) -> Answer:
    """POST /servicePrincipals/{id}/addTokenSigningCertificate: 200 with the public part; another one each time.

    It signs nothing until it is activated, but for two cases that `certificates.active` decides: it is the only one, or the active one
    has run out. preferredTokenSigningKeyThumbprint stays as it is: the tutorial sets it in a step of its own.
    """
    if call.tenant.switches.cloud != "global":
        raise unknown_segment(ACTION)
    record = call.to_write("servicePrincipals")
    name, validity = _wanted(call)
    pair = call.tenant.keys.pair(f"signing/{record['id']}/{call.tenant.mint()}", SUBJECT, validity)
    keys, passwords = certificates.credentials(pair, call.tenant.mint, name)
    call.tenant.vault[certificates.identifier(pair)] = pair
    after = {**record, KEYS: [*record[KEYS], *keys], PASSWORDS: [*record[PASSWORDS], *passwords]}
    changes = [("KeyDescription", _described(record[KEYS]), _described(after[KEYS]))]
    audit.commit(call, audit.changed(record, "service principal credentials", "Add", changes), [("servicePrincipals", record["id"], after)])
    return Answer(200, _answer(call, pair, keys[0], validity), ODATA)


def _wanted(call: Call) -> tuple[str, Validity]:
    """The name and the time for which the certificate is to hold. Raises Refusal."""
    body = call.body
    for given in body:
        if given not in ("displayName", "endDateTime"):
            raise unknown_property(given, ACTION)
    name = body.get("displayName") or f"CN={SUBJECT}"
    if not isinstance(name, str) or not name.startswith("CN=") or name == "CN=":
        raise bad_request("The 'displayName' parameter must start with 'CN='.")  # text assumed; the rule is documented
    now = call.tenant.clock()
    return name, Validity(now, _end(body.get("endDateTime"), now))


def _end(text: Any, now: datetime) -> datetime:
    """Three years from now unless it is said otherwise, and never later."""
    latest = now + timedelta(days=365 * YEARS + 1)
    if text is None:
        return now.replace(year=now.year + YEARS) if (now.month, now.day) != (2, 29) else latest
    moment = parsed(text) if isinstance(text, str) and text.endswith("Z") else None
    if moment is None:
        raise bad_request("The 'endDateTime' parameter is not in correct format. It is expected to be UTC DateTime.")
    if not now < moment <= latest:
        raise bad_request(f"The 'endDateTime' parameter must be at most {YEARS} years from now.")  # text assumed; the rule is documented
    return moment


def _answer(call: Call, pair: KeyPair, sign: Entry, validity: Validity) -> dict[str, Any]:
    """`keyId` is that of the Sign key, although `usage` says Verify (hashicorp/terraform-provider-azuread, its signing certificate)."""
    return {
        "@odata.context": f"{call.base}/$metadata#microsoft.graph.selfSignedCertificate",
        "customKeyIdentifier": sign["customKeyIdentifier"],
        "displayName": sign["displayName"],
        "endDateTime": seconds(validity.end),
        "key": pair.base64,
        "keyId": sign["keyId"],
        "startDateTime": ticks(validity.start),
        "thumbprint": certificates.thumbprint(pair),
        "type": TYPES["Verify"],
        "usage": "Verify",
    }


def _described(entries: Iterable[Entry]) -> list[str]:
    """The credentials as the log describes them."""
    shown = ("keyId", "type", "usage", "displayName")
    return [
        "["
        + ",".join(
            f"{label}={entry.get(name)}" for label, name in zip(("KeyIdentifier", "KeyType", "KeyUsage", "DisplayName"), shown, strict=True)
        )
        + "]"
        for entry in entries
    ]


def replaced(call: Call, before: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Both collections after a PATCH; it replaces what it names. Raises Refusal (400).

    What was there is recognised by keyId and stays as it was kept: an echo carries no key. New Sign keys are opened at once with
    their passwords, which have to come in the same request.
    """
    if KEYS not in body and PASSWORDS not in body:
        return {}
    keys, passwords = _listed(body, KEYS, before), _listed(body, PASSWORDS, before)
    kept = {name: {entry["keyId"]: entry for entry in before[name]} for name in (KEYS, PASSWORDS)}
    _refuse_lonely_passwords(keys, [one for one in passwords if one.get("keyId") not in kept[PASSWORDS]])
    after: dict[str, Any] = {
        KEYS: [kept[KEYS].get(one.get("keyId")) or _new_key(call, one, passwords) for one in keys],
        PASSWORDS: [kept[PASSWORDS].get(one.get("keyId")) or _new_password(one) for one in passwords],
    }
    return after | _preferred(call, before, after)


def _listed(body: Mapping[str, Any], name: str, before: Mapping[str, Any]) -> list[Entry]:
    entries = body.get(name, before[name])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise invalid_values()
    return list(entries)


def _refuse_lonely_passwords(keys: Sequence[Entry], passwords: Sequence[Entry]) -> None:
    """Passwords come with the Sign key that they open (azure-docs#59275), otherwise by addPassword (serviceprincipal-update)."""
    opened = {one.get("keyId") for one in keys if one.get("usage") == "Sign" and one.get("type") == TYPES["Sign"]}
    if any(not one.get("keyId") or one["keyId"] not in opened or not one.get("secretText") for one in passwords):
        raise bad_request("New password credentials must be generated using service actions.")


def _new_key(call: Call, entry: Entry, passwords: Sequence[Entry]) -> dict[str, Any]:
    usage = str(entry.get("usage"))
    if usage not in TYPES or entry.get("type") != TYPES[usage]:
        text = 'The value for the property "usage" in one of your credentials is invalid. Acceptable values are Sign, Verify.'
        raise bad_request(text)
    mark, content = entry.get("customKeyIdentifier"), _bytes(entry.get("key"))
    if not mark or not is_guid(entry.get("keyId")):
        raise invalid_values()
    if usage == "Sign":
        pair = _opened(content, [one for one in passwords if one.get("keyId") == entry["keyId"]])
        if call.tenant.vault.setdefault(mark, pair).sha1 != pair.sha1:
            raise invalid_values()  # assumed: one identifier for two certificates
    names = ("customKeyIdentifier", "displayName", "endDateTime", "keyId", "startDateTime", "type", "usage")
    return {**{name: entry.get(name) for name in names}, "key": entry["key"] if usage == "Verify" else None}


def _new_password(entry: Entry) -> dict[str, Any]:
    """The secret is never shown again."""
    names = ("customKeyIdentifier", "displayName", "endDateTime", "keyId", "startDateTime")
    return {**{name: entry.get(name) for name in names}, "hint": None, "secretText": None}


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise invalid_values() from None


def _opened(content: bytes, passwords: Sequence[Entry]) -> KeyPair:
    """The key and certificate in a PFX. What Graph says to a wrong password was not found."""
    secret = str(passwords[0].get("secretText") or "") if passwords else ""
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(content, secret.encode())
    except ValueError:
        raise invalid_values() from None
    if not isinstance(key, RSAPrivateKey) or certificate is None:
        raise invalid_values()
    return KeyPair(key, certificate)


def _preferred(call: Call, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Without the active certificate nothing is preferred any more. Inferred: the portal does not delete an active one; Graph is silent."""
    left = {certificates.thumbprint(pair) for pair in certificates.held(after, call.tenant.vault)}
    name = "preferredTokenSigningKeyThumbprint"
    return {} if before.get(name) in left or before.get(name) is None else {name: None}


ROUTES = (Route("POST", f"servicePrincipals/{{}}/{ACTION}", add_certificate, "sp.cert"),)
