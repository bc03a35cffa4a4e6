import csv
import io
import itertools
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import (
    APPLICATION,
    MSIAM,
    account,
    arn,
    assignment,
    assignments,
    desired,
    guid,
    ids,
    live,
    provider,
    reading,
    role,
    roles,
    shuffled,
    value,
    wire,
)
from scenarios import Scenario, of_account, scenarios

from awsfed_lib.core import facts
from awsfed_lib.core.change import Basis, Guards
from awsfed_lib.core.errors import ParameterError, PlanError, TableError, UnreadError
from awsfed_lib.core.roles import approles
from awsfed_lib.core.roles.body import capacity, flaw

A, B = "000000012345", "111111111111"


def plan(live_table, wanted, **fields):
    known = {"within": reading(A, B), "assignments": assignments()}
    return approles.plan(APPLICATION, live_table, wanted, **(known | fields))


def bodies(made):
    return [request.content["appRoles"] for request in made.requests if request.method == "PATCH"]


def by_key(made):
    return {change.key: change for change in made.changes}


# The tutorial


def test_the_two_roles_of_the_tutorial_give_its_json():
    """The appRoles of the tutorial, step i (learn.microsoft.com entra/identity/saas-apps/aws-multi-accounts-tutorial).

    Its account 12345 is padded to 12 digits; its ids are anybody's GUIDs; its "origin": "ServicePrincipal" is what Graph
    writes, and new entries carry none.
    """
    shown = [
        {
            "allowedMemberTypes": ["User"],
            "description": name,
            "displayName": name,
            "isEnabled": True,
            "value": f"arn:aws:iam::{A}:role/{name.split(',')[0]},arn:aws:iam::{A}:saml-provider/WAAD",
        }
        for name in ("Admin,WAAD", "Auditors,WAAD")
    ]
    made = plan(live(), desired((A, "Admin"), (A, "Auditors"), label="{role_name},{provider_name}"))
    (body,) = bodies(made)
    assert list(body[0].items()) == list(MSIAM.items())
    assert [{key: entry[key] for key in entry if key != "id"} for entry in body[1:]] == shown
    assert list(body[1]) == ["allowedMemberTypes", "description", "displayName", "id", "isEnabled", "value"]
    assert made.requests[0].path == "/servicePrincipals/sp-1"


def test_the_notepad_of_the_tutorial():
    """ "store all of them in format Role ARN,Trusted entities in a notepad", sorted, as CSV that a spreadsheet can open."""
    taken = [role(B, "Auditors"), role(A, "Admin"), role(A, "with,comma"), role(A, "No", verdict="skipped", value="")]
    text = approles.tutorial_csv(roles(*taken))
    assert list(csv.reader(io.StringIO(text))) == [
        ["Role ARN", "Trusted entities"],
        [arn(A, "Admin"), provider(A)],
        [arn(A, "with,comma"), provider(A)],
        [arn(B, "Auditors"), provider(B)],
    ]
    assert text.splitlines()[1] == value(A, "Admin")


# Traps


def test_trap_1_the_body_holds_the_whole_collection():
    """PATCH appRoles replaces it (github.com/microsoftgraph/microsoft-graph-docs issue 5338)."""
    made = plan(live(wire(A, "Old"), wire(B, "Other")), desired((A, "New")))
    (body,) = bodies(made)
    assert ids(body)[:3] == [MSIAM["id"], guid(f"{A}/Old"), guid(f"{B}/Other")]
    assert len(body) == 4


def test_trap_2_a_removal_is_two_patches_that_differ_by_the_removed():
    """ "cannot be deleted or updated unless disabled first" (github.com/Azure/azure-cli issue 16166)."""
    made = plan(live(wire(A, "Gone"), wire(A, "Kept")), desired((A, "Kept")), guards=Guards(max_removed=1))
    first, second = bodies(made)
    assert [entry["isEnabled"] for entry in first] == [True, False, True]
    assert second == [entry for entry in first if entry["id"] != guid(f"{A}/Gone")]


def test_trap_2_a_value_is_never_edited_in_place():
    """A changed value under one id left people with the old one in their tokens (github.com/microsoftgraph/msgraph-bicep-types issue 300)."""
    made = plan(live(wire(A, "Gone", id="old")), desired((A, "New")), guards=Guards(max_removed=1))
    *_, last = bodies(made)
    assert [entry["value"] for body in bodies(made) for entry in body if entry["id"] == "old"] == [value(A, "Gone")]
    assert [entry["id"] == "old" for entry in last if entry["value"] == value(A, "New")] == [False]


