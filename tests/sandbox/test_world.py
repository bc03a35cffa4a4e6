"""The world: deterministic, whole at any size, and as messy as it promises."""

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from awsfed_lib.sandbox.amazon.evaluation import listed, statements
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.population.oddities import oddities


def digest(made: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made).encode()).hexdigest()


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return world(7)


@pytest.fixture(scope="module")
def main(made) -> dict[str, Any]:
    return next(one for one in made["tenant"]["servicePrincipals"] if one["id"] == made["tenant"]["main"])


def role_names(made) -> Counter[str]:
    return Counter(role["name"] for account in made["org"]["accounts"] for role in account["roles"])


def test_the_same_seed_gives_the_same_bytes_in_another_process(made):
    program = (
        "import hashlib, json; from awsfed_lib.sandbox.org import world; print(hashlib.sha256(json.dumps(world(7)).encode()).hexdigest())"
    )
    found = subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": "99"}, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == digest(made)


def test_another_seed_gives_other_accounts_and_another_tenant(made):
    other = world(8)
    assert not {one["id"] for one in other["org"]["accounts"]} & {one["id"] for one in made["org"]["accounts"]} - {"000000012345"}
    assert other["tenant"]["id"] != made["tenant"]["id"]


@pytest.mark.parametrize("size", [3, 4, 10, 500])
def test_every_size_has_that_many_accounts_of_twelve_digits(size):
    ids = [one["id"] for one in world(7, size)["org"]["accounts"]]
    assert len(set(ids)) == size
    assert all(re.fullmatch(r"\d{12}", one) for one in ids)


@pytest.mark.parametrize("size", [2, 10_001])
def test_an_organization_has_between_3_and_10000_accounts(size):
    """docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html: at most 10,000."""
    with pytest.raises(ValueError, match="3 to 10,000"):
        world(7, size)


def test_an_unknown_partition_is_refused_by_name():
    with pytest.raises(ValueError, match="aws-us-gov"):
        world(7, 3, partition="aws-iso")


@pytest.mark.parametrize("size", [3, 24, 400])
def test_every_oddity_is_somewhere_at_any_size(size):
    names = role_names(world(7, size))
    wanted = {"audience-missing", "audience-wrong", "audience-regional", "principal-in-a-list", "two-providers", "provider-missing"}
    wanted |= {"provider-of-another-account", "github-deploy", "several-statements", "tag-session", "wildcard-action", "denied-for-all"}
    wanted |= {"stack-owned", "Payments-Operators", "single-statement-object", "ec2-instances"}
    assert wanted <= set(names)


def test_some_account_ids_start_with_zeros_which_spreadsheets_eat(made):
    assert sum(one["id"].startswith("00") for one in made["org"]["accounts"]) >= 3


def test_states_and_reach_hold_every_kind(made):
    kinds = {(one["state"], one["reach"]) for one in made["org"]["accounts"]}
    assert {("ACTIVE", "ok"), ("ACTIVE", "denied"), ("ACTIVE", "throttled"), ("SUSPENDED", "denied"), ("PENDING_CLOSURE", "ok")} <= kinds


def test_two_accounts_have_names_with_the_same_slug_and_so_the_same_role_names(made):
    assert role_names(made)["data-platform-aws-admin"] == 2


def test_pairs_longer_than_120_and_than_239_characters_exist(made):
    """graph/api/approle documents 120 characters for a value; Microsoft's AWS tutorial says that less than 240 works."""
    lengths = []
    for account in made["org"]["accounts"]:
        for role in account["roles"]:
            pair = f"arn:aws:iam::{account['id']}:role{role['path']}{role['name']},arn:aws:iam::{account['id']}:saml-provider/WAAD"
            lengths.append(len(pair))
            assert len(role["name"]) <= 64
    assert any(120 < length <= 239 for length in lengths)
    assert any(length > 239 for length in lengths)


def test_more_than_120_roles_trust_a_saml_provider(made):
    federated = [
        role
        for account in made["org"]["accounts"]
        for role in account["roles"]
        if any("saml-provider" in str(statement.get("Principal")) for statement in statements(role["trust"]))
    ]
    assert len(federated) > 120


