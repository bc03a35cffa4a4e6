"""The application gallery, as far as AWS is concerned: which templates each cloud has, and what an instance of one is made of.

Ids and names: learn.microsoft.com entra/identity/app-provisioning/application-provisioning-configuration-api (AWS Single-Account
Access), graph/application-saml-sso-configure-api (IAM Identity Center), graph/api/applicationtemplate-instantiate (non-gallery, one id a
cloud). Not read anywhere: under which id the AWS template stands in the US Government cloud, so that it is an invented one here, and
whether the China cloud has it, so that it has not ("not AWS China", Microsoft's AWS tutorial). Clients must look it up by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

AppRole = dict[str, Any]
AWS = "8b1025e4-1dd2-430b-a150-2ef79cd700f5"
AWS_US_GOVERNMENT = "3f6d0a52-7c1b-4b7e-9d5b-0e2a4c8f1b60"
AWS_NAME = "AWS Single-Account Access"


def _template(key: str, name: str, home: str | None, provisioning: list[str], publisher: str) -> dict[str, Any]:
    return {
        "id": key,
        "displayName": name,
        "homePageUrl": home,
        "supportedSingleSignOnModes": ["password", "saml", "external"],
        "supportedProvisioningTypes": provisioning,
        "logoUrl": None,
        "categories": ["developerServices"],
        "publisher": publisher,
        "description": None,
        "endpoints": [],
        "isEntraIntegrated": False,
    }


def _aws(key: str) -> dict[str, Any]:
    return _template(key, AWS_NAME, "http://aws.amazon.com/", ["sync"], "Amazon")


def _custom(key: str) -> dict[str, Any]:
    return _template(key, "Custom", None, [], "Microsoft")


_IDENTITY_CENTER = _template(
    "21ed01d2-ec13-4e9e-86c1-cd546719ebc4", "AWS IAM Identity Center", "https://aws.amazon.com/", ["sync"], "Amazon"
)
GALLERIES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "global": (_aws(AWS), _IDENTITY_CENTER, _custom("8adf8e6e-67b2-4cf2-a259-e3dc5476c621")),
    "usgov": (_aws(AWS_US_GOVERNMENT), _custom("4602d0b4-76bb-404b-bca9-2652e1a39c6d")),
    "china": (_custom("5a532e38-1581-4918-9658-008dc27c1d68"),),
}


@dataclass(frozen=True)
class Contents:
    """What a template brings to an instance: roles (`origin` Application), home page and reply addresses."""

    app_roles: tuple[AppRole, ...]
    home: str | None = None
    replies: tuple[str, ...] = ()


def is_aws(template_id: object) -> bool:
    """Whether that is the template of AWS Single-Account Access, in whichever cloud."""
    return template_id in (AWS, AWS_US_GOVERNMENT)


def contents(template: Mapping[str, Any]) -> Contents:
    """What an instance of that template starts with.

    AWS: entra-docs enterprise-app-role-management and graph/api/applicationtemplate-instantiate. The ids of the other templates' roles
    differ per template; those of IAM Identity Center are those of the SAML tutorial, those of non-gallery applications are invented.
    """
    if template["publisher"] == "Amazon" and template["displayName"] == AWS_NAME:
        at = "https://signin.aws.amazon.com/saml"
        return Contents((_role("msiam_access", "7dfd756e-8c27-4472-b2b7-38c17fc5de5e"),), f"{at}?metadata=aws|ISV9.1|primary|z", (at,))
    if template["publisher"] == "Amazon":
        return Contents(
            (
                _role("User", "8774f594-1d59-4279-b9d9-59ef09a23530"),
                _role("msiam_access", "e7f1a7f3-9eda-48e0-9963-bd67bf531afd"),
            ),
            template["homePageUrl"],
        )
    user, access = _role("User", "5a0b7a3c-2c29-4f0e-8a55-6d9bb1b3a1c4"), _role("msiam_access", "c1f6c0b7-6d57-4c8f-9a0b-1f7f6f0e2d35")
    return Contents((user, access))


def _role(name: str, role_id: str) -> AppRole:
    """A role of the template; its value is null and has to stay so."""
    return {
        "allowedMemberTypes": ["User"],
        "description": name,
        "displayName": name,
        "id": role_id,
        "isEnabled": True,
        "origin": "Application",
        "value": None,
    }