def test_trap_3_assignments_go_before_the_role_is_disabled_and_are_counted():
    """A disabled appRole "will continue to pass in the token" (learn.microsoft.com howto-add-app-roles-in-apps)."""
    lost = assignment(guid(f"{A}/Gone"), "group-a")
    given_ = assignments(lost, assignment(guid(f"{A}/Kept"), "group-b"))
    table = live(wire(A, "Gone"), wire(A, "Kept"))
    made = plan(table, desired((A, "Kept")), assignments=given_, guards=Guards(max_removed=2))
    assert [request.method for request in made.requests] == ["DELETE", "PATCH", "PATCH"]
    assert made.requests[0].path == f"/servicePrincipals/sp-1/appRoleAssignedTo/{lost['assignment_id']}"
    assert [request.wave for request in made.requests] == [0, 1, 2]
    assert made.losses == ((guid("group-a"), "group-a", "name-345 / Gone"),)
    assert made.counts["remove"] == 2
    assert not made.refusals
    (refusal,) = plan(table, desired((A, "Kept")), assignments=given_, guards=Guards(max_removed=1)).refusals
    assert refusal == "The plan removes 2 objects (1 appRoles, 1 assignments), and max_removed of the parameter file is 1."


def test_i10_what_is_added_is_there_before_anything_is_taken_away():
    """An exchange adds first: between its requests nobody is without a role who has one before and after."""
    lost = assignment(guid(f"{A}/Gone"), "group-a")
    made = plan(live(wire(A, "Gone")), desired((A, "New")), assignments=assignments(lost), guards=Guards(max_removed=2))
    assert [request.method for request in made.requests] == ["PATCH", "DELETE", "PATCH", "PATCH"]
    assert [request.wave for request in made.requests] == [0, 1, 2, 3]
    grown, disabled, final = ({entry["value"]: entry["isEnabled"] for entry in body} for body in bodies(made))
    assert grown == {None: True, value(A, "Gone"): True, value(A, "New"): True}
    assert disabled == {None: True, value(A, "Gone"): False, value(A, "New"): True}
    assert final == {None: True, value(A, "New"): True}


def renamed(*assigned):
    """One role whose provider was renamed: WAAD is live and assigned to two groups, Entra is wanted."""
    old = [assignment(guid(f"{A}/Admin"), name) for name in ("group-a", "group-b")]
    table = live(wire(A, "Admin"), wire(A, "Admin", id="new", value=value(A, "Admin", "Entra")))
    wanted = approles.render(roles(role(A, "Admin", "Entra")))
    given_ = assignments(*old, *(assignment("new", name) for name in assigned))
    return plan(table, wanted, assignments=given_, guards=Guards(max_removed=9))


def test_i4b_a_role_with_a_new_provider_keeps_its_old_entry_until_every_holder_has_the_new_one():
    """A value is never edited in place, so a new provider is a new entry: first it, then its assignments, then the removal."""
    for names, waiting in (((), "group-a, group-b"), (("group-a",), "group-b")):
        made = renamed(*names)
        assert not made
        why = by_key(made)[value(A, "Admin")].why
        assert why == f"stays until {waiting} is assigned to the entry of Admin for the new provider (06-assignments)"
    made = renamed("group-a", "group-b", "group-c")
    assert [request.method for request in made.requests] == ["DELETE", "DELETE", "PATCH", "PATCH"]
    assert [loss.principal_name for loss in made.losses] == ["group-a", "group-b"]


def test_i4b_the_new_entry_is_added_while_the_old_one_waits():
    given_ = assignments(*(assignment(guid(f"{A}/Admin"), f"group-{letter}") for letter in "abcde"))
    wanted = approles.render(roles(role(A, "Admin", "Entra")))
    made = plan(live(wire(A, "Admin")), wanted, assignments=given_, guards=Guards(max_removed=9))
    (body,) = bodies(made)
    assert [entry["value"] for entry in body] == [None, value(A, "Admin"), value(A, "Admin", "Entra")]
    assert "group-a, group-b, group-c and 2 more" in by_key(made)[value(A, "Admin")].why


