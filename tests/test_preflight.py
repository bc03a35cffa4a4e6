"""Preflight: checks, each of which can say no; and what could not be read says so instead of stopping the rest."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import twin as twins

from awsfed_lib.core.coverage import Coverage
from awsfed_lib.core.errors import GraphError, SignInError, UnreadError
from awsfed_lib.core.review import preflight
from awsfed_lib.core.review.preflight import Ground, Unread
from awsfed_lib.core.roles.body import Capacity
from awsfed_lib.edges.entra import auth, ground

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLANNER = {
    "Application.Read.All", "Application.ReadWrite.All", "Group.Create", "GroupMember.Read.All",
    "Synchronization.Read.All", "Organization.Read.All", "User.ReadBasic.All", "Policy.ReadWrite.ApplicationConfiguration",
}  # fmt: skip
WRITER = PLANNER | {"AppRoleAssignment.ReadWrite.All", "GroupMember.ReadWrite.All"}
GROUND = Ground(
    application={"preferredSingleSignOnMode": "saml", "appRoleAssignmentRequired": True, "accountEnabled": True, "displayName": "AWS"},
    capacity=Capacity(used=70, limit=700, disabled=2, free=630),
    jobs=[],
    plans=frozenset({"AAD_PREMIUM"}),
    tenant="Contoso",
    unread={},
)


def held(permissions: set[str] | None = None, kind: str = "application", user_name: str = "") -> Any:
    given = frozenset(WRITER if permissions is None else permissions)
    return SimpleNamespace(kind=kind, permissions=given, tenant_id="t-1", client_id="c-1", user_name=user_name)


def reach(problem: str = "") -> pd.DataFrame:
    return pd.DataFrame([("000000012345", "Tutorial", "arn:x", problem)], columns=["account_id", "account_name", "reach", "problem"])


def checked(who: Any = None, problem: str = "", ends: datetime | None = None, **changed: Any) -> pd.DataFrame:
    table = preflight.check(who or held(), GROUND._replace(**changed), reach(problem), now=NOW, certificate_ends=ends)
    return table.set_index("check")


def test_a_ready_ground_has_no_row_that_asks_for_something() -> None:
    table = checked(ends=NOW + timedelta(days=200))
    assert set(table.result) == {"ok", "note"}
    assert list(table.index[table.result == "note"]) == ["power of this sign-in"]
    assert set(table.remedy[table.result == "ok"]) == {""}


def test_power_is_noted_for_what_can_grant_itself_everything_and_only_for_that() -> None:
    assert checked(held(PLANNER)).loc["power of this sign-in", "result"] == "ok"
    assert checked(held(WRITER)).loc["power of this sign-in", "result"] == "note"
    assert "directory role" in checked(held(PLANNER, kind="delegated")).loc["power of this sign-in", "detail"]


@pytest.mark.parametrize(
    ("changed", "check", "result"),
    [
        ({"plans": frozenset({"EXCHANGE_S_STANDARD"})}, "licence for assigning groups", "look"),
        ({"application": {"preferredSingleSignOnMode": None, "appRoleAssignmentRequired": True}}, "single sign-on mode", "look"),
        ({"application": {"preferredSingleSignOnMode": "saml", "appRoleAssignmentRequired": False}}, "assignment required", "look"),
        ({"application": {"preferredSingleSignOnMode": "saml", "accountEnabled": False}}, "sign-in enabled", "look"),
        ({"jobs": [{"schedule": {"state": "Active"}}]}, "role import (synchronization jobs)", "missing"),
        ({"jobs": [{"schedule": {"state": "Disabled"}}, {}]}, "role import (synchronization jobs)", "ok"),
        ({"capacity": Capacity(700, 700, 0, 0)}, "room for appRoles", "missing"),
        ({"problem": "denied"}, "account 000000012345 Tutorial", "look"),
        ({"problem": "denied"}, "reach into AWS", "look"),
        ({"ends": NOW + timedelta(days=29)}, "certificate of this sign-in", "look"),
        ({"ends": NOW + timedelta(days=31)}, "certificate of this sign-in", "ok"),
    ],
)
def test_each_thing_has_its_row_and_its_remedy(changed: dict[str, Any], check: str, result: str) -> None:
    row = checked(**changed).loc[check]
    assert row["result"] == result
    assert bool(row["remedy"]) == (result != "ok")


@pytest.mark.parametrize(
    ("fact", "checks"),
    [
        ("application", {"single sign-on mode", "sign-in enabled", "assignment required"}),
        ("capacity", {"room for appRoles"}),
        ("jobs", {"role import (synchronization jobs)"}),
        ("plans", {"licence for assigning groups"}),
    ],
)
def test_what_could_not_be_read_is_unknown_with_graphs_own_words(fact: str, checks: set[str]) -> None:
    table = checked(**{fact: None, "unread": {fact: Unread("Insufficient privileges.", "Grant it.")}})
    unknown = table[table.result == "unknown"]
    assert set(unknown.index) == checks
    assert set(unknown.detail) == {"Insufficient privileges."}
    assert set(unknown.remedy) == {"Grant it."}


def test_identity_lists_every_permission() -> None:
    table = preflight.identity(held({"b", "a"}, user_name="britta@contoso.example"))
    told = list(zip(table.fact, table.value, strict=True))
    assert told[:2] == [("signed in as", "application"), ("person", "britta@contoso.example")]
    assert told[-2:] == [("Graph permission", "a"), ("Graph permission", "b")]


def test_application_says_not_known_instead_of_nothing() -> None:
    known = dict(preflight.application(GROUND).itertuples(index=False))
    assert known["permission definitions used"] == "70 of 700"
    unknown = preflight.application(Ground(None, None, None, None, None, {}))
    assert set(unknown.value) == {"not known"}


# Reading the ground


@pytest.mark.parametrize("error", [GraphError("Refused.", status=403, remedy="Grant it."), UnreadError("Half.", remedy="Grant it.")])
def test_survey_goes_on_after_a_refusal(error: Exception) -> None:
    def refuse(*_: object) -> Any:
        raise error

    graph = SimpleNamespace(
        one=refuse,
        coverage=Coverage(),
        service_principal=refuse,
        app_roles=refuse,
        scopes=refuse,
        jobs=lambda _: [],
        directory=refuse,
        tenant=refuse,
    )
    found = ground.survey(graph, "a")  # type: ignore[arg-type]
    assert found.jobs == []
    assert found[:2] == (None, None)
    assert set(found.unread) == {"application", "capacity", "plans", "tenant"}
    assert found.unread["plans"].remedy == "Grant it."


def test_before_there_is_an_application_preflight_says_which_runbook_makes_it(twin: Any) -> None:
    """An empty tenant is where the tutorial begins: what is held can be told all the same."""
    found = ground.survey(twin.reading("writer"), "")
    table = preflight.check(auth.held(twin.session("writer")), found, reach(), now=NOW).set_index("check")
    assert table.loc["single sign-on mode", "result"] == "unknown"
    assert "01-application" in table.loc["single sign-on mode", "remedy"]
    assert table.loc["licence for assigning groups", "result"] == "ok"


def test_survey_does_not_hide_a_sign_in_that_fails() -> None:
    def fail(*_: object) -> Any:
        raise SignInError("No token.")

    with pytest.raises(SignInError):
        ground.survey(SimpleNamespace(coverage=Coverage(), service_principal=fail), "a")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with twins.running(tmp_path_factory.mktemp("twin")) as running:
        yield running


def surveyed(twin: Any, client: str) -> pd.DataFrame:
    session = twin.session(client)
    found = ground.survey(twin.reading(client), twin.application_id)
    return preflight.check(auth.held(session), found, reach(), now=NOW).set_index("check")


def test_a_poor_client_of_the_sandbox_gets_its_list(twin: Any) -> None:
    table = surveyed(twin, "poor")
    assert table.loc["single sign-on mode", "result"] == "unknown"
    assert "Insufficient privileges" in table.loc["single sign-on mode", "detail"]


def test_what_preflight_says_of_the_sandbox_is_what_graph_does(twin: Any) -> None:
    """The sandbox decides by its own table of permissions; the two must agree on what can be read."""
    for client in ("writer", "reader"):
        table = surveyed(twin, client)
        assert "unknown" not in set(table.result), client
        permits = ground.permits(auth.held(twin.session(client)), reach=reach(), writing=reach()).set_index("runbook")
        row = permits.loc["00-preflight"]
        assert (row.result, "sp.claims" in row.graph) == (("ok", False) if client == "writer" else ("look", True)), row.graph
        refused = [check for check in table.index[table.result == "look"] if check.startswith("Graph: ")]
        assert len(refused) == row.graph.count("sp.claims"), client


def test_writer_role_is_looked_for_where_the_account_can_be_read() -> None:
    """02-accounts, 08-certificates and 11-onboard act through another role than the one that reads."""
    both = pd.concat([reach(), reach("Denied.").assign(account_id="000000000002")], ignore_index=True)
    table = preflight.check(held(), GROUND, both, now=NOW, writing=both.assign(problem=["no such role", "Denied."])).set_index("check")
    row = table.loc["reach to change AWS"]
    assert (row.result, "in 0 of 1 accounts; not in 000000012345 Tutorial" in row.detail) == ("look", True)
    assert "no such role" in row.remedy
    fine = preflight.check(held(), GROUND, both, now=NOW, writing=both).set_index("check")
    assert fine.loc["reach to change AWS"].result == "ok"
    assert "reach to change AWS" not in checked().index


def test_closed_accounts_are_told_and_are_no_reason_to_look():
    both = pd.concat([reach().assign(state="ACTIVE"), reach("It is SUSPENDED.").assign(account_id="000000000002", state="SUSPENDED")])
    table = preflight.check(held(), GROUND, both.reset_index(drop=True), now=NOW).set_index("check")
    assert table.loc["reach into AWS", "result"] == "ok"
    assert table.loc["closed accounts", "result"] == "note"
