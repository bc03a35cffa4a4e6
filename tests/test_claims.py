import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsfed_lib.core.change import Guards, Subject
from awsfed_lib.core.errors import ParameterError, TableError
from awsfed_lib.core.saml import claims
from awsfed_lib.core.saml.claim_plan import policy_facts
from awsfed_lib.core.saml.claims import Claims, LivePolicies
from awsfed_lib.core.saml.saml_attributes import (
    NAME_ID,
    NAMESPACE,
    ROLE,
    SESSION_DURATION,
    SESSION_NAME,
    duration_problem,
    session_name_problem,
)
from awsfed_lib.core.shapes import CLAIMS
from awsfed_lib.core.tables import MEMBERS, ROLES, frame

APPLICATION = Subject("servicePrincipal", "sp-1", "AWS", "tenant-1")
GRAPH = "https://graph.microsoft.com"
PAIR = "arn:aws:iam::000000000001:role/Admin,arn:aws:iam::000000000001:saml-provider/WAAD"


def policy(definition=None, name="AWS claims", identity="p-1"):
    return {"id": identity, "displayName": name, "definition": [definition or Claims().definition], "isOrganizationDefault": False}


def plan(live, desired=Claims(), **guards):
    return claims.plan(APPLICATION, live, desired, name="AWS claims", graph_url=GRAPH, **guards)


def of(**entries):
    """Desired claims with some taken out (None) or replaced (name → (source, attribute, value))."""
    rows = [row for row in Claims().table.to_dict("records") if entries.get(row["claim"].rsplit("/")[-1], 1) is not None]
    return frame(CLAIMS, rows)


# --- the definition ------------------------------------------------------------------------------------------------------


def test_the_definition_is_the_documented_one():
    """graph/application-saml-sso-configure-api, with Value for the constant and the standard URI for NameID."""
    assert json.loads(Claims(900).definition) == {
        "ClaimsMappingPolicy": {
            "Version": 1,
            "IncludeBasicClaimSet": "true",
            "ClaimsSchema": [
                {"Source": "user", "ID": "assignedroles", "SamlClaimType": "https://aws.amazon.com/SAML/Attributes/Role"},
                {"Source": "user", "ID": "userprincipalname", "SamlClaimType": "https://aws.amazon.com/SAML/Attributes/RoleSessionName"},
                {"Value": "900", "SamlClaimType": "https://aws.amazon.com/SAML/Attributes/SessionDuration"},
                {
                    "Source": "user",
                    "ID": "userprincipalname",
                    "SamlClaimType": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
                },
            ],
        }
    }


@pytest.mark.parametrize("seconds", [0, 899, 43_201, -1, 10**9])
def test_durations_that_aws_refuses_cannot_be_desired(seconds):
    with pytest.raises(ParameterError, match="SessionDuration"):
        Claims(seconds)


def test_the_desired_claims_have_no_finding():
    assert claims.lint(Claims().table, definition=Claims().definition).empty


# --- which source is in effect -------------------------------------------------------------------------------------------

PORTAL = {
    "includeBasicClaimSet": True,
    "claims": [
        {
            "@odata.type": "#microsoft.graph.customClaim", "name": "Role", "namespace": "https://aws.amazon.com/SAML/Attributes", "tokenFormat": ["saml"],
            "configurations": [{"condition": None, "attribute": {"@odata.type": "#microsoft.graph.sourcedAttribute", "id": "assignedroles", "source": "user"}, "transformations": []}],
        },
        {
            "@odata.type": "#microsoft.graph.customClaim", "name": "SessionDuration", "namespace": "https://aws.amazon.com/SAML/Attributes",
            "configurations": [{"condition": None, "attribute": {"@odata.type": "#microsoft.graph.valueBasedAttribute", "value": "7200"}, "transformations": []}],
        },
        {"@odata.type": "#microsoft.graph.samlNameIdClaim", "configurations": [{"attribute": {"id": "mail", "source": "user"}, "transformations": [{"x": 1}]}]},
    ],
}  # fmt: skip


def test_a_policy_wins_over_the_portal():
    """reference-claims-customization: the claims mapping policy supersedes the portal's blade, whole."""
    assert set(claims.effective([policy()], PORTAL)["origin"]) == {"policy AWS claims"}


def test_the_portal_wins_over_the_template():
    table = claims.effective([], PORTAL)
    assert list(table["origin"]) == ["portal"] * 3
    assert list(table["claim"]) == [ROLE, SESSION_DURATION, NAME_ID]
    assert list(table["source"]) == ["user", "constant", "transformation"]
    assert table["value"][1] == "7200"


@pytest.mark.parametrize("portal", [None, {}, {"claims": []}])
def test_the_template_is_what_is_left(portal):
    assert set(claims.effective([], portal)["origin"]) == {"template"}