@pytest.mark.parametrize(("field", "kind"), [("break_glass", "break-glass"), ("protected_groups", "protected")])
@pytest.mark.parametrize("pattern", ["GROUP-*", guid("group-a")])
def test_i12_who_must_never_lose_a_role_keeps_the_plan_from_being_sent(field, kind, pattern):
    lost = assignment(guid(f"{A}/Gone"), "group-a")
    limits = Guards(max_removed=9, **{field: (pattern,)})
    made = plan(live(wire(A, "Gone")), desired(), assignments=assignments(lost), guards=limits)
    assert made.refusals == (f"group-a is {kind} ({pattern}) and would lose name-345 / Gone.",)


def many(number, **fields):
    return [wire(A, f"R{place:04}", **fields) for place in range(number)]


@pytest.mark.parametrize("scopes", [0, 1, 3])
def test_trap_4_the_limit_of_700_counts_scopes_msiam_access_and_disabled_ones(scopes):
    """ "enabled and disabled" definitions share 700 (learn.microsoft.com howto-add-app-roles-in-apps, app-role-limits)."""
    full = live(*many(699 - scopes, isEnabled=False))
    assert capacity(full, scopes) == (700, 700, 699 - scopes, 0)
    assert not plan(full, desired(), scopes=scopes)
    with pytest.raises(TableError, match="701 permission definitions exceed the limit of 700 by 1"):
        plan(full, desired((A, "Another")), scopes=scopes)
    room = live(*many(698 - scopes))
    (body,) = bodies(plan(room, desired((A, "Another")), scopes=scopes))
    assert len(body) + scopes == 700


def test_trap_4_an_object_over_the_limit_may_stay_and_shrink():
    """ "If the count stays the same or decreases the update is accepted" is the rule of the same page."""
    over = live(*many(710), wire(B, "Off", isEnabled=False))
    (body,) = bodies(plan(over, desired((B, "Off"))))
    assert len(body) == 712
    first, last = bodies(plan(over, desired((B, "Off")), guards=Guards(max_removed=1000)))
    assert (len(first), len(last)) == (712, 2)
    with pytest.raises(TableError, match="exceed the limit of 700 by 1"):
        plan(over, desired((B, "Off"), (B, "New")))


def test_trap_4_at_the_limit_an_exchange_waits_until_there_is_room():
    """With 700 used, what is added goes into the PATCH that leaves out what is removed."""
    first, last = bodies(plan(live(*many(697), wire(B, "Gone")), desired((B, "New")), guards=Guards(max_removed=1), within=reading(B)))
    assert (len(first), len(last)) == (699, 699)
    assert value(B, "New") not in {entry["value"] for entry in first}
    assert value(B, "New") in {entry["value"] for entry in last}


def test_trap_5_entries_of_the_application_go_back_byte_for_byte():
    """Else "does not match the application object" (github.com/microsoftgraph/microsoft-graph-docs-contrib issue 8801)."""
    user = wire(A, "x", value=None, displayName="User", origin="Application", id="user")
    text = json.dumps([MSIAM, user])
    made = plan(approles.entries(json.loads(text)), desired((A, "New")))
    assert text[1:-1] in made.requests[0].body
    assert '"value": null' in made.requests[0].body


def test_trap_6_origin_is_echoed_as_read_and_new_entries_have_none():
    """ "must not be included in any POST or PATCH" says the resource page; the tutorials send back what they read."""
    (body,) = bodies(plan(live(wire(A, "Old")), desired((A, "Old"), (A, "New"))))
    assert [entry.get("origin") for entry in body] == ["Application", "ServicePrincipal", None]


@pytest.mark.parametrize(("length", "verdict"), [(120, "quiet"), (121, "caution"), (239, "caution"), (240, "refused")])
def test_trap_7_a_value_over_120_is_a_caution_and_over_239_refused(length, verdict):
    """The page says 120, the AWS tutorial "less than 240" (github.com/MicrosoftDocs/azure-docs issue 28815)."""
    path = "p" * (length - len(value(A, "/Admin")))
    row = role(A, "Admin", role_arn=arn(A, f"{path}/Admin"), value=value(A, f"{path}/Admin"))
    assert len(row["value"]) == length
    wanted = approles.render(roles(row))
    if verdict == "refused":
        with pytest.raises(TableError, match=r"240 characters; at most 239 fit, so shorten .* by 1"):
            plan(live(), wanted)
    else:
        (change,) = (change for change in plan(live(), wanted).changes if change.action == "add")
        assert bool(change.why) == (verdict == "caution")


