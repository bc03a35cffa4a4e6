import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.core.change import Basis, Subject
from awsfed_lib.core.errors import ParameterError, TableError
from awsfed_lib.core.roles.sign_in_endpoints import audiences, is_endpoint, recipients
from awsfed_lib.core.saml import application, gallery
from awsfed_lib.core.saml.application import LiveApplication, Settings, identifier
from awsfed_lib.core.saml.gallery import AWS_TEMPLATE, Wanted

SUBJECT = Subject("servicePrincipal", "sp-1", "AWS", "tenant-1")
TENANT = Subject("tenant", "tenant-1", "Contoso", "tenant-1")
SAML = "https://signin.aws.amazon.com/saml"
FRESH_SP = {
    "id": "sp-1", "appId": "app-1", "preferredSingleSignOnMode": None, "samlSingleSignOnSettings": None,
    "notificationEmailAddresses": [], "appRoleAssignmentRequired": True, "replyUrls": [SAML],
}  # fmt: skip
FRESH_APP = {
    "id": "app-object-1",
    "appId": "app-1",
    "identifierUris": [],
    "web": {"homePageUrl": "https://x.example", "redirectUris": [SAML]},
}
DONE = LiveApplication(FRESH_SP | {"preferredSingleSignOnMode": "saml"}, FRESH_APP | {"identifierUris": [SAML]})
FRESH = LiveApplication(FRESH_SP, FRESH_APP)


def sent(live, desired=Settings()):
    return [(request.path, request.content) for request in application.plan(SUBJECT, live, desired).requests]


def live(sp=None, app=None, taken=()):
    return LiveApplication(DONE.service_principal | (sp or {}), DONE.application | (app or {}), taken)


def test_a_fresh_gallery_application_gets_its_mode_first():
    """SAML mode spares the identifier from the rule of verified domains (entra identifier-uri-restrictions)."""
    assert sent(FRESH) == [
        ("/servicePrincipals/sp-1", {"preferredSingleSignOnMode": "saml"}),
        ("/applications/app-object-1", {"identifierUris": [SAML]}),
    ]


def test_the_order_is_one_request_a_wave():
    plan = application.plan(SUBJECT, FRESH, Settings(relay_state="https://console.aws.amazon.com/ec2", notify=("a@x.example",)))
    assert [request.wave for request in plan.requests] == [0, 1, 2]
    assert plan.requests[2].content == {
        "samlSingleSignOnSettings": {"relayState": "https://console.aws.amazon.com/ec2"},
        "notificationEmailAddresses": ["a@x.example"],
    }


def test_each_request_expects_what_the_one_before_left():
    """One PATCH of the service principal after another; a portal edit in between is seen."""
    plan = application.plan(SUBJECT, FRESH, Settings(notify=("a@x.example",)))
    first, _, third = plan.requests
    assert first.expects == plan.basis[1]
    assert third.expects != first.expects
    assert third.expects.of == first.expects.of == "sp-1"
    assert [basis.table for basis in plan.basis] == ["application", "service_principal"]


def test_nothing_differs_nothing_is_sent():
    plan = application.plan(SUBJECT, DONE, Settings())
    assert not plan
    assert {change.action for change in plan.changes} == {"keep"}


def test_after_it_was_carried_out_nothing_is_planned():
    plan = application.plan(SUBJECT, FRESH, Settings(notify=("a@x.example",), endpoints=("global", "eu-west-1")))
    sp, app = dict(FRESH_SP), {**FRESH_APP, "web": dict(FRESH_APP["web"])}
    for request in plan.requests:
        body = request.content
        half = sp if "servicePrincipals" in request.path else app
        if "web" in body:
            half["web"] |= body.pop("web")
        half |= body
    assert not application.plan(SUBJECT, LiveApplication(sp, app), Settings(notify=("a@x.example",), endpoints=("global", "eu-west-1")))
    assert app["web"]["homePageUrl"] == "https://x.example"
    live_now = application.settings_facts("application", app)
    assert Basis.over("application", "app-object-1", live_now) in plan.goal


