import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import DIRECTORY, arn, group, groups, guid, role, roles, shuffled, value

from awsfed_lib.core.change import Basis
from awsfed_lib.core.errors import ParameterError, TableError
from awsfed_lib.core.roles import groups as g
from awsfed_lib.core.tables import rows

A, B = "000000012345", "111111111111"
ADMIN = f"AWS-{A}-Admin"


def wanted(*names, **fields):
    return g.desired(roles(*(role(*name) for name in names)), **fields)


def matched(live, *names, **fields):
    return rows(g.match(wanted(*names, **fields), live))


def planned(live, *names, **fields):
    return g.plan(DIRECTORY, g.match(wanted(*names, **fields), live), live)


# Which group a role gets


def test_one_group_a_taken_role_named_by_the_template():
    table = rows(g.desired(roles(role(B, "Ops"), role(A, "Admin"), role(A, "No", verdict="skipped"))))
    assert [row["group_name"] for row in table] == [ADMIN, f"AWS-{B}-Ops"]
    assert table[0] == {"value": value(A, "Admin"), "group_name": ADMIN, "unique_name": ADMIN, "group_id": "", "source": "template"}


def test_the_tutorial_names_a_group_as_its_role():
    """ "Create new groups with the same name as that of IAM Roles created earlier"."""
    (row,) = rows(wanted((A, "accountname-aws-admin"), name="{role_name}"))
    assert row["group_name"] == "accountname-aws-admin"


@pytest.mark.parametrize(
    "line",
    [
        f'value,group_name\n"{value(A, "Admin")}",Cloud Admins',
        f"role_arn,group_name\n{arn(A, 'Admin')},Cloud Admins",
        f"account_id,role_name,group_name\n{A},Admin,Cloud Admins",
    ],
)
def test_a_mapping_names_the_role_in_three_ways(line):
    (row,) = rows(wanted((A, "Admin"), mapping=g.read_mapping(line.encode())))
    assert (row["group_name"], row["source"]) == ("Cloud Admins", "mapping")
    assert re.fullmatch(r"Cloud-Admins-[0-9a-f]{8}", row["unique_name"])


def test_a_mapping_by_id_and_the_rest_by_template():
    mapping = g.read_mapping(f"\ufeffrole_arn, group_id\r\n{arn(A, 'Admin')}, {guid('x').upper()}\r\n".encode())
    first, second = rows(wanted((A, "Admin"), (B, "Admin"), mapping=mapping))
    assert (first["group_id"], first["group_name"], first["unique_name"]) == (guid("x"), "", "")
    assert second["source"] == "template"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"columns \(none\)"),
        ("rolle,group_id\nx,y", "columns rolle"),
        ("role_arn,group_name\nx", "Line 2 .* does not name a group"),
        ("role_arn,group_name\nx,y,z", "3 cells(?s:.*)row 2"),
        ("role_arn,group_name\n,y", "does not name a role"),
        ("role_arn,value,group_name\nx,y,z", "does not name a role in exactly one way"),
        ("account_id,role_name,group_name\n000000012345,,z", "does not name a role"),
        ("role_arn,group_name,group_id\nx,,", "does not name a group"),
        (f"role_arn,group_name,group_id\nx,y,{guid('x')}", "does not name a group in exactly one way"),
        ("role_arn,group_id\nx,AWS-Admins", "not an object id"),
    ],
)
def test_a_wrong_mapping_names_its_line(text, why):
    with pytest.raises(ParameterError, match=why):
        g.read_mapping(text.encode())


def test_a_mapping_that_lost_its_zeros_is_refused():
    with pytest.raises(TableError, match="leading zeros"):
        g.read_mapping(b"account_id,role_name,group_name\n12345,Admin,x")


@pytest.mark.parametrize("second", [f"{arn(A, 'Admin')},,,y", f",{A},Admin,y"])
def test_two_lines_for_one_role_are_refused(second):
    mapping = g.read_mapping(f"role_arn,account_id,role_name,group_name\n{arn(A, 'Admin')},,,x\n{second}".encode())
    with pytest.raises(ParameterError, match="Two lines of the group map name the role"):
        wanted((A, "Admin"), mapping=mapping)


