"""Who owns a role or SAML provider that a plan would write: what CloudFormation owns is changed there, and not by a plan.

IAM does not tell: CloudFormation puts no tag of its own on these objects (aws-cloudformation/cloudformation-coverage-roadmap
#277, #2550). So CloudFormation is asked, and only about what a plan would write; the templates that awsfed exports mark
what they make with `OWNER_TAG` besides. An owner that could not be asked for is said in each row of the plan, and so in its id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from awsfed_lib.core.certificate.distribution import Holder
from awsfed_lib.core.change import Change
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.tables import TEXT

OWNER_TAG = "awsfed:owner"
TABLES = ("iam_role", "saml_providers")


class Owner(NamedTuple):
    """The stack that owns an object, "" for none; `unknown`: why that is not known, "" when it is."""

    stack: str = ""
    unknown: str = ""


Owners = Mapping[str, Owner]  # by ARN


def unowned(planned: Callable[[Owners], Plan], ask: Callable[[Collection[str]], Owners]) -> tuple[Plan, Owners]:
    """Plan, ask who owns what the plan would write, and plan again, until no owned object is written: (plan, what was asked).

    `planned`: makes the plan, given the owners known so far. `ask`: says of each of these ARNs who owns it.
    """
    owners: dict[str, Owner] = {}
    plan = planned(owners)
    while unasked := written(plan) - owners.keys():
        owners |= ask(unasked)
        plan = planned(owners)
    return replace(plan, changes=tuple(_said(change, owners) for change in plan.changes)), owners


def written(plan: Plan) -> frozenset[str]:
    """ARNs of the roles and SAML providers that are there now, and that the plan changes or removes."""
    there = {basis.of for basis in plan.basis if basis.table in TABLES and basis.count}
    return frozenset(request.settled.of for request in plan.requests) & there


def _said(change: Change, owners: Owners) -> Change:
    unknown = owners.get(change.key.partition(" ")[0], Owner()).unknown  # the key of a policy is "ARN of the role, ARN of the policy"
    if change.action == "keep" or not unknown:
        return change
    return change._replace(why="; ".join(filter(None, (change.why, f"ownership not known: {unknown}"))))


def owned_roles(live: pd.DataFrame, owners: Owners) -> pd.DataFrame:
    """Put the stacks that are known into IAM_ROLES."""
    stacks = [owners.get(arn, Owner()).stack or marked for arn, marked in zip(live["role_arn"], live["stack"], strict=True)]
    return live.assign(stack=pd.Series(stacks, index=live.index, dtype=TEXT))


def owned_holders(holders: Iterable[Holder], owners: Owners) -> tuple[Holder, ...]:
    """Put the stacks that are known into the SAML providers of the accounts."""
    return tuple(replace(one, stack=owners.get(one.provider_arn, Owner()).stack or one.stack) for one in holders)
