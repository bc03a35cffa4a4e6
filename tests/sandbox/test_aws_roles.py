"""Roles over HTTP with real boto3: what IAM refuses when one is written and moto does not."""

import json
from typing import Any

import pytest

from awsfed_lib.sandbox.amazon import trusts
from awsfed_lib.sandbox.amazon.wire import AwsError


@pytest.fixture
def writer(aws):
    """A role that may do everything, so that refusals are IAM's own and not the policy's."""
    allowed = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    aws.org.cloud.accounts[aws.sales].role("awsfed-writer").policies["all"] = allowed
    aws.org.cloud.accounts[aws.sales].role("awsfed-writer").policies.pop("writer")
    return aws.iam(aws.sales, "awsfed-writer", parameter_validation=False)


@pytest.fixture
def trust(aws) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{aws.sales}:saml-provider/WAAD"},
                "Action": "sts:AssumeRoleWithSAML",
                "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            },
        ],
    }


def changed(trust: dict[str, Any], **statement: Any) -> str:
    """The trust policy with some keys of its statement changed; None removes one."""
    merged = {key: value for key, value in (trust["Statement"][0] | statement).items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [merged]})


def test_a_role_as_the_tutorial_makes_it(writer, trust):
    made = writer.create_role(
        RoleName="new-aws-admin",
        AssumeRolePolicyDocument=json.dumps(trust),
        Description="new-aws-admin",
        MaxSessionDuration=43200,
        Tags=[{"Key": "Azureadtest", "Value": "new-aws-admin"}],
    )["Role"]
    writer.attach_role_policy(RoleName="new-aws-admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    found = writer.get_role(RoleName="new-aws-admin")["Role"]
    assert found["AssumeRolePolicyDocument"] == trust
    assert (found["Arn"], found["Description"], found["MaxSessionDuration"]) == (made["Arn"], "new-aws-admin", 43200)
    assert found["Tags"] == [{"Key": "Azureadtest", "Value": "new-aws-admin"}]
    attached = writer.list_attached_role_policies(RoleName="new-aws-admin")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}]


def create(writer: Any, trust: dict[str, Any], **more: Any) -> Any:
    return writer.create_role(**({"RoleName": "new", "AssumeRolePolicyDocument": json.dumps(trust)} | more))


@pytest.mark.parametrize("name", ["sales-aws-admin", "SALES-Aws-Admin"])
def test_a_name_is_taken_whatever_its_case(writer, trust, refusal, name):
    """API_CreateRole: names are unique within the account without regard to case; moto compares them exactly."""
    answer = refusal(create, writer=writer, trust=trust, RoleName=name)
    assert answer == ("EntityAlreadyExists", f"Role with name {name} already exists.", 409)


@pytest.mark.parametrize("name", ["x" * 65, "with space", "a/b", "umlaut-ü", ""])
def test_a_name_outside_the_pattern_is_refused(writer, trust, refusal, name):
    """The botocore model: [\\w+=,.@-]+, 1..64; moto takes 65 characters and more."""
    assert refusal(create, writer=writer, trust=trust, RoleName=name)[::2] == ("ValidationError", 400)


def test_a_name_of_64_characters_is_taken(writer, trust):
    assert create(writer, trust, RoleName="x" * 64)["Role"]["RoleName"] == "x" * 64


@pytest.mark.parametrize("path", ["no-slashes", "/open", "/with space/", "/" + "x" * 512 + "/", "/aws-reserved/sso.amazonaws.com/"])
def test_a_path_outside_the_pattern_is_refused(writer, trust, refusal, path):
    """The botocore model: begins and ends with a slash, 512 characters at most."""
    assert refusal(create, writer=writer, trust=trust, Path=path)[0] == "ValidationError"


@pytest.mark.parametrize("seconds", [3599, 43201])
def test_a_session_length_outside_one_to_twelve_hours_is_refused(writer, trust, refusal, seconds):
    """The botocore model: MaxSessionDuration 3600..43200."""
    assert refusal(create, writer=writer, trust=trust, MaxSessionDuration=seconds)[0] == "ValidationError"
    assert refusal(writer.update_role, RoleName="sales-aws-admin", MaxSessionDuration=seconds)[0] == "ValidationError"


@pytest.mark.parametrize("text", ["x" * 1001, "an em dash \u2014"])
def test_a_description_outside_latin_1_or_too_long_is_refused(writer, trust, refusal, text):
    """The botocore model: 1000 characters, \\u0020-\\u007E and \\u00A1-\\u00FF."""
    assert refusal(create, writer=writer, trust=trust, Description=text)[0] == "ValidationError"


def test_a_trust_policy_over_2048_characters_is_refused(writer, trust, refusal):
    """IAM quotas: role trust policy 2,048 characters; message as in kubeflow/kubeflow#6687; moto takes any size."""
    many = [f"https://{number}.signin.aws.amazon.com/saml" for number in range(60)]
    answer = refusal(create, writer=writer, trust=json.loads(changed(trust, Condition={"StringEquals": {"SAML:aud": many}})))
    assert answer == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048", 409)


