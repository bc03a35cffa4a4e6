"""Where each of Microsoft's clouds signs people in, and who issues its SAML responses.

Sources: learn.microsoft.com graph/deployments (login hosts). Issuer: entra-docs federation-metadata; the US Government cloud uses
sts.windows.net as well. China's was seen only indirectly (sts.chinacloudapi.cn), so that clients should read it from the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Hosts(NamedTuple):
    """Host names of one cloud."""

    login: str
    issuer: str


HOSTS: Mapping[str, Hosts] = {
    "global": Hosts("login.microsoftonline.com", "sts.windows.net"),
    "usgov": Hosts("login.microsoftonline.us", "sts.windows.net"),
    "china": Hosts("login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"),
}


def entity_id(tenant_id: str, cloud: str = "global") -> str:
    """The issuer of SAML responses, with its slash at the end."""
    return f"https://{HOSTS[cloud].issuer}/{tenant_id}/"
