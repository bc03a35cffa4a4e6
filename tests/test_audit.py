import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import (
    account,
    accounts,
    arn,
    assignment,
    assignments,
    group,
    groups,
    guid,
    live,
    member,
    members,
    provider,
    role,
    roles,
    seen,
    shuffled,
    value,
    wire,
)
from test_paths import ADMIN, A, B, evidence

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.review import audit
from awsfed_lib.core.roles import approles
from awsfed_lib.core.tables import FINDINGS, rows

QUIET = {"administrators", "room left"}
NAMES = {line.name for line in audit.CHECKS}


def findings(**fields):
    return rows(audit.findings(*seen(**evidence(**fields))))


def found(check, **fields):
    assert check in NAMES
    return [row for row in findings(**fields) if row["check"] == check]


def test_a_federation_in_order_has_only_notes():
    assert {row["check"] for row in findings()} == QUIET
    assert audit.worst(audit.findings(*seen(**evidence()))) == "note"


TROUBLES = [
    ("default role missing", "critical", {"app_roles": approles.entries([])}, "no msiam_access"),
    ("disabled but emitted", "high", {"app_roles": live(wire(A, "Admin", isEnabled=False))}, "still emitted for its 1 assignments"),
    ("assigned but missing in aws", "high", {"roles": roles()}, "sign-in fails"),
    ("missing in aws", "low", {"roles": roles(), "assignments": assignments()}, "nobody is assigned"),
    ("spelled otherwise in aws", "high", {"roles": roles(role(A, "admin"))}, f"AWS spells the role {arn(A, 'admin')}"),
    ("not trusted by the role", "high", {"roles": roles(role(A, "Admin", verdict="skipped", reason="no SAML:aud"))}, "no SAML:aud"),
    ("not trusted by the role", "high", {"roles": roles(role(A, "Admin", provider_arn="", verdict="skipped"))}, "no SAML trust"),
    ("value refused", "high", {"roles": roles(role(A, "Admin"), role(A, "R", value=value(A, "p" * 200 + "/R")))}, "at most 239 fit"),
    ("long value", "note", {"app_roles": live(wire(A, "p" * 100 + "/R"))}, "more than the 120"),
    ("account unread", "medium", {"accounts": accounts(A, account(B, "AccessDenied"))}, "Not read in full: AccessDenied"),
    ("account not in the inventory", "medium", {"accounts": accounts(B)}, "1 appRoles name this account"),
    ("role without app role", "medium", {"roles": roles(role(A, "Admin"), role(A, "New"))}, "no appRole for it"),
    ("value not of aws", "medium", {"app_roles": live(ADMIN, wire(A, "x", value="12345"))}, "is not a role ARN and a provider ARN"),
    ("named for another account", "medium", {"app_roles": live(wire(A, "Admin", displayName=f"{B} / Admin"))}, f"says account {B}"),
    ("same name twice", "medium", {"app_roles": live(ADMIN, wire(B, "Ops", displayName=ADMIN["displayName"]))}, "2 appRoles have this display name"),
    ("named otherwise", "note", {"app_roles": live(wire(A, "Admin", displayName="by hand"))}, "by the template it would be “name-345 / Admin”"),
    ("same pair twice", "low", {"app_roles": live(ADMIN, wire(A, "Admin", id="x", value=f"{provider(A)},{arn(A, 'Admin')}"))}, "2 appRoles"),
    ("on the app registration", "low", {"app_roles": live(wire(A, "Admin", origin="Application"))}, "declared on the app registration"),
    ("trust to look at", "low", {"roles": roles(role(A, "Admin", reason="no sts:TagSession"))}, "trust policy needs review: no sts:TagSession"),
    ("nested group", "medium", {"members": members(member("admins", "ursula"), member("admins", "inner", "Group"))}, "its members get nothing"),
    ("group not for security", "medium", {"groups": groups(group("admins"), group("m", security_enabled=False, kind="distribution"))}, "kind distribution"),
    ("assigned directly", "medium", {"assignments": assignments(assignment(ADMIN["id"], "ursula", "User"))}, "A User is assigned"),
    ("nobody assigned", "low", {"assignments": assignments()}, "Nobody is assigned"),
    ("empty group", "low", {"members": members()}, "no members"),
    ("same group name", "low", {"groups": groups(group("admins"), group("Admins"))}, "2 groups have this name"),
    ("assigned to what is gone", "low", {"assignments": assignments(assignment(ADMIN["id"], "admins"), assignment(guid("x"), "y"))}, "does not have"),
    ("disabled member", "note", {"members": members(member("admins", "igor", enabled=False))}, "igor@contoso.example"),
    ("one group many roles", "low", {"app_roles": live(ADMIN, wire(B, "Ops")), "assignments": assignments(assignment(ADMIN["id"], "admins"), assignment(guid(f"{B}/Ops"), "admins"))}, "It gives 2 roles"),
    ("administrators", "note", {}, "1 people reach AdministratorAccess, in 1 accounts."),
    ("room left", "note", {}, "3 of 700 permission definitions are used, 697 are free"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "severity", "fields", "cause"), TROUBLES)
