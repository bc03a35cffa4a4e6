"""ListRoles and GetAccountAuthorizationDetails: what each of them has, and pages that are really pages."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from awsfed_lib.sandbox.amazon import sts
from awsfed_lib.sandbox.amazon.federation import Grant


def everything(call: Any, key: str, **arguments: Any) -> list[list[dict[str, Any]]]:
    """All pages of a call with Marker and IsTruncated."""
    found, marker = [], None
    while True:
        page = call(**arguments, **({"Marker": marker} if marker else {}))
        found.append(page[key])
        marker = page.get("Marker")
        assert page["IsTruncated"] == (marker is not None)
        if marker is None:
            return found


@pytest.fixture
def iam(aws):
    return aws.iam(aws.sales)


@pytest.fixture
def entries(aws) -> dict[str, dict[str, Any]]:
    """The account's roles as the world has them, by name."""
    return {role["name"]: role for role in aws.account(id=aws.sales)["roles"]}


def test_authorization_details_have_everything_but_description_and_session_length(iam, entries):
    """The botocore model: RoleDetail has neither Description nor MaxSessionDuration."""
    found = {
        one["RoleName"]: one
        for page in everything(iam.get_account_authorization_details, "RoleDetailList", Filter=["Role"])
        for one in page
    }
    assert set(found) == set(entries)
    for name, one in found.items():
        assert one["AssumeRolePolicyDocument"] == entries[name]["trust"]
        assert [policy["PolicyArn"] for policy in one["AttachedManagedPolicies"]] == entries[name]["attached"]
        assert {tag["Key"]: tag["Value"] for tag in one["Tags"]} == entries[name]["tags"]
        assert {policy["PolicyName"]: policy["PolicyDocument"] for policy in one["RolePolicyList"]} == entries[name]["inline"]
        assert one["Path"] == entries[name]["path"]
        assert not {"Description", "MaxSessionDuration"} & set(one)


def test_list_roles_has_description_and_session_length_but_no_tags_and_no_last_use(iam, entries):
    """API_ListRoles: does not return PermissionsBoundary, RoleLastUsed and Tags."""
    found = {one["RoleName"]: one for page in everything(iam.list_roles, "Roles") for one in page}
    assert set(found) == set(entries)
    for name, one in found.items():
        assert one["MaxSessionDuration"] == entries[name]["max_session"]
        assert one.get("Description", "") == entries[name]["description"]
        assert not {"Tags", "RoleLastUsed", "PermissionsBoundary", "AttachedManagedPolicies"} & set(one)


def test_the_last_use_has_a_region_and_is_empty_when_there_was_none(iam, entries):
    """The botocore model: RoleLastUsed {LastUsedDate, Region}; moto leaves the region out."""
    found = {one["RoleName"]: one["RoleLastUsed"] for one in iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]}
    used = [name for name, role in entries.items() if role["last_used"]]
    assert used
    for name, last in found.items():
        assert (set(last) == {"LastUsedDate", "Region"}) == (name in used)


def test_the_boundary_is_in_the_details(aws):
    account = next(one for one in aws.world["org"]["accounts"] if any(role["boundary"] for role in one["roles"]))
    found = {one["RoleName"]: one for one in aws.iam(account["id"]).get_account_authorization_details(Filter=["Role"])["RoleDetailList"]}
    assert found["with-a-boundary"]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
        "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess",
    }


@pytest.mark.parametrize(("operation", "key"), [("list_roles", "Roles"), ("get_account_authorization_details", "RoleDetailList")])
def test_pages_have_the_asked_size_and_together_are_the_account_in_order(iam, entries, operation, key):
    """The botocore model: MaxItems 1..1000, Marker, IsTruncated; moto gives authorization details in one page."""
    pages = everything(getattr(iam, operation), key, MaxItems=4)
    assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1)
    names = [one["RoleName"] for page in pages for one in page]
    assert names == sorted(entries, key=str.lower)


def test_a_page_may_hold_less_than_max_items(aws):
    """API_GetAccountAuthorizationDetails, MaxItems: "IAM might return fewer than the MaxItems number of results"."""
    aws.switch(page=2)
    pages = everything(aws.iam(aws.sales).get_account_authorization_details, "RoleDetailList", Filter=["Role"], MaxItems=1000)
    assert {len(page) for page in pages[:-1]} == {2}


