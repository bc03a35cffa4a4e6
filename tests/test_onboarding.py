"""An account comes, people sign in, and it leaves again: 02, 11 and 12 against a sandbox of both clouds, in three partitions.

The sign-in oracle verifies a signed SAML response as AWS does; it, and not the runbook, says whether somebody can enter.
"""

import os

import executed
import pytest
import yaml
from target import Target, served

from awsfed_lib.core.accounts.course import Course, Step
from awsfed_lib.core.change import Subject
from awsfed_lib.core.errors import UnsafePlan
from awsfed_lib.core.plan import Plan
from awsfed_lib.sandbox.serve import Size

PARTITIONS = os.environ.get("AWSFED_PARTITIONS", "aws,aws-cn").split(",")  # aws-us-gov too: ten seconds each
NEW = "QA"  # the account that nobody has connected to Entra ID yet


class Place(Target):
    """A root with our runbooks and a running sandbox."""

    def __init__(self, root, sandbox, partition):
        super().__init__(root, sandbox)
        self.account = next(one for one in sandbox.org.cloud.accounts.values() if one.name == NEW)
        self.file = root / "parameters/here.yml"
        said = yaml.safe_load((root / "parameters/sandbox.yml").read_text()) | {"partition": partition}
        self.file.write_text(yaml.safe_dump(said | {"application_id": sandbox.world["tenant"]["main"], "tenant_id": sandbox.tenant.id}))

    def execute(self, number, **given):
        return executed.execute(number, self.file, **given)

    def arn(self, family):
        return self.sandbox.org.cloud.place.iam(self.account.id, f"role/qa-{family}")

    def person(self, family):
        """A direct member of the group of a role; the first person of the tenant becomes one where there is none."""
        tables = self.sandbox.tenant.tables
        group = next(one["id"] for one in tables["groups"].values() if one["displayName"] == f"qa-{family}")
        held = tables["members"].get(group, ())
        able = [key for key in held if key in tables["users"] and tables["users"][key]["accountEnabled"]]
        if not able:
            able = [next(key for key, one in tables["users"].items() if one["accountEnabled"] and "#EXT#" not in one["userPrincipalName"])]
            tables["members"][group] = (*held, able[0])
        return able[0]


@pytest.fixture(scope="module", params=PARTITIONS)
def place(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with served(root, Size(accounts=20, partition=request.param)) as sandbox:
        yield Place(root, sandbox, request.param)


STEPS = ["Providers and roles of the accounts", "Groups of", "appRoles of", "Assignments of"]


def test_new_account_is_brought_in_step_by_step_until_people_sign_in(place):
    """Each run plans the first step that is not done; nothing of a later one is sent with it."""
    titles = []
    while True:
        names = place.execute("11", account_id=place.account.id)
        if names["course"].finished:
            break
        assert names["outcome"].verdict == "applied"
        titles.append(names["plan"].title)
        assert len(titles) <= len(STEPS)
    wanted = [title for title in STEPS if title != "Groups of" or len(titles) == len(STEPS)]  # some worlds have the groups already
    assert all(title.startswith(start) for title, start in zip(titles, wanted, strict=True))
    assert set(names["course"].table["state"]) == {"done"}
    for family in ("aws-admin", "read-only-user"):
        assert place.sandbox.can_sign_in(place.person(family), place.arn(family)) == (True, "")
    assert "high" not in set(names["run"].record.table("findings")["severity"]), "an empty group is low: members are for people to add"


def test_account_that_came_is_as_02_would_have_made_it(place):
    names = place.execute("02", include_accounts=[NEW], approve=False)
    assert names["outcome"].verdict == "nothing to do"
    assert names["results"].verdict.tolist() == ["as desired"]
    assert {path.name for path in (names["run"].folder / "exports").iterdir()} == {
        "plan.sh", "stackset.json", "main.tf.json", "hub-policy.json", "audit-policy.json", "writer-policy.json", "remover-policy.json",
    }  # fmt: skip


def test_account_leaves_in_the_order_that_sends_nobody_to_a_role_that_is_gone(place):
    person = place.person("aws-admin")
    with pytest.raises(UnsafePlan, match="max_removed is 0"):
        place.execute("12", account_id=place.account.id)
    first = place.execute("12", account_id=place.account.id, max_removed=40)
    assert first["plan"].title.startswith("appRoles of")
    assert {loss.principal_name for loss in first["plan"].losses} >= {"qa-aws-admin"}
    assert place.arn("aws-admin") in set(first["losses"].paths["role_arn"])
    assert "qa-aws-admin" in set(first["losses"].groups["group_name"])
    assert place.account.role("qa-aws-admin") is not None
    assert place.sandbox.can_sign_in(person, place.arn("aws-admin"))[0] is False
    second = place.execute("12", account_id=place.account.id, max_removed=40)
    assert second["outcome"].verdict == "applied"
    assert place.account.role("qa-aws-admin") is None
    assert not [one for one in place.account.backend.saml_providers.values() if one.name == "WAAD"]
    third = place.execute("12", account_id=place.account.id, max_removed=40)
    assert third["course"].finished
    assert [one for one in place.sandbox.tenant.tables["groups"].values() if one["displayName"] == "qa-aws-admin"], "groups are kept"


@pytest.mark.parametrize("place", ["aws"], indirect=True)
def test_closed_account_loses_what_entra_id_has_of_it(place):
    """Its roles cannot be reached any more; whoever was sent to them is not sent there again."""
    sales = next(one for one in place.sandbox.org.cloud.accounts.values() if one.name == "Sales")
    sales.state = "CLOSED"
    names = place.execute("12", account_id=sales.id, max_removed=40)
    assert names["outcome"].verdict == "applied"
    last = place.execute("12", account_id=sales.id, max_removed=40)
    assert last["course"].finished
    assert "CLOSED" in last["course"].steps[-1].plan.changes[0].why


@pytest.mark.kernel
@pytest.mark.parametrize("place", ["aws"], indirect=True)
def test_real_kernels_plan_both(place):
    place.sandbox.org.reset()
    coming = place.run("11", account_id=place.account.id)
    assert (coming.verdict, coming.code) == ("planned", 3)
    other = next(one for one in place.sandbox.org.cloud.accounts.values() if one.name == "Data Platform")
    going = place.run("12", account_id=other.id, max_removed=40)
    assert (going.verdict, going.code) == ("planned", 3)


def test_a_step_that_is_blocked_sends_nothing():
    nothing = Plan("t", Subject("organization", "1", "one", "1/aws"), (), (), (), ())
    course = Course((Step("one", nothing, "the account is denied"), Step("two", nothing)))
    with pytest.raises(UnsafePlan, match="the account is denied"):
        course.service()
    assert not course.finished
    assert course.table["state"].tolist() == ["blocked", "later"]
