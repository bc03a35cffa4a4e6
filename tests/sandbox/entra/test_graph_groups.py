"""Groups and their members."""

import uuid

import entra_sample as sample
import pytest

from awsfed_lib.sandbox import by_hand

NEW = {"displayName": "AWS-1", "mailEnabled": False, "mailNickname": "aws-1", "securityEnabled": True}
OBJECTS = "https://graph.microsoft.com/v1.0/directoryObjects"
MEMBERS = f"/groups/{sample.ADMINS}/members"


def ids(rows):
    return [row["id"] for row in rows]


def test_a_new_group_comes_back_whole(writer):
    """graph/api/group-post-groups: 201 with default properties."""
    made = writer.post("/groups", {**NEW, "description": "d"})
    assert made.status == 201
    assert made.headers["Location"].endswith(f"/v1.0/groups/{made.json['id']}")
    assert {**NEW, "description": "d", "groupTypes": [], "createdDateTime": "2026-11-24T06:00:00Z"}.items() <= made.json.items()
    assert writer.get(f"/groups/{made.json['id']}").json["displayName"] == "AWS-1"


@pytest.mark.parametrize("name", ["displayName", "mailEnabled", "mailNickname", "securityEnabled"])
def test_four_properties_are_required(writer, name):
    """graph/api/group-post-groups."""
    body = {key: value for key, value in NEW.items() if key != name}
    assert writer.post("/groups", body).error[2] == f"A value is required for property '{name}' of resource 'Group'."


def test_mail_enabled_security_groups_cannot_be_made(writer):
    """graph/api/group-post-groups: mail-enabled groups that are not unified are read-only."""
    assert "mail-enabled groups" in writer.post("/groups", {**NEW, "mailEnabled": True}).error[2]


def test_display_names_are_not_unique_and_unique_names_are(writer):
    """graph/api/resources/group: uniqueName is an alternate key."""
    assert writer.post("/groups", {**NEW, "uniqueName": "one"}).status == 201
    assert writer.post("/groups", NEW).status == 201
    assert len(writer.value("/groups?$filter=displayName eq 'AWS-1'")) == 2
    text = "Another object with the same value for property uniqueName already exists."
    assert writer.post("/groups", {**NEW, "uniqueName": "ONE"}).error[2] == text


def test_a_unique_name_never_changes(writer):
    """graph/api/resources/group: immutable."""
    assert (
        writer.patch(f"/groups/{sample.ADMINS}", {"uniqueName": "other"}).error[2]
        == "Property 'uniqueName' is read-only and cannot be set."
    )


def test_a_long_name_and_a_bad_nickname_are_refused(writer):
    """graph/api/resources/group: 256 and 64."""
    text = "Invalid value specified for property 'displayName' of resource 'Group'."
    assert writer.post("/groups", {**NEW, "displayName": "x" * 257}).error[2] == text
    answer = writer.patch(f"/groups/{sample.ADMINS}", {"mailNickname": "a,b"})
    assert answer.json["error"]["details"] == [{"target": "mailNickname", "code": "InvalidValue"}]


def test_a_unique_name_in_the_path_may_hold_quotes_and_slashes(writer):
    """OData: a quote in a literal is doubled; a slash travels percent-encoded."""
    path = "/groups(uniqueName='o''neill%2Fone')"
    assert writer.patch(path, NEW, Prefer="create-if-missing").json["uniqueName"] == "o'neill/one"
    assert writer.get(path).status == 200


def test_an_upsert_without_the_required_properties_makes_nothing(writer):
    """graph/api/group-upsert."""
    assert writer.patch("/groups(uniqueName='x')", {"displayName": "x"}, Prefer="create-if-missing").status == 400
    assert writer.get("/groups(uniqueName='x')").status == 404


