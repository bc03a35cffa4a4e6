"""Replicas that are behind, as app-only tokens meet them.

Source: devblogs.microsoft.com/identity/designing-for-eventual-consistency-for-microsoft-entra (2026-03-24).
"""

import uuid
from datetime import UTC, datetime

import entra_sample as sample
import pytest

from awsfed_lib.sandbox.entra.replicas import Replicas
from awsfed_lib.sandbox.entra.tokens import GLOBAL_ADMINISTRATOR
from awsfed_lib.sandbox.store import Tenant

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"
NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
TEMPLATE = f"/applicationTemplates/{sample.TEMPLATE}/instantiate"
NEW = {"displayName": "AWS-1", "mailEnabled": False, "mailNickname": "aws-1", "securityEnabled": True}


@pytest.fixture
def lagging(tenant):
    """Three stale reads after every write."""
    tenant.switches = tenant.switches.changed({"lag_reads": 3})
    return tenant


def test_the_same_seed_gives_the_same_stale_reads():
    def seen(seed):
        replicas = Replicas(seed)
        replicas.note(("groups", "x"), "old", 5)
        return [replicas.read("object", ("groups", "x"), "new", NOW) for _ in range(12)]

    assert seen(1) == seen(1)
    assert seen(1).count("old") == 5
    assert seen(1)[-1] == "new"
    assert len({tuple(seen(seed)) for seed in range(20)}) > 1


def test_a_fresh_answer_can_be_followed_by_a_stale_one_but_not_three():
    for seed in range(50):
        replicas = Replicas(seed)
        replicas.note(("groups", "x"), "old", 4)
        text = "".join("o" if replicas.read("object", ("groups", "x"), "n", NOW) == "old" else "n" for _ in range(12))
        assert "nnn" not in text.rstrip("n")


def test_a_new_object_is_missing_at_first(writer, lagging):
    made = writer.post("/groups", NEW).json["id"]
    statuses = [writer.get(f"/groups/{made}").status for _ in range(8)]
    assert statuses[0] == 404
    assert statuses.count(404) == 3
    assert statuses[-1] == 200


def test_a_new_object_cannot_be_changed_or_assigned_at_first(writer, lagging):
    """graph-docs#20133: "Not a valid reference update." right after the principal was made."""
    made = writer.post("/groups", NEW).json["id"]
    assert writer.patch(f"/groups/{made}", {"description": "x"}).status == 404
    body = {"principalId": made, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}
    errors = [writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body) for _ in range(6)]
    assert errors[0].error[2] == "Not a valid reference update."
    assert [answer.status for answer in errors].count(201) == 1


def test_a_new_role_cannot_be_assigned_at_first(writer, lagging):
    """A role just added and not replicated: "was not found on application"."""
    entries = writer.get(f"{PRINCIPAL}?$select=appRoles").json["appRoles"]
    role = {key: value for key, value in sample.role("New").items() if key != "origin"}
    assert writer.patch(PRINCIPAL, {"appRoles": [*entries, role]}).status == 204
    body = {"principalId": sample.BEN, "resourceId": sample.AWS, "appRoleId": role["id"]}
    answers = [writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body) for _ in range(6)]
    assert answers[0].error[2] == "Permission being assigned was not found on application"
    assert [answer.status for answer in answers].count(201) == 1


def test_a_role_just_disabled_still_counts_as_enabled_at_first(writer, lagging):
    """terraform-provider-azuread polls after disabling, since the removal may be refused on a stale replica."""
    entries = writer.get(f"{PRINCIPAL}?$select=appRoles").json["appRoles"]
    disabled = [{**entry, "isEnabled": entry["isEnabled"] and entry["id"] != sample.ADMIN["id"]} for entry in entries]
    assert writer.patch(PRINCIPAL, {"appRoles": disabled}).status == 204
    removed = {"appRoles": [entry for entry in disabled if entry["id"] != sample.ADMIN["id"]]}
    answers = [writer.patch(PRINCIPAL, removed) for _ in range(6)]
    assert answers[0].error[1] == "CannotDeleteOrUpdateEnabledEntitlement"
    assert 204 in [answer.status for answer in answers]


