"""Asking CloudFormation which stack owns a role or SAML provider: one call for each object and Region, only of what a plan would write.

Source: docs.aws.amazon.com AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html. A role's physical id is its
name, a SAML provider's its ARN (what `Ref` returns). It needs cloudformation:DescribeStackResources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from awsfed_lib.core.accounts import federation_plan
from awsfed_lib.core.accounts.federation_plan import Terms
from awsfed_lib.core.accounts.ownership import Owner, Owners, owned_holders, owned_roles, unowned
from awsfed_lib.core.errors import UnreadError
from awsfed_lib.core.plan import Plan
from awsfed_lib.edges.amazon.answers import whole
from awsfed_lib.edges.amazon.hub import REGIONS, Hub, hub
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.problems import Reader, code_of, message_of, problem
from awsfed_lib.edges.amazon.reading import read_account
from awsfed_lib.edges.amazon.rounds import pool, read_all
from awsfed_lib.edges.amazon.selection import Account

if TYPE_CHECKING:
    from awsfed_lib.edges.records.run import Run

LEFT = ("DELETE_COMPLETE", "DELETE_SKIPPED")  # the stack let go of it: "Retain" skips the deletion


def federation(run: Run, live: pd.DataFrame, desired: pd.DataFrame, *, within: pd.DataFrame, terms: Terms) -> Plan:
    """Plan as `federation.plan` does, and leave out what a CloudFormation stack owns; tables and terms as there.

    Errors as `owners`. Where the owner is not known, each row of the plan that is about the object says so.
    """

    def planned(known: Owners) -> Plan:
        among = replace(terms, holders=owned_holders(terms.holders, known))
        return federation_plan.plan(run.aws.subject, owned_roles(live, known), desired, within=within, terms=among)

    return unowned(planned, partial(owners, run.organization))[0]


def owners(organization: Organization, arns: Collection[str], *, session: boto3.Session | None = None) -> dict[str, Owner]:
    """Ask in each account which stack owns these roles and SAML providers: ARN → Owner, whatever goes wrong.

    Raises SignInError and ParameterError as `hub.hub`.
    """
    opened = hub(organization.cloud, organization.partition, organization.workers, session)
    regions = organization.stack_regions or tuple(dict.fromkeys((REGIONS.get(organization.partition, opened.region), opened.region)))
    accounts = [Account(account_id, "") for account_id in sorted({arn.split(":")[4] for arn in arns})]
    work = partial(read_account, opened, organization, partial(_owners_in, arns=frozenset(arns), regions=regions, via=organization.via))
    with pool(None, organization.workers) as workers:
        readings = {reading.account.account_id: reading for reading in read_all(work, accounts, workers, organization.pauses)}
    found: dict[str, Owner] = {}
    for arn in arns:
        reading = readings[arn.split(":")[4]]
        found[arn] = reading.found[arn] if reading.found else Owner(unknown=reading.problem)
    return found


def _owners_in(hub: Hub, account: Account, arns: frozenset[str], regions: Iterable[str], via: str) -> dict[str, Owner]:
    return {arn: _owner(hub, arn, regions, via) for arn in sorted(arns) if arn.split(":")[4] == account.account_id}


def _owner(hub: Hub, arn: str, regions: Iterable[str], via: str) -> Owner:
    """Ask every Region until one has the object in a stack; what one of them could not tell makes the owner unknown."""
    unknown = []
    for region in regions:
        try:
            found = _in_region(hub.regional("cloudformation", region), arn, region)
        except (ClientError, BotoCoreError, ResponseParserError, UnreadError) as error:
            found = Owner(unknown=f"{region}: {problem(error, Reader(via, '', manages=False)).text}")
        if found.stack:
            return found
        unknown += [found.unknown] if found.unknown else []
    return Owner(unknown=" ".join(unknown))


def _in_region(client: Any, arn: str, region: str) -> Owner:
    provider = ":saml-provider/" in arn
    physical_id = arn if provider else arn.rpartition("/")[2]
    try:
        resources = whole(client.describe_stack_resources(PhysicalResourceId=physical_id), "StackResources")
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
            return Owner()
        raise
    kind = "AWS::IAM::SAMLProvider" if provider else "AWS::IAM::Role"
    holding = [one for one in resources if one.get("PhysicalResourceId") == physical_id and one.get("ResourceType") == kind]
    if not holding:  # another kind of resource has this id, or the stack has more resources than one answer holds
        return Owner(unknown=f"{region}: CloudFormation names a stack with {physical_id}, and does not show it as {kind}.")
    stack = f"CloudFormation stack {holding[0]['StackName']} in {region}"
    if holding[0].get("ResourceStatus") in LEFT:
        return Owner(unknown=f"{stack} was deleted, or let go of it.")
    return Owner(stack)
