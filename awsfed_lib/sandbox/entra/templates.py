"""The application gallery, as far as AWS is concerned.

Ids and names: learn.microsoft.com entra/identity/app-provisioning/application-provisioning-configuration-api (AWS Single-Account
Access), graph/application-saml-sso-configure-api (IAM Identity Center), graph/api/applicationtemplate-instantiate (non-gallery).
"""

from __future__ import annotations

from typing import Any


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
    }


AWS = "8b1025e4-1dd2-430b-a150-2ef79cd700f5"
GALLERY = (
    _template(AWS, "AWS Single-Account Access", "http://aws.amazon.com/", ["sync"], "Amazon"),
    _template("21ed01d2-ec13-4e9e-86c1-cd546719ebc4", "AWS IAM Identity Center", "https://aws.amazon.com/", ["sync"], "Amazon"),
    _template("8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "Custom", None, [], "Microsoft"),
)
