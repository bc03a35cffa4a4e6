"""The value that Entra ID emits and AWS reads: "role ARN,provider ARN", as the tutorial writes it.

AWS takes the two ARNs in either order; awsfed writes the role first. Both must be of one account and one partition:
a SAML provider can only federate into its own account (docs.aws.amazon.com IAM, "Configure SAML assertions").
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ACCOUNT = r"arn:(?:aws|aws-us-gov|aws-cn|aws-iso[a-z-]*|aws-eusc):iam::[0-9]{12}"
_ROLE = rf"{_ACCOUNT}:role(?:/(?:(?!,arn:)[\x21-\x7e])+)?/[\w+=,.@-]{{1,64}}"
_PROVIDER = rf"{_ACCOUNT}:saml-provider/[\w.-]{{1,128}}"
_EITHER_ORDER = (
    re.compile(rf"(?P<role>{_ROLE}) *, *(?P<provider>{_PROVIDER})", re.ASCII),
    re.compile(rf"(?P<provider>{_PROVIDER}) *, *(?P<role>{_ROLE})", re.ASCII),
)


class Pair(NamedTuple):
    """A role of one account with the SAML provider through which it is assumed."""

    account_id: str
    partition: str
    role_arn: str
    provider_arn: str
    role_name: str
    provider_name: str

    @property
    def value(self) -> str:
        """The appRole value: role ARN, comma, provider ARN, no space."""
        return f"{self.role_arn},{self.provider_arn}"


def parse(value: str) -> Pair | None:
    """Read a value in either order, spaces trimmed; None when it does not name a role and a provider of one account."""
    found = next((match for form in _EITHER_ORDER if (match := form.fullmatch(value.strip()))), None)
    if found is None:
        return None
    role_arn, provider_arn = found["role"], found["provider"]
    _, partition, _, _, account_id, _ = role_arn.split(":", 5)
    if provider_arn.split(":")[1:5] != [partition, "iam", "", account_id]:
        return None
    return Pair(account_id, partition, role_arn, provider_arn, role_arn.rsplit("/", 1)[1], provider_arn.rsplit("/", 1)[1])
