"""The desired state of the accounts for other tools: a StackSet template, Terraform, and the AWS command line.

A StackSet suits the steady state and accounts to come; a plan suits checking, correcting and rolling certificates over.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from awsfed_lib.core.accounts.families import OWN, Families, Family
from awsfed_lib.core.accounts.ownership import OWNER_TAG
from awsfed_lib.core.accounts.trust_merge import document
from awsfed_lib.core.errors import ParameterError
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.saml.metadata import Metadata
from awsfed_lib.core.tables import rows

LONGEST_TEMPLATE = 51_200  # bytes of TemplateBody (CloudFormation API_CreateStackSet)
# Terraform marks roles alone: it ignores changes of the metadata, which 08-certificates makes.
STACK_OWNER = {"Key": OWNER_TAG, "Value": {"Fn::Sub": "CloudFormation stack ${AWS::StackName} in ${AWS::Region}"}}
_WORDS = re.compile(r"SAML|[A-Z][a-z]*")


def exports(families: Families, desired: pd.DataFrame, base: Metadata, plan: Plan) -> dict[str, str]:
    """Write all of them: file name → text."""
    return {
        "plan.sh": commands(plan),
        "stackset.json": stackset(families, base),
        "main.tf.json": terraform(families, desired, base),
    }


def commands(plan: Plan, *, profile: str = "awsfed-{account_id}") -> str:
    """Write a plan for accounts as a shell script of the AWS command line, one command a request, in order.

    `profile`: name of the profile that reaches an account. Parameters go in whole as --cli-input-json.
    """
    lines = ["#!/bin/sh", f"# {_one_line(plan.title)}, {plan.id}", "set -eu"]
    for request in plan.requests:
        account_id = request.path.partition("/")[0]
        operation = "-".join(word.lower() for word in _WORDS.findall(request.method.removeprefix("iam:")))
        where = shlex.quote(profile.replace("{account_id}", account_id))
        lines += [f"# {_one_line(request.purpose)}", f"aws iam {operation} --profile {where} --cli-input-json {shlex.quote(request.body)}"]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def stackset(families: Families, base: Metadata) -> str:
    """Write a CloudFormation template for a StackSet over all accounts, as JSON, which CloudFormation takes as it takes YAML.

    The account's slug is the parameter AccountName (an override for each account; the account id where there is none).
    The metadata stands inside, since a parameter is too small for it. Provider and roles are retained when a stack goes:
    an account that leaves an organizational unit must not lose sign-in. Raises ParameterError when it is too long.
    """
    roles = {_logical(family): _stack_role(families, family) for family in families.families}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "SAML federation from Microsoft Entra ID: provider and roles (awsfed)",
        "Parameters": {"AccountName": {"Type": "String", "Default": "", "AllowedPattern": "[a-z0-9-]*"}},
        "Conditions": {"Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AccountName"}, ""]}]}},
        "Resources": {
            "Provider": _retained(
                "AWS::IAM::SAMLProvider", {"Name": families.provider, "SamlMetadataDocument": base.document, "Tags": [STACK_OWNER]}
            ),
            **roles,
        },
    }
    text = json.dumps(template, indent=1)
    if len(text.encode()) > LONGEST_TEMPLATE:
        raise ParameterError(f"The template has {len(text.encode())} bytes; CloudFormation takes {LONGEST_TEMPLATE}.")
    return text


def _logical(family: Family) -> str:
    """Name the resource: letters and digits only, and different for different families."""
    plain = "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", family.suffix))
    return f"Role{plain}{family.suffix.encode().hex()[-6:]}"


def _retained(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": dict(properties)}


def _stack_role(families: Families, family: Family) -> dict[str, Any]:
    name = {"Fn::Join": ["", list(_name_parts(families, family))]}
    properties = {
        "RoleName": name,
        "Description": name,
        "AssumeRolePolicyDocument": document(families.statement({"Ref": "Provider"})),
        "MaxSessionDuration": family.max_session,
        "ManagedPolicyArns": [_stack_policy(families, policy) for policy in family.policies],
        "Tags": [{"Key": families.tag_key, "Value": name}, STACK_OWNER],
    } | ({"PermissionsBoundary": _stack_policy(families, family.boundary)} if family.boundary else {})
    return _retained("AWS::IAM::Role", properties)


def _name_parts(families: Families, family: Family) -> Iterator[object]:
    account = {"Fn::If": ["Named", {"Ref": "AccountName"}, {"Ref": "AWS::AccountId"}]}
    for part in re.split(r"(\{account\}|\{family\})", families.pattern):
        if part:
            yield account if part == "{account}" else family.suffix if part == "{family}" else part


def _stack_policy(families: Families, policy: str) -> object:
    if not policy.startswith(OWN):
        return families.policy_arn("", policy)
    return {"Fn::Join": ["", [f"arn:{families.partition}:iam::", {"Ref": "AWS::AccountId"}, f":policy/{policy.removeprefix(OWN)}"]]}


def terraform(families: Families, desired: pd.DataFrame, base: Metadata, *, role: str = "awsfed-writer") -> str:
    """Write desired IAM_ROLES and their providers as Terraform in its JSON form (main.tf.json), one provider alias an account.

    `role`: the role that Terraform assumes in each account. Text is escaped: "${" and "%{" are templates to Terraform.
    """
    listed = rows(desired)
    accounts = sorted({row["account_id"] for row in listed})
    aliases = [{"alias": f"a{key}", "assume_role": {"role_arn": families.role_arn(key, role)}} for key in accounts]
    providers = {
        f"a{key}": {
            "provider": f"aws.a{key}",
            "name": families.provider,
            "saml_metadata_document": base.document,
            **_kept("saml_metadata_document"),
        }
        for key in accounts
    }
    resources = {
        "aws_iam_saml_provider": providers,
        "aws_iam_role": {_terraform_name(row): _terraform_role(row) for row in listed},
        "aws_iam_role_policy_attachment": dict(attachment for row in listed for attachment in _attachments(row)),
    }
    content = {"terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}}, "provider": {"aws": aliases}}
    return json.dumps(content | {"resource": _escaped(resources)}, indent=2) + "\n"


def _kept(*ignored: str) -> dict[str, Any]:
    """Guard against the two ways Terraform cuts sign-in: destroying, and putting an older metadata document back."""
    return {"lifecycle": {"prevent_destroy": True, "ignore_changes": list(ignored)}}


def _terraform_name(row: Mapping[str, Any]) -> str:
    return f"a{row['account_id']}_{re.sub(r'[^a-z0-9]+', '_', row['family'].lower())}_{row['family'].encode().hex()[-6:]}"


def _terraform_role(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider": f"aws.a{row['account_id']}",
        "name": row["role_name"],
        "description": row["description"],
        "assume_role_policy": row["trust"],
        "max_session_duration": int(row["max_session"]),
        "tags": json.loads(row["tags"]) | {OWNER_TAG: "Terraform"},
        "depends_on": [f"aws_iam_saml_provider.a{row['account_id']}"],
        **({"permissions_boundary": row["boundary"]} if row["boundary"] else {}),
        "lifecycle": {"prevent_destroy": True},
    }


def _attachments(row: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, policy in enumerate(row["policies"].split("; ")):
        entry = {"provider": f"aws.a{row['account_id']}", "role": row["role_name"], "policy_arn": policy}
        yield f"{_terraform_name(row)}_{number}", entry | {"depends_on": [f"aws_iam_role.{_terraform_name(row)}"]}


def _escaped(value: Any) -> Any:
    """Double the sign of each template sequence in every text (developer.hashicorp.com terraform/language/expressions/strings)."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {_escaped(key): _escaped(inner) for key, inner in value.items()}
    return [_escaped(inner) for inner in value] if isinstance(value, list) else value
