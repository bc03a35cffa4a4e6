"""The rules of appRoles one by one, on the service principal and on the application object."""

import uuid

import entra_sample as sample
import pytest

from awsfed_lib.sandbox.store import Write

PRINCIPAL = f"/servicePrincipals/{sample.AWS}"
APPLICATION = f"/applications/{sample.AWS_APPLICATION}"
INVALID = (400, "Request_BadRequest", "One or more properties contains invalid values.")
DUPLICATE = (400, "DuplicateValue", "Request contains a property with duplicate values.")
ENABLED = (400, "CannotDeleteOrUpdateEnabledEntitlement", "Permission (scope or role) cannot be deleted or updated unless disabled first.")


def live(client, path=PRINCIPAL):
    return client.get(f"{path}?$select=appRoles").json["appRoles"]


def patched(client, entries, path=PRINCIPAL):
    return client.patch(path, {"appRoles": entries})


def new(name="New", **more):
    return {key: value for key, value in sample.role(name).items() if key != "origin"} | more


def changed(entries, role, **more):
    return [{**entry, **more} if entry["id"] == role["id"] else entry for entry in entries]


def without(entries, role):
    return [entry for entry in entries if entry["id"] != role["id"]]


def switch(tenant, **switches):
    tenant.switches = tenant.switches.changed(switches)


def test_the_collection_keeps_the_order_in_which_it_was_sent(writer):
    entries = [new(), *live(writer)]
    assert patched(writer, entries).status == 204
    assert [entry["id"] for entry in live(writer)] == [entry["id"] for entry in entries]


def test_what_came_out_goes_back_in_unchanged(writer):
    before = live(writer)
    assert patched(writer, before).status == 204
    assert live(writer) == before


def test_keys_nobody_knows_survive(writer):
    """Payloads of other clients hold `isPrivate` and the like; graph/api/resources/approle does not name them."""
    assert patched(writer, [*live(writer), new(isPrivate=False)]).status == 204
    assert live(writer)[-1]["isPrivate"] is False


def test_a_new_role_is_enabled_unless_it_says_otherwise(writer):
    """graph/api/resources/approle, isEnabled: true is the default."""
    entry = new()
    del entry["isEnabled"]
    patched(writer, [*live(writer), entry])
    assert live(writer)[-1]["isEnabled"] is True


def test_an_inherited_null_value_may_be_left_out(writer):
    """Nothing was found about it; leaving it out and null are read alike."""
    entries = [{key: value for key, value in entry.items() if key != "value" or value} for entry in live(writer)]
    assert patched(writer, entries).status == 204
    assert live(writer)[0]["value"] is None


@pytest.mark.parametrize("wanted", [None, {}, "roles", [None], ["x"]])
def test_the_collection_is_a_list_of_objects(writer, wanted):
    assert patched(writer, wanted).error == INVALID


@pytest.mark.parametrize(
    "more", [{"id": "no guid"}, {"id": None}, {"isEnabled": "yes"}, {"displayName": 1}, {"value": 1}, {"allowedMemberTypes": None}]
)
def test_every_property_has_its_type(writer, more):
    assert patched(writer, [*live(writer), new(**more)]).error == INVALID


@pytest.mark.parametrize("value", ["User", "tab\t", "ümlaut", "a\\b", 'quo"te', "x" * 250])
def test_values_that_are_refused(writer, value):
    """graph/api/resources/approle (charset); terraform-provider-azuread#721 (`User`) and its validate/tokens.go (249)."""
    assert patched(writer, [*live(writer), new(value=value)]).error == INVALID


@pytest.mark.parametrize("value", ["x" * 240, "x" * 120, "a:!#$%&'()*+,-./;<=>?@[]^_{|}~`Z0", None])
def test_values_that_are_taken(writer, value):
    """Documented are 120 characters; Microsoft's AWS tutorial counts to 239, and the service takes them."""
    assert patched(writer, [*live(writer), new(value=value)]).status == 204


def test_without_any_member_type_the_role_is_named(writer):
    """msgraph-sdk-dotnet#2043."""
    entry = new(allowedMemberTypes=[])
    text = f"App role with identifier '{entry['id']}' must have at least one value specified for 'allowedMemberTypes'."
    assert patched(writer, [*live(writer), entry]).error[2] == text


@pytest.mark.parametrize("kinds", [["Application"], ["User", "Application"], ["Group"], "User"])
def test_roles_added_on_a_service_principal_are_for_users(writer, kinds):
    """graph/api/resources/approle: "Application" is only supported for roles defined on application entities."""
    assert patched(writer, [*live(writer), new(allowedMemberTypes=kinds)]).error == INVALID


def test_roles_of_an_application_object_may_be_for_applications(writer):
    """graph/api/resources/approle."""
    entry = new(allowedMemberTypes=["Application"])
    assert patched(writer, [*live(writer, APPLICATION), entry], APPLICATION).status == 204


def test_an_id_stands_once(writer):
    """graph/api/resources/approle: the id is unique inside the collection."""
    assert patched(writer, [*live(writer), new(), new(value="other")]).error == DUPLICATE


