"""A whole rollover over HTTP against both twins, with faults and deaths on every stage: after every request, who could sign in still can.

AWSFED_CAMPAIGN_ACCOUNTS: how many accounts (8 by default; 250 for the long size, which takes minutes).
"""

import itertools
import os
import random
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from types import SimpleNamespace

import pytest
from fake_service import FakeJournal, Stop
from target import served

from awsfed_lib.core.certificate.campaign import Campaign, Proof
from awsfed_lib.core.errors import AwsfedError, GraphError, UnsafePlan
from awsfed_lib.edges import rollover
from awsfed_lib.edges import signin as ours
from awsfed_lib.edges.amazon.accounts import Accounts
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.amazon.survey import documents
from awsfed_lib.edges.entra.auth import SignIn, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.edges.entra.pace import Clock
from awsfed_lib.edges.records.response_entry import Given
from awsfed_lib.sandbox import by_hand as portal
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.entra import certificates as twin_certificates
from awsfed_lib.sandbox.keys import Validity
from awsfed_lib.sandbox.serve import Size
from awsfed_lib.sandbox.store import Write

ACCOUNTS = int(os.environ.get("AWSFED_CAMPAIGN_ACCOUNTS", "8"))
LONG = ACCOUNTS > 50
NAME = "CN=AWS 2029"
DEATHS = 8 if LONG else 3  # of each stage that sends
SAMPLE = 2  # other accounts that are asked about after a request to one
AWS_FAULTS = {"seed": 5, "rate": 0.02, "modes": ["throttling", "500", "500-applied", "503", "nc", "na", "pqa"]}
ENTRA_FAULTS = {"seed": 7, "rate": 0.06, "modes": ["nc", "na", "pc", "pqa", "nqa"], "match": "v1.0|metadata"}
QUICK = Clock(sleep=lambda seconds: time.sleep(min(seconds, 0.002)))