def test_only_changed_fields_are_sent():
    assert sent(live(sp={"appRoleAssignmentRequired": False})) == [("/servicePrincipals/sp-1", {"appRoleAssignmentRequired": True})]


def test_reply_urls_of_others_stay_behind_ours_and_are_told():
    extra = "https://evil.example/saml"
    plan = application.plan(SUBJECT, live(app={"web": {"redirectUris": [extra]}}), Settings())
    assert plan.requests[0].content == {"web": {"redirectUris": [SAML, extra]}}
    assert extra in next(change.why for change in plan.changes if change.key == "web.redirectUris")


def test_regional_endpoints_come_in_the_order_chosen():
    found = sent(live(), Settings(endpoints=("eu-west-1", "global")))
    assert found == [("/applications/app-object-1", {"web": {"redirectUris": ["https://eu-west-1.signin.aws.amazon.com/saml", SAML]}})]


@pytest.mark.parametrize(
    ("endpoints", "urls"),
    [(("any-region",), (SAML,)), (("any-region", "eu-west-1"), ("https://eu-west-1.signin.aws.amazon.com/saml",))],
)
def test_any_region_is_for_trust_policies_and_no_reply_url(endpoints, urls):
    """One parameter serves both: 02-accounts writes it into trust policies as a pattern."""
    assert Settings(endpoints=endpoints).reply_urls == urls


def test_what_is_not_managed_stays():
    state = live(sp={"samlSingleSignOnSettings": {"relayState": "https://r.example"}, "notificationEmailAddresses": ["b@x.example"]})
    assert not application.plan(SUBJECT, state, Settings())


def test_nobody_told_is_said():
    why = {change.key: change.why for change in application.plan(SUBJECT, DONE, Settings()).changes}
    assert "Nobody is told" in why["notificationEmailAddresses"]


@pytest.mark.parametrize("mode", ["password", "oidc", "external"])
def test_another_sign_in_mode_is_not_taken_away(mode):
    plan = application.plan(SUBJECT, live(sp={"preferredSingleSignOnMode": mode}), Settings())
    assert mode in plan.refusals[0]


def test_an_identifier_of_another_application_is_a_refusal():
    """identifierUris are unique in the tenant ("Another object with the same value for property identifierUris already exists.")."""
    plan = application.plan(SUBJECT, live(app={"identifierUris": []}, taken=(SAML,)), Settings(identifier=SAML))
    assert SAML in plan.refusals[0]


def test_halves_of_two_applications_are_refused():
    with pytest.raises(TableError):
        application.plan(SUBJECT, live(app={"appId": "other"}), Settings())


@pytest.mark.parametrize(
    ("own", "taken", "expected"),
    [
        ((), (), SAML),
        ((), (SAML,), f"{SAML}#1"),
        ((), (SAML, f"{SAML}#1", f"{SAML}#3"), f"{SAML}#2"),
        ((), (SAML.upper(),), f"{SAML}#1"),
        ((f"{SAML}#123456789012",), (SAML,), f"{SAML}#123456789012"),
        (("api://app-1",), (), SAML),
        (("https://signin.aws.amazon.com/saml2",), (), SAML),
    ],
)
def test_the_identifier_is_the_first_that_nobody_has(own, taken, expected):
    """entra saas-apps/amazon-web-service-tutorial: …/saml, then …/saml#1, …/saml#2."""
    assert identifier("aws", own, taken) == expected


@given(st.sets(st.integers(0, 12)))
def test_a_chosen_identifier_is_never_taken(numbers):
    taken = [SAML if number == 0 else f"{SAML}#{number}" for number in numbers]
    assert identifier("aws", (), taken) not in taken