@pytest.mark.parametrize("definition", ["{", "[]", "null", '{"ClaimsMappingPolicy": {}}', '{"ClaimsMappingPolicy": {"ClaimsSchema": [1]}}'])
def test_an_unreadable_policy_is_an_error(definition):
    with pytest.raises(TableError):
        claims.effective([policy(definition)], None)


def test_a_policy_must_have_one_definition():
    with pytest.raises(TableError, match="exactly one"):
        claims.effective([policy() | {"definition": ["{}", "{}"]}], None)


def test_entries_for_openid_connect_are_left_out():
    definition = json.dumps({"ClaimsMappingPolicy": {"ClaimsSchema": [{"Source": "user", "ID": "mail", "JwtClaimType": "email"}]}})
    assert claims.effective([policy(definition)], None).empty


# --- lint ----------------------------------------------------------------------------------------------------------------


def row(claim, source="user", attribute="userprincipalname", value=""):
    return {"claim": claim, "source": source, "attribute": attribute, "value": value, "origin": "policy x"}


def checks(*rows, base=True, **more):
    """Names and severities of the findings when `rows` replace the desired claims of the same last name."""
    names = {entry["claim"].rsplit("/")[-1].lower() for entry in rows}
    kept = [entry for entry in Claims().table.to_dict("records") if base and entry["claim"].rsplit("/")[-1].lower() not in names]
    table = claims.lint(frame(CLAIMS, [*kept, *rows]), **more)
    return sorted(zip(table["check"], table["severity"], strict=True))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Role", ("claim-missing", "critical")), ("RoleSessionName", ("claim-missing", "critical")), ("SessionDuration", ("claim-missing", "low")), ("nameidentifier", ("claim-missing", "note"))],
)  # fmt: skip
def test_missing_claims(name, expected):
    table = claims.lint(of(**{name: None}))
    assert list(zip(table["check"], table["severity"], strict=True)) == [expected]


@pytest.mark.parametrize(
    "claim",
    [
        "https://aws.amazon.com/SAML/Attributes/role",
        "https://aws.amazon.com/SAML/attributes/Role",
        "http://aws.amazon.com/SAML/Attributes/Role",
        "https://aws.amazon.com/SAML/Attributes//Role",
        "https://aws.amazon.cn/SAML/Attributes/Role",
        "Role",
    ],
)
def test_a_role_under_another_name_is_not_read(claim):
    """Names are case-sensitive and the same in all partitions (IAM id_roles_providers_create_saml_assertions)."""
    assert checks(row(claim, attribute="assignedroles")) == [("claim-name", "critical")]


def test_the_slip_of_the_old_sample_is_found():
    """Copies of the sample name the NameID in Amazon's namespace (graph/application-saml-sso-configure-api)."""
    found = checks(row("https://aws.amazon.com/SAML/Attributes/nameidentifier"))
    assert ("claim-name", "critical") in found


def test_role_from_another_attribute():
    assert checks(row(ROLE, attribute="department")) == [("role-source", "critical")]


def test_a_duration_as_user_attribute_needs_value():
    """The 2021 sample wrote "Source": "user", "ID": "900"."""
    assert checks(row(SESSION_DURATION, attribute="900")) == [("duration-source", "high")]


@pytest.mark.parametrize("value", ["899", "43201", "1h", "", "3600.0", "-900", "٩٠٠"])
def test_durations_out_of_range(value):
    assert checks(row(SESSION_DURATION, "constant", "", value)) == [("duration-range", "critical")]


def test_a_claim_twice():
    assert ("claim-twice", "medium") in checks(row(ROLE, attribute="assignedroles"), row(ROLE, attribute="assignedroles"))


def test_a_constant_session_name_hides_people():
    assert checks(row(SESSION_NAME, "constant", "", "everybody")) == [("session-name-constant", "high")]


@pytest.mark.parametrize("claim", ["PrincipalTag:Department", "SourceIdentity"])
def test_tags_and_source_identity_need_an_action_in_every_trust(claim):
    """IAM id_session-tags: without sts:TagSession (sts:SetSourceIdentity) AssumeRole fails."""
    assert checks(row(f"https://aws.amazon.com/SAML/Attributes/{claim}")) == [("claim-needs-action", "medium")]


@pytest.mark.parametrize(
    ("key", "wrong"), [("Version", "version"), ("ClaimsSchema", "claimsSchema"), ("SamlClaimType", "SAMLClaimType"), ("ID", "Id")]
)
def test_keys_of_the_policy_are_case_sensitive(key, wrong):
    """reference-claims-customization: "Property has an invalid value"."""
    definition = Claims().definition.replace(f'"{key}"', f'"{wrong}"')
    table = claims.lint(Claims().table, definition=definition)
    assert set(table["check"]) == {"policy-key"}


