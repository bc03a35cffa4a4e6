"""Listing accounts over real HTTP: the sandbox's organization, and canned answers where it would never say such a thing."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from awsfed_lib.core.errors import AwsError, ParameterError, SignInError, UnreadError
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.edges.amazon.organization import Organization, accounts
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.aws import AwsSwitches, Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@contextmanager
def sandbox(identity: str = "hub", **switches: Any) -> Iterator[tuple[Org, Hub]]:
    org = Org(world(3, 30)["org"], lambda _app, _which: metadata.foreign(), AwsSwitches(**switches))
    with Server(org.app) as server:
        keys = org.credentials[identity]
        session = rendered.LoopbackSession(rendered.described(server.url, keys.access_key, keys.secret))
        yield org, Hub(session, partition="aws", workers=1)


@contextmanager
def canned(number: int, fault: Any) -> Iterator[Hub]:
    served = rendered.Rendered(number, 0, fault=fault)
    with Server(served.app) as server:
        yield Hub(rendered.session(server.url), partition="aws", workers=1)


def select(*include: str, exclude: tuple[str, ...] = ()) -> Organization:
    return Organization(via="awsfed-audit", only=aws.Selection(include, exclude))


def calls(org: Org) -> Counter[str]:
    return Counter(entry["action"] for entry in org.requests if entry["service"] == "organizations")


def test_every_account_comes_with_state_and_units() -> None:
    """State took the place of Status, which was to go on 2026-09-09 (Organizations API reference, Account); Paths has the units."""
    with sandbox(account_status="state") as (org, hub):
        listed = {account.account_id: account for account in accounts(hub, select())}
        entries = org.cloud.entry["accounts"]
        assert calls(org) == {"ListAccounts": 3}  # two pages of 20, and an empty one between them
    assert set(listed) == {entry["id"] for entry in entries}
    assert all(listed[entry["id"]].state == entry["state"] for entry in entries)
    assert all(listed[entry["id"]].ou_path.startswith("r-") for entry in entries)
    assert [account.account_id for account in listed.values() if account.manages] == [org.cloud.management]


def test_path_of_names_takes_everything_below_it() -> None:
    with sandbox() as (org, hub):
        listed = list(accounts(hub, select("Workloads/", exclude=("Workloads/Dev",))))
        expected = {e["id"] for e in org.cloud.entry["accounts"] if e["ou"].startswith("Workloads") and e["ou"] != "Workloads/Dev"}
        assert calls(org)["ListAccountsForParent"] == 0  # Paths says it with the account
        assert calls(org)["ListParents"] == 0
    assert {account.account_id for account in listed} == expected
    assert {account.ou_path for account in listed} <= {"Workloads/Prod", "Workloads/Test", "Workloads"}


def test_unit_by_its_id_needs_no_further_call() -> None:
    with sandbox() as (org, hub):
        unit = next(account for account in accounts(hub, select()) if len(account.units) == 3).units[1]
        org.journal.clear()
        listed = list(accounts(hub, select(unit)))
        assert set(calls(org)) == {"ListAccounts"}
    assert listed
    assert all(unit in account.units for account in listed)


def test_units_without_paths_are_found_by_unit_never_by_account() -> None:
    """An API that does not say Paths: two calls a unit; ListParents for each account gets throttled (botocove issue 35)."""
    with sandbox() as (org, _):
        whole = org.app

        def without_paths(environ: Any, start_response: Any) -> Any:
            return [chunk.replace(b'"Paths"', b'"Wege"') for chunk in whole(environ, start_response)]

        with Server(without_paths) as older:
            keys = org.credentials["hub"]
            other = Hub(rendered.LoopbackSession(rendered.described(older.url, keys.access_key, keys.secret)), partition="aws", workers=1)
            listed = {account.account_id for account in accounts(other, select("Workloads/Prod"))}
        units = calls(org)["ListOrganizationalUnitsForParent"]
        assert calls(org)["ListAccountsForParent"] <= units + 5
        assert calls(org)["ListParents"] == 0
        assert listed == {e["id"] for e in org.cloud.entry["accounts"] if e["ou"] == "Workloads/Prod"}


def test_caller_that_is_no_delegated_administrator_is_told_what_it_takes() -> None:
    """ListAccounts: only from the management account or by a delegated administrator (Organizations API reference)."""
    with sandbox("stranger") as (_, hub), pytest.raises(AwsError, match="delegated administrators") as refused:
        list(accounts(hub, select()))
    assert "accounts_file" in refused.value.remedy
    assert refused.value.code == "AccessDeniedException"


@pytest.mark.parametrize(
    ("code", "message", "part"),
    [
        ("AccessDeniedException", "User: arn is not authorized to perform: organizations:ListAccounts", "organizations:ListAccounts"),
        ("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.", "set accounts_file"),
        ("TooManyRequestsException", "slow down", "Run again"),
    ],
)
def test_refusal_says_what_to_do(code: str, message: str, part: str) -> None:
    def refuse(ask: Any) -> Any:
        return (400, json.dumps({"__type": code, "message": message}).encode()) if ask.action == "ListAccounts" else None

    with canned(1, refuse) as hub, pytest.raises(AwsError) as refused:
        list(accounts(hub, select()))
    assert code in str(refused.value)
    assert part in refused.value.remedy


def test_credentials_that_ended_meanwhile_are_a_sign_in_error() -> None:
    def expire(ask: Any) -> Any:
        said = {"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}
        return (400, json.dumps(said).encode()) if ask.action == "ListAccounts" else None

    with canned(1, expire) as hub, pytest.raises(SignInError, match="is expired"):
        list(accounts(hub, select()))


def test_list_that_leads_back_to_itself_is_not_whole() -> None:
    def circle(ask: Any) -> Any:
        return (200, json.dumps({"Accounts": [], "NextToken": "20"}).encode()) if ask.action == "ListAccounts" else None

    with canned(1, circle) as hub, pytest.raises(UnreadError, match="same page twice"):
        list(accounts(hub, select()))


def test_answer_without_a_list_is_not_an_empty_organization() -> None:
    def nothing(ask: Any) -> Any:
        return (200, b"{}") if ask.action == "ListAccounts" else None

    with canned(1, nothing) as hub, pytest.raises(UnreadError, match="without Accounts"):
        list(accounts(hub, select()))


def test_include_that_matches_nothing_says_so() -> None:
    with sandbox() as (_, hub), pytest.raises(ParameterError, match="No account matches Nobody") as refused:
        list(accounts(hub, select("Sales", "Nobody")))
    assert "30 accounts were listed" in refused.value.where


def test_csv_takes_the_place_of_the_organization(tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_text("account_id,account_name\n000000012345,Tutorial\n111122223333,Other\n")
    with sandbox("stranger") as (org, hub):
        organization = Organization(via="awsfed-audit", accounts_file=str(file), only=aws.Selection(exclude=("Other",)))
        listed = list(accounts(hub, organization))
        assert calls(org) == {}
    assert [(account.account_id, account.state) for account in listed] == [("000000012345", "")]


@pytest.mark.parametrize("via", ["", "arn:aws:iam::111122223333:role/awsfed-audit"])
def test_via_is_the_name_of_a_role(via: str) -> None:
    with pytest.raises(ParameterError, match="name of a role"):
        Organization(via=via)
