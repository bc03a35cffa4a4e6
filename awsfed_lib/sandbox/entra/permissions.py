"""Which permissions each call needs (microsoft-graph-devx-content permissions/new/permissions.json, checked against learn where read).

A rule is text: alternatives separated by `|`, permissions that are needed together by `&`. `X.OwnedBy@owner` holds only for objects that the
calling application owns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from awsfed_lib.sandbox.entra.tokens import Caller

OWNER = "@owner"
Owns = Callable[[], bool]


@dataclass(frozen=True)
class Rule:
    """Permissions of application tokens, those of delegated ones ("": the same), and whether a signed-in user needs a directory role."""

    application: str
    delegated: str = ""
    administrator: bool = False


_READ_DIRECTORY = "Directory.Read.All|Directory.ReadWrite.All"
_READ_APPLICATIONS = f"Application.Read.All|Application.ReadWrite.All|{_READ_DIRECTORY}"
_READ_GROUPS = (
    "Group.ReadBasic.All|Group.Read.All|Group.ReadWrite.All|GroupMember.Read.All|GroupMember.ReadWrite.All|GroupMember.ReadBasic.All|"
    + _READ_DIRECTORY
)
_READ_USERS = f"User.ReadBasic.All|User.Read.All|User.ReadWrite.All|{_READ_DIRECTORY}"
_ASSIGN = "AppRoleAssignment.ReadWrite.All"

ANY_TOKEN = Rule("")
READ_APPLICATIONS = Rule(f"{_READ_APPLICATIONS}|Application.ReadWrite.OwnedBy", _READ_APPLICATIONS)
WRITE_APPLICATIONS = Rule(
    f"Application.ReadWrite.All|Application.ReadWrite.OwnedBy{OWNER}|Directory.ReadWrite.All",
    "Application.ReadWrite.All|Directory.ReadWrite.All",
    administrator=True,
)
# graph/api/applicationtemplate-instantiate: the owner of what does not exist yet is the caller.
INSTANTIATE = Rule(
    "Application.ReadWrite.All|Application.ReadWrite.OwnedBy|Directory.ReadWrite.All",
    "Application.ReadWrite.All|Directory.ReadWrite.All",
    administrator=True,
)
READ_ASSIGNED = Rule(_READ_APPLICATIONS)
# Alone, AppRoleAssignment.ReadWrite.All is refused (graph-docs#12833, #20368).
ASSIGN = Rule("|".join(f"{_ASSIGN}&{read}" for read in _READ_APPLICATIONS.split("|")), administrator=True)
UNASSIGN = Rule(_ASSIGN, administrator=True)
READ_HELD = Rule(f"Group.Read.All|Group.ReadWrite.All|{_ASSIGN}|{_READ_DIRECTORY}")
READ_GROUPS = Rule(_READ_GROUPS)
CREATE_GROUPS = Rule(
    "Group.Create|Group.ReadWrite.All|Directory.ReadWrite.All", "Group.ReadWrite.All|Directory.ReadWrite.All", administrator=True
)
WRITE_GROUPS = Rule("Group.ReadWrite.All|Directory.ReadWrite.All", administrator=True)
WRITE_MEMBERS = Rule("GroupMember.ReadWrite.All|Group.ReadWrite.All|Directory.ReadWrite.All", administrator=True)
WRITE_ROLE_ASSIGNABLE = Rule("RoleManagement.ReadWrite.Directory", administrator=True)
READ_USERS = Rule(_READ_USERS)
DELETE_USERS = Rule("User.ReadWrite.All", administrator=True)
READ_POLICIES = Rule("Policy.Read.All|Policy.ReadWrite.ApplicationConfiguration")
WRITE_POLICIES = Rule("Policy.ReadWrite.ApplicationConfiguration", administrator=True)
_POLICIES = ("Policy.Read.All", "Policy.ReadWrite.ApplicationConfiguration")
_ANY_APPLICATION = "|".join(f"{one}&Application.ReadWrite.All" for one in _POLICIES)
APPLY_POLICIES = Rule(
    "|".join((_ANY_APPLICATION, *(f"{one}&Application.ReadWrite.OwnedBy{OWNER}" for one in _POLICIES))),
    _ANY_APPLICATION,
    administrator=True,
)
READ_AUDITS = Rule("AuditLog.Read.All")
READ_JOBS = Rule(f"Synchronization.Read.All|Synchronization.ReadWrite.All|Application.ReadWrite.OwnedBy{OWNER}")
WRITE_JOBS = Rule(
    f"Synchronization.ReadWrite.All|Application.ReadWrite.OwnedBy{OWNER}", "Synchronization.ReadWrite.All", administrator=True
)
READ_ORGANIZATION = Rule(f"Organization.Read.All|{_READ_DIRECTORY}", f"User.Read|Organization.Read.All|{_READ_DIRECTORY}")
READ_LICENSES = Rule(f"LicenseAssignment.Read.All|Organization.Read.All|{_READ_DIRECTORY}")
READ_OBJECTS = Rule(f"{_READ_USERS}|{_READ_GROUPS}|{_READ_APPLICATIONS}")

# What of a member is shown: learn.microsoft.com graph/permissions-overview, "limited information returned for inaccessible member objects".
READ_OF_TABLE = {"users": READ_USERS, "groups": READ_GROUPS, "servicePrincipals": READ_APPLICATIONS}


@cache
def _alternatives(rule: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split("&")) for one in rule.split("|")) if rule else ()


def allowed(rule: Rule, caller: Caller, owns: Owns = lambda: False) -> bool:
    """Whether the caller may; `owns` says whether the addressed object is the calling application's own."""
    if rule.administrator and not caller.app_only and not caller.administers:
        return False
    alternatives = _alternatives(rule.application if caller.app_only else rule.delegated or rule.application)
    return not alternatives or any(_held(one, caller, owns) for one in alternatives)


def _held(needed: frozenset[str], caller: Caller, owns: Owns) -> bool:
    return all(one.removesuffix(OWNER) in caller.permissions and (not one.endswith(OWNER) or owns()) for one in needed)
