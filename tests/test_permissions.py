"""The policies that awsfed asks for are exactly what it calls: proven by giving them to the sandbox, and by taking them away."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from awsfed_lib.core.errors import AwsError
from awsfed_lib.edges.amazon import aws, permissions
from awsfed_lib.edges.amazon.allowed import READS
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.aws import AwsSwitches, Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

ORGANIZATION = aws.Organization(
    via="awsfed-audit", external_id="awsfed-sandbox", pauses=(0.0, 0.0, 0.0), only=aws.Selection(exclude=("Sandbox/",))
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


def statements(policy: str) -> list[dict[str, Any]]:
    return json.loads(policy)["Statement"]


@contextmanager
def granted(hub: list[str] | None = None, audit: list[str] | None = None) -> Iterator[Any]:
    """Serve an organization whose hub and audit role have our policies, or only these actions of them."""
    made = world(4, 8)["org"]
    audit_policy = json.loads(permissions.audit_policy())
    hub_policy = json.loads(permissions.hub_policy(ORGANIZATION, organization_id=made["organization_id"]))
    if audit is not None:
        audit_policy["Statement"][0]["Action"] = audit
    if hub is not None:
        hub_policy["Statement"][0]["Action"] = hub
    for account in made["accounts"]:
        for role in account["roles"]:
            if role["name"] == "awsfed-audit":
                role["inline"], role["attached"] = {"audit": audit_policy}, []
    org = Org(made, lambda _app, _which: metadata.foreign(), AwsSwitches())
    key = org.cloud.keys.user(made["hub"], f"arn:aws:iam::{made['hub']}:user/ours", hub_policy)
    with Server(org.app) as server:
        yield rendered.LoopbackSession(rendered.described(server.url, key.access_key, key.secret))


def test_what_is_rendered_is_enough_for_everything() -> None:
    with granted() as session:
        accounts, roles = aws.inventory(ORGANIZATION, provider="WAAD", session=session)
        same, providers = aws.providers(ORGANIZATION, session=session)
    denied = accounts[accounts.problem.str.startswith("Denied")]
    assert list(denied.account_name) == ["R&D Lab"]  # the account of the world that denies everything
    assert "taken" in set(roles.verdict)
    assert len(providers)
    assert list(same.problem) == list(accounts.problem)


@pytest.mark.parametrize("action", sorted(action for action in READS if action.startswith("iam:")))
def test_no_action_of_the_audit_policy_is_too_many(action: str) -> None:
    left = sorted(one for one in READS if one.startswith("iam:") and one != action)
    with granted(audit=left) as session:
        accounts, _ = aws.inventory(ORGANIZATION, provider="WAAD", session=session)
        with_providers, _ = aws.providers(ORGANIZATION, session=session)
    problems = {*accounts.problem, *with_providers.problem}
    assert any(f"may not call {action.split(':')[1]}" in problem for problem in problems)


def test_who_entered_is_a_statement_of_its_own() -> None:
    """What 10-access asks of CloudTrail can be left out; test_trail.py proves that it is enough, and needed."""
    roles, entered, stacks = statements(permissions.audit_policy())
    assert entered["Action"] == ["cloudtrail:LookupEvents"]
    assert stacks["Action"] == ["cloudformation:DescribeStackResources"]
    assert all(action.startswith("iam:") for action in roles["Action"])


@pytest.mark.parametrize("action", ["ListAccounts", "ListRoots", "ListOrganizationalUnitsForParent"])
def test_hub_that_lacks_an_action_is_told_which(action: str) -> None:
    left = sorted(one for one in READS if one.startswith("organizations:") and not one.endswith(f":{action}"))
    with granted(hub=left) as session, pytest.raises(AwsError, match=f"refused {action} ") as refused:
        aws.inventory(ORGANIZATION, provider="WAAD", session=session)
    assert f"organizations:{action}" in refused.value.remedy


def test_rendered_from_the_parameters() -> None:
    organization = aws.Organization(via="team/reader", external_id="x-1", partition="aws-us-gov")
    listing, assume = statements(permissions.hub_policy(organization, organization_id="o-abcdefghij"))
    assert all(action.startswith("organizations:List") for action in listing["Action"])
    assert assume["Resource"] == "arn:aws-us-gov:iam::*:role/team/reader"
    assert assume["Condition"] == {"StringEquals": {"aws:ResourceOrgID": "o-abcdefghij"}}
    (trust,) = statements(permissions.audit_trust(organization, "arn:aws-us-gov:iam::111122223333:role/hub"))
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "x-1"}}
    assert trust["Principal"] == {"AWS": "arn:aws-us-gov:iam::111122223333:role/hub"}


def test_without_organization_external_id_or_condition() -> None:
    organization = aws.Organization(via="reader", accounts_file="accounts.csv")
    (assume,) = statements(permissions.hub_policy(organization))
    assert "Condition" not in assume
    assert "Condition" not in statements(permissions.audit_trust(organization, "arn:aws:iam::111122223333:role/hub"))[0]
    assert len(permissions.audit_policy()) < 2048  # fits wherever a policy fits