def test_members_and_owners_can_come_with_the_group(writer):
    """graph/api/group-post-groups: at most 20 relations in one request."""
    bound = {
        "members@odata.bind": [f"{OBJECTS}/{sample.ANNA}", f"{OBJECTS}/{sample.BEN}"],
        "owners@odata.bind": [f"{OBJECTS}/{sample.BEN}"],
    }
    made = writer.post("/groups", {**NEW, **bound}).json
    assert ids(writer.value(f"/groups/{made['id']}/members")) == [sample.ANNA, sample.BEN]
    assert ids(writer.value(f"/groups/{made['id']}/owners")) == [sample.BEN]
    many = {"members@odata.bind": [f"{OBJECTS}/{sample.ANNA}"] * 21}
    assert writer.post("/groups", {**NEW, **many}).status == 400
    assert writer.post("/groups", {**NEW, "members@odata.bind": [f"{OBJECTS}/{uuid.uuid4()}"]}).status == 404


def test_members_can_be_added_by_patch(writer):
    """graph/api/group-post-members: up to 20 by members@odata.bind."""
    body = {"members@odata.bind": [f"{OBJECTS}/{sample.BEN}"]}
    assert writer.patch(f"/groups/{sample.ADMINS}", body).status == 204
    assert sample.BEN in ids(writer.value(MEMBERS))
    assert "already exist" in writer.patch(f"/groups/{sample.ADMINS}", body).error[2]


def test_a_deleted_group_takes_its_assignments_and_memberships_along(writer):
    """graph/api/group-delete."""
    assert writer.delete(f"/groups/{sample.ADMINS}").status == 204
    assert writer.get(f"/groups/{sample.ADMINS}").status == 404
    assert sample.ADMINS not in [row["principalId"] for row in writer.value(f"/servicePrincipals/{sample.AWS}/appRoleAssignedTo")]
    assert writer.delete(f"/groups/{sample.NESTED}").status == 204
    assert writer.value(f"/groups/{sample.EMPTY}/transitiveMembers") == []


# Members


def test_direct_and_transitive_members_differ(reader):
    """graph/api/group-list-members and group-list-transitivemembers."""
    rows = reader.value(MEMBERS)
    assert [(row["@odata.type"], row["id"]) for row in rows] == [
        ("#microsoft.graph.user", sample.ANNA),
        ("#microsoft.graph.group", sample.NESTED),
    ]
    assert set(ids(reader.value(f"/groups/{sample.ADMINS}/transitiveMembers"))) == {sample.ANNA, sample.NESTED, sample.GUEST}


def test_containers_are_found_from_below(reader):
    assert set(ids(reader.value(f"/users/{sample.ANNA}/memberOf"))) == {sample.ADMINS, sample.OFFICE}
    assert set(ids(reader.value(f"/users/{sample.GUEST}/transitiveMemberOf"))) == {sample.NESTED, sample.ADMINS}
    assert ids(reader.value(f"/groups/{sample.NESTED}/memberOf")) == [sample.ADMINS]


def test_selected_properties_are_those_of_each_kind(reader):
    rows = reader.value(f"{MEMBERS}?$select=id,userPrincipalName,userType")
    assert rows[0] == {
        "@odata.type": "#microsoft.graph.user",
        "id": sample.ANNA,
        "userPrincipalName": "anna.admin@contoso.example",
        "userType": "Member",
    }
    assert rows[1] == {"@odata.type": "#microsoft.graph.group", "id": sample.NESTED}


def test_a_cast_is_an_advanced_query(reader):
    """docs-contrib concepts/aad-advanced-queries.md: OData cast needs the header and $count."""
    path = f"{MEMBERS}/microsoft.graph.user?$count=true"
    assert reader.get(path).status == 400
    assert ids(reader.value(path, ConsistencyLevel="eventual")) == [sample.ANNA]
    assert reader.get(f"{MEMBERS}/$count", ConsistencyLevel="eventual").text == "2"


def test_a_member_is_removed_by_reference_once(writer):
    """graph/api/group-delete-members."""
    path = f"{MEMBERS}/{sample.ANNA}/$ref"
    assert writer.delete(path).status == 204
    assert writer.delete(path).status == 404
    assert writer.get(f"/users/{sample.ANNA}").status == 200


