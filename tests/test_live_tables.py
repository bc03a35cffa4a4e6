"""Every live table against the sandbox: read whole, and with the facts that the plans of the core expect."""

import json

import pytest

from awsfed_lib.core import facts
from awsfed_lib.core.certificate import certificates
from awsfed_lib.core.errors import GraphError, ParameterError, UnreadError
from awsfed_lib.core.saml import application, gallery
from awsfed_lib.core.saml.gallery import AWS_TEMPLATE
from awsfed_lib.edges.entra import live_tables, saml_reads


@pytest.fixture
def graph(twin):
    return twin.writing()


@pytest.fixture
def registration(twin):
    wanted = twin.service_principal["appId"]
    return next(app for app in twin.tenant.tables["applications"].values() if app["appId"] == wanted)


def test_both_halves_of_the_application(graph, twin, registration):
    live = saml_reads.settings(graph, twin.application_id)
    assert (live.service_principal["id"], live.application["id"]) == (twin.application_id, registration["id"])
    assert graph.live("service_principal", twin.application_id) == application.settings_facts("service_principal", live.service_principal)
    assert graph.live("application", registration["id"]) == application.settings_facts("application", live.application)


def test_identifiers_of_other_applications_are_taken(graph, twin, registration):
    live = saml_reads.settings(graph, twin.application_id)
    others = {uri for app in twin.tenant.tables["applications"].values() if app is not registration for uri in app["identifierUris"]}
    assert set(live.taken) == others - set(registration["identifierUris"])


def test_settings_plan_finds_its_own_basis(graph, twin):
    """What the plan computed from and what `live` reads again are one: else every plan would be stale at once."""
    live = saml_reads.settings(graph, twin.application_id)
    desired = application.Settings(notify=("ann@contoso.example",), relay_state="https://console.aws.amazon.com/")
    plan = application.plan(graph.application(twin.application_id), live, desired)
    assert plan.basis
    for basis in plan.basis:
        assert type(basis).over(basis.table, basis.of, graph.live(basis.table, basis.of)) == basis


def test_signing_certificates(graph, twin):
    found = saml_reads.signing_certificates(graph, twin.application_id)
    assert [one.thumbprint for one in found if one.is_active] == [twin.service_principal["preferredTokenSigningKeyThumbprint"]]
    assert graph.live("certificates", twin.application_id) == certificates.certificate_facts(found)
    assert graph.live("certificate_names", twin.application_id) == certificates.name_facts(found)
    keys = {entry["keyId"] for kind in ("keyCredentials", "passwordCredentials") for entry in twin.service_principal[kind]}
    assert {json.loads(fact)["keyId"] for fact in graph.live("credentials", twin.application_id)} == keys
    assert keys


def test_snapshot_of_credentials_holds_no_secret(graph, twin):
    kept = json.loads(graph.snapshot("credentials", twin.application_id))
    assert kept["value"][0]["passwordCredentials"]
    assert all(not entry.get("secretText") for entry in kept["value"][0]["passwordCredentials"])


def test_claims_policies(graph, twin):
    definition = json.dumps({"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": []}})
    policy = {
        "id": "66666666-0000-4000-8000-000000000001",
        "displayName": "AWS",
        "definition": [definition],
        "isOrganizationDefault": False,
    }
    twin.tenant.tables["claimsMappingPolicies"][policy["id"]] = policy
    (assigned,) = twin.tenant.tables["policies"][twin.application_id]
    (fact,) = graph.live("claims_policies", "AWS")
    assert json.loads(fact)["displayName"] == "AWS"
    assert graph.live("claims_policies", "aws") == ()
    assert graph.live("assigned_policies", twin.application_id) == (facts.assigned_policy(assigned),)
    live = saml_reads.policies(graph, twin.application_id, name="AWS")
    assert [[one["id"] for one in found] for found in (live.named, live.assigned, live.shared)] == [[policy["id"]], [assigned], []]


def test_policy_of_another_application_as_well_is_shared(graph, twin):
    identity = "66666666-0000-4000-8000-000000000001"
    policy = {"id": identity, "displayName": "AWS", "definition": ["{}"], "isOrganizationDefault": False}
    twin.tenant.tables["claimsMappingPolicies"][identity] = policy
    twin.tenant.tables["policies"][twin.application_id] = (identity,)
    assert graph.live("assigned_policies", twin.application_id) == (facts.assigned_policy(identity),)
    assert saml_reads.policies(graph, twin.application_id, name="AWS").shared == ()
    other = next(key for key in twin.tenant.tables["servicePrincipals"] if key != twin.application_id)
    twin.tenant.tables["policies"][other] = (identity,)
    assert saml_reads.policies(graph, twin.application_id, name="AWS").shared == (identity,)


def test_instances_and_tags(graph, twin):
    name = twin.service_principal["displayName"]
    assert graph.live("instances", name) == (facts.instance(name, AWS_TEMPLATE),)
    assert graph.live("instances", name.swapcase()) == ()
    assert graph.live("tags", twin.application_id) == tuple(facts.setting("tag", tag) for tag in twin.service_principal["tags"])
    (found,) = saml_reads.instances(graph, name=name, tag="awsfed:nobody")
    assert gallery.found(gallery.Wanted(name), [found])["id"] == twin.application_id


@pytest.mark.parametrize("name", ["AWS of the test", None])
def test_gallery_plan_finds_its_own_basis(graph, twin, name):
    """One that is to be made, and one that is to be marked."""
    wanted = gallery.Wanted(name or twin.service_principal["displayName"])
    plan = gallery.plan(graph.tenant(), saml_reads.instances(graph, name=wanted.display_name, tag=wanted.tag), wanted)
    assert plan.requests
    for basis in plan.basis:
        assert type(basis).over(basis.table, basis.of, graph.live(basis.table, basis.of)) == basis


def test_metadata_is_that_of_the_application(graph, twin):
    """Tenant-wide metadata holds keys that do not sign for the application: an outage in every account it is given to."""
    app_id = twin.service_principal["appId"]
    assert saml_reads.metadata(twin.session(), app_id).decode() == twin.tenant.metadata(app_id)


@pytest.mark.parametrize("app_id", ["00000000-0000-0000-0000-000000000000", "", "a&b", "../x"])
def test_metadata_of_nobody_is_unread(twin, app_id):
    with pytest.raises(UnreadError):
        saml_reads.metadata(twin.session(), app_id)


def test_missing_lists_are_unread_and_never_empty(graph, twin, monkeypatch):
    """`keyCredentials` come only when they are selected: an answer without them is not an application without keys."""
    monkeypatch.setattr(graph, "one", lambda path: {"id": twin.application_id})
    for table in ("app_roles", "certificates", "certificate_names", "credentials", "tags"):
        with pytest.raises(UnreadError):
            graph.live(table, twin.application_id)


def test_wrong_object_is_unread(graph, monkeypatch):
    monkeypatch.setattr(graph, "one", lambda path: {"id": "another"})
    with pytest.raises(UnreadError, match="Another application"):
        graph.live("application", "one")


def test_object_that_is_not_there(graph):
    for table in ("application", "service_principal", "tags", "credentials"):
        with pytest.raises(GraphError):
            graph.live(table, "00000000-0000-0000-0000-000000000000")


def test_unknown_table_names_those_that_exist():
    with pytest.raises(ParameterError, match="app_roles"):
        live_tables.named("weather")
