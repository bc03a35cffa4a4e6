"""Random worlds for property tests: every mixture of live, desired, disabled, foreign and unread that the laws allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from fake_service import World
from hypothesis import strategies as st
from made import APPLICATION, MSIAM, account, accounts, assignment, assignments, desired, guid, roles, value, wire

from awsfed_lib.core.change import Guards
from awsfed_lib.core.plan import Plan
from awsfed_lib.core.roles import approles

ACCOUNTS = ("000000012345", "111111111111", "222222222222")
NAMES = ("Admin", "Auditors", "Billing")
PEOPLE = (("group-a", "Group"), ("group-b", "Group"), ("ursula", "User"))
FOREIGN = (
    wire("000000012345", "x", id=guid("null"), value=None, displayName="User", description=None, origin="Application"),
    wire("000000012345", "x", id=guid("odd"), value="an.app.role", secretKey={"nested": [1, None]}),
    wire("000000012345", "x", id=guid("short"), value="arn:aws:iam::12345:role/Admin,arn:aws:iam::12345:saml-provider/WAAD"),
    wire("111111111111", "FromTheApp", origin="Application"),
    wire("111111111111", "FromTheAppToo", origin="Application", isEnabled=False),
)


@dataclass(frozen=True)
class Scenario:
    """One world, what is desired of it, and under which limits."""

    live: tuple[dict[str, Any], ...]
    wanted: tuple[tuple[str, str], ...]
    unread: frozenset[str]
    assigned: tuple[dict[str, Any], ...]
    guards: Guards

    def world(self) -> World:
        world = World(assignments=self.assigned)
        world.tables["app_roles"] = [dict(entry) for entry in self.live]
        return world

    @property
    def accounts(self) -> pd.DataFrame:
        return accounts(*(account(name, "AccessDenied" if name in self.unread else "") for name in ACCOUNTS))

    @property
    def desired(self) -> pd.DataFrame:
        return desired(*self.wanted)

    def plan(self, world: World | None = None) -> Plan:
        """Plan from what is live in `world` now, or from the scenario as it was made."""
        live = world.app_roles if world else approles.entries(self.live)
        given = world.assignments if world else assignments(*self.assigned)
        return approles.plan(
            APPLICATION, live, self.desired, within=approles.inventoried(self.accounts, roles()), assignments=given, guards=self.guards
        )


@st.composite
def scenarios(draw: st.DrawFn, removed: st.SearchStrategy[int] = st.sampled_from([0, 1, 3, 1000])) -> Scenario:
    states = st.sampled_from(["nowhere", "live", "desired", "both", "disabled", "disabled and desired"])
    live, wanted = [MSIAM], []
    for name in [(account_id, role) for account_id in ACCOUNTS for role in NAMES]:
        state = draw(states)
        if state in ("live", "both", "disabled", "disabled and desired"):
            entry = wire(*name, isEnabled="disabled" not in state)
            if draw(st.integers(0, 3)) == 0:
                entry["value"] = ",".join(reversed(entry["value"].split(",")))
            live.append(entry)
        if state in ("desired", "both", "disabled and desired"):
            wanted.append(name)
    live += draw(st.lists(st.sampled_from(FOREIGN), unique_by=lambda entry: entry["id"]))
    edges = draw(st.sets(st.tuples(st.sampled_from([entry["id"] for entry in live]), st.sampled_from(PEOPLE)), max_size=6))
    return Scenario(
        tuple(draw(st.permutations(live))),
        tuple(draw(st.permutations(wanted))),
        frozenset(draw(st.sets(st.sampled_from(ACCOUNTS)))),
        tuple(assignment(app_role_id, *person) for app_role_id, person in sorted(edges)),
        Guards(max_removed=draw(removed)),
    )


def of_account(entry: dict[str, Any]) -> str:
    pair = approles.parse(entry["value"] or "")
    return pair.account_id if pair else ""


__all__ = ["ACCOUNTS", "NAMES", "Scenario", "of_account", "scenarios", "value"]