def test_without_ref_the_member_itself_goes(writer):
    """graph/api/group-delete-members: without `/$ref` the object is deleted, if the app may; otherwise 403."""
    assert writer.delete(f"{MEMBERS}/{sample.ANNA}").error[:2] == (403, "Authorization_RequestDenied")
    assert writer.delete(f"{MEMBERS}/{sample.NESTED}").status == 204
    assert writer.get(f"/groups/{sample.NESTED}").status == 404


@pytest.mark.parametrize("reference", [None, "x", f"{OBJECTS}/00000000-0000-4000-8000-000000000001", f"{OBJECTS}/{sample.ADMINS}"])
def test_references_that_lead_nowhere(writer, reference):
    assert writer.post(f"{MEMBERS}/$ref", {"@odata.id": reference}).status in (400, 404)


def test_what_a_token_may_not_read_of_a_member_is_null(signed_in, tenant):
    """learn.microsoft.com graph/permissions-overview: limited information for inaccessible member objects."""
    tenant.permit("poor", ["GroupMember.Read.All"])
    anna, nested = signed_in(sample.POOR).value(MEMBERS)
    assert {anna["id"], anna["@odata.type"]} == {sample.ANNA, "#microsoft.graph.user"}
    assert anna["userPrincipalName"] is anna["displayName"] is None
    assert nested["displayName"] == "Nested"


@pytest.fixture
def hidden(tenant):
    """A Microsoft 365 group whose members are Anna and a group, of which the outer one is a member of another group."""
    inner = by_hand.add_group(tenant, "Secret project", [sample.ANNA], **by_hand.HIDDEN)
    return inner, by_hand.add_group(tenant, "Around it", [inner, sample.BEN])


def test_hidden_members_are_not_shown_without_a_permission_of_their_own(hidden, tenant, signed_in):
    """graph/api/group-list-transitivemembers: Member.Read.Hidden besides; without it the list is empty, and looks as any other."""
    inner, outer = hidden
    tenant.permit("poor", ["Group.Read.All", "GroupMember.Read.All", "User.Read.All", "Directory.Read.All"])
    client = signed_in(sample.POOR)
    assert client.value(f"/groups/{inner}/members") == []
    assert client.get(f"/groups/{inner}?$expand=members").json["members"] == []
    assert client.get(f"/groups/{inner}").json["visibility"] == "HiddenMembership"
    assert [row["id"] for row in client.value(f"/groups/{outer}/transitiveMembers")] == [inner, sample.BEN]
    assert inner not in [row["id"] for row in client.value(f"/users/{sample.ANNA}/memberOf")]
    tenant.switches = tenant.switches.changed({"hidden_members": "denied"})
    assert client.get(f"/groups/{inner}/members").error[:2] == (403, "Authorization_RequestDenied")
    tenant.permit("poor", ["Member.Read.Hidden", "GroupMember.Read.All", "Directory.Read.All"])
    client = signed_in(sample.POOR)
    assert [row["id"] for row in client.value(f"/groups/{inner}/members")] == [sample.ANNA]
    assert [row["id"] for row in client.value(f"/groups/{outer}/transitiveMembers")] == [inner, sample.BEN, sample.ANNA]
    assert inner in [row["id"] for row in client.value(f"/users/{sample.ANNA}/memberOf")]


def test_members_of_a_hidden_group_see_each_other(hidden, person):
    assert [row["id"] for row in person().value(f"/groups/{hidden[0]}/members")] == [sample.ANNA]


FOREIGN = [
    ({"onPremisesSyncEnabled": True}, (400, "Request_BadRequest"), "on-premises mastered"),
    ({"groupTypes": ["DynamicMembership"]}, (403, "Authorization_RequestDenied"), "Insufficient privileges"),
    ({"mailEnabled": True}, (400, "Request_BadRequest"), "Cannot Update a mail-enabled security groups"),
    ({"isAssignableToRole": True}, (403, "Authorization_RequestDenied"), "Insufficient privileges"),
]


