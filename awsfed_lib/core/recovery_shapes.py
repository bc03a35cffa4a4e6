"""The shapes of the tables of recovery: what a revocation takes, what a restore cannot bring back, what differs afterwards.

They follow the laws of tables.py.
"""

from __future__ import annotations

from awsfed_lib.core.tables import TEXT, Column, Schema

MEMBERSHIPS = Schema(
    "memberships",
    {
        "group_id": Column(TEXT, "GUID of the group that the person is a direct member of"),
        "group_name": Column(TEXT, "its display name"),
        "kept_by": Column(TEXT, "what keeps its members: a rule, Active Directory, Exchange, role administrators; '' for Graph"),
    },
    ("group_id",),
)
LOST_PATHS = Schema(
    "lost_paths",
    {
        "person": Column(TEXT, "user name, display name or id of who loses the role"),
        "role": Column(TEXT, "display name of the appRole"),
        "account_id": Column(TEXT, "12 digits; '' when the value names no account"),
        "role_arn": Column(TEXT, "ARN of the IAM role"),
        "through": Column(TEXT, "the group, '' for a direct assignment"),
        "still": Column(TEXT, "what still gives the same role: groups, or directly; '' says nothing does"),
    },
    ("person", "role_arn", "through"),
)
OPEN_SESSIONS = Schema(
    "open_sessions",
    {
        "account_id": Column(TEXT, "12 digits"),
        "role_arn": Column(TEXT, "ARN of the IAM role whose sessions live on"),
        "command": Column(TEXT, "the command of AWS that denies them, with credentials of that account"),
    },
    ("role_arn",),
)
NOT_RESTORED = Schema(
    "not_restored",
    {
        "part": Column(TEXT, "appRole, assignment, membership, or what the record says of itself"),
        "label": Column(TEXT, "what people call it"),
        "problem": Column(TEXT, "why it does not come back, or not as it was"),
        "remedy": Column(TEXT, "what to do instead"),
    },
    ("part", "label"),
)
DIFFERENCES = Schema(
    "differences",
    {
        "table": Column(TEXT, "the live table"),
        "what": Column(TEXT, "missing: planned and not live; foreign: live and not planned"),
        "label": Column(TEXT, "what people call it"),
        "fact": Column(TEXT, "the object, as plans compare it"),
        "readings": Column(TEXT, "in how many readings it was so"),
        "since": Column(TEXT, "the last time the plan was seen to hold"),
    },
    ("table", "what", "fact"),
)
