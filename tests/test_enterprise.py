"""The enterprise application as a whole, against the twin: from an empty tenant in three plans, adopted, and never made twice."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import scripted
from fake_service import FakeJournal

from awsfed_lib.core.certificate.certificate_recipe import recipe
from awsfed_lib.core.errors import ParameterError, SignInError
from awsfed_lib.core.saml.claims import emitted
from awsfed_lib.core.saml.saml_attributes import ROLE
from awsfed_lib.core.tables import APP_ROLES, ASSIGNMENTS, MEMBERS, frame
from awsfed_lib.edges.amazon import attempt as attempts
from awsfed_lib.edges.entra import enterprise
from awsfed_lib.edges.entra.enterprise import Claims, Desired, Settings
from awsfed_lib.sandbox.store import Write

NAME, CERTIFICATE = "AWS of the test", "CN=AWS of the test"
DESIRED = Desired(Settings(notify=("cloud@contoso.example",)), Claims(7200), "AWS claims", CERTIFICATE)


class Walk:
    """Runs of the runbook: each reads, plans, and sends the plan."""

    def __init__(self, twin):
        self.twin, self.graph, self.session = twin, twin.writing(clock=scripted.Hours().clock), twin.session("writer")

    def read(self, application_id="", name=NAME, policy="AWS claims"):
        return enterprise.read(self.graph, self.session, application_id=application_id, name=name, policy=policy)

    def run(self, desired=DESIRED, **how):
        plan = enterprise.plan(self.read(**how), desired)
        return plan, plan.apply(self.graph, approved=plan.id, journal=FakeJournal()).verdict

    def made(self):
        return [one for one in self.twin.tenant.tables["servicePrincipals"].values() if one["displayName"] == NAME]


@pytest.fixture
def walk(twin):
    return Walk(twin)


def paths(plan):
    return [f"{request.method} {request.path.rpartition('/')[2]}" for request in plan.requests]


@pytest.mark.parametrize("lag", [0, 2])
def test_empty_tenant_takes_three_plans_and_then_none(walk, twin, lag):
    """No plan holds an id that Entra ID has not made yet; within that, one approval for all that can be sent."""
    twin.switch(lag_reads=lag)
    first, second, third, fourth = (walk.run() for _ in range(4))
    assert [verdict for _, verdict in (first, second, third, fourth)] == ["applied", "applied", "applied", "nothing to do"]
    assert paths(first[0]) == ["POST instantiate"]
    (made,) = walk.made()
    assert [request.purpose for request in second[0].requests] == [
        f"Mark {NAME}",
        "Set the single sign-on mode to SAML",
        "Set identifier and reply URLs",
        "Set the other SAML settings",
        "Make the claims policy AWS claims",
        f"Let Entra ID make the signing certificate {CERTIFICATE}",
    ]
    assert [request.wave for request in second[0].requests] == list(range(6))
    assert paths(third[0]) == ["POST $ref", f"PATCH {made['id']}"]


def test_identifier_is_one_that_the_tenant_has_not_yet(walk, twin):
    """The twin's own application has …/saml and …/saml#1 (entra saas-apps/amazon-web-service-tutorial: #1, #2 …)."""
    for _ in range(2):
        walk.run()
    application = next(app for app in twin.tenant.tables["applications"].values() if app["displayName"] == NAME)
    assert application["identifierUris"] == ["https://signin.aws.amazon.com/saml#2"]


def test_lost_answer_never_makes_a_second_one(walk, twin, monkeypatch):
    """POST instantiate is not idempotent: the one that was made is read back, and the next run goes on with it."""
    send = walk.graph.send
    monkeypatch.setattr(walk.graph, "send", lambda requests: [answer._replace(fate="unknown", status=0) for answer in send(requests)])
    _, verdict = walk.run()
    assert verdict == "applied"
    monkeypatch.undo()
    plan, _ = walk.run()
    assert len(walk.made()) == 1
    assert plan.requests[0].purpose == f"Mark {NAME}"


def test_renamed_application_is_found_by_its_mark(walk, twin):
    for _ in range(2):
        walk.run()
    (made,) = walk.made()
    tables = twin.tenant.tables
    for table in ("servicePrincipals", "applications"):
        for key, one in tables[table].items():
            if one["displayName"] == NAME:
                tables[table][key] = {**one, "displayName": "Renamed"}
    assert walk.read().found.subject.id == made["id"]


def test_existing_application_is_adopted_by_its_object_id(walk, twin):
    """Nothing of it is replaced: with no name for policy and certificate both stay as they are, and it gets no mark."""
    plan = enterprise.plan(walk.read(application_id=twin.application_id, policy=""), Desired(Settings(), Claims()))
    assert not plan
    assert {change.action for change in plan.changes} == {"keep"}
    assert not any("awsfed:" in tag for tag in twin.service_principal["tags"])


