"""Who made a change: the approved run that planned it, whom the log names, or nobody and why."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from awsfed_lib.core.drift_shapes import AUTHORS, DRIFT
from awsfed_lib.core.review import attribution
from awsfed_lib.core.review.attribution import IN_AWS, LATE, OLDER, UNREADABLE, WHOLE, OwnRun, attribute
from awsfed_lib.core.review.sides import parts
from awsfed_lib.core.review.states import ABSENT, CHANGED, DRIFTED, NEVER, STILL
from awsfed_lib.core.tables import frame

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
AT = NOW - timedelta(hours=2)
VALUE = "arn:aws:iam::000000000001:role/Admin,arn:aws:iam::000000000001:saml-provider/WAAD"
KEYS = {
    "appRole": VALUE, "assignment": "p-1 → r-1", "member": "u-1 in g-1", "claim": "https://aws/Role", "certificate": "AB12",
    "provider": "arn:aws:iam::000000000001:saml-provider/WAAD",
    "IAM role": "arn:aws:iam::000000000001:role/Admin arn:aws:iam::000000000001:saml-provider/WAAD",
}  # fmt: skip
THERE = parts(enabled="yes", id="r-1")


def row(kind, *, live=THERE, state=DRIFTED, recorded=ABSENT, **more):
    basis = json.dumps({"desired": ABSENT, "recorded": recorded, "live": live})
    return {"kind": kind, "key": KEYS[kind], "state": state, "basis": basis, "recorded_at": BEFORE, **more}


def event(activity, *touched, changed="", who="bob@contoso.example", at=AT, app_id=""):
    line = {"at": at, "who": who, "activity": activity, "result": "success", "app_id": app_id}
    return {**line, "changed": changed, "touched": "; ".join(touched)}


def run(kind, key, action="add", *, name="RUN", ended=AT, app_id="app-1"):
    change = {"kind": kind, "key": key, "action": action}
    return OwnRun(name, "04-approles", "plan-1", ended - timedelta(seconds=30), ended, app_id, "", (change,))


def who(line, *events, own=(), client_id=""):
    told = attribute(frame(DRIFT, [line]), frame(AUTHORS, events), own, client_id=client_id, now=NOW)
    return told.iloc[0].to_dict()


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("appRole", event("Update service principal", "sp", "r-1", VALUE, changed="AppRole")),
        ("appRole", event("Update service principal", "sp", WHOLE, changed="AppRole, DisplayName")),
        ("assignment", event("Add app role assignment grant to user", "sp", "r-1", "p-1", changed="AppRole.Id")),
        ("assignment", event("Update service principal", "sp", "r-1", VALUE, changed="AppRole")),
        ("member", event("Add member to group", "u-1", "g-1")),
        ("claim", event("Update policy", "policy-1", changed="definition")),
        ("certificate", event("Add service principal credentials", "sp", changed="KeyCredentials")),
        ("certificate", event("Update service principal", "sp", changed="preferredTokenSigningKeyThumbprint")),
    ],
)
def test_log_names_who_changed_it(kind, entry):
    """Names: learn.microsoft.com entra/identity/monitoring-health/reference-audit-activities."""
    told = who(row(kind), entry)
    assert (told["changed_by"], told["changed_at"], told["run"]) == ("bob@contoso.example", AT, "")


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("appRole", event("Update service principal", "sp", "r-2", "other", changed="AppRole")),
        ("appRole", event("Add app role assignment grant to user", "sp", "r-1", VALUE, changed="AppRole.Id")),
        ("assignment", event("Add app role assignment grant to user", "sp", "r-1", "p-2", changed="AppRole.Id")),
        ("member", event("Add member to group", "u-1", "g-2")),
        ("member", event("Update group", "u-1", "g-1")),
        ("claim", event("Update service principal", "sp", changed="Tags")),
        ("certificate", event("Update service principal", "sp", changed="Tags")),
        ("certificate", {**event("Add service principal credentials", "sp", changed="KeyCredentials"), "result": "failure"}),
    ],
)
def test_entry_about_something_else_names_nobody(kind, entry):
    assert who(row(kind), entry)["changed_by"] == LATE


@pytest.mark.parametrize(
    ("line", "events", "why"),
    [
        (row("appRole"), [], LATE),
        (row("appRole", recorded_at=NOW - timedelta(days=31)) | {"recorded_at": NOW - timedelta(days=31)}, [], OLDER),
        (row("appRole"), [{"who": "not known", "activity": "Graph refused (403).", "target": "Grant AuditLog.Read.All."}], UNREADABLE),
        (row("IAM role"), [], IN_AWS),
        (row("provider"), [], IN_AWS),
    ],
    ids=["late", "older", "unreadable", "role in AWS", "provider in AWS"],
)
def test_nobody_known_comes_with_its_reason(line, events, why):
    told = who(line, *events)
    assert told["changed_by"] == why
    assert told["run"] == ""


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("appRole", ("appRole", VALUE)), ("assignment", ("assignment", "p-1 → r-1")), ("member", ("membership", "u-1 in g-1")),
        ("claim", ("assigned claims policy", "policy-1")), ("certificate", ("signing certificate", "active")),
        ("provider", ("provider", KEYS["provider"])), ("IAM role", ("policy", f"{KEYS['IAM role'].split(' ')[0]} arn:x")),
        ("IAM role", ("trust", KEYS["IAM role"].split(" ")[0])),
    ],
)  # fmt: skip
def test_approved_run_is_named_by_its_plan_even_where_no_log_can_be_read(kind, change):
    told = who(row(kind), own=[run(*change)])
    assert told["changed_by"] == "awsfed 04-approles (plan-1 in RUN)"
    assert (told["run"], told["plan"], told["changed_at"]) == ("RUN", "plan-1", AT)


@pytest.mark.parametrize(
    "own",
    [run("appRole", "other"), run("appRole", VALUE, "keep"), run("appRole", VALUE, "remove"), run("group", VALUE)],
    ids=["another role", "kept", "the other way", "another kind"],
)
def test_run_whose_plan_did_not_make_it_so_is_not_named(own):
    assert who(row("appRole"), own=[own])["run"] == ""


def test_removal_is_made_by_a_plan_that_removes():
    gone = row("appRole", live=ABSENT, recorded=THERE)
    assert who(gone, own=[run("appRole", VALUE, "remove")])["run"] == "RUN"
    assert who(gone, own=[run("appRole", VALUE, "add")])["run"] == ""


def test_somebody_who_changed_it_after_the_run_is_named_and_not_the_run():
    later = event("Update service principal", "r-1", changed="AppRole", at=AT + timedelta(minutes=30))
    assert who(row("appRole"), later, own=[run("appRole", VALUE)])["changed_by"] == "bob@contoso.example"
    earlier = {**later, "at": AT - timedelta(hours=1)}
    assert who(row("appRole"), earlier, own=[run("appRole", VALUE)])["run"] == "RUN"


@pytest.mark.parametrize("given", [{"who": "bob@contoso.example"}, {"who": "other", "app_id": "app-2"}], ids=["person", "application"])
def test_somebody_else_while_the_run_lasted_is_named_and_not_the_run(given):
    """A run goes on for minutes after it sent its plan; before it began, its plan has read what was changed."""
    meanwhile = event("Update service principal", "r-1", changed="AppRole", at=AT - timedelta(seconds=10), **given)
    assert who(row("appRole"), meanwhile, own=[run("appRole", VALUE)])["changed_by"] == given["who"]
    nameless = {**meanwhile, "who": "awsfed", "app_id": ""}
    assert who(row("appRole"), nameless, own=[run("appRole", VALUE)])["run"] == "RUN", "the log often gives no id of an application"


ADMINISTRATOR, READER = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.mark.parametrize(
    ("changes", "live", "approved"),
    [
        ([("tag",)], {"policies": ADMINISTRATOR}, False),
        ([("trust",)], {"trust": "taken", "policies": ADMINISTRATOR}, False),
        ([("trust",), ("policy", ADMINISTRATOR), ("policy", READER, "remove")], {"trust": "taken", "policies": ADMINISTRATOR}, True),
        ([("policy", ADMINISTRATOR)], {"policies": f"{ADMINISTRATOR}; {READER}"}, True),
        ([("role", "", "update")], {"session": "3600 s"}, True),
        ([("policy", ADMINISTRATOR)], {"session": "3600 s"}, False),
    ],
)
def test_of_an_iam_role_plans_explain_what_they_changed_and_nothing_else(changes, live, approved):
    """Nothing here reads who changed it in AWS: a policy that somebody attached after an approved tag is a change that nobody approved."""
    before = {"trust": "skipped", "policies": READER, "session": "7200 s"}
    arn = KEYS["IAM role"].split(" ")[0]
    own = [
        run(kind, f"{arn} {key}".strip(), *action, name=f"RUN-{kind}")
        for kind, key, *action in ((*one, "")[: max(2, len(one))] for one in changes)
    ]
    line = row("IAM role", recorded=parts(**before), live=parts(**before | live))
    told = who(line, own=own)
    assert bool(told["run"]) is approved
    assert (told["changed_by"] == IN_AWS) is not approved


def test_entry_of_the_run_itself_counts_for_it_and_gives_the_time():
    """Its application, while it lasted; two clocks may differ a little."""
    entry = event("Update service principal", "r-1", changed="AppRole", who="awsfed", app_id="app-1", at=AT + timedelta(seconds=40))
    told = who(row("appRole"), entry, own=[run("appRole", VALUE)])
    assert (told["run"], told["changed_at"]) == ("RUN", AT + timedelta(seconds=40))


@pytest.mark.parametrize(
    "given", [{"client_id": "app-1"}, {"own": [run("appRole", "other")]}], ids=["client of this run", "of another run"]
)
def test_application_of_awsfed_outside_every_run_is_no_approval(given):
    entry = event("Update service principal", "r-1", changed="AppRole", who="awsfed", app_id="app-1", at=AT + timedelta(hours=1))
    told = who(row("appRole"), entry, **given)
    assert told["changed_by"] == "awsfed (the application of awsfed, in no run that is recorded here)"
    assert told["run"] == ""


def test_what_did_not_change_is_not_asked_about_and_what_nobody_was_named_for_is_asked_again():
    entry = event("Add app role assignment grant to user", "r-1", "p-1", changed="AppRole.Id")
    assert who(row("assignment", state=NEVER), entry)["changed_by"] == ""
    assert who(row("assignment", state=STILL, changed_by=LATE), entry)["changed_by"] == "bob@contoso.example"
    assert who(row("assignment", state=STILL, changed_by="ann"), entry)["changed_by"] == "ann"
    assert who(row("assignment", state=CHANGED), entry)["changed_by"] == "bob@contoso.example"


def test_every_kind_has_its_name_in_plans():
    assert set(attribution.IN_PLANS) == set(KEYS)
