"""What one reading shows, as one side of the drift: the same for what is live and for what a record kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from awsfed_lib.core.drift_shapes import SIDE
from awsfed_lib.core.review.sides import Side, parts
from awsfed_lib.core.review.states import UNREAD
from awsfed_lib.core.roles.pair import parse
from awsfed_lib.core.tables import frame, read_in_full, rows

APP_ROLE, ASSIGNMENT, MEMBER, CLAIM, CERTIFICATE, PROVIDER, ROLE = (
    "appRole", "assignment", "member", "claim", "certificate", "provider", "IAM role",
)  # fmt: skip
HOLDS = "current certificate"  # whether it holds the one that signs
DIRECTLY = "no group of an AWS role"
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Seen:
    """The tables of one reading, by the names under which 09-audit keeps them; None for one that was not kept.

    `provider_accounts`: ACCOUNTS as the reading of the providers left them.
    """

    accounts: pd.DataFrame | None = None
    roles: pd.DataFrame | None = None
    provider_accounts: pd.DataFrame | None = None
    providers: pd.DataFrame | None = None
    live_app_roles: pd.DataFrame | None = None
    live_assignments: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    members: pd.DataFrame | None = None
    certificates: pd.DataFrame | None = None
    claims: pd.DataFrame | None = None

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of one table; none when it was not kept."""
        table = getattr(self, name)
        return rows(table) if table is not None else []

    @property
    def signs(self) -> frozenset[str]:
        """Thumbprints of what signs."""
        return frozenset(row["thumbprint"] for row in self.rows("certificates") if row["status"] == "signs") - {""}

    @property
    def read_groups(self) -> frozenset[str]:
        """Groups whose members were read: those that are assigned, and those inside them, without those whose members are not known."""
        assigned = {row["principal_id"] for row in self.rows("live_assignments") if row["principal_type"] == "Group"}
        inside = {row["member_id"] for row in self.rows("members") if row["member_type"] == "Group"}
        return frozenset(assigned | inside) - {row["group_id"] for row in self.rows("groups") if row["problem"]}


def side(seen: Seen) -> Side:
    """Make the side of what was read: rows of SIDE, and of which kinds and accounts it can say that something is not there."""
    found = [
        *_app_roles(seen),
        *_assignments(seen),
        *_members(seen),
        *_claims(seen),
        *_certificates(seen),
        *_providers(seen),
        *_roles(seen),
    ]
    read = frozenset() if seen.accounts is None else read_in_full(seen.accounts)
    also = read if seen.provider_accounts is None else read & read_in_full(seen.provider_accounts)
    whole = {APP_ROLE: seen.live_app_roles, ASSIGNMENT: seen.live_assignments, CLAIM: seen.claims, CERTIFICATE: seen.certificates}
    knows: dict[str, frozenset[str] | None] = {kind: None for kind, table in whole.items() if table is not None}
    knows |= {kind: known for kind, known, table in ((ROLE, read, seen.roles), (PROVIDER, also, seen.providers)) if table is not None}
    if seen.members is not None and seen.live_assignments is not None:
        knows[MEMBER] = seen.read_groups
    shown = [
        row
        for row in found
        if row["kind"] in knows and (row["kind"] not in (ROLE, PROVIDER) or row["within"] in (knows[row["kind"]] or ()))
    ]
    unseen = {row["group_id"]: UNREAD for row in seen.rows("groups") if row["problem"]}
    return Side(frame(SIDE, shown), knows, words=unseen)


def line(kind: str, key: str, subject: str, value: str, *, account: str = "", within: str = "") -> dict[str, str]:  # noqa: PLR0913  the columns of SIDE
    """Make a row of SIDE."""
    return {"kind": kind, "account_id": account, "within": within or account, "key": key, "subject": subject, "value": value}


def account_of(value: str) -> str:
    """Return the account of a role's value; "" when it is none of AWS."""
    pair = parse(value)
    return pair.account_id if pair else ""


def app_role_key(row: Row) -> str:
    """Name an appRole as plans do: by its value, and where that names no role of AWS by its id."""
    return str(row["value"] or row["app_role_id"])


