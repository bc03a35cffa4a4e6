"""Whether sign-in works, link by link, before anybody tries: assignment, members, role, provider, certificate, trust, time.

The chain is the way of a sign-in: Entra ID emits the role to direct members of an assigned group, signs with one
certificate, and AWS compares provider, certificate and trust policy. `response` checks a real response, `explain` a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pandas as pd

from awsfed_lib.core.review.evidence import Evidence
from awsfed_lib.core.saml.response_checks import Checked, Expected, response
from awsfed_lib.core.saml.saml_attributes import session_name_problem
from awsfed_lib.core.saml.troubles import explain
from awsfed_lib.core.shapes import SIGN_INS
from awsfed_lib.core.tables import ACCOUNTS, PROVIDERS, check, frame, read_in_full, rows

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Keys:
    """What the accounts accept and what Entra ID signs with.

    `accounts` and `providers`: ACCOUNTS and PROVIDERS of one reading; `signs`: thumbprints of what may sign now
    (certificates.signing); `entity_id`: of the application's metadata; `session_duration`: seconds that the claims ask for;
    `problem`: why the application lets nobody in, "" when it does; `sends_user_name`: RoleSessionName is the user name.
    """

    accounts: pd.DataFrame
    providers: pd.DataFrame
    signs: tuple[str, ...]
    entity_id: str
    session_duration: int = 3600
    problem: str = ""
    sends_user_name: bool = False

    @cached_property
    def read(self) -> frozenset[str]:
        """Accounts whose providers were read in full."""
        return read_in_full(check(ACCOUNTS, self.accounts))

    @cached_property
    def provider_rows(self) -> dict[str, Row]:
        """Rows of PROVIDERS by ARN."""
        return {row["provider_arn"]: row for row in rows(check(PROVIDERS, self.providers))}


class _Path(NamedTuple):
    """One assignment of one appRole."""

    evidence: Evidence
    keys: Keys
    assignment: Row

    @property
    def app_role_id(self) -> str:
        return str(self.assignment["app_role_id"])


class _Broken(NamedTuple):
    """The first link that does not hold."""

    verdict: str
    cause: str
    remedy: str


def proof(evidence: Evidence, keys: Keys) -> pd.DataFrame:
    """Follow every assignment of an appRole to its end: SIGN_INS, one row each, the worst first, with the first broken link.

    Verdicts: works; console only (a tool that passes the duration on is refused); broken; unknown, when something on the
    way was not read. A role without value (msiam_access) emits nothing, and is no path.
    """
    listed = [item for listed in evidence.assigned.values() for item in listed]
    paths = (_Path(evidence, keys, item) for item in listed if _emits(evidence, item))
    return frame(SIGN_INS, sorted((_row(path) for path in paths), key=_rank))


_WORST_FIRST = ("broken", "unknown", "console only", "works")


def _rank(row: Row) -> tuple[Any, ...]:
    return (_WORST_FIRST.index(row["verdict"]), *(row[name] for name in ("account_id", "role_arn", "principal", "app_role_id")))


def _emits(evidence: Evidence, assignment: Row) -> bool:
    role = evidence.app_role_rows.get(assignment["app_role_id"])
    return role is None or bool(role["value"])


def _row(path: _Path) -> dict[str, str]:
    pair = path.evidence.pairs.get(path.app_role_id)
    account = path.evidence.account_rows.get(pair.account_id) if pair else None
    link, found = next(((name, broken) for name, follow in LINKS if (broken := follow(path))), ("", _Broken("works", "", "")))
    return {
        "account_id": pair.account_id if pair else "",
        "account_name": account["account_name"] if account else "",
        "role_arn": pair.role_arn if pair else "",
        "principal": path.assignment["principal_name"] or path.assignment["principal_id"],
        "app_role_id": path.app_role_id,
        "verdict": found.verdict,
        "link": link,
        "cause": found.cause,
        "remedy": found.remedy,
    }


def _application(path: _Path) -> _Broken | None:
    return _Broken("broken", path.keys.problem, "Set it with runbook 01-application.") if path.keys.problem else None


def _members(path: _Path) -> _Broken | None:
    """Direct members only: "nested group memberships aren't supported" (entra assign-user-or-group-access-portal)."""
    kind, identity = path.assignment["principal_type"], path.assignment["principal_id"]
    if kind == "User":
        known = path.evidence.people.get(identity)
        return _able([known], "The user is disabled.", path) if known else None
    if kind != "Group":
        return _Broken("broken", f"A {kind} is assigned, and does not sign in to the console.", "Assign a group: 06-assignments.")
    group = path.evidence.group_rows.get(identity)
    if group is None:
        return _Broken("unknown", "The group was not read.", "Read it again; it may have been deleted (09-audit).")
    users = [member for member in path.evidence.members_of.get(identity, []) if member["member_type"] == "User"]
    if group["problem"]:
        return _Broken("unknown", group["problem"], "Grant this sign-in Member.Read.Hidden: 00-preflight.")
    if users:
        return _able(users, "All its members are disabled.", path)
    nested = path.evidence.inside(identity)
    words = f"It has no direct members; {len(nested)} users inside nested groups get nothing." if nested else "It has no members."
    return _Broken(
        "broken", words, "Look whether it has eligible members (Privileged Identity Management), which are not read: they activate it."
    )


def _able(users: Sequence[Row], disabled: str, path: _Path) -> _Broken | None:
    """Ask for one who is enabled, and whose user name AWS takes as session name where that is what the claims send."""
    able = [user for user in users if user["enabled"]]
    if not able and any(user["enabled"] is None for user in users):
        return _Broken("unknown", "Whether its users are enabled is not known.", "Grant this sign-in User.Read.All: 00-preflight.")
    if not able:
        return _Broken("broken", disabled, "Add somebody who can sign in: 05-groups.")
    problems = [session_name_problem(user["user_name"]) for user in able]
    if path.keys.sends_user_name and all(problems):
        return _Broken("broken", problems[0], "Send another attribute as RoleSessionName: 01-application.")
    return None


def _emitted(path: _Path) -> _Broken | None:
    """Ask only whether it is there: a disabled appRole is emitted to those who have it (graph/api/resources/approle)."""
    if path.app_role_id in path.evidence.app_role_rows:
        return None
    return _Broken("broken", "The appRole of the assignment is gone.", "Delete the assignment: 06-assignments.")


def _value(path: _Path) -> _Broken | None:
    if path.app_role_id in path.evidence.pairs:
        return None
    return _Broken(
        "broken", "The value of the appRole is no role ARN and provider ARN of one account.", "Make one with the right value: 04-approles."
    )


def _account(path: _Path) -> _Broken | None:
    account_id = path.evidence.pairs[path.app_role_id].account_id
    row = path.evidence.account_rows.get(account_id)
    if row is None:
        return _Broken("unknown", "The account is none of those that were read.", "Include it, or remove its appRoles: 04-approles.")
    if account_id not in path.evidence.read or account_id not in path.keys.read:
        return _Broken(
            "unknown", row["problem"] or "Its SAML providers were not read.", "Give the audit role access to the account: 02-accounts."
        )
    return None


def _role(path: _Path) -> _Broken | None:
    pair = path.evidence.pairs[path.app_role_id]
    if pair.role_arn in path.evidence.role_rows:
        return None
    other = path.evidence.spelled.get(pair.role_arn.casefold())
    words = f"The account has no such role, but {other}: names in a response have a case." if other else "The account has no such role."
    return _Broken("broken", words, "Bring it back (02-accounts), or remove the appRole (04-approles).")


def _provider(path: _Path) -> _Broken | None:
    arn = path.evidence.pairs[path.app_role_id].provider_arn
    if arn in path.keys.provider_rows:
        return None
    return _Broken("broken", "The account has no such SAML provider: “Specified provider doesn't exist”.", "Make it: 02-accounts.")


def _certificate(path: _Path) -> _Broken | None:
    row = path.keys.provider_rows[path.evidence.pairs[path.app_role_id].provider_arn]
    if not path.keys.signs:
        return _Broken("broken", "The application has no signing certificate.", "Make one: 08-certificates.")
    if not row["entity_id"]:
        return _Broken("unknown", row.get("problem") or "Its metadata could not be read.", "Look at it with 02-accounts.")
    if row["entity_id"] != path.keys.entity_id:
        words = f"The provider is for {row['entity_id']}: “Issuer not present in specified provider”."
        return _Broken("broken", words, "Update its metadata: 02-accounts.")
    missing = sorted(set(path.keys.signs) - set(row["thumbprints"].split("; ")))
    if missing:
        words = f"The provider lacks {', '.join(f'{one[:8]}…' for one in missing)}, which signs now: “Response signature invalid”."
        return _Broken("broken", words, "Distribute it: 08-certificates.")
    return None


def _trust(path: _Path) -> _Broken | None:
    pair = path.evidence.pairs[path.app_role_id]
    found = [row for row in path.evidence.role_rows[pair.role_arn] if row["provider_arn"] == pair.provider_arn]
    if any(row["verdict"] == "taken" for row in found):
        return None
    if any(row["verdict"] == "conditional" for row in found):
        return _Broken("unknown", found[0]["reason"], "Look at the condition: 02-accounts.")
    words = found[0]["reason"] if found else "The trust policy does not name this provider."
    return _Broken("broken", f"“Not authorized to perform sts:AssumeRoleWithSAML”: {words}", "Mend the trust policy: 02-accounts.")


def _duration(path: _Path) -> _Broken | None:
    """Compare durations: the console takes one that the role does not allow, AssumeRoleWithSAML with it is refused."""
    longest = path.evidence.role_rows[path.evidence.pairs[path.app_role_id].role_arn][0]["max_session"]
    if longest is None or longest >= path.keys.session_duration:
        return None
    words = f"The claims ask for {path.keys.session_duration} seconds, the role allows {longest}; tools that pass it on are refused."
    return _Broken("console only", words, "Raise max_session (02-accounts), or lower session_duration (01-application).")


LINKS: tuple[tuple[str, Callable[[_Path], _Broken | None]], ...] = (
    ("application", _application),
    ("members", _members),
    ("appRole", _emitted),
    ("value", _value),
    ("account", _account),
    ("role", _role),
    ("provider", _provider),
    ("certificate", _certificate),
    ("trust", _trust),
    ("duration", _duration),
)


def counts(table: pd.DataFrame) -> Iterator[tuple[str, int]]:
    """Count SIGN_INS by verdict, worst first."""
    for verdict in _WORST_FIRST:
        yield verdict, int((table["verdict"] == verdict).sum())


def sentence(table: pd.DataFrame) -> str:
    """Say the counts of SIGN_INS in one line."""
    return f"{len(table)} paths: " + ", ".join(f"{number} {verdict}" for verdict, number in counts(table) if number)


__all__ = ["LINKS", "Checked", "Expected", "Keys", "counts", "explain", "proof", "response", "sentence"]