class MortalAccounts(Accounts):
    """The accounts as a run sees them that may die: before or after the request with that number."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.death, self.count, self.turn = None, 0, Lock()

    def _sent(self, request):
        with self.turn:
            number, self.count = self.count, self.count + 1
        if self.death == ("before", number):
            raise Stop
        verdict = super()._sent(request)
        if self.death == ("after", number):
            raise Stop
        return verdict


class MortalGraph(Graph):
    """Graph as a run sees it that may die before or after it sends."""

    death = None

    def send(self, requests):
        if self.death and self.death[0] == "before":
            raise Stop
        answers = super().send(requests)
        if self.death:
            raise Stop
        return answers


class Oracle:
    """Asks both twins after every request that changes one: can everybody of `people` (account → user, role) sign in?"""

    def __init__(self, box, expected):
        self.box, self.expected = box, set(expected)
        self.people = dict(self._people())
        self.questions, self.no, self.requests = 0, [], Counter()
        self.chance, self.turn = random.Random(1), Lock()
        box.tenant.after_write.append(self._entra)
        self._carry_out = box.org._carry_out
        box.org._carry_out = self._aws

    def _people(self):
        """Somebody who can sign in now, in each account where there is somebody."""
        tenant, app = self.box.tenant, self.box.application_id
        users = [key for key, user in tenant.tables["users"].items() if user.get("accountEnabled", True)]
        found = set()
        for user, value in ((one, value) for one in users for value in tenant.role_values(one, app)):
            role = value.split(",")[0].strip()
            account = role.split(":")[4]
            if account in self.expected - found and self.box.can_sign_in(user, role)[0]:
                found.add(account)
                yield account, (user, role)

    @property
    def somebody(self):
        """A user who can sign in, and a role of theirs."""
        return self.people[min(self.people)]

    def _entra(self, tenant, writes):
        del tenant, writes
        self.requests["Entra ID"] += 1
        self.everybody("a write to Entra ID")

    def _aws(self, call, account):
        answer = self._carry_out(call, account)
        if not call.action.startswith(("Get", "List")):
            with self.turn:
                self.requests["AWS"] += 1
                others = self.chance.sample(sorted(self.people), min(SAMPLE, len(self.people)))
            self._ask({account.id, *others} & set(self.people), f"{call.action} in {account.id}")
        return answer

    def everybody(self, after):
        self._ask(self.people, after)

    def _ask(self, accounts, after):
        for account in sorted(accounts):
            yes, why = self.box.can_sign_in(*self.people[account])
            with self.turn:
                self.questions += 1
                self.no += [] if yes else [f"{account} after {after}: {why}"]


class World:
    """A running sandbox and a campaign in it."""

    def __init__(self, box, partition="aws"):
        self.box = box
        self.now = lambda: datetime.now(UTC) + self.later
        self.later, self.mortal = timedelta(), True
        given = {"external_id": "awsfed-sandbox", "partition": partition, "cloud": "sandbox", "workers": 8, "pauses": (0.0, 0.0)}
        self.reader = Organization(via="awsfed-audit", **given)
        client = next(one["appId"] for one in box.world["tenant"]["clients"] if one["name"] == "writer")
        self.session = sign_in(SignIn("sandbox", box.tenant.id, client, "certificate"))
        self.aws = MortalAccounts(Organization(via="awsfed-writer", **given), clock=QUICK)
        self.graph = MortalGraph.writing(self.session, clock=QUICK)
        self.proofs, self.deaths, self.runs = (), Counter(), 0
        self.former = {one.thumbprint for one in rollover.certificates.read(self.live().service_principal)}

    def live(self):
        _, found = documents(self.reader, provider="WAAD")
        parameters = SimpleNamespace(application_id=self.box.application_id, provider="WAAD")
        run = SimpleNamespace(session=self.session, aws=self.aws, parameters=parameters)
        return replace(rollover.live(run, self.graph, found), proofs=self.proofs)

    def stage(self, campaign):
        self.runs += 1
        return rollover.stage(self.live(), campaign, self.now())

    def apply(self, stage, death=None):
        """Apply the plan of a stage as a run would that is approved, and may die."""
        self.aws.count = 0
        self.aws.death = self.graph.death = death
        try:
            return stage.plan.apply(stage.service(self.graph, self.aws), approved=stage.plan.id, journal=FakeJournal())
        except Stop:
            self.deaths[stage.name] += 1
            return None
        finally:
            self.aws.death = self.graph.death = None

    def prove(self, people):
        """Sign in for real with a response of the twin, as 07-signin does, and keep the proof."""
        user, role = people
        text = saml.response(
            self.box.tenant, self.box.application_id, user, recipient=self.box.org.cloud.place.recipient, now=datetime.now(UTC)
        )
        signer = ours.signer(self.graph, self.session, self.box.application_id, now=self.now())
        expected = signer.expected(ours.Evidence(*_nothing()), self.reader.partition)
        given = Given(text)
        checked = ours.check(given, expected, datetime.now(UTC))
        said = ours.proven(self.box.application_id, checked, ours.enter(self.reader, given, checked, [role]))
        assert said["roles"] == [role]
        self.proofs = (*self.proofs, Proof(said["thumbprint"], datetime.fromisoformat(said["issued"])))


def _nothing():
    from made import accounts, assignments, groups, live, members, roles

    return live(), assignments(), members(), groups(), roles(), accounts()


@contextmanager
def running(folder, size):
    with pytest.MonkeyPatch.context() as patch, served(folder, size) as box:
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        yield box


def equip(box, accounts):
    """Assign to one user a role of every account, so that the question can be asked everywhere."""
    tenant, app = box.tenant, box.application_id
    user = next(key for key, one in tenant.tables["users"].items() if "#" not in one["userPrincipalName"] and one["accountEnabled"])
    model = next(one for one in tenant.tables["assignments"].values() if one["principalType"] == "User")
    record, entries, writes = tenant.tables["servicePrincipals"][app], [], []
    for account in (one for one in box.world["org"]["accounts"] if one["id"] in accounts):
        trusting = [role for role in account["roles"] if "AssumeRoleWithSAML" in str(role["trust"]) and "/WAAD" in str(role["trust"])]
        for role in trusting[:2]:
            place = box.org.cloud.place
            pair = [place.iam(account["id"], f"role{role['path']}{role['name']}"), place.iam(account["id"], "saml-provider/WAAD")]
            entry = {"id": tenant.mint(), "value": ",".join(pair), "displayName": pair[0], "description": "x", "isEnabled": True}
            entries.append(entry | {"allowedMemberTypes": ["User"], "origin": "ServicePrincipal"})
            given = {"id": tenant.mint(), "appRoleId": entry["id"], "principalId": user, "resourceId": app}
            writes.append(Write("assignments", given["id"], model | given))
    tenant.commit([Write("servicePrincipals", app, record | {"appRoles": [*record["appRoles"], *entries]}), *writes])


def of(world, **more):
    """The campaign, with every account that cannot be read or written excluded by name."""
    first = Campaign(NAME, wave=50 if LONG else 3, soak=7 * 86_400, **more)
    table = world.stage(first).table
    lost = {row.account_id: row.reason for row in table.itertuples() if row.state in ("unknown", "blocked")}
    return replace(first, excluded={account: f"cannot be reached: {reason}" for account, reason in lost.items()})


def step(world, campaign, oracle):
    """One run: the next stage is planned and sent, waited for, or proven; some runs die."""
    try:
        stage = world.stage(campaign)
    except (AwsfedError, GraphError):  # a run that could not read; the next one does
        return "unread"
    if stage.plan:
        first = world.mortal and world.deaths[stage.name] < DEATHS and len(stage.plan.requests)
        death = (("before", "after")[world.runs % 2], oracle.chance.randrange(min(first, 20))) if first else None
        try:
            world.apply(stage, death)
        except AwsfedError:
            return "stopped"
    elif stage.name == "proof":
        try:
            world.prove(oracle.somebody)
        except (AwsfedError, AssertionError):
            return "unproven"
    elif stage.name == "soak":
        world.later += timedelta(days=8)
    assert stage.name != "refused", stage.reasons
    return stage.name


def test_nobody_is_locked_out_by_a_campaign_with_faults_and_deaths(tmp_path):
    started = time.monotonic()
    with running(tmp_path, Size(accounts=ACCOUNTS)) as box:
        world = World(box)
        campaign = of(world)
        readable = {holder.account_id for holder in world.live().holders if holder.provider_arn} - set(campaign.excluded)
        equip(box, readable)
        oracle = Oracle(box, readable)
        assert len(oracle.people) > 0.9 * len(readable) - 2
        box.tenant.switches = replace(box.tenant.switches, lag_reads=2)
        box.aws_faults.plan(AWS_FAULTS)
        box.entra_faults.plan(ENTRA_FAULTS)
        names = []
        for _ in range(400):
            names.append(step(world, campaign, oracle))
            oracle.everybody(f"stage {names[-1]}")
            if names[-1] == "done":
                break
        box.aws_faults.plan()
        box.entra_faults.plan()
        assert names[-1] == "done", Counter(names)
        assert not oracle.no, oracle.no[:5]
        _report(world, oracle, (started, box))
        _is_over(world, campaign, readable)


def _report(world, oracle, more):
    started, box = more
    fired = len(box.aws_faults.fired) + len(box.entra_faults.fired)
    asked = f"{oracle.questions - len(oracle.no)} of {oracle.questions} times yes"
    print(
        f"campaign: {ACCOUNTS} accounts, {len(oracle.people)} asked about, {dict(oracle.requests)} requests that changed something, {asked};"
        f" {world.runs} runs, {sum(world.deaths.values())} died {dict(world.deaths)}, {fired} faults, {time.monotonic() - started:.0f} s"
    )


def _is_over(world, campaign, readable):
    live = world.live()
    (only,) = rollover.certificates.read(live.service_principal)
    assert only.name == NAME
    assert only.is_active
    for holder in live.holders:
        if holder.account_id in readable:
            assert only.thumbprint in holder.thumbprints, holder.label
            assert not world.former & holder.thumbprints, holder.label
    again = rollover.stage(live, campaign, world.now())
    assert (again.name, again.plan.requests) == ("done", ())
    assert set(world.deaths) >= {"create", "distribute-canary", "distribute-waves", "activate", "retire"}


# --- refusals against the twins ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    with running(tmp_path_factory.mktemp("calm"), Size(accounts=5)) as box:
        yield box


def test_activating_before_the_accounts_hold_it_locks_everybody_out(calm):
    """The oracle can say no: Microsoft's mail orders "activate" before "upload" (github.com/cityofaustin/atd-data-tech issue 13824)."""
    calm.tenant.reset()
    calm.org.reset()
    world = World(calm)
    readable = {holder.account_id for holder in world.live().holders if holder.provider_arn}
    oracle = Oracle(calm, readable)
    try:
        world.apply(world.stage(Campaign(NAME)))
        assert not oracle.no
        live = world.live()
        new = next(one for one in rollover.certificates.read(live.service_principal) if one.name == NAME)
        reckless = rollover_activation(live, new)
        reckless.apply(world.graph, approved=reckless.id, journal=FakeJournal())
        assert oracle.no
        assert all("signature" in line.lower() for line in oracle.no)
    finally:
        calm.tenant.after_write.clear()
        calm.org._carry_out = oracle._carry_out