def test_white_space_does_not_count_in_the_trust_policys_size(writer, trust):
    """IAM quotas: "IAM doesn't count white space"."""
    spread = json.dumps(trust, indent=100)
    assert len(spread) > 2048
    assert writer.create_role(RoleName="new", AssumeRolePolicyDocument=spread)["Role"]


MALFORMED = {
    "an unknown action": {"Action": "sts:Foo"},
    "an action of another service": {"Action": ["sts:AssumeRoleWithSAML", "iam:PassRole"]},
    "no action": {"Action": None},
    "no principal": {"Principal": None},
    "a star for a principal": {"Principal": "*"},
    "an unknown kind of principal": {"Principal": {"Saml": "x"}},
    "a principal that is no ARN": {"Principal": {"AWS": "everybody"}},
    "a federated principal that is no provider": {"Principal": {"Federated": "foo"}},
    "any federated principal": {"Principal": {"Federated": "*"}},
    "a provider of another account": {"Principal": {"Federated": "arn:aws:iam::999999999999:saml-provider/WAAD"}},
    "a resource": {"Resource": "*"},
    "an unknown effect": {"Effect": "Maybe"},
    "no effect": {"Effect": None},
    "an unknown operator": {"Condition": {"StringIs": {"SAML:aud": "x"}}},
    "a condition that is no object": {"Condition": ["x"]},
    "NotPrincipal": {"Principal": None, "NotPrincipal": {"AWS": "*"}},
}


@pytest.mark.parametrize("case", sorted(MALFORMED))
def test_a_malformed_trust_policy_is_refused_on_create_and_on_update(writer, trust, refusal, case):
    """IAM User Guide, reference_policies_grammar and troubleshoot_policies: MalformedPolicyDocument, 400; moto's CreateRole takes all of these."""
    text = changed(trust, **MALFORMED[case])
    for call, arguments in (
        (writer.create_role, {"RoleName": "new", "AssumeRolePolicyDocument": text}),
        (writer.update_assume_role_policy, {"RoleName": "sales-aws-admin", "PolicyDocument": text}),
    ):
        assert refusal(call, **arguments)[::2] == ("MalformedPolicyDocument", 400)


@pytest.mark.parametrize(
    "text", ["not json", "[]", "{}", '{"Statement": []}', '{"Version": "2020-01-01", "Statement": [{}]}', '{"Statement": ["x"]}']
)
def test_a_document_that_is_no_policy_is_refused(writer, refusal, text):
    assert refusal(writer.create_role, RoleName="new", AssumeRolePolicyDocument=text)[0] == "MalformedPolicyDocument"


def test_a_provider_that_does_not_exist_is_an_invalid_principal(writer, trust, refusal, aws):
    """hashicorp/terraform-provider-aws#8905 reports `Invalid principal in policy` for principals that are not there; moto takes any."""
    missing = f"arn:aws:iam::{aws.sales}:saml-provider/waad"
    code, message, _ = refusal(create, writer=writer, trust=json.loads(changed(trust, Principal={"Federated": missing})))
    assert (code, message) == ("MalformedPolicyDocument", f'Invalid principal in policy: "FEDERATED":"{missing}"')


def test_a_role_that_does_not_exist_is_an_invalid_principal(writer, trust, refusal, aws):
    missing = f"arn:aws:iam::{aws.sales}:role/nobody"
    answer = refusal(create, writer=writer, trust=json.loads(changed(trust, Principal={"AWS": missing}, Action="sts:AssumeRole")))
    assert answer[1] == f'Invalid principal in policy: "AWS":"{missing}"'


def test_a_new_provider_may_be_unknown_for_a_moment(writer, trust, refusal, aws):
    """IAM is eventually consistent (IAM User Guide, troubleshoot_general): the same request works a little later."""
    aws.switch(invalid_principals=1)
    assert refusal(create, writer=writer, trust=trust)[0] == "MalformedPolicyDocument"
    assert create(writer, trust)["Role"]


def test_every_trust_policy_of_the_world_is_one_that_iam_takes(aws, writer, trust):
    """Except those that name what is gone: IAM keeps them, and would not take them again."""
    refused = set()
    for account in aws.org.cloud.accounts.values():
        for role in account.roles():
            try:
                trusts.require(aws.org.cloud, account, role.assume_role_policy_document)
            except AwsError:
                refused.add(role.name)
    assert refused == {"provider-missing", "provider-of-another-account"}


def test_the_1001st_role_is_refused(aws, writer, trust, refusal):
    """IAM quotas: 1,000 roles an account; moto has no limit."""
    account = aws.org.cloud.accounts[aws.sales]
    one = next(iter(account.roles()))
    account.backend.roles.update({f"filler-{number}": one for number in range(1000 - len(account.backend.roles))})
    assert refusal(create, writer=writer, trust=trust) == ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", 409)


