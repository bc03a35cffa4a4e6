"""A tenant small enough to be read whole, with one of everything that the twin of Entra ID must get right."""

import copy
import uuid
from typing import Any

TENANT = "8e2b3a52-6c1f-4d0e-9a71-2f5f0b1c7d11"
DOMAIN = "contoso.example"
TEMPLATE = "8b1025e4-1dd2-430b-a150-2ef79cd700f5"


def guid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def pair(role: str, account: str = "123456789012") -> str:
    return f"arn:aws:iam::{account}:role/{role},arn:aws:iam::{account}:saml-provider/WAAD"


def role(name: str, **more: Any) -> dict[str, Any]:
    """An appRole that was added on the service principal."""
    made = {
        "allowedMemberTypes": ["User"],
        "description": f"{name},WAAD",
        "displayName": f"{name},WAAD",
        "id": guid(f"role {name}"),
        "isEnabled": True,
        "origin": "ServicePrincipal",
        "value": pair(name),
    }
    return made | more


MSIAM_ACCESS = role("msiam_access", description="msiam_access", displayName="msiam_access", origin="Application", value=None)
ADMIN, AUDITOR, OLD = role("Admin"), role("Auditor"), role("Old", isEnabled=False)
SCOPE = {
    "adminConsentDescription": "Allow the application to access AWS on behalf of the signed-in user.",
    "adminConsentDisplayName": "Access AWS",
    "id": guid("scope"),
    "isEnabled": True,
    "type": "User",
    "userConsentDescription": "Allow the application to access AWS on your behalf.",
    "userConsentDisplayName": "Access AWS",
    "value": "user_impersonation",
}
AWS, AWS_APP, AWS_APPLICATION = guid("sp aws"), guid("appId aws"), guid("application aws")
OTHER, OTHER_APP, OTHER_APPLICATION = guid("sp other"), guid("appId other"), guid("application other")
PLAIN = guid("sp without roles")
ANNA, BEN, GUEST, GONE = guid("Anna"), guid("Ben"), guid("Guest"), guid("Gone")
ADMINS, AUDITORS, NESTED, OFFICE, EMPTY = (guid(f"group {name}") for name in ("admins", "auditors", "nested", "office", "empty"))
POLICY = guid("policy")
READER, WRITER, POOR, OWNER = (guid(f"client {name}") for name in ("reader", "writer", "poor", "owner"))
READS = [
    "Application.Read.All",
    "GroupMember.Read.All",
    "User.Read.All",
    "Directory.Read.All",
    "AuditLog.Read.All",
    "Policy.Read.All",
    "Organization.Read.All",
]
WRITES = ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Group.ReadWrite.All", "Synchronization.Read.All"]
POLICIES = "Policy.ReadWrite.ApplicationConfiguration"


def world() -> dict[str, Any]:
    """The `tenant` part of a world, fresh each time."""
    return copy.deepcopy(
        {
            "id": TENANT,
            "domain": DOMAIN,
            "applications": [_application(), _other_application()],
            "servicePrincipals": [_principal(), _other_principal(), {"id": PLAIN, "appId": guid("appId plain"), "displayName": "Plain"}],
            "users": _users(),
            "groups": _groups(),
            "assignments": [
                {"principalId": ADMINS, "resourceId": AWS, "appRoleId": ADMIN["id"]},
                {"principalId": AUDITORS, "resourceId": AWS, "appRoleId": AUDITOR["id"]},
                {"principalId": ANNA, "resourceId": AWS, "appRoleId": OLD["id"]},
            ],
            "clients": [
                {"appId": READER, "displayName": "awsfed reader", "name": "reader", "permissions": READS},
                {"appId": WRITER, "displayName": "awsfed writer", "name": "writer", "permissions": [*READS, *WRITES, POLICIES]},
                {"appId": POOR, "displayName": "awsfed poor", "name": "poor", "permissions": ["User.ReadBasic.All"]},
                {"appId": OWNER, "displayName": "awsfed owner", "name": "owner", "permissions": ["Application.ReadWrite.OwnedBy"]},
            ],
            "subscribedSkus": [{"id": guid("sku"), "skuPartNumber": "AAD_PREMIUM", "capabilityStatus": "Enabled", "servicePlans": []}],
            "claimsMappingPolicies": [{"id": POLICY, "displayName": "AWS Claims Policy", "definition": ["{}"]}],
            "synchronizationJobs": {AWS: [{"id": "aws.123", "status": {"code": "Paused"}}]},
            "main": AWS,
        }
    )


def _application() -> dict[str, Any]:
    return {
        "id": AWS_APPLICATION,
        "appId": AWS_APP,
        "displayName": "AWS",
        "applicationTemplateId": TEMPLATE,
        "identifierUris": ["https://signin.aws.amazon.com/saml"],
        "web": {"homePageUrl": "https://signin.aws.amazon.com/saml?metadata=aws", "redirectUris": ["https://signin.aws.amazon.com/saml"]},
        "api": {"oauth2PermissionScopes": [SCOPE]},
        "appRoles": [MSIAM_ACCESS],
    }


def _principal() -> dict[str, Any]:
    return {
        "id": AWS,
        "appId": AWS_APP,
        "displayName": "AWS",
        "applicationTemplateId": TEMPLATE,
        "preferredSingleSignOnMode": "saml",
        "appRoleAssignmentRequired": True,
        "appRoles": [MSIAM_ACCESS, ADMIN, AUDITOR, OLD],
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
        "claimsMappingPolicies": [POLICY],
        "owners": [ANNA],
    }


def _other_application() -> dict[str, Any]:
    return {"id": OTHER_APPLICATION, "appId": OTHER_APP, "displayName": "Travel", "identifierUris": ["https://travel.contoso.example"]}


def _other_principal() -> dict[str, Any]:
    return {"id": OTHER, "appId": OTHER_APP, "displayName": "Travel", "appRoles": [role("Traveller", value="traveller")]}


def _users() -> list[dict[str, Any]]:
    names = {ANNA: "anna.admin", BEN: "ben.auditor", GUEST: "maria_fabrikam.example#EXT#", GONE: "gone"}
    users = [{"id": key, "displayName": name, "userPrincipalName": f"{name}@{DOMAIN}"} for key, name in names.items()]
    users[2] |= {"userType": "Guest"}
    users[3] |= {"accountEnabled": False}
    return users


def _groups() -> list[dict[str, Any]]:
    rows = [
        (ADMINS, "AWS-123456789012-Admin", [ANNA, NESTED], {"uniqueName": "aws-123456789012-admin"}),
        (AUDITORS, "AWS-123456789012-Auditor", [BEN], {}),
        (NESTED, "Nested", [GUEST], {"description": "Inside the administrators"}),
        (OFFICE, "Office", [ANNA], {"securityEnabled": False, "mailEnabled": True, "groupTypes": ["Unified"]}),
        (EMPTY, "O'Neill & Sons", [], {}),
    ]
    return [
        {"id": key, "displayName": name, "mailNickname": f"group{nth}", "members": held, **more}
        for nth, (key, name, held, more) in enumerate(rows)
    ]