def test_values_that_differ_in_case_only_are_duplicates(writer):
    """graph-docs#21667 for duplicates; that case does not count is our stricter reading."""
    assert patched(writer, [*live(writer), new(value=sample.ADMIN["value"].upper())]).error == DUPLICATE


def test_null_values_are_no_duplicates(writer):
    """Microsoft's AWS tutorial: both template roles have the value null."""
    assert patched(writer, [*live(writer), new(value=None)]).status == 204


def test_a_role_and_a_scope_of_one_id_must_say_the_same(writer):
    """azure-docs#81899, terraform-provider-azuread#269."""
    entry = new(id=sample.SCOPE["id"], value="user_impersonation")
    assert "must match for the 'oauth2Permissions' and 'appRoles' properties" in patched(writer, [*live(writer), entry]).error[2]
    same = entry | {"description": sample.SCOPE["adminConsentDescription"], "displayName": sample.SCOPE["adminConsentDisplayName"]}
    assert patched(writer, [*live(writer), same]).status == 204


@pytest.mark.parametrize("more", [{"value": "x"}, {"displayName": "x"}, {"description": "x"}, {"isEnabled": False, "displayName": "x"}])
def test_an_enabled_role_is_switched_off_before_it_is_changed(writer, more):
    """terraform-provider-azuread applications.go: disable, then change, in two requests."""
    assert patched(writer, changed(live(writer), sample.ADMIN, **more)).error == ENABLED
    assert patched(writer, changed(live(writer), sample.ADMIN, isEnabled=False)).status == 204
    assert patched(writer, changed(live(writer), sample.ADMIN, **{"isEnabled": True} | more)).status == 204


def test_lenient_takes_another_value_and_nothing_else(writer, tenant):
    """The measured note that `value` can be changed while enabled, against the rule above."""
    switch(tenant, value_change="lenient")
    assert patched(writer, changed(live(writer), sample.ADMIN, value="other")).status == 204
    assert patched(writer, changed(live(writer), sample.ADMIN, displayName="other")).error == ENABLED


def test_origin_is_taken_and_ignored_or_refused(writer, tenant):
    """graph/api/resources/approle: "must not be included"; Microsoft's tutorials send it and get 204."""
    assert patched(writer, [*live(writer), new(origin="Application")]).status == 204
    assert live(writer)[-1]["origin"] == "ServicePrincipal"
    switch(tenant, origin="refuse")
    assert patched(writer, live(writer)).error == INVALID
    assert patched(writer, [{key: value for key, value in entry.items() if key != "origin"} for entry in live(writer)]).status == 204


# How many


def full(tenant, count):
    """Give the service principal `count` roles, past all rules, as a service-assigned limit would."""
    record = tenant.tables["servicePrincipals"][sample.AWS]
    more = [sample.role(f"R{nth}") for nth in range(count - len(record["appRoles"]))]
    tenant.commit([Write("servicePrincipals", sample.AWS, {**record, "appRoles": [*record["appRoles"], *more]})])


def test_above_the_limit_an_object_may_stay_or_shrink(writer, tenant):
    """howto-add-app-roles-in-apps: over-limit objects can be updated when the count stays or falls."""
    full(tenant, 750)
    entries = live(writer)
    assert patched(writer, changed(entries, sample.ADMIN, isEnabled=False)).status == 204
    assert patched(writer, without(live(writer), sample.OLD)).status == 204
    assert patched(writer, [*live(writer), new(), new("More")]).error[2].startswith("The total count of values: 752 exceeds")


def test_an_id_that_role_and_scope_share_counts_once(writer, tenant):
    """howto-add-app-roles-in-apps: each distinct id once, over roles and scopes."""
    full(tenant, 699)
    assert "701 exceeds" in patched(writer, [*live(writer), new()]).error[2]
    shared = new(id=sample.SCOPE["id"], value="user_impersonation")
    shared |= {"description": sample.SCOPE["adminConsentDescription"], "displayName": sample.SCOPE["adminConsentDisplayName"]}
    assert patched(writer, [*live(writer), shared]).status == 204


def test_an_object_with_too_many_entries_is_full(writer, tenant):
    """openshift-azure#1932, graph-docs#21469; entra-service-limits: 1,200 entries over all collections."""
    full(tenant, 400)
    tags = [f"tag{nth}" for nth in range(790)]
    assert writer.patch(PRINCIPAL, {"tags": tags}).status == 204
    text = "The size of the object has exceeded its limit. Please reduce the number of values and retry your request."
    assert writer.patch(PRINCIPAL, {"tags": [*tags, *(f"more{nth}" for nth in range(20))]}).error == (
        403,
        "Directory_ResourceSizeExceeded",
        text,
    )


def test_seven_hundred_roles_are_answered_in_time(writer, tenant):
    """The budget of the sandbox: below 20 ms; ten times that here, so that a busy machine does not fail it."""
    import time

    full(tenant, 699)
    live(writer)
    start = time.perf_counter()
    writer.get(PRINCIPAL)
    assert time.perf_counter() - start < 0.2