def test_trap_7_what_is_live_and_too_long_does_not_stop_the_others():
    (body,) = bodies(plan(live(wire(A, "p" * 200 + "/Admin")), desired((A, "New"))))
    assert len(body) == 3


@pytest.mark.parametrize(
    ("text", "why"), [("a b", "' '"), (".a", "dot"), ('a"b', "'\"'"), ("", "empty"), ("ä", "'ä'"), ("a", ""), (value(A, "+=,.@_-"), "")]
)
def test_trap_7_characters_of_a_value(text, why):
    """No spaces, no leading dot, a set of ASCII (learn.microsoft.com graph/api/resources/approle, value)."""
    assert why in flaw(text)
    assert bool(flaw(text)) == bool(why)


def test_trap_8_two_values_that_differ_in_case_only_are_never_sent_together():
    """Graph refuses duplicates (github.com/microsoftgraph/microsoft-graph-docs issue 21667); AWS minds the case at sign-in."""
    table = live(wire(A, "admin"))
    kept = plan(table, desired((A, "Admin")))
    assert not kept
    assert "AWS spells it" in by_key(kept)[value(A, "admin")].why
    first, last = bodies(plan(table, desired((A, "Admin")), guards=Guards(max_removed=1)))
    assert [entry["value"] for entry in first] == [None, value(A, "admin")]
    assert [entry["value"] for entry in last] == [None, value(A, "Admin")]


def test_trap_8_the_other_order_of_the_arns_is_the_same_role():
    table = live(wire(A, "Admin", value=f"{provider(A)},{arn(A, 'Admin')}"))
    assert not plan(table, desired((A, "Admin")), guards=Guards(max_removed=5))


def test_trap_8_a_second_entry_for_one_role_is_kept_and_named():
    twin = wire(A, "Admin", id="twin", value=f"{provider(A)},{arn(A, 'Admin')}")
    made = plan(live(wire(A, "Admin"), twin), desired((A, "Admin")), guards=Guards(max_removed=5))
    assert not made
    assert by_key(made)[twin["value"]].why == f"names the same role and provider as {guid(f'{A}/Admin')}"


def test_of_two_entries_for_one_role_the_enabled_one_stands_for_it():
    """The disabled one is not enabled beside it: Entra ID would emit the role twice for nobody's good."""
    twin = wire(A, "Admin", id="twin", value=f"{provider(A)},{arn(A, 'Admin')}")
    made = plan(live(wire(A, "Admin", isEnabled=False), twin), desired((A, "Admin")))
    assert not made
    assert by_key(made)[value(A, "Admin")].why == "names the same role and provider as twin"


def test_trap_9_a_role_of_the_app_registration_is_never_touched_nor_doubled():
    """ "Application" only comes from the application object; ours belong on the service principal (github.com/awslabs/aws-iam-aad)."""
    table = live(
        wire(A, "Admin", origin="Application"), wire(A, "Gone", origin="Application"), wire(A, "Off", origin="Application", isEnabled=False)
    )
    made = plan(table, desired((A, "Admin"), (A, "Off")), guards=Guards(max_removed=9))
    assert not made
    assert by_key(made)[value(A, "Off")].why == "of the application registration, and disabled there"


def test_trap_10_a_role_that_the_provisioning_job_disabled_is_enabled_again():
    """The job disables hand-patched roles (github.com/MicrosoftDocs/azure-docs issue 23162)."""
    made = plan(live(wire(A, "Admin", isEnabled=False)), desired((A, "Admin")))
    assert by_key(made)[value(A, "Admin")][:1] + by_key(made)[value(A, "Admin")][4:6] == ("update", "disabled", "enabled")
    (body,) = bodies(made)
    assert body[1] == wire(A, "Admin")


@pytest.mark.parametrize("within", [reading(A), reading(A, account(B, "AccessDenied")), reading(A, account(B, state="SUSPENDED"))])
def test_trap_27_what_was_not_looked_at_is_not_absent(within):
    """A port of the awslabs solution removed every role that one run did not see."""
    made = plan(live(wire(B, "Admin")), desired(), within=within, guards=Guards(max_removed=9))
    assert not made
    assert by_key(made)[value(B, "Admin")].why == f"account {B} was not read in full: nothing of it is removed"


# The live collection