def test_the_default_page_is_100(aws):
    """API_ListRoles, MaxItems: "If you do not include this parameter, the number of items defaults to 100"."""
    account = aws.org.cloud.accounts[aws.sales]
    template = next(iter(account.roles()))
    for number in range(120):
        copy = type(template)(**{name: getattr(template, name) for name in ("account_id", "partition", "path", "description", "tags", "max_session_duration")},
                              role_id=f"AROA{number:017d}", name=f"many-{number}", assume_role_policy_document=template.assume_role_policy_document,
                              permissions_boundary=None)  # fmt: skip
        account.backend.roles[copy.id] = copy
    account.touched()
    assert [len(page) for page in everything(aws.iam(aws.sales).list_roles, "Roles")] == [100, 34]


@pytest.mark.parametrize("size", [0, 1001])
def test_max_items_outside_1_to_1000_is_refused(aws, refusal, size):
    client = aws.iam(aws.sales, parameter_validation=False)
    assert refusal(client.list_roles, MaxItems=size)[::2] == ("ValidationError", 400)


def test_a_made_up_marker_is_refused(iam, refusal):
    assert refusal(iam.list_roles, Marker="page-two")[0] == "ValidationError"


def test_a_path_prefix_selects(iam):
    assert {one["Path"] for one in iam.list_roles(PathPrefix="/aws-service-role/")["Roles"]} == {
        "/aws-service-role/organizations.amazonaws.com/"
    }


def test_a_filter_without_role_gives_no_roles(iam):
    assert iam.get_account_authorization_details(Filter=["LocalManagedPolicy"])["RoleDetailList"] == []


def test_a_write_is_seen_by_the_next_read(aws):
    """Pages are rendered ahead; a write throws them away."""
    writer = aws.iam(aws.sales, "awsfed-writer")
    before = writer.list_roles(MaxItems=1000)["Roles"]
    writer.update_role(RoleName="sales-aws-admin", MaxSessionDuration=7200)
    after = {one["RoleName"]: one["MaxSessionDuration"] for one in writer.list_roles(MaxItems=1000)["Roles"]}
    assert after["sales-aws-admin"] == 7200
    assert {one["RoleName"]: one["MaxSessionDuration"] for one in before}["sales-aws-admin"] != 7200


def test_a_sign_in_changes_the_last_use(aws):
    account = aws.org.cloud.accounts[aws.sales]
    before = aws.iam(aws.sales).get_account_authorization_details(Filter=["Role"], MaxItems=1000)["RoleDetailList"]
    role = account.role("sales-finance-admin")
    sts.issue(aws.org.cloud, Grant(role, "someone", 900, "s", "persistent", "i", "r", "q"))
    after = aws.iam(aws.sales).get_account_authorization_details(Filter=["Role"], MaxItems=1000)["RoleDetailList"]
    changed = [one["RoleName"] for one, was in zip(after, before, strict=True) if one != was]
    assert changed == ["sales-finance-admin"]


def test_special_characters_in_a_description_survive_the_xml(aws):
    aws.org.cloud.accounts[aws.sales].role("sales-aws-admin").description = '<b>R&D</b> "quoted" ü'
    found = {one["RoleName"]: one.get("Description") for one in aws.iam(aws.sales).list_roles()["Roles"]}
    assert found["sales-aws-admin"] == '<b>R&D</b> "quoted" ü'


def test_two_accounts_read_at_once_never_mix(aws):
    """moto keeps one backend an account; the shared server must, too."""
    ids = [one["id"] for one in aws.world["org"]["accounts"] if one["state"] == "ACTIVE" and one["reach"] == "ok"]
    clients = {one: aws.iam(one) for one in ids}
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(ids, pool.map(lambda one: clients[one].list_roles(MaxItems=1000)["Roles"], ids), strict=True))
    assert all(role["Arn"].split(":")[4] == account for account, roles in found.items() for role in roles)


def test_account_summary_and_aliases_come_from_moto(iam, entries):
    """API_GetAccountSummary: one cheap call for quotas."""
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Roles"], summary["RolesQuota"], summary["AssumeRolePolicySizeQuota"]) == (len(entries), 1000, 2048)
    assert iam.list_account_aliases()["AccountAliases"] == []