def rollover_activation(live, new):
    from awsfed_lib.core.certificate import certificate_plan

    return certificate_plan.activate(live.application, rollover.certificates.read(live.service_principal), new)


def test_a_certificate_that_has_expired_is_refused_and_the_emergency_heals(calm):
    """With an expired active one, Entra signs with any valid other at once (tutorial-manage-certificates-…): an outage until AWS has it.

    The claims are those of the gallery: with a claims mapping policy, Entra ID signs with nothing that has expired (AADSTS50146).
    """
    calm.tenant.reset()
    calm.org.reset()
    calm.tenant.commit([Write("policies", calm.application_id, ())])
    now = datetime.now(UTC).replace(microsecond=0)
    certified(calm, "CN=AWS 2023", Validity(now - timedelta(days=1100), now - timedelta(days=5)))
    for provider in (one for account in calm.org.cloud.accounts.values() for one in account.backend.saml_providers.values()):
        provider.saml_metadata_document = calm.tenant.metadata(calm.application_id)
    world = World(calm)
    campaign = of(world)
    oracle = Oracle(calm, {holder.account_id for holder in world.live().holders} - set(campaign.excluded))
    assert oracle.people, "alone, an expired certificate still signs"
    stage = world.stage(campaign)
    assert [words.partition(":")[0] for words in stage.reasons] == ["active-expired"]
    with pytest.raises(UnsafePlan):
        stage.raise_for_refusal()
    urgent = replace(campaign, mode="emergency")
    assert "signs as soon as it is made" in world.stage(urgent).reasons[0]
    world.apply(world.stage(urgent))
    assert oracle.no, "nobody can sign in until the accounts have it"
    stage = world.stage(urgent)
    assert (stage.name, {request.wave for request in stage.plan.requests}) == ("distribute-waves", {0})
    world.apply(stage)
    oracle.no.clear()
    oracle.everybody("the emergency")
    assert not oracle.no


