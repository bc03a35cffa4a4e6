"""What other people's inventories ask of AWS works here too: IAM, Organizations and CloudFormation with plain boto3."""

import pytest


@pytest.fixture
def administrator(aws):
    """The way of such tools: from the management account into OrganizationAccountAccessRole."""
    return aws.assume(aws.sales, "OrganizationAccountAccessRole", "management")


def test_iam_as_inventories_read_it(aws, administrator):
    """Reads of Cartography and Prowler: policies with their versions, roles one by one, and lists that are empty here."""
    iam = aws.client("iam", administrator)
    role = iam.get_role(RoleName="sales-aws-admin")["Role"]
    arn = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"][0]["PolicyArn"]
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Effect"] == "Allow"
    attached = {one["Arn"]: one["AttachmentCount"] for one in iam.list_policies(OnlyAttached=True, Scope="AWS")["Policies"]}
    users = iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
    assert attached[arn] == len(users) == policy["AttachmentCount"]
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert [iam.list_users()["Users"], iam.list_groups()["Groups"], iam.list_instance_profiles()["InstanceProfiles"]] == [[], [], []]


def test_organizations_as_inventories_walk_it(aws):
    organizations = aws.client("organizations", "management")
    found, units = [], [organizations.list_roots()["Roots"][0]["Id"]]
    for unit in units:
        children = {
            kind: organizations.list_children(ParentId=unit, ChildType=kind)["Children"] for kind in ("ACCOUNT", "ORGANIZATIONAL_UNIT")
        }
        found += [one["Id"] for one in children["ACCOUNT"]]
        units += [one["Id"] for one in children["ORGANIZATIONAL_UNIT"]]
    assert sorted(found) == sorted(aws.org.cloud.accounts)
    (policy,) = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert organizations.describe_policy(PolicyId=policy["Id"])["Policy"]["Content"]
    assert organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"][0]["Type"] == "ROOT"


def test_the_stack_that_holds_a_role(aws, refusal):
    """API_DescribeStackResources: asked by physical id, in one Region; what no stack holds is a ValidationError."""
    stacks = aws.client("cloudformation", aws.assume(aws.sales))
    found = stacks.describe_stack_resources(PhysicalResourceId="awsfed-audit")["StackResources"]
    assert {one["StackName"] for one in found} == {"StackSet-awsfed"}
    assert {one["PhysicalResourceId"] for one in found} == {"awsfed-audit", "awsfed-writer", "awsfed-remover"}
    assert refusal(stacks.describe_stack_resources, PhysicalResourceId="sales-aws-admin")[::2] == ("ValidationError", 400)
    elsewhere = aws.client("cloudformation", aws.assume(aws.sales), region="eu-west-1")
    assert refusal(elsewhere.describe_stack_resources, PhysicalResourceId="awsfed-audit")[0] == "ValidationError"
    assert refusal(aws.client("cloudformation").describe_stack_resources, PhysicalResourceId="awsfed-audit")[0] == "AccessDenied"
