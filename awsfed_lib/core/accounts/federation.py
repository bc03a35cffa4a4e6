"""What every account should have: the SAML provider, and one role a family, with the same policies everywhere.

Desired rows are made of the families and the accounts; `plan` compares them with live ones (federation_plan.py), and the
exports write the same desired state for StackSets, Terraform and the AWS command line (federation_exports.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from awsfed_lib.core.accounts.account_results import results, writable
from awsfed_lib.core.accounts.families import LONG_VALUE, LONGEST_VALUE, Families, Family
from awsfed_lib.core.accounts.federation_exports import commands, exports, stackset, terraform
from awsfed_lib.core.accounts.federation_plan import Terms, plan, role_facts
from awsfed_lib.core.accounts.slugs import frozen_csv, read_frozen, slugs
from awsfed_lib.core.accounts.trust_merge import document
from awsfed_lib.core.accounts.writer_role import remover_policy, writer_policy
from awsfed_lib.core.change import as_json
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.finding import finding
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.shapes import IAM_ROLES
from awsfed_lib.core.tables import FINDINGS, PROVIDERS, frame, rows

REMEDY = "Plan it with runbook 02-accounts."


def desired_roles(families: Families, names: pd.DataFrame) -> pd.DataFrame:
    """Make the desired IAM_ROLES: one row a family and account of SLUGS, by account and role name.

    Raises ParameterError for a role name that IAM refuses, or a value (role ARN, provider ARN) that Entra refuses.
    """
    made = (_desired(families, family, row) for row in rows(names) for family in families.families)
    return frame(IAM_ROLES, sorted(made, key=lambda row: (str(row["account_id"]), str(row["role_name"]))))


def _desired(families: Families, family: Family, row: dict[str, str]) -> dict[str, object]:
    account_id, name = row["account_id"], families.role_name(row["slug"], family)
    role_arn, provider_arn = families.role_arn(account_id, name), families.provider_arn(account_id)
    if len(f"{role_arn},{provider_arn}") > LONGEST_VALUE:
        raise ParameterError(
            f"The appRole value of {name} has {len(role_arn) + len(provider_arn) + 1} characters; Entra ID takes {LONGEST_VALUE}.",
            where=f"account {account_id}",
            remedy="Freeze a shorter name for the account, or shorten the provider's name.",
        )
    return {
        "account_id": account_id,
        "account_name": row["account_name"],
        "family": family.suffix,
        "role_name": name,
        "role_arn": role_arn,
        "description": name,
        "max_session": family.max_session,
        "policies": "; ".join(sorted(families.policy_arn(account_id, policy) for policy in family.policies)),
        "boundary": families.policy_arn(account_id, family.boundary),
        "trust": as_json(document(families.statement(provider_arn))),
        "tags": as_json({families.tag_key: name}),
    }


def desired_providers(families: Families, names: pd.DataFrame, base: Metadata) -> pd.DataFrame:
    """Make the desired PROVIDERS: one row an account of SLUGS, with the certificates of the application's metadata."""
    last = max(certificate.not_after for certificate in base.certificates)
    shared = {"provider_name": families.provider, "entity_id": base.entity_id, "not_after": last}
    thumbprints = "; ".join(certificate.thumbprint for certificate in base.certificates)
    listed = sorted(row["account_id"] for row in rows(names))
    made = ({"account_id": key, "provider_arn": families.provider_arn(key), "thumbprints": thumbprints} | shared for key in listed)
    return frame(PROVIDERS, made)


def findings(live: pd.DataFrame, desired: pd.DataFrame) -> pd.DataFrame:
    """Judge live IAM_ROLES by the desired ones: FINDINGS on families whose policies, maxima or names differ over accounts.

    The tutorial: "its always better to keep same policies for each role across the AWS accounts".
    """
    found = {(row["account_id"], row["role_name"].lower()): row for row in rows(live)}
    pairs = [(want, found[key]) for want in rows(desired) if (key := (want["account_id"], want["role_name"].lower())) in found]
    made = [row for want, has in pairs for row in (*_policies(want, has), *_others(want, has))]
    return frame(FINDINGS, [*made, *_strays(found, rows(desired)), *_values(rows(desired))])


def _strays(found: Mapping[tuple[str, str], Mapping[str, Any]], desired: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """Roles named like a family, and for another account name: what is left when an account was renamed and nothing was frozen."""
    wanted = {(row["account_id"], row["role_name"].lower()) for row in desired}
    for key, row in sorted(found.items()):
        if key not in wanted and key[0] in {account_id for account_id, _ in wanted}:
            cause = f"The role {row['role_name']} is named like a family, and none of the desired roles of {row['account_name'] or key[0]}."
            remedy = "Freeze the account's name in names_file when the role is to stay; else delete it by hand."
            yield finding("note", "family-stray", row["role_arn"], cause=cause, remedy=remedy)


def _policies(want: dict[str, str], has: dict[str, str]) -> Iterator[dict[str, str]]:
    extra, missing = (_split(has["policies"]) - _split(want["policies"]), _split(want["policies"]) - _split(has["policies"]))
    extra |= {f"the inline policy {name}" for name in _split(has["inline"])}
    words = [f"has besides {', '.join(sorted(extra))}"] if extra else []
    words += [f"lacks {', '.join(sorted(missing))}"] if missing else []
    if words:
        cause = f"The family {want['family']} has the same policies in every account, and this role {' and '.join(words)}."
        yield finding("high" if extra else "medium", "family-policies", has["role_arn"], cause=cause, remedy=REMEDY)


def _others(want: dict[str, str], has: dict[str, str]) -> Iterator[dict[str, str]]:
    if has["role_name"] != want["role_name"]:
        cause = f"The role is called {has['role_name']}, and should be {want['role_name']}: names in a response have a case."
        yield finding("high", "family-name", has["role_arn"], cause=cause, remedy=REMEDY)
    if has["boundary"] != want["boundary"]:
        cause = f"Its permissions boundary is {has['boundary'] or 'none'}, and should be {want['boundary'] or 'none'}."
        yield finding("high", "family-boundary", has["role_arn"], cause=cause, remedy=REMEDY)
    if has["max_session"] != want["max_session"]:
        cause = f"Its MaxSessionDuration is {has['max_session']}, and should be {want['max_session']} seconds."
        yield finding("low", "family-session", has["role_arn"], cause=cause, remedy=REMEDY)


def _values(desired: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Values that Entra takes although its documentation says 120 (graph/api/resources/approle)."""
    for row in desired:
        provider = json.loads(row["trust"])["Statement"][0]["Principal"]["Federated"]
        length = len(f"{row['role_arn']},{provider}")
        if length > LONG_VALUE:
            yield finding(
                "note",
                "value-long",
                row["role_arn"],
                cause=f"The appRole value will have {length} characters; documented are 120.",
                remedy=REMEDY,
            )


def _split(text: str) -> set[str]:
    return {part for part in text.split("; ") if part}


__all__ = [
    "Families", "Family", "Terms", "commands", "desired_providers", "desired_roles", "exports", "findings", "frozen_csv", "plan",
    "read_frozen", "remover_policy", "results", "role_facts", "slugs", "stackset", "terraform", "writable", "writer_policy",
]  # fmt: skip
