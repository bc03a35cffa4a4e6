"""Families of roles: the same role with the same policies in every account, named after the account, as the tutorial asks.

"accountname-aws-admin" and its siblings: role name, description and tag value are one text; the policies of a family are
the same everywhere. Limits: docs.aws.amazon.com IAM/latest/APIReference/API_CreateRole.html, …/reference_iam-quotas.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import Formatter
from typing import Any

from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.roles.sign_in_endpoints import recipients

LONGEST_ROLE, LONGEST_VALUE, LONG_VALUE = 64, 239, 120
SHORTEST_SESSION, LONGEST_SESSION = 3_600, 43_200  # MaxSessionDuration
MOST_POLICIES = 10  # managed policies a role, before the quota is raised
OWN = "own/"
SAML_ACTION = "sts:AssumeRoleWithSAML"
EXTRA_ACTIONS = ("sts:TagSession", "sts:SetSourceIdentity")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PROVIDER_NAME = re.compile(r"[\w._-]{1,128}", re.ASCII)
_POLICY = re.compile(r"(?:own/)?(?:[\w+=,.@-]+/)*[\w+=,.@-]+", re.ASCII)


@dataclass(frozen=True)
class Family:
    """One family. `policies`: names of AWS's managed policies ("ReadOnlyAccess", "job-function/Billing"), of the account's
    own ("own/Name"), or whole ARNs; `boundary` likewise, "" for none; `max_session` in seconds.
    """  # noqa: D205  one thought

    suffix: str
    policies: tuple[str, ...]
    max_session: int = 3600
    boundary: str = ""

    def __post_init__(self) -> None:
        if not _ROLE_NAME.fullmatch(self.suffix):
            raise ParameterError(f"The family {self.suffix!r} is no part of a role name.")
        if not SHORTEST_SESSION <= self.max_session <= LONGEST_SESSION:
            raise ParameterError(f"max_session of {self.suffix} must be {SHORTEST_SESSION} to {LONGEST_SESSION} seconds.")
        if not self.policies or len(set(self.policies)) != len(self.policies) or len(self.policies) > MOST_POLICIES:
            raise ParameterError(f"The family {self.suffix} needs 1 to {MOST_POLICIES} policies, each once.")
        for policy in (*self.policies, *filter(None, [self.boundary])):
            if not policy.startswith("arn:") and not _POLICY.fullmatch(policy):
                raise ParameterError(f"{policy!r} of the family {self.suffix} is no name and no ARN of a policy.")


@dataclass(frozen=True)
class Families:
    """All families of an organization.

    `pattern`: of role names, with {account} and {family}; `provider`: name of the SAML provider; `tag_key`: tag whose
    value is the role name; `endpoints`: sign-in endpoints that the trust accepts (sign_in_endpoints.py); `actions`:
    sts:TagSession and sts:SetSourceIdentity where the claims need them.
    """

    families: tuple[Family, ...]
    provider: str = "WAAD"
    pattern: str = "{account}-{family}"
    tag_key: str = "Azureadtest"
    endpoints: tuple[str, ...] = ("global",)
    actions: tuple[str, ...] = ()
    partition: str = "aws"

    def __post_init__(self) -> None:
        if not self.families or len({family.suffix.lower() for family in self.families}) != len(self.families):
            raise ParameterError("The families need names, each once; IAM compares role names without case.")
        if not _PROVIDER_NAME.fullmatch(self.provider):
            raise ParameterError(f"{self.provider!r} is no name of a SAML provider.")
        if not self.tag_key or len(self.tag_key) > 128 or self.tag_key.lower().startswith("aws:"):  # noqa: PLR2004  IAM's limit
            raise ParameterError(f"{self.tag_key!r} is no tag key.")
        if wrong := sorted(set(self.actions) - set(EXTRA_ACTIONS)):
            raise ParameterError(f"The trust may add {' and '.join(EXTRA_ACTIONS)}, not {wrong[0]}.")
        if sorted(fields_of(self.pattern)) != ["account", "family"]:
            raise ParameterError(f"The pattern {self.pattern!r} must hold {{account}} and {{family}}, each once and nothing else.")
        recipients(self.partition, self.endpoints)

    def role_name(self, slug: str, family: Family) -> str:
        """Name the role of a family in the account that `slug` stands for; raises ParameterError when IAM would refuse it."""
        name = self.pattern.replace("{account}", slug).replace("{family}", family.suffix)
        if not _ROLE_NAME.fullmatch(name):
            raise ParameterError(
                f"The role name {name!r} has {len(name)} characters, or one that IAM does not take; it takes {LONGEST_ROLE}.",
                remedy="Freeze a shorter name for the account in the file of account names.",
            )
        return name

    def provider_arn(self, account_id: str) -> str:
        """ARN of the SAML provider in an account."""
        return f"arn:{self.partition}:iam::{account_id}:saml-provider/{self.provider}"

    def role_arn(self, account_id: str, role_name: str) -> str:
        """ARN of a role in an account."""
        return f"arn:{self.partition}:iam::{account_id}:role/{role_name}"

    def policy_arn(self, account_id: str, policy: str) -> str:
        """ARN of a policy of a family, in an account; "" stays ""."""
        if not policy or policy.startswith("arn:"):
            return policy
        owner, name = (account_id, policy.removeprefix(OWN)) if policy.startswith(OWN) else ("aws", policy)
        return f"arn:{self.partition}:iam::{owner}:policy/{name}"

    def statement(self, principal: object) -> dict[str, Any]:
        """Write the one statement that lets SAML sign-in through, for a provider's ARN (or a reference to it).

        `SAML:aud` is compared with the Recipient, which is the reply URL (IAM reference_policies_iam-condition-keys).
        """
        accepted = recipients(self.partition, self.endpoints)
        operator = "StringLike" if any("*" in url for url in accepted) else "StringEquals"
        return {
            "Effect": "Allow",
            "Principal": {"Federated": principal},
            "Action": [SAML_ACTION, *self.actions] if self.actions else SAML_ACTION,
            "Condition": {operator: {"SAML:aud": list(accepted) if len(accepted) > 1 else accepted[0]}},
        }


def fields_of(pattern: str) -> list[str]:
    """List the fields of a pattern; a form or conversion makes it no field of ours, a broken pattern has none."""
    try:
        parts = list(Formatter().parse(pattern))
    except ValueError:
        return []
    return [f"{name}{form}{conversion or ''}" for _, name, form, conversion in parts if name is not None]