@pytest.mark.parametrize("entries", [[], [wire(A, "Admin")]])
def test_a_collection_without_msiam_access_is_another_object(entries):
    with pytest.raises(PlanError, match=r"no msiam_access(.|\n)*sp-1(.|\n)*not of the app registration"):
        plan(approles.entries(entries), desired((A, "New")))
    assert plan(approles.entries(entries), desired((A, "New")), mode="saml").requests  # made outside of the gallery: Terraform


@pytest.mark.parametrize("broken", [{}, {"id": "x"}, {"id": "x", "isEnabled": None}, {"isEnabled": True}])
def test_half_an_entry_is_no_entry(broken):
    with pytest.raises(UnreadError, match="not whole"):
        approles.entries([MSIAM, broken])


def test_two_live_entries_with_one_id_are_refused():
    with pytest.raises(TableError, match="one id"):
        plan(live(wire(A, "Admin"), wire(A, "Other", id=guid(f"{A}/Admin"))), desired())


def test_the_caller_cannot_change_an_entry_after_it_was_read():
    entry = wire(A, "Admin")
    table = live(entry)
    entry["isEnabled"] = False
    assert table["entry"][1]["isEnabled"]


# The desired collection


def test_render_takes_what_was_taken_sorted_with_the_names_of_the_template():
    table = approles.render(roles(role(B, "Admin"), role(A, "Ops", account_name=""), role(A, "No", verdict="skipped")))
    assert list(table["value"]) == [value(A, "Ops"), value(B, "Admin")]
    assert list(table["display_name"]) == [f"{A} / Ops", "name-111 / Admin"]
    assert list(table["app_role_id"]) == ["", ""]


@pytest.mark.parametrize(
    "label", ["{role_name.__class__}", "{nonsense}", "{role_name!r}", "{role_name:>9}", "{0}", "same for all", "{", "{}"]
)
def test_a_template_takes_names_of_fields_only(label):
    with pytest.raises(ParameterError, match="template"):
        approles.render(roles(role(A, "Admin")), label=label)


def test_a_name_from_outside_cannot_break_the_line_and_has_a_length():
    named = role(A, "Admin", account_name="evil\n\x1b[31m\u202ename" + "x" * 200)
    (name,) = approles.render(roles(named))["display_name"]
    assert name.isprintable()
    assert len(name) == 120
    assert name.endswith("...")


@pytest.mark.parametrize("wrong", ["", "x", value(B, "Admin"), value(A, "Other")])
def test_a_taken_role_must_be_its_own_value(wrong):
    with pytest.raises(TableError, match=r"does not name the role"):
        approles.render(roles(role(A, "Admin", value=wrong)))


def test_a_role_that_is_listed_twice_is_refused():
    with pytest.raises(TableError, match="desired twice"):
        plan(live(), approles.render(roles(role(A, "Admin"), role(A, "Admin"))))


def test_a_rendered_row_that_lost_its_value_is_refused_and_removes_nothing():
    wanted = desired((A, "Admin"))
    wanted.loc[0, "value"] = "Admin"
    with pytest.raises(TableError, match="desired value 'Admin'"):
        plan(live(wire(A, "Admin")), wanted, guards=Guards(max_removed=9))


# The plan


def test_nothing_to_change_is_a_falsy_plan_with_a_basis():
    made = plan(live(wire(A, "Admin")), desired((A, "Admin")))
    assert not made
    assert made.basis == made.goal
    assert made.basis[0].count == 2


def test_basis_and_goal_are_the_facts_before_and_after():
    lost, stays = assignment(guid(f"{A}/Gone"), "group-a"), assignment(MSIAM["id"], "group-b")
    gone = wire(A, "Gone")
    made = plan(live(gone), desired((A, "New")), assignments=assignments(lost, stays), guards=Guards(max_removed=2))
    given_ = [facts.assignment(row["app_role_id"], row["principal_id"]) for row in (lost, stays)]
    *_, last = bodies(made)
    assert made.basis == (
        Basis.over("app_roles", "sp-1", (facts.app_role(MSIAM), facts.app_role(gone))),
        Basis.over("assignments", "sp-1", tuple(given_)),
    )
    assert made.goal == (
        Basis.over("app_roles", "sp-1", tuple(map(facts.app_role, last))),
        Basis.over("assignments", "sp-1", (given_[1],)),
    )