def test_each_trouble_is_found_with_cause_and_remedy(check, severity, fields, cause):
    (row,) = found(check, **fields)
    assert (row["severity"], cause in row["cause"]) == (severity, True), row["cause"]
    assert row["remedy"]
    assert row["subject"]


@pytest.mark.parametrize(("check", "severity", "fields", "cause"), [line for line in TROUBLES if line[0] not in QUIET])
def test_each_trouble_is_told_only_when_it_is_there(check, severity, fields, cause):
    assert not found(check)


def many(number):
    return [wire(A, f"R{place:04}") for place in range(number)]


@pytest.mark.parametrize(
    ("number", "checks"), [(627, set()), (628, {"nearly no room"}), (697, {"nearly no room"}), (698, {"no room"}), (705, {"no room"})]
)
def test_trap_4_the_meter_warns_at_nine_tenths_and_when_it_is_full(number, checks):
    """700 with msiam_access and one scope (learn.microsoft.com howto-add-app-roles-in-apps, app-role-limits)."""
    told = {row["check"] for row in findings(app_roles=live(*many(number)))}
    assert told & {"no room", "nearly no room"} == checks


def test_trap_12_a_principal_near_the_limit_of_1500_is_told():
    listed = [assignment(guid(f"other {place}"), "admins") for place in range(1349)]
    assert not found("many assignments", assignments=assignments(*listed))
    (row,) = found("many assignments", assignments=assignments(*listed, assignment(ADMIN["id"], "admins")))
    assert row["cause"].startswith("1350 assignments")


@pytest.mark.parametrize(("number", "told"), [(299, 0), (300, 1)])
def test_a_user_with_very_many_roles_is_told(number, told):
    """The SAML response may have 100,000 characters (AssumeRoleWithSAML); about 430 Role values fit."""
    entries = many(number)
    table = roles(*(role(A, f"R{place:04}") for place in range(number)))
    given_ = assignments(*(assignment(entry["id"], "admins") for entry in entries))
    assert len(found("many roles", app_roles=live(*entries), assignments=given_, roles=table)) == told


def test_disabled_without_assignments_is_no_revocation_problem():
    assert not found("disabled but emitted", app_roles=live(wire(A, "Admin", isEnabled=False)), assignments=assignments())


def test_trap_27_an_unread_account_accuses_nobody():
    """Nothing in it is called dangling, untrusted or unassigned."""
    told = {row["check"] for row in findings(accounts=accounts(account(A, "AccessDenied")), roles=roles())}
    assert told == {*QUIET, "account unread", "no account read"}


def test_administrators_are_counted_once_and_only_where_it_works():
    both = live(ADMIN, wire(B, "Admin"))
    powerful = [role(account_id, "Admin", policies="arn:aws:iam::aws:policy/AdministratorAccess; inline:x") for account_id in (A, B)]
    given_ = assignments(*(assignment(guid(f"{account_id}/Admin"), "admins") for account_id in (A, B)))
    inside = members(
        member("admins", "ursula"), member("admins", "igor", enabled=False), member("admins", "inner", "Group"), member("inner", "nora")
    )
    fields = {"app_roles": both, "assignments": given_, "members": inside, "roles": roles(*powerful), "accounts": accounts(A, B)}
    (row,) = found("administrators", **fields)
    assert row["cause"] == "1 people reach AdministratorAccess, in 2 accounts."
    (row,) = found("administrators", **fields | {"accounts": accounts(A, account(B, "AccessDenied"))})
    assert "unknown in 1 accounts" in row["cause"]
    (row,) = found("administrators", **fields | {"accounts": accounts(account(A, "AccessDenied"))})
    assert row["cause"].startswith("Unknown")


