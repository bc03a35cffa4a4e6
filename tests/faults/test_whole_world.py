"""No step that can lock people out is judged by what parameters selected, and what was skipped is never taken for absent.

Each case draws a selection of accounts (or what an account shows for a moment), carries every planned step of a runbook out on a sandbox
of both clouds, and asks its sign-in oracle (a signed SAML response, judged as AssumeRoleWithSAML) about everybody who could sign in before.

AWSFED_WORLD_CASES: how many selections 08-certificates is driven with; 04, 06 and 12 are driven with a tenth of that.
"""

import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import executed
import pytest
from fake_service import FakeJournal
from target import served

from awsfed_lib.core.certificate.campaign import Proof
from awsfed_lib.core.errors import AwsfedError
from awsfed_lib.edges import rollover
from awsfed_lib.edges.amazon import aws
from awsfed_lib.edges.amazon.accounts import Accounts
from awsfed_lib.edges.amazon.organization import Organization
from awsfed_lib.edges.entra.auth import SignIn, sign_in
from awsfed_lib.edges.entra.graph import Graph
from awsfed_lib.sandbox.amazon.wire import AwsError
from awsfed_lib.sandbox.entra.identifiers import assignment_id
from awsfed_lib.sandbox.serve import Size
from awsfed_lib.sandbox.store import Write