def test_lists_lag_on_their_own(writer, lagging):
    body = {"principalId": sample.BEN, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}
    made = writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body).json["id"]
    for _ in range(8):
        writer.get(f"{PRINCIPAL}/appRoleAssignedTo/{made}")
    seen = [made in [row["id"] for row in writer.value(f"{PRINCIPAL}/appRoleAssignedTo")] for _ in range(8)]
    assert seen[0] is False
    assert seen.count(False) == 3
    assert seen[-1] is True


def test_what_was_deleted_is_still_listed_at_first(writer, lagging):
    writer.delete(f"/groups/{sample.ADMINS}")
    seen = [sample.ADMINS in [row["id"] for row in writer.value("/groups")] for _ in range(8)]
    assert (seen[0], seen.count(True), seen[-1]) == (True, 3, False)


def test_a_second_assignment_is_refused_though_no_list_shows_the_first(writer, lagging):
    """Uniqueness is kept by the directory, not by the replica that is asked."""
    body = {"principalId": sample.BEN, "resourceId": sample.AWS, "appRoleId": sample.ADMIN["id"]}
    assert writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body).status == 201
    assert writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body).error[2] == "Permission being assigned already exists on the object"


def test_within_one_request_everything_is_of_one_moment(writer, lagging):
    """One list shows a group either everywhere or nowhere: a page and its count agree."""
    writer.post("/groups", NEW)
    for _ in range(8):
        page = writer.get("/groups?$count=true", ConsistencyLevel="eventual").json
        assert page["@odata.count"] == len(page["value"])


@pytest.fixture
def stale(tenant):
    """Every replica is twelve minutes behind, lists twice as long; returns how to let minutes pass."""
    tenant.switches = tenant.switches.changed({"lag_minutes": {"*": 12}})
    return lambda minutes: tenant.pass_time(60 * minutes)


def test_a_new_object_is_missing_for_minutes_and_longer_in_lists(writer, stale):
    """terraform-provider-azuread waits up to twelve minutes for a group."""
    made = writer.post("/groups", NEW).json["id"]

    def seen():
        return writer.get(f"/groups/{made}").status == 200, made in [row["id"] for row in writer.value("/groups")]

    assert seen() == (False, False)
    stale(5.9)
    assert seen() == (False, False)
    stale(6.2)
    assert seen() == (True, writer.value("/groups")[-1]["id"] == made)
    stale(12)
    assert seen() == (True, True)


def test_in_the_second_half_some_replicas_are_up_to_date(writer, stale):
    made = writer.post("/groups", NEW).json["id"]
    stale(8)
    statuses = [writer.get(f"/groups/{made}").status for _ in range(20)]
    assert {200, 404} == set(statuses)
    assert "404, 200, 404" in ", ".join(map(str, statuses))


def test_what_was_written_twice_shows_its_oldest_state(writer, stale):
    for description in ("first", "second"):
        assert writer.patch(f"/groups/{sample.ADMINS}", {"description": description}).status == 204
    assert writer.get(f"/groups/{sample.ADMINS}").json["description"] is None
    stale(12)
    assert writer.get(f"/groups/{sample.ADMINS}").json["description"] == "second"


def test_every_kind_lags_for_itself(writer, tenant, stale):
    """instantiate: the service principal is there, its application is not (openshift-azure#1534)."""
    tenant.switches = tenant.switches.changed({"lag_minutes": {"servicePrincipals": 1, "applications": 5}})
    made = writer.post(TEMPLATE, {"displayName": "AWS 2"}).json
    principal = f"/servicePrincipals/{made['servicePrincipal']['id']}"
    assert writer.patch(principal, {"notes": "x"}).status == 404
    stale(1)
    assert writer.get(principal).status == 200
    assert writer.get(f"/applications/{made['application']['id']}").status == 404
    assert writer.patch(principal, {"notes": "x"}).error[:2] == (400, "NoBackingApplicationObject")
    assert writer.post(f"{principal}/addTokenSigningCertificate", {"displayName": "CN=AWS"}).error[1] == "NoBackingApplicationObject"
    stale(4)
    assert writer.patch(principal, {"notes": "x"}).status == 204


