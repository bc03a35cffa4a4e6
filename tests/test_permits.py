"""What each runbook has and lacks: Graph permissions, directory role, reach into AWS; each can be lacking on its own."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import twin as twins

from awsfed_lib.core.review import permits
from awsfed_lib.core.review.graph_calls import OWNER, least
from awsfed_lib.core.review.permits import Asked
from awsfed_lib.edges.entra import auth, ground, permissions
from awsfed_lib.edges.records import runbooks

ROOT = Path(__file__).parents[1]
BOOKS = {book.id: book for book in runbooks.catalogue(ROOT / "notebooks")}
CALLS = {call for book in BOOKS.values() for listed in book.graph for call in listed}
ALL = frozenset(name.removesuffix(OWNER) for call in permissions.known().values() for one in call.application for name in one)
ACTING = {runbook: {"via"} for runbook in BOOKS} | {"02-accounts": {"via", "writer"}, "13-history": set()}
ASKED = {name: Asked(book.graph, frozenset(ACTING[name])) for name, book in BOOKS.items()}
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


def held(kind: str = "application", permissions: frozenset[str] = ALL, roles: frozenset[str] | None = None) -> Any:
    return SimpleNamespace(kind=kind, permissions=permissions, tenant_id="t", client_id="c", user_name="", directory_roles=roles)


def reach(*problems: str) -> pd.DataFrame:
    listed = [(f"{number:012d}", "name", "" if problem else "arn:x", problem) for number, problem in enumerate(problems)]
    return pd.DataFrame(listed, columns=["account_id", "account_name", "reach", "problem"]).astype("str")


def table(who: Any = None, read: pd.DataFrame | None = None, written: pd.DataFrame | None = None) -> pd.DataFrame:
    both = (reach("", "") if read is None else read, reach("", "") if written is None else written)
    return permits.table(who or held(), ASKED, *both).set_index("runbook")


def test_who_has_everything_may_run_every_runbook() -> None:
    found = table()
    assert list(found.index) == list(BOOKS)
    assert set(found.result) == {"ok"}
    assert found.loc["03-inventory", "aws"] == "reads 2 of 2 accounts"
    assert found.loc["02-accounts", "aws"].startswith("reads 2 of 2 accounts; writes 2 of 2 accounts; ")
    assert "cloudformation:DescribeStackResources" in found.loc["02-accounts", "aws"]


def test_what_only_some_parameters_ask_of_aws_is_named() -> None:
    found = table()
    assert found.loc["10-access", "aws"].endswith("via needs cloudtrail:LookupEvents too, which was not tried")
    assert found["aws"].str.contains("cloudtrail").sum() == 1


@pytest.mark.parametrize("runbook", [name for name, book in BOOKS.items() if any(book.graph)])
def test_each_lacking_permission_is_named_where_it_is_needed(runbook: str) -> None:
    """Without a permission to read or send a runbook cannot do its work; without one that it tries, something stays unknown."""
    reads, tries, sends = BOOKS[runbook].graph
    for call in (one for one in (*reads, *sends, *tries) if one.application):
        alternatives = {name.removesuffix(OWNER) for one in (*call.application, *call.unsure) for name in one}
        row = table(held(permissions=ALL - alternatives)).loc[runbook]
        assert row["result"] in (("look", "missing") if call in tries else ("missing",))
        assert all(name in row["graph"] for name in least([call], "application"))


def test_what_documents_disagree_about_may_not_be_enough() -> None:
    row = table(held(permissions=ALL - {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})).loc[
        "09-audit"
    ]
    assert (row["result"], "may not be enough" in row["graph"]) == ("look", True)


def test_group_create_alone_cannot_change_what_it_made() -> None:
    """Only an application can have it, and a group without owner is changed by Group.ReadWrite.All alone (graph/api/group-post-groups)."""
    only = ALL - {"Group.ReadWrite.All", "Directory.ReadWrite.All"}
    row = table(held(permissions=only)).loc["05-groups"]
    assert (row["result"], permits.CREATE_ONLY in row["graph"]) == ("ok", True)
    assert table(held("delegated", permissions=only)).loc["05-groups", "result"] == "missing"
    assert permits.CREATE_ONLY not in table().loc["05-groups", "graph"]


def test_owned_by_is_to_look_at_since_it_holds_for_owned_objects_only() -> None:
    """Owning the app registration is not owning the service principal (learn.microsoft.com graph/permissions-reference)."""
    owned = ALL - {"Application.ReadWrite.All", "Directory.ReadWrite.All"}
    row = table(held(permissions=owned)).loc["04-approles"]
    assert (row["result"], "owner of the enterprise application" in row["graph"]) == ("look", True)


def test_assigning_needs_a_reading_permission_beside_it() -> None:
    """AppRoleAssignment.ReadWrite.All alone is refused (microsoft-graph-docs #12833, #20368)."""
    assert table(held(permissions=frozenset({"AppRoleAssignment.ReadWrite.All"}))).loc["06-assignments", "result"] == "missing"


@pytest.mark.parametrize(
    ("roles", "runbook", "result"),
    [
        (frozenset(), "04-approles", "missing"),
        (frozenset({APPLICATION_ADMINISTRATOR}), "04-approles", "ok"),
        (frozenset({APPLICATION_ADMINISTRATOR}), "05-groups", "missing"),
        (frozenset({GLOBAL_ADMINISTRATOR}), "05-groups", "ok"),
        (frozenset(), "03-inventory", "ok"),
        (frozenset(), "09-audit", "look"),
        (None, "04-approles", "unknown"),
    ],
)
def test_a_person_needs_a_directory_role_to_change_something(roles: frozenset[str] | None, runbook: str, result: str) -> None:
    """learn.microsoft.com graph/api/serviceprincipal-update: the permission alone is not enough for a person."""
    row = table(held("delegated", roles=roles)).loc[runbook]
    assert row["result"] == result
    assert ("lacks" in row["directory_role"]) == (result in ("missing", "look"))


def test_reach_is_told_for_reading_and_for_writing() -> None:
    row = table(read=reach("", "denied", ""), written=reach("denied", "denied", "")).loc["02-accounts"]
    assert row["result"] == "look"
    assert row["aws"].startswith("reads 2 of 3 accounts, lacks 1; writes 1 of 2 accounts, lacks 1; ")
    assert table(read=reach("denied")).loc["03-inventory", "result"] == "missing"
    assert table(read=reach("denied")).loc["13-history", "aws"] == "needs none"


def test_aws_is_no_condition_of_the_application() -> None:
    row = table(read=reach("denied")).loc["01-application"]
    assert row["result"] == "ok"
    assert row["aws"].startswith("no condition")


def test_roles_in_aws_are_those_that_the_runbooks_declare(twin: twins.Twin) -> None:
    found = ground.permits(auth.held(twin.session("poor")), reach=reach(""), writing=reach("denied")).set_index("runbook")
    assert set(found.index) == {book.id for book in runbooks.catalogue()}
    assert "writes 0 of 1" in found.loc["02-accounts", "aws"]
    assert "lacks" in found.loc["04-approles", "graph"]


def test_directory_roles_come_from_the_token_of_a_person(twin: twins.Twin) -> None:
    around = twin.around(person=twin.at_device_page(user=next(iter(twin.tenant.tables["users"])), wids=[APPLICATION_ADMINISTRATOR]))
    session = twin.session("writer", "device-code", around)
    assert auth.held(session).directory_roles == {APPLICATION_ADMINISTRATOR}
