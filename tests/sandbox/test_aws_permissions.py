"""The audit role reads and never writes; the writer writes what its policy names and nothing else; every refusal in IAM's words."""

import json
from typing import Any

import pytest

from awsfed_lib.sandbox.amazon import providers, roles


@pytest.fixture
def trust(aws) -> str:
    return json.dumps(aws.account(id=aws.sales)["roles"][-2]["trust"])


def writes(trust: str, account: str) -> dict[str, dict[str, Any]]:
    """One call of every action that changes something."""
    role = {"RoleName": "sales-aws-admin"}
    provider = {"SAMLProviderArn": f"arn:aws:iam::{account}:saml-provider/WAAD"}
    tags = {"Tags": [{"Key": "a", "Value": "b"}]}
    policy = {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    return {
        "create_role": {"RoleName": "new-aws-admin", "AssumeRolePolicyDocument": trust},
        "update_role": role,
        "delete_role": role,
        "update_assume_role_policy": role | {"PolicyDocument": trust},
        "tag_role": role | tags,
        "untag_role": role | {"TagKeys": ["a"]},
        "attach_role_policy": role | policy,
        "detach_role_policy": role | policy,
        "put_role_policy": role | {"PolicyName": "x", "PolicyDocument": trust},
        "delete_role_policy": role | {"PolicyName": "x"},
        "put_role_permissions_boundary": role | {"PermissionsBoundary": policy["PolicyArn"]},
        "delete_role_permissions_boundary": role,
        "create_saml_provider": {"Name": "WAAD", "SAMLMetadataDocument": "x" * 1000},
        "update_saml_provider": provider,
        "delete_saml_provider": provider,
        "tag_saml_provider": provider | tags,
        "untag_saml_provider": provider | {"TagKeys": ["a"]},
    }


def test_the_audit_role_cannot_write_anything(aws, refusal, trust):
    """Its policy allows GetAccountAuthorizationDetails, ListRoles, SAML provider reads, aliases and the summary: nothing that changes."""
    iam = aws.iam(aws.sales)
    before = iam.get_account_authorization_details(Filter=["Role"], MaxItems=1000)["RoleDetailList"]
    for operation, arguments in writes(trust, aws.sales).items():
        code, message, status = refusal(getattr(iam, operation), **arguments)
        assert (operation, code, status) == (operation, "AccessDenied", 403)
        assert message.startswith(f"User: arn:aws:sts::{aws.sales}:assumed-role/awsfed-audit/test is not authorized to perform: iam:")
        assert " on resource: " in message
    assert iam.get_account_authorization_details(Filter=["Role"], MaxItems=1000)["RoleDetailList"] == before


def test_every_writing_action_that_the_sandbox_has_is_in_that_test(aws, trust):

    served = set(roles.checks()) | set(roles.operations()) | set(providers.operations())
    changing = {name for name in served if not name.startswith(("Get", "List"))}
    spelt = {"".join(part.capitalize() for part in name.split("_")).replace("Saml", "SAML") for name in writes(trust, aws.sales)}
    assert spelt == changing


def test_the_audit_role_cannot_read_what_its_policy_does_not_name(aws, refusal):
    iam = aws.iam(aws.sales)
    answer = refusal(iam.get_role, RoleName="sales-aws-admin")
    assert answer[1] == (
        f"User: arn:aws:sts::{aws.sales}:assumed-role/awsfed-audit/test is not authorized to perform: iam:GetRole on resource: "
        "role sales-aws-admin because no identity-based policy allows the iam:GetRole action"
    )


def test_the_audit_role_reads_what_an_inventory_needs(aws):
    iam = aws.iam(aws.sales)
    assert iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    assert iam.list_roles()["Roles"]
    arn = next(one["Arn"] for one in iam.list_saml_providers()["SAMLProviderList"] if one["Arn"].endswith("/WAAD"))
    assert iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"]
    assert iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"] == []


def test_the_hub_itself_can_neither_read_nor_write_iam(aws, refusal, trust):
    iam = aws.client("iam")
    assert refusal(iam.list_roles)[0] == "AccessDenied"
    assert refusal(iam.create_role, RoleName="x", AssumeRolePolicyDocument=trust)[0] == "AccessDenied"


def test_the_writer_makes_roles_of_the_tutorials_families_only(aws, refusal, trust):
    iam = aws.iam(aws.sales, "awsfed-writer")
    assert iam.create_role(RoleName="new-tpm-user", AssumeRolePolicyDocument=trust)["Role"]
    code, message, _ = refusal(iam.create_role, RoleName="new-owner", AssumeRolePolicyDocument=trust)
    assert code == "AccessDenied"
    assert f"on resource: arn:aws:iam::{aws.sales}:role/new-owner because no identity-based policy allows" in message


def test_the_writer_attaches_only_the_families_policies(aws, refusal):
    """IAM condition key iam:PolicyARN with ArnEquals."""
    iam = aws.iam(aws.sales, "awsfed-writer")
    iam.attach_role_policy(RoleName="sales-tpm-user", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    answer = refusal(iam.attach_role_policy, RoleName="sales-tpm-user", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")
    assert answer[0] == "AccessDenied"


@pytest.mark.parametrize("role", ["awsfed-audit", "awsfed-writer", "OrganizationAccountAccessRole"])
def test_the_writer_cannot_touch_itself(aws, refusal, trust, role):
    """An explicit Deny wins over every Allow (IAM User Guide, reference_policies_evaluation-logic)."""
    code, message, _ = refusal(aws.iam(aws.sales, "awsfed-writer").update_assume_role_policy, RoleName=role, PolicyDocument=trust)
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_the_writer_cannot_delete(aws, refusal):
    iam = aws.iam(aws.sales, "awsfed-writer")
    assert refusal(iam.delete_role, RoleName="sales-aws-admin")[0] == "AccessDenied"
    assert refusal(iam.delete_saml_provider, SAMLProviderArn=f"arn:aws:iam::{aws.sales}:saml-provider/WAAD")[0] == "AccessDenied"


def test_the_writer_changes_only_the_provider_named_waad(aws, refusal):
    account = aws.account(name="O'Reilly Partner Portal")["id"]  # its provider is called AzureAD
    arn = f"arn:aws:iam::{account}:saml-provider/AzureAD"
    code, message, _ = refusal(aws.iam(account, "awsfed-writer").tag_saml_provider, SAMLProviderArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert code == "AccessDenied"
    assert f"on resource: {arn} " in message


def test_a_service_control_policy_denies_members_whatever_their_role_says(aws, refusal):
    """IAM User Guide, troubleshoot_access-denied: "with an explicit deny in a service control policy"."""
    aws.switch(denied_actions=["iam:Create*"])
    document = "x" * 1000
    code, message, _ = refusal(aws.iam(aws.sales, "awsfed-writer").create_saml_provider, Name="WAAD", SAMLMetadataDocument=document)
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a service control policy")


def test_writes_of_one_account_stay_in_that_account(aws, trust):
    aws.iam(aws.sales, "awsfed-writer").create_role(RoleName="only-here-aws-admin", AssumeRolePolicyDocument=trust)
    hub = aws.world["org"]["hub"]
    names = [{one["RoleName"] for one in aws.iam(account).list_roles(MaxItems=1000)["Roles"]} for account in (aws.sales, hub)]
    assert ["only-here-aws-admin" in found for found in names] == [True, False]


def test_a_permission_taken_from_the_role_is_gone_at_once(aws, refusal):
    iam = aws.iam(aws.sales)
    assert iam.list_roles()["Roles"]
    aws.org.cloud.accounts[aws.sales].role("awsfed-audit").policies.clear()
    assert refusal(iam.list_roles)[0] == "AccessDenied"