def test_the_version_must_be_one():
    assert checks(definition=Claims().definition.replace('"Version": 1', '"Version": 2')) == [("policy-version", "high")]


def test_a_definition_that_is_not_json():
    assert checks(definition="{") == [("policy-unreadable", "critical")]


def users(*names):
    return frame(MEMBERS, [{"group_id": "g", "member_id": name, "member_type": "User", "user_name": name} for name in names])


@pytest.mark.parametrize(
    "name",
    ["anna_fabrikam.com#EXT#@contoso.onmicrosoft.com", f"{'a' * 60}@contoso.com", "o'neil@contoso.com", "müller@contoso.com", "a b@contoso.com"],
)  # fmt: skip
def test_users_whose_session_name_aws_refuses(name):
    """RoleSessionName: 2 to 64 of [a-zA-Z_0-9+=,.@-] (IAM id_roles_providers_create_saml_assertions)."""
    table = claims.lint(Claims().table, users=users(name, "ben@contoso.com", ""))
    assert list(zip(table["check"], table["subject"], strict=True)) == [("session-name", name)]


def test_users_are_not_judged_when_the_session_name_is_another_attribute():
    assert claims.lint(Claims(session_name="objectid").table, users=users("x#EXT#@y")).empty


def roles(*maxima):
    return frame(ROLES, [{"account_id": "000000000001", "role_arn": f"arn:{n}", "provider_arn": "p", "max_session": n} for n in maxima])


def test_roles_that_allow_less_than_the_duration():
    table = claims.lint(Claims(7200).table, roles=roles(3600, 7200, 43200, None))
    assert list(table["subject"]) == ["arn:3600"]
    assert "MaxSessionDuration" in table["cause"][0]


def test_finding_ids_are_stable_and_unique():
    first, again = (claims.lint(of(Role=None), users=users("a#EXT#@x", "b#EXT#@x")) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert first["finding_id"].is_unique


# --- simulate ------------------------------------------------------------------------------------------------------------


def test_the_attributes_of_a_user():
    table = claims.simulate(Claims(7200).table, {"userPrincipalName": "ben@contoso.com"}, [PAIR, PAIR.replace("Admin", "Audit")])
    assert list(table["attribute"]) == [ROLE, ROLE, SESSION_NAME, SESSION_DURATION, NAME_ID]
    assert list(table["value"])[2:] == ["ben@contoso.com", "7200", "ben@contoso.com"]
    assert not any(table["problem"])


def test_a_user_without_roles_gets_an_invalid_response():
    table = claims.simulate(Claims().table, {"userprincipalname": "ben@contoso.com"}, [])
    assert "invalid" in table["problem"][0]


def test_a_guest_is_told():
    table = claims.simulate(Claims().table, {"userprincipalname": "a#EXT#@x.example"}, [PAIR])
    assert [bool(text) for text in table["problem"]] == [False, True, False, False]


def test_an_attribute_that_the_user_lacks():
    table = claims.simulate(Claims(session_name="mail").table, {"userprincipalname": "a@x.example"}, [PAIR])
    assert "no mail" in table["problem"][1]


def test_transformations_are_not_guessed():
    table = claims.simulate(claims.effective([], PORTAL), {"mail": "a@x.example"}, [PAIR])
    assert "not simulated" in table["problem"][2]


@given(st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="_+=,.@-"), min_size=2, max_size=64))
def test_session_names_of_the_pattern_are_taken(name):
    assert session_name_problem(name) == ""


@pytest.mark.parametrize("name", ["", "a", "a" * 65, "é@x", "a\n", "ab\u0661"])
def test_session_names_outside_of_it_are_not(name):
    assert session_name_problem(name)


def test_duration_limits():
    assert [duration_problem(str(n)) == "" for n in (899, 900, 43_200, 43_201)] == [False, True, True, False]


def test_first_run_makes_the_policy():
    (request,) = plan(LivePolicies()).requests
    assert (request.method, request.path) == ("POST", "/policies/claimsMappingPolicies")
    assert request.content == {"definition": [Claims().definition], "displayName": "AWS claims", "isOrganizationDefault": False}


def test_second_run_assigns_it():
    (request,) = plan(LivePolicies(named=(policy(),))).requests
    assert (request.method, request.path) == ("POST", "/servicePrincipals/sp-1/claimsMappingPolicies/$ref")
    assert request.content == {"@odata.id": f"{GRAPH}/v1.0/policies/claimsMappingPolicies/p-1"}


def test_third_run_plans_nothing():
    assert not plan(LivePolicies((policy(),), (policy(),)))


