"""AWS as a service for plans: real boto3 over real HTTP against the sandbox, with IAM's refusals, lateness and lost answers."""

import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import scripted
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ParamValidationError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from fake_service import FakeJournal
from saml_made import NOW, TENANT, certificate, document, made

from awsfed_lib.core.accounts import federation, removal
from awsfed_lib.core.accounts.families import Families, Family
from awsfed_lib.core.accounts.federation import Terms
from awsfed_lib.core.certificate import distribution
from awsfed_lib.core.change import Guards
from awsfed_lib.core.errors import StalePlan, UnreadError, UnsafePlan, WriteForbidden
from awsfed_lib.core.tables import rows
from awsfed_lib.edges.amazon import aws, verdicts
from awsfed_lib.edges.amazon.accounts import PAUSES, Accounts
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

OLD, NEW = certificate(), certificate("CN=AWS 2026", NOW, serial=9)
READER = aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", pauses=(0.0, 0.0, 0.0))
WRITES = ("Create", "Update", "Attach", "Detach", "Tag", "Put", "Delete")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


class Side:
    """A served organization, and what awsfed sees of it."""

    def __init__(self, org, url, partition):
        self.org, self.url, self.partition = org, url, partition
        self.families = Families((Family("aws-admin", ("AdministratorAccess",)), Family("tpm-user", ("job-function/ViewOnlyAccess",), 7200)),
                                 partition=partition)  # fmt: skip

    @property
    def session(self):
        hub = self.org.credentials["hub"]
        return rendered.LoopbackSession(rendered.described(self.url, hub.access_key, hub.secret, self.partition))

    @property
    def reader(self):
        return replace(READER, partition=self.partition)

    def service(self, role="awsfed-writer"):
        return Accounts(replace(self.reader, via=role), session=self.session, clock=scripted.Clock(jitter=lambda: 0.5))

    def planned(self, service, **terms):
        """Read everything, and plan it."""
        found = aws.survey(self.reader, self.families, session=self.session)
        names = federation.slugs(aws.listed(self.reader, session=self.session), {})
        desired = federation.desired_roles(self.families, names[names.account_id.isin(found.accounts.account_id)])
        full = Terms(self.families, made(OLD, NEW), TENANT, (OLD.thumbprint,), distribution.read(found.documents), NOW, **terms)
        writing = aws.reach(self.reader, through="awsfed-writer", session=self.session)
        self.accounts = federation.writable(found.accounts, writing)
        return federation.plan(service.subject, found.roles, desired, within=self.accounts, terms=full)

    def carried(self, **terms):
        """Plan and send; then the plan, what came out, and the table of accounts."""
        service = self.service()
        plan = self.planned(service, **terms)
        outcome = plan.apply(service, approved=plan.id, journal=FakeJournal())
        return plan, outcome, federation.results(self.accounts, plan, outcome).set_index("account_id")

    def writes(self, account=""):
        """What was carried out by IAM and changes something: (account, action)."""
        return [(one["account"], one["action"]) for one in self.org.requests
                if one["action"].startswith(WRITES) and not one["error"] and (not account or one["account"] == account)]  # fmt: skip

    def account(self, name):
        return next(one for one in self.org.cloud.accounts.values() if one.name == name)

    def without(self, role, *names):
        """Take a role away from accounts."""
        for name in names:
            roles = self.account(name).backend.roles
            del roles[next(key for key, one in roles.items() if one.name == role)]


@contextmanager
def serving(partition="aws", accounts=4):
    org = Org(world(7, accounts, partition=partition)["org"], lambda _app, _which: document(OLD))
    with Server(org.app) as server:
        yield Side(org, server.url, partition)


@pytest.fixture(scope="module")
def served():
    with serving() as side:
        yield side


@pytest.fixture
def side(served):
    """Four accounts: Sales is federated, the tutorial's account half, and the tooling account not at all."""
    served.org.reset()
    bare(served.account("Identity Tooling"))
    return served


def bare(account):
    """Take provider and roles of the families out of an account."""
    backend = account.backend
    backend.saml_providers.pop("WAAD", None)
    for one in [one for one in account.roles() if "saml-provider/WAAD" in one.assume_role_policy_document]:
        del backend.roles[one.id]
    account.touched()


def test_providers_and_roles_are_made_and_corrected_in_every_account_and_a_second_plan_is_empty(side):
    plan, outcome, results = side.carried()
    assert outcome.verdict == "applied"
    assert {one.fate for one in outcome.sent} == {"sent"}
    assert set(results.verdict) <= {"applied", "as desired", "left alone"}
    assert Counter(results.verdict)["applied"] >= 3
    assert not side.planned(side.service())
    assert not [action for _, action in side.writes() if action.startswith("Delete")]
    assert len(side.writes()) == len(plan.requests)


