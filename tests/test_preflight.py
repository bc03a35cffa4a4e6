"""Preflight: pure checks, each of which can say no."""

import pandas as pd
import pytest

from awsfed_lib import preflight, runbooks, where
from awsfed_lib.body import Capacity

WRITER = {"Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "Group.Create", "GroupMember.Read.All"}
ROOM = Capacity(used=70, limit=700, disabled=2, free=630)


def checked(**changed):
    facts = {
        "held": WRITER,
        "plans": {"AAD_PREMIUM"},
        "application": {"preferredSingleSignOnMode": "saml", "appRoleAssignmentRequired": True},
        "jobs": [],
        "capacity": ROOM,
        "reach": pd.DataFrame([("000000012345", "Tutorial", "arn:x", "")], columns=["account_id", "account_name", "reach", "problem"]),
    }
    return preflight.check(**{**facts, **changed}).set_index("check")


def test_a_ready_ground_is_ok_in_every_row_and_asks_for_nothing():
    table = checked()
    assert set(table.result) == {"ok"}
    assert set(table.remedy) == {""}


@pytest.mark.parametrize(
    ("changed", "check", "result"),
    [
        ({"held": WRITER - {"Group.Create"}}, "Graph permissions of 05-groups", "missing"),
        ({"held": WRITER - {"AppRoleAssignment.ReadWrite.All"}}, "Graph permissions of 06-assignments", "missing"),
        ({"held": {"AppRoleAssignment.ReadWrite.All"}}, "Graph permissions of 06-assignments", "missing"),
        ({"held": set()}, "Graph permissions of 09-audit", "missing"),
        ({"plans": {"EXCHANGE_S_STANDARD"}}, "licence for assigning groups", "look"),
        ({"application": {"preferredSingleSignOnMode": None, "appRoleAssignmentRequired": True}}, "single sign-on mode", "look"),
        ({"application": {"preferredSingleSignOnMode": "saml", "appRoleAssignmentRequired": False}}, "assignment required", "look"),
        ({"jobs": [{"schedule": {"state": "Active"}}]}, "role import (synchronization jobs)", "missing"),
        ({"capacity": Capacity(700, 700, 0, 0)}, "room for appRoles", "missing"),
        (
            {"reach": pd.DataFrame([("000000012345", "Tutorial", "", "denied")], columns=["account_id", "account_name", "reach", "problem"])},
            "account 000000012345 Tutorial",
            "look",
        ),
    ],
)
def test_each_thing_that_is_not_ready_has_its_row_and_its_remedy(changed, check, result):
    table = checked(**changed)
    assert table.loc[check, "result"] == result
    assert table.loc[check, "remedy"]


def test_a_paused_role_import_is_no_obstacle():
    """An import that runs re-adds and disables appRoles (azure-docs #23162); one that is stopped does not."""
    assert checked(jobs=[{"schedule": {"state": "Disabled"}}]).loc["role import (synchronization jobs)", "result"] == "ok"


def test_needs_name_runbooks_that_are_there(monkeypatch):
    monkeypatch.setenv(where.ROOT_VARIABLE, str(where.Path(__file__).parents[1]))
    assert set(preflight.NEEDS) <= {book.id for book in runbooks.catalogue()}
