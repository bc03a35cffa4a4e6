"""The reviewers' sheet: written, marked, read back, refused when it was tampered with; and the plan that takes away what is marked."""

import csv
import io
from contextlib import suppress

import pytest
from fake_service import FakeJournal
from hypothesis import given
from hypothesis import strategies as st
from made import (
    APPLICATION,
    MSIAM,
    account,
    accounts,
    assignment,
    assignments,
    group,
    groups,
    guid,
    live,
    member,
    members,
    role,
    roles,
    seen,
    wire,
)

from awsfed_lib.core.access_shapes import REVIEW
from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import ParameterError, StalePlan, UnsafePlan
from awsfed_lib.core.recovery_shapes import MEMBERSHIPS
from awsfed_lib.core.review import audit, review_sheet, use, ways
from awsfed_lib.core.roles import decided, reviewed
from awsfed_lib.core.tables import frame, rows
from awsfed_lib.edges import review as reviews
from awsfed_lib.edges.entra import signers

A = "000000012345"
ADMIN, OPS, DEV = wire(A, "Admin"), wire(A, "Ops"), wire(A, "Dev")
LIVE = live(ADMIN, OPS, DEV)
HELD = assignments(
    assignment(ADMIN["id"], "Admins"), assignment(OPS["id"], "Both"), assignment(DEV["id"], "Both"), assignment(ADMIN["id"], "dora", "User"),
    assignment(MSIAM["id"], "Admins"),
)  # fmt: skip
PEOPLE = members(
    member("Admins", "ann"), member("Admins", "bob"), member("Both", "ann"), member("Both", "carl"), member("", "dora"), member("Admins", "In", "Group"),
)  # fmt: skip
GROUPS = groups(*(group(name) for name in ("Admins", "Both", "In")))
USE = use.Use(use.unread("log", "no"), use.unread("trail", "no"), roles(role(A, "Admin")), accounts(account(A)))
PATHS = audit.paths(*seen(app_roles=LIVE, assignments=HELD, members=PEOPLE, groups=GROUPS, roles=USE.roles, accounts=USE.accounts))
SHEET = review_sheet.sheet(APPLICATION.id, PATHS, USE)
WAYS = ways.live(APPLICATION.id, LIVE, HELD, groups=GROUPS, members=PEOPLE)
ROLE = {one["displayName"]: one["id"] for one in (ADMIN, OPS, DEV)}


def written(*marks, decision="remove", rest="keep"):
    """The sheet as it comes back: rows whose (person, group, role) begins with one of the marks are decided."""
    lines = list(csv.DictReader(io.StringIO(review_sheet.text(SHEET))))
    for line in lines:
        named = (line["user_name"].partition("@")[0], line["group_name"], line["role_name"])
        fits = any(named[: len(mark)] == mark for mark in marks)
        line |= {"decision": decision if fits else rest, "reviewer": "Rita", "comment": "left the team" if fits else ""}
    return lines


def as_csv(lines, delimiter=","):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(REVIEW.columns), delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue()


def marks(*wanted, **how):
    return review_sheet.read(as_csv(written(*wanted, **how)).encode(), APPLICATION.id)


def review(*wanted, kept=(), found=WAYS, assigned=HELD, given=None):
    held = {name: [(of, "") for of in ("Admins", "Both", "Parking")] for name in ("ann", "bob", "carl")}
    tables = {
        guid(name): frame(MEMBERSHIPS, [{"group_id": guid(of), "group_name": of, "kept_by": dict(kept).get(of, "")} for of, _ in listed])
        for name, listed in held.items()
    }
    return reviewed.Review(APPLICATION, LIVE, assigned, found, marks(*wanted) if given is None else given, tables)


def plan(*wanted, guards=None, **how):
    return reviewed.plan(review(*wanted, **how), guards=guards or Guards(max_removed=99))


def said(made):
    return [request.purpose for request in made.requests]


def states(one):
    return {
        (row["user_name"].partition("@")[0], row["group_name"], row["role"].rpartition("/ ")[2]): row["state"]
        for row in rows(decided.table(one))
    }


# The sheet


def test_every_path_has_its_row_and_nested_members_have_none():
    assert [(row["user_name"].partition("@")[0], row["group_name"], row["role_name"]) for row in rows(SHEET)] == [
        ("ann", "Admins", "Admin"), ("bob", "Admins", "Admin"), ("dora", "", "Admin"),
        ("ann", "Both", "Dev"), ("carl", "Both", "Dev"), ("ann", "Both", "Ops"), ("carl", "Both", "Ops"),
    ]  # fmt: skip