@pytest.mark.parametrize(
    "wrong",
    [
        {"notify": tuple(f"{n}@x.example" for n in range(6))},
        {"notify": ("nobody",)},
        {"endpoints": ()},
        {"endpoints": ("EU-WEST-1",)},
        {"endpoints": ("https://x.example",)},
        {"relay_state": "http://console.aws.amazon.com"},
        {"relay_state": "javascript:alert(1)"},
        {"identifier": "urn:amazon:webservices"},
        {"identifier": f"{SAML}2"},
        {"partition": "aws-xx"},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ParameterError):
        Settings(**wrong)


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ("aws", SAML),
        ("aws-us-gov", "https://signin.amazonaws-us-gov.com/saml"),
        ("aws-cn", "https://signin.amazonaws.cn/saml"),
    ],
)
def test_partitions_have_their_own_endpoints(partition, expected):
    assert Settings(partition).reply_urls == (expected,)
    assert is_endpoint(expected)
    assert expected in audiences(partition)
    assert recipients(partition, ("any-region",)) == (expected.replace("https://", "https://*."),)


def test_the_home_region_has_no_region_code():
    """aws.amazon.com/blogs/security/how-to-use-regional-saml-endpoints-for-failover."""
    assert recipients("aws", ("us-east-1", "global", "us-west-2")) == (SAML, "https://us-west-2.signin.aws.amazon.com/saml")


@pytest.mark.parametrize(
    "url", ["https://signin.aws.amazon.com.evil.example/saml", "http://signin.aws.amazon.com/saml", "https://x/saml", SAML + "/"]
)
def test_lookalikes_are_no_endpoints(url):
    assert not is_endpoint(url)


# --- gallery -------------------------------------------------------------------------------------------------------------

WANTED = Wanted("AWS production")


def principal(identity, name="AWS production", tags=("WindowsAzureActiveDirectoryIntegratedApp",), template=AWS_TEMPLATE):
    return {"id": identity, "displayName": name, "tags": list(tags), "applicationTemplateId": template}


def test_none_is_there_one_is_made():
    plan = gallery.plan(TENANT, [], WANTED)
    assert [(r.method, r.path, r.content) for r in plan.requests] == [
        ("POST", f"/applicationTemplates/{AWS_TEMPLATE}/instantiate", {"displayName": "AWS production"})
    ]


def test_instantiate_is_not_sent_again_when_its_answer_was_lost():
    """Each POST makes another pair (graph/api/applicationtemplate-instantiate): it is read back by name and template."""
    request = gallery.plan(TENANT, [], WANTED).requests[0]
    assert request.settled.holds(gallery.instance_facts([principal("1")]))
    assert not request.settled.holds(gallery.instance_facts([principal("1", template="other")]))


def test_the_one_that_was_made_is_marked_with_all_its_tags():
    """PATCH of tags replaces them, and without Entra's own the application leaves the portal's list."""
    plan = gallery.plan(TENANT, [principal("1")], WANTED)
    assert plan.requests[0].content == {"tags": ["WindowsAzureActiveDirectoryIntegratedApp", "awsfed:AWS-production"]}
    assert plan.requests[0].path == "/servicePrincipals/1"


def test_the_marked_one_is_found_whatever_people_call_it():
    marked = principal("2", name="Renamed", tags=("awsfed:AWS-production",))
    assert gallery.found(WANTED, [principal("1"), marked]) == marked
    assert not gallery.plan(TENANT, [principal("1"), marked], WANTED)


def test_the_mark_of_another_is_not_taken_over():
    assert gallery.found(WANTED, [principal("1", tags=("awsfed:test",))]) is None


@pytest.mark.parametrize("tags", [(), ("awsfed:AWS-production",)])
def test_several_are_never_guessed_among(tags):
    with pytest.raises(ParameterError, match="1, 2"):
        gallery.plan(TENANT, [principal("2", tags=tags), principal("1", tags=tags)], WANTED)


@pytest.mark.parametrize("wrong", ["", "x" * 91, "line\nfeed"])
def test_wrong_names_are_refused(wrong):
    with pytest.raises(ParameterError, match="application_name"):
        Wanted(wrong)
