"""IAM's policy evaluation: wildcards, conditions, Deny, principals."""

import pytest

from awsfed_lib.sandbox.amazon.evaluation import Request, decide, like


def policy(**statement):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"} | statement]}


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("arn:aws:iam::*:role/*-aws-admin", "arn:aws:iam::1:role/a/b-aws-admin", True),  # * crosses slashes
        ("iam:Get*", "iam:GetRole", True),
        ("iam:Get?ole", "iam:GetRole", True),
        ("iam:Get", "iam:GetRole", False),
        ("a.c", "abc", False),  # a dot is a dot
    ],
)
def test_wildcards(pattern, value, matches):
    assert like(pattern, value) is matches


def test_nothing_is_allowed_by_nothing():
    assert decide([], Request("iam:GetRole")) == "none"


def test_an_explicit_deny_wins_over_every_allow():
    assert decide([policy(), policy(Effect="Deny", Action="iam:*")], Request("iam:GetRole")) == "deny"


def test_actions_are_compared_without_regard_to_case():
    """IAM User Guide, reference_policies_elements_action: "iam:listaccesskeys is equivalent to IAM:listaccesskeys"."""
    assert decide([policy(Action="IAM:getrole")], Request("iam:GetRole")) == "allow"


def test_resources_are_compared_with_their_case():
    assert decide([policy(Resource="arn:x:Role")], Request("iam:GetRole", "arn:x:role")) == "none"


def test_not_action_and_not_resource_turn_the_list_round():
    document = {"Statement": {"Effect": "Allow", "NotAction": "iam:Delete*", "NotResource": "arn:secret"}}
    assert decide([document], Request("iam:GetRole", "arn:other")) == "allow"
    assert decide([document], Request("iam:DeleteRole", "arn:other")) == "none"
    assert decide([document], Request("iam:GetRole", "arn:secret")) == "none"


@pytest.mark.parametrize(
    ("condition", "context", "decision"),
    [
        ({"StringEquals": {"SAML:aud": "https://a"}}, {"saml:aud": ["https://a"]}, "allow"),  # keys have no case
        ({"StringEquals": {"saml:aud": "https://A"}}, {"saml:aud": ["https://a"]}, "none"),  # values have
        ({"StringEquals": {"saml:aud": ["https://b", "https://a"]}}, {"saml:aud": ["https://a"]}, "allow"),
        ({"StringEquals": {"saml:aud": "https://a"}}, {}, "none"),  # an absent key does not match
        ({"StringEqualsIfExists": {"saml:aud": "https://a"}}, {}, "allow"),
        ({"StringNotEquals": {"saml:aud": "https://a"}}, {}, "allow"),  # an absent key is not equal
        ({"StringNotEquals": {"saml:aud": ["https://a", "https://b"]}}, {"saml:aud": ["https://b"]}, "none"),
        (
            {"StringLike": {"saml:aud": "https://*.signin.aws.amazon.com/saml"}},
            {"saml:aud": ["https://eu.signin.aws.amazon.com/saml"]},
            "allow",
        ),
        (
            {"StringLike": {"saml:aud": "https://*.signin.aws.amazon.com/saml"}},
            {"saml:aud": ["https://signin.aws.amazon.com/saml"]},
            "none",
        ),
        ({"StringEqualsIgnoreCase": {"saml:sub": "ME@X"}}, {"saml:sub": ["me@x"]}, "allow"),
        ({"Null": {"saml:aud": "true"}}, {}, "allow"),
        ({"Null": {"saml:aud": "true"}}, {"saml:aud": ["x"]}, "none"),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"aws:multifactorauthpresent": ["True"]}, "allow"),
        ({"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/*"}}, {"iam:policyarn": ["arn:aws:iam::aws:policy/X"]}, "allow"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:tagkeys": ["a", "c"]}, "none"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {}, "allow"),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws:tagkeys": ["a", "c"]}, "allow"),
        ({"StringEquals": {"a": "1", "b": "2"}}, {"a": ["1"], "b": ["3"]}, "none"),  # all keys must match
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {}, "none"),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {"aws:tagkeys": ["a", "b"]}, "allow"),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, {"aws:currenttime": ["2010-01-01T00:00:00Z"]}, "allow"),
        ({"DateLessThan": {"aws:CurrentTime": "no date"}}, {"aws:currenttime": ["2010-01-01T00:00:00Z"]}, "none"),
        ({"NumericGreaterThan": {"aws:EpochTime": "7"}}, {"aws:epochtime": ["8"]}, "allow"),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"aws:sourceip": ["192.0.2.101"]}, "allow"),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {"aws:sourceip": ["192.0.2.101"]}, "none"),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}, {"aws:principalarn": ["arn:aws:iam::1:x:role/ops"]}, "none"),
        ({"StringEquals": {"a": "${b}"}}, {"a": ["1"], "b": ["1"]}, "allow"),
        ({"StringEquals": {"a": "${b}"}}, {"a": ["1"]}, "none"),
        ({"Unknown": {"a": "1"}}, {"a": ["1"]}, "none"),
    ],
)
def test_conditions(condition, context, decision):
    """IAM User Guide, reference_policies_elements_condition_operators and reference_policies_multi-value-conditions."""
    assert decide([policy(Condition=condition)], Request("sts:AssumeRoleWithSAML", "*", context)) == decision


@pytest.mark.parametrize(
    ("principal", "decision"),
    [
        ({"Federated": "arn:p"}, "allow"),
        ({"Federated": ["arn:other", "arn:p"]}, "allow"),
        ({"Federated": "arn:P"}, "none"),
        ({"AWS": "arn:p"}, "none"),  # the kind counts
        ({"Service": "ec2.amazonaws.com"}, "none"),
        ("*", "none"),  # a recording of AWS: AccessDenied
        ({"AWS": "*"}, "none"),
    ],
)
def test_principals_of_a_trust_policy(principal, decision):
    document = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithSAML"}]}
    assert decide([document], Request("sts:AssumeRoleWithSAML", "arn:role", {}, frozenset({("Federated", "arn:p")}))) == decision
