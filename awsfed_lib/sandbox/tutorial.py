"""The application of the tutorial, with the tutorial's own appRoles: ids, names and values letter for letter.

Source: Microsoft's tutorial "Azure Active Directory integration with Amazon Web Services (AWS) to connect multiple accounts". Its
account is printed `12345`; AWS account ids have twelve digits, so that it reads `000000012345` here.
"""

from typing import Any

from awsfed_lib.sandbox.population.accounts import TUTORIAL_ACCOUNT
from awsfed_lib.sandbox.population.partitions import Partition


def app_roles(place: Partition) -> list[dict[str, Any]]:
    """`msiam_access`, `Admin,WAAD` and `Auditors,WAAD` in the tutorial's order."""
    return [
        msiam_access(),
        _role("4aacf5a4-f38b-4861-b909-bae023e88dde", "Admin", place),
        _role("bcad6926-67ec-445a-80f8-578032504c09", "Auditors", place),
    ]


def msiam_access() -> dict[str, Any]:
    """The role that the gallery application brings along; its value is null and must stay null."""
    return {
        "allowedMemberTypes": ["User"],
        "description": "msiam_access",
        "displayName": "msiam_access",
        "id": "7dfd756e-8c27-4472-b2b7-38c17fc5de5e",
        "isEnabled": True,
        "origin": "Application",
        "value": None,
    }


def _role(role_id: str, name: str, place: Partition) -> dict[str, Any]:
    return {
        "allowedMemberTypes": ["User"],
        "description": f"{name},WAAD",
        "displayName": f"{name},WAAD",
        "id": role_id,
        "isEnabled": True,
        "origin": "ServicePrincipal",
        "value": f"{place.iam(TUTORIAL_ACCOUNT, 'role/' + name)},{place.iam(TUTORIAL_ACCOUNT, 'saml-provider/WAAD')}",
    }
