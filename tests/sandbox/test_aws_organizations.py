"""AWS Organizations over HTTP with real boto3: pages, empty pages, states, and who may ask."""

from typing import Any

import pytest


def pages(client: Any, **arguments: Any) -> list[list[dict[str, Any]]]:
    found, token = [], None
    while True:
        page = client.list_accounts(**arguments, **({"NextToken": token} if token else {}))
        found.append(page["Accounts"])
        token = page.get("NextToken")
        if token is None:
            return found


def test_list_accounts_gives_pages_of_20_and_an_empty_page_in_between(aws):
    """API_ListAccounts: "can return an empty page with a NextToken", MaxResults 1 to 20 (botocore model)."""
    assert [len(page) for page in pages(aws.client("organizations"))] == [20, 0, 4]


def test_boto3s_paginator_survives_the_empty_page(aws):
    paginator = aws.client("organizations").get_paginator("list_accounts")
    found = [one["Id"] for page in paginator.paginate() for one in page["Accounts"]]
    assert found == [one["id"] for one in aws.world["org"]["accounts"]]


def test_smaller_pages_are_given_when_asked_for(aws):
    aws.switch(empty_page=0)
    assert [len(page) for page in pages(aws.client("organizations"), MaxResults=9)] == [9, 9, 6]


@pytest.mark.parametrize("size", [0, 21, 100])
def test_max_results_outside_1_to_20_is_refused(aws, refusal, size):
    """The botocore model: MaxResults 1..20; moto takes 100."""
    client = aws.client("organizations", parameter_validation=False)
    assert refusal(client.list_accounts, MaxResults=size)[::2] == ("InvalidInputException", 400)


def test_a_made_up_token_is_refused(aws, refusal):
    assert refusal(aws.client("organizations").list_accounts, NextToken="page two")[0] == "InvalidInputException"


def test_accounts_have_state_and_the_older_status(aws):
    """orgs_manage_accounts_account_state.html: five states; the Status field has three values."""
    found = {one["State"]: one["Status"] for page in pages(aws.client("organizations")) for one in page}
    assert found == {
        "ACTIVE": "ACTIVE",
        "SUSPENDED": "SUSPENDED",
        "PENDING_CLOSURE": "PENDING_CLOSURE",
        "CLOSED": "SUSPENDED",
        "PENDING_ACTIVATION": "ACTIVE",
    }


def test_status_can_be_gone_as_announced_for_september_2026(aws):
    """The botocore model: "The Status parameter in the Account object will be retired on September 9, 2026"."""
    aws.switch(account_status="state")
    assert all("Status" not in one and "State" in one for one in aws.client("organizations").list_accounts()["Accounts"])


def test_paths_name_the_units_of_every_account(aws):
    """The botocore model: `Paths`, "The paths in the organization where the account exists"."""
    client = aws.client("organizations")
    found = next(one for page in pages(client) for one in page if one["Id"] == aws.sales)
    parent = client.list_parents(ChildId=aws.sales)["Parents"][0]
    assert found["Paths"][0].split("/")[-3] == parent["Id"]
    assert found["Paths"][0].endswith(f"/{aws.sales}/")


def test_a_member_account_that_is_no_delegated_administrator_is_refused(aws, refusal):
    """API_ListAccounts: only the management account or a delegated administrator."""
    code, message, status = refusal(aws.client("organizations", "stranger").list_accounts)
    assert (code, status) == ("AccessDeniedException", 400)
    assert message == "You don't have permissions to access this resource."


def test_every_member_can_describe_the_organization(aws):
    """API_DescribeOrganization: "can be called from any account in the organization"."""
    found = aws.client("organizations", "stranger").describe_organization()["Organization"]
    assert (found["Id"], found["MasterAccountId"]) == (aws.world["org"]["organization_id"], aws.world["org"]["management"])


def test_the_audit_role_may_not_list_the_organization(aws, refusal):
    client = aws.client("organizations", aws.assume(aws.world["org"]["hub"]))
    code, message, _ = refusal(client.list_accounts)
    assert code == "AccessDeniedException"
    assert "because no identity-based policy allows the organizations:ListAccounts action" in message


def test_units_and_their_accounts_can_be_walked_from_the_root(aws):
    client = aws.client("organizations")
    found: list[str] = []

    def walk(parent: str) -> None:
        found.extend(one["Id"] for one in client.list_accounts_for_parent(ParentId=parent)["Accounts"])
        for unit in client.list_organizational_units_for_parent(ParentId=parent)["OrganizationalUnits"]:
            walk(unit["Id"])

    walk(client.list_roots()["Roots"][0]["Id"])
    assert sorted(found) == sorted(one["id"] for one in aws.world["org"]["accounts"])


def test_unknown_parents_children_and_accounts_are_refused_by_their_own_codes(aws, refusal):
    client = aws.client("organizations")
    assert refusal(client.list_accounts_for_parent, ParentId="ou-abcd-12345678")[0] == "ParentNotFoundException"
    assert refusal(client.list_parents, ChildId="999999999999")[0] == "ChildNotFoundException"
    assert refusal(client.describe_account, AccountId="999999999999")[0] == "AccountNotFoundException"


def test_organizations_throttles_with_its_own_code_and_recovers(aws, refusal):
    """API_ListAccounts: TooManyRequestsException; awslabs/aws-deployment-framework#788."""
    aws.switch(organization_throttles=1)
    client = aws.client("organizations")
    assert refusal(client.list_accounts)[0] == "TooManyRequestsException"
    assert client.list_accounts()["Accounts"]


def test_joined_method_tells_invited_accounts_apart(aws):
    """orgs_manage_accounts_access.html: an invited account has no OrganizationAccountAccessRole."""
    invited = {one["Id"] for page in pages(aws.client("organizations")) for one in page if one["JoinedMethod"] == "INVITED"}
    without = {
        account["id"]
        for account in aws.world["org"]["accounts"]
        if "OrganizationAccountAccessRole" not in {role["name"] for role in account["roles"]}
    }
    assert invited == without
    assert aws.world["org"]["management"] in invited