def test_the_tutorials_application_is_letter_for_letter_the_tutorials_json(made):
    """Microsoft's tutorial on AWS and multiple accounts, its appRoles example; 12345 padded to twelve digits."""
    found = next(one for one in made["tenant"]["servicePrincipals"] if one["displayName"].endswith("Tutorial"))
    account = "000000012345"
    assert found["appRoles"] == [
        {
            "allowedMemberTypes": ["User"],
            "description": "msiam_access",
            "displayName": "msiam_access",
            "id": "7dfd756e-8c27-4472-b2b7-38c17fc5de5e",
            "isEnabled": True,
            "origin": "Application",
            "value": None,
        },
        {
            "allowedMemberTypes": ["User"],
            "description": "Admin,WAAD",
            "displayName": "Admin,WAAD",
            "id": "4aacf5a4-f38b-4861-b909-bae023e88dde",
            "isEnabled": True,
            "origin": "ServicePrincipal",
            "value": f"arn:aws:iam::{account}:role/Admin,arn:aws:iam::{account}:saml-provider/WAAD",
        },
        {
            "allowedMemberTypes": ["User"],
            "description": "Auditors,WAAD",
            "displayName": "Auditors,WAAD",
            "id": "bcad6926-67ec-445a-80f8-578032504c09",
            "isEnabled": True,
            "origin": "ServicePrincipal",
            "value": f"arn:aws:iam::{account}:role/Auditors,arn:aws:iam::{account}:saml-provider/WAAD",
        },
    ]
    owner = next(one for one in made["org"]["accounts"] if one["id"] == account)
    assert {"Admin", "Auditors"} <= {role["name"] for role in owner["roles"]}
    assert {"name": "WAAD", "app": found["id"], "certificate": "current"} in owner["providers"]


def test_the_main_application_is_a_gallery_instance_with_a_null_role_and_one_scope(main):
    assert main["applicationTemplateId"] == "8b1025e4-1dd2-430b-a150-2ef79cd700f5"
    assert main["appRoles"][0]["value"] is None
    assert main["appRoles"][0]["origin"] == "Application"
    assert [scope["value"] for scope in main["oauth2PermissionScopes"]] == ["user_impersonation"]


@pytest.mark.parametrize("size", [3, 24, 2000])
def test_app_roles_stay_below_the_cap_and_are_unique(size):
    """learn.microsoft.com, howto-add-app-roles-in-apps: 700 permission definitions; graph/api/approle: ids and values are unique."""
    made = world(7, size)
    for principal in made["tenant"]["servicePrincipals"]:
        roles = principal["appRoles"]
        values = [role["value"] for role in roles if role["value"] is not None]
        assert len(roles) + len(principal["oauth2PermissionScopes"]) < 700
        assert len({role["id"] for role in roles}) == len(roles)
        assert len(set(values)) == len(values)


def test_entra_knows_a_part_of_the_roles_and_some_that_are_gone(made, main):
    arns = {
        f"arn:aws:iam::{account['id']}:role{role['path']}{role['name']}" for account in made["org"]["accounts"] for role in account["roles"]
    }
    known = {next(arn for arn in role["value"].split(",") if ":role/" in arn) for role in main["appRoles"] if role["value"]}
    assert known - arns  # dangling
    assert known & arns
    assert len([arn for arn in arns if arn.endswith(("-aws-admin", "-devops-user"))]) > len(
        [arn for arn in known if arn.endswith(("-aws-admin", "-devops-user"))],
    )
    assert any("999999999999" in arn for arn in known)  # an account that has left the organization


def test_some_disabled_roles_are_still_assigned_and_some_names_have_drifted(made, main):
    disabled = {role["id"] for role in main["appRoles"] if not role["isEnabled"]}
    assert disabled & {one["appRoleId"] for one in made["tenant"]["assignments"]}
    assert any(role["displayName"] != role["description"] for role in main["appRoles"])
    assert any(role["value"] and ":saml-provider/" in role["value"].split(",")[0] for role in main["appRoles"])  # provider first


def test_every_assignment_names_a_principal_and_a_role_that_exist(made):
    tenant = made["tenant"]
    principals = {one["id"] for one in tenant["users"] + tenant["groups"]}
    roles = {(sp["id"], role["id"]) for sp in tenant["servicePrincipals"] for role in sp["appRoles"]}
    assert all(one["principalId"] in principals and (one["resourceId"], one["appRoleId"]) in roles for one in tenant["assignments"])
    keys = [tuple(one.values()) for one in tenant["assignments"]]
    assert len(set(keys)) == len(keys)


