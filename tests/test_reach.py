import json
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from awsfed_lib.core import coverage
from awsfed_lib.core.errors import AwsError, UnreadError
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.amazon.accounts import Accounts
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

ORGANIZATION = aws.Organization(via="awsfed-audit", pauses=())


def reach(number: int, fault: Any) -> Any:
    canned = rendered.Rendered(number, 0, fault=fault)
    with Server(canned.app) as server:
        return aws.reach(ORGANIZATION, session=rendered.session(server.url))


def test_who_awsfed_is_in_each_account_and_where_it_is_nobody() -> None:
    def fault(ask: Any) -> Any:
        denied = ask.action == "AssumeRole" and "000000000002" in ask.given["RoleArn"]
        return rendered.error(403, "AccessDenied", "not authorized") if denied else None

    table = reach(3, fault)
    assert list(table.columns) == ["account_id", "account_name", "state", "reach", "problem"]
    assert list(table.reach) == [
        f"arn:aws:sts::{account}:assumed-role/awsfed-audit/awsfed" if account else "" for account in ("000000000001", "", "000000000003")
    ]
    assert (table.problem != "").tolist() == [False, True, False]
    assert table.problem[1].startswith("Denied: role awsfed-audit could not be assumed")
    assert all(str(kind) == "str" for kind in table.dtypes)


def test_being_somebody_in_another_account_stops_everything() -> None:
    def fault(ask: Any) -> Any:
        if ask.action != "GetCallerIdentity" or ask.account != "000000000001":
            return None
        return 200, rendered.xml(ask.action, "<Arn>arn:aws:iam::000000000002:user/x</Arn><Account>000000000002</Account>")

    with pytest.raises(AwsError, match="nothing of it can be trusted"):
        reach(2, fault)


def test_an_organization_without_any_account_was_not_read() -> None:
    """The account that reads is in the list, so that an empty list is not whole."""
    with pytest.raises(UnreadError) as caught:
        reach(0, rendered.no_fault)
    assert caught.value.code == "reader-missing"


def test_reach_through_another_role_says_where_that_role_is_missing() -> None:
    """The writer role is not in every account that can be read."""

    def fault(ask: Any) -> Any:
        missing = ask.action == "AssumeRole" and ask.given["RoleArn"].endswith("000000000002:role/awsfed-writer")
        return rendered.error(403, "AccessDenied", "not authorized") if missing else None

    with Server(rendered.Rendered(2, 0, fault=fault).app) as server:
        session = rendered.session(server.url)
        assert (aws.reach(ORGANIZATION, session=session).problem == "").all()
        table = aws.reach(ORGANIZATION, through="awsfed-writer", session=session)
    assert table.problem[0] == ""
    assert "role awsfed-writer could not be assumed" in table.problem[1]


def test_in_the_hubs_own_account_only_reading_falls_back_to_the_hub() -> None:
    """A role that writes and cannot be assumed is a problem there too: nothing is ever written as the hub itself."""

    def fault(ask: Any) -> Any:
        return rendered.error(403, "AccessDenied", "not authorized") if ask.action == "AssumeRole" else None

    canned = rendered.Rendered(0, 0, fault=fault)
    canned.accounts.append(rendered.HUB)
    with Server(canned.app) as server:
        session = rendered.session(server.url)
        reads = aws.reach(ORGANIZATION, session=session)
        writes = aws.reach(ORGANIZATION, through="awsfed-writer", session=session)
    assert reads.reach[0].endswith(":user/hub")
    assert (writes.reach[0], writes.problem[0] == "") == ("", False)


def test_no_plan_acts_as_the_hub_itself_in_its_own_account() -> None:
    def fault(ask: Any) -> Any:
        return rendered.error(403, "AccessDenied", "not authorized") if ask.action == "AssumeRole" else None

    canned = rendered.Rendered(0, 0, fault=fault)
    with Server(canned.app) as server:
        service = Accounts(replace(ORGANIZATION, via="awsfed-writer"), session=rendered.session(server.url))
        with pytest.raises(UnreadError):
            service.live("iam_role", f"arn:aws:iam::{rendered.HUB}:role/anything")
    assert {ask.action for ask in canned.asked} == {"GetCallerIdentity", "AssumeRole"}


def test_a_closed_account_is_no_failure_to_read() -> None:
    def fault(ask: Any) -> Any:
        listed = [{"Id": f"{n:012d}", "Name": "x", "State": state, "Arn": "x"} for n, state in ((1, "ACTIVE"), (2, "SUSPENDED"))]
        return (200, json.dumps({"Accounts": listed}).encode()) if ask.action == "ListAccounts" else None

    noted = coverage.Coverage()
    with Server(rendered.Rendered(2, 0, fault=fault).app) as server:
        table = aws.reach(replace(ORGANIZATION, coverage=noted), session=rendered.session(server.url))
    assert list(table.state) == ["ACTIVE", "SUSPENDED"]
    assert coverage.told(noted.table)["accounts"] == {"read": 1, "not_read": 0, "closed": 1}
    assert coverage.whole(noted.table)