def test_the_sheet_and_the_live_ways_name_the_same_paths():
    """One is made of PATHS, the other of ids; were they to differ, decisions would be lost without a word."""
    assert set(SHEET["path_id"]) == {way.path_id for way in WAYS}


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_sheet_comes_back_from_spreadsheets_of_different_countries(delimiter):
    text = "\ufeff" + as_csv(written(("bob",)), delimiter).replace("\r\n", "\n").replace("remove", " Remove ") + delimiter * 13 + "\n"
    assert [mark.user_name.partition("@")[0] for mark in review_sheet.read(text.encode(), APPLICATION.id) if mark.decision == "remove"] == [
        "bob"
    ]


def test_names_that_look_like_formulas_travel_safely():
    held = assignments(assignment(ADMIN["id"], "=cmd|' /C calc'!A0"))
    evil = groups(group("=cmd|' /C calc'!A0"))
    inside = members(member("=cmd|' /C calc'!A0", "x", user_name="+x@contoso.example"))
    sheet = review_sheet.sheet(
        APPLICATION.id,
        audit.paths(*seen(app_roles=LIVE, assignments=held, members=inside, groups=evil, roles=USE.roles, accounts=USE.accounts)),
        USE,
    )
    text = review_sheet.text(sheet)
    assert "\"'=cmd" in text
    back = review_sheet.read(text.encode(), APPLICATION.id)
    assert (back[0].group_name, back[0].user_name) == ("=cmd|' /C calc'!A0", "+x@contoso.example")


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("decision", "delete", "decides 'delete'"), ("reviewer", "", "nobody answers"), ("reviewer", " ", "nobody answers"),
        ("role_name", '=HYPERLINK("http://x")', "formula in the column role_name"), ("account_name", "  @SUM(1)", "formula"), ("decision", "+remove", "decides '+remove'"),
        ("user_name", "eve@contoso.example", "was changed"), ("group_name", "Other", "was changed"), ("app_role_id", OPS["id"], "was changed"),
        ("path_id", "path-0000000000000000", "was changed"), ("path_id", "", "was changed"),
    ],
    ids=lambda part: str(part)[:24],
)  # fmt: skip
def test_what_was_tampered_with_is_refused_with_its_line(column, cell, words):
    lines = written(("ann", "Admins"))
    lines[0][column] = cell
    with pytest.raises(ParameterError) as refused:
        review_sheet.read(as_csv(lines).encode(), APPLICATION.id)
    assert "Row 2" in str(refused.value)
    assert words in str(refused.value)


def test_cells_of_another_row_are_refused():
    """Half a table that was sorted: every cell is a true one, and stands in the wrong line."""
    lines = written(("ann", "Admins"))
    lines[0]["path_id"], lines[1]["path_id"] = lines[1]["path_id"], lines[0]["path_id"]
    with pytest.raises(ParameterError, match="was changed"):
        review_sheet.read(as_csv(lines).encode(), APPLICATION.id)


@pytest.mark.parametrize(
    "column", [name for name in review_sheet.SHOWN if name not in {"user_name", "group_name", "app_role_id", "path_id"}]
)
def test_a_column_that_was_permuted_is_refused(column):
    """The decision would have been made on another account, role or last use than the one that is removed."""
    lines = written()
    values = {line[column] for line in lines}
    other = next((value for value in sorted(values) if value != lines[0][column]), "another")
    lines[0][column] = other
    with pytest.raises(ParameterError) as refused:
        review_sheet.read(as_csv(lines).encode(), APPLICATION.id)
    assert refused.value.code == "review-row"


def test_the_sheet_of_another_application_is_refused():
    with pytest.raises(ParameterError, match="was changed"):
        review_sheet.read(as_csv(written()).encode(), "sp-2")


def test_a_path_is_decided_once():
    lines = written(("bob",))
    with pytest.raises(ParameterError, match="Two rows"):
        review_sheet.read(as_csv([*lines, lines[0] | {"decision": "keep"}]).encode(), APPLICATION.id)


