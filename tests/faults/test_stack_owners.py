"""What a CloudFormation stack owns is never written, and what nobody could say who owns says so: 02, 08 and 12 over a sandbox."""

import json
import os
import random

import executed
import pytest
import yaml
from target import served

from awsfed_lib.sandbox.serve import Size

WORLDS = int(os.environ.get("AWSFED_OWNER_WORLDS", "3"))  # of the law; full size in `make faults`
ASKED = "cloudformation:DescribeStackResources"
KINDS = {"role": "AWS::IAM::Role", "saml-provider": "AWS::IAM::SAMLProvider"}


class Place:
    """A sandbox whose accounts have roles of the families, changed by hand, and the stacks that a test puts them into."""

    def __init__(self, root, box):
        self.box, self.file = box, root / "parameters/here.yml"
        said = yaml.safe_load((root / "parameters/sandbox.yml").read_text())
        said |= {"application_id": box.world["tenant"]["main"], "tenant_id": box.tenant.id}
        self.file.write_text(yaml.safe_dump(said))
        self.fresh()

    def fresh(self):
        self.box.org.reset()
        for account in self.accounts:
            account.stacks = []

    def execute(self, number, **given):
        return executed.execute(number, self.file, **given)

    @property
    def accounts(self):
        return [one for one in self.box.org.cloud.accounts.values() if one.state == "ACTIVE" and one.role("awsfed-writer")]

    def drifted(self, account):
        """Roles of the families of which somebody shortened the sessions by a hand's breadth; 02 sets that right."""
        found = [one for one in account.roles() if one.name.endswith(("aws-admin", "read-only-user"))]
        for one in found:
            one.description = "changed by hand"
        account.touched()
        return [one.arn for one in found]

    def put_into_stack(self, arn, region="us-east-1", **entry):
        """Put a role or provider into a stack of its account."""
        account = self.box.org.cloud.accounts[arn.split(":")[4]]
        kind = KINDS[arn.split(":")[5].partition("/")[0]]
        physical = arn if "saml-provider" in kind.lower() or "SAML" in kind else arn.rpartition("/")[2]
        stack_id = f"arn:aws:cloudformation:{region}:{account.id}:stack/landing-zone/1"
        stack = {"name": "landing-zone", "id": stack_id, "resources": [{"type": kind, "id": physical} | entry]}
        account.stacks = [*account.stacks, stack]

    def deny(self, account):
        """Take the permission away from the role that reads."""
        policies = account.role("awsfed-audit").policies
        for name, text in policies.items():
            document = json.loads(text)
            for statement in document["Statement"]:
                statement["Action"] = [one for one in statement["Action"] if one != ASKED]
            policies[name] = json.dumps(document)

    def written(self, since):
        """What was carried out and changes something, after so many requests: texts of (account, what was asked)."""
        return [
            one
            for one in self.box.org.requests[since:]
            if not one["error"] and not one["action"].startswith(("Get", "List", "Assume", "Desc"))
        ]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    with served(root, Size(accounts=8)) as box:
        yield Place(root, box)


def rows_about(plan, arn):
    return [change for change in plan.changes if change.key.split(" ")[0] == arn]


def test_an_owned_role_is_kept_and_the_row_says_where_it_is_changed(place):
    place.fresh()
    account = place.accounts[0]
    owned, *free = place.drifted(account)
    place.put_into_stack(owned)
    names = place.execute("02", include_accounts=[account.id], approve=False)
    (row,) = rows_about(names["plan"], owned)
    assert (row.action, row.why) == (
        "keep", "owned: CloudFormation stack landing-zone in us-east-1 owns the role; change it there.",
    )  # fmt: skip
    assert {request.settled.of for request in names["plan"].requests} >= set(free)
    assert owned not in {request.settled.of for request in names["plan"].requests}
    assert {row.why for row in rows_about(names["plan"], free[0])} == {""}