CASES = int(os.environ.get("AWSFED_WORLD_CASES", "12"))
FEW = max(4, CASES // 10)
MOST_RUNS = 25


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    quick = SimpleNamespace(sleep=lambda _: None)
    root = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch, served(root, Size(accounts=12)) as sandbox:
        patch.setattr("botocore.endpoint.time", quick)
        patch.setattr("awsfed_lib.edges.amazon.rounds.time", quick)
        sandbox.file, sandbox.parameters = root / "parameters/sandbox.yml", root / "parameters"
        yield sandbox


def fresh(box, chance):
    """The world as it began; in a third of the worlds one role is reached through a provider of another name."""
    box.tenant.reset()
    box.org.reset()
    if chance.random() < 1 / 3:
        rename_provider(box)


def rename_provider(box):
    account = next(one for one in box.org.cloud.accounts.values() if one.name == "Sales")
    tenant, app = box.tenant, box.application_id
    role = next(one for one in account.roles() if one.name == "sales-aws-admin")
    account._add_provider(account.backend, "Entra2", tenant.metadata(app).lstrip("\ufeff"))
    provider = account.backend.saml_providers["Entra2"].arn
    role.assume_role_policy_document = role.assume_role_policy_document.replace("saml-provider/WAAD", "saml-provider/Entra2")
    account.touched()
    record, entry = tenant.tables["servicePrincipals"][app], {"id": tenant.mint(), "value": f"{role.arn},{provider}", "isEnabled": True}
    entry |= {"displayName": "Sales through Entra2", "description": "x", "allowedMemberTypes": ["User"], "origin": "ServicePrincipal"}
    model = next(one for one in tenant.tables["assignments"].values() if one["principalType"] == "User")
    given = {"id": assignment_id(model["principalId"], tenant.mint()), "appRoleId": entry["id"]}
    roles = Write("servicePrincipals", app, record | {"appRoles": [*record["appRoles"], entry]})
    tenant.commit([roles, Write("assignments", given["id"], model | given)])


def people(box):
    """(account, user, role ARN) of one person for each role and provider who can sign in now."""
    tenant, app = box.tenant, box.application_id
    able = {}
    carried = sorted((one, value) for one in tenant.tables["users"] for value in set(tenant.role_values(one, app)))
    for user, value in carried:
        if value not in able and box.can_sign_in(user, role := value.split(",")[0])[0]:
            able[value] = (role.split(":")[4], user, role)
    return sorted(set(able.values()))


def locked_out(box, before):
    return [(account, role, why) for account, user, role in before for able, why in [box.can_sign_in(user, role)] if not able]


# --- 08: whatever was selected -------------------------------------------------------------------------------------------


def selection(chance, box):
    """Parameters of 08-certificates that select accounts, as people write them."""
    accounts = list(box.org.cloud.accounts.values())
    able = [one for one in accounts if one.state == "ACTIVE" and one.reach != "denied"]
    pool = able if chance.random() < 0.7 else accounts
    some = sorted(one.id for one in pool if chance.random() < 0.4) or [accounts[0].id]
    names = sorted({one.name for one in accounts if one.id in some and "[" not in one.name})
    (box.parameters / "some.csv").write_text("account_id\n" + "".join(f"{one}\n" for one in some))
    (box.parameters / "header.csv").write_text("account_id,account_name\n")
    kinds = {
        "all": {},
        "include": {"include_accounts": tuple(chance.choice((some, names)))},
        "exclude": {"exclude_accounts": tuple(chance.choice((some, ["*"], names, ["*Prod*", "Sales"])))},
        "both": {"include_accounts": tuple(some), "exclude_accounts": (some[0],)},
        "file": {"accounts_file": str(box.parameters / chance.choice(("some.csv", "some.csv", "header.csv")))},
        "provider": {"provider": chance.choice(("Okta", "waad", "WADD", "Entra2", "AzureAD"))},
    }
    kind = chance.choice(sorted(kinds))
    unreachable = [one.id for one in accounts if one not in able]
    given = kinds[kind]
    left = [one.id for one in accounts if kind in ("include", "both", "file") and one.id not in some]
    excluded = chance.choice(([], [], unreachable, [*unreachable, *left], chance.sample([one.id for one in accounts], 2)))
    ghosts = ["999999999999"] if excluded and chance.random() < 0.8 else []  # no account, and an appRole names it
    canary = (chance.choice([one.id for one in accounts if one.id not in excluded]),) if chance.random() < 0.3 else ()
    reasons = tuple(f"{one}: agreed with its owner" for one in dict.fromkeys([*excluded, *ghosts]))
    return kind, {"provider": "WAAD"} | given | {"campaign_exclusions": reasons, "canary_accounts": canary}


class Campaign:
    """A rollover as its runbook carries it out, run by run, without a kernel."""

    def __init__(self, box, given):
        self.box, self.proofs, self.later = box, (), timedelta()
        only = aws.Selection(given.get("include_accounts", ()), given.get("exclude_accounts", ()))
        reached = {"external_id": "awsfed-sandbox", "cloud": "sandbox", "workers": 8, "only": only}
        reached["accounts_file"] = given.get("accounts_file", "")
        self.reader, self.provider = Organization(via="awsfed-audit", **reached), given["provider"]
        client = next(one["appId"] for one in box.world["tenant"]["clients"] if one["name"] == "writer")
        session = sign_in(SignIn("sandbox", box.tenant.id, client, "certificate"))
        writer = Accounts(Organization(via="awsfed-writer", **reached))
        of = {"application_id": box.application_id, "provider": self.provider}
        self.run = SimpleNamespace(
            session=session, aws=writer, parameters=SimpleNamespace(**of), clock=lambda: datetime.now(UTC) + self.later
        )
        self.graph = Graph.writing(session)
        asked = {name: given[name] for name in ("campaign_exclusions", "canary_accounts")}
        self.campaign = rollover.campaign(
            SimpleNamespace(
                certificate="CN=AWS 2031",
                certificate_thumbprint="",
                wave_accounts=50,
                soak_days=1,
                window_days=14,
                rollover="planned",
                **asked,
            )
        )

    def stage(self):
        _, documents = aws.documents(self.reader, provider=self.provider)
        found = rollover.live(self.run, self.graph, documents)
        return rollover.stage(type(found)(**{**vars(found), "proofs": self.proofs}), self.campaign, self.run.clock())

    def step(self, stage):
        """Carry the stage out; whether another run follows."""
        if stage.plan:
            outcome = stage.plan.apply(stage.service(self.graph, self.run.aws), approved=stage.plan.id, journal=FakeJournal())
            return outcome.verdict == "applied"
        if stage.name == "proof":
            active = rollover.certificates.read(self.box.tenant.tables["servicePrincipals"][self.box.application_id])
            self.proofs = (Proof(next(one.thumbprint for one in active if one.is_active), datetime.now(UTC)),)
            return True
        self.later += timedelta(days=2)
        return stage.name == "soak"


def drive(box, before, given):
    """All stages, each approved: the names of the stages, and who of `before` was locked out after one of them."""
    names, lost = [], []
    excluded = {line[:12] for line in given["campaign_exclusions"]}
    try:
        campaign = Campaign(box, given)
        for _ in range(MOST_RUNS):
            stage = campaign.stage()
            names.append(stage.name)
            going = campaign.step(stage)
            lost = [line for line in locked_out(box, before) if line[0] not in excluded] if stage.plan else lost
            if lost or not going:
                break
    except AwsfedError as refused:
        names.append(refused.code)
    return names, lost


def test_a_rollover_locks_nobody_out_whatever_was_selected(box):
    wrong, ends, stages = {}, Counter(), Counter()
    for seed in range(CASES):
        chance = random.Random(f"world {seed}")
        fresh(box, chance)
        kind, given = selection(chance, box)
        before = people(box)
        names, lost = drive(box, before, given)
        stages.update(set(names))
        ends[f"{kind}: {names[-1]}"] += 1
        if lost:
            wrong[seed] = (given, names, lost[:2])
    print(f"whole world: {CASES} selections, {len(wrong)} locked somebody out {sorted(wrong)}, ends {dict(ends)}")
    assert not wrong, next(iter(wrong.values()))
    assert {"gate", "activate", "done"} <= set(stages), "a law that is never put to the test would hold as well"


# --- 04 and 06: skipped is never absent ----------------------------------------------------------------------------------


def hide_provider(account):
    """The provider is not in the list for a moment."""
    gone = account.backend.saml_providers.pop("WAAD")
    return lambda: account.backend.saml_providers.update({"WAAD": gone})


def trust(words):
    """Roles whose trust policy is about SAML and cannot be used as it is now."""

    def change(account):
        trusting = [one for one in account.roles() if "saml-provider/WAAD" in one.assume_role_policy_document]
        kept = [(one, one.assume_role_policy_document) for one in trusting]
        for one, text in kept:
            one.assume_role_policy_document = words(text)

        def undo():
            for one, text in kept:
                one.assume_role_policy_document = text

        return undo

    return change


MOMENTS = {
    "provider missing": hide_provider,
    "not understood": trust(lambda text: text.replace('"Effect":"Allow"', '"Effect":"Perhaps"')),
    "endpoint unknown": trust(lambda text: text.replace("https://signin.aws.amazon.com/saml", "https://signin.example.com/saml")),
    "denied": trust(lambda text: text.replace('"Effect":"Allow"', '"Effect":"Deny"')),
}


@pytest.mark.parametrize("number", ["04", "06"])
def test_a_role_that_is_skipped_for_a_moment_loses_nothing(box, number):
    wrong, refusals = {}, set()
    for seed in range(FEW):
        chance = random.Random(f"{number} {seed}")
        fresh(box, chance)
        before = people(box)
        held = {(one["principalId"], one["appRoleId"]) for one in box.tenant.tables["assignments"].values()}
        readable = [one for one in box.org.cloud.accounts.values() if (one.state, one.reach) == ("ACTIVE", "ok")]
        moments = [(account, chance.choice(sorted(MOMENTS))) for account in chance.sample(readable, 3)]
        undone = [MOMENTS[moment](account) for account, moment in moments]
        for account, _ in moments:
            account.touched()
        given = {"max_removed": 10_000} | chance.choice(
            ({}, {"include_accounts": [account.id for account, _ in moments]}, {"provider": "waad"})
        )
        try:
            names = executed.execute(number, box.file, **given)
            removed = [change for change in names["plan"].changes if change.action == "remove"]
        except AwsfedError as refused:
            removed, refusals = [], {*refusals, refused.code}
        for undo in undone:
            undo()
        for account, _ in moments:
            account.touched()
        hit = {account.id for account, _ in moments}
        lost = locked_out(box, [person for person in before if person[0] in hit])
        unsaid = [change for change in removed if not change.why]
        kept = {(one["principalId"], one["appRoleId"]) for one in box.tenant.tables["assignments"].values()}
        if lost or unsaid:
            wrong[seed] = ([(account.name, moment) for account, moment in moments], given, lost[:2], unsaid[:2], len(held - kept))
    print(f"skipped, {number}: {FEW} worlds, {len(wrong)} lost somebody or did not say why {sorted(wrong)}")
    assert not wrong, next(iter(wrong.values()))
    assert refusals <= {"provider-not-found"}


# --- 12: what was not read is not deleted ----------------------------------------------------------------------------------


def refusing(box, account, nth):
    """AWS refuses the nth reading of the roles of the account, and those after it; a function that ends it."""
    carry_out, seen = box.org._carry_out, Counter()

    def answer(call, of):
        if call.action in ("GetAccountAuthorizationDetails", "ListRoles") and of.id == account.id:
            seen[call.action] += 1
            if seen[call.action] >= nth:
                raise AwsError("AccessDenied", f"User is not authorized to perform: iam:{call.action} on resource: *", 403)
        return carry_out(call, of)

    box.org._carry_out = answer
    return lambda: setattr(box.org, "_carry_out", carry_out)


def test_an_offboarding_deletes_no_provider_that_a_role_still_trusts_and_touches_no_other_account(box):
    wrong, ends = {}, Counter()
    for seed in range(FEW):
        chance = random.Random(f"12 {seed}")
        fresh(box, chance)
        before = people(box)
        account = chance.choice([one for one in box.org.cloud.accounts.values() if one.usable and one.reach == "ok"])
        given = {"account_id": account.id, "max_removed": 10_000, "provider": chance.choice(("WAAD", "WAAD", "Okta", "Entra2", "WADD"))}
        nth, there = chance.choice((1, 2, 2, 3, 99)), set(account.backend.saml_providers)
        said = ""
        for _ in range(3):
            end = refusing(box, account, nth)
            try:
                names = executed.execute("12", box.file, **given)
                said += " ".join(change.why for change in names["plan"].changes if account.id in change.key)
            except AwsfedError as refused:
                ends[refused.code] += 1
                break
            finally:
                end()
            if names["course"].finished:
                break
        else:
            ends["planned three times"] += 1
        account.touched()
        ends["a provider was deleted"] += bool(there - set(account.backend.saml_providers))
        gone = there - set(account.backend.saml_providers)
        orphans = [
            (name, one.name) for name in gone for one in account.roles() if f"saml-provider/{name}" in one.assume_role_policy_document
        ]
        lost = locked_out(box, [person for person in before if person[0] != account.id])
        if lost or orphans or (nth == 1 and "was read in full" in said):
            wrong[seed] = (given, nth, lost[:2], orphans, said[:200])
    print(f"offboarding: {FEW} worlds, {len(wrong)} went wrong {sorted(wrong)}, ends {dict(ends)}")
    assert not wrong, next(iter(wrong.values()))
    assert set(ends) <= {"provider-not-found", "unsafe-plan", "planned three times", "a provider was deleted"}