def test_ids_are_unique_over_the_directory(made):
    tenant = made["tenant"]
    ids = [one["id"] for table in ("applications", "servicePrincipals", "users", "groups") for one in tenant[table]]
    assert len(set(ids)) == len(ids)


def test_groups_come_in_every_kind(made):
    groups = made["tenant"]["groups"]
    names = Counter(one["displayName"] for one in groups)
    assert any(count > 1 for count in names.values())  # duplicate names
    assert any(set(one["members"]) & {other["id"] for other in groups} for one in groups)  # nested
    assert any(not one["members"] for one in groups)  # empty
    assert any("Unified" in one["groupTypes"] and one["mailEnabled"] for one in groups)
    assert any(not one["securityEnabled"] and not one["groupTypes"] for one in groups)
    assigned = {one["principalId"] for one in made["tenant"]["assignments"]}
    assert any(one["id"] not in assigned and one["securityEnabled"] for one in groups)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", one["mailNickname"]) for one in groups)


def test_users_include_a_guest_a_long_name_and_a_disabled_one(made):
    users = made["tenant"]["users"]
    assert any("#EXT#" in one["userPrincipalName"] and one["userType"] == "Guest" for one in users)
    assert any(len(one["userPrincipalName"]) > 64 for one in users)
    assert any(not one["accountEnabled"] for one in users)
    assert len({one["userPrincipalName"] for one in users}) == len(users)


@pytest.mark.parametrize("size", [3, 24, 300])
def test_britta_simon_has_no_access_yet_and_is_a_direct_member_of_the_group_that_will_get_it(size):
    """The test user of Microsoft's tutorial."""
    made = world(7, size)
    tenant, demo = made["tenant"], made["demo"]
    britta = next(one for one in tenant["users"] if one["userPrincipalName"] == "britta.simon@contoso.example")
    mine = [one for one in tenant["groups"] if britta["id"] in one["members"]]
    assert [one["id"] for one in mine] == [demo["group"]]
    assert not {britta["id"], demo["group"]} & {one["principalId"] for one in tenant["assignments"]}
    account = next(one for one in made["org"]["accounts"] if one["id"] == demo["account"])
    role = next(one for one in account["roles"] if demo["role_arn"].endswith(":role/" + one["name"]))
    assert role["name"] == mine[0]["displayName"]
    values = {one["value"] for sp in tenant["servicePrincipals"] for one in sp["appRoles"]}
    assert demo["value"] not in values
    assert (account["state"], account["reach"]) == ("ACTIVE", "ok")


def test_three_clients_with_all_some_and_too_few_permissions(made):
    clients = {one["name"]: set(one["permissions"]) for one in made["tenant"]["clients"]}
    assert clients["poor"] == {"User.ReadBasic.All"}
    assert clients["reader"] < clients["writer"]
    assert not any("Write" in one for one in clients["reader"])


@pytest.mark.parametrize(
    ("partition", "recipient"),
    [("aws-us-gov", "https://signin.amazonaws-us-gov.com/saml"), ("aws-cn", "https://signin.amazonaws.cn/saml")],
)
def test_other_partitions_have_their_own_arns_and_their_own_sign_in_endpoint(partition, recipient):
    """docs.aws.amazon.com IAM User Guide, id_roles_providers_create_saml_assertions (per partition)."""
    made = world(7, 12, partition=partition)
    text = json.dumps(made)
    assert "arn:aws:" not in text
    assert "signin.aws.amazon.com" not in text
    family = next(role for account in made["org"]["accounts"] for role in account["roles"] if role["name"].endswith("-aws-admin"))
    assert family["trust"]["Statement"][0]["Condition"] == {"StringEquals": {"SAML:aud": recipient}}
    assert family["attached"] == [f"arn:{partition}:iam::aws:policy/AdministratorAccess"]


def test_padding_fills_every_account_up_to_the_wanted_number_of_roles():
    counts = {len(one["roles"]) for one in world(7, 12, roles=60)["org"]["accounts"]}
    assert min(counts) >= 60


def test_principals_are_strings_and_lists_actions_too(made):
    federated = [
        statement["Principal"]["Federated"]
        for account in made["org"]["accounts"]
        for role in account["roles"]
        for statement in statements(role["trust"])
        if "Federated" in statement["Principal"]
    ]
    assert {type(one) for one in federated} == {str, list}
    assert any(len(listed(one)) == 2 for one in federated)


def test_every_oddity_has_a_name_of_its_own():
    assert len(oddities()) >= 24