@pytest.mark.parametrize("how", ["denied", "another kind of resource", "not in these regions"])
def test_an_owner_that_is_not_known_is_part_of_the_plan_and_its_id(place, how):
    place.fresh()
    account = place.accounts[0]
    (arn, *_) = place.drifted(account)
    before = place.execute("02", include_accounts=[account.id], approve=False)["plan"]
    if how == "denied":
        place.deny(account)
    elif how == "another kind of resource":
        place.put_into_stack(arn, type="AWS::SSM::Parameter")
    else:
        place.put_into_stack(arn, region="eu-west-1")
    plan = place.execute("02", include_accounts=[account.id], approve=False)["plan"]
    if how == "not in these regions":
        assert plan.id == before.id
        plan = place.execute("02", include_accounts=[account.id], approve=False, stack_regions=["us-east-1", "eu-west-1"])["plan"]
        assert {row.action for row in rows_about(plan, arn)} == {"keep"}
        return
    assert plan.id != before.id
    assert all(row.why.startswith("ownership not known: ") for row in rows_about(plan, arn))
    assert {request.settled.of for request in plan.requests} == {request.settled.of for request in before.requests}


def test_an_owned_provider_keeps_the_gate_shut_and_its_metadata(place):
    place.fresh()
    given = {"certificate": "CN=AWS 2031", "include_accounts": [one.id for one in place.accounts]}
    assert place.execute("08", **given)["outcome"].verdict == "applied"
    rollout = place.execute("08", **given, approve=False)
    owned = next(request.settled.of for request in rollout["plan"].requests)
    place.put_into_stack(owned)
    seen = len(place.box.org.requests)
    other = place.execute("08", **given)
    assert owned not in {request.settled.of for request in other["plan"].requests}
    (row,) = [row for row in other["rollout"].itertuples() if row.provider_arn == owned]
    assert (row.state, row.reason.split(":")[0]) == ("blocked", "owned")
    assert place.written(seen)
    assert owned.split(":")[4] not in {one["account"] for one in place.written(seen)}


def test_an_owned_role_stays_and_so_does_the_provider_that_it_trusts(place):
    place.fresh()
    account = place.accounts[0]
    given = {"account_id": account.id, "max_removed": 60, "approve": False}
    plan = place.execute("12", **given)["course"].steps[-1].plan
    removed = [change.key for change in plan.changes if (change.action, change.kind) == ("remove", "role")]
    assert removed
    place.put_into_stack(removed[0])
    plan = place.execute("12", **given)["course"].steps[-1].plan
    kept = {change.key: change.why.partition(":")[0] for change in plan.changes if change.action == "keep"}
    assert kept[removed[0]] == "owned"
    assert [why for arn, why in kept.items() if arn.endswith("saml-provider/WAAD")] == ["trusted"]
    assert removed[0] not in {request.settled.of for request in plan.requests}


def test_no_owned_object_is_written_and_no_unknown_one_goes_unsaid(place):
    """The law, over worlds in which chance says what is owned, in which Region, and where nobody may ask."""
    counts = {"owned": 0, "unknown": 0, "written": 0}
    for seed in range(WORLDS):
        chance = random.Random(f"owners {seed}")
        place.fresh()
        arns = [arn for account in place.accounts for arn in place.drifted(account)]
        owned = set(chance.sample(arns, len(arns) // 2))
        denied = {account.id for account in chance.sample(place.accounts, 2)}
        for arn in owned:
            place.put_into_stack(arn, chance.choice(["us-east-1", "eu-west-1"]))
        for account in place.accounts:
            if account.id in denied:
                place.deny(account)
        names = place.execute("02", stack_regions=["us-east-1", "eu-west-1"], include_accounts=[one.id for one in place.accounts])
        written = {request.settled.of for request in names["plan"].requests} & set(arns)
        known = {arn for arn in arns if arn.split(":")[4] not in denied}
        assert names["outcome"].verdict == "applied"
        assert not written & owned & known
        assert all(
            "ownership not known" in row.why for arn in written - known for row in rows_about(names["plan"], arn) if row.action != "keep"
        )
        assert not any("ownership not known" in row.why for arn in known for row in rows_about(names["plan"], arn))
        counts["owned"] += len(owned & known)
        counts["unknown"] += len(written - known)
        counts["written"] += len(written & known)
    print(f"ownership: {WORLDS} worlds, {counts}")
    assert all(counts.values())
