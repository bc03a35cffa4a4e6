"""What is wrong with claims, users and roles before anybody signs in: FINDINGS with cause and remedy.

Rules of AWS: saml_attributes.py. Rules of Entra: reference-claims-customization (policy keys are case-sensitive).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from awsfed_lib.core.finding import finding
from awsfed_lib.core.saml.claim_definition import ASSIGNED_ROLES
from awsfed_lib.core.saml.saml_attributes import (
    NAME_ID,
    NAMESPACE,
    PRINCIPAL_TAG,
    ROLE,
    SESSION_DURATION,
    SESSION_NAME,
    SOURCE_IDENTITY,
    duration_problem,
    session_name_problem,
)
from awsfed_lib.core.tables import FINDINGS, frame, rows

KEYS = (
    "ClaimsMappingPolicy", "Version", "IncludeBasicClaimSet", "ClaimsSchema", "Source", "ID", "Value", "SamlClaimType",
    "JwtClaimType", "SamlNameFormat", "TransformationID", "TransformationMethod", "ClaimsTransformations", "InputClaims",
    "OutputClaims", "InputParameters", "ClaimTypeReferenceId", "TransformationClaimType", "ExtensionID", "DataType",
)  # fmt: skip
_SPELLING = {name.lower(): name for name in KEYS}
_OURS = (ROLE, SESSION_NAME, SESSION_DURATION, SOURCE_IDENTITY)
_REMEDY = "Plan the claims with runbook 01-application."


Table = pd.DataFrame | None


def lint(claims: pd.DataFrame, *, users: Table = None, roles: Table = None, definition: str = "") -> pd.DataFrame:
    """Judge CLAIMS in effect: FINDINGS.

    `users`: MEMBERS who may sign in; `roles`: ROLES that they may take; `definition`: the text of the policy in effect,
    for the spelling of its keys. What is not given is not looked at.
    """
    listed = rows(claims)
    found = [*_names(listed), *_sources(listed), *_constants(listed), *_trusts(listed)]
    if definition:
        found += _spelling(definition)
    if users is not None:
        found += _users(listed, users)
    if roles is not None:
        found += _durations(listed, roles)
    return frame(FINDINGS, {row["finding_id"]: row for row in found}.values())


def _names(claims: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Missing claims, and claims that are there under a name that AWS does not read."""
    present = {claim["claim"] for claim in claims}
    lookalikes = {exact: found for exact in (*_OURS, NAME_ID) for found in sorted(present - {exact}) if _meant(found, exact)}
    for exact, found in lookalikes.items():
        if exact not in present:
            words = f"The claim is named {found}; names are case-sensitive, and AWS reads only {exact}."
            yield finding("critical" if exact != SESSION_DURATION else "high", "claim-name", found, cause=words, remedy=_REMEDY)
    for exact, severity, effect in (
        (ROLE, "critical", "AWS calls the response invalid."),
        (SESSION_NAME, "critical", "AWS refuses every sign-in."),
        (SESSION_DURATION, "low", "Console sessions end after one hour."),
        (NAME_ID, "note", "Entra sends its default, the user name."),
    ):
        if exact not in present and exact not in lookalikes:
            yield finding(severity, "claim-missing", exact, cause=f"The claim {exact} is not sent: {effect}", remedy=_REMEDY)


def _meant(found: str, exact: str) -> bool:
    """Whether `found` stands where `exact` should: same last part, whatever the case or the namespace."""
    last = exact.rpartition("/")[2].lower()
    return found.rpartition("/")[2].lower() == last and (exact == NAME_ID or "aws" in found.lower() or "/" not in found)