@pytest.mark.parametrize(("partition", "cloud"), [("aws-cn", "china"), ("aws-us-gov", "usgov")])
def test_other_clouds_take_a_certificate_that_was_made_by_hand(tmp_path, partition, cloud):
    """addTokenSigningCertificate is in the global cloud only; the portal's certificate is named by its thumbprint."""
    with running(tmp_path, Size(accounts=3, partition=partition, cloud=cloud)) as box:
        world = World(box, partition)
        world.mortal = False
        campaign = of(world)
        stage = world.stage(campaign)
        assert stage.reasons[0].startswith("cloud:")
        assert "by hand" in list(rollover.recipe(cloud).fact)
        thumbprint = by_hand(box)
        readable = {holder.account_id for holder in world.live().holders if holder.provider_arn} - set(campaign.excluded)
        oracle = Oracle(box, readable)
        campaign = replace(campaign, thumbprint=thumbprint)
        names = list(itertools.takewhile(lambda name: name != "done", (step(world, campaign, oracle) for _ in range(60))))
        assert not oracle.no, oracle.no[:3]
        assert {"distribute-canary", "activate", "proof", "soak", "retire"} <= set(names)
        assert rollover.certificates.read(world.live().service_principal)[0].thumbprint == thumbprint


def by_hand(box):
    """A certificate as New Certificate in the portal makes it, inactive, under the portal's own name; its thumbprint."""
    portal.new_certificate(box.tenant, box.application_id, "CN=Microsoft Azure Federated SSO Certificate")
    record = box.tenant.tables["servicePrincipals"][box.application_id]
    return twin_certificates.thumbprint(box.tenant.vault[record["keyCredentials"][-1]["customKeyIdentifier"]])


def certified(box, name, validity):
    """Give the application of the twin a certificate instead of those that it has; it is the active one."""
    tenant, key = box.tenant, box.application_id
    record = tenant.tables["servicePrincipals"][key]
    pair = tenant.keys.pair(f"{name}/{key}/{validity.start}", "Microsoft Azure Federated SSO Certificate", validity)
    made = dict(zip(("keyCredentials", "passwordCredentials"), twin_certificates.credentials(pair, tenant.mint, name), strict=True))
    tenant.vault[twin_certificates.identifier(pair)] = pair
    active = {"preferredTokenSigningKeyThumbprint": twin_certificates.thumbprint(pair)}
    tenant.commit([Write("servicePrincipals", key, record | made | active)])
