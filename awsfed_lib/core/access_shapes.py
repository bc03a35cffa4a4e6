"""The shapes of the tables of the access review: who reaches what, what was used, and what reviewers decided.

They follow the laws of tables.py.
"""

from __future__ import annotations

from awsfed_lib.core.tables import COUNT, FLAG, TEXT, TIME, Column, Schema

ACCESS_BY_ACCOUNT = Schema(
    "access_by_account",
    {
        "account_id": Column(TEXT, "12 digits; '' when the value names no account"),
        "account_name": Column(TEXT, "name of the account"),
        "role_name": Column(TEXT, "name of the IAM role"),
        "user_name": Column(TEXT, "userPrincipalName of who reaches it"),
        "through": Column(TEXT, "groups that give it, joined by '; '; directly for an assignment of the person"),
        "administrator": Column(FLAG, "whether a policy gives everything: AdministratorAccess"),
        "policies": Column(TEXT, "policies of the IAM role"),
        "max_session": Column(COUNT, "hours that a session lasts at most; unknown for a role that was not read"),
        "role_last_used": Column(TIME, "when anybody last used the role, in the trailing 400 days (RoleLastUsed)"),
        "entered": Column(TIME, "when this person last entered this role, by CloudTrail"),
        "verdict": Column(TEXT, "effective, or what stands in the way"),
        "role_arn": Column(TEXT, "ARN of the IAM role"),
    },
    ("role_arn", "user_name"),
)
ACCESS_BY_USER = Schema(
    "access_by_user",
    {
        "user_name": Column(TEXT, "userPrincipalName"),
        "account_id": Column(TEXT, "12 digits; '' when the value names no account"),
        "account_name": Column(TEXT, "name of the account"),
        "roles": Column(TEXT, "IAM roles that the person reaches there, joined by '; '"),
        "through": Column(TEXT, "groups that give them, joined by '; '; directly for an assignment of the person"),
        "administrator": Column(FLAG, "whether one of them gives everything"),
        "policies": Column(TEXT, "policies of these roles, joined by '; '"),
        "max_session": Column(COUNT, "hours of the longest session"),
        "signed_in": Column(TIME, "when the person last signed in to the application, by Entra ID's log"),
        "entered": Column(TIME, "when the person last entered one of these roles, by CloudTrail"),
    },
    ("user_name", "account_id"),
)
UNUSED = Schema(
    "unused",
    {
        "what": Column(TEXT, "person, role, or path: what was not used"),
        "user_name": Column(TEXT, "userPrincipalName; '' for a role"),
        "gives": Column(TEXT, "what the person or the role could do all the same"),
        "by": Column(TEXT, "the log that knows, with its window: not in it is not the same as never"),
        "account_id": Column(TEXT, "12 digits; '' for a person"),
        "role_arn": Column(TEXT, "ARN of the IAM role; '' for a person"),
    },
    ("what", "user_name", "role_arn"),
)
SIGNED_IN = Schema(
    "signed_in",
    {
        "user_name": Column(TEXT, "userPrincipalName, in lower case"),
        "last_success": Column(TIME, "last successful sign-in to the application within the window"),
        "successes": Column(COUNT, "successful sign-ins"),
        "failures": Column(COUNT, "failed and interrupted ones"),
        "last_error": Column(TEXT, "error code and reason of the newest failure"),
    },
    ("user_name",),
)
ENTERED = Schema(
    "entered",
    {
        "account_id": Column(TEXT, "12 digits"),
        "role_arn": Column(TEXT, "ARN of the IAM role"),
        "user_name": Column(TEXT, "RoleSessionName, in lower case"),
        "last_entered": Column(TIME, "last time AWS let this session in"),
        "sessions": Column(COUNT, "sessions that were opened"),
        "refused": Column(COUNT, "sign-ins that AWS refused"),
    },
    ("role_arn", "user_name"),
)
WINDOWS = Schema(
    "entered_windows",
    {
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account, where known"),
        "begin": Column(TIME, "since when CloudTrail of the account is known; unknown where it was not read"),
        "events": Column(COUNT, "events that were read"),
        "problem": Column(TEXT, "why it was not read, or not for the whole window; '' says that it was"),
    },
    ("account_id",),
)
REVIEW = Schema(
    "review",
    {
        "decision": Column(TEXT, "keep or remove, which the reviewer writes; '' is undecided"),
        "reviewer": Column(TEXT, "who decided"),
        "comment": Column(TEXT, "why"),
        "user_name": Column(TEXT, "userPrincipalName"),
        "group_name": Column(TEXT, "the group of the path; '' for a direct assignment"),
        "account_id": Column(TEXT, "12 digits"),
        "account_name": Column(TEXT, "name of the account"),
        "role_name": Column(TEXT, "name of the IAM role"),
        "administrator": Column(TEXT, "yes where a policy gives everything"),
        "policies": Column(TEXT, "policies of the IAM role"),
        "verdict": Column(TEXT, "effective, or what stands in the way"),
        "last_use": Column(TEXT, "what the logs know of it, with their window"),
        "app_role_id": Column(TEXT, "GUID of the appRole; stays as it is"),
        "path_id": Column(TEXT, "names the path, and stays as it is"),
        "row_id": Column(TEXT, "covers the row as it is shown, and stays as it is"),
    },
    ("path_id",),
)
DECIDED = Schema(
    "decided",
    {
        "state": Column(TEXT, "leaves the group, assignment goes, kept, undecided, gone already, not removed, not in the sheet"),
        "user_name": Column(TEXT, "userPrincipalName"),
        "group_name": Column(TEXT, "the group of the path; '' for a direct assignment"),
        "role": Column(TEXT, "display name of the appRole"),
        "decision": Column(TEXT, "keep or remove; '' is undecided"),
        "reviewer": Column(TEXT, "who decided"),
        "comment": Column(TEXT, "why"),
        "why": Column(TEXT, "why it is not removed, or what else goes with it"),
        "path_id": Column(TEXT, "names the path"),
    },
    ("path_id",),
)
