"""PATCH of ordinary properties: which names and values the directory takes, whatever the kind of object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awsfed_lib.sandbox.entra.refusals import invalid_value, invalid_values, read_only, too_large, unknown_property
from awsfed_lib.sandbox.entra.schema import Kind, Record

LONGEST = {"notes": 1024, "description": 1024, "displayName": 256, "uniqueName": 256}  # graph/api/resources/application and group
LONGEST_TAG = 256
LONGEST_IDENTIFIER_URI = 255  # entra-docs supported-accounts-validation
MOST_ENTRIES = 1200  # entra-service-limits: entries of the manifest, over all collections
SINGLE_SIGN_ON_MODES = (None, "password", "saml", "external", "oidc", "notSupported")


def changed(kind: Kind, record: Record, body: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the body's properties. Raises Refusal (400, 403) for names and values that do not fit."""
    for name, value in body.items():
        if name.startswith("@odata."):
            continue
        if name not in kind.names:
            raise unknown_property(name, kind.type)
        if value != record.get(name) and (name in kind.read_only or (name in kind.once and record.get(name) is not None)):
            raise read_only(name)
        _refuse_value(kind, name, value)
    merged = {**record, **{name: _merged(record.get(name), value) for name, value in body.items() if not name.startswith("@odata.")}}
    before, after = entries(record), entries(merged)
    if after > MOST_ENTRIES and after > before:
        raise too_large()
    return merged


def entries(record: Record) -> int:
    """How many entries the collections of the object hold together."""
    return sum(len(value) for value in record.values() if isinstance(value, list))


def _merged(before: Any, value: Any) -> Any:
    """Complex properties are merged, collections and plain values replaced (learn.microsoft.com graph/api/application-update)."""
    return {**before, **value} if isinstance(before, dict) and isinstance(value, dict) else value


def _refuse_value(kind: Kind, name: str, value: Any) -> None:
    default = kind.answers.get(name)
    if isinstance(default, list) and not isinstance(value, list):
        raise invalid_values()
    if isinstance(default, bool) and not isinstance(value, bool):
        raise invalid_values()
    if name in LONGEST and not isinstance(value, str | None):
        raise invalid_values()
    if len(value or "") > LONGEST.get(name, 10**9) if isinstance(value, str) else False:
        raise invalid_value(name, kind.resource)
    _refuse_by_name(kind, name, value)


def _refuse_by_name(kind: Kind, name: str, value: Any) -> None:
    if name == "displayName" and not value:
        raise invalid_value(name, kind.resource)
    if name == "tags" and not all(isinstance(tag, str) and 1 <= len(tag) <= LONGEST_TAG for tag in value):
        raise invalid_value(name, kind.resource)
    if name == "identifierUris" and not all(isinstance(uri, str) and 0 < len(uri) <= LONGEST_IDENTIFIER_URI for uri in value):
        raise invalid_value(name, kind.resource)
    if name == "preferredSingleSignOnMode" and value not in SINGLE_SIGN_ON_MODES:
        raise invalid_values()