def _sources(claims: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for claim in claims:
        if claim["claim"] == ROLE and claim["attribute"].lower() != ASSIGNED_ROLES and claim["source"] != "transformation":
            words = f"Role comes from {claim['attribute'] or claim['value']!r}, not from user.assignedroles."
            yield finding("critical", "role-source", ROLE, cause=words, remedy=_REMEDY)
        if claim["claim"] == SESSION_DURATION and claim["source"] == "user":
            words = f"SessionDuration is read from the user attribute {claim['attribute']!r}; a constant needs Value."
            yield finding(
                "high" if claim["attribute"].isdigit() else "note", "duration-source", SESSION_DURATION, cause=words, remedy=_REMEDY
            )
    names = [claim["claim"] for claim in claims]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield finding("medium", "claim-twice", name, cause=f"The claim {name} is defined {names.count(name)} times.", remedy=_REMEDY)


def _constants(claims: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for claim in claims:
        if claim["claim"] == SESSION_DURATION and claim["source"] == "constant" and (problem := duration_problem(claim["value"])):
            yield finding("critical", "duration-range", SESSION_DURATION, cause=problem, remedy=_REMEDY)
        if claim["claim"] == SESSION_NAME and claim["source"] == "constant":
            words = "RoleSessionName is a constant: CloudTrail cannot tell who did what."
            yield finding("high", "session-name-constant", SESSION_NAME, cause=words, remedy=_REMEDY)


def _trusts(claims: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Claims that need more than sts:AssumeRoleWithSAML in every trust policy (IAM UserGuide id_session-tags.html)."""
    for claim in claims:
        tag, identity = claim["claim"].startswith(PRINCIPAL_TAG), claim["claim"] == SOURCE_IDENTITY
        if tag or identity:
            action = "sts:TagSession" if tag else "sts:SetSourceIdentity"
            name = claim["claim"].removeprefix(f"{NAMESPACE}/")
            words = f"With {name} sent, AWS refuses every role whose trust policy does not allow {action}."
            remedy = "Plan the roles with that action in runbook 02-accounts."
            yield finding("medium", "claim-needs-action", claim["claim"], cause=words, remedy=remedy)


def _spelling(definition: str) -> Iterator[dict[str, str]]:
    try:
        policy = json.loads(definition)
    except ValueError:
        yield finding("critical", "policy-unreadable", "definition", cause="The definition is not JSON.", remedy=_REMEDY)
        return
    for key in sorted(set(_keys(policy))):
        if key not in KEYS and key.lower() in _SPELLING:
            words = f"The key {key!r} must be spelled {_SPELLING[key.lower()]!r}; Entra ignores or refuses it."
            yield finding("high", "policy-key", key, cause=words, remedy=_REMEDY)
    if isinstance(policy, dict) and str(_inner(policy).get("Version", "1")) != "1":
        yield finding("high", "policy-version", "Version", cause="Version must be 1.", remedy=_REMEDY)


def _inner(policy: dict[str, Any]) -> dict[str, Any]:
    inner = policy.get("ClaimsMappingPolicy")
    return inner if isinstance(inner, dict) else {}


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def _users(claims: list[dict[str, Any]], users: pd.DataFrame) -> Iterable[dict[str, str]]:
    """Users whose RoleSessionName AWS refuses; only where it is the user name, which is all that MEMBERS knows."""
    if not any(claim["claim"] == SESSION_NAME and claim["attribute"].lower() == "userprincipalname" for claim in claims):
        return
    for name in sorted({name for name in users["user_name"] if name}):
        if problem := session_name_problem(name):
            remedy = "Take another attribute as RoleSessionName, such as onpremisessamaccountname or objectid, in runbook 01-application."
            yield finding("high", "session-name", name, cause=f"{name} cannot sign in: {problem}", remedy=remedy)


def _durations(claims: list[dict[str, Any]], roles: pd.DataFrame) -> Iterable[dict[str, str]]:
    """Roles that allow less than SessionDuration: the console takes it, AssumeRoleWithSAML with that duration does not."""
    asked = [claim["value"] for claim in claims if claim["claim"] == SESSION_DURATION and claim["source"] == "constant"]
    if not asked or duration_problem(asked[0]):
        return
    for role in rows(roles):
        if role["max_session"] is not None and role["max_session"] < int(asked[0]):
            words = (
                f"Asks for {asked[0]} seconds, and the role allows {role['max_session']}: tools that pass the duration on get"
                " “Requested DurationSeconds exceeds MaxSessionDuration set for this role”."
            )
            remedy = "Raise MaxSessionDuration in runbook 02-accounts, or lower session_duration in runbook 01-application."
            yield finding("medium", "duration-over-role", role["role_arn"], cause=words, remedy=remedy)