def test_a_policy_that_does_not_exist_cannot_be_attached(writer, refusal):
    """API_AttachRolePolicy: NoSuchEntity, 404."""
    arn = "arn:aws:iam::aws:policy/ReadOnlyAcess"
    answer = refusal(writer.attach_role_policy, RoleName="sales-aws-admin", PolicyArn=arn)
    assert answer == ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)


def test_every_policy_that_aws_manages_can_be_attached_without_being_loaded(writer):
    writer.attach_role_policy(RoleName="sales-aws-admin", PolicyArn="arn:aws:iam::aws:policy/job-function/DatabaseAdministrator")
    assert writer.get_policy(PolicyArn="arn:aws:iam::aws:policy/job-function/DatabaseAdministrator")["Policy"]["Path"] == "/job-function/"


def test_the_eleventh_policy_is_refused(writer, refusal):
    """IAM quotas: 10 managed policies a role."""
    names = ["IAMFullAccess", "IAMReadOnlyAccess", "SecurityAudit", "PowerUserAccess", "ReadOnlyAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess",
             "AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess"]  # fmt: skip
    for name in names:
        writer.attach_role_policy(RoleName="sales-aws-admin", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    answer = refusal(writer.attach_role_policy, RoleName="sales-aws-admin", PolicyArn="arn:aws:iam::aws:policy/AmazonRDSFullAccess")
    assert answer[0] == "LimitExceeded"


def test_detaching_works_and_detaching_again_is_404(writer, refusal):
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    writer.detach_role_policy(RoleName="sales-aws-admin", PolicyArn=arn)
    assert writer.list_attached_role_policies(RoleName="sales-aws-admin")["AttachedPolicies"] == []
    assert refusal(writer.detach_role_policy, RoleName="sales-aws-admin", PolicyArn=arn)[::2] == ("NoSuchEntity", 404)


def test_iam_objects_carry_no_tags_of_cloudformation(aws, writer):
    """aws-cloudformation/cloudformation-coverage-roadmap#277: CloudFormation does not tag roles."""
    roles = writer.get_account_authorization_details(Filter=["Role"], MaxItems=1000)["RoleDetailList"]
    assert not [tag for role in roles for tag in role["Tags"] if tag["Key"].startswith("aws:")]


def test_an_update_leaves_alone_what_it_does_not_name(writer):
    """API_UpdateRole; moto empties the description when only the session length is given."""
    writer.update_role(RoleName="sales-aws-admin", MaxSessionDuration=7200)
    found = writer.get_role(RoleName="sales-aws-admin")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("sales-aws-admin", 7200)


def test_a_new_trust_policy_replaces_the_whole_old_one(writer, trust):
    """API_UpdateAssumeRolePolicy."""
    wanted = json.loads(changed(trust, Action=["sts:AssumeRoleWithSAML", "sts:TagSession"]))
    writer.update_assume_role_policy(RoleName="sales-aws-admin", PolicyDocument=json.dumps(wanted))
    assert writer.get_role(RoleName="sales-aws-admin")["Role"]["AssumeRolePolicyDocument"] == wanted


def test_roles_that_aws_owns_cannot_be_changed(aws, writer, trust, refusal):
    """IAM Identity Center User Guide, troubleshooting: "this role is only modifiable by AWS"; UnmodifiableEntity, 400."""
    owned = [
        role["name"] for role in aws.account(id=aws.sales)["roles"] if role["path"].startswith(("/aws-reserved/", "/aws-service-role/"))
    ]
    assert len(owned) == 2
    for name in owned:
        for call, more in (
            (writer.update_assume_role_policy, {"PolicyDocument": json.dumps(trust)}),
            (writer.update_role, {"Description": "mine"}),
            (writer.delete_role, {}),
            (writer.tag_role, {"Tags": [{"Key": "a", "Value": "b"}]}),
        ):
            code, message, status = refusal(call, RoleName=name, **more)
            assert (code, status) == ("UnmodifiableEntity", 400)
            assert message.endswith("this role is only modifiable by AWS")


def test_an_unknown_role_is_404_in_iams_words(writer, refusal):
    answer = refusal(writer.get_role, RoleName="Sales-aws-admin")
    assert answer == ("NoSuchEntity", "The role with name Sales-aws-admin cannot be found.", 404)


def test_the_51st_tag_is_refused(writer, trust, refusal):
    """The botocore model: 50 tags."""
    tags = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
    assert refusal(create, writer=writer, trust=trust, Tags=tags)[0] == "ValidationError"
    assert create(writer, trust, Tags=tags[:50])["Role"]["Tags"] == tags[:50]
    assert refusal(writer.tag_role, RoleName="new", Tags=tags[50:])[0] == "LimitExceeded"


def test_a_role_with_policies_cannot_be_deleted(writer, refusal):
    """API_DeleteRole: DeleteConflict, 409."""
    assert refusal(writer.delete_role, RoleName="sales-aws-admin")[::2] == ("DeleteConflict", 409)