def test_active_certificate_of_an_adopted_application_stays(walk, twin):
    plan = enterprise.plan(walk.read(application_id=twin.application_id), DESIRED)
    assert "08-certificates" in next(change.why for change in plan.changes if change.kind == "signing certificate")
    assert not any("Certificate" in request.path for request in plan.requests)


def test_neither_name_nor_id_says_what_to_set(walk):
    with pytest.raises(ParameterError, match="application_name"):
        walk.read(name="")


def test_template_is_looked_up_in_the_cloud(walk, twin, monkeypatch):
    """Ids are others in each cloud; where the gallery has no AWS, an application of one's own is made."""
    assert enterprise.template(walk.graph) == "8b1025e4-1dd2-430b-a150-2ef79cd700f5"
    twin.switch(cloud="china")
    assert enterprise.template(walk.graph) == "5a532e38-1581-4918-9658-008dc27c1d68"
    monkeypatch.setattr(enterprise, "TEMPLATES", ("None such",))
    with pytest.raises(ParameterError, match="set application_id"):
        walk.read()


def test_cloud_that_makes_no_certificate_gets_the_recipe_and_the_rest(walk):
    """AddTokenSigningCertificate exists in the global cloud only (graph/api/serviceprincipal-addtokensigningcertificate)."""
    walk.run()
    plan = enterprise.plan(replace(walk.read(), cloud="usgov"), DESIRED)
    assert not any(request.path.endswith("addTokenSigningCertificate") for request in plan.requests)
    assert "recipe" in next(change.why for change in plan.changes if change.kind == "signing certificate")
    assert any("identifierUris" in request.body for request in plan.requests)
    assert "Graph makes it" not in set(recipe("usgov", CERTIFICATE).fact)
    assert "Graph makes it" in set(recipe("global", CERTIFICATE).fact)


@pytest.mark.parametrize(("cloud", "partition"), [("usgov", "aws-us-gov"), ("china", "aws-cn")])
def test_national_clouds_are_set_up_but_for_the_certificate(walk, twin, cloud, partition):
    """Their galleries have other templates, their AWS other endpoints, and no API makes a signing certificate."""
    twin.switch(cloud=cloud)
    desired = replace(DESIRED, settings=Settings(partition))
    verdicts = []
    for _ in range(4):
        plan = enterprise.plan(replace(walk.read(), cloud=cloud), desired)
        verdicts.append(plan.apply(walk.graph, approved=plan.id, journal=FakeJournal()).verdict)
    assert verdicts == ["applied", "applied", "applied", "nothing to do"]
    application = next(app for app in twin.tenant.tables["applications"].values() if app["displayName"] == NAME)
    (host,) = {uri.split("/")[2] for uri in application["identifierUris"]}
    assert host == {"aws-us-gov": "signin.amazonaws-us-gov.com", "aws-cn": "signin.amazonaws.cn"}[partition]
    assert set(enterprise.claims_in_effect(walk.read()).origin) == {"policy AWS claims"}


def test_several_certificates_without_an_active_one_are_not_guessed_among(walk):
    for _ in range(2):
        walk.run()
    live = walk.read()
    two = (*live.found.certificates, replace(live.found.certificates[0], thumbprint="AB" * 20))
    plan = enterprise.plan(replace(live, found=replace(live.found, certificates=two)), DESIRED)
    assert not any("preferredTokenSigningKeyThumbprint" in request.body for request in plan.requests)


def test_note_tells_ids_and_the_next_step(walk):
    seen = []
    for _ in range(4):
        seen.append(dict(enterprise.note(walk.read(), DESIRED).itertuples(index=False)))
        walk.run()
    (made,) = walk.made()
    assert seen[0]["application"].startswith("none yet")
    assert seen[1]["Object ID (application_id of the parameter file)"] == made["id"]
    assert seen[1]["Application ID"] == made["appId"]
    assert [facts["next"].partition(":")[0] for facts in seen] == ["01-application has more to send, first"] * 3 + [
        "nothing is left to do here"
    ]


def test_policy_is_in_effect_over_what_was_before(walk):
    assert enterprise.claims_in_effect(walk.read()).empty
    walk.run()
    assert set(enterprise.claims_in_effect(walk.read()).origin.str.partition(" ")[0]) <= {"template", "template,"}
    for _ in range(2):
        walk.run()
    assert set(enterprise.claims_in_effect(walk.read()).origin) == {"policy AWS claims"}


def test_claims_of_the_portal_that_cannot_be_read_are_not_called_absent(walk, twin, monkeypatch):
    walk.run()
    live = walk.read()
    unread = replace(live, found=replace(live.found, portal=None, portal_problem="Graph refused"))
    assert "not read" in enterprise.claims_in_effect(unread).origin[0]


