"""One SAML provider, or one role, as IAM has it now: what plans compare before and after they send something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from awsfed_lib.core import facts
from awsfed_lib.core.accounts.federation_plan import role_facts
from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.saml import metadata
from awsfed_lib.core.shapes import IAM_ROLES
from awsfed_lib.core.tables import frame, rows
from awsfed_lib.edges.amazon.answers import refuse_other_account, whole
from awsfed_lib.edges.amazon.selection import Account
from awsfed_lib.edges.amazon.survey import role_row

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

PROVIDERS, ROLE = "saml_providers", "iam_role"
Wire = Mapping[str, Any]


def account_of(arn: str) -> str:
    """Take the account out of an ARN."""
    return arn.split(":")[4]


def read(iam: IAMClient, table: str, of: str) -> Wire | None:
    """Read the object with the ARN `of`; None when there is none. Raises ClientError, UnreadError for another table."""
    if table not in (PROVIDERS, ROLE):
        raise UnreadError(f"AWS has no live table {table}.", where=of)
    try:
        return _provider(iam, of) if table == PROVIDERS else _role(iam, of)
    except iam.exceptions.NoSuchEntityException:
        return None


def _provider(iam: IAMClient, arn: str) -> Wire:
    answer = iam.get_saml_provider(SAMLProviderArn=arn)
    return {"Arn": arn, "SAMLMetadataDocument": whole(answer, "SAMLMetadataDocument"), "Tags": answer.get("Tags", [])}


def _role(iam: IAMClient, arn: str) -> Wire:
    """Read a role by its name, which is unique in the account whatever its path and case."""
    name = arn.rpartition("/")[2]
    role = dict(whole(iam.get_role(RoleName=name), "Role"))
    refuse_other_account(role["Arn"], account_of(arn), "GetRole")
    attached = _all(iam.list_attached_role_policies(RoleName=name), "AttachedPolicies")
    inline = _all(iam.list_role_policies(RoleName=name), "PolicyNames")
    documents = [
        {"PolicyName": one, "PolicyDocument": iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]} for one in inline
    ]
    return {**role, "AttachedManagedPolicies": attached, "RolePolicyList": documents}


def _all(answer: Mapping[str, Any], key: str) -> list[Any]:
    """Take a list that fits one page: a role has 20 managed policies at most."""
    if whole(answer, "IsTruncated"):
        raise UnreadError(f"IAM gave only a part of {key}. Run again.")
    return list(whole(answer, key))


def facts_of(table: str, of: str, found: Wire | None) -> tuple[str, ...]:
    """Write the facts of what `read` found."""
    if found is None:
        return ()
    if table == PROVIDERS:
        return (facts.saml_provider(of, metadata.fingerprint_of(found["SAMLMetadataDocument"])),)
    return role_facts(rows(frame(IAM_ROLES, [role_row(Account(account_of(of), ""), found)])))
