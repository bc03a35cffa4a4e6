"""Recovery through real kernels, against a sandbox of its own: revoke somebody, verify once more, restore, and nothing is left to do."""

import json

import pytest
from target import Target, served

pytestmark = pytest.mark.kernel


class Scene(Target):
    """A root with the three runbooks, a running sandbox, and runs in it."""

    def group(self):
        tables = self.sandbox.tenant.tables
        held = (one["principalId"] for one in tables["assignments"].values() if one["resourceId"] == self.sandbox.tenant.world["main"])
        return next(principal for principal in held if principal in tables["groups"])

    def assigned(self):
        return {(one["principalId"], one["appRoleId"]) for one in self.sandbox.tenant.tables["assignments"].values()}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with served(root, books="1[456]-*") as sandbox:
        yield Scene(root, sandbox)


def test_revoked_verified_restored_and_then_nothing_is_left_to_do(scene):
    group, before = scene.group(), scene.assigned()
    number = sum(principal == group for principal, _ in before)
    planned = scene.run("16", group=group, max_removed=number)
    assert (planned.verdict, scene.assigned()) == ("planned", before)
    revoked = scene.run("16", group=group, max_removed=number, approved=planned.plans[0])
    assert revoked.verdict == "applied"
    assert before - scene.assigned() == {pair for pair in before if pair[0] == group}
    name = revoked.record.folder.name
    policy = json.loads((revoked.record.folder / "deny_older_sessions.json").read_bytes())
    assert "aws:TokenIssueTime" in policy["Statement"][0]["Condition"]["DateLessThan"]
    page = (revoked.record.folder / "record.html").read_text()
    assert "It ends no session" in page
    assert "AWSRevokeOlderSessions" in page

    early = scene.run("15", verify_run=name)
    assert (early.verdict, early.code, early.problem) == ("too early", 5, "too early: 20 minutes")
    holds = scene.run("15", verify_run=name, wait_minutes=0)
    assert (holds.verdict, holds.code) == ("nothing to do", 0)

    way = scene.run("14", restore_from=name)
    assert way.verdict == "planned"
    restored = scene.run("14", restore_from=name, approved=way.plans[0])
    assert restored.verdict == "applied"
    assert scene.assigned() == before
    again = scene.run("14", restore_from=name, approved=way.plans[0])
    assert again.verdict == "nothing to do"

    differs = scene.run("15", verify_run=name, wait_minutes=0)
    assert (differs.verdict, differs.code) == ("differs", 4)
    assert set(differs.record.table("differences")["what"]) == {"foreign"}


def test_a_person_who_was_revoked_is_back_in_every_group_and_nothing_else_moved(scene):
    tables = scene.sandbox.tenant.tables
    user, before = next(iter(tables["members"][scene.group()])), (scene.assigned(), dict(tables["members"]))
    who = tables["users"][user]["userPrincipalName"]
    revoked = scene.run("16", user=who, max_removed=50, approved=scene.run("16", user=who, max_removed=50).plans[0])
    assert revoked.verdict == "applied"
    gone = {group for group, people in before[1].items() if user in people and user not in tables["members"][group]}
    assert gone

    name = revoked.record.folder.name
    way = scene.run("14", restore_from=name)
    restored = scene.run("14", restore_from=name, approved=way.plans[0])
    assert restored.verdict == "applied"
    assert scene.assigned() == before[0]
    assert {group: set(people) for group, people in tables["members"].items()} == {
        group: set(people) for group, people in before[1].items()
    }
    assert f"Put {who} into" in (way.record.folder / "record.html").read_text()
