"""An AWS that was rendered beforehand: IAM, STS and Organizations as canned answers over real HTTP, with faults by script.

It checks nothing, so that it costs little and can answer what a whole sandbox would never say: half a page, a page that
leads back to itself, silence. Who calls is read from the access key: AKIA or ASIA, the account id, four zeros.
Run as a program it serves until its standard input ends, which is how benchmarks keep its work out of their own process:

    python tests/rendered.py ACCOUNTS ROLES LATENCY_MS
"""

import json
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

from awsfed_lib.edges.amazon.session import LoopbackSession
from awsfed_lib.edges.entra.clouds import Sandbox
from awsfed_lib.sandbox.server import Server

HUB, MANAGEMENT = "900000000001", "900000000000"
KEY = re.compile(r"Credential=(?P<kind>AKIA|ASIA)(?P<account>[0-9]{12})0000/[0-9]{8}/[a-z0-9-]+/(?P<service>[a-z]+)/")
SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])")
SAML = "https://signin.aws.amazon.com/saml"
Answer = tuple[int, bytes]
Fault = Callable[["Ask"], Answer | None]


class Ask(NamedTuple):
    """One request: who for, what, which time by this account, and its parameters."""

    account: str
    action: str
    nth: int
    given: dict[str, str]


def no_fault(ask: Ask) -> Answer | None:
    """Answer as ever."""
    del ask


