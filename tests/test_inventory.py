"""The inventory over real HTTP: against canned answers with faults, and against the sandbox with its own judgement of sign-in."""

import json
import pickle
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awsfed_lib.core.errors import AwsError, ParameterError
from awsfed_lib.core.roles.trust import Verdict
from awsfed_lib.core.tables import ACCOUNTS, ROLES, check
from awsfed_lib.edges.amazon import acting, aws, inventory
from awsfed_lib.edges.amazon.hub import Hub
from awsfed_lib.sandbox import saml
from awsfed_lib.sandbox.amazon import metadata
from awsfed_lib.sandbox.aws import AwsSwitches, Org
from awsfed_lib.sandbox.org import world
from awsfed_lib.sandbox.server import Server

_spec = spec_from_file_location("rendered", Path(__file__).with_name("rendered.py"))
rendered = module_from_spec(_spec)
_spec.loader.exec_module(rendered)

ORGANIZATION = aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", pauses=())
Tables = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between botocore's own attempts nobody waits."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))


@contextmanager
def served(accounts: int = 3, roles: int = 4, **more: Any) -> Iterator[tuple[Any, Any]]:
    """Serve a canned AWS and a session for it."""
    canned = rendered.Rendered(accounts, roles, **more)
    with Server(canned.app) as server:
        yield canned, rendered.session(server.url)


def read(session: Any, organization: aws.Organization = ORGANIZATION, provider: str = "WAAD", **more: Any) -> Tables:
    return aws.inventory(organization, provider=provider, session=session, **more)


def expected(canned: Any, account: str) -> list[str]:
    """List the roles that trust SAML."""
    return sorted(rendered.role_arn(account, number) for number in range(canned.roles) if rendered.trusts_saml(number))


def arns(roles: pd.DataFrame, account: str) -> list[str]:
    return list(roles.loc[roles.account_id == account, "role_arn"])


# — what is read —


def test_every_account_is_a_row_and_every_saml_role_too() -> None:
    with served(accounts=45, roles=7) as (canned, session):
        accounts, roles = read(session)
    check(ACCOUNTS, accounts)
    check(ROLES, roles)
    assert list(accounts.account_id) == canned.accounts
    assert set(accounts.problem) == {""}
    assert set(accounts.other_roles) == {4}  # roles 0, 3 and 6 trust no SAML provider, and neither does the one that reads
    assert all(arns(roles, account) == expected(canned, account) for account in canned.accounts)