def test_every_write_goes_to_its_own_account_and_to_the_canary_first(side):
    canary = side.account("Sales").id
    plan, _, _ = side.carried(canary=(canary,))
    assert Counter(account for account, _ in side.writes()) == Counter(request.account_id for request in plan.requests)
    order = [account for account, _ in side.writes()]
    assert set(order[: order.count(canary)]) == {canary}


def test_accounts_that_were_not_read_are_never_written_to(side):
    side.org.cloud.accounts[side.account("Sales").id].reach = "denied"
    _, _, results = side.carried()
    left = results[results.verdict == "left alone"]
    assert side.account("Sales").id in left.index
    assert "could not be assumed" in left.problem[side.account("Sales").id]
    assert not {account for account, _ in side.writes()} & set(left.index)


@pytest.mark.parametrize(
    "faults",
    [
        {"lost_answers": 3},
        {"concurrent_modifications": 3},
        {"invalid_principals": 3},
        {"create_lag": 2},
        {"stale_reads": 1},
        {"throttled": ["*"], "throttle_burst": 1, "throttle_every": 9},
        {"lost_answers": 3, "concurrent_modifications": 3, "create_lag": 1, "stale_reads": 1},
    ],
    ids=["lost answers", "concurrent", "provider not there yet", "role not there yet", "late reads", "throttled", "all at once"],
)
def test_what_passes_is_waited_for_and_nothing_is_sent_twice_without_looking(side, faults):
    """IAM UserGuide troubleshoot.html (eventual consistency); a lost answer is read back and adopted, never sent again blindly."""
    roles = {account.id: len(account.backend.roles) for account in side.org.cloud.accounts.values()}
    service = side.service()
    plan = side.planned(service)
    side.org.board.change(faults)
    outcome = plan.apply(service, approved=plan.id, journal=FakeJournal())
    assert (outcome.verdict, outcome.problem) == ("applied", "")
    side.org.board.change({"stale_reads": 0, "throttled": []})
    assert not side.planned(side.service())
    new = sum(request.method == "iam:CreateRole" for request in plan.requests)
    assert sum(len(account.backend.roles) for account in side.org.cloud.accounts.values()) == sum(roles.values()) + new


def test_tables_are_read_together_once_and_then_anew(side):
    """What was read ahead is used once: whoever compares a second time must see what is so then."""
    service = side.service()
    keys = [(basis.table, basis.of) for basis in side.planned(service).basis]
    with service.together(keys):
        asked = len(side.org.requests)
        first = {key: service.live(*key) for key in keys}
        assert len(side.org.requests) == asked
        assert {key: service.live(*key) for key in keys} == first
        assert len(side.org.requests) >= asked + len(keys)
        assert len({one["account"] for one in side.org.requests[asked:]}) > 1


def test_role_that_appears_meanwhile_stops_the_plan_and_stays_as_it_is(side):
    service = side.service()
    plan = side.planned(service)
    create = next(request for request in plan.requests if request.method == "iam:CreateRole")
    other = side.org.cloud.accounts[create.account_id]
    template = next(one for one in other.roles() if one.path == "/" and not one.name.startswith(("awsfed", "Organization")))
    template.name = create.content["RoleName"]
    other.touched()
    with pytest.raises(StalePlan):
        plan.apply(service, approved=plan.id, journal=FakeJournal())
    assert not side.writes()


def test_nothing_is_sent_again_once_somebody_else_has_changed_it_in_the_pause(side, monkeypatch):
    """UpdateSAMLProvider has no version to compare with: a repeat after a pause would overwrite what came meanwhile."""
    service = side.service()
    plan = side.planned(service, canary=(side.account("Sales").id,))
    provider = side.account("Sales").backend.saml_providers["WAAD"]
    monkeypatch.setattr(service, "wait", lambda seconds: setattr(provider, "saml_metadata_document", document(NEW)))
    side.org.board.change({"concurrent_modifications": 1})
    outcome = plan.apply(service, approved=plan.id, journal=FakeJournal())
    side.org.board.change({"concurrent_modifications": 0})
    assert outcome.verdict == "failed"
    assert "Meanwhile the live state changed" in outcome.problem
    assert provider.saml_metadata_document == document(NEW)


def test_account_without_the_writer_role_is_left_alone_and_the_others_are_planned(side):
    side.without("awsfed-writer", "Sales")
    broken = side.account("Sales").id
    _, outcome, results = side.carried()
    assert outcome.verdict == "applied"
    assert results.verdict[broken] == "left alone"
    assert "awsfed-writer could not be assumed" in results.problem[broken]


