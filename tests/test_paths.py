import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import (
    MSIAM,
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
    wire,
)

from awsfed_lib.core.review import audit
from awsfed_lib.core.tables import PATHS, rows

A, B = "000000012345", "111111111111"
ADMIN = wire(A, "Admin")
READ = (role(A, "Admin", policies="arn:aws:iam::aws:policy/AdministratorAccess"),)


def evidence(**fields):
    """One role that works, one group of it, one member; any table can be another."""
    known = {
        "app_roles": live(ADMIN),
        "assignments": assignments(assignment(ADMIN["id"], "admins")),
        "members": members(member("admins", "ursula")),
        "groups": groups(group("admins")),
        "roles": roles(*READ),
        "accounts": accounts(A),
    }
    return known | fields


def paths(**fields):
    return rows(audit.paths(*seen(**evidence(**fields))))


def verdicts(**fields):
    return [(row["user_name"], row["verdict"]) for row in paths(**fields)]


def test_a_path_leads_from_a_user_over_group_and_app_role_to_the_policies_of_the_role():
    assert paths() == [
        {
            "user_name": "ursula@contoso.example",
            "group_name": "admins",
            "app_role_id": ADMIN["id"],
            "account_id": A,
            "account_name": "name-345",
            "role_arn": arn(A, "Admin"),
            "policies": "arn:aws:iam::aws:policy/AdministratorAccess",
            "verdict": "effective",
            "cause": "",
        }
    ]


def test_trap_3_a_disabled_app_role_is_still_effective():
    """ "current assignments remain and the app role will continue to pass in the token" (learn.microsoft.com howto-add-app-roles-in-apps)."""
    assert verdicts(app_roles=live(wire(A, "Admin", isEnabled=False))) == [("ursula@contoso.example", "effective (appRole disabled)")]


def test_trap_12_members_of_an_inner_group_get_nothing():
    """ "Nested groups are not supported when assigning groups" (the tutorial)."""
    inside = members(member("admins", "ursula"), member("admins", "inner", "Group"), member("inner", "igor"), member("inner", "ursula"))
    assert verdicts(members=inside) == [("igor@contoso.example", "nested"), ("ursula@contoso.example", "effective")]


def test_groups_that_hold_each_other_come_to_an_end():
    circle = members(
        member("admins", "inner", "Group"), member("inner", "deep", "Group"), member("deep", "inner", "Group"),
        member("deep", "admins", "Group"), member("deep", "igor"),
    )  # fmt: skip
    assert verdicts(members=circle) == [("igor@contoso.example", "nested")]


def test_an_inner_group_that_was_not_read_is_still_a_nested_path():
    assert verdicts(members=members(member("admins", "inner", "Group"))) == [("", "nested")]


@pytest.mark.parametrize("inside", [(), (member("admins", "phone", "Device"),), (member("admins", "app", "ServicePrincipal"),)])
def test_a_group_without_people_leads_to_nobody(inside):
    """Service principals in a group get no roles claim (learn.microsoft.com enterprise-apps, assign-user-or-group)."""
    assert verdicts(members=members(*inside)) == [("", "nobody")]


def test_a_group_that_was_not_read_is_unread_and_not_empty():
    assert verdicts(groups=groups()) == [("", "unread")]


def test_a_user_who_is_disabled_cannot_sign_in():
    assert verdicts(members=members(member("admins", "ursula", enabled=False))) == [("ursula@contoso.example", "user disabled")]


def test_a_user_who_is_assigned_directly_has_a_path_without_group():
    """Somebody who was not read is shown by the name of the assignment, and never called enabled."""
    given = assignments(assignment(ADMIN["id"], "Ursula", "User"))
    (row,) = paths(assignments=given)
    assert (row["user_name"], row["group_name"], row["verdict"]) == ("Ursula", "", "unknown")
    alone = {**member("admins", "Ursula"), "group_id": ""}
    (row,) = paths(assignments=given, members=members(alone))
    assert (row["user_name"], row["group_name"], row["verdict"]) == ("Ursula@contoso.example", "", "effective")


def test_who_may_be_disabled_is_not_called_enabled_and_hidden_members_are_unread():
    """A permission that is missing makes nothing look better: microsoft-graph-docs #2833 (accountEnabled null), hidden membership."""
    assert verdicts(members=members(member("admins", "ursula", enabled=None))) == [("ursula@contoso.example", "unknown")]
    assert verdicts(members=members(), groups=groups(group("admins", problem="hidden"))) == [("", "unread")]


def test_an_assigned_service_principal_leads_to_nobody():
    assert verdicts(assignments=assignments(assignment(ADMIN["id"], "app", "ServicePrincipal"))) == [("", "nobody")]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"roles": roles()}, "dangling"),
        ({"roles": roles(role(A, "admin"))}, "dangling"),
        ({"roles": roles(role(A, "Admin", verdict="skipped", value=""))}, "untrusted"),
        ({"roles": roles(role(A, "Admin", of="Other"))}, "untrusted"),
        ({"accounts": accounts(account(A, "AccessDenied"))}, "unread"),
        ({"accounts": accounts(B)}, "unread"),
        ({"accounts": accounts(account(A, "AccessDenied")), "roles": roles()}, "unread"),
        ({"app_roles": live(wire(A, "Admin", value="arn:aws:iam::12345:role/Admin,x"))}, "dangling"),
    ],
)
def test_what_is_wrong_with_the_role(fields, verdict):
    """Whatever is not known of the account: where nobody is at the end, nobody gets in."""
    assert verdicts(**fields) == [("ursula@contoso.example", verdict)]
    assert verdicts(members=members(), **fields) == [("", "nobody")]


def test_msiam_access_emits_nothing_and_has_no_path():
    """Its value is null: Entra ID puts no Role value into the response for it."""
    assert paths(assignments=assignments(assignment(MSIAM["id"], "admins"))) == []


def test_the_other_order_of_the_arns_is_a_path_as_well():
    reverse = wire(A, "Admin", value=f"{provider(A)},{arn(A, 'Admin')}")
    assert [row["verdict"] for row in paths(app_roles=live(reverse))] == ["effective"]


def test_an_assignment_to_an_app_role_that_is_gone_has_no_path():
    assert paths(assignments=assignments(assignment(guid("gone"), "admins"))) == []


@given(st.integers(0, 2**16))
def test_paths_are_sorted_whatever_the_order_of_reading(seed):
    tables = evidence(
        app_roles=live(ADMIN, wire(B, "Ops")),
        assignments=assignments(*(assignment(entry["id"], name) for entry in (ADMIN, wire(B, "Ops")) for name in ("admins", "others"))),
        members=members(*(member(name, user) for name in ("admins", "others") for user in ("ursula", "igor"))),
        groups=groups(group("admins"), group("others")),
        roles=roles(*READ, role(B, "Ops")),
        accounts=accounts(A, B),
    )
    table = audit.paths(*seen(**tables))
    assert list(table.columns) == list(PATHS.columns)
    assert len(table) == 8
    assert rows(audit.paths(*seen(**{name: shuffled(frame, seed) for name, frame in tables.items()}))) == rows(table)
