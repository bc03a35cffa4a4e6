"""The shapes of all tables, written down once and checked at the border.

Every table is a pandas DataFrame. Text columns are never missing: "" says "none". Account ids are text of 12 digits,
always. An account that could not be read is a row with its `problem`, never a missing row.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.errors import TableError

TEXT, FLAG, STATE, COUNT, TIME, WIRE = "str", "bool", "boolean", "Int64", "datetime64[us, UTC]", "object"
OPEN = ("ACTIVE", "")
"""States of an account that can be read; "" where the state is not known, since a CSV does not say it."""
ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)


class Column(NamedTuple):
    """A column: its pandas dtype and what it means."""

    dtype: str
    meaning: str


class Schema(NamedTuple):
    """A table: its name, its columns in order, and the columns that name a row."""

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]


ACCOUNTS = Schema(
    "accounts",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name in the organisation, or in the CSV"),
        "ou_path": Column(TEXT, "path of the organisational unit, where known"),
        "state": Column(TEXT, "ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED, PENDING_ACTIVATION"),
        "problem": Column(TEXT, "why it could not be read in full; '' says it was"),
    },
    ("account_id",),
)
ROLES = Schema(
    "roles",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account"),
        "role_name": Column(TEXT, "name of the IAM role, case as AWS has it"),
        "role_arn": Column(TEXT, "ARN of the role, path included"),
        "provider_arn": Column(TEXT, "ARN of the SAML provider that its trust names; '' when none"),
        "value": Column(TEXT, "role ARN,provider ARN: what Entra emits; '' when the role is skipped"),
        "verdict": Column(TEXT, "taken, conditional (it has a value, and the reason names the condition), or skipped"),
        "reason": Column(TEXT, "why it is skipped, the condition, or what to look at although it is taken"),
        "path": Column(TEXT, "IAM path"),
        "description": Column(TEXT, "description of the role"),
        "max_session": Column(COUNT, "MaxSessionDuration in seconds"),
        "policies": Column(TEXT, "attached policy ARNs and inline:NAME, sorted, joined by '; '"),
        "boundary": Column(TEXT, "ARN of the permissions boundary"),
        "stack": Column(TEXT, "what owns it, such as a CloudFormation stack; '' when nothing is known to"),
        "created": Column(TIME, "when it was created"),
        "last_used": Column(TIME, "last use in the trailing 400 days, NaT when never"),
    },
    ("role_arn", "provider_arn"),
)
PROVIDERS = Schema(
    "providers",
    {
        "account_id": Column(TEXT, "12 digits"),
        "provider_arn": Column(TEXT, "ARN of the SAML provider"),
        "provider_name": Column(TEXT, "its name"),
        "entity_id": Column(TEXT, "entityID of its metadata; '' when the metadata was not read"),
        "thumbprints": Column(TEXT, "SHA-1 thumbprints of its signing certificates, joined by '; '"),
        "not_after": Column(TIME, "the last day of the certificate that ends last"),
    },
    ("provider_arn",),
)
APP_ROLES = Schema(
    "app_roles",
    {
        "app_role_id": Column(TEXT, "GUID"),
        "value": Column(TEXT, "role ARN,provider ARN; '' for null"),
        "display_name": Column(TEXT, "shown in the portal"),
        "description": Column(TEXT, "shown in the portal"),
        "is_enabled": Column(FLAG, "assignable; a disabled role is still emitted"),
        "origin": Column(TEXT, "Application (inherited), ServicePrincipal (own), '' when new"),
        "entry": Column(WIRE, "the entry as Graph sent it; goes back byte for byte"),
    },
    ("app_role_id",),
)
GROUPS = Schema(
    "groups",
    {
        "group_id": Column(TEXT, "GUID"),
        "group_name": Column(TEXT, "displayName; not unique in Entra"),
        "unique_name": Column(TEXT, "uniqueName, the alternate key; '' when none"),
        "security_enabled": Column(FLAG, "only such a group can be assigned"),
        "kind": Column(TEXT, "security, microsoft365, distribution, dynamic"),
        "visibility": Column(TEXT, "Public, Private, HiddenMembership; '' when none"),
        "problem": Column(TEXT, "why its members are not known; '' when they are, or were not asked for"),
        "origin": Column(TEXT, "age, owners, number of members, rule; '' when it was not asked for"),
    },
    ("group_id",),
)
GROUP_MAP = Schema(
    "group_map",
    {
        "value": Column(TEXT, "role ARN,provider ARN; names the role, or"),
        "role_arn": Column(TEXT, "ARN of the role; names the role, or"),
        "account_id": Column(TEXT, "12 digits, together with"),
        "role_name": Column(TEXT, "name of the role in that account"),
        "group_id": Column(TEXT, "GUID of the group, or"),
        "group_name": Column(TEXT, "its displayName"),
        "note": Column(TEXT, "for people; nothing reads it"),
    },
    ("value", "role_arn", "account_id", "role_name"),
)
WANTED_GROUPS = Schema(
    "wanted_groups",
    {
        "value": Column(TEXT, "role ARN,provider ARN of the role that the group gives"),
        "group_name": Column(TEXT, "displayName; '' when the mapping names the group by its id"),
        "unique_name": Column(TEXT, "uniqueName, and mailNickname of a new group; '' when mapped by id"),
        "group_id": Column(TEXT, "GUID, only when the mapping names it"),
        "source": Column(TEXT, "template, or mapping"),
    },
    ("value",),
)
MATCHED_GROUPS = Schema(
    "matched_groups",
    {
        **WANTED_GROUPS.columns,
        "group_id": Column(TEXT, "GUID of the live group; '' when there is none, or not exactly one"),
        "how": Column(TEXT, "id, uniqueName, name; '' when no live group was found"),
        "problem": Column(TEXT, "why no group can be used or created; '' says one can"),
        "origin": Column(TEXT, "of the live groups that were found: age, owners, number of members, rule"),
    },
    ("value",),
)
ASSIGNMENTS = Schema(
    "assignments",
    {
        "assignment_id": Column(TEXT, "id of the assignment"),
        "app_role_id": Column(TEXT, "GUID of the appRole"),
        "principal_id": Column(TEXT, "GUID of the group, user or service principal"),
        "principal_type": Column(TEXT, "Group, User, ServicePrincipal"),
        "principal_name": Column(TEXT, "its display name when it was assigned"),
    },
    ("assignment_id",),
)
MEMBERS = Schema(
    "members",
    {
        "group_id": Column(TEXT, "GUID of the group"),
        "member_id": Column(TEXT, "GUID of the member"),
        "member_type": Column(TEXT, "User, Group, ServicePrincipal, Device"),
        "member_name": Column(TEXT, "display name"),
        "user_name": Column(TEXT, "userPrincipalName; '' for other than users"),
        "enabled": Column(STATE, "accountEnabled; empty when it is not known, True for other than users"),
    },
    ("group_id", "member_id"),
)
PATHS = Schema(
    "paths",
    {
        "user_name": Column(TEXT, "userPrincipalName; '' where nobody is at the end of the path"),
        "group_name": Column(TEXT, "the group, '' for a direct assignment"),
        "app_role_id": Column(TEXT, "GUID of the appRole"),
        "account_id": Column(TEXT, "12 digits; '' when the value names no account"),
        "account_name": Column(TEXT, "name of the account"),
        "role_arn": Column(TEXT, "ARN of the IAM role"),
        "policies": Column(TEXT, "policies of the IAM role"),
        "verdict": Column(
            TEXT,
            "effective, effective (appRole disabled), conditional, unread, unknown, nested, user disabled, nobody, dangling, untrusted,"
            " refused",
        ),
        "cause": Column(TEXT, "why it is not effective"),
    },
    ("user_name", "group_name", "app_role_id"),
)
FINDINGS = Schema(
    "findings",
    {
        "finding_id": Column(TEXT, "stable over runs"),
        "severity": Column(TEXT, "critical, high, medium, low, note"),
        "check": Column(TEXT, "name of the check"),
        "subject": Column(TEXT, "account, role, group or application it is about"),
        "cause": Column(TEXT, "what is wrong"),
        "remedy": Column(TEXT, "what to do, with the runbook that does it"),
    },
    ("finding_id",),
)
JUDGED = Schema(
    "judged",
    {**FINDINGS.columns, "accepted": Column(TEXT, "until when, by whom and why it is accepted; '' when nobody did")},
    ("finding_id",),
)
ACCEPTED = Schema(
    "accepted",
    {
        "finding_id": Column(TEXT, "of the finding"),
        "until": Column(TEXT, "last day, YYYY-MM-DD"),
        "accepted_by": Column(TEXT, "who answers for it"),
        "reason": Column(TEXT, "why"),
    },
    ("finding_id",),
)
FACTS = Schema(
    "facts",
    {"fact": Column(TEXT, "what is told"), "value": Column(TEXT, "what it is; 'not known' when it could not be read")},
    ("fact", "value"),
)
CHECKS = Schema(
    "checks",
    {
        "check": Column(TEXT, "what was looked at"),
        "result": Column(TEXT, "ok, note, look, missing, unknown"),
        "detail": Column(TEXT, "what was found"),
        "remedy": Column(TEXT, "what to do; '' when ok"),
    },
    ("check",),
)
CHANGES = Schema(
    "changes",
    {
        "action": Column(TEXT, "add, update, disable, remove, keep"),
        "kind": Column(TEXT, "appRole, group, assignment, …"),
        "label": Column(TEXT, "what people call it"),
        "before": Column(TEXT, "live"),
        "after": Column(TEXT, "desired"),
        "why": Column(TEXT, "reason"),
    },
    ("kind", "label", "action"),
)
TARGETS = Schema(
    "targets",
    {
        "file": Column(TEXT, "parameter file of the target"),
        "verdict": Column(TEXT, "how its run ended"),
        "exit_code": Column(COUNT, "exit code of its run"),
        "run": Column(TEXT, "name of its record; '' when nothing was started"),
        "came_out": Column(TEXT, "its plans and findings"),
        "read": Column(TEXT, "how much was read where that is not everything, such as 19 of 24 accounts read"),
        "problem": Column(TEXT, "what went wrong; '' for nothing"),
        "seconds": Column(COUNT, "how long it took"),
    },
    ("file",),
)
DIFFERENCES = Schema(
    "differences",
    {
        "row": Column(TEXT, "the key of the row, its columns joined by a space"),
        "change": Column(TEXT, "added, removed, changed, or not read"),
        "column": Column(TEXT, "which cell changed; '' for a whole row"),
        "before": Column(TEXT, "in the earlier table"),
        "after": Column(TEXT, "in the later table"),
    },
    ("row", "column"),
)

_EMPTY: Mapping[str, Any] = {TEXT: "", FLAG: False, STATE: pd.NA, COUNT: pd.NA, TIME: pd.NaT, WIRE: None}


def frame(schema: Schema, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Build the table `schema` from `rows`; a missing or None cell becomes the empty value of its column.

    Raises TableError for a column that the schema does not know, a wrong type, or an account id that is not 12 digits.
    """
    listed = list(rows)
    unknown = sorted({name for row in listed for name in row} - set(schema.columns))
    if unknown:
        raise TableError(f"Table {schema.name} has no column {', '.join(unknown)}.")
    return check(schema, pd.DataFrame({name: _series(name, column, listed) for name, column in schema.columns.items()}))