@pytest.mark.parametrize(
    "text",
    ["", "decision,reviewer\n", as_csv(written()).replace("path_id", "path"), as_csv(written()).replace("comment", "decision")],
    ids=["nothing", "two", "one misses", "two decisions"],
)
def test_a_sheet_without_its_columns_is_refused(text):
    with pytest.raises(ParameterError, match="each of its columns once"):
        review_sheet.read(text.encode(), APPLICATION.id)


def test_a_line_with_too_many_or_too_few_cells_is_refused():
    text = as_csv(written()).splitlines()
    for broken in (text[1] + ",more", text[1].rpartition(",")[0]):
        with pytest.raises(ParameterError):
            review_sheet.read("\n".join([text[0], broken]).encode(), APPLICATION.id)


@pytest.mark.parametrize("comment", ["- asked Ann\n- she left", "=see ticket", "+1", "@ann"])
def test_a_comment_is_text_whatever_it_begins_with(comment):
    lines = written(("bob",))
    lines[0]["comment"] = comment
    assert review_sheet.read(as_csv(lines).encode(), APPLICATION.id)[0].comment == comment


@given(st.text(max_size=60))
def test_no_text_crashes_the_reader(text):
    for content in (text, as_csv(written()) + text):
        with suppress(ParameterError):
            review_sheet.read(content.encode("utf-8", "replace"), APPLICATION.id)


# The plan


def test_nothing_marked_is_nothing_to_do():
    made = plan()
    assert (bool(made), made.changes, made.losses) == (False, (), ())


def test_a_direct_assignment_is_deleted():
    made = plan(("dora",))
    assert [request.path for request in made.requests] == [
        f"/servicePrincipals/{APPLICATION.id}/appRoleAssignedTo/{HELD['assignment_id'][3]}"
    ]
    assert [loss.principal_name for loss in made.losses] == ["dora@contoso.example"]


def test_through_a_group_the_person_leaves_the_group_and_nobody_else_loses_anything():
    """`/$ref` is the law: without it the person is deleted (graph/api/group-delete-members)."""
    made = plan(("bob",))
    assert [request.path for request in made.requests] == [f"/groups/{guid('Admins')}/members/{guid('bob')}/$ref"]
    assert [loss.role for loss in made.losses] == [f"{ADMIN['displayName']} (through Admins)"]
    assert made.changes[0].why == "decided by Rita; whatever else the group gives to the person ends as well"


def test_a_group_with_a_path_that_is_kept_is_not_left():
    """Leaving would end the other role as well, which the reviewer wants to stay."""
    one = review(("ann", "Both", "Ops"))
    assert not reviewed.plan(one)
    found = rows(decided.findings(one))
    assert [(row["severity"], row["subject"]) for row in found] == [("high", f"ann@contoso.example → {OPS['displayName']} through Both")]
    assert DEV["displayName"] in found[0]["cause"]
    assert states(one)["ann", "Both", "Ops"] == "not removed"


def test_all_paths_of_a_person_through_a_group_end_together():
    one = review(("ann", "Both"))
    assert said(reviewed.plan(one)) == ["Take ann@contoso.example out of Both"]
    assert {key[2] for key, state in states(one).items() if state == "leaves the group"} == {"Ops", "Dev"}


def test_an_assignment_goes_when_everybody_is_marked_and_leaving_is_not_possible():
    """One role of a group that gives two: the group keeps the other."""
    one = review(("ann", "Both", "Ops"), ("carl", "Both", "Ops"))
    made = reviewed.plan(one, guards=Guards(max_removed=1))
    assert said(made) == [f"Take {OPS['displayName']} from Both"]
    assert {loss.principal_name for loss in made.losses} == {"ann@contoso.example", "carl@contoso.example"}
    assert not decided.findings(one).query("severity == 'high'").size


@pytest.mark.parametrize("keeper", ["a rule", "Active Directory", "Exchange"])
def test_what_graph_cannot_end_is_a_finding_with_its_remedy(keeper):
    one = review(("bob",), kept=[("Admins", keeper)])
    assert not reviewed.plan(one)
    found = rows(decided.findings(one))[0]
    assert (found["severity"], f"{keeper} keeps the members" in found["cause"], "block the sign-in" in found["remedy"]) == (
        "high",
        True,
        True,
    )


def test_a_dynamic_group_loses_its_role_when_everybody_is_marked():
    one = review(("ann", "Admins"), ("bob", "Admins"), kept=[("Admins", "a rule")])
    assert said(reviewed.plan(one)) == [f"Take {ADMIN['displayName']} from Admins"]


