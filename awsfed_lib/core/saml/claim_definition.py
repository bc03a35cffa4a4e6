"""A claims mapping policy as text: what Graph takes, and what is read back from it.

Keys are case-sensitive, and the policy is one JSON text in a list of one
(learn.microsoft.com entra/identity-platform/reference-claims-customization).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from awsfed_lib.core.change import as_json
from awsfed_lib.core.errors import ParameterError, TableError
from awsfed_lib.core.saml.saml_attributes import NAME_ID, ROLE, SESSION_DURATION, SESSION_NAME, duration_problem
from awsfed_lib.core.shapes import CLAIMS
from awsfed_lib.core.tables import frame

ASSIGNED_ROLES = "assignedroles"


@dataclass(frozen=True)
class Claims:
    """The desired claims. `session_duration` in seconds, for the console; the other two name an attribute of the user."""

    session_duration: int = 3600
    session_name: str = "userprincipalname"
    name_id: str = "userprincipalname"

    def __post_init__(self) -> None:
        problem = duration_problem(str(self.session_duration))
        if problem:
            raise ParameterError(problem, remedy="Set session_duration in the parameter file.")

    @property
    def definition(self) -> str:
        """The claims mapping policy as Graph takes it: JSON text with case-sensitive keys.

        A constant needs `Value`: with Source and ID, as older samples had it, Entra looks for a user attribute of that
        name (learn.microsoft.com graph/application-saml-sso-configure-api; reference-claims-customization).
        """
        schema: list[dict[str, str]] = [
            {"Source": "user", "ID": ASSIGNED_ROLES, "SamlClaimType": ROLE},
            {"Source": "user", "ID": self.session_name, "SamlClaimType": SESSION_NAME},
            {"Value": str(self.session_duration), "SamlClaimType": SESSION_DURATION},
            {"Source": "user", "ID": self.name_id, "SamlClaimType": NAME_ID},
        ]
        return as_json({"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": schema}})

    @property
    def table(self) -> pd.DataFrame:
        """CLAIMS of the desired policy."""
        return frame(CLAIMS, claim_rows(self.definition, "desired"))


def text_of(policy: Mapping[str, Any]) -> str:
    """Return the one definition of a policy; Graph keeps it as a list of exactly one text."""
    texts = policy.get("definition")
    if not isinstance(texts, list) or len(texts) != 1 or not isinstance(texts[0], str):
        raise TableError(f"The claims mapping policy {policy.get('displayName')!r} does not have exactly one definition.")
    return texts[0]


def schema_of(definition: str) -> list[dict[str, Any]]:
    """Return the ClaimsSchema of a definition; raises TableError when there is none."""
    try:
        entries = json.loads(definition)["ClaimsMappingPolicy"]["ClaimsSchema"]
    except (ValueError, KeyError, TypeError):
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TableError("The definition of the claims mapping policy has no readable ClaimsMappingPolicy.ClaimsSchema.")
    return entries


def claim_rows(definition: str, origin: str) -> Iterable[dict[str, str]]:
    """Yield CLAIMS rows of a definition; entries for OpenID Connect only are left out. Raises TableError as `schema_of` does."""
    for entry in schema_of(definition):
        if not entry.get("SamlClaimType"):
            continue
        source = "constant" if "Value" in entry else str(entry.get("Source", ""))
        yield {
            "claim": str(entry["SamlClaimType"]),
            "source": source,
            "attribute": str(entry.get("ID") or entry.get("TransformationID") or ""),
            "value": str(entry.get("Value", "")),
            "origin": origin,
        }


_SOURCE = ("Source", "ID", "Value", "ExtensionID", "TransformationID")


def merged(definition: str, desired: Claims) -> tuple[str, tuple[str, ...]]:
    """Put the desired claims into a live definition: the new text, and what goes.

    Every other entry and every other key stays as it was read (session tags, SourceIdentity, transformations, claims of OpenID Connect):
    a policy may hold what awsfed does not know. A claim that is defined twice keeps its first entry. Of a definition that cannot be read
    nothing can stay.
    """
    try:
        entries, policy = schema_of(definition), json.loads(definition)
    except TableError:
        return desired.definition, ("the whole definition, which cannot be read",)
    wanted = {entry["SamlClaimType"]: entry for entry in schema_of(desired.definition)}
    missing, kept, gone = dict(wanted), list[dict[str, Any]](), list[str]()
    for entry in entries:
        name = entry.get("SamlClaimType")
        if name not in wanted:
            kept.append(entry)
        elif name in missing:
            own = missing.pop(name)
            same = all(entry.get(key) == own.get(key) for key in _SOURCE)
            kept.append(entry if same else own | {key: value for key, value in entry.items() if key not in _SOURCE})
            gone += [f"{name} from the transformation {entry['TransformationID']}"] if entry.get("TransformationID") else []
        else:
            gone.append(f"{name}, which is defined a second time")
    policy["ClaimsMappingPolicy"]["ClaimsSchema"] = [*kept, *missing.values()]
    return as_json(policy), tuple(gone)


def in_words(definition: str) -> str:
    """Write a definition for people: "Role from user.assignedroles, SessionDuration 3600, …"; one that cannot be read stays as it is."""
    try:
        claims = list(claim_rows(definition, ""))
    except TableError:
        return definition
    named = ((claim["claim"].rpartition("/")[2], claim) for claim in claims)
    return ", ".join(
        f"{name} {claim['value']}" if claim["value"] else f"{name} from {claim['source']}.{claim['attribute']}" for name, claim in named
    )
