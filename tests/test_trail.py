"""Who entered which role by LookupEvents: over real HTTP, against canned answers with faults, and against the sandbox.

Laws: docs.aws.amazon.com awscloudtrail/latest/APIReference/API_LookupEvents.html.
"""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import rendered
from granting import grant_demo
from made import arn

from awsfed_lib.core.errors import AwsError, WriteForbidden
from awsfed_lib.core.review import trail, trail_query
from awsfed_lib.core.review.use import Use
from awsfed_lib.core.settings.parameters import Parameters
from awsfed_lib.core.tables import ACCOUNTS, PATHS, ROLES, frame, rows
from awsfed_lib.edges import access
from awsfed_lib.edges.amazon import aws, permissions
from awsfed_lib.edges.amazon import trail as lookup
from awsfed_lib.edges.amazon.acting import acting_in
from awsfed_lib.edges.amazon.hub import hub
from awsfed_lib.edges.records import where
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.aws import Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server
from awsfed_lib.sandbox.store import Tenant

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
ONE, TWO, THREE = (f"{number:012d}" for number in (1, 2, 3))
ANN, BOB = "ann@contoso.example", "bob@contoso.example"
REACHED = frame(
    PATHS, [{"user_name": name, "app_role_id": name, "role_arn": arn(account, "Admin"), "account_id": account} for name in (ANN, BOB) for account in (ONE, TWO, THREE)]
)  # fmt: skip
ORGANIZATION = aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", pauses=(), cloud="sandbox")
NAMES = {ONE: "One", TWO: "Two", THREE: "Three"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Between botocore's own attempts nobody waits."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


def event(account, number, *, name=ANN, days=None, **more):
    """One event as LookupEvents lists it; the higher the number, the older."""
    when = NOW - (timedelta(days=days) if days else timedelta(hours=number + 1))
    record = {
        "eventName": "AssumeRoleWithSAML", "eventTime": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "recipientAccountId": account, "eventID": str(number),
        "requestParameters": {"roleArn": arn(account, "Admin"), "roleSessionName": name},
    } | more  # fmt: skip
    return {"EventId": str(number), "EventName": "AssumeRoleWithSAML", "EventTime": when.timestamp(), "CloudTrailEvent": json.dumps(record)}


class Trails(rendered.Rendered):
    """Canned accounts with CloudTrail: `events` by account and Region, `page` of them at a time."""

    def __init__(self, events, **more):
        super().__init__(3, 0, **more)
        self.events, self.regions = events, []

    def _ask(self, environ, body):
        ask = super()._ask(environ, body)
        region = environ["HTTP_AUTHORIZATION"].split("/")[2]
        self.regions.append((ask.account, region))
        return ask._replace(given={**ask.given, "region": region})

    def _lookup_events(self, ask):
        start = int(ask.given.get("NextToken", 0))
        kept = self.events.get((ask.account, ask.given["region"]), [])
        more = {"NextToken": str(start + 50)} if start + 50 < len(kept) else {}
        return json.dumps({"Events": kept[start : start + 50], **more}).encode()


def refused(code, message="said the script", status=400):
    return status, json.dumps({"__type": code, "message": message}).encode()


@contextmanager
def served(events, **more):
    canned = Trails(events, **more)
    with Server(canned.app) as server:
        yield canned, rendered.session(server.url)


def asked(pages=20, days=90, regions=("us-east-1",)):
    return trail.Asked(trail.Terms(pages=pages, days=days), NAMES, regions, NOW - timedelta(days=days), NOW)


def read(session, organization=ORGANIZATION, what=None):
    return lookup.entries(organization, what or asked(), REACHED, session=session)


def windows(log):
    return {row["account_id"]: (row["begin"], row["problem"]) for row in rows(log.windows)}


HOME = {(ONE, "us-east-1"): [event(ONE, 1), event(ONE, 2, name="BOB@Contoso.example"), event(ONE, 3)], (TWO, "us-east-1"): [event(TWO, 1)]}


def test_sessions_are_added_up_by_role_and_name():
    with served(HOME) as (canned, session):
        log = read(session)
    found = {(row["account_id"], row["user_name"]): (row["sessions"], row["last_entered"]) for row in rows(log.uses)}
    assert found == {
        (ONE, ANN): (2, NOW - timedelta(hours=2)), (ONE, BOB): (1, NOW - timedelta(hours=3)), (TWO, ANN): (1, NOW - timedelta(hours=2)),
    }  # fmt: skip
    assert windows(log) == dict.fromkeys((ONE, TWO, THREE), (NOW - timedelta(days=90), ""))
    assert log.end == NOW - timedelta(hours=2)  # what is younger may not be in the log yet
    assert {ask.account for ask in canned.asked if ask.action == "LookupEvents"} == {ONE, TWO, THREE}


def test_the_request_asks_for_one_attribute_fifty_a_page_and_90_days():
    with served({}) as (canned, session):
        read(session, what=asked(days=400))
    given = next(ask.given for ask in canned.asked if ask.action == "LookupEvents")
    assert given["LookupAttributes"] == [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithSAML"}]
    assert (given["MaxResults"], given["EndTime"] - given["StartTime"]) == (50, 90 * 86_400)


def test_a_refused_sign_in_is_no_use_of_a_role():
    """An event with an errorCode opened no session, and need not name one."""
    events = [
        event(ONE, 1),
        event(ONE, 2, errorCode="AccessDenied"),
        event(ONE, 3, errorCode="InvalidIdentityToken", requestParameters=None),
    ]
    with served({(ONE, "us-east-1"): events}) as (_, session):
        (row,) = rows(read(session).uses)
    assert (row["sessions"], row["refused"], row["last_entered"]) == (1, 1, NOW - timedelta(hours=2))


def test_somebody_who_was_always_refused_did_not_enter():
    events = {(ONE, "us-east-1"): [event(ONE, 1), event(ONE, 2, name=BOB, errorCode="AccessDenied")]}
    with served(events) as (_, session):
        log = read(session)
    use = Use(log, log, frame(ROLES, []), frame(ACCOUNTS, []))
    assert use.entered(arn(ONE, "Admin"), ANN)
    assert use.entered(arn(ONE, "Admin"), BOB) is None


def test_events_are_regional():
    """A sign-in at a regional endpoint is in that Region alone."""
    events = {**HOME, (THREE, "eu-west-1"): [event(THREE, 1, name=BOB)]}
    with served(events) as (canned, session):
        home, both = read(session), read(session, what=asked(regions=("us-east-1", "eu-west-1")))
    assert set(both.uses["account_id"]) - set(home.uses["account_id"]) == {THREE}
    assert (THREE, "eu-west-1") in canned.regions
    assert both.name == "CloudTrail of us-east-1, eu-west-1"


def test_every_page_is_read():
    with served({(ONE, "us-east-1"): [event(ONE, number) for number in range(120)]}) as (canned, session):
        log = read(session)
    assert (log.uses["sessions"].tolist(), windows(log)[ONE][1]) == ([120], "")
    assert sum(ask.action == "LookupEvents" and ask.account == ONE for ask in canned.asked) == 3


def test_where_the_bound_cuts_the_account_is_known_since_the_oldest_event_that_was_read():
    with served({**HOME, (TWO, "us-east-1"): [event(TWO, number) for number in range(120)]}) as (_, session):
        log = read(session, what=asked(pages=2))
    begin, problem = windows(log)[TWO]
    assert begin == NOW - timedelta(hours=100) + timedelta(seconds=1)  # others of that second may be on the next page
    assert "only the newest 100 events" in problem
    assert "trail_pages" in problem
    assert windows(log)[ONE][0] == NOW - timedelta(days=90)
    assert log.coverage == "; accounts read: 3 of 3, 1 of them for less than that"


def test_the_latest_begin_of_the_regions_counts():
    events = {(ONE, "us-east-1"): [event(ONE, number) for number in range(60)], (ONE, "eu-west-1"): [event(ONE, 2000, days=80)]}
    with served(events) as (_, session):
        log = read(session, what=asked(pages=1, regions=("us-east-1", "eu-west-1")))
    assert windows(log)[ONE][0] == NOW - timedelta(hours=50) + timedelta(seconds=1)


@pytest.mark.parametrize(
    "events",
    [[event(ONE, number) for number in reversed(range(60))], [event(ONE, number % 7) for number in range(60)]],
    ids=["oldest first", "mixed"],
)
def test_a_log_that_was_cut_and_is_out_of_order_is_not_known(events):
    """Then nobody can tell what was left out."""
    with served({**HOME, (ONE, "us-east-1"): events}) as (_, session):
        log = read(session, what=asked(pages=1))
    assert log.since(ONE) is None
    assert log.since(TWO) == NOW - timedelta(days=90)


# What refuses


def only(account, answer, region="us-east-1", until=10_000):
    """Answer so in one account and Region, the first `until` times."""
    return lambda ask: (
        answer if (ask.account, ask.action, ask.given.get("region")) == (account, "LookupEvents", region) and ask.nth <= until else None
    )


DENIED = "User: arn:aws:sts::000000000002:assumed-role/awsfed-audit/awsfed is not authorized to perform: cloudtrail:LookupEvents"


def test_an_account_that_denies_is_not_known_and_says_what_to_allow():
    with served(HOME, fault=only(TWO, refused("AccessDeniedException", DENIED))) as (_, session):
        log = read(session)
    begin, problem = windows(log)[TWO]
    assert begin is None
    assert "cloudtrail:LookupEvents" in problem
    assert "audit policy" in problem
    assert set(log.uses["account_id"]) == {ONE}
    assert (log.since(ONE), log.since(TWO)) == (NOW - timedelta(days=90), None)


def test_a_control_policy_that_denies_is_named():
    words = f"{DENIED} with an explicit deny in a service control policy"
    with served(HOME, fault=only(TWO, refused("AccessDeniedException", words))) as (_, session):
        assert "organization policy forbids LookupEvents" in windows(read(session))[TWO][1]


def test_throttling_that_passes_is_waited_out():
    """The wire code is ThrottlingException, HTTP 400: first botocore asks again, then the account is read once more at the end."""
    with served(HOME, fault=only(ONE, refused("ThrottlingException", "Rate exceeded"), until=4)) as (canned, session):
        log = read(session, replace(ORGANIZATION, pauses=(0.0,)))
    assert windows(log)[ONE][1] == ""
    assert sum(ask.action == "LookupEvents" and ask.account == ONE for ask in canned.asked) == 5


def test_an_account_that_stays_throttled_is_not_known():
    with served(HOME, fault=only(ONE, refused("ThrottlingException", "Rate exceeded"))) as (_, session):
        log = read(session, replace(ORGANIZATION, pauses=(0.0, 0.0)))
    assert windows(log)[ONE][0] is None
    assert "kept throttling LookupEvents" in windows(log)[ONE][1]
    assert not log.problem  # TWO was read


def test_throttling_in_the_middle_leaves_nothing_half_read():
    events = {**HOME, (ONE, "us-east-1"): [event(ONE, number) for number in range(120)]}
    late = lambda ask: refused("ThrottlingException") if (ask.account, ask.given.get("NextToken")) == (ONE, "50") else None  # noqa: E731  short
    with served(events, fault=late) as (_, session):
        log = read(session)
    assert set(log.uses["account_id"]) == {TWO}
    assert log.since(ONE) is None


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_a_region_that_is_off_makes_the_account_unknown_and_is_named(code):
    """A Region that an account has not switched on knows none of its credentials; sign-ins there cannot be looked for."""
    both = asked(regions=("us-east-1", "ap-east-1"))
    with served(HOME, fault=only(ONE, refused(code, status=403), region="ap-east-1")) as (_, session):
        log = read(session, what=both)
    assert windows(log)[ONE] == (None, "CloudTrail of ap-east-1 does not take the credentials: the Region may be off in this account.")
    assert (arn(ONE, "Admin"), ANN) in set(zip(log.uses["role_arn"], log.uses["user_name"], strict=True))  # what was seen was seen
    assert log.since(TWO) is not None


def test_credentials_that_are_not_taken_at_home_are_no_matter_of_the_region():
    with served(HOME, fault=only(ONE, refused("UnrecognizedClientException", "The security token is invalid.", status=403))) as (
        _,
        session,
    ):
        assert "Sign in again" in windows(read(session))[ONE][1]


def test_refused_sign_ins_prove_no_names():
    """Only a session that was opened shows what RoleSessionName is."""
    with served({(ONE, "us-east-1"): [event(ONE, 1, errorCode="AccessDenied"), event(ONE, 2, name="0815")]}) as (_, session):
        assert "no session has the name of a person" in read(session).problem


WHOLE = event(ONE, 1)
HALVES = {
    "no record": {"EventTime": WHOLE["EventTime"]},
    "a record that is cut": WHOLE | {"CloudTrailEvent": "{"},
    "a record that is a list": WHOLE | {"CloudTrailEvent": "[]"},
    "half a character": event(ONE, 1, name="\ud800"),
    "half a character of the entry": WHOLE | {"EventId": "\ud800"},
    "another event": event(ONE, 1, eventName="AssumeRole"),
    "no parameters": event(ONE, 1, requestParameters=None),
    "no name": event(ONE, 1, requestParameters={"roleArn": "x"}),
    "no time": event(ONE, 1, eventTime="yesterday"),
    "no time of the entry": {name: value for name, value in WHOLE.items() if name != "EventTime"},
}


@pytest.mark.parametrize("entry", HALVES.values(), ids=HALVES.keys())
def test_an_event_that_is_not_whole_makes_the_account_unknown(entry):
    with served({**HOME, (ONE, "us-east-1"): [event(ONE, 2), entry]}) as (_, session):
        log = read(session)
    assert log.since(ONE) is None
    assert "not read in full" in windows(log)[ONE][1]
    assert log.since(TWO) is not None


def test_an_answer_without_events_is_not_an_empty_one():
    with served(HOME, fault=only(ONE, (200, b"{}"))) as (_, session):
        assert windows(read(session))[ONE][0] is None


def test_a_page_that_leads_back_to_itself_ends():
    with served(HOME, fault=only(ONE, (200, json.dumps({"Events": [], "NextToken": "x"}).encode()))) as (_, session):
        assert "same page twice" in windows(read(session))[ONE][1]


def test_empty_pages_with_a_way_on_are_followed():
    first = only(ONE, (200, json.dumps({"Events": [], "NextToken": "0"}).encode()), until=1)
    with served(HOME, fault=first) as (_, session):
        assert read(session).uses.query(f"account_id == '{ONE}'")["sessions"].sum() == 3


def test_an_event_of_another_account_stops_everything():
    with served({(ONE, "us-east-1"): [event(TWO, 1)]}) as (_, session), pytest.raises(AwsError, match="nothing of it can be trusted"):
        read(session)


def test_an_account_that_cannot_be_entered_is_not_known():
    denied = lambda ask: rendered.error(403, "AccessDenied") if ask.action == "AssumeRole" and THREE in ask.given["RoleArn"] else None  # noqa: E731  short
    with served(HOME, fault=denied) as (_, session):
        log = read(session)
    assert windows(log)[THREE][0] is None
    assert "could not be assumed" in windows(log)[THREE][1]


def test_no_more_than_two_requests_a_second(monkeypatch):
    """For each account and Region; the seconds that a request took are part of it."""
    clock = SimpleNamespace(now=0.0, slept=[])
    monkeypatch.setattr(lookup, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=clock.slept.append))
    pages = iter([{"NextToken": str(number)} for number in range(3)] + [{}])

    def call(**_):
        clock.now += 0.2
        return next(pages)

    assert len(list(lookup._pages(call, lookup.Lookup(NOW, NOW, ("us-east-1",), 9)))) == 4
    assert [round(seconds, 3) for seconds in clock.slept] == [0.3, 0.3, 0.3]


def test_a_long_trail_outlives_its_session(monkeypatch):
    """A session of 900 seconds ended long readings, and the Region was called off."""
    ticks = iter(range(0, 10**6, 400))
    monkeypatch.setattr(lookup, "time", SimpleNamespace(monotonic=lambda: next(ticks), sleep=lambda _: None))
    with served({(ONE, "us-east-1"): [event(ONE, number) for number in range(240)]}) as (canned, session):
        log = read(session, replace(ORGANIZATION, workers=1))
    assumed = [ask for ask in canned.asked if ask.action == "AssumeRole"]
    assert len(assumed) > 5
    assert windows(log)[ONE] == (NOW - timedelta(days=90), "")


def test_nothing_else_of_cloudtrail_may_be_called():
    """Whoever stops a trail hides what follows."""
    with served(HOME) as (canned, session):
        opened = hub("sandbox", "aws", 1, session)
        with acting_in(ONE, opened.credentials(ONE, "awsfed-audit", "")), pytest.raises(WriteForbidden, match="StopLogging"):
            opened.regional("cloudtrail", "us-east-1").stop_logging(Name="x")
        assert opened.regional("cloudtrail", "us-east-1") is opened.regional("cloudtrail", "us-east-1")
    assert "StopLogging" not in {ask.action for ask in canned.asked}


# As the runbook asks


class Run:
    """A run with these parameters, and Graph that tells the reply URLs."""

    def __init__(self, *urls, **given):
        self.parameters = Parameters(application_id="1f2b1c34-1234-4abc-9def-1234567890ab", **given)
        self.clock, self.urls, self.asked = lambda: NOW, urls, []

    def service_principal(self, key, *names):
        self.asked.append((key, *names))
        return {"replyUrls": list(self.urls)}


ACCOUNTS_ = frame(ACCOUNTS, [{"account_id": account, "account_name": name} for account, name in NAMES.items()])


def test_the_regions_are_where_the_application_sends_people():
    run = Run("https://eu-west-1.signin.aws.amazon.com/saml", trail_days=30, trail_table="audit.trail")
    what = access.asked(run, run, ACCOUNTS_)
    assert (what.regions, what.begin, what.settled) == (("us-east-1", "eu-west-1"), NOW - timedelta(days=30), NOW - timedelta(hours=2))
    assert (what.accounts, what.terms.table, what.terms.pages) == (NAMES, "audit.trail", 20)
    assert """"region" IN ('us-east-1', 'eu-west-1')""" in access.query(what)["who_entered_which_role.sql"]


def test_regions_that_are_given_are_taken_and_nobody_is_asked():
    run = Run(trail_regions=["eu-central-1"])
    assert access.asked(run, run, ACCOUNTS_).regions == ("eu-central-1",)
    assert run.asked == []


def test_where_nobody_is_asked_nothing_is_known():
    run = Run()
    log = access.entered(access.asked(run, run, ACCOUNTS_), ORGANIZATION, REACHED)
    assert (log.known, log.problem) == (False, "it was not asked")
    assert "entered_from" in log.remedy


def test_a_csv_is_read_where_it_is_named(tmp_path, monkeypatch):
    for name in ("parameters", "notebooks"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv(where.ROOT_VARIABLE, str(tmp_path))
    (tmp_path / "parameters/used.csv").write_text(",".join(trail_query.COLUMNS) + "\n")
    run = Run(entered_from="used.csv")
    assert "the result is empty" in access.entered(access.asked(run, run, ACCOUNTS_), ORGANIZATION, REACHED).problem


# The sandbox: real sign-ins, and its own refusals


@pytest.fixture
def sandbox():
    """An organization that Britta Simon has entered, with exactly the policies that awsfed renders."""
    made = world(515)
    made["org"]["entries"] = []
    tenant, demo = Tenant(made["tenant"]), made["demo"]
    for account in made["org"]["accounts"]:
        for role in account["roles"]:
            if role["name"] == "awsfed-audit":
                role["inline"], role["attached"] = {"audit": json.loads(permissions.audit_policy())}, []
    org = Org(made["org"], tenant.metadata)
    grant_demo(tenant, demo)
    given = saml.response(tenant, demo["application"], demo["user"], recipient=org.cloud.place.recipient, now=datetime.now(UTC))
    org.sign_in(given, demo["role_arn"], demo["provider_arn"])
    key = org.credentials["hub"]
    with Server(org.app) as server:
        yield org, demo, rendered.LoopbackSession(rendered.described(server.url, key.access_key, key.secret))


def entered(sandbox, **more):
    _, demo, session = sandbox
    now = datetime.now(UTC)
    what = replace(asked(), begin=now - timedelta(days=90), end=now)
    paths = frame(
        PATHS,
        [{"user_name": "britta.simon@contoso.example", "app_role_id": "x", "role_arn": demo["role_arn"], "account_id": demo["account"]}],
    )
    only_these = aws.Selection((demo["account"], "000000012345"))
    return lookup.entries(replace(ORGANIZATION, only=only_these, **more), what, paths, session=session)


def test_a_real_sign_in_is_found(sandbox):
    log = entered(sandbox)
    (row,) = rows(log.uses)
    assert (row["role_arn"], row["user_name"], row["sessions"]) == (sandbox[1]["role_arn"], "britta.simon@contoso.example", 1)
    assert log.known
    assert set(log.windows["problem"]) == {""}


def test_without_the_second_statement_of_the_policy_nothing_is_known(sandbox):
    org, demo, _ = sandbox
    policy = json.loads(permissions.audit_policy())
    org.cloud.accounts[demo["account"]].role("awsfed-audit").policies = {
        "audit": json.dumps(policy | {"Statement": policy["Statement"][:1]})
    }
    log = entered(sandbox)
    assert log.since(demo["account"]) is None
    assert "cloudtrail:LookupEvents" in windows(log)[demo["account"]][1]
    assert not log.known  # no session of any of these roles is left to compare names by


def test_a_busy_trail_is_not_known(sandbox):
    org, demo, _ = sandbox
    org.board.change({"busy_trails": [demo["account"]]})
    assert "kept throttling LookupEvents" in windows(entered(sandbox))[demo["account"]][1]