def test_who_has_no_writer_role_at_all_can_plan_and_cannot_send(side):
    """Planning and exporting need no right to write; sending says what is missing, and sends nothing."""
    side.without("awsfed-writer", *(one.name for one in side.org.cloud.accounts.values() if one.role("awsfed-writer")))
    service = side.service()
    plan = side.planned(service)
    assert plan
    with pytest.raises(UnreadError, match=r"awsfed-writer (could not be assumed|may not call)"):
        plan.apply(service, approved=plan.id, journal=FakeJournal())
    assert not side.writes()


def deny(side, name, *actions):
    """Let the writer of an account read, and deny it something."""
    role = side.account(name).role("awsfed-writer")
    role.policies["deny"] = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": list(actions), "Resource": "*"}]}
    )


def test_failure_of_one_account_is_tolerated_and_it_gets_nothing_more(side):
    deny(side, "Sales", "iam:Create*", "iam:Update*", "iam:Attach*")
    broken = side.account("Sales").id
    _, outcome, results = side.carried(failures=1, wave=1)
    assert outcome.verdict == "failed"
    assert results.verdict[broken] == "failed"
    assert "AccessDenied" in results.problem[broken]
    assert "02-accounts renders" in results.problem[broken]
    assert len(side.writes(broken)) <= 2  # one wave of it, and then nothing
    assert set(results.verdict[results.index != broken]) <= {"applied", "as desired", "left alone"}


@pytest.mark.parametrize("canary", ["the broken one", "another"])
def test_failure_of_a_canary_account_stops_everything_whatever_is_tolerated(side, canary):
    broken = side.account("Sales").id
    deny(side, "Sales", "iam:Create*", "iam:Update*", "iam:Attach*")
    chosen = broken if canary == "the broken one" else side.account("Contoso Management").id
    _, _, results = side.carried(failures=12 if canary == "the broken one" else 0, canary=(chosen,), wave=1)
    assert results.verdict[broken] == "failed"
    assert "not sent" in set(results.verdict)
    others = results[(results.index != broken) & (results.index != chosen)]
    assert canary == "another" or "applied" not in set(others.verdict)


def test_policy_that_is_forbidden_by_the_organization_is_told_in_words(side):
    side.org.board.change({"denied_actions": ["iam:CreateRole"]})
    _, outcome, _ = side.carried(canary=(side.account("Sales").id,))
    assert outcome.verdict == "failed"
    assert "let the writer role out of that policy" in outcome.problem


def test_policies_that_02_renders_are_enough_and_the_writer_cannot_touch_itself(side):
    """Least privilege, proven: with exactly the rendered documents everything of this module's plan goes through."""
    rendered_ = aws.permissions.policies(side.reader, side.families, "awsfed-writer")
    for account in side.org.cloud.accounts.values():
        for role, file in (
            ("awsfed-audit", "audit-policy.json"),
            ("awsfed-writer", "writer-policy.json"),
            ("awsfed-remover", "remover-policy.json"),
        ):
            found = account.role(role)
            if found is not None:
                found.policies.clear()
                found.policies["only"] = rendered_[file]
    assert side.carried()[1].verdict == "applied"
    iam = side.service()._hub
    with iam.reading(side.account("Sales").id, via="awsfed-writer", external_id="awsfed-sandbox"), pytest.raises(WriteForbidden):
        iam.iam_once.put_role_policy(RoleName="awsfed-writer", PolicyName="x", PolicyDocument="{}")
    side.removed("Sales")


@pytest.mark.parametrize("partition", ["aws-us-gov"])
def test_other_partitions(partition):
    """ARNs, managed policies and the sign-in endpoint are its own (IAM id_roles_providers_create_saml_assertions); China is in test_onboarding."""
    with serving(partition) as side:
        plan, outcome, _ = side.carried()
        assert outcome.verdict == "applied"
        trust = next(request for request in plan.requests if request.method == "iam:CreateRole").content["AssumeRolePolicyDocument"]
        assert "https://signin.amazonaws-us-gov.com/saml" in trust
        assert all(f"arn:{partition}:iam::" in request.path for request in plan.requests)
        side.removed("Sales")


# --- removal --------------------------------------------------------------------------


def planned_removal(side, name, guards):
    service, only = side.service("awsfed-remover"), aws.Selection((side.account(name).id,))
    found = aws.survey(replace(side.reader, only=only), side.families, session=side.session)
    _, roles = aws.inventory(replace(side.reader, only=only), provider="", session=side.session)
    holder = distribution.read(found.documents)[0]
    trusting = sorted(roles.loc[roles.provider_arn == holder.provider_arn, "role_arn"]) if holder.provider_arn else ()
    return service, removal.plan(service.subject, rows(found.roles), holder, trusting=trusting, guards=guards)