def test_row_joins_what_two_lists_know() -> None:
    """GetAccountAuthorizationDetails has no description and no session length, ListRoles neither tags nor last use (botocore model)."""
    with served(accounts=1, roles=2) as (canned, session):
        _, roles = read(session)
    account = canned.accounts[0]
    (row,) = roles.to_dict(orient="records")
    assert row["value"] == f"{rendered.role_arn(account, 1)},{rendered.provider(account)}"
    assert (row["verdict"], row["reason"]) == ("taken", "")
    assert (row["description"], row["max_session"]) == (f"of {account}", 7200)
    assert row["policies"] == "arn:aws:iam::aws:policy/ReadOnlyAccess; inline:own"
    assert (row["created"], row["last_used"]) == (pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2026-11-01T10:00", tz="UTC"))


def test_two_calls_for_a_thousand_roles_and_none_for_one() -> None:
    """A call for each role is what gets inventories throttled (github.com/cartography-cncf/cartography issues 243, 297)."""
    with served(accounts=1, roles=2500) as (canned, session):
        _, roles = read(session)
    counts = Counter(ask.action for ask in canned.asked)
    assert counts == {
        "GetCallerIdentity": 1, "ListAccounts": 1, "AssumeRole": 1, "GetAccountAuthorizationDetails": 3, "ListRoles": 3, "ListSAMLProviders": 1,
    }  # fmt: skip
    assert len(roles) == len(expected(canned, canned.accounts[0]))


def test_accounts_are_read_while_the_list_still_comes() -> None:
    """Past 48 workers ListAccounts decides how long it takes: it is sequential, 20 accounts a page."""

    def slow_list(ask: Any) -> None:
        if ask.action == "ListAccounts" and ask.nth > 1:
            started.wait(5)
        if ask.action == "AssumeRole":
            started.set()

    started = threading.Event()
    with served(accounts=41, fault=slow_list) as (canned, session):
        accounts, _ = read(session)
    order = [ask.action for ask in canned.asked]
    assert order.index("AssumeRole") < len(order) - 1 - order[::-1].index("ListAccounts")
    assert len(accounts) == 41


@pytest.mark.parametrize("action", ["ListRoles", "GetAccountAuthorizationDetails"])
def test_role_that_only_one_of_the_two_lists_knows_is_shown(action: str) -> None:
    """Made or gone between the two calls: dropping it would make it look absent."""

    def without_the_second(ask: Any) -> Any:
        if ask.action != action:
            return None
        return 200, re.sub(
            b"<member><Path>/</Path><RoleName>role-000000000001-1<.*?</AssumeRolePolicyDocument>.*?(?=<member><Path>|</Roles>|</RoleDetailList>)",
            b"",
            canned_page(ask),
        )

    with served(accounts=1, roles=5, fault=without_the_second) as (canned, session):
        accounts, roles = read(session)
    assert arns(roles, canned.accounts[0]) == expected(canned, canned.accounts[0])
    assert accounts.problem[0] == ""
    row = roles[roles.role_name == "role-000000000001-1"].iloc[0]
    assert (row.description == "", row.policies == "") == (action == "ListRoles", action != "ListRoles")


def test_any_provider_and_one_that_no_account_has() -> None:
    """A name that is misspelt, or of another case, would make every role look as if it were not ours."""
    with served(accounts=3) as (_, session):
        _, for_any = read(session, provider="")
        for name in ("Okta", "waad"):
            with pytest.raises(ParameterError) as refused:
                read(session, provider=name)
            assert (refused.value.code, "WAAD (3)" in refused.value.what) == ("provider-not-found", True)
    assert set(for_any.verdict) == {"taken"}


def test_reading_many_accounts_at_once_never_mixes_them() -> None:
    """16 threads, 200 accounts, one client: every row is of the account that it says."""
    with served(accounts=200, roles=5) as (canned, session):
        accounts, roles = read(session)
    assert len(accounts) == 200
    assert len(roles) == 200 * 3
    assert (roles.description == "of " + roles.account_id).all()
    assert (roles.role_arn.str.split(":").str[4] == roles.account_id).all()
    assert all(arns(roles, account) == expected(canned, account) for account in canned.accounts)


# — the executor seam —


def test_executor_that_was_given_is_used_and_stays_open() -> None:
    with served(accounts=3) as (canned, session), ThreadPoolExecutor(2) as executor:
        accounts, _ = read(session, executor=executor)
        assert executor.submit(lambda: "open").result() == "open"
    assert list(accounts.account_id) == canned.accounts


def test_work_travels_to_other_processes_without_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process signs in from its own environment: what is pickled is a recipe."""
    for folder in ("notebooks", "parameters", ".sandbox"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("AWSFED_ROOT", str(tmp_path))
    canned = rendered.Rendered(5, 3)
    organization = aws.Organization(via="awsfed-audit", cloud="sandbox", pauses=())
    with Server(canned.app) as server, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        described = rendered.described(server.url, f"AKIA{rendered.HUB}0000", "hush")
        file = tmp_path / ".sandbox" / "sandbox.json"
        file.write_text(
            json.dumps(
                json.loads(described.model_dump_json()) | {"aws": {"access_key_id": f"AKIA{rendered.HUB}0000", "secret_access_key": "hush"}}
            )
        )
        file.chmod(0o600)
        accounts, roles = aws.inventory(organization, provider="WAAD", executor=executor)
        sent = pickle.dumps(Hub(aws.session_for("sandbox"), partition="aws", workers=1, recipe=("sandbox", "aws", 1)))
    assert set(accounts.problem) == {""}
    assert len(roles) == 10
    assert b"hush" not in sent
    assert b"AKIA" not in sent


# — what could not be read —

FAULTS: dict[str, Callable[[bytes], Any]] = {
    "throttled": lambda _: rendered.error(400, "Throttling", "Rate exceeded"),
    "denied": lambda _: rendered.error(403, "AccessDenied", "User: arn is not authorized to perform: iam:ListRoles"),
    "server error": lambda _: rendered.error(500, "ServiceFailure"),
    "unavailable, no XML": lambda _: (503, b"<html>busy</html>"),
    "gone page": lambda _: rendered.error(400, "ValidationError", "Invalid Marker."),
    "cut in half": lambda whole: (200, whole[: len(whole) // 2]),
    "cut by one byte": lambda whole: (200, whole[:-1]),
    "empty": lambda _: (200, b""),
    "a proxy's page": lambda _: (200, b"<html><body>Sign in to the network</body></html>"),
    "no list": lambda whole: (200, whole.replace(b"RoleDetailList", b"Other").replace(b"<Roles>", b"<X>").replace(b"</Roles>", b"</X>")),
    "no word on truncation": lambda whole: (200, whole.replace(b"IsTruncated", b"IsTruncate")),
    "truncated without a way on": lambda whole: (
        200,
        re.sub(b"<IsTruncated>.*</Marker>|<IsTruncated>false</IsTruncated>", b"<IsTruncated>true</IsTruncated>", whole),
    ),
    "role without an ARN": lambda whole: (200, whole.replace(b"<Arn>", b"<Urn>").replace(b"</Arn>", b"</Urn>")),
    "role without a trust policy": lambda whole: (200, whole.replace(b"AssumeRolePolicyDocument", b"Policy")),
}


PLACES = [(action, marker) for action in ("GetAccountAuthorizationDetails", "ListRoles") for marker in (None, "2", "4")]


def canned_page(ask: Any) -> bytes:
    canned = rendered.Rendered(0, 5, page=2)
    return canned._pages(ask.action, ask.account, int(ask.given.get("Marker", "0")))


@pytest.mark.parametrize("name", FAULTS)
def test_one_bad_page_makes_the_account_a_problem_and_none_of_its_roles_appear(name: str) -> None:
    """Half of the roles of an account would make the other half look gone, and planned for removal.

    Accounts 1 to 6 have the fault on the first, middle and last page of each list; account 7 has none.
    """
    places = {f"{number:012d}": place for number, place in enumerate(PLACES, 1)}

    def fault(ask: Any) -> Any:
        action, marker = places.get(ask.account, ("", None))
        at_home = (ask.action, ask.given.get("Marker")) == (action, marker)
        in_both = name == "role without a trust policy" and action and ask.given.get("Marker") == marker
        damaged = at_home or (in_both and ask.action in ("ListRoles", "GetAccountAuthorizationDetails"))
        return FAULTS[name](canned_page(ask)) if damaged else None

    with served(accounts=7, roles=5, page=2, fault=fault) as (canned, session):
        accounts, roles = read(session)
    assert list(accounts.account_id) == canned.accounts
    assert (accounts.problem != "").tolist() == [True] * 6 + [False]
    assert accounts.other_roles.isna().tolist() == [True] * 6 + [False]
    assert set(roles.account_id) == {canned.accounts[6]}
    assert arns(roles, canned.accounts[6]) == expected(canned, canned.accounts[6])


def test_page_that_leads_back_to_itself_ends_as_a_problem() -> None:
    def circle(ask: Any) -> Any:
        if ask.action != "ListRoles" or ask.account != "000000000001":
            return None
        return 200, canned_page(ask).replace(b"<Marker>4</Marker>", b"<Marker>2</Marker>")

    with served(accounts=2, roles=5, page=2, fault=circle) as (_, session):
        accounts, roles = read(session)
    assert "same page" in accounts.problem[0]
    assert set(roles.account_id) == {"000000000002"}


def test_connection_that_breaks_is_a_problem() -> None:
    def hang_up(ask: Any) -> Any:
        if ask.account == "000000000001":
            raise ConnectionResetError

    with served(accounts=2, fault=hang_up) as (_, session):
        accounts, _ = read(session)
    assert "No answer from AWS" in accounts.problem[0]
    assert accounts.problem[1] == ""


kinds = st.sampled_from(["", *FAULTS])
places = st.tuples(st.sampled_from(["AssumeRole", "ListSAMLProviders", "GetAccountAuthorizationDetails", "ListRoles"]), st.integers(1, 3))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(kinds, places), min_size=4, max_size=4))
def test_unread_is_never_absent(drawn: list[tuple[str, tuple[str, int]]]) -> None:
    """Whatever goes wrong wherever: an account is read in full, or it is a problem and has no roles; and none is missing."""
    plan = {f"{number:012d}": fault for number, fault in enumerate(drawn, 1)}

    def fault(ask: Any) -> Any:
        account = ask.given["RoleArn"].split(":")[4] if ask.action == "AssumeRole" else ask.account
        kind, (action, nth) = plan.get(account, ("", ("", 0)))
        if not kind or ask.action != action or (ask.action != "AssumeRole" and ask.nth < nth):
            return None
        return FAULTS[kind](getattr(canned, f"_{rendered.SNAKE.sub('_', ask.action).lower()}")(ask))

    with served(accounts=4, roles=5, page=2) as (canned, session):
        canned.fault = fault
        accounts, roles = read(session)
    assert list(accounts.account_id) == canned.accounts
    for account, problem in zip(accounts.account_id, accounts.problem, strict=True):
        assert arns(roles, account) == ([] if problem else expected(canned, account))
        assert problem or not plan[account][0] or plan[account][1][0] == "AssumeRole" or harmless(plan[account])


def harmless(fault: tuple[str, tuple[str, int]]) -> bool:
    """Faults that change nothing: of a page that is never asked for, or in words that the page does not hold."""
    kind, (action, nth) = fault
    if action == "ListSAMLProviders":
        return nth > 1 or kind in ("no list", "no word on truncation", "truncated without a way on", "role without a trust policy")
    return kind == "role without a trust policy"


# — throttling —


def test_throttled_account_is_asked_again_at_the_end() -> None:
    """A long chain of retries in a worker holds up the others; an account that is still throttled waits for the next round."""

    def burst(ask: Any) -> Any:
        first = ask.account == "000000000002" and ask.action == "ListSAMLProviders" and ask.nth <= 4
        return rendered.error(400, "Throttling", "Rate exceeded") if first else None

    pauses: list[float] = []
    with served(accounts=30, fault=burst) as (canned, session), pytest.MonkeyPatch.context() as patch:
        patch.setattr("awsfed_lib.edges.amazon.rounds.time", SimpleNamespace(sleep=pauses.append))
        accounts, roles = read(session, aws.Organization(via="awsfed-audit", pauses=(1.5, 9.0)))
    assert pauses == [1.5]
    assert set(accounts.problem) == {""}
    assert arns(roles, "000000000002") == expected(canned, "000000000002")
    assert [ask.account for ask in canned.asked if ask.action == "GetAccountAuthorizationDetails"].count("000000000002") == 2


def test_account_that_stays_throttled_is_a_problem_that_says_so() -> None:
    def always(ask: Any) -> Any:
        return rendered.error(400, "Throttling", "Rate exceeded") if ask.account == "000000000002" else None

    with served(accounts=2, fault=always) as (_, session):
        accounts, _ = read(session, aws.Organization(via="awsfed-audit", pauses=(0.0, 0.0)))
    assert accounts.problem[1].startswith("AWS kept throttling GetAccountAuthorizationDetails (Throttling). Run again later")


# — safety —


def test_answer_about_another_account_stops_everything() -> None:
    def mixed(ask: Any) -> Any:
        return (
            (200, canned_page(ask._replace(account="000000000001"))) if (ask.account, ask.action) == ("000000000002", "ListRoles") else None
        )

    with served(accounts=2, fault=mixed) as (_, session), pytest.raises(AwsError, match="nothing of it can be trusted"):
        read(session)


def test_wrong_signature_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should botocore no longer take credentials for one request, the hub's must not be used instead."""
    monkeypatch.setattr("awsfed_lib.edges.amazon.hub.sign_for_account", lambda **_: None)
    with served(accounts=2) as (canned, session), pytest.raises(AwsError, match="signed with credentials of another account"):
        read(session)
    assert not [ask for ask in canned.asked if ask.action.startswith(("List", "GetAccount")) and ask.action != "ListAccounts"]


def test_include_that_matches_nothing_is_an_error_not_an_empty_organization() -> None:
    organization = aws.Organization(via="awsfed-audit", only=aws.Selection(include=("000000000001", "account 9*")))
    with served(accounts=2) as (_, session), pytest.raises(ParameterError, match=r"No account matches account 9\*"):
        read(session, organization)


# — what the trust policy does not say —

ROLE = "arn:aws:iam::111122223333:role/admin"
PROVIDER = "arn:aws:iam::111122223333:saml-provider/WAAD"


def settle(role: str = ROLE, provider: str = PROVIDER, reason: str = "") -> Verdict:
    return inventory.settled(Verdict(provider, "taken", reason), role, [provider], "WAAD")


def test_provider_that_does_not_exist() -> None:
    verdict = inventory.settled(Verdict(PROVIDER, "taken", ""), ROLE, [], "WAAD")
    assert verdict[:3] == (PROVIDER, "skipped", "SAML provider WAAD does not exist in the account: create it, or correct the trust policy.")


def test_value_that_is_too_long_says_by_how_many_characters() -> None:
    """Entra ID takes less than 240 characters for AWS (entra/identity/saas-apps/amazon-web-service-tutorial)."""
    room = 239 - len(f"{ROLE},{PROVIDER}")
    assert settle(ROLE.replace("admin", f"{'p' * (room - 1)}/admin")).verdict == "taken"
    verdict = settle(ROLE.replace("admin", f"{'p' * (room + 4)}/admin"))
    assert verdict.verdict == "skipped"
    assert "244 characters" in verdict.reason
    assert verdict.reason.endswith("by 5.")


def test_long_value_is_taken_with_a_note_that_joins_what_trust_says() -> None:
    verdict = settle(ROLE.replace("admin", "a" * 60), reason="The trust does not check SAML:aud.")
    assert verdict.verdict == "taken"
    assert verdict.reason.startswith("The trust does not check SAML:aud. The value has 13")


@pytest.mark.parametrize("name", ["team,arn:aws:iam::111122223333:saml-provider/x/admin", 'a"b/admin', "back\\slash/admin"])
def test_value_that_entra_or_a_reader_cannot_take_apart_is_skipped(name: str) -> None:
    assert settle(ROLE.replace("admin", name)).verdict == "skipped"


def test_skipped_keeps_its_reason() -> None:
    assert inventory.settled(Verdict(PROVIDER, "skipped", "why"), ROLE, [], "WAAD").reason == "why"


def test_owner_that_our_templates_mark_is_shown() -> None:
    tags = [{"Key": "awsfed:owner", "Value": "StackSet-roles"}]
    row = inventory._described({"RoleName": "r", "Arn": ROLE, "Tags": tags}, aws_account())
    assert row["stack"] == "StackSet-roles"


def aws_account() -> Any:
    from awsfed_lib.edges.amazon.selection import Account

    return Account("111122223333", "sales")


def test_acting_outside_of_an_account_is_an_error() -> None:
    with pytest.raises(Exception, match="it is for no account"):
        acting.acting()


# — the sandbox, which judges sign-in by itself —

TENANT = "11111111-2222-3333-4444-555555555555"
USER = {"id": "u", "displayName": "Ada", "userPrincipalName": "ada@contoso.example", "accountEnabled": True}
APPLICATION = {
    "preferredSingleSignOnMode": "saml",
    "id": "a",
    "appId": "a",
    "displayName": "AWS",
    "servicePrincipalNames": ["https://signin.aws.amazon.com/saml"],
    "replyUrls": ["https://signin.aws.amazon.com/saml"],
    "accountEnabled": True,
}


class Directory:
    """As much of a tenant as a SAML response needs: one user, who is given the value at hand."""

    def __init__(self) -> None:
        self.id, self.domain, self.entity_id = TENANT, "contoso.example", f"https://sts.windows.net/{TENANT}/"
        self.tables, self.value = {"users": {"u": USER}, "policies": {}, "claimsMappingPolicies": {}}, ""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = metadata.certificate_for(self.key, "contoso")

    def principal(self, app_id: str) -> Any:
        return APPLICATION

    @property
    def now_view(self) -> Any:
        return self

    def by_alternate(self, *_: str) -> None:
        return None  # no application object behind it

    def role_values(self, user_id: str, app_id: str) -> list[str]:
        return [self.value]

    def signing_key(self, app_id: str) -> Any:
        return self.key, self.certificate


@contextmanager
def sandbox(partition: str = "aws", accounts: int = 24, **switches: Any) -> Iterator[tuple[Org, Directory, Any]]:
    """Serve the AWS side of a sandbox whose providers hold the certificate of a directory; with a session of its hub."""
    directory = Directory()
    document = metadata.render(f"https://sts.windows.net/{TENANT}/", [directory.certificate], "https://login.example/saml")
    org = Org(world(7, accounts, partition=partition)["org"], lambda _app, _which: document, AwsSwitches(**switches))
    with Server(org.app) as server:
        hub = org.credentials["hub"]
        yield org, directory, rendered.LoopbackSession(rendered.described(server.url, hub.access_key, hub.secret, partition))


OURS = aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", pauses=(0.0, 0.0, 0.0))


def test_verdicts_are_those_of_a_real_sign_in() -> None:
    """Every role and provider: a signed response goes through exactly where the inventory says taken."""
    with sandbox() as (org, directory, session):
        _, roles = read(session, OURS, provider="")
        federated = {(a["id"], p["name"]) for a in org.cloud.entry["accounts"] for p in a["providers"] if p["app"]}
        seen: Counter[str] = Counter()
        for row in roles.itertuples():
            directory.value = f"{row.role_arn},{row.provider_arn}"
            if (row.account_id, row.provider_arn.rpartition("/")[2]) not in federated and row.verdict == "taken":
                continue  # the certificate is another identity provider's, which the inventory does not look at
            if row.verdict == "conditional" or "The value" in row.reason:
                continue  # only STS can tell, or refused for Entra's sake
            may, why = saml.can_sign_in(directory, org, "u", "a", row.role_arn)
            assert may == (row.verdict == "taken"), f"{row.role_name} {row.verdict} ({row.reason}): {why}"
            seen[row.verdict] += 1
    assert seen["taken"] > 50
    assert seen["skipped"] > 10


def test_messy_organization_row_by_row() -> None:
    with sandbox() as (org, _, session):
        accounts, roles = read(session, OURS)
    listed = {entry["id"]: entry for entry in org.cloud.entry["accounts"]}
    assert set(accounts.account_id) == set(listed)
    for row in accounts.itertuples():
        entry = listed[row.account_id]
        assert (row.account_name, row.state) == (entry["name"], entry["state"])
        if entry["state"] != "ACTIVE":
            assert row.problem.startswith(f"The account is {entry['state']}, so it was not read")
        elif entry["reach"] == "denied":
            assert row.problem.startswith("Denied: role awsfed-audit could not be assumed.")
        else:
            assert row.problem == ""
        names = set(roles.loc[roles.account_id == row.account_id, "role_name"])
        assert not row.problem or not names
        assert row.problem or {role["name"] for role in entry["roles"] if "WAAD" in json.dumps(role["trust"])} <= names


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_other_partitions(partition: str) -> None:
    organization = aws.Organization(via="awsfed-audit", external_id="awsfed-sandbox", partition=partition, pauses=(0.0, 0.0, 0.0))
    with sandbox(partition, accounts=6) as (_, _, session):
        _, roles = read(session, organization)
    assert "taken" in set(roles.verdict)
    assert roles.role_arn.str.startswith(f"arn:{partition}:iam::").all()


def test_short_pages_and_an_organization_that_stutters() -> None:
    """IAM may give fewer than MaxItems; Organizations answers TooManyRequests when two ask at once (aws-deployment-framework issue 788)."""
    with sandbox(page=2, organization_throttles=2) as (_, _, session):
        accounts, roles = read(session, OURS)
    with sandbox() as (_, _, session):
        same_accounts, same_roles = read(session, OURS)
    pd.testing.assert_frame_equal(accounts, same_accounts)
    pd.testing.assert_frame_equal(roles, same_roles)


def test_policy_of_the_organization_that_denies_is_named() -> None:
    with sandbox(denied_actions=("iam:ListRoles",)) as (_, _, session):
        accounts, roles = read(session, OURS)
    read_in_full = accounts[accounts.problem == ""]
    assert list(read_in_full.account_name) == ["Contoso Management"]  # service control policies spare the management account
    assert accounts.problem.str.contains("an organization policy forbids ListRoles").sum() > 10
    assert set(roles.account_id) == set(read_in_full.account_id)


@pytest.mark.parametrize("action", ["GetAccountAuthorizationDetails", "ListRoles"])
def test_a_list_without_the_role_that_reads_it_is_not_whole(action: str) -> None:
    """IAM has answered 200 with an empty list: such an account is unread, never one without roles."""

    def empty(ask: Any) -> Any:
        if ask.action != action or ask.account != "000000000001":
            return None
        key = "Roles" if action == "ListRoles" else "RoleDetailList"
        return 200, rendered.xml(action, f"<IsTruncated>false</IsTruncated><{key}/>")

    with served(accounts=2, fault=empty) as (_, session):
        accounts, roles = read(session)
    assert (accounts.problem == "").tolist() == [False, True]
    assert set(roles.account_id) == {"000000000002"}


def test_hub_acts_as_itself_in_its_own_account_when_the_role_is_missing_there() -> None:
    """Stack sets do not reach the management account, and nobody needs a role to be where one is."""
    denied = rendered.error(403, "AccessDenied", "User: hub is not authorized to perform: sts:AssumeRole")

    def no_role(ask: Any) -> Any:
        return denied if ask.action == "AssumeRole" and rendered.HUB in ask.given["RoleArn"] else None

    def no_roles(ask: Any) -> Any:
        return denied if ask.action == "AssumeRole" else None

    with served(accounts=2, fault=no_role) as (canned, session):
        canned.accounts.append(rendered.HUB)
        accounts, roles = read(session)
        canned.fault = no_roles
        others, _ = read(session)
    assert set(accounts.problem) == {""}
    assert arns(roles, rendered.HUB) == expected(canned, rendered.HUB)
    assert (others.problem == "").tolist() == [False, False, True]


def test_management_account_that_is_denied_says_why_the_role_is_not_there() -> None:
    def denied(ask: Any) -> Any:
        return rendered.error(403, "AccessDenied", "not authorized") if ask.action == "AssumeRole" else None

    with served(accounts=1, fault=denied) as (canned, session):
        canned.accounts.append(rendered.MANAGEMENT)
        accounts, _ = read(session)
    assert "stack sets do not reach it" in accounts.problem[1]
    assert "stack sets" not in accounts.problem[0]
