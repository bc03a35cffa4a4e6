"""Rows and wire objects for tests, each made of the few words that matter to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.change import Subject
from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.review.links import Keys
from awsfed_lib.core.roles import approles
from awsfed_lib.core.saml import claims
from awsfed_lib.core.tables import ACCOUNTS, ASSIGNMENTS, GROUPS, MEMBERS, PROVIDERS, ROLES, frame

TENANT = "tenant-1"
APPLICATION = Subject("servicePrincipal", "sp-1", "AWS", TENANT)
DIRECTORY = Subject("tenant", TENANT, "Contoso", TENANT)

MSIAM = {
    "allowedMemberTypes": ["User"],
    "description": "msiam_access",
    "displayName": "msiam_access",
    "id": "7dfd756e-8c27-4472-b2b7-38c17fc5de5e",
    "isEnabled": True,
    "origin": "Application",
    "value": None,
}


def guid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def provider(account: str, name: str = "WAAD") -> str:
    return f"arn:aws:iam::{account}:saml-provider/{name}"


def value(account: str, name: str, of: str = "WAAD") -> str:
    return f"{arn(account, name)},{provider(account, of)}"


def role(account: str, name: str, of: str = "WAAD", **fields: Any) -> dict[str, Any]:
    """Make a taken row of ROLES."""
    known = {
        "account_id": account,
        "account_name": f"name-{account[-3:]}",
        "role_name": name,
        "role_arn": arn(account, name),
        "provider_arn": provider(account, of),
        "value": value(account, name, of),
        "verdict": "taken",
    }
    return known | fields


def reading(*listed: Any, roles_: Iterable[Mapping[str, Any]] = ()) -> Any:
    """What may be called absent, of accounts that hold the given rows of ROLES and no other."""
    return approles.inventoried(accounts(*listed), roles(*roles_))


def roles(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return frame(ROLES, rows)


def desired(*names: tuple[str, str], label: str = approles.LABEL) -> pd.DataFrame:
    """Make the desired APP_ROLES of (account, role name)."""
    return approles.render(roles(*(role(*name) for name in names)), label=label)


def account(account_id: str, problem: str = "", state: str = "ACTIVE") -> dict[str, Any]:
    return {"account_id": account_id, "account_name": f"name-{account_id[-3:]}", "state": state, "problem": problem}


def accounts(*rows: Mapping[str, Any] | str) -> pd.DataFrame:
    return frame(ACCOUNTS, [account(row) if isinstance(row, str) else row for row in rows])


def wire(account_id: str, name: str, **fields: Any) -> dict[str, Any]:
    """Make an appRole as Graph sends it, made on the service principal, with a key that we do not know."""
    label = f"name-{account_id[-3:]} / {name}"
    known = {
        "allowedMemberTypes": ["User"],
        "description": label,
        "displayName": label,
        "id": guid(f"{account_id}/{name}"),
        "isEnabled": True,
        "isPreAuthorizationRequired": False,
        "origin": "ServicePrincipal",
        "value": value(account_id, name),
    }
    return known | fields


def live(*entries: Mapping[str, Any]) -> pd.DataFrame:
    """Make live APP_ROLES: msiam_access, then the entries."""
    return approles.entries([MSIAM, *entries])


def seen(**tables: pd.DataFrame) -> tuple[Evidence, Keys]:
    """Make the evidence of six tables, and Keys in which every provider that a role or an appRole names is there and knows what signs."""
    evidence = Evidence(**tables)
    named = {pair.provider_arn for pair in evidence.pairs.values()} | {arn for arn in evidence.roles["provider_arn"] if arn}
    listed = [{"account_id": arn.split(":")[4], "provider_arn": arn, "entity_id": "idp", "thumbprints": "AA"} for arn in sorted(named)]
    return evidence, Keys(evidence.accounts, frame(PROVIDERS, listed), ("AA",), "idp", claims.effective((), None))


def assignment(app_role_id: str, principal: str, kind: str = "Group") -> dict[str, Any]:
    return {
        "assignment_id": f"a-{guid(f'{app_role_id} {principal}')}",
        "app_role_id": app_role_id,
        "principal_id": guid(principal),
        "principal_type": kind,
        "principal_name": principal,
    }


def assignments(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return frame(ASSIGNMENTS, rows)


def group(name: str, unique_name: str = "", **fields: Any) -> dict[str, Any]:
    known = {"group_id": guid(name), "group_name": name, "unique_name": unique_name, "security_enabled": True, "kind": "security"}
    return known | fields


def groups(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return frame(GROUPS, rows)


def member(of: str, name: str, kind: str = "User", **fields: Any) -> dict[str, Any]:
    known = {"group_id": guid(of), "member_id": guid(name), "member_type": kind, "member_name": name, "enabled": True}
    return known | ({"user_name": f"{name}@contoso.example"} if kind == "User" else {}) | fields


def members(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return frame(MEMBERS, rows)


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def ids(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries]