@pytest.mark.parametrize(("kept", "refused", "words"), FOREIGN, ids=[next(iter(kept)) for kept, _, _ in FOREIGN])
def test_members_that_something_else_keeps_cannot_be_changed(writer, tenant, kept, refused, words):
    """Dynamic: aaddevsup (2024-05). Mail-enabled: microsoft-graph-docs#14827, #15612. Role-assignable: graph/api/group-delete-members."""
    tenant.tables["groups"][sample.ADMINS] = {**tenant.tables["groups"][sample.ADMINS], **kept}
    body = {"@odata.id": f"{OBJECTS}/{sample.BEN}"}
    path = f"/groups/{sample.ADMINS}"
    for answer in (
        writer.delete(f"{MEMBERS}/{sample.ANNA}/$ref"),
        writer.post(f"{MEMBERS}/$ref", body),
        writer.patch(path, {"members@odata.bind": [f"{OBJECTS}/{sample.BEN}"]}),
    ):
        assert answer.error[:2] == refused
        assert words in answer.error[2]


def test_members_of_a_microsoft_365_group_can_be_changed(writer, tenant):
    """graph/api/resources/groups-overview: a mail-enabled group is writable when it is unified."""
    changed = {**tenant.tables["groups"][sample.ADMINS], "mailEnabled": True, "groupTypes": ["Unified"]}
    tenant.tables["groups"][sample.ADMINS] = changed
    assert writer.delete(f"{MEMBERS}/{sample.ANNA}/$ref").status == 204


def test_a_deleted_group_can_be_restored_with_its_members_and_without_its_assignments(writer, tenant):
    """graph/api/group-delete, directory-deleteditems-restore: both kinds of groups are kept for 30 days."""
    assert writer.delete(f"/groups/{sample.ADMINS}").status == 204
    (kept,) = writer.value("/directory/deletedItems/microsoft.graph.group")
    assert (kept["id"], kept["deletedDateTime"]) == (sample.ADMINS, "2026-11-24T06:00:00Z")
    back = writer.post(f"/directory/deletedItems/{sample.ADMINS}/restore", {})
    assert (back.status, back.json["displayName"], back.json["deletedDateTime"]) == (200, "AWS-123456789012-Admin", None)
    assert ids(writer.value(MEMBERS)) == [sample.ANNA, sample.NESTED]
    assert tenant.now_view.assignments("principalId", sample.ADMINS) == []
    assert writer.post(f"/directory/deletedItems/{sample.ADMINS}/restore", {}).status == 404


def test_a_unique_name_can_be_given_once(writer):
    """graph/api/group-upsert: it cannot be changed; PATCH sets it where there is none."""
    assert writer.patch(f"/groups/{sample.EMPTY}", {"uniqueName": "aws-123456789012-admin"}).error[2].endswith("uniqueName already exists.")
    assert writer.patch(f"/groups/{sample.EMPTY}", {"uniqueName": "empty"}).status == 204
    assert writer.get("/groups(uniqueName='empty')").json["id"] == sample.EMPTY
    assert writer.patch(f"/groups/{sample.EMPTY}", {"uniqueName": "other"}).status == 400


def test_the_groups_of_somebody_by_their_ids(writer, person):
    """graph/api/directoryobject-getmembergroups: groups in groups count, and mail groups only where they are asked for."""
    secure, every = ({"securityEnabledOnly": only} for only in (True, False))
    assert writer.post(f"/users/{sample.ANNA}/getMemberGroups", secure).json["value"] == [sample.ADMINS]
    assert set(person().post("/me/getMemberGroups", every).json["value"]) == {sample.ADMINS, sample.OFFICE}
    assert set(writer.post(f"/users/{sample.GUEST}/getMemberGroups", secure).json["value"]) == {sample.NESTED, sample.ADMINS}
    assert writer.post(f"/users/{sample.ANNA}/getMemberGroups", {}).status == 400


def test_who_am_i(reader, person):
    assert person().get("/me").json["id"] == sample.ANNA
    assert sample.ADMINS in ids(person().value("/me/memberOf"))
    assert reader.get("/me").error[:2] == (400, "BadRequest")
