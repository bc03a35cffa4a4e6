"""Trust policies as administrators really wrote them: right ones, and every way of getting them wrong."""

from typing import Any

from awsfed_lib.sandbox.population.partitions import Partition

Trust = dict[str, Any]


def document(*statements: dict[str, Any]) -> Trust:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def saml(
    provider: str | list[str], audience: Any, *, action: str | list[str] = "sts:AssumeRoleWithSAML", effect: str = "Allow"
) -> dict[str, Any]:
    """A statement for SAML federation; `audience` is the value of `SAML:aud`, or None for no condition."""
    statement: dict[str, Any] = {"Effect": effect, "Principal": {"Federated": provider}, "Action": action}
    if audience is not None:
        statement["Condition"] = {"StringEquals": {"SAML:aud": audience}}
    return statement


def canonical(place: Partition, provider: str) -> Trust:
    """What the IAM console writes for "Allow programmatic and AWS Management Console access"."""
    return document(saml(provider, place.recipient))


def regional(place: Partition, provider: str) -> Trust:
    """The regional endpoints by pattern (aws.amazon.com/blogs/security/how-to-use-regional-saml-endpoints-for-failover)."""
    return document(saml(provider, None) | {"Condition": {"StringLike": {"saml:aud": [place.recipient, place.regional]}}})


def service(name: str) -> Trust:
    """An AWS service, such as `ec2.amazonaws.com`."""
    return document({"Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole"})


def account(place: Partition, account_id: str, *, external_id: str | None = None) -> Trust:
    """Another account, with an external id where one is asked for."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": place.iam(account_id, "root")},
        "Action": "sts:AssumeRole",
    }
    if external_id is not None:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return document(statement)


def github(place: Partition, account_id: str) -> Trust:
    """An OpenID Connect provider: federated, and no business of SAML."""
    host = "token.actions.githubusercontent.com"
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": place.iam(account_id, f"oidc-provider/{host}")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringLike": {f"{host}:sub": "repo:contoso/*"}, "StringEquals": {f"{host}:aud": "sts.amazonaws.com"}},
        },
    )