def test_a_membership_that_was_not_read_is_not_ended():
    one = reviewed.Review(APPLICATION, LIVE, HELD, WAYS, marks(("bob",)), {})
    assert not reviewed.plan(one)
    assert "not read" in rows(decided.findings(one))[0]["cause"]


def test_role_assignable_groups_come_last():
    made = plan(("ann",), kept=[("Admins", "role administrators")])
    assert said(made)[-1] == "Take ann@contoso.example out of Admins"
    assert made.requests[-1].wave > made.requests[-2].wave


def test_what_came_after_the_sheet_is_not_removed_and_is_said():
    """Somebody gave the group a role after the review: leaving it would end what nobody reviewed."""
    new = assignments(*rows(HELD), assignment(DEV["id"], "Admins"))
    one = review(("bob",), found=ways.live(APPLICATION.id, LIVE, new, groups=GROUPS, members=PEOPLE), assigned=new)
    assert not reviewed.plan(one)
    assert states(one)["bob", "Admins", "Dev"] == "not in the sheet"
    assert states(one)["bob", "Admins", "Admin"] == "not removed"


def test_stale_rows_are_shown_and_nothing_of_them_is_sent():
    left = members(*(row for row in rows(PEOPLE) if row["member_name"] != "bob"))
    one = review(("bob",), found=ways.live(APPLICATION.id, LIVE, HELD, groups=GROUPS, members=left))
    assert not reviewed.plan(one)
    assert states(one)["bob", "Admins", "Admin"] == "gone already"


def test_undecided_rows_stay_and_are_said():
    one = review(given=marks(("bob",), decision="", rest="keep"))
    assert not reviewed.plan(one)
    assert rows(decided.findings(one))[0]["cause"] == "undecided"


def test_two_groups_of_one_name_are_one_row_and_both_are_left():
    held = assignments(assignment(ADMIN["id"], "Admins"), assignment(ADMIN["id"], "twin") | {"principal_name": "Admins"})
    twins = groups(group("Admins"), group("twin", group_name="Admins"))
    inside = members(member("Admins", "bob"), member("twin", "bob"))
    found = ways.live(APPLICATION.id, LIVE, held, groups=twins, members=inside)
    assert len({way.path_id for way in found}) == 1
    both = frame(MEMBERSHIPS, [{"group_id": guid(name), "group_name": "Admins"} for name in ("Admins", "twin")])
    one = reviewed.Review(APPLICATION, LIVE, held, found, marks(("bob",)), {guid("bob"): both})
    assert {request.path.split("/")[2] for request in reviewed.plan(one).requests} == {guid("Admins"), guid("twin")}


def test_max_removed_says_how_it_is_raised():
    made = plan(("bob",), ("dora",), guards=Guards(max_removed=1))
    assert "max_removed=2 (awsfed run: -p max_removed=2)" in made.refusals[0]


@pytest.mark.parametrize("pattern", ["bob@contoso.example", "BOB", guid("bob"), "b?b"], ids=["user name", "display name", "id", "pattern"])
def test_break_glass_people_lose_nothing(pattern):
    assert any("break-glass" in why for why in plan(("bob",), guards=Guards(9, break_glass=(pattern,))).refusals)
    assert not plan(("dora",), guards=Guards(9, break_glass=(pattern,))).refusals


def test_protected_groups_keep_their_assignments():
    everybody = (("ann", "Both", "Ops"), ("carl", "Both", "Ops"))
    for guards, words in ((Guards(9, protected_groups=("Bo*",)), "protected"), (Guards(9, break_glass=("Both",)), "break-glass")):
        assert any(words in why for why in plan(*everybody, guards=guards).refusals)
    assert not plan(("bob",), guards=Guards(9, protected_groups=("Adm*",))).refusals


def test_who_loses_what_and_what_still_gives_it():
    held = assignments(*rows(HELD), assignment(ADMIN["id"], "ann", "User"))
    found = ways.live(APPLICATION.id, LIVE, held, groups=GROUPS, members=PEOPLE)
    table = rows(decided.lost(review(("ann", "Admins"), found=found, assigned=held)))
    assert [(row["person"], row["through"], row["still"]) for row in table] == [("ann@contoso.example", "Admins", "directly")]