class Rendered:
    """The canned AWS; `asked` is what came. `page` is the most roles of a page."""

    def __init__(self, accounts: int, roles: int, *, page: int = 1000, fault: Fault = no_fault) -> None:
        self.accounts = [f"{number:012d}" for number in range(1, accounts + 1)]
        self.roles, self.page, self.fault = roles, page, fault
        self.latency = 0.0
        self.asked: list[Ask] = []
        self.assumed: dict[str, str] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._pages = lru_cache(maxsize=None)(self._render)

    def app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one WSGI request."""
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0)).decode()
        ask = self._ask(environ, body)
        if self.latency:
            time.sleep(self.latency)
        status, content = self.fault(ask) or (200, getattr(self, f"_{SNAKE.sub('_', ask.action).lower()}")(ask))
        kind = "application/x-amz-json-1.1" if "HTTP_X_AMZ_TARGET" in environ else "text/xml"
        start_response(f"{status} Said", [("Content-Type", kind), ("Content-Length", str(len(content)))])
        return [content]

    def _ask(self, environ: dict[str, Any], body: str) -> Ask:
        caller = KEY.search(environ["HTTP_AUTHORIZATION"])
        assert caller is not None, environ["HTTP_AUTHORIZATION"]
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        given = json.loads(body) if target else {name: values[0] for name, values in parse_qs(body).items()}
        action = target.rpartition(".")[2] or given["Action"]
        with self._lock:
            self._counts[caller["account"], action] += 1
            ask = Ask(caller["account"], action, self._counts[caller["account"], action], given)
            self.asked.append(ask)
        return ask

    def _list_accounts(self, ask: Ask) -> bytes:
        start = int(ask.given.get("NextToken", "0"))
        entries = [
            {"Id": a, "Name": f"account {a}", "State": "ACTIVE", "Arn": f"arn:aws:organizations::{MANAGEMENT}:account/o-rendered00/{a}"}
            for a in self.accounts[start : start + 20]
        ]
        more = {"NextToken": str(start + 20)} if start + 20 < len(self.accounts) else {}
        return json.dumps({"Accounts": entries} | more).encode()

    def _get_caller_identity(self, ask: Ask) -> bytes:
        arn = self.assumed.get(ask.account, f"arn:aws:iam::{ask.account}:user/hub")
        return xml("GetCallerIdentity", f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{ask.account}</Account>")

    def _assume_role(self, ask: Ask) -> bytes:
        account = ask.given["RoleArn"].split(":")[4]
        granted = f"<AccessKeyId>ASIA{account}0000</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>"
        arn = f"arn:aws:sts::{account}:assumed-role/{ask.given['RoleArn'].rpartition('/')[2]}/awsfed"
        self.assumed[account] = arn
        user = f"<AssumedRoleUser><AssumedRoleId>AROA:awsfed</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
        return xml("AssumeRole", f"<Credentials>{granted}<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>{user}")

    def _list_samlproviders(self, ask: Ask) -> bytes:
        member = f"<member><Arn>{provider(ask.account)}</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate></member>"
        return xml("ListSAMLProviders", f"<SAMLProviderList>{member}</SAMLProviderList>")

    def _get_account_authorization_details(self, ask: Ask) -> bytes:
        return self._pages("GetAccountAuthorizationDetails", ask.account, int(ask.given.get("Marker", "0")))

    def _list_roles(self, ask: Ask) -> bytes:
        return self._pages("ListRoles", ask.account, int(ask.given.get("Marker", "0")))

    def _get_role(self, ask: Ask) -> bytes:
        return xml("GetRole", f"<Role>{listed(ask.account, int(ask.given['RoleName'].rpartition('-')[2]))}</Role>")

    def _list_attached_role_policies(self, ask: Ask) -> bytes:
        return xml("ListAttachedRolePolicies", f"<AttachedPolicies>{ATTACHED}</AttachedPolicies><IsTruncated>false</IsTruncated>")

    def _render(self, action: str, account: str, start: int) -> bytes:
        key, one = ("Roles", listed) if action == "ListRoles" else ("RoleDetailList", detailed)
        end = min(start + self.page, self.roles)
        members = "".join(f"<member>{one(account, number)}</member>" for number in range(start, end))
        members += reader(account, "<Tags/>" if one is detailed else "<MaxSessionDuration>3600</MaxSessionDuration>") if start == 0 else ""
        more = f"<IsTruncated>true</IsTruncated><Marker>{end}</Marker>" if end < self.roles else "<IsTruncated>false</IsTruncated>"
        return xml(action, f"<{key}>{members}</{key}>{more}")


def reader(account: str, more: str) -> str:
    """The role that reads: it trusts the hub, and no SAML."""
    trust = quote('{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}')
    return (
        f"<member><Path>/</Path><RoleName>awsfed-audit</RoleName><RoleId>AROAREADER</RoleId><Arn>arn:aws:iam::{account}:role/awsfed-audit</Arn>"
        f"<CreateDate>2024-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>{more}</member>"
    )


ATTACHED = "<member><PolicyName>ReadOnlyAccess</PolicyName><PolicyArn>arn:aws:iam::aws:policy/ReadOnlyAccess</PolicyArn></member>"


def xml(action: str, inner: str) -> bytes:
    """Write an answer of the query protocol."""
    return f"<{action}Response><{action}Result>{inner}</{action}Result><ResponseMetadata/></{action}Response>".encode()


def error(status: int, code: str, message: str = "said the script") -> Answer:
    """Write an error of the query protocol."""
    return status, f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()


def provider(account: str) -> str:
    """Name the provider that every account has."""
    return f"arn:aws:iam::{account}:saml-provider/WAAD"


def role_arn(account: str, number: int) -> str:
    """Name a role of an account: its name says which account it is of."""
    return f"arn:aws:iam::{account}:role/role-{account}-{number}"


def trusts_saml(number: int) -> bool:
    """Whether the role of that number trusts the provider: two of three do."""
    return number % 3 > 0


def _trust(account: str, number: int) -> str:
    if trusts_saml(number):
        principal, action, condition = {"Federated": provider(account)}, "sts:AssumeRoleWithSAML", {"StringEquals": {"SAML:aud": SAML}}
        statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
    else:
        statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return quote(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), safe="")


def _same(account: str, number: int) -> str:
    return (
        f"<Path>/</Path><RoleName>role-{account}-{number}</RoleName><RoleId>AROA{account}{number:05d}</RoleId><Arn>{role_arn(account, number)}</Arn>"
        f"<CreateDate>2024-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>{_trust(account, number)}</AssumeRolePolicyDocument>"
    )


def listed(account: str, number: int) -> str:
    """Render a role as ListRoles has it."""
    return f"{_same(account, number)}<Description>of {account}</Description><MaxSessionDuration>7200</MaxSessionDuration>"


def detailed(account: str, number: int) -> str:
    """Render a role as GetAccountAuthorizationDetails has it."""
    inline = f"<member><PolicyName>own</PolicyName><PolicyDocument>{quote(json.dumps({'Version': '2012-10-17', 'Statement': []}))}</PolicyDocument></member>"
    tags = f"<Tags><member><Key>owner</Key><Value>{account}</Value></member></Tags>"
    used = "<RoleLastUsed><LastUsedDate>2026-11-01T10:00:00Z</LastUsedDate><Region>us-east-1</Region></RoleLastUsed>"
    return (
        f"{_same(account, number)}<InstanceProfileList/><RolePolicyList>{inline}</RolePolicyList>"
        f"<AttachedManagedPolicies>{ATTACHED}</AttachedManagedPolicies>{tags}{used}"
    )


def session(url: str, account: str = HUB) -> LoopbackSession:
    """Open a session that talks to a canned AWS, or to a sandbox's that was given such keys."""
    return LoopbackSession(described(url, f"AKIA{account}0000", "secret"))


def described(url: str, key: str, secret: str, partition: str = "aws") -> Sandbox:
    """Describe a sandbox of which only the AWS side is used."""
    region = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}[partition]
    nowhere = {
        "tenant_id": "",
        "login_url": "https://127.0.0.1:9",
        "graph_url": "https://127.0.0.1:9",
        "ca_file": "",
        "clients": {},
        "application_id": "",
    }
    keys = {"access_key_id": key, "secret_access_key": secret, "region": region}
    return Sandbox.model_validate_json(
        json.dumps(nowhere | {"aws_url": url, "aws": keys, "management": MANAGEMENT, "partition": partition})
    )


def main(accounts: str, roles: str, latency_ms: str) -> None:
    """Serve until standard input ends; the first line of output is the address."""
    rendered = Rendered(int(accounts), int(roles))
    rendered.latency = int(latency_ms) / 1000
    for account in rendered.accounts:
        for action in ("GetAccountAuthorizationDetails", "ListRoles"):
            rendered._pages(action, account, 0)
    with Server(rendered.app) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
