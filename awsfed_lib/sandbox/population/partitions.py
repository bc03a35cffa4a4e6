"""What differs between the AWS partitions: the sign-in endpoint, the audience and the ARNs of managed policies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Partition:
    """One AWS partition as SAML federation sees it.

    Source: docs.aws.amazon.com IAM User Guide, "Configure SAML assertions for the authentication response"; the AWS CDK's
    SamlConsolePrincipal.
    """

    name: str
    host: str
    audience: str
    region: str

    @property
    def recipient(self) -> str:
        """The address that a SAML response is posted to, which is what `SAML:aud` compares."""
        return f"https://{self.host}/saml"

    @property
    def regional(self) -> str:
        """A pattern that takes the regional sign-in endpoints."""
        return f"https://*.{self.host}/saml"

    def iam(self, account_id: str, resource: str) -> str:
        """An IAM ARN; `resource` starts with its kind, such as `role/Admin`."""
        return f"arn:{self.name}:iam::{account_id}:{resource}"

    def managed(self, policy: str) -> str:
        """The ARN of a policy that AWS manages, such as `job-function/Billing`."""
        return f"arn:{self.name}:iam::aws:policy/{policy}"


def partition(name: str) -> Partition:
    """The partition of that name; raises ValueError for one that the sandbox does not have."""
    known = (
        Partition("aws", "signin.aws.amazon.com", "urn:amazon:webservices", "us-east-1"),
        Partition("aws-us-gov", "signin.amazonaws-us-gov.com", "urn:amazon:webservices:govcloud", "us-gov-west-1"),
        Partition("aws-cn", "signin.amazonaws.cn", "urn:amazon:webservices:cn-north-1", "cn-north-1"),
    )
    for one in known:
        if one.name == name:
            return one
    raise ValueError(f"The sandbox has no partition {name!r}; it has {', '.join(one.name for one in known)}.")
