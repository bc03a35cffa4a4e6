"""The enterprise applications in Entra ID: the main one with a part of the roles, the tutorial's own, and one that is not for AWS."""

from typing import Any

from awsfed_lib.sandbox.population import seeds
from awsfed_lib.sandbox.population.accounts import TUTORIAL_ACCOUNT, Seat
from awsfed_lib.sandbox.population.roles import Setting, families, family_prefix
from awsfed_lib.sandbox.tutorial import app_roles as tutorial_roles
from awsfed_lib.sandbox.tutorial import msiam_access

AppRole = dict[str, Any]
TEMPLATE = "8b1025e4-1dd2-430b-a150-2ef79cd700f5"  # "AWS Single-Account Access" in the gallery
MOST_ROLES = 450  # well below the 700 permission definitions that an application can hold
DEMO_ROLE = "read-only-user"


def object_ids(seed: int) -> dict[str, str]:
    """Service principal ids of the three applications by our name for them."""
    return {name: guid(seed, name) for name in ("main", "tutorial", "other")}


def guid(seed: int, name: str) -> str:
    """The service principal id of one application."""
    return seeds.guid(seed, "service principal", name)


def main_roles(setting: Setting, everyone: list[Seat]) -> list[AppRole]:
    """The appRoles of the main application: most of the first accounts' roles, and what years of hand work have left behind."""
    covered = [one for seat in everyone if _connected(setting, seat) for one in _of_account(setting, seat)][:MOST_ROLES]
    return [msiam_access(), *_aged(covered), *_dangling(setting, everyone)]


def _connected(setting: Setting, seat: Seat) -> bool:
    return seat.id != TUTORIAL_ACCOUNT and not setting.unprepared(seat) and seat.place < 400


def _of_account(setting: Setting, seat: Seat) -> list[AppRole]:
    demo = demo_role_name(seat) if seat.place == 2 else ""
    names = [role["name"] for role in families(setting, seat) if role["name"] != demo]
    return [
        app_role(setting, seat, name) for name in names if seat.place == 2 or seeds.chance(65, setting.seed, "covered", seat.place, name)
    ]


def demo_role_name(seat: Seat) -> str:
    """The role of the demo's account that Entra ID does not know yet."""
    return f"{family_prefix(seat)}-{DEMO_ROLE}"


def value(setting: Setting, seat: Seat, path_and_name: str) -> str:
    """The pair that Entra ID sends as the Role claim, role first."""
    return f"{setting.place.iam(seat.id, 'role/' + path_and_name)},{setting.provider(seat)}"


def app_role(setting: Setting, seat: Seat, name: str) -> AppRole:
    """An appRole as the tutorial writes it: `role,provider` in both names, the pair of ARNs as the value."""
    shown = f"{name},{setting.provider_name(seat)}"
    return {
        "allowedMemberTypes": ["User"],
        "description": shown,
        "displayName": shown,
        "id": seeds.guid(setting.seed, "appRole", seat.id, name),
        "isEnabled": True,
        "origin": "ServicePrincipal",
        "value": value(setting, seat, name),
    }


def _aged(covered: list[AppRole]) -> list[AppRole]:
    """Every eleventh renamed by hand, every seventeenth disabled (and still assigned), one with its pair the other way round."""
    aged = []
    for place, one in enumerate(covered):
        changed = dict(one)
        if place % 11 == 7:
            changed["displayName"] = f"{one['displayName'].split(',')[0]} (do not use)"
        if place % 17 == 9:
            changed["isEnabled"] = False
        if place == 12:
            changed["value"] = ",".join(reversed(one["value"].split(",")))
        aged.append(changed)
    return aged


def _dangling(setting: Setting, everyone: list[Seat]) -> list[AppRole]:
    """Roles in Entra ID whose IAM role is gone, one of them in an account that has left the organization."""
    outside = Seat(-1, "999999999999", "Sold Subsidiary", "", "ACTIVE", "ok")
    return [
        app_role(setting, everyone[2], f"{everyone[2].slug}-intern-user"),
        app_role(setting, everyone[0], f"{everyone[0].slug}-audit-2018"),
        app_role(setting, outside, "sold-subsidiary-aws-admin"),
    ]


def application_pair(setting: Setting, name: str, app_roles: list[AppRole]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The application object and its service principal, as the gallery makes them (graph/api/applicationtemplate-instantiate)."""
    shown, uri = _faces(setting)[name]
    app_id = seeds.guid(setting.seed, "application id", name)
    scope = _scope(setting, name, shown)
    shared = {"appId": app_id, "displayName": shown, "applicationTemplateId": TEMPLATE if name != "other" else None}
    application = {
        "id": seeds.guid(setting.seed, "application", name),
        **shared,
        "identifierUris": [uri],
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "web": {"homePageUrl": _homepage(setting), "redirectUris": [setting.place.recipient]},
        "api": {"oauth2PermissionScopes": [scope]},
        "appRoles": [role for role in app_roles if role["origin"] == "Application"],
        "keyCredentials": [],
        "passwordCredentials": [],
        "requiredResourceAccess": [],
        "createdDateTime": "2020-04-03T09:00:00Z",
    }
    principal = {
        "id": guid(setting.seed, name),
        **shared,
        "accountEnabled": True,
        "appDisplayName": shown,
        "appRoleAssignmentRequired": True,
        "appRoles": app_roles,
        "homepage": _homepage(setting),
        "loginUrl": None,
        "logoutUrl": None,
        "notes": None,
        "notificationEmailAddresses": ["cloud-team@contoso.example"],
        "oauth2PermissionScopes": [scope],
        "preferredSingleSignOnMode": "saml",
        "replyUrls": [setting.place.recipient],
        "samlSingleSignOnSettings": None,
        "servicePrincipalNames": [app_id, uri],
        "servicePrincipalType": "Application",
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    }
    return application, principal


def _homepage(setting: Setting) -> str:
    return f"{setting.place.recipient}?metadata=aws|ISV9.1|primary|z"


def _faces(setting: Setting) -> dict[str, tuple[str, str]]:
    """Display name and identifier URI; a second instance needs a `#` suffix, which is not sent as audience (Microsoft's AWS tutorial)."""
    return {
        "main": ("Amazon Web Services (AWS)", setting.place.recipient),
        "tutorial": ("Amazon Web Services (AWS) Tutorial", f"{setting.place.recipient}#1"),
        "other": ("Travel Expenses", "https://expenses.contoso.example/saml"),
    }


def _scope(setting: Setting, name: str, shown: str) -> dict[str, Any]:
    return {
        "adminConsentDescription": f"Allow the application to access {shown} on behalf of the signed-in user.",
        "adminConsentDisplayName": f"Access {shown}",
        "id": seeds.guid(setting.seed, "scope", name),
        "isEnabled": True,
        "type": "User",
        "userConsentDescription": f"Allow the application to access {shown} on your behalf.",
        "userConsentDisplayName": f"Access {shown}",
        "value": "user_impersonation",
    }


def other_roles(setting: Setting) -> list[AppRole]:
    """The only role of the application that has nothing to do with AWS."""
    return [msiam_access() | {"id": seeds.guid(setting.seed, "appRole", "other"), "description": "User", "displayName": "User"}]


def all_roles(setting: Setting, everyone: list[Seat]) -> dict[str, list[AppRole]]:
    """The appRoles of the three applications."""
    return {"main": main_roles(setting, everyone), "tutorial": tutorial_roles(setting.place), "other": other_roles(setting)}