def test_lines_that_name_no_role_are_found():
    mapping = g.read_mapping(f"role_arn,group_name\n{arn(A, 'Admin')},x\n{arn(A, 'Amdin')},y".encode())
    assert list(g.unused(mapping, roles(role(A, "Admin")))["group_name"]) == ["y"]


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_a_nickname_keeps_the_rules_and_two_names_stay_two(one, other):
    """mailNickname: 64 characters, ASCII, without @()\\[]";:<>, and space (learn.microsoft.com graph/api/group-post-groups)."""
    nickname = g.nickname(one)
    assert 1 <= len(nickname) <= 64
    assert nickname.isascii()
    assert not set(nickname) & set('@()\\[]";:<>, ')
    assert (nickname == g.nickname(other)) == (one == other)


def test_a_long_role_name_gets_a_whole_group_name_and_a_short_nickname():
    (row,) = rows(wanted((A, "R" * 64)))
    assert row["group_name"] == f"AWS-{A}-{'R' * 64}"
    assert len(row["unique_name"]) == 64


# Finding it


def test_a_group_is_found_by_unique_name_before_its_name():
    """displayName is not unique (github.com/microsoftgraph/microsoft-graph-docs-contrib issue 1688)."""
    (row,) = matched(groups(group("other", ADMIN), group(ADMIN)), (A, "Admin"))
    assert (row["group_id"], row["how"], row["problem"]) == (guid("other"), "uniqueName", "")


def test_a_group_that_has_only_the_name_is_a_problem_whatever_the_case():
    """In many tenants anybody may create a security group, and `displayName eq` of Graph does not mind the case."""
    squatter = groups(group(ADMIN.upper(), origin="created 2026-10-01, owners: eve@contoso.example, 1 direct members"))
    (row,) = matched(squatter, (A, "Admin"))
    assert (row["group_id"], row["how"], bool(row["problem"])) == ("", "name", True)
    made = planned(squatter, (A, "Admin"))
    (change,) = made.changes
    assert not made
    assert change.before == f"{guid(ADMIN.upper())}: created 2026-10-01, owners: eve@contoso.example, 1 direct members"


def test_candidates_are_a_group_map_that_can_be_taken_as_it_is():
    """Of one candidate it settles the role; of several a person must choose."""
    live = groups(group(ADMIN, origin="created 2020-01-01"), group("O", f"AWS-{A}-Ops"))
    table = wanted((A, "Admin"), (A, "Ops"))
    text = g.candidates(g.match(table, live), live)
    (line,) = rows(g.read_mapping(text.encode()))
    assert (line["role_arn"], line["group_id"], line["note"]) == (arn(A, "Admin"), guid(ADMIN), "created 2020-01-01")
    settled = matched(live, (A, "Admin"), (A, "Ops"), mapping=g.read_mapping(text.encode()))
    assert [(row["how"], row["problem"]) for row in settled] == [("id", ""), ("uniqueName", "")]
    twins = groups(group(ADMIN), group(ADMIN, group_id=guid("twin")))
    assert len(g.read_mapping(g.candidates(g.match(wanted((A, "Admin")), twins), twins).encode())) == 2


def test_trap_13_two_groups_with_one_name_are_a_problem_and_no_choice():
    """Whoever takes the first may take the wrong one (github.com/microsoftgraph/microsoft-graph-docs issue 14868)."""
    twins = groups(group(ADMIN), group(ADMIN, group_id=guid("twin")))
    (row,) = matched(twins, (A, "Admin"))
    assert row["group_id"] == ""
    assert row["problem"].startswith("2 groups have this name: ")
    assert {guid("twin"), guid(ADMIN)} <= set(re.split(r"[ ,:;]+", row["problem"]))
    made = planned(twins, (A, "Admin"))
    assert not made
    assert made.changes[0].why == row["problem"]


def test_a_mapped_id_that_is_not_there_is_a_problem_and_no_new_group():
    mapping = g.read_mapping(f"role_arn,group_id\n{arn(A, 'Admin')},{guid('gone')}".encode())
    (row,) = matched(groups(group(ADMIN)), (A, "Admin"), mapping=mapping)
    assert (row["group_id"], row["how"]) == ("", "")
    assert guid("gone") in row["problem"]


def test_a_mapped_id_brings_the_name_of_the_group():
    mapping = g.read_mapping(f"role_arn,group_id\n{arn(A, 'Admin')},{guid('Cloud Admins')}".encode())
    (row,) = matched(groups(group("Cloud Admins")), (A, "Admin"), mapping=mapping)
    assert (row["group_id"], row["group_name"], row["how"]) == (guid("Cloud Admins"), "Cloud Admins", "id")