def test_what_needs_nothing_done_is_one_note():
    two = live(wire(A, "Admin", displayName="by hand"), wire(A, "Ops", displayName="by hand too"))
    (row,) = found("named otherwise", app_roles=two)
    assert (row["severity"], row["subject"]) == ("note", "2 objects")


def test_a_name_that_was_cut_is_not_named_otherwise():
    long = role(A, "Admin", account_name="x" * 200)
    wanted = approles.render(roles(long))
    (name,) = wanted["display_name"]
    assert not found(
        "named otherwise", app_roles=live(wire(A, "Admin", displayName=name)), accounts=accounts(account(A) | {"account_name": "x" * 200})
    )


def test_findings_stand_from_the_worst_down():
    told = findings(app_roles=approles.entries([wire(A, name, isEnabled=False) for name in ("Zoo", "Admin", "Ops")]), members=members())
    severities = [row["severity"] for row in told]
    assert [row["subject"] for row in told if row["check"] == "missing in aws"] == [value(A, "Ops"), value(A, "Zoo")]
    assert severities == sorted(severities, key=["critical", "high", "medium", "low", "note"].index)
    assert severities[0] == "high"


def test_an_id_is_of_check_and_subject_and_stays_when_the_words_change():
    """A reviewer's note on a finding must find it again in the next run."""
    one = found("empty group", members=members())
    renamed = found("empty group", members=members(), groups=groups(group("admins", group_name="administrators")))
    assert one[0]["finding_id"] == renamed[0]["finding_id"]
    assert one[0]["subject"] != renamed[0]["subject"]


@given(st.integers(0, 2**16))
def test_findings_are_the_same_whatever_the_order_of_reading(seed):
    tables = evidence(
        app_roles=live(ADMIN, wire(B, "Ops"), wire(A, "Gone")),
        assignments=assignments(*(assignment(entry["id"], name) for entry in (ADMIN, wire(A, "Gone")) for name in ("admins", "ursula"))),
        members=members(member("admins", "inner", "Group"), member("admins", "ursula"), member("inner", "igor")),
        groups=groups(group("admins"), group("ADMINS"), group("m", security_enabled=False)),
        accounts=accounts(A, account(B, "AccessDenied")),
    )
    table = audit.findings(*seen(**tables))
    assert table["finding_id"].is_unique
    assert len(table) > 8
    assert rows(audit.findings(*seen(**{name: shuffled(frame, seed) for name, frame in tables.items()}))) == rows(table)


def test_at_least_and_worst():
    table = audit.findings(*seen(**evidence(members=members(), roles=roles())))
    assert set(audit.at_least(table, "high")["severity"]) == {"high"}
    assert len(audit.at_least(table, "note")) == len(table)
    assert audit.at_least(table, "never").empty
    assert audit.worst(table) == "high"
    assert audit.worst(audit.at_least(table, "never")) == ""
    assert list(audit.at_least(table, "low").index) == list(range(len(audit.at_least(table, "low"))))
    with pytest.raises(ParameterError, match="'bad' is no severity"):
        audit.at_least(table, "bad")


def test_every_line_of_the_audit_names_what_helps():
    assert len(NAMES) == len(audit.CHECKS)
    runbook = [line.remedy for line in audit.CHECKS if line.severity in ("critical", "high", "medium")]
    assert all(len(remedy) > 15 and remedy.endswith(".") for remedy in runbook)
    assert isinstance(audit.findings(*seen(**evidence())), pd.DataFrame)
    assert list(audit.findings(*seen(**evidence())).columns) == list(FINDINGS.columns)
