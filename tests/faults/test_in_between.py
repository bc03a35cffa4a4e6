"""Somebody else at the very moment: between our last comparing read and our PATCH, and right after it. Real HTTPS, real plans.

Graph has no If-Match for service principals, so what happens in the milliseconds between read and PATCH cannot be ruled
out by a client. What holds: nobody loses a sign-in by it, and whatever a later read can show is not called applied.
"""

import pytest
from fault_cases import Runs, Watch, shape

PATCH = r"^PATCH /v1\.0/servicePrincipals/"
READ = r"^GET /v1\.0/servicePrincipals/[^/?]+\?\$select=id,appRoles$"
EDITORS = (
    "editor-adds-role",
    "editor-switches-role",
    "editor-removes-role",
    "editor-assigns",
    "editor-unassigns",
    "provisioning",
    "refresh",
)


@pytest.fixture
def runs(twin, tmp_path):
    """Runs that add two roles, watched; each fault is planned by the test."""
    found = Runs(twin, shape(twin, "add"), twin.session("writer"), tmp_path)
    watch = Watch(twin.tenant, twin.faults, found.shape.allowed)
    yield found
    watch.close()
    twin.faults.clear()
    assert not watch.problems


def portal_roles(twin):
    return [role for role in twin.service_principal["appRoles"] if "MadeInThePortal" in (role.get("value") or "")]


def count(twin, method):
    return len([one for one in twin.writes if one[0] == method])


@pytest.mark.parametrize("name", EDITORS)
def test_an_edit_between_plan_and_apply_is_seen_and_nothing_is_sent_where_it_matters(twin, runs, name):
    """Fault of a concurrent portal edit between plan and apply: refused by the fingerprint, and nothing written."""
    twin.faults.plan({"mode": name, "match": READ, "nth": 2})
    ended = runs.run()
    if name in ("editor-assigns", "editor-unassigns", "provisioning"):  # the plan adds roles only, and the job finds its own
        assert ended.verdicts == ["applied"]
    else:
        assert ended.code == "stale-plan"
        assert not twin.writes


@pytest.mark.parametrize("name", ["editor-adds-role", "editor-switches-role", "editor-removes-role"])
@pytest.mark.parametrize("nth", [3, 4, 5])
def test_an_edit_before_the_patch_is_seen_by_the_reads_right_before_it(twin, runs, name, nth):
    """Fault of a concurrent edit between last read and PATCH: several reads in a row must agree, so all but the last gap is closed."""
    twin.faults.plan({"mode": name, "match": READ, "nth": nth})
    ended = runs.run()
    assert (ended.verdicts, ended.code) in ((["failed"], ""), ([], "stale-plan"))
    assert count(twin, "PATCH") == 0


def test_a_role_that_is_added_in_the_last_gap_is_not_wiped_out(twin, runs):
    """The PATCH replaces the collection and does not hold it: Entra ID refuses to leave out an enabled role, and it stays."""
    twin.faults.plan({"mode": "editor-adds-role", "match": PATCH})
    assert runs.run().verdicts == ["failed"]
    assert len(portal_roles(twin)) == 1
    assert runs.settle()[-1].verdicts == ["nothing to do"]  # the next plan names it, and its approval is what removes it
    assert runs.shape.reached()


def test_a_role_that_is_removed_in_the_last_gap_comes_back_without_its_assignments_and_nobody_else_loses(twin, runs):
    """What Graph cannot tell us: the PATCH still holds the role, so it is made again; its assignments went with the portal's removal."""
    before = {role["id"] for role in twin.service_principal["appRoles"]}
    twin.faults.plan({"mode": "editor-removes-role", "match": PATCH})
    assert runs.run().verdicts == ["applied"]
    assert before <= {role["id"] for role in twin.service_principal["appRoles"]}


@pytest.mark.parametrize("name", ["editor-adds-role", "editor-switches-role", "editor-removes-role", "provisioning", "refresh"])
def test_an_edit_right_after_the_patch_is_never_called_applied(twin, runs, name):
    """Faults of the provisioning job and of the collateral refresh: the reads at the end compare with the goal."""
    twin.faults.plan({"mode": f"{name}-after", "match": PATCH})
    assert runs.run().verdicts == ["unverified"]


def test_a_role_that_was_read_as_removed_by_nobody_is_no_loss(twin, runs):
    """Half a list of roles that claims to be whole, as often as it is read: there is nothing that a plan could rest on."""
    before = twin.service_principal["appRoles"]
    twin.faults.plan({"mode": "empty-list", "match": READ, "times": 50})
    ended = runs.run()
    assert ended.code == "plan"  # of the application itself, which without its mode and msiam_access may be a wrong one
    assert not twin.writes
    assert twin.service_principal["appRoles"] == before