def test_each_patch_expects_the_state_that_the_one_before_leaves():
    made = plan(live(wire(A, "Gone")), desired((A, "New")), guards=Guards(max_removed=1))
    first, second = (request for request in made.requests if request.method == "PATCH")
    assert first.expects == made.basis[0]
    assert second.expects == Basis.over("app_roles", "sp-1", tuple(map(facts.app_role, first.content["appRoles"])))
    assert (first.beside, second.beside) == ((), (made.goal[1],))


def test_what_is_settled_is_what_the_patch_changes():
    made = plan(live(wire(A, "Gone"), wire(A, "Kept")), desired((A, "Kept")), guards=Guards(max_removed=1))
    gone = wire(A, "Gone")
    first, second = (request.settled for request in made.requests)
    off = facts.app_role(gone | {"isEnabled": False})
    assert (first.present, first.absent) == ((off,), (facts.app_role(gone),))
    assert (second.present, second.absent) == ((), (off,))


def test_without_removals_dangling_roles_stay_and_say_so():
    made = plan(live(wire(A, "Gone")), desired())
    assert not made
    assert by_key(made)[value(A, "Gone")].why.startswith("dangling:")


def test_another_display_name_is_kept_and_told():
    made = plan(live(wire(A, "Admin", displayName="by hand")), desired((A, "Admin")))
    assert not made
    assert "name-345 / Admin" in by_key(made)[value(A, "Admin")].why


@pytest.mark.parametrize("pattern", ["break*", "*BREAKGLASS", value(A, "breakglass"), "name-345*"])
def test_a_protected_role_is_not_removed(pattern):
    made = plan(live(wire(A, "breakglass")), desired(), guards=Guards(max_removed=9, protected_roles=(pattern,)))
    (refusal,) = made.refusals
    assert refusal == f"The plan would remove name-345 / breakglass, which is protected ({pattern})."


@pytest.mark.parametrize("pattern", ["fire*", guid("fire-brigade")])
def test_a_break_glass_principal_loses_nothing(pattern):
    given_ = assignments(assignment(guid(f"{A}/Gone"), "fire-brigade"))
    made = plan(live(wire(A, "Gone")), desired(), assignments=given_, guards=Guards(max_removed=9, break_glass=(pattern,)))
    (refusal,) = made.refusals
    assert refusal == f"fire-brigade is break-glass ({pattern}) and would lose name-345 / Gone."


def test_an_assignment_without_an_id_cannot_be_deleted():
    """DELETE …/appRoleAssignedTo/ without an id would name the collection."""
    given_ = assignments(assignment(guid(f"{A}/Gone"), "group-a") | {"assignment_id": ""})
    with pytest.raises(UnreadError, match="without its id"):
        plan(live(wire(A, "Gone")), desired(), assignments=given_, guards=Guards(max_removed=9))


def test_assignments_are_deleted_in_waves_of_twenty_before_any_patch():
    """One JSON batch holds 20 requests (learn.microsoft.com graph/json-batching)."""
    given_ = assignments(*(assignment(guid(f"{A}/Gone"), f"group-{place}") for place in range(45)))
    made = plan(live(wire(A, "Gone")), desired(), assignments=given_, guards=Guards(max_removed=46))
    assert [request.wave for request in made.requests] == [0] * 20 + [1] * 20 + [2] * 5 + [3, 4]


def test_an_id_that_is_taken_is_not_made_again():
    (first,) = bodies(plan(live(), desired((A, "Admin"))))
    minted = first[1]["id"]
    (body,) = bodies(plan(live(wire(B, "Edited", id=minted)), desired((A, "Admin"))))
    assert len(set(ids(body))) == 3


# Restoring from a record


def recorded(*entries):
    return approles.entries(json.loads(json.dumps([MSIAM, *entries])))


def test_a_recorded_collection_is_restored_with_its_ids():
    made = plan(live(), recorded(wire(A, "Admin", description=None)))
    (body,) = bodies(made)
    assert facts.app_role(body[1]) == facts.app_role(wire(A, "Admin", description=None))


def test_a_recorded_disabled_role_is_made_enabled_and_then_disabled():
    """ "must be true when creating" (learn.microsoft.com graph/api/resources/approle, isEnabled)."""
    first, last = bodies(plan(live(), recorded(wire(A, "Admin", isEnabled=False))))
    assert (first[1]["isEnabled"], last[1]["isEnabled"]) == (True, False)
    (body,) = bodies(plan(live(wire(A, "Admin")), recorded(wire(A, "Admin", isEnabled=False))))
    assert not body[1]["isEnabled"]


