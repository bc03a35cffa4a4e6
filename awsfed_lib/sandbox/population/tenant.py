"""The Entra ID tenant of a world."""

import json
from typing import Any

from awsfed_lib.sandbox.population import seeds
from awsfed_lib.sandbox.population.accounts import Seat
from awsfed_lib.sandbox.population.applications import all_roles, application_pair, demo_role_name, guid, value
from awsfed_lib.sandbox.population.groups import Directory, populate
from awsfed_lib.sandbox.population.people import DOMAIN, users
from awsfed_lib.sandbox.population.roles import Setting
from awsfed_lib.sandbox.population.visits import visits

NAME_ID = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"


def tenant(setting: Setting, everyone: list[Seat]) -> tuple[dict[str, Any], dict[str, str]]:
    """The `tenant` part of the world, and the `demo` part: the user who has no access yet, and the role that she is to get."""
    roles = all_roles(setting, everyone)
    pairs = [application_pair(setting, name, app_roles) for name, app_roles in roles.items()]
    directory = Directory(setting, users(setting.seed, len(everyone)), guid(setting.seed, "main"))
    group = populate(directory, everyone, roles["main"])
    main = next(principal for _, principal in pairs if principal["id"] == guid(setting.seed, "main"))
    main["claimsMappingPolicies"] = [seeds.guid(setting.seed, "claims policy")]
    made = {
        "id": seeds.guid(setting.seed, "tenant"),
        "domain": DOMAIN,
        "applications": [application for application, _ in pairs],
        "servicePrincipals": [principal for _, principal in pairs],
        "users": directory.users,
        "groups": directory.groups,
        "assignments": directory.assignments + _of_the_tutorial(setting, directory, roles["tutorial"]),
        "clients": clients(setting.seed),
        "claimsMappingPolicies": [claims_policy(setting.seed)],
        "subscribedSkus": [premium(setting.seed)],
        "signIns": visits(directory),
        "main": guid(setting.seed, "main"),
    }
    return made, _demo(setting, everyone[2], made, group)


def claims_policy(seed: int) -> dict[str, Any]:
    """The claims mapping policy of the main application, with the claims of Microsoft's tutorial for AWS."""
    attributes = "https://aws.amazon.com/SAML/Attributes"
    schema = [
        {"Source": "user", "ID": "assignedroles", "SamlClaimType": f"{attributes}/Role"},
        {"Source": "user", "ID": "userprincipalname", "SamlClaimType": f"{attributes}/RoleSessionName"},
        {"Value": "3600", "SamlClaimType": f"{attributes}/SessionDuration"},
        {"Source": "user", "ID": "userprincipalname", "SamlClaimType": NAME_ID},
    ]
    policy = {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": schema}}
    return {
        "id": seeds.guid(seed, "claims policy"),
        "displayName": "AWS claims",
        "definition": [json.dumps(policy, separators=(",", ":"))],
        "isOrganizationDefault": False,
    }


def _of_the_tutorial(setting: Setting, directory: Directory, app_roles: list[dict[str, Any]]) -> list[dict[str, str]]:
    resource = guid(setting.seed, "tutorial")
    return [{"principalId": directory.person("dora.direct"), "resourceId": resource, "appRoleId": app_roles[1]["id"]}]


def _demo(setting: Setting, seat: Seat, made: dict[str, Any], group: dict[str, Any]) -> dict[str, str]:
    name = demo_role_name(seat)
    return {
        "user": made["users"][0]["id"],
        "group": group["id"],
        "account": seat.id,
        "role_arn": setting.place.iam(seat.id, f"role/{name}"),
        "provider_arn": setting.provider(seat),
        "value": value(setting, seat, name),
        "application": made["main"],
    }


def clients(seed: int) -> list[dict[str, Any]]:
    """The app registrations that sign in: one that may read, one that may also write, one that was given too little.

    The permissions are those that the runbooks need (graph_permissions.yml). What the portal wrote as claims (beta claimsPolicy) has no
    permission to read only, and so is not readable for the reader.
    """
    reader = [
        "Application.Read.All",
        "Directory.Read.All",
        "GroupMember.Read.All",
        "Member.Read.Hidden",
        "User.Read.All",
        "AuditLog.Read.All",
        "Policy.Read.All",
        "Organization.Read.All",
        "Synchronization.Read.All",
    ]
    writer = [
        *reader,
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
        "Group.Create",
        "Group.ReadWrite.All",
        "GroupMember.ReadWrite.All",
        "Policy.ReadWrite.ApplicationConfiguration",
        "Synchronization.ReadWrite.All",
    ]
    return [
        {"appId": seeds.guid(seed, "client", name), "displayName": f"awsfed {name}", "name": name, "permissions": permissions}
        for name, permissions in (("reader", reader), ("writer", writer), ("poor", ["User.ReadBasic.All"]))
    ]


def premium(seed: int) -> dict[str, Any]:
    """Assigning groups needs Entra ID P1 (learn.microsoft.com/entra/identity/enterprise-apps/assign-user-or-group-access-portal)."""
    return {
        "id": seeds.guid(seed, "sku"),
        "skuPartNumber": "AAD_PREMIUM",
        "capabilityStatus": "Enabled",
        "consumedUnits": 40,
        "prepaidUnits": {"enabled": 100, "suspended": 0, "warning": 0},
        "servicePlans": [
            {
                "servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
                "servicePlanName": "AAD_PREMIUM",
                "provisioningStatus": "Success",
                "appliesTo": "User",
            },
        ],
    }
