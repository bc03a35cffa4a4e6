"""The audit: all tables of one reading in, findings out, each with its cause and the runbook that mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.finding import finding
from awsfed_lib.core.review import checks_people as of_people
from awsfed_lib.core.review import checks_roles as of_roles
from awsfed_lib.core.review import checks_sign_in as of_sign_in
from awsfed_lib.core.review.checks_certificates import findings as certificate_findings
from awsfed_lib.core.review.evidence import Evidence, Item
from awsfed_lib.core.review.links import Keys, Terms
from awsfed_lib.core.review.paths import paths
from awsfed_lib.core.review.summary import summary
from awsfed_lib.core.roles.approles import LABEL
from awsfed_lib.core.settings.verdict import SEVERITIES, reaches
from awsfed_lib.core.tables import FINDINGS, check, frame, rows

__all__ = ["CHECKS", "Check", "at_least", "certificate_findings", "findings", "paths", "summary", "together", "worst"]


NOTHING = "Nothing has to be done"
MOST_NAMED = 10


class Check(NamedTuple):
    """One line of the audit: how bad what it finds is, how it is found, and what mends it. It is named by its function."""

    severity: str
    find: Callable[[Evidence, Terms], Iterator[Item]]
    remedy: str

    @property
    def name(self) -> str:
        """The name, for people."""
        return self.find.__name__.replace("_", " ")


CHECKS = (
    Check("critical", of_roles.default_role_missing, "Check application_id; restore the appRoles from the last record (04-approles)."),
    Check("critical", of_roles.no_account_read, "Check via, external_id and which accounts are selected; 00-preflight tries each account."),
    Check("critical", of_sign_in.nobody_can_sign_in, "The cause says what stops everybody; 07-signin shows it path by path."),
    Check("high", of_sign_in.sign_in_not_known, "The cause says what could not be told; 00-preflight names permissions that are missing."),
    Check(
        "high",
        of_sign_in.refused_by_its_claims,
        "Send another attribute (01-application), or correct it for the person.",
    ),
    Check("high", of_roles.disabled_but_emitted, "Remove it with its assignments, or enable it: 04-approles."),
    Check("high", of_roles.assigned_but_missing_in_aws, "Bring the role back, or remove the appRole (04-approles with max_removed)."),
    Check("high", of_roles.spelled_otherwise_in_aws, "Replace the appRole: 04-approles with max_removed, then 06-assignments."),
    Check("high", of_roles.not_trusted_by_the_role, "Mend the trust policy of the role; 03-inventory says how it is read."),
    Check("high", of_roles.value_refused, "Shorten the path or name of the role, or the name of the provider, in AWS."),
    Check("high", of_roles.no_room, "Remove what AWS no longer has (04-approles), or move accounts to another application."),
    Check("medium", of_roles.nearly_no_room, "Plan another application for some of the accounts (01-application)."),
    Check("medium", of_roles.account_unread, "Give the audit role access to the account, then run 02-accounts."),
    Check("medium", of_roles.account_not_in_the_inventory, "If it left the organisation, delete its assignments and appRoles by hand."),
    Check("medium", of_roles.role_without_app_role, "Add it: 04-approles."),
    Check("medium", of_roles.value_not_of_aws, "Make one with the right value (04-approles), then remove this one by hand."),
    Check("medium", of_roles.named_for_another_account, "Correct the display name in the portal."),
    Check("medium", of_roles.same_name_twice, "Put the account into the template of the names (role_label)."),
    Check("high", of_people.members_not_known, "Grant this sign-in Member.Read.Hidden (00-preflight), and audit again."),
    Check("medium", of_people.user_state_not_known, "Grant this sign-in User.Read.All (00-preflight), and audit again."),
    Check("medium", of_sign_in.assignment_not_required, "Require assignment (appRoleAssignmentRequired): 01-application."),
    Check("medium", of_people.nested_group, "Make its users direct members, or use a dynamic group (05-groups lists the groups)."),
    Check("medium", of_people.group_not_for_security, "Use a security group: 05-groups."),
    Check("medium", of_people.assigned_directly, "Put who it is into the group of the role (06-assignments), then delete this assignment."),
    Check("medium", of_people.many_assignments, "Spread them: one group a role (05-groups, 06-assignments)."),
    Check("medium", of_people.many_roles, "Take the user out of groups that are not needed (10-access shows the paths)."),
    Check("low", of_roles.missing_in_aws, "Remove the appRole: 04-approles with max_removed."),
    Check("low", of_roles.trust_to_look_at, "Read the reason in 03-inventory and mend the trust policy."),
    Check("note", of_roles.named_otherwise, "Nothing has to be done; names can be corrected in the portal."),
    Check("low", of_roles.same_pair_twice, "Keep one: move its group to the other (06-assignments), then remove it."),
    Check("low", of_roles.on_the_app_registration, "Declare AWS roles on the enterprise application only (04-approles)."),
    Check("low", of_people.nobody_assigned, "Assign its group: 05-groups, then 06-assignments."),
    Check(
        "low",
        of_people.empty_group,
        "Look whether it has eligible members (Privileged Identity Management), which are not read: they activate it.",
    ),
    Check("low", of_people.same_group_name, "Name the right one by its id in the group map (05-groups)."),
    Check("low", of_people.one_group_many_roles, "Make one group a role: 05-groups, then 06-assignments."),
    Check("low", of_people.assigned_to_what_is_gone, "Delete the assignment in the portal; it gives nothing."),
    Check("note", of_roles.account_closed, "Nothing has to be done; 12-offboard takes away what names it."),
    Check("note", of_people.disabled_member, "Take the user out of the group when the user stays disabled."),
    Check("note", of_roles.long_value, "Nothing has to be done; shorter names leave room."),
    Check("note", of_roles.room_left, "Nothing has to be done."),
    Check("note", of_people.administrators, "Review them: 10-access lists every path."),
)


def findings(evidence: Evidence, keys: Keys, *, scopes: int = 1, label: str = LABEL) -> pd.DataFrame:
    """Run every check: FINDINGS, the worst first. `scopes` and `label` are those of `approles.plan` and `approles.render`."""
    terms = Terms(rows(paths(evidence, keys)), scopes, label, keys)
    found = [row for check_ in CHECKS for row in _findings(check_, list(check_.find(evidence, terms)))]
    return frame(FINDINGS, sorted(found, key=_order))


def _findings(check_: Check, items: Sequence[Item]) -> list[dict[str, str]]:
    """Make a finding of each item; where nothing has to be done, one note of all of them."""
    if len(items) > 1 and check_.remedy.startswith(NOTHING):
        told = "; ".join(f"{item.subject}: {item.cause}" for item in items[:MOST_NAMED])
        more = f" And {len(items) - MOST_NAMED} more." if len(items) > MOST_NAMED else ""
        items = [Item("all", f"{len(items)} objects", f"{told}{more}")]
    return [finding(check_.severity, check_.name, item.subject, cause=item.cause, remedy=check_.remedy, key=item.key) for item in items]


def _order(row: Mapping[str, str]) -> tuple[int, str, str, str]:
    return SEVERITIES.index(row["severity"]), row["check"], row["subject"], row["finding_id"]


def together(*tables: pd.DataFrame) -> pd.DataFrame:
    """Put several FINDINGS together, the worst first."""
    return frame(FINDINGS, sorted((row for table in tables for row in rows(check(FINDINGS, table))), key=_order))


def worst(found: pd.DataFrame) -> str:
    """Name the worst severity in FINDINGS; "" when there is none."""
    present = set(check(FINDINGS, found)["severity"])
    return next((severity for severity in SEVERITIES if severity in present), "")


def at_least(found: pd.DataFrame, severity: str) -> pd.DataFrame:
    """Give the FINDINGS of this severity or a worse one; none for "never". Raises ParameterError for another word."""
    if severity not in (*SEVERITIES, "never"):
        raise ParameterError(f"{severity!r} is no severity.", remedy=f"Use one of {', '.join(SEVERITIES)}, never.")
    wanted = [name for name in SEVERITIES if reaches(name, severity)]
    return check(FINDINGS, found).loc[lambda table: table["severity"].isin(wanted)].reset_index(drop=True)