def test_trap_12_a_group_that_is_not_for_security_cannot_be_assigned():
    """Only security-enabled groups can (learn.microsoft.com entra/identity/enterprise-apps/assign-user-or-group-access-portal)."""
    (row,) = matched(groups(group(ADMIN, security_enabled=False, kind="distribution")), (A, "Admin"))
    assert "not security-enabled" in row["problem"]


def test_a_template_that_gives_two_roles_one_group_is_a_slip():
    """It would give every member all the roles; "one to one mapping for one group to one role" says the tutorial."""
    for row in matched(groups(), (A, "Admin"), (A, "Ops"), name="AWS-{account_id}"):
        assert row["problem"] == f"2 roles would share the group AWS-{A}: one group gives one role"
    assert not planned(groups(), (A, "Admin"), (A, "Ops"), name="AWS-{account_id}")


def test_a_mapping_may_give_two_roles_one_group():
    mapping = g.read_mapping(f"role_arn,group_name\n{arn(A, 'Admin')},Cloud\n{arn(A, 'Ops')},Cloud".encode())
    made = planned(groups(), (A, "Admin"), (A, "Ops"), mapping=mapping)
    (request,) = made.requests
    assert request.content["description"] == f"Gives {arn(A, 'Admin')}, {arn(A, 'Ops')}"


def test_a_template_row_does_not_slip_into_the_group_of_a_mapping():
    mapping = g.read_mapping(f"role_arn,group_id\n{arn(A, 'Ops')},{guid(ADMIN)}".encode())
    first, second = matched(groups(group(ADMIN, ADMIN)), (A, "Admin"), (A, "Ops"), mapping=mapping)
    assert "would share" in first["problem"]
    assert second["problem"] == ""


# The plan


def test_a_missing_group_is_made_by_upsert():
    """`PATCH /groups(uniqueName='x')` with create-if-missing makes one however often it is sent (graph/api/group-upsert)."""
    made = planned(groups(), (A, "Admin"))
    (request,) = made.requests
    assert (request.method, request.path) == ("PATCH", f"/groups(uniqueName='{ADMIN}')")
    assert request.headers == (("Prefer", "create-if-missing"),)
    assert request.content == {
        "displayName": ADMIN,
        "description": f"Gives {arn(A, 'Admin')}",
        "mailEnabled": False,
        "mailNickname": ADMIN,
        "securityEnabled": True,
    }
    assert made.counts == {"add": 1}


def test_basis_is_that_nobody_has_the_names_and_goal_that_the_groups_are_there():
    made = planned(groups(), (A, "Admin"), (B, "Admin"))
    of = json.dumps([ADMIN, f"AWS-{B}-Admin"], separators=(",", ":"))
    assert made.basis == (Basis.over("groups", of, ()),)
    assert made.goal[0].count == 2
    assert made.requests[0].settled.of == of


def test_groups_that_are_there_stay_as_they_are():
    made = planned(groups(group(ADMIN, ADMIN)), (A, "Admin"))
    assert not made
    assert made.counts == {"keep": 1}
    assert made.changes[0].why == "found by uniqueName"


def test_what_is_known_of_a_group_is_part_of_the_id():
    one, other = (planned(groups(group(ADMIN, ADMIN, origin=f"{count} direct members")), (A, "Admin")) for count in (1, 2))
    assert one.id != other.id


def test_groups_travel_in_waves_of_twenty():
    made = planned(groups(), *((A, f"R{place:02}") for place in range(41)))
    assert [request.wave for request in made.requests] == [0] * 20 + [1] * 20 + [2]
    assert [request.purpose for request in made.requests] == [f"Create the group AWS-{A}-R{place:02}" for place in range(41)]


@given(st.integers(0, 2**16))
def test_shuffled_inputs_give_one_plan(seed):
    twins = [group(f"AWS-{A}-R3", group_id=guid(f"twin {place}")) for place in range(5)]
    live = groups(group(f"AWS-{A}-R1"), group("other", f"AWS-{A}-R2"), group("stranger"), *twins)
    table = wanted(*((A, f"R{place}") for place in range(5)))
    one = g.plan(DIRECTORY, g.match(table, live), live)
    other = g.plan(DIRECTORY, shuffled(g.match(shuffled(table, seed), shuffled(live, seed)), seed), shuffled(live, seed))
    assert one.id == other.id