def test_claims_of_the_portal_decide_until_the_policy_does_and_their_issuer_is_a_trap(walk, twin):
    """The portal's policy appends the application id to the issuer unless told otherwise (graph/api/resources/customclaimspolicy, beta)."""
    walk.run()
    (made,) = walk.made()
    claim = {"@odata.type": "#microsoft.graph.customClaim", "name": "Role", "namespace": "https://aws.amazon.com/SAML/Attributes"}
    attribute = {"id": "assignedroles", "source": "user"}
    saved = {
        "includeApplicationIdInIssuer": True,
        "claims": [{**claim, "configurations": [{"attribute": attribute, "transformations": []}]}],
    }
    twin.tenant.commit([Write("portalClaims", made["id"], saved)])
    nobody = enterprise.people(walk.graph, walk.read(), "").members
    assert set(enterprise.claims_in_effect(walk.read()).origin) == {"portal"}
    assert "issuer-with-application" in set(enterprise.lint(walk.read(), nobody, roles=None).check)
    for _ in range(2):
        walk.run()
    assert set(enterprise.claims_in_effect(walk.read()).origin) == {"policy AWS claims"}
    assert "issuer-with-application" not in set(enterprise.lint(walk.read(), nobody, roles=None).check)


def test_unread_aws_is_a_note_among_the_findings(walk, monkeypatch):
    """AWS is no condition of this runbook: durations are then not compared, and that is said."""

    def refuse(*_, **__):
        raise SignInError("There are no credentials.")

    monkeypatch.setattr(attempts, "inventory", refuse)
    tried = attempts.attempt(None, provider="WAAD")
    walk.run()
    people = enterprise.people(walk.graph, walk.read(), "")
    findings = enterprise.lint(walk.read(), people.members, roles=tried.roles, unread=tried.problem)
    assert "There are no credentials." in findings[findings.check == "durations-unread"].cause.iloc[0]


def test_metadata_is_that_of_the_application_and_fit_for_accounts(walk, twin):
    walk.run()
    assert enterprise.own_metadata(walk.session, walk.read()) is None
    assert enterprise.files(None) == {}
    for _ in range(2):
        walk.run()
    live = walk.read()
    metadata = enterprise.own_metadata(walk.session, live)
    told = dict(enterprise.describe(live, metadata, now=datetime.now(UTC)).itertuples(index=False))
    assert told["fit for the accounts"] == "yes"
    (text,) = enterprise.files(metadata).values()
    assert text == twin.tenant.metadata(walk.made()[0]["appId"])


def test_foreign_metadata_is_not_called_fit(walk, twin):
    for _ in range(3):
        walk.run()
    other = enterprise.own_metadata(walk.session, walk.read(application_id=twin.application_id))
    told = dict(enterprise.describe(walk.read(), other, now=datetime.now(UTC)).itertuples(index=False))
    assert told["fit for the accounts"].startswith("no: not-this-application")


def test_simulated_sign_in_carries_what_entra_would_emit(walk, twin):
    user = next(one for one in twin.tenant.tables["users"].values() if twin.tenant.role_values(one["id"], twin.application_id))
    live = walk.read(application_id=twin.application_id)
    people = enterprise.people(walk.graph, live, user["userPrincipalName"])
    shown = enterprise.simulate(enterprise.claims_in_effect(live), people.user, people.values)
    assert set(shown[shown.attribute == ROLE].value) == set(twin.tenant.role_values(user["id"], twin.application_id))


def test_nobody_to_simulate_is_said(walk):
    people = enterprise.people(walk.graph, walk.read(), "")
    shown = enterprise.simulate(enterprise.claims_in_effect(walk.read()), people.user, people.values)
    assert "test_user" in shown.problem[0]


def test_emitted_values_are_those_of_direct_memberships_disabled_roles_included():
    app_roles = frame(APP_ROLES, [
        {"app_role_id": key, "value": value, "is_enabled": key != "off", "entry": {}} for key, value in (("a", "A"), ("off", "B"), ("c", "C"), ("m", ""))
    ])  # fmt: skip
    assigned = frame(ASSIGNMENTS, [
        {"assignment_id": f"{role}{who}", "app_role_id": role, "principal_id": who, "principal_type": "Group"}
        for role, who in (("a", "g"), ("off", "g"), ("c", "nested"), ("m", "u"))
    ])  # fmt: skip
    members = frame(MEMBERS, [
        {"group_id": "g", "member_id": "u", "member_type": "User", "enabled": True},
        {"group_id": "g", "member_id": "nested", "member_type": "Group", "enabled": True},
    ])  # fmt: skip
    assert emitted("u", app_roles, assigned, members) == ("A", "B")


def test_three_plans_are_the_same_in_two_readings(walk):
    """Two kernels give one id: nothing of a plan depends on the order or the time of reading."""
    for _ in range(3):
        assert enterprise.plan(walk.read(), DESIRED).id == enterprise.plan(walk.read(), DESIRED).id
        walk.run()