def _series(name: str, column: Column, rows: list[Mapping[str, Any]]) -> pd.Series[Any]:
    empty = _EMPTY[column.dtype]
    cells = [empty if row.get(name) is None else row[name] for row in rows]
    if column.dtype == TEXT and not all(isinstance(cell, str) for cell in cells):
        raise TableError(f"Column {name} holds something that is not text.")
    if column.dtype in (FLAG, STATE) and not all(pd.api.types.is_bool(cell) or (cell is empty and empty is pd.NA) for cell in cells):
        raise TableError(f"Column {name} holds something that is neither True nor False.")  # pandas would call "False" true
    if column.dtype == TIME:
        return pd.Series(pd.to_datetime(cells, utc=True, format="ISO8601"), dtype=TIME)
    return pd.Series(cells, dtype=column.dtype)


def check(schema: Schema, table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` in the column order of `schema`, or raise TableError naming the column and the first rows.

    Extra columns are the reader's own business and are kept at the end.
    """
    missing = [name for name in schema.columns if name not in table.columns]
    if missing:
        raise TableError(f"Table {schema.name} lacks the column {', '.join(missing)}.")
    for name, column in schema.columns.items():
        _check_column(schema.name, name, column, table[name])
    extra = [name for name in table.columns if name not in schema.columns]
    return table[[*schema.columns, *extra]]


def _check_column(table: str, name: str, column: Column, cells: pd.Series[Any]) -> None:
    if column.dtype == TEXT and not all(isinstance(cell, str) for cell in cells):
        rows = [index for index, cell in enumerate(cells) if not isinstance(cell, str)][:5]
        raise TableError(f"Column {name} of table {table} must be text; rows {rows} are not.")
    if column.dtype == STATE and str(cells.dtype) == FLAG:  # every cell is known, as in records of earlier versions
        return
    if column.dtype in (FLAG, STATE, COUNT, TIME) and str(cells.dtype) != column.dtype:
        raise TableError(f"Column {name} of table {table} must be {column.dtype}, and is {cells.dtype}.")
    if name == "account_id":
        wrong = [cell for cell in cells if cell and not ACCOUNT_ID.fullmatch(cell)][:5]
        if wrong:
            raise TableError(
                f"Table {table} holds account ids that are not 12 digits: {', '.join(wrong)}.",
                remedy="Read account ids as text: a spreadsheet or a CSV read without dtype=str drops leading zeros.",
            )


def read_in_full(accounts: pd.DataFrame) -> frozenset[str]:
    """Ids of the accounts in ACCOUNTS whose roles are all known: no problem, and not in a state that hides its roles.

    Only of these may a role be called absent.
    """
    listed = rows(check(ACCOUNTS, accounts))
    unknown = {row["account_id"] for row in listed if row["problem"] or row["state"] not in OPEN}
    return frozenset(row["account_id"] for row in listed) - unknown


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows as dicts; a missing time or count becomes None (never NaN, which is not JSON)."""
    return [{str(name): None if is_missing(cell) else cell for name, cell in row.items()} for row in table.to_dict(orient="records")]


def is_missing(cell: object) -> bool:
    """Whether a cell holds nothing: None, or one of the three ways in which pandas says so."""
    return cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell))


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(facts: Iterable[str]) -> str:
    """SHA-256 over sorted canonical lines: equal sets of facts give equal digests, in any order of reading."""
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()
