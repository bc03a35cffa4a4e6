"""Where a SAML response may be posted to, by partition and region: what `SAML:aud` compares.

A role that accepts one endpoint only cannot be entered while that region is away; the endpoint without a region code is
us-east-1's and not a global one (aws.amazon.com/blogs/security/how-to-use-regional-saml-endpoints-for-failover).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.roles.trust import SIGN_IN_HOSTS, endpoint

GLOBAL, ANY_REGION = "global", "any-region"
HOME_REGIONS: Mapping[str, str] = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1", "aws-eusc": "eusc-de-east-1"}
AUDIENCES: Mapping[str, str] = {
    "aws": "urn:amazon:webservices",
    "aws-us-gov": "urn:amazon:webservices:govcloud",
    "aws-cn": "urn:amazon:webservices:cn-north-1",
}
_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]", re.ASCII)


def recipients(partition: str, chosen: Iterable[str] = (GLOBAL,)) -> tuple[str, ...]:
    """Return the endpoints of a partition for `chosen`: "global", region codes, or "any-region" (a pattern).

    Order is kept, doubles go. Raises ParameterError for an unknown partition or a word that is no region code.
    """
    if partition not in SIGN_IN_HOSTS:
        raise ParameterError(f"There is no partition {partition!r}.", remedy=f"Take one of {', '.join(SIGN_IN_HOSTS)}.")
    found = dict.fromkeys(_recipient(partition, word) for word in chosen)
    if not found:
        raise ParameterError("No sign-in endpoint is chosen.", remedy='Choose at least "global".')
    return tuple(found)


def _recipient(partition: str, word: str) -> str:
    host = SIGN_IN_HOSTS[partition]
    if word in (GLOBAL, HOME_REGIONS.get(partition)):
        return endpoint(partition)
    if word == ANY_REGION:
        return f"https://*.{host}/saml"
    if not _REGION.fullmatch(word):
        raise ParameterError(f"{word!r} is no sign-in endpoint.", remedy='Take "global", a region code such as eu-west-1, or "any-region".')
    return f"https://{word}.{host}/saml"


def audiences(partition: str) -> frozenset[str]:
    """Return what the Audience of a response may be: the endpoint, or AWS's name for itself in this partition.

    Entra sends the identifier without its "#…" part (learn.microsoft.com entra saas-apps/amazon-web-service-tutorial).
    """
    return frozenset(text for text in (endpoint(partition), AUDIENCES.get(partition, "")) if text)


def is_endpoint(url: str) -> bool:
    """Whether `url` is a sign-in endpoint of AWS, in whatever partition and region."""
    hosts = "|".join(re.escape(host) for host in SIGN_IN_HOSTS.values())
    return bool(re.fullmatch(rf"https://(?:[a-z]{{2,}}(?:-[a-z]+)+-[0-9]\.)?(?:{hosts})/saml(?:/acs/[A-Za-z0-9]+)?", url, re.ASCII))


def region_of(url: str, partition: str) -> str:
    """Name the Region of a sign-in endpoint of the partition; "" for an address that is none."""
    found = re.match(rf"https://(?:([a-z]{{2,}}(?:-[a-z]+)+-[0-9])\.)?{re.escape(SIGN_IN_HOSTS[partition])}/", url, re.ASCII)
    return (found[1] or HOME_REGIONS.get(partition, "")) if found else ""