def test_what_is_created_again_is_created_twice(writer, tenant, stale):
    """Applications, certificates and claims policies have no unique key: who looks and does not see, and posts again, has two."""
    policy = {"definition": ['{"ClaimsMappingPolicy": {"Version": 1}}'], "displayName": "AWS"}
    for path, body in (
        (TEMPLATE, {"displayName": "AWS 2"}),
        (f"{PRINCIPAL}/addTokenSigningCertificate", {}),
        ("/policies/claimsMappingPolicies", policy),
    ):
        assert [writer.post(path, body).status < 300 for _ in range(2)] == [True, True]
    assert len([one for one in writer.value("/servicePrincipals") if one["displayName"] == "AWS 2"]) == 0
    assert len(writer.get(f"{PRINCIPAL}?$select=keyCredentials").json["keyCredentials"]) == 2  # one certificate: it signs and verifies
    assert len(writer.value("/policies/claimsMappingPolicies")) == 1
    stale(24)
    assert len([one for one in writer.value("/servicePrincipals") if one["displayName"] == "AWS 2"]) == 2
    assert len(writer.get(f"{PRINCIPAL}?$select=keyCredentials").json["keyCredentials"]) == 6
    assert len(writer.value("/policies/claimsMappingPolicies")) == 3


def test_a_unique_name_is_taken_though_no_replica_shows_it(writer, stale):
    upsert = "/groups(uniqueName='aws-1')"
    assert writer.patch(upsert, NEW, Prefer="create-if-missing").status == 201
    assert writer.get(upsert).status == 404
    assert writer.patch(upsert, NEW, Prefer="create-if-missing").error[2].endswith("uniqueName already exists.")


def test_a_member_of_a_group_that_is_too_new(writer, stale):
    made = writer.post("/groups", NEW).json["id"]
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{sample.BEN}"}
    words = "The source resource object or one of the objects being referenced do not exist."
    assert writer.post(f"/groups/{made}/members/$ref", reference).error == (400, "Request_BadRequest", words)
    stale(12)
    assert writer.post(f"/groups/{made}/members/$ref", reference).status == 204
    assert writer.value(f"/groups/{made}/members") == []
    stale(24)
    assert [row["id"] for row in writer.value(f"/groups/{made}/members")] == [sample.BEN]


def test_a_person_sees_what_was_written(person, stale):
    """The same source: delegated sessions are consistent."""
    made = person(GLOBAL_ADMINISTRATOR).post("/groups", NEW).json["id"]
    assert person().get(f"/groups/{made}").status == 200


def test_without_the_switch_nothing_lags(writer):
    made = writer.post("/groups", NEW).json["id"]
    assert writer.get(f"/groups/{made}").status == 200


def test_hooks_see_every_write_and_can_keep_it_out(writer, tenant: Tenant):
    """Where fault injection hooks in: one place where a write is applied."""
    seen = []
    tenant.after_write.append(lambda _, writes: seen.extend(writes))
    writer.patch(f"/groups/{sample.ADMINS}", {"description": "x"})
    assert [(write.table, write.key, write.value["description"]) for write in seen] == [("groups", sample.ADMINS, "x")]

    def lost(_tenant, _writes):
        raise ConnectionError

    tenant.before_write.append(lost)
    with pytest.raises(ConnectionError):
        writer.patch(f"/groups/{sample.ADMINS}", {"description": "y"})
    tenant.before_write.clear()
    assert writer.get(f"/groups/{sample.ADMINS}").json["description"] == "x"


def test_records_that_were_read_never_change(tenant, writer):
    before = tenant.tables["groups"][sample.ADMINS]
    writer.patch(f"/groups/{sample.ADMINS}", {"description": str(uuid.uuid4())})
    assert before["description"] is None
    assert tenant.tables["groups"][sample.ADMINS] is not before
