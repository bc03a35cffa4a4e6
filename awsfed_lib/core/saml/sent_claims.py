"""What the claims in effect send for one person, and whether AWS takes it: session name, duration, tags and source identity.

AWS's rules: IAM UserGuide id_roles_providers_create_saml_assertions and id_session-tags. Where a value comes from:
learn.microsoft.com entra/identity-platform/reference-claims-customization (an attribute that the user lacks is not sent at all).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.saml.claim_definition import ASSIGNED_ROLES
from awsfed_lib.core.saml.saml_attributes import (
    PRINCIPAL_TAG,
    ROLE,
    SESSION_DURATION,
    SESSION_NAME,
    SOURCE_IDENTITY,
    TRANSITIVE_KEYS,
    duration_problem,
    session_name_problem,
    source_identity_problem,
    tag_problem,
)
from awsfed_lib.core.shapes import CLAIMS
from awsfed_lib.core.tables import check, rows

Row = Mapping[str, Any]
READ_BY_AWS = (ROLE, SESSION_NAME, SESSION_DURATION, SOURCE_IDENTITY, TRANSITIVE_KEYS)
# Source attribute of a claim, in lower case → property of the user in Graph. Of others the value is not known.
PROPERTIES: Mapping[str, str] = {
    name.lower(): name
    for name in ("mail", "mailNickname", "employeeId", "department", "jobTitle", "givenName", "surname", "onPremisesSamAccountName")
}
_OF_MEMBERS: Mapping[str, str] = {"userprincipalname": "user_name", "displayname": "member_name", "objectid": "member_id"}
TEMPLATE_DURATION = "sessionduration"  # what the gallery's own claims name; no user has it, and AWS takes its default
REMEDY = "Plan the claims with 01-application."


class Sent(NamedTuple):
    """What is sent for one person.

    `problem`: why AWS refuses it; `unknown`: why nobody can tell; both "" when AWS takes it. `actions`: what a trust policy must allow
    beside sts:AssumeRoleWithSAML.
    """

    problem: str = ""
    unknown: str = ""
    actions: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class SentClaims:
    """CLAIMS in effect, asked person by person."""

    claims: pd.DataFrame

    @cached_property
    def _read_by_aws(self) -> list[Row]:
        listed = rows(check(CLAIMS, self.claims))
        return [claim for claim in listed if claim["claim"] in READ_BY_AWS or claim["claim"].startswith(PRINCIPAL_TAG)]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Properties of users in Graph that the claims name, beside those that are always read."""
        named = {claim["attribute"].lower() for claim in self._read_by_aws if claim["source"] == "user"}
        return tuple(PROPERTIES[name] for name in sorted(named & PROPERTIES.keys()))

    @property
    def session_duration(self) -> int | None:
        """Seconds that every response asks for; None where that depends on the user, or nothing is sent."""
        said = [claim["value"] for claim in self._named(SESSION_DURATION) if claim["source"] == "constant"]
        return int(said[0]) if said and not duration_problem(said[0]) else None

    @cached_property
    def everybody(self) -> Sent:
        """Say what stops everybody, whoever it is: a claim that is not sent, or is named otherwise, or a constant that AWS refuses."""
        role = self._named(ROLE)
        if not role:
            return Sent(problem=f"The claims send no {ROLE}{self._lookalike(ROLE)}: AWS calls the response invalid.")
        if any(claim["source"] == "constant" and parse(claim["value"]) for claim in role):
            return Sent(unknown="Role is a constant: everybody who may sign in to the application gets that role.")
        if any(claim["source"] == "transformation" for claim in role):
            return Sent(unknown="Role is made by a transformation or a condition, which is not known here.")
        if not any(claim["attribute"].lower() == ASSIGNED_ROLES for claim in role):
            return Sent(problem=f"Role is {role[0]['attribute'] or role[0]['value']!r}, not user.assignedroles: it holds no role.")
        if not self._named(SESSION_NAME):
            return Sent(problem=f"The claims send no {SESSION_NAME}{self._lookalike(SESSION_NAME)}: AWS refuses every sign-in.")
        constants = [claim for claim in self._read_by_aws if claim["source"] == "constant"]
        return Sent(problem=next(filter(None, (_refused(claim["claim"], claim["value"]) for claim in constants)), "") or self._transitive())

    def of(self, person: Row) -> Sent:
        """Say what is sent for one person, a row of MEMBERS."""
        values = [(claim["claim"], _value(claim, person)) for claim in self._read_by_aws if claim["claim"] != ROLE]
        unknown = next((f"{_short(name)} comes from what is not known of this person." for name, value in values if value is None), "")
        problem = next(filter(None, (_refused(name, value) for name, value in values if value)), "")
        if not any(value != "" for name, value in values if name == SESSION_NAME):
            attribute = next((claim["attribute"] for claim in self._named(SESSION_NAME)), "")
            problem = f"RoleSessionName is required, and this person has no {attribute}."
        return Sent(problem, unknown, frozenset(_actions(values)))

    def _named(self, name: str) -> list[Row]:
        return [claim for claim in self._read_by_aws if claim["claim"] == name]

    def _lookalike(self, exact: str) -> str:
        found = lookalike(exact, self.claims["claim"])
        return f" but {found}, which AWS does not read" if found else ""

    def _transitive(self) -> str:
        """TransitiveTagKeys that are no tags: STS refuses the request (AssumeRoleWithSAML, recorded in the sandbox's STS)."""
        tags = {
            claim["claim"].removeprefix(PRINCIPAL_TAG).lower() for claim in self._read_by_aws if claim["claim"].startswith(PRINCIPAL_TAG)
        }
        keys = [claim["value"] for claim in self._named(TRANSITIVE_KEYS) if claim["source"] == "constant"]
        return next((f"TransitiveTagKeys names {key}, which is no tag that is sent." for key in keys if key.lower() not in tags), "")


def lookalike(exact: str, names: Iterable[str]) -> str:
    """Find the attribute that was meant to be `exact`: same last part whatever its case, or in another namespace; "" for none."""
    last = exact.rpartition("/")[2].lower()
    return next((name for name in sorted(set(names)) if name != exact and name.rpartition("/")[2].lower().rstrip("s") == last), "")


def _short(claim: str) -> str:
    return claim.rpartition("/")[2]


def _value(claim: Row, person: Row) -> str | None:
    """Return the value that this person's response carries, "" for none; None where that is not known."""
    if claim["source"] == "constant":
        return str(claim["value"])
    name = claim["attribute"].lower()
    if claim["source"] != "user":
        return None
    if name == TEMPLATE_DURATION:
        return ""
    if name in _OF_MEMBERS:
        return str(person[_OF_MEMBERS[name]]) or None
    known = json.loads(person.get("attributes") or "{}")
    if name not in known or (not known[name] and person["enabled"] is None):  # a sign-in that may not see the property is told null
        return None
    return str(known[name] or "")


def _refused(name: str, value: str) -> str:
    if name == SESSION_NAME:
        return session_name_problem(value)
    if name == SESSION_DURATION:
        return duration_problem(value)
    if name == SOURCE_IDENTITY:
        return source_identity_problem(value)
    return tag_problem(name.removeprefix(PRINCIPAL_TAG), value) if name.startswith(PRINCIPAL_TAG) else ""


def _actions(values: list[tuple[str, str | None]]) -> Iterator[str]:
    if any(name.startswith(PRINCIPAL_TAG) for name, value in values if value != ""):
        yield "sts:TagSession"
    if any(name == SOURCE_IDENTITY for name, value in values if value != ""):
        yield "sts:SetSourceIdentity"