@given(st.sets(st.integers(0, 6)), st.sets(st.sampled_from(["Admins", "Both"])))
def test_exactly_what_is_marked_goes_or_is_a_finding(places, ruled):
    """Whatever is marked: no path that is not marked ends, and every marked one ends or is told."""
    lines = written()
    for place in places:
        lines[place] |= {"decision": "remove"}
    one = review(given=review_sheet.read(as_csv(lines).encode(), APPLICATION.id), kept=[(name, "a rule") for name in ruled])
    wanted = {lines[place]["path_id"] for place in places}
    ended = _ended(reviewed.plan(one))
    told = {row["path_id"] for row in rows(decided.table(one)) if row["state"] == "not removed"}
    assert ended <= wanted
    assert ended | told == wanted
    assert not ended & told


def _ended(made):
    """What the requests end, by reading their paths and nothing else of the plan."""
    deleted = {request.path.rpartition("/")[2] for request in made.requests if "appRoleAssignedTo" in request.path}
    left = {(parts[4], parts[2]) for request in made.requests if (parts := request.path.split("/"))[1] == "groups"}
    return {way.path_id for way in WAYS if way.assignment_id in deleted or (way.user_id, way.group_id) in left}


# Against the twin of Entra ID


@pytest.fixture
def read(twin):
    graph = twin.writing()

    def held_against(*wanted):
        """Mark the first direct path, or those of a person, and hold it against the twin."""
        app_roles, assigned = graph.app_roles(twin.application_id), graph.assignments(twin.application_id)
        of_groups, inside = signers.membership(graph, assigned)
        paths = audit.paths(
            *seen(app_roles=app_roles, assignments=assigned, members=inside, groups=of_groups, roles=roles(), accounts=accounts())
        )
        lines = list(csv.DictReader(io.StringIO(review_sheet.text(review_sheet.sheet(twin.application_id, paths, USE)))))
        for line in lines:
            line |= {"decision": "remove" if line["user_name"] in wanted else "keep", "reviewer": "Rita"}
        return graph, reviews.read(graph, twin.application_id, review_sheet.read(as_csv(lines).encode(), twin.application_id))

    return held_against


def people_of(twin):
    """A person with a direct assignment, and one who is in an assigned group."""
    tables = twin.tenant.tables
    held = {one["principalId"] for one in tables["assignments"].values() if one["resourceId"] == twin.application_id}
    inside = next(
        members[0] for group_id, members in sorted(tables["members"].items()) if group_id in held and members[0] in tables["users"]
    )
    direct = next(user for user in tables["users"].values() if user["userPrincipalName"].startswith("dora."))
    return direct["userPrincipalName"], tables["users"][inside]["userPrincipalName"]


def test_what_is_marked_goes_at_the_twin_and_then_there_is_nothing_to_do(twin, read):
    who = people_of(twin)
    graph, one = read(*who)
    made = reviewed.plan(one, guards=Guards(max_removed=99))
    assert {loss.principal_name for loss in made.losses} == set(who)
    assert made.apply(graph, approved=made.id, journal=FakeJournal()).verdict == "applied"
    _, again = read(*who)
    assert not any(way.user_name in who for way in again.ways)
    after = reviews.read(graph, twin.application_id, one.marks)
    assert not reviewed.plan(after)
    assert {row["state"] for row in rows(decided.table(after)) if row["user_name"] in who} == {"gone already"}


def test_a_refused_plan_sends_nothing(twin, read):
    graph, one = read(*people_of(twin))
    made = reviewed.plan(one, guards=Guards(max_removed=0))
    with pytest.raises(UnsafePlan):
        made.apply(graph, approved=made.id, journal=FakeJournal())
    assert reviews.read(graph, twin.application_id, one.marks).ways == one.ways
    assert {path for _, path, _ in twin.writes} == {"/v1.0/$batch"}  # of reads: members of groups


def test_a_membership_that_moved_after_the_approval_makes_the_plan_stale(twin, read):
    who = people_of(twin)
    graph, one = read(who[1])
    made = reviewed.plan(one, guards=Guards(max_removed=99))
    person, left = made.basis[1].of, one.leaving[0][1]
    with twin.tenant.lock:
        kept = tuple(name for name in twin.tenant.tables["members"][left] if name != person)
        twin.tenant.tables["members"][left] = kept
    with pytest.raises(StalePlan):
        made.apply(graph, approved=made.id, journal=FakeJournal())