def test_key_order_and_spaces_are_no_difference():
    """Graph keeps the text; a person may have written it in another order."""
    other = json.dumps(json.loads(Claims().definition), sort_keys=True)
    assert not plan(LivePolicies((policy(other),), (policy(other),)))


TAGS = [
    {"Source": "user", "ID": "department", "SamlClaimType": f"{NAMESPACE}/PrincipalTag:Department"},
    {"Value": "Department", "SamlClaimType": f"{NAMESPACE}/TransitiveTagKeys"},
    {"Source": "user", "ID": "mail", "SamlClaimType": f"{NAMESPACE}/SourceIdentity", "SamlNameFormat": "urn:x"},
    {"Source": "user", "ID": "mail", "JwtClaimType": "email"},
    {"Surprise": {"deep": [1, None, "ä"]}},
]


def with_entries(*entries, base=Claims(900), **more):
    """The definition of `base` with other entries in front, and other keys in the policy."""
    definition = json.loads(base.definition)["ClaimsMappingPolicy"]
    return json.dumps({"ClaimsMappingPolicy": {**definition, "ClaimsSchema": [*entries, *definition["ClaimsSchema"]], **more}})


def test_a_live_policy_is_merged_and_nothing_of_it_goes():
    """PrincipalTag, TransitiveTagKeys, SourceIdentity and whatever awsfed does not know stay as they were read, in their order."""
    more = {"ClaimsTransformation": [{"ID": "Join"}], "Future": {"a": None}}
    live = with_entries(*TAGS, **more)
    made = plan(LivePolicies((policy(live),), (policy(live),)))
    (request,) = made.requests
    sent = json.loads(request.content["definition"][0])["ClaimsMappingPolicy"]
    assert sent["ClaimsSchema"] == [*TAGS, *json.loads(Claims().definition)["ClaimsMappingPolicy"]["ClaimsSchema"]]
    assert {key: sent[key] for key in more} == more
    assert [change.action for change in made.changes] == ["update"]
    assert not made.refusals
    done = request.content["definition"][0]
    assert not plan(LivePolicies((policy(done),), (policy(done),))).requests


@pytest.mark.parametrize(
    "entry",
    [
        {"Source": "transformation", "ID": "Join", "TransformationID": "Join", "SamlClaimType": f"{NAMESPACE}/RoleSessionName"},
        {"Source": "user", "ID": "mail", "SamlClaimType": f"{NAMESPACE}/Role"},
    ],
)
def test_what_goes_from_a_policy_is_a_loss_and_counts_against_max_removed(entry):
    live = with_entries(entry)
    policies = LivePolicies((policy(live),), (policy(live),))
    made = plan(policies)
    assert "remove" in [change.action for change in made.changes]
    assert any("max_removed" in words for words in made.refusals)
    assert not plan(policies, guards=Guards(max_removed=2)).refusals


def test_a_policy_that_cannot_be_read_is_not_replaced_without_a_word():
    broken = policy('{"ClaimsMappingPolicy": {}}')
    made = plan(LivePolicies((broken,), (broken,)))
    assert any("max_removed" in words for words in made.refusals)


def test_a_changed_wish_corrects_the_policy_in_place():
    live = LivePolicies((policy(),), (policy(),))
    (request,) = plan(live, Claims(7200)).requests
    assert (request.method, request.path) == ("PATCH", "/policies/claimsMappingPolicies/p-1")
    assert request.content == {"definition": [Claims(7200).definition]}


def test_a_policy_that_others_use_is_not_changed():
    live = LivePolicies((policy(),), (policy(),), shared=("p-1",))
    assert "other applications" in plan(live, Claims(7200)).refusals[0]


def test_a_foreign_policy_is_not_replaced():
    """One policy a service principal; taking another away would change what its maker wants."""
    corporate = policy(Claims(7200).definition, name="corporate", identity="c")
    assert "Another claims mapping policy" in plan(LivePolicies((corporate,))).refusals[0]


def test_a_foreign_policy_that_says_what_is_desired_stays():
    """Adopting an application must not replace its policy by an equal one."""
    kept = plan(LivePolicies((policy(name="corporate", identity="c"),)))
    assert not kept
    assert not kept.refusals


def test_of_two_equal_policies_one_is_taken_always_the_same():
    """A lost answer may have left two; POST is not idempotent."""
    named = (policy(identity="p-2"), policy(identity="p-1"))
    assert plan(LivePolicies(named=named)).id == plan(LivePolicies(named=named[::-1])).id


def test_a_lost_answer_is_read_back():
    request = plan(LivePolicies()).requests[0]
    assert request.settled.holds(policy_facts((policy(),)))
    assert not request.settled.holds(policy_facts((policy(Claims(7200).definition),)))
