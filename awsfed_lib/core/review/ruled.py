"""The desired side of the drift: what 04-approles, 06-assignments and 01-application would make of today's AWS and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.drift_shapes import SIDE
from awsfed_lib.core.review.observed import (
    APP_ROLE,
    ASSIGNMENT,
    CLAIM,
    DIRECTLY,
    HOLDS,
    PROVIDER,
    Seen,
    account_of,
    app_role_key,
    claims,
    line,
)
from awsfed_lib.core.review.sides import Side, parts
from awsfed_lib.core.review.states import NO_RULE, UNREAD
from awsfed_lib.core.roles import approles
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.roles.trust import USABLE
from awsfed_lib.core.tables import MATCHED_GROUPS, check, frame, read_in_full, rows

Row = Mapping[str, Any]


class Rules(NamedTuple):
    """What the parameters say: the template of appRole names, MATCHED_GROUPS of the roles, the provider's name, CLAIMS or None."""

    label: str
    matched: pd.DataFrame
    provider: str
    claims: pd.DataFrame | None


def side(seen: Seen, rules: Rules) -> Side:
    """Make the desired side. It speaks of accounts that were read in full only; of people assigned directly no rule speaks.

    Where no one group can be told for a role, nothing is known of its assignments.
    """
    read = frozenset() if seen.accounts is None else read_in_full(seen.accounts)
    knows: dict[str, frozenset[str] | None] = {APP_ROLE: read, ASSIGNMENT: read} | ({} if rules.claims is None else {CLAIM: None})
    said = [*_app_roles(seen, rules), *_assignments(seen, rules), *_providers(seen, rules, read)]
    said += claims(rows(rules.claims)) if rules.claims is not None else []
    words = {row["value"]: UNREAD for row in rows(check(MATCHED_GROUPS, rules.matched)) if row["problem"]}
    return Side(frame(SIDE, said), knows, silent=NO_RULE, words={**words, DIRECTLY: NO_RULE})


def _app_roles(seen: Seen, rules: Rules) -> Iterator[dict[str, str]]:
    wanted = rows(approles.render(seen.roles, label=rules.label)) if seen.roles is not None else []
    for row in wanted:
        yield line(APP_ROLE, row["value"], row["display_name"], parts(enabled="yes"), account=account_of(row["value"]))
    values = {row["value"] for row in wanted}
    for row in seen.rows("live_app_roles"):
        if row["value"] not in values and (not parse(row["value"]) or row["origin"] == "Application"):
            yield line(APP_ROLE, app_role_key(row), row["display_name"], NO_RULE, account=account_of(row["value"]))


def _assignments(seen: Seen, rules: Rules) -> Iterator[dict[str, str]]:
    """Give each role its group, as `assignments.plan` does."""
    by_value: dict[str, Row] = {}
    for row in sorted(seen.rows("live_app_roles"), key=lambda row: not row["is_enabled"]):
        by_value.setdefault(row["value"], row)
    for row in rows(check(MATCHED_GROUPS, rules.matched)):
        if not row["problem"]:
            yield _wanted(row, by_value.get(row["value"]))


def _wanted(row: Row, role: Row | None) -> dict[str, str]:
    key = f"{row['group_id'] or row['unique_name']} → {role['app_role_id'] if role else row['value']}"
    name = role["display_name"] if role and role["display_name"] else row["value"]
    subject, value = f"{row['group_name'] or row['group_id']} → {name}", row["value"]
    return line(ASSIGNMENT, key, subject, parts(assigned="Group"), account=account_of(value), within=value)


def _providers(seen: Seen, rules: Rules, read: frozenset[str]) -> Iterator[dict[str, str]]:
    """Want of every provider that roles trust, and that has the name, the certificate that signs."""
    if seen.providers is None:
        return
    trusted = {
        row["provider_arn"]: row["account_id"] for row in seen.rows("roles") if row["verdict"] in USABLE and row["account_id"] in read
    }
    there = {row["provider_arn"]: row["account_id"] for row in seen.rows("providers")}
    for arn, account in sorted((there | trusted).items()):
        name = arn.rpartition("/")[2]
        if rules.provider in ("", name):
            yield line(PROVIDER, arn, name, parts(**{HOLDS: "yes"}), account=account)
