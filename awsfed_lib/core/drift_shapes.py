"""The shapes of drift: what one side says, the three sides put together, and who changed things in Entra ID."""

from __future__ import annotations

from awsfed_lib.core.tables import TEXT, TIME, Column, Schema

SIDE = Schema(
    "side",
    {
        "kind": Column(TEXT, "appRole, assignment, member, claim, certificate, provider, IAM role"),
        "account_id": Column(TEXT, "12 digits; '' for what belongs to no account"),
        "within": Column(TEXT, "what has to be known to speak of it: an account, a group, a role's value, or '' for the application"),
        "key": Column(TEXT, "what names it among its kind, by ids and ARNs; the keys of plans where there are such"),
        "subject": Column(TEXT, "what people call it"),
        "value": Column(TEXT, "its parts as a JSON object of texts; or absent, unread, no rule"),
    },
    ("kind", "key"),
)
DRIFT = Schema(
    "drift",
    {
        "state": Column(TEXT, "how the three sides stand to each other, in words; see sides.py"),
        "kind": SIDE.columns["kind"],
        "account_id": SIDE.columns["account_id"],
        "subject": SIDE.columns["subject"],
        "desired": Column(TEXT, "what the rules of the runbooks give today from AWS and the parameters"),
        "recorded": Column(TEXT, "what the record says that it is compared with"),
        "live": Column(TEXT, "what is there now"),
        "changed_by": Column(TEXT, "run and plan of awsfed, a person, an application, or why nobody is named"),
        "changed_at": Column(TIME, "when, as the log or the record of the run says"),
        "remedy": Column(TEXT, "what to do, with the runbook that does it"),
        "run": Column(TEXT, "record of the approved run that made the change; '' for none"),
        "plan": Column(TEXT, "plan of that run"),
        "recorded_at": Column(TIME, "when the run began whose record `recorded` is of"),
        "severity": Column(TEXT, "of the finding that tells of it; '' for none"),
        "finding_id": Column(TEXT, "its finding; '' for none"),
        "key": SIDE.columns["key"],
        "basis": Column(TEXT, "the three sides whole, as JSON: the next run goes by it"),
    },
    ("kind", "key"),
)
AUTHORS = Schema(
    "authors",
    {
        "at": Column(TIME, "when"),
        "who": Column(TEXT, "user or application that did it; not known when the log could not be read"),
        "activity": Column(TEXT, "what, in the log's words"),
        "result": Column(TEXT, "success or failure"),
        "target": Column(TEXT, "objects it touched"),
        "changed": Column(TEXT, "properties it changed"),
        "app_id": Column(TEXT, "application (client) id, where an application did it"),
        "touched": Column(TEXT, "ids and values that it names, joined by '; '; of appRoles those that differ"),
    },
    ("at", "who", "activity"),
)