# The application object


def test_a_role_of_the_application_appears_on_the_service_principal(writer):
    """graph/api/application-update: the collection is synchronized with the service principal."""
    assert patched(writer, [*live(writer, APPLICATION), new()], APPLICATION).status == 204
    assert [entry["origin"] for entry in live(writer) if entry["id"] == new()["id"]] == ["Application"]


def test_roles_added_on_the_service_principal_never_reach_the_application(writer):
    """graph/api/resources/approle, origin."""
    assert [entry["displayName"] for entry in live(writer, APPLICATION)] == ["msiam_access"]


def test_an_enabled_role_of_the_application_stays_until_it_is_disabled(writer):
    """pnp/cli-microsoft365 app-role-remove: PATCH disable, PATCH remove, on /applications."""
    assert patched(writer, [], APPLICATION).error == ENABLED
    assert patched(writer, [live(writer, APPLICATION)[0] | {"isEnabled": False}], APPLICATION).status == 204
    assert patched(writer, [], APPLICATION).status == 204
    assert "msiam_access" not in [entry["displayName"] for entry in live(writer)]


def test_removal_on_the_application_takes_the_assignments_along(writer):
    """graph-docs#5338."""
    role = live(writer)[0]
    body = {"principalId": sample.BEN, "resourceId": sample.AWS, "appRoleId": role["id"]}
    assert writer.post(f"{PRINCIPAL}/appRoleAssignedTo", body).status == 201
    patched(writer, [{**role, "isEnabled": False}], APPLICATION)
    patched(writer, [], APPLICATION)
    assert role["id"] not in [row["appRoleId"] for row in writer.value(f"{PRINCIPAL}/appRoleAssignedTo")]


# Other properties


def test_ordinary_properties_are_written(writer):
    """graph/api/serviceprincipal-update."""
    body = {
        "notes": "by awsfed",
        "tags": ["one"],
        "notificationEmailAddresses": ["cloud@contoso.example"],
        "preferredSingleSignOnMode": "saml",
        "samlSingleSignOnSettings": {"relayState": "https://console.aws.amazon.com/"},
        "loginUrl": None,
    }
    assert writer.patch(PRINCIPAL, body).status == 204
    found = writer.get(PRINCIPAL).json
    assert {name: found[name] for name in body} == body
    assert len(found["appRoles"]) == 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"colour": "red"}, "Invalid property 'colour'"),
        ({"appId": str(uuid.uuid4())}, "Property 'appId' is read-only and cannot be set."),
        ({"notes": "x" * 1025}, "Invalid value specified for property 'notes' of resource 'ServicePrincipal'."),
        ({"tags": ["x" * 257]}, "Invalid value specified for property 'tags'"),
        ({"preferredSingleSignOnMode": "magic"}, "One or more properties contains invalid values."),
        ({"appRoleAssignmentRequired": "yes"}, "One or more properties contains invalid values."),
        ({"displayName": "Other"}, "One or more properties on the service principal does not match the application object."),
        ({"preferredTokenSigningKeyThumbprint": "00"}, "One or more properties contains invalid values."),
    ],
)
def test_properties_that_are_refused(writer, body, words):
    """azure-docs#78297 for what follows the application; graph/api/resources/serviceprincipal and application for lengths."""
    answer = writer.patch(PRINCIPAL, body)
    assert answer.status == 400
    assert words in answer.error[2]


@pytest.mark.parametrize("body", ["", "{", "[]"])
def test_a_body_that_is_no_json_object(writer, front, body):
    sent = {"Authorization": f"Bearer {writer.token}"}
    found = writer.http.patch(f"/v1.0{PRINCIPAL}", data=body, content_type="application/json", headers=sent)
    assert (found.status_code, found.json["error"]["code"]) == (400, "BadRequest")


def test_identifier_uris_are_unique_in_the_tenant(writer):
    """Several instances need `…/saml#1`; the conflict's words as reported, the old code was ObjectConflict."""
    path = f"/applications/{sample.OTHER_APPLICATION}"
    text = "Another object with the same value for property identifierUris already exists."
    assert writer.patch(path, {"identifierUris": ["https://signin.aws.amazon.com/saml"]}).error == (400, "Request_BadRequest", text)
    assert writer.patch(f"/servicePrincipals/{sample.OTHER}", {"preferredSingleSignOnMode": "saml"}).status == 204
    assert writer.patch(path, {"identifierUris": ["https://signin.aws.amazon.com/saml#1"]}).status == 204
    assert "https://signin.aws.amazon.com/saml#1" in writer.get(f"/servicePrincipals/{sample.OTHER}").json["servicePrincipalNames"]


def test_complex_properties_are_merged(writer):
    """graph/api/application-update: properties that are not in the body keep their values."""
    assert writer.patch(APPLICATION, {"web": {"logoutUrl": "https://x.example"}}).status == 204
    assert writer.get(APPLICATION).json["web"]["redirectUris"] == ["https://signin.aws.amazon.com/saml"]
