"""Every form of trust policy seen in the field, and laws that hold for all of them."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsfed_lib.core.roles import trust
from awsfed_lib.sandbox.amazon import evaluation

ACCOUNT, OTHER = "111122223333", "999988887777"
WAAD, BACKUP = f"arn:aws:iam::{ACCOUNT}:saml-provider/WAAD", f"arn:aws:iam::{ACCOUNT}:saml-provider/Backup"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
GLOBAL = "https://signin.aws.amazon.com/saml"
REGIONAL = "https://eu-west-1.signin.aws.amazon.com/saml"
AUD = {"StringEquals": {"SAML:aud": GLOBAL}}
SAML, TAG, SOURCE = "sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"
Json = dict[str, Any]


def statement(effect: str = "Allow", principal: Any = None, action: Any = SAML, condition: Any = None, **more: Any) -> Json:
    """One statement; what is left out is the canonical form of the tutorial."""
    made = {"Effect": effect, "Principal": principal or {"Federated": WAAD}, "Action": action, **more}
    return made | ({"Condition": AUD if condition is None else condition} if condition != "none" else {})


def allow(**parts: Any) -> Json:
    return statement("Allow", **parts)


def deny(**parts: Any) -> Json:
    return statement("Deny", **{"condition": "none", **parts})


def policy(*statements: Any) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


class Case(NamedTuple):
    """One policy, and what is said of each provider: (provider, verdict, a part of the reason)."""

    name: str
    policy: Any
    verdicts: list[tuple[str, str, str]]


TAKEN = [(WAAD, "taken", "")]
PLAIN = [(WAAD, "taken", "=")]  # taken, and nothing to look at


def skipped(reason: str, provider: str = WAAD) -> list[tuple[str, str, str]]:
    return [(provider, "skipped", reason)]


def noted(reason: str) -> list[tuple[str, str, str]]:
    return [(WAAD, "taken", reason)]


def conditional(reason: str) -> list[tuple[str, str, str]]:
    return [(WAAD, "conditional", reason)]


def aud(operator: str, *values: str, key: str = "SAML:aud") -> Json:
    return allow(condition={operator: {key: list(values)}})


CORPUS = [
    # — forms of the same thing (facts: IAM user guide, reference_policies_grammar) —
    Case("canonical, as the tutorial makes it", policy(allow()), PLAIN),
    Case("statement is an object", {"Version": "2012-10-17", "Statement": allow()}, PLAIN),
    Case("no version", {"Statement": [allow()]}, PLAIN),
    Case("federated as a list of one", policy(allow(principal={"Federated": [WAAD]})), PLAIN),
    Case("action as a list", policy(allow(action=[SAML])), PLAIN),
    Case("extra action TagSession (azure-docs #51322)", policy(allow(action=[SAML, TAG])), PLAIN),
    Case("extra actions in any order (azure-docs #51322)", policy(allow(action=[TAG, SOURCE, SAML])), PLAIN),
    Case("tags in a statement of their own", policy(allow(), allow(action=TAG, condition="none")), PLAIN),
    Case("action in other case", policy(allow(action="STS:assumerolewithsaml")), PLAIN),
    Case("with a Sid", policy(allow(Sid="Entra")), PLAIN),
    Case("JSON text", json.dumps(policy(allow())), PLAIN),
    Case("JSON text with a byte order mark", "\ufeff" + json.dumps(policy(allow())), PLAIN),
    Case("percent-encoded text is for the reader to decode", quote(json.dumps(policy(allow())), safe=""), skipped("no JSON document", "")),
    Case("other principals beside it", policy(allow(principal={"Federated": WAAD, "AWS": f"arn:aws:iam::{ACCOUNT}:root"})), PLAIN),
    Case("a service in another statement", policy(allow(), allow(principal={"Service": "ec2.amazonaws.com"}, action="sts:AssumeRole")), PLAIN),
    Case("empty condition", policy(allow(condition={})), noted("does not check SAML:aud")),
    Case("no condition", policy(allow(condition="none")), noted("does not check SAML:aud")),
    # — actions —
    Case("sts:*", policy(allow(action="sts:*")), PLAIN),
    Case("sts:AssumeRole*", policy(allow(action="sts:AssumeRole*")), PLAIN),
    Case("*", policy(allow(action="*")), PLAIN),
    Case("a question mark", policy(allow(action="sts:AssumeRoleWithSAM?")), PLAIN),
    Case("brackets are no wildcard", policy(allow(action="sts:AssumeRoleWith[S]AML")), skipped("does not allow sts:AssumeRoleWithSAML")),
    Case("only sts:AssumeRole", policy(allow(action="sts:AssumeRole")), skipped("does not allow sts:AssumeRoleWithSAML")),
    Case("web identity by mistake", policy(allow(action="sts:AssumeRoleWithWebIdentity")), skipped("does not allow")),
    Case("only TagSession", policy(allow(action=TAG)), skipped("does not allow")),
    Case("no action at all", policy(allow(action=[])), skipped("does not allow")),
    Case("NotAction of something else", policy({"Effect": "Allow", "Principal": {"Federated": WAAD}, "NotAction": "iam:*", "Condition": AUD}), PLAIN),
    Case("NotAction that leaves SAML out", policy({"Effect": "Allow", "Principal": {"Federated": WAAD}, "NotAction": "sts:*"}), skipped("does not allow")),
    # — Deny —
    Case("denied", policy(allow(), deny()), skipped("Denied by statement 2")),
    Case("denied first", policy(deny(Sid="Frozen"), allow()), skipped('Denied by statement 1 "Frozen"')),
    Case("denied to everyone", policy(allow(), deny(principal="*", action="*")), skipped("Denied by statement 2")),
    Case("denied to everyone, AWS spelling", policy(allow(), deny(principal={"AWS": "*"}, action="sts:*")), skipped("Denied")),
    Case("another provider denied", policy(allow(), deny(principal={"Federated": BACKUP})), [(BACKUP, "skipped", "Denied"), (WAAD, "taken", "=")]),
    Case("another action denied", policy(allow(), deny(action=TAG)), PLAIN),
    Case("everything denied but SAML", policy(allow(), {"Effect": "Deny", "Principal": "*", "NotAction": SAML}), PLAIN),
    Case("denied from elsewhere", policy(allow(), deny(condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})), conditional("May be denied by statement 2, when aws:SourceIp NotIpAddress 10.0.0.0/8")),
    Case("denied for another recipient", policy(allow(condition="none"), deny(condition={"StringNotEquals": {"saml:aud": GLOBAL}})), PLAIN),
    Case("denied for our recipient", policy(allow(condition="none"), deny(condition={"StringEquals": {"saml:aud": [GLOBAL, REGIONAL]}})), conditional("Works only with the reply URL https://us-west-2.")),
    Case("only denied", policy(deny()), skipped("Denied")),
    # — SAML:aud (IAM user guide: it is the Recipient) —
    Case("key in lower case", policy(aud("StringEquals", GLOBAL, key="saml:aud")), PLAIN),
    Case("key in mixed case", policy(aud("StringEquals", GLOBAL, key="saml:AUD")), PLAIN),
    Case("global and regional", policy(aud("StringEquals", GLOBAL, REGIONAL)), PLAIN),
    Case("a value, not a list", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL}})), PLAIN),
    Case("regional only", policy(aud("StringEquals", REGIONAL)), conditional(f"Works only with the reply URL {REGIONAL}")),
    Case("regional by wildcard", policy(aud("StringLike", "https://*.signin.aws.amazon.com/saml")), conditional("Works only with the reply URL https://us-west-2.")),
    Case("wildcard over both", policy(aud("StringLike", "https://*signin.aws.amazon.com/saml*")), PLAIN),
    Case("wildcard under StringEquals is literal", policy(aud("StringEquals", "https://*signin.aws.amazon.com/saml")), skipped("does not accept https://signin.aws")),
    Case("encrypted assertions", policy(aud("StringEquals", REGIONAL + "/acs/SAMLP1")), conditional(f"Works only with the reply URL {REGIONAL}/acs/SAMLP1")),
    Case("ForAnyValue", policy(aud("ForAnyValue:StringEquals", GLOBAL)), PLAIN),
    Case("ForAllValues", policy(aud("ForAllValues:StringLike", GLOBAL)), PLAIN),
    Case("IfExists", policy(aud("StringEqualsIfExists", GLOBAL)), PLAIN),
    Case("ignoring case", policy(aud("StringEqualsIgnoreCase", GLOBAL.upper())), PLAIN),
    Case("case of the value counts", policy(aud("StringEquals", GLOBAL.replace("saml", "SAML"))), skipped("does not accept")),
    Case("slash too many", policy(aud("StringEquals", GLOBAL + "/")), skipped("does not accept")),
    Case("the identifier instead of the recipient", policy(aud("StringEquals", "urn:amazon:webservices")), skipped("compared with the reply URL")),
    Case("another partition's endpoint", policy(aud("StringEquals", "https://signin.amazonaws.cn/saml")), skipped("does not accept")),
    Case("endpoint of some other site", policy(aud("StringEquals", "https://us-west-2.signin.aws.amazon.com.example/saml")), skipped("does not accept")),
    Case("not another", policy(aud("StringNotEquals", "https://example.com")), PLAIN),
    Case("not like ours", policy(aud("StringNotLike", "https://*signin*")), skipped("does not accept")),
    Case("must be absent", policy(aud("Null", "true")), skipped("does not accept")),
    Case("must be there", policy(allow(condition={"Null": {"SAML:aud": False}})), TAKEN),
    Case("no values", policy(aud("StringEquals")), skipped("does not accept")),
    Case("one statement fails, another holds", policy(aud("StringEquals", "https://example.com"), allow()), PLAIN),
    Case("two conditions, one fails", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL}, "StringLike": {"saml:AUD": "urn:*"}})), skipped("does not accept")),
    Case("policy variable", policy(aud("StringEquals", "${saml:iss}")), conditional("Works only when SAML:aud StringEquals ${saml:iss}")),
    Case("operator that compares no text", policy(aud("ArnLike", GLOBAL)), conditional("Works only when SAML:aud ArnLike")),
    # — other conditions: only STS can tell —
    Case("issuer", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL, "SAML:iss": "https://sts.windows.net/t/"}})), conditional("Works only when SAML:iss StringEquals")),
    Case("source address", policy(allow(condition=AUD | {"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "198.51.100.0/24"]}})), conditional("192.0.2.0/24 or 198.51.100.0/24")),
    Case("session tags", policy(allow(action=[SAML, TAG], condition=AUD | {"StringLike": {"aws:RequestTag/team": "*"}})), conditional("aws:RequestTag/team StringLike *")),
    Case("with and without", policy(allow(condition=AUD | {"Bool": {"aws:SecureTransport": True}}), allow()), PLAIN),
    Case("MFA", policy(allow(condition=AUD | {"Bool": {"aws:MultiFactorAuthPresent": "true"}})), skipped("never carries this key")),
    Case("MFA if present", policy(allow(condition=AUD | {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})), PLAIN),
    Case("external id", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL, "sts:ExternalId": "abc"}})), skipped("sts:ExternalId StringEquals abc cannot hold")),
    Case("principal ARN", policy(allow(condition=AUD | {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}})), skipped("never carries this key")),
    Case("denied but for a principal", policy(allow(), deny(condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}})), skipped("Denied by statement 2")),
    Case("denied without the organization", policy(allow(), deny(condition={"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}})), skipped("Denied by statement 2")),
    Case("denied with a tag of the caller", policy(allow(), deny(condition={"StringEquals": {"aws:PrincipalTag/team": "x"}})), PLAIN),
    Case("denied without MFA", policy(allow(), deny(condition={"Null": {"aws:MultiFactorAuthAge": "true"}})), skipped("Denied by statement 2")),
    Case("saml:doc of the provider", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL, "saml:doc": f"{ACCOUNT}/WAAD"}})), PLAIN),
    Case("saml:doc of another account", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL, "saml:doc": "999999999999/Y"}})), skipped(f"the sign-in has {ACCOUNT}/WAAD")),
    Case("own account", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL, "aws:PrincipalAccount": ACCOUNT}})), PLAIN),
    Case("another account", policy(allow(condition={"StringEquals": {"SAML:aud": GLOBAL, "aws:PrincipalAccount": OTHER}})), skipped("cannot hold")),
    Case("secure transport", policy(allow(condition=AUD | {"Bool": {"aws:SecureTransport": True}})), PLAIN),
    Case("tag of the session", policy(allow(condition=AUD | {"StringEquals": {"aws:RequestTag/team": "${saml:sub}"}})), conditional("Works only when aws:RequestTag/team")),
    Case("encrypted assertions, no region", policy(aud("StringEquals", "https://signin.aws.amazon.com/saml/acs/SAMLSP1")), conditional("Works only with the reply URL https://signin.aws.amazon.com/saml/acs/SAMLSP1")),
    Case("number as a value", policy(allow(condition=AUD | {"NumericLessThan": {"aws:EpochTime": 2}})), conditional("aws:EpochTime NumericLessThan 2")),
    # — principals —
    Case("two SAML providers (azure-docs #17151, #28815)", policy(allow(principal={"Federated": [WAAD, BACKUP]})), [(BACKUP, "taken", "2 federated principals"), (WAAD, "taken", "role import ignores")]),
    Case("two statements, one provider each", policy(allow(), allow(principal={"Federated": BACKUP}, action="sts:AssumeRole")), [(BACKUP, "skipped", "does not allow"), (WAAD, "taken", "2 federated")]),
    Case("SAML beside OIDC", policy(allow(), allow(principal={"Federated": OIDC}, action="sts:AssumeRoleWithWebIdentity", condition="none")), noted("2 federated principals")),
    Case("provider of another account", policy(allow(principal={"Federated": WAAD.replace(ACCOUNT, OTHER)})), skipped(f"belongs to account {OTHER}", WAAD.replace(ACCOUNT, OTHER))),
    Case("provider of another partition", policy(allow(principal={"Federated": WAAD.replace("aws", "aws-cn", 1)})), skipped("does not cross partitions", WAAD.replace("aws", "aws-cn", 1))),
    Case("provider without a name", policy(allow(principal={"Federated": WAAD.removesuffix("WAAD")})), skipped("no ARN of a SAML provider", WAAD.removesuffix("WAAD"))),
    Case("provider's name alone", policy(allow(principal={"Federated": "saml-provider/WAAD"})), skipped("no ARN of a SAML provider", "saml-provider/WAAD")),
    Case("provider's name with a path", policy(allow(principal={"Federated": WAAD + "/x"})), skipped("no ARN of a SAML provider", WAAD + "/x")),
    Case("everyone beside the provider", policy(allow(principal="*"), allow(principal={"Federated": WAAD}, action=TAG)), skipped("does not allow")),
    Case("everyone of AWS beside the provider", policy(allow(principal={"AWS": "*"}), allow(action=TAG)), skipped("does not allow")),
    Case("SAML to everyone", policy(allow(principal="*")), skipped("no SAML provider", "")),
    Case("SAML to all federated", policy(allow(principal={"Federated": "*"})), skipped("no SAML provider", "")),
    Case("SAML to OIDC", policy(allow(principal={"Federated": OIDC})), skipped("no SAML provider", "")),
    Case("SAML to an account", policy(allow(principal={"AWS": ACCOUNT})), skipped("no federated principal", "")),
    Case("OIDC", policy(allow(principal={"Federated": OIDC}, action="sts:AssumeRoleWithWebIdentity")), []),
    Case("OIDC with sts:*", policy(allow(principal={"Federated": OIDC}, action="sts:*")), []),
    Case("Cognito", policy(allow(principal={"Federated": "cognito-identity.amazonaws.com"}, action="sts:AssumeRoleWithWebIdentity")), []),
    Case("a service", policy(allow(principal={"Service": "lambda.amazonaws.com"}, action="sts:AssumeRole")), []),
    Case("no statement", policy(), []),
    # — no such document: said in words, never an exception —
    Case("not JSON", "Allow WAAD", skipped("no JSON document", "")),
    Case("empty text", "", skipped("no JSON document", "")),
    Case("cut off", json.dumps(policy(allow()))[:-9], skipped("no JSON document", "")),
    Case("a list", [allow()], skipped("no JSON object", "")),
    Case("null", None, skipped("no JSON object", "")),
    Case("no Statement", {"Version": "2012-10-17"}, skipped("no Statement", "")),
    Case("statement is text", policy("Allow"), skipped("statement 1 is no object", "")),
    Case("effect in lower case", policy(allow() | {"Effect": "allow"}), skipped("neither Allow nor Deny", "")),
    Case("no principal", policy({"Effect": "Allow", "Action": SAML}), skipped("no Principal", "")),
    Case("principal is an ARN", policy(allow(principal=WAAD)), skipped("no Principal", "")),
    Case("NotPrincipal", policy({"Effect": "Deny", "NotPrincipal": {"Federated": WAAD}, "Action": "*"}), skipped("NotPrincipal", "")),
    Case("no action", policy({"Effect": "Allow", "Principal": {"Federated": WAAD}}), skipped("either Action or NotAction", "")),
    Case("both actions", policy(allow(NotAction="iam:*")), skipped("either Action or NotAction", "")),
    Case("action is an object", policy(allow(action={"a": 1})), skipped("not text", "")),
    Case("condition is a list", policy(allow(condition=[AUD])), skipped("no object", "")),
    Case("keys of a condition are a list", policy(allow(condition={"StringEquals": [GLOBAL]})), skipped("no object", "")),
    Case("value of a condition is an object", policy(allow(condition={"StringEquals": {"SAML:aud": {}}})), skipped("not text", "")),
    Case("the same key twice", '{"Statement": [], "Statement": []}', skipped("same key twice", "")),
    Case("nested without end", "[" * 100_000, skipped("cannot be understood", "")),
    Case("nested objects without end", '{"Statement":' * 100_000, skipped("cannot be understood", "")),
]  # fmt: skip


def judge(document: Any, role: str = "admin", **more: Any) -> list[trust.Verdict]:
    return trust.judge(document, **{"account_id": ACCOUNT, "role_arn": f"arn:aws:iam::{ACCOUNT}:role/{role}", "role_name": role, **more})


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_corpus(case: Case) -> None:
    found = judge(case.policy)
    assert [(verdict.provider_arn, verdict.verdict) for verdict in found] == [(provider, verdict) for provider, verdict, _ in case.verdicts]
    for verdict, (_, _, part) in zip(found, case.verdicts, strict=True):
        assert verdict.reason == "" if part == "=" else part in verdict.reason, verdict.reason


def test_corpus_is_large() -> None:
    assert len(CORPUS) >= 60
    assert len({case.name for case in CORPUS}) == len(CORPUS)


def test_reserved_roles_of_identity_center_are_refused_by_sts() -> None:
    """AssumeRoleWithSAML refuses AWSReservedSSO_ roles (docs.aws.amazon.com STS/latest/APIReference/API_AssumeRoleWithSAML.html)."""
    (verdict,) = judge(policy(allow()), role="AWSReservedSSO_Admin_0123456789abcdef")
    assert verdict.verdict == "skipped"
    assert "IAM Identity Center" in verdict.reason


@pytest.mark.parametrize(
    ("partition", "recipient"),
    [
        ("aws-us-gov", "https://signin.amazonaws-us-gov.com/saml"),
        ("aws-cn", "https://signin.amazonaws.cn/saml"),
        ("aws-iso", "https://signin.c2shome.ic.gov/saml"),
    ],
)
def test_each_partition_has_its_own_endpoint(partition: str, recipient: str) -> None:
    provider = WAAD.replace("aws", partition, 1)

    def verdict(value: str) -> str:
        document = policy(allow(principal={"Federated": provider}, condition={"StringEquals": {"SAML:aud": value}}))
        return judge(document, role_arn=f"arn:{partition}:iam::{ACCOUNT}:role/admin")[0].verdict

    assert (verdict(recipient), verdict(GLOBAL)) == ("taken", "skipped")


def test_regional_endpoint_of_govcloud() -> None:
    provider = WAAD.replace("aws", "aws-us-gov", 1)
    regional = "https://us-gov-east-1.signin.amazonaws-us-gov.com/saml"
    document = policy(allow(principal={"Federated": provider}, condition={"StringEquals": {"SAML:aud": regional}}))
    (verdict,) = judge(document, role_arn=f"arn:aws-us-gov:iam::{ACCOUNT}:role/admin")
    assert verdict[:3] == (provider, "conditional", f"Works only with the reply URL {regional}.")


def test_partition_without_known_endpoint_is_not_guessed() -> None:
    provider = WAAD.replace("aws", "aws-new", 1)
    (verdict,) = judge(policy(allow(principal={"Federated": provider})), role_arn=f"arn:aws-new:iam::{ACCOUNT}:role/admin")
    assert (verdict.verdict, "partition aws-new" in verdict.reason) == ("skipped", True)


def test_reply_urls_of_the_application_decide_when_they_are_known() -> None:
    regional = policy(aud("StringEquals", REGIONAL))
    assert judge(regional, audiences=[REGIONAL])[0][:3] == (WAAD, "taken", "")
    assert judge(regional, audiences=[GLOBAL])[0].verdict == "skipped"


def test_role_arn_that_is_none_is_skipped_not_raised() -> None:
    assert judge(policy(allow()), role_arn="")[0].verdict == "skipped"


@pytest.mark.parametrize(
    ("document", "may"),
    [
        (quote(json.dumps(policy(allow()))), True),
        (quote(json.dumps(policy(allow(principal={"Service": "ec2.amazonaws.com"}, action="sts:AssumeRole", condition="none")))), False),
        (json.dumps(policy(allow())).replace("S", "\\u0053"), True),
        (quote(json.dumps(policy(allow())).replace("s", "\\u0073").replace("S", "\\u0053")), True),
    ],
)
def test_cheap_look_hides_nothing(document: str, may: bool) -> None:  # noqa: FBT001  the expected answer
    assert trust.mentions_saml(document) is may


# — laws —

values = st.sampled_from([
    GLOBAL, REGIONAL, "urn:amazon:webservices", "https://*.signin.aws.amazon.com/saml", "*", "", "true", "false", "User", "${saml:sub}",
    f"{ACCOUNT}/WAAD", f"{OTHER}/WAAD", ACCOUNT, "arn:aws:iam::*:role/ops",
])  # fmt: skip
operators = st.sampled_from([
    "StringEquals", "StringLike", "StringNotEquals", "StringNotLikeIfExists", "StringEqualsIfExists", "ForAnyValue:StringLike",
    "ForAnyValue:StringNotEquals", "ForAllValues:StringEquals", "Null", "Bool", "BoolIfExists", "ArnLike", "ArnNotLike", "NotIpAddress",
    "Nonsense",
])  # fmt: skip
keys = st.sampled_from([
    "SAML:aud", "saml:aud", "SAML:iss", "aws:SourceIp", "saml:doc", "aws:PrincipalAccount", "aws:PrincipalType", "aws:MultiFactorAuthPresent",
    "sts:ExternalId", "aws:PrincipalArn", "aws:PrincipalTag/team", "aws:PrincipalOrgID", "aws:RequestTag/team", "aws:SecureTransport",
])  # fmt: skip
blocks = st.dictionaries(operators, st.dictionaries(keys, st.lists(values, max_size=3) | values, max_size=2), max_size=2)
actions = st.sampled_from([SAML, TAG, "sts:*", "*", "sts:AssumeRole", "sts:AssumeRoleWith?AML"])
principals = st.sampled_from(
    ["*", {"AWS": "*"}, {"Federated": WAAD}, {"Federated": [WAAD, BACKUP]}, {"Federated": OIDC}, {"Service": "ec2.amazonaws.com"}]
)
statements = st.builds(
    lambda effect, principal, action, condition, name: {"Effect": effect, "Principal": principal, name: action, "Condition": condition},
    st.sampled_from(["Allow", "Allow", "Deny"]), principals, actions | st.lists(actions, max_size=2), blocks, st.sampled_from(["Action", "Action", "NotAction"]),
)  # fmt: skip
policies = st.builds(lambda found: policy(*found), st.lists(statements, max_size=4))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["Statement", "Effect", "Principal", "Action", "Condition", "Federated"]) | st.text(), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text() | json_values | st.builds(policy, json_values) | st.builds(lambda inner: policy(allow(condition=inner)), json_values))
def test_no_document_makes_it_raise(document: Any) -> None:
    for verdict in judge(document):
        assert verdict.verdict in ("taken", "conditional", "skipped")
        assert verdict.reason or verdict.verdict == "taken"


@settings(max_examples=300, deadline=None)
@given(policies)
def test_each_provider_named_has_one_verdict(document: Json) -> None:
    named = {name for name in (WAAD, BACKUP) if name in json.dumps(document)}
    found = [verdict.provider_arn for verdict in judge(document)]
    assert found == sorted(named) or (not named and found in ([], [""]))


@settings(max_examples=300, deadline=None)
@given(policies, st.randoms(use_true_random=False))
def test_order_and_encoding_change_no_verdict(document: Json, chance: Any) -> None:
    shuffled = policy(*chance.sample(document["Statement"], len(document["Statement"])))
    expected = [(verdict.provider_arn, verdict.verdict) for verdict in judge(document)]
    assert [(verdict.provider_arn, verdict.verdict) for verdict in judge(shuffled)] == expected
    assert judge(json.dumps(document)) == judge(document)


@settings(max_examples=300, deadline=None)
@given(policies, st.booleans())
def test_deny_wins_whatever_else_is_said(document: Json, first: bool) -> None:  # noqa: FBT001  drawn by hypothesis
    ban = deny(principal={"Federated": [WAAD, BACKUP]}, action="*")
    found = judge(policy(*([ban, *document["Statement"]] if first else [*document["Statement"], ban])))
    assert {verdict.verdict for verdict in found} == {"skipped"}


@settings(max_examples=300, deadline=None)
@given(policies)
def test_more_allows_never_take_a_role_away(document: Json) -> None:
    before = {verdict.provider_arn for verdict in judge(document) if verdict.verdict != "skipped"}
    after = {verdict.provider_arn for verdict in judge(policy(*document["Statement"], allow())) if verdict.verdict != "skipped"}
    assert before <= after


sent = st.sampled_from([{}, {"saml:iss": ["https://sts.windows.net/t/"]}, {"saml:iss": ["*"], "aws:requesttag/team": [ACCOUNT]}])


@settings(max_examples=400, deadline=None)
@given(policies, sent)
def test_verdict_without_reservation_is_that_of_another_evaluation(document: Json, known: dict[str, list[str]]) -> None:
    """The sandbox evaluates policies by code of its own; what judge says for certain must hold there, whatever else is known."""
    for verdict in judge(document):
        if not verdict.provider_arn:
            continue
        said = {
            SAML: {"taken": "allowed", "skipped": "refused"}.get(verdict.verdict),
            TAG: verdict.tag_session,
            SOURCE: verdict.source_identity,
        }
        context = {
            "saml:aud": [GLOBAL], "saml:doc": [f"{ACCOUNT}/{verdict.provider_arn.rpartition('/')[2]}"], "aws:principalaccount": [ACCOUNT],
            "aws:principaltype": ["User"], "aws:userid": [verdict.provider_arn], "aws:securetransport": ["true"], "aws:sourceip": ["192.0.2.1"],
        }  # fmt: skip
        for action, expected in said.items():
            if expected not in ("allowed", "refused") or (action != SAML and "reply URL" in verdict.reason):
                continue
            asked = evaluation.Request(action, context=context | known, principals=frozenset({("Federated", verdict.provider_arn)}))
            assert (evaluation.decide([document], asked) == "allow") == (expected == "allowed"), action