def removed(self, name):
    """Take the federation out of an account, and find nothing left to take."""
    account = self.account(name)
    for other in [one for one in account.roles() if "saml-provider/WAAD" in one.assume_role_policy_document]:
        if not other.name.endswith(("-aws-admin", "-tpm-user")):
            del account.backend.roles[other.id]
    account.touched()
    service, plan = planned_removal(self, name, Guards(max_removed=3))
    assert plan.apply(service, approved=plan.id, journal=FakeJournal()).verdict == "applied"
    assert not [one for one in account.roles() if one.name.endswith(("-aws-admin", "-tpm-user"))]
    assert not [one for one in account.backend.saml_providers.values() if one.name == "WAAD"]
    assert not planned_removal(self, name, Guards(max_removed=3))[1]


Side.removed = removed


def test_roles_go_before_the_provider_and_the_order_is_the_one_that_iam_takes(side):
    side.account("Sales").role("sales-tpm-user").policies["extra"] = "{}"
    side.removed("Sales")
    actions = [action for _, action in side.writes()]
    assert actions[-1] == "DeleteSAMLProvider"
    assert Counter(actions) == {"DetachRolePolicy": 2, "DeleteRolePolicy": 1, "DeleteRole": 2, "DeleteSAMLProvider": 1}


def test_provider_stays_as_long_as_a_role_trusts_it(side):
    """DeleteSAMLProvider does not mind roles that trust it, and nobody could enter them any more (API_DeleteSAMLProvider)."""
    _, plan = planned_removal(side, "Sales", Guards(max_removed=9))
    kept = {change.kind: change.why for change in plan.changes if change.action == "keep"}
    assert kept["provider"].startswith("trusted: ")
    assert not [request for request in plan.requests if request.method == "iam:DeleteSAMLProvider"]


def test_role_that_others_may_assume_stays(side):
    role = side.account("Sales").role("sales-tpm-user")
    policy = json.loads(role.assume_role_policy_document)
    more = {"Effect": "Allow", "Principal": {"AWS": role.account_id}, "Action": "sts:AssumeRole"}
    role.assume_role_policy_document = json.dumps({**policy, "Statement": [*policy["Statement"], more]})
    side.account("Sales").touched()
    _, plan = planned_removal(side, "Sales", Guards(max_removed=9))
    assert "others:" in next(change.why for change in plan.changes if change.label == "sales-tpm-user")


def test_more_than_max_removed_is_refused(side):
    service, plan = planned_removal(side, "Sales", Guards(max_removed=1))
    with pytest.raises(UnsafePlan, match="max_removed of the parameter file is 1"):
        plan.apply(service, approved=plan.id, journal=FakeJournal())
    assert not side.writes()


# --- answers --------------------------------------------------------------------------


def refusal(status, code, message="x"):
    """Make what boto3 raises."""
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "CreateRole")


@pytest.mark.parametrize(
    ("error", "fate", "again"),
    [
        (ConnectTimeoutError(endpoint_url="x"), "refused", True),
        (EndpointConnectionError(endpoint_url="x"), "refused", True),
        (ReadTimeoutError(endpoint_url="x"), "unknown", False),
        (ResponseParserError("half"), "unknown", False),
        (ParamValidationError(report="x"), "refused", False),
        (refusal(500, "ServiceFailure"), "unknown", False),
        (refusal(400, "Throttling"), "refused", True),
        (refusal(409, "EntityAlreadyExists"), "unknown", False),
        (refusal(409, "ConcurrentModification"), "refused", True),
        (refusal(400, "MalformedPolicyDocument", "Invalid principal in policy"), "refused", True),
        (refusal(400, "MalformedPolicyDocument", "Has prohibited field Resource"), "refused", False),
        (refusal(409, "LimitExceeded"), "refused", False),
    ],
    ids=[
        "no connection in time",
        "no connection",
        "no answer",
        "half an answer",
        "parameters",
        "server",
        "throttled",
        "there already",
        "concurrent",
        "principal",
        "policy",
        "quota",
    ],
)
def test_only_what_was_certainly_not_carried_out_is_sent_again(error: Any, fate: str, again: Any) -> None:
    verdict = verdicts.failed(error, "CreateRole")
    assert (verdict.answer.fate, verdict.again) == (fate, again)


def test_entity_that_is_gone_when_it_is_deleted_may_have_been_deleted_by_us():
    gone = refusal(404, "NoSuchEntity")
    assert verdicts.failed(gone, "DeleteRole").answer.fate == "unknown"
    assert verdicts.failed(gone, "AttachRolePolicy") == (verdicts.failed(gone, "AttachRolePolicy").answer, True)


def test_real_pauses_last_longer_than_iam_needs():
    """10 to 30 seconds are common, a minute is rare (github.com/hashicorp/terraform-provider-aws issue 6566)."""
    assert sum(PAUSES) > 60