def test_a_recorded_foreign_role_is_not_brought_back():
    assert not plan(live(), recorded(wire(A, "x", value="something"), wire(A, "Theirs", origin="Application")))


# Properties (I1 to I6, I13, I20)


@given(scenarios())
def test_i1_every_body_returns_the_entries_of_the_application_as_read(scenario: Scenario):
    for body in bodies(scenario.plan()):
        inherited = [entry for entry in scenario.live if entry["origin"] == "Application"]
        assert [entry for entry in body if entry.get("origin") == "Application"] == inherited
        assert [list(entry) for entry in body if entry.get("origin") == "Application"] == [list(entry) for entry in inherited]


@given(scenarios())
def test_i2_nothing_is_left_out_that_is_not_removed_by_name(scenario: Scenario):
    made = scenario.plan()
    removed = {change.key for change in made.changes if change.action == "remove" and change.kind == "appRole"}
    for body in bodies(made):
        missing = [entry for entry in scenario.live if entry["id"] not in set(ids(body))]
        assert {entry["value"] for entry in missing} <= removed
    assert len(removed) == 0 or scenario.guards.max_removed > 0


@given(scenarios())
def test_i3_a_kept_entry_is_the_one_that_was_read_in_the_same_place(scenario: Scenario):
    made = scenario.plan()
    kept = {change.key for change in made.changes if change.action == "keep"}
    for body in bodies(made):
        same = [entry for entry in scenario.live if (entry["value"] or entry["id"]) in kept]
        assert [json.dumps(entry) for entry in body if entry["id"] in set(ids(same))] == [json.dumps(entry) for entry in same]
        old = set(ids(scenario.live))
        assert [entry["id"] in old for entry in body] == sorted((entry["id"] in old for entry in body), reverse=True)
        new = [entry["value"] for entry in body if entry["id"] not in old]
        assert new == sorted(new)


@given(scenarios())
def test_i4_an_id_never_changes_and_a_value_never_changes_its_id(scenario: Scenario):
    before = {entry["id"]: entry["value"] for entry in scenario.live}
    for body in bodies(scenario.plan()):
        assert all(entry["value"] == before[entry["id"]] for entry in body if entry["id"] in before)


def test_i4_new_ids_are_the_same_on_every_machine():
    (body,) = bodies(plan(live(), desired((A, "Admin"))))
    assert body[1]["id"] == "73fd3281-8da4-5611-804a-b1976020f140"


@given(scenarios())
def test_i5_every_body_keeps_the_rules(scenario: Scenario):
    for body in bodies(scenario.plan()):
        values = [entry["value"].lower() for entry in body if entry["value"]]
        assert len(set(ids(body))) == len(body)
        assert len(set(values)) == len(values)
        assert len(body) + 1 <= 700
        added = [entry for entry in body if entry["id"] not in set(ids(scenario.live))]
        assert all(approles.parse(entry["value"]) and entry["isEnabled"] for entry in added)


@given(scenarios(removed=st.just(1000)))
def test_i6_what_goes_was_disabled_in_the_body_before(scenario: Scenario):
    states = [list(scenario.live), *bodies(scenario.plan())]
    for before, after in itertools.pairwise(states):
        assert all(not entry["isEnabled"] for entry in before if entry["id"] not in set(ids(after)))


@given(scenarios(removed=st.just(1000)))
def test_i7_every_assignment_of_what_goes_is_in_the_plan(scenario: Scenario):
    made = scenario.plan()
    if not made:
        return
    left = set(ids(bodies(made)[-1])) if bodies(made) else set(ids(scenario.live))
    gone = {row["assignment_id"] for row in scenario.assigned if row["app_role_id"] not in left}
    deleted = {request.path.rsplit("/", 1)[1] for request in made.requests if request.method == "DELETE"}
    assert deleted == gone
    assert len(made.losses) == len(gone)


@given(scenarios(), st.integers(0, 2**16))
def test_i13_shuffled_inputs_give_one_plan(scenario: Scenario, seed: int):
    live_table, wanted = approles.entries(scenario.live), scenario.desired
    again = approles.plan(
        APPLICATION,
        live_table,
        shuffled(wanted, seed),
        within=approles.inventoried(shuffled(scenario.accounts, seed), roles()),
        assignments=shuffled(assignments(*scenario.assigned), seed),
        guards=scenario.guards,
    )
    made = scenario.plan()
    assert again.id == made.id
    assert json.dumps(again.content) == json.dumps(made.content)