def _app_roles(seen: Seen) -> Iterator[dict[str, str]]:
    used: Counter[str] = Counter()
    for row in seen.rows("live_app_roles"):
        key = app_role_key(row)
        used[key] += 1
        value = parts(
            enabled="yes" if row["is_enabled"] else "no", name=row["display_name"], description=row["description"], id=row["app_role_id"]
        )
        twin = f" ({row['app_role_id']})" if used[key] > 1 else ""
        yield line(APP_ROLE, f"{key}{twin}", f"{row['display_name'] or key}{twin}", value, account=account_of(row["value"]))


def _assignments(seen: Seen) -> Iterator[dict[str, str]]:
    roles = {row["app_role_id"]: row for row in seen.rows("live_app_roles")}
    for row in seen.rows("live_assignments"):
        role = roles.get(row["app_role_id"], {})
        account, name = account_of(role.get("value") or ""), str(role.get("display_name") or role.get("value") or row["app_role_id"])
        within = str(role["value"]) if account and row["principal_type"] == "Group" else DIRECTLY
        key, subject = f"{row['principal_id']} → {row['app_role_id']}", f"{row['principal_name'] or row['principal_id']} → {name}"
        yield line(ASSIGNMENT, key, subject, parts(assigned=row["principal_type"]), account=account, within=within)


def _members(seen: Seen) -> Iterator[dict[str, str]]:
    names = {row["principal_id"]: row["principal_name"] for row in seen.rows("live_assignments")}
    for row in (row for row in seen.rows("members") if row["group_id"]):  # without one: a user who is assigned directly
        group = names.get(row["group_id"]) or row["group_id"]
        subject = f"{row['user_name'] or row['member_name'] or row['member_id']} in {group}"
        value = parts(member=row["member_type"], enabled="" if row["enabled"] is None else "yes" if row["enabled"] else "no")
        yield line(MEMBER, f"{row['member_id']} in {row['group_id']}", subject, value, within=row["group_id"])


def _claims(seen: Seen) -> Iterator[dict[str, str]]:
    yield from claims(seen.rows("claims"))


def claims(listed: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Make rows of SIDE of rows of CLAIMS, one a claim; who says so is told where it is not simply desired."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in listed:
        by_name[row["claim"]].append(row)
    for name, said in by_name.items():
        sources = sorted(f"{row['source']} {row['value'] or row['attribute']}".strip() for row in said)
        origin = "" if said[0]["origin"] == "desired" else said[0]["origin"]
        yield line(CLAIM, name, name.rpartition("/")[2], parts(source="; ".join(sources), said_by=origin))


def _certificates(seen: Seen) -> Iterator[dict[str, str]]:
    for row in seen.rows("certificates"):
        value = parts(signs="yes" if row["status"] == "signs" else "no", ends=f"{row['not_after']:%Y-%m-%d}" if row["not_after"] else "")
        yield line(CERTIFICATE, row["thumbprint"] or row["name"], f"{row['name']} {row['thumbprint'][:8]}".strip(), value)


def _providers(seen: Seen) -> Iterator[dict[str, str]]:
    for row in seen.rows("providers"):
        held = row["thumbprints"]
        holds = "" if not held or not seen.signs else "yes" if seen.signs & set(held.split("; ")) else "no"
        value = parts(**{HOLDS: holds}, certificates=held, issuer=row["entity_id"])
        yield line(PROVIDER, row["provider_arn"], row["provider_name"], value, account=row["account_id"])


def _roles(seen: Seen) -> Iterator[dict[str, str]]:
    for row in seen.rows("roles"):
        value = parts(
            trust=f"{row['verdict']}{': ' if row['reason'] else ''}{row['reason']}",
            policies=row["policies"] or "none",
            boundary=row["boundary"] or "none",
            session=f"{row['max_session']} s" if row["max_session"] else "",
            description=row["description"] or "none",
            stack=row["stack"] or "none",
        )
        key = f"{row['role_arn']} {row['provider_arn']}".strip()
        yield line(ROLE, key, f"{row['account_name']} / {row['role_name']}", value, account=row["account_id"])