def test_i13_losses_stand_in_one_order_whatever_the_order_of_reading():
    given_ = assignments(*(assignment(guid(f"{A}/{name}"), f"group-{place}") for name in ("Gone", "Gone2") for place in range(6)))
    table = live(wire(A, "Gone"), wire(A, "Gone2"))
    plans = [plan(table, desired(), assignments=shuffled(given_, seed), guards=Guards(max_removed=99)) for seed in range(3)]
    assert len({made.id for made in plans}) == 1
    assert len(plans[0].losses) == 12


@given(scenarios(removed=st.just(1000)))
def test_i20_an_account_that_was_not_read_loses_nothing(scenario: Scenario):
    for body in bodies(scenario.plan()):
        returned = {entry["id"]: entry for entry in body}
        theirs = [entry for entry in scenario.live if of_account(entry) in scenario.unread]
        assert all(returned[entry["id"]]["isEnabled"] >= entry["isEnabled"] for entry in theirs)


def test_trap_10_nothing_is_sent_beside_an_active_role_import():
    """The provisioning job disables hand-patched roles and re-adds removed ones (azure-docs #23162, #23165)."""
    given_ = {"within": reading(A), "assignments": assignments()}
    live_, wanted_ = live(), desired((A, "New"))
    active = approles.plan(APPLICATION, live_, wanted_, **given_, jobs=[{"id": "aws.1", "schedule": {"state": "Active"}}])
    assert active.requests
    assert "aws.1 is active" in active.refusals[0]
    assert approles.plan(APPLICATION, live_, wanted_, **given_, jobs=[{"id": "aws.1", "schedule": {"state": "Disabled"}}]).refusals == ()


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_trap_10_every_runbook_that_plans_app_roles_asks_for_the_role_import(path):
    """A plan that does not hear of the job cannot refuse beside it."""
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        if "approles.plan(" in cell or "restore.plan(" in cell:
            assert "jobs" in cell


def test_f28_ten_thousand_roles_are_refused_before_anything_is_sent_and_in_time():
    """Linear in the number of roles: a wrong pattern must not keep the notebook busy for an hour."""
    names = [(f"{place % 300:012}", f"R{place}") for place in range(10_000)]
    began = time.monotonic()
    with pytest.raises(TableError, match="10002 permission definitions exceed the limit of 700 by 9302"):
        plan(live(), desired(*names))
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("rows_", "stays"),
    [
        ([], False),
        ([role(A, "Gone", verdict="skipped", reason="The trust policy cannot be understood.", value="", provider_arn="")], True),
        ([role(A, "Gone", verdict="skipped", reason="SAML provider WAAD does not exist in the account.", value="")], True),
        ([role(A, "Gone", of="Other")], False),  # usable, and through another provider only
        ([role(A, "Gone", of="Other", verdict="skipped", reason="Denied.", value="")], True),
        ([role(A, "Other", verdict="skipped", reason="Denied.", value="")], False),
    ],
)
def test_a_role_that_was_skipped_is_not_absent(rows_, stays):
    made = plan(live(wire(A, "Gone")), desired(), within=reading(A, roles_=rows_), guards=Guards(max_removed=9))
    change = by_key(made)[value(A, "Gone")]
    assert (change.action == "keep") is stays
    if stays:
        assert rows_[0]["reason"] in change.why


def test_two_accounts_of_one_name_are_told_apart_also_from_those_that_are_live():
    """The account id comes into the label where another account has it too; ids and values do not change."""
    both = roles(role(A, "Admin", account_name="Prod"), role(B, "Admin", account_name="prod"), role(B, "Ops", account_name="prod"))
    assert approles.render(both)["display_name"].tolist() == [f"Prod / Admin ({A})", f"prod / Admin ({B})", "prod / Ops"]
    there = live(wire(A, "Admin", displayName="Prod / Admin"))
    new = approles.render(roles(role(B, "Admin", account_name="Prod")))
    (body,) = bodies(plan(there, new))
    assert [entry["displayName"] for entry in body][1:] == ["Prod / Admin", f"Prod / Admin ({B})"]
    (again,) = (change for change in plan(approles.entries(body), new).changes if change.key == value(B, "Admin"))
    assert (again.action, again.why) == ("keep", "")
